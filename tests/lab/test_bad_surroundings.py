"""What may be wrong with configuration and cluster: one clear message, nothing half-done."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.conftest import Lab, Stack, plain, sample

pytestmark = plain


def refused(stack: Stack, **values: Any) -> str:
    """What is printed by an update that changes nothing, within seconds."""
    began = time.monotonic()
    printed = stack.failing_up(**values)
    assert time.monotonic() - began < 20
    objects = [one for one in stack.resources() if one["type"].startswith("kubernetes:")]
    assert objects == []
    assert "Traceback" not in printed
    return printed


def test_mistyped_value(stack: Stack) -> None:
    printed = refused(stack, exposures=sample(gateway={"serviceType": "Clusterip"}))
    path = "exposures.httpbin.gateway.serviceType"
    assert f"{path}: found 'Clusterip', expected one of ClusterIP, LoadBalancer" in printed


def test_mistyped_key(stack: Stack) -> None:
    printed = refused(stack, exposures=sample(hostnmes=["a.b"]))
    assert "exposures.httpbin.hostnmes: found an unknown key" in printed
    assert "(did you mean hostnames?)" in printed


def test_hostname_with_a_slash(stack: Stack) -> None:
    printed = refused(stack, exposures=sample(hostnames=["a.b/c"]))
    assert "exposures.httpbin.hostnames[0]: found 'a.b/c', expected" in printed


def test_impossible_port(stack: Stack) -> None:
    printed = refused(stack, exposures=sample(gateway={"port": 70000}))
    assert "exposures.httpbin.gateway.port: found 70000, expected a port from 1 to 65535" in printed


def test_value_of_another_type(stack: Stack) -> None:
    printed = refused(stack, exposures=sample(gateway={"port": "eighty"}))
    assert "exposures.httpbin.gateway.port: found 'eighty', expected an integer" in printed


def test_unknown_context(stack: Stack) -> None:
    assert "context nowhere: " in refused(stack, cluster={"context": "nowhere"})


def test_cluster_that_does_not_answer(lab: Lab, stack: Stack) -> None:
    kubeconfig = stack.folder / "kubeconfig"
    kubeconfig.write_text(
        (lab.state / "kubeconfig").read_text().replace(":6443", ":6444"), encoding="utf-8"
    )
    printed = refused(stack, cluster={"context": "lab", "kubeconfig": str(kubeconfig)})
    assert "context lab: no answer from 198." in printed


def test_missing_gateway_class(stack: Stack) -> None:
    printed = refused(stack, exposures=sample(gateway={"gatewayClass": "nginx"}))
    assert "GatewayClass nginx: missing; istiod creates it" in printed


def test_a_first_preview_says_what_the_api_server_refuses(stack: Stack) -> None:
    stack.configure(exposures=sample(service={"resources": {"limits": {"cpu": "much"}}}))
    printed = stack.pulumi("preview", ends="badly")
    assert "Deployment httpbin/httpbin would be refused by the API server: " in printed
    assert "quantities must match" in printed


@pytest.fixture
def no_istiod(lab: Lab) -> Iterator[None]:
    """The control plane is away."""
    place = ("-n", "istio-system")
    lab.kubectl("scale", "deployment/istiod", *place, "--replicas=0")
    try:
        lab.kubectl("wait", "pod", "-l", "app=istiod", *place, "--for=delete", "--timeout=90s")
        yield
    finally:
        lab.kubectl("scale", "deployment/istiod", *place, "--replicas=1")
        lab.kubectl("rollout", "status", "deployment/istiod", *place, "--timeout=120s")


@pytest.mark.usefixtures("no_istiod")
def test_control_plane_that_is_not_ready(stack: Stack) -> None:
    printed = refused(stack)
    assert "Deployment istio-system/istiod: none of its pods is ready" in printed


def test_namespaces_that_the_mesh_does_not_discover(stack: Stack) -> None:
    printed = refused(stack, defaults={})
    for name in ("httpbin", "curl"):
        assert f"namespace {name}: the mesh would not discover it: found the labels " in printed
    assert "expected istio-discovery=enabled (discoverySelectors in ConfigMap " in printed


@pytest.fixture
def theirs(lab: Lab) -> Iterator[None]:
    """A namespace `httpbin` that is not the stack's."""
    lab.kubectl("create", "namespace", "httpbin")
    yield
    lab.kubectl("delete", "namespace", "httpbin", "--ignore-not-found")


@pytest.mark.usefixtures("theirs")
def test_namespace_of_somebody_else(stack: Stack) -> None:
    said = "Namespace httpbin exists already, and no stack made it. Choose another name"
    assert said in stack.pulumi("preview", ends="badly")
    assert said in stack.failing_up()


@pytest.mark.usefixtures("theirs")
def test_service_of_the_name_that_the_waypoint_needs(lab: Lab, stack: Stack) -> None:
    port = ("--tcp=80:80", "-n", "httpbin")
    lab.kubectl("create", "service", "clusterip", "httpbin-waypoint", *port)
    printed = refused(stack, exposures=sample(namespace={"create": False}))
    assert "Service httpbin/httpbin-waypoint: has the name of the one that istiod" in printed


@pytest.mark.usefixtures("theirs")
def test_virtual_service_for_what_a_route_serves(lab: Lab, stack: Stack) -> None:
    route = {"route": [{"destination": {"host": "httpbin"}}]}
    file = stack.folder / "virtual-service.json"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "VirtualService",
                "metadata": {"name": "theirs", "namespace": "httpbin"},
                "spec": {"hosts": ["httpbin"], "http": [route]},
            }
        )
    )
    lab.kubectl("apply", "-f", str(file))
    printed = refused(stack, exposures=sample(namespace={"create": False}))
    assert "VirtualService httpbin/theirs: is for Service httpbin/httpbin, too" in printed


@pytest.mark.usefixtures("theirs")
def test_terminating_namespace(lab: Lab, stack: Stack) -> None:
    finalizer = '{"metadata": {"finalizers": ["example.com/slow"]}}'
    lab.kubectl("create", "configmap", "slow", "-n", "httpbin")
    lab.kubectl("patch", "configmap", "slow", "-n", "httpbin", "-p", finalizer)
    lab.kubectl("delete", "namespace", "httpbin", "--wait=false")
    try:
        assert "namespace httpbin: terminating since " in refused(stack)
    finally:
        gone = '{"metadata": {"finalizers": null}}'
        lab.kubectl("patch", "configmap", "slow", "-n", "httpbin", "-p", gone)


def test_no_load_balancer(lab: Lab, stack: Stack) -> None:
    stack.up()
    scale = ("scale", "-n", "metallb-system", "deployment/controller")
    lab.kubectl(*scale, "--replicas=0")
    load_balancer = {"serviceType": "LoadBalancer"}
    try:
        printed = stack.failing_up(exposures=sample(gateway=load_balancer, readyTimeout=10))
        assert "AddressNotAssigned" in printed
        # The old address is not given out as the new one.
        outputs = printed.partition("Outputs:")[2]
        assert set(re.findall(r"(\S) ingressHost", outputs)) <= {"-"}
    finally:
        lab.kubectl(*scale, "--replicas=1")
    repaired = stack.up(exposures=sample(gateway=load_balancer, readyTimeout=60))
    assert repaired["ingressHost"].startswith("198.")
