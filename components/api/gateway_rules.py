"""What is demanded of the Gateway API's specs beyond their generated types and limits.

Names of objects, as Kubernetes has them; what Istio refuses, ignores or turns round; and those of
the API's own rules between fields that are easily broken: the API server tells them too, but not
before there is the namespace that the object is for.

https://gateway-api.sigs.k8s.io/reference/spec/
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import (
    all_of,
    by,
    distinct,
    each,
    given,
    named_by_type,
    of_api,
    one_at_most,
    some_of,
)
from ..checks.schema import Limits, Rule, Rules, at
from ..checks.values import Check, Limit, known
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


_HEADER_FILTERS = ("RequestHeaderModifier", "ResponseHeaderModifier")
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
    api.HTTPHeader: {
        "value": Limit(
            1,
            4096,
            r"^[^\x00-\x08\x0a-\x1f\x7f]*$",
            "a text without control characters, for which Istio refuses the route",
        )
    },
    api.HTTPHeaderFilter: {"remove[]": api.LIMITS[api.HTTPHeader]["name"]},
    api.HTTPRequestRedirectFilter: {"hostname": _precise_hostname},
    api.HTTPURLRewriteFilter: {"hostname": _precise_hostname},
    api.HTTPRouteFilter: {
        "type": _istio_takes(
            *_HEADER_FILTERS, "RequestMirror", "RequestRedirect", "URLRewrite", "CORS"
        )
    },
    api.GRPCRouteFilter: {"type": _istio_takes(*_HEADER_FILTERS, "RequestMirror")},
    api.HTTPRouteRule: {"sessionPersistence": _IGNORED},
    api.GRPCRouteRule: {"sessionPersistence": _IGNORED},
    api.HTTPRouteSpec: _ROUTE,
    api.GRPCRouteSpec: _ROUTE,
    api.TLSRouteSpec: _ROUTE,
    api.TCPRouteSpec: {"useDefaultGateways": _IGNORED},
    # BackendTLSPolicy
    api.BackendTLSPolicyValidation: {
        "caCertificateRefs": Limit(1, 1, reason=", as Istio takes no more"),
        "wellKnownCACertificates": _istio_takes("System"),
        "hostname": _precise_hostname,
    },
    api.BackendTLSPolicySpec: {"options": _IGNORED},
}

# Objects that are referred to

_INFERENCE = "inference.networking.k8s.io"
_ROUTE_KINDS = dict.fromkeys(("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"), _GATEWAY_API)
_GATEWAY_KINDS = dict.fromkeys(("Gateway", "ListenerSet"), _GATEWAY_API)
_PARENT_KINDS = {**_GATEWAY_KINDS, "Service": "", "ServiceEntry": "networking.istio.io"}
_BACKEND_KINDS = {
    "Service": "",
    "ServiceImport": "multicluster.x-k8s.io",
    "Hostname": "networking.istio.io",
    "InferencePool": _INFERENCE,
}
_GRANTED_FROM = {**_GATEWAY_KINDS, **_ROUTE_KINDS}
_GRANTED_TO = {"ConfigMap": "", "Secret": "", "Service": "", "InferencePool": _INFERENCE}


def _of_kind(groups: Mapping[Any, str], default: str = "") -> Rule:
    """A reference to one of these kinds of objects; without kind or group, as of `default`."""

    def check(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
        kind = reference.get("kind", default)
        group = reference.get("group", groups.get(default))
        faults.check(at(path, "kind"), kind, _istio_takes(*groups))
        if known(group) and group != groups.get(kind, group):
            found = repr(group) if "group" in reference else f"nothing, which is {group!r}"
            expected = f"{groups[kind]!r} for kind {kind}"
            faults.add(at(path, "group"), f"found {found}, expected {expected}")

    return check


def _service_name(value: object) -> str | None:
    if valid.subdomain(value) is None and valid.dns_label(value):
        return "the name of a Service, not its host name"
    return None


_parent = all_of(
    _of_kind(_PARENT_KINDS, "Gateway"),
    by(
        "kind",
        "Gateway",
        takes={
            "Service": {"name": _service_name, "sectionName": _IGNORED},
            "ServiceEntry": {"sectionName": _IGNORED},
        },
    ),
)
_backend_reference = all_of(
    _of_kind(_BACKEND_KINDS, "Service"),
    by(
        "kind",
        "Service",
        needs={kind: ["port"] for kind in _BACKEND_KINDS if kind != "InferencePool"},
        takes={
            "Service": {"name": _service_name},
            "Hostname": {"namespace": valid.nothing("Istio refuses the route")},
        },
    ),
)

# Gateway

_selector = by(
    "from",
    "the default",
    needs={"Selector": ["selector"]},
    takes={
        other: {"selector": valid.nothing("only from Selector looks at it")}
        for other in ("the default", "All", "Same", "None")
    },
)


def _ip_address(value: object) -> str | None:
    if valid.address(value) or "%" in str(value):
        return "an IP address without a zone, for type IPAddress"
    return None


_listener = by(
    "protocol",
    # Istio skips such a listener.
    needs={"HTTPS": ["tls"], "TLS": ["tls"]},
    takes={"HBONE": {"port": Limit(15008, 15008)}},
)
_listeners = distinct("listeners", port="", protocol="", hostname="")


def _gateway(faults: Faults, path: str, gateway: Mapping[str, Any]) -> None:
    class_ = gateway["gatewayClassName"]
    expected = {"istio": "HTTP, HTTPS, TLS or TCP", "istio-waypoint": "HBONE"}.get(class_)
    for where, listener in each(path, gateway, "listeners"):
        protocol = listener["protocol"]
        if expected and known(protocol) and (protocol == "HBONE") != (expected == "HBONE"):
            faults.add(
                at(where, "protocol"),
                f"found {protocol!r}, expected {expected} for class {class_}",
            )
    types = [one.get("type", "IPAddress") for one in gateway.get("addresses", ())]
    if len(types) > 1 and "IPAddress" in types:
        faults.add(
            at(path, "addresses"),
            f"found {len(types)} elements, expected one IPAddress alone: with more Istio deploys no"
            " gateway and ignores them",
        )


# BackendTLSPolicy

_authority = _of_kind({"ConfigMap": ""})


def _backend_tls(faults: Faults, path: str, validation: Mapping[str, Any]) -> None:
    for where, reference in each(path, validation, "caCertificateRefs"):
        _authority(faults, where, reference)


# Parts of HTTPRoute and GRPCRoute


def _backend_filters(faults: Faults, path: str, backend: Mapping[str, Any]) -> None:
    for where, filter_ in each(path, backend, "filters"):
        faults.check(at(where, "type"), filter_["type"], _istio_takes(*_HEADER_FILTERS))


def _cors(faults: Faults, path: str, cors: Mapping[str, Any]) -> None:
    if not given(cors, "allowOrigins"):
        faults.add(
            at(path, "allowOrigins"),
            "found nothing, expected origins: without any Istio allows none",
        )
    if cors.get("allowCredentials") is True and "*" in cors.get("exposeHeaders", ()):
        faults.add(
            at(path, "exposeHeaders"),
            "found '*' beside allowCredentials, where browsers take it for a name. Name each one",
        )


# Rules of a route as a whole

_Key = Callable[[Mapping[str, Any]], tuple[Hashable, str]]
"""What a match matches, as it is compared and in words."""


def _check_shadowed(faults: Faults, path: str, rules: Sequence[Any], key: _Key) -> None:
    """Record what is matched by a rule before."""
    earlier: dict[Hashable, str] = {}
    for where, rule in each("", {path: rules}, path):
        matches = rule["matches"] if given(rule, "matches") else [{}]
        own = dict(key(match) for match in matches if known(match))
        for match in filter(earlier.__contains__, own):
            faults.add(
                where,
                f"found the match of {own[match]} as in {earlier[match]}, which comes first,"
                " expected another: no request gets here",
            )
        earlier = {**dict.fromkeys(own, where), **earlier}


def _http_match(match: Mapping[str, Any]) -> tuple[Hashable, str]:
    path = match.get("path", {})
    type_, value = path.get("type", "PathPrefix"), path.get("value", "/")
    if type_ == "PathPrefix":
        value = value.removesuffix("/")
    headers, parameters = _conditions(match, "headers"), _conditions(match, "queryParams")
    return (
        (type_, value, match.get("method", ""), headers, parameters),
        f"path {value or '/'!r}",
    )


def _grpc_match(match: Mapping[str, Any]) -> tuple[Hashable, str]:
    method = match.get("method", {})
    service, name = method.get("service", ""), method.get("method", "")
    return (
        (method.get("type", "Exact"), service, name, _conditions(match, "headers")),
        f"method '{service or '*'}/{name or '*'}'",
    )


def _conditions(match: Mapping[str, Any], field: str) -> Any:
    """The conditions on headers, whose names have no case, or on parameters, in any order."""
    listed = match.get(field, ())
    if not known(listed):
        return listed
    return frozenset(
        (
            one.get("type", "Exact"),
            one["name"].lower() if field == "headers" else one["name"],
            one["value"],
        )
        for one in listed
    )


check_http_rules = partial(_check_shadowed, key=_http_match)
"""Records what is wrong between the rules of an HTTPRoute, with every match written out."""

check_grpc_rules = partial(_check_shadowed, key=_grpc_match)
"""Records what is wrong between the rules of a GRPCRoute."""


def _route(check_rules: Callable[[Faults, str, Sequence[Any]], None]) -> Rule:
    def check(faults: Faults, path: str, route: Mapping[str, Any]) -> None:
        kinds = {one.get("kind", "Gateway") for one in route.get("parentRefs", ())}
        if given(route, "hostnames") and kinds and kinds <= {"Service", "ServiceEntry"}:
            faults.add(
                at(path, "hostnames"),
                "found beside a Service as parent, expected none: its requests are routed whatever"
                " their host name",
            )
        check_rules(faults, at(path, "rules"), route.get("rules", ()))

    return check


_NO_VALUES = {"values": valid.nothing("only operators In and NotIn have some")}
_PLAIN_PATH = {"value": valid.path_prefix}

_RULES: Rules = {
    api.LabelSelectorRequirement: by(
        "operator",
        needs={"In": ["values"], "NotIn": ["values"]},
        takes={"Exists": _NO_VALUES, "DoesNotExist": _NO_VALUES},
    ),
    api.ObjectReference: _of_kind({"ConfigMap": "", "Secret": ""}),
    api.SecretObjectReference: _of_kind({"Secret": ""}, "Secret"),
    api.ParentReference: _parent,
    api.ParentGatewayReference: _of_kind({"Gateway": _GATEWAY_API}, "Gateway"),
    api.BackendObjectReference: _backend_reference,
    api.BackendRef: _backend_reference,
    api.HTTPBackendRef: all_of(_backend_reference, _backend_filters),
    api.GRPCBackendRef: all_of(_backend_reference, _backend_filters),
    api.ListenerTLS: by(
        "mode",
        "Terminate",
        needs={"Terminate": ["certificateRefs", "options"]},
        takes={"Passthrough": {"certificateRefs": _IGNORED}},
    ),
    api.RouteGroupKind: _of_kind(_ROUTE_KINDS, "HTTPRoute"),
    api.RouteNamespaces: _selector,
    api.ListenerNamespaces: _selector,
    api.Listener: _listener,
    api.ListenerEntry: _listener,
    api.GatewaySpecAddress: by(
        "type",
        "IPAddress",
        needs={"Hostname": ["value"]},
        takes={"IPAddress": {"value": _ip_address}, "Hostname": {"value": _precise_hostname}},
    ),
    api.LocalParametersReference: _of_kind({"ConfigMap": ""}),
    api.GatewaySpec: all_of(_listeners, _gateway),
    api.ListenerSetSpec: _listeners,
    api.HTTPRequestMirrorFilter: one_at_most("percent", "fraction"),
    api.HTTPPathMatch: by(
        "type", "PathPrefix", takes={"Exact": _PLAIN_PATH, "PathPrefix": _PLAIN_PATH}
    ),
    api.HTTPPathModifier: named_by_type(api.HTTPPathModifier),
    api.HTTPCORSFilter: _cors,
    api.HTTPRouteFilter: named_by_type(api.HTTPRouteFilter),
    api.HTTPRouteSpec: _route(check_http_rules),
    api.GRPCMethodMatch: some_of("service", "method"),
    api.GRPCRouteFilter: named_by_type(api.GRPCRouteFilter),
    api.GRPCRouteSpec: _route(check_grpc_rules),
    api.SubjectAltName: named_by_type(api.SubjectAltName),
    api.BackendTLSPolicyValidation: all_of(
        some_of("caCertificateRefs", "wellKnownCACertificates"),
        one_at_most("caCertificateRefs", "wellKnownCACertificates"),
        _backend_tls,
    ),
    api.LocalPolicyTargetReferenceWithSectionName: _of_kind(
        {"Service": "", "ServiceEntry": "networking.istio.io"}
    ),
    api.ReferenceGrantFrom: _of_kind(_GRANTED_FROM),
    api.ReferenceGrantTo: _of_kind(_GRANTED_TO),
}

_IN_ANY_CASE = ("set", "add", "remove", "headers")
"""Lists of headers, of which Istio ignores the second of one name, whatever its case."""

SCHEMA = of_api(api.LIMITS, api.DISTINCT, _RULES, in_any_case=_IN_ANY_CASE).extended(_STRICTER)
"""Checks the specs of all kinds of the Gateway API, and all of their parts."""
