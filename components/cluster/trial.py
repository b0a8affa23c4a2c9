"""What the API server would refuse of objects whose namespace an update is yet to make."""

import json
from http import HTTPStatus

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.resources.core_v1 import Namespace

from .hooks import bound
from .kubeconfig import Access, connect
from .objects import KINDS

_PLACE = "default"
"""The namespace that every cluster has."""

_ISTIO = "validation.istio.io"
"""Istiod's own check, whose answer is the same in every namespace."""


def refuse_invalid(cluster: Access, hook_name: str) -> pulumi.ResourceTransform:
    """A transform for previews, which refuse what is invalid though its namespace is not there yet.

    The provider has the API server try out all other objects. These are tried in the namespace
    `default`, for all but what is a namespace's own: its quotas, and what it admits. Each cluster
    has one of its own; the engine knows the hook of each by its name.
    """
    clients: list[lightkube.Client] = []
    missing: dict[str, bool] = {}

    def refuse(args: pulumi.ResourceHookArgs) -> None:
        inputs = args.new_inputs or {}
        namespace = (inputs.get("metadata") or {}).get("namespace")
        if not isinstance(namespace, str):
            return
        try:
            body = json.loads(json.dumps(inputs))
        except TypeError:
            return  # not all of it is known yet
        body["metadata"]["namespace"] = _PLACE
        try:
            if not clients:
                clients.append(connect(cluster))
            if namespace not in missing:
                missing[namespace] = _is_missing(clients[0], namespace)
            if missing[namespace]:
                clients[0].create(KINDS[args.type].from_dict(body), dry_run=True)
        except (ApiError, ConfigError, httpx2.HTTPError) as error:
            if problem := _invalid(error):
                place = f"{args.type.rsplit(':', 1)[-1]} {namespace}/{body['metadata']['name']}"
                raise RuntimeError(f"{place}: the API server refuses it: {problem}") from error
            pulumi.log.debug(f"{args.urn}: nobody could say whether it is valid: {error!r}")

    hook = pulumi.ResourceHook(hook_name, refuse, pulumi.ResourceHookOptions(on_dry_run=True))
    return bound(pulumi.ResourceHookBinding(before_create=[hook]), KINDS.__contains__)


def _is_missing(client: lightkube.Client, namespace: str) -> bool:
    try:
        client.get(Namespace, namespace)
    except ApiError as error:
        if error.status.code == HTTPStatus.NOT_FOUND:
            return True
        raise
    return False


def _invalid(error: Exception) -> str | None:
    """Why an object is valid in no namespace; None where that is not what was answered."""
    if not isinstance(error, ApiError):
        return None
    message = str(error.status.message)
    # What admission denies in one namespace it may admit in another.
    local = "denied" in message and _ISTIO not in message
    refused = error.status.code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    return message if refused and not local else None
