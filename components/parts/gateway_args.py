"""What an ingress gateway is made of, and what is checked of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, get_args

import pulumi

from ..api import gateway_rules
from ..api.gateway_types import (
    AllowedListeners,
    AllowedRoutes,
    Listener,
)
from ..api.istio_types import JWTRule
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import each
from ..checks.schema import Schema, at
from ..checks.values import known
from . import authorization, customization, dns
from . import namespace as namespaces
from . import rate_limit as limits
from . import telemetry as telemetries
from . import tls as https
from .authorization import (
    PolicyArgs,
    check_policy_names,
    check_provider,
)
from .connections import ConnectionProtocol, check_connections
from .customization import CustomizationArgs
from .dns import DNSOptions
from .namespace import NamespaceOptions
from .rate_limit import RateLimitArgs
from .telemetry import TelemetryOptions, check_modes
from .tls import TLSArgs

ServiceType = Literal["ClusterIP", "LoadBalancer", "NodePort"]
"""How the Service of a gateway is exposed."""

AddressType = Literal["Hostname", "IPAddress"]
"""What a gateway without an external address reports."""


class GatewayReference(TypedDict):
    """An ingress gateway that another part of the program makes, or that is in the cluster already.

    Of the latter `name` and `namespace` are enough: all else is read from the cluster. Where it
    serves the host names at several ports, the one of HTTPS is taken, unless `listener_port` says
    otherwise.
    """

    entry: NotRequired[str]
    """Entry of `gateways`, in a stack's configuration only."""
    name: NotRequired[pulumi.Input[str]]
    """Name of the Gateway."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the Gateway."""
    listener_port: NotRequired[pulumi.Input[int]]
    """Port of the listeners that routes attach to (default all listeners, of a gateway that is read
    from the cluster those of one port)."""
    host: NotRequired[pulumi.Input[str]]
    """Address under which it is reached from where its clients are."""
    port: NotRequired[pulumi.Input[int]]
    """Port under which it is reached there."""
    url: NotRequired[pulumi.Input[str]]
    """Both as a URL."""
    urls: NotRequired[pulumi.Input[Sequence[str]]]
    """Every URL that answers inside the cluster, the in-cluster name's first, then those of all
    addresses, of both IP families where it has them."""
    listener_set: NotRequired[pulumi.Input[str]]
    """Name of the ListenerSet, in the namespace of the routes, that these attach to in place of the
    gateway."""
    addresses: NotRequired[pulumi.Input[Sequence[str]]]
    """Every address that it reports."""
    internal_host: NotRequired[pulumi.Input[str]]
    """Its in-cluster name."""
    node_port: NotRequired[pulumi.Input[int]]
    """Port of every node that leads to it."""
    service_account: NotRequired[pulumi.Input[str]]
    """ServiceAccount of its pods, by which waypoints know it."""
    conditions: NotRequired[pulumi.Input[Sequence[str]]]
    """`Type=Status (Reason)` of each of its conditions."""
    certificate: NotRequired[pulumi.Input[str]]
    """The self-signed certificate that its clients have to trust, PEM."""
    dns: NotRequired[DNSOptions]
    """How the DNS records of its host names are made (default from its addresses alone)."""
    definition: NotRequired[pulumi.Input[Any]]
    """What it is made of; a verification is repeated when it changes (default nothing)."""


