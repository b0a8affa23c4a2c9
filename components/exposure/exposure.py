"""A service of the ambient mesh, exposed through an ingress gateway and a waypoint."""

import pulumi

from ..api.outputs import after
from ..parts.gateway import GatewayReference
from ..parts.probe import Probe, ProbeArgs, call, command, fingerprint
from ..parts.route import IngressRoute, WaypointRoute
from ..parts.waypoint import WaypointReference
from . import assembly as parts
from .arguments import AmbientExposureArgs
from .rules import SCHEMA


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
    """A `curl` command for each host name, to be run where `host` can be reached; for a gRPC
    service one of `grpcurl`."""
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

        namespace = parts.namespace(name, args, inside)
        workload = parts.workload(name, args, namespace, inside)
        canary = parts.canary(name, args, namespace, inside)
        waypoint = parts.waypoint(name, args, namespace, inside)
        gateway = parts.gateway(name, args, namespace, inside)
        waypoint_route = WaypointRoute(
            f"{name}-waypoint",
            {
                **parts.waypoint_routing(args),
                "name": parts.granted(name, "waypoint-route", args, namespace, inside),
                "namespace": namespace.made,
                "service": workload.made,
                "port": port,
                "backends": parts.backends(args, workload, canary),
                "ready_timeout": ready_timeout,
            },
            inside,
        )
        authorization = parts.authorization(name, args, namespace, waypoint, inside)
        ingress_route = IngressRoute(
            f"{name}-ingress",
            {
                **parts.ingress_routing(args),
                **parts.attachment(gateway.made),
                "name": parts.granted(name, "ingress", args, namespace, inside),
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
            client = parts.client(name, args, namespace, inside)
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
        send = call if "grpc_rules" in args else command
        self.commands = self.url.apply(
            lambda url: [
                send(url, hostname, _path(args), self_signed=self_signed)
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
