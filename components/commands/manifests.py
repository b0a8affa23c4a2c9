"""The objects of a stack as manifests: `python -m components manifests`, the way out of Pulumi."""
# ruff: noqa: T201  (the manifests are for kubectl to read)

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .rewrite import dump

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105  (the engine's sign for one)
"""Key of a value that is secret in an exported state."""

_MARKS = ("ambient-exposure/", "pulumi.com/")
"""What the annotations begin with that are for a stack and its engine alone."""


def main() -> None:
    """`python -m components manifests`."""
    parser = argparse.ArgumentParser(
        prog="python -m components manifests",
        description="Prints the objects of a stack as of its last update, in the order in which"
        " they are made, for `kubectl apply --server-side --force-conflicts -f -`. What is adopted"
        " has the labels that it was given; what proves an update is left out.",
    )
    parser.add_argument("--stack", help="the stack (default the selected one)")
    parser.add_argument(
        "--show-secrets", action="store_true", help="write secrets, too (default: refuse them)"
    )
    arguments = parser.parse_args()
    words = ["pulumi", "stack", "export", "--non-interactive"]
    words += ["--stack", arguments.stack] if arguments.stack else []
    words += ["--show-secrets"] if arguments.show_secrets else []
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    try:
        objects = manifests(json.loads(done.stdout)["deployment"].get("resources", []))
    except _HeldBack as error:
        sys.exit(f"{error}: found a secret, expected --show-secrets, which writes it as plain text")
    for one in objects:
        print(f"---\n{dump(one, flow=None)}", end="")


class _HeldBack(Exception):  # noqa: N818  (nothing went wrong)
    """A secret that the state does not show: where it is."""


def manifests(resources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The objects of a state's resources, each once."""
    objects: dict[tuple[str, str], dict[str, Any]] = {}
    made = [one for one in resources if _is_made(one)]
    asking = {name for one in made if _kind(one) == "Job" for name in _secrets_of(one["inputs"])}
    for resource in made:
        namespace, _, name = str(resource["id"]).rpartition("/")
        kind = _kind(resource)
        if kind == "Job" or (kind == "Secret" and name in asking):
            continue
        place = f"{kind} {resource['id']}"
        inputs = {key: value for key, value in resource["inputs"].items() if key[:2] != "__"}
        shown: dict[str, Any] = _shown(inputs, place)
        given: dict[str, Any] = shown.get("metadata", {})
        annotations = {
            key: text
            for key, text in given.pop("annotations", {}).items()
            if not key.startswith(_MARKS)
        }
        metadata = {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            **given,
            **({"annotations": annotations} if annotations else {}),
        }
        found = objects.setdefault((kind, resource["id"]), {**shown, "metadata": {}})
        found["metadata"] = _joined(found["metadata"], metadata)
    return [*objects.values()]


def _is_made(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is an object that the stack made or labelled, and not only reads."""
    ours = resource["type"].startswith("kubernetes:") and not resource.get("external")
    return ours and not resource.get("delete")


def _kind(resource: Mapping[str, Any]) -> str:
    """The kind of its object, also of a patch."""
    return str(resource["type"].rpartition(":")[2]).removesuffix("Patch")


def _secrets_of(part: Any) -> Iterator[str]:
    """The names of the Secrets that a pod has in its environment."""
    match part:
        case {"secretKeyRef": {"name": str(name)}}:
            yield name
        case dict() | list():
            for held in part.values() if isinstance(part, dict) else part:
                yield from _secrets_of(held)
        case _:
            pass


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an object and of a patch of it."""
    both = {
        key: {**one[key], **other[key]}
        for key in ("labels", "annotations")
        if key in one and key in other
    }
    return {**one, **other, **both}


def _shown(value: Any, place: str) -> Any:
    """A value with its secrets in plain text."""
    if isinstance(value, list):
        return [_shown(held, place) for held in value]
    if not isinstance(value, dict):
        return value
    if _SECRET not in value:
        return {key: _shown(held, f"{place} {key}") for key, held in value.items()}
    if "plaintext" not in value:
        raise _HeldBack(place)
    return json.loads(value["plaintext"])
