"""Takes over what was made by hand: `python -m components adopt`."""
# ruff: noqa: T201  (what it did is for people to read)

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx2
import lightkube
import pulumi
import yaml
from lightkube.core.exceptions import ApiError, ConfigError

from ..checks.faults import InvalidInput
from ..cluster.kubeconfig import connect
from ..cluster.objects import KINDS
from .installation import configuration, read
from .rewrite import dump, project_name

_FORCE = "PULUMI_K8S_ENABLE_PATCH_FORCE"
"""Variable by which the first update takes the fields of objects from who made them."""

_PROVIDER = "pulumi:providers:kubernetes"


def main() -> None:
    """`python -m components adopt`."""
    parser = argparse.ArgumentParser(
        prog="python -m components adopt",
        description="Takes over Gateways and routes that were made by hand, and with them the"
        " exposures of their Services, into a new stack: writes its configuration, unless it has"
        " one, and lets its state know the objects. Nothing in the cluster is changed before the"
        " first update. Ends with status 1 where something is left as it is, with 2 where nothing"
        " was taken over.",
    )
    parser.add_argument("--stack", help="the stack, which is empty (default the selected one)")
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
    print(f"`{_FORCE}=true pulumi up` adds what is new, and shows it before")
    sys.exit(1 if lines else 0)


def adopt(stack: str | None, context: str, namespace: str | None) -> list[str]:
    """Take over what there is, and return a line for each object that was left as it is.

    To be called in the folder of the project. Raises `InvalidInput` where nothing can be taken
    over; the stack is empty then, as before.
    """
    named = ["--stack", stack] if stack else []
    name = _pulumi("stack", "--show-name", *named).strip().rpartition("/")[2]
    empty = json.loads(_pulumi("stack", "export", *named))
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
            _take_over(client, named, empty, project, content)
        except (InvalidInput, ApiError, httpx2.HTTPError):
            _pulumi("stack", "import", *named, given=json.dumps(empty))
            raise
    return lines


def _take_over(
    client: lightkube.Client,
    named: list[str],
    empty: Mapping[str, Any],
    project: str,
    content: Mapping[str, Any],
) -> None:
    """Let the state know the objects that an update would make, and that are there."""
    with TemporaryDirectory() as folder:
        # What the checks would refuse is what is to be taken over.
        cluster = {**content["config"].get(f"{project}:cluster", {}), "preflight": False}
        config = {**content["config"], f"{project}:cluster": cluster}
        unchecked = Path(folder) / "stack.yaml"
        unchecked.write_text(dump({**content, "config": config}), encoding="utf-8")
        wanted = [
            step["newState"] for step in _preview(*named, "--config-file", str(unchecked))["steps"]
        ]
        around = [_around(one) for one in wanted if not _is_object(one)]
        begun = {**empty, "deployment": {**empty["deployment"], "resources": around}}
        _pulumi("stack", "import", *named, given=json.dumps(begun))
        imports = Path(folder) / "import.json"
        objects = {one["urn"]: one for one in wanted if _is_object(one)}
        taken = {urn: place for urn, one in objects.items() if (place := _found(client, one))}
        if not taken:
            raise InvalidInput("found none of the objects that this stack would make")
        imports.write_text(json.dumps(_imports(objects, taken, around)), encoding="utf-8")
        options = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
        _pulumi("import", "--file", str(imports), *options, *named)
    state = json.loads(_pulumi("stack", "export", *named))
    for resource in state["deployment"]["resources"]:
        if resource["urn"] in taken:
            # All else that the objects have, the stack does not speak of.
            resource["inputs"] = _known(resource["inputs"], objects[resource["urn"]]["inputs"])
    _pulumi("stack", "import", *named, given=json.dumps(state))
    _check(_preview(*named))
    for urn, place in taken.items():
        print(f"took over {urn.split('::')[2].rpartition(':')[2]} {place}")


def _is_object(resource: Mapping[str, Any]) -> bool:
    return bool(resource["type"].startswith("kubernetes:"))


def _around(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A component, or the provider, as a state has it."""
    kept = ("urn", "custom", "type", "parent", "inputs")
    found = {key: resource[key] for key in kept if key in resource}
    if resource["type"] == _PROVIDER:
        return {**found, "id": str(uuid4()), "outputs": resource["inputs"]}
    return found


def _found(client: lightkube.Client, resource: Mapping[str, Any]) -> str | None:
    """Namespace and name of an object, if it is in the cluster."""
    metadata = resource["inputs"].get("metadata") or {}
    if resource["type"] not in KINDS or not metadata.get("name"):
        return None  # a patch, or a name that is made up
    try:
        client.get(KINDS[resource["type"]], metadata["name"], namespace=metadata.get("namespace"))
    except ApiError as error:
        if error.status.code == 404:
            return None
        raise
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def _imports(
    objects: Mapping[str, Mapping[str, Any]],
    taken: Mapping[str, str],
    around: list[dict[str, Any]],
) -> dict[str, Any]:
    """What `pulumi import` reads."""
    known = {one["urn"]: f"known-{index}" for index, one in enumerate(around)}
    provider = next(one["urn"] for one in around if one["type"] == _PROVIDER)
    resources = [
        {
            "type": objects[urn]["type"],
            "name": f"taken-{index}",
            "logicalName": urn.rpartition("::")[2],
            "id": place,
            "parent": known[objects[urn]["parent"]],
            "provider": known[provider],
        }
        for index, (urn, place) in enumerate(taken.items())
    ]
    return {"nameTable": {name: urn for urn, name in known.items()}, "resources": resources}


def _known(live: Any, wanted: Any) -> Any:
    """What is there of what the stack speaks of."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        return {
            key: _known(value, wanted.get(key))
            for key, value in live.items()
            if key in wanted or key.startswith("__")
        }
    if isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        return [_known(*pair) for pair in zip(live, wanted, strict=True)]
    return live


def _check(preview: Mapping[str, Any]) -> None:
    """Refuse what an update would replace or delete."""
    lost = [*_lost(preview)]
    if lost:
        raise InvalidInput("an update would not leave these as they are:\n" + "\n".join(lost))


def _lost(preview: Mapping[str, Any]) -> Iterator[str]:
    for one in preview.get("diagnostics") or []:
        if one.get("severity") == "error":
            yield str(one["message"]).strip()
    for step in preview["steps"]:
        if "replace" in step["op"] or "delete" in step["op"]:
            yield f"  {step['op']} {step['urn'].split('::', 2)[2]}"


def _preview(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_pulumi("preview", "--json", *words, fails=True))
    return found


def _pulumi(*words: str, given: str | None = None, fails: bool = False) -> str:
    """What `pulumi` prints; raises `InvalidInput` with its own message where it fails."""
    streamed = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW"
    done = subprocess.run(
        ["pulumi", *words, "--non-interactive"],
        input=given,
        env={**{k: v for k, v in os.environ.items() if k != streamed}, _FORCE: "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and not (fails and done.stdout.strip()):
        raise InvalidInput(f"pulumi {' '.join(words)}: {done.stderr.strip() or done.stdout}")
    return done.stdout
