"""Connections that gateway and waypoint pass on without a look into them."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.versions import ECHO_IMAGE, HTTPBIN_IMAGE
from tests.lab.conftest import Lab, Stack, plain
from tests.lab.test_exposure import until
from tests.lab.test_tls import ANSWERED, REFUSED, UNTRUSTED, https, served
from tests.lab.test_topology import settled

pytestmark = plain

PLACE = "passed"
EVERYBODY = {"namespaces": {"from": "All"}}
EDGE = {
    "namespace": {"name": "edge"},
    "hostnames": ["*.example.com"],
    "serviceType": "LoadBalancer",
    "listeners": [
        {
            "name": "passed",
            "port": 8443,
            "protocol": "TLS",
            "hostname": "*.example.org",
            "tls": {"mode": "Passthrough"},
            "allowedRoutes": EVERYBODY,
        },
        {"name": "echo", "port": 9000, "protocol": "TCP", "allowedRoutes": EVERYBODY},
    ],
}


@pytest.fixture
def place(lab: Lab) -> Iterator[str]:
    """A namespace of somebody else."""
    lab.kubectl("create", "namespace", PLACE)
    lab.kubectl("label", "namespace", PLACE, "istio-discovery=enabled")
    yield PLACE
    lab.kubectl("delete", "namespace", PLACE)


def in_place(port: int, **exposure: Any) -> dict[str, Any]:
    """What is in that namespace, behind a listener of the gateway."""
    return {
        "namespace": {"existing": {"name": PLACE}},
        "gateway": {"existing": {"entry": "edge", "listenerPort": port}},
        "waypoint": {"existing": {"entry": "shared"}, "binds": "Service"},
        **exposure,
    }


def passed_on(name: str, **changes: Any) -> dict[str, Any]:
    """A service that terminates TLS itself."""
    container = {"name": name, "volumeMounts": [{"name": "served", "mountPath": "/served"}]}
    service = {
        "name": name,
        "port": 443,
        "protocol": "tls",
        "image": HTTPBIN_IMAGE,
        "containerPort": 8080,
        "args": ["-https-cert-file=/served/tls.crt", "-https-key-file=/served/tls.key"],
        "pod": {
            "containers": [container],
            "volumes": [{"name": "served", "secret": {"secretName": name}}],
        },
    }
    checks = [{"path": "/get", "status": 200}]
    hostnames = [f"{name}.example.org"]
    exposure = {"service": service, "hostnames": hostnames, "verification": {"checks": checks}}
    return in_place(8443, **exposure, **changes)


def echo() -> dict[str, Any]:
    """A service that sends back what it gets."""
    service = {
        "name": "echo",
        "port": 9090,
        "protocol": "tcp",
        "image": ECHO_IMAGE,
        "containerPort": 9090,
        "args": ["--tcp=9090"],
    }
    return in_place(9000, service=service)


ECHOED = {"checks": [{"body": "good morning", "responseBody": "good morning"}]}


def sent_back(address: str, text: str) -> str:
    """What a service answers over TCP, empty where it closes the connection."""
    with socket.create_connection((address, 9000), timeout=5) as connection:
        connection.sendall(text.encode())
        found = ""
        while text not in found:
            try:
                more = connection.recv(4096)
            except OSError:
                return ""
            if not more:
                return ""
            found += more.decode()
        return found


def test_connections_are_passed_on(lab: Lab, place: str, stack: Stack, tmp_path: Path) -> None:
    first = served(lab, tmp_path, "first", "first.example.org", place)
    second = served(lab, tmp_path, "second", "second.example.org", place)
    outputs = stack.up(
        exposures={
            "first": passed_on("first"),
            "second": passed_on("second"),
            "echo": {**echo(), "verification": ECHOED},
        },
        gateways={"edge": EDGE},
        waypoints={"shared": {"namespace": {"name": "shared"}, "allowedRoutes": EVERYBODY}},
        primary="echo",
    )
    exposures, address = outputs["exposures"], outputs["ingressHost"]
    assert exposures["first"]["ingressUrl"] == f"tls://{address}:8443"
    assert outputs["ingressUrl"] == f"tcp://{address}:9000"
    assert outputs["commands"] == [f"nc {address} 9000"]
    assert f"TCP tcp://{address}:9000: answered" in outputs["verified"]

    def answer(host: str, authority: Path) -> str:
        return https(f"{address}:8443", host, "--cacert", authority, path="/get")

    # Each shows its own certificate; the name in the handshake chooses.
    assert answer("first.example.org", first) == ANSWERED
    assert answer("second.example.org", second) == ANSWERED
    assert answer("first.example.org", second) == UNTRUSTED
    assert answer("third.example.org", first) in REFUSED
    assert sent_back(address, "hello").endswith("hello")
    settled(stack)

    # What of the waypoint is left: who may connect.
    strangers = {"from": [{"source": {"principals": ["cluster.local/ns/a/sa/b"]}}]}
    policies = [{"name": "strangers", "action": "ALLOW", "rules": [strangers]}]
    refused = passed_on("first", policies=policies)
    del refused["verification"]
    stack.up(
        exposures={
            "first": refused,
            "second": passed_on("second"),
            "echo": {**echo(), "policies": policies},
        }
    )
    until(lambda: answer("first.example.org", first) in REFUSED)
    until(lambda: sent_back(address, "hello") == "")
    assert answer("second.example.org", second) == ANSWERED
