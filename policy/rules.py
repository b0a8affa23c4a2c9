"""The rules of the pack, over resources as plain data. Nothing here knows the engine."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

UNKNOWN: Final = object()
"""A value that a preview does not know yet. No rule decides about it; the update does."""

_SCOPE = "kubernetes:"
_COMPONENTS = "ambient:index:"
_INGRESS = "istio.io/ingress-use-waypoint"
_BOUND = "istio.io/use-waypoint"
_SERVICE_TYPE = "networking.istio.io/service-type"
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")

Config = Mapping[str, Any]
"""What `--policy-pack-config` has for a policy."""


class Object(NamedTuple):
    """A resource of the stack."""

    type: str
    """Pulumi's type of it."""
    name: str
    """Its name as a resource."""
    inputs: Mapping[str, Any]
    """Its inputs, `UNKNOWN` where they are not known."""
    parent: str = ""
    """Pulumi's type of its parent."""
    depends_on: tuple[tuple[str, str], ...] = ()
    """Type and name of each resource whose outputs it has."""

    @property
    def kind(self) -> str:
        """Kind of the object, of a patch that of what is patched."""
        return self.type.rpartition(":")[2].removesuffix("Patch")

    def get(self, *path: str) -> Any:
        """An input by its path, None where it is not there."""
        return at(self.inputs, *path)

    def listed(self, *path: str) -> list[Any]:
        """What is known of a list in the inputs."""
        return items(self.inputs, *path)

    def label(self, key: str) -> Any:
        """The value of a label."""
        return self.get("metadata", "labels", key)


def at(value: Any, *path: str) -> Any:
    """What is inside of a value, None where it is not there."""
    for step in path:
        if value is UNKNOWN:
            break
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def items(value: Any, *path: str) -> list[Any]:
    """What is known of a list inside of a value."""
    found = at(value, *path)
    listed = isinstance(found, Sequence) and not isinstance(found, str)
    return [one for one in found if one is not UNKNOWN] if listed else []


class Policy(NamedTuple):
    """A policy of the pack."""

    name: str
    """Name, by which it is configured and waived."""
    description: str
    """What it demands."""
    severity: Literal["low", "medium", "high", "critical"]
    """How bad it is to go without."""
    check: Callable[[Object, Sequence[Object], Config], Iterator[str]]
    """What is wrong with a resource, in a stack of these resources."""
    mandatory: bool = True
    """Whether a preview fails for it, unless its `enforcementLevel` says otherwise."""
    whole: bool = False
    """Whether it looks at the other resources, and so comes after all of them."""
    properties: Mapping[str, Mapping[str, Any]] = {}
    """JSON schema of each of its settings."""


WAIVERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "resources that need not comply, by name, each with the reason",
    "additionalProperties": {"type": "string", "minLength": 1},
    "default": {},
}
"""JSON schema of the waivers, a setting of every policy."""


def violations(
    policy: Policy, one: Object, stack: Sequence[Object], config: Config
) -> Iterator[str]:
    """What a policy has against a resource that is not waived."""
    if one.name not in config.get("waivers", {}) and one.type.startswith(_SCOPE):
        for problem in policy.check(one, stack, config):
            yield (
                f"{_place(one)}: {problem}. Or waive it, with the reason:"
                f' {{"{policy.name}": {{"waivers": {{"{one.name}": "…"}}}}}}'
            )


def _place(one: Object) -> str:
    names = (one.get("metadata", "namespace"), one.get("metadata", "name"))
    known = [name for name in names if isinstance(name, str)]
    return f"{one.kind} {'/'.join(known)}" if known else f"{one.kind} {one.name}"


def _mixed_apis(one: Object, stack: Sequence[Object], _: Config) -> Iterator[str]:
    hosts = {
        "VirtualService": one.listed("spec", "hosts"),
        "DestinationRule": [one.get("spec", "host")],
    }
    # What components make for affinity and pools is made to go with their routes.
    if one.kind == "DestinationRule" and one.parent.startswith(_COMPONENTS):
        return
    own = one.get("metadata", "namespace")
    for host in hosts.get(one.kind, []):
        whole = f"{host}.{own}" if isinstance(host, str) and "." not in host else host
        for served in _served(stack):
            if isinstance(whole, str) and _overlap(whole, served):
                yield (
                    f"is for {host}, which a route of this stack serves: proxies go by both, and"
                    " which one wins is not defined. Say it in the rules of the route"
                )
                return


