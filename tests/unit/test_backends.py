"""Services that speak TLS, services outside the mesh, and connections that are passed on."""

from collections.abc import Mapping
from typing import Any

import pytest

from components import InvalidInput
from components.api.installed import Installed
from components.cluster.gateways import existing_gateways
from components.commands.effects import effects
from components.parts.external import virtual_address
from components.parts.probe import CheckArgs, render_requests
from components.stack.configuration import read
from components.stack.needs import needs
from tests.unit.conftest import PROJECT, Program, Run, config

VALIDATION = {
    "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "authority"}],
    "hostname": "shop.internal",
}
NO_RULES: dict[str, Any] = {"rules": None, "verification": None}
OUTSIDE = {
    "service": {
        "image": None,
        "containerPort": None,
        "external": {"host": "api.example.org"},
    }
}


def spec(program: Program, key: str) -> dict[str, Any]:
    found: dict[str, Any] = program.graph[key].inputs["spec"]
    return found


def refused(**exposure: Any) -> list[str]:
    """What is wrong with the sample's exposure after a change."""
    with pytest.raises(InvalidInput) as found:
        read("dev", config(exposure=exposure), PROJECT["name"])
    return [line.strip("- ") for line in str(found.value).splitlines()[1:]]


# TLS


def test_the_waypoint_alone_goes_by_tls(run: Run) -> None:
    canary = {"image": "shop:2", "weight": 10}
    service = {"tls": VALIDATION, "canary": canary}
    program = run(exposure={"service": service})
    ports = [
        {"name": "http", "port": 8000, "targetPort": 8080},
        {"name": "http-tls", "port": 8080, "targetPort": 8080},
    ]
    assert spec(program, "Service/httpbin-service")["ports"] == ports
    assert spec(program, "Service/httpbin-canary-service")["ports"] == ports
    assert spec(program, "BackendTLSPolicy/httpbin-backend-tls") == {
        "targetRefs": [
            {"group": "", "kind": "Service", "name": name, "sectionName": "http-tls"}
            for name in ("httpbin", "httpbin-canary")
        ],
        # Else Istio would take a certificate for any name.
        "validation": {
            **VALIDATION,
            "subjectAltNames": [{"type": "Hostname", "hostname": "shop.internal"}],
        },
    }
    (rule,) = spec(program, "HTTPRoute/httpbin-waypoint-route")["rules"]
    assert rule["backendRefs"] == [
        {"name": "httpbin", "port": 8080, "weight": 90},
        {"name": "httpbin-canary", "port": 8080, "weight": 10},
    ]
    (rule,) = spec(program, "HTTPRoute/httpbin-ingress-route")["rules"]
    assert rule["backendRefs"] == [{"name": "httpbin", "port": 8000}]
    route = program.graph["HTTPRoute/httpbin-waypoint-route"]
    assert "BackendTLSPolicy/httpbin-backend-tls" in route.dependencies


def test_other_names_of_a_certificate_are_taken_as_they_are(run: Run) -> None:
    names = [{"type": "URI", "uri": "spiffe://example.org/shop"}]
    tls = {"wellKnownCACertificates": "System", "hostname": "a.b", "subjectAltNames": names}
    program = run(exposure={"service": {"tls": tls}})
    assert spec(program, "BackendTLSPolicy/httpbin-backend-tls")["validation"] == tls


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        (
            {"tls": VALIDATION, "port": 8080},
            "service.containerPort: found 8080, which is a port of the Service already, expected"
            " another: gateways send requests to that in plaintext, the waypoint sends them on to"
            " this one by TLS",
        ),
        (
            {"tls": {"hostname": "a.b"}},
            "service.tls: found neither caCertificateRefs nor wellKnownCACertificates, expected one"
            " of them",
        ),
        (
            {"tls": VALIDATION, "create": False, "image": None, "containerPort": None},
            "service.tls: found for a service that is adopted, which gets nothing but labels: the"
            " waypoint needs a further port of it. Deploy the service, or let the mesh alone"
            " encrypt",
        ),
    ],
)
def test_tls_has_a_port_of_its_own(service: dict[str, Any], fault: str) -> None:
    assert refused(service=service) == [f"exposures.httpbin.{fault}"]


# Outside


