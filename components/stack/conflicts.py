"""What is right by itself in a stack's configuration, but not beside the rest."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..api.live import serves
from ..checks.faults import Faults
from ..checks.values import did_you_mean
from ..exposure import names
from ..exposure.arguments import AmbientExposureArgs, binds, connections, inward
from ..parts.routes import render_rule
from ..parts.tls import demanded
from .arguments import StackArgs
from .places import clients, entries, namespace_name, proxies, shared

_EVERY = [{"path": {"type": "PathPrefix", "value": "/"}}]
"""What a rule without matches matches."""


def check_together(faults: Faults, args: StackArgs) -> None:
    """Record what of the entries does not fit together."""
    for path, entry in (*entries(args), *clients(args)):
        for part in ("namespace", "gateway", "waypoint"):
            options: Any = entry.get(part)
            _check_entry(faults, args, f"{path}.{part}.existing.entry", shared(options), f"{part}s")
    if faults:
        return
    _check_entry(faults, args, "primary", args.get("primary"), "exposures")
    _check_renamed(faults, args)
    _check_existing(faults, args)
    _check_namespaces(faults, args)
    _check_names(faults, args)
    _check_client(faults, args)
    _check_waypoints(faults, args)
    _check_hostnames(faults, args)
    for name, exposure in args["exposures"].items():
        _check_shared(faults, args, f"exposures.{name}", exposure)
        _check_traffic(faults, args, f"exposures.{name}", exposure)


def _check_entry(
    faults: Faults, args: Mapping[str, Any], path: str, name: str | None, group: str
) -> None:
    """What `path` refers to is there."""
    known = args.get(group, {})
    if name is not None and name not in known:
        listed = ", ".join(known) or "none"
        hint = did_you_mean(name, known)
        faults.add(path, f"found {name!r}, expected one of {group}: {listed}{hint}")


def _check_renamed(faults: Faults, args: StackArgs) -> None:
    present = {path.partition(".")[2] for path, _ in entries(args)} | {*args.get("namespaces", {})}
    for new, former in args.get("renamed", {}).items():
        if new not in present:
            listed = ", ".join(sorted(present))
            faults.add(f"renamed.{new}", f"found no entry of this name, expected one of {listed}")
        if former in present:
            faults.add(f"renamed.{new}", f"found {former}, which is the name of an entry still")


def _check_existing(faults: Faults, args: StackArgs) -> None:
    """What exists by its name is not of the stack's own making."""
    own = {
        (namespace_name(args, entry["namespace"]), entry.get("name")): path.split(".")
        for path, entry in entries(args)
        if not path.startswith("exposures.")
    }
    for name, exposure in args["exposures"].items():
        parts: Mapping[str, Any] = exposure
        for part in ("gateway", "waypoint"):
            existing = parts.get(part, {}).get("existing", {})
            place = (existing.get("namespace"), existing.get("name"))
            group, entry = own.get(place, ("", ""))
            if group == f"{part}s":
                faults.add(
                    f"exposures.{name}.{part}.existing",
                    f"found {'/'.join(place)}, which is at {group}.{entry}. Write existing:"
                    f" {{entry: {entry}}}",
                )


def _check_namespaces(faults: Faults, args: StackArgs) -> None:
    """Every namespace is made in one place."""
    listed = args["namespaces"]
    taken: dict[str, str] = {}
    for key, namespace in listed.items():
        name = str(namespace["name"])
        if (first := taken.setdefault(name, f"namespaces.{key}")) != f"namespaces.{key}":
            faults.add(f"namespaces.{key}.name", f"found {name}, which is at {first} already")
    # Those that exist at the end: others make them.
    placed = [*entries(args), *clients(args)]
    for path, entry in sorted(placed, key=lambda one: "existing" in one[1]["namespace"]):
        if shared(entry["namespace"]):
            continue
        name = namespace_name(args, entry["namespace"])
        if name in taken:
            group, _, key = taken[name].partition(".")
            own = f"Write existing: {{entry: {key}}}"
            several = "Put it into namespaces, and write existing: {entry: NAME} in both"
            faults.add(
                f"{path}.namespace",
                f"found {name}, which is at {taken[name]} already."
                f" {own if group == 'namespaces' else several}",
            )
        elif name in listed:
            faults.add(
                f"{path}.namespace",
                f"found {name}, expected another name: namespaces.{name} is called"
                f" {listed[name]['name']}",
            )
        if "existing" not in entry["namespace"]:
            taken.setdefault(name, f"{path}.namespace")


