"""The installation of a mesh, on a cluster that has the Sail operator's CRDs.

No operator runs there: what its objects would install is not installed. The CRDs have the shape of
the real ones in what the component sends, so the API server judges every type but those of the Helm
values, and the test reports the status that the operator would. The lab's own mesh is not touched.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from lightkube.generic_resource import create_global_resource
from lightkube.resources.core_v1 import Namespace
from lightkube.types import PatchType

from tests.lab.conftest import Lab, NewStack, plain

pytestmark = plain

GROUP = "sailoperator.io"
KINDS = ("IstioCNI", "Istio", "ZTunnel")
NAMESPACES = ("mesh-istio", "mesh-cni", "mesh-ztunnel")

PROGRAM = """
import pulumi

from components import Cluster, Mesh


def change(args):
    if args.type_.endswith(":KIND"):
        args.props["metadata"]["name"] = "NAME"
        args.props["spec"] |= SPEC
    return pulumi.ResourceTransformResult(args.props, args.opts)


pulumi.runtime.register_resource_transform(change)
cluster = Cluster("cluster", {"context": "lab"})
Mesh(
    "mesh",
    {
        "version": "v1.30.0",
        "namespace": "mesh-istio",
        "cni_namespace": "mesh-cni",
        "ztunnel_namespace": "mesh-ztunnel",
        "discovery_labels": {"mesh": "sail"},
        "values": {"pilot": {"autoscaleMin": 2}},
        "ready_timeout": 60,
    },
    pulumi.ResourceOptions(providers=[cluster.provider]),
)
"""


def program(kind: str = "Istio", name: str = "default", **spec: Any) -> str:
    """A program with a mesh whose object of one kind is changed on its way to the cluster."""
    return PROGRAM.replace("KIND", kind).replace("NAME", name).replace("SPEC", repr(spec))


def chosen(*values: str) -> dict[str, Any]:
    """The schema of a choice."""
    return {"type": "string", "enum": [*values]}


def mapping(*required: str, **fields: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a mapping."""
    whole = {"type": "object", "properties": fields}
    return {**whole, "required": [*required]} if required else whole


def render_crd(kind: str) -> dict[str, Any]:
    """A CRD of the Sail operator; values and status are of any shape."""
    text = {"type": "string"}
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    profile = {"profile": chosen("ambient", "default", "empty", "openshift-ambient", "stable")}
    own = {
        "IstioCNI": profile,
        "Istio": {**profile, "updateStrategy": mapping(type=chosen("InPlace", "RevisionBased"))},
        "ZTunnel": {
            "targetRef": mapping("kind", "name", kind=chosen("Istio", "IstioRevision"), name=text)
        },
    }
    spec = mapping(
        "version", "namespace", version=text, namespace=text, values=anything, **own[kind]
    )
    schema = mapping(spec=spec, status=anything)
    if kind != "Istio":
        schema["x-kubernetes-validations"] = [
            {"rule": "self.metadata.name == 'default'", "message": "must be 'default'"}
        ]
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {"kind": kind, "plural": plural},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


@pytest.fixture
def crds(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """The CRDs of the Sail operator."""
    file = tmp_path / "crds.json"
    listed = {"apiVersion": "v1", "kind": "List", "items": [render_crd(kind) for kind in KINDS]}
    file.write_text(json.dumps(listed), encoding="utf-8")
    lab.kubectl("apply", "-f", str(file))
    lab.kubectl("wait", "--for=condition=Established", "-f", str(file))
    yield
    lab.kubectl("delete", "-f", str(file))


class Operator:
    """Reports each object as ready, and remembers what befalls the mesh until it is gone."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._heard: Queue[tuple[int, str]] = Queue()
        threading.Thread(target=self._watch_namespaces, daemon=True).start()
        for kind in KINDS:
            threading.Thread(target=self._watch_kind, args=(kind,), daemon=True).start()

    def history(self, count: int) -> list[str]:
        """The next `count` things that happened, in the order of the cluster's own counter."""
        return [what for _, what in sorted(self._heard.get(timeout=30) for _ in range(count))]

    def _hear(self, what: str, one: Any) -> None:
        self._heard.put((int(one.metadata.resourceVersion), what))

    def _watch_namespaces(self) -> None:
        left = set(NAMESPACES)
        for event, one in self._lab.client().watch(Namespace, server_timeout=300):
            assert one.metadata
            if one.metadata.name in left and event in ("ADDED", "DELETED"):
                self._hear(f"{one.metadata.name} {event}", one)
                left -= {one.metadata.name} if event == "DELETED" else set()
                if not left:
                    return

    def _watch_kind(self, kind: str) -> None:
        client = self._lab.client()
        objects: Any = create_global_resource(GROUP, "v1", kind, f"{kind.lower()}s")
        ready = 0
        for event, one in client.watch(objects, server_timeout=300):
            if event in ("ADDED", "DELETED"):
                self._hear(f"{kind} {event}", one)
            if event == "DELETED":
                return
            generation = one.metadata.generation
            if (one.status or {}).get("observedGeneration") == generation:
                if ready != generation:
                    self._hear(f"{kind} READY", one)
                ready = generation
            elif not one.metadata.deletionTimestamp:
                conditions = [
                    {"type": type_, "status": "True"} for type_ in ("Reconciled", "Ready")
                ]
                status = {"observedGeneration": generation, "conditions": conditions}
                name = one.metadata.name
                client.patch(objects.Status, name, {"status": status}, patch_type=PatchType.MERGE)


@pytest.mark.usefixtures("crds")
def test_a_mesh_comes_and_goes_in_order(lab: Lab, new_stack: NewStack) -> None:
    stack = new_stack(program())
    stack.pulumi("preview")

    operator = Operator(lab)
    stack.pulumi("up", "--yes", "--skip-preview")
    seen = operator.history(9)
    assert sorted(seen[:3]) == sorted(f"{namespace} ADDED" for namespace in NAMESPACES)
    assert seen[3:] == [f"{kind} {word}" for kind in KINDS for word in ("ADDED", "READY")]
    labelled = lab.kubectl("get", "namespaces", "-l", "mesh=sail", "-o", "name").split()
    assert labelled == sorted(f"namespace/{namespace}" for namespace in NAMESPACES)
    stack.pulumi("preview", "--expect-no-changes")

    # An upgrade is waited for as well, although the old status says that all is ready.
    (stack.folder / "__main__.py").write_text(program().replace("v1.30.0", "v1.30.1"))
    stack.pulumi("up", "--yes", "--skip-preview")
    assert operator.history(3) == [f"{kind} READY" for kind in KINDS]

    stack.pulumi("destroy", "--yes", "--skip-preview")
    seen = operator.history(6)
    assert seen[:3] == ["ZTunnel DELETED", "Istio DELETED", "IstioCNI DELETED"]
    assert sorted(seen[3:]) == sorted(f"{namespace} DELETED" for namespace in NAMESPACES)


@pytest.mark.usefixtures("crds")
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (program("IstioCNI", version=1.30), "spec.version: "),
        (program("Istio", updateStrategy={"type": "Inplace"}), 'Unsupported value: "Inplace"'),
        (program("ZTunnel", "mesh"), "must be 'default'"),
    ],
)
def test_a_preview_finds_what_the_operator_does_not_take(
    new_stack: NewStack, change: str, complaint: str
) -> None:
    assert complaint in new_stack(change).pulumi("preview", ends="badly")
