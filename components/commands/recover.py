"""What an interrupted update left: the engine's lock, pending operations, objects nobody knows."""
# ruff: noqa: T201  (what it did is for people to read)

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import httpx2
import lightkube
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.core.resource import NamespacedResource
from lightkube.resources.apps_v1 import DaemonSet, Deployment, StatefulSet
from lightkube.resources.core_v1 import Namespace, PersistentVolumeClaim, Secret, Service

from ..checks.faults import InvalidInput
from ..cluster.kubeconfig import Access, connect
from ..cluster.objects import KINDS
from ..cluster.ownership import OWNER
from .cli import run_pulumi

_GONE = 300
"""Seconds that the objects may take to go."""

_NAMESPACE = "kubernetes:core/v1:Namespace"


def main() -> None:
    """`python -m components recover`."""
    parser = argparse.ArgumentParser(
        prog="python -m components recover",
        description="After a killed update: end it, and delete the objects that it made and the"
        " stack's state does not know. Then `pulumi up` or `pulumi destroy` goes on.",
    )
    parser.add_argument("--stack", default="", help="the stack (default the selected one)")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    args = parser.parse_args()
    try:
        whose, deployment = _end(args.stack)
    except InvalidInput as error:
        sys.exit(str(error))
    resources = deployment.get("resources", [])
    for access in _clusters(resources):
        try:
            with connect(access) as client:
                if orphans := list(_orphans(client, whose, resources)):
                    _delete(client, orphans, asks=not args.yes)
                else:
                    print("no object is left that the state does not know")
        except (ConfigError, httpx2.HTTPError) as error:
            sys.exit(f"context {access.get('context') or '(current)'}: {error}")
    print("`pulumi up` or `pulumi destroy` goes on from here")


def _end(stack: str) -> tuple[str, dict[str, Any]]:
    """Take off the lock and forget what is pending; the stack's whole name and its deployment."""
    with suppress(InvalidInput):  # nothing to cancel
        run_pulumi("cancel", "--yes", stack=stack)
    whose = run_pulumi("stack", "--show-name", "--fully-qualify-stack-names", stack=stack)
    state = json.loads(run_pulumi("stack", "export", stack=stack))
    deployment: dict[str, Any] = state["deployment"]
    if pending := deployment.pop("pending_operations", None):
        print(f"{len(pending)} pending operations forgotten:")
        for operation in pending:
            print(f"  {operation['type']} {operation['resource']['urn']}")
        run_pulumi("stack", "import", stack=stack, given=json.dumps(state))
    return whose.strip(), deployment


def _clusters(resources: list[dict[str, Any]]) -> Iterator[Access]:
    """The clusters of the stack's Kubernetes providers."""
    for resource in resources:
        if resource["type"] == "pulumi:providers:kubernetes":
            inputs = resource.get("inputs", {})
            yield {
                "context": inputs.get("context", ""),
                "kubeconfig": inputs.get("kubeconfig", ""),
            }


def _orphans(
    client: lightkube.Client, whose: str, resources: list[dict[str, Any]]
) -> Iterator[tuple[Any, str, Any]]:
    """The objects that stack `whose` made, but does not know: kind, name with namespace, object."""
    known = {(resource["type"], resource.get("id")) for resource in resources}
    for type_, kind in KINDS.items():
        try:
            everywhere: Any = {"namespace": "*"} if issubclass(kind, NamespacedResource) else {}
            found: list[Any] = list(client.list(kind, **everywhere))
        except httpx2.HTTPStatusError as error:
            # A kind that the cluster does not have, or of which this login may not know.
            if error.response.status_code == HTTPStatus.FORBIDDEN:
                print(f"not looked for: {error}", file=sys.stderr)
            elif error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
            continue
        for one in found:
            metadata: Any = one.metadata
            place = f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
            marks: Mapping[str, str] = metadata.annotations or {}
            if marks.get(OWNER) == whose and (type_, place) not in known:
                yield kind, f"{type_.rsplit(':', 1)[-1]} {place}", one


def _delete(client: lightkube.Client, orphans: list[tuple[Any, str, Any]], *, asks: bool) -> None:
    """Delete objects, and wait until they are gone."""
    print("the stack made these objects, and its state does not know them:")
    for _, place, _ in orphans:
        print(f"  {place}")
    for kind, place, one in orphans:
        if kind is Namespace and (others := list(_of_others(client, one.metadata.name))):
            sys.exit(
                f"nothing was deleted: {place} holds what this stack did not make:"
                f" {', '.join(others)}. Move it away, or take annotation {OWNER} off the namespace"
            )
    if asks and input("Delete them? [y/N] ").strip().lower() != "y":
        sys.exit("nothing was deleted")
    for kind, _, one in orphans:
        _unless_gone(client.delete, kind, one.metadata)
    end = time.monotonic() + _GONE
    for kind, place, one in orphans:
        while _unless_gone(client.get, kind, one.metadata):
            if time.monotonic() > end:
                sys.exit(f"{place} is not gone after {_GONE} s: what holds it, its finalizers say")
            time.sleep(0.5)
    print("all are deleted")


def _of_others(client: lightkube.Client, namespace: str) -> Iterator[str]:
    """What would be lost with a namespace: objects that no stack and no other object made."""
    kinds: tuple[Any, ...] = (
        Deployment,
        StatefulSet,
        DaemonSet,
        Service,
        PersistentVolumeClaim,
        Secret,
    )
    for kind in kinds:
        for one in client.list(kind, namespace=namespace):
            metadata: Any = one.metadata
            if not metadata.ownerReferences and OWNER not in (metadata.annotations or {}):
                yield f"{kind.__name__} {metadata.name}"


def _unless_gone(do: Callable[..., object], kind: Any, metadata: Any) -> bool:
    """Whether an object was there for what is done with it."""
    try:
        do(kind, metadata.name, namespace=metadata.namespace)
    except ApiError as error:
        if error.status.code == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True
