"""What the checks of a cluster have in common: they read, and warn once."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError


@cache  # several checks ask for the same object
def get(client: lightkube.Client, kind: Any, name: str, namespace: str | None = None) -> Any:
    """An object of a cluster that is only read; None where it is not there."""
    return get_anew(client, kind, name, namespace)


def get_anew(client: lightkube.Client, kind: Any, name: str, namespace: str | None = None) -> Any:
    """The same as it is at this moment."""
    try:
        return client.get(kind, name, namespace=namespace)
    except httpx2.HTTPStatusError as error:
        # Of a kind that the cluster does not have, too, of which the answer says no more.
        if error.response.status_code == HTTPStatus.NOT_FOUND:
            return None
        raise


def warn(message: str) -> None:
    """Warn in a preview, so that a `pulumi up` that begins with one does it once."""
    if pulumi.runtime.is_dry_run():
        pulumi.log.warn(message)


@contextmanager
def permitted(by: object) -> Generator[None]:
    """Leave out what may not be read; a warning names each right that is missing, once.

    `by` is who reads: the client.
    """
    try:
        yield
    except ApiError as error:
        if error.status.code != HTTPStatus.FORBIDDEN:
            raise
        _left_out(by, str(error.status.message).partition("is forbidden: ")[2])


@cache
def _left_out(by: object, why: str) -> None:  # noqa: ARG001  # others are told again
    warn(f"not checked: {why or 'this login may not read it'}. The update will tell what is amiss")
