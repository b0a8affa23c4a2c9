"""Draws the exposures of a stack as the cluster has them: `python -m components show`."""
# ruff: noqa: T201  (the picture is for people)

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

from ..api.installed import DEFINITIONS, Installed, uncovered
from ..checks.faults import Faults, InvalidInput
from ..checks.values import did_you_mean
from ..cluster.chain import ChainExpectation, Link, Place, chain
from ..cluster.kubeconfig import connect
from ..cluster.reading import get
from ..exposure import names
from ..exposure.arguments import AmbientExposureArgs
from ..stack.arguments import StackArgs
from ..stack.configuration import SCHEMA, spelt
from ..stack.places import namespace_name, shared
from . import picture
from .verify import configured

_PICTURES = {"text": picture.text, "mermaid": picture.mermaid, "svg": picture.svg}

_PARTS = {
    "gateway": "gateway",
    "waypoint": "waypoint",
    "rules": "route",
    "grpc_rules": "route",
    "ingress_rules": "ingress_route",
}
"""Parts of the way, by the argument that is about each."""


def main() -> None:
    """Draw exposures; end with status 1 where one is broken, with 2 where none could be seen."""
    parser = argparse.ArgumentParser(
        prog="python -m components show",
        description="Draws the way of requests through the exposures of a stack, with what the"
        " cluster says of each station, and where it is broken; to be run in the folder of the"
        " project. Only reads.",
    )
    parser.add_argument("exposures", nargs="*", metavar="EXPOSURE", help="(default: all)")
    parser.add_argument("--stack", default="", help="(default: the one that is selected)")
    parser.add_argument("--format", choices=[*_PICTURES], default="text", help="(default: text)")
    arguments = parser.parse_args()
    try:
        chains = show(arguments.stack, arguments.exposures)
    except (pulumi.RunError, ConfigError, httpx2.HTTPError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(_PICTURES[arguments.format](chains))
    sys.exit(int(any(link.faults for links in chains.values() for link in links)))


def show(stack: str, wanted: Sequence[str]) -> dict[str, list[Link]]:
    """The stations of a stack's exposures, or of those that are `wanted`, by their names.

    To be called in the folder of the stack's project; an empty `stack` is the selected one. Raises
    `InvalidInput` where a name is unknown, or Pulumi does not tell the configuration.
    """
    args = configured(stack)
    for name in wanted:
        if name not in args["exposures"]:
            listed = ", ".join(args["exposures"]) or "none"
            raise InvalidInput(
                f"found {name}, expected an exposure of the stack: {listed}"
                f"{did_you_mean(name, args['exposures'])}"
            )
    with connect(args.get("cluster", {})) as client:
        lacking = _lacking(client, args)
        return {
            name: chain(client, _expected(args, exposure, lacking.get(name, {})))
            for name, exposure in args["exposures"].items()
            if not wanted or name in wanted
        }


def _expected(
    args: StackArgs, exposure: AmbientExposureArgs, lacking: Mapping[str, str]
) -> ChainExpectation:
    service = exposure["service"]
    namespace = namespace_name(args, exposure["namespace"])
    return {
        "hostnames": exposure["hostnames"],
        "gateway": _proxy(args, exposure, "gateway"),
        "waypoint": _proxy(args, exposure, "waypoint"),
        "service": {"namespace": namespace, "name": service["name"]},
        "port": service["port"],
        "kind": "GRPCRoute" if "grpc_rules" in exposure else "HTTPRoute",
        "trust_domain": exposure.get("trust_domain", "cluster.local"),
        "lacking": lacking,
    }


def _proxy(args: StackArgs, exposure: AmbientExposureArgs, part: str) -> Place:
    """The gateway or the waypoint of an exposure: its own, an entry's or somebody else's."""
    every, own = cast("Mapping[str, Any]", args), cast("Mapping[str, Any]", exposure)
    options = own.get(part, {})
    if entry := shared(options):
        options = every[f"{part}s"][entry]
        return {
            "namespace": namespace_name(args, options["namespace"]),
            "name": options["name"],
        }
    if existing := options.get("existing"):
        return {"namespace": existing["namespace"], "name": existing["name"]}
    name = names.gateway if part == "gateway" else names.waypoint
    return {
        "namespace": namespace_name(args, exposure["namespace"]),
        "name": str(name(exposure["service"]["name"], options)),
    }


def _lacking(client: lightkube.Client, args: StackArgs) -> dict[str, dict[str, str]]:
    """What the cluster's CRDs lack of what exposures use, by their names and parts."""
    found: dict[str, dict[str, str]] = {}
    try:
        definitions = [get(client, CustomResourceDefinition, name) for name in DEFINITIONS]
    except ApiError as error:
        print(f"not compared with the CRDs: {error}", file=sys.stderr)
        return found
    installed = Installed(filter(None, definitions))
    for name, exposure in args["exposures"].items():
        faults = Faults(name)
        uncovered(faults, "", exposure, AmbientExposureArgs, installed, bases=SCHEMA.bases)
        for line in faults.lines:
            argument = re.split(r"[.:\[]", line)[0]
            if argument in _PARTS:
                found.setdefault(name, {}).setdefault(_PARTS[argument], spelt(line))
    return found
