"""Host names and certificates that teams bring to a gateway of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import Lab, NewStack, plain, sample
from tests.lab.test_exposure import until
from tests.lab.test_tls import ANSWERED, REFUSED, UNTRUSTED, https, served
from tests.lab.test_topology import settled

pytestmark = plain

EDGE = {
    "namespace": {"name": "edge"},
    "hostnames": ["edge.example.com"],
    "serviceType": "LoadBalancer",
    "allowedListeners": {"namespaces": {"from": "All"}},
}


@pytest.fixture
def places(lab: Lab) -> Iterator[tuple[str, str]]:
    """Namespaces of two teams."""
    for place in ("red", "blue"):
        lab.kubectl("create", "namespace", place)
        lab.kubectl("label", "namespace", place, "istio-discovery=enabled")
    yield "red", "blue"
    lab.kubectl("delete", "namespace", "red", "blue")


def brought(place: str, hostname: str, **changes: Any) -> dict[str, Any]:
    """The exposure of a team, by a listener of its own at the shared gateway."""
    whole = sample(
        **{
            "namespace": {"name": None, "existing": {"name": place}},
            "service": {"name": place},
            "hostnames": [hostname],
            "gateway": {
                "serviceType": None,
                "allowedRoutes": None,
                "existing": {"name": "edge", "namespace": "edge"},
                "listenerSet": {"tls": {"certificates": {hostname: place}}},
            },
            **changes,
        }
    )
    return {place: whole["httpbin"]}


def test_teams_bring_host_names_and_certificates_to_one_port(
    lab: Lab, places: tuple[str, str], new_stack: NewStack, tmp_path: Path
) -> None:
    red, blue = places
    mine = served(lab, tmp_path, "red", "red.example.org", red)
    other = served(lab, tmp_path, "blue", "blue.example.org", blue)
    teams = {place: new_stack(name=place) for place in places}
    new_stack(name="platform").up(exposures={}, gateways={"edge": EDGE})
    outputs = {
        place: teams[place].up(
            exposures=brought(place, f"{place}.example.org"),
            client={"namespace": {"name": f"client-{place}"}},
        )
        for place in places
    }
    address = outputs[red]["ingressHost"]
    assert outputs[red]["ingressUrl"] == outputs[blue]["ingressUrl"] == f"https://{address}:443"

    def answer(host: str, authority: Path, path: str = "/headers") -> str:
        return https(address, host, "--cacert", authority, path=path)

    assert answer("red.example.org", mine) == ANSWERED
    assert answer("red.example.org", mine, path="/get") == "404 0"
    assert answer("blue.example.org", other) == ANSWERED
    assert answer("blue.example.org", mine) == UNTRUSTED
    settled(teams[red])

    # Who came first keeps the host name.
    served(lab, tmp_path, "blue", "red.example.org", blue)
    printed = teams[blue].failing_up(exposures=brought(blue, "red.example.org", readyTimeout=10))
    assert "Conflicted=True (HostnameConflict" in printed
    assert "an older listener of the gateway has this host name" in printed
    assert answer("red.example.org", mine) == ANSWERED
    until(lambda: answer("blue.example.org", other) in REFUSED)

    # Until its owner gives it up.
    teams[red].pulumi("destroy", "--yes", "--skip-preview")
    teams[blue].up(exposures=brought(blue, "red.example.org"))
    until(lambda: answer("red.example.org", tmp_path / "blue-authority.pem") == ANSWERED)
