"""Names of what an exposure makes beside its Service."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pulumi

_LIMIT = 63
"""Characters of a Service's name, and of a label's value."""


def gateway(service: str, options: Mapping[str, Any]) -> pulumi.Input[str]:
    """The ingress Gateway's, with whose class istiod names a Service."""
    class_ = options.get("gateway_class", "istio")
    suffix = len(f"-{class_}") if isinstance(class_, str) and "name_override" not in options else 0
    name: pulumi.Input[str] = options.get("name", _derived(service, "-gateway", _LIMIT - suffix))
    return name


def waypoint(service: str, options: Mapping[str, Any]) -> pulumi.Input[str]:
    """The waypoint's, after which istiod names a Service."""
    name: pulumi.Input[str] = options.get("name", _derived(service, "-waypoint"))
    return name


def canary(service: str) -> str:
    """The second version's Service's, and its pods' label."""
    return _derived(service, "-canary")


def probe(service: str) -> str:
    """The Job's that sends the requests of the verification."""
    return _derived(service, "-probe")


def _derived(service: str, suffix: str, limit: int = _LIMIT) -> str:
    """`<service><suffix>`; what is too long is cut, and told from others by a digest."""
    if len(service) + len(suffix) <= limit:
        return f"{service}{suffix}"
    digest = hashlib.sha256(service.encode()).hexdigest()[:8]
    return f"{service[: max(1, limit - len(suffix) - 9)]}-{digest}{suffix}"
