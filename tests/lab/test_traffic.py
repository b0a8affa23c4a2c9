"""How requests are spread over pods, failing ones spared, and how many are answered."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from tests.lab.conftest import Lab, Stack, plain, run, sample
from tests.lab.test_exposure import HEADER, until

pytestmark = plain

POLICY = {
    "loadBalancer": {"consistentHash": {"httpCookie": {"name": "session", "ttl": "1h"}}},
    "outlierDetection": {
        "consecutive5xxErrors": 2,
        "baseEjectionTime": "600s",
        "maxEjectionPercent": 100,
    },
    "connectionPool": {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}},
}


def exposures(**changes: Any) -> dict[str, Any]:
    """The sample with three pods, each of which tells its name, reachable from this machine."""
    gateway = {"serviceType": "LoadBalancer", **changes.pop("gateway", {})}
    return sample(
        service={"replicas": 3, "env": {"USE_REAL_HOSTNAME": "true"}},
        rules=[{"paths": ["/hostname", "/status", "/delay"]}],
        gateway=gateway,
        verification=None,
        **changes,
    )


@pytest.fixture(scope="module")
def address(module_stack: Stack) -> str:
    """The address of the gateway, without a policy as yet."""
    return str(module_stack.up(exposures=exposures())["ingressHost"])


def curl(url: str, *words: str) -> str:
    """What a request from this machine, or several one after the other, prints."""
    return run("curl", "-s", "-m", "10", *HEADER, *words, url, ends="somehow")


def names(address: str, *words: str, times: int = 20) -> list[str]:
    """The pods that answer."""
    printed = curl(f"http://{address}/hostname?[1-{times}]", *words)
    return re.findall(r'"hostname": *"([^"]+)"', printed)


def statuses(url: str, times: int, *words: str) -> list[str]:
    """What requests are answered with."""
    told = ("-o", "/dev/null", "-w", "%{http_code}\n")
    # Beside them a curl that sends several at once shows its progress.
    return re.findall(r"^(\d{3})$", curl(f"{url}?[1-{times}]", *told, *words), re.MULTILINE)


def test_a_session_stays_at_its_pod_until_that_fails(
    lab: Lab, module_stack: Stack, address: str
) -> None:
    def at_once() -> Counter[str]:
        return Counter(statuses(f"http://{address}/delay/1", 12, "--parallel"))

    cookie = ("-b", "session=one")
    assert len(set(names(address, *cookie))) > 1
    assert at_once() == {"200": 12}

    module_stack.up(exposures=exposures(trafficPolicy=POLICY))
    until(lambda: len(set(names(address, *cookie))) == 1)
    (first,) = set(names(address, *cookie))
    # Other sessions are at other pods.
    others = [name for n in range(12) for name in names(address, "-b", f"session={n}", times=1)]
    assert len(set(others)) > 1
    # A new one is told its cookie, once: the gateway does not go by the policy.
    headers = curl(f"http://{address}/hostname", "-D", "-", "-o", "/dev/null").lower()
    (session,) = re.findall(r"set-cookie: (session=[^;]+);", headers)
    assert len(set(names(address, "-b", session))) == 1

    # One connection to each pod, one request that waits for another: the rest is refused.
    answers = at_once()
    assert answers["503"] > 3
    assert answers["200"] > 0

    # The pod of the session fails, to the gateway the only waypoint does.
    assert statuses(f"http://{address}/status/500", 2, *cookie) == ["500", "500"]
    until(lambda: first not in names(address, *cookie, times=1))
    (second,) = set(names(address, *cookie))
    assert second != first
    assert statuses(f"http://{address}/hostname", 20, *cookie) == ["200"] * 20
    module_stack.pulumi("preview", "--expect-no-changes")

    module_stack.up(exposures=exposures())
    until(lambda: len(set(names(address, *cookie))) > 1)
    assert at_once() == {"200": 12}
    rules = json.loads(lab.kubectl("get", "destinationrules", "-n", "httpbin", "-o", "json"))
    assert rules["items"] == []


def test_more_requests_than_the_limit_are_answered_429(module_stack: Stack, address: str) -> None:
    url = f"http://{address}/status/200"

    def burst() -> list[str]:
        return statuses(url, 60)

    def each_second(requests: int) -> list[str]:
        # What was there for the first one, the burst before has taken.
        return statuses(url, 3 * requests, "--rate", f"{requests}/s")[1:]

    assert burst() == ["200"] * 60

    module_stack.up(exposures=exposures(gateway={"rateLimit": {"requests": 5}}))
    until(lambda: "429" in burst())
    answers = burst()
    assert {*answers} <= {"200", "429"}
    assert answers.count("429") > 20
    assert {*each_second(4)} == {"200"}

    # That of the gateway is gone, the waypoint has another one.
    module_stack.up(exposures=exposures(waypoint={"rateLimit": {"requests": 20}}))
    until(lambda: {*each_second(15)} == {"200"})
    until(lambda: "429" in burst())
    assert {*each_second(15)} == {"200"}
    module_stack.pulumi("preview", "--expect-no-changes")
