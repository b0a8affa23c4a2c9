"""An ambient mesh, installed by the Sail operator."""

import re
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.gateway import ClusterObjectMeta, timeouts, wait_for
from ..api.istio import Istio, IstioCNI, ZTunnel
from ..api.outputs import after
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema

NAME = "default"
"""Name of the three objects; the operator's CRDs admit no other for IstioCNI and ZTunnel."""

Platform = Literal["gke", "k3d", "k3s", "microk8s", "minikube", "openshift"]
"""Kinds of clusters for which Istio's charts have values of their own.

https://istio.io/latest/docs/ambient/install/platform-prerequisites/
"""


class MeshArgs(TypedDict):
    """What a `Mesh` is made of."""

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`, one of those that the operator has."""
    data_plane_version: NotRequired[pulumi.Input[str]]
    """Version of the node agent and the node proxy (default `version`). They must not be newer
    than the control plane: for an upgrade it keeps the old version until the update to the new
    `version` is done.

    https://istio.io/latest/docs/ambient/upgrade/helm-upgrade/"""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the control plane, created with the mesh (default `istio-system`)."""
    cni_namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the node agent, created with the mesh (default `istio-cni`)."""
    ztunnel_namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the node proxy, created with the mesh (default `ztunnel`)."""
    discovery_labels: NotRequired[Mapping[str, str]]
    """Labels of the namespaces that the mesh discovers, these three among them (default: every
    namespace)."""
    platform: NotRequired[pulumi.Input[Platform]]
    """Kind of the cluster (default none in particular)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the charts `base` and `istiod`, over those that the other arguments make."""
    cni_values: NotRequired[Mapping[str, Any]]
    """Values of the chart `istio-cni`, over those that the other arguments make."""
    ztunnel_values: NotRequired[Mapping[str, Any]]
    """Values of the chart `ztunnel`, over those of the control plane."""
    ready_timeout: NotRequired[int]
    """Seconds that each part may take to become ready (default 600)."""


class Mesh(pulumi.ComponentResource):
    """Control plane, node agent and node proxy, in namespaces of their own.

    The cluster has the Sail operator already. Node agent, control plane and node proxy are
    installed in this order and removed in the opposite one, the namespaces last; their labels are
    there before the proxy, which else gets no certificates. Raises `InvalidInput` with every fault
    of `args` before anything is registered.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/common/istio-ambient-mode.adoc
    https://github.com/istio/istio/issues/52057
    """

    namespace: pulumi.Output[str]
    """Namespace of the control plane, known once the mesh is ready."""

    def __init__(
        self, name: str, args: MeshArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Mesh {name!r}", args, MeshArgs)
        super().__init__("ambient:index:Mesh", name, None, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 600))
        )
        metadata: ClusterObjectMeta = {
            "name": NAME,
            "annotations": wait_for("condition=Reconciled", "condition=Ready"),
        }
        version = args["version"]
        data_plane_version = args.get("data_plane_version", version)
        control_plane, cni, ztunnel = _namespaces(args)
        namespaces = [
            kubernetes.core.v1.Namespace(
                f"{name}-{role}-namespace",
                metadata={"name": namespace, "labels": args.get("discovery_labels", {})},
                opts=pulumi.ResourceOptions(parent=self),
            ).urn
            for role, namespace in (("istio", control_plane), ("cni", cni), ("ztunnel", ztunnel))
        ]
        agent = IstioCNI(
            f"{name}-cni",
            metadata,
            {
                "version": data_plane_version,
                "namespace": after(cni, *namespaces),
                "profile": "ambient",
                "values": merged(_platform(args), args.get("cni_values", {})),
            },
            inside,
        )
        istio = Istio(
            f"{name}-istio",
            metadata,
            {
                "version": version,
                "namespace": after(control_plane, agent.urn),
                "profile": "ambient",
                "updateStrategy": {"type": "InPlace"},
                "values": merged(render_values(args), args.get("values", {})),
            },
            inside,
        )
        proxy = ZTunnel(
            f"{name}-ztunnel",
            metadata,
            {
                "version": data_plane_version,
                "namespace": ztunnel,
                "targetRef": {"kind": "Istio", "name": istio.name},
                "values": args.get("ztunnel_values", {}),
            },
            inside,
        )
        self.namespace = after(control_plane, proxy.urn)
        self.register_outputs({"namespace": self.namespace})


def _namespaces(
    args: MeshArgs,
) -> tuple[pulumi.Input[str], pulumi.Input[str], pulumi.Input[str]]:
    """The namespaces of control plane, node agent and node proxy."""
    return (
        args.get("namespace", "istio-system"),
        args.get("cni_namespace", "istio-cni"),
        args.get("ztunnel_namespace", "ztunnel"),
    )


def render_values(args: MeshArgs) -> dict[str, Any]:
    """Values of the control plane, which the node proxy takes over as far as it has them."""
    values: dict[str, Any] = {
        **_platform(args),
        "pilot": {"trustedZtunnelNamespace": args.get("ztunnel_namespace", "ztunnel")},
    }
    if labels := args.get("discovery_labels"):
        values["meshConfig"] = {"discoverySelectors": [{"matchLabels": labels}]}
    return values


def _platform(args: MeshArgs) -> dict[str, Any]:
    return {"global": {"platform": args["platform"]}} if "platform" in args else {}


def merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with those of `over`, as Helm does it: mappings key by key, all else replaced."""
    result = {**values, **over}
    for key in values.keys() & over.keys():
        if isinstance(values[key], Mapping) and isinstance(over[key], Mapping):
            result[key] = merged(values[key], over[key])
    return result


def _version(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"v\d+\.\d+[-.]\w[-.\w]*", value):
        return None
    return "a version like 'v1.30.0' or 'v1.30-latest'"


def _check_namespaces(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    del path  # it is the root
    taken: list[object] = []
    keys = ("namespace", "cni_namespace", "ztunnel_namespace")
    for key, namespace in zip(keys, _namespaces(cast("MeshArgs", args)), strict=True):
        if namespace in taken:
            faults.add(key, f"found {namespace!r} again, expected a namespace of its own")
        taken.append(namespace)


SCHEMA = Schema(
    {
        MeshArgs: {
            "version": _version,
            "data_plane_version": _version,
            "namespace": valid.dns_label,
            "cni_namespace": valid.dns_label,
            "ztunnel_namespace": valid.dns_label,
            "discovery_labels{}": valid.label_key,
            "discovery_labels[]": valid.label_value,
            "ready_timeout": valid.seconds,
        }
    },
    {MeshArgs: _check_namespaces},
)
"""What is expected of a `Mesh`."""
