"""What is checked of an exposure's arguments, before anything of it is registered."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..api.gateway_types import GRPCRouteSpec, HTTPRouteSpec
from ..checks import values as valid
from ..checks.schema import Schema, at, known
from ..checks.values import Faults
from ..parts import authorization, gateway, namespace, probe, route, waypoint, workload
from ..parts.gateway import check_hostnames
from ..parts.probe import CheckArgs
from ..parts.route import (
    IngressRouteArgs,
    WaypointRouteArgs,
    render_ingress_route,
    render_waypoint_route,
)
from ..parts.workload import ContainerOptions, check_container_port
from .arguments import (
    AmbientExposureArgs,
    CanaryOptions,
    ServiceOptions,
    VerificationOptions,
)


def _check_service(faults: Faults, path: str, service: Mapping[str, Any]) -> None:
    needed = ("image", "container_port")
    if service.get("create", True):
        for field in needed:
            if field not in service:
                faults.add(at(path, field), "found nothing, expected it for a service to deploy")
        check_container_port(faults, path, service)
        if "selector" in service:
            faults.add(
                at(path, "selector"), "is for a service that is adopted; this one is deployed"
            )
        return
    for field in (*needed, *ContainerOptions.__annotations__, "canary"):
        if field in service:
            faults.add(at(path, field), "is for a service to deploy; this one is adopted")


def _check_exposure(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    for one, other in (("namespace", "shared_namespace"), ("rules", "grpc_rules")):
        if not args.keys() & {one, other}:
            faults.add(at(path, one), f"found neither {one} nor {other}, expected one of them")
    for one, other in (
        ("namespace", "shared_namespace"),
        ("rules", "grpc_rules"),
        ("gateway", "shared_gateway"),
        ("grpc_rules", "ingress_rules"),
    ):
        if one in args and other in args:
            faults.add(at(path, other), f"found both {one} and {other}, expected one of them")
    _check_gateway(faults, path, args)
    _check_waypoint(faults, path, args)
    _check_routes(faults, path, args)
    if "verification" in args:
        _check_verification(faults, path, args)


def _check_gateway(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    tls = args.get("gateway", {}).get("tls")
    check_hostnames(faults, path, args["hostnames"], tls, at(path, "gateway.tls"))
    if tls and tls.get("mode") == "MUTUAL" and "verification" in args:
        faults.add(
            at(path, "verification"),
            "found beside gateway.tls.mode MUTUAL: its client has no certificate to show."
            " Leave it out, or use OPTIONAL_MUTUAL",
        )


def _check_waypoint(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    options = args.get("waypoint", {})
    if "shared_waypoint" in args:
        for field in options:
            if field != "ingress_use_waypoint":
                where = at(path, f"waypoint.{field}")
                faults.add(where, "is for a waypoint of its own; this one is shared")
    if (passes := options.get("waypoint_for", "service")) in ("workload", "none"):
        faults.add(
            at(path, "waypoint.waypoint_for"),
            f"found {passes!r}, expected 'service' or 'all': the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )
    service = args["service"]
    adopted = not service.get("create", True)
    if args.get("require_waypoint") and adopted and "selector" not in service:
        faults.add(
            at(path, "service.selector"),
            "found nothing, expected the labels of the pods for which require_waypoint is",
        )


def _check_routes(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Record what is wrong with the rules as a whole, if none is wrong by itself."""
    grpc = "grpc_rules" in args
    listed = "grpc_rules" if grpc else "rules"
    alone = Faults("")
    for field in (listed, "ingress_rules"):
        if field in args:
            SCHEMA.check(alone, field, args[field], AmbientExposureArgs.__annotations__[field])
    if alone or not args.get(listed):
        return
    common = {
        "name": "a",
        "namespace": "a",
        "service": "a",
        "port": 1,
        "gateway": "a",
        "gateway_namespace": "a",
        "hostnames": args["hostnames"],
    }
    passing = cast("WaypointRouteArgs", {**common, listed: args[listed]})
    shape = GRPCRouteSpec if grpc else HTTPRouteSpec
    SCHEMA.check(faults, at(path, "(waypoint route)"), render_waypoint_route(passing), shape)
    if "ingress_rules" in args:
        entering = cast("IngressRouteArgs", {**common, "rules": args["ingress_rules"]})
        where = at(path, "(ingress route)")
        SCHEMA.check(faults, where, render_ingress_route(entering), HTTPRouteSpec)


def _check_verification(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    verification = args["verification"]
    if not verification.keys() & {"namespace", "client"}:
        faults.add(at(path, "verification.namespace"), "found nothing, expected one, or a client")
    own = args.get("namespace", {}).get("name")
    if own is not None and verification.get("namespace") == own:
        faults.add(at(path, "verification.namespace"), "must not be the namespace of the service")
    low, high = (0, 16) if "grpc_rules" in args else (100, 599)
    for index, check in enumerate(verification["checks"]):
        where = at(path, f"verification.checks[{index}].status")
        faults.check(where, check["status"], valid.number(low, high))
    _check_first_answer(faults, path, args.get("rules", []), verification["checks"])


def _check_first_answer(
    faults: Faults, path: str, rules: Sequence[Mapping[str, Any]], checks: Sequence[CheckArgs]
) -> None:
    """Record a check that no rule lets through, as far as that can be seen."""
    if not all(list(rule) == ["paths"] and all(map(known, rule["paths"])) for rule in rules):
        return
    prefixes = [str(prefix) for rule in rules for prefix in rule["paths"]]
    for index, check in enumerate(checks):
        asked = f"{check['path'].partition('?')[0]}/"
        through = any(asked.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes)
        if check["status"] // 100 == 2 and rules and not through:
            faults.add(
                at(path, f"verification.checks[{index}]"),
                f"found {check['path']} to be answered {check['status']}, but the waypoint lets"
                f" through only {', '.join(prefixes)}. Change the rules or the check",
            )


SCHEMA = (
    namespace.SCHEMA
    | workload.SCHEMA
    | waypoint.SCHEMA
    | gateway.SCHEMA
    | route.SCHEMA
    | authorization.SCHEMA
    | probe.SCHEMA
    | Schema(
        {
            CanaryOptions: {"image": valid.image, "weight": valid.number(0, 100)},
            ServiceOptions: {
                "name": valid.service_name,
                "port": valid.port,
                "image": valid.image,
                "container_port": valid.port,
                "selector{}": valid.label_key,
                "selector[]": valid.label_value,
            },
            VerificationOptions: {
                "namespace": valid.dns_label,
                "image": valid.image,
                "checks": valid.some,
                "timeout": valid.seconds,
            },
            AmbientExposureArgs: {
                "hostnames": valid.some,
                "hostnames[]": valid.hostname,
                "rules": valid.some,
                "grpc_rules": valid.some,
                "trust_domain": valid.hostname,
                "ready_timeout": valid.seconds,
            },
        },
        {ServiceOptions: _check_service, AmbientExposureArgs: _check_exposure},
        {ServiceOptions: ContainerOptions, CanaryOptions: ContainerOptions},
    )
)
"""What is checked of an exposure's arguments."""
