"""What gateway and waypoint do with the requests of an exposure beside its routes: how they are
spread over pods, limited, judged at the gateway, and by whom."""

import json
from typing import Any

import pytest

from components.commands.effects import effects
from components.stack.needs import needs
from tests.unit.conftest import SAMPLE, Program, Run
from tests.unit.test_configuration import ALL, BEHIND_EDGE, GATEWAY, faults_of, read, several
from tests.unit.test_graph import GRAPH, leaves, metadata, spec, subject
from tests.unit.test_preflight import (
    CRDS,
    DESTINATION_RULES,
    ROUTES,
    VIRTUAL_SERVICES,
    api,
    faults,
    theirs,
)

__all__ = ["api"]

POLICY = {
    "loadBalancer": {"consistentHash": {"httpCookie": {"name": "session", "ttl": "1h"}}},
    "outlierDetection": {"consecutive5xxErrors": 2, "maxEjectionPercent": 50},
}


AT_EDGE = {
    "existing": {"entry": "edge"},
    **dict.fromkeys(SAMPLE["ambient-exposure:exposures"]["httpbin"]["gateway"]),
}
"""In place of the sample's own gateway."""


# How requests are spread over pods


def test_the_waypoint_alone_goes_by_the_policy_before_the_gateway_opens(run: Run) -> None:
    program = run(exposure={"trafficPolicy": POLICY})
    own, bypassing = "DestinationRule/httpbin", "DestinationRule/httpbin-ingress"
    route = "HTTPRoute/httpbin-ingress-route"
    assert leaves(program) == {
        **GRAPH,
        bypassing: ("AmbientExposure/httpbin", {"Gateway/httpbin-gateway"}),
        own: ("AmbientExposure/httpbin", {bypassing}),
        route: (GRAPH[route][0], {*GRAPH[route][1], own} - {"Gateway/httpbin-gateway"}),
    }
    assert program.graph[own].inputs["apiVersion"] == "networking.istio.io/v1"
    assert metadata(program, own)["name"] == "httpbin"
    assert spec(program, own) == {
        "host": "httpbin",
        "trafficPolicy": POLICY,
        "exportTo": ["httpbin"],
    }
    assert metadata(program, bypassing)["name"] == "httpbin-ingress"
    label = {"gateway.networking.k8s.io/gateway-name": "httpbin-gateway"}
    assert spec(program, bypassing) == {
        "host": "httpbin",
        "workloadSelector": {"matchLabels": label},
    }


def test_each_version_has_the_policy_where_the_waypoint_is(run: Run) -> None:
    program = run(
        exposure={
            "trafficPolicy": POLICY,
            "service": {"canary": {"image": "httpbin:2", "weight": 10}},
            "waypoint": {"existing": {"entry": "shared"}},
        },
        waypoints={"shared": ALL},
    )
    assert spec(program, "DestinationRule/httpbin")["exportTo"] == ["shared"]
    assert spec(program, "DestinationRule/httpbin-canary") == {
        "host": "httpbin-canary",
        "trafficPolicy": POLICY,
        "exportTo": ["shared"],
    }


def test_another_policy_is_proven_again(run: Run) -> None:
    first, same, other = (
        subject(run(exposure={"trafficPolicy": {"loadBalancer": {"simple": simple}}}))
        for simple in ("RANDOM", "RANDOM", "ROUND_ROBIN")
    )
    assert first == same != other


