"""What a stack needs of its cluster, as the preflight looks for it."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..api.gateway import GROUP
from ..api.istio import NETWORKING
from ..cluster.certificates import IssuerExpectation
from ..cluster.gateways import ExistingExpectation, GatewayExpectation
from ..cluster.namespaces import BindingExpectation, NamespaceExpectation
from ..cluster.preflight import EntryExpectation, PreflightArgs
from ..cluster.virtual_services import RouteExpectation
from ..exposure import names
from ..exposure.arguments import (
    AmbientExposureArgs,
    binds,
    called_by,
    connections,
    inward,
    route_kind,
)
from ..parts.gateway_args import GatewayReference
from ..parts.namespace import NamespaceArgs, render_labels
from ..parts.telemetry import providers
from .arguments import StackArgs
from .places import clients, entries, namespace_name, namespaces, proxies, shared
from .releases import releases


def needs(args: StackArgs) -> PreflightArgs:
    """What the preflight looks for."""
    places = {
        str(namespace["name"]): _expected(args, namespace)
        for namespace in namespaces(args).values()
    }
    for _, entry in (*entries(args), *clients(args)):
        name = namespace_name(args, entry["namespace"])
        foreign: NamespaceExpectation = {
            "name": name,
            "create": False,
            "labels": {},
            "enrol": False,
        }
        own = cast("NamespaceArgs", entry["namespace"])
        places.setdefault(name, foreign if "existing" in own else _expected(args, own))
    gateways = list(proxies(args))
    exposures = args["exposures"].values()
    named = set[str]().union(*(providers(one.options.get("telemetry", {})) for one in gateways))
    return {
        "namespaces": list(places.values()),
        "gateway_classes": list(dict.fromkeys(gateway.class_ for gateway in gateways)),
        "providers": sorted(named),
        "issuers": [
            cast("IssuerExpectation", {**issuer, "namespace": one.namespace})
            for one in gateways
            if (issuer := one.options.get("tls", {}).get("issuer_ref"))
        ],
        "ztunnel": any(one.get("require_waypoint", False) or inward(one) for one in exposures),
        "services": [
            {
                "namespace": namespace_name(args, exposure["namespace"]),
                "name": exposure["service"]["name"],
                "port": exposure["service"]["port"],
            }
            for exposure in exposures
            if not exposure["service"].get("create", True)
        ],
        "entries": list(_recognized(args)),
        "proxies": [
            {
                "namespace": gateway.namespace,
                "name": gateway.name,
                "generated": gateway.generated,
            }
            for gateway in gateways
            if not places[gateway.namespace]["create"]
        ],
        "routes": [_route(args, exposure) for exposure in exposures],
        "authorizers": sorted(_authorizers(args)),
        "rate_limits": any("rate_limit" in one for one in _options(args)),
        "bindings": [
            _binding(args, exposure)
            for exposure in exposures
            if "external" not in exposure["service"] or binds(exposure) == "Namespace"
        ],
        "releases": releases(args),
        "definitions": list(dict.fromkeys(_definitions(args))),
        "gateways": [
            _routed(places, args, exposure, gateway)
            for exposure in exposures
            if (gateway := _foreign(exposure, "gateway")) and not inward(exposure)
        ],
        "waypoints": [
            _attached(places, args, exposure, waypoint)
            for exposure in exposures
            if (waypoint := _foreign(exposure, "waypoint"))
        ],
    }


def _authorizers(args: StackArgs) -> set[str]:
    """External authorization providers that policies name."""
    return {
        policy["provider"]["name"]
        for one in _options(args)
        for policy in one.get("policies", ())
        if "provider" in policy
    }


def _options(args: StackArgs) -> Iterator[Mapping[str, Any]]:
    """The options of all entries, and of the proxies in them."""
    for _, entry in entries(args):
        parts: Mapping[str, Any] = entry
        yield from (parts, parts.get("gateway", {}), parts.get("waypoint", {}))


def _definitions(args: StackArgs) -> Iterator[str]:
    """The CustomResourceDefinitions of what not every stack makes."""
    if any("allowed_listeners" in gateway for gateway in args.get("gateways", {}).values()):
        yield f"listenersets.{GROUP}"
    for exposure in args["exposures"].values():
        if protocol := connections(exposure):
            yield f"{protocol.lower()}routes.{GROUP}"
        if "tls" in exposure["service"]:
            yield f"backendtlspolicies.{GROUP}"
        if "listener_set" in exposure.get("gateway", {}) and not inward(exposure):
            yield f"listenersets.{GROUP}"
        if "external" in exposure["service"]:
            yield f"serviceentries.{NETWORKING}"


def _binding(args: StackArgs, exposure: AmbientExposureArgs) -> BindingExpectation:
    place = namespace_name(args, exposure["namespace"])
    service, options = exposure["service"], exposure.get("waypoint", {})
    waypoint: Mapping[str, Any] = {"name": names.waypoint(service["name"], options)}
    holder = place
    if entry := shared(options):
        waypoint = args["waypoints"][entry]
        holder = namespace_name(args, waypoint["namespace"])
    elif "existing" in options:
        waypoint = options["existing"]
        holder = str(waypoint["namespace"])
    return {
        "namespace": place,
        "service": service["name"],
        "create": service.get("create", True),
        "waypoint": f"{holder}/{waypoint['name']}",
        "binds": binds(exposure),
    }


def _recognized(args: StackArgs) -> Iterator[EntryExpectation]:
    """The objects by which a renamed entry is recognized, one of each."""
    made = [
        ("kubernetes:core/v1:Namespace", key, "", str(own["name"]), "-namespace")
        for key, own in args.get("namespaces", {}).items()
        if own.get("create", True)
    ]
    for path, entry in entries(args):
        group, _, key = path.partition(".")
        options: Any = entry
        place = namespace_name(args, entry["namespace"])
        if group == "exposures":
            kind, service = route_kind(options), options["service"]["name"]
            name, suffix = f"{service}-ingress", "-ingress-route"
            if inward(options):
                name, suffix = f"{service}-waypoint-route", "-waypoint-route"
        else:
            kind, name, suffix = "Gateway", str(options["name"]), f"-{group.removesuffix('s')}"
        made.append((f"kubernetes:{GROUP}/v1:{kind}", key, place, name, suffix))
    renamed = args.get("renamed", {})
    for type_, key, place, name, suffix in made:
        expected: EntryExpectation = {"type": type_, "name": name, "entry": key, "suffix": suffix}
        if place:
            expected["namespace"] = place
        if key in renamed:
            expected["former"] = renamed[key]
        yield expected


def _expected(args: StackArgs, namespace: NamespaceArgs) -> NamespaceExpectation:
    """A namespace of the stack, and the labels that it gets."""
    create = namespace.get("create", True)
    labels: Any = render_labels(namespace)
    common = args.get("labels", {}) if create else {}
    return {
        "name": str(namespace["name"]),
        "create": create,
        "labels": {**common, **labels},
        "enrol": create or "ambient" in namespace,
    }


def _route(args: StackArgs, exposure: AmbientExposureArgs) -> RouteExpectation:
    route: RouteExpectation = {
        "namespace": namespace_name(args, exposure["namespace"]),
        "service": exposure["service"]["name"],
        "hostnames": called_by(exposure),
    }
    if "traffic_policy" in exposure:
        route["traffic_policy"] = True
    waypoint: Any = exposure.get("waypoint", {}).get("existing", {})
    if entry := waypoint.get("entry"):
        route["waypoint_namespace"] = namespace_name(args, args["waypoints"][entry]["namespace"])
    elif waypoint:
        route["waypoint_namespace"] = waypoint["namespace"]
    return route


def _foreign(exposure: AmbientExposureArgs, part: str) -> Any:
    """The gateway or waypoint of an exposure, if the stack does not make it."""
    parts: Mapping[str, Any] = exposure
    options = parts.get(part, {})
    return None if shared(options) else options.get("existing")


_Places = Mapping[str, NamespaceExpectation]


def _routed(
    places: _Places, args: StackArgs, exposure: AmbientExposureArgs, gateway: GatewayReference
) -> GatewayExpectation:
    port = {key: value for key, value in gateway.items() if key == "listener_port"}
    attached = _attached(places, args, exposure, gateway)
    protocol = connections(exposure)
    more: dict[str, Any] = {"protocols": [protocol]} if protocol else {}
    if "listener_set" in exposure["gateway"]:
        more["listener_set"] = True
    hostnames = exposure.get("hostnames", ())
    return cast("GatewayExpectation", {**attached, "hostnames": hostnames, **port, **more})


def _attached(
    places: _Places,
    args: StackArgs,
    exposure: AmbientExposureArgs,
    existing: Mapping[str, Any],
) -> ExistingExpectation:
    place = namespace_name(args, exposure["namespace"])
    return {
        "namespace": existing["namespace"],
        "name": existing["name"],
        "attached": place,
        "labels": places[place].get("labels", {}),
    }
