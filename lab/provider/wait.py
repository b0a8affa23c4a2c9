"""When an object is ready, and what is missing while it is not.

`pulumi.com/waitFor` decides where it is set; otherwise the kinds that have a common notion of being
ready are waited for, and all others are ready once they exist.
"""

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import httpx2
import jsonpath

from lab.provider.cluster import Cluster, annotation, identity
from lab.provider.values import Object

TIMEOUT = 600.0
"""Seconds that an object gets to become ready, or to go, unless its author says otherwise."""

_POLL = 0.3
_ENDPOINTS_GRACE = 10.0
_LOG_LINES = 10

Say = Callable[[str], Awaitable[None]]
"""Shows a line of progress beside the resource while it is worked on."""


class NotReadyError(Exception):
    """The object is there and did not become ready, or it did not go.

    `live` is its last state. The first of the `reasons` says what was waited for, the others what
    the cluster says about the object.
    """

    def __init__(self, live: Object, *reasons: str) -> None:
        """Keep the object's last state beside the reasons."""
        super().__init__("\n".join(reasons))
        self.live = live
        self.reasons = reasons


class FailedError(Exception):
    """The object can never become ready."""


class Expression(Protocol):
    """One thing that `pulumi.com/waitFor` asks for."""

    def missing(self, live: Object) -> str | None:
        """What the object lacks, or None where it satisfies the expression."""
        ...


@dataclass(frozen=True)
class Condition:
    """`condition=TYPE[=STATUS]`: a condition has the status and is not older than the spec."""

    type: str
    status: str

    def missing(self, live: Object) -> str | None:
        """What the object lacks, or None."""
        wanted = f"condition {self.type}={self.status}"
        for condition in live.get("status", {}).get("conditions", []):
            if condition.get("type", "").lower() != self.type.lower():
                continue
            observed = condition.get("observedGeneration", _observed_generation(live))
            if observed is not None and observed < live["metadata"].get("generation", 0):
                return f"{wanted}, and the last change to be seen"
            if condition.get("status", "").lower() == self.status.lower():
                return None
            state = _condition_text(condition).partition("=")[2]
            return f"{wanted}, which is {state}"
        return f"{wanted}, which is not reported yet"


@dataclass(frozen=True)
class JsonPath:
    """`jsonpath={PATH}[=VALUE]`: the first value at the RFC 9535 path exists, or is VALUE."""

    text: str
    path: jsonpath.JSONPath | jsonpath.CompoundJSONPath
    value: str

    def missing(self, live: Object) -> str | None:
        """What the object lacks, or None."""
        wanted = f"{self.text}={self.value}" if self.value else self.text
        observed = _observed_generation(live)
        if observed is not None and observed < live["metadata"].get("generation", 0):
            return f"{wanted}, and the last change to be seen"
        found = self.path.findall(live)
        if not found:
            return f"{wanted}, where nothing is yet"
        first = found[0] if isinstance(found[0], str) else json.dumps(found[0])
        return None if self.value in ("", first) else f"{wanted}, which is {first}"


def parse(wait_for: str) -> list[Expression]:
    """The expressions of a `pulumi.com/waitFor` annotation, all of which have to hold.

    Raises ValueError with the expression and what is wrong with it.
    """
    try:
        listed = json.loads(wait_for)
    except ValueError:
        listed = [wait_for]
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"expected an expression or a JSON array of them, got {wait_for!r}")
    return [_expression(str(text)) for text in listed]


def _expression(text: str) -> Expression:
    prefix, _, body = text.partition("=")
    if prefix == "condition":
        type_, _, status = body.partition("=")
        return Condition(type_, status or "True")
    if prefix == "jsonpath":
        braced, _, value = body.rpartition("}")
        if not braced.startswith("{") or (value and not value.startswith("=")) or value == "=":
            raise ValueError(f"expected jsonpath={{PATH}} or jsonpath={{PATH}}=VALUE, got {text!r}")
        inner = braced[1:].strip()
        try:
            path = _JSONPATH.compile(inner if inner.startswith("$") else f"${inner}")
        except jsonpath.JSONPathError as error:
            raise ValueError(f"{text!r} is not a JSONPath (RFC 9535): {error}") from error
        return JsonPath(f"{braced}}}", path, value.removeprefix("="))
    raise ValueError(f'expected "condition=..." or "jsonpath={{...}}", got {text!r}')


