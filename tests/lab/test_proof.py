"""The proof of an update: what it sends, when it runs again, and that nobody's is in its way."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.lab.conftest import HOST, Lab, NewStack, Stack, plain, run, sample
from tests.lab.test_exposure import until

pytestmark = plain

HEADER = ("-H", "Host:httpbin.example.com")
LABEL = "istio.io/ingress-use-waypoint"


def proofs(lab: Lab, namespace: str = "curl") -> list[str]:
    """The Jobs that are there."""
    return lab.kubectl("get", "jobs", "-n", namespace, "-o", "name").split()


@pytest.fixture
def stack(module_stack: Stack) -> Stack:
    """The module's stack."""
    module_stack.reset()
    return module_stack


def repaired(stack: Stack) -> None:
    """Update after a look at what is there.

    Of a Service the provider may keep what it was before (see docs/lab.md): then the next update,
    which reads it anew, proves it again.
    """
    stack.pulumi("up", "--yes", "--skip-preview", "--refresh")
    stack.settle()


def test_what_was_put_right_is_proven_again(lab: Lab, stack: Stack) -> None:
    stack.up()
    stack.pulumi("preview", "--expect-no-changes")
    stack.settle()
    proven = proofs(lab)
    assert len(proven) == 1

    lab.kubectl("label", "service", "httpbin", "-n", "httpbin", f"{LABEL}-")
    until(lambda: lab.curl(*HEADER, f"{HOST}/get") == "200")
    repaired(stack)
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"
    again = proofs(lab)
    assert len(again) == 1
    assert again != proven
    stack.settle()

    lab.kubectl("label", "namespace", "httpbin", "istio.io/use-waypoint-")
    repaired(stack)
    bound = proofs(lab)
    assert bound != again
    stack.settle()

    lab.kubectl("delete", "gateway", "httpbin-waypoint", "-n", "httpbin")
    repaired(stack)
    assert proofs(lab) != bound
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"
    stack.settle()

    # What is of no matter to it does not run it again.
    last = proofs(lab)
    lab.kubectl("annotate", "service", "httpbin", "-n", "httpbin", "note=mine")
    lab.kubectl("rollout", "restart", "deployment/httpbin-gateway-istio", "-n", "httpbin")
    lab.kubectl("rollout", "status", "deployment/httpbin-gateway-istio", "-n", "httpbin")
    stack.settle()
    assert proofs(lab) == last


def test_a_proof_may_be_had_in_every_update(lab: Lab, stack: Stack) -> None:
    stack.up(exposures=sample(verification={"always": True}))
    before = proofs(lab)
    stack.pulumi("up", "--yes", "--skip-preview")
    assert len(proofs(lab)) == 1
    assert proofs(lab) != before


def test_requests_of_a_proof_are_like_those_of_clients(lab: Lab, stack: Stack) -> None:
    posted = {"path": "/anything", "status": 200, "body": '{"a": "b\\\\c"}\n'}
    checks = [
        {"path": "/headers", "status": 200, "headers": {"x-token": ""}, "responseBody": "unter2"},
        {"path": "/status/201", "status": 201, "method": "HEAD"},
        {"path": "/status/418", "status": 418, "method": "DELETE"},
        {**posted, "headers": {"content-type": "application/json"}, "responseBody": "b\\\\\\\\c"},
        {"path": "/status/302", "status": 302, "responseHeaders": {"location": "/redirect/1"}},
        {"path": "/get", "status": 404},
    ]
    rules = [{"paths": ["/headers", "/status", "/anything"]}]
    exposures = sample(
        gateway={"serviceType": "LoadBalancer"},
        rules=rules,
        verification={"checks": checks, "addresses": "external"},
    )
    stack.configure(exposures=exposures)
    path = "exposures.httpbin.verification.checks[0].headers.x-token"
    key = f"ambient-exposure:{path}"
    stack.pulumi("config", "set", "--secret", "--path", key, "hunter2")
    assert "hunter2" not in stack.pulumi("preview", "--diff")
    stack.pulumi("up", "--yes", "--skip-preview")
    outputs = json.loads(stack.pulumi("stack", "output", "--json"))
    url = f"http://{outputs['ingressHost']}:80"
    assert outputs["verified"] == [
        f"{method} {url}{asked} (Host: httpbin.example.com): {status}"
        for method, asked, status in (
            ("GET", "/headers", 200),
            ("HEAD", "/status/201", 201),
            ("DELETE", "/status/418", 418),
            ("POST", "/anything", 200),
            ("GET", "/status/302", 302),
            ("GET", "/get", 404),
        )
    ]
    # Plain text is neither in the state nor in what everybody may read of the cluster.
    assert "hunter2" not in stack.pulumi("stack", "export")
    assert "hunter2" not in lab.kubectl("get", "jobs,pods", "-n", "curl", "-o", "yaml")
    stack.settle()

    wrong = {"path": "/status/302", "status": 302, "responseHeaders": {"location": "/elsewhere"}}
    printed = stack.failing_up(
        exposures=sample(rules=rules, verification={"checks": [wrong], "timeout": 3})
    )
    assert "expected location: /elsewhere, got location: /redirect/1" in printed