def test_a_service_outside_is_behind_gateway_and_waypoint(run: Run) -> None:
    policy = {"name": "reads", "action": "ALLOW", "rules": [{}]}
    program = run(exposure={**OUTSIDE, "policies": [policy]})
    entry = program.graph["ServiceEntry/httpbin-external"].inputs
    assert entry["metadata"]["labels"] == {
        "istio.io/ingress-use-waypoint": "true",
        "istio.io/use-waypoint": "httpbin-waypoint",
    }
    assert "httpbin-waypoint" in entry["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert entry["spec"] == {
        "hosts": ["api.example.org"],
        # What istiod would give it is none for gateways.
        "addresses": [virtual_address("httpbin/api.example.org")],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "ports": [{"number": 8000, "name": "http", "protocol": "HTTP", "targetPort": 8000}],
    }
    backend = {
        "group": "networking.istio.io",
        "kind": "Hostname",
        "name": "api.example.org",
        "port": 8000,
    }
    route = spec(program, "HTTPRoute/httpbin-waypoint-route")
    target = {"group": "networking.istio.io", "kind": "ServiceEntry", "name": "httpbin"}
    assert route["parentRefs"] == [{**target, "namespace": "httpbin"}]
    assert route["rules"][0]["backendRefs"] == [backend]
    assert spec(program, "HTTPRoute/httpbin-ingress-route")["rules"] == [{"backendRefs": [backend]}]
    policies = spec(program, "AuthorizationPolicy/httpbin-policy-reads")
    assert policies["targetRefs"] == [target]
    assert "Workload/httpbin" not in program.graph
    # Nothing else of the namespace is bound.
    assert "NamespacePatch/httpbin-binding" not in program.graph


def test_a_service_outside_may_serve_tls_under_addresses(run: Run) -> None:
    external = {"host": "api.example.org", "addresses": ["192.0.2.7", "2001:db8::7"]}
    service = {**OUTSIDE["service"], "external": external, "tls": VALIDATION, "port": 80}
    program = run(exposure={"service": service})
    entry = spec(program, "ServiceEntry/httpbin-external")
    assert entry["resolution"] == "STATIC"
    assert entry["endpoints"] == [{"address": "192.0.2.7"}, {"address": "2001:db8::7"}]
    assert entry["ports"] == [
        {"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 443},
        {"number": 443, "name": "http-tls", "protocol": "HTTP"},
    ]
    (target,) = spec(program, "BackendTLSPolicy/httpbin-backend-tls")["targetRefs"]
    assert target == {
        "group": "networking.istio.io",
        "kind": "ServiceEntry",
        "name": "httpbin",
        "sectionName": "http-tls",
    }
    (rule,) = spec(program, "HTTPRoute/httpbin-waypoint-route")["rules"]
    assert rule["backendRefs"][0]["port"] == 443


INSIDE = "is for a service in the mesh, found beside external"


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        ({"image": "shop:1"}, f"service.image: {INSIDE}"),
        ({"create": False}, f"service.create: {INSIDE}"),
        (
            {"external": {"host": "*.example.org"}},
            "service.external.host: found '*.example.org', expected a DNS name like"
            " 'api.example.com': lower case, no wildcard, port or path",
        ),
        (
            {"external": {"host": "a.b", "addresses": ["a b"]}},
            "service.external.addresses[0]: found 'a b', expected an IP address or a DNS name",
        ),
    ],
)
def test_what_is_outside_is_not_deployed(service: dict[str, Any], fault: str) -> None:
    assert refused(service={**OUTSIDE["service"], **service}) == [f"exposures.httpbin.{fault}"]


def test_pods_outside_are_nobodys() -> None:
    assert refused(**OUTSIDE, requireWaypoint=True) == [
        "exposures.httpbin.requireWaypoint: is for pods in the mesh, found it for an external"
        " service"
    ]


# Connections


