"""The way of requests through an exposure, drawn, and where it is broken."""

import json
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from components.cluster.chain import ChainExpectation, Link, chain
from components.cluster.kubeconfig import connect
from components.commands import picture, show, verify
from tests.unit.conftest import PROJECT, SAMPLE, patched
from tests.unit.test_preflight import CRDS, api, crd

__all__ = ["api"]

SECURITY = "/apis/security.istio.io/v1/namespaces/httpbin"
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/httpbin"
CORE = "/api/v1/namespaces/httpbin"
NETWORK = "/apis/networking.k8s.io/v1/namespaces/httpbin/networkpolicies"
GATEWAY = "cluster.local/ns/httpbin/sa/httpbin-gateway-istio"
POLICIES = f"{SECURITY}/authorizationpolicies"


def condition(type_: str, status: str = "True", reason: str = "", message: str = "") -> Any:
    said = {"type": type_, "status": status, "reason": reason or type_, "message": message}
    return {**said, "lastTransitionTime": "2026-01-02T03:04:05Z"}


HOLDS = [condition("Accepted"), condition("Programmed")]


def gateway(name: str, class_: str, protocol: str, port: int, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "httpbin", **metadata},
        "spec": {
            "gatewayClassName": class_,
            "listeners": [{"name": "default", "protocol": protocol, "port": port}],
        },
        "status": {"addresses": [{"value": "10.96.0.1"}], "conditions": HOLDS},
    }


def route(name: str, *paths: str) -> dict[str, Any]:
    matches = [{"path": {"type": "PathPrefix", "value": path}} for path in paths]
    parents = [{"conditions": [condition("Accepted"), condition("ResolvedRefs")]}]
    return {
        "metadata": {"name": name, "namespace": "httpbin"},
        "spec": {"rules": [{"matches": matches}] if paths else [{}]},
        "status": {"parents": parents},
    }


def items(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {}, "items": [*listed]}


def pods(*ready: str) -> dict[str, Any]:
    return items(
        *(
            {
                "metadata": {"name": f"pod-{index}", "labels": {"app": "httpbin"}},
                "status": {"conditions": [condition("Ready", one)]},
            }
            for index, one in enumerate(ready)
        )
    )


def policy(
    *rules: dict[str, Any], action: str = "ALLOW", kind: str = "Service", name: str = "httpbin"
) -> dict[str, Any]:
    return {
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "rules", "namespace": "httpbin"},
        "spec": {
            "action": action,
            "targetRefs": [{"kind": kind, "name": name}],
            "rules": [*rules],
        },
    }


def of(**source: list[str]) -> dict[str, Any]:
    return {"from": [{"source": source}]}


@pytest.fixture
def cluster(api: dict[str, Any]) -> dict[str, Any]:
    """The objects of an exposure that works."""
    labels = {"istio.io/ingress-use-waypoint": "true", "istio.io/use-waypoint": "httpbin-waypoint"}
    api |= {
        "/api/v1/namespaces/httpbin": {
            "metadata": {"name": "httpbin", "labels": {"istio.io/dataplane-mode": "ambient"}}
        },
        f"{CORE}/services/httpbin": {
            "metadata": {"name": "httpbin", "namespace": "httpbin", "labels": labels},
            "spec": {
                "clusterIP": "10.96.0.9",
                "ports": [{"port": 8000}],
                "selector": {"app": "httpbin"},
            },
        },
        f"{CORE}/pods": pods("True"),
        f"{ROUTES}/gateways/httpbin-gateway": gateway("httpbin-gateway", "istio", "HTTP", 80),
        f"{ROUTES}/gateways/httpbin-waypoint": gateway(
            "httpbin-waypoint", "istio-waypoint", "HBONE", 15008
        ),
        f"{ROUTES}/httproutes/httpbin-ingress": route("httpbin-ingress"),
        f"{ROUTES}/httproutes/httpbin-waypoint-route": route(
            "httpbin-waypoint-route", "/status", "/headers"
        ),
        NETWORK: items(),
        POLICIES: items(),
        f"{SECURITY}/requestauthentications": items(),
    }
    return api


