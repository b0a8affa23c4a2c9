"""The routes of an exposed service."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast

import pulumi

from ..api import gateway_rules
from ..api.gateway import (
    GROUP,
    GRPCRoute,
    HTTPRoute,
    ObjectMeta,
    timeouts,
    wait_for_parents,
)
from ..api.gateway_rules import check_grpc_rules, check_http_rules
from ..api.gateway_types import (
    GRPCRouteRule,
    HTTPBackendRef,
    HTTPRouteMatch,
    HTTPRouteRule,
    ParentReference,
)
from ..api.istio import SERVICE_GROUPS, ServiceKind
from ..api.trace import WEIGHTS
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema, at, trusted
from ..checks.values import known
from ..cluster.weights import CONTROLLER, require_reader
from . import dns
from .dns import DNSOptions, route_annotations
from .former import own_component


class RuleArgs(HTTPRouteRule):
    """A rule of an HTTPRoute in the Gateway API's own form; what is left out is filled in.

    Without `paths` and `matches` it takes every request; without `backendRefs`, unless it
    redirects, it sends them to the service.
    """

    paths: NotRequired[Sequence[pulumi.Input[str]]]
    """Path prefixes, short for `matches` of them: `/status` matches `/status/200`, not
    `/statusx`."""


WeightsOwner = Literal["stack", "controller"]
"""Who sets the weights of backends."""


class RoutingArgs(TypedDict):
    """What is done with requests, in one of two forms."""

    weights: NotRequired[WeightsOwner]
    """Who sets the weights of backends: a `controller`, as the cluster has them, or the `stack`,
    also where one has (default the stack, whose update fails where somebody else has)."""
    rules: NotRequired[Sequence[RuleArgs]]
    """Rules of an HTTPRoute."""
    grpc_rules: NotRequired[Sequence[GRPCRouteRule]]
    """Rules of a GRPCRoute, for a gRPC service."""


class Attachment(TypedDict):
    """The ingress Gateway that a route attaches to."""

    gateway: pulumi.Input[str]
    """Name of the Gateway."""
    gateway_namespace: pulumi.Input[str]
    """Namespace of the Gateway."""
    listener_port: NotRequired[pulumi.Input[int]]
    """Port of the listeners that it attaches to (default all listeners)."""
    listener_set: NotRequired[pulumi.Input[str]]
    """Name of the ListenerSet, in the namespace of the route, that it attaches to in place of the
    Gateway (default none)."""


class IngressRouteArgs(RoutingArgs, Attachment):
    """The route by which the ingress gateway sends requests to a service; without rules all."""

    name: pulumi.Input[str]
    """Name of the route."""
    namespace: pulumi.Input[str]
    """Namespace of the route and of the service."""
    hostnames: Sequence[pulumi.Input[str]]
    """Host names of the requests."""
    service: pulumi.Input[str]
    """Name of the Service that the requests go to."""
    port: pulumi.Input[int]
    """Port of the Service."""
    dns: NotRequired[DNSOptions]
    """How external-dns makes the records of the host names (default from the gateway alone)."""
    backends: NotRequired[Sequence[HTTPBackendRef]]
    """What the requests are shared between (default the Service)."""
    ready_timeout: NotRequired[int]
    """Seconds that the gateway may take to accept it (default 300)."""


class WaypointRouteArgs(RoutingArgs):
    """The route by which the waypoint decides which requests reach a service.

    What its rules do not match is answered with 404, in gRPC with `UNIMPLEMENTED`.
    """

    name: pulumi.Input[str]
    """Name of the route."""
    namespace: pulumi.Input[str]
    """Namespace of the route and of the service."""
    service: pulumi.Input[str]
    """Name of the Service whose requests are routed."""
    service_kind: NotRequired[ServiceKind]
    """`ServiceEntry` where that is one outside the mesh (default `Service`)."""
    port: pulumi.Input[int]
    """Port of the Service."""
    backends: NotRequired[Sequence[HTTPBackendRef]]
    """Services that the requests are shared between (default the Service itself)."""
    ready_timeout: NotRequired[int]
    """Seconds that the waypoint may take to accept it (default 300)."""


def _check_route(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    if {"rules", "grpc_rules"} <= args.keys():
        faults.add(at(path, "grpc_rules"), "found both rules and grpc_rules, expected one of them")
    check_rules(faults, path, args)


def check_rules(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Record what is wrong between the rules of a route, or of an exposure's routes."""
    for listed in ("rules", "ingress_rules"):
        if listed in args:
            check_http_rules(faults, at(path, listed), [_whole(rule) for rule in args[listed]])
    if "grpc_rules" in args:
        check_grpc_rules(faults, at(path, "grpc_rules"), args["grpc_rules"])


def _whole(rule: Any) -> Any:
    """A rule with every match written out, as far as it is known."""
    if not known(rule):
        return rule
    if known(rule.get("paths", [])) and known(rule.get("matches", [])):
        return render_rule(rule, ())
    return {**rule, "matches": valid.Unknown()}


_NAMES = {
    "name": valid.subdomain,
    "namespace": valid.dns_label,
    "service": valid.dns_label,
    "port": valid.port,
    "ready_timeout": valid.seconds,
}

_FORMS = gateway_rules.SCHEMA | dns.SCHEMA