def _served(stack: Iterable[Object]) -> Iterator[str]:
    """The host names that routes serve, and the Services behind them as `name.namespace`."""
    for one in stack:
        namespace = one.get("metadata", "namespace")
        if one.kind == "Service" and one.label(_INGRESS) == "true":
            yield f"{one.get('metadata', 'name')}.{namespace}"
        if one.kind in ("HTTPRoute", "GRPCRoute"):
            yield from (name for name in one.listed("spec", "hostnames") if isinstance(name, str))
            for rule in one.listed("spec", "rules"):
                for backend in items(rule, "backendRefs"):
                    name, place = at(backend, "name"), at(backend, "namespace") or namespace
                    if isinstance(name, str) and isinstance(place, str):
                        yield f"{name}.{place}"


def _overlap(host: str, served: str) -> bool:
    if host.startswith("*"):
        return served.endswith(host[1:]) or f"{served}.svc.cluster.local".endswith(host[1:])
    if served.startswith("*"):
        return host.endswith(served[1:])
    return host == served or host.startswith(f"{served}.svc")


def _waypoint_unused(one: Object, stack: Sequence[Object], _: Config) -> Iterator[str]:
    mesh = [listener for listener in _listeners(one) if _protocol(listener) == "HBONE"]
    if one.kind == "Gateway" and mesh:
        others = any(map(_admits_others, mesh))
        if not others and not any(_is_bound(user, one) for user in stack):
            yield (
                "no namespace and no Service of this stack is bound to it: requests pass by its"
                f" rules. Label one with {_BOUND}, or take it out"
            )
    if one.kind == "Service" and isinstance(one.label(_BOUND), str) and one.label(_BOUND) != "none":
        itself = f"{one.get('metadata', 'name')}.{one.get('metadata', 'namespace')}"
        by_ingress = any(itself in _served([route]) for route in stack if _is_ingress(route))
        if by_ingress and one.label(_INGRESS) != "true" and not _namespace_has(one, stack):
            yield (
                f"is bound to waypoint {one.label(_BOUND)}, and the ingress gateway passes by it."
                f" Label it with {_INGRESS}=true"
            )


def _is_bound(user: Object, waypoint: Object) -> bool:
    label, name = user.label(_BOUND), waypoint.get("metadata", "name")
    if UNKNOWN in (label, name):
        return label is not None and (waypoint.type, waypoint.name) in user.depends_on
    return label is not None and label == name


def _namespace_has(service: Object, stack: Iterable[Object]) -> bool:
    """Whether ingress gateways reach every Service of its namespace through the waypoint."""
    own = service.get("metadata", "namespace")
    return any(
        one.kind == "Namespace"
        and one.get("metadata", "name") in (own, UNKNOWN)
        and one.label(_INGRESS) == "true"
        for one in stack
    )


def _admits_others(listener: Any) -> bool:
    """Whether namespaces that may be another stack's use a waypoint."""
    return at(listener, "allowedRoutes", "namespaces", "from") not in (None, "Same")


def _route_without_parent(one: Object, _: Sequence[Object], __: Config) -> Iterator[str]:
    if one.kind.endswith("Route") and one.get("spec") is not UNKNOWN:
        parents = one.get("spec", "parentRefs")
        if parents is not UNKNOWN and not parents:
            yield "has no parentRefs, and so routes nothing. Name its Gateway, or its Service"


def _wildcard_host(one: Object, _: Sequence[Object], __: Config) -> Iterator[str]:
    advice = "Name the hosts, so that no others are served by mistake"
    if _is_ingress(one) and not _redirects(one) and one.get("spec", "hostnames") is not UNKNOWN:
        names = one.listed("spec", "hostnames")
        if not names:
            yield f"is for every host name of its gateway. {advice}"
        if wild := [name for name in names if isinstance(name, str) and name.startswith("*")]:
            yield f"is for {', '.join(wild)}. {advice}"
    for listener in _listeners(one):
        host = at(listener, "hostname") or "*"
        if _protocol(listener) != "HBONE" and isinstance(host, str) and host.startswith("*"):
            which = "every host name" if host == "*" else host
            yield f"listener {at(listener, 'name')} is for {which}. {advice}"


