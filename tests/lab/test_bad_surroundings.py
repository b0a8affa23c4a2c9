"""What may be wrong with configuration and cluster: one clear message, nothing half-done."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.conftest import Lab, Stack, plain

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
    printed = refused(stack, serviceType="Clusterip")
    assert "serviceType: found 'Clusterip', expected one of ClusterIP, LoadBalancer" in printed


def test_mistyped_key(stack: Stack) -> None:
    assert "hostnmes: unknown key (did you mean hostnames?)" in refused(stack, hostnmes=["a.b"])


def test_hostname_with_a_slash(stack: Stack) -> None:
    assert "hostnames[0]: found 'a.b/c', expected" in refused(stack, hostnames=["a.b/c"])


def test_impossible_port(stack: Stack) -> None:
    assert "port: found 70000, expected a port from 1 to 65535" in refused(stack, port=70000)


def test_value_of_another_type(stack: Stack) -> None:
    assert "must be of type 'integer'" in refused(stack, port="eighty")


def test_unknown_context(stack: Stack) -> None:
    assert "context nowhere: " in refused(stack, context="nowhere")


def test_cluster_that_does_not_answer(lab: Lab, stack: Stack) -> None:
    kubeconfig = stack.folder / "kubeconfig"
    kubeconfig.write_text(
        (lab.state / "kubeconfig").read_text().replace(":6443", ":6444"), encoding="utf-8"
    )
    printed = refused(stack, kubeconfig=str(kubeconfig))
    assert "context lab: no answer from 198." in printed


def test_missing_gateway_class(stack: Stack) -> None:
    printed = refused(stack, gatewayClass="nginx")
    assert "GatewayClass nginx: missing; istiod creates it" in printed


@pytest.fixture
def theirs(lab: Lab) -> Iterator[None]:
    """A namespace `httpbin` that is not the stack's."""
    lab.kubectl("create", "namespace", "httpbin")
    yield
    lab.kubectl("delete", "namespace", "httpbin", "--ignore-not-found")


@pytest.mark.usefixtures("theirs")
def test_namespace_of_somebody_else(stack: Stack) -> None:
    printed = refused(stack)
    assert "namespace httpbin: exists and was not created by this stack" in printed


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
    try:
        printed = stack.failing_up(serviceType="LoadBalancer", readyTimeout=10)
        assert "AddressNotAssigned" in printed
        # The old address is not given out as the new one.
        outputs = printed.partition("Outputs:")[2]
        assert re.findall(r"(\S) ingressHost", outputs) == ["-"]
    finally:
        lab.kubectl(*scale, "--replicas=1")
    assert stack.up(readyTimeout=60)["ingressHost"].startswith("198.")
