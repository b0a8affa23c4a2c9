"""What is right by itself in a stack's configuration, but not beside the rest."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..checks.faults import Faults
from ..checks.values import did_you_mean
from ..exposure.arguments import AmbientExposureArgs
from ..parts.client import CLIENT
from ..parts.gateway import IngressGatewayArgs
from ..parts.routes import render_rule
from ..parts.waypoint import WaypointArgs
from .arguments import StackArgs
from .places import entries, namespace_name, shared

_EVERY = [{"path": {"type": "PathPrefix", "value": "/"}}]
"""What a rule without matches matches."""


def check_together(faults: Faults, args: StackArgs) -> None:
    """Record what of the entries does not fit together."""
    exposures = args["exposures"]
    _check_references(faults, args)
    if faults:
        return
    _check_primary(faults, args)
    _check_namespaces(faults, args)
    _check_names(faults, args)
    _check_client(faults, args)
    for name, exposure in exposures.items():
        if entry := shared(exposure.get("gateway")):
            _check_gateway(faults, args, name, entry, args["gateways"][entry])
        if entry := shared(exposure.get("waypoint")):
            _check_waypoint(faults, args, name, entry, args["waypoints"][entry])
    listed = list(exposures)
    for position, name in enumerate(listed):
        for other in listed[:position]:
            _check_pair(faults, args, name, other)


def _check_references(faults: Faults, args: StackArgs) -> None:
    """Every entry that another one refers to is there."""
    groups: dict[str, Collection[str]] = {
        "namespace": args.get("namespaces", {}),
        "gateway": args.get("gateways", {}),
        "waypoint": args.get("waypoints", {}),
    }
    for path, entry in entries(args):
        for part, known in groups.items():
            options: Any = entry.get(part, {})
            referred = shared(options)
            if referred is not None and referred not in known:
                listed = ", ".join(known) or "none"
                faults.add(
                    f"{path}.{part}.existing.entry",
                    f"found {referred!r}, expected one of {part}s:"
                    f" {listed}{did_you_mean(referred, known)}",
                )


def _check_primary(faults: Faults, args: StackArgs) -> None:
    exposures = args["exposures"]
    if "primary" in args and args["primary"] not in exposures:
        faults.add(
            "primary",
            f"found {args['primary']!r}, expected one of exposures:"
            f" {', '.join(exposures)}{did_you_mean(args['primary'], exposures)}",
        )


def _check_namespaces(faults: Faults, args: StackArgs) -> None:
    """Every namespace is made in one place."""
    taken = {str(own["name"]): f"namespaces.{key}" for key, own in args["namespaces"].items()}
    for path, entry in entries(args):
        if "existing" in entry["namespace"]:
            continue
        name = namespace_name(args, entry["namespace"])
        if name in taken:
            place = taken[name]
            there = place.removeprefix("namespaces.")
            faults.add(
                f"{path}.namespace",
                f"found {name}, which is at {place} already. "
                + (
                    f"Write existing: {{entry: {there}}}"
                    if place != there
                    else "Put it into namespaces, and write existing: {entry: NAME} in both"
                ),
            )
        taken.setdefault(name, f"{path}.namespace")


def _check_names(faults: Faults, args: StackArgs) -> None:
    """Every object has a name of its own in its namespace, every resource in the stack."""
    made: list[tuple[str, str]] = []
    for path, entry in entries(args):
        place = namespace_name(args, entry["namespace"])
        if path.startswith("exposures."):
            made += _made(path, place, args["exposures"][path.removeprefix("exposures.")])
        else:
            proxy: Any = entry
            made.append((f"{path}.name", f"Gateway {place}/{proxy['name']}"))
    taken: dict[str, str] = {}
    for where, what in made:
        before = taken.setdefault(what, where)
        if before != where:
            faults.add(where, f"makes {what}, which {before} makes already")


def _made(path: str, namespace: str, exposure: AmbientExposureArgs) -> Iterator[tuple[str, str]]:
    """What an exposure makes that others could make as well, and the setting that names it."""
    service = exposure["service"]
    name = path.removeprefix("exposures.")
    for version in ("", "-canary") if "canary" in service else ("",):
        yield f"{path}.service.name", f"Service {namespace}/{service['name']}{version}"
        yield path, f"the resources of {name}{version}"
    for part in ("gateway", "waypoint"):
        options: Any = exposure.get(part, {})
        if "existing" not in options:
            gateway = options.get("name", f"{service['name']}-{part}")
            yield f"{path}.{part}.name", f"Gateway {namespace}/{gateway}"


def _check_client(faults: Faults, args: StackArgs) -> None:
    client = args.get("client", {}).get("namespace", CLIENT)
    for path, entry in entries(args):
        place = namespace_name(args, entry["namespace"])
        if place == client and _verifies(args):
            faults.add(
                "client.namespace",
                f"found {client}, the namespace of {path}, expected one of its own",
            )


def _verifies(args: StackArgs) -> bool:
    return any("verification" in exposure for exposure in args["exposures"].values())


def _closed(name: str, place: str, admitted: str) -> str:
    return (
        f"found {name}, whose allowed_routes admit only its own namespace {admitted}, not {place}"
    )


def _check_gateway(
    faults: Faults, args: StackArgs, name: str, entry: str, gateway: IngressGatewayArgs
) -> None:
    exposure = args["exposures"][name]
    hostnames = [str(hostname) for hostname in gateway["hostnames"]]
    for hostname in exposure["hostnames"]:
        if not any(_serves(own, hostname) for own in hostnames):
            faults.add(
                f"exposures.{name}.hostnames",
                f"found {hostname}, which gateway {entry} does not serve; it serves"
                f" {', '.join(hostnames)}",
            )
    place = namespace_name(args, exposure["namespace"])
    own_place = namespace_name(args, gateway["namespace"])
    if _admitted(gateway, "All") == "Same" and own_place != place:
        faults.add(f"exposures.{name}.gateway", _closed(entry, place, own_place))
    if "verification" in exposure and gateway.get("tls", {}).get("mode") == "MUTUAL":
        faults.add(
            f"exposures.{name}.verification",
            f"found beside gateway {entry}, to which clients show certificates: the verification"
            " has none. Leave it out, or set tls.mode to OPTIONAL_MUTUAL",
        )


def _admitted(proxy: Mapping[str, Any], default: str) -> object:
    return proxy.get("allowed_routes", {}).get("namespaces", {}).get("from", default)


def _serves(listener: str, hostname: str) -> bool:
    """Whether a listener for one host name serves requests for another, wildcards included."""
    if listener == hostname:
        return True
    if listener.startswith("*."):
        return hostname.endswith(listener[1:])
    return hostname.startswith("*.") and listener.endswith(hostname[1:])


def _check_waypoint(
    faults: Faults, args: StackArgs, name: str, entry: str, waypoint: WaypointArgs
) -> None:
    place = namespace_name(args, args["exposures"][name]["namespace"])
    own_place = namespace_name(args, waypoint["namespace"])
    if _admitted(waypoint, "Same") == "Same" and own_place != place:
        faults.add(f"exposures.{name}.waypoint", _closed(entry, place, own_place))
    if (passes := waypoint.get("waypoint_for", "service")) in ("workload", "none"):
        faults.add(
            f"exposures.{name}.waypoint",
            f"found {entry}, whose waypoint_for is {passes}: the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )


def _check_pair(faults: Faults, args: StackArgs, name: str, other: str) -> None:
    path = f"exposures.{name}"
    first, second = args["exposures"][other], args["exposures"][name]
    waypoints = [exposure.get("waypoint", {}) for exposure in (first, second)]
    entry, same = (
        shared(waypoints[1]),
        len({namespace_name(args, exposure["namespace"]) for exposure in (first, second)}),
    )
    if same == 1:
        place = namespace_name(args, second["namespace"])
        if entry is None or shared(waypoints[0]) != entry:
            faults.add(
                f"{path}.waypoint",
                f"namespace {place} has another one at exposures.{other} already. Put one into"
                " waypoints, and write existing: {entry: NAME} in both",
            )
        before, after = (waypoint.get("ingress_use_waypoint", False) for waypoint in waypoints)
        if before != after:
            faults.add(
                f"{path}.waypoint.ingress_use_waypoint",
                f"found {after} in namespace {place}, expected {before} as at exposures.{other}",
            )
    gateway = shared(second.get("gateway"))
    if gateway is None or gateway != shared(first.get("gateway")):
        return
    claimed = list(_claims(first))
    for hostname, match in _claims(second):
        if (hostname, match) in claimed:
            faults.add(
                f"{path}.ingress_rules",
                f"{hostname} is claimed with the match {match} at exposures.{other} already: the"
                " older route gets all requests. Change hostnames, or ingress_rules",
            )


def _claims(exposure: AmbientExposureArgs) -> Iterator[tuple[str, str]]:
    """Host names and matches of the route at the gateway."""
    everything: list[Any] = [{}]
    for rule in exposure.get("ingress_rules", everything):
        for match in render_rule(rule, ()).get("matches", _EVERY):
            for hostname in exposure["hostnames"]:
                yield hostname, json.dumps(match, sort_keys=True)
