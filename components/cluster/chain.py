"""The way of requests through an exposure, as the cluster has it, and where it is broken."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypedDict

import lightkube
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Namespace, Pod, Service
from lightkube.resources.networking_v1 import NetworkPolicy

from ..api.gateway import GROUP
from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT
from ..api.live import NAME_OVERRIDE, addresses
from .explain import problem, unseen
from .mesh import matches
from .objects import GATEWAY, KINDS
from .reading import get

_HBONE = 15008
"""Port at which proxies of the mesh reach each other."""

_MISSING = "it is not there: `pulumi up` makes it, or its owner"
_MODE = "istio.io/dataplane-mode"
_OF_GATEWAY = "gateway.networking.k8s.io/gateway-name"
_POLICY = KINDS["kubernetes:security.istio.io/v1:AuthorizationPolicy"]
_AUTHENTICATION = create_namespaced_resource(
    "security.istio.io", "v1", "RequestAuthentication", "requestauthentications"
)


class Place(TypedDict):
    """A namespaced object."""

    namespace: str
    """Namespace."""
    name: str
    """Name."""


class ChainExpectation(TypedDict):
    """What an exposure is made of."""

    hostnames: Sequence[str]
    """Host names."""
    gateway: Place
    """Ingress gateway."""
    waypoint: Place
    """Waypoint."""
    service: Place
    """Service."""
    port: int
    """Port of the Service."""
    kind: Literal["HTTPRoute", "GRPCRoute"]
    """Kind of the routes."""
    trust_domain: str
    """Trust domain of the mesh."""
    lacking: Mapping[str, str]
    """What the cluster's CRDs lack, by the part that uses it: a key of this, or a route."""


class Link(NamedTuple):
    """A station on the way."""

    title: str
    """Kind and name."""
    details: tuple[str, ...] = ()
    """Conditions, addresses and what else tells it from others."""
    faults: tuple[str, ...] = ()
    """Why requests do not get on from here as they should, and what to do."""
    tunnel: bool = False
    """Whether requests get here by HBONE."""


def chain(client: lightkube.Client, expected: ChainExpectation) -> list[Link]:
    """The stations of an exposure, in the order in which a request passes them."""
    return list(_Chain(client, expected).links())


