"""Issuers of cert-manager that Gateways name, and what it says of certificates they lack."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

import lightkube
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.core_v1 import Namespace

from .reading import get

_GROUP = "cert-manager.io"
_ISSUERS: dict[str, Any] = {
    "Issuer": create_namespaced_resource(_GROUP, "v1", "Issuer", "issuers"),
    "ClusterIssuer": create_global_resource(_GROUP, "v1", "ClusterIssuer", "clusterissuers"),
}
_CERTIFICATE: Any = create_namespaced_resource(_GROUP, "v1", "Certificate", "certificates")


class IssuerExpectation(TypedDict):
    """An issuer that is to give certificates to a Gateway."""

    name: str
    """Name."""
    kind: NotRequired[str]
    """Kind (default `Issuer`)."""
    group: NotRequired[str]
    """API group of the kind (default `cert-manager.io`)."""
    namespace: str
    """Namespace of the Gateway."""


def without_issuer(
    client: lightkube.Client, expected: Iterable[IssuerExpectation]
) -> Iterator[tuple[str, str]]:
    """What the issuers lack, as far as they are cert-manager's own."""
    for one in expected:
        kind = one.get("kind", "Issuer")
        if one.get("group", _GROUP) != _GROUP or kind not in _ISSUERS:
            continue
        definition = f"{kind.lower()}s.{_GROUP}"
        if get(client, CustomResourceDefinition, definition) is None:
            yield (
                f"CustomResourceDefinition {definition}",
                "missing: nobody gives certificates (tls.issuer_ref). Install cert-manager, its"
                " Gateway API support on",
            )
            continue
        place = one["namespace"] if kind == "Issuer" else None
        if place and get(client, Namespace, place) is None:
            continue  # who makes the namespace may put the issuer into it
        name = f"{kind} {place}/{one['name']}" if place else f"{kind} {one['name']}"
        issuer = get(client, _ISSUERS[kind], one["name"], place)
        if issuer is None:
            yield name, "missing. Create it, or change tls.issuer_ref"
        elif said := _not_ready(issuer.status or {}):
            yield name, f"gives no certificates: {said}. See `kubectl describe {kind.lower()}`"


def _not_ready(status: Mapping[str, Any]) -> str | None:
    """What an object that is not ready says."""
    for one in status.get("conditions") or []:
        if one["type"] == "Ready":
            said = f"{one.get('reason', 'no reason')}: {one.get('message', '')}"
            return None if one["status"] == "True" else said
    return "it says nothing of itself"


def lacking(client: lightkube.Client, gateway: Mapping[str, Any]) -> Iterator[str]:
    """What cert-manager says of the certificates that a Gateway's listeners do not have yet."""
    metadata = gateway["metadata"]
    annotations = metadata.get("annotations") or {}
    if not annotations.keys() & {f"{_GROUP}/issuer", f"{_GROUP}/cluster-issuer"}:
        return
    without = {
        listener["name"]
        for listener in (gateway.get("status") or {}).get("listeners") or []
        for condition in listener.get("conditions") or []
        if (condition["type"], condition["status"]) == ("ResolvedRefs", "False")
    }
    place = metadata["namespace"]
    for listener in gateway["spec"]["listeners"]:
        for secret in listener.get("tls", {}).get("certificateRefs", ()):
            if listener["name"] not in without or secret.get("namespace", place) != place:
                continue
            name = f"{place}/{secret['name']}"
            certificate = get(client, _CERTIFICATE, secret["name"], place)
            if certificate is None:
                yield (
                    f"cert-manager made no Certificate {name}: does it run, and is its Gateway API"
                    " support on?"
                )
            elif said := _not_ready(certificate.status or {}):
                yield (
                    f"Certificate {name} is not ready ({said}); `kubectl describe"
                    f" certificaterequests,orders,challenges -n {place}` tells more"
                )