def _plain_http(one: Object, stack: Sequence[Object], config: Config) -> Iterator[str]:
    says = config.get("production", {"environment": "production"})
    if not all(one.label(key) == value for key, value in says.items()):
        return
    for listener in _listeners(one):
        redirected = any(_redirects(route, one, at(listener, "port")) for route in stack)
        if _protocol(listener) == "HTTP" and not redirected:
            words = ", ".join(f"{key}={value}" for key, value in says.items())
            yield (
                f"listener {at(listener, 'name')} serves plain HTTP, and the stack says {words}."
                " Serve HTTPS (gateway.tls), and redirect to it"
            )


def _source_ranges(one: Object, stack: Sequence[Object], config: Config) -> Iterator[str]:
    if not config.get("required", False):
        return
    advice = "List who may reach it in loadBalancerSourceRanges"
    if one.kind == "Service" and one.get("spec", "type") == "LoadBalancer":
        ranges = one.get("spec", "loadBalancerSourceRanges")
        if ranges is not UNKNOWN and not ranges:
            yield f"is a LoadBalancer for everybody. {advice}"
    if one.kind == "Gateway" and not all(_protocol(li) == "HBONE" for li in _listeners(one)):
        # istiod makes a LoadBalancer where nothing is said.
        type_ = one.get("metadata", "annotations", _SERVICE_TYPE) or "LoadBalancer"
        if type_ == "LoadBalancer" and not _customized(one, stack):
            yield (
                f"has a LoadBalancer for everybody. {advice}:"
                " gateway.customization.service.spec.loadBalancerSourceRanges"
            )


def _customized(gateway: Object, stack: Iterable[Object]) -> bool:
    """Whether the Service that istiod makes for a gateway gets source ranges, or may get some."""
    name = gateway.get("spec", "infrastructure", "parametersRef", "name")
    return any(
        at(_patch(one, "service"), "spec", "loadBalancerSourceRanges")
        for one in stack
        if one.kind == "ConfigMap"
        and ((one.type, one.name) in gateway.depends_on or one.get("metadata", "name") == name)
    )


def _patch(config_map: Object, key: str) -> Any:
    """A patch of a gateway's customization."""
    text = config_map.get("data", key)
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


def _privileged(one: Object, _: Sequence[Object], __: Config) -> Iterator[str]:
    for pod in _pods(one):
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if at(pod, field) is True:
                yield f"has {field}, and so sees more than its own pod. Take it out"
        if any(at(volume, "hostPath") for volume in items(pod, "volumes")):
            yield "mounts a hostPath of its node. Take another volume"
        for container in _containers(pod):
            fields = ("privileged", "allowPrivilegeEscalation")
            found = [field for field in fields if at(container, "securityContext", field) is True]
            added = items(container, "securityContext", "capabilities", "add")
            found += [f"capability {name}" for name in added if name != "NET_BIND_SERVICE"]
            if found:
                yield f"container {at(container, 'name')} has {', '.join(found)}. Take it out"


def _unpinned(one: Object, _: Sequence[Object], config: Config) -> Iterator[str]:
    for pod in _pods(one):
        for container in _containers(pod):
            image = at(container, "image")
            if not isinstance(image, str) or "@" in image:
                continue
            tag = image.rpartition("/")[2].partition(":")[2]
            if config.get("digests", False):
                yield f"image {image} has no digest. Write NAME@sha256:…"
            elif tag in ("", "latest"):
                yield f"image {image} may be another one tomorrow. Give it a tag, or a digest"


def _missing_labels(one: Object, _: Sequence[Object], config: Config) -> Iterator[str]:
    if one.type.endswith("Patch") or one.get("metadata", "labels") is UNKNOWN:
        return
    if lacking := [key for key in config.get("labels", ()) if one.label(key) is None]:
        yield f"lacks {', '.join(lacking)}. Set it for the stack (labels)"