def links(**lacking: str) -> list[Link]:
    def place(name: str) -> Any:
        return {"namespace": "httpbin", "name": name}

    expected: ChainExpectation = {
        "hostnames": ["httpbin.example.com"],
        "gateway": place("httpbin-gateway"),
        "waypoint": place("httpbin-waypoint"),
        "service": place("httpbin"),
        "port": 8000,
        "kind": "HTTPRoute",
        "trust_domain": "cluster.local",
        "lacking": lacking,
    }
    with connect({}) as client:
        return chain(client, expected)


def broken(**lacking: str) -> dict[str, list[str]]:
    """What is wrong, by station."""
    return {link.title: [*link.faults] for link in links(**lacking) if link.faults}


@pytest.mark.usefixtures("cluster")
def test_a_whole_chain_is_drawn() -> None:
    assert picture.text({"httpbin": links()}).splitlines() == [
        "httpbin",
        "  ● httpbin.example.com",
        "  │",
        "  ● Gateway httpbin/httpbin-gateway",
        "  │   Accepted, Programmed",
        "  │   10.96.0.1",
        "  │   HTTP 80",
        "  │   1 of 1 pods ready",
        "  │",
        "  ● HTTPRoute httpbin/httpbin-ingress",
        "  │   Accepted, ResolvedRefs",
        "  ║ HBONE",
        "  ● Gateway httpbin/httpbin-waypoint",
        "  │   Accepted, Programmed",
        "  │   10.96.0.1",
        "  │   HBONE 15008",
        "  │   1 of 1 pods ready",
        "  │",
        "  ● HTTPRoute httpbin/httpbin-waypoint-route",
        "  │   Accepted, ResolvedRefs",
        "  │   /status, /headers",
        "  │",
        "  ● Service httpbin/httpbin",
        "  │   10.96.0.9:8000",
        "  │",
        "  ● pods",
        "      1 of 1 pods ready",
        "      in the mesh",
    ]


