"""A lab of the tests' own, and stacks on it, driven by the real Pulumi.

No registry serves a ztunnel: `LAB_ZTUNNEL` names the program. Tests that need one are skipped where
it names none, and the summary says what was not proven; `LAB_TEST_REQUIRE=ztunnel` fails them.
Those that need IPv6 are skipped where the kernel has none.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightkube
import pytest
import yaml

from lab.node.requirements import IPV6

ROOT = Path(__file__).parents[2]
STATE = ROOT / f".lab-test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
ZTUNNEL = os.environ.get("LAB_ZTUNNEL") or "none"
HELD = bool(os.environ.get("LAB_PREVIEWED"))
"""Whether each update is held to the plan of a preview before it."""
HOST = "httpbin-gateway-istio.httpbin.svc.cluster.local"
LIMIT = 300
"""Seconds that one command may take; a lab's start, builds included, has an hour."""

Ending = Literal["well", "badly", "somehow"]
"""How a command ends: with status 0, with another, or with any."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot be proven here, with words for the summary."""
    lacking = {}
    if ZTUNNEL == "none" and os.environ.get("LAB_TEST_REQUIRE") != "ztunnel":
        lacking["ztunnel"] = "with a ztunnel, as LAB_ZTUNNEL is not set"
    if not IPV6.exists():
        lacking["dual-stack"] = "with IPv6, as the kernel has none"
    for item in items:
        if isinstance(item, pytest.Function) and (why := lacking.get(form(item))):
            reason = f"not proven here {why}: {item.name}: {feature(item)}"
            item.add_marker(pytest.mark.skip(reason))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print how each failure ends once more, last of all, where a log that is cut still has it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}  # none in a worker
    for kind in ("error", "failed"):
        for report in stats.get(kind, []):
            print(f"\n{report.nodeid}:\n{report.longreprtext[-1500:]}")  # noqa: T201  # for who reads


def form(item: pytest.Function) -> str:
    """The form of the lab that a test runs on; empty where it runs on none in particular."""
    return str(item.callspec.params.get("lab", "")) if hasattr(item, "callspec") else ""


def feature(item: pytest.Function) -> str:
    """What a test proves, in the words of docs/features.md, or else of its own name."""
    test = item.nodeid.removeprefix("tests/").partition("[")[0]
    for row in (ROOT / "docs" / "features.md").read_text(encoding="utf-8").splitlines():
        if f"`{test}`" in row:
            return row.split("|")[1].strip()
    return item.originalname.removeprefix("test_").replace("_", " ")


def run(
    *words: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    ends: Ending = "well",
    limit: float = LIMIT,
) -> str:
    """What a command prints, both streams; fails unless it ends as it should."""
    done = subprocess.run(
        [str(word) for word in words],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit,
        check=False,
    )
    expected = ends == "somehow" or (ends == "well") == (done.returncode == 0)
    # At the end once more what a long output may have far above.
    errors = "\n".join(line for line in done.stdout.splitlines() if "error:" in line)
    assert expected, f"{words} ended with {done.returncode}\n{done.stdout}\n{errors}"
    return done.stdout


@dataclass(frozen=True)
class Lab:
    """A running lab."""

    state: Path
    env: Mapping[str, str]
    ambient: bool
    """Whether it has a ztunnel."""

    @classmethod
    def start(cls, state: Path, ztunnel: str = "none", *options: str) -> "Lab":
        """Start the lab of a state folder, or find it running."""
        env = os.environ | {"LAB_STATE": str(state), "LAB_ZTUNNEL": ztunnel}
        run(sys.executable, "-m", "lab", "up", *options, env=env, limit=3600)
        shell = f'eval "$({sys.executable} -m lab env)"; env -0'
        exported = subprocess.check_output(["bash", "-ec", shell], env=env, cwd=ROOT, text=True)
        pairs = (line.split("=", 1) for line in exported.split("\0") if "=" in line)
        return cls(state, dict(pairs), ztunnel != "none")

    def down(self) -> None:
        """Remove it."""
        run(sys.executable, "-m", "lab", "down", env=self.env)

    def kubectl(self, *words: str, ends: Ending = "well") -> str:
        """What `kubectl` prints."""
        return run("kubectl", *words, env=self.env, ends=ends)

    def client(self) -> lightkube.Client:
        """A client of its API server."""
        return lightkube.Client(lightkube.KubeConfig.from_file(self.env["KUBECONFIG"]).get())

    def curl(self, *words: str) -> str:
        """The status that a request from the curl pod is answered with, `000` for none."""
        command = ("curl", "-sg", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *words)
        return self.kubectl("exec", "-n", "curl", "deploy/curl", "--", *command, ends="somehow")