class _Chain:
    def __init__(self, client: lightkube.Client, expected: ChainExpectation) -> None:
        self._client = client
        self._expected = expected
        self._service = self._live(Service, expected["service"])

    def links(self) -> Iterator[Link]:
        own, name = self._expected["service"]["namespace"], self._expected["service"]["name"]
        yield Link(", ".join(self._expected["hostnames"]))
        yield self._gateway("gateway", ())
        yield self._route("ingress_route", {"namespace": own, "name": f"{name}-ingress"})
        yield self._gateway("waypoint", self._passed_by())._replace(tunnel=True)
        yield self._route("route", {"namespace": own, "name": f"{name}-waypoint-route"})
        yield from self._policies()
        yield self._service_link()
        yield self._pods()

    def _live(self, kind: Any, place: Place) -> dict[str, Any] | None:
        found = get(self._client, kind, place["name"], place["namespace"])
        return dict(found.to_dict()) if found else None

    def _gateway(self, part: Literal["gateway", "waypoint"], faults: Iterable[str]) -> Link:
        place = self._expected[part]
        title, found = f"Gateway {_named(place)}", self._live(GATEWAY, place)
        if found is None:
            return Link(title, (), (_MISSING,))
        pods = self._ready_pods(place["namespace"], {_OF_GATEWAY: place["name"]})
        listeners = ", ".join(
            " ".join((one["protocol"], str(one["port"]), one.get("hostname", "")))
            for one in found["spec"]["listeners"]
        )
        details = (_holding(found), ", ".join(addresses(found)), listeners.strip(), pods.words)
        said = [*self._lacking(part), *_problem(found), *faults, *pods.faults]
        if part == "waypoint":
            said += self._blocked(place["namespace"], pods.labels)
        return Link(title, tuple(filter(None, details)), tuple(said))

    def _route(self, part: str, place: Place) -> Link:
        kind = self._expected["kind"]
        title, found = (
            f"{kind} {_named(place)}",
            self._live(KINDS[f"kubernetes:{GROUP}/v1:{kind}"], place),
        )
        if found is None:
            return Link(title, (), (*self._lacking(part), _MISSING))
        details = (
            _holding(found),
            "; ".join(filter(None, map(_rule, found["spec"].get("rules", ())))),
        )
        return Link(
            title,
            tuple(filter(None, details)),
            (*self._lacking(part), *_problem(found)),
        )

    def _lacking(self, part: str) -> Iterator[str]:
        if needs := self._expected["lacking"].get(part):
            yield f"{needs}: install newer CustomResourceDefinitions, or leave the field out"

    def _passed_by(self) -> Iterator[str]:
        """Labels without which requests do not get to the waypoint."""
        place = self._expected["service"]
        name, namespace = (
            f"Service {_named(place)}",
            get(self._client, Namespace, place["namespace"]),
        )
        if self._service is None:
            return
        around = (namespace.metadata.labels if namespace else None) or {}
        own = self._service["metadata"].get("labels") or {}
        # A Service's own label counts more than that of its namespace.
        labels = own if USE_WAYPOINT in own else around
        waypoint = self._expected["waypoint"]
        holder = labels.get(f"{USE_WAYPOINT}-namespace", place["namespace"])
        found, wanted = labels.get(USE_WAYPOINT), f"{USE_WAYPOINT}={waypoint['name']}"
        put_right = "`pulumi up` sets it"
        if found is None:
            yield f"{name} lacks the label {wanted}, so requests pass by the rules: {put_right}"
        elif (holder, found) != (waypoint["namespace"], waypoint["name"]):
            yield (
                f"{name} has {USE_WAYPOINT}={found}, expected {waypoint['name']}, so requests go"
                f" elsewhere: {put_right}"
            )
        if {**around, **own}.get(INGRESS_USE_WAYPOINT) != "true":
            yield (
                f"{name} lacks the label {INGRESS_USE_WAYPOINT}=true, so requests of the gateway"
                f" pass by the waypoint and its rules: {put_right}"
            )

    def _policies(self) -> Iterator[Link]:
        """What decides at the waypoint about requests to the Service."""
        place, waypoint = self._expected["service"], self._expected["waypoint"]
        targets = {("Service", *place.values()), ("Gateway", *waypoint.values())}
        spaces = dict.fromkeys((place["namespace"], waypoint["namespace"]))
        for kind in (_AUTHENTICATION, _POLICY):
            for found in (one.to_dict() for space in spaces for one in self._listed(kind, space)):
                metadata, spec = found["metadata"], found.get("spec") or {}
                refs = {
                    (one.get("kind"), metadata["namespace"], one["name"])
                    for one in spec.get("targetRefs") or ()
                }
                if refs & targets:
                    yield self._policy(kind, found, spec)

    def _policy(self, kind: Any, found: Mapping[str, Any], spec: Mapping[str, Any]) -> Link:
        title = f"{found['kind']} {_named(found['metadata'])}"
        if kind is _AUTHENTICATION:
            issuers = ", ".join(one["issuer"] for one in spec.get("jwtRules") or ())
            return Link(title, (f"tokens of {issuers}",), tuple(_problem(found, always=False)))
        action, rules = spec.get("action", "ALLOW"), spec.get("rules") or []
        identity = self._identity()
        faults = list(_problem(found, always=False))
        if identity and _refused(action, rules, identity):
            faults.append(
                f"it refuses the ingress gateway: {_advice(action)} ({identity.principal})"
            )
        return Link(title, (f"{action}, {len(rules)} rules",), tuple(faults))

    def _identity(self) -> "_Identity | None":
        """Who the ingress gateway is in the mesh."""
        place = self._expected["gateway"]
        found = self._live(GATEWAY, place)
        if found is None:
            return None
        override = (found["metadata"].get("annotations") or {}).get(NAME_OVERRIDE)
        account = override or f"{place['name']}-{found['spec']['gatewayClassName']}"
        domain = self._expected["trust_domain"]
        return _Identity(f"{domain}/ns/{place['namespace']}/sa/{account}", place["namespace"])

    def _service_link(self) -> Link:
        place, port = self._expected["service"], self._expected["port"]
        title = f"Service {_named(place)}"
        if self._service is None:
            return Link(title, (), (_MISSING,))
        spec = self._service["spec"]
        ports = [one["port"] for one in spec.get("ports") or ()]
        faults = list(_problem(self._service, always=False))
        if port not in ports:
            faults.append(f"it has no port {port}, but {ports}: change service.port")
        return Link(title, (f"{spec.get('clusterIP')}:{port}",), tuple(faults))

    def _pods(self) -> Link:
        place = self._expected["service"]
        selector = ((self._service or {}).get("spec") or {}).get("selector") or {}
        if not selector:
            return Link("pods", ("of a Service without a selector",))
        pods = self._ready_pods(place["namespace"], selector)
        namespace = get(self._client, Namespace, place["namespace"])
        labels = (namespace.metadata.labels if namespace else None) or {}
        captured = labels.get(_MODE) == "ambient"
        blocked = self._blocked(place["namespace"], pods.labels) if captured else ()
        details = (pods.words, "in the mesh" if captured else "not in the mesh")
        return Link("pods", details, (*pods.faults, *blocked))

    def _ready_pods(self, namespace: str, labels: Mapping[str, str]) -> "_Pods":
        found = [one.to_dict() for one in self._listed(Pod, namespace, labels=dict(labels))]
        ready = [one for one in found if _is_ready(one)]
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        faults = (
            []
            if ready
            else [
                f"none of its {len(found)} pods is ready: see `kubectl describe pods -n {namespace}"
                f" -l {selector}`"
            ]
        )
        pod_labels = [one["metadata"].get("labels") or {} for one in found]
        return _Pods(f"{len(ready)} of {len(found)} pods ready", pod_labels, faults)

    def _blocked(self, namespace: str, pods: Sequence[Mapping[str, str]]) -> list[str]:
        """NetworkPolicies by which nobody gets through to one of the pods by HBONE."""
        policies = [one.to_dict() for one in self._listed(NetworkPolicy, namespace)]
        for labels in pods:
            chosen = [one for one in policies if _isolates(one["spec"], labels)]
            if chosen and not any(_admits_hbone(one["spec"]) for one in chosen):
                name = _named(chosen[0]["metadata"])
                return [
                    f"NetworkPolicy {name} lets nobody to port {_HBONE} of its pods, by which the"
                    " mesh reaches them: admit that port"
                ]
        return []

    def _listed(self, kind: Any, namespace: str, **options: Any) -> Iterable[Any]:
        found: Iterable[Any] = self._client.list(kind, namespace=namespace, **options)
        return found


