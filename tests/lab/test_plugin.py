"""The stand-in Kubernetes provider does what the official plugin does."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import Lab, NewStack, Stack, plain, unpacked

pytestmark = plain

CHANGES: list[dict[str, Any]] = [
    {},
    {"paths": ["/status", "/headers", "/anything"]},
    {"serviceType": "LoadBalancer"},
    {"containerPort": 8081, "clientNamespace": "shell"},
]
"""Configuration whose previews are compared, each over the stack as it is after the first `up`."""

# What differs between two objects made one after the other, whoever makes them.
VOLATILE = {
    "clusterIP",
    "clusterIPs",
    "creationTimestamp",
    "generation",
    "lastProbeTime",
    "lastTransitionTime",
    "lastUpdateTime",
    "managedFields",
    "resourceVersion",
    "status",
    "uid",
    "batch.kubernetes.io/controller-uid",
    "controller-uid",
}


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the official plugin, to be first on PATH."""
    folder = tmp_path_factory.mktemp("official")
    unpacked("pulumi-resource-kubernetes", folder)
    return folder


def stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: stable(one) for key, one in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [stable(one) for one in value]
    return value


def objects(lab: Lab) -> dict[str, Any]:
    """Every object that a stack may have made, without what is different each time."""
    found: dict[str, Any] = {}
    kinds = "serviceaccounts,services,deployments,jobs,gateways,httproutes"
    for namespace in ("httpbin", "curl"):
        listed = json.loads(lab.kubectl("get", kinds, "-n", namespace, "-o", "json"))["items"]
        listed.append(json.loads(lab.kubectl("get", "namespace", namespace, "-o", "json")))
        for one in listed:
            found[f"{one['kind']} {namespace}/{one['metadata']['name']}"] = stable(one)
    return found


def preview(stack: Stack, **values: Any) -> list[Any]:
    """What a preview says of each resource: the operation, and which properties differ."""
    stack.configure(**values)
    steps = json.loads(stack.pulumi("preview", "--json"))["steps"]
    return sorted(
        (
            step["urn"].split("::", 2)[2],
            step["op"],
            sorted(step.get("detailedDiff") or {}),
            sorted(step.get("replaceReasons") or []),
        )
        for step in steps
    )


def observed(lab: Lab, stack: Stack, *, stand_in: bool) -> dict[str, Any]:
    """The previews and objects of one stack's life."""
    seen: dict[str, Any] = {"preview of create": preview(stack)}
    printed = stack.pulumi("up", "--yes", "--skip-preview")
    assert ("stand-in Kubernetes provider" in printed) is stand_in
    seen["objects"] = objects(lab)
    settings = (stack.folder / "Pulumi.dev.yaml").read_text()
    for change in CHANGES:
        seen[f"preview of {change}"] = preview(stack, **change)
        (stack.folder / "Pulumi.dev.yaml").write_text(settings)
    stack.up(paths=["/headers"])
    seen["objects after an update"] = objects(lab)
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("destroy", "--yes", "--skip-preview")
    return seen


def test_same_previews_and_same_objects(lab: Lab, new_stack: NewStack, official: Path) -> None:
    by_official = observed(lab, new_stack(path=official), stand_in=False)
    by_stand_in = observed(lab, new_stack(), stand_in=True)
    assert by_stand_in.keys() == by_official.keys()
    for what, expected in by_official.items():
        assert by_stand_in[what] == expected, what


def test_a_wait_in_vain_is_explained(lab: Lab, new_stack: NewStack, official: Path) -> None:
    stack = new_stack(path=official)
    scale = ("scale", "-n", "metallb-system", "deployment/controller")
    lab.kubectl(*scale, "--replicas=0")
    try:
        printed = stack.failing_up(serviceType="LoadBalancer", readyTimeout=10)
    finally:
        lab.kubectl(*scale, "--replicas=1")
    assert "Gateway httpbin/httpbin-gateway: Accepted=True" in printed
    assert "Programmed=False (AddressNotAssigned: " in printed
    assert "choose the service type ClusterIP" in printed


def test_same_failures(new_stack: NewStack, official: Path) -> None:
    """A verification that fails, and the next update that repairs it."""
    for stack in (new_stack(path=official), new_stack()):
        printed = stack.failing_up(checks=[{"path": "/headers", "status": 201}], verifyTimeout=3)
        assert "/headers (Host: httpbin.example.com): expected 201, got 200" in printed
        assert "BackoffLimitExceeded" in printed
        stack.up(checks=[{"path": "/headers", "status": 200}])
        stack.pulumi("destroy", "--yes", "--skip-preview")
