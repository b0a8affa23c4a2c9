"""What is refused of a spec, each fault by its path, and what is not."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast, get_args, is_typeddict

import pulumi
import pytest

from components import InvalidInput
from components.api import gateway_types as api
from components.api.gateway import Gateway
from components.api.gateway_rules import SCHEMA, check_grpc_rules, check_http_rules
from components.checks.faults import Faults
from components.checks.schema import allowed_types, at, trusted
from tests.unit.conftest import Run

SHAPES = {
    "Gateway": api.GatewaySpec,
    "HTTPRoute": api.HTTPRouteSpec,
    "GRPCRoute": api.GRPCRouteSpec,
    "ReferenceGrant": api.ReferenceGrantSpec,
    "TLSRoute": api.TLSRouteSpec,
    "TCPRoute": api.TCPRouteSpec,
    "ListenerSet": api.ListenerSetSpec,
    "BackendTLSPolicy": api.BackendTLSPolicySpec,
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
                    "retry": {"codes": [500, 503], "attempts": 3, "backoff": "50ms"},
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
    "TLSRoute": [
        {
            "parentRefs": PARENTS[:2],
            "hostnames": ["a.example.com"],
            "rules": [{"name": "all", "backendRefs": [{"name": "shop", "port": 443, "weight": 1}]}],
        },
        {
            "parentRefs": PARENTS[2:],
            "hostnames": ["a.example.com"],
            "rules": [{"backendRefs": [{"name": "shop", "port": 443}]}],
        },
    ],
    "TCPRoute": [
        {"parentRefs": PARENTS[:2], "rules": [{"backendRefs": [{"name": "shop", "port": 9000}]}]}
    ],
    "ListenerSet": [
        {
            "parentRef": {"name": "gateway", "namespace": "gateways"},
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        }
    ],
    "BackendTLSPolicy": [
        {
            "targetRefs": [{"group": "", "kind": "Service", "name": "shop", "sectionName": "tls"}],
            "validation": {
                "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}],
                "hostname": "shop.example.com",
                "subjectAltNames": [
                    {"type": "Hostname", "hostname": "shop.example.com"},
                    {"type": "URI", "uri": "spiffe://cluster.local/ns/shop/sa/shop"},
                ],
            },
        },
        {
            "targetRefs": [{"group": "", "kind": "Service", "name": "shop"}],
            "validation": {"wellKnownCACertificates": "System", "hostname": "shop.example.com"},
        },
    ],
}

UNUSED = {
    "BackendTLSPolicySpec": {"options"},
    "GatewaySpec": {"backendTLS", "defaultScope"},
    "GatewaySpecAddress": {"routability"},
    "GatewayTLSConfig": {"backend"},
    "GatewayBackendTLS": {"clientCertificateRef"},
    "ListenerTLS": {"frontendValidation"},
    "GRPCRouteFilter": {"extensionRef"},
    "GRPCRouteRule": {"sessionPersistence"},
    "GRPCRouteSpec": {"useDefaultGateways"},
    "HTTPRouteFilter": {"extensionRef", "externalAuth"},
    "HTTPRouteRule": {"sessionPersistence"},
    "HTTPRouteSpec": {"useDefaultGateways"},
    "Listener": {"filters"},
    "ListenerEntry": {"filters"},
    "TCPRouteSpec": {"useDefaultGateways"},
    "TLSRouteSpec": {"useDefaultGateways"},
}
"""Fields that no right spec has: Istio ignores or refuses them, or they are of old versions."""

SPECS = [(kind, spec) for kind, specs in VALID.items() for spec in specs]

MISSING = object()
"""Takes a field away."""

INVALID: dict[tuple[str, int], list[tuple[str, object, str | list[str]]]] = {
    ("Gateway", 0): [
        ("listeners", "http", "found 'http', expected a list"),
        ("listeners[0]", "http", "found 'http', expected a mapping"),
        (
            "listeners[0].hostnme",
            "a",
            (
                "found an unknown key, expected one of name, hostname, port, protocol, tls, "
                "allowedRoutes, filters (did you mean hostname?)"
            ),
        ),
        ("listeners[0].name", MISSING, "found nothing, expected a string"),
        ("listeners", MISSING, "found nothing, expected a list"),
        ("listeners[0].port", "80", "found '80', expected an integer"),
        ("listeners[0].port", True, "found True, expected an integer"),
        ("listeners[0].hostname", None, "found None, expected a string"),
        (
            "listeners[0].protocol",
            "https",
            "found 'https', expected one of HTTP, HTTPS, TLS, TCP, HBONE (did you mean HTTPS?)",
        ),
        (
            "listeners[0].protocol",
            "UDP",
            "found 'UDP', expected one of HTTP, HTTPS, TLS, TCP, HBONE",
        ),
        (
            "listeners[0].filters",
            {"requests": []},
            "found {'requests': []}, expected nothing: Istio ignores it",
        ),
        ("defaultScope", "All", "found 'All', expected nothing: Istio ignores it"),
        (
            "listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].operator",
            "in",
            "found 'in', expected one of In, NotIn, Exists, DoesNotExist (did you mean In?)",
        ),
        (
            "addresses[0].type",
            "NamedAddress",
            (
                "found 'NamedAddress', expected one of IPAddress, Hostname (did you mean "
                "IPAddress?); Istio takes no other"
            ),
        ),
        ("infrastructure.labels", ["a"], "found ['a'], expected a mapping"),
        (
            "infrastructure.labels",
            {"a": 1},
            ["infrastructure.labels['a']: found 1, expected a string"],
        ),
        (
            "gatewayClassName",
            "Istio",
            (
                "found 'Istio', expected a DNS name: lower-case letters, digits, '-' and '.', 1 to "
                "253 characters"
            ),
        ),
        ("listeners", [], "found [], expected 1 to 64 elements"),
        (
            "listeners",
            [{"name": f"a{n}", "port": 1 + n, "protocol": "HTTP"} for n in range(65)],
            "found 65 elements, expected 1 to 64 elements",
        ),
        (
            "listeners[0].name",
            "a" * 254,
            (
                "found 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'... (254 characters), expected a "
                "DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters"
            ),
        ),
        ("listeners[0].port", 65536, "found 65536, expected a port from 1 to 65535"),
        (
            "listeners[0].hostname",
            "192.0.2.1",
            (
                "found '192.0.2.1', expected a DNS name like 'httpbin.example.com' or "
                "'*.example.com': lower case, no port or path"
            ),
        ),
        (
            "listeners[1].name",
            "http",
            (["listeners[1]: found name 'http' as in listeners[0], expected another"]),
        ),
        (
            "listeners[1].hostname",
            "*.example.com",
            [
                (
                    "listeners[1]: found port 80, protocol 'HTTP', hostname '*.example.com' as in "
                    "listeners[0], expected another"
                )
            ],
        ),
        (
            "listeners[0].allowedRoutes.namespaces",
            {"from": "Selector"},
            [
                (
                    "listeners[0].allowedRoutes.namespaces.selector: found nothing, expected "
                    "selector, as from is Selector"
                )
            ],
        ),
        (
            "listeners[0].allowedRoutes.namespaces.from",
            "All",
            [
                (
                    "listeners[0].allowedRoutes.namespaces.selector: found 2 elements, expected "
                    "nothing: only from Selector looks at it"
                )
            ],
        ),
        (
            "listeners[0].allowedRoutes.namespaces.selector.matchLabels",
            {"a b": "c"},
            [
                (
                    "listeners[0].allowedRoutes.namespaces.selector.matchLabels['a b']: found 'a "
                    "b', expected a key like 'app' or 'example.com/app', the name behind '/' at "
                    "most 63 characters"
                )
            ],
        ),
        (
            "listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values",
            [],
            "found nothing, expected values, as operator is In",
        ),
        (
            "listeners[0].allowedRoutes.namespaces.selector.matchExpressions[1].values",
            ["a"],
            "found ['a'], expected nothing: only operators In and NotIn have some",
        ),
        (
            "listeners[0].allowedRoutes.kinds[0].kind",
            "HttpRoute",
            (
                "found 'HttpRoute', expected one of HTTPRoute, GRPCRoute, TLSRoute, TCPRoute (did "
                "you mean HTTPRoute?); Istio takes no other"
            ),
        ),
        (
            "addresses[0].value",
            "a.example.com",
            "found 'a.example.com', expected an IP address without a zone, for type IPAddress",
        ),
        (
            "addresses",
            [{"value": "192.0.2.1"}, {"value": "192.0.2.2"}],
            (
                "found 2 elements, expected one IPAddress alone: with more Istio deploys no "
                "gateway and ignores them"
            ),
        ),
        (
            "infrastructure.labels",
            {f"a{n}": "b" for n in range(9)},
            "found 9 elements, expected at most 8 elements",
        ),
        (
            "infrastructure.labels",
            {"a..b/c": "d", "e": "f g"},
            [
                (
                    "infrastructure.labels['a..b/c']: found 'a..b/c', expected a key like 'app' or "
                    "'example.com/app', the name behind '/' at most 63 characters"
                ),
                (
                    "infrastructure.labels['e']: found 'f g', expected letters, digits, '-', '_' "
                    "and '.', a letter or digit at both ends, at most 63 characters"
                ),
            ],
        ),
        (
            "infrastructure.annotations",
            {f"a{n}": "b" for n in range(17)},
            "found 17 elements, expected at most 16 elements",
        ),
        (
            "infrastructure.parametersRef.kind",
            "Secret",
            "found 'Secret', expected 'ConfigMap'; Istio takes no other",
        ),
        (
            "listeners[2].protocol",
            "HBONE",
            [
                "listeners[2].port: found 9000, expected 15008",
                (
                    "listeners[2].protocol: found 'HBONE', expected HTTP, HTTPS, TLS or TCP for "
                    "class istio"
                ),
            ],
        ),
    ],
    ("Gateway", 1): [
        (
            "listeners[0].tls",
            MISSING,
            "found nothing, expected tls, as protocol is HTTPS",
        ),
        (
            "listeners[0].tls.mode",
            "Passthrough",
            [
                (
                    "listeners[0].tls.certificateRefs: found 2 elements, expected nothing: Istio "
                    "ignores it"
                )
            ],
        ),
        (
            "listeners[0].tls.certificateRefs",
            [{"name": "a"}, {"name": "b"}, {"name": "c"}],
            (
                "found [{'name': 'a'}, {'name': 'b'}, {'name': 'c'}], expected at most 2 elements, "
                "as Istio takes no more"
            ),
        ),
        (
            "listeners[0].tls",
            {"certificateRefs": []},
            [
                (
                    "listeners[0].tls.certificateRefs: found nothing, expected certificateRefs or "
                    "options, as mode is Terminate"
                )
            ],
        ),
        (
            "listeners[1].tls",
            {"mode": "Passthrough", "certificateRefs": [{"name": "a"}]},
            [
                (
                    "listeners[1].tls.certificateRefs: found [{'name': 'a'}], expected nothing: "
                    "Istio ignores it"
                )
            ],
        ),
        (
            "listeners[0].tls.certificateRefs[0].kind",
            "ConfigMap",
            "found 'ConfigMap', expected 'Secret'; Istio takes no other",
        ),
        (
            "listeners[0].tls.options",
            {f"a{n}": "b" for n in range(17)},
            "found 17 elements, expected at most 16 elements",
        ),
        (
            "addresses[0].value",
            MISSING,
            "found nothing, expected value, as type is Hostname",
        ),
        (
            "tls.frontend.default.validation.caCertificateRefs",
            [],
            "found [], expected 1 element, as Istio takes no more",
        ),
        (
            "tls.frontend.perPort[1].port",
            443,
            (
                [
                    (
                        "tls.frontend.perPort[1]: found port 443 as in tls.frontend.perPort[0], "
                        "expected another"
                    )
                ]
            ),
        ),
        (
            "tls.backend",
            {"clientCertificateRef": {"name": "a"}},
            (
                "found {'clientCertificateRef': {'name': 'a'}}, expected nothing: Istio checks the "
                "certificate, but its gateways never present it"
            ),
        ),
        (
            "allowedListeners.namespaces.from",
            "None",
            [
                (
                    "allowedListeners.namespaces.selector: found 2 elements, expected nothing: "
                    "only from Selector looks at it"
                )
            ],
        ),
    ],
    ("Gateway", 2): [
        (
            "listeners[0].protocol",
            "HTTP",
            "found 'HTTP', expected HBONE for class istio-waypoint",
        ),
        ("listeners[0].port", 15001, "found 15001, expected 15008"),
        (
            "listeners",
            [
                {"name": "a", "port": 15008, "protocol": "HBONE"},
                {"name": "b", "port": 80, "protocol": "HTTP"},
            ],
            ["listeners[1].protocol: found 'HTTP', expected HBONE for class istio-waypoint"],
        ),
    ],
    ("HTTPRoute", 0): [
        ("hostnames", "a.example.com", "found 'a.example.com', expected a list"),
        ("hostnames[0]", 1, "found 1, expected a string"),
        (
            "rules[1].filters[1].cors.allowCredentials",
            "true",
            "found 'true', expected true or false",
        ),
        (
            "rules[1].filters[1].cors.allowMethods[0]",
            "get",
            (
                "found 'get', expected one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, "
                "TRACE, PATCH, * (did you mean GET?)"
            ),
        ),
        (
            "parentRefs[2].group",
            MISSING,
            "found nothing, which is 'gateway.networking.k8s.io', expected '' for kind Service",
        ),
        (
            "parentRefs[2].kind",
            "Servce",
            (
                "found 'Servce', expected one of Gateway, ListenerSet, Service, ServiceEntry (did "
                "you mean Service?); Istio takes no other"
            ),
        ),
        (
            "parentRefs[2].name",
            "shop.shop.svc",
            "found 'shop.shop.svc', expected the name of a Service, not its host name",
        ),
        (
            "parentRefs[2].sectionName",
            "http",
            "found 'http', expected nothing: Istio ignores it",
        ),
        (
            "parentRefs",
            [{"name": f"a{n}"} for n in range(33)],
            "found 33 elements, expected at most 32 elements",
        ),
        (
            "parentRefs",
            [{"group": "", "kind": "Service", "name": "shop"}],
            [
                (
                    "hostnames: found beside a Service as parent, expected none: its requests are "
                    "routed whatever their host name"
                )
            ],
        ),
        (
            "parentRefs[0].namespace",
            "a.b",
            (
                "found 'a.b', expected a DNS label: lower-case letters, digits and '-', 1 to 63 "
                "characters"
            ),
        ),
        (
            "hostnames[1]",
            "*.*.example.com",
            (
                "found '*.*.example.com', expected a DNS name like 'httpbin.example.com' or "
                "'*.example.com': lower case, no port or path"
            ),
        ),
        ("rules", [], "found [], expected 1 to 16 elements"),
        (
            "rules[0].matches[1].path.value",
            "/a//b",
            (
                "found '/a//b', expected a path that starts with '/' and has no '//', '/./', "
                "'/../', '%2F' or '#'"
            ),
        ),
        (
            "rules[0].matches[1].path.value",
            "/a%2fb",
            (
                "found '/a%2fb', expected a path that starts with '/' and has no '//', '/./', "
                "'/../', '%2F' or '#'"
            ),
        ),
        (
            "rules[0].matches[2].path.value",
            "/" * 1025,
            (
                "found '////////////////////////////////////////'... (1025 characters), expected "
                "at most 1024 characters"
            ),
        ),
        (
            "rules[0].matches[0].headers[1].name",
            "x-a",
            (
                [
                    (
                        "rules[0].matches[0].headers[1]: found name 'x-a' as in "
                        "rules[0].matches[0].headers[0], expected another"
                    )
                ]
            ),
        ),
        (
            "rules[0].matches[0].headers[1].name",
            "X-A",
            (
                [
                    (
                        "rules[0].matches[0].headers[1]: found name 'X-A' as in "
                        "rules[0].matches[0].headers[0], expected another"
                    )
                ]
            ),
        ),
        (
            "rules[0].matches[0].headers[1].name",
            "X A",
            (
                "found 'X A', expected a name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 "
                "characters"
            ),
        ),
        ("rules[0].matches[0].headers[0].value", "", "found '', expected 1 to 4096 characters"),
        (
            "rules[0].matches[0].queryParams[1].name",
            "X-A",
            (
                [
                    (
                        "rules[0].matches[0].queryParams[1]: found name 'X-A' as in "
                        "rules[0].matches[0].queryParams[0], expected another"
                    )
                ]
            ),
        ),
        (
            "rules[1].matches[0]",
            {"path": {"type": "Exact", "value": "/a%20b"}},
            [
                (
                    "rules[1]: found the match of path '/a%20b' as in rules[0], which comes "
                    "first, expected another: no request gets here"
                )
            ],
        ),
        (
            "rules[0].timeouts.request",
            "10",
            "found '10', expected a duration like '1h30m', '10s' or '500ms'",
        ),
        (
            "rules[0].filters[0].requestMirror",
            {"backendRef": {"name": "a", "port": 80}},
            "found for type RequestHeaderModifier, expected requestHeaderModifier alone",
        ),
        (
            "rules[0].filters[0].requestHeaderModifier",
            MISSING,
            "found nothing, expected it for type RequestHeaderModifier",
        ),
        (
            "rules[0].filters[0].requestHeaderModifier.remove",
            ["X-A", "x-a"],
            [
                "rules[0].filters[0].requestHeaderModifier.remove[1]: found 'x-a' as in"
                " rules[0].filters[0].requestHeaderModifier.remove[0], expected another"
            ],
        ),
        (
            "rules[0].filters[0].requestHeaderModifier.set[0].value",
            "a\nb",
            (
                "found 'a\\nb', expected a text without control characters, for which Istio "
                "refuses the route, 1 to 4096 characters"
            ),
        ),
        (
            "rules[0].filters[2].requestMirror.fraction",
            {"numerator": 1},
            [
                (
                    "rules[0].filters[2].requestMirror: found both percent and fraction, expected "
                    "one of them"
                )
            ],
        ),
        (
            "rules[0].filters[2].requestMirror.percent",
            101,
            "found 101, expected an integer from 0 to 100",
        ),
        (
            "rules[0].backendRefs[0].port",
            MISSING,
            "found nothing, expected port, as kind is Service",
        ),
        (
            "rules[0].backendRefs[0].weight",
            1_000_001,
            "found 1000001, expected an integer from 0 to 1000000",
        ),
        (
            "rules[0].backendRefs[0].name",
            "shop.example.com",
            "found 'shop.example.com', expected the name of a Service, not its host name",
        ),
        (
            "rules[0].backendRefs[0].kind",
            "Hostname",
            [
                (
                    "rules[0].backendRefs[0].group: found '', expected 'networking.istio.io' for "
                    "kind Hostname"
                ),
                (
                    "rules[0].backendRefs[0].namespace: found 'shop', expected nothing: Istio "
                    "refuses the route"
                ),
            ],
        ),
        (
            "rules[0].backendRefs[0].filters",
            [{"type": "CORS", "cors": {"allowOrigins": ["*"]}}],
            [
                (
                    "rules[0].backendRefs[0].filters[0].type: found 'CORS', expected one of "
                    "RequestHeaderModifier, ResponseHeaderModifier; Istio takes no other"
                )
            ],
        ),
        (
            "rules[0].backendRefs[1]",
            {
                "group": "networking.istio.io",
                "kind": "Hostname",
                "name": "a.b",
                "namespace": "c",
                "port": 1,
            },
            [
                (
                    "rules[0].backendRefs[1].namespace: found 'c', expected nothing: Istio "
                    "refuses the route"
                )
            ],
        ),
        (
            "rules[1].filters[0].urlRewrite.hostname",
            "*.example.com",
            (
                "found '*.example.com', expected a DNS name like 'httpbin.example.com': lower "
                "case, no wildcard, port or path"
            ),
        ),
        (
            "rules[1].filters[0].urlRewrite.path.replaceFullPath",
            "/",
            "found for type ReplacePrefixMatch, expected replacePrefixMatch alone",
        ),
        (
            "rules[1].filters[0].urlRewrite.path",
            {"type": "ReplaceFullPath"},
            [
                (
                    "rules[1].filters[0].urlRewrite.path.replaceFullPath: found nothing, expected "
                    "it for type ReplaceFullPath"
                )
            ],
        ),
        (
            "rules[1].filters[1].cors.allowOrigins[0]",
            "example.com",
            (
                "found 'example.com', expected an origin like 'https://example.com', "
                "'https://*.example.com:8443' or '*', 1 to 253 characters"
            ),
        ),
        (
            "rules[1].filters[1].cors.allowHeaders[1]",
            "X-A",
            ("found 'X-A' as in rules[1].filters[1].cors.allowHeaders[0], expected another"),
        ),
        ("rules[1].filters[1].cors.maxAge", 0, "found 0, expected an integer from 1 to 2147483647"),
        *(
            (
                "rules[1].filters[1].cors.allowOrigins",
                nothing,
                "found nothing, expected origins: without any Istio allows none",
            )
            for nothing in (MISSING, [])
        ),
        (
            "rules[1].filters[1].cors.exposeHeaders",
            ["*"],
            "found '*' beside allowCredentials, where browsers take it for a name. Name each one",
        ),
        ("rules[0].filters", [MIRRORS[0]] * 17, "found 17 elements, expected at most 16 elements"),
    ],
    ("HTTPRoute", 1): [
        (
            "rules[0].sessionPersistence",
            {"type": "Cookie"},
            "found {'type': 'Cookie'}, expected nothing: Istio ignores it",
        ),
        (
            "rules[0].retry",
            {"codes": [200]},
            ["rules[0].retry.codes[0]: found 200, expected an integer from 400 to 599"],
        ),
        (
            "rules[0].filters[0]",
            {
                "type": "ExtensionRef",
                "extensionRef": {"group": "example.com", "kind": "Filter", "name": "a"},
            },
            [
                (
                    "rules[0].filters[0].type: found 'ExtensionRef', expected one of "
                    "RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, "
                    "RequestRedirect, URLRewrite, CORS; Istio takes no other"
                )
            ],
        ),
        (
            "rules[0].filters[0].requestRedirect.statusCode",
            304,
            "found 304, expected one of 301, 302, 303, 307, 308 (did you mean 308?)",
        ),
        (
            "rules[0].matches",
            MISSING,
            [
                (
                    "rules[1]: found the match of path '/' as in rules[0], which comes first, "
                    "expected another: no request gets here"
                )
            ],
        ),
        (
            "rules[1].matches",
            [{"path": {"value": "/old/"}}],
            [
                (
                    "rules[1]: found the match of path '/old' as in rules[0], which comes first, "
                    "expected another: no request gets here"
                )
            ],
        ),
        (
            "rules[1].filters[0].requestRedirect.path",
            {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/", "value": "/"},
            [
                (
                    "rules[1].filters[0].requestRedirect.path.value: found an unknown key, "
                    "expected one of type, replaceFullPath, replacePrefixMatch"
                )
            ],
        ),
    ],
    ("GRPCRoute", 0): [
        (
            "rules[0].matches[0].method",
            {"type": "Exact"},
            "found neither service nor method, expected one of them",
        ),
        (
            "rules[1].matches",
            [{"method": {"service": "example.Greeter"}}],
            [
                (
                    "rules[1]: found the match of method 'example.Greeter/*' as in rules[0], which "
                    "comes first, expected another: no request gets here"
                )
            ],
        ),
        (
            "rules[0].filters[0].type",
            "URLRewrite",
            (
                "found 'URLRewrite', expected one of ResponseHeaderModifier, "
                "RequestHeaderModifier, RequestMirror, ExtensionRef"
            ),
        ),
        (
            "rules[0].matches[0].headers[1].name",
            "x-a",
            (
                [
                    (
                        "rules[0].matches[0].headers[1]: found name 'x-a' as in "
                        "rules[0].matches[0].headers[0], expected another"
                    )
                ]
            ),
        ),
    ],
    ("TLSRoute", 0): [
        ("hostnames", MISSING, "found nothing, expected a list"),
        ("rules", [], "found [], expected 1 element"),
        (
            "rules[0].backendRefs[0].port",
            MISSING,
            "found nothing, expected port, as kind is Service",
        ),
        (
            "useDefaultGateways",
            "All",
            "found 'All', expected nothing: Istio ignores it",
        ),
    ],
    ("ListenerSet", 0): [
        ("parentRef.kind", "Service", "found 'Service', expected 'Gateway'; Istio takes no other"),
        (
            "listeners[0].protocol",
            "HTTPS",
            ["listeners[0].tls: found nothing, expected tls, as protocol is HTTPS"],
        ),
    ],
    ("BackendTLSPolicy", 0): [
        (
            "validation.subjectAltNames[1].hostname",
            "a.example.com",
            "found for type URI, expected uri alone",
        ),
        (
            "validation.caCertificateRefs[0].kind",
            "Secret",
            "found 'Secret', expected 'ConfigMap'; Istio takes no other",
        ),
        (
            "validation.caCertificateRefs",
            [{"group": "", "kind": "ConfigMap", "name": name} for name in ("a", "b")],
            "found 2 elements, expected 1 element, as Istio takes no more",
        ),
        (
            "validation.wellKnownCACertificates",
            "System",
            [
                "validation: found both caCertificateRefs and wellKnownCACertificates, expected one"
                " of them"
            ],
        ),
        (
            "validation.caCertificateRefs",
            MISSING,
            [
                "validation: found neither caCertificateRefs nor wellKnownCACertificates, expected"
                " one of them"
            ],
        ),
        (
            "targetRefs[0].kind",
            "Pod",
            "found 'Pod', expected one of Service, ServiceEntry; Istio takes no other",
        ),
        (
            "options",
            {"example.com/a": "b"},
            "found {'example.com/a': 'b'}, expected nothing: Istio ignores it",
        ),
    ],
    ("BackendTLSPolicy", 1): [
        (
            "validation.wellKnownCACertificates",
            "Sytem",
            "found 'Sytem', expected 'System'; Istio takes no other",
        ),
        (
            "validation.hostname",
            "*.example.com",
            "found '*.example.com', expected a DNS name like 'httpbin.example.com': lower case, no"
            " wildcard, port or path",
        ),
    ],
    ("ReferenceGrant", 0): [
        ("from", [], "found [], expected 1 to 16 elements"),
        (
            "to",
            [{"group": "", "kind": "Service", "name": f"a{n}"} for n in range(17)],
            "found 17 elements, expected 1 to 16 elements",
        ),
        ("from[0].group", "", "found '', expected 'gateway.networking.k8s.io' for kind HTTPRoute"),
        ("from[0].namespace", MISSING, "found nothing, expected a string"),
        (
            "to[0].kind",
            "Services",
            (
                "found 'Services', expected one of ConfigMap, Secret, Service, InferencePool (did "
                "you mean Service?); Istio takes no other"
            ),
        ),
        (
            "to[1].name",
            "Certificate",
            (
                "found 'Certificate', expected a DNS name: lower-case letters, digits, '-' and "
                "'.', 1 to 253 characters"
            ),
        ),
    ],
}
"""Changes of right specs: a path, its value, and the fault there or all faults with their paths."""

ALL = [
    (
        "gatewayClassName: found 'a b', expected a DNS name: lower-case letters, digits, '-' "
        "and '.', 1 to 253 characters"
    ),
    (
        "listeners[0].hostnme: found an unknown key, expected one of name, hostname, port, "
        "protocol, tls, allowedRoutes, filters (did you mean hostname?)"
    ),
    "listeners[0].port: found 0, expected a port from 1 to 65535",
    "listeners[0].tls.mode: found '', expected one of Terminate, Passthrough",
    (
        "listeners[1].hostnme: found an unknown key, expected one of name, hostname, port, "
        "protocol, tls, allowedRoutes, filters (did you mean hostname?)"
    ),
    "listeners[1].port: found 0, expected a port from 1 to 65535",
    "listeners[1].tls.mode: found '', expected one of Terminate, Passthrough",
    "listeners[1]: found name 'http' as in listeners[0], expected another",
    (
        "listeners[1]: found port 0, protocol 'HTTP', hostname '' as in listeners[0], expected "
        "another"
    ),
]

STILL_VALID: dict[tuple[str, int], list[tuple[str, object]]] = {
    ("Gateway", 0): [
        ("listeners", [{"name": f"a{n}", "port": 1 + n, "protocol": "HTTP"} for n in range(64)]),
        ("listeners[0].name", "a" * 253),
        ("listeners[0].port", 65535),
        ("listeners[0].hostname", MISSING),
        ("listeners[0].allowedRoutes.namespaces.selector", {}),
        ("addresses", [{}]),
        ("addresses", []),
        ("addresses[0].value", "::ffff:192.0.2.1"),
        ("infrastructure.annotations", {f"a{n}": "" for n in range(16)}),
        ("infrastructure.labels", {f"{'a' * 252}/b": ""}),
    ],
    ("Gateway", 1): [
        ("listeners[0].tls.certificateRefs", MISSING),
        ("addresses", [{"type": "Hostname", "value": "a"}, {"type": "Hostname", "value": "b"}]),
    ],
    ("Gateway", 2): [
        ("gatewayClassName", "istio-east-west"),
    ],
    ("HTTPRoute", 0): [
        ("rules[0].matches[2].path.value", "//[^/]#"),
        ("rules[0].matches", []),
        ("rules[0].timeouts", {"request": "0s", "backendRequest": "1h"}),
        ("rules[0].timeouts", {"request": "1h1m1s1ms", "backendRequest": "3661s1ms"}),
        ("rules[0].backendRefs[0].weight", 1_000_000),
        (
            "rules[0].backendRefs[1]",
            {"group": "networking.istio.io", "kind": "Hostname", "name": "a.b", "port": 1},
        ),
        (
            "rules[0].backendRefs[1]",
            {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "a"},
        ),
        ("rules[0].matches[0].headers[1].name", "X-" + "a" * 254),
        ("rules[0].filters[3].requestMirror.fraction", {"numerator": 100}),
        ("rules[1].filters[1].cors.allowMethods", ["*"]),
        ("rules[1].matches", MISSING),
    ],
    ("HTTPRoute", 1): [
        ("rules[0].filters[0].requestRedirect.statusCode", 303),
        ("rules[0].filters[0].requestRedirect", {}),
        ("rules[0].backendRefs", []),
        (
            "rules",
            [{"matches": [{"path": {"value": f"/{r}/{n}"}} for n in range(64)]} for r in range(2)],
        ),
        ("rules", MISSING),
    ],
    ("GRPCRoute", 0): [
        ("rules", []),
        ("rules[0].matches[0].method", {"type": "RegularExpression", "service": "(a|b)/?"}),
    ],
    ("ReferenceGrant", 0): [
        ("to[0].name", "shop"),
    ],
}


def faults(kind: str, spec: Mapping[str, Any]) -> list[str]:
    """What is wrong with the spec of a kind, a line each."""
    found = Faults(kind)
    SCHEMA.check(found, "", spec, SHAPES[kind])
    try:
        found.raise_any()
    except InvalidInput as refused:
        return [line.strip() for line in str(refused).splitlines()[1:]]
    return []


def fresh(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a spec whose parts are all its own."""
    copied: dict[str, Any] = json.loads(json.dumps(spec))
    return copied


