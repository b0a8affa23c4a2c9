"""What is right by itself in a stack's configuration, but not beside the rest."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ..checks.values import Faults, did_you_mean
from ..parts.route import render_rule
from .keys import ExposureEntry, GatewayEntry, StackSettings, WaypointEntry

_EVERY = [{"path": {"type": "PathPrefix", "value": "/"}}]
"""What a rule without matches matches."""


def check_together(
    faults: Faults,
    stack: StackSettings,
    gateways: Sequence[GatewayEntry],
    waypoints: Sequence[WaypointEntry],
    exposures: Sequence[ExposureEntry],
) -> None:
    """Record what of the entries does not fit together."""
    listed = "exposures" in stack
    paths = [f"exposures[{index}]." if listed else "" for index in range(len(exposures))]
    _check_places(faults, [*waypoints, *gateways, *exposures])
    _check_names(faults, gateways, waypoints, dict(zip(paths, exposures, strict=True)))
    for path, entry in zip(paths, exposures, strict=True):
        _check_gateway(faults, path, entry, {one["name"]: one for one in gateways})
        _check_waypoint(faults, path, entry, {one["name"]: one for one in waypoints})
        if entry["verify"] and entry["namespace"] == stack["clientNamespace"]:
            faults.add(
                "clientNamespace",
                f"found {entry['namespace']}, the namespace of a service, expected one of its own",
            )
    for index, (path, entry) in enumerate(zip(paths, exposures, strict=True)):
        for other_path, other in zip(paths[:index], exposures[:index], strict=True):
            _check_pair(faults, path, entry, other_path, other)


def _check_places(
    faults: Faults, entries: Sequence[GatewayEntry | WaypointEntry | ExposureEntry]
) -> None:
    """Entries of one namespace agree on whether it is created."""
    created: dict[str, bool] = {}
    for entry in entries:
        name, create = entry["namespace"], entry["createNamespace"]
        if created.setdefault(name, create) != create:
            faults.add("createNamespace", f"found both true and false for namespace {name}")


def _check_names(
    faults: Faults,
    gateways: Sequence[GatewayEntry],
    waypoints: Sequence[WaypointEntry],
    exposures: dict[str, ExposureEntry],
) -> None:
    """Every object has a name of its own in its namespace, every resource in the stack."""
    named = [
        *((f"gateways: {one['name']}", _gateway(one, one["name"])) for one in gateways),
        *((f"waypoints: {one['name']}", _gateway(one, one["name"])) for one in waypoints),
    ]
    for path, entry in exposures.items():
        versions = ["", "-canary"] if "canary" in entry else [""]
        for version in versions:
            service = f"Service {entry['namespace']}/{entry['service']}{version}"
            named.append((f"{path}service", service))
            named.append((f"{path}name", f"the resources of {entry['name']}{version}"))
        own = [proxy for proxy in ("gateway", "waypoint") if proxy not in entry]
        named += [(f"{path}service", _gateway(entry, f"{entry['service']}-{one}")) for one in own]
    taken: dict[str, str] = {}
    for where, what in named:
        before = taken.setdefault(what, where)
        if before != where:
            faults.add(where, f"makes {what}, which {before} makes already")


def _gateway(entry: GatewayEntry | WaypointEntry | ExposureEntry, name: str) -> str:
    return f"Gateway {entry['namespace']}/{name}"


def _shared(
    faults: Faults, path: str, key: str, name: str | None, entries: Collection[str]
) -> str | None:
    """The name of the proxy that an exposure shares, if it shares one that there is."""
    if name is None or name in entries:
        return name
    listed = ", ".join(entries) or "none"
    faults.add(
        f"{path}{key}",
        f"found {name!r}, expected one of {key}s: {listed}{did_you_mean(name, entries)}",
    )
    return None


def _closed(key: str, proxy: GatewayEntry | WaypointEntry, entry: ExposureEntry) -> str:
    return (
        f"found {proxy['name']}, whose {key} admit only its own namespace {proxy['namespace']}, not"
        f" {entry['namespace']}"
    )


def _check_gateway(
    faults: Faults, path: str, entry: ExposureEntry, gateways: dict[str, GatewayEntry]
) -> None:
    if (name := _shared(faults, path, "gateway", entry.get("gateway"), gateways)) is None:
        return
    gateway = gateways[name]
    for hostname in entry["hostnames"]:
        if not any(_serves(own, hostname) for own in gateway["hostnames"]):
            faults.add(
                f"{path}hostnames",
                f"found {hostname}, which gateway {name} does not serve; it serves"
                f" {', '.join(gateway['hostnames'])}",
            )
    admitted = gateway.get("allowedRoutes", {}).get("namespaces", {}).get("from", "All")
    if admitted == "Same" and gateway["namespace"] != entry["namespace"]:
        faults.add(f"{path}gateway", _closed("allowedRoutes", gateway, entry))
    if entry["verify"] and gateway.get("tls", {}).get("mode") == "MUTUAL":
        faults.add(
            f"{path}verify",
            f"found true beside gateway {name}, to which clients show certificates: the"
            " verification has none. Set verify to false, or tls.mode to OPTIONAL_MUTUAL",
        )


def _serves(listener: str, hostname: str) -> bool:
    """Whether a listener for one host name serves requests for another, wildcards included."""
    if listener == hostname:
        return True
    if listener.startswith("*."):
        return hostname.endswith(listener[1:])
    return hostname.startswith("*.") and listener.endswith(hostname[1:])


def _check_waypoint(
    faults: Faults, path: str, entry: ExposureEntry, waypoints: dict[str, WaypointEntry]
) -> None:
    if (name := _shared(faults, path, "waypoint", entry.get("waypoint"), waypoints)) is None:
        return
    waypoint = waypoints[name]
    admitted = waypoint.get("waypointRoutes", {}).get("namespaces", {}).get("from", "Same")
    if admitted == "Same" and waypoint["namespace"] != entry["namespace"]:
        faults.add(f"{path}waypoint", _closed("waypointRoutes", waypoint, entry))
    if waypoint["waypointFor"] in ("workload", "none"):
        faults.add(
            f"{path}waypoint",
            f"found {name}, whose waypointFor is {waypoint['waypointFor']}: the gateway's requests"
            " are to a Service, and would pass by the waypoint and its rules",
        )


def _check_pair(
    faults: Faults, path: str, entry: ExposureEntry, other_path: str, other: ExposureEntry
) -> None:
    there = f"at {other_path.rstrip('.')} already"
    same = entry["namespace"] == other["namespace"]
    if same and entry.get("waypoint", path) != other.get("waypoint", other_path):
        faults.add(
            f"{path}waypoint",
            f"namespace {entry['namespace']} has another one {there}. Put one into waypoints, and"
            " name it in both",
        )
    if same and entry["ingressUseWaypoint"] != other["ingressUseWaypoint"]:
        faults.add(
            f"{path}ingressUseWaypoint",
            f"found {entry['ingressUseWaypoint']!r} in namespace {entry['namespace']}, expected"
            f" {other['ingressUseWaypoint']!r} as {there.removesuffix(' already')}",
        )
    if "gateway" not in entry or entry["gateway"] != other.get("gateway"):
        return
    claimed = list(_claims(other))
    for hostname, match in _claims(entry):
        if (hostname, match) in claimed:
            faults.add(
                f"{path}ingressRules",
                f"{hostname} is claimed with the match {match} {there}: the older route gets all"
                " requests. Change hostnames, or ingressRules",
            )


def _claims(entry: ExposureEntry) -> Iterator[tuple[str, str]]:
    """Host names and matches of the route at the gateway."""
    everything: list[Any] = [{}]
    for rule in entry.get("ingressRules", everything):
        for match in render_rule(rule, ()).get("matches", _EVERY):
            for hostname in entry["hostnames"]:
                yield hostname, json.dumps(match, sort_keys=True)
