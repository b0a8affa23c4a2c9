"""The main job from end to end, with a ztunnel and without."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from lightkube.resources.core_v1 import Namespace

from tests.lab.conftest import HOST, Lab, NewStack, Stack, plain, run, sample

HEADER = ("-H", "Host:httpbin.example.com")
ENROLMENT = "istio.io/dataplane-mode"


def test_an_exposure_from_up_to_destroy(lab: Lab, stack: Stack) -> None:
    # Once among the diagnostics, although the update has a preview.
    printed = stack.pulumi("up", "--yes").splitlines()
    said = [line for line in printed if line.startswith("    warning: no ztunnel in this mesh")]
    assert len(said) == (0 if lab.ambient else 1)
    outputs = stack.up()
    assert outputs.pop("exposures") == {"httpbin": outputs}
    service = ("get", "service", "httpbin-waypoint", "-n", "httpbin")
    programmed = [f"{condition}=True ({condition})" for condition in ("Accepted", "Programmed")]
    assert outputs.pop("ingressConditions")[:2] == programmed
    assert outputs.pop("waypointConditions")[:2] == programmed
    assert outputs == {
        "ingressHost": HOST,
        "ingressPort": 80,
        "ingressUrl": f"http://{HOST}:80",
        "ingressUrls": [f"http://{HOST}:80"],
        "ingressAddresses": [HOST],
        "ingressInternalHost": HOST,
        "dnsRecords": [],
        "waypointAddress": lab.kubectl(*service, "-o", "jsonpath={.spec.clusterIP}"),
        "commands": [f"curl -sSig -H Host:httpbin.example.com http://{HOST}:80/headers"],
        "verified": [
            f"GET http://{HOST}:80/headers (Host: httpbin.example.com): 200",
            f"GET http://{HOST}:80/get (Host: httpbin.example.com): 404",
        ],
    }
    # What the procedure checks by hand.
    assert lab.curl("-I", *HEADER, f"{HOST}/headers") == "200"
    assert lab.curl("-I", *HEADER, f"{HOST}/get") == "404"
    assert lab.curl(*HEADER, f"{HOST}/status/418") == "418"
    # Straight to the service: only a ztunnel sends it through the waypoint.
    assert lab.curl("httpbin.httpbin:8000/headers") == "200"
    assert lab.curl("httpbin.httpbin:8000/get") == ("404" if lab.ambient else "200")

    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

    pods = lab.kubectl("get", "pods", "-n", "httpbin", "-o", "name")
    outputs = stack.up(exposures=sample(gateway={"serviceType": "LoadBalancer"}))
    url = f"http://{outputs['ingressHost']}:{outputs['ingressPort']}/headers"
    # From this machine, at the first try.
    answer = run("curl", "-sSg", "-m", "5", *HEADER, "-w", "%{http_code}", "-o", "/dev/null", url)
    assert answer == "200"
    assert lab.kubectl("get", "pods", "-n", "httpbin", "-o", "name") == pods
    stack.pulumi("preview", "--expect-no-changes")

    assert stack.up(exposures=sample())["ingressHost"] == HOST

    seen = watch_namespaces(lab, lambda: stack.pulumi("destroy", "--yes", "--skip-preview"))
    assert seen == [
        "curl: enrolment removed",
        "curl: deleted",
        "httpbin: enrolment removed",
        "httpbin: deleted",
    ]
    assert stack.resources() == []
    left = lab.kubectl("get", "gateways,httproutes,namespaces", "-A", "-o", "name")
    assert "httpbin" not in left
    assert "curl" not in left


def watch_namespaces(lab: Lab, action: Callable[[], object]) -> list[str]:
    """What befell namespaces during `action`, in the order in which the cluster reports it."""
    seen: list[str] = []
    client = lab.client()
    enrolled = {
        one.metadata.name
        for one in client.list(Namespace)
        if one.metadata and ENROLMENT in (one.metadata.labels or {})
    }

    def watch() -> None:
        gone = 0
        for event, one in client.watch(Namespace, server_timeout=120):
            assert one.metadata
            name = one.metadata.name
            if name in enrolled and ENROLMENT not in (one.metadata.labels or {}):
                enrolled.discard(name)
                seen.append(f"{name}: enrolment removed")
            if event == "DELETED":
                seen.append(f"{name}: deleted")
                gone += 1
            if gone == 2:
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    action()
    watcher.join(timeout=30)
    return seen


@plain
def test_every_resource_but_a_binding_belongs_to_a_component(stack: Stack) -> None:
    # One object at a time, too, none is waited for before what it needs.
    stack.pulumi("up", "--yes", "--skip-preview", "--parallel", "1")
    resources = stack.resources()
    types = {resource["urn"]: resource["type"] for resource in resources}
    for resource in resources:
        parent = types.get(resource.get("parent", ""), "")
        if resource["type"] == "pulumi:pulumi:Stack":
            continue
        if resource["type"].startswith("ambient:"):
            assert parent == "pulumi:pulumi:Stack" or parent.startswith("ambient:")
        elif not resource["urn"].endswith("NamespacePatch::httpbin-binding"):
            assert parent.startswith("ambient:"), resource["urn"]


def test_an_adopted_namespace_is_left_as_it_was(lab: Lab, stack: Stack) -> None:
    def metadata() -> str:
        path = "{.metadata.labels}{.metadata.annotations}{.metadata.uid}"
        return lab.kubectl("get", "namespace", "httpbin", "-o", f"jsonpath={path}")

    def enrolled() -> bool:
        path = r"{.metadata.annotations.ambient\.istio\.io/redirection}"
        pod = lab.kubectl("get", "pod", "theirs", "-n", "httpbin", "-o", f"jsonpath={path}")
        return pod == "enabled"

    lab.kubectl("create", "namespace", "httpbin")
    try:
        lab.kubectl("label", "namespace", "httpbin", "team=shop")
        lab.kubectl("annotate", "namespace", "httpbin", "note=keep")
        image = ("--image=docker.io/curlimages/curl:8.16.0", "--image-pull-policy=IfNotPresent")
        command = ("--command", "--", "/bin/sleep", "infinity")
        lab.kubectl("run", "theirs", "-n", "httpbin", *image, *command)
        lab.kubectl("wait", "-n", "httpbin", "--for=condition=Ready", "pod/theirs")
        before = metadata()
        stack.up(exposures=sample(namespace={"create": False, "ambient": True}))
        assert "istio.io/use-waypoint" in metadata()
        assert enrolled() == lab.ambient
        stack.pulumi("destroy", "--yes", "--skip-preview")
        assert metadata() == before
        until(lambda: not enrolled())
        url = "https://kubernetes.default/version"
        lab.kubectl("exec", "-n", "httpbin", "theirs", "--", "curl", "-sSk", "-m", "5", url)
    finally:
        lab.kubectl(
            "delete", "pod", "theirs", "-n", "httpbin", "--grace-period=1", "--ignore-not-found"
        )
        lab.kubectl("delete", "namespace", "httpbin")


def until(condition: Callable[[], bool], limit: float = 20) -> None:
    """Wait for a condition that the cluster reaches by itself."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "the cluster did not get there"
        time.sleep(0.2)


