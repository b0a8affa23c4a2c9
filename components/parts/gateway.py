"""The ingress gateway."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.gateway import (
    Gateway,
    HTTPRoute,
    ObjectMeta,
    conditions,
    timeouts,
    wait_for,
    wait_for_parents,
)
from ..api.gateway_types import ListenerTLS
from ..api.outputs import after, unknown
from ..checks.schema import trusted
from ..checks.values import known
from .authorization import Authorization, AuthorizationArgs
from .customization import customize
from .dns import route_annotations
from .gateway_args import SCHEMA, GatewayReference, IngressGatewayArgs
from .gateway_object import (
    generated_name,
    internal_host,
    port_of,
    render_gateway,
    render_metadata,
    reports,
    service_account,
)
from .namespace import namespace_of
from .rate_limit import rate_limit
from .telemetry import tell
from .tls import redirects, terminate


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
        self.port = pulumi.Output.from_input(port_of(args))
        internal = internal_host(args, identity)
        self.host = after(internal, gateway.urn)
        addresses = self.host.apply(lambda host: [host])
        self.reference = {}
        if reports(args) == "external":
            addresses = gateway.status.apply(_external_addresses)
            self.host = addresses.apply(lambda addresses: addresses[0])
        elif reports(args) == "IPAddress" or args.get("service_type") == "NodePort":
            service = _generated_service(name, args, identity, gateway, inside)
            spec: pulumi.Output[Any] = service.spec
            if args.get("service_type") == "NodePort":
                self.reference["node_port"] = pulumi.Output.all(spec, self.port).apply(
                    lambda values: _node_port(*values)
                )
            if reports(args) == "IPAddress":
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
                                "port": port_of(args),
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
    service_type, port = args.get("service_type", "ClusterIP"), port_of(args)
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