def labels(cluster: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = cluster[f"{CORE}/services/httpbin"]["metadata"]["labels"]
    return found


def test_labels_that_are_missing(cluster: dict[str, Any]) -> None:
    waypoint = "Gateway httpbin/httpbin-waypoint"
    del labels(cluster)["istio.io/ingress-use-waypoint"]
    assert broken() == {
        waypoint: [
            "Service httpbin/httpbin lacks the label istio.io/ingress-use-waypoint=true, so"
            " requests of the gateway pass by the waypoint and its rules: `pulumi up` sets it"
        ]
    }
    labels(cluster).clear()
    namespace = cluster["/api/v1/namespaces/httpbin"]["metadata"]["labels"]
    namespace["istio.io/ingress-use-waypoint"] = "true"
    assert broken() == {
        waypoint: [
            "Service httpbin/httpbin lacks the label istio.io/use-waypoint=httpbin-waypoint, so"
            " requests pass by the rules: `pulumi up` sets it"
        ]
    }
    namespace["istio.io/use-waypoint"] = "httpbin-waypoint"
    assert broken() == {}
    labels(cluster)["istio.io/use-waypoint"] = "other"
    assert broken() == {
        waypoint: [
            "Service httpbin/httpbin has istio.io/use-waypoint=other, expected httpbin-waypoint, so"
            " requests go elsewhere: `pulumi up` sets it"
        ]
    }


def test_conditions_that_do_not_hold(cluster: dict[str, Any]) -> None:
    pending = condition("Programmed", "Unknown", "Pending", "Waiting for controller")
    status = cluster[f"{ROUTES}/gateways/httpbin-waypoint"]["status"]
    status["conditions"] = [condition("Accepted"), pending]
    parent = cluster[f"{ROUTES}/httproutes/httpbin-ingress"]["status"]["parents"][0]
    parent["conditions"][0] = condition("Accepted", "False", "NotAllowedByListeners", "no")
    cluster[f"{CORE}/services/httpbin"]["status"] = {
        "conditions": [condition("istio.io/WaypointBound", "False", "Other", "why")]
    }
    assert broken() == {
        "HTTPRoute httpbin/httpbin-ingress": [
            "Accepted=False (NotAllowedByListeners: no): the gateway's allowedRoutes do not admit"
            " this namespace"
        ],
        "Gateway httpbin/httpbin-waypoint": [
            "Programmed=Unknown (Pending: Waiting for controller): no controller has seen it: do"
            " the discovery labels match the discoverySelectors of the mesh, are GatewayClass and"
            " revision right, and is istiod ready?"
        ],
        "Service httpbin/httpbin": ["istio.io/WaypointBound=False (Other: why)"],
    }
    cluster[f"{ROUTES}/gateways/httpbin-waypoint"]["status"] = {}
    (said,) = broken()["Gateway httpbin/httpbin-waypoint"]
    assert said.startswith("the cluster reports no condition; no controller has seen it")


def test_a_listener_that_fails(cluster: dict[str, Any]) -> None:
    status = cluster[f"{ROUTES}/gateways/httpbin-gateway"]["status"]
    refs = condition("ResolvedRefs", "False", "InvalidCertificateRef", "no such Secret")
    status["listeners"] = [{"name": "https", "conditions": [refs]}]
    assert broken() == {
        "Gateway httpbin/httpbin-gateway": [
            "listener https: ResolvedRefs=False (InvalidCertificateRef: no such Secret): the Secret"
            " of the certificate has to have tls.crt and tls.key"
        ]
    }


def test_what_is_not_there(cluster: dict[str, Any]) -> None:
    for path in [path for path in cluster if path.startswith((ROUTES, f"{CORE}/services"))]:
        del cluster[path]
    assert broken() == {
        "Gateway httpbin/httpbin-gateway": ["it is not there: `pulumi up` makes it, or its owner"],
        "HTTPRoute httpbin/httpbin-ingress": [
            "it is not there: `pulumi up` makes it, or its owner"
        ],
        "Gateway httpbin/httpbin-waypoint": ["it is not there: `pulumi up` makes it, or its owner"],
        "HTTPRoute httpbin/httpbin-waypoint-route": [
            "it is not there: `pulumi up` makes it, or its owner"
        ],
        "Service httpbin/httpbin": ["it is not there: `pulumi up` makes it, or its owner"],
    }


def test_a_service_with_other_ports_and_no_ready_pods(cluster: dict[str, Any]) -> None:
    cluster[f"{CORE}/services/httpbin"]["spec"]["ports"] = [{"port": 80}, {"port": 443}]
    cluster[f"{CORE}/pods"] = pods("False", "False")
    found = broken()
    assert found["Service httpbin/httpbin"] == [
        "it has no port 8000, but [80, 443]: change service.port"
    ]
    assert found["pods"] == [
        "none of its 2 pods is ready: see `kubectl describe pods -n httpbin -l app=httpbin`"
    ]
    del cluster[f"{CORE}/services/httpbin"]["spec"]["selector"]
    assert "pods" not in broken()


def network_policy(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    ingress = [{"ports": [*ports]}] if ports else []
    return {
        "metadata": {"name": "closed", "namespace": "httpbin"},
        "spec": {"podSelector": {}, "ingress": ingress, **spec},
    }


@pytest.mark.parametrize(
    ("one", "blocks"),
    [
        (network_policy(), True),
        (network_policy({"port": 80}), True),
        (network_policy({"port": 15008, "protocol": "UDP"}), True),
        (network_policy({"port": 1, "endPort": 100}), True),
        (network_policy({"port": 80}, {"port": 15008}), False),
        (network_policy({"port": 15000, "endPort": 15100}), False),
        (network_policy({"protocol": "TCP"}), False),
        (network_policy({"port": "hbone"}), False),
        (network_policy(ingress=[{}]), False),
        (network_policy(policyTypes=["Egress"]), False),
        (network_policy(podSelector={"matchLabels": {"app": "other"}}), False),
    ],
)
def test_a_network_policy_that_blocks_the_mesh(
    cluster: dict[str, Any], one: dict[str, Any], *, blocks: bool
) -> None:
    cluster[NETWORK] = items(one)
    said = [
        "NetworkPolicy httpbin/closed lets nobody to port 15008 of its pods, by which the mesh"
        " reaches them: admit that port"
    ]
    expected = {"Gateway httpbin/httpbin-waypoint": said, "pods": said} if blocks else {}
    assert broken() == expected
    # Policies add up.
    cluster[NETWORK] = items(one, network_policy({"port": 15008}))
    assert broken() == {}


def test_pods_outside_of_the_mesh_need_no_such_port(cluster: dict[str, Any]) -> None:
    cluster["/api/v1/namespaces/httpbin"]["metadata"]["labels"] = {}
    cluster[NETWORK] = items(network_policy())
    assert "pods" not in broken()


@pytest.mark.parametrize(
    ("one", "refuses"),
    [
        (policy(action="ALLOW"), True),
        (policy(of(principals=["cluster.local/ns/curl/sa/curl"])), True),
        (policy(of(namespaces=["curl"])), True),
        (policy(of(notPrincipals=["*/httpbin-gateway-istio"])), True),
        (policy(of(principals=[GATEWAY])), False),
        (policy(of(principals=["cluster.local/ns/httpbin/*"])), False),
        (policy(of(requestPrincipals=["*"])), False),
        (policy({}), False),
        (policy({}, action="DENY"), True),
        (policy(of(principals=["*"]), action="DENY"), True),
        (policy(of(notPrincipals=["*/curl"]), action="DENY"), True),
        (policy(of(principals=[GATEWAY], ipBlocks=["192.0.2.1"]), action="DENY"), False),
        (policy({"to": [{"operation": {"paths": ["/admin"]}}]}, action="DENY"), False),
        (policy(of(principals=["*/curl"]), action="DENY"), False),
        (policy(action="AUDIT"), False),
        (policy(kind="Gateway", name="httpbin-waypoint"), True),
    ],
)
def test_a_policy_that_refuses_the_gateway(
    cluster: dict[str, Any], one: dict[str, Any], *, refuses: bool
) -> None:
    cluster[POLICIES] = items(one)
    advice = {
        "ALLOW": "name it in the principals of a rule",
        "DENY": "take it out of the rules, or tell which of its requests are meant",
    }
    said = f"it refuses the ingress gateway: {advice.get(one['spec']['action'])} ({GATEWAY})"
    expected = {"AuthorizationPolicy httpbin/rules": [said]} if refuses else {}
    assert broken() == expected
    assert "AuthorizationPolicy httpbin/rules" in [link.title for link in links()]


def test_policies_for_others_are_left_out(cluster: dict[str, Any]) -> None:
    cluster[POLICIES] = items(policy(name="other"))
    cluster[f"{SECURITY}/requestauthentications"] = items(
        {
            "kind": "RequestAuthentication",
            "metadata": {"name": "tokens", "namespace": "httpbin"},
            "spec": {
                "targetRefs": [{"kind": "Service", "name": "httpbin"}],
                "jwtRules": [{"issuer": "https://issuer.example.com"}],
            },
        }
    )
    titles = {link.title: link.details for link in links()}
    assert "AuthorizationPolicy httpbin/rules" not in titles
    assert titles["RequestAuthentication httpbin/tokens"] == (
        "tokens of https://issuer.example.com",
    )


@pytest.mark.usefixtures("cluster")
def test_a_field_that_the_cluster_does_not_have() -> None:
    assert broken(route="rules[0].retry: needs Gateway API 1.9") == {
        "HTTPRoute httpbin/httpbin-waypoint-route": [
            "rules[0].retry: needs Gateway API 1.9: install newer CustomResourceDefinitions, or"
            " leave the field out"
        ]
    }


CHAINS = {
    'a "b"': [
        Link("a.example.com"),
        Link("Gateway <a>", ("Accepted", "x" * 90)),
        Link("Gateway b", ("c",), ("no: & so",), tunnel=True),
    ],
    "c": [Link("c.example.com")],
}


def test_mermaid_has_every_station() -> None:
    assert picture.mermaid(CHAINS).splitlines() == [
        "flowchart TD",
        "  classDef broken fill:#fff1f0,stroke:#b42318,stroke-width:2px",
        '  subgraph e0["a #quot;b#quot;"]',
        '    e0n0["<b>a.example.com</b>"]',
        f'    e0n1["<b>Gateway &lt;a&gt;</b><br/>Accepted<br/>{"x" * 90}"]',
        "    e0n0 --> e0n1",
        '    e0n2["<b>Gateway b</b><br/>c<br/>→ no: &amp; so"]:::broken',
        "    e0n1 ==>|HBONE| e0n2",
        "  end",
        '  subgraph e1["c"]',
        '    e1n0["<b>c.example.com</b>"]',
        "  end",
    ]


def test_an_svg_has_every_station() -> None:
    drawn = ET.fromstring(picture.svg(CHAINS))  # noqa: S314  # made here
    space = "{http://www.w3.org/2000/svg}"
    words = [one.text for one in drawn.iter(f"{space}text")]
    assert words[0] == 'a "b"'
    assert {"Gateway <a>", "no: & so", "HBONE", "c.example.com"} <= {*words}
    assert "x" * 58 in words  # the rest of it in the next line
    boxes = [one.get("class") for one in drawn.iter(f"{space}rect")]
    assert boxes == ["page", "whole", "whole", "broken", "whole"]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str, int]]:
    def called(*words: str, **changes: Any) -> tuple[str, str, int]:
        values = patched({key.partition(":")[2]: one for key, one in SAMPLE.items()}, changes)
        config = {f"{PROJECT['name']}:{key}": {"value": json.dumps(v)} for key, v in values.items()}
        monkeypatch.setattr(verify, "run_pulumi", lambda *_, **__: json.dumps(config))
        monkeypatch.setattr(sys, "argv", ["show", *words])
        with pytest.raises(SystemExit) as ended:
            show.main()
        printed = capsys.readouterr()
        return printed.out, printed.err, int(str(ended.value.code))

    return called


