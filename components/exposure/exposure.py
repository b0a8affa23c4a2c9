"""A service of the ambient mesh, exposed through an ingress gateway and a waypoint."""

from functools import cache
from typing import Any

import pulumi

from ..checks.schema import comparisons, trusted
from ..cluster.weights import require_reader
from ..parts.gateway_args import GatewayReference
from ..parts.namespace import namespace_of
from ..parts.probe import call, command, connect
from ..parts.waypoint import WaypointReference
from . import parts
from .arguments import AmbientExposureArgs, called_by, connections
from .parts import Bind, Exposing
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
    """`http://host:port` or `https://host:port`, an IPv6 host in brackets; for the protocols `tls`
    and `tcp` `tls://host:port` and `tcp://host:port`. Without a gateway these are those of the
    external service."""
    gateway_reference: GatewayReference
    """The ingress gateway: every address, in-cluster name, NodePort, conditions, certificate."""
    waypoint_reference: WaypointReference
    """The waypoint: address, conditions."""
    commands: pulumi.Output[list[str]]
    """A `curl` command for each host name, to be run where `host` can be reached; for a gRPC
    service one of `grpcurl`, for the protocol `tls` one of `openssl`, for `tcp` one of `nc`."""
    dns_records: pulumi.Output[list[dict[str, Any]]]
    """The DNS records that lead the host names to the gateway, for who makes them: `name`, `type`
    (`A`, `AAAA` or `CNAME`), `values`, and `ttl` where one is given; none for a gateway that has
    only its in-cluster name."""
    verified: pulumi.Output[list[str]]
    """Each request of the verification with its status, in an update known once it was answered
    so; empty without a verification."""

    def __init__(
        self,
        name: str,
        args: AmbientExposureArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        bind: Bind | None = None,
    ) -> None:
        """`bind` is for a stack, which binds each namespace once for all of its exposures."""
        SCHEMA.validate(f"AmbientExposure {name!r}", args, AmbientExposureArgs)
        require_reader(f"AmbientExposure {name!r}", args.get("weights"))
        if not comparisons:
            _say_that_nothing_was_compared()
        super().__init__("ambient:index:AmbientExposure", name, None, opts)
        with trusted():
            namespace = namespace_of(name, args["namespace"], pulumi.ResourceOptions(parent=self))
            exposing = Exposing(name, args, namespace, self, bind)
            gateway = parts.gateway(exposing)
            waypoint = parts.waypoint(exposing)
            backends = parts.backends(exposing, waypoint)
            tls = parts.backend_tls(exposing, backends)
            waypoint_route = parts.waypoint_route(exposing, backends, tls)
            authorizations = parts.authorizations(exposing, gateway, waypoint, backends)
            traffic = parts.destination_rules(exposing, gateway, waypoint)
            rules: list[pulumi.Resource] = [*waypoint_route, *authorizations, *traffic]
            ingress_route = parts.ingress_route(exposing, gateway, backends[0], rules)
            self.verified = parts.probe(
                exposing,
                gateway,
                definitions=[
                    namespace.get("definition"),
                    gateway.get("definition"),
                    waypoint.get("definition"),
                    *(backend.definition for backend in backends),
                    *(policy.definition for policy in tls),
                    *(route.definition for route in waypoint_route),
                    *(authorization.definition for authorization in authorizations),
                    *(rule.definition for rule in traffic),
                    *(route.definition for route in ingress_route),
                ],
                ready=[
                    *(resource for backend in backends for resource in backend.resources),
                    *(ingress_route or rules),
                ],
            )
        self.dns_records = parts.dns_records(exposing, gateway)
        self.gateway_reference, self.waypoint_reference = gateway, waypoint
        self.host = pulumi.Output.from_input(gateway["host"])
        self.port = pulumi.Output.from_input(gateway["port"])
        self.url = pulumi.Output.from_input(gateway["url"])
        self_signed = "certificate" in gateway
        self.commands = self.url.apply(
            lambda url: [
                _command(args, url, hostname, self_signed=self_signed)
                for hostname in called_by(args) or [""]
            ]
        )
        self.register_outputs(
            {"host": self.host, "port": self.port, "url": self.url, "verified": self.verified}
        )


@cache
def _say_that_nothing_was_compared() -> None:
    pulumi.log.info(
        "nothing was compared with the fields that the cluster has: no Cluster with a preflight was"
        " made before, or it could not read the CustomResourceDefinitions"
    )


def _command(args: AmbientExposureArgs, url: str, hostname: str, *, self_signed: bool) -> str:
    if connections(args):
        return connect(url, hostname)
    send = call if "grpc_rules" in args else command
    return send(url, hostname, _path(args), self_signed=self_signed)


def _path(args: AmbientExposureArgs) -> str:
    """A path that the service answers."""
    checks = args["verification"]["checks"] if "verification" in args else [{"path": "/"}]
    return str(checks[0]["path"])