_JSONPATH = jsonpath.JSONPathEnvironment(strict=True)


def limit(seconds: float, inputs: Object) -> float:
    """Seconds to wait at most: the custom timeout, `pulumi.com/timeoutSeconds`, or `TIMEOUT`."""
    annotated = annotation(inputs, "timeoutSeconds")
    return seconds or (float(annotated) if annotated.isdecimal() else TIMEOUT)


def job_completed(live: Object) -> bool:
    """Whether the Job has run to its successful end."""
    return _condition(live, "Complete") is not None


class Waiter:
    """Waits on the objects of one cluster until it is told to stop."""

    def __init__(self, cluster: Cluster) -> None:
        """Wait on objects of this cluster."""
        self._cluster = cluster
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End every wait: what is not ready now counts as not ready."""
        self._stopped.set()

    async def until_ready(self, live: Object, inputs: Object, seconds: float, say: Say) -> Object:
        """Wait until the object, just written as `live`, is ready, and return it as it is then.

        Raises NotReadyError after `seconds`, or as soon as the object cannot become ready.
        """
        if annotation(inputs, "skipAwait") == "true":
            return live
        wait_for = annotation(inputs, "waitFor")
        expressions = parse(wait_for) if wait_for else None
        began = time.monotonic()
        said = lack = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    lack = (
                        await self._lack(live, time.monotonic() - began)
                        if expressions is None
                        else _first_lack(expressions, live)
                    )
                    if lack is None:
                        break
                    if said != lack:
                        said = lack
                        await say(f"waiting for {lack}")
                    await self._pause()
                    live = await self._refreshed(live)
        except TimeoutError:
            ended = f"was not ready after {seconds:g} s: waiting for {lack}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        except _StoppedError:
            ended = f"was not ready at the cancellation: waiting for {lack}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        except FailedError as error:
            raise NotReadyError(live, *await self._failure(live, error)) from None
        except httpx2.HTTPError as error:
            raise NotReadyError(live, f"{_title(live)} cannot be watched: {error!r}") from error
        if said:
            await say("")
        return live

    async def check(self, live: Object, inputs: Object) -> None:
        """Raise NotReadyError where an object of a kind that is waited for is not ready now."""
        if annotation(inputs, "skipAwait") == "true" or annotation(inputs, "waitFor"):
            return
        try:
            lack = await self._lack(live, math.inf)
        except FailedError as error:
            raise NotReadyError(live, *await self._failure(live, error)) from None
        if lack is not None:
            ended = f"is not ready: waiting for {lack}"
            raise NotReadyError(live, *await self._explain(live, ended))

    async def until_gone(self, live: Object, seconds: float, say: Say) -> None:
        """Wait until the object no longer exists. Raises NotReadyError after `seconds`."""
        uid = live["metadata"]["uid"]
        said = ""
        try:
            async with asyncio.timeout(seconds):
                while found := await self._cluster.find(live):
                    if found["metadata"]["uid"] != uid:
                        break
                    live = found
                    if said != (held := _held(live)):
                        said = held
                        await say(f"waiting to be gone, {held}")
                    await self._pause()
            await say("")
        except TimeoutError:
            ended = f"still exists {seconds:g} s after its deletion began, {said}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        except _StoppedError:
            ended = f"still existed at the cancellation, {said}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), _POLL)
        except TimeoutError:
            return
        raise _StoppedError

    async def _refreshed(self, live: Object) -> Object:
        try:
            found = await self._cluster.find(live)
        except httpx2.TransportError:
            # The API server may be restarting; the wait has its own limit.
            return live
        if found is None:
            raise FailedError("it was deleted by someone else while it was waited for")
        return found

    async def _lack(self, live: Object, waited: float) -> str | None:
        """What an object of a kind that is waited for lacks, None where it is ready."""
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
                return await self._service_lack(live, waited)
            case _:
                return None

    async def _service_lack(self, live: Object, waited: float) -> str | None:
        spec = live["spec"]
        if spec.get("type") == "LoadBalancer" and not live["status"].get("loadBalancer"):
            return "an address from the load balancer: does this cluster have one?"
        selects = spec.get("selector") and spec.get("clusterIP") != "None"
        if spec.get("type") == "ExternalName" or not selects:
            return None
        metadata = live["metadata"]
        slices = await self._cluster.find_all(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            metadata["namespace"],
            {"kubernetes.io/service-name": metadata["name"]},
        )
        ready = [
            endpoint.get("conditions", {}).get("ready", True)
            for endpoint_slice in slices
            for endpoint in endpoint_slice.get("endpoints") or []
        ]
        if not ready:
            # A Service whose Pods come later is no failure; the official plugin waits as long.
            return "Pods that the Service selects" if waited < _ENDPOINTS_GRACE else None
        return None if all(ready) else "the Pods that the Service selects to be ready"

    async def _failure(self, live: Object, error: FailedError) -> list[str]:
        """Why the object can never become ready."""
        reports = await self._pod_reports(live) if live["kind"] == "Job" else []
        return [f"{_title(live)} failed: {error}", *reports]

    async def _explain(self, live: Object, ended: str) -> list[str]:
        """How the wait for the object ended, then what the cluster says about the object."""
        says = [_condition_text(condition, of) for of, condition in _conditions(live)]
        if live["kind"] in ("Deployment", "Job"):
            says += await self._pod_reports(live)
        return [f"{_title(live)} {ended}", *says]

    async def _pod_reports(self, owner: Object) -> list[str]:
        """What keeps the newest Pod of a Deployment or Job from doing its work."""
        namespace = owner["metadata"]["namespace"]
        labels = owner["spec"]["selector"]["matchLabels"]
        try:
            pods = await self._cluster.find_all("v1", "Pod", namespace, labels)
            return await self._pod_report(pods)
        except httpx2.HTTPError as error:
            # The explanation must not hide what it explains.
            return [f"its Pods cannot be read: {error!r}"]

    async def _pod_report(self, pods: list[Object]) -> list[str]:
        if not pods:
            return []
        newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        pod: Object = {"apiVersion": "v1", "kind": "Pod"} | newest
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
            reports += await self._container_report(pod, container)
        return reports

    async def _container_report(self, pod: Object, container: Object) -> list[str]:
        name = f"Pod {pod['metadata']['name']}, container {container['name']}"
        state = container.get("state", {})
        waiting = state.get("waiting", {})
        reports: list[str] = []
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            reports.append(
                f"{name}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
            )
        ended = state.get("terminated") or container.get("lastState", {}).get("terminated")
        if ended and ended["exitCode"] != 0:
            said = ended.get("message") or await self._cluster.log(
                pod, container["name"], lines=_LOG_LINES
            )
            reports.append(
                f"{name} ended with exit code {ended['exitCode']}: {said.strip() or 'no output'}"
            )
        return reports


class _StoppedError(Exception):
    """The engine asked to cancel."""


def _first_lack(expressions: list[Expression], live: Object) -> str | None:
    return next(
        (lack for expression in expressions if (lack := expression.missing(live)) is not None),
        None,
    )


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


def _observed_generation(live: Object) -> int | None:
    observed: int | None = live.get("status", {}).get("observedGeneration")
    return observed


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


def _condition_text(condition: Object, of: str = "") -> str:
    text = f"{of}: " if of else ""
    text += f"{condition.get('type')}={condition.get('status')}"
    if reason := condition.get("reason"):
        text += f" {reason}"
    if message := condition.get("message"):
        text += f": {message}"
    return text


def _title(live: Object) -> str:
    return f"{live['kind']} {identity(live)}"


def _held(live: Object) -> str:
    finalizers = live["metadata"].get("finalizers")
    return f"held by the finalizers {', '.join(finalizers)}" if finalizers else "not gone yet"
