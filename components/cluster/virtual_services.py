"""What routes the same requests in Istio's own API.

VirtualServices and the Gateway API must not be mixed, DestinationRules change what its routes do.
https://istio.io/latest/docs/ambient/usage/l7-features/
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

import lightkube
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource

from .ownership import OWNER, owner
from .reading import warn

_GROUP = "networking.istio.io"
_VirtualService = create_namespaced_resource(_GROUP, "v1", "VirtualService", "virtualservices")
_DestinationRule = create_namespaced_resource(_GROUP, "v1", "DestinationRule", "destinationrules")


class RouteExpectation(TypedDict):
    """A Service whose requests the stack's routes decide about."""

    namespace: str
    """Namespace of the Service."""
    service: str
    """Name of the Service."""
    hostnames: Sequence[str]
    """Host names under which a gateway serves it."""
    waypoint_namespace: NotRequired[str]
    """Namespace of its waypoint (default that of the Service)."""
    traffic_policy: NotRequired[bool]
    """Whether the stack has DestinationRules for it (default false)."""


def mixed(
    client: lightkube.Client, routes: Sequence[RouteExpectation]
) -> Iterator[tuple[str, str]]:
    """VirtualServices whose routes a waypoint would take beside those of the stack, and
    DestinationRules beside its own.

    What else is for the same requests is warned about.
    """
    if not routes:
        return
    for one in _listed(client, _VirtualService):
        hosts = one["spec"].get("hosts") or []
        found = [(route, host) for route in routes for host in hosts if _is_for(host, one, route)]
        taken = [
            f"{route['namespace']}/{route['service']}" for route, _ in found if _taken(one, route)
        ]
        if taken:
            yield (
                f"VirtualService {_name(one)}",
                f"is for Service {taken[0]}, too: its waypoint would let through what this matches"
                " beside what the `rules` do. Delete it, once its routes are among them",
            )
        elif found:
            warn(
                f"VirtualService {_name(one)} is for {found[0][1]}, too: other gateways and proxies"
                " go by it, past the routes of this stack. VirtualServices and the Gateway API are"
                " not to be mixed"
            )
    for one in _listed(client, _DestinationRule):
        spec = one["spec"]
        host = spec.get("host", "")
        treated = [
            route for route in routes if _is_service(host, one, route) and _exported(one, route)
        ]
        ours = [route for route in treated if route.get("traffic_policy")]
        # A waypoint goes by no rule with a selector, and by the stack's before one with a wildcard.
        if ours and "workloadSelector" not in spec and not host.startswith("*"):
            yield (
                f"DestinationRule {_name(one)}",
                f"is for Service {ours[0]['namespace']}/{ours[0]['service']}, too: of two the"
                " waypoint goes by one. Delete it, once what it says is in `traffic_policy`",
            )
        elif treated:
            warn(
                f"DestinationRule {_name(one)} is for {host}, too: gateway and waypoint treat the"
                " requests of this stack's routes as it says"
            )


def _listed(client: lightkube.Client, kind: Any) -> list[dict[str, Any]]:
    """All objects of a kind but those of the stack."""
    try:
        found = [one.to_dict() for one in client.list(kind, namespace="*")]
    except ApiError as error:
        if error.status.code != HTTPStatus.NOT_FOUND:
            raise
        return []  # an Istio before 1.22, or one without its own API
    return [
        one
        for one in found
        if (one["metadata"].get("annotations") or {}).get(OWNER) != owner() and one.get("spec")
    ]


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['metadata']['namespace']}/{one['metadata']['name']}"


def _is_for(host: str, one: Mapping[str, Any], route: RouteExpectation) -> bool:
    """Whether a host of an object is one that a route serves, and proxies of it get the object."""
    served = any(_overlap(host, hostname) for hostname in route["hostnames"])
    return (served or _is_service(host, one, route)) and _exported(one, route)


def _is_service(host: str, one: Mapping[str, Any], route: RouteExpectation) -> bool:
    """Whether a host is the Service of a route: by its short name, a longer one or a wildcard."""
    service, namespace = route["service"], route["namespace"]
    if host == service:
        return bool(one["metadata"]["namespace"] == namespace)
    qualified = f"{service}.{namespace}"
    return (
        host in (qualified, f"{qualified}.svc")
        or host.startswith(f"{qualified}.svc.")
        or (host.startswith("*") and _overlap(host, f"{qualified}.svc.cluster.local"))
    )


def _overlap(one: str, other: str) -> bool:
    """Whether a host name is for both, each of which may begin with a wildcard."""
    if one.startswith("*") and other.endswith(one[1:]):
        return True
    return one == other or (other.startswith("*") and one.endswith(other[1:]))


def _exported(one: Mapping[str, Any], route: RouteExpectation) -> bool:
    """Whether proxies of the route's namespaces get it."""
    own = one["metadata"]["namespace"]
    spaces = {own if to == "." else to for to in one["spec"].get("exportTo") or ["*"]}
    return bool(spaces & {"*", *_namespaces(route)})


def _taken(one: Mapping[str, Any], route: RouteExpectation) -> bool:
    """Whether the waypoint of a route takes the routes of a VirtualService too."""
    spec = one["spec"]
    return (
        bool(spec.get("http"))
        and "mesh" in (spec.get("gateways") or ["mesh"])
        and one["metadata"]["namespace"] in _namespaces(route)
        and any(_is_service(host, one, route) for host in spec["hosts"])
    )


def _namespaces(route: RouteExpectation) -> set[str]:
    return {route["namespace"], route.get("waypoint_namespace", route["namespace"])}
