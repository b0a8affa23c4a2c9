"""What a Gateway that is in a cluster offers to those who attach to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NAME_OVERRIDE = "gateway.istio.io/name-override"
"""Annotation of a Gateway: the name of the Deployment and Service that istiod makes."""


def serving(
    listeners: Iterable[Mapping[str, Any]],
    hostnames: Sequence[str],
    port: int | None = None,
    protocols: Sequence[str] = ("HTTPS", "HTTP"),
) -> list[Mapping[str, Any]]:
    """The listeners of one port that serve all `hostnames` between them, by order of `protocols`.

    `port` is the one that they have to be of, None any. None where no port has such listeners.
    """
    for protocol in protocols:
        by_port: dict[int, list[Mapping[str, Any]]] = {}
        for one in listeners:
            if one["protocol"] == protocol and port in (None, one["port"]):
                by_port.setdefault(int(one["port"]), []).append(one)
        for found in by_port.values():
            if all(any(serves(one.get("hostname"), name) for one in found) for name in hostnames):
                return found
    return []


def serves(listener: str | None, hostname: str) -> bool:
    """Whether a listener for one host name serves requests for another, wildcards included."""
    if not listener or listener == hostname:
        return True
    if listener.startswith("*."):
        return hostname.endswith(listener[1:])
    return hostname.startswith("*.") and listener.endswith(hostname[1:])


def admits(
    listener: Mapping[str, Any], own: str, namespace: str, labels: Mapping[str, str]
) -> bool:
    """Whether a listener of a Gateway in namespace `own` admits a `namespace` with `labels`."""
    allowed = admitted(listener)
    match allowed.get("from", "Same"):
        case "All":
            return True
        case "Selector":
            return _selects(allowed["selector"], labels)
        case "Same":
            return own == namespace
        case _:
            return False


def admitted(listener: Mapping[str, Any]) -> Mapping[str, Any]:
    """The namespaces that a listener admits, as its `allowedRoutes` have it."""
    found: Mapping[str, Any] = listener.get("allowedRoutes", {}).get("namespaces", {})
    return found


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        _meets(one, labels) for one in selector.get("matchExpressions", ())
    )


def _meets(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, among = labels.get(requirement["key"]), requirement.get("values", ())
    return {
        "In": value in among,
        "NotIn": value not in among,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[requirement["operator"]]


def internal_host(gateway: Mapping[str, Any]) -> str:
    """The in-cluster name of the Service behind a Gateway of Istio's.

    That of a Service that its spec names, else the one that it reports, else the one that istiod
    gives to what it makes.
    """
    metadata, spec = gateway["metadata"], gateway["spec"]
    asked = [
        value if "." in (value := str(one["value"])) else _whole(value, metadata["namespace"])
        for one in spec.get("addresses") or []
        if one.get("type") == "Hostname"
    ]
    if found := next(filter(in_cluster, [*asked, *addresses(gateway)]), None):
        return found
    override = (metadata.get("annotations") or {}).get(NAME_OVERRIDE)
    name = override or f"{metadata['name']}-{spec['gatewayClassName']}"
    return _whole(name, metadata["namespace"])


def addresses(gateway: Mapping[str, Any]) -> list[str]:
    """Every address that a Gateway reports."""
    return [str(one["value"]) for one in (gateway.get("status") or {}).get("addresses") or []]


def in_cluster(host: str) -> bool:
    """Whether a host is the in-cluster name of a Service."""
    return ".svc." in host


def _whole(service: str, namespace: str) -> str:
    return f"{service}.{namespace}.svc.cluster.local"
