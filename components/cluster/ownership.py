"""Whose an object is: the marks of what a stack made, and the refusal to make it again."""

from collections.abc import Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import Any

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError

from .hooks import bound
from .kubeconfig import Access, connect
from .objects import KINDS, named
from .trial import Trial

OWNER = "ambient-exposure/stack"
"""Annotation of every object that a stack made: `organization/project/stack`."""

RESOURCE = "ambient-exposure/resource"
"""Annotation of every object that a stack made: the name of the resource in it."""

_LISTED = ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:Service")
"""Kinds that can be adopted."""


def owner() -> str:
    """The value of the annotation `OWNER` for the running stack."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


def mark_objects() -> pulumi.ResourceTransform:
    """A transform that marks every object which the stack makes."""

    def mark(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ not in KINDS:
            return None
        metadata: Any = args.props.get("metadata") or {}
        marks = {OWNER: owner(), RESOURCE: args.name}
        annotations = {**(metadata.get("annotations") or {}), **marks}
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return pulumi.ResourceTransformResult(props, args.opts)

    return mark


def refuse_existing(cluster: Access, hook_name: str) -> pulumi.ResourceTransform:
    """A transform by which no object is made that the cluster has already, or would refuse.

    Without this, whether it is taken over, and then deleted with the stack, or refused amid an
    update depends on the provider's version. A preview refuses it, too, unless the stack itself
    made it and may be about to replace it. Each cluster has one of its own; the engine knows the
    hook of each by its name.
    """
    client = cache(partial(connect, cluster))
    trial = Trial()

    def refuse(args: pulumi.ResourceHookArgs) -> None:
        metadata = (args.new_inputs or {}).get("metadata") or {}
        name, namespace = metadata.get("name"), metadata.get("namespace")
        if not isinstance(name, str):
            return  # not known yet
        try:
            problem = _problem(client(), trial, args, name, namespace)
        except (ApiError, ConfigError, httpx2.HTTPError) as error:
            pulumi.log.debug(f"{args.urn}: nobody could say whether it exists: {error!r}")
            return
        if problem:
            raise RuntimeError(f"{named(args.type, namespace, name)} {problem}")

    hook = pulumi.ResourceHook(hook_name, refuse, pulumi.ResourceHookOptions(on_dry_run=True))

    return bound(pulumi.ResourceHookBinding(before_create=[hook]), KINDS.__contains__)


def _problem(
    client: lightkube.Client,
    trial: Trial,
    args: pulumi.ResourceHookArgs,
    name: str,
    namespace: str | None,
) -> str | None:
    """Why an object is not to be made."""
    try:
        found = client.get(KINDS[args.type], name, namespace=namespace)
    except ApiError as error:
        if error.status.code != HTTPStatus.NOT_FOUND:
            raise
        refused = trial.problem(client, args) if pulumi.runtime.is_dry_run() else None
        return refused and f"would be refused by the API server: {refused}"
    return refusal(args, found.metadata)


def refusal(args: pulumi.ResourceHookArgs, metadata: Any) -> str | None:
    """Why an object with this live `metadata` is not made anew; None where a preview cannot tell.

    What the stack itself made under the same resource name may be about to be replaced.
    """
    if since := metadata.deletionTimestamp:
        return f"is being deleted since {since:%Y-%m-%d %H:%M:%S}. Wait until it is gone"
    marks: Mapping[str, str] = metadata.annotations or {}
    whose, resource = marks.get(OWNER), marks.get(RESOURCE, args.name)
    adopt = ", or adopt it (its `create` false)" if args.type in _LISTED else ""
    if whose is None:
        return f"exists already, and no stack made it. Choose another name{adopt}, or delete it"
    if whose != owner():
        return (
            f"exists already, and belongs to stack {whose}. Choose another name{adopt}, or hand it"
            " over with `pulumi state move`"
        )
    if resource != args.name:
        return (
            f"exists already as resource {resource} of this stack, which this update would delete."
            f" If its entry was renamed, say so for one update: `renamed: {{NEW: OLD}}` (in a"
            " program: aliases)"
        )
    if pulumi.runtime.is_dry_run():
        return None
    return (
        "exists already, made by this stack, whose state does not know it: an update was"
        " interrupted. `python -m components recover` puts that right"
    )