def test_tls_is_passed_on_by_the_name_in_its_handshake(run: Run) -> None:
    hostnames = ["a.example.com", "b.example.com"]
    exposure = {**NO_RULES, "service": {"protocol": "tls"}, "hostnames": hostnames}
    program = run(exposure=exposure)
    assert spec(program, "Gateway/httpbin-gateway")["listeners"] == [
        {
            "name": name,
            "hostname": hostname,
            "port": 443,
            "protocol": "TLS",
            "tls": {"mode": "Passthrough"},
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
        for name, hostname in zip(("tls", "tls-b-example-com"), hostnames, strict=True)
    ]
    route = program.graph["TLSRoute/httpbin-ingress-route"]
    assert route.inputs["spec"] == {
        "parentRefs": [{"name": "httpbin-gateway", "namespace": "httpbin"}],
        "hostnames": hostnames,
        "rules": [{"backendRefs": [{"name": "httpbin", "port": 8000}]}],
    }
    assert not [one for one in program.graph if one.startswith("HTTPRoute/")]
    (port,) = spec(program, "Service/httpbin-service")["ports"]
    assert port["name"] == "tls"
    assert program.exports["ingressUrl"].startswith("tls://httpbin-gateway-istio.httpbin.svc")
    assert program.exports["commands"][0] == (
        "openssl s_client -connect httpbin-gateway-istio.httpbin.svc.cluster.local:443"
        " -servername a.example.com"
    )


def test_a_port_is_passed_on_as_it_is(run: Run) -> None:
    check = {"body": "hello\nworld", "responseBody": "world"}
    policies = [
        {"action": "ALLOW", "rules": [{"from": [{"source": {"namespaces": ["shop"]}}]}]},
    ]
    exposure = {
        "rules": None,
        "hostnames": None,
        "service": {"protocol": "tcp", "port": 5432},
        "verification": {"checks": [check]},
        "policies": policies,
    }
    program = run(exposure=exposure)
    (listener,) = spec(program, "Gateway/httpbin-gateway")["listeners"]
    assert (listener["port"], listener["protocol"]) == (5432, "TCP")
    assert "hostnames" not in spec(program, "TCPRoute/httpbin-ingress-route")
    assert program.exports["ingressUrl"] == (
        "tcp://httpbin-gateway-istio.httpbin.svc.cluster.local:5432"
    )
    assert program.exports["commands"] == [
        "nc httpbin-gateway-istio.httpbin.svc.cluster.local 5432"
    ]
    assert program.exports["verified"] == [f"TCP {program.exports['ingressUrl']}: answered"]


def test_over_a_connection_a_text_is_sent_and_expected() -> None:
    check: CheckArgs = {"body": "hello\nworld", "response_body": "world"}
    sent = render_requests(["tcp://gateway:5432"], [], [check], grpc=False, trusted=False)
    assert sent.splitlines() == [
        "request TCP tcp://gateway:5432",
        'curl url = "telnet://gateway:5432"',
        'curl max-time = "2"',
        'curl write-out = "%{http_code} %{errormsg}"',
        "expect 000",
        "tcp",
        "send hello",
        "send world",
        "body world",
    ]


EVERYBODY = {"namespaces": {"from": "All"}}
EDGE = {
    "namespace": {"name": "edge"},
    "hostnames": ["*.example.com"],
    "serviceType": "LoadBalancer",
    "listeners": [
        {"name": "database", "port": 5432, "protocol": "TCP"},
        {
            "name": "passed",
            "port": 8443,
            "protocol": "TLS",
            "hostname": "*.example.org",
            "tls": {"mode": "Passthrough"},
            "allowedRoutes": EVERYBODY,
        },
    ],
}


def behind(port: int | None, **exposure: Any) -> dict[str, Any]:
    listener = {} if port is None else {"listenerPort": port}
    return {**NO_RULES, "gateway": {"existing": {"entry": "edge", **listener}}, **exposure}


def test_further_listeners_of_a_shared_gateway_pass_connections_on(run: Run) -> None:
    exposure = behind(8443, service={"protocol": "tls"}, hostnames=["a.example.org"])
    exposure["gateway"] |= {"serviceType": None, "allowedRoutes": None}
    program = run(exposure=exposure, gateways={"edge": EDGE}, addresses=("198.18.1.1",))
    route = spec(program, "TLSRoute/httpbin-ingress-route")
    assert route["parentRefs"] == [{"name": "edge", "namespace": "edge", "port": 8443}]
    assert program.exports["ingressUrl"] == "tls://198.18.1.1:8443"
    assert program.exports["ingressUrls"] == [
        "tls://edge-istio.edge.svc.cluster.local:8443",
        "tls://198.18.1.1:8443",
    ]


@pytest.mark.parametrize(
    ("exposure", "fault"),
    [
        (
            behind(None, service={"protocol": "tcp"}, hostnames=None),
            "gateway.existing.listenerPort: found nothing, expected the port of one of the"
            " listeners of gateway edge for TCP",
        ),
        (
            behind(8443, service={"protocol": "tls"}),
            "hostnames: found httpbin.example.com, which gateway edge does not serve; it serves"
            " *.example.org",
        ),
        (
            behind(5432, service={"protocol": "tcp"}, hostnames=None),
            "gateway: found edge, whose listeners[].allowedRoutes admit only its own namespace"
            " edge, not httpbin. Set gateways.edge.listeners[].allowedRoutes to {namespaces: {from:"
            " All}}, or to a Selector",
        ),
    ],
)
def test_a_shared_gateway_needs_a_listener_for_connections(
    exposure: dict[str, Any], fault: str
) -> None:
    exposure["gateway"] |= {"serviceType": None, "allowedRoutes": None}
    with pytest.raises(InvalidInput) as found:
        read("dev", config(exposure=exposure, gateways={"edge": EDGE}), PROJECT["name"])
    assert f"exposures.httpbin.{fault}" in str(found.value)


WHY = "is for requests: of protocol tls proxies see connections alone"


@pytest.mark.parametrize(
    ("exposure", "fault"),
    [
        ({"rules": [{}]}, f"rules: {WHY}"),
        ({"jwtRules": [{"issuer": "a"}]}, f"jwtRules: {WHY}"),
        ({"gateway": {"tls": {"issuer": "self-signed"}}}, "gateway.tls: found it beside"),
        ({"service": {"protocol": "tls", "tls": VALIDATION}}, "service.tls: found it beside"),
        (
            {
                "policies": [
                    {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/"]}}]}]}
                ]
            },
            f"policies[0].rules[0]: found to.paths, which {WHY}",
        ),
        (
            {
                "policies": [
                    {
                        "action": "DENY",
                        "rules": [{"when": [{"key": "request.headers[a]", "values": ["b"]}]}],
                    }
                ]
            },
            f"policies[0].rules[0]: found when request.headers[a], which {WHY}",
        ),
        ({"hostnames": None}, "hostnames: found nothing, expected a list"),
        (
            {"service": {"protocol": "tcp"}},
            "hostnames: found some for TCP, which has none: a port is for one service",
        ),
        (
            {
                "service": {"protocol": "tcp"},
                "hostnames": None,
                "verification": {"checks": [{"path": "/", "status": 200}]},
            },
            "verification.checks[0].path: is for HTTP; over TCP body is sent, responseBody"
            " expected",
        ),
    ],
)
def test_nobody_judges_requests_of_connections(exposure: dict[str, Any], fault: str) -> None:
    whole = {**NO_RULES, "service": {"protocol": "tls"}, **exposure}
    found = refused(**whole)
    assert any(one.startswith(f"exposures.httpbin.{fault}") for one in found), found


def test_an_adopted_service_says_that_it_takes_connections() -> None:
    service = {"create": False, "image": None, "containerPort": None, "protocol": "tls"}
    args = read("dev", config(exposure={**NO_RULES, "service": service}), PROJECT["name"])
    assert args["exposures"]["httpbin"]["service"]["protocol"] == "tls"


# What the cluster has to have


def test_the_kinds_that_a_stack_needs_have_to_be_served() -> None:
    exposure = {**OUTSIDE, "service": {**OUTSIDE["service"], "tls": VALIDATION}}
    args = read("dev", config(exposure=exposure), PROJECT["name"])
    assert needs(args)["definitions"] == [
        "backendtlspolicies.gateway.networking.k8s.io",
        "serviceentries.networking.istio.io",
    ]
    exposure = {**NO_RULES, "service": {"protocol": "tls"}}
    args = read("dev", config(exposure=exposure), PROJECT["name"])
    assert needs(args)["definitions"] == ["tlsroutes.gateway.networking.k8s.io"]


def test_what_is_not_served_is_named_with_the_release_that_has_it() -> None:
    name = "tlsroutes.gateway.networking.k8s.io"
    assert Installed([]).unserved(name) == "needs Gateway API 1.5, the cluster has none"
    old = {
        "metadata": {
            "name": name,
            "annotations": {
                "gateway.networking.k8s.io/bundle-version": "v1.4.0",
                "gateway.networking.k8s.io/channel": "experimental",
            },
        },
        "spec": {"versions": [{"name": "v1alpha2", "served": True}]},
    }
    assert Installed([old]).unserved(name) == (
        "needs Gateway API 1.5, the cluster has 1.4.0 (experimental channel)"
    )


# In plain words


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        (
            "TLSRoute",
            {"spec": {"hostnames": ["a"]}},
            {"spec": {"hostnames": ["b"]}},
            [
                "connections for `b` are now passed on",
                "connections for `a` are no longer passed on",
            ],
        ),
        (
            "TCPRoute",
            {},
            {"metadata": {"name": "database"}, "spec": {"rules": []}},
            ["connections of `database` are now passed on"],
        ),
        (
            "BackendTLSPolicy",
            {},
            {"spec": {"targetRefs": [{"name": "shop"}], "validation": {"hostname": "a.b"}}},
            ["requests to `shop` now go by TLS, if its certificate is for `a.b`"],
        ),
        (
            "BackendTLSPolicy",
            {"spec": {"targetRefs": [{"name": "shop"}], "validation": {"hostname": "a.b"}}},
            {},
            ["requests to `shop` no longer go by TLS"],
        ),
        (
            "ServiceEntry",
            {"metadata": {"name": "shop"}, "spec": {"hosts": ["a.b"]}},
            {"metadata": {"name": "shop"}, "spec": {"hosts": ["c.d"]}},
            ["`shop` is now at `c.d` instead of `a.b`"],
        ),
    ],
)
def test_changes_are_told_in_plain_words(
    kind: str, old: Mapping[str, Any], new: Mapping[str, Any], said: list[str]
) -> None:
    assert list(effects(kind, old, new)) == said


