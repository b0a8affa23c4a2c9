"""The waypoint proxy of one namespace, or of several."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api import gateway_rules as gateway_api_rules
from ..api.gateway import Gateway, conditions, infrastructure, timeouts, wait_for
from ..api.gateway_types import AllowedRoutes, GatewaySpec, Listener
from ..api.outputs import after
from ..checks import values as valid
from ..checks.schema import Schema
from . import customization
from .customization import CustomizationArgs, customize
from .workload import INGRESS_USE_WAYPOINT

_USE = "istio.io/use-waypoint"

WaypointFor = Literal["service", "workload", "all", "none"]
"""Requests that pass a waypoint: those to a Service, those to a pod, both or none."""


class WaypointOptions(TypedDict):
    """What passes a waypoint, and how istiod runs it."""

    waypoint_for: NotRequired[WaypointFor]
    """Requests that pass it (default `service`)."""
    ingress_use_waypoint: NotRequired[bool]
    """Whether ingress gateways reach every service of its namespace through it (default false:
    only those services that have the label themselves)."""
    allowed_routes: NotRequired[AllowedRoutes]
    """Namespaces that may use it (default its own), in the Gateway API's own form."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """GatewayClass (default `istio-waypoint`)."""
    revision: NotRequired[pulumi.Input[str]]
    """Revision or tag of the control plane that serves it (default the namespace's)."""
    customization: NotRequired[CustomizationArgs]
    """Changes to the objects that istiod makes for it (default none)."""


class WaypointArgs(WaypointOptions):
    """What a `Waypoint` is made of."""

    name: pulumi.Input[str]
    """Name of the Gateway; istiod names Deployment, Service and ServiceAccount after it."""
    namespace: pulumi.Input[str]
    """Namespace of the waypoint."""
    bind: NotRequired[bool]
    """Whether the services of its namespace use it (default true); false for one that serves only
    namespaces with a `WaypointBinding`."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be programmed (default 300)."""


class WaypointReference(TypedDict):
    """A waypoint that is there already, or another part of the program makes."""

    name: pulumi.Input[str]
    """Name of the Gateway."""
    namespace: pulumi.Input[str]
    """Namespace of the Gateway."""
    address: NotRequired[pulumi.Input[str]]
    """Address at which it is reached inside the cluster."""
    conditions: NotRequired[pulumi.Input[Sequence[str]]]
    """`Type=Status (Reason)` of each of its conditions, as of the last update or refresh."""


class WaypointBindingArgs(TypedDict):
    """What a `WaypointBinding` is made of."""

    namespace: pulumi.Input[str]
    """Namespace whose services use the waypoint."""
    waypoint: WaypointReference
    """The waypoint; its `allowed_routes` have to admit the namespace."""
    ingress_use_waypoint: NotRequired[bool]
    """Whether ingress gateways reach every service of the namespace through it (default false:
    only those services that have the label themselves)."""


SCHEMA = (
    gateway_api_rules.SCHEMA
    | customization.SCHEMA
    | Schema(
        {
            WaypointOptions: {"gateway_class": valid.dns_label, "revision": valid.label_value},
            WaypointArgs: {
                "name": valid.waypoint_name,
                "namespace": valid.dns_label,
                "ready_timeout": valid.seconds,
            },
            WaypointReference: {"name": valid.waypoint_name, "namespace": valid.dns_label},
            WaypointBindingArgs: {"namespace": valid.dns_label},
        },
        {},
        {WaypointArgs: WaypointOptions},
    )
)
"""What is checked of a waypoint's and a binding's arguments."""


class Waypoint(pulumi.ComponentResource):
    """The waypoint Gateway, and the label that sends its namespace's services through it.

    The label follows the Gateway and goes before it: services are never bound to a waypoint that
    is not there, which would let their traffic pass without any layer 7 rule. Raises `InvalidInput`
    with every fault of `args`; one is the name `none`, by which Istio's labels mean no waypoint.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """

    name: pulumi.Output[str]
    """Name of the waypoint, known once the namespace is bound to it."""
    reference: WaypointReference
    """What a `WaypointBinding` or an `AmbientExposure` needs to use it too."""
    applied: pulumi.Output[dict[str, Any]]
    """The Gateway as given, known once the namespace is bound to it."""

    def __init__(
        self, name: str, args: WaypointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Waypoint {name!r}", args, WaypointArgs)
        super().__init__("ambient:index:Waypoint", name, {**args}, opts)
        inside = pulumi.ResourceOptions(parent=self)
        parameters = customize(f"{name}-waypoint", args, inside)
        labels: dict[str, pulumi.Input[str]] = {
            "istio.io/waypoint-for": args.get("waypoint_for", "service")
        }
        if "revision" in args:
            labels["istio.io/rev"] = args["revision"]
        gateway = Gateway(
            f"{name}-waypoint",
            {
                "name": args["name"],
                "namespace": args["namespace"],
                "labels": labels,
                "annotations": wait_for("condition=Accepted", "condition=Programmed"),
            },
            render_waypoint(args, parameters),
            pulumi.ResourceOptions(
                parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
            ),
        )
        ready = gateway.urn
        if args.get("bind", True):
            ready = _bind(name, args, {_USE: gateway.name}, inside)
        self.name = after(args["name"], ready)
        self.reference = {
            "name": self.name,
            "namespace": args["namespace"],
            "address": gateway.status.apply(lambda status: str(status["addresses"][0]["value"])),
            "conditions": gateway.status.apply(conditions),
        }
        self.applied = after(gateway.applied, ready)
        self.register_outputs({"name": self.name})


class WaypointBinding(pulumi.ComponentResource):
    """The labels that send the services of a namespace through a waypoint that is made elsewhere.

    https://istio.io/latest/docs/ambient/usage/waypoint/#useawaypoint
    """

    name: pulumi.Output[str]
    """Name of the waypoint, known once the namespace is bound to it."""
    applied: pulumi.Output[dict[str, Any]]
    """The labels as given, known once the namespace is bound to it."""

    def __init__(
        self, name: str, args: WaypointBindingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"WaypointBinding {name!r}", args, WaypointBindingArgs)
        super().__init__("ambient:index:WaypointBinding", name, {**args}, opts)
        waypoint = args["waypoint"]
        labels = {_USE: waypoint["name"], f"{_USE}-namespace": waypoint["namespace"]}
        bound = _bind(name, args, labels, pulumi.ResourceOptions(parent=self))
        self.name = after(waypoint["name"], bound)
        self.applied = after(labels, bound)
        self.register_outputs({"name": self.name})


def render_waypoint(args: WaypointArgs, parameters: pulumi.Input[str] | None = None) -> GatewaySpec:
    """The spec of the Gateway; `parameters` names the ConfigMap of its customization."""
    listener: Listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    if "allowed_routes" in args:
        listener["allowedRoutes"] = args["allowed_routes"]
    return {
        "gatewayClassName": args.get("gateway_class", "istio-waypoint"),
        "infrastructure": infrastructure("Waypoint proxy", parameters),
        "listeners": [listener],
    }


def _bind(
    name: str,
    args: WaypointArgs | WaypointBindingArgs,
    labels: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Label the namespace; the result is known once it is labelled."""
    ingress = {INGRESS_USE_WAYPOINT: "true"} if args.get("ingress_use_waypoint") else {}
    return kubernetes.core.v1.NamespacePatch(
        f"{name}-binding",
        metadata={"name": args["namespace"], "labels": {**labels, **ingress}},
        opts=opts,
    ).urn