PATH = "exposures.e0.trafficPolicy"
TUNNELLED = (
    "expected nothing: a waypoint connects to pods through a tunnel of its own, of which Istio"
    " decides"
)
HASH = {"httpCookie": {"name": "a"}}
DURATION = "a duration like '1h30m', '10s' or '500ms'"


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ({}, f"{PATH}: found {{}}, expected at least one"),
        (
            {"tls": {"mode": "SIMPLE"}},
            f"{PATH}.tls: found {{'mode': 'SIMPLE'}}, expected nothing: pods of the mesh are"
            " reached by its own mutual TLS; TLS to a backend of others is what a BackendTLSPolicy"
            " is for",
        ),
        (
            {"tunnel": {"targetHost": "a", "targetPort": 1}},
            f"{PATH}.tunnel: found {{'targetHost': 'a', 'targetPort': 1}}, expected nothing:"
            " waypoints ignore it",
        ),
        (
            {"connectionPool": {"tcp": {"connectTimeout": "1s"}}},
            f"{PATH}.connectionPool.tcp.connectTimeout: found '1s', {TUNNELLED}",
        ),
        (
            {"loadBalancer": {"simple": "PASSTHROUGH"}},
            f"{PATH}.loadBalancer.simple: found PASSTHROUGH, which sends a request to the address"
            " that it came for: at a waypoint the Service's, not a pod's. Choose another",
        ),
        (
            {"loadBalancer": {"simple": "RANDOM", "consistentHash": HASH}},
            f"{PATH}.loadBalancer: found both simple and consistentHash, expected one of them",
        ),
        (
            {"loadBalancer": {"consistentHash": {"useSourceIp": True}}},
            f"{PATH}.loadBalancer.consistentHash.useSourceIp: found true, but to a waypoint every"
            " request of a gateway comes from the gateway's own address: all of them would go to"
            " one pod. Use httpCookie or httpHeaderName",
        ),
        (
            {"loadBalancer": {"consistentHash": {**HASH, "httpHeaderName": "b"}}},
            f"{PATH}.loadBalancer.consistentHash: found both httpHeaderName and httpCookie,"
            " expected one of them",
        ),
        (
            {"outlierDetection": {"consecutiveErrors": 1}},
            f"{PATH}.outlierDetection.consecutiveErrors: found 1, expected nothing: Istio ignores"
            " it. Use consecutive5xxErrors",
        ),
        (
            {"outlierDetection": {"outlierDetectionHttpErrorCodes": [500]}},
            f"{PATH}.outlierDetection.outlierDetectionHttpErrorCodes: found [500], expected"
            " nothing: waypoints ignore it",
        ),
        (
            {"outlierDetection": {"interval": "1 s"}},
            f"{PATH}.outlierDetection.interval: found '1 s', expected {DURATION}",
        ),
        (
            {"outlierDetection": {"maxEjectionPercent": 101}},
            f"{PATH}.outlierDetection.maxEjectionPercent: found 101, expected a percentage from 0"
            " to 100",
        ),
    ],
)
def test_what_waypoints_make_nothing_of_is_refused(policy: Any, fault: str) -> None:
    assert faults_of(several({"trafficPolicy": policy})) == [fault]


CONNECTIONS = {"service": {"protocol": "tcp"}, "rules": None, "hostnames": None}


@pytest.mark.parametrize(
    ("patch", "fault"),
    [
        (
            {"service": {"external": {"host": "api.example.com"}, "image": None}},
            f"{PATH}: is for pods in the mesh, found it for an external service",
        ),
        (
            {"service": {"tls": {"hostname": "a", "wellKnownCACertificates": "System"}}},
            f"{PATH}: found beside service.tls, of which Istio makes a rule for the same Service:"
            " of both the waypoint goes by one. Leave one out",
        ),
        (
            CONNECTIONS,
            f"{PATH}.loadBalancer.consistentHash: goes by what is in requests, but the waypoint"
            " passes connections on unread",
        ),
    ],
)
def test_a_policy_that_has_nothing_to_go_by_is_refused(patch: Any, fault: str) -> None:
    assert fault in faults_of(several({"trafficPolicy": POLICY, **patch}))


@pytest.mark.parametrize("part", ["gateway", "waypoint"])
def test_connections_are_not_counted_as_requests(part: str) -> None:
    (fault,) = faults_of(several({**CONNECTIONS, part: {"rateLimit": {"requests": 1}}}))
    assert fault.startswith(f"exposures.e0.{part}.rateLimit: ")