# Listeners that are brought to a gateway


OPEN = {
    "namespace": {"name": "edge"},
    "hostnames": ["*.example.com"],
    "serviceType": "LoadBalancer",
    "allowedListeners": EVERYBODY,
}


def bringing(listener_set: dict[str, Any], **exposure: Any) -> dict[str, Any]:
    gateway = {
        "existing": {"entry": "edge"},
        "listenerSet": listener_set,
        "serviceType": None,
        "allowedRoutes": None,
    }
    return {"gateway": gateway, "hostnames": ["a.example.org", "b.example.org"], **exposure}


def test_host_names_and_certificates_are_brought_to_a_gateway(run: Run) -> None:
    tls = {"certificates": {"a.example.org": "a", "b.example.org": "vault/b"}, "grants": True}
    program = run(
        exposure=bringing({"tls": tls}), gateways={"edge": OPEN}, addresses=("198.18.1.1",)
    )
    assert spec(program, "Gateway/edge-gateway")["allowedListeners"] == EVERYBODY
    brought = program.graph["ListenerSet/httpbin-listeners"]
    assert brought.inputs["spec"] == {
        "parentRef": {"name": "edge", "namespace": "edge"},
        "listeners": [
            {
                "name": name,
                "hostname": hostname,
                "port": 443,
                "protocol": "HTTPS",
                "tls": {"mode": "Terminate", "certificateRefs": [reference]},
            }
            for name, hostname, reference in (
                ("https", "a.example.org", {"name": "a"}),
                ("https-b-example-org", "b.example.org", {"name": "b", "namespace": "vault"}),
            )
        ],
    }
    waits = brought.inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert waits.count("'Programmed'") == waits.count("'ResolvedRefs'") == 2
    (granted,) = spec(program, "ReferenceGrant/httpbin-listeners-grant-vault")["from"]
    assert granted["kind"] == "ListenerSet"
    (parent,) = spec(program, "HTTPRoute/httpbin-ingress-route")["parentRefs"]
    assert parent == {
        "group": "gateway.networking.k8s.io",
        "kind": "ListenerSet",
        "name": "httpbin",
    }
    assert program.exports["ingressUrl"] == "https://198.18.1.1:443"


