"""An installed mesh: what is rendered, in which order, and what is refused."""

import json
from typing import Any, cast

import pytest

from components import InvalidInput, Mesh, MeshArgs
from components.parts.mesh import merged
from tests.unit.conftest import Program, Run

NAMESPACES = {
    "Namespace/mesh-istio-namespace",
    "Namespace/mesh-cni-namespace",
    "Namespace/mesh-ztunnel-namespace",
}

ARGS: MeshArgs = {
    "version": "v1.30.0",
    "discovery_labels": {"istio-discovery": "enabled"},
    "platform": "openshift",
    "values": {"pilot": {"autoscaleMin": 2}, "global": {"platform": "k3s"}},
    "cni_values": {"cni": {"cniConfDir": "/etc/cni/multus/net.d"}},
    "ztunnel_values": {"ztunnel": {"logLevel": "debug"}},
}


def installed(run: Run, args: MeshArgs) -> Program:
    return run(lambda: cast("None", Mesh("mesh", args)))


def test_parts_follow_each_other_and_outlive_what_needs_them(run: Run) -> None:
    graph = installed(run, ARGS).graph
    order = {k: one.dependencies for k, one in graph.items() if one.parent == "Mesh/mesh"}
    agent, control_plane, proxy = "IstioCNI/mesh-cni", "Istio/mesh-istio", "ZTunnel/mesh-ztunnel"
    assert order == {
        **{namespace: set[str]() for namespace in NAMESPACES},
        agent: NAMESPACES,
        control_plane: {agent},
        proxy: {control_plane},
    }


def test_specs_are_those_of_the_operator(run: Run) -> None:
    graph = installed(run, ARGS).graph
    parts = {
        one.type: one.inputs["spec"]
        for one in graph.values()
        if one.type.startswith("kubernetes:sailoperator.io/")
    }
    assert parts == {
        "kubernetes:sailoperator.io/v1:IstioCNI": {
            "version": "v1.30.0",
            "namespace": "istio-cni",
            "profile": "ambient",
            "values": {
                "global": {"platform": "openshift"},
                "cni": {"cniConfDir": "/etc/cni/multus/net.d"},
            },
        },
        "kubernetes:sailoperator.io/v1:Istio": {
            "version": "v1.30.0",
            "namespace": "istio-system",
            "profile": "ambient",
            "updateStrategy": {"type": "InPlace"},
            "values": {
                "global": {"platform": "k3s"},
                "pilot": {"trustedZtunnelNamespace": "ztunnel", "autoscaleMin": 2},
                "meshConfig": {
                    "discoverySelectors": [{"matchLabels": {"istio-discovery": "enabled"}}]
                },
            },
        },
        "kubernetes:sailoperator.io/v1:ZTunnel": {
            "version": "v1.30.0",
            "namespace": "ztunnel",
            "targetRef": {"kind": "Istio", "name": "default"},
            "values": {"ztunnel": {"logLevel": "debug"}},
        },
    }


def test_every_part_is_waited_for(run: Run) -> None:
    graph = installed(run, {**ARGS, "ready_timeout": 60}).graph
    for key in ("IstioCNI/mesh-cni", "Istio/mesh-istio", "ZTunnel/mesh-ztunnel"):
        assert graph[key].inputs["metadata"] == {
            "name": "default",
            "annotations": {
                "pulumi.com/waitFor": json.dumps(["condition=Reconciled", "condition=Ready"])
            },
        }
        assert graph[key].timeouts == {"create": "60s", "update": "60s"}


def test_namespaces_are_labelled_from_the_start(run: Run) -> None:
    graph = installed(run, {**ARGS, "ztunnel_namespace": "zt"}).graph
    metadata = {key: graph[key].inputs["metadata"] for key in NAMESPACES}
    assert {key: one["name"] for key, one in metadata.items()} == {
        "Namespace/mesh-istio-namespace": "istio-system",
        "Namespace/mesh-cni-namespace": "istio-cni",
        "Namespace/mesh-ztunnel-namespace": "zt",
    }
    for one in metadata.values():
        assert one["labels"] == {"istio-discovery": "enabled"}
    pilot = graph["Istio/mesh-istio"].inputs["spec"]["values"]["pilot"]
    assert pilot["trustedZtunnelNamespace"] == "zt"


def test_data_plane_may_stay_behind_during_an_upgrade(run: Run) -> None:
    graph = installed(run, {"version": "v1.31.0", "data_plane_version": "v1.30.3"}).graph
    assert {
        key: one.inputs["spec"]["version"] for key, one in graph.items() if "spec" in one.inputs
    } == {
        "IstioCNI/mesh-cni": "v1.30.3",
        "Istio/mesh-istio": "v1.31.0",
        "ZTunnel/mesh-ztunnel": "v1.30.3",
    }


def test_nothing_is_selected_where_no_labels_are_given(run: Run) -> None:
    spec = installed(run, {"version": "v1.30-latest"}).graph["Istio/mesh-istio"].inputs["spec"]
    assert spec["values"] == {"pilot": {"trustedZtunnelNamespace": "ztunnel"}}


def test_values_are_merged_as_helm_does_it() -> None:
    ours: dict[str, Any] = {"a": {"b": {"c": 1, "d": 2}}, "list": [1, 2], "kept": True}
    over: dict[str, Any] = {"a": {"b": {"c": 3}, "e": 4}, "list": [5], "new": {}}
    assert merged(ours, over) == {
        "a": {"b": {"c": 3, "d": 2}, "e": 4},
        "list": [5],
        "kept": True,
        "new": {},
    }
    assert ours == {"a": {"b": {"c": 1, "d": 2}}, "list": [1, 2], "kept": True}


VERSION = "a version like 'v1.30.0' or 'v1.30-latest'"


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("version", "1.30.0", f"version: found '1.30.0', expected {VERSION}"),
        ("data_plane_version", "v1", f"data_plane_version: found 'v1', expected {VERSION}"),
        (
            "namespace",
            "Istio",
            "namespace: found 'Istio', expected a DNS label: lower-case letters, digits and '-',"
            " 1 to 63 characters",
        ),
        (
            "ztunnel_namespace",
            "istio-cni",
            "ztunnel_namespace: found 'istio-cni' again, expected a namespace of its own",
        ),
        (
            "platform",
            "Openshift",
            "platform: found 'Openshift', expected one of gke, k3d, k3s, microk8s, minikube,"
            " openshift (did you mean openshift?)",
        ),
        ("ready_timeout", 3601, "ready_timeout: found 3601, expected seconds from 1 to 3600"),
        ("values", [], "values: found [], expected a mapping"),
    ],
)
def test_invalid_input_is_refused(run: Run, key: str, value: object, fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        installed(run, cast("MeshArgs", {**ARGS, key: value}))
    assert str(refused.value) == f"Mesh 'mesh':\n  {fault}"


def test_labels_are_checked(run: Run) -> None:
    with pytest.raises(InvalidInput, match=r"discovery_labels\[.*\]: found .*, expected"):
        installed(run, {**ARGS, "discovery_labels": {"a b": "c"}})
