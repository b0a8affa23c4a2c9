"""What somebody has made by hand to expose services, as the configuration of a stack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import lightkube
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Namespace, Service

from ..api.gateway import GROUP
from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT
from ..cluster.objects import GATEWAY
from ..cluster.ownership import OWNER
from ..exposure import names

_HTTP_ROUTE: Any = create_namespaced_resource(GROUP, "v1", "HTTPRoute", "httproutes")
_SERVICE_TYPE = "networking.istio.io/service-type"
_DATAPLANE = "istio.io/dataplane-mode"
_FOR = "istio.io/waypoint-for"

_DEFAULTS: Mapping[str, Any] = {
    "group": "",
    "kind": "Service",
    "weight": 1,
    "type": "Exact",
}
"""What the API server adds to a backend, and to a condition on a header or parameter."""

Objects = Mapping[str, Sequence[Mapping[str, Any]]]
"""Namespaces, Services, Gateways and HTTPRoutes by their kind."""


def read(client: lightkube.Client, namespace: str | None) -> dict[str, list[dict[str, Any]]]:
    """The objects of a cluster, or of one namespace, that no stack has made."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind, class_ in (("Service", Service), ("Gateway", GATEWAY), ("HTTPRoute", _HTTP_ROUTE)):
        listed = [one.to_dict() for one in client.list(class_, namespace=namespace or "*")]
        found[kind] = [
            one for one in listed if OWNER not in (one["metadata"].get("annotations") or {})
        ]
    found["Namespace"] = [one.to_dict() for one in client.list(Namespace)]
    return found


def configuration(objects: Objects) -> tuple[dict[str, Any], list[str]]:
    """The exposures that hand-made objects are, and a line for each that cannot be one.

    An exposure is a Service with a route at a gateway and one at its waypoint, of the names that a
    stack gives them: other names would be made anew, beside what there is.
    """
    spaces = {one["metadata"]["name"]: _labels(one) for one in objects["Namespace"]}
    services = {_place(one): one for one in objects["Service"]}
    gateways = {_place(one): one for one in objects["Gateway"]}
    routes = {_place(one): one for one in objects["HTTPRoute"]}
    exposures: dict[str, Any] = {}
    lines: list[str] = []
    for (namespace, name), route in routes.items():
        parent = _parent(route, "Service")
        if parent is None:
            continue
        service = services.get((namespace, parent["name"]))
        own = f"HTTPRoute {namespace}/{name}"
        if name != f"{parent['name']}-waypoint-route" or service is None:
            lines.append(
                f"{own}: is for Service {parent['name']}, expected one of its namespace, and the"
                f" name {parent['name']}-waypoint-route. Make it anew under this name"
            )
            continue
        ingress = routes.get((namespace, f"{parent['name']}-ingress"))
        attached = _parent(ingress, "Gateway") if ingress else None
        if ingress is None or attached is None or not ingress["spec"].get("hostnames"):
            lines.append(
                f"{own}: found no route of a gateway beside it, expected HTTPRoute"
                f" {namespace}/{parent['name']}-ingress with host names. Make it anew under this"
                " name"
            )
            continue
        at = (attached.get("namespace", namespace), attached["name"])
        exposure: dict[str, Any] = {
            "namespace": _namespace(namespace, spaces.get(namespace, {})),
            **_routed(parent["name"], route, ingress),
            **_gateway(at, gateways.get(at), parent["name"], namespace),
        }
        bound = _waypoint(service, spaces.get(namespace, {}), gateways)
        if isinstance(bound, str):
            lines.append(f"Service {namespace}/{parent['name']}: {bound}")
            continue
        exposures[parent["name"]] = exposure | bound
    return {"exposures": exposures} if exposures else {}, lines


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "create": False, "ambient": labels.get(_DATAPLANE) == "ambient"}


def _routed(service: str, waypoint: Mapping[str, Any], ingress: Mapping[str, Any]) -> Any:
    """What both routes say."""
    inside = [*_rules(waypoint)]
    port = next(
        (one["port"] for rule in inside for one in rule.get("backendRefs", [])),
        next((one["port"] for one in _backends(waypoint)), 80),
    )
    own = {"name": service, "port": port}
    at_gateway = [_short(rule, own) for rule in _rules(ingress)]
    found: dict[str, Any] = {
        "service": {**own, "create": False},
        "hostnames": ingress["spec"]["hostnames"],
        "rules": [_short(rule, own) for rule in inside],
    }
    if at_gateway != [{"paths": ["/"]}]:
        found["ingressRules"] = at_gateway
    return found


