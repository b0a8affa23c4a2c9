"""Waiting until an object is ready, or gone."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

import httpx2

from lab.provider.cluster import Cluster, annotation, identity
from lab.provider.expressions import Expression, parse
from lab.provider.readiness import FailedError, conditions, lack, pod_reports
from lab.provider.values import Object

TIMEOUT = 600.0
"""Seconds that an object gets to become ready, or to go, unless its author says otherwise."""

_POLL = 0.3

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


def limit(seconds: float, inputs: Object) -> float:
    """Seconds to wait at most: the custom timeout, `pulumi.com/timeoutSeconds`, or `TIMEOUT`."""
    annotated = annotation(inputs, "timeoutSeconds")
    return seconds or (float(annotated) if annotated.isdecimal() else TIMEOUT)


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

        `pulumi.com/waitFor` says what that means; where it is not set, the kind does. Raises
        NotReadyError after `seconds`, or as soon as the object can never become ready.
        """
        if annotation(inputs, "skipAwait") == "true":
            return live
        wait_for = annotation(inputs, "waitFor")
        expressions = parse(wait_for) if wait_for else None
        began = time.monotonic()
        waiting = ""
        try:
            async with asyncio.timeout(seconds):
                while missing := await self._missing(live, expressions, began):
                    if waiting != missing:
                        waiting = missing
                        await say(f"waiting for {waiting}")
                    await self._pause()
                    live = await self._refreshed(live)
        except TimeoutError:
            ended = f"was not ready after {seconds:g} s: waiting for {waiting}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        except _StoppedError:
            ended = f"was not ready at the cancellation: waiting for {waiting}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        except FailedError as error:
            raise NotReadyError(live, *await self._failure(live, error)) from None
        except httpx2.HTTPError as error:
            raise NotReadyError(live, f"{_title(live)} cannot be watched: {error!r}") from error
        if waiting:
            await say("")
        return live

    async def check(self, live: Object, inputs: Object) -> None:
        """Raise NotReadyError where the object is of a kind that is waited for and not ready."""
        if annotation(inputs, "skipAwait") == "true" or annotation(inputs, "waitFor"):
            return
        try:
            missing = await lack(self._cluster, live, waited=math.inf)
        except FailedError as error:
            raise NotReadyError(live, *await self._failure(live, error)) from None
        if missing is not None:
            ended = f"is not ready: waiting for {missing}"
            raise NotReadyError(live, *await self._explain(live, ended))

    async def until_gone(self, live: Object, seconds: float, say: Say) -> None:
        """Wait until the object no longer exists. Raises NotReadyError after `seconds`."""
        uid = live["metadata"]["uid"]
        waiting = ""
        try:
            async with asyncio.timeout(seconds):
                while (found := await self._find(live)) and found["metadata"]["uid"] == uid:
                    live = found
                    if waiting != (held := _held(live)):
                        waiting = held
                        await say(f"waiting to be gone, {waiting}")
                    await self._pause()
        except TimeoutError:
            ended = f"still exists {seconds:g} s after its deletion began, {waiting}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        except _StoppedError:
            ended = f"still existed at the cancellation, {waiting}"
            raise NotReadyError(live, *await self._explain(live, ended)) from None
        if waiting:
            await say("")

    async def _missing(
        self, live: Object, expressions: list[Expression] | None, began: float
    ) -> str | None:
        if expressions is None:
            try:
                return await lack(self._cluster, live, waited=time.monotonic() - began)
            except httpx2.TransportError:
                return "the API server to answer"
        return next(filter(None, (one.missing(live) for one in expressions)), None)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), _POLL)
        except TimeoutError:
            return
        raise _StoppedError

    async def _refreshed(self, live: Object) -> Object:
        found = await self._find(live)
        if found is None:
            raise FailedError("it was deleted by someone else while it was waited for")
        return found

    async def _find(self, live: Object) -> Object | None:
        """The object as it is now, or as it was where the API server does not answer.

        A server that is just restarting ends no wait; every wait has a limit of its own.
        """
        try:
            return await self._cluster.find(live)
        except httpx2.TransportError:
            return live

    async def _failure(self, live: Object, error: FailedError) -> list[str]:
        """Why the object can never become ready."""
        return [f"{_title(live)} failed: {error}", *await pod_reports(self._cluster, live)]

    async def _explain(self, live: Object, ended: str) -> list[str]:
        """How the wait for the object ended, then what the cluster says about the object."""
        reports = await pod_reports(self._cluster, live)
        return [f"{_title(live)} {ended}", *conditions(live), *reports]


class _StoppedError(Exception):
    """The engine asked to cancel."""


def _title(live: Object) -> str:
    return f"{live['kind']} {identity(live)}"


def _held(live: Object) -> str:
    finalizers = live["metadata"].get("finalizers")
    return f"held by the finalizers {', '.join(finalizers)}" if finalizers else "not gone yet"
