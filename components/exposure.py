"""A service of the ambient mesh, exposed through an ingress gateway and a waypoint."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NotRequired, TypedDict, TypeVar, cast

import pulumi

from components import authorization as authorizations
from components import gateway as gateways
from components import namespace as namespaces
from components import probe as probes
from components import route as routes
from components import validation as valid
from components import waypoint as waypoints
from components import workload as workloads
from components.authorization import Authorization, AuthorizationOptions, PolicyArgs
from components.client import Client, ClientArgs, ClientReference
from components.gateway import (
    GatewayOptions,
    GatewayReference,
    IngressGateway,
    check_hostnames,
)
from components.gateway_api_types import GRPCRouteRule, HTTPBackendRef
from components.grant import backends_elsewhere, grant
from components.istio_api_types import JWTRule
from components.namespace import Namespace, NamespaceArgs
from components.outputs import after
from components.probe import CheckArgs, Probe, ProbeArgs, command, fingerprint
from components.route import Attachment, IngressRoute, RoutingArgs, RuleArgs, WaypointRoute
from components.schema import Schema, at, known
from components.validation import Faults
from components.waypoint import Waypoint, WaypointBinding, WaypointOptions, WaypointReference
from components.workload import (
    AdoptedService,
    ContainerOptions,
    Workload,
    WorkloadArgs,
    check_container_port,
)

T = TypeVar("T")

CLIENT = "curl"
"""Name of the client's ServiceAccount, Service and Deployment, as in Istio's sample."""


class CanaryOptions(ContainerOptions):
    """A second version of the workload; what is left out is as in the first one.

    It gets a Service of its own, `<service>-canary`. To end: take over its image and drop it.
    """

    image: str
    """Image of the version."""
    weight: int
    """Share of the requests that it gets, in percent, 0 to 100."""


class ServiceOptions(ContainerOptions):
    """The service and the workload behind it."""

    name: str
    """Name of the Service; Gateways and routes are named after it."""
    port: int
    """Port of the Service."""
    create: NotRequired[bool]
    """Deploy it with its workload (default); false adopts a Service that exists."""
    image: NotRequired[str]
    """Image of the workload; required where it is deployed."""
    container_port: NotRequired[int]
    """Port on which the image listens, unprivileged; required where it is deployed."""
    canary: NotRequired[CanaryOptions]
    """A second version that gets a share of the requests (default none)."""
    selector: NotRequired[Mapping[str, str]]
    """Labels of the pods behind an adopted Service; required for `require_waypoint`."""


class VerificationOptions(TypedDict):
    """The requests that prove the exposure, and the client that sends them."""

    namespace: NotRequired[str]
    """Namespace of the client, created for it and removed with the stack; required without
    `client`."""
    client: NotRequired[ClientReference]
    """The client, where another part of the program makes it."""
    image: str
    """Image of the client, with a shell and curl."""
    checks: Sequence[CheckArgs]
    """Requests in order, first one that the service answers."""
    timeout: NotRequired[int]
    """Seconds within which all must be answered as expected (default 60)."""
    subject: NotRequired[pulumi.Input[Any]]
    """What else the requests prove; they are repeated when it changes (default nothing)."""


class AmbientExposureArgs(TypedDict):
    """What an `AmbientExposure` is made of."""

    namespace: NotRequired[NamespaceArgs]
    """The namespace of the service and of everything that exposes it."""
    shared_namespace: NotRequired[pulumi.Input[str]]
    """The namespace, where another part of the program enrols it: `Namespace.name`."""
    service: ServiceOptions
    """The service that is exposed."""
    hostnames: Sequence[str]
    """Host names under which it is exposed, each a listener of the gateway."""
    rules: NotRequired[Sequence[RuleArgs]]
    """The requests that the waypoint lets through, and what it does with them; all else is answered
    with 404. Required without `grpc_rules`."""
    grpc_rules: NotRequired[Sequence[GRPCRouteRule]]
    """The same for a gRPC service; all else is answered `UNIMPLEMENTED`."""
    ingress_rules: NotRequired[Sequence[RuleArgs]]
    """What the gateway does with the requests (default: send all of them to the service)."""
    grants: NotRequired[bool]
    """Make ReferenceGrants for the backends of other namespaces that rules name (default false: who
    owns such a namespace has to)."""
    gateway: NotRequired[GatewayOptions]
    """The ingress gateway."""
    shared_gateway: NotRequired[GatewayReference]
    """The ingress gateway, where it is shared: `IngressGateway.reference`."""
    waypoint: NotRequired[WaypointOptions]
    """The waypoint."""
    shared_waypoint: NotRequired[WaypointReference]
    """The waypoint, where it is shared: `Waypoint.reference`."""
    policies: NotRequired[Sequence[PolicyArgs]]
    """AuthorizationPolicies of the Service, enforced by the waypoint (default none)."""
    jwt_rules: NotRequired[Sequence[JWTRule]]
    """Tokens that the waypoint checks (default none)."""
    require_waypoint: NotRequired[bool]
    """Let only the waypoint reach the pods, which ztunnel enforces (default false)."""
    trust_domain: NotRequired[str]
    """Trust domain of the mesh, for `require_waypoint` (default `cluster.local`)."""
    verification: NotRequired[VerificationOptions]
    """Requests that must be answered before the update ends; none are sent where it is left out."""
    ready_timeout: NotRequired[int]
    """Seconds that each object may take to become ready (default 300)."""


class AmbientExposure(pulumi.ComponentResource):
    """Makes a service inside the mesh reachable from outside, layer 7 rules enforced.

    A request goes through the ingress gateway, then the waypoint, whose routes decide whether it
    reaches the service. Raises `InvalidInput` with every fault of `args` before anything is
    registered.

    https://istio.io/latest/docs/ambient/usage/l7-features/
    """

    host: pulumi.Output[str]
    """Address of the ingress gateway."""
    port: pulumi.Output[int]
    """Port of the ingress gateway."""
    url: pulumi.Output[str]
    """`http://host:port` or `https://host:port`, an IPv6 host in brackets."""
    gateway_reference: GatewayReference
    """The ingress gateway: every address, in-cluster name, NodePort, conditions, certificate."""
    waypoint_reference: WaypointReference
    """The waypoint: address, conditions."""
    commands: pulumi.Output[list[str]]
    """A `curl` command for each host name, to be run where `host` can be reached."""
    verified: pulumi.Output[list[str]]
    """Each request of the verification with its status, known once it was answered so; empty
    without a verification."""

    def __init__(
        self, name: str, args: AmbientExposureArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"AmbientExposure {name!r}", args, AmbientExposureArgs)
        super().__init__("ambient:index:AmbientExposure", name, {**args}, opts)
        inside = pulumi.ResourceOptions(parent=self)
        service = args["service"]["name"]
        port = args["service"]["port"]
        ready_timeout = args.get("ready_timeout", 300)

        namespace = _namespace(name, args, inside)
        workload = _workload(name, args, namespace, inside)
        canary = _canary(name, args, namespace, inside)
        waypoint = _waypoint(name, args, namespace, inside)
        gateway = _gateway(name, args, namespace, inside)
        waypoint_route = WaypointRoute(
            f"{name}-waypoint",
            {
                **_waypoint_routing(args),
                "name": _granted(f"{name}-waypoint", args, namespace, inside),
                "namespace": namespace.made,
                "service": workload.made,
                "port": port,
                "backends": _backends(args, workload, canary),
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        authorization = _authorization(name, args, namespace, waypoint, inside)
        ingress_route = IngressRoute(
            f"{name}-ingress",
            {
                **_ingress_routing(args),
                **_attachment(gateway.made),
                "name": f"{service}-ingress",
                "namespace": namespace.made,
                "hostnames": args["hostnames"],
                # Nothing reaches the service before the waypoint lets through only what it should,
                # nor after the waypoint has ceased to.
                "service": after(
                    workload.made, waypoint.applied, waypoint_route.name, authorization.applied
                ),
                "port": port,
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        subject = fingerprint(
            namespace.applied,
            workload.applied,
            waypoint.applied,
            gateway.applied,
            ingress_route.applied,
            waypoint_route.applied,
            canary.applied,
            authorization.applied,
            args.get("verification", {}).get("subject"),
        )
        self.verified = pulumi.Output.from_input([])
        if verification := args.get("verification"):
            client = _client(name, args, namespace, inside)
            probe: ProbeArgs = {
                "name": f"{service}-probe",
                "namespace": client["namespace"],
                "account": client["account"],
                "image": verification["image"],
                "urls": gateway.made["urls"],
                "hostnames": args["hostnames"],
                "checks": verification["checks"],
                "grpc": "grpc_rules" in args,
                "subject": subject,
                "timeout": verification.get("timeout", 60),
            }
            if "certificate" in gateway.made:
                probe["certificate"] = gateway.made["certificate"]
            self.verified = Probe(f"{name}-probe", probe, inside).answers
        self.gateway_reference, self.waypoint_reference = gateway.made, waypoint.made
        self.host = pulumi.Output.from_input(gateway.made["host"])
        self.port = pulumi.Output.from_input(gateway.made["port"])
        self.url = pulumi.Output.from_input(gateway.made["url"])
        self_signed = "certificate" in gateway.made
        self.commands = self.url.apply(
            lambda url: [
                command(url, hostname, _path(args), self_signed=self_signed)
                for hostname in args["hostnames"]
            ]
        )
        self.register_outputs(
            {"host": self.host, "port": self.port, "url": self.url, "verified": self.verified}
        )


def _path(args: AmbientExposureArgs) -> str:
    """A path that the service answers."""
    checks = args["verification"]["checks"] if "verification" in args else [{"path": "/"}]
    return str(checks[0]["path"])


class _Part(Generic[T]):
    """A part that an exposure may make or be given, or go without."""

    def __init__(self, made: T, applied: pulumi.Input[Any] = None) -> None:
        self.made = made
        self.applied = applied


def _namespace(
    name: str, args: AmbientExposureArgs, opts: pulumi.ResourceOptions
) -> _Part[pulumi.Output[str]]:
    """The name of the namespace."""
    if "shared_namespace" in args:
        return _Part(pulumi.Output.from_input(args["shared_namespace"]))
    made = Namespace(name, args["namespace"], opts)
    return _Part(made.name, made.applied)


def _workload(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> _Part[pulumi.Output[str]]:
    """The name of the Service."""
    service = args["service"]
    labelled = not args.get("waypoint", {}).get("ingress_use_waypoint", False)
    if service.get("create", True):
        made = Workload(name, _deployed(args, namespace, service, labelled=labelled), opts)
        return _Part(made.service, made.applied)
    adopted = AdoptedService(
        name,
        {
            "name": service["name"],
            "namespace": namespace.made,
            "ingress_use_waypoint": labelled,
        },
        opts,
    )
    return _Part(adopted.service, adopted.applied)


def _canary(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> _Part[pulumi.Output[str] | None]:
    """The name of the second version's Service."""
    if "canary" not in args["service"]:
        return _Part(None)
    canary = args["service"]["canary"]
    version = {**args["service"], **canary, "name": f"{args['service']['name']}-canary"}
    deployed = _deployed(args, namespace, cast("ServiceOptions", version), labelled=False)
    made = Workload(f"{name}-canary", deployed, opts)
    return _Part(made.service, made.applied)


