"""What the Gateway API (v1.4 to v1.6) demands of specs beyond their shape.

Limits and rules are those of the API's own schemas, of the newest version where they differ. Where
Istio refuses or ignores what the API admits, the message says so.

https://gateway-api.sigs.k8s.io/reference/spec/
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..checks import values as valid
from ..checks.schema import Bases, Limits, Rule, Rules, Schema, at
from ..checks.faults import Faults
from ..checks.values import Check
from . import gateway_types as api

_GATEWAY_API = "gateway.networking.k8s.io"
_INT32 = 2**31 - 1

# Fields


def _matching(pattern: str, words: str, longest: int) -> Check:
    return valid.Limit(None, longest, f"^({pattern})$", words)


def _group(value: object) -> str | None:
    if value == "" or valid.subdomain(value) is None:
        return None
    return "an API group like 'apps.example.com', or '' for the core group"


def _precise_hostname(value: object) -> str | None:
    if isinstance(value, str) and not value.startswith("*") and valid.hostname(value) is None:
        return None
    return "a DNS name like 'httpbin.example.com': lower case, no wildcard, port or path"


def _header_value(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[^\0-\10\12-\37\177]{1,4096}", value):
        return None
    return "1 to 4096 characters, no control characters, for which Istio refuses the route"


_kind = _matching(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?", "a kind like 'Service'", 63)
_header_name = _matching(
    r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+", "a name of letters, digits and !#$%&'*+-.^_`|~", 256
)
_origin = _matching(
    r"\*|https?://((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:[0-9]{1,5})?",
    "an origin like 'https://example.com', 'https://*.example.com:8443' or '*'",
    253,
)
_duration = _matching(
    r"([0-9]{1,5}(h|m|s|ms)){1,4}", "a duration like '1h30m', '10s' or '500ms'", 28
)
_weighted: Mapping[str, Check] = {
    "weight": valid.number(0, 1_000_000),
    "filters": valid.Limit(0, 16),
}
_header_match: Mapping[str, Check] = {"name": _header_name, "value": valid.Limit(1, 4096)}
_namespaced: Mapping[str, Check] = {
    "group": _group,
    "kind": _kind,
    "name": valid.subdomain,
    "namespace": valid.dns_label,
}
_rule: Mapping[str, Check] = {
    "name": valid.subdomain,
    "matches": valid.Limit(0, 64),
    "filters": valid.Limit(0, 16),
    "backendRefs": valid.Limit(0, 16),
}
_route: Mapping[str, Check] = {
    "parentRefs": valid.Limit(0, 32),
    "hostnames": valid.Limit(0, 16),
    "hostnames[]": valid.hostname,
}

_LIMITS: Limits = {
    api.LabelSelectorRequirement: {"key": valid.label_key, "values[]": valid.label_value},
    api.LabelSelector: {"matchLabels{}": valid.label_key, "matchLabels[]": valid.label_value},
    api.ObjectReference: _namespaced,
    api.SecretObjectReference: _namespaced,
    api.ParentReference: {
        **_namespaced,
        "sectionName": valid.subdomain,
        "port": valid.port,
    },
    api.BackendObjectReference: {**_namespaced, "port": valid.port},
    # Gateway
    api.ListenerTLS: {
        "certificateRefs": valid.Limit(0, 2, reason=", as Istio takes no more"),
        "options": valid.Limit(0, 16),
        "options[]": valid.Limit(0, 4096),
    },
    api.RouteGroupKind: {"group": _group, "kind": _kind},
    api.AllowedRoutes: {"kinds": valid.Limit(0, 8)},
    api.Listener: {"name": valid.subdomain, "hostname": valid.hostname, "port": valid.port},
    api.GatewayAddress: {"value": valid.Limit(0, 253)},
    api.ParametersReference: {"group": _group, "kind": _kind, "name": valid.subdomain},
    api.GatewayInfrastructure: {
        "labels": valid.Limit(0, 8),
        "labels{}": valid.label_key,
        "labels[]": valid.label_value,
        "annotations": valid.Limit(0, 16),
        "annotations{}": valid.label_key,
        "annotations[]": valid.Limit(0, 4096),
    },
    api.FrontendTLSValidation: {
        "caCertificateRefs": valid.Limit(1, 1, reason=", as Istio takes no more"),
    },
    api.TLSPortConfig: {"port": valid.port},
    api.FrontendTLSConfig: {"perPort": valid.Limit(0, 64)},
    api.GatewaySpec: {
        "gatewayClassName": valid.subdomain,
        "listeners": valid.Limit(1, 64),
        "addresses": valid.Limit(0, 16),
    },
    # HTTPRoute and GRPCRoute
    api.HTTPHeader: {"name": _header_name, "value": _header_value},
    api.HTTPHeaderFilter: {
        "set": valid.Limit(0, 16),
        "add": valid.Limit(0, 16),
        "remove": valid.Limit(0, 16),
        "remove[]": _header_name,
    },
    api.Fraction: {"numerator": valid.number(0, _INT32), "denominator": valid.number(1, _INT32)},
    api.HTTPRequestMirrorFilter: {"percent": valid.number(0, 100)},
    # HTTPRoute
    api.HTTPPathMatch: {"value": valid.Limit(0, 1024)},
    api.HTTPHeaderMatch: _header_match,
    api.HTTPQueryParamMatch: {"name": _header_name, "value": valid.Limit(1, 1024)},
    api.HTTPRouteMatch: {"headers": valid.Limit(0, 16), "queryParams": valid.Limit(0, 16)},
    api.HTTPPathModifier: {
        "replaceFullPath": valid.Limit(0, 1024),
        "replacePrefixMatch": valid.Limit(0, 1024),
    },
    api.HTTPRequestRedirectFilter: {"hostname": _precise_hostname, "port": valid.port},
    api.HTTPURLRewriteFilter: {"hostname": _precise_hostname},
    api.HTTPCORSFilter: {
        "allowOrigins": valid.Limit(0, 64),
        "allowOrigins[]": _origin,
        "allowMethods": valid.Limit(0, 9),
        "allowHeaders": valid.Limit(0, 64),
        "allowHeaders[]": _header_name,
        "exposeHeaders": valid.Limit(0, 64),
        "exposeHeaders[]": _header_name,
        "maxAge": valid.number(1, _INT32),
    },
    api.HTTPBackendRef: _weighted,
    api.HTTPRouteTimeouts: {"request": _duration, "backendRequest": _duration},
    api.HTTPRouteRule: _rule,
    api.HTTPRouteSpec: {**_route, "rules": valid.Limit(1, 16)},
    # GRPCRoute
    api.GRPCMethodMatch: {"service": valid.Limit(0, 1024), "method": valid.Limit(0, 1024)},
    api.GRPCHeaderMatch: _header_match,
    api.GRPCRouteMatch: {"headers": valid.Limit(0, 16)},
    api.GRPCBackendRef: _weighted,
    api.GRPCRouteRule: _rule,
    api.GRPCRouteSpec: {**_route, "rules": valid.Limit(0, 16)},
    # ReferenceGrant
    api.ReferenceGrantFrom: {"group": _group, "kind": _kind, "namespace": valid.dns_label},
    api.ReferenceGrantTo: {"group": _group, "kind": _kind, "name": valid.subdomain},
    api.ReferenceGrantSpec: {"from": valid.Limit(1, 16), "to": valid.Limit(1, 16)},
}

_BASES: Bases = {
    api.HTTPBackendRef: api.BackendObjectReference,
    api.GRPCBackendRef: api.BackendObjectReference,
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


def _unique(faults: Faults, values: Iterable[tuple[str, Hashable, str]], expected: str) -> None:
    """Of paths, values and their words, record every value that another path has already."""
    owners: dict[Hashable, str] = {}
    for path, value, words in values:
        if value in owners:
            faults.add(path, f"found {words} as in {owners[value]}, expected {expected}")
        else:
            owners[value] = path


# Objects that are referred to

_CORE_KINDS = {"ConfigMap": "", "Secret": "", "Service": ""}
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
_CA_KINDS = {"ConfigMap": "", "Secret": ""}
_GRANTED_FROM = {"Gateway": _GATEWAY_API, "ListenerSet": _GATEWAY_API, **_ROUTE_KINDS}
_GRANTED_TO = {**_CORE_KINDS, "InferencePool": _BACKEND_KINDS["InferencePool"]}


def _of_kind(
    faults: Faults,
    path: str,
    reference: Mapping[str, Any],
    groups: Mapping[str, str],
    default: str | None = None,
) -> str | None:
    """The kind of a reference, which is one of `groups` in its group; None where it is wrong."""
    default_group = None if default is None else groups[default]
    group: str | None = _text(reference, "group", default_group)
    kind: str | None = _text(reference, "kind", default)
    if kind is not None and kind not in groups:
        valid_kinds = valid.one_of(*groups)(kind) if len(groups) > 1 else repr(*groups)
        faults.add(
            at(path, "kind"), f"found {kind!r}, expected {valid_kinds}; Istio takes no other"
        )
        return None
    if kind is not None and group is not None and group != groups[kind]:
        found = repr(group) if "group" in reference else f"nothing, which is {group!r}"
        faults.add(at(path, "group"), f"found {found}, expected {groups[kind]!r} for kind {kind}")
        return None
    return kind


def _ca_reference(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    _of_kind(faults, path, reference, _CA_KINDS)


def _certificate_reference(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    _of_kind(faults, path, reference, {"Secret": ""}, "Secret")


def _parameters_reference(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    _of_kind(faults, path, reference, {"ConfigMap": ""})


def _route_kind(faults: Faults, path: str, kind: Mapping[str, Any]) -> None:
    _of_kind(faults, path, {"group": _GATEWAY_API, **kind}, _ROUTE_KINDS)


def _granted_from(faults: Faults, path: str, grant: Mapping[str, Any]) -> None:
    _of_kind(faults, path, grant, _GRANTED_FROM)


def _granted_to(faults: Faults, path: str, grant: Mapping[str, Any]) -> None:
    _of_kind(faults, path, grant, _GRANTED_TO)


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
    if value is not None and type_ is not None:
        faults.check(at(path, "value"), value, _ADDRESSES[type_])
    if type_ == "Hostname" and "value" not in address:
        faults.add(at(path, "value"), "found nothing, expected the Service that runs the gateway")


def _ip_address(value: object) -> str | None:
    if valid.address(value) or "%" in str(value):
        return "an IP address without a zone, for type IPAddress"
    return None


_ADDRESSES: Mapping[str, Check] = {"IPAddress": _ip_address, "Hostname": _precise_hostname}


def _frontend_tls(faults: Faults, path: str, tls: Mapping[str, Any]) -> None:
    _unique(
        faults,
        (
            (at(where, "port"), port, repr(port))
            for where, config in _elements(path, tls, "perPort")
            if (port := _number(config, "port")) is not None
        ),
        "each port once",
    )


def _gateway(faults: Faults, path: str, gateway: Mapping[str, Any]) -> None:
    listeners = list(_elements(path, gateway, "listeners"))
    _unique_names(faults, listeners, "listener")
    _unique(
        faults,
        (
            (where, (port, protocol, hostname), f"port {port}, protocol {protocol} and hostname")
            for where, listener in listeners
            if (port := _number(listener, "port")) is not None
            and (protocol := _text(listener, "protocol")) is not None
            and (hostname := _text(listener, "hostname", "")) is not None
        ),
        "another port, protocol or hostname",
    )
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
    _unique(
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


def check_http_rules(faults: Faults, path: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Record what is wrong between the rules of an HTTPRoute, which stand at `path`."""
    _check_rules(faults, path, rules, _http_match_key, 1)