@plain
def test_a_stack_may_change_in_every_way(lab: Lab, stack: Stack) -> None:
    assert stack.up(exposures=sample(verification=None))["verified"] == []
    assert "curl" not in lab.kubectl("get", "namespaces", "-o", "name")
    stack.up(exposures=sample())
    stack.up(exposures=sample(verification=None))
    assert "curl" not in lab.kubectl("get", "namespaces", "-o", "name")
    both = {"hostnames": ["httpbin.example.com", "*.example.org"]}
    verified = stack.up(exposures=sample(**both))["verified"]
    assert f"GET http://{HOST}:80/get (Host: verify.example.org): 404" in verified
    echo = {**both, "service": {"name": "echo", "port": 80}}
    renamed = stack.up(exposures=sample(**echo))
    assert renamed["ingressHost"] == "echo-gateway-istio.httpbin.svc.cluster.local"

    def left_behind() -> str:
        return lab.kubectl("get", "gateways,services", "-n", "httpbin", "-o", "name")

    # What istiod made for a Gateway goes after it, by the garbage collector.
    until(lambda: "httpbin" not in left_behind())
    shop = sample(**echo, namespace={"name": "shop"})
    moved = stack.up(exposures=shop, client={"namespace": {"name": "shell"}})
    assert moved["ingressHost"] == "echo-gateway-istio.shop.svc.cluster.local"
    left = lab.kubectl("get", "namespaces", "-o", "name")
    assert "httpbin" not in left
    assert "curl" not in left
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")
    # To adopt what it owns would be to delete it.
    adopted = sample(**echo, namespace={"name": "shop", "create": False})
    assert "was created by this stack" in stack.failing_up(exposures=adopted)
    lab.kubectl("get", "service", "echo", "-n", "shop")
    stack.up(exposures=shop)


