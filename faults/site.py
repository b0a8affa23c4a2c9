"""The procedure's stack on the lab, and what has to hold of it after every fault."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bench.case import Case
from bench.run import FailedError, run
from faults.load import Load, get
from lab.node.breaking import Breaking

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
LIMIT = 300.0
"""Seconds that one command of the engine may take."""

HOST = "httpbin.example.com"
ANSWERS = (("/headers", "200"), ("/get", "404"))
NAMESPACES = ("httpbin", "curl")

_PREFIX = "ambient-exposure:"
_MARK = "ambient-exposure/stack"
_KINDS = (
    "namespaces,services,deployments,serviceaccounts,configmaps,secrets,jobs,gateways,httproutes,"
    "poddisruptionbudgets"
)
_SETTLED = 60.0
"""Seconds in which proxies and the garbage collector follow."""


class FallsShortError(Exception):
    """Something does not hold that has to."""


@dataclass(frozen=True)
class Done:
    """A command of the engine that has ended."""

    status: int
    output: str
    seconds: float

    def says(self, *patterns: str) -> "Done":
        """Itself; falls short where its output lacks one of the patterns, or has a traceback."""
        for pattern in patterns:
            if not re.search(pattern, self.output):
                raise FallsShortError(f"nowhere says {pattern!r}:\n{self.output}")
        if "Traceback" in self.output:
            raise FallsShortError(f"a traceback:\n{self.output}")
        return self

    def well(self) -> "Done":
        """Itself; falls short where it failed."""
        if self.status:
            raise FallsShortError(f"ended with {self.status}:\n{self.output}")
        return self

    def badly(self) -> "Done":
        """Itself; falls short where it did not fail, or not with a message."""
        if not self.status:
            raise FallsShortError(f"did not fail:\n{self.output}")
        return self.says("error")


class Program:
    """A command of the engine that runs, in a process group of its own."""

    def __init__(self, words: tuple[str, ...], folder: Path, env: Mapping[str, str]) -> None:
        """Start it."""
        self._words = " ".join(words)
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed at its end
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            words,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
        )

    def signal(self, number: signal.Signals, *, group: bool = True) -> None:
        """Send a signal to it and all of its programs, or to it alone."""
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)

    def ended(self, limit: float = LIMIT) -> Done:
        """Wait for its end."""
        try:
            self.process.wait(max(0.0, self._started + limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
            raise FallsShortError(
                f"{self._words} did not end in {limit:.0f} s:\n{self._printed()}"
            ) from None
        return Done(self.process.returncode, self._printed(), time.monotonic() - self._started)

    def _printed(self) -> str:
        self._output.seek(0)
        return self._output.read()


@dataclass
class Stack:
    """A stack of a program: the project's own in a copy, or another one's."""

    folder: Path
    name: str
    program: Path = ROOT
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the folder, and the stack in a backend of its own."""
        self.folder.mkdir(parents=True)
        example = self.program != ROOT
        place = self.folder / "examples" / self.program.name if example else self.folder
        for shared in ("components", "requirements.txt", "constraints.txt"):
            (self.folder / shared).symlink_to(ROOT / shared)
        (self.folder / ".venv").symlink_to(sys.prefix)
        if example:
            shutil.copytree(self.program, place)
        else:
            for copied in ("Pulumi.yaml", "__main__.py"):
                shutil.copy(ROOT / copied, place)
        self.backend = self.folder / "backend"
        self.backend.mkdir()
        self.env = os.environ | {"PULUMI_BACKEND_URL": f"file://{self.backend}"} | self.env
        self.folder = place
        self.pulumi("stack", "init", self.name).well()

    @property
    def file(self) -> Path:
        """The state in its backend."""
        (found,) = self.backend.glob(f".pulumi/stacks/*/{self.name}.json")
        return found

    def write(self, config: Mapping[str, Any]) -> None:
        """Set the whole configuration, keys with the project's name."""
        file = self.folder / f"Pulumi.{self.name}.yaml"
        former = yaml.safe_load(file.read_text()) if file.exists() else {}
        file.write_text(yaml.safe_dump({**(former or {}), "config": dict(config)}))

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> Program:
        """Start a command of the engine."""
        return Program(("pulumi", *words), self.folder, {**self.env, **(env or {})})

    def pulumi(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Run a command of the engine to its end."""
        return self.start(*words, "--non-interactive", env=env).ended()

    def up(self, *words: str) -> Done:
        """Update."""
        return self.pulumi("up", "--yes", "--skip-preview", *words)

    def destroy(self, *words: str) -> Done:
        """Take everything down."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *words)

    def command(self, *words: str) -> Done:
        """Run one of the commands `python -m components` on it."""
        given = (sys.executable, "-m", "components", *words, "--stack", self.name)
        return Program(given, self.folder, self.env | {"PYTHONPATH": str(ROOT)}).ended()

    def recover(self) -> None:
        """End an update that was killed."""
        self.command("recover", "--yes").well()

    def resources(self) -> list[dict[str, Any]]:
        """The resources in its state."""
        exported = json.loads(self.pulumi("stack", "export").well().output)
        return list(exported["deployment"].get("resources") or [])


def all_answered(load: Load) -> str:
    """What a load tells at its end; falls short where a request failed."""
    if load.failed():
        raise FallsShortError(load.told())
    return load.told()


class Site:
    """The procedure's stack, the lab that can be broken under it, and chance."""

    def __init__(self, folder: Path, *, short: bool) -> None:
        """Nothing is made yet but the stack."""
        self.folder = folder
        self.short = short
        self.breaking = Breaking.of_environment()
        self.random = random.Random()  # noqa: S311  # moments, no keys
        self.stack = Stack(folder / "procedure", "faults")
        self._settings: dict[str, Any] = {}
        self.number = 0
        self._seconds = {"create": 9.0, "update": 7.0, "destroy": 9.0}
        self.reset()

    def reset(self) -> None:
        """Set the configuration back to that of the procedure."""
        config = Case().settings()
        self._settings = {key.removeprefix(_PREFIX): value for key, value in config.items()}
        self._write()

    def configure(self, **values: Any) -> None:
        """Set top-level keys, each to all that it shall hold."""
        self._settings |= values
        self._write()

    def exposure(self, **changes: Any) -> dict[str, Any]:
        """The exposure of the procedure with changes, of mappings only the keys that are given."""
        (sample,) = Case().settings()[f"{_PREFIX}exposures"].values()
        return {"httpbin": _merged(sample, changes)}

    def change(self) -> None:
        """Set another label, which every object has."""
        self.number += 1
        self.configure(labels={"round": str(self.number)})

    def _write(self) -> None:
        self.stack.write({f"{_PREFIX}{key}": value for key, value in self._settings.items()})

    def begin(self, what: str) -> Program:
        """Start to `create`, `update` or `destroy` the stack, from where that can be."""
        if what == "create":
            self.destroyed()
        else:
            self.created()
            self.change()
        command = "destroy" if what == "destroy" else "up"
        return self.stack.start(command, "--yes", "--skip-preview", "--non-interactive")

    def moment(self, what: str) -> float:
        """Some seconds after the start of it."""
        return self.random.uniform(0.2, self._seconds[what])

    def timed(self, what: str, done: Done) -> None:
        """Remember how long it takes."""
        if not done.status:
            self._seconds[what] = done.seconds

    def created(self) -> None:
        """See to it that the stack is there."""
        if not any(one["type"].startswith("kubernetes:") for one in self.stack.resources()):
            self.timed("create", self.stack.up().well())

    def converges(self, after: Done | None = None) -> str:
        """The next update succeeds, after the recovery command where it asks for that; returns
        what was needed. Nothing is left to do, nothing unknown, and requests are answered.

        In a short round the update `after` which it is asked is enough where that succeeded.
        """
        needed = ""
        if not (self.short and after and not after.status):
            done = self.stack.up()
            if done.status and "components recover" in done.output:
                self.stack.recover()
                needed, done = "after `recover`", self.stack.up()
            done.well()
        if not self.short and self._clean().status:
            # The provider may have kept what an object was before a change of labels alone.
            self.stack.up().well()
            self._clean().well()
        self.accounted()
        self.serves()
        return needed

    def _clean(self) -> Done:
        return self.stack.pulumi("preview", "--expect-no-changes")

    def destroyed(self) -> None:
        """See to it that nothing of the stack is left, in its state and in the cluster."""
        self.timed("destroy", self.stack.destroy().well())
        if left := [one["urn"] for one in self.stack.resources()]:
            raise FallsShortError(f"destroyed, and left in the state: {', '.join(left)}")
        self.until(self.marked, lambda found: not found, "destroyed, and left in the cluster")

    def accounted(self) -> None:
        """The stack knows each object that is marked as its own, once; each that it knows is."""
        known = [
            (one["type"].rpartition(":")[2], one["id"])
            for one in self.stack.resources()
            if one["type"].startswith("kubernetes:") and not one["type"].endswith("Patch")
        ]
        if len(known) > len({*known}):
            raise FallsShortError(f"known twice: {known}")

        def wrong(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
            return found ^ {*known}

        self.until(self.marked, lambda found: not wrong(found), f"known are {sorted(known)}")

    def marked(self) -> set[tuple[str, str]]:
        """Kind and place of every object that is marked as this stack's."""
        listed = json.loads(self.kubectl("get", _KINDS, "-A", "-o", "json"))["items"]
        return {
            (one["kind"], "/".join(filter(None, (meta.get("namespace"), meta["name"]))))
            for one in listed
            for meta in [one["metadata"]]
            if meta.get("annotations", {}).get(_MARK, "").endswith(f"/{self.stack.name}")
        }

    def serves(self, limit: float = _SETTLED) -> float:
        """Seconds until the procedure's requests are answered as they should be."""
        began, address = time.monotonic(), self.address()
        for path, status in ANSWERS:
            asked = partial(get, address, HOST, path)
            self.until(asked, status.__eq__, f"{path}, to be answered {status}", limit)
        return time.monotonic() - began

    def address(self, gateway: str = "httpbin-gateway") -> str:
        """The in-cluster address of a gateway."""
        words = ("get", "service", f"{gateway}-istio", "-n", "httpbin")
        return self.kubectl(*words, "-o", "jsonpath={.spec.clusterIP}")

    def load(self) -> Load:
        """Requests for the procedure's service meanwhile."""
        return Load(self.address(), HOST, "/headers")

    def pods(self, proxy: str) -> list[tuple[str, str]]:
        """Name and uid of the pods of a Gateway, or of those with a label."""
        label = proxy if "=" in proxy else f"gateway.networking.k8s.io/gateway-name={proxy}"
        words = ("get", "pods", "-A", "-l", label, "--field-selector", "status.phase=Running")
        listed = json.loads(self.kubectl(*words, "-o", "json"))["items"]
        return [
            (one["metadata"]["name"], one["metadata"]["uid"])
            for one in listed
            if "deletionTimestamp" not in one["metadata"]
        ]

    def kubectl(self, *words: str) -> str:
        """What `kubectl` prints."""
        return run("kubectl", *words, env=self.stack.env).output

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects."""
        file = self.folder / "applied.yaml"
        file.write_text(yaml.safe_dump_all(objects))
        self.kubectl("apply", "-f", str(file))

    def api_server(self) -> None:
        """Wait until the API server answers."""
        self.until(self._ready, bool, "the API server does not answer", 120)

    def _ready(self) -> bool:
        try:
            return self.kubectl("get", "--raw", "/readyz", "--request-timeout=5s") == "ok"
        except FailedError:
            return False

    def until(
        self, look: Callable[[], T], holds: Callable[[T], bool], what: str, limit: float = _SETTLED
    ) -> T:
        """What was found at last, once it holds; falls short after some seconds."""
        end = time.monotonic() + limit
        while not holds(found := look()):
            if time.monotonic() > end:
                raise FallsShortError(f"{what}: after {limit:.0f} s found {found}")
            time.sleep(0.3)
        return found

    def clear(self) -> None:
        """Take away whatever a round left that fell short, so that the next begins anew."""
        self.reset()
        with suppress(FallsShortError, FailedError):
            self.api_server()
            self.stack.recover()
            self.destroyed()
            return
        with suppress(FallsShortError, FailedError):
            self.stack.pulumi("state", "delete", "--all", "--yes", "--force")
            self.kubectl("delete", "namespace", *NAMESPACES, "--ignore-not-found", "--timeout=120s")


def _merged(value: Any, change: Any) -> Any:
    """`value` with a merge patch (RFC 7396)."""
    if not isinstance(change, Mapping):
        return change
    whole = {**value}
    for key, held in change.items():
        whole[key] = _merged(whole.get(key, {}), held)
    return {key: held for key, held in whole.items() if held is not None}
