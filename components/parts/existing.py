"""Gateways and waypoints that others made, as the cluster has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..api.gateway import LiveGateway, conditions
from ..api.live import addresses, in_cluster, internal_host, serving
from .connections import ConnectionProtocol
from .dns import TARGET
from .gateway import url
from .gateway_args import GatewayReference
from .namespace import refuse_entry
from .waypoint import WaypointReference, address_of


def existing_gateway(
    name: str,
    reference: GatewayReference,
    hostnames: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    protocol: ConnectionProtocol | None = None,
) -> GatewayReference:
    """`reference`, completed by what the Gateway that it names is like at the moment.

    Where that serves `hostnames` at several ports, this is about the first of HTTPS, or of HTTP
    where there is none, of a `protocol`, about the first of that; where no host names are asked for
    and no protocol, about any.
    """
    refuse_entry(f"gateway of {name!r}", reference)
    if "host" in reference:
        if protocol and "listener_port" in reference:
            return at_port(reference, protocol.lower(), reference["listener_port"])
        return reference
    gateway = LiveGateway(f"{name}-gateway", reference["namespace"], reference["name"], opts)
    protocols = [protocol] if protocol else ["HTTPS", "HTTP", *([] if hostnames else _ANY)]
    seen = pulumi.Output.all(
        gateway.found,
        hostnames,
        reference.get("listener_port"),
        reference.get("internal_host"),
        protocols,
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


def at_port(reference: GatewayReference, scheme: str, port: pulumi.Input[int]) -> GatewayReference:
    """The same gateway, reached at another of its ports."""
    hosts = (reference["host"], reference["internal_host"], reference["addresses"])
    urls = pulumi.Output.all(port, *hosts).apply(lambda at: _urls(scheme, *at))
    return {**reference, "port": port, "url": urls["url"], "urls": urls["urls"]}


def _urls(
    scheme: str, port: int, host: str, internal: str, addresses: Sequence[str]
) -> dict[str, Any]:
    return {
        "url": url(scheme, host, port),
        "urls": [url(scheme, one, port) for one in dict.fromkeys([internal, *addresses])],
    }


_ANY = ("TLS", "TCP")


def _reached(
    gateway: Mapping[str, Any],
    hostnames: Sequence[str],
    port: int | None,
    internal: str | None,
    protocols: Sequence[str],
) -> dict[str, Any]:
    metadata = gateway["metadata"]
    listeners = serving(gateway["spec"]["listeners"], hostnames, port, protocols)
    if not listeners:
        raise pulumi.RunError(
            f"Gateway {metadata['namespace']}/{metadata['name']} has no port whose listeners serve"
            f" {', '.join(hostnames) or 'TCP'}. Ask its owner for one, or change hostnames"
        )
    internal = internal or internal_host(gateway)
    reported = addresses(gateway) or [internal]
    external = [host for host in reported if not in_cluster(host)]
    host = [*external, internal][0]
    annotations = metadata.get("annotations") or {}
    targets = annotations.get(TARGET)
    scheme, port = str(listeners[0]["protocol"]).lower(), int(listeners[0]["port"])
    return {
        "port": port,
        "host": host,
        **_urls(scheme, port, host, internal, reported),
        "addresses": reported,
        "targets": targets.split(",") if targets else reported,
        "internal_host": internal,
        "service_account": annotations.get(
            "gateway.istio.io/service-account",
            f"{metadata['name']}-{gateway['spec']['gatewayClassName']}",
        ),
    }


def _identity(gateway: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a Gateway from one that was replaced or changed."""
    return {key: gateway["metadata"][key] for key in ("uid", "generation")}
