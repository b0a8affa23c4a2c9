"""The waypoint proxy of one namespace, or of several, and what is bound to it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api import gateway_rules
from ..api.gateway import (
    Gateway,
    ObjectMeta,
    conditions,
    infrastructure,
    timeouts,
    wait_for,
)
from ..api.gateway_types import AllowedRoutes, GatewaySpec, Listener
from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT
from ..api.outputs import after, unknown
from ..api.trace import trace, traced
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema, trusted
from . import customization
from . import namespace as namespaces
from . import rate_limit as limits
from . import telemetry as telemetries
from .customization import CustomizationArgs, customize
from .former import own_component
from .namespace import NamespaceOptions, NamespaceReference, namespace_of
from .rate_limit import RateLimitArgs, rate_limit
from .telemetry import TelemetryOptions, check_modes, tell

WaypointFor = Literal["service", "workload", "all", "none"]
"""Requests that pass a waypoint: those to a Service, those to a pod, both or none."""


class WaypointReference(TypedDict):
    """A waypoint that another part of the program makes, or that is in the cluster already.

    Of the latter `name` and `namespace` are enough: all else is read from the cluster.
    """

    entry: NotRequired[str]
    """Entry of `waypoints`, in a stack's configuration only."""
    name: NotRequired[pulumi.Input[str]]
    """Name of the Gateway."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the Gateway."""
    address: NotRequired[pulumi.Input[str]]
    """Address at which it is reached inside the cluster; empty as long as it has none."""
    conditions: NotRequired[pulumi.Input[Sequence[str]]]
    """`Type=Status (Reason)` of each of its conditions, as of the last update or refresh."""
    definition: NotRequired[pulumi.Input[Any]]
    """What it is made of; a verification is repeated when it changes (default nothing)."""


class BindingOptions(TypedDict):
    """What of a namespace goes through a waypoint."""

    ingress_use_waypoint: NotRequired[bool]
    """Whether ingress gateways reach every service of the namespace through it (default false:
    only those services that have the label themselves)."""


