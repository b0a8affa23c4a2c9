"""What is checked of an exposure's arguments, before anything of it is registered."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..api import traffic_rules
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import each
from ..checks.schema import Schema, at
from ..parts import (
    authorization,
    client,
    external,
    gateway_args,
    listeners,
    namespace,
    probe,
    routes,
    waypoint,
    workload,
)
from ..parts.authorization import PolicyArgs, check_policy_names, check_provider
from ..parts.connections import check_connections
from ..parts.gateway_args import GatewayOptions, check_hostnames, known_name
from ..parts.grant import check_backends
from ..parts.namespace import check_existing
from ..parts.pod import with_names
from ..parts.probe import check_requests
from ..parts.routes import check_rules
from ..parts.tls import demanded
from ..parts.waypoint import WaypointOptions
from ..parts.workload import ContainerOptions, check_container_port
from . import names
from .arguments import (
    AmbientExposureArgs,
    CanaryOptions,
    GatewayPart,
    PolicyPart,
    ServiceOptions,
    VerificationOptions,
    WaypointPart,
    binds,
    connections,
    inward,
    listens,
)


def _check_service(faults: Faults, path: str, service: Mapping[str, Any]) -> None:
    needed = ("image", "container_port")
    if "tls" in service:
        _check_tls(faults, path, service)
    if "external" in service:
        own = {*needed, *ContainerOptions.__annotations__, "canary", "create", "selector"}
        for field in sorted(own & service.keys() - {"container_port", "protocol"}):
            faults.add(at(path, field), "is for a service in the mesh, found beside external")
        return
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
    told = {"protocol"} if connections({"service": service}) else set()
    for field in (*needed, *ContainerOptions.__annotations__, "canary"):
        if field in service and field not in told:
            faults.add(at(path, field), "is for a service to deploy; this one is adopted")


def _check_tls(faults: Faults, path: str, service: Mapping[str, Any]) -> None:
    """TLS is served at a port of its own."""
    if not service.get("create", True):
        faults.add(
            at(path, "tls"),
            "found for a service that is adopted, which gets nothing but labels: the waypoint needs"
            " a further port of it. Deploy the service, or let the mesh alone encrypt",
        )
        return
    if protocol := connections({"service": service}):
        faults.add(
            at(path, "tls"),
            f"found it beside protocol {protocol.lower()}: nothing that proxies could encrypt",
        )
    port = listens(service)
    others = [service["port"], *(one.get("port") for one in service.get("ports", ()))]
    if port in others:
        faults.add(
            at(path, "container_port"),
            f"found {port}, which is a port of the Service already, expected another: gateways send"
            " requests to that in plaintext, the waypoint sends them on to this one by TLS",
        )


def _check_connections(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Of connections that are passed on as they are, nobody judges requests."""
    protocol = args["service"]["protocol"]
    why = f"is for requests: of protocol {protocol} proxies see connections alone"
    for field in ("rules", "grpc_rules", "ingress_rules", "weights", "grants", "jwt_rules"):
        if field in args:
            faults.add(at(path, field), why)
    for part, field in _FOR_REQUESTS:
        if field in args.get(part, {}):
            faults.add(at(path, f"{part}.{field}"), why)
    if "tls" in args.get("gateway", {}):
        faults.add(at(path, "gateway.tls"), f"found it beside protocol {protocol}, expected none")
    for where, policy in each(path, args, "policies"):
        for at_rule, rule in each(where, policy, "rules"):
            named = [f"to.{key}" for one in rule.get("to", ()) for key in one.get("operation", ())]
            named += [f"from.{key}" for one in rule.get("from", ()) for key in one["source"]]
            named += [f"when {one['key']}" for one in rule.get("when", ())]
            for field in filter(_OF_REQUESTS.fullmatch, named):
                faults.add(at_rule, f"found {field}, which {why}")


_FOR_REQUESTS = (
    ("service", "canary"),
    ("gateway", "listener_set"),
    ("gateway", "jwt_rules"),
    ("gateway", "rate_limit"),
    ("waypoint", "rate_limit"),
)
"""Options of an exposure's parts that are for requests."""

