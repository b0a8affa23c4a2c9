"""Who makes a case: the commands of each, and files as its users write them."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from bench.case import Case, Object, changed, objects
from bench.run import Run, run

ROOT = Path(__file__).parents[2]
PREVIEW, PREVIEW_STATE = "preview, refreshed", "preview, from the state"
UP, UP_STATE = "update, refreshed", "update, from the state"

_FILES = Path(__file__).parent
_UP = "pulumi up --yes --skip-preview"
_IN_A_FILE = "PULUMI_BACKEND_URL=file://$PWD"
_UNRECORDED = "PULUMI_EXPERIMENTAL=true PULUMI_SKIP_CHECKPOINTS=true"


@dataclass(frozen=True)
class Peer:
    """One way to make a case: commands of a shell, run in the folder `place`."""

    name: str
    place: str
    create: str
    destroy: str
    change: str = ""
    """Applies what was changed, by default what `create` is."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """What changes nothing, by the name of each measure."""
    start: str = ""
    """What it needs once before all, beside its files."""
    state: str = ""
    """The file of its state, where it has one."""
    proves: bool = False
    """Whether `create` and `change` end only when requests were answered."""


def _pulumi(name: str, place: str, variables: str = _IN_A_FILE, *, proves: bool = False) -> Peer:
    keep = {
        PREVIEW: f"{variables} pulumi preview --refresh",
        PREVIEW_STATE: f"{variables} pulumi preview --refresh=false",
        UP: f"{variables} {_UP} --refresh",
        UP_STATE: f"{variables} {_UP} --refresh=false",
    }
    destroy = f"{variables} pulumi destroy --yes --skip-preview"
    state = ".pulumi/stacks/ambient-exposure/bench.json"
    start = f"{variables} pulumi stack init bench"
    return Peer(name, place, f"{variables} {_UP}", destroy, "", keep, start, state, proves)


def on(backend: str, variables: Mapping[str, str]) -> Peer:
    """Our stack with its state on a backend, which Pulumi finds by `variables`."""
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    peer = _pulumi(f"this project, state on {backend}", "ours", given, proves=True)
    return replace(peer, state="")


OURS = _pulumi("this project", "ours", proves=True)
QUIET = _pulumi(
    "this project, state written once", "ours", f"{_UNRECORDED} {_IN_A_FILE}", proves=True
)
PLAIN = _pulumi("plain resources", "plain")
EMPTY = _pulumi("an empty program", "empty")
"""What the engine takes by itself."""
FLOOR = Peer(
    "one kubectl apply",
    ".",
    "kubectl apply -f objects",
    "kubectl delete --ignore-not-found -f objects",
    "kubectl apply -f route.yaml",
)
SCRIPT = Peer(
    "kubectl script",
    ".",
    f"sh {_FILES}/procedure.sh objects",
    f"sh {_FILES}/clean-up.sh",
    "kubectl apply -f route.yaml",
)
HELM = Peer(
    "Helm",
    ".",
    "helm upgrade --install httpbin chart --namespace default --wait --timeout 10m",
    "helm uninstall httpbin --namespace default --wait --timeout 10m",
)
_TOFU = 'KUBE_CONFIG_PATH="$KUBECONFIG" TF_CLI_CONFIG_FILE=tofurc tofu'
TOFU = Peer(
    "OpenTofu",
    "tofu",
    f"{_TOFU} apply -no-color -auto-approve",
    f"{_TOFU} destroy -no-color -auto-approve",
    keep={
        PREVIEW: f"{_TOFU} plan -no-color",
        UP: f"{_TOFU} apply -no-color -auto-approve",
    },
    state="terraform.tfstate",
)


@dataclass(frozen=True)
class Workshop:
    """The folder with the files of all peers, and the programs that were built for them."""

    folder: Path
    programs: Mapping[str, Path]
    """The folders of those that are built, by name; they stand first on PATH."""

    def set_up(self) -> None:
        """Make what no case changes."""
        for name in ("objects", "chart/templates", "tofu", "plain", "empty", "ours"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "chart/Chart.yaml").write_text(
            "{apiVersion: v2, name: bench, version: 1.0.0}"
        )
        shutil.copy(_FILES / "main.tf", self.folder / "tofu")
        provider = self.programs.get("terraform-provider-kubernetes", "")
        overrides = f'dev_overrides {{ "hashicorp/kubernetes" = "{provider}" }}'
        (self.folder / "tofu/tofurc").write_text(f"provider_installation {{\n{overrides}\n}}\n")
        shutil.copy(_FILES / "plain.py", self.folder / "plain/__main__.py")
        (self.folder / "empty/__main__.py").touch()
        shutil.copy(ROOT / "__main__.py", self.folder / "ours")
        (self.folder / "ours/components").symlink_to(ROOT / "components")
        for peer in (OURS, PLAIN, EMPTY):
            shutil.copy(ROOT / "Pulumi.yaml", self.folder / peer.place)
            (self.folder / peer.place / ".venv").symlink_to(sys.prefix)
            self.run(peer, peer.start)

    def configure(self, case: Case, *, other: bool = False) -> None:
        """Write the configuration of our stack, perhaps with another route."""
        file = self.folder / "ours/Pulumi.bench.yaml"
        former = yaml.safe_load(file.read_text()) if file.exists() else {}
        content = {**former, "config": case.settings(other=other)}
        file.write_text(yaml.safe_dump(content))

    def write(self, case: Case, made: Sequence[Object], *, other: bool = False) -> None:
        """Write the files of all peers, perhaps with another route."""
        self.configure(case, other=other)
        for folder in (self.folder / "objects", self.folder / "chart/templates"):
            for file in folder.iterdir():
                file.unlink()
            for one in changed(made, case) if other else made:
                (folder / _file(one)).write_text(yaml.safe_dump(one))
        # The only one that a user would apply.
        route = f"HTTPRoute-{case.names[0]}-waypoint-route.yaml"
        shutil.copy(self.folder / "objects" / route, self.folder / "route.yaml")

    def run(self, peer: Peer, command: str) -> Run:
        """Run one of a peer's commands."""
        path = os.pathsep.join([*(str(one) for one in self.programs.values()), os.environ["PATH"]])
        words = ("bash", "-euc", command)
        return run(*words, cwd=self.folder / peer.place, env=os.environ | {"PATH": path})

    def state(self) -> list[dict[str, Any]]:
        """The resources of our stack."""
        command = f"{_IN_A_FILE} pulumi stack export --stack bench"
        deployment = json.loads(self.run(OURS, command).output)["deployment"]
        return list(deployment.get("resources") or [])

    def objects(self) -> list[Object]:
        """The objects of our stack, as others write them."""
        return objects(self.state())


def _file(made: Object) -> str:
    """Namespaces come first: `kubectl apply` takes the files of a folder in their order."""
    first = "0-" if made["kind"] == "Namespace" else ""
    return f"{first}{made['kind']}-{made['metadata']['name']}.yaml"
