"""The program under Pulumi's mocks: what it registers, without an engine or a cluster."""

import json
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from google.protobuf.json_format import MessageToDict

ROOT = Path(__file__).parents[2]
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))

ADDRESS = "httpbin-gateway-istio.httpbin.svc.cluster.local"

CONDITIONS = [
    {"type": "Accepted", "status": "True", "reason": "Accepted"},
    {"type": "Programmed", "status": "True", "reason": "Programmed"},
]
SERVICE = {
    "clusterIPs": ["10.96.0.9", "fd00::9"],
    "ports": [
        {"port": 80, "targetPort": 80, "nodePort": 30080},
        {"port": 443, "targetPort": 443, "nodePort": 30443},
    ],
}
"""What istiod has made of a Gateway's Service."""


def config(project: dict[str, Any], /, **overrides: Any) -> dict[str, str]:
    """The defaults of Pulumi.yaml and `overrides`, as the engine hands them to the program."""
    values = {key: schema["default"] for key, schema in project["config"].items()} | overrides
    return {
        f"{project['name']}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }


class Cluster(pulumi.runtime.Mocks):
    """Answers as a cluster: inputs come back, Gateways have `addresses`, their Services a spec."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ.endswith(":Gateway"):
            addresses = [{"value": value} for value in self.addresses]
            outputs["status"] = {"addresses": addresses, "conditions": CONDITIONS}
        if args.typ.endswith(":ServicePatch"):
            outputs["spec"] = SERVICE
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(args.token)


@dataclass
class Resource:
    """A registration as the engine would get it."""

    type: str
    parent: str
    provider: str
    dependencies: set[str]
    inputs: dict[str, Any]
    timeouts: dict[str, str]
    ignored: list[str]
    """Inputs whose changes are ignored."""
    former: set[tuple[str, str]]
    """Parents and names that it had in earlier releases."""


class Recorder(pulumi.runtime.mocks.MockMonitor):
    """Keeps every registration, with parent and dependencies, which the mocks do not show."""

    def __init__(self, mocks: pulumi.runtime.Mocks) -> None:
        super().__init__(mocks)
        self.graph: dict[str, Resource] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the SDK's name
        self.graph[f"{_kind(request.type)}/{request.name}"] = Resource(
            request.type,
            _key(request.parent),
            request.provider,
            {_key(urn) for urn in request.dependencies},
            MessageToDict(request.object),
            MessageToDict(request.customTimeouts),
            list(request.ignoreChanges),
            {(_key(one.spec.parentUrn), one.spec.name) for one in request.aliases if one.spec.name},
        )
        return super().RegisterResource(request)


def _kind(type_: str) -> str:
    return type_.rsplit(":", 1)[-1]


def _key(urn: str) -> str:
    """`Kind/name` of a URN."""
    if not urn:
        return ""
    *_, types, name = urn.split("::")
    return f"{_kind(types.rsplit('$', 1)[-1])}/{name}"


@dataclass
class Program:
    """A finished run of a program."""

    graph: dict[str, Resource]
    exports: dict[str, Any]
    """The stack's outputs; one that a preview does not know is missing."""


Run = Callable[..., Program]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a program, by default `__main__.py` without its preflight, and returns its graph."""

    # Nothing of the machine's may get into a stack.
    monkeypatch.setenv("KUBECONFIG", "/nowhere")

    def run_program(
        program: Callable[[], None] | None = None,
        *,
        preview: bool = False,
        addresses: tuple[str, ...] = (ADDRESS,),
        project: dict[str, Any] = PROJECT,
        **overrides: Any,
    ) -> Program:
        mocks = Cluster(list(addresses))
        recorder = Recorder(mocks)
        pulumi.runtime.set_mocks(
            mocks, project=project["name"], stack="dev", preview=preview, monitor=recorder
        )
        pulumi.runtime.set_all_config(config(project, **{"preflight": False} | overrides))

        exports: dict[str, Any] = {}

        @pulumi.runtime.test
        def main() -> pulumi.Output[None]:
            # The stack of all runs in one process is the same object.
            cast("Any", pulumi.runtime.get_root_resource()).outputs.clear()
            if program:
                program()
            else:
                runpy.run_path(str(ROOT / "__main__.py"))
            exported = cast("Any", pulumi.runtime.get_root_resource()).outputs
            return pulumi.Output.all(
                *(
                    pulumi.Output.from_input(value).apply(partial(exports.__setitem__, key))
                    for key, value in exported.items()
                )
            ).apply(lambda _: None)

        main()
        return Program(recorder.graph, exports)

    return run_program