@plain
def test_a_change_stands_once_in_a_preview(stack: Stack) -> None:
    stack.up()
    stack.configure(exposures=sample(rules=[{"paths": ["/status", "/headers", "/anything"]}]))
    # Before the stack stands what the refresh finds, such as conditions that came later.
    _, stack_itself, printed = stack.pulumi("preview", "--diff").partition(
        "pulumi:pulumi:Stack: (same)"
    )
    assert stack_itself
    assert printed.count("/anything") == 1, printed
    # Of each resource that is shown the type and the operation.
    shown = re.findall(r"(\w+:[\w./-]+:\w+): \(([\w-]+)\)$", printed, re.MULTILINE)
    assert sorted(shown) == [
        ("kubernetes:batch/v1:Job", "replace"),
        ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "update"),
    ], printed


STRIPPED = """
import runpy
import pulumi

def strip(args):
    metadata = args.props.get("metadata")
    if not metadata or "labels" not in metadata or "{label}" not in metadata["labels"]:
        return None
    metadata = dict(metadata)
    metadata["labels"] = {{k: v for k, v in metadata["labels"].items() if k != "{label}"}}
    return pulumi.ResourceTransformResult(dict(args.props, metadata=metadata), args.opts)

def unwaited(args):
    metadata = args.props.get("metadata") or {{}}
    if args.type_ != "kubernetes:core/v1:Service" or not metadata.get("annotations"):
        return None
    return pulumi.ResourceTransformResult(
        dict(args.props, metadata=dict(metadata, annotations={{"pulumi.com/skipAwait": "true"}})),
        args.opts,
    )

pulumi.runtime.register_resource_transform(strip)
pulumi.runtime.register_resource_transform(unwaited)
runpy.run_path("program.py")
"""


def without_label(new_stack: NewStack, label: str) -> str:
    """What an update prints that lacks a label and does not wait for the binding either."""
    return new_stack(STRIPPED.format(label=label)).failing_up(
        exposures=sample(verification={"timeout": 5})
    )


@plain
def test_without_ingress_use_waypoint_the_verification_fails(new_stack: NewStack) -> None:
    printed = without_label(new_stack, "istio.io/ingress-use-waypoint")
    assert f"GET http://{HOST}:80/get (Host: httpbin.example.com): expected 404, got 200" in printed


@plain
def test_without_use_waypoint_the_verification_fails(new_stack: NewStack) -> None:
    printed = without_label(new_stack, "istio.io/use-waypoint")
    assert f"GET http://{HOST}:80/get (Host: httpbin.example.com): expected 404, got 200" in printed


@plain
def test_a_failed_verification_is_repeated_by_the_next_update(stack: Stack) -> None:
    def verified(status: int) -> dict[str, Any]:
        checks = [{"path": "/headers", "status": status}]
        return sample(verification={"checks": checks, "timeout": 3})

    printed = stack.failing_up(exposures=verified(201))
    assert "/headers (Host: httpbin.example.com): expected 201, got 200" in printed
    stack.up(exposures=verified(200))
