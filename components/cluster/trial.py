"""What the API server would refuse of objects whose namespace an update is yet to make."""

import json
from http import HTTPStatus
from typing import Any

import lightkube
import pulumi
from lightkube.core.exceptions import ApiError
from lightkube.resources.core_v1 import Namespace

from .objects import KINDS

_PLACE = "default"
"""The namespace that every cluster has."""

_ISTIO = "validation.istio.io"
"""Istiod's own check, whose answer is the same in every namespace."""


class Trial:
    """Tries in a preview whether objects are valid, though their namespace is not there yet.

    The provider has the API server try all other objects. These are tried in the namespace
    `default`, for all but what is a namespace's own: its quotas, and what it admits.
    """

    def __init__(self) -> None:
        self._missing: dict[str, bool] = {}

    def problem(self, client: lightkube.Client, args: pulumi.ResourceHookArgs) -> str | None:
        """Why the API server refuses an object that is not there yet; None where nobody knows.

        Raises `ApiError` where the namespace may not be read.
        """
        inputs: Any = args.new_inputs
        namespace = inputs["metadata"].get("namespace")
        if not isinstance(namespace, str):
            return None
        if namespace not in self._missing:
            self._missing[namespace] = _is_missing(client, namespace)
        if not self._missing[namespace]:
            return None
        try:
            body = json.loads(json.dumps(inputs), parse_float=_number)
        except TypeError:
            return None  # not all of it is known yet
        body["metadata"]["namespace"] = _PLACE
        try:
            client.create(KINDS[args.type].from_dict(body), dry_run=True)
        except ApiError as error:
            return _invalid(error)
        return None


def _number(text: str) -> float:
    """A number as the provider writes it; hooks get those without a fraction as floats, too."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _is_missing(client: lightkube.Client, namespace: str) -> bool:
    try:
        client.get(Namespace, namespace)
    except ApiError as error:
        if error.status.code == HTTPStatus.NOT_FOUND:
            return True
        raise
    return False


def _invalid(error: ApiError) -> str | None:
    """Why an object is valid in no namespace; None where that is not what was answered."""
    message = str(error.status.message)
    # What admission denies in one namespace it may admit in another.
    local = "denied" in message and _ISTIO not in message
    refused = error.status.code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    return message if refused and not local else None
