"""A service outside the mesh."""

import hashlib
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from ..api.gateway import ObjectMeta, timeouts, wait_for_waypoint
from ..api.istio import INGRESS_USE_WAYPOINT, ServiceEntry
from ..api.service_entry_types import ServiceEntrySpec, ServicePort
from ..checks import values as valid
from ..checks.schema import Schema, trusted
from . import waypoint as waypoints
from .waypoint import WaypointReference, use_labels


class ExternalOptions(TypedDict):
    """Where a service outside the mesh is."""

    host: str
    """Its DNS name, by which clients in the mesh call it too."""
    addresses: NotRequired[Sequence[str]]
    """IP addresses, or other DNS names, under which it is reached (default: those that DNS has for
    `host`)."""


class ExternalServiceArgs(ExternalOptions):
    """What makes a service outside the mesh one of it."""

    name: pulumi.Input[str]
    """Name of the ServiceEntry."""
    namespace: pulumi.Input[str]
    """Namespace of the ServiceEntry."""
    ports: Sequence[ServicePort]
    """Its ports, in Istio's own form."""
    waypoint: WaypointReference
    """The waypoint that its requests pass."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be bound to its waypoint (default 300)."""


def _outside(value: object) -> str | None:
    if valid.address(value) and valid.hostname(value):
        return "an IP address or a DNS name"
    return None


def _one_host(value: object) -> str | None:
    if not isinstance(value, str) or value.startswith("*") or valid.hostname(value):
        return "a DNS name like 'api.example.com': lower case, no wildcard, port or path"
    return None


SCHEMA = waypoints.SCHEMA | Schema(
    {
        ExternalOptions: {"host": _one_host, "addresses": valid.some, "addresses[]": _outside},
        ExternalServiceArgs: {
            "name": valid.subdomain,
            "namespace": valid.dns_label,
            "ports": valid.some,
            "ready_timeout": valid.seconds,
        },
    },
    {},
    {ExternalServiceArgs: ExternalOptions},
)
"""What is checked of a service outside the mesh."""


def external_service(
    name: str, args: ExternalServiceArgs, opts: pulumi.ResourceOptions | None = None
) -> ServiceEntry:
    """Make the ServiceEntry `<name>-external`, ready when istiod has bound it to its waypoint.

    Raises `InvalidInput` with every fault of `args`.

    https://istio.io/latest/docs/reference/config/networking/service-entry/
    """
    SCHEMA.validate(f"external service {name!r}", args, ExternalServiceArgs)
    waypoint, namespace = args["waypoint"], args["namespace"]
    metadata: ObjectMeta = {
        "name": args["name"],
        "namespace": namespace,
        "labels": {INGRESS_USE_WAYPOINT: "true", **use_labels(waypoint, namespace)},
        "annotations": {
            **wait_for_waypoint(waypoint.get("namespace", namespace), waypoint["name"]),
            # Changed by hand they would let requests pass by the rules.
            "pulumi.com/patchForce": "true",
        },
    }
    own = pulumi.ResourceOptions(custom_timeouts=timeouts(args.get("ready_timeout", 300)))
    with trusted():
        return ServiceEntry(
            f"{name}-external",
            metadata,
            render_external(args),
            pulumi.ResourceOptions.merge(opts, own),
        )


def render_external(args: ExternalServiceArgs) -> ServiceEntrySpec:
    """The spec of the ServiceEntry."""
    spec: ServiceEntrySpec = {
        "hosts": [args["host"]],
        "addresses": [
            pulumi.Output.format("{}/{}", args["namespace"], args["host"]).apply(virtual_address)
        ],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "ports": args["ports"],
    }
    if addresses := args.get("addresses"):
        spec["endpoints"] = [{"address": address} for address in addresses]
        if all(valid.address(address) is None for address in addresses):
            spec["resolution"] = "STATIC"
    return spec


def virtual_address(name: str) -> str:
    """The address by which the mesh knows what has a name, of a range that nobody routes.

    Those that istiod gives to ServiceEntries serve clients in the mesh alone: what ingress gateways
    send to the waypoint does not arrive.
    """
    first, second, third, *_ = hashlib.sha256(name.encode()).digest()
    return f"241.{first}.{second}.{third}"
