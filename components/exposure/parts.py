"""What an exposure makes of each part of its arguments, or takes from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import pulumi

from ..api.gateway import BackendTLSPolicy, GRPCRoute, HTTPRoute, TCPRoute, TLSRoute
from ..api.gateway_types import BackendRef, HTTPBackendRef
from ..api.istio import NETWORKING, DestinationRule, ServiceKind
from ..api.istio_types import PolicyRule
from ..api.outputs import after, unforeseen
from ..api.service_entry_types import ServicePort
from ..parts import backend_tls as tls
from ..parts import connections, listeners, routes
from ..parts.authorization import (
    Authorization,
    AuthorizationArgs,
    AuthorizationOptions,
    PolicyArgs,
)
from ..parts.client import CLIENT_IMAGE
from ..parts.dns import DNSOptions, records
from ..parts.existing import at_port, existing_gateway, existing_waypoint
from ..parts.external import external_service
from ..parts.former import own_binding
from ..parts.gateway import IngressGateway, url
from ..parts.gateway_args import GatewayReference, IngressGatewayArgs
from ..parts.grant import backends_elsewhere, grant
from ..parts.namespace import NamespaceReference
from ..parts.pod import renamed
from ..parts.probe import Probe, ProbeArgs, fingerprint
from ..parts.traffic import destination_rules as traffic
from ..parts.waypoint import (
    Waypoint,
    WaypointBinding,
    WaypointBindingArgs,
    WaypointOptions,
    WaypointReference,
)
from ..parts.workload import AdoptedService, AdoptedServiceArgs, ContainerOptions, Workload
from . import names
from .arguments import (
    Addresses,
    AmbientExposureArgs,
    PolicyPart,
    ServiceOptions,
    binds,
    called_by,
    inward,
    listens,
    route_kind,
)
from .arguments import connections as passed_on

_CONTAINER = ContainerOptions.__annotations__.keys()
_WAYPOINT = WaypointOptions.__annotations__.keys()

Bind = Callable[[WaypointBindingArgs], WaypointReference]
"""Binds a namespace; returns the waypoint, its name known once the namespace is bound to it."""


@dataclass(frozen=True)
class Backend:
    """A Service that requests go to."""

    name: pulumi.Output[str]
    """Its name, known once it is ready."""
    definition: pulumi.Input[Any]
    """What it and its workload are made of."""
    resources: Sequence[pulumi.Resource] = ()
    """What makes it ready."""
    reference: HTTPBackendRef | None = None
    """How routes refer to it, without its port (default by its name)."""


@dataclass(frozen=True)
class Exposing:
    """An exposure under construction: what all of its parts need."""

    name: str
    """Name of the component."""
    args: AmbientExposureArgs
    """Its arguments."""
    namespace: NamespaceReference
    """Its namespace."""
    component: pulumi.ComponentResource
    """The component."""
    bind: Bind | None = None
    """What binds its namespace in its place (default: it does so itself)."""

    @property
    def service(self) -> ServiceOptions:
        """The service that is exposed."""
        return self.args["service"]

    @property
    def service_kind(self) -> ServiceKind:
        """The kind of the object that its name is of."""
        return "ServiceEntry" if "external" in self.service else "Service"

    @property
    def tls_port(self) -> str:
        """Name of the port for the waypoint, where the service serves TLS."""
        return f"{self.service.get('protocol', 'http')}-tls"

    @property
    def ready_timeout(self) -> int:
        """Seconds that each object may take to become ready."""
        return self.args.get("ready_timeout", 300)

    def inside(self, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """The options of a part."""
        return pulumi.ResourceOptions(parent=self.component, depends_on=[*depends_on])


def gateway(of: Exposing) -> GatewayReference:
    """The ingress gateway."""
    if inward(of.args):
        return _outside(of)
    options = of.args.get("gateway", {})
    hostnames, protocol = of.args.get("hostnames", ()), passed_on(of.args)
    if "existing" in options:
        if "listener_set" in options:
            reference = existing_gateway(of.name, options["existing"], (), of.inside())
            return _brought(of, reference, options["listener_set"])
        return existing_gateway(of.name, options["existing"], hostnames, of.inside(), protocol)
    args: IngressGatewayArgs = {
        **cast("IngressGatewayArgs", options),
        "name": names.gateway(of.service["name"], options),
        "namespace": {"existing": of.namespace},
        "hostnames": hostnames,
        "ready_timeout": of.ready_timeout,
    }
    if protocol:
        args["protocol"] = protocol
    if protocol == "TCP":
        args["port"] = options.get("port", of.service["port"])
    return IngressGateway(of.name, args, of.inside()).reference


def _outside(of: Exposing) -> GatewayReference:
    """How clients in the mesh reach what is outside of it, in place of a gateway."""
    host, port = of.service["external"]["host"], of.service["port"]
    address = url("http", host, port)
    return {
        "host": host,
        "port": port,
        "url": address,
        "urls": [address],
        "addresses": [],
        "internal_host": host,
    }


def _brought(
    of: Exposing, gateway: GatewayReference, options: listeners.ListenerSetOptions
) -> GatewayReference:
    """The gateway with the listeners that are brought to it."""
    args: listeners.ListenerSetArgs = {
        **cast("listeners.ListenerSetArgs", options),
        "name": of.service["name"],
        "namespace": of.namespace["name"],
        "hostnames": of.args["hostnames"],
        "gateway": gateway["name"],
        "gateway_namespace": gateway["namespace"],
        "ready_timeout": of.ready_timeout,
    }
    made, certificate = listeners.listener_set(of.name, args, of.inside())
    scheme = "https" if "tls" in options else "http"
    reference: GatewayReference = {
        **at_port(gateway, scheme, listeners.listener_port(options)),
        "listener_set": made.name,
        "definition": [gateway.get("definition"), made.definition],
    }
    if certificate is not None:
        reference["certificate"] = certificate
    return reference


def waypoint(of: Exposing) -> WaypointReference:
    """The waypoint, its name known once the namespace is bound to it, or its Service may be."""
    options = of.args.get("waypoint", {})
    if "existing" in options:
        reference = existing_waypoint(of.name, options["existing"], of.inside())
    else:
        own = {key: value for key, value in options.items() if key in _WAYPOINT}
        reference = Waypoint(
            of.name,
            {
                **cast("WaypointOptions", own),
                "name": names.waypoint(of.service["name"], options),
                "namespace": {"existing": of.namespace},
                "ready_timeout": of.ready_timeout,
            },
            of.inside(),
        ).reference
    if binds(of.args) == "Service":
        return reference
    args: WaypointBindingArgs = {
        "namespace": of.namespace["name"],
        "waypoint": reference,
        "ingress_use_waypoint": options.get("ingress_use_waypoint", False),
    }
    return of.bind(args) if of.bind else _bind(of, args)


def _bind(of: Exposing, args: WaypointBindingArgs) -> WaypointReference:
    former = pulumi.ResourceOptions(aliases=[own_binding(of.name, of.component.urn)])
    opts = pulumi.ResourceOptions.merge(of.inside(), former)
    return WaypointBinding(of.name, args, opts).waypoint


def backends(of: Exposing, waypoint: WaypointReference) -> list[Backend]:
    """The Service that is exposed, and that of its second version if it has one."""
    service = of.service
    if "external" in service:
        return [_external(of, waypoint)]
    if not service.get("create", True):
        return [_adopted(of, waypoint)]
    listed = [_deployed(of, of.name, service, waypoint)]
    if canary := service.get("canary"):
        version: dict[str, Any] = {**service, **canary, "name": names.canary(service["name"])}
        if "pod" in version:
            version["pod"] = renamed(version["pod"], service["name"], version["name"])
        name = f"{of.name}-canary"
        listed.append(_deployed(of, name, cast("ServiceOptions", version), waypoint))
    return listed


def _deployed(
    of: Exposing, name: str, service: ServiceOptions, waypoint: WaypointReference
) -> Backend:
    container = {key: value for key, value in service.items() if key in _CONTAINER}
    if "tls" in service:
        port = {"name": of.tls_port, "port": listens(service), "targetPort": listens(service)}
        container["ports"] = [*service.get("ports", ()), port]
    workload = Workload(
        name,
        {
            **cast("ContainerOptions", container),
            "name": service["name"],
            "namespace": of.namespace["name"],
            "image": service["image"],
            "port": service["port"],
            "container_port": service["container_port"],
            # Nothing reaches a second version from outside by itself.
            "ingress_use_waypoint": name == of.name,
            "waypoint": waypoint,
            "ready_timeout": of.ready_timeout,
        },
        of.inside(),
    )
    return Backend(workload.service, workload.definition, [workload])


def _adopted(of: Exposing, waypoint: WaypointReference) -> Backend:
    # Bound before anything sends requests to it: they would pass by the rules.
    name = after(of.service["name"], waypoint["name"])
    if of.args.get("waypoint", {}).get("ingress_use_waypoint"):
        return Backend(name, of.service["name"])
    args: AdoptedServiceArgs = {"name": name, "namespace": of.namespace["name"]}
    if binds(of.args) == "Service":
        args["waypoint"] = waypoint
    adopted = AdoptedService(of.name, args, of.inside())
    return Backend(adopted.service, adopted.definition, [adopted])


def _external(of: Exposing, waypoint: WaypointReference) -> Backend:
    service = of.service
    protocol, port = service.get("protocol", "http"), listens(service)
    ports: list[ServicePort] = [
        {
            "number": service["port"],
            "name": protocol,
            "protocol": protocol.upper(),
            "targetPort": port,
        }
    ]
    if "tls" in service:
        ports.append({"number": port, "name": of.tls_port, "protocol": protocol.upper()})
    external = external_service(
        of.name,
        {
            **service["external"],
            "name": service["name"],
            "namespace": of.namespace["name"],
            "ports": ports,
            "waypoint": waypoint,
            "ready_timeout": of.ready_timeout,
        },
        of.inside(),
    )
    host = after(service["external"]["host"], external.urn)
    return Backend(
        external.name,
        external.definition,
        [external],
        {"group": NETWORKING, "kind": "Hostname", "name": host},
    )


def backend_tls(of: Exposing, backends: Sequence[Backend]) -> list[BackendTLSPolicy]:
    """How the waypoint checks the certificate of a service that serves TLS."""
    if "tls" not in of.service:
        return []
    args: tls.BackendTLSArgs = {
        "name": of.service["name"],
        "namespace": of.namespace["name"],
        "services": [backend.name for backend in backends],
        "service_kind": of.service_kind,
        "port": of.tls_port,
        "validation": of.service["tls"],
        "ready_timeout": of.ready_timeout,
    }
    return [tls.backend_tls(f"{of.name}-backend", args, of.inside())]


def waypoint_route(
    of: Exposing, backends: Sequence[Backend], secured_by: Sequence[pulumi.Resource]
) -> list[HTTPRoute | GRPCRoute]:
    """What the waypoint does with requests, nothing where it sees connections alone.

    None is sent on before what they are `secured_by` stands.
    """
    if passed_on(of.args):
        return []
    args: routes.WaypointRouteArgs = {
        "name": f"{of.service['name']}-waypoint-route",
        "namespace": of.namespace["name"],
        "service": backends[0].name,
        "port": of.service["port"],
        "backends": _shares(of, backends),
        "service_kind": of.service_kind,
        "ready_timeout": of.ready_timeout,
    }
    if "weights" in of.args:
        args["weights"] = of.args["weights"]
    if "grpc_rules" in of.args:
        args["grpc_rules"] = of.args["grpc_rules"]
    else:
        args["rules"] = of.args["rules"]
    granted = _grants(
        of, "waypoint-route", [*of.args.get("rules", []), *of.args.get("grpc_rules", [])]
    )
    opts = of.inside([*granted, *secured_by])
    return [routes.waypoint_route(f"{of.name}-waypoint", args, opts)]


def _shares(of: Exposing, backends: Sequence[Backend]) -> list[HTTPBackendRef]:
    """The Services with their shares of the requests."""
    port = listens(of.service) if "tls" in of.service else of.service["port"]
    if len(backends) == 1:
        return [_to(backends[0], port)]
    weight = of.service["canary"]["weight"]
    return [
        {**_to(backend, port), "weight": share}
        for backend, share in zip(backends, (100 - weight, weight), strict=True)
    ]


def _to(backend: Backend, port: int) -> HTTPBackendRef:
    return {**(backend.reference or {"name": backend.name}), "port": port}


def ingress_route(
    of: Exposing,
    gateway: GatewayReference,
    backend: Backend,
    protected_by: Sequence[pulumi.Resource],
) -> list[HTTPRoute | GRPCRoute | TLSRoute | TCPRoute]:
    """What the gateway does with requests, or with connections; nothing where there is none.

    Nothing reaches the service before what it is `protected_by` stands, nor after that has gone.
    """
    if inward(of.args):
        return []
    if protocol := passed_on(of.args):
        return [_connection_route(of, protocol, gateway, backend, protected_by)]
    args: routes.IngressRouteArgs = {
        "name": f"{of.service['name']}-ingress",
        "namespace": of.namespace["name"],
        "hostnames": of.args["hostnames"],
        "gateway": gateway["name"],
        "gateway_namespace": gateway["namespace"],
        "service": backend.name,
        "port": of.service["port"],
        "backends": [_to(backend, of.service["port"])],
        "ready_timeout": of.ready_timeout,
    }
    if "listener_set" in gateway:
        args["listener_set"] = gateway["listener_set"]
    elif "listener_port" in gateway:
        args["listener_port"] = gateway["listener_port"]
    if options := dns_options(of, gateway):
        args["dns"] = options
    if "weights" in of.args:
        args["weights"] = of.args["weights"]
    if "grpc_rules" in of.args:
        args["grpc_rules"] = [{}]
    elif "ingress_rules" in of.args:
        args["rules"] = of.args["ingress_rules"]
    else:
        args["rules"] = [{}]
    granted = _grants(of, "ingress", of.args.get("ingress_rules", []))
    opts = of.inside([*granted, *protected_by])
    return [routes.ingress_route(f"{of.name}-ingress", args, opts)]


def _connection_route(
    of: Exposing,
    protocol: connections.ConnectionProtocol,
    gateway: GatewayReference,
    backend: Backend,
    protected_by: Sequence[pulumi.Resource],
) -> TLSRoute | TCPRoute:
    args: connections.ConnectionRouteArgs = {
        "name": f"{of.service['name']}-ingress",
        "namespace": of.namespace["name"],
        "protocol": protocol,
        "gateway": gateway["name"],
        "gateway_namespace": gateway["namespace"],
        "backends": [cast("BackendRef", _to(backend, of.service["port"]))],
        "ready_timeout": of.ready_timeout,
    }
    if "hostnames" in of.args:
        args["hostnames"] = of.args["hostnames"]
    if "listener_port" in gateway:
        args["listener_port"] = gateway["listener_port"]
    return connections.connection_route(f"{of.name}-ingress", args, of.inside(protected_by))


def dns_options(of: Exposing, gateway: GatewayReference) -> DNSOptions:
    """How the records of the host names are made: as the gateway has it, unless it says so."""
    own: DNSOptions = of.args.get("gateway", {}).get("dns", {})
    return {**gateway.get("dns", {}), **own}


def dns_records(of: Exposing, gateway: GatewayReference) -> pulumi.Output[list[dict[str, Any]]]:
    """The records that lead the host names to the gateway."""
    options = dns_options(of, gateway)
    addresses = gateway.get("addresses", [gateway["host"]])
    targets = pulumi.Output.all(options.get("targets", addresses))
    return targets.apply(lambda given: records(of.args.get("hostnames", ()), given[0], options))


def _grants(of: Exposing, route: str, rules: Sequence[Mapping[str, Any]]) -> list[pulumi.Resource]:
    """The permission to send requests to the other namespaces that `rules` name."""
    if not of.args.get("grants"):
        return []
    by = (route_kind(of.args), of.namespace["name"], f"{of.service['name']}-{route}")
    return [
        grant(f"{of.name}-{route}", namespace, ("Service", services), by, of.inside())
        for namespace, services in backends_elsewhere(rules).items()
    ]


def destination_rules(
    of: Exposing, gateway: GatewayReference, waypoint: WaypointReference
) -> list[DestinationRule]:
    """How the waypoint spreads requests over pods."""
    if "traffic_policy" not in of.args:
        return []
    service = of.service["name"]
    return traffic(
        of.name,
        {
            "namespace": of.namespace["name"],
            "services": [service, *([names.canary(service)] if "canary" in of.service else [])],
            "policy": of.args["traffic_policy"],
            "gateway": gateway["name"],
            "waypoint_namespace": waypoint["namespace"],
        },
        of.inside(),
    )


def authorizations(
    of: Exposing,
    gateway: GatewayReference,
    waypoint: WaypointReference,
    backends: Sequence[Backend],
) -> list[Authorization]:
    """Who may send what."""
    service = of.service
    given: AuthorizationOptions = {}
    if "policies" in of.args:
        given["policies"] = [_policy(of, gateway, policy) for policy in of.args["policies"]]
    if "jwt_rules" in of.args:
        given["jwt_rules"] = of.args["jwt_rules"]
    versions = [("", service["name"], given)]
    if of.args.get("require_waypoint"):
        principal = _principal(of, waypoint["namespace"], waypoint["name"])
        selector = service.get("selector", {"app": service["name"]})
        given["required_waypoint"] = {"principal": principal, "selector": selector}
        if "canary" in service:
            name = names.canary(service["name"])
            pods = {"app": name}
            versions.append(
                ("-canary", name, {"required_waypoint": {"principal": principal, "selector": pods}})
            )
    return [
        Authorization(
            f"{of.name}{suffix}",
            cast(
                "AuthorizationArgs",
                {
                    **options,
                    "name": name,
                    "namespace": of.namespace["name"],
                    # Bound before anything is enforced at the waypoint.
                    "service": backend.name,
                    "service_kind": of.service_kind,
                    "ready_timeout": of.ready_timeout,
                },
            ),
            of.inside(),
        )
        for (suffix, name, options), backend in zip(versions, backends, strict=False)
        if options
    ]


def _policy(of: Exposing, gateway: GatewayReference, policy: PolicyPart) -> PolicyArgs:
    """A policy, its rules for the requests of the gateway alone where it says so."""
    plain: Any = {key: value for key, value in policy.items() if key != "from_gateway"}
    if policy.get("from_gateway"):
        principal = _principal(of, gateway["namespace"], gateway["service_account"])
        source: PolicyRule = {"from": [{"source": {"principals": [principal]}}]}
        plain["rules"] = [{**source, **rule} for rule in policy["rules"]]
    return cast("PolicyArgs", plain)


def _principal(
    of: Exposing, namespace: pulumi.Input[str], account: pulumi.Input[str]
) -> pulumi.Output[str]:
    """The identity that a ServiceAccount has in the mesh."""
    domain = of.args.get("trust_domain", "cluster.local")
    return pulumi.Output.format("{}/ns/{}/sa/{}", domain, namespace, account)


def probe(
    of: Exposing,
    gateway: GatewayReference,
    definitions: Sequence[pulumi.Input[Any]],
    ready: Sequence[pulumi.Resource],
) -> pulumi.Output[list[str]]:
    """Send the requests of the verification once all is `ready`, again when `definitions` change.

    Returns each request with its status; nothing without a verification.
    """
    if "verification" not in of.args:
        return pulumi.Output.from_input([])
    verification = of.args["verification"]
    place: dict[str, Any] = {"namespace": of.namespace["name"], "image": CLIENT_IMAGE}
    place |= verification.get("client", {})
    changing = [_another()] if verification.get("always") else []
    args: ProbeArgs = {
        "name": names.probe(of.service["name"]),
        "namespace": place["namespace"],
        "image": verification.get("image", place["image"]),
        "urls": pulumi.Output.all(gateway["urls"]).apply(
            lambda urls: asked(urls[0], verification.get("addresses", "both"))
        ),
        "hostnames": called_by(of.args),
        "checks": verification["checks"],
        "grpc": "grpc_rules" in of.args,
        "tcp": passed_on(of.args) == "TCP",
        "subject": fingerprint(*definitions, *changing),
        "timeout": verification.get("timeout", 60),
    }
    if "account" in place:
        args["account"] = place["account"]
    if "pod" in verification:
        args["pod"] = verification["pod"]
    if "certificate" in gateway:
        args["certificate"] = gateway["certificate"]
    return Probe(f"{of.name}-probe", args, of.inside(ready)).answers


def _another() -> pulumi.Input[str]:
    """A text that is another one in each update, and so is not known in its preview."""
    return unforeseen() if pulumi.runtime.is_dry_run() else uuid4().hex


def asked(urls: Sequence[str], addresses: Addresses) -> Sequence[str]:
    """Those of a gateway's `urls`, of which the first one is internal, that are asked."""
    found = {"internal": urls[:1], "external": urls[1:], "both": urls}[addresses]
    if not found:
        raise pulumi.RunError(
            "verification.addresses: found external, but the gateway has no external address."
            " Ask for internal, or give it one"
        )
    return found
