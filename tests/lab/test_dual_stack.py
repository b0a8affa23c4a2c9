"""Gateways with addresses of both IP families, and of IPv6 alone."""

from ipaddress import ip_address

import pytest

from tests.lab.conftest import Lab, Stack, dual_stack, sample

pytestmark = dual_stack

HOST = ("-H", "Host:httpbin.example.com")


@pytest.fixture(scope="module")
def stack(module_stack: Stack) -> Stack:
    """The module's stack."""
    return module_stack


def test_a_load_balancer_has_an_address_of_each_family(lab: Lab, stack: Stack) -> None:
    outputs = stack.up(exposures=sample(gateway={"serviceType": "LoadBalancer"}))
    four, six = outputs["ingressAddresses"]
    assert [ip_address(address).version for address in (four, six)] == [4, 6]
    assert outputs["ingressUrl"] == f"http://{four}:80"
    assert outputs["ingressUrls"][1:] == [f"http://{four}:80", f"http://[{six}]:80"]
    for url in outputs["ingressUrls"]:
        assert lab.curl(*HOST, f"{url}/headers") == "200", url
        assert lab.curl(*HOST, f"{url}/get") == "404", url
    # The proof has sent its requests to each of them.
    assert any(f"[{six}]" in answer for answer in outputs["verified"]), outputs["verified"]
    stack.pulumi("preview", "--expect-no-changes")


def test_a_gateway_of_ipv6_alone(lab: Lab, stack: Stack) -> None:
    families = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}
    gateway = {
        "name": "six",
        "serviceType": "LoadBalancer",
        "customization": {"service": {"spec": families}},
    }
    outputs = stack.up(exposures=sample(gateway=gateway))
    host = outputs["ingressHost"]
    assert ip_address(host).version == 6
    assert outputs["ingressAddresses"] == [host]
    assert outputs["ingressUrl"] == f"http://[{host}]:80"
    assert lab.curl(*HOST, f"{outputs['ingressUrl']}/headers") == "200"
    assert lab.curl(*HOST, f"{outputs['ingressUrl']}/get") == "404"
    (command,) = outputs["commands"]
    printed = lab.kubectl("exec", "-n", "curl", "deploy/curl", "--", "sh", "-ec", command)
    assert "200" in printed
    stack.pulumi("preview", "--expect-no-changes")
