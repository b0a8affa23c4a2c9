"""The wait for a Job that proves something, which ends with its pod."""

import asyncio
from typing import Any, cast

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError
from lightkube.resources.core_v1 import Pod

from .jobs import JOB, JOB_NAME, explain_job
from .kubeconfig import Access, connect, connect_async

PROOF = "ambient-exposure/proof"
"""Label of the pods that prove something."""

AWAITED = 'metadata.annotations["pulumi.com/skipAwait"]'
"""Of no matter to a Job that is there: whether the provider did not wait for it."""

_SLACK = 10
"""Seconds that the cluster may take to end a pod whose time is over."""


def await_proofs(cluster: Access, hook_name: str) -> pulumi.ResourceTransform:
    """A transform by which the pod of each proof is waited for, in place of its Job.

    A Job is complete some seconds after its pod has ended. Where the pod fails, the update does,
    with what the pod said; as its Job is not complete then, the next update makes another. Each
    cluster has one of its own; the engine knows the hook of each by its name.
    """

    async def wait(args: pulumi.ResourceHookArgs) -> None:
        inputs, outputs = cast("Any", args.new_inputs), cast("Any", args.new_outputs)
        # What has a secret somewhere in it is an output as a whole.
        both = pulumi.Output.all(inputs["spec"], outputs["metadata"])
        spec, metadata = cast("Any", await both.future())
        limit = spec["activeDeadlineSeconds"] + _SLACK
        if problem := await failure(cluster, metadata["namespace"], metadata["name"], limit):
            raise RuntimeError(problem)

    hook = pulumi.ResourceHook(hook_name, wait)
    proving = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(after_create=[hook]))

    def attach(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        props: Any = args.props
        if args.type_ != JOB or PROOF not in _labels(props["spec"]["template"]):
            return None
        metadata = props["metadata"]
        annotations = {**metadata.get("annotations", {}), "pulumi.com/skipAwait": "true"}
        props = {**props, "metadata": {**metadata, "annotations": annotations}}
        opts = pulumi.ResourceOptions.merge(args.opts, proving)
        return pulumi.ResourceTransformResult(props, opts)

    return attach


def _labels(template: Any) -> dict[str, Any]:
    return (template.get("metadata") or {}).get("labels") or {}


async def failure(cluster: Access, namespace: str, job: str, limit: float) -> str | None:
    """Why the pod of a Job did not do its work; None once it did, which it may for `limit` seconds.

    Raises `ConfigError` where there are no credentials for the cluster.
    """
    said: str | None = f"Job {namespace}/{job} did not end within {limit} s"
    try:
        async with asyncio.timeout(limit):
            said = await _ended(connect_async(cluster), namespace, job)
    except TimeoutError:
        pass
    except httpx2.HTTPStatusError as error:
        said = f"Job {namespace}/{job} could not be waited for: {error}"
    if said is None:
        return None
    try:
        with connect(cluster) as client:
            more = explain_job(client, {"name": job, "namespace": namespace})
    except (ApiError, httpx2.HTTPError):
        more = ""
    return f"{said}: {more}" if more else said


async def _ended(client: lightkube.AsyncClient, namespace: str, job: str) -> str | None:
    """What the pod of a Job said when it failed; None if it has succeeded."""
    async with client:
        while True:
            try:
                async for event, pod in client.watch(
                    Pod, namespace=namespace, labels={JOB_NAME: job}
                ):
                    status: Any = pod.status
                    if status.phase == "Succeeded":
                        return None
                    if status.phase == "Failed" or event == "DELETED":
                        return _message(status) or f"the pod of Job {namespace}/{job} has failed"
            except httpx2.TransportError as error:
                pulumi.log.debug(f"Job {namespace}/{job}: asked anew, {error!r}")
                await asyncio.sleep(1)


def _message(status: Any) -> str:
    """The last words of the containers that failed."""
    states = [one.state for one in status.containerStatuses or ()]
    ended = [one.terminated for one in states if one and one.terminated]
    return "; ".join(one.message.strip() for one in ended if one.exitCode and one.message)