_OF_REQUESTS = re.compile(
    r"to\.(not)?(hosts|methods|paths)|from\.(not)?(requestPrincipals|remoteIpBlocks)"
    r"|when (request\..*|remote\.ip)",
    re.IGNORECASE,
)
"""What of a policy is about requests."""


def _check_exposure(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    protocol = connections(args)
    if inward(args):
        _check_inward(faults, path, args)
    else:
        check_connections(faults, path, protocol, args)
    if protocol:
        _check_connections(faults, path, args)
    elif not args.keys() & {"rules", "grpc_rules"}:
        faults.add(at(path, "rules"), "found neither rules nor grpc_rules, expected one of them")
    for field in ("rules", "ingress_rules"):
        if field in args and "grpc_rules" in args:
            where = at(path, field)
            faults.add(where, f"found both grpc_rules and {field}, expected one of them")
    check_rules(faults, path, args)
    _check_cors(faults, path, args)
    if args.get("grants"):
        for field in ("rules", "grpc_rules", "ingress_rules"):
            check_backends(faults, at(path, field), args.get(field))
    _check_names(faults, path, args)
    _check_gateway(faults, path, args)
    _check_waypoint(faults, path, args)
    _check_traffic(faults, path, args)
    check_policy_names(faults, path, args)
    check_provider(faults, path, args)
    _check_identity(faults, path, args)
    _check_verification(faults, path, args)


def _check_inward(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Nothing is for a gateway where clients in the mesh alone reach a service."""
    why = "is for a gateway: without hostnames is none"
    if "ingress_rules" in args:
        faults.add(at(path, "ingress_rules"), why)
    for where, policy in each(path, args, "policies"):
        if policy.get("from_gateway"):
            faults.add(at(where, "from_gateway"), why)


def _check_cors(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """No rule of a proxy is for other origins where that judges requests before."""
    gateway = args.get("gateway", {})
    for rules, proxy, judging, before, advice in (
        ("rules", "waypoint", args, "", "Put it into ingress_rules"),
        ("ingress_rules", "gateway", gateway, "gateway.", "Let the waypoint judge instead"),
    ):
        found = [f"{before}{field}" for field in ("policies", "jwt_rules") if judging.get(field)]
        for where, rule in each(path, args, rules) if found else ():
            for place, filter_ in each(where, rule, "filters"):
                if filter_["type"] == "CORS":
                    faults.add(
                        place,
                        f"found CORS beside {' and '.join(found)}, by which the {proxy} goes first:"
                        " preflights bring nothing to be let through by, and what is refused has no"
                        f" header for other origins. {advice}",
                    )


def _check_gateway_part(faults: Faults, path: str, part: Mapping[str, Any]) -> None:
    check_existing(faults, path, part, "dns", "listener_set")
    if "existing" in part and "targets" in part.get("dns", {}):
        faults.add(
            at(path, "dns.targets"),
            "found beside existing, whose Gateway says what records point to. Set it there",
        )
    if "listener_set" in part and "existing" not in part:
        faults.add(
            at(path, "listener_set"), "is for an existing gateway; one of its own has listeners"
        )
    if "listener_set" in part and "listener_port" in part.get("existing", {}):
        faults.add(
            at(path, "existing.listener_port"), "found it beside listener_set, which has its own"
        )


def _check_gateway(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    part, where = args.get("gateway", {}), "gateway.tls"
    if "listener_set" in part:
        part, where = part["listener_set"], "gateway.listener_set.tls"
    tls = part.get("tls")
    if hostnames := args.get("hostnames", ()):
        known_tls = tls if valid.known(tls) else None
        check_hostnames(faults, path, hostnames, known_tls, at(path, where))
    if (field := demanded(tls)) and "verification" in args:
        found = f"{where}.mode MUTUAL" if field == "mode" else f"{where}.frontend"
        faults.add(
            at(path, "verification"),
            f"found beside {found}: its client has no certificate to show."
            " Leave it out, or use OPTIONAL_MUTUAL",
        )


def _check_traffic(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """A traffic policy has pods, is the only rule for them, and sees what it goes by."""
    if "traffic_policy" not in args:
        return
    where = at(path, "traffic_policy")
    if "external" in args["service"]:
        faults.add(where, "is for pods in the mesh, found it for an external service")
    elif "tls" in args["service"]:
        faults.add(
            where,
            "found beside service.tls, of which Istio makes a rule for the same Service: of both"
            " the waypoint goes by one. Leave one out",
        )
    if connections(args) and "consistentHash" in args["traffic_policy"].get("loadBalancer", {}):
        faults.add(
            at(where, "loadBalancer.consistentHash"),
            "goes by what is in requests, but the waypoint passes connections on unread",
        )


def _check_policy(faults: Faults, path: str, policy: Mapping[str, Any]) -> None:
    if policy.get("from_gateway") is not True:
        return
    if policy["action"] == "CUSTOM":
        faults.add(
            at(path, "from_gateway"), "found true, but CUSTOM does not tell identities apart"
        )
    if valid.known(policy["rules"]) and not policy["rules"]:
        faults.add(
            at(path, "rules"),
            "found none beside from_gateway; [{}] makes it be for every request of the gateway",
        )
    for where, rule in each(path, policy, "rules"):
        if "from" in rule:
            faults.add(
                at(where, "from"),
                "found beside from_gateway, by which it is for the gateway alone. Leave one out, or"
                " make another policy of it",
            )


def _check_identity(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """The gateway that policies name is known by its identity, or read from the cluster."""
    gateway = args.get("gateway", {}).get("existing", {})
    named = any(policy.get("from_gateway") is True for policy in args.get("policies", ()))
    if named and "host" in gateway and "service_account" not in gateway:
        faults.add(
            at(path, "gateway.existing.service_account"),
            "found nothing, expected the gateway's ServiceAccount, for from_gateway. Leave all out"
            " but name and namespace to have it read from the cluster",
        )


def _check_names(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Nothing that istiod makes for a Gateway is called like a Service of the exposure."""
    service = args.get("service", {})
    name: Any = service.get("name")
    if valid.service_name(name):
        return  # not known, or recorded already
    own = [name, *([names.canary(name)] if "canary" in service else [])]
    gateway, waypoint = args.get("gateway", {}), args.get("waypoint", {})
    made = {
        "gateway": known_name({**gateway, "name": names.gateway(name, gateway)}),
        "waypoint": names.waypoint(name, waypoint),
    }
    for part, generated in made.items():
        if isinstance(generated, str) and generated in own:
            field = "name_override" if "name_override" in args.get(part, {}) else "name"
            faults.add(
                at(path, f"{part}.{field}"),
                f"found {args.get(part, {})[field]!r}, for which istiod makes a Service"
                f" {generated!r}: it is one of the exposure's own. Choose another",
            )


def _check_waypoint(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    passes = args.get("waypoint", {}).get("waypoint_for", "service")
    if passes in ("workload", "none"):
        faults.add(
            at(path, "waypoint.waypoint_for"),
            f"found {passes!r}, expected 'service' or 'all': the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )
    service, waypoint = args["service"], args.get("waypoint", {})
    alone = binds({"service": service, "waypoint": waypoint}) == "Service"
    if alone and waypoint.get("ingress_use_waypoint"):
        faults.add(
            at(path, "waypoint.ingress_use_waypoint"),
            "is for all Services of a namespace, expected it beside binds: Namespace",
        )
    if alone and passes == "all":
        faults.add(
            at(path, "waypoint.waypoint_for"),
            "found 'all', expected 'service', or binds: Namespace, which binds the pods as well",
        )
    adopted = service.get("create", True) is False
    if args.get("require_waypoint") and "external" in service:
        faults.add(
            at(path, "require_waypoint"),
            "is for pods in the mesh, found it for an external service",
        )
    if args.get("require_waypoint") and adopted and "selector" not in service:
        faults.add(
            at(path, "service.selector"),
            "found nothing, expected the labels of the pods for which require_waypoint is",
        )


def _check_verification(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    verification = args.get("verification", {})
    _check_addresses(faults, path, args)
    grpc, tcp = "grpc_rules" in args, connections(args) == "TCP"
    low, high = (0, 16) if grpc else (100, 599)
    prefixes = _prefixes(args.get("rules", ()))
    checks = verification.get("checks", ())
    check_requests(faults, at(path, "verification.checks"), checks, grpc=grpc, tcp=tcp)
    for index, check in enumerate(checks):
        where = at(path, f"verification.checks[{index}]")
        match check:
            case {"path": str(asked), "status": int(status)}:
                faults.check(f"{where}.status", status, valid.Limit(low, high))
                if status // 100 == 2 and prefixes and not _passes(asked, prefixes):
                    faults.add(
                        where,
                        f"found {asked} to be answered {status}, but the waypoint lets through"
                        f" only {', '.join(prefixes)}. Change the rules or the check",
                    )
            case _:
                pass  # wrong by itself, or not known yet


def _check_addresses(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    gateway = args.get("gateway", {})
    if args.get("verification", {}).get("addresses") != "external" or "existing" in gateway:
        return
    found = gateway.get("service_type", "ClusterIP")
    if found in ("ClusterIP", "NodePort"):
        faults.add(
            at(path, "verification.addresses"),
            f"found external, but the gateway's service_type {found} has only an address inside the"
            " cluster. Set LoadBalancer, or ask for internal",
        )


def _prefixes(rules: Sequence[Any]) -> list[str]:
    """The path prefixes that `rules` let through; none where it is not they alone that decide."""
    prefixes: list[Any] = []
    for rule in rules:
        match rule:
            case {"paths": [*paths], **others} if not others:
                prefixes += paths
            case _:
                return []
    return prefixes if all(isinstance(prefix, str) for prefix in prefixes) else []


def _passes(asked: str, prefixes: Sequence[str]) -> bool:
    path = f"{asked.partition('?')[0]}/"
    return any(path.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes)


SCHEMA = (
    namespace.SCHEMA
    | workload.SCHEMA
    | external.SCHEMA
    | listeners.SCHEMA
    | waypoint.SCHEMA
    | gateway_args.SCHEMA
    | routes.SCHEMA
    | authorization.SCHEMA
    | traffic_rules.SCHEMA
    | client.SCHEMA
    | probe.SCHEMA
    | Schema(
        {
            CanaryOptions: {"image": valid.image, "weight": valid.Limit(0, 100)},
            ServiceOptions: {
                "name": valid.service_name,
                "port": valid.port,
                "image": valid.image,
                "container_port": valid.port,
                "selector{}": valid.label_key,
                "selector[]": valid.label_value,
            },
            VerificationOptions: {
                "checks": valid.some,
                "image": valid.image,
                "pod": with_names,
                "timeout": valid.seconds,
            },
            AmbientExposureArgs: {
                "hostnames": valid.some,
                "hostnames[]": valid.hostname,
                "rules": valid.some,
                "grpc_rules": valid.some,
                "traffic_policy": valid.some,
                "jwt_rules": valid.some,
                "trust_domain": valid.hostname,
                "ready_timeout": valid.seconds,
            },
        },
        {
            ServiceOptions: _check_service,
            GatewayPart: _check_gateway_part,
            PolicyPart: _check_policy,
            WaypointPart: lambda *given: check_existing(*given, "ingress_use_waypoint", "binds"),
            AmbientExposureArgs: _check_exposure,
        },
        {
            ServiceOptions: ContainerOptions,
            CanaryOptions: ContainerOptions,
            GatewayPart: GatewayOptions,
            PolicyPart: PolicyArgs,
            WaypointPart: WaypointOptions,
        },
    )
)
"""What is checked of an exposure's arguments."""