class GatewayOptions(TypedDict):
    """How an ingress gateway listens and is reached."""

    name: NotRequired[pulumi.Input[str]]
    """Name of the Gateway; istiod names Deployment and Service `<name>-<gateway_class>` (default
    that of the component; of an exposure the Service's with `-gateway`)."""
    port: NotRequired[pulumi.Input[int]]
    """Port on which it listens for plaintext, or for the connections of a service whose protocol is
    `tls` or `tcp` (default 80; 443 for `tls`, for `tcp` that of the exposed Service)."""
    tls: NotRequired[TLSArgs]
    """How it serves HTTPS (default not at all)."""
    listeners: NotRequired[Sequence[Listener]]
    """Further listeners, in the Gateway API's own form (default none)."""
    allowed_routes: NotRequired[AllowedRoutes]
    """Routes that may attach to it, in the Gateway API's own form (default those of its own
    namespace)."""
    allowed_listeners: NotRequired[AllowedListeners]
    """Namespaces whose ListenerSets may bring it listeners, in the Gateway API's own form (default
    none)."""
    service_type: NotRequired[ServiceType]
    """`ClusterIP`, `LoadBalancer` or `NodePort` (default `ClusterIP`)."""
    address: NotRequired[pulumi.Input[str]]
    """IP address that the load balancer shall give it (default any)."""
    address_type: NotRequired[AddressType]
    """What it reports without an external address: its in-cluster name or address (default
    `Hostname`, the name)."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """GatewayClass (default `istio`); part of a name that is not to change, see `name_override`."""
    name_override: NotRequired[pulumi.Input[str]]
    """Name of the Deployment and Service that istiod makes (default `<name>-<gateway_class>`). Not
    to be changed later: istiod leaves what it made under another name, in service and unchanged."""
    revision: NotRequired[pulumi.Input[str]]
    """Revision or tag of the control plane that serves it (default the namespace's)."""
    policies: NotRequired[Sequence[PolicyArgs]]
    """AuthorizationPolicies of the Gateway, for all of its requests (default none). It sees the
    addresses of clients, `ipBlocks`, where its Service keeps them: `externalTrafficPolicy: Local`
    by `customization`."""
    jwt_rules: NotRequired[Sequence[JWTRule]]
    """Tokens that it checks in all requests (default none)."""
    trusted_proxies: NotRequired[int]
    """Proxies in front of it, such as a load balancer's, that add to `X-Forwarded-For` the address
    which a request came from (default 0). The one that the first of them added is the client's,
    `remoteIpBlocks`; without any it is that of the connection. A change restarts its pods.

    https://istio.io/latest/docs/ops/configuration/traffic-management/network-topologies/"""
    rate_limit: NotRequired[RateLimitArgs]
    """How many requests each of its pods answers (default all)."""
    customization: NotRequired[CustomizationArgs]
    """Changes to the objects that istiod makes for it (default none)."""
    cluster_domain: NotRequired[pulumi.Input[str]]
    """DNS domain of the cluster (default `cluster.local`)."""
    dns: NotRequired[DNSOptions]
    """How external-dns makes the records of its host names (default from the addresses alone);
    beside `existing`, of the exposure's own route, without `targets`."""
    telemetry: NotRequired[TelemetryOptions]
    """Access logs, traces and metrics of its proxy (default as the mesh has them)."""


class IngressGatewayArgs(GatewayOptions):
    """What an `IngressGateway` is made of."""

    namespace: NamespaceOptions
    """Namespace of the gateway and of its proxy."""
    hostnames: NotRequired[Sequence[pulumi.Input[str]]]
    """Host names that it serves, `*.` allowed in front, a listener each. The listener of the first
    is called `default`, for HTTPS `https`, and istiod names the Service's port after it; the
    others are called after their host names, such as `http-shop-example-com`, or
    `https-any-example-com` for `*.example.com`. Append new ones: where another one becomes the
    first, single requests are answered with 404 as the listeners change their names. Required, but
    for TCP, which has none."""
    protocol: NotRequired[Literal["HTTP", "TLS", "TCP"]]
    """What its listeners take (default `HTTP`, with `tls` HTTPS, too): connections of `TLS` are
    passed on as they are, by the host name in their handshake, those of `TCP` all to one service.
    Its `listeners` may take others."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be programmed and to get its address (default 300)."""


def _check_reference(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    named, reached = {"name", "namespace"}, {"host", "port", "url", "urls"}
    if "entry" in reference:
        return
    if not reference.keys() >= named or len(reference.keys() & reached) not in (0, len(reached)):
        faults.add(
            path, "expected entry, name and namespace, or the reference of an IngressGateway"
        )


def _check_options(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    balanced = args.get("service_type") == "LoadBalancer"
    if "address" in args and not balanced:
        faults.add(at(path, "address"), "needs service_type LoadBalancer, which gives it")
    if args.get("address_type") == "IPAddress" and balanced:
        faults.add(
            at(path, "address_type"),
            "found IPAddress beside service_type LoadBalancer, which reports external addresses",
        )
    if "tls" in args and args["tls"].get("port", 443) == args.get("port", 80):
        faults.add(at(path, "tls.port"), f"found {args.get('port', 80)}, which is port too")
    check_modes(faults, path, args, "SERVER")
    check_policy_names(faults, path, args)
    check_provider(faults, path, args)
    _check_ports(faults, path, args)
    generated = known_name(args)
    if (
        generated is not None
        and "name_override" not in args
        and valid.dns_label(args["name"]) is None
        and (expected := valid.service_name(generated))
    ):
        faults.add(
            at(path, "name"),
            f"found {args['name']!r}, after which istiod names the Service {generated!r}"
            f" ({len(generated)} characters), expected {expected}. Choose another name, or set"
            " name_override",
        )


def _check_ports(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Each port whose clients' certificates are checked is one of the gateway's, or of others'."""
    if "allowed_listeners" in args:
        return
    tls = args.get("tls", {})
    ports = [tls.get("port", 443), *(one["port"] for _, one in each("", args, "listeners"))]
    for where, one in each(at(path, "tls.frontend"), tls.get("frontend", {}), "perPort"):
        if known(port := one["port"]) and all(map(known, ports)) and port not in ports:
            faults.add(
                at(where, "port"), f"found {port}, expected a port of HTTPS, which the gateway has"
            )


def check_hostnames(
    faults: Faults,
    path: str,
    hostnames: Sequence[object],
    tls: Mapping[str, Any] | None,
    tls_path: str,
) -> None:
    """Record host names that stand twice, or that `tls` has no certificate for."""
    given: Mapping[str, str] = (tls or {}).get("certificates", {})
    if not known(given) or not all(map(known, given.values())):
        faults.add(f"{tls_path}.certificates", "has to be known to the program")
        return
    for index, hostname in enumerate(hostnames):
        where = f"{at(path, 'hostnames')}[{index}]"
        if not known(hostname):
            if tls is not None:
                faults.add(where, "has to be known to the program: a certificate belongs to it")
            continue
        if hostname in hostnames[:index]:
            faults.add(where, f"{hostname} stands there already")
        if tls is not None and hostname not in given and not tls.keys() & {"issuer", "issuer_ref"}:
            faults.add(
                f"{tls_path}.certificates",
                f"found none for {hostname}, expected its Secret, an issuer_ref, or issuer:"
                " self-signed",
            )
    for hostname in given:
        if hostname not in hostnames:
            faults.add(f"{tls_path}.certificates[{hostname!r}]", "is none of the host names")


def _check_gateway(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    protocol = args.get("protocol", "HTTP")
    check_connections(faults, path, protocol, args)
    if protocol in get_args(ConnectionProtocol) and "tls" in args:
        faults.add(at(path, "tls"), f"found it beside protocol {protocol}, expected none")
    check_hostnames(faults, path, args.get("hostnames", ()), args.get("tls"), at(path, "tls"))


def known_name(options: Mapping[str, Any]) -> str | None:
    """The same of options that have a name; None where it is not known to the program."""
    parts: list[Any] = [options.get("name"), options.get("gateway_class", "istio")]
    if "name_override" in options:
        parts = [options["name_override"]]
    return "-".join(parts) if all(isinstance(part, str) for part in parts) else None


SCHEMA = (
    gateway_rules.SCHEMA
    | authorization.SCHEMA
    | limits.SCHEMA
    | namespaces.SCHEMA
    | customization.SCHEMA
    | https.SCHEMA
    | telemetries.SCHEMA
    | dns.SCHEMA
    | Schema(
        {
            GatewayOptions: {
                "name": valid.dns_label,
                "port": valid.port,
                "address": valid.address,
                "gateway_class": valid.dns_label,
                "name_override": valid.service_name,
                "revision": valid.label_value,
                "cluster_domain": valid.hostname,
                "jwt_rules": valid.some,
                "trusted_proxies": valid.Limit(0),
            },
            IngressGatewayArgs: {
                "hostnames": valid.some,
                "hostnames[]": valid.hostname,
                "ready_timeout": valid.seconds,
            },
            GatewayReference: {
                "entry": valid.some,
                "name": valid.subdomain,
                "namespace": valid.dns_label,
                "port": valid.port,
                "listener_port": valid.port,
            },
        },
        {
            GatewayReference: _check_reference,
            GatewayOptions: _check_options,
            IngressGatewayArgs: _check_gateway,
        },
        {IngressGatewayArgs: GatewayOptions},
    )
)
"""What is checked of an ingress gateway's arguments."""