class _Pods(NamedTuple):
    words: str
    labels: Sequence[Mapping[str, str]]
    faults: Sequence[str]


class _Identity(NamedTuple):
    principal: str
    namespace: str


def _named(place: Mapping[str, Any]) -> str:
    return f"{place['namespace']}/{place['name']}"


def _conditions(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    status = found.get("status") or {}
    for holder in (status, *(status.get("parents") or ())):
        yield from holder.get("conditions") or ()


def _holding(found: Mapping[str, Any]) -> str:
    """The conditions that hold."""
    holding = [str(one["type"]) for one in _conditions(found) if one["status"] == "True"]
    return ", ".join(dict.fromkeys(holding))


def _problem(found: Mapping[str, Any], *, always: bool = True) -> Iterator[str]:
    """What stands in the way; of what need not have conditions, only what these say."""
    status = found.get("status") or {}
    if (always or status.get("conditions")) and (said := problem(status)):
        yield said
    yield from unseen(found)


def _rule(rule: Mapping[str, Any]) -> str:
    """What a rule is for, in short."""
    matched = [
        one.get("path", {}).get("value") or "/".join(filter(None, one.get("method", {}).values()))
        for one in rule.get("matches") or ()
        if isinstance(one.get("path", one.get("method")), Mapping)
    ]
    return ", ".join(matched)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _isolates(spec: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a NetworkPolicy says who gets through to pods with these labels."""
    return "Ingress" in (spec.get("policyTypes") or ["Ingress"]) and matches(
        spec.get("podSelector") or {}, labels
    )


def _admits_hbone(spec: Mapping[str, Any]) -> bool:
    return any(
        not rule.get("ports") or any(map(_is_hbone, rule["ports"]))
        for rule in spec.get("ingress") or ()
    )


def _is_hbone(port: Mapping[str, Any]) -> bool:
    first = port.get("port", _HBONE)
    if port.get("protocol", "TCP") != "TCP":
        return False
    # What a name stands for, each pod says.
    return not isinstance(first, int) or first <= _HBONE <= port.get("endPort", first)


def _refused(action: str, rules: Sequence[Mapping[str, Any]], who: _Identity) -> bool:
    """Whether a policy refuses every request of a client."""
    if action == "DENY":
        return any(
            not rule.get("to")
            and not rule.get("when")
            and any(_is_from(one["source"], who, surely=True) for one in rule.get("from") or _ANY)
            for rule in rules
        )
    return action == "ALLOW" and not any(
        _is_from(one["source"], who, surely=False)
        for rule in rules
        for one in rule.get("from") or _ANY
    )


_ANY: Sequence[Mapping[str, Any]] = ({"source": {}},)

_Field = tuple[str, Callable[[_Identity], str]]
_FIELDS: Sequence[_Field] = (
    ("principals", lambda who: who.principal),
    ("namespaces", lambda who: who.namespace),
)


def _is_from(source: Mapping[str, Any], who: _Identity, *, surely: bool) -> bool:
    """Whether a source is a client, as far as its identity tells."""
    known: set[str] = set()
    for field, value in _FIELDS:
        negated = f"not{field.capitalize()}"
        known |= {field, negated}
        if field in source and not any(_like(one, value(who)) for one in source[field]):
            return False
        if any(_like(one, value(who)) for one in source.get(negated) or ()):
            return False
    return not surely or source.keys() <= known


def _like(pattern: str, value: str) -> bool:
    """Whether a value is meant, by itself or by `*` at one end."""
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return pattern == value


def _advice(action: str) -> str:
    if action == "DENY":
        return "take it out of the rules, or tell which of its requests are meant"
    return "name it in the principals of a rule"
