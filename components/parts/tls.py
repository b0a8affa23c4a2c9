"""How an ingress gateway serves HTTPS."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi

from ..api.gateway import ObjectMeta
from ..api.gateway_types import ListenerTLS, SecretObjectReference
from ..api.outputs import after
from ..checks import values as valid
from ..checks.schema import Schema
from .certificate import Certificate
from .grant import grant

TLSMode = Literal["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"]
"""Whether clients show a certificate: never, always, or if they have one."""


class TLSArgs(TypedDict):
    """How a gateway serves HTTPS.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/
    """

    certificates: NotRequired[Mapping[str, str]]
    """Secret of each host name, `name` or `namespace/name`, of type `kubernetes.io/tls`; where
    clients show certificates, with a `ca.crt` to check them by."""
    issuer: NotRequired[Literal["self-signed"]]
    """Who gives a certificate to the host names that have none in `certificates`: the stack makes
    a `Certificate` for development (default nobody, then each needs one)."""
    mode: NotRequired[TLSMode]
    """Whether clients show a certificate (default `SIMPLE`: they do not)."""
    port: NotRequired[int]
    """Port of HTTPS (default 443)."""
    redirect: NotRequired[bool]
    """Answer plaintext requests with a redirect to HTTPS (default true); false serves them too."""
    grants: NotRequired[bool]
    """Make a ReferenceGrant for the certificates of other namespaces (default false: who owns such
    a namespace has to)."""


def redirects(tls: TLSArgs | None) -> bool:
    """Whether plaintext requests are only redirected."""
    return tls is not None and tls.get("redirect", True)


def terminate(  # noqa: PLR0913  # what has the listeners, and how they serve
    name: str,
    gateway: ObjectMeta,
    hostnames: Sequence[str],
    tls: TLSArgs,
    opts: pulumi.ResourceOptions,
    *,
    kind: Literal["Gateway", "ListenerSet"] = "Gateway",
) -> tuple[list[ListenerTLS], pulumi.Output[str] | None]:
    """The `tls` of each host name's listener, and the PEM of the certificate if one is made.

    `gateway` is the object of this `kind` that has the listeners.
    """
    given = {
        hostname: secret.rpartition("/") for hostname, secret in tls.get("certificates", {}).items()
    }
    granted: dict[str, pulumi.Input[str]] = {
        namespace: after(
            namespace,
            grant(
                name,
                namespace,
                ("Secret", [secret for where, _, secret in given.values() if where == namespace]),
                (kind, gateway["namespace"], gateway["name"]),
                opts,
            ).urn,
        )
        if tls.get("grants")
        else namespace
        for namespace in dict.fromkeys(where for where, _, _ in given.values() if where)
    }
    references: dict[str, SecretObjectReference] = {
        hostname: {"name": secret, "namespace": granted[where]} if where else {"name": secret}
        for hostname, (where, _, secret) in given.items()
    }
    pem: pulumi.Output[str] | None = None
    if without := [hostname for hostname in hostnames if hostname not in references]:
        certificate = Certificate(
            name,
            {
                "name": pulumi.Output.format("{}-tls", gateway["name"]),
                "namespace": gateway["namespace"],
                "hostnames": without,
            },
            opts,
        )
        references |= {hostname: {"name": certificate.secret} for hostname in without}
        pem = certificate.pem
    return [_terminated(references[hostname], tls) for hostname in hostnames], pem


def _terminated(certificate: SecretObjectReference, tls: TLSArgs) -> ListenerTLS:
    served: ListenerTLS = {"mode": "Terminate", "certificateRefs": [certificate]}
    if (mode := tls.get("mode", "SIMPLE")) != "SIMPLE":
        served["options"] = {"gateway.istio.io/tls-terminate-mode": mode}
    return served


def _secret(value: object) -> str | None:
    parts = str(value).split("/")
    if len(parts) <= 2 and all(valid.dns_label(part) is None for part in parts[:-1]):
        return valid.subdomain(parts[-1])
    return "a Secret, 'name' or 'namespace/name'"


SCHEMA = Schema({TLSArgs: {"certificates[]": _secret, "port": valid.port}}, {})
"""What is checked of TLS by itself."""
