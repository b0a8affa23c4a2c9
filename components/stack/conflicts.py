"""What is right by itself in a stack's configuration, but not beside the rest."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..checks.faults import Faults
from ..checks.values import did_you_mean
from ..exposure.arguments import AmbientExposureArgs
from ..parts.gateway import IngressGatewayArgs
from ..parts.routes import render_rule
from ..parts.waypoint import WaypointArgs
from .arguments import StackArgs
from .places import clients, entries, namespace_name, shared

_EVERY = [{"path": {"type": "PathPrefix", "value": "/"}}]
"""What a rule without matches matches."""


def check_together(faults: Faults, args: StackArgs) -> None:
    """Record what of the entries does not fit together."""
    _check_references(faults, args)
    if faults:
        return
    _check_primary(faults, args)
    _check_namespaces(faults, args)
    _check_names(faults, args)
    _check_client(faults, args)
    _check_waypoints(faults, args)
    _check_hostnames(faults, args)
    for name, exposure in args["exposures"].items():
        if entry := shared(exposure.get("gateway")):
            _check_gateway(faults, args, name, entry, args["gateways"][entry])
        if entry := shared(exposure.get("waypoint")):
            _check_waypoint(faults, args, name, entry, args["waypoints"][entry])


def _check_references(faults: Faults, args: StackArgs) -> None:
    """Every entry that another one refers to is there."""
    groups: dict[str, Collection[str]] = {
        "namespace": args.get("namespaces", {}),
        "gateway": args.get("gateways", {}),
        "waypoint": args.get("waypoints", {}),
    }
    for path, entry in (*entries(args), *clients(args)):
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
    taken: dict[str, str] = {}
    for key, namespace in args.get("namespaces", {}).items():
        name = str(namespace["name"])
        if name in taken:
            faults.add(f"namespaces.{key}.name", f"found {name}, which is at {taken[name]} already")
        taken.setdefault(name, f"namespaces.{key}")
    # Those that exist at the end: others make them.
    placed = [*entries(args), *clients(args)]
    for path, entry in sorted(placed, key=lambda one: "existing" in one[1]["namespace"]):
        if shared(entry["namespace"]):
            continue
        name = namespace_name(args, entry["namespace"])
        if name in taken:
            _, listed, key = taken[name].rpartition("namespaces.")
            faults.add(
                f"{path}.namespace",
                f"found {name}, which is at {taken[name]} already. "
                + (
                    f"Write existing: {{entry: {key}}}"
                    if listed
                    else "Put it into namespaces, and write existing: {entry: NAME} in both"
                ),
            )
        elif name in args.get("namespaces", {}):
            faults.add(
                f"{path}.namespace",
                f"found {name}, expected another name: namespaces.{name} is called"
                f" {args['namespaces'][name]['name']}",
            )
        if "existing" not in entry["namespace"]:
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
    """The client of the verifications is one."""
    for name, exposure in args["exposures"].items():
        if "client" in exposure.get("verification", {}):
            where = f"exposures.{name}.verification.client"
            faults.add(where, "is the same for all exposures of a stack. Set client instead")


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
    external = exposure.get("verification", {}).get("addresses") == "external"
    if external and gateway.get("service_type") != "LoadBalancer":
        faults.add(
            f"exposures.{name}.verification.addresses",
            f"found external, but gateway {entry} has only an address inside the cluster. Set its"
            " service_type to LoadBalancer, or ask for internal",
        )
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


def _check_waypoints(faults: Faults, args: StackArgs) -> None:
    """All of a namespace goes through one waypoint, which is bound to it once."""
    for name, waypoint in args.get("waypoints", {}).items():
        for option in ("bind", "ingress_use_waypoint"):
            if option in waypoint:
                faults.add(
                    f"waypoints.{name}.{option}",
                    "is for a namespace that uses it. Set it at exposures.NAME.waypoint instead",
                )
    owners: dict[str, str] = {}
    for name, exposure in args["exposures"].items():
        place = namespace_name(args, exposure["namespace"])
        owner = owners.setdefault(place, name)
        if owner == name:
            continue
        before, after = (args["exposures"][key].get("waypoint", {}) for key in (owner, name))
        if "existing" not in after or before.get("existing") != after["existing"]:
            faults.add(
                f"exposures.{name}.waypoint",
                f"namespace {place} has another one at exposures.{owner} already. Put one into"
                " waypoints, and write existing: {entry: NAME} in both",
            )
        for option, default in (("ingress_use_waypoint", False), ("bind", True)):
            expected, found = (options.get(option, default) for options in (before, after))
            if found != expected:
                faults.add(
                    f"exposures.{name}.waypoint.{option}",
                    f"found {found} in namespace {place}, expected {expected} as at"
                    f" exposures.{owner}",
                )


def _check_hostnames(faults: Faults, args: StackArgs) -> None:
    """No two exposures claim the same requests of one gateway."""
    owners: dict[tuple[str, str, str], str] = {}
    for name, exposure in args["exposures"].items():
        gateway: Any = exposure.get("gateway", {}).get("existing")
        for hostname, match in _claims(exposure) if gateway else ():
            owner = owners.setdefault((str(gateway), hostname, match), name)
            if owner != name:
                faults.add(
                    f"exposures.{name}.ingress_rules",
                    f"{hostname} is claimed with the match {match} at exposures.{owner} already:"
                    " the older route gets all requests. Change hostnames, or ingress_rules",
                )


def _claims(exposure: AmbientExposureArgs) -> Iterator[tuple[str, str]]:
    """Host names and matches of the route at the gateway."""
    everything: list[Any] = [{}]
    for rule in exposure.get("ingress_rules", everything):
        for match in render_rule(rule, ()).get("matches", _EVERY):
            for hostname in exposure["hostnames"]:
                yield hostname, json.dumps(match, sort_keys=True)