def changed(spec: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """A spec with another value at `path`."""
    copied = fresh(spec)
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    holder: Any = copied
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    key = int(last) if last.isdigit() else last
    if value is MISSING:
        del holder[key]
    else:
        holder[key] = value
    return copied


def late(value: object) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


@pytest.mark.parametrize(("kind", "spec"), SPECS)
def test_a_right_spec_passes(kind: str, spec: Mapping[str, Any]) -> None:
    assert faults(kind, spec) == []


@pytest.mark.parametrize(
    ("kind", "number", "path", "value", "expected"),
    [(*spec, *change) for spec, changes in INVALID.items() for change in changes],
)
def test_a_fault_is_named(
    kind: str, number: int, path: str, value: object, expected: str | list[str]
) -> None:
    found = faults(kind, changed(VALID[kind][number], path, value))
    assert found == ([f"{path}: {expected}"] if isinstance(expected, str) else expected)


@pytest.mark.parametrize(
    ("kind", "number", "path", "value"),
    [(*spec, *change) for spec, changes in STILL_VALID.items() for change in changes],
)
def test_what_keeps_to_the_limits_passes(kind: str, number: int, path: str, value: object) -> None:
    assert faults(kind, changed(VALID[kind][number], path, value)) == []


def places(value: Any, path: str = "") -> dict[str, Any]:
    """Every path inside of a value, with what stands there."""
    held: dict[str, Any] = {}
    if isinstance(value, dict):
        held = {at(path, key): each for key, each in value.items() if "." not in key}
    elif isinstance(value, list):
        held = {f"{path}[{position}]": each for position, each in enumerate(value)}
    for where, each in list(held.items()):
        held |= places(each, where)
    return held


@pytest.mark.parametrize(("kind", "spec"), SPECS)
def test_what_is_not_known_yet_passes_wherever_it_stands(
    kind: str, spec: Mapping[str, Any]
) -> None:
    for path in places(spec):
        assert faults(kind, changed(spec, path, late("not known"))) == [], path


@pytest.mark.parametrize(("kind", "spec"), SPECS)
def test_every_text_and_number_has_a_limit(kind: str, spec: Mapping[str, Any]) -> None:
    for path, value in places(spec).items():
        if isinstance(value, str):
            assert faults(kind, changed(spec, path, "\n" * 5000)) != [], path
        elif isinstance(value, int) and value is not True and not path.endswith("attempts"):
            assert faults(kind, changed(spec, path, 2**40)) != [], path


def reached(class_: Any) -> set[type]:
    """A class and all that its values may hold, but what stands in fields that are unused."""
    classes = {class_}
    for field, shape in class_.__annotations__.items():
        if field not in UNUSED.get(class_.__name__, ()):
            for type_ in allowed_types(shape):
                inside = (*get_args(type_), type_)[0]
                classes |= reached(inside) if is_typeddict(inside) else set()
    return classes


def test_the_right_specs_have_every_field() -> None:
    declared = {
        field
        for shape in SHAPES.values()
        for class_ in reached(shape)
        for field in class_.__annotations__.keys() - UNUSED.get(class_.__name__, set())
    }
    used = {
        re.split(r"[.\[]", re.sub(r"\[\d+\]", "", path))[-1]
        for _, spec in SPECS
        for path in places(spec)
    }
    assert declared - used == set()


def test_all_faults_are_named_at_once() -> None:
    listener = {"name": "http", "hostnme": "a", "port": 0, "protocol": "HTTP", "tls": {"mode": ""}}
    assert faults("Gateway", {"gatewayClassName": "a b", "listeners": [listener] * 2}) == ALL


def between(check: Any, rules: list[dict[str, Any]]) -> list[str]:
    """What is wrong between rules that stand elsewhere than in a route."""
    found = Faults("exposure")
    check(found, "rules", rules)
    with pytest.raises(InvalidInput) as refused:
        found.raise_any()
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_rules_are_checked_as_a_whole_without_a_route() -> None:
    matches = [{"path": {"value": f"/{n}"}} for n in range(2)]
    assert between(check_http_rules, [{"matches": matches}, {"matches": matches[:1]}, {}]) == [
        "rules[1]: found the match of path '/0' as in rules[0], which comes first, expected"
        " another: no request gets here"
    ]
    assert between(check_grpc_rules, [{}, {}]) == [
        "rules[1]: found the match of method '*/*' as in rules[0], which comes first, expected"
        " another: no request gets here"
    ]


def test_an_object_is_refused_before_it_is_registered(run: Run) -> None:
    def program() -> None:
        Gateway(
            "gateway",
            {
                "name": "Gateway",
                "namespace": "a.b",
                "labels": {"a b": "c d"},
                "annotations": {"/": "any text", "a": "any text"},
            },
            cast("api.GatewaySpec", changed(VALID["Gateway"][0], "listeners[0].port", 0)),
        )

    with pytest.raises(InvalidInput) as refused:
        run(program)
    heading, *found = str(refused.value).splitlines()
    assert heading == "Gateway 'gateway':"
    assert {line.split(":")[0].strip() for line in found} == {
        "metadata.name",
        "metadata.namespace",
        "metadata.labels['a b']",
        "metadata.annotations['/']",
        "spec.listeners[0].port",
    }


def test_an_object_made_of_checked_values_is_not_checked_again(run: Run) -> None:
    def program() -> None:
        with trusted():
            Gateway("gateway", {"name": "Gateway", "namespace": "a.b"}, cast("Any", {}))

    assert run(program).graph["Gateway/gateway"].inputs["spec"] == {}