SCHEMA = _FORMS | Schema(
    {
        RuleArgs: {"paths": valid.some, "paths[]": valid.path_prefix},
        IngressRouteArgs: {
            **_NAMES,
            "hostnames": valid.some,
            "hostnames[]": valid.hostname,
            "gateway": valid.subdomain,
            "gateway_namespace": valid.dns_label,
            "listener_port": valid.port,
            "listener_set": valid.subdomain,
            "rules": valid.some,
        },
        WaypointRouteArgs: {**_NAMES, "rules": valid.some},
    },
    {IngressRouteArgs: _check_route, WaypointRouteArgs: _check_route},
    {RuleArgs: HTTPRouteRule},
)
"""What is checked of routes' arguments."""


def ingress_route(
    name: str, args: IngressRouteArgs, opts: pulumi.ResourceOptions | None = None
) -> HTTPRoute | GRPCRoute:
    """Make the route `<name>-route` at the ingress gateway.

    Raises `InvalidInput` with every fault of `args`.

    https://gateway-api.sigs.k8s.io/guides/http-routing/
    """
    SCHEMA.validate(f"ingress route {name!r}", args, IngressRouteArgs)
    require_reader(f"ingress route {name!r}", args.get("weights"))
    return _route(name, "IngressRoute", args, render_ingress_route(args), opts)


def waypoint_route(
    name: str, args: WaypointRouteArgs, opts: pulumi.ResourceOptions | None = None
) -> HTTPRoute | GRPCRoute:
    """Make the route `<name>-route` at the waypoint.

    Raises `InvalidInput` with every fault of `args`.

    https://gateway-api.sigs.k8s.io/mesh/
    """
    SCHEMA.validate(f"waypoint route {name!r}", args, WaypointRouteArgs)
    require_reader(f"waypoint route {name!r}", args.get("weights"))
    return _route(name, "WaypointRoute", args, render_waypoint_route(args), opts)


def render_ingress_route(args: IngressRouteArgs) -> dict[str, Any]:
    """The spec of the route attached to the ingress Gateway."""
    itself: HTTPBackendRef = {"name": args["service"], "port": args["port"]}
    backends = args.get("backends") or [itself]
    return {
        "parentRefs": [parent(args)],
        "hostnames": list(args["hostnames"]),
        "rules": _rules(args, backends) or [{"backendRefs": backends}],
    }


def parent(args: Attachment) -> ParentReference:
    """The reference to the ingress Gateway, or to the ListenerSet."""
    if "listener_set" in args:
        return {"group": GROUP, "kind": "ListenerSet", "name": args["listener_set"]}
    reference: ParentReference = {"name": args["gateway"], "namespace": args["gateway_namespace"]}
    if "listener_port" in args:
        reference["port"] = args["listener_port"]
    return reference


def render_waypoint_route(args: WaypointRouteArgs) -> dict[str, Any]:
    """The spec of the route attached to the Service."""
    itself: HTTPBackendRef = {"name": args["service"], "port": args["port"]}
    kind = args.get("service_kind", "Service")
    return {
        "parentRefs": [
            {
                "group": SERVICE_GROUPS[kind],
                "kind": kind,
                "name": args["service"],
                "namespace": args["namespace"],
            }
        ],
        "rules": _rules(args, args.get("backends") or [itself]),
    }


def _rules(
    args: IngressRouteArgs | WaypointRouteArgs, backends: Sequence[HTTPBackendRef]
) -> list[Any]:
    if "grpc_rules" in args:
        return [{**rule, **_to(backends, rule)} for rule in args["grpc_rules"]]
    return [render_rule(rule, backends) for rule in args.get("rules", [])]


def render_rule(rule: RuleArgs, backends: Sequence[HTTPBackendRef]) -> HTTPRouteRule:
    """The rule with `paths` among its matches, and `backends` where it names none."""
    prefixes: list[HTTPRouteMatch] = [
        {"path": {"type": "PathPrefix", "value": path}} for path in rule.get("paths", [])
    ]
    matches = [*prefixes, *rule.get("matches", [])]
    own = {key: value for key, value in rule.items() if key not in ("paths", "matches")}
    return cast(
        "HTTPRouteRule",
        {**({"matches": matches} if matches else {}), **own, **_to(backends, rule)},
    )


def _to(backends: Sequence[HTTPBackendRef], rule: Mapping[str, Any]) -> dict[str, Any]:
    """Where the rule's requests go, if it does not say so itself."""
    filters: Sequence[Any] = rule.get("filters", [])
    if "backendRefs" in rule or any("requestRedirect" in filter_ for filter_ in filters):
        return {}
    return {"backendRefs": backends}


def _owned(weights: WeightsOwner | None) -> dict[str, str]:
    """The annotations of a route whose weights somebody else changes, or has changed."""
    if weights is None:
        return {}
    # Who changes a weight holds the whole list of rules from then on.
    force = {"pulumi.com/patchForce": "true"}
    return {**force, WEIGHTS: weights} if weights == CONTROLLER else force


def _route(
    name: str,
    former: str,
    args: IngressRouteArgs | WaypointRouteArgs,
    spec: Any,
    opts: pulumi.ResourceOptions | None,
) -> HTTPRoute | GRPCRoute:
    kind = GRPCRoute if "grpc_rules" in args else HTTPRoute
    options: Mapping[str, Any] = args
    metadata: ObjectMeta = {
        "name": args["name"],
        "namespace": args["namespace"],
        "annotations": {
            **route_annotations(options.get("dns", {})),
            **_owned(args.get("weights")),
            **wait_for_parents(),
        },
    }
    own = pulumi.ResourceOptions(
        custom_timeouts=timeouts(args.get("ready_timeout", 300)),
        aliases=[own_component(former, name, opts)],
    )
    with trusted():
        return kind(f"{name}-route", metadata, spec, pulumi.ResourceOptions.merge(opts, own))
