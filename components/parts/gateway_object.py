"""The Gateway object of an ingress gateway."""

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

import pulumi

from ..api.gateway import (
    ObjectMeta,
    infrastructure,
    wait_for,
)
from ..api.gateway_types import (
    AllowedRoutes,
    GatewaySpec,
    Listener,
    ListenerTLS,
)
from . import tls as https
from .dns import gateway_annotations
from .gateway_args import IngressGatewayArgs
from .tls import redirects

# The namespace's label would bind the gateway's own Service, too: what clients of the mesh send to
# the gateway would pass the waypoint before it, where gRPC fails.
_UNBOUND = {"istio.io/use-waypoint": "none"}

_IN_CLUSTER = r"search(@.value, '[.]svc[.]')"


def render_metadata(args: IngressGatewayArgs, identity: ObjectMeta) -> ObjectMeta:
    """The metadata of the Gateway, of which `identity` has name and namespace."""
    metadata: ObjectMeta = {
        **identity,
        "annotations": {
            **_annotations(args),
            **wait_for(
                "condition=Accepted",
                "condition=Programmed",
                _ADDRESSED[reports(args)],
                *_certified(args),
            ),
        },
    }
    if "revision" in args:
        metadata["labels"] = {"istio.io/rev": args["revision"]}
    return metadata


def port_of(args: IngressGatewayArgs) -> pulumi.Input[int]:
    """The port on which its host names are served, that of HTTPS where it serves it."""
    if "tls" in args:
        return args["tls"].get("port", 443)
    return args.get("port", 443 if args.get("protocol") == "TLS" else 80)


def reports(args: IngressGatewayArgs) -> Literal["external", "Hostname", "IPAddress"]:
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
            "hostname": hostname,
            "port": args.get("port", 80),
            "protocol": "HTTP",
            "allowedRoutes": plain,
        }
        for name, hostname in (listener_names("http", hostnames) if protocol == "HTTP" else ())
    ]
    encrypted: list[Listener] = [
        {
            "name": name,
            "hostname": hostname,
            "port": port_of(args),
            "protocol": "HTTPS",
            "tls": served,
            "allowedRoutes": allowed,
        }
        for (name, hostname), served in (
            zip(listener_names("https", hostnames), tls, strict=True) if tls else ()
        )
    ]
    passed_on: list[Listener] = [
        {
            "name": name,
            "hostname": hostname,
            "port": port_of(args),
            "protocol": "TLS",
            "tls": {"mode": "Passthrough"},
            "allowedRoutes": allowed,
        }
        for name, hostname in (listener_names("tls", hostnames) if protocol == "TLS" else ())
    ]
    if protocol == "TCP":
        passed_on = [
            {"name": "tcp", "port": port_of(args), "protocol": "TCP", "allowedRoutes": allowed}
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


def listener_names(
    scheme: Literal["http", "https", "tls"], hostnames: Sequence[pulumi.Input[str]]
) -> list[tuple[pulumi.Input[str], pulumi.Input[str]]]:
    """Each host name with the name of its listener before it.

    istiod names a port of the Service after its first listener, and a port that gets another name
    refuses connections for a moment; requests to a listener that gets another name may be answered
    with 404 meanwhile. So the first one has a name that no host name changes, and those that are
    appended change no other.
    """
    first = {"http": "default", "https": "https", "tls": "tls"}[scheme]
    return [
        (_listener_name(scheme, hostname) if index else first, hostname)
        for index, hostname in enumerate(hostnames)
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
