"""The DNS records that lead host names to a gateway, and what external-dns is told of them."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from ..api.live import in_cluster
from ..checks import values as valid
from ..checks.schema import Schema
from ..checks.values import Limit

_PREFIX = "external-dns.kubernetes.io/"

TARGET = f"{_PREFIX}target"
"""Annotation of a Gateway: what the records point to."""


class DNSOptions(TypedDict):
    """How external-dns makes the records of host names, which it reads from routes.

    https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
    """

    targets: NotRequired[pulumi.Input[Sequence[str]]]
    """What they point to, addresses or host names (default the addresses of the gateway)."""
    ttl: NotRequired[int]
    """Seconds for which they may be cached (default the provider's)."""
    provider_specific: NotRequired[Mapping[str, str]]
    """What only one provider reads (default nothing): annotations by their names without
    `external-dns.kubernetes.io/`, such as `set-identifier`, `aws-weight`, `cloudflare-proxied`."""


SCHEMA = Schema(
    {
        DNSOptions: {
            "targets": valid.some,
            "ttl": Limit(1, 2**31 - 1, words="seconds"),
            "provider_specific{}": Limit(
                pattern="^(set-identifier|alias|[a-z]+-[a-z0-9-]+)$",
                words="the name of an annotation, such as 'aws-weight'",
            ),
        }
    },
    {},
)
"""What is checked of the options of records."""


def gateway_annotations(options: Mapping[str, Any]) -> dict[str, pulumi.Input[str]]:
    """What external-dns reads from a Gateway."""
    if "targets" not in options:
        return {}
    return {TARGET: pulumi.Output.all(options["targets"]).apply(lambda given: ",".join(given[0]))}


def route_annotations(options: Mapping[str, Any]) -> dict[str, str]:
    """What external-dns reads from a route."""
    ttl = {f"{_PREFIX}ttl": str(options["ttl"])} if "ttl" in options else {}
    specific = options.get("provider_specific", {})
    return ttl | {f"{_PREFIX}{name}": value for name, value in specific.items()}


def records(
    hostnames: Sequence[str], targets: Sequence[str], options: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The records of host names: `name`, `type`, `values`, and the `ttl` if one is given.

    None leads to a name that is known inside the cluster only.
    """
    by_type: dict[str, list[str]] = {}
    for target in targets:
        if not in_cluster(target):
            by_type.setdefault(_type(target), []).append(target)
    ttl = {"ttl": options["ttl"]} if "ttl" in options else {}
    return [
        {"name": hostname, "type": type_, "values": values, **ttl}
        for hostname in hostnames
        for type_, values in sorted(by_type.items())
    ]


def _type(target: str) -> str:
    try:
        return {4: "A", 6: "AAAA"}[ipaddress.ip_address(target).version]
    except ValueError:
        return "CNAME"
