"""The ingress gateway."""

import hashlib
import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

import pulumi
import pulumi_kubernetes as kubernetes

from ..api import gateway_rules
from ..api.gateway import (
    Gateway,
    HTTPRoute,
    ObjectMeta,
    conditions,
    infrastructure,
    timeouts,
    wait_for,
    wait_for_parents,
)
from ..api.gateway_types import (
    AllowedListeners,
    AllowedRoutes,
    GatewaySpec,
    Listener,
    ListenerTLS,
)
from ..api.istio_types import JWTRule
from ..api.outputs import after, unknown
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import each
from ..checks.schema import Schema, at, trusted
from ..checks.values import known
from . import authorization, customization, dns
from . import namespace as namespaces
from . import rate_limit as limits
from . import telemetry as telemetries
from . import tls as https
from .authorization import (
    Authorization,
    AuthorizationArgs,
    PolicyArgs,
    check_policy_names,
    check_provider,
)
from .connections import ConnectionProtocol, check_connections
from .customization import CustomizationArgs, customize
from .dns import DNSOptions, gateway_annotations, route_annotations
from .namespace import NamespaceOptions, namespace_of
from .rate_limit import RateLimitArgs, rate_limit
from .telemetry import TelemetryOptions, check_modes, tell
from .tls import TLSArgs, redirects, terminate

ServiceType = Literal["ClusterIP", "LoadBalancer", "NodePort"]
"""How the Service of a gateway is exposed."""

AddressType = Literal["Hostname", "IPAddress"]
"""What a gateway without an external address reports."""

# The namespace's label would bind the gateway's own Service, too: what clients of the mesh send to
# the gateway would pass the waypoint before it, where gRPC fails.
_UNBOUND = {"istio.io/use-waypoint": "none"}

_IN_CLUSTER = r"search(@.value, '[.]svc[.]')"


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
    """Host names that it serves, `*.` allowed in front, a listener each, in any order. The
    listener of the alphabetically first is called `default`, for HTTPS `https`, and istiod names
    the Service's port after it; the others are called after their host names, such as
    `http-shop-example-com`, or `https-any-example-com` for `*.example.com`. Required, but for TCP,
    which has none."""
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
    """Each port whose clients' certificates are checked is one of the gateway's."""
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


class IngressGateway(pulumi.ComponentResource):
    """A Gateway that istiod deploys, and the address under which it is reached.

    Raises `InvalidInput` with every fault of `args`.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/
    """

    name: pulumi.Output[str]
    """Name of the Gateway, known once it is programmed."""
    host: pulumi.Output[str]
    """The external address of a LoadBalancer, unknown in a preview that brings it, else the
    in-cluster name, or the in-cluster address where that is what it reports."""
    port: pulumi.Output[int]
    """Port on which it listens, that of HTTPS where it serves it."""
    url: pulumi.Output[str]
    """`http://host:port` or `https://host:port`, an IPv6 host in brackets."""
    reference: GatewayReference
    """What an `AmbientExposure` needs to share it, and all its other outputs."""

    def __init__(
        self, name: str, args: IngressGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = {"name": name, **args}
        SCHEMA.validate(f"IngressGateway {name!r}", args, IngressGatewayArgs)
        super().__init__("ambient:index:IngressGateway", name, None, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        )
        with trusted():
            namespace = namespace_of(name, args["namespace"], pulumi.ResourceOptions(parent=self))
            identity: ObjectMeta = {
                "name": args["name"],
                "namespace": namespace["name"],
            }
            tls, certificate = _terminate(name, args, identity, inside)
            parameters = customize(f"{name}-gateway", args.get("customization"), identity, inside)
            first: list[pulumi.Resource] = []
            if _redirects_first(args):
                first = [_redirect(name, args, identity, identity["name"], inside)]
            gateway = Gateway(
                f"{name}-gateway",
                render_metadata(args, identity),
                render_gateway(args, tls, parameters),
                pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=first)),
            )
            self.name = gateway.name
            if redirects(args.get("tls")) and not first:
                redirect = _redirect(name, args, identity, gateway.name, inside)
                self.name = after(self.name, redirect.urn)
            guards, beside = _beside(name, args, {**identity, "name": gateway.name}, inside)
            self.name = after(self.name, *guards)
        self.port = pulumi.Output.from_input(_port(args))
        internal = internal_host(args, identity)
        self.host = after(internal, gateway.urn)
        addresses = self.host.apply(lambda host: [host])
        self.reference = {}
        if _reports(args) == "external":
            addresses = gateway.status.apply(_external_addresses)
            self.host = addresses.apply(lambda addresses: addresses[0])
        elif _reports(args) == "IPAddress" or args.get("service_type") == "NodePort":
            service = _generated_service(name, args, identity, gateway, inside)
            spec: pulumi.Output[Any] = service.spec
            if args.get("service_type") == "NodePort":
                self.reference["node_port"] = pulumi.Output.all(spec, self.port).apply(
                    lambda values: _node_port(*values)
                )
            if _reports(args) == "IPAddress":
                addresses = spec.apply(lambda spec: [*spec["cluster_ips"]])
                self.host = addresses.apply(lambda addresses: addresses[0])
        scheme = "https" if "tls" in args else args.get("protocol", "HTTP").lower()
        self.url = pulumi.Output.all(self.host, self.port).apply(lambda to: url(scheme, *to))
        self.reference |= {
            "name": self.name,
            "namespace": namespace["name"],
            "host": self.host,
            "port": self.port,
            "url": self.url,
            "urls": pulumi.Output.all(internal, addresses, self.port).apply(
                lambda to: [url(scheme, host, to[2]) for host in dict.fromkeys([to[0], *to[1]])]
            ),
            "addresses": addresses,
            "internal_host": internal,
            "conditions": gateway.status.apply(conditions),
            "service_account": service_account(args, identity),
            "definition": [gateway.definition, *beside] if beside else gateway.definition,
        }
        if "dns" in args:
            self.reference["dns"] = args["dns"]
        if certificate is not None:
            self.reference["certificate"] = certificate
        if redirects(args.get("tls")):
            self.reference["listener_port"] = self.port
        self.register_outputs(
            {"name": self.name, "host": self.host, "port": self.port, "url": self.url}
        )


