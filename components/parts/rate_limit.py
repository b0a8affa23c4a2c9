"""A limit on the rate of requests that a proxy answers."""

from typing import Any, Literal, NotRequired, TypedDict

import pulumi

from ..api.envoy_filter_types import EnvoyFilterListenerMatch
from ..api.gateway import GROUP, ObjectMeta
from ..api.istio import EnvoyFilter
from ..checks import values as valid
from ..checks.schema import Schema


class RateLimitArgs(TypedDict):
    """How many requests each pod of a proxy answers; those above it are answered 429.

    Every pod counts for itself, and in it every port of a gateway, every Service of a waypoint.
    Made as a filter of Envoy's by an EnvoyFilter, as Istio has no API of its own for it: how it is
    made may change with releases of this project or of Istio. Needs Istio 1.27.

    https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter
    """

    requests: int
    """Requests within the interval, all at once or spread over it."""
    seconds: NotRequired[int]
    """Length of the interval (default 1)."""


def rate_limit(
    name: str,
    args: RateLimitArgs,
    gateway: ObjectMeta,
    proxy: Literal["gateway", "waypoint"],
    opts: pulumi.ResourceOptions,
) -> EnvoyFilter:
    """Make the EnvoyFilter that limits the proxy of a `gateway`."""
    listener: EnvoyFilterListenerMatch = {
        "filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
    }
    if proxy == "waypoint":
        # Behind the tunnel: in front of it, connections would be counted.
        listener["name"] = "main_internal"
    return EnvoyFilter(
        f"{name}-rate-limit",
        {
            "name": pulumi.Output.format("{}-rate-limit", gateway["name"]),
            "namespace": gateway["namespace"],
        },
        {
            "targetRefs": [{"group": GROUP, "kind": "Gateway", "name": gateway["name"]}],
            "configPatches": [
                {
                    "applyTo": "HTTP_FILTER",
                    "match": {
                        "context": "GATEWAY" if proxy == "gateway" else "SIDECAR_INBOUND",
                        "listener": listener,
                    },
                    "patch": {"operation": "INSERT_FIRST", "value": _filter(args)},
                }
            ],
        },
        opts,
    )


def _filter(args: RateLimitArgs) -> dict[str, Any]:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "name": "envoy.filters.http.local_ratelimit",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3"
            ".LocalRateLimit",
            "stat_prefix": "rate_limit",
            "token_bucket": {
                "max_tokens": args["requests"],
                "tokens_per_fill": args["requests"],
                "fill_interval": f"{args.get('seconds', 1)}s",
            },
            "filter_enabled": always,
            "filter_enforced": always,
        },
    }


SCHEMA = Schema({RateLimitArgs: {"requests": valid.Limit(1), "seconds": valid.seconds}}, {})
"""What is checked of a limit."""
