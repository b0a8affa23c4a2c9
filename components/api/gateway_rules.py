"""What is demanded of the Gateway API's specs beyond their generated types and limits.

Names of objects, as Kubernetes has them; rules between fields, those of the API's own schemas among
them where a better message helps; and what Istio refuses, ignores or turns round, where the message
says so.

https://gateway-api.sigs.k8s.io/reference/spec/
"""

import math
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Distinct, Limits, Rule, Rules, Schema, at, unique
from ..checks.values import Check, Limit
from . import gateway_types as api

_GATEWAY_API = "gateway.networking.k8s.io"

# Fields


def _istio_takes(*choices: str) -> Check:
    one_of = valid.one_of(*choices) if len(choices) > 1 else lambda _: repr(*choices)

    def check(value: object) -> str | None:
        return None if value in choices else f"{one_of(value)}; Istio takes no other"

    return check


def _precise_hostname(value: object) -> str | None:
    if isinstance(value, str) and not value.startswith("*") and valid.hostname(value) is None:
        return None
    return "a DNS name like 'httpbin.example.com': lower case, no wildcard, port or path"


def _header_value(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[^\0-\10\12-\37\177]{1,4096}", value):
        return None
    return "1 to 4096 characters, no control characters, for which Istio refuses the route"


_IGNORED = valid.nothing("Istio ignores it")
_ROUTE: Mapping[str, Check] = {"hostnames[]": valid.hostname, "useDefaultGateways": _IGNORED}
_LISTENER: Mapping[str, Check] = {
    "hostname": valid.hostname,
    "protocol": valid.one_of("HTTP", "HTTPS", "TLS", "TCP", "HBONE"),
    "filters": _IGNORED,
}

_REFERENCES: Limits = {
    class_: {"name": valid.subdomain}
    for class_ in api.PLACES
    if {"kind", "name"} <= class_.__annotations__.keys()
}

_STRICTER: Limits = {
    **_REFERENCES,
    api.LabelSelectorRequirement: {
        "key": valid.label_key,
        "operator": valid.one_of("In", "NotIn", "Exists", "DoesNotExist"),
        "values[]": valid.label_value,
    },
    api.LabelSelector: {"matchLabels{}": valid.label_key, "matchLabels[]": valid.label_value},
    # Gateway
    api.ListenerTLS: {"certificateRefs": Limit(0, 2, reason=", as Istio takes no more")},
    api.Listener: _LISTENER,
    api.ListenerEntry: _LISTENER,
    api.GatewaySpecAddress: {
        "type": _istio_takes("IPAddress", "Hostname"),
        "routability": _IGNORED,
    },
    api.GatewayInfrastructure: {"labels{}": valid.label_key, "annotations{}": valid.label_key},
    api.FrontendTLSValidation: {
        "caCertificateRefs": Limit(1, 1, reason=", as Istio takes no more")
    },
    api.GatewayTLSConfig: {
        "backend": valid.nothing("Istio checks the certificate, but its gateways never present it")
    },
    api.GatewaySpec: {"gatewayClassName": valid.subdomain, "defaultScope": _IGNORED},
    # Routes
    api.HTTPHeader: {"value": _header_value},
    api.HTTPHeaderFilter: {"remove[]": api.LIMITS[api.HTTPHeader]["name"]},
    api.HTTPRequestRedirectFilter: {"hostname": _precise_hostname},
    api.HTTPURLRewriteFilter: {"hostname": _precise_hostname},
    api.HTTPRouteFilter: {
        "type": _istio_takes(
            "RequestHeaderModifier",
            "ResponseHeaderModifier",
            "RequestMirror",
            "RequestRedirect",
            "URLRewrite",
            "CORS",
        )
    },
    api.GRPCRouteFilter: {
        "type": _istio_takes("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror")
    },
    api.HTTPRouteRule: {"sessionPersistence": _IGNORED},
    api.GRPCRouteRule: {"sessionPersistence": _IGNORED},
    api.HTTPRouteSpec: _ROUTE,
    api.GRPCRouteSpec: _ROUTE,
    api.TLSRouteSpec: _ROUTE,
    api.TCPRouteSpec: {"useDefaultGateways": _IGNORED},
}

# Reading what may not be known


def _text(owner: Mapping[str, Any], field: str, default: str | None = None) -> str | None:
    """A field's string, `default` where there is none; None where it is not known."""
    value = owner.get(field, default)
    return value if isinstance(value, str) else None


def _number(owner: Mapping[str, Any], field: str, default: int | None = None) -> int | None:
    """A field's number, `default` where there is none; None where it is not known."""
    value = owner.get(field, default)
    return value if isinstance(value, int) else None


def _list(owner: Mapping[str, Any], field: str) -> Sequence[Any]:
    """A field's list, empty where there is none or where it is not known."""
    value = owner.get(field)
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _mapping(owner: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """A field's mapping, empty where there is none or where it is not known."""
    value = owner.get(field)
    return value if isinstance(value, Mapping) else {}


def _empty(owner: Mapping[str, Any], field: str) -> bool | None:
    """Whether a field's list or mapping is empty or missing; None where it is not known."""
    value = owner.get(field, ())
    return not value if isinstance(value, Sequence | Mapping) else None


def _elements(
    path: str, owner: Mapping[str, Any], field: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The mappings in a field's list, as far as they are known, with their paths."""
    for position, element in enumerate(_list(owner, field)):
        if isinstance(element, Mapping):
            yield f"{at(path, field)}[{position}]", element


def _strings(path: str, owner: Mapping[str, Any], field: str) -> Iterator[tuple[str, str]]:
    """The strings in a field's list, as far as they are known, with their paths."""
    for position, element in enumerate(_list(owner, field)):
        if isinstance(element, str):
            yield f"{at(path, field)}[{position}]", element


# Objects that are referred to

_ROUTE_KINDS = {
    "HTTPRoute": _GATEWAY_API,
    "GRPCRoute": _GATEWAY_API,
    "TLSRoute": _GATEWAY_API,
    "TCPRoute": _GATEWAY_API,
}
_PARENT_KINDS = {
    "Gateway": _GATEWAY_API,
    "ListenerSet": _GATEWAY_API,
    "Service": "",
    "ServiceEntry": "networking.istio.io",
}
_BACKEND_KINDS = {
    "Service": "",
    "ServiceImport": "multicluster.x-k8s.io",
    "Hostname": "networking.istio.io",
    "InferencePool": "inference.networking.k8s.io",
}
_GRANTED_FROM = {"Gateway": _GATEWAY_API, "ListenerSet": _GATEWAY_API, **_ROUTE_KINDS}
_GRANTED_TO = {
    "ConfigMap": "",
    "Secret": "",
    "Service": "",
    "InferencePool": _BACKEND_KINDS["InferencePool"],
}


def _of_kind(
    faults: Faults,
    path: str,
    reference: Mapping[str, Any],
    groups: Mapping[str, str],
    default: str | None = None,
) -> str | None:
    """The kind of a reference, which is one of `groups` in its group; None where it is wrong."""
    group = _text(reference, "group", None if default is None else groups[default])
    kind = _text(reference, "kind", default)
    if kind is None:
        return None
    if expected := _istio_takes(*groups)(kind):
        faults.add(at(path, "kind"), f"found {kind!r}, expected {expected}")
        return None
    if group is not None and group != groups[kind]:
        found = repr(group) if "group" in reference else f"nothing, which is {group!r}"
        faults.add(at(path, "group"), f"found {found}, expected {groups[kind]!r} for kind {kind}")
        return None
    return kind


def _one_of_kinds(groups: Mapping[str, str], default: str | None = None) -> Rule:
    """A reference to one of these kinds of objects, by default the kind `default`."""

    def check(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
        _of_kind(faults, path, reference, groups, default)

    return check


def _route_kind(faults: Faults, path: str, kind: Mapping[str, Any]) -> None:
    _of_kind(faults, path, {"group": _GATEWAY_API, **kind}, _ROUTE_KINDS)


def _parent(faults: Faults, path: str, parent: Mapping[str, Any]) -> None:
    kind = _of_kind(faults, path, parent, _PARENT_KINDS, "Gateway")
    if kind == "Service":
        _service_name(faults, path, parent)
    if kind in ("Service", "ServiceEntry") and "sectionName" in parent:
        faults.add(
            at(path, "sectionName"), f"found for a {kind}, expected none: Istio ignores it there"
        )


def _backend_reference(faults: Faults, path: str, backend: Mapping[str, Any]) -> None:
    kind = _of_kind(faults, path, backend, _BACKEND_KINDS, "Service")
    if kind == "Service":
        _service_name(faults, path, backend)
    if kind == "Hostname" and "namespace" in backend:
        faults.add(
            at(path, "namespace"), "found for a Hostname, expected none: Istio refuses the route"
        )
    if kind not in (None, "InferencePool") and "port" not in backend:
        faults.add(at(path, "port"), f"found nothing, expected a port of the {kind}")


def _service_name(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    name = _text(reference, "name")
    if name and valid.subdomain(name) is None and valid.dns_label(name):
        faults.add(
            at(path, "name"),
            f"found {valid.shown(name)}, expected the name of a Service, not its host name",
        )


# Gateway


def _selector(faults: Faults, path: str, namespaces: Mapping[str, Any]) -> None:
    from_ = _text(namespaces, "from", "the default")
    if from_ == "Selector" and "selector" not in namespaces:
        faults.add(at(path, "selector"), "found nothing, expected a selector beside from Selector")
    if from_ not in (None, "Selector") and "selector" in namespaces:
        faults.add(
            at(path, "selector"), f"found beside from {from_}, which ignores it, expected Selector"
        )


def _requirement(faults: Faults, path: str, requirement: Mapping[str, Any]) -> None:
    operator = _text(requirement, "operator")
    empty = _empty(requirement, "values")
    if operator in ("In", "NotIn") and empty is True:
        faults.add(at(path, "values"), f"found none, expected at least one for operator {operator}")
    if operator in ("Exists", "DoesNotExist") and empty is False:
        faults.add(at(path, "values"), f"found some, expected none for operator {operator}")


def _listener_tls(faults: Faults, path: str, tls: Mapping[str, Any]) -> None:
    mode = _text(tls, "mode", "Terminate")
    if mode == "Terminate" and _empty(tls, "certificateRefs") and _empty(tls, "options"):
        faults.add(
            at(path, "certificateRefs"), "found none, expected at least one for mode Terminate"
        )
    if mode == "Passthrough" and _empty(tls, "certificateRefs") is False:
        faults.add(
            at(path, "certificateRefs"),
            "found for mode Passthrough, which ignores them, expected none",
        )


def _listener(faults: Faults, path: str, listener: Mapping[str, Any]) -> None:
    protocol = _text(listener, "protocol")
    if protocol in ("HTTP", "TCP") and "tls" in listener:
        faults.add(at(path, "tls"), f"found for protocol {protocol}, expected none")
    if protocol in ("HTTPS", "TLS") and "tls" not in listener:
        faults.add(
            at(path, "tls"),
            f"found nothing, expected the TLS of protocol {protocol}: Istio skips such a listener",
        )
    if protocol == "HTTPS" and _text(_mapping(listener, "tls"), "mode") == "Passthrough":
        faults.add(
            at(path, "tls.mode"), "found 'Passthrough', expected 'Terminate' for protocol HTTPS"
        )
    if protocol == "TCP" and "hostname" in listener:
        faults.add(at(path, "hostname"), "found for protocol TCP, expected none")
    port = _number(listener, "port")
    if protocol == "HBONE" and port not in (None, 15008):
        faults.add(at(path, "port"), f"found {port!r}, expected 15008 for protocol HBONE")


def _address(faults: Faults, path: str, address: Mapping[str, Any]) -> None:
    type_, value = _text(address, "type", "IPAddress"), _text(address, "value")
    if value is not None and type_ is not None and type_ in _ADDRESSES:
        faults.check(at(path, "value"), value, _ADDRESSES[type_])
    if type_ == "Hostname" and "value" not in address:
        faults.add(at(path, "value"), "found nothing, expected the Service that runs the gateway")


def _ip_address(value: object) -> str | None:
    if valid.address(value) or "%" in str(value):
        return "an IP address without a zone, for type IPAddress"
    return None


_ADDRESSES: Mapping[str, Check] = {"IPAddress": _ip_address, "Hostname": _precise_hostname}


def _listeners(faults: Faults, path: str, owner: Mapping[str, Any]) -> None:
    unique(
        faults,
        (
            (where, (port, protocol, hostname), f"port {port}, protocol {protocol} and hostname")
            for where, listener in _elements(path, owner, "listeners")
            if (port := _number(listener, "port")) is not None
            and (protocol := _text(listener, "protocol")) is not None
            and (hostname := _text(listener, "hostname", "")) is not None
        ),
        "another port, protocol or hostname",
    )


def _gateway(faults: Faults, path: str, gateway: Mapping[str, Any]) -> None:
    _listeners(faults, path, gateway)
    listeners = list(_elements(path, gateway, "listeners"))
    class_ = _text(gateway, "gatewayClassName")
    if class_ == "istio-waypoint":
        _waypoint_listeners(faults, path, gateway)
    hbone = [where for where, each in listeners if _text(each, "protocol") == "HBONE"]
    for where, listener in listeners:
        if class_ == "istio" and where in hbone:
            faults.add(
                at(where, "protocol"),
                "found 'HBONE', expected HTTP, HTTPS, TLS or TCP: it is for waypoints only",
            )
        if hbone and where not in hbone and _number(listener, "port") == 15008:
            faults.add(at(where, "port"), f"found 15008, expected another than {hbone[0]} has")
    addresses = list(_elements(path, gateway, "addresses"))
    if len(_list(gateway, "addresses")) > 1 and any(
        _text(address, "type", "IPAddress") == "IPAddress" for _, address in addresses
    ):
        faults.add(
            at(path, "addresses"),
            f"found {len(_list(gateway, 'addresses'))} elements, expected one IPAddress alone: with"
            " more Istio deploys no gateway and ignores them",
        )
    unique(
        faults,
        (
            (at(where, "value"), (_text(address, "type", "IPAddress"), value), repr(value))
            for where, address in addresses
            if (value := _text(address, "value")) is not None
        ),
        "each address once",
    )


def _waypoint_listeners(faults: Faults, path: str, gateway: Mapping[str, Any]) -> None:
    listeners = _list(gateway, "listeners")
    if len(listeners) > 1:
        faults.add(
            at(path, "listeners"),
            f"found {len(listeners)} elements, expected one: a waypoint's is port 15008, protocol"
            " HBONE",
        )
    for where, listener in _elements(path, gateway, "listeners"):
        protocol = _text(listener, "protocol")
        if protocol not in (None, "HBONE"):
            faults.add(
                at(where, "protocol"),
                f"found {protocol!r}, expected 'HBONE', the only one of class istio-waypoint",
            )


# Parts of HTTPRoute and GRPCRoute


def _headers(faults: Faults, path: str, headers: Mapping[str, Any]) -> None:
    names = [
        (at(where, "name"), name)
        for field in ("set", "add")
        for where, header in _elements(path, headers, field)
        if (name := _text(header, "name")) is not None
    ]
    names += _strings(path, headers, "remove")
    unique(
        faults,
        ((where, name.lower(), repr(name)) for where, name in names),
        "each header once, whatever its case: Istio ignores the second",
    )


def _fraction(faults: Faults, path: str, fraction: Mapping[str, Any]) -> None:
    numerator, denominator = _number(fraction, "numerator"), _number(fraction, "denominator", 100)
    if numerator is not None and denominator is not None and numerator > denominator:
        faults.add(
            at(path, "numerator"),
            f"found {numerator}, expected at most the denominator, {denominator}",
        )


def _mirror(faults: Faults, path: str, mirror: Mapping[str, Any]) -> None:
    if "percent" in mirror and "fraction" in mirror:
        faults.add(at(path, "fraction"), "found beside percent, expected one of both")


def _named_by_type(class_: Any) -> Rule:
    """Of the fields of a class the one that is named like its type, `cors` for `CORS`."""
    fields = {field.lower(): field for field in class_.__annotations__}

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        type_ = _text(value, "type")
        if type_ is None:
            return
        field = fields[type_.lower()]
        if field not in value:
            faults.add(at(path, field), f"found nothing, expected it for type {type_}")
        for other in value:
            if other not in ("type", field):
                faults.add(at(path, other), f"found for type {type_}, expected {field} alone")

    return check


def _filters(faults: Faults, path: str, owner: Mapping[str, Any]) -> None:
    types = [
        (at(where, "type"), type_)
        for where, filter_ in _elements(path, owner, "filters")
        if (type_ := _text(filter_, "type")) is not None
    ]
    unique(
        faults,
        ((where, type_, repr(type_)) for where, type_ in types if type_ != "RequestMirror"),
        "one filter of this type",
    )
    redirects = [where for where, type_ in types if type_ == "RequestRedirect"]
    rewrites = [where for where, type_ in types if type_ == "URLRewrite"]
    if redirects and rewrites:
        faults.add(rewrites[0], f"found 'URLRewrite' beside {redirects[0]}, expected one of both")


def _backend(faults: Faults, path: str, backend: Mapping[str, Any]) -> None:
    _backend_reference(faults, path, backend)
    _filters(faults, path, backend)
    for where, filter_ in _elements(path, backend, "filters"):
        type_ = _text(filter_, "type", "")
        if type_ is not None and not type_.endswith("HeaderModifier"):
            faults.add(
                at(where, "type"),
                f"found {type_!r}, expected RequestHeaderModifier or ResponseHeaderModifier: Istio"
                " takes no other on a backend",
            )


def _header_matches(faults: Faults, path: str, match: Mapping[str, Any]) -> None:
    unique(
        faults,
        (
            (at(where, "name"), name.lower(), repr(name))
            for where, header in _elements(path, match, "headers")
            if (name := _text(header, "name")) is not None
        ),
        "each header once, whatever its case",
    )


# Rules of a route as a whole

_Key = Callable[[Mapping[str, Any]], tuple[str, Hashable] | None]
"""What a match matches, in words and as it is compared; None where that is not wholly known."""


def check_http_rules(faults: Faults, path: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Record what is wrong with the rules of an HTTPRoute, at `path`, as a whole.

    Of rules in a shorter form every match is written out here; faults name the rule.
    """
    most = api.LIMITS[api.HTTPRouteRule]["matches"].high or math.inf
    for where, rule in _rules(path, rules):
        if (many := len(_list(rule, "matches"))) > most:
            faults.add(where, f"found {many} matches, expected at most {most}")
    _check_http_rules(faults, path, rules)


def _check_http_rules(faults: Faults, path: str, rules: Sequence[Any]) -> None:
    _between_rules(faults, path, rules, _http_match, default=1)
    for place, rule in _rules(path, rules):
        for where, filter_ in _elements(place, rule, "filters"):
            for field in ("requestRedirect", "urlRewrite"):
                modifier = _mapping(_mapping(filter_, field), "path")
                if _text(modifier, "type") == "ReplacePrefixMatch" and not _one_prefix(rule):
                    faults.add(
                        at(where, f"{field}.path.type"),
                        "found 'ReplacePrefixMatch', expected it in a rule of exactly one match, by"
                        " PathPrefix",
                    )


def check_grpc_rules(faults: Faults, path: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Record what is wrong between the rules of a GRPCRoute, at `path`."""
    _between_rules(faults, path, rules, _grpc_match, default=0)


def _rules(path: str, rules: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rules, as far as they are known, with their paths."""
    for position, rule in enumerate(rules):
        if isinstance(rule, Mapping):
            yield f"{path}[{position}]", rule


def _between_rules(
    faults: Faults, path: str, rules: Sequence[Any], key: _Key, *, default: int
) -> None:
    """Record what is wrong between rules, of which one without matches counts `default`."""
    listed = list(_rules(path, rules))
    many = sum(len(_list(rule, "matches")) if "matches" in rule else default for _, rule in listed)
    if many > 128:
        faults.add(path, f"found {many} matches in all rules, expected at most 128")
    unique(
        faults,
        (
            (at(where, "name"), name, repr(name))
            for where, rule in listed
            if (name := _text(rule, "name")) is not None
        ),
        "each rule to have a name of its own",
    )
    earlier: dict[Hashable, str] = {}
    for where, rule in listed:
        found = [key(match) for match in _list(rule, "matches") if isinstance(match, Mapping)]
        if _empty(rule, "matches"):
            found = [key({})]
        own = {match: words for words, match in filter(None, found)}
        for match in filter(earlier.__contains__, own):
            faults.add(
                where,
                f"found the match of {own[match]} as in {earlier[match]}, which comes first,"
                " expected another: no request gets here",
            )
        earlier = {**dict.fromkeys(own, where), **earlier}


def _parents(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
    identity = {"group": _GATEWAY_API, "kind": "Gateway", "name": None, "namespace": ""}
    _sections(faults, path, route, "parentRefs", identity)


def _sections(
    faults: Faults,
    path: str,
    owner: Mapping[str, Any],
    field: str,
    identity: Mapping[str, str | None],
) -> None:
    """Check that references to one object name a section of it each, all another one.

    `identity` are the fields that tell objects apart, with their defaults.
    """
    what = {"parentRefs": "parent", "targetRefs": "target"}[field]
    sections: dict[Hashable, list[tuple[str, str | None]]] = {}
    for where, reference in _elements(path, owner, field):
        key = tuple(_text(reference, name, default) for name, default in identity.items())
        section = _text(reference, "sectionName", "")
        if section is None or None in key:
            continue
        for other, taken in sections.setdefault(key, []):
            if not section or not taken:
                faults.add(where, f"found the {what} of {other}, expected a sectionName in both")
                break
            if section == taken:
                faults.add(
                    at(where, "sectionName"),
                    f"found {section!r} of the same {what} as in {other}, expected another",
                )
                break
        sections[key].append((where, section))


def _hostnames(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
    parents = [_text(parent, "kind") for _, parent in _elements(path, route, "parentRefs")]
    if (
        _list(route, "hostnames")
        and parents
        and all(kind in ("Service", "ServiceEntry") for kind in parents)
        and len(parents) == len(_list(route, "parentRefs"))
    ):
        faults.add(
            at(path, "hostnames"),
            "found beside a Service as parent, expected none: its requests are routed whatever"
            " their host name",
        )


def _header_keys(match: Mapping[str, Any], field: str) -> Hashable:
    """The conditions on headers or parameters in any order; None where one is not known."""
    keys: list[tuple[str, str, str]] = []
    for element in _list(match, field):
        header = element if isinstance(element, Mapping) else {}
        type_ = _text(header, "type", "Exact")
        name, value = _text(header, "name"), _text(header, "value")
        if type_ is None or name is None or value is None:
            return None
        keys.append((type_, name.lower() if field == "headers" else name, value))
    known = field not in match or isinstance(match[field], Sequence)
    return tuple(sorted(keys)) if known else None


# HTTPRoute


def _path_match(faults: Faults, path: str, match: Mapping[str, Any]) -> None:
    value = _text(match, "value", "/")
    plain = _text(match, "type", "PathPrefix") in ("Exact", "PathPrefix")
    if plain and value is not None and len(value) <= 1024:
        faults.check(at(path, "value"), value, valid.path_prefix)


def _cors(faults: Faults, path: str, cors: Mapping[str, Any]) -> None:
    for field in ("allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders"):
        if "*" in _list(cors, field) and len(_list(cors, field)) > 1:
            faults.add(at(path, field), "found '*' beside others, expected it alone")


def _milliseconds(duration: str) -> int:
    units = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
    return sum(int(many) * units[unit] for many, unit in re.findall(r"(\d+)(ms|h|m|s)", duration))


def _timeouts(faults: Faults, path: str, timeouts: Mapping[str, Any]) -> None:
    request, backend = _text(timeouts, "request"), _text(timeouts, "backendRequest")
    if request is None or backend is None:
        return
    if 0 < _milliseconds(request) < _milliseconds(backend):
        faults.add(
            at(path, "backendRequest"), f"found {backend!r}, expected at most request, {request!r}"
        )


def _http_rule(faults: Faults, path: str, rule: Mapping[str, Any]) -> None:
    _filters(faults, path, rule)
    for where, filter_ in _elements(path, rule, "filters"):
        if "requestRedirect" in filter_ and _list(rule, "backendRefs"):
            faults.add(
                at(path, "backendRefs"),
                f"found beside the redirect of {where}, expected none",
            )


def _http_route(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
    _parents(faults, path, route)
    _hostnames(faults, path, route)
    _check_http_rules(faults, at(path, "rules"), _list(route, "rules"))


def _one_prefix(rule: Mapping[str, Any]) -> bool:
    """Whether a rule has a single match, by PathPrefix, as far as it is known."""
    matches = rule.get("matches", [{}])
    if not isinstance(matches, Sequence):
        return True
    if len(matches) != 1:
        return False
    path = _mapping(matches[0], "path") if isinstance(matches[0], Mapping) else {}
    return _text(path, "type", "PathPrefix") in (None, "PathPrefix")


def _http_match(match: Mapping[str, Any]) -> tuple[str, Hashable] | None:
    path = match.get("path", {})
    if not isinstance(path, Mapping):
        return None
    type_, value = _text(path, "type", "PathPrefix"), _text(path, "value", "/")
    if type_ == "PathPrefix" and isinstance(value, str):
        value = value.removesuffix("/")
    parts = (
        type_,
        value,
        _text(match, "method", ""),
        _header_keys(match, "headers"),
        _header_keys(match, "queryParams"),
    )
    return None if None in parts else (f"path {value or '/'!r}", parts)


# GRPCRoute


def _grpc_route(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
    _parents(faults, path, route)
    _hostnames(faults, path, route)
    check_grpc_rules(faults, at(path, "rules"), _list(route, "rules"))


def _grpc_method(faults: Faults, path: str, method: Mapping[str, Any]) -> None:
    if "service" not in method and "method" not in method:
        faults.add(path, f"found {dict(method)!r}, expected service, method or both")
    if _text(method, "type", "Exact") == "Exact":
        for field, check in _GRPC_NAMES.items():
            if (name := _text(method, field)) is not None and len(name) <= 1024:
                faults.check(at(path, field), name, check)


_GRPC_NAMES: Mapping[str, Check] = {
    "service": Limit(
        pattern=r"^\.?[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_][A-Za-z_0-9]*)*$",
        words="a service like 'example.v1.Greeter'",
    ),
    "method": Limit(pattern="^[A-Za-z_][A-Za-z_0-9]*$", words="a method like 'SayHello'"),
}


def _grpc_match(match: Mapping[str, Any]) -> tuple[str, Hashable] | None:
    method = match.get("method", {})
    if not isinstance(method, Mapping):
        return None
    parts = (
        _text(method, "type", "Exact"),
        _text(method, "service", ""),
        _text(method, "method", ""),
        _header_keys(match, "headers"),
    )
    return None if None in parts else (f"method '{parts[1] or '*'}/{parts[2] or '*'}'", parts)


# BackendTLSPolicy


def _backend_tls(faults: Faults, path: str, validation: Mapping[str, Any]) -> None:
    none_referred_to = _empty(validation, "caCertificateRefs")
    well_known = _text(validation, "wellKnownCACertificates", "")
    if none_referred_to and well_known == "":
        faults.add(
            at(path, "caCertificateRefs"),
            "found none, expected one, or wellKnownCACertificates, to trust the backend by",
        )
    if none_referred_to is False and well_known:
        faults.add(
            at(path, "wellKnownCACertificates"),
            "found beside caCertificateRefs, expected one of both",
        )


def _backend_tls_targets(faults: Faults, path: str, policy: Mapping[str, Any]) -> None:
    identity: dict[str, str | None] = {"group": None, "kind": None, "name": None}
    _sections(faults, path, policy, "targetRefs", identity)


_RULES: Rules = {
    api.LabelSelectorRequirement: _requirement,
    api.ObjectReference: _one_of_kinds({"ConfigMap": "", "Secret": ""}),
    api.SecretObjectReference: _one_of_kinds({"Secret": ""}, "Secret"),
    api.ParentReference: _parent,
    api.ParentGatewayReference: _one_of_kinds({"Gateway": _GATEWAY_API}, "Gateway"),
    api.BackendObjectReference: _backend_reference,
    api.BackendRef: _backend_reference,
    api.HTTPBackendRef: _backend,
    api.GRPCBackendRef: _backend,
    api.ListenerTLS: _listener_tls,
    api.RouteGroupKind: _route_kind,
    api.RouteNamespaces: _selector,
    api.ListenerNamespaces: _selector,
    api.Listener: _listener,
    api.ListenerEntry: _listener,
    api.GatewaySpecAddress: _address,
    api.LocalParametersReference: _one_of_kinds({"ConfigMap": ""}),
    api.GatewaySpec: _gateway,
    api.ListenerSetSpec: _listeners,
    api.HTTPHeaderFilter: _headers,
    api.Fraction: _fraction,
    api.HTTPRequestMirrorFilter: _mirror,
    api.HTTPPathMatch: _path_match,
    api.HTTPRouteMatch: _header_matches,
    api.HTTPPathModifier: _named_by_type(api.HTTPPathModifier),
    api.HTTPCORSFilter: _cors,
    api.HTTPRouteFilter: _named_by_type(api.HTTPRouteFilter),
    api.HTTPRouteTimeouts: _timeouts,
    api.HTTPRouteRule: _http_rule,
    api.HTTPRouteSpec: _http_route,
    api.GRPCMethodMatch: _grpc_method,
    api.GRPCRouteMatch: _header_matches,
    api.GRPCRouteFilter: _named_by_type(api.GRPCRouteFilter),
    api.GRPCRouteRule: _filters,
    api.GRPCRouteSpec: _grpc_route,
    api.TLSRouteSpec: _parents,
    api.TCPRouteSpec: _parents,
    api.SubjectAltName: _named_by_type(api.SubjectAltName),
    api.BackendTLSPolicyValidation: _backend_tls,
    api.BackendTLSPolicySpec: _backend_tls_targets,
    api.ReferenceGrantFrom: _one_of_kinds(_GRANTED_FROM),
    api.ReferenceGrantTo: _one_of_kinds(_GRANTED_TO),
}

_IN_ANY_CASE = ("set", "add", "remove", "headers")
"""Lists of headers, which are the same in any case: `_headers` and `_header_matches` see to it."""

_DISTINCT: Distinct = {
    class_: {field: key for field, key in fields.items() if field not in _IN_ANY_CASE}
    for class_, fields in api.DISTINCT.items()
}

SCHEMA = Schema(api.LIMITS, _RULES, distinct=_DISTINCT).extended(_STRICTER)
"""Checks the specs of all kinds of the Gateway API, and all of their parts."""