def render_metadata(args: IngressGatewayArgs, identity: ObjectMeta) -> ObjectMeta:
    """The metadata of the Gateway, of which `identity` has name and namespace."""
    metadata: ObjectMeta = {
        **identity,
        "annotations": {
            **_annotations(args),
            **wait_for(
                "condition=Accepted",
                "condition=Programmed",
                _ADDRESSED[_reports(args)],
                *_certified(args),
            ),
        },
    }
    if "revision" in args:
        metadata["labels"] = {"istio.io/rev": args["revision"]}
    return metadata


def _port(args: IngressGatewayArgs) -> pulumi.Input[int]:
    if "tls" in args:
        return args["tls"].get("port", 443)
    return args.get("port", 443 if args.get("protocol") == "TLS" else 80)


def _reports(args: IngressGatewayArgs) -> Literal["external", "Hostname", "IPAddress"]:
    """The kind of address in the status of a gateway that is reached as it shall be."""
    if args.get("service_type") == "LoadBalancer":
        return "external"
    return args.get("address_type", "Hostname")


# istiod leaves the in-cluster name in the status until a load balancer has given an address, and
# a change of the service type alone does not outdate the condition Programmed.
_ADDRESSED = {
    "external": f"jsonpath={{.status.addresses[?!{_IN_CLUSTER}].value}}",
    "Hostname": f"jsonpath={{.status.addresses[?{_IN_CLUSTER}].value}}",
    "IPAddress": "jsonpath={.status.addresses[?@.type=='IPAddress'].value}",
}


def _certified(args: IngressGatewayArgs) -> list[str]:
    """Each listener of HTTPS has its certificate; without, too, the gateway is programmed."""
    names = listener_names("https", args.get("hostnames", ())) if "tls" in args else []
    return [
        f"jsonpath={{.status.listeners[?@.name=='{name}']"
        ".conditions[?@.type=='ResolvedRefs'].status}=True"
        for name, _ in names
    ]


def _annotations(args: IngressGatewayArgs) -> dict[str, pulumi.Input[str]]:
    """What istiod, cert-manager and external-dns read from the Gateway beside its spec."""
    found: dict[str, pulumi.Input[str]] = {
        "networking.istio.io/service-type": args.get("service_type", "ClusterIP")
    }
    if args.get("address_type", "Hostname") != "Hostname":
        found["networking.istio.io/address-type"] = "IPAddress"
    if "name_override" in args:
        found["gateway.istio.io/name-override"] = args["name_override"]
    return found | https.annotations(args.get("tls")) | gateway_annotations(args.get("dns", {}))


def generated_name(args: IngressGatewayArgs, identity: ObjectMeta) -> pulumi.Input[str]:
    """Name of the Deployment and the Service that istiod makes."""
    return args.get("name_override") or pulumi.Output.format(
        "{}-{}", identity["name"], args.get("gateway_class", "istio")
    )


def known_name(options: Mapping[str, Any]) -> str | None:
    """The same of options that have a name; None where it is not known to the program."""
    parts: list[Any] = [options.get("name"), options.get("gateway_class", "istio")]
    if "name_override" in options:
        parts = [options["name_override"]]
    return "-".join(parts) if all(isinstance(part, str) for part in parts) else None


def service_account(args: IngressGatewayArgs, identity: ObjectMeta) -> pulumi.Output[str]:
    """Name of the ServiceAccount that istiod makes, which `name_override` does not change."""
    return pulumi.Output.format("{}-{}", identity["name"], args.get("gateway_class", "istio"))


