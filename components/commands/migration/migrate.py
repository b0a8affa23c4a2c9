"""Ingresses and VirtualServices as a stack's configuration: `python -m components migrate`."""
# ruff: noqa: T201  (what it found is for people to read)

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import lightkube
import pulumi
import yaml
from lightkube.core.exceptions import ConfigError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Service
from lightkube.resources.networking_v1 import Ingress

from ...checks.faults import InvalidInput
from ...cluster.kubeconfig import connect
from ...stack.configuration import read
from ..rewrite import dump, project_name
from . import ingress, virtual_service
from .assembly import assemble
from .routing import Loss, Routing, Services

_ISTIO = "networking.istio.io"
KINDS: Mapping[str, tuple[str, Any]] = {
    "Ingress": ("networking.k8s.io", Ingress),
    "Service": ("", Service),
    **{
        kind: (_ISTIO, create_namespaced_resource(_ISTIO, "v1", kind, f"{kind.lower()}s"))
        for kind in ("VirtualService", "Gateway", "DestinationRule")
    },
}
"""The kinds of objects that are read, with their groups."""

Objects = dict[str, list[dict[str, Any]]]
"""Objects by their kind."""


def main() -> None:
    """`python -m components migrate`."""
    parser = argparse.ArgumentParser(
        prog="python -m components migrate",
        description="Writes the configuration of a stack that answers requests as Ingresses and"
        " VirtualServices do, and names what has no equivalent or is different. They are read from"
        " files, or from the cluster, in which nothing is changed. Ends with status 1 where"
        " something is named, with 2 where nothing could be written or what was is refused.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE|-",
        help="manifests in YAML, with those of the Services and DestinationRules that they name"
        " (default: the cluster)",
    )
    parser.add_argument("--context", help="context of the kubeconfig (default the current one)")
    parser.add_argument(
        "--namespace",
        help="of manifests that say none (default `default`); the only one that is read from the"
        " cluster (default all)",
    )
    parser.add_argument(
        "--hostname",
        action="append",
        default=[],
        metavar="NAME",
        help="host name for what is for all of them; may be repeated",
    )
    parser.add_argument(
        "--project", help="name of the project (default: that in the Pulumi.yaml here)"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="a new Pulumi.STACK.yaml (default: stdout)"
    )
    arguments = parser.parse_args()
    try:
        project = arguments.project or project_name(Path("Pulumi.yaml"))
        if arguments.output and Path(arguments.output).exists():
            raise InvalidInput(f"{arguments.output}: found such a file, expected none")
        if arguments.files:
            objects = from_files(arguments.files, arguments.namespace or "default")
        else:
            with connect({"context": arguments.context or ""}) as client:
                objects = from_cluster(client, arguments.namespace)
        config, losses = migrate(objects, arguments.hostname)
    except (pulumi.RunError, ConfigError, httpx2.HTTPError, OSError, yaml.YAMLError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    for loss in losses:
        print(loss, file=sys.stderr)
    if not config["exposures"]:
        print("nothing was found that could be exposed", file=sys.stderr)
        sys.exit(2)
    if not arguments.files:
        config["cluster"] = {"context": arguments.context} if arguments.context else {}
    values = {f"{project}:{key}": value for key, value in config.items() if value}
    text = dump({"config": values}, flow=None)
    if arguments.output:
        Path(arguments.output).write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    try:
        checked(values, project)
    except pulumi.RunError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if losses else 0)


def migrate(objects: Objects, hostnames: Sequence[str] = ()) -> tuple[dict[str, Any], list[Loss]]:
    """The configuration, and what is not in it as it was.

    What is for all host names is for `hostnames`.
    """
    routing = Routing()
    services = Services(objects.get("Service", []))
    ingress.translate(objects.get("Ingress", []), services, hostnames, routing)
    virtual_service.translate(objects, services, hostnames, routing)
    config = assemble(routing)
    return config, routing.losses


def checked(values: Mapping[str, Any], project: str) -> None:
    """Raise `InvalidInput` with every fault of a configuration."""
    read("(written)", {key: json.dumps(value) for key, value in values.items()}, project)


def from_files(files: Sequence[str], namespace: str) -> Objects:
    """The objects of manifests; `namespace` is that of those that say none."""
    objects: Objects = {}
    for file in files:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        for document in yaml.safe_load_all(text):
            for one in _listed(file, document):
                group = one["apiVersion"].rpartition("/")[0]
                kind, metadata = one["kind"], one["metadata"]
                if KINDS.get(kind, (None,))[0] == group:
                    one["metadata"] = {"namespace": namespace, **metadata}
                    objects.setdefault(kind, []).append(one)
    return objects


def _listed(file: str, document: Any) -> Iterator[dict[str, Any]]:
    """The objects of a document, which may be a list of them."""
    match document:
        case None:
            return
        case {"kind": str(kind), "items": [*items]} if kind.endswith("List"):
            for item in items:
                yield from _listed(file, item)
        case {"apiVersion": str(), "kind": str(), "metadata": {"name": str()}}:
            yield document
        case _:
            raise InvalidInput(
                f"{file}: found a document without apiVersion, kind and metadata.name, expected"
                " manifests"
            )


def from_cluster(client: lightkube.Client, namespace: str | None) -> Objects:
    """The objects of a cluster, in the order in which they were made."""
    objects: Objects = {}
    for kind, (_, class_) in KINDS.items():
        try:
            found = [*client.list(class_, namespace=namespace or "*")]
        except httpx2.HTTPStatusError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                continue  # a kind that the cluster does not have
            raise
        listed = [one.to_dict() for one in found]
        objects[kind] = sorted(listed, key=lambda one: str(one["metadata"]["creationTimestamp"]))
    return objects
