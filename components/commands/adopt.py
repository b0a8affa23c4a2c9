"""Takes over what was made by hand: `python -m components adopt`."""
# ruff: noqa: T201  (what it did is for people to read)

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx2
import lightkube
import pulumi
import yaml
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.types import PatchType

from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT
from ..checks.faults import InvalidInput
from ..cluster.kubeconfig import connect
from ..cluster.managers import is_of_people, unset
from ..cluster.objects import KINDS, PATCH
from ..cluster.ownership import OWNER
from .cli import preview, run_pulumi
from .installation import configuration, read
from .rewrite import dump, project_name

_PROVIDER = "pulumi:providers:kubernetes"

_UPSERT = "upsertExistingObjects"
"""Option of the provider, without which a preview of what is there fails."""


def main() -> None:
    """`python -m components adopt`."""
    parser = argparse.ArgumentParser(
        prog="python -m components adopt",
        description="Takes over Gateways and routes that were made by hand, and with them the"
        " exposures of their Services, into a new stack: writes its configuration, unless it has"
        " one, and lets its state know the objects. Of these nothing is changed before the first"
        " update but who manages their fields. Ends with status 1 where something is left as it is"
        " or would be changed, with 2 where nothing was taken over.",
    )
    parser.add_argument(
        "--stack", default="", help="the stack, which is empty (default the selected one)"
    )
    parser.add_argument("--context", help="context of the kubeconfig (default the current one)")
    parser.add_argument("--namespace", help="the only one that is looked at (default all)")
    arguments = parser.parse_args()
    try:
        lines = adopt(arguments.stack, arguments.context or "", arguments.namespace)
    except (
        pulumi.RunError,
        ApiError,
        ConfigError,
        httpx2.HTTPError,
        OSError,
        yaml.YAMLError,
    ) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    for line in lines:
        print(line, file=sys.stderr)
    print("`pulumi up` adds what is new, and shows it before")
    sys.exit(1 if lines else 0)


def adopt(stack: str, context: str, namespace: str | None) -> list[str]:
    """Take over what there is, and return a line for each object that was left as it is, or of
    which an update would change something that is there.

    To be called in the folder of the project; an empty `stack` is the selected one. Raises
    `InvalidInput` where nothing can be taken over; the stack is empty then, as before.
    """
    name = run_pulumi("stack", "--show-name", stack=stack).strip().rpartition("/")[2]
    empty = json.loads(run_pulumi("stack", "export", stack=stack))
    if empty["deployment"].get("resources"):
        raise InvalidInput(f"stack {name}: found resources in it, expected a new one")
    project, file = project_name(Path("Pulumi.yaml")), Path(f"Pulumi.{name}.yaml")
    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
    content = content or {}
    config: dict[str, Any] = content.setdefault("config", {})
    with connect({"context": context}) as client:
        lines: list[str] = []
        if f"{project}:exposures" not in config:
            found, lines = configuration(read(client, namespace))
            if not found:
                raise InvalidInput("\n".join([*lines, "found no exposure that was made by hand"]))
            if context:
                found = {"cluster": {"context": context}, **found}
            config |= {f"{project}:{key}": value for key, value in found.items()}
            file.write_text(dump(content, flow=None), encoding="utf-8")
        try:
            return lines + _take_over(client, stack, empty, project, content)
        except (InvalidInput, ApiError, httpx2.HTTPError):
            run_pulumi("stack", "import", stack=stack, given=json.dumps(empty))
            raise


def _take_over(
    client: lightkube.Client,
    stack: str,
    empty: Mapping[str, Any],
    project: str,
    content: Mapping[str, Any],
) -> list[str]:
    """Let the state know the objects that an update would make, and that are there.

    Returns a line for each of which the update would change something.
    """
    wanted = _wanted(stack, project, content)
    there = {one["urn"]: place for one in wanted if (place := _found(client, one))}
    taken = {urn: place for urn, place in there.items() if not _named(urn).endswith(PATCH)}
    if not taken:
        raise InvalidInput("found none of the objects that this stack would make")
    resources = [*_resources(wanted, taken)]
    begun = {**empty, "deployment": {**empty["deployment"], "resources": resources}}
    run_pulumi("stack", "import", stack=stack, given=json.dumps(begun))
    # The provider reads what the objects have of what the stack speaks of.
    run_pulumi("refresh", "--yes", "--skip-preview", stack=stack)
    for one in wanted:
        if one["urn"] in taken or (one["urn"] in there and _names_waypoint(one)):
            _release(client, one, renamed=one["urn"] in taken)
    steps = preview(stack=stack)["steps"]
    if lost := [step for step in steps if "replace" in step["op"] or "delete" in step["op"]]:
        listed = "\n".join(f"  {step['op']} {step['urn'].split('::', 2)[2]}" for step in lost)
        raise InvalidInput(f"an update would not leave these as they are:\n{listed}")
    for urn, place in taken.items():
        print(f"took over {_named(urn)} {place}")
    return [*_changes(steps, taken)]