def internal_host(args: IngressGatewayArgs, identity: ObjectMeta) -> pulumi.Output[str]:
    """The in-cluster name of the gateway's Service."""
    return pulumi.Output.format(
        "{}.{}.svc.{}",
        generated_name(args, identity),
        identity["namespace"],
        args.get("cluster_domain", "cluster.local"),
    )


def render_gateway(
    args: IngressGatewayArgs,
    tls: Sequence[ListenerTLS] = (),
    parameters: pulumi.Input[str] | None = None,
) -> GatewaySpec:
    """The spec of the Gateway.

    `tls` is what serves each host name, in their order; `parameters` names a ConfigMap.
    """
    own: AllowedRoutes = {"namespaces": {"from": "Same"}}
    allowed = args.get("allowed_routes", own)
    # Where plaintext is only redirected, nobody else's route may answer it.
    plain: AllowedRoutes = own if redirects(args.get("tls")) else allowed
    hostnames, protocol = args.get("hostnames", ()), args.get("protocol", "HTTP")
    plaintext: list[Listener] = [
        {
            "name": name,
            "hostname": hostnames[index],
            "port": args.get("port", 80),
            "protocol": "HTTP",
            "allowedRoutes": plain,
        }
        for name, index in (listener_names("http", hostnames) if protocol == "HTTP" else ())
    ]
    encrypted: list[Listener] = [
        {
            "name": name,
            "hostname": hostnames[index],
            "port": _port(args),
            "protocol": "HTTPS",
            "tls": tls[index],
            "allowedRoutes": allowed,
        }
        for name, index in (listener_names("https", hostnames) if tls else ())
    ]
    passed_on: list[Listener] = [
        {
            "name": name,
            "hostname": hostnames[index],
            "port": _port(args),
            "protocol": "TLS",
            "tls": {"mode": "Passthrough"},
            "allowedRoutes": allowed,
        }
        for name, index in (listener_names("tls", hostnames) if protocol == "TLS" else ())
    ]
    if protocol == "TCP":
        passed_on = [
            {"name": "tcp", "port": _port(args), "protocol": "TCP", "allowedRoutes": allowed}
        ]
    spec: GatewaySpec = {
        "gatewayClassName": args.get("gateway_class", "istio"),
        "infrastructure": infrastructure(
            "Ingress gateway", parameters, _UNBOUND, _topology(args.get("trusted_proxies", 0))
        ),
        "listeners": [*plaintext, *encrypted, *passed_on, *args.get("listeners", [])],
    }
    if "allowed_listeners" in args:
        spec["allowedListeners"] = args["allowed_listeners"]
    if "address" in args:
        spec["addresses"] = [{"type": "IPAddress", "value": args["address"]}]
    if "tls" in args and "frontend" in args["tls"]:
        spec["tls"] = {"frontend": args["tls"]["frontend"]}
    return spec


def _topology(trusted_proxies: int) -> dict[str, str]:
    """The annotation by which the proxy knows of those before it."""
    if not trusted_proxies:
        return {}
    topology = {"gatewayTopology": {"numTrustedProxies": trusted_proxies}}
    return {"proxy.istio.io/config": json.dumps(topology)}


def _beside(
    name: str, args: IngressGatewayArgs, identity: ObjectMeta, opts: pulumi.ResourceOptions
) -> tuple[list[pulumi.Output[str]], list[Any]]:
    """What there is beside the Gateway.

    Outputs that are known once what keeps requests out stands, and what all of it is made of.
    """
    guards: list[pulumi.Output[str]] = []
    definitions: list[Any] = [*tell(f"{name}-gateway", args.get("telemetry"), identity, opts)]
    if args.keys() & {"policies", "jwt_rules"}:
        judged: AuthorizationArgs = {
            "name": identity["name"],
            "namespace": identity["namespace"],
            "gateway": identity["name"],
            "policies": args.get("policies", []),
        }
        if "jwt_rules" in args:
            judged["jwt_rules"] = args["jwt_rules"]
        inside = pulumi.ResourceOptions(parent=opts.parent)
        policies = Authorization(f"{name}-gateway", judged, inside)
        guards.append(policies.name)
        definitions += policies.definition
    if "rate_limit" in args:
        limit = rate_limit(f"{name}-gateway", args["rate_limit"], identity, "gateway", opts)
        guards.append(limit.urn)
        definitions.append(limit.definition)
    return guards, definitions