def check_grpc_rules(faults: Faults, path: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Record what is wrong between the rules of a GRPCRoute, which stand at `path`."""
    _check_rules(faults, path, rules, _grpc_match_key, 0)


def _check_rules(faults, path, rules, key, default):
    owner, _, field = path.rpartition(".")
    route = {field: rules}
    for check in (_match_count,):
        pass
    route = {"rules": rules}
    del owner
    inner = Faults("")
    _match_count(inner, "", route, default)
    _unique_names(inner, _elements("", route, "rules"), "rule")
    _reachable(inner, "", route, key)
    for line in inner._lines:
        faults.add(path + line.split(": ", 1)[0].removeprefix("rules"), line.split(": ", 1)[1])


def _unique_names(
    faults: Faults, owners: Iterable[tuple[str, Mapping[str, Any]]], what: str
) -> None:
    _unique(
        faults,
        (
            (at(path, "name"), name, repr(name))
            for path, owner in owners
            if (name := _text(owner, "name")) is not None
        ),
        f"each {what} to have a name of its own",
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
    _unique(
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


_FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "CORS": "cors",
}


def _filter(faults: Faults, path: str, filter_: Mapping[str, Any]) -> None:
    type_ = _text(filter_, "type")
    if type_ is None:
        return
    if _FILTERS[type_] not in filter_:
        faults.add(at(path, _FILTERS[type_]), f"found nothing, expected it for type {type_}")
    for field in _FILTERS.values():
        if field in filter_ and field != _FILTERS[type_]:
            faults.add(at(path, field), f"found for type {type_}, expected {_FILTERS[type_]} alone")


def _filters(faults: Faults, path: str, owner: Mapping[str, Any]) -> None:
    types = [
        (at(where, "type"), type_)
        for where, filter_ in _elements(path, owner, "filters")
        if (type_ := _text(filter_, "type")) is not None
    ]
    _unique(
        faults,
        ((where, type_, repr(type_)) for where, type_ in types if type_ != "RequestMirror"),
        "one filter of this type",
    )
    redirects = [where for where, type_ in types if type_ == "RequestRedirect"]
    rewrites = [where for where, type_ in types if type_ == "URLRewrite"]
    if redirects and rewrites:
        faults.add(rewrites[0], f"found 'URLRewrite' beside {redirects[0]}, expected one of both")


def _header_matches(faults: Faults, path: str, match: Mapping[str, Any]) -> None:
    _unique(
        faults,
        (
            (at(where, "name"), name.lower(), repr(name))
            for where, header in _elements(path, match, "headers")
            if (name := _text(header, "name")) is not None
        ),
        "each header once, whatever its case",
    )


_Match = tuple[str, Hashable]


def _known_matches(
    path: str, rule: Mapping[str, Any], key: Callable[[Mapping[str, Any]], Hashable]
) -> Iterator[_Match]:
    """The matches of a rule that are wholly known, with their paths; without any, every request."""
    if _empty(rule, "matches") and (everything := key({})):
        yield path, everything
    for where, match in _elements(path, rule, "matches"):
        if (condition := key(match)) is not None:
            yield where, condition


def _route_rule(key: Callable[[Mapping[str, Any]], Hashable], default: int) -> Rule:
    """The rule of a kind of route: `key` is what a match matches, `default` their number unsaid."""

    def check(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
        _parents(faults, path, route)
        _match_count(faults, path, route, default)
        _unique_names(faults, _elements(path, route, "rules"), "rule")
        _reachable(faults, path, route, key)

    return check


def _reachable(
    faults: Faults,
    path: str,
    route: Mapping[str, Any],
    key: Callable[[Mapping[str, Any]], Hashable],
) -> None:
    """Check that no rule has a match of an earlier one."""
    earlier: dict[Hashable, str] = {}
    for place, rule in _elements(path, route, "rules"):
        own: dict[Hashable, str] = {}
        for where, match in _known_matches(place, rule, key):
            if match in earlier:
                faults.add(
                    where,
                    f"found the match of {earlier[match]}, which comes first, expected another:"
                    " no request gets here",
                )
            own.setdefault(match, where)
        earlier = {**own, **earlier}


def _parents(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
    sections: dict[Hashable, list[tuple[str, str | None]]] = {}
    parents = list(_elements(path, route, "parentRefs"))
    for where, parent in parents:
        key = (
            _text(parent, "group", _GATEWAY_API),
            _text(parent, "kind", "Gateway"),
            _text(parent, "name"),
            _text(parent, "namespace", ""),
        )
        section = _text(parent, "sectionName", "")
        if section is None or None in key:
            continue
        for other, taken in sections.setdefault(key, []):
            if not section or not taken:
                faults.add(where, f"found the parent of {other}, expected a sectionName in both")
                break
            if section == taken:
                faults.add(
                    at(where, "sectionName"),
                    f"found {section!r} of the same parent as in {other}, expected another",
                )
                break
        sections[key].append((where, section))
    of_mesh = [_text(parent, "kind") in ("Service", "ServiceEntry") for _, parent in parents]
    if (
        _list(route, "hostnames")
        and of_mesh
        and all(of_mesh)
        and len(of_mesh) == len(_list(route, "parentRefs"))
    ):
        faults.add(
            at(path, "hostnames"),
            "found beside a Service as parent, expected none: its requests are routed whatever"
            " their host name",
        )


def _match_count(faults: Faults, path: str, route: Mapping[str, Any], default: int) -> None:
    counts = [
        len(_list(rule, "matches")) if "matches" in rule else default
        for _, rule in _elements(path, route, "rules")
    ]
    if sum(counts) > 128:
        faults.add(
            at(path, "rules"), f"found {sum(counts)} matches in all rules, expected at most 128"
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


def _http_match(faults: Faults, path: str, match: Mapping[str, Any]) -> None:
    _header_matches(faults, path, match)
    _unique(
        faults,
        (
            (at(where, "name"), name, repr(name))
            for where, parameter in _elements(path, match, "queryParams")
            if (name := _text(parameter, "name")) is not None
        ),
        "each parameter once",
    )


_MODIFIERS = {"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}


def _path_modifier(faults: Faults, path: str, modifier: Mapping[str, Any]) -> None:
    type_ = _text(modifier, "type")
    for modifying, field in _MODIFIERS.items():
        if type_ == modifying and field not in modifier:
            faults.add(at(path, field), f"found nothing, expected it for type {type_}")
        if type_ not in (None, modifying) and field in modifier:
            faults.add(at(path, field), f"found for type {type_}, expected {_MODIFIERS[type_]}")


def _cors(faults: Faults, path: str, cors: Mapping[str, Any]) -> None:
    for field in ("allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders"):
        _unique(
            faults,
            ((where, value, repr(value)) for where, value in _strings(path, cors, field)),
            "each once",
        )
        if "*" in _list(cors, field) and len(_list(cors, field)) > 1:
            faults.add(at(path, field), "found '*' beside others, expected it alone")


def _milliseconds(duration: str) -> int:
    units = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
    return sum(int(many) * units[unit] for many, unit in re.findall(r"(\d+)(ms|h|m|s)", duration))


def _timeouts(faults: Faults, path: str, timeouts: Mapping[str, Any]) -> None:
    request, backend = _text(timeouts, "request"), _text(timeouts, "backendRequest")
    if request is None or backend is None or _duration(request) or _duration(backend):
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
        for field in ("requestRedirect", "urlRewrite"):
            modifier = _mapping(_mapping(filter_, field), "path")
            if _text(modifier, "type") == "ReplacePrefixMatch" and not _one_prefix(rule):
                faults.add(
                    at(where, f"{field}.path.type"),
                    "found 'ReplacePrefixMatch', expected it in a rule of exactly one match, by"
                    " PathPrefix",
                )


def _one_prefix(rule: Mapping[str, Any]) -> bool:
    """Whether a rule has a single match, by PathPrefix, as far as it is known."""
    matches = rule.get("matches", [{}])
    if not isinstance(matches, Sequence):
        return True
    if len(matches) != 1:
        return False
    path = _mapping(matches[0], "path") if isinstance(matches[0], Mapping) else {}
    return _text(path, "type", "PathPrefix") in (None, "PathPrefix")


def _http_match_key(match: Mapping[str, Any]) -> Hashable:
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
    return None if None in parts else parts


# GRPCRoute


def _grpc_method(faults: Faults, path: str, method: Mapping[str, Any]) -> None:
    if "service" not in method and "method" not in method:
        faults.add(path, f"found {dict(method)!r}, expected service, method or both")
    if _text(method, "type", "Exact") == "Exact":
        for field, check in _GRPC_NAMES.items():
            if (name := _text(method, field)) is not None and len(name) <= 1024:
                faults.check(at(path, field), name, check)


_GRPC_NAMES: Mapping[str, Check] = {
    "service": _matching(
        r"\.?[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_][A-Za-z_0-9]*)*",
        "a service like 'example.v1.Greeter'",
        1024,
    ),
    "method": _matching(r"[A-Za-z_][A-Za-z_0-9]*", "a method like 'SayHello'", 1024),
}


def _grpc_match_key(match: Mapping[str, Any]) -> Hashable:
    method = match.get("method", {})
    if not isinstance(method, Mapping):
        return None
    parts = (
        _text(method, "type", "Exact"),
        _text(method, "service", ""),
        _text(method, "method", ""),
        _header_keys(match, "headers"),
    )
    return None if None in parts else parts


_RULES: Rules = {
    api.LabelSelectorRequirement: _requirement,
    api.ObjectReference: _ca_reference,
    api.SecretObjectReference: _certificate_reference,
    api.ParentReference: _parent,
    api.BackendObjectReference: _backend_reference,
    api.ListenerTLS: _listener_tls,
    api.RouteGroupKind: _route_kind,
    api.RouteNamespaces: _selector,
    api.ListenerNamespaces: _selector,
    api.Listener: _listener,
    api.GatewayAddress: _address,
    api.ParametersReference: _parameters_reference,
    api.FrontendTLSConfig: _frontend_tls,
    api.GatewaySpec: _gateway,
    api.HTTPHeaderFilter: _headers,
    api.Fraction: _fraction,
    api.HTTPRequestMirrorFilter: _mirror,
    api.HeaderModifierFilter: _filter,
    api.HTTPPathMatch: _path_match,
    api.HTTPRouteMatch: _http_match,
    api.HTTPPathModifier: _path_modifier,
    api.HTTPCORSFilter: _cors,
    api.HTTPRouteFilter: _filter,
    api.HTTPBackendRef: _filters,
    api.HTTPRouteTimeouts: _timeouts,
    api.HTTPRouteRule: _http_rule,
    api.HTTPRouteSpec: _route_rule(_http_match_key, 1),
    api.GRPCMethodMatch: _grpc_method,
    api.GRPCRouteMatch: _header_matches,
    api.GRPCRouteFilter: _filter,
    api.GRPCBackendRef: _filters,
    api.GRPCRouteRule: _filters,
    api.GRPCRouteSpec: _route_rule(_grpc_match_key, 0),
    api.ReferenceGrantFrom: _granted_from,
    api.ReferenceGrantTo: _granted_to,
}

SCHEMA = Schema(_LIMITS, _RULES, _BASES)
"""Checks the specs of Gateway, HTTPRoute, GRPCRoute and ReferenceGrant and all of their parts."""