# What is under way when the input ends is finished, and one more batch of each kind follows, which
# meets the late effects of a change.
_LOAD = r"""
running=$(mktemp)
requests() {
  again=yes
  while [ -n "$again" ]; do
    [ -e "$running" ] || again=
    curl -sS -m 10 --rate 25/s -o /dev/null -H "Host:$HOST" "$@" \
      -w '%{http_code} %{num_connects} %{errormsg}\n' "$URL?[1-50]"
  done
}
requests &
requests -H Connection:close &
read -r -t 900 _
rm "$running"
wait
"""


@contextmanager
def load(
    lab: Lab, url: str, host: str = "httpbin.example.com", client: str = "curl"
) -> Generator[Counter[str]]:
    """Sends requests for a host meanwhile, from the curl pod in the namespace of a client, over
    connections that are kept and over fresh ones.

    The counter has how often each answer came: `200 0` over a connection that was kept, `200 1`
    over a fresh one, `000` for none, with what curl says of it.
    """
    answers: Counter[str] = Counter()
    started = threading.Event()
    words = ("kubectl", "exec", "-i", "-n", client, "deploy/curl", "--")
    command = (*words, "env", f"URL={url}", f"HOST={host}", "sh", "-c", _LOAD)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=lab.env, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        printed = process.stdout

        def count() -> None:
            for line in printed:
                answers[line.strip()] += 1
                started.set()

        counting = threading.Thread(target=count, daemon=True)
        counting.start()
        try:
            assert started.wait(LIMIT), f"no request to {url} ended"
            yield answers
        finally:
            process.stdin.close()
            counting.join(LIMIT)


def assert_unbroken(answers: Counter[str]) -> None:
    """Every request of a `load` was answered, and there were enough of both kinds."""
    assert answers.keys() == {"200 0", "200 1"}, answers
    assert min(answers.values()) >= 50, answers


