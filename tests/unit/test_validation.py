"""Arguments that components refuse before anything is registered."""

import copy
from typing import Any, cast

import pulumi
import pytest

from components import AmbientExposure, InvalidInput
from components.exposure_types import AmbientExposureArgs
from tests.unit.conftest import Run

VALID: AmbientExposureArgs = {
    "namespace": {"name": "shop", "discovery_labels": {"istio-discovery": "enabled"}},
    "service": {"name": "shop", "port": 80, "image": "shop:1", "container_port": 8080},
    "hostnames": ["shop.example.com"],
    "rules": [{"paths": ["/api"]}],
    "gateway": {"service_type": "LoadBalancer", "port": 80},
    "waypoint": {},
    "verification": {
        "namespace": "curl",
        "image": "curl:1",
        "checks": [{"path": "/api?page=1", "status": 200}],
    },
}

INVALID: list[tuple[str, object, str]] = [
    ("namespace.name", "Shop", "found 'Shop', expected a DNS label"),
    ("namespace.discovery_labels", {"a": 1}, "found {'a': 1}, expected labels"),
    ("service.name", "s" * 49, "expected a DNS label that starts with a letter, 1 to 48"),
    ("service.port", "80", "found '80', expected a port from 1 to 65535"),
    ("service.image", "", "found '', expected an image reference"),
    ("service.container_port", 443, "found 443, expected a port from 1024 to 65535"),
    ("hostnames", [], "found [], expected at least one"),
    ("rules", [], "found [], expected at least one"),
    ("rules[0].paths", [], "found [], expected at least one"),
    ("verification.checks", [], "found [], expected at least one"),
    ("gateway.gateway_class", "Istio", "found 'Istio', expected a DNS label"),
    ("gateway.cluster_domain", "a b", "found 'a b', expected a DNS name"),
    ("waypoint.gateway_class", "", "found '', expected a DNS label"),
    ("ready_timeout", 0, "found 0, expected seconds, from 1 to 3600"),
    ("verification.timeout", -1, "found -1, expected seconds, from 1 to 3600"),
    ("hostnames[0]", "shop/", "found 'shop/', expected a DNS name"),
    ("rules[0].paths[0]", "api", "found 'api', expected a path that starts with '/'"),
    ("gateway.service_type", "loadbalancer", "(did you mean LoadBalancer?)"),
    ("gateway.port", 65536, "found 65536, expected a port"),
    ("verification.namespace", "shop", "must not be the namespace of the service"),
    ("verification.image", "A B", "found 'A B', expected an image reference"),
    ("verification.checks[0].path", "#", "found '#', expected a path that starts with '/'"),
    ("verification.checks[0].status", 99, "found 99, expected an HTTP status from 100 to 599"),
]


def changed(path: str, value: object) -> AmbientExposureArgs:
    """VALID with another value at `path`."""
    args = copy.deepcopy(VALID)
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    holder: Any = args
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    holder[int(last) if last.isdigit() else last] = value
    return args


def make(args: AmbientExposureArgs) -> None:
    AmbientExposure("shop", args)


def test_right_arguments_pass(run: Run) -> None:
    graph = run(lambda: make(VALID), addresses=("192.0.2.1",)).graph
    assert "Job/shop-probe-job" in graph


@pytest.mark.parametrize(("path", "value", "message"), INVALID)
def test_a_wrong_argument_is_named_by_its_path(
    run: Run, path: str, value: object, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(lambda: make(changed(path, value)))
    heading, fault = str(refused.value).splitlines()
    assert heading == "AmbientExposure 'shop':"
    assert fault.startswith(f"  {path}: ")
    assert message in fault


def test_all_wrong_arguments_are_named_at_once(run: Run) -> None:
    args = changed("service.port", 0)
    cast("dict[str, Any]", args["service"])["image"] = ""
    with pytest.raises(InvalidInput) as refused:
        run(lambda: make(args))
    assert len(str(refused.value).splitlines()) == 3


def test_outputs_are_left_to_the_api_server(run: Run) -> None:
    late = pulumi.Output.from_input("Not yet known")
    graph = run(lambda: make(changed("namespace.name", late)), addresses=("192.0.2.1",)).graph
    assert graph["Namespace/shop-namespace"].inputs["metadata"]["name"] == "Not yet known"
