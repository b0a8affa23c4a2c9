"""The picture of an exposure, and the sentence for each link that is broken."""

import json
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.lab.conftest import HOST, ROOT, Ending, Lab, Stack, plain, run, sample
from tests.lab.test_exposure import until

pytestmark = plain

HEADER = ("-H", "Host:httpbin.example.com")
IN = ("-n", "httpbin")
INGRESS, USE = "istio.io/ingress-use-waypoint", "istio.io/use-waypoint"
GATEWAY = "cluster.local/ns/httpbin/sa/httpbin-gateway-istio"
WAYPOINT = "Gateway httpbin/httpbin-waypoint"
ROUTES = "httproutes.gateway.networking.k8s.io"

Show = Callable[..., str]
Broken = Callable[[], dict[str, list[str]]]


@pytest.fixture(scope="module")
def stack(module_stack: Stack) -> Stack:
    """An exposure that works."""
    module_stack.up()
    return module_stack


@pytest.fixture
def show(stack: Stack) -> Show:
    """Draws it."""

    def drawn(*words: str, ends: Ending = "well") -> str:
        command = (sys.executable, "-m", "components", "show", "--stack", "dev", *words)
        return run(*command, env=stack.env, cwd=stack.folder, ends=ends)

    return drawn


@pytest.fixture
def broken(show: Show) -> Broken:
    """What is wrong, by station."""

    def found() -> dict[str, list[str]]:
        faults: dict[str, list[str]] = {}
        station = ""
        for line in show(ends="somehow").splitlines():
            if marked := re.match(r"  [✗●] (.*)", line):
                station = marked[1]
            elif said := re.match(r"  [│ ] → (.*)", line):
                faults.setdefault(station, []).append(said[1])
        return faults

    return found


@contextmanager
def patched(lab: Lab, what: tuple[str, ...], *changes: dict[str, Any]) -> Generator[None]:
    """An object with changes, a JSON patch each, that are taken back."""
    before = json.loads(lab.kubectl("get", *what, "-o", "json"))
    lab.kubectl("patch", *what, "--type=json", "-p", json.dumps(changes))
    try:
        yield
    finally:
        back = []
        for change in reversed(changes):
            value = before
            steps = change["path"].strip("/").split("/")
            for step in steps:
                key = step.replace("~1", "/")
                value = value[int(key)] if isinstance(value, list) else value.get(key)
            back.append({"op": "add", "path": change["path"], "value": value})
        lab.kubectl("patch", *what, "--type=json", "-p", json.dumps(back))


@contextmanager
def made(lab: Lab, folder: Path, one: dict[str, Any]) -> Generator[None]:
    """An object of somebody else's in the namespace."""
    file = folder / "object.json"
    file.write_text(json.dumps({**one, "metadata": {"name": "theirs", "namespace": "httpbin"}}))
    lab.kubectl("apply", "-f", str(file))
    try:
        yield
    finally:
        lab.kubectl("delete", "-f", str(file))


def label(name: str, of: str = "/metadata/labels/") -> str:
    """The path of a label, in a JSON patch."""
    return f"{of}{name.replace('/', '~1')}"


def without_addresses(drawn: str) -> str:
    """A picture with all addresses made one."""
    return re.sub(r"\d+\.\d+\.\d+\.\d+", "10.96.0.1", drawn)


def test_what_works_is_drawn_whole(lab: Lab, show: Show) -> None:
    drawn = show()
    assert "✗" not in drawn
    get = ("get", "service", "httpbin-waypoint", *IN, "-o", "jsonpath={.spec.clusterIP}")
    for said in (
        "● httpbin.example.com",
        "● Gateway httpbin/httpbin-gateway",
        f"│   {HOST}",
        "│   HTTP 80 httpbin.example.com",
        "● HTTPRoute httpbin/httpbin-ingress",
        "║ HBONE",
        f"● {WAYPOINT}",
        f"│   {lab.kubectl(*get)}, httpbin-waypoint.httpbin.svc.cluster.local",
        "│   /status, /headers",
        "● Service httpbin/httpbin",
        "    1 of 1 pods ready",
    ):
        assert f"  {said}\n" in drawn, drawn
    chart = show("--format", "mermaid", "httpbin")
    assert chart.startswith("flowchart TD\n")
    assert "==>|HBONE|" in chart
    svg = show("--format", "svg")
    ET.fromstring(svg)  # noqa: S314  # made here
    # That of the README is made so, of a cluster with other addresses.
    assert without_addresses(svg) == without_addresses((ROOT / "docs" / "exposure.svg").read_text())


def test_labels_that_are_missing_are_named(lab: Lab, broken: Broken) -> None:
    service = ("service", "httpbin", *IN)
    with patched(lab, service, {"op": "remove", "path": label(INGRESS)}):
        assert broken() == {
            WAYPOINT: [
                f"Service httpbin/httpbin lacks the label {INGRESS}=true, so requests of the"
                " gateway pass by the waypoint and its rules: `pulumi up` sets it"
            ]
        }
        until(lambda: lab.curl(*HEADER, f"{HOST}/get") == "200")
    with patched(lab, service, {"op": "replace", "path": label(USE), "value": "other"}):
        assert broken()[WAYPOINT] == [
            f"Service httpbin/httpbin has {USE}=other, expected httpbin-waypoint, so requests go"
            " elsewhere: `pulumi up` sets it"
        ]
    until(lambda: broken() == {})
    until(lambda: lab.curl(*HEADER, f"{HOST}/get") == "404")


