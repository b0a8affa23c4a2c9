"""What somebody has made by hand to expose services, as the configuration of a stack."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import lightkube
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Namespace, Service

from ..api.gateway import GROUP
from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT
from ..cluster.objects import GATEWAY
from ..cluster.ownership import OWNER

KINDS: Mapping[str, Any] = {
    "Service": Service,
    "Gateway": GATEWAY,
    "HTTPRoute": create_namespaced_resource(GROUP, "v1", "HTTPRoute", "httproutes"),
    "Namespace": Namespace,
}
"""The kinds of objects that are read."""

_SERVICE_TYPE = "networking.istio.io/service-type"
_DATAPLANE = "istio.io/dataplane-mode"
_FOR = "istio.io/waypoint-for"
_REVISION = "istio.io/rev"
_SAME = {"namespaces": {"from": "Same"}}

_DEFAULTS: Mapping[str, Any] = {
    "group": "",
    "kind": "Service",
    "weight": 1,
    "type": "Exact",
}
"""What the API server adds to a backend, and to a condition on a header or parameter."""

Objects = Mapping[str, Sequence[Mapping[str, Any]]]
"""Namespaces, Services, Gateways and HTTPRoutes by their kind."""

_Place = tuple[str, str]
"""Namespace and name of an object."""


def read(client: lightkube.Client, namespace: str | None) -> dict[str, list[dict[str, Any]]]:
    """The objects of a cluster, or of one namespace, that no stack has made."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind, class_ in KINDS.items():
        place: Any = {} if class_ is Namespace else {"namespace": namespace or "*"}
        listed = [one.to_dict() for one in client.list(class_, **place)]
        found[kind] = [one for one in listed if class_ is Namespace or not _owned(one)]
    return found


def _owned(one: Mapping[str, Any]) -> bool:
    return OWNER in (one["metadata"].get("annotations") or {})


def configuration(objects: Objects) -> tuple[dict[str, Any], list[str]]:
    """The configuration of what was made by hand, and a line for each that cannot be in one.

    An exposure is a Service with a route at a gateway and one at its waypoint, of the names that a
    stack gives them: other names would be made anew, beside what there is. Gateways and waypoints
    are entries that exposures share; those of other stacks are named as they are in the cluster.
    """
    return _Installation(objects).config()


class _Installation:
    def __init__(self, objects: Objects) -> None:
        self._spaces = {one["metadata"]["name"]: _labels(one) for one in objects["Namespace"]}
        self._services = {_place(one): one for one in objects["Service"]}
        self._routes = {_place(one): one for one in objects["HTTPRoute"]}
        self._lines: list[str] = []
        known = {_place(one): one for one in objects["Gateway"]}
        self._exposed: dict[_Place, tuple[_Place, _Place]] = {}
        for place, route in self._routes.items():
            if parent := _parent(route, "Service"):
                self._add((place[0], parent["name"]), place[1])
        used = [at for both in self._exposed.values() for at in both]
        self._gateways = {at: known[at] for at in dict.fromkeys(used) if at in known}
        self._entries = _entries(self._gateways)

    def _add(self, place: _Place, route: str) -> None:
        """Add the Service of a waypoint's route, with its gateway and waypoint, or say why not."""
        namespace, name = place
        subject = f"HTTPRoute {namespace}/{route}"
        ingress = self._routes.get((namespace, f"{name}-ingress"))
        attached = _parent(ingress, "Gateway")
        if route != f"{name}-waypoint-route" or place not in self._services:
            self._lines.append(
                f"{subject}: is for Service {name}, expected one of its namespace, and the name"
                f" {name}-waypoint-route. Make it anew under this name"
            )
        elif ingress is None or attached is None or not ingress["spec"].get("hostnames"):
            self._lines.append(
                f"{subject}: found no route of a gateway beside it, expected HTTPRoute"
                f" {namespace}/{name}-ingress with host names. Make it anew under this name"
            )
        elif (waypoint := self._waypoint_of(place)) is None:
            self._lines.append(
                f"Service {namespace}/{name}: found no labels {USE_WAYPOINT} and"
                f" {INGRESS_USE_WAYPOINT}, expected them at the Service or its namespace: requests"
                " pass by the waypoint. Set them, or use a new stack"
            )
        else:
            at = (attached.get("namespace", namespace), attached["name"])
            self._exposed[place] = at, waypoint

    def _waypoint_of(self, place: _Place) -> _Place | None:
        """The waypoint that all requests to a Service pass."""
        both = {**self._spaces.get(place[0], {}), **_labels(self._services[place])}
        if USE_WAYPOINT not in both or both.get(INGRESS_USE_WAYPOINT) != "true":
            return None
        return both.get(f"{USE_WAYPOINT}-namespace", place[0]), both[USE_WAYPOINT]

    def config(self) -> tuple[dict[str, Any], list[str]]:
        """The configuration, without an exposure an empty one, and the lines."""
        if not self._exposed:
            return {}, self._lines
        at_gateways = {at for at, _ in self._exposed.values()}
        spaces = dict.fromkeys(place[0] for place in (*self._gateways, *self._exposed))
        parts: dict[str, dict[str, Any]] = {"gateways": {}, "waypoints": {}}
        for at, found in self._gateways.items():
            part, make = ("gateways", _gateway) if at in at_gateways else ("waypoints", _waypoint)
            entry = {"namespace": {"existing": {"entry": at[0]}}, **make(found)}
            if self._entries[at] != at[1]:
                entry["name"] = at[1]
            parts[part][self._entries[at]] = entry
        services = _entries(self._exposed)
        exposures = {services[place]: self._exposure(place) for place in self._exposed}
        config = {
            "namespaces": {
                name: {
                    "create": False,
                    "ambient": self._spaces.get(name, {}).get(_DATAPLANE) == "ambient",
                }
                for name in spaces
            },
            **parts,
            "exposures": exposures,
        }
        return {key: value for key, value in config.items() if value}, self._lines

    def _exposure(self, place: _Place) -> dict[str, Any]:
        namespace, name = place
        inside = [*_rules(self._routes[namespace, f"{name}-waypoint-route"])]
        ingress = self._routes[namespace, f"{name}-ingress"]
        backends = (one for rule in inside for one in rule.get("backendRefs", []))
        own = {"name": name, "port": next((one["port"] for one in backends), 80)}
        gateway, waypoint = self._exposed[place]
        labels = _labels(self._services[place])
        bound: dict[str, Any] = {"binds": "Service" if USE_WAYPOINT in labels else "Namespace"}
        if INGRESS_USE_WAYPOINT not in labels:
            bound["ingressUseWaypoint"] = True
        found: dict[str, Any] = {
            "namespace": {"existing": {"entry": namespace}},
            "service": {**own, "create": False},
            "hostnames": ingress["spec"]["hostnames"],
            "rules": [_short(rule, own) for rule in inside],
            "gateway": self._existing(gateway),
            "waypoint": {**self._existing(waypoint), **bound},
        }
        at_gateway = [_short(rule, own) for rule in _rules(ingress)]
        if at_gateway != [{"paths": ["/"]}]:
            found["ingressRules"] = at_gateway
        return found

    def _existing(self, at: _Place) -> dict[str, Any]:
        if at in self._entries:
            return {"existing": {"entry": self._entries[at]}}
        return {"existing": {"namespace": at[0], "name": at[1]}}


