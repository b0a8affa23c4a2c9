"""Gateways and waypoints that others made, as the cluster has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..api.gateway import LiveGateway, conditions
from ..api.live import addresses, in_cluster, internal_host, serving
from .dns import TARGET
from .gateway import GatewayReference, url
from .namespace import refuse_entry
from .waypoint import WaypointReference, address_of


def existing_gateway(
    name: str,
    reference: GatewayReference,
    hostnames: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> GatewayReference:
    """`reference`, completed by what the Gateway that it names is like at the moment.

    Where that serves `hostnames` at several ports, this is about the first of HTTPS, or of HTTP
    where there is none.
    """
    refuse_entry(f"gateway of {name!r}", reference)
    if "host" in reference:
        return reference
    gateway = LiveGateway(f"{name}-gateway", reference["namespace"], reference["name"], opts)
    seen = pulumi.Output.all(
        gateway.found, hostnames, reference.get("listener_port"), reference.get("internal_host")
    ).apply(lambda values: _reached(*values))
    return {
        "listener_port": seen["port"],
        "port": seen["port"],
        "host": seen["host"],
        "url": seen["url"],
        "urls": seen["urls"],
        "addresses": seen["addresses"],
        "internal_host": seen["internal_host"],
        "dns": {"targets": seen["targets"]},
        "service_account": seen["service_account"],
        "conditions": gateway.found.apply(lambda found: conditions(found["status"])),
        "definition": gateway.found.apply(_identity),
        **reference,
    }


def existing_waypoint(
    name: str, reference: WaypointReference, opts: pulumi.ResourceOptions
) -> WaypointReference:
    """`reference`, completed by what the waypoint that it names is like at the moment."""
    refuse_entry(f"waypoint of {name!r}", reference)
    if "address" in reference:
        return reference
    found = LiveGateway(f"{name}-waypoint", reference["namespace"], reference["name"], opts).found
    return {
        **reference,
        "address": found.apply(lambda found: address_of(found["status"])),
        "conditions": found.apply(lambda found: conditions(found["status"])),
        # What binds a namespace to it may have one already.
        "definition": [reference.get("definition"), found.apply(_identity)],
    }


def _reached(
    gateway: Mapping[str, Any], hostnames: Sequence[str], port: int | None, internal: str | None
) -> dict[str, Any]:
    metadata = gateway["metadata"]
    listeners = serving(gateway["spec"]["listeners"], hostnames, port)
    if not listeners:
        raise pulumi.RunError(
            f"Gateway {metadata['namespace']}/{metadata['name']} has no port whose listeners serve"
            f" {', '.join(hostnames)}. Ask its owner for one, or change hostnames"
        )
    internal = internal or internal_host(gateway)
    reported = addresses(gateway) or [internal]
    external = [host for host in reported if not in_cluster(host)]
    host = [*external, internal][0]
    targets = (gateway["metadata"].get("annotations") or {}).get(TARGET)
    scheme, port = str(listeners[0]["protocol"]).lower(), int(listeners[0]["port"])
    return {
        "port": port,
        "host": host,
        "url": url(scheme, host, port),
        "urls": [url(scheme, one, port) for one in dict.fromkeys([internal, *reported])],
        "addresses": reported,
        "targets": targets.split(",") if targets else reported,
        "internal_host": internal,
        "service_account": (metadata.get("annotations") or {}).get(
            "gateway.istio.io/service-account",
            f"{metadata['name']}-{gateway['spec']['gatewayClassName']}",
        ),
    }


def _identity(gateway: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a Gateway from one that was replaced or changed."""
    return {key: gateway["metadata"][key] for key in ("uid", "generation")}