def _is_ingress(one: Object) -> bool:
    """Whether a route is at a Gateway."""
    return one.kind in ("HTTPRoute", "GRPCRoute") and any(
        at(parent, "kind") in (None, "Gateway") for parent in one.listed("spec", "parentRefs")
    )


def _redirects(route: Object, gateway: Object | None = None, port: object = None) -> bool:
    """Whether a route only redirects to HTTPS, at a port of a gateway where one is named."""
    rules = route.listed("spec", "rules")
    if route.kind != "HTTPRoute" or not rules or not all(map(_to_https, rules)):
        return False
    return gateway is None or any(
        at(parent, "port") in (None, port)
        and (
            at(parent, "name") == gateway.get("metadata", "name")
            or (gateway.type, gateway.name) in route.depends_on
        )
        for parent in route.listed("spec", "parentRefs")
    )


def _to_https(rule: Any) -> bool:
    return any(at(one, "requestRedirect", "scheme") == "https" for one in items(rule, "filters"))


def _listeners(one: Object) -> list[Any]:
    return one.listed("spec", "listeners") if one.kind in ("Gateway", "ListenerSet") else []


def _protocol(listener: Any) -> Any:
    return at(listener, "protocol")


def _pods(one: Object) -> Iterator[Mapping[str, Any]]:
    """The specs of the pods that an object makes, or that a gateway's customization changes."""
    found: Any = None
    if one.kind in _WORKLOADS:
        found = one.get("spec", "template", "spec")
    elif one.kind == "CronJob":
        found = one.get("spec", "jobTemplate", "spec", "template", "spec")
    elif one.kind == "Pod":
        found = one.get("spec")
    elif one.kind == "ConfigMap":
        found = at(_patch(one, "deployment"), "spec", "template", "spec")
    if isinstance(found, Mapping):
        yield found


def _containers(pod: Any) -> list[Any]:
    return [*items(pod, "initContainers"), *items(pod, "containers")]


POLICIES: Final = (
    Policy(
        "mixed-apis",
        "No VirtualService or DestinationRule for what a route of the stack serves.",
        "critical",
        _mixed_apis,
        whole=True,
    ),
    Policy(
        "waypoint-unused",
        "A waypoint is used: something is bound to it, and ingress gateways do not pass by it.",
        "high",
        _waypoint_unused,
        whole=True,
    ),
    Policy(
        "route-without-parent",
        "A route has a Gateway or a Service.",
        "high",
        _route_without_parent,
    ),
    Policy(
        "wildcard-host",
        "Routes and listeners name the hosts that they serve.",
        "medium",
        _wildcard_host,
        mandatory=False,
    ),
    Policy(
        "plain-http",
        "Production is served over HTTPS alone.",
        "high",
        _plain_http,
        whole=True,
        properties={
            "production": {
                "type": "object",
                "description": "labels of the objects of a stack that is production",
                "additionalProperties": {"type": "string"},
                "default": {"environment": "production"},
            }
        },
    ),
    Policy(
        "source-ranges",
        "A LoadBalancer says who may reach it.",
        "high",
        _source_ranges,
        whole=True,
        properties={
            "required": {
                "type": "boolean",
                "description": "whether each LoadBalancer has to have source ranges",
                "default": False,
            }
        },
    ),
    Policy(
        "privileged-pod",
        "Pods have no rights on their node.",
        "critical",
        _privileged,
    ),
    Policy(
        "unpinned-image",
        "Images are the same tomorrow.",
        "medium",
        _unpinned,
        properties={
            "digests": {
                "type": "boolean",
                "description": "whether each image has to have a digest",
                "default": False,
            }
        },
    ),
    Policy(
        "missing-labels",
        "Objects have the labels of the organization.",
        "low",
        _missing_labels,
        properties={
            "labels": {
                "type": "array",
                "description": "keys of labels that each object has to have",
                "items": {"type": "string"},
                "default": [],
            }
        },
    ),
)
"""The policies of the pack."""