def _wanted(stack: str, project: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources that an update of an empty cluster would make."""
    # What the checks would refuse is what is to be taken over.
    cluster = {**content["config"].get(f"{project}:cluster", {}), "preflight": False}
    config = {**content["config"], f"{project}:cluster": cluster}
    with TemporaryDirectory() as folder:
        unchecked = Path(folder) / "stack.yaml"
        unchecked.write_text(dump({**content, "config": config}), encoding="utf-8")
        found = preview(
            "--config-file",
            str(unchecked),
            stack=stack,
            variables={"PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true"},
        )
    return [step["newState"] for step in found["steps"]]


def _class(resource: Mapping[str, Any]) -> Any:
    """The class of a resource's object, also of a patch; None where it is none."""
    return KINDS.get(resource["type"].removesuffix(PATCH))


def _named(urn: str) -> str:
    """The kind of the object with this URN."""
    return urn.split("::")[2].rpartition(":")[2]


def _found(client: lightkube.Client, resource: Mapping[str, Any]) -> str | None:
    """Namespace and name of a resource's object, if it is in the cluster."""
    metadata = resource.get("inputs", {}).get("metadata") or {}
    if _class(resource) is None or not metadata.get("name"):
        return None  # a component, or a name that is made up
    name, namespace = metadata["name"], metadata.get("namespace")
    place = f"{namespace}/{name}" if namespace else str(name)
    try:
        live = client.get(_class(resource), name, namespace=namespace)
    except ApiError as error:
        if error.status.code == HTTPStatus.NOT_FOUND:
            return None
        raise
    whose = (live.metadata.annotations or {}).get(OWNER)
    if whose and not resource["type"].endswith(PATCH):
        raise InvalidInput(
            f"{_named(resource['urn'])} {place}: found stack {whose} as its owner, expected none."
            " Hand it over with `pulumi state move`"
        )
    return place


def _names_waypoint(patch: Mapping[str, Any]) -> bool:
    """Whether its labels would name a waypoint that is gone, should they outlast the stack."""
    labels = patch["inputs"]["metadata"].get("labels") or {}
    return bool(labels.keys() & {USE_WAYPOINT, INGRESS_USE_WAYPOINT})


def _resources(wanted: list[dict[str, Any]], taken: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The components, the provider and the objects that are taken, as a state has them."""
    provider = ""
    for one in wanted:
        kept = ("urn", "custom", "type", "parent", "inputs")
        resource = {key: one[key] for key in kept if key in one}
        if one["type"] == _PROVIDER:
            inputs = {key: value for key, value in one["inputs"].items() if key != _UPSERT}
            resource |= {"id": str(uuid4()), "inputs": inputs, "outputs": inputs}
            provider = f"{one['urn']}::{resource['id']}"
        elif one["urn"] in taken:
            resource |= {"id": taken[one["urn"]], "outputs": one["inputs"], "provider": provider}
        elif one.get("custom"):
            continue
        yield resource


def _release(client: lightkube.Client, resource: Mapping[str, Any], *, renamed: bool) -> None:
    """Take from people the fields of which a stack speaks: it has them from its first update on.

    Of an object that is taken over they keep the others under another name: the provider would
    take all that is kubectl's, and with the update remove what the stack does not speak of.
    """
    class_, metadata = _class(resource), resource["inputs"]["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace")
    live = client.get(class_, name, namespace=namespace).metadata
    entries = []
    for entry in live.managedFields:
        if is_of_people(entry):
            entry.fieldsV1 = unset(entry.fieldsV1, resource["inputs"])
            entry.manager = f"former-{entry.manager}" if renamed else entry.manager
        entries.append(entry.to_dict())
    patch = {"metadata": {"resourceVersion": live.resourceVersion, "managedFields": entries}}
    client.patch(class_, name, patch, namespace=namespace, patch_type=PatchType.MERGE)


_NEW = re.compile(r"metadata\.|spec\.infrastructure|spec\.parentRefs\[\d+\]\.namespace$")
"""The paths at which a stack adds what a hand-made object lacks, or what goes without saying."""


def _changes(steps: list[dict[str, Any]], taken: Mapping[str, str]) -> Iterator[str]:
    """What an update changes of objects that are taken over, beside what is new by design."""
    for step in steps:
        if step["op"] == "update" and step["urn"] in taken:
            for path, change in (step.get("detailedDiff") or {}).items():
                if change["kind"] != "add" or not _NEW.match(path):
                    subject = f"{_named(step['urn'])} {taken[step['urn']]}"
                    yield f"{subject}: an update would {change['kind']} {path}"