def test_a_gateway_may_not_be_beside_a_waypoint_that_it_would_put_out() -> None:
    namespace = {"namespace": {"existing": {"entry": "mesh"}}}
    both = {"waypoint": {"existing": {"entry": "shared"}}, **BEHIND_EDGE}
    values = {
        "gateways": {"edge": {**GATEWAY, **namespace}},
        "waypoints": {"shared": {**ALL, **namespace}},
        "namespaces": {"mesh": {}},
    }
    assert faults_of(several({**both, "trafficPolicy": POLICY}, **values)) == [
        "exposures.e0.trafficPolicy.outlierDetection: found gateway and waypoint in one namespace"
        " mesh, other than the service's e0: the gateway would go by it as well, and put out the"
        " waypoint. Use one of them in another namespace"
    ]
    alone = {"loadBalancer": {"simple": "RANDOM"}}
    assert read(several({**both, "trafficPolicy": alone}, **values))
    assert read(several({**namespace, **both, "trafficPolicy": POLICY}, **values))
    assert read(several({"trafficPolicy": POLICY}))


@pytest.mark.parametrize(
    ("spec", "faulty"),
    [
        ({"host": "cart"}, 1),
        ({"host": "cart", "workloadSelector": {"matchLabels": {"app": "a"}}}, 0),
        ({"host": "*.shop.svc.cluster.local"}, 0),
        ({"host": "carts"}, 0),
    ],
)
def test_a_rule_of_others_beside_a_policy_is_refused(api: Any, spec: Any, faulty: int) -> None:
    api[VIRTUAL_SERVICES] = {"metadata": {}, "items": []}
    api[DESTINATION_RULES] = {"metadata": {}, "items": [theirs("shop", **spec)]}
    assert faults(routes=ROUTES) == []
    fault = (
        "DestinationRule shop/theirs: is for Service shop/cart, too: of two the waypoint goes by"
        " one. Delete it, once what it says is in `traffic_policy`"
    )
    assert faults(routes=[{**ROUTES[0], "traffic_policy": True}]) == [fault] * faulty


# How many are answered


def filters(program: Program, key: str) -> Any:
    """What an EnvoyFilter is for, where it stands, and its buckets."""
    (patch,) = spec(program, key)["configPatches"]
    return (
        spec(program, key)["targetRefs"],
        patch["match"]["context"],
        patch["match"]["listener"].get("name"),
        patch["patch"]["value"]["typed_config"]["token_bucket"],
    )


def test_proxies_are_limited_before_the_gateway_opens(run: Run) -> None:
    program = run(
        exposure={
            "gateway": {"rateLimit": {"requests": 5, "seconds": 60}},
            "waypoint": {"rateLimit": {"requests": 3}},
        }
    )
    gateway = "EnvoyFilter/httpbin-gateway-rate-limit"
    waypoint = "EnvoyFilter/httpbin-rate-limit"
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    assert program.graph[gateway].inputs["apiVersion"] == "networking.istio.io/v1alpha3"
    assert metadata(program, gateway)["name"] == "httpbin-gateway-rate-limit"
    assert metadata(program, waypoint)["name"] == "httpbin-waypoint-rate-limit"
    assert filters(program, gateway) == (
        [{**target, "name": "httpbin-gateway"}],
        "GATEWAY",
        None,
        {"max_tokens": 5, "tokens_per_fill": 5, "fill_interval": "60s"},
    )
    assert filters(program, waypoint) == (
        [{**target, "name": "httpbin-waypoint"}],
        "SIDECAR_INBOUND",
        "main_internal",
        {"max_tokens": 3, "tokens_per_fill": 3, "fill_interval": "1s"},
    )
    assert leaves(program)["HTTPRoute/httpbin-ingress-route"][1] == {
        "HTTPRoute/httpbin-waypoint-route",
        gateway,
    }
    assert leaves(program)["NamespacePatch/httpbin-binding"][1] == {waypoint}


def test_a_shared_gateway_is_limited_itself(run: Run) -> None:
    program = run(
        exposure={"gateway": AT_EDGE},
        gateways={
            "edge": {
                "hostnames": ["httpbin.example.com"],
                "allowedRoutes": {"namespaces": {"from": "All"}},
                "rateLimit": {"requests": 5},
            }
        },
    )
    assert metadata(program, "EnvoyFilter/edge-gateway-rate-limit")["namespace"] == "edge"