def test_plaintext_may_be_brought_too(run: Run) -> None:
    edge = {**OPEN, "serviceType": "ClusterIP"}
    program = run(exposure=bringing({"port": 8080}), gateways={"edge": edge})
    listeners = spec(program, "ListenerSet/httpbin-listeners")["listeners"]
    assert [(one["name"], one["port"], one["protocol"]) for one in listeners] == [
        ("default", 8080, "HTTP"),
        ("http-b-example-org", 8080, "HTTP"),
    ]


@pytest.mark.parametrize(
    ("exposure", "gateway", "fault"),
    [
        (
            bringing({}),
            {**OPEN, "allowedListeners": None},
            "gateway: found edge, whose allowedListeners admit none, not httpbin. Set"
            " gateways.edge.allowedListeners to {namespaces: {from: All}}, or to a Selector",
        ),
        (
            bringing({"tls": {"certificates": {"a.example.org": "a"}}}),
            OPEN,
            "gateway.listenerSet.tls.certificates: found none for b.example.org, expected its"
            " Secret, an issuerRef, or issuer: self-signed",
        ),
        (
            bringing({"tls": {"issuer": "self-signed", "redirect": True}}),
            OPEN,
            "gateway.listenerSet.tls.redirect: is for a gateway of one's own",
        ),
        (
            bringing({"tls": {"issuer": "self-signed"}, "port": 80}),
            OPEN,
            "gateway.listenerSet.port: is for plaintext, found it beside tls, whose port is"
            " tls.port",
        ),
        (
            {"gateway": {"listenerSet": {}}},
            OPEN,
            "gateway.listenerSet: is for an existing gateway; one of its own has listeners",
        ),
        (
            bringing({}, service={"protocol": "tls"}, **NO_RULES),
            OPEN,
            f"gateway.listenerSet: {WHY}",
        ),
    ],
)
def test_listeners_are_brought_to_gateways_that_admit_them(
    exposure: dict[str, Any], gateway: dict[str, Any], fault: str
) -> None:
    edge = {key: value for key, value in gateway.items() if value is not None}
    with pytest.raises(InvalidInput) as found:
        read("dev", config(exposure=exposure, gateways={"edge": edge}), PROJECT["name"])
    assert f"exposures.httpbin.{fault}" in str(found.value)


