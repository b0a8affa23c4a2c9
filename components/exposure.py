"""A service of the ambient mesh, exposed through an ingress gateway and a waypoint."""

from typing import Any, Generic, Literal, TypeVar, cast

import pulumi

from components.authorization import Authorization, AuthorizationOptions
from components.client import Client, ClientArgs, ClientReference
from components.exposure_rules import SCHEMA
from components.exposure_types import AmbientExposureArgs, ServiceOptions
from components.gateway import GatewayReference, IngressGateway
from components.gateway_api_types import HTTPBackendRef
from components.grant import backends_elsewhere, grant
from components.namespace import Namespace
from components.outputs import after
from components.probe import Probe, ProbeArgs, command, fingerprint
from components.route import Attachment, IngressRoute, RoutingArgs, RuleArgs, WaypointRoute
from components.waypoint import Waypoint, WaypointBinding, WaypointOptions, WaypointReference
from components.workload import AdoptedService, ContainerOptions, Workload, WorkloadArgs

T = TypeVar("T")

CLIENT = "curl"
"""Name of the client's ServiceAccount, Service and Deployment, as in Istio's sample."""


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
                "name": _granted(name, "waypoint-route", args, namespace, inside),
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
                "name": _granted(name, "ingress", args, namespace, inside),
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
    route: Literal["waypoint-route", "ingress"],
    args: AmbientExposureArgs,
    namespace: _Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> pulumi.Input[str]:
    """The name of a route, known once what its rules refer to is granted."""
    granted = f"{args['service']['name']}-{route}"
    if not args.get("grants"):
        return granted
    kind = "GRPCRoute" if "grpc_rules" in args else "HTTPRoute"
    rules: dict[str, list[Any]] = {
        "waypoint-route": [*args.get("rules", []), *args.get("grpc_rules", [])],
        "ingress": [*args.get("ingress_rules", [])],
    }
    by = (kind, namespace.made, granted)
    return after(
        granted,
        *(
            grant(f"{name}-{route}", elsewhere, ("Service", services), by, opts)
            for elsewhere, services in backends_elsewhere(rules[route]).items()
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
    principal = pulumi.Output.format(
        "{}/ns/{}/sa/{}",
        args.get("trust_domain", "cluster.local"),
        waypoint.made["namespace"],
        waypoint.made["name"],
    )
    versions = [("", given)]
    if args.get("require_waypoint"):
        selector = service.get("selector", {"app": service["name"]})
        given["required_waypoint"] = {"principal": principal, "selector": selector}
        if "canary" in service:
            pods = {"app": f"{service['name']}-canary"}
            versions.append(
                ("-canary", {"required_waypoint": {"principal": principal, "selector": pods}})
            )
    made = [
        Authorization(
            f"{name}{suffix}",
            {
                **options,
                "name": f"{service['name']}{suffix}",
                "namespace": namespace.made,
                # Bound before anything is enforced at the waypoint.
                "service": after(f"{service['name']}{suffix}", waypoint.applied),
                "ready_timeout": args.get("ready_timeout", 300),
            },
            opts,
        )
        for suffix, options in versions
        if options
    ]
    return _Part(None, [one.applied for one in made])


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