def test_a_gateway_that_does_not_admit_the_route_is_named(lab: Lab, broken: Broken) -> None:
    closed = {
        "op": "replace",
        "path": "/spec/listeners/0/allowedRoutes",
        "value": {
            "namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "other"}}}
        },
    }
    ingress = "HTTPRoute httpbin/httpbin-ingress"
    with patched(lab, ("gateway.gateway.networking.k8s.io", "httpbin-gateway", *IN), closed):
        until(lambda: ingress in broken())
        (said,) = broken()[ingress]
        assert said.startswith("Accepted=False (NotAllowedByListeners: ")
        assert said.endswith(": the gateway's allowedRoutes do not admit this namespace")
        until(lambda: lab.curl(*HEADER, f"{HOST}/headers") == "404")
    until(lambda: broken() == {})


def test_a_network_policy_that_blocks_the_mesh_is_named(
    lab: Lab, broken: Broken, tmp_path: Path
) -> None:
    pods = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "httpbin-waypoint"}}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podSelector": pods, "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}]},
    }
    with made(lab, tmp_path, policy):
        assert broken() == {
            WAYPOINT: [
                "NetworkPolicy httpbin/theirs lets nobody to port 15008 of its pods, by which the"
                " mesh reaches them: admit that port"
            ]
        }
    assert broken() == {}


def test_a_policy_that_refuses_the_gateway_is_named(
    lab: Lab, broken: Broken, tmp_path: Path
) -> None:
    policy = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "spec": {
            "targetRefs": [{"kind": "Service", "group": "", "name": "httpbin"}],
            "action": "ALLOW",
            "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/curl/sa/curl"]}}]}],
        },
    }
    with made(lab, tmp_path, policy):
        until(lambda: lab.curl(*HEADER, f"{HOST}/headers") == "403")
        assert broken() == {
            "AuthorizationPolicy httpbin/theirs": [
                f"it refuses the ingress gateway: name it in the principals of a rule ({GATEWAY})"
            ]
        }
    until(lambda: lab.curl(*HEADER, f"{HOST}/headers") == "200")


def test_a_field_that_the_cluster_does_not_have_is_named(
    lab: Lab, stack: Stack, broken: Broken
) -> None:
    crd = ("customresourcedefinition", ROUTES)
    versions = json.loads(lab.kubectl("get", *crd, "-o", "json"))["spec"]["versions"]
    number = [one["name"] for one in versions].index("v1")
    rule = f"/spec/versions/{number}/schema/openAPIV3Schema/properties/spec/properties/rules/items"
    field = {"op": "remove", "path": f"{rule}/properties/timeouts"}
    rules = [{"paths": ["/status", "/headers"], "timeouts": {"request": "5s"}}]
    stack.configure(exposures=sample(rules=rules))
    assert broken() == {}
    # They name the field.
    validations = {"op": "remove", "path": f"{rule}/x-kubernetes-validations"}
    with patched(lab, crd, validations, field):
        assert broken() == {
            "HTTPRoute httpbin/httpbin-waypoint-route": [
                "rules[0].timeouts: needs Gateway API of a newer version, the cluster has 1.6.0"
                " (standard channel): install newer CustomResourceDefinitions, or leave the field"
                " out"
            ]
        }
    stack.reset()


def test_a_service_without_pods_is_named(lab: Lab, broken: Broken) -> None:
    lab.kubectl("scale", "deployment", "httpbin", *IN, "--replicas=0")
    said = ["none of its 0 pods is ready: see `kubectl describe pods -n httpbin -l app=httpbin`"]
    until(lambda: broken() == {"pods": said})
    lab.kubectl("scale", "deployment", "httpbin", *IN, "--replicas=1")


def test_a_waypoint_that_nobody_programs_is_named(lab: Lab, broken: Broken, tmp_path: Path) -> None:
    kind = "gateway.gateway.networking.k8s.io"
    found = json.loads(lab.kubectl("get", kind, "httpbin-waypoint", *IN, "-o", "json"))
    labels = {**found["metadata"]["labels"], "istio.io/rev": "unknown"}
    lab.kubectl("delete", kind, "httpbin-waypoint", *IN)
    assert broken()[WAYPOINT] == ["it is not there: `pulumi up` makes it, or its owner"]
    file = tmp_path / "waypoint.json"
    metadata = {"name": "httpbin-waypoint", "namespace": "httpbin", "labels": labels}
    parts = {key: found[key] for key in ("apiVersion", "kind", "spec")}
    file.write_text(json.dumps({**parts, "metadata": metadata}))
    lab.kubectl("create", "-f", str(file))
    said = broken()[WAYPOINT][0]
    assert re.match(r"Accepted=Unknown \(Pending: .*\): no controller has seen it: ", said), said
