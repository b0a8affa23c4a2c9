"""The route of connections that nobody looks into: TLS that a service terminates, and TCP."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired

import pulumi

from ..api.gateway import TCPRoute, TLSRoute, timeouts, wait_for_parents
from ..api.gateway_types import BackendRef
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema, at, trusted
from .routes import Attachment, parent

ConnectionProtocol = Literal["TLS", "TCP"]
"""What a gateway passes on as it is: TLS, by the host name in the handshake, or all of a port."""


class ConnectionRouteArgs(Attachment):
    """The route by which the ingress gateway passes connections on."""

    name: pulumi.Input[str]
    """Name of the route."""
    namespace: pulumi.Input[str]
    """Namespace of the route."""
    protocol: ConnectionProtocol
    """What the connections are."""
    hostnames: NotRequired[Sequence[pulumi.Input[str]]]
    """Host names in the handshakes of TLS; TCP has none."""
    backends: Sequence[BackendRef]
    """Services that the connections are shared between."""
    ready_timeout: NotRequired[int]
    """Seconds that the gateway may take to accept it (default 300)."""


def check_connections(faults: Faults, path: str, protocol: object, args: Mapping[str, Any]) -> None:
    """Record host names where connections have none, or none where they need some."""
    where = at(path, "hostnames")
    if protocol == "TCP" and "hostnames" in args:
        faults.add(where, "found some for TCP, which has none: a port is for one service")
    if protocol != "TCP" and "hostnames" not in args:
        faults.add(where, "found nothing, expected a list")


SCHEMA = Schema(
    {
        ConnectionRouteArgs: {
            "name": valid.subdomain,
            "namespace": valid.dns_label,
            "gateway": valid.subdomain,
            "gateway_namespace": valid.dns_label,
            "listener_port": valid.port,
            "hostnames": valid.some,
            "hostnames[]": valid.hostname,
            "backends": valid.some,
            "ready_timeout": valid.seconds,
        },
    },
    {
        ConnectionRouteArgs: lambda faults, path, args: check_connections(
            faults, path, args["protocol"], args
        )
    },
)
"""What is checked of the route's arguments."""


def connection_route(
    name: str, args: ConnectionRouteArgs, opts: pulumi.ResourceOptions | None = None
) -> TLSRoute | TCPRoute:
    """Make the route `<name>-route` at the ingress gateway.

    Raises `InvalidInput` with every fault of `args`.

    https://gateway-api.sigs.k8s.io/guides/tls/
    https://gateway-api.sigs.k8s.io/guides/tcp/
    """
    SCHEMA.validate(f"connection route {name!r}", args, ConnectionRouteArgs)
    spec: Any = {"parentRefs": [parent(args)], "rules": [{"backendRefs": args["backends"]}]}
    if "hostnames" in args:
        spec["hostnames"] = list(args["hostnames"])
    kind = TLSRoute if args["protocol"] == "TLS" else TCPRoute
    own = pulumi.ResourceOptions(custom_timeouts=timeouts(args.get("ready_timeout", 300)))
    with trusted():
        return kind(
            f"{name}-route",
            {
                "name": args["name"],
                "namespace": args["namespace"],
                "annotations": wait_for_parents(),
            },
            spec,
            pulumi.ResourceOptions.merge(opts, own),
        )
