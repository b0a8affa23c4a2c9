"""A service of the ambient mesh, exposed through an ingress gateway and a waypoint."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, get_args

import pulumi

from components import validation as valid
from components.client import Client
from components.gateway import IngressGateway, ServiceType
from components.namespace import Namespace, NamespaceArgs
from components.outputs import after
from components.probe import CheckArgs, Probe, fingerprint
from components.route import IngressRoute, RuleArgs, WaypointRoute
from components.waypoint import Waypoint
from components.workload import Workload

CLIENT = "curl"
"""Name of the client's ServiceAccount, Service and Deployment, as in Istio's sample."""


class ServiceOptions(TypedDict):
    """The service and the workload behind it."""

    name: str
    """Name of the Service; Gateways and routes are named after it."""
    port: int
    """Port of the Service."""
    image: str
    """Image of the workload."""
    container_port: int
    """Port on which the image listens, unprivileged."""


class GatewayOptions(TypedDict):
    """The ingress gateway."""

    service_type: NotRequired[ServiceType]
    """`ClusterIP` (default) or `LoadBalancer`."""
    port: NotRequired[int]
    """Port on which it listens (default 80)."""
    gateway_class: NotRequired[str]
    """GatewayClass (default `istio`)."""
    cluster_domain: NotRequired[str]
    """DNS domain of the cluster (default `cluster.local`)."""


class WaypointOptions(TypedDict):
    """The waypoint."""

    gateway_class: NotRequired[str]
    """GatewayClass (default `istio-waypoint`)."""


class VerificationOptions(TypedDict):
    """The requests that prove the exposure, and the client that sends them."""

    namespace: str
    """Namespace of the client, created for it and removed with the stack."""
    image: str
    """Image of the client, with a shell and curl."""
    checks: Sequence[CheckArgs]
    """Requests in order, first one that the service answers."""
    timeout: NotRequired[int]
    """Seconds within which all must be answered as expected (default 60)."""


class AmbientExposureArgs(TypedDict):
    """What an `AmbientExposure` is made of."""

    namespace: NamespaceArgs
    """The namespace of the service and of everything that exposes it."""
    service: ServiceOptions
    """The service that is exposed."""
    hostnames: Sequence[str]
    """Host names under which it is exposed, each a listener of the gateway."""
    rules: Sequence[RuleArgs]
    """The requests that the waypoint lets through; all else is answered with 404."""
    gateway: NotRequired[GatewayOptions]
    """The ingress gateway."""
    waypoint: NotRequired[WaypointOptions]
    """The waypoint."""
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
    """`http://host:port`, an IPv6 host in brackets."""
    verified: pulumi.Output[list[str]]
    """Each request of the verification with its status, known once it was answered so; empty
    without a verification."""

    def __init__(
        self, name: str, args: AmbientExposureArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        _validate(name, args)
        super().__init__("ambient:index:AmbientExposure", name, {**args}, opts)
        inside = pulumi.ResourceOptions(parent=self)
        service = args["service"]["name"]
        port = args["service"]["port"]
        ready_timeout = args.get("ready_timeout", 300)

        namespace = Namespace(name, args["namespace"], inside)
        workload = Workload(
            name,
            {**args["service"], "namespace": namespace.name, "ready_timeout": ready_timeout},
            inside,
        )
        waypoint = Waypoint(
            name,
            {
                **args.get("waypoint", {}),
                "name": f"{service}-waypoint",
                "namespace": namespace.name,
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        gateway = IngressGateway(
            name,
            {
                **args.get("gateway", {}),
                "name": f"{service}-gateway",
                "namespace": namespace.name,
                "hostnames": args["hostnames"],
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        waypoint_route = WaypointRoute(
            f"{name}-waypoint",
            {
                "name": f"{service}-waypoint-route",
                "namespace": namespace.name,
                "service": workload.service,
                "port": port,
                "rules": args["rules"],
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        ingress_route = IngressRoute(
            f"{name}-ingress",
            {
                "name": f"{service}-ingress",
                "namespace": namespace.name,
                "gateway": gateway.name,
                "gateway_namespace": namespace.name,
                "hostnames": args["hostnames"],
                # Nothing reaches the service before the waypoint lets through only what it should,
                # nor after the waypoint has ceased to.
                "service": after(workload.service, waypoint.name, waypoint_route.name),
                "port": port,
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        self.verified = pulumi.Output.from_input([])
        if verification := args.get("verification"):
            client = Client(
                f"{name}-client",
                {
                    "name": CLIENT,
                    "namespace": verification["namespace"],
                    "discovery_labels": args["namespace"].get("discovery_labels", {}),
                    "image": verification["image"],
                    "service_namespace": namespace.name,
                    "ready_timeout": ready_timeout,
                },
                inside,
            )
            self.verified = Probe(
                f"{name}-probe",
                {
                    "name": f"{service}-probe",
                    "namespace": client.namespace,
                    "account": client.account,
                    "image": verification["image"],
                    "urls": gateway.urls,
                    "hostnames": args["hostnames"],
                    "checks": verification["checks"],
                    "subject": fingerprint(
                        namespace.applied,
                        workload.applied,
                        waypoint.applied,
                        gateway.applied,
                        ingress_route.applied,
                        waypoint_route.applied,
                    ),
                    "timeout": verification.get("timeout", 60),
                },
                inside,
            ).answers
        self.host = gateway.host
        self.port = gateway.port
        self.url = gateway.url
        self.register_outputs(
            {"host": self.host, "port": self.port, "url": self.url, "verified": self.verified}
        )


def _validate(name: str, args: AmbientExposureArgs) -> None:
    """Raise `InvalidInput` with every fault of `args`, each with its path."""
    faults = valid.Faults(f"AmbientExposure {name!r}")
    namespace, service = args["namespace"], args["service"]
    faults.check("namespace.name", namespace["name"], valid.dns_label)
    faults.check("namespace.discovery_labels", namespace.get("discovery_labels", {}), valid.labels)
    faults.check("service.name", service["name"], valid.service_name)
    faults.check("service.port", service["port"], valid.port)
    faults.check("service.image", service["image"], valid.image)
    faults.check("service.container_port", service["container_port"], valid.unprivileged_port)
    faults.check("hostnames", args["hostnames"], valid.some)
    for index, hostname in enumerate(args["hostnames"]):
        faults.check(f"hostnames[{index}]", hostname, valid.hostname)
        if hostname in args["hostnames"][:index]:
            faults.add(f"hostnames[{index}]", f"{hostname} stands there already")
    faults.check("rules", args["rules"], valid.some)
    for rule_index, rule in enumerate(args["rules"]):
        faults.check(f"rules[{rule_index}].paths", rule["paths"], valid.some)
        for index, path in enumerate(rule["paths"]):
            faults.check(f"rules[{rule_index}].paths[{index}]", path, valid.path_prefix)
    gateway = args.get("gateway", {})
    faults.check(
        "gateway.service_type",
        gateway.get("service_type", "ClusterIP"),
        valid.one_of(*get_args(ServiceType)),
    )
    faults.check("gateway.port", gateway.get("port", 80), valid.port)
    faults.check("gateway.gateway_class", gateway.get("gateway_class", "istio"), valid.dns_label)
    faults.check(
        "gateway.cluster_domain", gateway.get("cluster_domain", "cluster.local"), valid.hostname
    )
    waypoint_class = args.get("waypoint", {}).get("gateway_class", "istio-waypoint")
    faults.check("waypoint.gateway_class", waypoint_class, valid.dns_label)
    faults.check("ready_timeout", args.get("ready_timeout", 300), valid.seconds)
    if verification := args.get("verification"):
        faults.check("verification.namespace", verification["namespace"], valid.dns_label)
        if verification["namespace"] == namespace["name"]:
            faults.add("verification.namespace", "must not be the namespace of the service")
        faults.check("verification.image", verification["image"], valid.image)
        faults.check("verification.timeout", verification.get("timeout", 60), valid.seconds)
        faults.check("verification.checks", verification["checks"], valid.some)
        for index, check in enumerate(verification["checks"]):
            faults.check(f"verification.checks[{index}].path", check["path"], valid.request_path)
            faults.check(f"verification.checks[{index}].status", check["status"], valid.http_status)
    faults.raise_any()
