"""The DNS records of host names: what is told of them, and to whom."""

from typing import Any

import pytest

from components import AmbientExposure, IngressGateway
from components.parts.dns import records
from tests.unit.conftest import Run
from tests.unit.test_arguments import changed, refused

HOST = "httpbin.example.com"
DNS = {
    "targets": ["cdn.example.net"],
    "ttl": 60,
    "providerSpecific": {"cloudflare-proxied": "true"},
}
TOLD = {
    "external-dns.kubernetes.io/ttl": "60",
    "external-dns.kubernetes.io/cloudflare-proxied": "true",
}
BALANCED = {"serviceType": "LoadBalancer"}
OWN = {"serviceType": None, "allowedRoutes": None}
"""What the sample has for a gateway of its own."""


def annotations(graph: dict[str, Any], key: str) -> dict[str, str]:
    """What external-dns reads of an object."""
    found: dict[str, str] = graph[key].inputs["metadata"]["annotations"]
    return {name: value for name, value in found.items() if name.startswith("external-dns")}


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["10.0.0.1"], [{"name": HOST, "type": "A", "values": ["10.0.0.1"]}]),
        (
            ["10.0.0.1", "fd00::1", "10.0.0.2"],
            [
                {"name": HOST, "type": "A", "values": ["10.0.0.1", "10.0.0.2"]},
                {"name": HOST, "type": "AAAA", "values": ["fd00::1"]},
            ],
        ),
        (["lb.example.net"], [{"name": HOST, "type": "CNAME", "values": ["lb.example.net"]}]),
        (["edge-istio.edge.svc.cluster.local"], []),
    ],
)
def test_records_by_the_kind_of_address(targets: list[str], expected: list[dict[str, Any]]) -> None:
    assert records([HOST], targets, {}) == expected
    assert records([HOST], targets, {"ttl": 5}) == [{**one, "ttl": 5} for one in expected]


def test_records_lead_to_the_addresses_of_the_gateway(run: Run) -> None:
    exports = run(exposure={"gateway": BALANCED}, addresses=("10.0.0.1",)).exports
    expected = [{"name": HOST, "type": "A", "values": ["10.0.0.1"]}]
    assert exports["dnsRecords"] == exports["exposures"]["httpbin"]["dnsRecords"] == expected


def test_external_dns_is_told_of_gateway_route_and_redirect(run: Run) -> None:
    tls = {"issuer": "self-signed"}
    program = run(
        exposure={"gateway": {**BALANCED, "tls": tls, "dns": DNS}}, addresses=("10.0.0.1",)
    )
    target = {"external-dns.kubernetes.io/target": "cdn.example.net"}
    assert annotations(program.graph, "Gateway/httpbin-gateway") == target
    # It makes records of the redirect's host names, too: of two for one name it takes either.
    for route in ("httpbin-ingress-route", "httpbin-redirect"):
        assert annotations(program.graph, f"HTTPRoute/{route}") == TOLD
    assert annotations(program.graph, "HTTPRoute/httpbin-waypoint-route") == {}
    assert program.exports["dnsRecords"] == [
        {"name": HOST, "type": "CNAME", "values": ["cdn.example.net"], "ttl": 60}
    ]


def test_routes_at_a_shared_gateway_are_told_of_as_it_has_it_unless_they_say_so(run: Run) -> None:
    edge = {
        "namespace": {"name": "edge"},
        "hostnames": ["*.example.com"],
        "allowedRoutes": {"namespaces": {"from": "All"}},
        **BALANCED,
    }
    for own, ttl in (({}, "60"), ({"dns": {"ttl": 5}}, "5")):
        program = run(
            exposure={"gateway": {**OWN, "existing": {"entry": "edge"}, **own}},
            gateways={"edge": {**edge, "dns": DNS}},
            addresses=("10.0.0.1",),
        )
        told = {**TOLD, "external-dns.kubernetes.io/ttl": ttl}
        assert annotations(program.graph, "HTTPRoute/httpbin-ingress-route") == told
        (record,) = program.exports["dnsRecords"]
        assert (record["values"], record["ttl"]) == (["cdn.example.net"], int(ttl))
        assert "dns" not in program.exports["gateways"]["edge"]


@pytest.mark.parametrize(
    ("marks", "values"),
    [
        ({}, ["10.0.0.9"]),
        ({"external-dns.kubernetes.io/target": "10.0.0.7,10.0.0.8"}, ["10.0.0.7", "10.0.0.8"]),
    ],
)
def test_a_gateway_of_others_says_what_records_lead_to(
    run: Run, marks: dict[str, str], values: list[str]
) -> None:
    live = {
        "metadata": {"annotations": marks},
        "status": {"addresses": [{"type": "IPAddress", "value": "10.0.0.9"}]},
    }
    existing = {**OWN, "existing": {"name": "edge", "namespace": "ingress"}}
    program = run(exposure={"gateway": existing}, live={"ingress/edge": live})
    assert program.exports["dnsRecords"] == [{"name": HOST, "type": "A", "values": values}]
    assert annotations(program.graph, "HTTPRoute/httpbin-ingress-route") == {}


@pytest.mark.parametrize(
    ("dns", "fault"),
    [
        ({"ttl": 0}, "dns.ttl: found 0, expected seconds from 1 to 2147483647"),
        ({"targets": []}, "dns.targets: found [], expected at least one"),
        (
            {"provider_specific": {"ttl": "5"}},
            "dns.provider_specific['ttl']: found 'ttl', expected the name of an annotation, such as"
            " 'aws-weight'",
        ),
    ],
)
def test_what_makes_no_record_is_refused(dns: dict[str, Any], fault: str) -> None:
    assert refused(IngressGateway, changed(IngressGateway, "dns", dns)) == [fault]


def test_a_gateway_of_others_is_told_nothing() -> None:
    gateway = {
        "existing": {"name": "edge", "namespace": "edge"},
        "dns": {"ttl": 5, "targets": ["10.0.0.1"]},
    }
    assert refused(AmbientExposure, changed(AmbientExposure, "gateway", gateway)) == [
        "gateway.dns.targets: found beside existing, whose Gateway says what records point to. Set"
        " it there"
    ]
