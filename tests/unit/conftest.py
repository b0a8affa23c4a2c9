"""The program under Pulumi's mocks: what it registers, without an engine or a cluster."""

import asyncio
import inspect
import json
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from uuid import uuid4

import pulumi
import pytest
import yaml
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.rpc import serialize_properties

from components.checks.schema import comparisons
from components.cluster.weights import readers

ROOT = Path(__file__).parents[2]
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
SAMPLE = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]


class OneCopy(MetaPathFinder, Loader):
    """Finds the modules of `components` under the name by which programs import them.

    As a second copy, its classes would be others than those that the tests import.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        package, _, _ = fullname.partition(".")
        return ModuleSpec(fullname, self) if package == "ambient_exposure" else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(spec.name.replace("ambient_exposure", "components", 1))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has run; only its spec was taken for that of the other name.
        module.__spec__ = cast("ModuleSpec", module.__spec__).loader_state


sys.meta_path.insert(0, OneCopy())

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


def sample() -> dict[str, Any]:
    """The exposures of the sample, to be changed at will."""
    exposures: dict[str, Any] = deepcopy(SAMPLE[f"{PROJECT['name']}:exposures"])
    return exposures


def config(**keys: Any) -> dict[str, str]:
    """The configuration of the sample, but for these `keys`, as the engine hands it over.

    `exposure` is merged into the sample's one: of mappings only what is named. None takes it out,
    and so it does whole keys.
    The preflight is switched off.
    """
    exposures = sample()
    for name in exposures:
        exposures[name] = patched(exposures[name], keys.pop("exposure", {}))
    own = {"exposures": exposures} | keys
    own["cluster"] = {"preflight": False} | keys.get("cluster", {})
    whole = {key.partition(":")[2]: value for key, value in SAMPLE.items()} | own
    return handed_over(PROJECT, {key: value for key, value in whole.items() if value is not None})


def patched(value: Any, patch: Any) -> Any:
    """`value` after a merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    whole = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            del whole[key]
        else:
            whole[key] = patched(whole.get(key), change)
    return whole


def handed_over(project: dict[str, Any], values: dict[str, Any]) -> dict[str, str]:
    """`values` as the engine hands them to a program of `project`."""
    return {
        f"{project['name']}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }


PLATFORM = {"gateways": {"edge": {"name": "edge", "namespace": "ingress"}}}
"""The outputs of a stack that others refer to."""


class Cluster(pulumi.runtime.Mocks):
    """Answers as a cluster: inputs come back, Gateways have `addresses`, their Services a spec.

    Those of others are as in `live`, by namespace and name. Resources that were `put_right`, named
    by their keys, are changed later than the others.
    """

    def __init__(
        self, addresses: list[str], live: dict[str, Any], put_right: Sequence[str] = ()
    ) -> None:
        self.addresses = addresses
        self.live = live
        self.put_right = put_right

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ.endswith(":Gateway"):
            addresses = [{"value": value} for value in self.addresses]
            outputs["status"] = {"addresses": addresses, "conditions": CONDITIONS}
            if args.resource_id:
                outputs = patched(gateway(args.resource_id), self.live.get(args.resource_id, {}))
        if args.typ == "pulumi:pulumi:StackReference":
            outputs |= {"outputs": PLATFORM}
        if args.typ.endswith(":ServicePatch"):
            outputs["spec"] = SERVICE
        if "metadata" in outputs and not args.resource_id:
            manager = outputs["__fieldManager"] = f"pulumi-kubernetes-{args.name}"
            late = f"{_kind(args.typ)}/{args.name}" in self.put_right
            outputs["metadata"] = {
                **outputs["metadata"],
                "uid": args.name,
                "managedFields": [
                    {"manager": manager, "time": "12:00" if late else "11:00"},
                    {"manager": manager, "subresource": "status", "time": str(uuid4())},
                    {"manager": "somebody", "time": str(uuid4())},
                ],
            }
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(args.token)


def gateway(place: str) -> dict[str, Any]:
    """A Gateway that is there, by namespace and name."""
    namespace, _, name = place.partition("/")
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": "1", "generation": 1},
        "spec": {
            "gatewayClassName": "istio",
            "listeners": [{"name": "default", "protocol": "HTTP", "port": 80}],
        },
        "status": {
            "addresses": [
                {"type": "Hostname", "value": f"{name}-istio.{namespace}.svc.cluster.local"}
            ],
            "conditions": CONDITIONS,
        },
    }


STACK = "pulumi:pulumi:Stack"


@dataclass
class Resource:
    """A registration as the engine would get it."""

    urn: str
    type: str
    parent: str
    provider: str
    dependencies: set[str]
    inputs: dict[str, Any]
    """After the transforms of the stack."""
    timeouts: dict[str, str]
    ignored: list[str]
    """Inputs whose changes are ignored."""
    hooks: set[str]
    """Hooks that the transforms of the stack give it, for errors."""
    aliases: list[tuple[str, str, str]]
    """Parent (a URN), type and name that it may have had before; empty where they are the same."""