@pytest.fixture(scope="session", params=["plain", "ztunnel"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab, without a ztunnel and with one; with IPv6 where a test asks for that."""
    ztunnel = ZTUNNEL if request.param == "ztunnel" else "none"
    if request.param == "ztunnel" and ztunnel == "none":
        pytest.fail(
            "LAB_TEST_REQUIRE asks for a ztunnel: set LAB_ZTUNNEL to its path", pytrace=False
        )
    # One that an aborted run left may be of the other form.
    run(sys.executable, "-m", "lab", "down", env=os.environ | {"LAB_STATE": str(STATE)})
    options = ["--dual-stack"] if request.param == "dual-stack" else []
    started = Lab.start(STATE, ztunnel, *options)
    yield started
    started.down()


@pytest.fixture
def outside(lab: Lab) -> Iterator[str]:
    """The address of a Service in a namespace that the mesh does not know."""
    lab.kubectl("create", "namespace", "outside")
    manifests = str(ROOT / "examples" / "existing-service" / "httpbin.yaml")
    lab.kubectl("apply", "-n", "outside", "-f", manifests)
    wait = ("--for=condition=Available", "deployment/httpbin", "--timeout=120s")
    lab.kubectl("wait", "-n", "outside", *wait)
    path = "jsonpath={.spec.clusterIP}"
    yield lab.kubectl("get", "service", "httpbin", "-n", "outside", "-o", path)
    lab.kubectl("delete", "namespace", "outside")


plain = pytest.mark.parametrize("lab", ["plain"], indirect=True)
"""Marks a test to which it makes no difference whether the lab has a ztunnel."""

ambient = pytest.mark.parametrize("lab", ["ztunnel"], indirect=True)
"""Marks a test of what only a ztunnel does."""

dual_stack = pytest.mark.parametrize("lab", ["dual-stack"], indirect=True)
"""Marks a test that needs both IP families."""


def project(folder: Path) -> str:
    """The name of the project in a folder."""
    return str(yaml.safe_load((folder / "Pulumi.yaml").read_text())["name"])


def sample(**changes: Any) -> dict[str, Any]:
    """The exposures of Pulumi.dev.yaml, with other arguments.

    Of an argument that is a mapping only the given keys change: `sample(gateway={"port": 8080})`;
    None takes one out.
    """
    exposures: dict[str, Any] = stack_file(ROOT)["config"]["ambient-exposure:exposures"]
    return {name: merged(exposure, changes) for name, exposure in exposures.items()}


def merged(value: Any, change: Any) -> Any:
    """`value` with `change` as a JSON merge patch of it (RFC 7396)."""
    if not isinstance(change, Mapping):
        return change
    whole = {**value}
    for key, held in change.items():
        whole[key] = merged(whole.get(key, {}), held)
    return {key: held for key, held in whole.items() if held is not None}


def stack_file(folder: Path) -> dict[str, Any]:
    """The content of the Pulumi.dev.yaml in a folder."""
    content: dict[str, Any] = yaml.safe_load((folder / "Pulumi.dev.yaml").read_text())
    return content


def initial(folder: Path) -> dict[str, Any]:
    """The configuration with which a stack in a folder begins: the sample, or the example's own."""
    if (name := project(folder)) != "ambient-exposure":
        return {f"{name}:context": "lab"}
    return {**stack_file(ROOT)["config"], f"{name}:cluster": {"context": "lab"}}


@dataclass
class Stack:
    """A stack in a copy of the project, or of an example."""

    folder: Path
    lab: Lab
    env: Mapping[str, str]
    name: str = "dev"

    @property
    def _file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def configure(self, **values: Any) -> None:
        """Set top-level keys, each to all that it shall hold; the others stay as they are.

        None takes one out.
        """
        name = project(self.folder)
        config = yaml.safe_load(self._file.read_text())["config"]
        config |= {f"{name}:{key}": value for key, value in values.items()}
        self.write({key: value for key, value in config.items() if value is not None})

    def reset(self) -> None:
        """Set the configuration back to what it began with."""
        self.write(initial(self.folder))

    def write(self, config: dict[str, Any]) -> None:
        """Set the whole configuration."""
        content = {**yaml.safe_load(self._file.read_text()), "config": config}
        self._file.write_text(yaml.safe_dump(content))

    def pulumi(self, *words: str, ends: Ending = "well") -> str:
        """What `pulumi` prints."""
        return run("pulumi", *words, env=self.env, cwd=self.folder, ends=ends)

    def up(self, **values: Any) -> dict[str, Any]:
        """Configure, update, and return the stack's outputs."""
        if HELD:
            return self.previewed_up(**values)
        self.configure(**values)
        self.pulumi("up", "--yes", "--skip-preview")
        return self.outputs()

    def previewed_up(self, **values: Any) -> dict[str, Any]:
        """The same, held by the engine to the plan of a preview: anything else would fail."""
        self.configure(**values)
        plan = str(self.folder / "plan.json")
        self.pulumi("preview", "--save-plan", plan)
        self.pulumi("up", "--yes", "--skip-preview", "--plan", plan)
        return self.outputs()

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs as of its last update."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return outputs

    def failing_up(self, **values: Any) -> str:
        """Configure, update, and return what a failed update prints."""
        self.configure(**values)
        return self.pulumi("up", "--yes", "--skip-preview", ends="badly")

    def settle(self) -> None:
        """Nothing is left to do, by what is there, but perhaps one more proof.

        Of an object whose labels or annotations alone were changed the provider may have kept what
        it was before: the change outdates no condition that was waited for. Read anew, it looks put
        right, and is proven again.
        """
        self.pulumi("up", "--yes", "--skip-preview")
        self.pulumi("preview", "--expect-no-changes")

    def resources(self) -> list[dict[str, Any]]:
        """The resources in its state."""
        deployment = json.loads(self.pulumi("stack", "export"))["deployment"]
        resources: list[dict[str, Any]] = deployment.get("resources", [])
        return resources


NewStack = Callable[..., Stack]


@contextmanager
def stacks(lab: Lab, place: Path) -> Generator[NewStack]:
    """Makes stacks, by default of the project's own program; all are destroyed in the end."""
    made: list[Stack] = []

    def make(
        program: str | None = None,
        path: Path | None = None,
        example: str | None = None,
        name: str = "dev",
        backend: Mapping[str, str] | None = None,
    ) -> Stack:
        folder = place / f"project-{len(made)}"
        folder.mkdir()
        for shared in ("components", "requirements.txt", "constraints.txt", ".venv"):
            (folder / shared).symlink_to(ROOT / shared)
        if example:
            folder = folder / "examples" / example
            shutil.copytree(ROOT / "examples" / example, folder)
        else:
            for copied in ("Pulumi.yaml", "__main__.py"):
                shutil.copy(ROOT / copied, folder)
        content = yaml.safe_dump({"config": initial(folder)})
        (folder / f"Pulumi.{name}.yaml").write_text(content)
        if program:
            (folder / "__main__.py").rename(folder / "program.py")
            (folder / "__main__.py").write_text(program)
        env = {
            **lab.env,
            **(backend or {"PULUMI_BACKEND_URL": f"file://{folder}"}),
            **({"PATH": f"{path}:{lab.env['PATH']}"} if path else {}),
        }
        stack = Stack(folder, lab, env, name)
        stack.pulumi("stack", "init", name)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture
def new_stack(lab: Lab, tmp_path: Path) -> Iterator[NewStack]:
    """Makes stacks for one test."""
    with stacks(lab, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def module_stack(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that all tests of a module change, each from what the one before it left."""
    with stacks(lab, tmp_path_factory.mktemp("module")) as make:
        yield make()


@pytest.fixture
def stack(new_stack: NewStack) -> Stack:
    """A stack of the project's own program."""
    return new_stack()