class WaypointOptions(TypedDict):
    """What passes a waypoint, and how istiod runs it."""

    name: NotRequired[pulumi.Input[str]]
    """Name of the Gateway; istiod names Deployment, Service and ServiceAccount after it (default
    that of the component; of an exposure the Service's with `-waypoint`)."""
    waypoint_for: NotRequired[WaypointFor]
    """Requests that pass it (default `service`)."""
    allowed_routes: NotRequired[AllowedRoutes]
    """Namespaces that may use it (default its own), in the Gateway API's own form."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """GatewayClass (default `istio-waypoint`)."""
    revision: NotRequired[pulumi.Input[str]]
    """Revision or tag of the control plane that serves it (default the namespace's)."""
    rate_limit: NotRequired[RateLimitArgs]
    """How many requests to each Service each of its pods answers (default all)."""
    customization: NotRequired[CustomizationArgs]
    """Changes to the objects that istiod makes for it (default none)."""
    telemetry: NotRequired[TelemetryOptions]
    """Access logs, traces and metrics of its proxy (default as the mesh has them), of requests to
    the services of its own namespace: Istio ignores it for those of others."""


class WaypointArgs(WaypointOptions):
    """What a `Waypoint` is made of."""

    namespace: NamespaceOptions
    """Namespace of the waypoint."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be programmed (default 300)."""


class WaypointBindingArgs(BindingOptions):
    """What a `WaypointBinding` is made of."""

    namespace: pulumi.Input[str]
    """Namespace whose services use the waypoint."""
    waypoint: WaypointReference
    """The waypoint; its `allowed_routes` have to admit the namespace."""


def _check_reference(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    if "entry" not in reference and not reference.keys() >= {"name", "namespace"}:
        faults.add(path, "expected entry, or name and namespace of the waypoint")


def _check_options(faults: Faults, path: str, options: Mapping[str, Any]) -> None:
    check_modes(faults, path, options, "CLIENT")


SCHEMA = (
    gateway_rules.SCHEMA
    | customization.SCHEMA
    | limits.SCHEMA
    | namespaces.SCHEMA
    | telemetries.SCHEMA
    | Schema(
        {
            WaypointOptions: {
                "name": valid.waypoint_name,
                "gateway_class": valid.dns_label,
                "revision": valid.label_value,
            },
            WaypointArgs: {"ready_timeout": valid.seconds},
            WaypointReference: {
                "entry": valid.some,
                "name": valid.waypoint_name,
                "namespace": valid.dns_label,
            },
            WaypointBindingArgs: {"namespace": valid.dns_label},
        },
        {WaypointReference: _check_reference, WaypointOptions: _check_options},
        {
            WaypointArgs: WaypointOptions,
            WaypointBindingArgs: BindingOptions,
        },
    )
)
"""What is checked of a waypoint's and a binding's arguments."""


class Waypoint(pulumi.ComponentResource):
    """The waypoint Gateway. Nothing passes it until a namespace or a Service is bound to it.

    What binds takes its `reference`, and so follows the Gateway and goes before it: what is bound
    to a waypoint that is not there passes without any layer 7 rule. Raises `InvalidInput` with
    every fault of `args`; one is the name `none`, by which Istio's labels mean no waypoint.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """

    name: pulumi.Output[str]
    """Name of the waypoint, known once it is ready."""
    reference: WaypointReference
    """What a `WaypointBinding`, a `Workload` or an `AmbientExposure` needs to use it."""

    def __init__(
        self, name: str, args: WaypointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = {"name": name, **args}
        SCHEMA.validate(f"Waypoint {name!r}", args, WaypointArgs)
        super().__init__("ambient:index:Waypoint", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        with trusted():
            namespace = namespace_of(name, args["namespace"], inside)
            identity: ObjectMeta = {"name": args["name"], "namespace": namespace["name"]}
            parameters = customize(
                f"{name}-waypoint",
                args.get("customization"),
                identity,
                inside,
            )
            told = tell(f"{name}-waypoint", args.get("telemetry"), identity, inside)
            gateway = self._gateway(name, args, namespace, parameters)
            self.name = gateway.name
            beside: list[Any] = [*told]
            if "rate_limit" in args:
                limited: ObjectMeta = {**identity, "name": gateway.name}
                limit = rate_limit(name, args["rate_limit"], limited, "waypoint", inside)
                self.name = after(self.name, limit.urn)
                beside.append(limit.definition)
        self.reference = {
            "name": self.name,
            "namespace": namespace["name"],
            "address": gateway.status.apply(address_of),
            "conditions": gateway.status.apply(conditions),
            "definition": [gateway.definition, *beside] if beside else gateway.definition,
        }
        self.register_outputs({"name": self.name})

    def _gateway(
        self,
        name: str,
        args: WaypointArgs,
        namespace: NamespaceReference,
        parameters: pulumi.Input[str] | None,
    ) -> Gateway:
        labels: dict[str, pulumi.Input[str]] = {
            "istio.io/waypoint-for": args.get("waypoint_for", "service")
        }
        if "revision" in args:
            labels["istio.io/rev"] = args["revision"]
        return Gateway(
            f"{name}-waypoint",
            {
                "name": args["name"],
                "namespace": namespace["name"],
                "labels": labels,
                "annotations": wait_for("condition=Accepted", "condition=Programmed"),
            },
            render_waypoint(args, parameters),
            pulumi.ResourceOptions(
                parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
            ),
        )


class WaypointBinding(kubernetes.core.v1.NamespacePatch):
    """The labels that send the services of a namespace through a waypoint.

    Raises `InvalidInput` with every fault of `args`.

    https://istio.io/latest/docs/ambient/usage/waypoint/#useawaypoint
    """

    waypoint: WaypointReference
    """The waypoint, its name known once the namespace is bound to it."""

    def __init__(
        self, name: str, args: WaypointBindingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"WaypointBinding {name!r}", args, WaypointBindingArgs)
        waypoint = args["waypoint"]
        labels = use_labels(waypoint, args["namespace"])
        if args.get("ingress_use_waypoint"):
            labels[INGRESS_USE_WAYPOINT] = "true"
        former = pulumi.ResourceOptions(aliases=[own_component("WaypointBinding", name, opts)])
        super().__init__(
            f"{name}-binding",
            metadata={"name": args["namespace"], "labels": labels},
            opts=traced(pulumi.ResourceOptions.merge(opts, former)),
        )
        self.waypoint = {
            **waypoint,
            "name": after(waypoint["name"], self.urn),
            "definition": [labels, trace(self), waypoint.get("definition")],
        }


def use_labels(
    waypoint: WaypointReference, namespace: pulumi.Input[str]
) -> dict[str, pulumi.Input[str]]:
    """The labels that bind a namespace, or a Service in it, to a waypoint."""
    labels: dict[str, pulumi.Input[str]] = {USE_WAYPOINT: waypoint["name"]}
    # Of an output it is not known whether it is the same; then the label says what goes unsaid.
    if waypoint.get("namespace", namespace) != namespace:
        labels[f"{USE_WAYPOINT}-namespace"] = waypoint["namespace"]
    return labels


def render_waypoint(
    args: WaypointOptions, parameters: pulumi.Input[str] | None = None
) -> GatewaySpec:
    """The spec of the Gateway; `parameters` names the ConfigMap of its customization."""
    listener: Listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    if "allowed_routes" in args:
        listener["allowedRoutes"] = args["allowed_routes"]
    return {
        "gatewayClassName": args.get("gateway_class", "istio-waypoint"),
        "infrastructure": infrastructure("Waypoint proxy", parameters),
        "listeners": [listener],
    }


def address_of(status: Mapping[str, Any] | None) -> pulumi.Input[str]:
    """The address in the `status` of a waypoint; empty, in a preview unknown, where it has none."""
    addresses = (status or {}).get("addresses") or []
    if not addresses and pulumi.runtime.is_dry_run():
        return unknown()
    return str(addresses[0]["value"]) if addresses else ""