def test_a_stack_with_listener_sets_needs_their_definition() -> None:
    keys = config(exposure=bringing({}), gateways={"edge": OPEN})
    args = read("dev", keys, PROJECT["name"])
    assert needs(args)["definitions"] == ["listenersets.gateway.networking.k8s.io"]


def test_a_gateway_of_others_has_to_admit_listener_sets() -> None:
    gateway: dict[str, Any] = {
        "spec": {"gatewayClassName": "istio", "listeners": []},
        "status": {"conditions": [{"type": one, "status": "True"} for one in PROGRAMMED]},
    }

    class Found:
        def __init__(self, **content: Any) -> None:
            self.__dict__.update(content)
            self.to_dict = lambda: content

    def look_up(_kind: Any, _name: str, namespace: str | None = None) -> Found:
        if namespace is None:
            return Found(spec=type("Spec", (dict,), {})(controllerName=CONTROLLER))
        return Found(**gateway)

    expected: Any = {
        "namespace": "edge",
        "name": "edge",
        "attached": "shop",
        "hostnames": ["a.b"],
        "listener_set": True,
    }
    assert list(existing_gateways(look_up, [expected])) == [
        (
            "Gateway edge/edge",
            "does not admit ListenerSets of namespace shop: it admits none. Ask its owner to admit"
            " the namespace in allowedListeners, or label the namespace as demanded",
        )
    ]
    gateway["spec"]["allowedListeners"] = {"namespaces": {"from": "All"}}
    assert list(existing_gateways(look_up, [expected])) == []


PROGRAMMED = ("Accepted", "Programmed")
CONTROLLER = "istio.io/gateway-controller"


# The way out


def test_clients_in_the_mesh_reach_what_is_outside_through_a_waypoint(run: Run) -> None:
    rules = [{"from": [{"source": {"principals": ["cluster.local/ns/shop/sa/shop"]}}]}]
    policy = {"name": "shop", "action": "ALLOW", "rules": rules}
    exposure = {**OUTSIDE, "hostnames": None, "policies": [policy]}
    program = run(exposure=exposure)
    assert "ServiceEntry/httpbin-external" in program.graph
    assert "HTTPRoute/httpbin-waypoint-route" in program.graph
    assert "Gateway/httpbin-gateway" not in program.graph
    assert "HTTPRoute/httpbin-ingress-route" not in program.graph
    assert program.exports["ingressUrl"] == "http://api.example.org:8000"
    url = "http://api.example.org:8000"
    assert program.exports["verified"] == [
        f"GET {url}/headers (Host: api.example.org): 200",
        f"GET {url}/get (Host: api.example.org): 404",
    ]
    (job,) = [one for key, one in program.graph.items() if key.startswith("Job/")]
    assert {
        "HTTPRoute/httpbin-waypoint-route",
        "AuthorizationPolicy/httpbin-policy-shop",
    } <= job.dependencies


def test_only_a_ztunnel_sends_clients_through_a_waypoint() -> None:
    args = read("dev", config(exposure={**OUTSIDE, "hostnames": None}), PROJECT["name"])
    found = needs(args)
    assert found["ztunnel"]
    assert found["gateway_classes"] == ["istio-waypoint"]
    (entry,) = found["entries"]
    assert (entry["name"], entry["suffix"]) == ("httpbin-waypoint-route", "-waypoint-route")


def test_without_a_gateway_there_are_no_rules_for_it() -> None:
    assert refused(**OUTSIDE, hostnames=None, ingressRules=[{}]) == [
        "exposures.httpbin.ingressRules: is for a gateway: without hostnames is none"
    ]