def _entries(places: Iterable[_Place]) -> dict[_Place, str]:
    """The name of each as an entry: with its namespace where others have the same."""
    names = Counter(name for _, name in places)
    return {at: at[1] if names[at[1]] == 1 else "-".join(at) for at in places}


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


def _gateway(found: Mapping[str, Any]) -> dict[str, Any]:
    """An ingress gateway as an entry."""
    namespace = found["metadata"]["namespace"]
    annotations = found["metadata"].get("annotations") or {}
    listeners = found["spec"]["listeners"]
    plain = [one for one in listeners if one["protocol"] == "HTTP"]
    secure = [one for one in listeners if one["protocol"] == "HTTPS"]
    hostnames = dict.fromkeys(one.get("hostname") for one in (*plain, *secure))
    gateway: dict[str, Any] = {
        "hostnames": [name for name in hostnames if name],
        "serviceType": annotations.get(_SERVICE_TYPE, "LoadBalancer"),
        **_revised(found, "istio"),
    }
    if plain and plain[0]["port"] != 80:
        gateway["port"] = plain[0]["port"]
    if (allowed := listeners[0].get("allowedRoutes")) and allowed != _SAME:
        gateway["allowedRoutes"] = allowed
    if further := [one for one in listeners if one not in plain and one not in secure]:
        gateway["listeners"] = further
    if secure:
        certificates = {
            one.get("hostname"): _secret(one["tls"]["certificateRefs"][0], namespace)
            for one in secure
        }
        gateway["tls"] = {"certificates": certificates, **({"redirect": False} if plain else {})}
        if secure[0]["port"] != 443:
            gateway["tls"]["port"] = secure[0]["port"]
    return gateway


def _secret(reference: Mapping[str, str], namespace: str) -> str:
    """A Secret as `tls.certificates` name it."""
    elsewhere = reference.get("namespace", namespace) != namespace
    return f"{reference['namespace']}/{reference['name']}" if elsewhere else reference["name"]


def _waypoint(found: Mapping[str, Any]) -> dict[str, Any]:
    """A waypoint as an entry."""
    waypoint = _revised(found, "istio-waypoint")
    if (passes := _labels(found).get(_FOR, "service")) != "service":
        waypoint["waypointFor"] = passes
    allowed = found["spec"]["listeners"][0].get("allowedRoutes")
    if allowed and allowed != _SAME:
        waypoint["allowedRoutes"] = allowed
    return waypoint


def _revised(found: Mapping[str, Any], class_: str) -> dict[str, Any]:
    """Who serves a Gateway, where that is not by default."""
    options: dict[str, Any] = {}
    if found["spec"]["gatewayClassName"] != class_:
        options["gatewayClass"] = found["spec"]["gatewayClassName"]
    if _REVISION in _labels(found):
        options["revision"] = _labels(found)[_REVISION]
    return options


def _parent(route: Mapping[str, Any] | None, kind: str) -> Mapping[str, Any] | None:
    """The first parent of a kind."""
    parents = route["spec"].get("parentRefs") or [] if route else []
    return next((one for one in parents if one.get("kind", "Gateway") == kind), None)


def _place(one: Mapping[str, Any]) -> _Place:
    return one["metadata"]["namespace"], one["metadata"]["name"]


def _labels(one: Mapping[str, Any]) -> Mapping[str, str]:
    return one["metadata"].get("labels") or {}
