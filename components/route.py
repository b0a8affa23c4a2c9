"""The routes of an exposed service."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from components.gateway_api import HTTPRoute, timeouts, wait_for
from components.gateway_api_types import HTTPRouteSpec


class RuleArgs(TypedDict):
    """Requests that the waypoint lets through to the service."""

    paths: Sequence[pulumi.Input[str]]
    """Path prefixes, matched by whole elements: `/status` matches `/status/200`, not `/statusx`."""


class IngressRouteArgs(TypedDict):
    """What an `IngressRoute` is made of."""

    name: pulumi.Input[str]
    """Name of the HTTPRoute."""
    namespace: pulumi.Input[str]
    """Namespace of the route and of the service."""
    gateway: pulumi.Input[str]
    """Name of the ingress Gateway."""
    gateway_namespace: pulumi.Input[str]
    """Namespace of the ingress Gateway."""
    hostnames: Sequence[pulumi.Input[str]]
    """Host names of the requests."""
    service: pulumi.Input[str]
    """Name of the Service that the requests go to."""
    port: pulumi.Input[int]
    """Port of the Service."""
    ready_timeout: NotRequired[int]
    """Seconds that the gateway may take to accept it (default 300)."""


class WaypointRouteArgs(TypedDict):
    """What a `WaypointRoute` is made of."""

    name: pulumi.Input[str]
    """Name of the HTTPRoute."""
    namespace: pulumi.Input[str]
    """Namespace of the route and of the service."""
    service: pulumi.Input[str]
    """Name of the Service whose requests are routed."""
    port: pulumi.Input[int]
    """Port of the Service."""
    rules: Sequence[RuleArgs]
    """What is let through; all else is answered with 404."""
    ready_timeout: NotRequired[int]
    """Seconds that the waypoint may take to accept it (default 300)."""


class IngressRoute(pulumi.ComponentResource):
    """The route by which the ingress gateway sends requests for some host names to a service.

    https://gateway-api.sigs.k8s.io/guides/http-routing/
    """

    name: pulumi.Output[str]
    """Name of the HTTPRoute, known once it is accepted."""
    applied: pulumi.Output[dict[str, Any]]
    """The HTTPRoute as given, known once it is accepted."""

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
    """Name of the HTTPRoute, known once it is accepted."""
    applied: pulumi.Output[dict[str, Any]]
    """The HTTPRoute as given, known once it is accepted."""

    def __init__(
        self, name: str, args: WaypointRouteArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:WaypointRoute", name, {**args}, opts)
        route = _route(self, name, args, render_waypoint_route(args))
        self.name, self.applied = route.name, route.applied
        self.register_outputs({"name": self.name})


def render_ingress_route(args: IngressRouteArgs) -> HTTPRouteSpec:
    """The spec of the HTTPRoute attached to the ingress Gateway."""
    return {
        "parentRefs": [{"name": args["gateway"], "namespace": args["gateway_namespace"]}],
        "hostnames": list(args["hostnames"]),
        "rules": [{"backendRefs": [{"name": args["service"], "port": args["port"]}]}],
    }


def render_waypoint_route(args: WaypointRouteArgs) -> HTTPRouteSpec:
    """The spec of the HTTPRoute attached to the Service."""
    return {
        "parentRefs": [
            {
                "group": "",
                "kind": "Service",
                "name": args["service"],
                "namespace": args["namespace"],
            }
        ],
        "rules": [
            {
                "matches": [
                    {"path": {"type": "PathPrefix", "value": path}} for path in rule["paths"]
                ],
                "backendRefs": [{"name": args["service"], "port": args["port"]}],
            }
            for rule in args["rules"]
        ],
    }


def _route(
    parent: pulumi.ComponentResource,
    name: str,
    args: IngressRouteArgs | WaypointRouteArgs,
    spec: HTTPRouteSpec,
) -> HTTPRoute:
    return HTTPRoute(
        f"{name}-route",
        {
            "name": args["name"],
            "namespace": args["namespace"],
            "annotations": wait_for(*(_parent_condition(c) for c in ("Accepted", "ResolvedRefs"))),
        },
        spec,
        pulumi.ResourceOptions(
            parent=parent, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        ),
    )


def _parent_condition(condition: str) -> str:
    return (
        "jsonpath={.status.parents[?@.controllerName=='istio.io/gateway-controller']"
        f".conditions[?@.type=='{condition}'].status}}=True"
    )