@pytest.mark.parametrize(
    ("limit", "fault"),
    [
        ({"requests": 0}, "requests: found 0, expected an integer of at least 1"),
        ({"seconds": 1}, "requests: found nothing, expected an integer"),
        ({"requests": 1, "seconds": 0}, "seconds: found 0, expected seconds from 1 to 3600"),
    ],
)
def test_a_wrong_limit_is_refused(limit: Any, fault: str) -> None:
    path = "exposures.e0.gateway.rateLimit"
    assert faults_of(several({"gateway": {"rateLimit": limit}})) == [f"{path}.{fault}"]


def destination_rules(*fields: str) -> dict[str, Any]:
    """Their CustomResourceDefinition, with fields of a traffic policy."""
    policy = {"properties": {field: {"type": "object"} for field in fields}}
    spec = {"properties": {"trafficPolicy": policy}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"properties": {"spec": spec}}},
    }
    return {
        "metadata": {"name": "destinationrules.networking.istio.io"},
        "spec": {
            "group": "networking.istio.io",
            "names": {"kind": "DestinationRule", "plural": "destinationrules"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def test_an_istio_that_would_limit_all_proxies_of_a_namespace_is_refused(api: Any) -> None:
    rules = f"{CRDS}/destinationrules.networking.istio.io"
    api[rules] = destination_rules("tls")
    assert faults() == []
    assert faults(rate_limits=True) == [
        "rate_limit: needs Istio 1.27: older ones would limit every proxy of the namespace, and"
        " destinationrules.networking.istio.io of the cluster is of an older one"
    ]
    api[rules] = destination_rules("tls", "retryBudget")
    assert faults(rate_limits=True) == []


# Who is let in at the gateway


def test_the_gateway_judges_before_it_has_routes(run: Run) -> None:
    program = run(
        exposure={
            "gateway": {
                "policies": [
                    {
                        "name": "office",
                        "action": "ALLOW",
                        "rules": [{"from": [{"source": {"remoteIpBlocks": ["192.0.2.0/24"]}}]}],
                    }
                ],
                "jwtRules": [{"issuer": "me", "jwks": '{"keys": [{}]}'}],
                "trustedProxies": 2,
            }
        }
    )
    policy = "AuthorizationPolicy/httpbin-gateway-policy-office"
    tokens = "RequestAuthentication/httpbin-gateway-jwt"
    targets = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "httpbin-gateway"}]
    assert metadata(program, policy)["name"] == "httpbin-gateway-office"
    # istiod says of a gateway's policies that it found no waypoint.
    assert "pulumi.com/waitFor" not in metadata(program, policy).get("annotations", {})
    assert spec(program, policy)["targetRefs"] == spec(program, tokens)["targetRefs"] == targets
    assert leaves(program)["HTTPRoute/httpbin-ingress-route"][1] == {
        "HTTPRoute/httpbin-waypoint-route",
        policy,
        tokens,
    }
    annotations = spec(program, "Gateway/httpbin-gateway")["infrastructure"]["annotations"]
    assert json.loads(annotations["proxy.istio.io/config"]) == {
        "gatewayTopology": {"numTrustedProxies": 2}
    }


def test_policies_for_the_gateway_name_its_identity(run: Run) -> None:
    to = [{"operation": {"methods": ["GET"]}}]
    program = run(
        exposure={
            "policies": [{"action": "ALLOW", "fromGateway": True, "rules": [{}, {"to": to}]}],
            "gateway": {"nameOverride": "door"},
            "trustDomain": "example.org",
        }
    )
    account = "example.org/ns/httpbin/sa/httpbin-gateway-istio"
    source = [{"source": {"principals": [account]}}]
    found = spec(program, "AuthorizationPolicy/httpbin-policy-0")
    assert found["rules"] == [{"from": source}, {"from": source, "to": to}]
    assert "from_gateway" not in found


def test_a_gateway_of_others_has_its_identity_from_the_cluster(run: Run) -> None:
    account = {"annotations": {"gateway.istio.io/service-account": "door"}}
    for live, expected in (({}, "edge-istio"), ({"metadata": account}, "door")):
        program = run(
            exposure={
                "policies": [{"action": "ALLOW", "fromGateway": True, "rules": [{}]}],
                "gateway": {
                    **AT_EDGE,
                    "existing": {"name": "edge", "namespace": "ingress"},
                },
            },
            live={"ingress/edge": live},
        )
        (rule,) = spec(program, "AuthorizationPolicy/httpbin-policy-0")["rules"]
        principals = [f"cluster.local/ns/ingress/sa/{expected}"]
        assert rule == {"from": [{"source": {"principals": principals}}]}


OPA: dict[str, Any] = {"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]}
OTHER = {**OPA, "provider": {"name": "other"}}
SECOND = (
    "policies[1].provider.name: found 'other', expected 'opa' as in policies[0]: with a second"
    " provider Istio refuses every request that either is asked about"
)


@pytest.mark.parametrize(
    ("patch", "fault"),
    [
        (
            {"policies": [{"action": "ALLOW", "fromGateway": True, "rules": []}]},
            "policies[0].rules: found none beside fromGateway; [{}] makes it be for every request"
            " of the gateway",
        ),
        (
            {
                "policies": [
                    {
                        "action": "DENY",
                        "fromGateway": True,
                        "rules": [{"from": [{"source": {"namespaces": ["a"]}}]}],
                    }
                ]
            },
            "policies[0].rules[0].from: found beside fromGateway, by which it is for the gateway"
            " alone. Leave one out, or make another policy of it",
        ),
        (
            {"policies": [{**OPA, "fromGateway": True}]},
            "policies[0].fromGateway: found true, but CUSTOM does not tell identities apart",
        ),
        ({"policies": [OPA, OTHER]}, SECOND),
        ({"gateway": {"policies": [OPA, OTHER]}}, f"gateway.{SECOND}"),
        (
            {"gateway": {"policies": [OPA, {**OPA, "name": "0"}]}},
            "gateway.policies[1].name: found '0', which is taken already",
        ),
        (
            {"gateway": {"policies": [{**OPA, "fromGateway": True}]}},
            "gateway.policies[0].fromGateway: found an unknown key, expected one of name, action,"
            " rules, provider",
        ),
        ({"gateway": {"jwtRules": []}}, "gateway.jwtRules: found [], expected at least one"),
        (
            {"gateway": {"trustedProxies": -1}},
            "gateway.trustedProxies: found -1, expected an integer of at least 0",
        ),
        (
            {
                "policies": [{"action": "ALLOW", "fromGateway": True, "rules": [{}]}],
                "gateway": {
                    "existing": {
                        "name": "a",
                        "namespace": "b",
                        "host": "c",
                        "port": 1,
                        "url": "http://c",
                        "urls": ["http://c"],
                    }
                },
            },
            "gateway.existing.serviceAccount: found nothing, expected the gateway's ServiceAccount,"
            " for fromGateway. Leave all out but name and namespace to have it read from the"
            " cluster",
        ),
    ],
)
def test_policies_that_make_no_sense_are_refused(patch: Any, fault: str) -> None:
    assert faults_of(several(patch)) == [f"exposures.e0.{fault}"]


# Who is asked


def test_the_preflight_looks_for_what_is_asked_for() -> None:
    found = needs(
        read(
            several(
                {"policies": [OPA], "trafficPolicy": POLICY},
                {"gateway": {"policies": [OTHER]}},
                BEHIND_EDGE,
                gateways={"edge": {**GATEWAY, "policies": [OPA]}},
                waypoints={"shared": {**ALL, "rateLimit": {"requests": 1}}},
            )
        )
    )
    assert found["authorizers"] == ["opa", "other"]
    assert found["rate_limits"] is True
    assert [one.get("traffic_policy") for one in found["routes"]] == [True, None, None]


MESH = "/api/v1/namespaces/istio-system/configmaps/istio"
HTTP = {"name": "opa", "envoyExtAuthzHttp": {"service": "opa.opa.svc.cluster.local", "port": 80}}


@pytest.mark.parametrize(
    ("providers", "expected"),
    [
        ([HTTP], "one of opa (extensionProviders with"),
        ([], "one, and there is none (extensionProviders with"),
        ([{"name": "opaa", "zipkin": {}}], "one, and there is none (extensionProviders with"),
    ],
)
def test_a_provider_that_the_mesh_does_not_have_is_named(
    api: Any, providers: list[Any], expected: str
) -> None:
    api[MESH] = {"metadata": {}, "data": {"mesh": json.dumps({"extensionProviders": providers})}}
    (fault,) = faults(authorizers=["opaa"])
    assert fault.startswith(
        "provider opaa: unknown to the mesh, which would refuse every request that it is asked"
        f" about: expected {expected} envoyExtAuthzHttp or envoyExtAuthzGrpc in ConfigMap"
        " istio-system/istio)"
    )
    assert fault.endswith("(did you mean opa?)") is (providers == [HTTP])


@pytest.mark.parametrize("mesh", [json.dumps({"extensionProviders": [HTTP]}), "", "a: ["])
def test_a_provider_that_the_mesh_has_or_does_not_tell_of_is_taken(api: Any, mesh: str) -> None:
    assert faults(authorizers=["opa"]) == []
    api[MESH] = {"metadata": {}, "data": {"mesh": mesh}}
    assert faults(authorizers=["opa"]) == []


# What a change means


BUCKET = {"max_tokens": 5, "tokens_per_fill": 5, "fill_interval": "1s"}


def limited(**bucket: int) -> dict[str, Any]:
    typed = {"typed_config": {"token_bucket": {**BUCKET, **bucket}}}
    return {
        "spec": {
            "targetRefs": [{"kind": "Gateway", "name": "edge"}],
            "configPatches": [{"patch": {"value": typed}}],
        }
    }


def treated(**policy: Any) -> dict[str, Any]:
    return {"spec": {"host": "shop", "trafficPolicy": policy}}


def proxied(**annotations: str) -> dict[str, Any]:
    spec = {"infrastructure": {"annotations": annotations}, "listeners": []}
    return {"metadata": {"name": "edge"}, "spec": spec}


@pytest.mark.parametrize(
    ("kind", "old", "new", "sentences"),
    [
        ("DestinationRule", {}, {"spec": {"host": "shop"}}, []),
        ("DestinationRule", {}, treated(outlierDetection={"interval": "1s"}, retryBudget={}), [
            "failing pods of `shop` are now spared (`{interval: 1s}`)",
            "requests to `shop` are now treated by retryBudget (`{}`)",
        ]),
        ("DestinationRule", treated(connectionPool={}, loadBalancer={}), treated(loadBalancer={}), [
            "connections and requests to `shop` are no longer limited",
        ]),
        ("EnvoyFilter", {}, limited(), [
            "each pod of `edge` now answers at most `5 requests in 1s`, all others with 429",
        ]),
        ("EnvoyFilter", limited(), limited(max_tokens=6), [
            "each pod of `edge` now answers at most `6 requests in 1s`, all others with 429",
        ]),
        ("EnvoyFilter", limited(), {}, [
            "each pod of `edge` no longer answers with 429 what is more than `5 requests in 1s`",
        ]),
        ("Gateway", proxied(), proxied(**{"proxy.istio.io/config": "{}"}), [
            "Gateway `edge` restarts its pods: it knows clients by `X-Forwarded-For, {}`",
        ]),
        ("Gateway", proxied(**{"proxy.istio.io/config": "{}"}), proxied(), [
            "Gateway `edge` restarts its pods: it knows clients by the address of the connection",
        ]),
    ],
)  # fmt: skip
def test_effects(kind: str, old: Any, new: Any, sentences: list[str]) -> None:
    assert list(effects(kind, old, new)) == sentences
