"""The rules of the specs say what the API server says, on specs that are nearly right."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig

from components import gateway_api_types as api
from components.gateway_api_rules import SCHEMA
from components.validation import Faults, InvalidInput
from tests.lab.conftest import Lab, plain

CASES = 400
"""Specs of each kind."""

SHAPES = {
    "Gateway": (api.GatewaySpec, "v1", "gateways"),
    "HTTPRoute": (api.HTTPRouteSpec, "v1", "httproutes"),
    "GRPCRoute": (api.GRPCRouteSpec, "v1", "grpcroutes"),
    "ReferenceGrant": (api.ReferenceGrantSpec, "v1beta1", "referencegrants"),
}

SELECTOR = {
    "matchLabels": {"example.com/team": "a"},
    "matchExpressions": [
        {"key": "tier", "operator": "In", "values": ["web"]},
        {"key": "old", "operator": "DoesNotExist"},
    ],
}
HEADERS = {
    "set": [{"name": "X-A", "value": "a"}, {"name": "X-B", "value": "b"}],
    "add": [{"name": "X-C", "value": "c"}],
    "remove": ["X-D", "X-E"],
}
HEADER_FILTERS = [
    {"type": "RequestHeaderModifier", "requestHeaderModifier": HEADERS},
    {"type": "ResponseHeaderModifier", "responseHeaderModifier": HEADERS},
]
MIRROR = {"backendRef": {"name": "copy", "port": 80}}
MIRRORS = [
    {"type": "RequestMirror", "requestMirror": {**MIRROR, "percent": 10}},
    {
        "type": "RequestMirror",
        "requestMirror": {**MIRROR, "fraction": {"numerator": 1, "denominator": 8}},
    },
]
BACKEND = {
    "group": "",
    "kind": "Service",
    "name": "shop",
    "namespace": "shop",
    "port": 80,
    "weight": 1,
    "filters": HEADER_FILTERS,
}
HEADER_MATCHES = [
    {"name": "X-A", "value": "a"},
    {"type": "RegularExpression", "name": "X-B", "value": "b.*"},
]
PARENTS = [
    {"name": "gateway", "namespace": "gateways", "sectionName": "http", "port": 80},
    {"name": "gateway", "namespace": "gateways", "sectionName": "https"},
    {"group": "", "kind": "Service", "name": "shop", "port": 80},
]
CERTIFICATES = [
    {"name": "certificate"},
    {"group": "", "kind": "Secret", "name": "certificate.b", "namespace": "certificates"},
]
AUTHORITIES = {
    "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca", "namespace": "ca"}],
    "mode": "AllowInsecureFallback",
}

VALID: dict[str, list[dict[str, Any]]] = {
    "Gateway": [
        {
            "gatewayClassName": "istio",
            "listeners": [
                {
                    "name": "http",
                    "hostname": "*.example.com",
                    "port": 80,
                    "protocol": "HTTP",
                    "allowedRoutes": {
                        "namespaces": {"from": "Selector", "selector": SELECTOR},
                        "kinds": [
                            {"kind": "HTTPRoute"},
                            {"group": "gateway.networking.k8s.io", "kind": "GRPCRoute"},
                        ],
                    },
                },
                {"name": "other", "hostname": "a.example.com", "port": 80, "protocol": "HTTP"},
                {"name": "tcp", "port": 9000, "protocol": "TCP"},
            ],
            "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],
            "infrastructure": {
                "labels": {"app.kubernetes.io/name": "gateway"},
                "annotations": {"example.com/about": "a gateway"},
                "parametersRef": {"group": "", "kind": "ConfigMap", "name": "overlay"},
            },
        },
        {
            "gatewayClassName": "istio",
            "listeners": [
                {
                    "name": "https",
                    "hostname": "a.example.com",
                    "port": 443,
                    "protocol": "HTTPS",
                    "tls": {
                        "mode": "Terminate",
                        "certificateRefs": CERTIFICATES,
                        "options": {"gateway.istio.io/tls-terminate-mode": "MUTUAL"},
                    },
                    "allowedRoutes": {"namespaces": {"from": "All"}},
                },
                {"name": "tls", "port": 8443, "protocol": "TLS", "tls": {"mode": "Passthrough"}},
            ],
            "addresses": [{"type": "Hostname", "value": "gateway.gateways"}],
            "allowedListeners": {"namespaces": {"from": "Selector", "selector": SELECTOR}},
            "tls": {
                "frontend": {
                    "default": {"validation": AUTHORITIES},
                    "perPort": [
                        {"port": 443, "tls": {"validation": AUTHORITIES}},
                        {"port": 8443, "tls": {}},
                    ],
                }
            },
        },
        {
            "gatewayClassName": "istio-waypoint",
            "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
        },
    ],
    "HTTPRoute": [
        {
            "parentRefs": PARENTS,
            "hostnames": ["a.example.com", "*.example.com"],
            "rules": [
                {
                    "name": "api",
                    "matches": [
                        {
                            "path": {"type": "PathPrefix", "value": "/api"},
                            "headers": HEADER_MATCHES,
                            "queryParams": HEADER_MATCHES,
                            "method": "GET",
                        },
                        {"path": {"type": "Exact", "value": "/a%20b"}},
                        {"path": {"type": "RegularExpression", "value": "/[a-z]+"}},
                    ],
                    "filters": [*HEADER_FILTERS, *MIRRORS],
                    "backendRefs": [BACKEND, {"name": "next", "port": 80, "weight": 0}],
                    "timeouts": {"request": "10s", "backendRequest": "9s500ms"},
                },
                {
                    "name": "rest",
                    "matches": [{"path": {"value": "/rest"}}],
                    "filters": [
                        {
                            "type": "URLRewrite",
                            "urlRewrite": {
                                "hostname": "b.example.com",
                                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"},
                            },
                        },
                        {
                            "type": "CORS",
                            "cors": {
                                "allowOrigins": ["https://*.example.com", "http://localhost:8080"],
                                "allowMethods": ["GET", "PUT"],
                                "allowHeaders": ["X-A", "X-B"],
                                "exposeHeaders": ["X-A"],
                                "allowCredentials": True,
                                "maxAge": 10,
                            },
                        },
                    ],
                    "backendRefs": [{"name": "shop", "port": 80}],
                },
            ],
        },
        {
            "parentRefs": [{"name": "gateway"}],
            "rules": [
                {
                    "matches": [{"path": {"value": "/old"}}],
                    "filters": [
                        {
                            "type": "RequestRedirect",
                            "requestRedirect": {
                                "scheme": "https",
                                "hostname": "b.example.com",
                                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
                                "port": 8443,
                                "statusCode": 308,
                            },
                        }
                    ],
                },
                {
                    "filters": [
                        {
                            "type": "RequestRedirect",
                            "requestRedirect": {
                                "path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}
                            },
                        }
                    ]
                },
            ],
        },
    ],
    "GRPCRoute": [
        {
            "parentRefs": PARENTS,
            "hostnames": ["a.example.com"],
            "rules": [
                {
                    "name": "greet",
                    "matches": [
                        {
                            "method": {
                                "type": "Exact",
                                "service": "example.v1.Greeter",
                                "method": "SayHello",
                            },
                            "headers": HEADER_MATCHES,
                        },
                        {"method": {"type": "RegularExpression", "method": "Say.*"}},
                        {"method": {"service": "example.Greeter"}},
                    ],
                    "filters": [*HEADER_FILTERS, *MIRRORS],
                    "backendRefs": [BACKEND],
                },
                {"name": "rest", "backendRefs": [{"name": "shop", "port": 80}]},
            ],
        }
    ],
    "ReferenceGrant": [
        {
            "from": [
                {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"},
                {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "gateways"},
            ],
            "to": [
                {"group": "", "kind": "Service"},
                {"group": "", "kind": "Secret", "name": "certificate"},
            ],
        }
    ],
}

Step = str | int
Place = tuple[Any, Step]
"""A mapping or list and where in it something stands."""

TEXTS = [
    *(
        "",
        "a",
        "A",
        "-a",
        "a-",
        "a.b",
        "a..b",
        "*",
        "*.a",
        "*.*.a",
        "a_b",
        "a b",
        "é",
        "a\n",
        "a/b",
    ),
    *("a" * length for length in (62, 63, 64, 252, 253, 254, 256, 257)),
    *("a" * length for length in (1024, 1025, 4096, 4097)),
    *("a.b/c", "A/b", "a..b/c", "/c", "a/", f"a.b/{'c' * 64}", f"{'a' * 253}/c", f"{'a' * 252}/c"),
    *("192.0.2.1", "192.0.2.01", "::1", "fe80::1%eth0", "::ffff:192.0.2.1", "a.example.com:80"),
    *("/", "//", "/a//b", "/a/./b", "/a/../b", "/a/..", "/a/.", "/..a", "/%2F", "/%2f", "/%zz"),
    *("/%20", "/a#b", "/a?b", "/é", "/a b", f"/{'a' * 1023}", f"/{'a' * 1024}"),
    *("0s", "1s", "10s", "1h", "1h1m1s1ms", "1h1h1h1h1h", "100000s", "99999h", "1.5s", "1d", "1S"),
    *("http://a", "https://*", "https://*.a:80", "https://a.*", "https://a/", "https://a:123456"),
    *(".a.B", "a.1", "1a", "a.", "_a", "K"),
    *("HTTP", "HTTPS", "TLS", "TCP", "UDP", "HBONE", "http", "Terminate", "Passthrough"),
    *("Exact", "PathPrefix", "RegularExpression", "ReplaceFullPath", "ReplacePrefixMatch"),
    *("GET", "get", "Same", "All", "None", "Selector", "In", "Exists", "IPAddress", "Hostname"),
    *("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect"),
    *("URLRewrite", "CORS", "ExtensionRef", "AllowValidOnly", "istio", "istio-waypoint"),
    *("Service", "Gateway", "Secret", "ConfigMap", "apps.example.com", "InferencePool"),
]
NUMBERS = [-1, 0, 1, 80, 99, 100, 101, 301, 302, 303, 304, 308, 443, 8443, 15008]
NUMBERS += [65535, 65536, 1_000_000, 1_000_001, 2**31 - 1, 2**31]
ODD: list[Any] = [True, "80", 1, 1.5, None, [], {}, ["a"], {"a": "b"}]
"""Values of types that may be wrong."""
SIZES = [0, 1, 2, 3, 8, 9, 16, 17, 32, 33, 43, 44, 64, 65]


def places(value: Any) -> Iterator[Place]:
    """Every place inside of a value."""
    steps: Sequence[Step] = []
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = range(len(value))
    for step in steps:
        yield value, step
        yield from places(value[step])


def fields(value: Any) -> dict[str, list[Any]]:
    """The values of every field inside of a value."""
    found: dict[str, list[Any]] = {}
    for owner, step in places(value):
        if isinstance(owner, dict):
            found.setdefault(str(step), []).append(owner[step])
    return found


def stretched(values: list[Any], size: int) -> list[Any]:
    """A list of this size, of the values and of copies that differ where they have a name."""
    longer = [copy.deepcopy(values[position % len(values)]) for position in range(size)]
    for position, value in enumerate(longer[len(values) :], start=len(values)):
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            value["name"] = f"{value['name']}-{position}"
            if isinstance(value.get("port"), int):
                value["port"] = 1000 + position
        elif isinstance(value, str):
            longer[position] = f"{value}{position}"
    return longer


@st.composite
def specs(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A right spec, changed at up to three places."""
    spec: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(VALID[kind])))
    known = fields(VALID[kind])
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(spec))
        if not found:
            break
        owner, step = draw(st.sampled_from(found))
        value = owner[step]
        change = draw(st.sampled_from(["value", "remove", "size", "field", "sort"]))
        if change == "remove":
            del owner[step]
        elif change == "sort":
            owner[step] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif change == "field" and isinstance(value, dict):
            name = draw(st.sampled_from([*sorted(known), "unknown", "Name"]))
            value[name] = copy.deepcopy(draw(st.sampled_from(known.get(name, ["a"]))))
        elif isinstance(value, list) and value:
            owner[step] = stretched(value, draw(st.sampled_from(SIZES)))
        elif isinstance(value, dict) and all(isinstance(held, str) for held in value.values()):
            size = draw(st.sampled_from(SIZES))
            key = draw(st.sampled_from(["a", *TEXTS]))
            owner[step] = {**{f"a{position}": "a" for position in range(size)}, key: "a"}
        elif isinstance(value, bool):
            owner[step] = not value
        elif isinstance(value, int):
            owner[step] = draw(st.sampled_from(NUMBERS))
        elif isinstance(value, str):
            alike = [held for held in known.get(str(step), []) if isinstance(held, str)]
            owner[step] = draw(st.sampled_from(TEXTS) | st.sampled_from([*alike, value]))
    return spec


def ours(kind: str, spec: Mapping[str, Any]) -> str:
    """What we say against a spec, nothing where it is right."""
    faults = Faults(kind)
    SCHEMA.check(faults, "", spec, SHAPES[kind][0])
    try:
        faults.raise_any()
    except InvalidInput as refused:
        return str(refused)
    return ""


def theirs(server: httpx2.Client, kind: str, spec: Mapping[str, Any]) -> str:
    """What the API server says against it."""
    _, version, plural = SHAPES[kind]
    group_version = f"gateway.networking.k8s.io/{version}"
    answer = server.post(
        f"/apis/{group_version}/namespaces/default/{plural}",
        params={"dryRun": "All", "fieldValidation": "Strict"},
        json={
            "apiVersion": group_version,
            "kind": kind,
            "metadata": {"generateName": "case-"},
            "spec": spec,
        },
    )
    if answer.status_code in (400, 422):
        return str(answer.json()["message"])
    answer.raise_for_status()
    return ""