def test_the_checks_are_sent_without_an_update(lab: Lab, stack: Stack) -> None:
    def verified(*words: str, ends: Any = "well") -> str:
        command = (sys.executable, "-m", "components", "verify", "--stack", "dev", *words)
        return run(*command, env=stack.env, cwd=stack.folder, ends=ends)

    outputs = stack.up()
    proven = proofs(lab)
    requests = outputs["verified"]
    assert verified() == "\n".join(["httpbin: passed", *(f"  {one}" for one in requests), ""])
    found = {"passed": True, "requests": requests, "faults": []}
    file = stack.folder / "report.html"
    (measured,) = json.loads(verified("--json", "httpbin", "--report", str(file))).values()
    answers = [one["answer"] for one in measured.pop("measured")]
    assert measured == found
    # The gateway says itself that both were answered behind it.
    assert [(one["status"], one["server"]) for one in answers] == [
        ("200", "istio-envoy"),
        ("404", "istio-envoy"),
    ]
    assert all("upstream" in one and 0 < one["seconds"] < 5 for one in answers)
    page = file.read_text(encoding="utf-8")
    assert page.count("what is behind the gateway") == 2
    assert all(one.rpartition(": ")[0] in page for one in requests)

    lab.kubectl("label", "service", "httpbin", "-n", "httpbin", f"{LABEL}-")
    try:
        stack.configure(exposures=sample(verification={"timeout": 3}))
        printed = verified(ends="badly")
    finally:
        lab.kubectl("label", "service", "httpbin", "-n", "httpbin", f"{LABEL}=true")
    assert printed.startswith("httpbin: FAILED\n")
    assert "/get (Host: httpbin.example.com): expected 404, got 200" in printed
    # Nothing is left of it, and the stack is as it was.
    until(lambda: proofs(lab) == proven)
    assert "verify" not in lab.kubectl("get", "secrets,pods", "-n", "curl", "-o", "name")
    stack.reset()
    stack.pulumi("preview", "--expect-no-changes")


def test_a_proof_that_was_killed_is_in_nobodys_way(lab: Lab, stack: Stack) -> None:
    stack.up()
    before = proofs(lab)
    checks = [{"path": "/headers", "status": 201}]
    stack.configure(exposures=sample(verification={"checks": checks, "timeout": 600}))
    words = ("pulumi", "up", "--yes", "--skip-preview")
    with subprocess.Popen(
        words, env=stack.env, cwd=stack.folder, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            until(lambda: len(proofs(lab)) == 2, limit=60)
            time.sleep(2)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    stack.pulumi("cancel", "--yes")
    stack.up(exposures=sample())
    assert proofs(lab) != before


def team(name: str) -> dict[str, Any]:
    """An exposure of a Service `web` in a namespace of its own, from which it is proven."""
    exposures = sample(
        namespace={"name": name}, service={"name": "web"}, hostnames=[f"{name}.example"]
    )
    exposure: dict[str, Any] = exposures["httpbin"]
    return exposure


def test_teams_that_do_not_know_of_each_other(lab: Lab, new_stack: NewStack) -> None:
    first, second = new_stack(), new_stack()
    both = first.up(exposures={"a": team("a"), "b": team("b")}, client=None)["exposures"]
    other = second.up(exposures={"c": team("c")}, client=None)["exposures"]
    for name, outputs in (both | other).items():
        host = f"web-gateway-istio.{name}.svc.cluster.local"
        assert outputs["verified"] == [
            f"GET http://{host}:80/headers (Host: {name}.example): 200",
            f"GET http://{host}:80/get (Host: {name}.example): 404",
        ]
        assert len(proofs(lab, name)) == 1
    # With a client both Services of one name are proven from one namespace.
    first.up(client={"namespace": {"name": "shell"}})
    assert len(proofs(lab, "shell")) == 2
    assert proofs(lab, "a") == []
    for stack in (first, second):
        stack.pulumi("preview", "--expect-no-changes")
