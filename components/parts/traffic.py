"""How the requests of a service are spread over its pods, and failing pods are spared."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from ..api.destination_rule_types import TrafficPolicy
from ..api.istio import DestinationRule

_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""Label of the pods that istiod makes for a Gateway."""


class TrafficArgs(TypedDict):
    """What DestinationRules are made of."""

    namespace: pulumi.Input[str]
    """Namespace of the Services and of the objects."""
    services: Sequence[str]
    """Services, first the one that the gateway sends requests to."""
    policy: TrafficPolicy
    """How the waypoint treats the requests to each of them."""
    gateway: pulumi.Input[str]
    """Name of the gateway."""
    waypoint_namespace: pulumi.Input[str]
    """Namespace of the waypoint."""


def destination_rules(
    name: str, args: TrafficArgs, opts: pulumi.ResourceOptions
) -> list[DestinationRule]:
    """Make the DestinationRules by which a waypoint treats requests.

    A gateway would go by them as well, and its only endpoint of the Service is the waypoint: an
    outlier detection would put that out, a cookie would be set twice. So they are for the
    waypoint's namespace alone, and a gateway in it gets one of its own, without a policy. A
    waypoint goes by no rule with a selector.
    """
    first, *_ = args["services"]
    bypassing = DestinationRule(
        f"{name}-ingress",
        {"name": f"{first}-ingress", "namespace": args["namespace"]},
        {"host": first, "workloadSelector": {"matchLabels": {_GATEWAY_NAME: args["gateway"]}}},
        opts,
    )
    behind = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[bypassing]))
    rules = [
        DestinationRule(
            name if service == first else f"{name}-canary",
            {"name": service, "namespace": args["namespace"]},
            {
                "host": service,
                "trafficPolicy": args["policy"],
                # By name: of those that are exported alike, as `.`, istiod makes one.
                "exportTo": [args["waypoint_namespace"]],
            },
            behind,
        )
        for service in args["services"]
    ]
    return [bypassing, *rules]
