"""Which release of Istio the settings of a stack need."""

from typing import Any

import pytest

from components.stack.configuration import read
from components.stack.needs import needs
from tests.unit.conftest import PROJECT, config
from tests.unit.test_backends import NO_RULES, OPEN, VALIDATION, bringing

HERE = "exposures.httpbin"
AUTHORITY = {"group": "", "kind": "ConfigMap", "name": "clients"}
CERTIFICATES = {"certificates": {"httpbin.example.com": "httpbin"}}


def needed(**keys: Any) -> dict[str, str]:
    listed = needs(read("dev", config(**keys), PROJECT["name"]))["releases"]
    return {one["setting"]: one["release"] for one in listed}


def frontend(**fields: Any) -> dict[str, Any]:
    """A gateway that checks the certificates of its clients."""
    checked = {"validation": {"caCertificateRefs": [AUTHORITY], **fields}}
    return {"gateway": {"tls": {**CERTIFICATES, "frontend": {"default": checked}}}}


def port(number: int, **reference: str) -> dict[str, Any]:
    """A port whose clients are checked in another way."""
    authority = {**AUTHORITY, **reference}
    return {"port": number, "tls": {"validation": {"caCertificateRefs": [authority]}}}


CORS = {"filters": [{"type": "CORS", "cors": {"allowOrigins": ["https://example.com"]}}]}
FRONTEND = f"{HERE}.gateway.tls.frontend"


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [
        ({}, {}),
        ({"ingressRules": [CORS]}, {f"{HERE}.ingressRules[0].filters[0]": "1.28"}),
        ({"rules": [{"paths": ["/headers"]}, CORS]}, {f"{HERE}.rules[1].filters[0]": "1.28"}),
        (
            {"waypoint": {"ingressUseWaypoint": True}},
            {f"{HERE}.waypoint.ingressUseWaypoint": "1.25"},
        ),
        (
            {"gateway": {"customization": {"deployment": {"spec": {"replicas": 2}}}}},
            {f"{HERE}.gateway.customization": "1.26"},
        ),
        ({"service": {"tls": VALIDATION}}, {f"{HERE}.service.tls": "1.28"}),
        ({"service": {"protocol": "h2c"}}, {}),
        ({"service": {"protocol": "tls"}, **NO_RULES}, {f"{HERE}.service.protocol": "1.30"}),
        (
            {"service": {"protocol": "tcp"}, "hostnames": None, **NO_RULES},
            {f"{HERE}.service.protocol": "1.31"},
        ),
        (frontend(), {FRONTEND: "1.28"}),
        (
            frontend(mode="AllowInsecureFallback"),
            {FRONTEND: "1.28", f"{FRONTEND}.default.validation.mode": "1.31"},
        ),
    ],
)
def test_settings_need_the_release_that_goes_by_them(
    exposure: dict[str, Any], expected: dict[str, str]
) -> None:
    without = {"verification": None} if "tls" in exposure.get("gateway", {}) else {}
    assert needed(exposure={**exposure, **without}) == expected


def test_what_is_optional_and_authorities_in_secrets_came_later() -> None:
    part = frontend()["gateway"]
    part["tls"] |= {"mode": "OPTIONAL_MUTUAL"}
    part["tls"]["frontend"]["perPort"] = [port(443, kind="Secret")]
    assert needed(exposure={"gateway": part}) == {
        FRONTEND: "1.28",
        f"{HERE}.gateway.tls.mode": "1.30",
        f"{FRONTEND}.perPort[0].tls.validation.caCertificateRefs[0]": "1.31",
    }


def test_listeners_that_teams_bring() -> None:
    assert needed(exposure=bringing({}), gateways={"edge": OPEN}) == {
        "gateways.edge.allowedListeners": "1.31",
        f"{HERE}.gateway.listenerSet": "1.31",
    }


def test_gateways_that_pass_connections_on() -> None:
    edge = {"hostnames": ["*.example.com"], "namespace": {"name": "edge"}, "protocol": "TLS"}
    assert needed(gateways={"edge": edge}) == {"gateways.edge.protocol": "1.30"}
