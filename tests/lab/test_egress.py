"""What workloads of the mesh reach outside of it, through a waypoint that judges their requests."""

from typing import Any

from tests.lab.conftest import Lab, Stack, ambient
from tests.lab.test_exposure import until
from tests.lab.test_security import account, principals
from tests.lab.test_topology import settled


def to(name: str, address: str, client: str, status: int) -> dict[str, Any]:
    """A host outside, to which one client may send requests, and how the proof is answered."""
    external = {"host": f"{name}.example.net", "addresses": [address]}
    rules = [{"from": [principals(account("curl", client))]}]
    return {
        "namespace": {"existing": {"entry": "egress"}},
        "service": {"name": name, "port": 80, "external": external, "containerPort": 8000},
        "rules": [{"paths": ["/status"]}],
        "waypoint": {"existing": {"entry": "egress"}},
        "policies": [{"name": "clients", "action": "ALLOW", "rules": rules}],
        "verification": {"checks": [{"path": "/status/200", "status": status}]},
    }


@ambient
def test_workloads_reach_what_is_outside_as_policies_say(
    lab: Lab, stack: Stack, outside: str
) -> None:
    def answer(name: str, path: str) -> str:
        return lab.curl(f"http://{name}.example.net{path}")

    outputs = stack.up(
        namespaces={"egress": {}},
        waypoints={"egress": {"namespace": {"existing": {"entry": "egress"}}}},
        exposures={
            "partner": to("partner", outside, "curl", 200),
            "stranger": to("stranger", outside, "nobody", 403),
        },
    )
    verified = outputs["exposures"]["partner"]["verified"]
    url = "http://partner.example.net:80/status/200"
    assert verified == [f"GET {url} (Host: partner.example.net): 200"]
    until(lambda: answer("partner", "/status/418") == "418")
    assert answer("partner", "/get") == "404"
    assert answer("stranger", "/status/200") == "403"
    gateways = lab.kubectl("get", "gateways", "-n", "egress", "-o", "name")
    assert gateways.split() == ["gateway.gateway.networking.k8s.io/egress"]
    settled(stack)

    # Each host is judged for itself.
    stack.up(
        exposures={
            "partner": to("partner", outside, "nobody", 403),
            "stranger": to("stranger", outside, "curl", 200),
        }
    )
    until(lambda: answer("partner", "/status/200") == "403")
    assert answer("stranger", "/status/200") == "200"
