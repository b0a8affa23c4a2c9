"""A wait in vain ends with what the cluster says, and with what to do."""

from tests.lab.conftest import Lab, Stack, plain, sample

pytestmark = plain


def test_a_wait_in_vain_is_explained(lab: Lab, stack: Stack) -> None:
    scale = ("scale", "-n", "metallb-system", "deployment/controller")
    lab.kubectl(*scale, "--replicas=0")
    try:
        waiting = sample(gateway={"serviceType": "LoadBalancer"}, readyTimeout=10)
        printed = stack.failing_up(exposures=waiting)
    finally:
        lab.kubectl(*scale, "--replicas=1")
    assert "Gateway httpbin/httpbin-gateway: Accepted=True" in printed
    assert "Programmed=False (AddressNotAssigned: " in printed
    assert "choose the service type ClusterIP" in printed
