"""Services that serve TLS themselves, and services outside the mesh."""

import json
from pathlib import Path
from typing import Any

from lab.node.pki import Authority
from tests.lab.conftest import Lab, Stack, plain, sample
from tests.lab.test_exposure import until
from tests.lab.test_tls import secret
from tests.lab.test_topology import settled

pytestmark = plain

GATEWAY = "httpbin-gateway-istio.httpbin"
NAME = "httpbin.internal"


def answer(lab: Lab, path: str) -> str:
    """The status of a request through the gateway."""
    return lab.curl("-H", "Host:httpbin.example.com", f"{GATEWAY}{path}")


def authority_map(lab: Lab, name: str, certificate: bytes, folder: Path) -> None:
    """Put an authority where the owner of the service would."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": "httpbin", "name": name},
        "data": {"ca.crt": certificate.decode()},
    }
    file = folder / f"{name}.json"
    file.write_text(json.dumps(manifest))
    lab.kubectl("apply", "-f", str(file))


def serving_tls(authority: str = "authority", hostname: str = NAME, **more: Any) -> dict[str, Any]:
    """The sample's service with a certificate of its own, as it is checked."""
    container = {"name": "httpbin", "volumeMounts": [{"name": "served", "mountPath": "/served"}]}
    reference = {"group": "", "kind": "ConfigMap", "name": authority}
    return {
        "args": ["-https-cert-file=/served/tls.crt", "-https-key-file=/served/tls.key"],
        "pod": {
            "containers": [container],
            "volumes": [{"name": "served", "secret": {"secretName": "served"}}],
        },
        "tls": {"caCertificateRefs": [reference], "hostname": hostname, **more},
    }


def test_the_waypoint_checks_the_certificate_of_a_service(
    lab: Lab, module_stack: Stack, tmp_path: Path
) -> None:
    stack = module_stack
    stack.up(exposures=sample(verification=None))
    signs, stranger = Authority(), Authority()
    pair = signs.issue(NAME, names=[NAME])
    secret(lab, "httpbin", "served", {"tls.crt": pair.certificate, "tls.key": pair.key}, tmp_path)
    authority_map(lab, "authority", signs.certificate, tmp_path)
    authority_map(lab, "stranger", stranger.certificate, tmp_path)

    stack.up(exposures=sample(service=serving_tls()))
    assert answer(lab, "/headers") == "200"
    assert answer(lab, "/status/418") == "418"
    assert answer(lab, "/get") == "404"
    settled(stack)

    unchecked = [{"path": "/headers", "status": 503}, {"path": "/get", "status": 404}]
    for wrong in (serving_tls(hostname="other.internal"), serving_tls("stranger")):
        stack.up(exposures=sample(service=wrong, verification={"checks": unchecked}))
        assert answer(lab, "/headers") == "503"

    named = [{"type": "Hostname", "hostname": NAME}]
    service = serving_tls(hostname="other.internal", subjectAltNames=named)
    stack.up(exposures=sample(service=service))
    assert answer(lab, "/headers") == "200"


def test_a_service_outside_the_mesh_is_behind_gateway_and_waypoint(
    lab: Lab, module_stack: Stack, outside: str
) -> None:
    stack = module_stack

    def answer(path: str) -> str:
        gateway = "partner-gateway-istio.partner"
        return lab.curl("-H", "Host:partner.example.com", f"{gateway}{path}")

    def partner(**changes: Any) -> dict[str, Any]:
        external = {"host": "partner.example.net", "addresses": [outside]}
        service = {"name": "partner", "port": 80, "external": external, "containerPort": 8000}
        return {
            "partner": {
                "namespace": {"name": "partner"},
                "service": service,
                "hostnames": ["partner.example.com"],
                "rules": [{"paths": ["/status"]}],
                "verification": {
                    "checks": [
                        {"path": "/status/200", "status": 200},
                        {"path": "/get", "status": 404},
                    ]
                },
                **changes,
            }
        }

    stack.up(exposures=partner())
    assert answer("/status/418") == "418"
    assert answer("/get") == "404"
    assert "httpbin" not in lab.kubectl("get", "namespaces", "-o", "name").split()
    settled(stack)

    # The waypoint, by which nothing passes, also judges who sends what.
    to = [{"operation": {"paths": ["/status/418"]}}]
    denied = [{"name": "teapots", "action": "DENY", "rules": [{"to": to}]}]
    stack.up(exposures=partner(policies=denied))
    until(lambda: answer("/status/418") == "403")
    assert answer("/status/204") == "204"
