"""The ingress gateway."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi

from components.gateway_api import Gateway, infrastructure, timeouts, wait_for
from components.gateway_api_types import GatewaySpec
from components.outputs import after, unknown

ServiceType = Literal["ClusterIP", "LoadBalancer"]
"""How the Service of a gateway is exposed."""

_IN_CLUSTER = r"search(@.value, '[.]svc[.]')"


class IngressGatewayArgs(TypedDict):
    """What an `IngressGateway` is made of."""

    name: pulumi.Input[str]
    """Name of the Gateway; istiod names Deployment and Service `<name>-<gateway_class>`."""
    namespace: pulumi.Input[str]
    """Namespace of the gateway and of its proxy."""
    hostnames: Sequence[pulumi.Input[str]]
    """Host names that it serves, `*.` allowed in front: a listener each, the first named
    `default`, the others `default-2` and so on."""
    port: NotRequired[pulumi.Input[int]]
    """Port on which it listens (default 80)."""
    service_type: NotRequired[ServiceType]
    """`ClusterIP` (default) or `LoadBalancer`."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """GatewayClass (default `istio`)."""
    cluster_domain: NotRequired[pulumi.Input[str]]
    """DNS domain of the cluster (default `cluster.local`)."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be programmed and to get its address (default 300)."""


class IngressGateway(pulumi.ComponentResource):
    """A Gateway that istiod deploys, and the address under which it is reached.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/
    """

    name: pulumi.Output[str]
    """Name of the Gateway, known once it is programmed."""
    host: pulumi.Output[str]
    """The external address of a LoadBalancer, unknown in a preview that brings it, else the
    in-cluster name."""
    port: pulumi.Output[int]
    """Port on which it listens."""
    url: pulumi.Output[str]
    """`http://host:port`, an IPv6 host in brackets."""
    urls: list[pulumi.Output[str]]
    """Every such URL that answers inside the cluster, the in-cluster name's first."""

    applied: pulumi.Output[dict[str, Any]]
    """The Gateway as given, known once it is programmed."""

    def __init__(
        self, name: str, args: IngressGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:IngressGateway", name, {**args}, opts)
        service_type = args.get("service_type", "ClusterIP")
        gateway = Gateway(
            f"{name}-gateway",
            {
                "name": args["name"],
                "namespace": args["namespace"],
                "annotations": {
                    **_SERVICE_TYPE[service_type],
                    **wait_for(
                        "condition=Accepted", "condition=Programmed", _ADDRESSED[service_type]
                    ),
                },
            },
            render_gateway(args),
            pulumi.ResourceOptions(
                parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
            ),
        )
        self.name = gateway.name
        self.port = pulumi.Output.from_input(args.get("port", 80))
        in_cluster = pulumi.Output.format(
            "{}-{}.{}.svc.{}",
            args["name"],
            args.get("gateway_class", "istio"),
            args["namespace"],
            args.get("cluster_domain", "cluster.local"),
        )
        self.host = (
            after(in_cluster, gateway.urn)
            if service_type == "ClusterIP"
            else gateway.status.apply(_external_host)
        )
        self.url = pulumi.Output.all(self.host, self.port).apply(lambda at: url(*at))
        in_cluster_url = pulumi.Output.all(in_cluster, self.port).apply(lambda at: url(*at))
        self.urls = [in_cluster_url, self.url][: 1 if service_type == "ClusterIP" else 2]
        self.applied = gateway.applied
        self.register_outputs(
            {"name": self.name, "host": self.host, "port": self.port, "url": self.url}
        )


# LoadBalancer is what istiod deploys where nothing is said.
_SERVICE_TYPE: dict[ServiceType, dict[str, str]] = {
    "ClusterIP": {"networking.istio.io/service-type": "ClusterIP"},
    "LoadBalancer": {},
}

# istiod leaves the in-cluster name in the status until a load balancer has given an address, and
# a change of the service type alone does not outdate the condition Programmed.
_ADDRESSED: dict[ServiceType, str] = {
    "ClusterIP": f"jsonpath={{.status.addresses[?{_IN_CLUSTER}].value}}",
    "LoadBalancer": f"jsonpath={{.status.addresses[?!{_IN_CLUSTER}].value}}",
}


def render_gateway(args: IngressGatewayArgs) -> GatewaySpec:
    """The spec of the Gateway."""
    return {
        "gatewayClassName": args.get("gateway_class", "istio"),
        "infrastructure": infrastructure("Ingress gateway"),
        "listeners": [
            {
                "name": "default" if number == 1 else f"default-{number}",
                "hostname": hostname,
                "port": args.get("port", 80),
                "protocol": "HTTP",
                "allowedRoutes": {"namespaces": {"from": "All"}},
            }
            for number, hostname in enumerate(args["hostnames"], start=1)
        ],
    }


def url(host: str, port: int) -> str:
    """`http://host:port`, an IPv6 host in brackets."""
    try:
        bracketed = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        bracketed = host
    return f"http://{bracketed}:{int(port)}"


def external_address(status: Mapping[str, Any] | None) -> str | None:
    """The first address of a Gateway's `status` that a load balancer gave, if there is one."""
    addresses = (str(entry["value"]) for entry in (status or {}).get("addresses") or [])
    return next((value for value in addresses if ".svc." not in value), None)


def _external_host(status: Mapping[str, Any] | None) -> pulumi.Input[str]:
    if found := external_address(status):
        return found
    if pulumi.runtime.is_dry_run():
        return unknown()
    raise pulumi.RunError(
        "the gateway's last known status has no external address. Run `pulumi refresh` to read it"
        " anew, then `pulumi up`"
    )