class Recorder(pulumi.runtime.mocks.MockMonitor):
    """Keeps every registration, with parent and dependencies, which the mocks do not show."""

    def __init__(self, mocks: pulumi.runtime.Mocks) -> None:
        super().__init__(mocks)
        self.graph: dict[str, Resource] = {}
        self.read: dict[str, str] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it."""
        return urn(parent, type_, name)

    def ReadResource(self, request: Any) -> Any:  # noqa: N802  # the SDK's name
        self.read[f"{_key(request.parent)} > {request.name}"] = request.id
        return super().ReadResource(request)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the SDK's name
        response = super().RegisterResource(request)
        inputs, hooks = self._transformed(request)
        self.graph[f"{_kind(request.type)}/{request.name}"] = Resource(
            response.urn,
            request.type,
            _key(request.parent),
            request.provider,
            {_key(urn) for urn in request.dependencies},
            inputs,
            MessageToDict(request.customTimeouts),
            list(request.ignoreChanges),
            hooks,
            [(one.spec.parentUrn, one.spec.type, one.spec.name) for one in request.aliases],
        )
        return response

    def _transformed(self, request: Any) -> tuple[dict[str, Any], set[str]]:
        """The inputs of a request and its hooks after the transforms, which mocks do not run."""
        inputs, hooks = MessageToDict(request.object), set[str]()
        for transform in self._stack_transforms:
            result: Any = transform(
                pulumi.ResourceTransformArgs(
                    request.custom, request.type, request.name, inputs, pulumi.ResourceOptions()
                )
            )
            if inspect.isawaitable(result):
                result = asyncio.get_event_loop().run_until_complete(result)
            if result is not None:
                serialized = serialize_properties(result.props, {})
                inputs = MessageToDict(asyncio.get_event_loop().run_until_complete(serialized))
                bound = result.opts.hooks
                hooks |= {hook.name for hook in (bound.on_error if bound else None) or ()}
        return inputs, hooks


def urn(parent: str, type_: str, name: str) -> str:
    """The URN of a child of the resource with the URN `parent`, which is empty or the stack's."""
    above = parent.split("::")[2] if parent else STACK
    qualified = type_ if above == STACK else f"{above}${type_}"
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{qualified}::{name}"


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
    read: dict[str, str]
    """Identifiers of what it reads, by parent and name."""
    exports: dict[str, Any]
    """The stack's outputs; one that a preview does not know is missing."""


def needed(graph: dict[str, Resource]) -> dict[str, Any]:
    """What of the objects in `graph` a preflight has to look for."""

    def metadata(kind: str) -> list[dict[str, Any]]:
        of_kind = [one for one in graph.values() if one.type == f"kubernetes:{kind}"]
        return [one.inputs["metadata"] for one in of_kind]

    created = {one["name"] for one in metadata("core/v1:Namespace")}
    labelled = {one["name"] for one in metadata("core/v1:NamespacePatch")}
    adopted = [one for one in metadata("core/v1:ServicePatch") if "labels" in one]
    return {
        "namespaces": {name: name in created for name in created | labelled},
        "gateway_classes": {
            one.inputs["spec"]["gatewayClassName"]
            for one in graph.values()
            if one.type.endswith("/v1:Gateway")
        },
        "services": {(one["namespace"], one["name"]) for one in adopted},
    }


def looked_for(needs: dict[str, Any]) -> dict[str, Any]:
    """What a preflight looks for that is given `needs`, in the form of `needed`."""
    return {
        "namespaces": {one["name"]: one["create"] for one in needs["namespaces"]},
        "gateway_classes": set(needs.get("gateway_classes", ("istio", "istio-waypoint"))),
        "services": {(one["namespace"], one["name"]) for one in needs.get("services", [])},
    }


Run = Callable[..., Program]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a program and returns its graph: `__main__.py` with `config(**keys)`, or another one."""

    # Nothing of the machine's may get into a stack.
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    # What an interrupt does is pytest's concern.
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run_program(  # noqa: PLR0913  # what the program and its cluster are like
        program: Callable[[], None] | None = None,
        *,
        preview: bool = False,
        addresses: tuple[str, ...] = (ADDRESS,),
        live: dict[str, Any] | None = None,
        put_right: tuple[str, ...] = (),
        project: dict[str, Any] = PROJECT,
        **keys: Any,
    ) -> Program:
        comparisons.clear()  # of the cluster of an earlier program
        readers.clear()
        mocks = Cluster(list(addresses), live or {}, put_right)
        recorder = Recorder(mocks)
        pulumi.runtime.set_mocks(
            mocks,
            project=project["name"],
            stack="dev",
            organization="organization",
            preview=preview,
            monitor=recorder,
        )
        values = handed_over(project, keys) if program else config(**keys)
        pulumi.runtime.set_all_config(values, [])  # else those of an earlier program stay secret

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
        return Program(recorder.graph, recorder.read, exports)

    return run_program
