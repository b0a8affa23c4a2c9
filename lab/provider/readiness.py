"""When an object of a kind that everyone waits for is ready, and what keeps it from being so."""

from collections.abc import Iterator

import httpx2

from lab.provider.cluster import Cluster
from lab.provider.expressions import condition_text
from lab.provider.values import Object

# A Service whose Pods come later is no failure; the official plugin waits as many seconds for them.
_ENDPOINTS_GRACE = 10.0
_LOG_LINES = 10


class FailedError(Exception):
    """The object can never become ready."""


def job_completed(live: Object) -> bool:
    """Whether the Job has run to its successful end."""
    return _condition(live, "Complete") is not None


async def lack(cluster: Cluster, live: Object, waited: float) -> str | None:
    """What the object lacks to be ready after `waited` seconds, None where it lacks nothing.

    Deployments, Jobs, Pods and Services are waited for; all other objects are ready once they
    exist. Raises FailedError for an object that can never become ready.
    """
    match live["apiVersion"], live["kind"]:
        case "apps/v1", "Deployment":
            return _deployment_lack(live)
        case "batch/v1", "Job":
            if failed := _condition(live, "Failed"):
                raise FailedError(f"{failed.get('reason')}: {failed.get('message')}")
            return None if job_completed(live) else "the Job to complete"
        case "v1", "Pod":
            if live.get("status", {}).get("phase") == "Succeeded" or _condition(live, "Ready"):
                return None
            return "the Pod to be ready"
        case "v1", "Service":
            return await _service_lack(cluster, live, waited)
        case _:
            return None


def conditions(live: Object) -> list[str]:
    """What the object's own conditions say, and those of its listeners and parents."""
    return [condition_text(condition, of) for of, condition in _conditions(live)]


async def pod_reports(cluster: Cluster, owner: Object) -> list[str]:
    """What keeps the newest Pod of a Deployment or Job from doing its work."""
    if owner["kind"] not in ("Deployment", "Job"):
        return []
    namespace = owner["metadata"]["namespace"]
    labels = owner["spec"]["selector"]["matchLabels"]
    try:
        pods = await cluster.find_all("v1", "Pod", namespace, labels)
        newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)
        return [] if newest is None else await _pod_report(cluster, newest)
    except httpx2.HTTPError as error:
        # A report must not hide what it is to explain.
        return [f"its Pods cannot be read: {error!r}"]


def _deployment_lack(live: Object) -> str | None:
    """The test of `kubectl rollout status`."""
    status = live.get("status", {})
    wanted = live["spec"]["replicas"]
    updated = status.get("updatedReplicas", 0)
    old = status.get("replicas", 0) - updated
    available = status.get("availableReplicas", 0)
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "the Deployment controller to see the change"
    if updated < wanted:
        return f"new Pods: {updated} of {wanted} created"
    if old > 0:
        return f"old Pods to end: {old} left"
    if available < wanted:
        return f"Pods to be available: {available} of {wanted}"
    return None


async def _service_lack(cluster: Cluster, live: Object, waited: float) -> str | None:
    spec = live["spec"]
    if spec.get("type") == "LoadBalancer" and not live["status"].get("loadBalancer"):
        return "an address from the load balancer: does this cluster have one?"
    selects = spec.get("selector") and spec.get("clusterIP") != "None"
    if spec.get("type") == "ExternalName" or not selects:
        return None
    metadata = live["metadata"]
    labels = {"kubernetes.io/service-name": metadata["name"]}
    slices = await cluster.find_all(
        "discovery.k8s.io/v1", "EndpointSlice", metadata["namespace"], labels
    )
    ready = [
        endpoint.get("conditions", {}).get("ready", True)
        for endpoint_slice in slices
        for endpoint in endpoint_slice.get("endpoints") or []
    ]
    if not ready:
        return "Pods that the Service selects" if waited < _ENDPOINTS_GRACE else None
    return None if all(ready) else "the Pods that the Service selects to be ready"


async def _pod_report(cluster: Cluster, pod: Object) -> list[str]:
    status: Object = pod.get("status", {})
    reports = [
        f"Pod {pod['metadata']['name']} is not scheduled: {condition.get('message', '')}"
        for condition in status.get("conditions", [])
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    for container in [
        *status.get("initContainerStatuses", []),
        *status.get("containerStatuses", []),
    ]:
        reports += await _container_report(cluster, pod, container)
    return reports


async def _container_report(cluster: Cluster, pod: Object, container: Object) -> list[str]:
    name = f"Pod {pod['metadata']['name']}, container {container['name']}"
    state = container.get("state", {})
    waiting = state.get("waiting", {})
    reports: list[str] = []
    if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
        reports.append(f"{name}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": "))
    ended = state.get("terminated") or container.get("lastState", {}).get("terminated")
    if ended and ended["exitCode"] != 0:
        said = ended.get("message") or await cluster.log(pod, container["name"], lines=_LOG_LINES)
        said = said.strip() or "no output"
        reports.append(f"{name} ended with exit code {ended['exitCode']}: {said}")
    return reports


def _condition(live: Object, type_: str) -> Object | None:
    """The condition of that type where it is true."""
    for condition in live.get("status", {}).get("conditions", []):
        if condition["type"] == type_ and condition["status"] == "True":
            found: Object = condition
            return found
    return None


def _conditions(value: Object, of: str = "") -> Iterator[tuple[str, Object]]:
    """Every condition in a status, each with the name of the part of the object it speaks of."""
    value = value.get("status", value)
    of = value.get("name") or value.get("parentRef", {}).get("name") or of
    for condition in value.get("conditions", []):
        yield of, condition
    # Gateways report on each listener, routes on each parent.
    for part in [*value.get("listeners", []), *value.get("parents", [])]:
        yield from _conditions(part, of)