def listener_names(
    scheme: Literal["http", "https", "tls"], hostnames: Sequence[pulumi.Input[str]]
) -> list[tuple[pulumi.Input[str], int]]:
    """Name of each listener, and the index of its host name, whatever the order of these is.

    istiod names a port of the Service after its first listener, and a port that gets another name
    refuses connections for a moment: so the first one keeps its name.
    """
    order = sorted(
        range(len(hostnames)),
        key=lambda index: str(hostnames[index]) if known(hostnames[index]) else "~",
    )
    first, *others = order
    return [
        ({"http": "default", "https": "https", "tls": "tls"}[scheme], first),
        *((_listener_name(scheme, hostnames[index]), index) for index in others),
    ]


def _listener_name(scheme: str, hostname: pulumi.Input[str]) -> pulumi.Input[str]:
    """A DNS label that no other host name has, readable as far as that leaves it."""
    if not isinstance(hostname, str):
        return pulumi.Output.all(hostname).apply(lambda later: _listener_name(scheme, later[0]))
    words = hostname.replace("-", "--").replace(".", "-").replace("*", "any")
    name = f"{scheme}-{words}"
    if len(name) <= 63 and not hostname.startswith("any."):
        return name
    return f"{name[:54]}-{hashlib.sha256(hostname.encode()).hexdigest()[:8]}"


def _terminate(
    name: str, args: IngressGatewayArgs, identity: ObjectMeta, opts: pulumi.ResourceOptions
) -> tuple[list[ListenerTLS], pulumi.Output[str] | None]:
    if "tls" not in args:
        return [], None
    hostnames = cast("Sequence[str]", args.get("hostnames", ()))
    return terminate(f"{name}-gateway", identity, hostnames, args["tls"], opts)


def _redirects_first(args: IngressGatewayArgs) -> bool:
    """Whether the redirect is there before the Gateway, which waits for cert-manager.

    That may wait for DNS records, and external-dns makes them of routes: the redirect is one for
    every host name.
    """
    return redirects(args.get("tls")) and "issuer_ref" in args["tls"]


def _redirect(
    name: str,
    args: IngressGatewayArgs,
    identity: ObjectMeta,
    gateway: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> HTTPRoute:
    """The route that answers plaintext requests, whatever their host name."""
    waits = {} if _redirects_first(args) else wait_for_parents()
    return HTTPRoute(
        f"{name}-redirect",
        {
            "name": pulumi.Output.format("{}-redirect", identity["name"]),
            "namespace": identity["namespace"],
            "annotations": {**route_annotations(args.get("dns", {})), **waits},
        },
        {
            "parentRefs": [
                {
                    "name": gateway,
                    "namespace": identity["namespace"],
                    "port": args.get("port", 80),
                }
            ],
            "rules": [
                {
                    "filters": [
                        {
                            "type": "RequestRedirect",
                            "requestRedirect": {
                                "scheme": "https",
                                "port": _port(args),
                                "statusCode": 301,
                            },
                        }
                    ]
                }
            ],
        },
        opts,
    )


def _generated_service(
    name: str,
    args: IngressGatewayArgs,
    identity: ObjectMeta,
    gateway: Gateway,
    opts: pulumi.ResourceOptions,
) -> kubernetes.core.v1.ServicePatch:
    """The Service that istiod makes, once it has the service type and the port.

    A patch of nothing but the annotation by which it is waited for: a mere lookup would read it
    before istiod has followed the change.
    """
    service_type, port = args.get("service_type", "ClusterIP"), _port(args)
    listens = [f"jsonpath={{.spec.ports[?@.port=={port}].port}}"] if known(port) else []
    return kubernetes.core.v1.ServicePatch(
        f"{name}-service",
        metadata={
            "name": after(generated_name(args, identity), gateway.urn),
            "namespace": identity["namespace"],
            "annotations": wait_for(f"jsonpath={{.spec.type}}={service_type}", *listens),
        },
        opts=opts,
    )


def _node_port(spec: Mapping[str, Any], port: int) -> pulumi.Input[int]:
    for entry in spec["ports"]:
        if entry["port"] == port:
            return int(entry["node_port"])
    if pulumi.runtime.is_dry_run():
        return unknown()  # the Service will have it once istiod has followed the change
    raise pulumi.RunError(
        f"the last known Service of the gateway has no port {port}. Run `pulumi refresh` to read it"
        " anew, then `pulumi up`"
    )


def url(scheme: str, host: str, port: int) -> str:
    """`scheme://host:port`, an IPv6 host in brackets."""
    try:
        bracketed = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        bracketed = host
    return f"{scheme}://{bracketed}:{int(port)}"


def _external_addresses(status: Mapping[str, Any] | None) -> pulumi.Input[list[str]]:
    addresses = (str(entry["value"]) for entry in (status or {}).get("addresses") or [])
    if found := [value for value in addresses if ".svc." not in value]:
        return found
    if pulumi.runtime.is_dry_run():
        return unknown()
    raise pulumi.RunError(
        "the gateway's last known status has no external address. Run `pulumi refresh` to read it"
        " anew, then `pulumi up`"
    )
