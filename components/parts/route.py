"""The routes of an exposed service."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from ..api import gateway_rules as gateway_api_rules
from ..api.gateway import GRPCRoute, HTTPRoute, ObjectMeta, timeouts, wait_for_parents
from ..api.gateway_types import (
    GRPCRouteRule,
    HTTPBackendRef,
    HTTPRouteMatch,
    HTTPRouteRule,
    ParentReference,
)
from ..checks import values as valid
from ..checks.schema import Schema


class RuleArgs(HTTPRouteRule):
    """A rule of an HTTPRoute in the Gateway API's own form; what is left out is filled in.

    Without `paths` and `matches` it takes every request; without `backendRefs`, unless it
    redirects, it sends them to the service.
    """

    paths: NotRequired[Sequence[pulumi.Input[str]]]
    """Path prefixes, short for `matches` of them: `/status` matches `/status/200`, not
    `/statusx`."""


SCHEMA = gateway_api_rules.SCHEMA | Schema(
    {RuleArgs: {"paths": valid.some, "paths[]": valid.path_prefix}},
    {},
    {RuleArgs: HTTPRouteRule},
)
"""What is checked of rules; the rendered route is checked as a whole."""


class RoutingArgs(TypedDict):
    """What is done with requests, in one of two forms."""

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


class IngressRouteArgs(RoutingArgs, Attachment):
    """What an `IngressRoute` is made of; without rules it sends all requests to the service."""

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
    ready_timeout: NotRequired[int]
    """Seconds that the gateway may take to accept it (default 300)."""


class WaypointRouteArgs(RoutingArgs):
    """What a `WaypointRoute` is made of; what its rules do not match is answered with 404, in gRPC
    with `UNIMPLEMENTED`.
    """

    name: pulumi.Input[str]
    """Name of the route."""
    namespace: pulumi.Input[str]
    """Namespace of the route and of the service."""
    service: pulumi.Input[str]
    """Name of the Service whose requests are routed."""
    port: pulumi.Input[int]
    """Port of the Service."""
    backends: NotRequired[Sequence[HTTPBackendRef]]
    """Services that the requests are shared between (default the Service itself)."""
    ready_timeout: NotRequired[int]
    """Seconds that the waypoint may take to accept it (default 300)."""


class IngressRoute(pulumi.ComponentResource):
    """The route by which the ingress gateway sends requests for some host names to a service.

    https://gateway-api.sigs.k8s.io/guides/http-routing/
    """

    name: pulumi.Output[str]
    """Name of the route, known once it is accepted."""
    applied: pulumi.Output[dict[str, Any]]
    """The route as given, known once it is accepted."""

    def __init__(
        self, name: str, args: IngressRouteArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:IngressRoute", name, {**args}, opts)
        route = _route(self, name, args, render_ingress_route(args))
        self.name, self.applied = route.name, route.applied
        self.register_outputs({"name": self.name})


class WaypointRoute(pulumi.ComponentResource):
    """The route by which the waypoint decides which requests reach a service.

    https://gateway-api.sigs.k8s.io/mesh/
    """

    name: pulumi.Output[str]
    """Name of the route, known once it is accepted."""
    applied: pulumi.Output[dict[str, Any]]
    """The route as given, known once it is accepted."""

    def __init__(
        self, name: str, args: WaypointRouteArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:WaypointRoute", name, {**args}, opts)
        route = _route(self, name, args, render_waypoint_route(args))
        self.name, self.applied = route.name, route.applied
        self.register_outputs({"name": self.name})


def render_ingress_route(args: IngressRouteArgs) -> dict[str, Any]:
    """The spec of the route attached to the ingress Gateway."""
    parent: ParentReference = {"name": args["gateway"], "namespace": args["gateway_namespace"]}
    if "listener_port" in args:
        parent["port"] = args["listener_port"]
    backends: list[HTTPBackendRef] = [{"name": args["service"], "port": args["port"]}]
    return {
        "parentRefs": [parent],
        "hostnames": list(args["hostnames"]),
        "rules": _rules(args, backends) or [{"backendRefs": backends}],
    }


def render_waypoint_route(args: WaypointRouteArgs) -> dict[str, Any]:
    """The spec of the route attached to the Service."""
    itself: HTTPBackendRef = {"name": args["service"], "port": args["port"]}
    return {
        "parentRefs": [
            {
                "group": "",
                "kind": "Service",
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
    if "backendRefs" in rule or any("requestRedirect" in one for one in filters):
        return {}
    return {"backendRefs": backends}


def _route(
    parent: pulumi.ComponentResource,
    name: str,
    args: IngressRouteArgs | WaypointRouteArgs,
    spec: Any,
) -> HTTPRoute | GRPCRoute:
    kind = GRPCRoute if "grpc_rules" in args else HTTPRoute
    metadata: ObjectMeta = {
        "name": args["name"],
        "namespace": args["namespace"],
        "annotations": wait_for_parents(),
    }
    opts = pulumi.ResourceOptions(
        parent=parent, custom_timeouts=timeouts(args.get("ready_timeout", 300))
    )
    return kind(f"{name}-route", metadata, spec, opts)