def _check_names(faults: Faults, args: StackArgs) -> None:
    """Every object has a name of its own in its namespace, every resource in the stack."""
    made = [
        one for key, exposure in args["exposures"].items() for one in _made(args, key, exposure)
    ]
    for proxy in proxies(args):
        for kind, name in (("Gateway", proxy.name), ("Service", proxy.generated)):
            made += [(f"{proxy.path}.name", f"{kind} {proxy.namespace}/{name}")]
    taken: dict[str, str] = {}
    said: set[tuple[str, str]] = set()
    for where, what in made:
        before = taken.setdefault(what, where)
        # Two Gateways of one name have two Services of one name too.
        if before != where and (where, before) not in said:
            said.add((where, before))
            faults.add(where, f"makes {what}, which {before} makes already")


def _made(args: StackArgs, key: str, exposure: AmbientExposureArgs) -> Iterator[tuple[str, str]]:
    """What an exposure makes that others could make as well, and the setting that names it."""
    path, place = f"exposures.{key}", namespace_name(args, exposure["namespace"])
    service = exposure["service"]["name"]
    yield f"{path}.service.name", f"Service {place}/{service}"
    yield path, f"the resources of {key}"
    if "canary" in exposure["service"]:
        yield f"{path}.service.name", f"Service {place}/{names.canary(service)}"
        yield path, f"the resources of {key}-canary"


def _check_client(faults: Faults, args: StackArgs) -> None:
    """The client of the verifications is one."""
    for name, exposure in args["exposures"].items():
        if "client" in exposure.get("verification", {}):
            where = f"exposures.{name}.verification.client"
            faults.add(where, "is the same for all exposures of a stack. Set client instead")


def _check_shared(
    faults: Faults, args: StackArgs, path: str, exposure: AmbientExposureArgs
) -> None:
    """The gateway and the waypoint that an exposure shares serve it."""
    groups: Any = args
    place = namespace_name(args, exposure["namespace"])
    for part in ("gateway", "waypoint"):
        options: Any = exposure.get(part)
        if not (entry := shared(options)) or (part == "gateway" and inward(exposure)):
            continue
        proxy = groups[f"{part}s"][entry]
        own_place = namespace_name(args, proxy["namespace"])
        setting, allowed = "allowed_routes", [proxy.get("allowed_routes", {})]
        if "listener_set" in options:
            setting, allowed = "allowed_listeners", [_NOBODY | proxy.get("allowed_listeners", {})]
        elif part == "gateway":
            listeners = _listeners(exposure, proxy)
            _check_served(faults, path, exposure, entry, listeners)
            allowed = [one.get("allowedRoutes", {}) for one in listeners]
            if any("name" in one for one in listeners):
                setting = "listeners[].allowedRoutes"
        admitted = {one.get("namespaces", {}).get("from", "Same") for one in allowed}
        if admitted == {"None"} or (admitted == {"Same"} and own_place != place):
            own = f"only its own namespace {own_place}" if admitted == {"Same"} else "none"
            faults.add(
                f"{path}.{part}",
                f"found {entry}, whose {setting} admit {own}, not {place}. Set"
                f" {part}s.{entry}.{setting} to {{namespaces: {{from: All}}}}, or to a Selector",
            )
        external = exposure.get("verification", {}).get("addresses") == "external"
        if external and part == "gateway" and proxy.get("service_type") != "LoadBalancer":
            faults.add(
                f"{path}.verification.addresses",
                f"found external, but gateway {entry} has only an address inside the cluster. Set"
                " its service_type to LoadBalancer, or ask for internal",
            )
        attached = not connections(exposure) and "listener_set" not in options
        if "verification" in exposure and attached and demanded(proxy.get("tls")):
            faults.add(
                f"{path}.verification",
                f"found beside gateway {entry}, to which clients show certificates: the"
                " verification has none. Leave it out, or set tls.mode to OPTIONAL_MUTUAL",
            )
        if part == "waypoint":
            _check_waypoint(faults, f"{path}.waypoint", entry, proxy, (own_place, place))


