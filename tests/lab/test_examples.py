"""The examples, each run as its README says."""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.conftest import ROOT, Lab, NewStack, Stack, plain, run
from tests.lab.test_exposure import until

pytestmark = plain

KINDS = (
    "gateways,httproutes,referencegrants,configmaps,secrets,serviceaccounts,services,deployments,"
    "jobs,pods"
)
"""What examples make, directly or through istiod."""

PROXIES = "gateway.networking.k8s.io/gateway-name"
"""Label of the pods of gateways and waypoints."""

CLUSTER_WIDE = (
    "namespaces,gatewayclasses,clusterroles,clusterrolebindings,customresourcedefinitions"
)


def script(example: str, number: int = 0) -> str:
    """A shell block of the section "Requests" of an example's README."""
    readme = (ROOT / "examples" / example / "README.md").read_text(encoding="utf-8")
    section = readme.split("\n## Requests\n")[1].split("\n## ")[0]
    return str(re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[number])


def shell(stack: Stack, commands: str) -> str:
    """What a shell in the stack's folder prints."""
    return run("bash", "-c", commands, env=stack.env, cwd=stack.folder, ends="somehow")


def answer_as_promised(stack: Stack, example: str) -> None:
    """Send the requests of the README."""
    promised = re.findall(r" # (\d{3})", script(example))
    assert promised
    printed = shell(stack, script(example))
    assert re.findall(r"HTTP/\S+ (\d{3})", printed) == promised, printed


def objects(lab: Lab) -> dict[str, str]:
    """The uid of everything in the cluster that could be of an example."""
    columns = "custom-columns=:kind,:metadata.namespace,:metadata.name,:metadata.uid"
    listed = lab.kubectl("get", KINDS, "-A", "--no-headers", "-o", columns)
    listed += lab.kubectl("get", CLUSTER_WIDE, "--no-headers", "-o", columns)
    rows = (line.split() for line in listed.splitlines())
    return {f"{kind} {namespace}/{name}": uid for kind, namespace, name, uid in rows}


def settle(stack: Stack) -> None:
    """Nothing is left to do, by what is recorded and by what is there."""
    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def left_by_destroy(lab: Lab, stack: Stack, before: dict[str, str]) -> set[str]:
    """What is there that was not before; nothing else is gone."""
    stack.pulumi("destroy", "--yes", "--skip-preview")
    assert stack.resources() == []
    # The proxies' pods in an adopted namespace take their time to end.
    lab.kubectl("wait", "--for=delete", "pods", "-l", PROXIES, "-A", "--timeout=60s")
    after = objects(lab)
    assert {name: after.get(name) for name in before} == before
    return after.keys() - before


@pytest.mark.parametrize("example", ["procedure", "two-services", "https"])
def test_an_example_from_up_to_destroy(lab: Lab, new_stack: NewStack, example: str) -> None:
    before = objects(lab)
    stack = new_stack(example=example)
    stack.previewed_up()
    answer_as_promised(stack, example)
    settle(stack)
    assert left_by_destroy(lab, stack, before) == set()


@pytest.fixture
def theirs(lab: Lab) -> Iterator[Callable[[], dict[str, Any]]]:
    """A namespace and a Service of somebody else; tells what they are like at the moment."""
    lab.kubectl("create", "namespace", "httpbin")
    for kind in ("namespace", "service"):
        if kind == "service":
            file = ROOT / "examples" / "existing-service" / "httpbin.yaml"
            lab.kubectl("apply", "-n", "httpbin", "-f", str(file))
        lab.kubectl("label", "-n", "httpbin", kind, "httpbin", "team=shop")
        lab.kubectl("annotate", "-n", "httpbin", kind, "httpbin", "note=keep")
    lab.kubectl("create", "configmap", "settings", "-n", "httpbin", "--from-literal=key=value")
    lab.kubectl("rollout", "status", "-n", "httpbin", "deployment/httpbin")

    def metadata() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for kind in ("namespace", "service"):
            shown = lab.kubectl(
                "get", kind, "httpbin", "-n", "httpbin", "-o", "json", "--show-managed-fields"
            )
            found[kind] = json.loads(shown)["metadata"]
            del found[kind]["resourceVersion"]
            for entry in found[kind]["managedFields"]:
                del entry["time"]
        return found

    yield metadata
    lab.kubectl("delete", "namespace", "httpbin")


def test_what_is_adopted_is_left_as_it_was(
    lab: Lab, new_stack: NewStack, theirs: Callable[[], dict[str, Any]]
) -> None:
    before, metadata = objects(lab), theirs()
    stack = new_stack(example="existing-service")
    stack.up()
    assert theirs()["namespace"]["labels"].keys() >= {"team", "istio.io/dataplane-mode"}
    assert theirs()["service"]["labels"].keys() >= {"team", "istio.io/use-waypoint"}
    owned = {
        one["type"].rsplit(":", 1)[-1]
        for one in stack.resources()
        for place in [one.get("inputs", {}).get("metadata", {})]
        if place.get("namespace", place.get("name")) == "httpbin"
    }
    assert owned == {"NamespacePatch", "ServicePatch", "Gateway", "HTTPRoute"}
    answer_as_promised(stack, "existing-service")
    settle(stack)
    # istiod gives these to every namespace that it discovers, and leaves them there.
    istiods = {f"ConfigMap httpbin/istio-ca-{name}" for name in ("root-cert", "crl")}
    assert left_by_destroy(lab, stack, before) == istiods
    assert theirs() == metadata


def plausible(weight: int, requests: int = 200, error: float = 1e-6) -> range:
    """How many of the requests go to a version with a weight, but for an error on either side."""
    share = weight / 100
    chances = [
        math.comb(requests, hits) * share**hits * (1 - share) ** (requests - hits)
        for hits in range(requests + 1)
    ]
    low = next(hits for hits in range(requests) if sum(chances[: hits + 1]) > error)
    high = next(hits for hits in range(requests, 0, -1) if sum(chances[hits:]) > error)
    return range(low, high + 1)


def test_a_canary_gets_its_share(lab: Lab, new_stack: NewStack) -> None:
    before = objects(lab)
    stack = new_stack(example="canary")
    counting = script("canary").split("\ncurl ")[0] + "\n" + script("canary", 1)
    stack.up()
    answer_as_promised(stack, "canary")
    assert int(shell(stack, counting)) in plausible(10)
    settle(stack)

    stack.up(weight=50)
    assert not set(plausible(10)) & set(plausible(50))
    # The proxies get the new weights a moment after the route is accepted.
    until(lambda: int(shell(stack, counting)) in plausible(50))
    settle(stack)
    assert left_by_destroy(lab, stack, before) == set()
