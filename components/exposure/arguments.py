"""What an exposure is made of."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from ..api.destination_rule_types import TrafficPolicy
from ..api.gateway_types import BackendTLSPolicyValidation, GRPCRouteRule
from ..api.istio import Binds
from ..api.istio_types import JWTRule
from ..parts.authorization import PolicyArgs
from ..parts.client import ClientReference
from ..parts.connections import ConnectionProtocol
from ..parts.external import ExternalOptions
from ..parts.gateway_args import GatewayOptions, GatewayReference
from ..parts.listeners import ListenerSetOptions
from ..parts.namespace import NamespaceOptions
from ..parts.probe import CheckArgs
from ..parts.routes import RuleArgs, WeightsOwner
from ..parts.waypoint import BindingOptions, WaypointOptions, WaypointReference
from ..parts.workload import ContainerOptions


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
    """Name of the Service; Gateways and routes are named after it, with a shortened form of it
    where their names would be too long."""
    port: int
    """Port of the Service."""
    create: NotRequired[bool]
    """Deploy it with its workload (default true); false adopts a Service that exists, of whose
    workload only the `protocol` is to be said, where it is `tls` or `tcp`."""
    external: NotRequired[ExternalOptions]
    """Where it is, if that is outside the mesh, instead of a workload (default inside)."""
    image: NotRequired[str]
    """Image of the workload; required where it is deployed."""
    container_port: NotRequired[int]
    """Port on which the image listens, or an external service (default for that `port`, with `tls`
    443); required, and unprivileged, where it is deployed."""
    tls: NotRequired[BackendTLSPolicyValidation]
    """That it serves TLS on `container_port`, and how the waypoint checks its certificate, in the
    Gateway API's own form (default: it serves plaintext). `caCertificateRefs` names a ConfigMap of
    its namespace with the authority as `ca.crt`; without `subjectAltNames` the certificate has to
    be for `hostname`. The Service gets `container_port` as a further port, for the waypoint, which
    nobody adds to one that is adopted."""
    canary: NotRequired[CanaryOptions]
    """A second version that gets a share of the requests (default none)."""
    selector: NotRequired[Mapping[str, str]]
    """Labels of the pods behind an adopted Service; required for `require_waypoint`."""


class GatewayPart(GatewayOptions):
    """The ingress gateway of an exposure: made with it, or existing."""

    existing: NotRequired[GatewayReference]
    """One that is not the exposure's own, instead of all other options but `listener_set`:
    `IngressGateway.reference`, or name and namespace of a Gateway that is in the cluster."""
    listener_set: NotRequired[ListenerSetOptions]
    """Listeners for the host names that the exposure brings to an existing gateway, with their
    certificates (default none: the gateway has listeners for them)."""


class WaypointPart(WaypointOptions, BindingOptions):
    """The waypoint of an exposure: made with it, or existing."""

    existing: NotRequired[WaypointReference]
    """One that is not the exposure's own, instead of all other options but
    `ingress_use_waypoint` and `binds`: `Waypoint.reference`, or name and namespace of a Gateway
    that is in the cluster."""
    binds: NotRequired[Binds]
    """What is bound to it (default `Service` for one that is adopted or external, else
    `Namespace`): all Services of the namespace that say nothing else, also those of others, or that
    of the exposure alone. A Service that is deployed is labelled itself in either case."""


Addresses = Literal["internal", "external", "both"]
"""Addresses of a gateway: its in-cluster name, those that it reports besides, or all of them."""


class VerificationOptions(TypedDict):
    """The requests that prove the exposure, and how they are sent."""

    checks: Sequence[CheckArgs]
    """Requests in order, first one that the service answers."""
    addresses: NotRequired[Addresses]
    """Addresses of the gateway that they are sent to, from inside the cluster: `internal`, its
    in-cluster name, `external`, those that it has besides, or `both` (default `both`)."""
    always: NotRequired[bool]
    """Send them in every update, also in one that changes nothing else (default false)."""
    client: NotRequired[ClientReference]
    """The client that sends them, `Client.reference` (default a pod in the exposure's own
    namespace), in programs only: a stack has one `client` for all of its exposures."""
    image: NotRequired[str]
    """Image of the pod that sends them, with a shell and curl 7.84 or newer (default the client's,
    or `docker.io/curlimages/curl:8.16.0`)."""
    pod: NotRequired[Mapping[str, Any]]
    """Changes to the spec of that pod, in Kubernetes' own form and merged as those of a service
    (default none). The container has the name `probe`."""
    timeout: NotRequired[int]
    """Seconds within which all must be answered as expected (default 60); more where the name of a
    new load balancer is slow to be known."""


class PolicyPart(PolicyArgs):
    """A policy that the waypoint of an exposure enforces."""

    from_gateway: NotRequired[bool]
    """Its `rules` are for requests of the exposure's gateway alone, and have no `from` (default
    false). To the waypoint all requests from outside are the gateway's: where `ALLOW` is for
    clients of the mesh, another one has to let the gateway through."""


class AmbientExposureArgs(TypedDict):
    """What an `AmbientExposure` is made of."""

    namespace: NamespaceOptions
    """The namespace of the service and of everything that exposes it."""
    service: ServiceOptions
    """The service that is exposed."""
    hostnames: NotRequired[Sequence[str]]
    """Host names under which it is exposed, each a listener of the gateway. Required, but for the
    protocol `tcp`, which has none, and for an external service that only clients in the mesh reach:
    they call it by its `host`, and there is no gateway."""
    rules: NotRequired[Sequence[RuleArgs]]
    """The requests that the waypoint lets through, and what it does with them; all else is answered
    with 404. Required without `grpc_rules`, but for the protocols `tls` and `tcp`, of which the
    waypoint sees nothing but connections."""
    grpc_rules: NotRequired[Sequence[GRPCRouteRule]]
    """The same for a gRPC service; all else is answered `UNIMPLEMENTED`."""
    ingress_rules: NotRequired[Sequence[RuleArgs]]
    """What the gateway does with the requests (default: send all of them to the service)."""
    weights: NotRequired[WeightsOwner]
    """Who sets the weights of the routes' backends, once they are there: a `controller`, such as
    Argo Rollouts or Flagger, whose weights an update keeps, by rule and backend, or the `stack`,
    which takes them back from one (default the stack, whose update fails while another holds the
    rules). What a controller changes of a route besides, an update undoes."""
    grants: NotRequired[bool]
    """Make ReferenceGrants for the backends of other namespaces that rules name (default false: who
    owns such a namespace has to). Istio asks for them for the rules of gateways only."""
    gateway: NotRequired[GatewayPart]
    """The ingress gateway (default one of its own, reached inside the cluster)."""
    waypoint: NotRequired[WaypointPart]
    """The waypoint (default one of its own)."""
    traffic_policy: NotRequired[TrafficPolicy]
    """How the waypoint spreads requests over pods, limits connections to them and spares failing
    ones, as in a DestinationRule (default as Istio does). With a `canary` it is for each version.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy"""
    policies: NotRequired[Sequence[PolicyPart]]
    """AuthorizationPolicies of the Service, enforced by the waypoint (default none)."""
    jwt_rules: NotRequired[Sequence[JWTRule]]
    """Tokens that the waypoint checks (default none)."""
    require_waypoint: NotRequired[bool]
    """Let only the waypoint reach the pods, which ztunnel enforces (default false)."""
    trust_domain: NotRequired[str]
    """Trust domain of the mesh, for `require_waypoint` and `from_gateway` (default
    `cluster.local`)."""
    verification: NotRequired[VerificationOptions]
    """Requests that must be answered before the update ends; none are sent where it is left out."""
    ready_timeout: NotRequired[int]
    """Seconds that each object may take to become ready (default 300)."""


def binds(args: Mapping[str, Any]) -> Binds:
    """What the arguments of an exposure bind to its waypoint."""
    alone = not args["service"].get("create", True) or "external" in args["service"]
    bound: Binds = args.get("waypoint", {}).get("binds", "Service" if alone else "Namespace")
    return bound


def connections(args: Mapping[str, Any]) -> ConnectionProtocol | None:
    """The protocol of an exposure whose connections are passed on as they are; None for others."""
    protocols: dict[str, ConnectionProtocol] = {"tls": "TLS", "tcp": "TCP"}
    return protocols.get(args["service"].get("protocol", "http"))


def inward(args: Mapping[str, Any]) -> bool:
    """Whether only clients in the mesh reach what an exposure is for, which is outside of it."""
    return "external" in args["service"] and "hostnames" not in args and connections(args) is None


def called_by(args: Mapping[str, Any]) -> Sequence[str]:
    """The host names that requests to an exposure carry."""
    names: Sequence[str] = args.get("hostnames", ())
    return [args["service"]["external"]["host"]] if inward(args) else names


def route_kind(args: Mapping[str, Any]) -> str:
    """The kind of an exposure's route at the gateway."""
    if protocol := connections(args):
        return f"{protocol}Route"
    return "GRPCRoute" if "grpc_rules" in args else "HTTPRoute"


def listens(service: Mapping[str, Any]) -> int:
    """The port on which a service listens, behind that of its Service."""
    default = 443 if "tls" in service else service["port"]
    port: int = service.get("container_port", default)
    return port
