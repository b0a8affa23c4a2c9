"""The waypoint proxy of a namespace."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.gateway_api import Gateway, infrastructure, timeouts, wait_for
from components.outputs import after


class WaypointArgs(TypedDict):
    """What a `Waypoint` is made of."""

    name: pulumi.Input[str]
    """Name of the Gateway; istiod names Deployment, Service and ServiceAccount after it."""
    namespace: pulumi.Input[str]
    """Namespace of the waypoint, and the one whose services use it."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """GatewayClass (default `istio-waypoint`)."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be programmed (default 300)."""


class Waypoint(pulumi.ComponentResource):
    """The waypoint Gateway, and the label that sends its namespace's services through it.

    The label follows the Gateway and goes before it: services are never bound to a waypoint that
    is not there, which would let their traffic pass without any layer 7 rule.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """

    name: pulumi.Output[str]
    """Name of the waypoint, known once the namespace is bound to it."""

    applied: pulumi.Output[dict[str, Any]]
    """The Gateway as given, known once the namespace is bound to it."""

    def __init__(
        self, name: str, args: WaypointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:Waypoint", name, {**args}, opts)
        gateway = Gateway(
            f"{name}-waypoint",
            {
                "name": args["name"],
                "namespace": args["namespace"],
                "labels": {"istio.io/waypoint-for": "service"},
                "annotations": wait_for("condition=Accepted", "condition=Programmed"),
            },
            {
                "gatewayClassName": args.get("gateway_class", "istio-waypoint"),
                "infrastructure": infrastructure("Waypoint proxy"),
                "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
            },
            pulumi.ResourceOptions(
                parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
            ),
        )
        binding = kubernetes.core.v1.NamespacePatch(
            f"{name}-binding",
            metadata={
                "name": args["namespace"],
                "labels": {"istio.io/use-waypoint": gateway.name},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = after(args["name"], binding.urn)
        self.applied = after(gateway.applied, binding.urn)
        self.register_outputs({"name": self.name})
