"""The wait for a proof: it ends with its pod, and says why there is none."""

import asyncio
import contextlib
from typing import Any

import pulumi
import pytest

from components.cluster import proofs
from components.cluster.jobs import JOB
from components.cluster.proofs import PROOF, await_proofs
from tests.unit.test_preflight import api

__all__ = ["api"]

PODS = "/api/v1/namespaces/curl/pods"
TEMPLATE = {"metadata": {"labels": {PROOF: "shop-probe"}}}


def seen(phase: str, event: str = "MODIFIED", **terminated: Any) -> dict[str, Any]:
    """What the API server tells of a pod."""
    status: dict[str, Any] = {"phase": phase}
    if terminated:
        container = {"name": "probe", "image": "curl", "imageID": "", "ready": False}
        state = {"restartCount": 0, "state": {"terminated": terminated}}
        status["containerStatuses"] = [container | state]
    metadata = {"name": "shop-1-abc", "namespace": "curl", "resourceVersion": "7"}
    return {"type": event, "object": {"metadata": metadata, "status": status}}


class Hooked:
    """The hook and the transform that are given to the engine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pulumi, "ResourceHook", self._hook)
        self.transform: Any = await_proofs({}, "proof")

    def _hook(self, _: str, callback: Any) -> Any:
        self.hook = callback
        return callback

    def wait(self, seconds: int = 5, *, secret: bool = False) -> None:
        async def wait() -> None:
            spec = {"activeDeadlineSeconds": seconds}
            inputs = {"spec": pulumi.Output.secret(spec) if secret else spec}
            outputs = {"metadata": {"name": "shop-1", "namespace": "curl"}}
            await self.hook(
                pulumi.ResourceHookArgs(
                    "urn", "id", "shop", JOB, new_inputs=inputs, new_outputs=outputs
                )
            )

        # Not by `asyncio.run`, which leaves no loop to the tests that come after.
        with contextlib.closing(asyncio.new_event_loop()) as loop:
            loop.run_until_complete(wait())

    def transformed(self, type_: str, template: Any) -> Any:
        props = {"metadata": {"annotations": {"a": "b"}}, "spec": {"template": template}}
        opts = pulumi.ResourceOptions()
        return self.transform(
            pulumi.ResourceTransformArgs(
                custom=True, type_=type_, name="shop", props=props, opts=opts
            )
        )


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch, api: dict[str, Any]) -> Hooked:
    monkeypatch.setattr(proofs, "_SLACK", 0)
    api["/api/v1/namespaces/curl/events"] = {"items": []}
    return Hooked(monkeypatch)


def test_it_ends_with_the_pod(hooked: Hooked, api: dict[str, Any]) -> None:
    api[PODS] = seen("Succeeded")
    hooked.wait()
    hooked.wait(secret=True)


def test_a_pod_that_fails_says_why(hooked: Hooked, api: dict[str, Any]) -> None:
    api[PODS] = seen("Failed", exitCode=1, message="after 60 s: GET /: expected 200, got 503\n")
    with pytest.raises(RuntimeError, match=r"^after 60 s: GET /: expected 200, got 503$"):
        hooked.wait()


def test_a_pod_that_was_taken_away_did_not_prove_anything(
    hooked: Hooked, api: dict[str, Any]
) -> None:
    api[PODS] = seen("Pending", "DELETED")
    event = {
        "reason": "Failed",
        "message": "no such image",
        "involvedObject": {"name": "shop-1-abc"},
        "metadata": {},
    }
    api["/api/v1/namespaces/curl/events"] = {"items": [event]}
    said = "^the pod of Job curl/shop-1 has failed: Failed: no such image; is there such an image"
    with pytest.raises(RuntimeError, match=said):
        hooked.wait()


def test_it_does_not_wait_for_ever(hooked: Hooked, api: dict[str, Any]) -> None:
    api[PODS] = seen("Running")
    with pytest.raises(RuntimeError, match=r"^Job curl/shop-1 did not end within 1 s$"):
        hooked.wait(1)


def test_an_api_server_that_refuses_is_named(hooked: Hooked, api: dict[str, Any]) -> None:
    api[PODS] = 403
    said = "^Job curl/shop-1 could not be waited for: Client error '403 Forbidden' for url '.*/pods"
    with pytest.raises(RuntimeError, match=said):
        hooked.wait()


def test_only_proofs_are_waited_for(hooked: Hooked) -> None:
    found = hooked.transformed(JOB, TEMPLATE)
    assert found.opts.hooks.after_create == [hooked.hook]
    annotations = {"a": "b", "pulumi.com/skipAwait": "true"}
    assert found.props["metadata"] == {"annotations": annotations}
    assert hooked.transformed(JOB, {"spec": {}}) is None
    assert hooked.transformed("kubernetes:apps/v1:Deployment", TEMPLATE) is None
