"""A gRPC service, through the gateway and the waypoint."""

from typing import Any

import grpc

from lab.versions import ECHO_IMAGE
from tests.lab.conftest import Lab, Stack, plain
from tests.lab.test_exposure import until

SERVICE = "proto.EchoTestService"
HOST = "echo.example.com"


def exposures(**method: str) -> dict[str, Any]:
    """An exposure of Istio's test server that lets one method through, or all of its service."""
    return {
        "echo": {
            "namespace": {"name": "echo"},
            "service": {
                "name": "echo",
                "port": 7070,
                "image": ECHO_IMAGE,
                "containerPort": 7070,
                "protocol": "grpc",
                "args": ["--grpc=7070"],
            },
            "hostnames": [HOST],
            "grpcRules": [{"matches": [{"method": {"service": SERVICE, **method}}]}],
            "gateway": {"serviceType": "LoadBalancer"},
            "verification": {
                "checks": [
                    {"path": f"/{SERVICE}/Echo", "status": 0},
                    {"path": "/other.Service/Method", "status": 12},
                ]
            },
        }
    }


def call(address: str, method: str, host: str = HOST) -> tuple[str, str]:
    """Status and message of a call with an empty request, from this machine."""
    options = [("grpc.default_authority", host)]
    with grpc.insecure_channel(f"{address}:80", options) as channel:
        try:
            channel.unary_unary(f"/{method}", bytes, bytes)(b"", timeout=5)
        except grpc.RpcError as error:
            return error.code().name, error.details() or ""
    return "OK", ""


@plain
def test_methods_are_let_through_one_by_one(lab: Lab, stack: Stack) -> None:
    outputs = stack.up(exposures=exposures(method="Echo"))
    host = "echo-gateway-istio.echo.svc.cluster.local"
    address = outputs["ingressHost"]
    assert f"gRPC http://{host}:80/{SERVICE}/Echo (Host: {HOST}): 0" in outputs["verified"]
    routes = lab.kubectl("get", "grpcroutes", "-n", "echo", "-o", "name").split()
    assert [name.rpartition("/")[2] for name in routes] == ["echo-ingress", "echo-waypoint-route"]

    assert call(address, f"{SERVICE}/Echo") == ("OK", "")
    # The server has it: without the waypoint it would answer.
    refused = ("UNIMPLEMENTED", "")
    assert call(address, f"{SERVICE}/ForwardEcho") == refused
    assert call(address, f"{SERVICE}/Echo", host="other.example.com") == refused
    stack.pulumi("preview", "--expect-no-changes")

    stack.up(exposures=exposures())
    until(lambda: call(address, f"{SERVICE}/ForwardEcho") != refused)
    # Now it is the server that lacks a method.
    missing = f"unknown method Missing for service {SERVICE}"
    assert call(address, f"{SERVICE}/Missing") == ("UNIMPLEMENTED", missing)
