"""The parts of an exposure, each made by it, shared with others, or left out."""

from typing import Any, Generic, Literal, TypeVar, cast

import pulumi

from ..api.gateway_types import HTTPBackendRef
from ..api.outputs import after
from ..parts.authorization import Authorization, AuthorizationOptions
from ..parts.client import Client, ClientArgs, ClientReference
from ..parts.gateway import GatewayReference, IngressGateway
from ..parts.grant import backends_elsewhere, grant
from ..parts.namespace import Namespace
from ..parts.route import Attachment, RoutingArgs, RuleArgs
from ..parts.waypoint import Waypoint, WaypointBinding, WaypointOptions, WaypointReference
from ..parts.workload import AdoptedService, ContainerOptions, Workload, WorkloadArgs
from .arguments import AmbientExposureArgs, ServiceOptions

T = TypeVar("T")

CLIENT = "curl"
"""Name of the client's ServiceAccount, Service and Deployment, as in Istio's sample."""


class Part(Generic[T]):
    """A part that an exposure may make or be given, or go without."""

    def __init__(self, made: T, applied: pulumi.Input[Any] = None) -> None:
        self.made = made
        self.applied = applied


def namespace(
    name: str, args: AmbientExposureArgs, opts: pulumi.ResourceOptions
) -> Part[pulumi.Output[str]]:
    """The name of the namespace."""
    if "shared_namespace" in args:
        return Part(pulumi.Output.from_input(args["shared_namespace"]))
    made = Namespace(name, args["namespace"], opts)
    return Part(made.name, made.applied)


def workload(
    name: str,
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> Part[pulumi.Output[str]]:
    """The name of the Service."""
    service = args["service"]
    labelled = not args.get("waypoint", {}).get("ingress_use_waypoint", False)
    if service.get("create", True):
        made = Workload(name, _deployed(args, namespace, service, labelled=labelled), opts)
        return Part(made.service, made.applied)
    adopted = AdoptedService(
        name,
        {
            "name": service["name"],
            "namespace": namespace.made,
            "ingress_use_waypoint": labelled,
        },
        opts,
    )
    return Part(adopted.service, adopted.applied)


def canary(
    name: str,
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> Part[pulumi.Output[str] | None]:
    """The name of the second version's Service."""
    if "canary" not in args["service"]:
        return Part(None)
    canary = args["service"]["canary"]
    version = {**args["service"], **canary, "name": f"{args['service']['name']}-canary"}
    deployed = _deployed(args, namespace, cast("ServiceOptions", version), labelled=False)
    made = Workload(f"{name}-canary", deployed, opts)
    return Part(made.service, made.applied)


def _deployed(
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
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


def backends(
    args: AmbientExposureArgs,
    workload: Part[pulumi.Output[str]],
    canary: Part[pulumi.Output[str] | None],
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


def waypoint(
    name: str,
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> Part[WaypointReference]:
    """The waypoint, and the binding of the namespace to it."""
    if "shared_waypoint" in args:
        shared = args["shared_waypoint"]
        ingress = args.get("waypoint", {}).get("ingress_use_waypoint", False)
        if not args.get("bind", True):
            return Part(shared, shared["name"])
        binding = WaypointBinding(
            name,
            {"namespace": namespace.made, "waypoint": shared, "ingress_use_waypoint": ingress},
            opts,
        )
        return Part(shared, binding.applied)
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
    return Part(made.reference, made.applied)


def gateway(
    name: str,
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> Part[GatewayReference]:
    """The ingress gateway."""
    if "shared_gateway" in args:
        return Part(args["shared_gateway"])
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
    return Part(made.reference, made.applied)


def waypoint_routing(args: AmbientExposureArgs) -> RoutingArgs:
    """What the waypoint does with requests."""
    if "grpc_rules" in args:
        return {"grpc_rules": args["grpc_rules"]}
    return {"rules": args["rules"]}


def ingress_routing(args: AmbientExposureArgs) -> RoutingArgs:
    """What the gateway does with requests."""
    if "grpc_rules" in args:
        return {"grpc_rules": [{}]}
    everything: RuleArgs = {}
    return {"rules": args.get("ingress_rules", [everything])}


def granted(
    name: str,
    route: Literal["waypoint-route", "ingress"],
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
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


def authorization(
    name: str,
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
    waypoint: Part[WaypointReference],
    opts: pulumi.ResourceOptions,
) -> Part[None]:
    """Who may send what; nothing is made of it."""
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
    return Part(None, [one.applied for one in made])


def attachment(gateway: GatewayReference) -> Attachment:
    """Where the ingress route attaches."""
    found: Attachment = {"gateway": gateway["name"], "gateway_namespace": gateway["namespace"]}
    if "listener_port" in gateway:
        found["listener_port"] = gateway["listener_port"]
    return found


def client(
    name: str,
    args: AmbientExposureArgs,
    namespace: Part[pulumi.Output[str]],
    opts: pulumi.ResourceOptions,
) -> ClientReference:
    """The client that verifies the exposure."""
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
    return Client(f"{name}-client", client, opts).reference