def _check_waypoint(
    faults: Faults, path: str, entry: str, proxy: Mapping[str, Any], places: tuple[str, str]
) -> None:
    """A shared waypoint, which is in the first of `places`, does all for a service in the other."""
    own_place, place = places
    if "telemetry" in proxy and own_place != place:
        faults.add(
            path,
            f"found {entry}, whose telemetry Istio ignores for the services of namespace {place}:"
            f" it is for those of {own_place} alone. Leave it out there, or give the exposure a"
            " waypoint of its own",
        )
    if (passes := proxy.get("waypoint_for")) in ("workload", "none"):
        faults.add(
            path,
            f"found {entry}, whose waypoint_for is {passes}: the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )


def _check_traffic(
    faults: Faults, args: StackArgs, path: str, exposure: AmbientExposureArgs
) -> None:
    """A gateway that takes over what is for the waypoint does not put that out."""
    policy: Mapping[str, Any] = exposure.get("traffic_policy", {})
    places = (policy, *policy.get("portLevelSettings", ()))
    own = namespace_name(args, exposure["namespace"])
    gateway, waypoint = (_holder(args, exposure, part) for part in ("gateway", "waypoint"))
    if gateway == waypoint != own and any("outlierDetection" in one for one in places):
        faults.add(
            f"{path}.traffic_policy.outlierDetection",
            f"found gateway and waypoint in one namespace {gateway}, other than the service's"
            f" {own}: the gateway would go by it as well, and put out the waypoint. Use one of them"
            " in another namespace",
        )


def _holder(args: StackArgs, exposure: AmbientExposureArgs, part: str) -> str:
    """The namespace of an exposure's gateway or waypoint."""
    groups: Any = args
    parts: Mapping[str, Any] = exposure
    options = parts.get(part, {})
    if entry := shared(options):
        return namespace_name(args, groups[f"{part}s"][entry]["namespace"])
    if "existing" in options:
        return str(options["existing"]["namespace"])
    return namespace_name(args, exposure["namespace"])


def _listeners(
    exposure: AmbientExposureArgs, gateway: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """The listeners of a shared gateway that take what an exposure is sent."""
    protocol = connections(exposure)
    if gateway.get("protocol", "HTTP") == (protocol or "HTTP"):
        hostnames = gateway.get("hostnames") or [None]
        allowed = gateway.get("allowed_routes", {})
        return [{"hostname": one, "allowedRoutes": allowed} for one in hostnames]
    port = exposure["gateway"]["existing"].get("listener_port")
    return [
        one
        for one in gateway.get("listeners", ())
        if one["port"] == port and one["protocol"] in ([protocol] if protocol else _REQUESTS)
    ]


_REQUESTS = ("HTTP", "HTTPS")
_NOBODY = {"namespaces": {"from": "None"}}


def _check_served(
    faults: Faults,
    path: str,
    exposure: AmbientExposureArgs,
    entry: str,
    listeners: Sequence[Mapping[str, Any]],
) -> None:
    """A shared gateway has listeners for the protocol and the host names of an exposure."""
    if not listeners:
        faults.add(
            f"{path}.gateway.existing.listener_port",
            f"found {exposure['gateway']['existing'].get('listener_port', 'nothing')}, expected the"
            f" port of one of the listeners of gateway {entry} for"
            f" {connections(exposure) or 'HTTP'}",
        )
        return
    served = [one.get("hostname") for one in listeners]
    for hostname in exposure.get("hostnames", ()):
        if not any(serves(own, hostname) for own in served):
            faults.add(
                f"{path}.hostnames",
                f"found {hostname}, which gateway {entry} does not serve; it serves"
                f" {', '.join(map(str, served))}",
            )


def _check_waypoints(faults: Faults, args: StackArgs) -> None:
    """A namespace is bound to one waypoint, once."""
    owners: dict[str, str] = {}
    for name, exposure in args["exposures"].items():
        if binds(exposure) == "Service":
            continue
        place = namespace_name(args, exposure["namespace"])
        owner = owners.setdefault(place, name)
        if owner == name:
            continue
        before, after = (args["exposures"][key].get("waypoint", {}) for key in (owner, name))
        if "existing" not in after or before.get("existing") != after["existing"]:
            faults.add(
                f"exposures.{name}.waypoint",
                f"namespace {place} has another one at exposures.{owner} already. Put one into"
                " waypoints, and write existing: {entry: NAME} in both, or binds: Service here",
            )
        expected, found = (one.get("ingress_use_waypoint", False) for one in (before, after))
        if found != expected:
            faults.add(
                f"exposures.{name}.waypoint.ingress_use_waypoint",
                f"found {found} in namespace {place}, expected {expected} as at exposures.{owner}",
            )


def _check_hostnames(faults: Faults, args: StackArgs) -> None:
    """No two exposures claim the same requests of one gateway."""
    owners: dict[tuple[str, str, str], str] = {}
    for name, exposure in args["exposures"].items():
        gateway: Any = exposure.get("gateway", {}).get("existing")
        for hostname, match in _claims(exposure) if gateway and not inward(exposure) else ():
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
            for hostname in exposure.get("hostnames") or ["TCP"]:
                yield hostname, json.dumps(match, sort_keys=True)
