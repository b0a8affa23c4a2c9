"""Who manages the fields of an object, and what an update takes from people."""

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

import httpx2
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError

from .hooks import bound
from .kubeconfig import Access, connect
from .objects import KINDS, named

_PEOPLE = ("kubectl", "before-first-apply")
"""What the names begin with under which the API server knows the changes of people."""

_LAST_APPLIED = "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration"


def is_of_people(entry: Any) -> bool:
    """Whether an entry of `managedFields` has what people set of an object.

    All of that the provider makes its own when it updates the object.
    """
    return str(entry.manager).startswith(_PEOPLE) and not entry.subresource


def unset(fields: Mapping[str, Any], inputs: Any) -> dict[str, Any]:
    """The part of a set of fields, as the API server writes it, that `inputs` do not set.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    left: dict[str, Any] = {}
    for key, held in fields.items():
        found = [*_found(key, inputs)]
        if not found:
            left[key] = held
        elif held and (rest := unset(held, found[0])):
            left[key] = rest
    return left


def _found(key: str, inputs: Any) -> Iterator[Any]:
    """What inputs have for a key of a set of fields."""
    kind, _, name = key.partition(":")
    match kind, inputs:
        case ".", _:
            yield None  # the field itself, beside what is in it
        case "f", Mapping() if name in inputs:
            yield inputs[name]
        case "k", [*items]:
            wanted = json.loads(name).items()
            yield from (one for one in items if isinstance(one, Mapping) and wanted <= one.items())
        case "v", [*items]:
            yield from (one for one in items if one == json.loads(name))
        case _:
            return


def warn_of_losses(cluster: Access, hook_name: str) -> pulumi.ResourceTransform:
    """A transform by which a preview warns of what an update takes off an object.

    The provider does not show it: what people have added it makes its own, and leaves out what the
    stack does not set. Each cluster has one of its own; the engine knows the hook of each by its
    name.
    """
    client = cache(partial(connect, cluster))

    def warn(args: pulumi.ResourceHookArgs) -> None:
        metadata = (args.new_inputs or {}).get("metadata") or {}
        name, namespace = metadata.get("name"), metadata.get("namespace")
        if not isinstance(name, str):
            return
        try:
            live = client().get(KINDS[args.type], name, namespace=namespace)
        except (ApiError, ConfigError, httpx2.HTTPError) as error:
            pulumi.log.debug(f"{args.urn}: nobody could say who manages it: {error!r}")
            return
        for entry in filter(is_of_people, live.metadata.managedFields or ()):
            if lost := {*_paths(unset(entry.fieldsV1 or {}, args.new_inputs))} - {_LAST_APPLIED}:
                pulumi.log.warn(
                    f"{named(args.type, namespace, name)}: found {', '.join(sorted(lost))}, set"
                    f" by {entry.manager}, expected what the stack sets alone: this update takes"
                    " that off, though its difference does not show it"
                )

    hook = pulumi.ResourceHook(hook_name, warn, pulumi.ResourceHookOptions(on_dry_run=True))
    return bound(pulumi.ResourceHookBinding(before_update=[hook]), KINDS.__contains__)


def _paths(fields: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The path of each field of a set."""
    for key, held in fields.items():
        if key != ".":
            path = f"{before}{key.partition(':')[2]}"
            yield from _paths(held, f"{path}.") if held.keys() - {"."} else [path]
