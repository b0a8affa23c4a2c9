"""The Makefile's commands, with programs in the place of Python and Pulumi that tell how they were
called."""

import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from lab import versions
from tests.unit.conftest import ROOT

SAMPLE = """\
config:
  # What is exposed.
  ambient-exposure:exposures:
    web: {hostnames: [web.example.com]}
encryptionsalt: v1:of-another-stack
"""

PYTHON = """\
#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
  "-m lab env") echo 'export OF_THE_LAB=yes' ;;
  "-m venv .venv")
    mkdir -p .venv/bin "$SITE"
    cp "$0" .venv/bin/python
    cp "$0" .venv/bin/pip
    ;;
  "-c import sysconfig"*) echo "$PWD/$SITE" ;;
esac
"""

PULUMI = """\
#!/bin/sh
echo "pulumi $*${OF_THE_LAB+ on the lab}" >>"$CALLS"
case "$*" in
  "config get --stack "*) sed -nE 's/.*context: "(.*)".*/\\1/p' "Pulumi.$4.yaml" ;;
esac
"""

TOOLS = ("bash", "cp", "echo", "expand", "ln", "mkdir", "rm", "sed", "sh", "touch")


def program(path: Path, text: str) -> None:
    # Not into the program of this machine that a link there leads to.
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@dataclass
class Checkout:
    """A checkout with the Makefile of the project."""

    root: Path
    calls: Path
    env: dict[str, str]

    def make(self, *words: str, fails: bool = False, **variables: str) -> str:
        """What `make` prints."""
        done = subprocess.run(
            [str(shutil.which("make")), "--no-print-directory", *words],
            cwd=self.root,
            env=self.env | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert bool(done.returncode) is fails, done.stdout
        return done.stdout

    def called(self) -> list[str]:
        """The programs' calls since the last time, without that of what runs beside an update."""
        calls = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [
            re.sub(r"/dev/fd/[0-9]+", "NOTES", call)
            for call in calls
            if not call.startswith("python -m bench record .last-update.")
        ]

    def stack_file(self, stack: str) -> dict[str, object]:
        """The content of a stack's file."""
        content: dict[str, object] = yaml.safe_load(
            (self.root / f"Pulumi.{stack}.yaml").read_text()
        )
        return content


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout in which nothing was made yet."""
    root, programs = tmp_path / "checkout", tmp_path / "programs"
    root.mkdir()
    programs.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, root)
    (root / "components").mkdir()
    (root / "Pulumi.dev.yaml").write_text(SAMPLE)
    for name in TOOLS:
        (programs / name).symlink_to(str(shutil.which(name)))
    program(programs / "python3", PYTHON)
    program(programs / "pulumi", PULUMI)
    calls = tmp_path / "calls"
    site = ".venv/lib/python3.99/site-packages"
    return Checkout(root, calls, {"PATH": str(programs), "CALLS": str(calls), "SITE": site})


@pytest.fixture
def checkout(bare: Checkout) -> Checkout:
    """A checkout whose environment is installed."""
    bare.make(".venv/.installed-dev")
    bare.called()
    return bare


LAB_UP = [
    "python -m lab up",
    "python -m lab env",
    "pulumi stack select --create lab on the lab",
    "pulumi up --stack lab --yes --skip-preview --event-log NOTES on the lab",
]


def test_help_shows_every_target(checkout: Checkout) -> None:
    targets = re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = checkout.make().split("\n\n")[0].splitlines()
    assert {line.split()[0] for line in shown} == {*targets} - {"machine"}


def installed(calls: list[str]) -> list[str]:
    """The files whose packages were installed."""
    return [call.rpartition("--requirement ")[2] for call in calls if "install --quiet" in call]


def test_up_installs_the_program_and_not_the_checks(bare: Checkout) -> None:
    bare.make("up")
    assert installed(bare.called()) == ["requirements.txt"]
    assert bare.make("up") == ""
    assert bare.called() == LAB_UP

    bare.make("lint", fails=True)  # it has no ruff here
    assert installed(bare.called()) == ["requirements-dev.txt"]


def test_the_machine_is_looked_at_before_anything_is_installed(bare: Checkout) -> None:
    bare.make("up")
    version, check = bare.called()[:2]
    assert version.startswith("python -c import sys; sys.version_info >= (3, 11)")
    assert check == "python -m lab check"


def test_a_cluster_needs_nothing_of_this_machine(bare: Checkout) -> None:
    bare.make("up", "CONTEXT=kind-kind")
    assert "python -m lab check" not in bare.called()


def test_what_is_installed_has_the_hashes_that_are_locked(bare: Checkout) -> None:
    bare.make(".venv/.installed-dev")
    installs = [call for call in bare.called() if " install " in call]
    assert len(installs) == 2
    assert all("--require-hashes" in call for call in installs)


def test_one_command_pins_the_packages_and_another_word_raises_them(checkout: Checkout) -> None:
    program(checkout.root / ".venv" / "bin" / "uv", TOLD)

    def locked(*words: str) -> list[tuple[str, bool, bool]]:
        checkout.make("lock", *words)
        return [
            (call.rpartition(" ")[2], "--generate-hashes" in call, "--upgrade" in call)
            for call in checkout.called()
        ]

    dev, own, plain = "requirements-dev.txt", "requirements.txt", "constraints.txt"
    pack = "policy/requirements.txt"
    for words, raised in (((), False), (("UPGRADE=yes",), True)):
        assert locked(*words) == [
            (dev, True, raised),
            (own, True, False),
            (plain, False, False),
            (pack, True, raised),
        ]


def test_one_command_sets_up_development(checkout: Checkout) -> None:
    program(checkout.root / ".venv" / "bin" / "pre-commit", TOLD)
    checkout.make("dev")
    assert checkout.called() == ["pre-commit install"]


def test_a_link_that_leads_nowhere_fails_the_site(checkout: Checkout) -> None:
    zensical = Path(sys.executable).parent / "zensical"
    (checkout.root / ".venv" / "bin" / "zensical").symlink_to(zensical)
    (Path(checkout.env["PATH"]) / "tar").symlink_to(str(shutil.which("tar")))
    for folder in ("docs", "examples", "policy/.venv", "rbac", ".github"):
        (checkout.root / folder).mkdir(parents=True)
    for file in ("LICENSE", "Pulumi.yaml", ".github/up.yml", "policy/.venv/not.md"):
        (checkout.root / file).touch()
    config = '[project]\nsite_name = "site"\ndocs_dir = "pages"\nsite_dir = "html"\n'
    (checkout.root / "zensical.toml").write_text(config)
    (checkout.root / "README.md").write_text("# Site\n\n[page](docs/page.md#part)\n")
    (checkout.root / "docs" / "page.md").write_text("# Page\n\n## Part\n")
    checkout.make("docs")
    site = checkout.root / ".site" / "html"
    assert "docs/page" in (site / "index.html").read_text(encoding="utf-8")
    assert (site / ".github" / "up.yml").exists()
    assert not list(site.rglob("not*"))

    (checkout.root / "docs" / "page.md").write_text("# Page\n")
    assert "README.md:3:" in checkout.make("docs", fails=True)


def test_the_checkout_is_importable_by_the_wheels_name(bare: Checkout) -> None:
    site = bare.root / bare.env["SITE"]
    former = site / "ambient_exposure-0.2.0.dist-info"
    former.mkdir(parents=True)
    bare.make(".venv/.installed")
    link = site / "ambient_exposure"
    assert not link.readlink().is_absolute()
    assert link.resolve() == bare.root / "components"
    assert not former.exists()
    os.utime(bare.root / "requirements.txt", (2**32, 2**32))
    bare.make(".venv/.installed")
    assert list((bare.root / "components").iterdir()) == []


def test_the_lab_has_a_copy_of_the_sample(checkout: Checkout) -> None:
    checkout.make("up")
    assert checkout.called() == LAB_UP
    assert checkout.stack_file("lab") == {
        "config": {
            "ambient-exposure:cluster": {"context": "lab"},
            "ambient-exposure:exposures": {"web": {"hostnames": ["web.example.com"]}},
        }
    }
    (checkout.root / "Pulumi.lab.yaml").write_text("config: {changed: by its user}\n")
    checkout.make("up")
    checkout.make("preview")
    checkout.make("down")
    assert checkout.stack_file("lab") == {"config": {"changed": "by its user"}}
    assert (checkout.root / "Pulumi.dev.yaml").read_text() == SAMPLE


def test_the_project_sample_names_no_cluster() -> None:
    """The copy does."""
    sample = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    assert list(sample) == ["config"]
    assert "ambient-exposure:cluster" not in sample["config"]


@pytest.mark.parametrize("stack", ["lab", "local"])
def test_git_ignores_the_copies(stack: str) -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"Pulumi.{stack}.yaml" in ignored


def test_on_the_lab_preview_env_and_down_work_on_its_stack(checkout: Checkout) -> None:
    checkout.make("preview")
    assert checkout.called() == [
        "python -m lab env",
        "pulumi stack select --create lab on the lab",
        "pulumi preview --stack lab --diff on the lab",
    ]
    assert checkout.make("-s", "env") == "export OF_THE_LAB=yes\nexport PULUMI_STACK=lab\n"
    checkout.called()
    checkout.make("down")
    assert checkout.called() == [
        "python -m lab status",
        "python -m lab env",
        "pulumi stack select lab on the lab",
        "pulumi destroy --stack lab --yes --skip-preview on the lab",
        "python -m lab down",
    ]


def test_a_preview_becomes_a_comment(checkout: Checkout) -> None:
    assert checkout.make("preview-comment") == ""
    assert checkout.called() == [
        "python -m lab env",
        "pulumi stack select --create lab on the lab",
        "python -m components comment --stack lab",
    ]
    checkout.make("preview-comment", "CONTEXT=kind-kind")
    assert checkout.called()[-1] == "python -m components comment --stack local"


def test_the_last_update_is_drawn(checkout: Checkout) -> None:
    for words, stack in (((), "lab"), (("CONTEXT=kind-kind",), "local")):
        checkout.make("waterfall", *words)
        notes = f".last-update.{stack}"
        assert checkout.called()[-1] == (
            f"python -m bench waterfall --stack {stack} {notes} {notes}.svg"
        )


def test_measuring_has_a_lab_of_its_own(checkout: Checkout) -> None:
    checkout.make("bench")
    assert checkout.called() == [
        "python -m lab up --ztunnel none",
        "python -m lab env",
        "python -m bench run",
        "python -m lab down",
    ]


def test_breaking_has_a_lab_of_its_own(checkout: Checkout) -> None:
    checkout.make("faults", "ROUNDS=2", "SEED=7", "FAULT=state")
    assert checkout.called() == [
        "python -m lab up --ztunnel none",
        "python -m lab env",
        "python -m faults --rounds 2 --seed 7 --fault state",
        "python -m lab down",
    ]


def test_a_context_takes_the_place_of_the_lab(checkout: Checkout) -> None:
    chosen = "pulumi config get --stack local --path cluster.context"
    checkout.make("up", "CONTEXT=kind-kind")
    assert checkout.called() == [
        "pulumi stack select --create local",
        chosen,
        "pulumi up --stack local --yes --skip-preview --event-log NOTES",
    ]
    assert checkout.stack_file("local") == {
        "config": {
            "ambient-exposure:cluster": {"context": "kind-kind"},
            "ambient-exposure:exposures": {"web": {"hostnames": ["web.example.com"]}},
        }
    }
    checkout.make("preview", "CONTEXT=kind-kind")
    assert checkout.called()[-1] == "pulumi preview --stack local --diff"
    assert checkout.make("-s", "env", "CONTEXT=kind-kind") == "export PULUMI_STACK=local\n"
    assert checkout.called() == []
    checkout.make("down", "CONTEXT=kind-kind")
    assert checkout.called() == [chosen, "pulumi destroy --stack local --yes --skip-preview"]


@pytest.mark.parametrize("target", ["up", "preview", "preview-comment", "down"])
def test_a_stack_stays_on_its_cluster(checkout: Checkout, target: str) -> None:
    checkout.make("up", "CONTEXT=arn:aws:eks:eu-west-1:1:cluster/one")
    checkout.called()
    printed = checkout.make(target, "CONTEXT=another", fails=True)
    assert "stack is on context arn:aws:eks:eu-west-1:1:cluster/one, not another." in printed
    assert "STACK=NAME" in printed
    called = " ".join(checkout.called())
    assert f"pulumi {target}" not in called
    assert "comment" not in called
    checkout.make("up", "CONTEXT=another", "STACK=second")
    assert checkout.called()[-1] == (
        "pulumi up --stack second --yes --skip-preview --event-log NOTES"
    )


def test_the_environment_does_not_lead_to_a_cluster(checkout: Checkout) -> None:
    checkout.make("up", CONTEXT="production", STACK="production")
    assert checkout.called() == LAB_UP


@pytest.mark.parametrize("target", ["up", "preview", "down"])
def test_a_context_without_pulumi_is_refused_at_once(bare: Checkout, target: str) -> None:
    (Path(bare.env["PATH"]) / "pulumi").unlink()
    printed = bare.make(target, "CONTEXT=kind-kind", fails=True)
    assert "pulumi: not found on PATH. Install it" in printed
    assert len(printed.splitlines()) == 1
    assert bare.called() == []


CURL = """\
#!/bin/sh
echo "curl $*" >>"$CALLS"
while [ "$1" != --output ]; do shift; done
cp "$PROGRAM" "$2"
"""

TOLD = """\
#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
"""


@pytest.fixture
def kind(bare: Checkout) -> Checkout:
    """A machine whose programs download, unpack and install what tells how it was called."""
    programs = Path(bare.env["PATH"])
    for name in ("chmod", "env", "sha256sum"):
        (programs / name).symlink_to(str(shutil.which(name)))
    program(programs / "told", TOLD)
    program(programs / "curl", CURL)
    program(programs / "kubectl", TOLD)
    program(programs / "tar", '#!/bin/sh\ncp "$PROGRAM" "$6/istioctl"\n')
    bare.env["PROGRAM"] = str(programs / "told")
    return bare


def run_kind(kind: Checkout, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "kind.sh", folder],
        env=kind.env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_kind_and_the_lab_are_of_the_same_releases() -> None:
    script = (ROOT / "scripts" / "kind.sh").read_text()
    pins = dict(re.findall(r"^(\w+)=v?([\d.]+)$", script, re.MULTILINE))
    assert f"v{pins['GATEWAY_API']}" == versions.GATEWAY_API
    assert pins["ISTIO"].rpartition(".")[0] == versions.ISTIO.rpartition(".")[0]
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    assert f"docker.io/istio/ztunnel:{pins['ISTIO']})\n" in workflow
    page = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    assert f"/download/v{pins['GATEWAY_API']}/standard-install.yaml" in page


def test_kind_gets_the_crds_and_then_istio(kind: Checkout, tmp_path: Path) -> None:
    programs = Path(kind.env["PATH"])
    (programs / "sha256sum").unlink()
    program(programs / "sha256sum", "#!/bin/sh\nwhile read -r sum file; do [ -e $file ]; done\n")
    done = run_kind(kind, tmp_path / "kind")
    assert done.returncode == 0, done.stderr
    *downloads, cluster, crds, istio = kind.called()
    assert len(downloads) == 3
    assert cluster == "kind create cluster --wait 3m"
    assert crds.startswith("kubectl --context kind-kind apply --server-side --filename ")
    assert istio == (
        "istioctl --context kind-kind install --set profile=ambient --skip-confirmation"
    )


def test_kind_runs_nothing_that_has_another_checksum(kind: Checkout, tmp_path: Path) -> None:
    done = run_kind(kind, tmp_path / "kind")
    assert done.returncode
    assert "checksum did NOT match" in done.stderr
    assert [call.split()[0] for call in kind.called()] == ["curl"]