def _deployed(
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    service: ServiceOptions,
    *,
    labelled: bool,
) -> WorkloadArgs:
    container = {key: value for key, value in service.items() if key in _CONTAINER}
    return {
        **cast("ContainerOptions", container),
        "name": service["name"],
        "namespace": namespace.made,
        "image": service["image"],
        "port": service["port"],
        "container_port": service["container_port"],
        "ingress_use_waypoint": labelled,
        "ready_timeout": args.get("ready_timeout", 300),
    }


_CONTAINER = ContainerOptions.__annotations__.keys()


def _backends(
    args: AmbientExposureArgs,
    workload: _Part[pulumi.Output[str]],
    canary: _Part[pulumi.Output[str] | None],
) -> list[HTTPBackendRef]:
    """The Services that share the requests."""
    port = args["service"]["port"]
    if canary.made is None:
        return [{"name": workload.made, "port": port}]
    weight = args["service"]["canary"]["weight"]
    return [
        {"name": workload.made, "port": port, "weight": 100 - weight},
        {"name": canary.made, "port": port, "weight": weight},
    ]


def _waypoint(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> _Part[WaypointReference]:
    if "shared_waypoint" in args:
        shared = args["shared_waypoint"]
        ingress = args.get("waypoint", {}).get("ingress_use_waypoint", False)
        binding = WaypointBinding(
            name,
            {"namespace": namespace.made, "waypoint": shared, "ingress_use_waypoint": ingress},
            opts,
        )
        return _Part(shared, binding.applied)
    options: WaypointOptions = args.get("waypoint", {})
    made = Waypoint(
        name,
        {
            **options,
            "bind": True,
            "name": f"{args['service']['name']}-waypoint",
            "namespace": namespace.made,
            "ready_timeout": args.get("ready_timeout", 300),
        },
        opts,
    )
    return _Part(made.reference, made.applied)


def _gateway(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> _Part[GatewayReference]:
    if "shared_gateway" in args:
        return _Part(args["shared_gateway"])
    made = IngressGateway(
        name,
        {
            **args.get("gateway", {}),
            "name": f"{args['service']['name']}-gateway",
            "namespace": namespace.made,
            "hostnames": args["hostnames"],
            "ready_timeout": args.get("ready_timeout", 300),
        },
        opts,
    )
    return _Part(made.reference, made.applied)


def _waypoint_routing(args: AmbientExposureArgs) -> RoutingArgs:
    if "grpc_rules" in args:
        return {"grpc_rules": args["grpc_rules"]}
    return {"rules": args["rules"]}


def _ingress_routing(args: AmbientExposureArgs) -> RoutingArgs:
    if "grpc_rules" in args:
        return {"grpc_rules": [{}]}
    everything: RuleArgs = {}
    return {"rules": args.get("ingress_rules", [everything])}


def _granted(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> pulumi.Input[str]:
    """The name of the waypoint's route, known once what it refers to is granted."""
    route = f"{args['service']['name']}-waypoint-route"
    if not args.get("grants"):
        return route
    kind = "GRPCRoute" if "grpc_rules" in args else "HTTPRoute"
    by = (kind, namespace.made, route)
    rules = [*args.get("rules", []), *args.get("grpc_rules", [])]
    return after(
        route,
        *(
            grant(name, elsewhere, ("Service", services), by, opts)
            for elsewhere, services in backends_elsewhere(rules).items()
        ),
    )


def _authorization(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    waypoint: _Part[WaypointReference],
    opts: pulumi.ResourceOptions,
) -> _Part[None]:
    service = args["service"]
    given: AuthorizationOptions = {}
    if "policies" in args:
        given["policies"] = args["policies"]
    if "jwt_rules" in args:
        given["jwt_rules"] = args["jwt_rules"]
    if args.get("require_waypoint"):
        given["required_waypoint"] = {
            "principal": pulumi.Output.format(
                "{}/ns/{}/sa/{}",
                args.get("trust_domain", "cluster.local"),
                waypoint.made["namespace"],
                waypoint.made["name"],
            ),
            "selector": service.get("selector", {"app": service["name"]}),
        }
    if not given:
        return _Part(None)
    made = Authorization(
        name,
        {
            **given,
            "name": service["name"],
            "namespace": namespace.made,
            # Bound before anything is enforced at the waypoint.
            "service": after(service["name"], waypoint.applied),
            "ready_timeout": args.get("ready_timeout", 300),
        },
        opts,
    )
    return _Part(None, made.applied)


def _attachment(gateway: GatewayReference) -> Attachment:
    """Where the ingress route attaches."""
    found: Attachment = {"gateway": gateway["name"], "gateway_namespace": gateway["namespace"]}
    if "listener_port" in gateway:
        found["listener_port"] = gateway["listener_port"]
    return found


def _client(
    name: str,
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> ClientReference:
    verification = args["verification"]
    if "client" in verification:
        return verification["client"]
    client: ClientArgs = {
        "name": CLIENT,
        "namespace": verification["namespace"],
        "discovery_labels": args.get("namespace", {}).get("discovery_labels", {}),
        "image": verification["image"],
        "service_namespace": namespace.made,
        "ready_timeout": args.get("ready_timeout", 300),
    }
    if "revision" in args.get("namespace", {}):
        client["revision"] = args["namespace"]["revision"]
    return Client(f"{name}-client", client, opts).reference


def _check_service(faults: Faults, path: str, service: Mapping[str, Any]) -> None:
    needed = ("image", "container_port")
    if service.get("create", True):
        for field in needed:
            if field not in service:
                faults.add(at(path, field), "found nothing, expected it for a service to deploy")
        check_container_port(faults, path, service)
        return
    for field in (*needed, *ContainerOptions.__annotations__, "canary"):
        if field in service:
            faults.add(at(path, field), "is for a service to deploy; this one is adopted")


def _check_exclusive(faults: Faults, args: Mapping[str, Any], one: str, other: str) -> bool:
    if one in args and other in args:
        faults.add(other, f"found both {one} and {other}, expected one of them")
    return one in args and other in args


def _check_routing(faults: Faults, args: Mapping[str, Any]) -> None:
    if not args.keys() & {"rules", "grpc_rules"}:
        faults.add("rules", "found neither rules nor grpc_rules, expected one of them")
    _check_exclusive(faults, args, "rules", "grpc_rules")
    if "grpc_rules" in args and "ingress_rules" in args:
        faults.add("ingress_rules", "found beside grpc_rules, which the gateway only passes on")


def _check_gateway(faults: Faults, args: Mapping[str, Any]) -> None:
    if not _check_exclusive(faults, args, "gateway", "shared_gateway"):
        tls = args.get("gateway", {}).get("tls")
        if "shared_gateway" in args:
            check_hostnames(faults, "", args["hostnames"], None)
        else:
            check_hostnames(faults, "", args["hostnames"], tls)
        if tls and tls.get("mode") == "MUTUAL" and "verification" in args:
            faults.add(
                "verification",
                "found beside gateway.tls.mode MUTUAL: its client has no certificate to show."
                " Leave it out, or use OPTIONAL_MUTUAL",
            )


def _check_waypoint(faults: Faults, args: Mapping[str, Any]) -> None:
    waypoint = args.get("waypoint", {})
    if "shared_waypoint" in args:
        for field in waypoint.keys() - {"ingress_use_waypoint"}:
            faults.add(f"waypoint.{field}", "is for a waypoint of its own; this one is shared")
    if (passes := waypoint.get("waypoint_for", "service")) in ("workload", "none"):
        faults.add(
            "waypoint.waypoint_for",
            f"found {passes!r}, expected 'service' or 'all': the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )
    service = args["service"]
    adopted = not service.get("create", True)
    if args.get("require_waypoint") and adopted and "selector" not in service:
        faults.add(
            "service.selector",
            "found nothing, expected the labels of the pods for which require_waypoint is",
        )


def _check_verification(faults: Faults, args: Mapping[str, Any]) -> None:
    if "verification" not in args:
        return
    verification = args["verification"]
    if not verification.keys() & {"namespace", "client"}:
        faults.add("verification.namespace", "found nothing, expected one, or a client")
    own = args.get("namespace", {}).get("name")
    if own is not None and verification.get("namespace") == own:
        faults.add("verification.namespace", "must not be the namespace of the service")
    low, high = (0, 16) if "grpc_rules" in args else (100, 599)
    for index, check in enumerate(verification["checks"]):
        where = f"verification.checks[{index}].status"
        faults.check(where, check["status"], valid.number(low, high))
    _check_first_answer(faults, args, verification["checks"])


def _check_first_answer(
    faults: Faults, args: Mapping[str, Any], checks: Sequence[CheckArgs]
) -> None:
    """Record a check that no rule lets through, as far as that can be seen."""
    rules = args.get("rules", [])
    if not all(rule.keys() == {"paths"} and all(map(known, rule["paths"])) for rule in rules):
        return
    prefixes = [str(path) for rule in rules for path in rule["paths"]]
    for index, check in enumerate(checks):
        path = f"{check['path'].partition('?')[0]}/"
        through = any(path.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes)
        if check["status"] // 100 == 2 and rules and not through:
            faults.add(
                f"verification.checks[{index}]",
                f"found {check['path']} to be answered {check['status']}, but the waypoint lets"
                f" through only {', '.join(prefixes)}. Change the rules or the check",
            )


def _check_exposure(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    del path  # an exposure is the root of its arguments
    if not args.keys() & {"namespace", "shared_namespace"}:
        faults.add(
            "namespace", "found neither namespace nor shared_namespace, expected one of them"
        )
    _check_exclusive(faults, args, "namespace", "shared_namespace")
    _check_routing(faults, args)
    _check_gateway(faults, args)
    _check_waypoint(faults, args)
    _check_verification(faults, args)


SCHEMA = (
    namespaces.SCHEMA
    | workloads.SCHEMA
    | waypoints.SCHEMA
    | gateways.SCHEMA
    | routes.SCHEMA
    | authorizations.SCHEMA
    | probes.SCHEMA
    | Schema(
        {
            CanaryOptions: {"image": valid.image, "weight": valid.number(0, 100)},
            ServiceOptions: {
                "name": valid.service_name,
                "port": valid.port,
                "image": valid.image,
                "container_port": valid.port,
                "selector": valid.labels,
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