def without_definitions(cluster: dict[str, Any]) -> None:
    """Of the CRDs nothing is known."""
    for plural in ("gateways", "httproutes"):
        del cluster[f"{CRDS}/{plural}.gateway.networking.k8s.io"]


def test_the_command_draws_a_stack(
    cluster: dict[str, Any], command: Callable[..., tuple[str, str, int]]
) -> None:
    without_definitions(cluster)
    text, _, status = command("--stack", "dev")
    assert text == f"{picture.text({'httpbin': links()})}\n"
    assert status == 0
    del cluster[f"{ROUTES}/httproutes/httpbin-ingress"]
    text, _, status = command("httpbin", "--format", "mermaid")
    assert text.startswith("flowchart TD\n")
    assert status == 1
    assert command("--format", "svg")[0].startswith("<svg ")
    _, said, status = command("other")
    assert said.startswith("found other, expected an exposure of the stack: httpbin")
    assert status == 2
    cluster[POLICIES] = 403
    assert command()[1:] == ("status 403\n", 2)


def test_the_command_names_what_the_cluster_does_not_have(
    cluster: dict[str, Any], command: Callable[..., tuple[str, str, int]]
) -> None:
    without_definitions(cluster)
    definition = crd("httproutes")
    (version,) = definition["spec"]["versions"]
    fields: dict[str, Any] = {"matches": {"items": {"properties": {"path": {}}}}, "backendRefs": {}}
    rules = {"items": {"properties": fields}}
    spec = {"properties": {"parentRefs": {}, "hostnames": {}, "rules": rules}}
    version["schema"] = {"openAPIV3Schema": {"properties": {"spec": spec}}}
    cluster[f"{CRDS}/httproutes.gateway.networking.k8s.io"] = definition
    path = "ambient-exposure:exposures"
    exposures = SAMPLE[path]["httpbin"]
    rule = {"paths": ["/status"], "timeouts": {"request": "1s"}}
    text, _, status = command(exposures={"httpbin": {**exposures, "rules": [rule]}})
    assert (
        "  │ → rules[0].timeouts: needs Gateway API of a newer version, the cluster has 1.6.0"
        " (standard channel): install newer CustomResourceDefinitions, or leave the field out"
    ) in text.splitlines()
    assert status == 1


def test_what_may_not_be_read_of_the_crds_is_said(
    cluster: dict[str, Any], command: Callable[..., tuple[str, str, int]]
) -> None:
    cluster[f"{CRDS}/gateways.gateway.networking.k8s.io"] = 403
    assert command()[1:] == ("not compared with the CRDs: status 403\n", 0)