def _rules(route: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rules of a route without what the API server adds."""
    for rule in route["spec"].get("rules") or []:
        whole = {key: _bare(value) for key, value in rule.items() if key != "matches"}
        matches = rule.get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}]
        yield {"matches": [{k: _conditions(v) for k, v in one.items()} for one in matches], **whole}


def _conditions(value: Any) -> Any:
    """Conditions without the type that they have by default; a path with its type."""
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _bare(value: Any) -> Any:
    """A value without what the API server adds."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    typed = "type" in value and "name" not in value  # a filter, or a path
    return {
        key: _bare(held)
        for key, held in value.items()
        if _DEFAULTS.get(key) != held or (key == "type" and typed)
    }


def _short(rule: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as an exposure has it."""
    short = {**rule}
    paths = [one["path"] for one in rule["matches"] if one.keys() == {"path"}]
    if len(paths) == len(rule["matches"]) and {one["type"] for one in paths} == {"PathPrefix"}:
        del short["matches"]
        short = {"paths": [one["value"] for one in paths], **short}
    if short.get("backendRefs") == [own]:
        del short["backendRefs"]
    return short


def _backends(route: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for rule in route["spec"].get("rules") or []:
        yield from rule.get("backendRefs") or []


def _gateway(
    at: tuple[str, str], found: Mapping[str, Any] | None, service: str, namespace: str
) -> dict[str, Any]:
    """The gateway of an exposure: its own, or that of somebody else."""
    if found is None or at[0] != namespace:
        return {"gateway": {"existing": {"namespace": at[0], "name": at[1]}}}
    annotations = found["metadata"].get("annotations") or {}
    listeners = found["spec"]["listeners"]
    plain = [one for one in listeners if one["protocol"] == "HTTP"]
    secure = [one for one in listeners if one["protocol"] == "HTTPS"]
    gateway: dict[str, Any] = {"serviceType": annotations.get(_SERVICE_TYPE, "LoadBalancer")}
    if at[1] != names.gateway(service, {}):
        gateway["name"] = at[1]
    if plain and plain[0]["port"] != 80:
        gateway["port"] = plain[0]["port"]
    if (allowed := listeners[0].get("allowedRoutes")) and allowed != _SAME:
        gateway["allowedRoutes"] = allowed
    if secure:
        certificates = {
            one["hostname"]: _secret(one["tls"]["certificateRefs"][0], namespace) for one in secure
        }
        gateway["tls"] = {"certificates": certificates, **({"redirect": False} if plain else {})}
        if secure[0]["port"] != 443:
            gateway["tls"]["port"] = secure[0]["port"]
    return {"gateway": gateway}


def _secret(reference: Mapping[str, str], namespace: str) -> str:
    """A Secret as `tls.certificates` name it."""
    elsewhere = reference.get("namespace", namespace) != namespace
    return f"{reference['namespace']}/{reference['name']}" if elsewhere else reference["name"]


_SAME = {"namespaces": {"from": "Same"}}


def _waypoint(
    service: Mapping[str, Any],
    space: Mapping[str, str],
    gateways: Mapping[tuple[str, str], Mapping[str, Any]],
) -> dict[str, Any] | str:
    """The waypoint of an exposure; why there is none."""
    labels = _labels(service)
    alone = USE_WAYPOINT in labels
    name = labels.get(USE_WAYPOINT, space.get(USE_WAYPOINT))
    passed = {**space, **labels}.get(INGRESS_USE_WAYPOINT)
    if not name or passed != "true":
        return (
            f"found no labels {USE_WAYPOINT} and {INGRESS_USE_WAYPOINT}, expected them at the"
            " Service or its namespace: requests pass by the waypoint. Set them, or use a new stack"
        )
    place: str = service["metadata"]["namespace"]
    holder = {**space, **labels}.get(f"{USE_WAYPOINT}-namespace") or place
    options: dict[str, Any] = {"binds": "Service" if alone else "Namespace"}
    found = gateways.get((holder, name))
    if found is None or holder != place:
        return {"waypoint": {**options, "existing": {"namespace": holder, "name": name}}}
    if name != names.waypoint(service["metadata"]["name"], {}):
        options["name"] = name
    if (passes := _labels(found).get(_FOR, "service")) != "service":
        options["waypointFor"] = passes
    if INGRESS_USE_WAYPOINT not in labels:
        options["ingressUseWaypoint"] = True
    return {"waypoint": options}


def _parent(route: Mapping[str, Any] | None, kind: str) -> Mapping[str, Any] | None:
    """The first parent of a kind."""
    parents = route["spec"].get("parentRefs") or [] if route else []
    return next((one for one in parents if one.get("kind", "Gateway") == kind), None)


def _place(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["metadata"]["namespace"], one["metadata"]["name"]


def _labels(one: Mapping[str, Any]) -> Mapping[str, str]:
    return one["metadata"].get("labels") or {}
