"""How an ingress gateway serves HTTPS."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi

from ..api.gateway import ObjectMeta
from ..api.gateway_types import FrontendTLSConfig, ListenerTLS, SecretObjectReference
from ..api.outputs import after
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import each
from ..checks.schema import Schema, at
from ..checks.values import Limit
from .certificate import Certificate
from .grant import grant

TLSMode = Literal["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"]
"""Whether clients show a certificate: never, always, or if they have one."""

_CERT_MANAGER = "cert-manager.io"


class IssuerReference(TypedDict):
    """An issuer of cert-manager, or of what extends it.

    https://cert-manager.io/docs/usage/gateway/
    """

    name: str
    """Its name."""
    kind: NotRequired[str]
    """Its kind (default `Issuer`, in the namespace of the gateway): `ClusterIssuer` is one for all
    namespaces."""
    group: NotRequired[str]
    """API group of its kind (default `cert-manager.io`)."""


class TLSArgs(TypedDict):
    """How a gateway serves HTTPS.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/
    """

    certificates: NotRequired[Mapping[str, str]]
    """Secret of each host name, `name` or `namespace/name`, of type `kubernetes.io/tls`; where
    clients show certificates, with a `ca.crt` to check them by, unless `frontend` has it."""
    issuer: NotRequired[Literal["self-signed"]]
    """Who gives a certificate to the host names that have none in `certificates`: the stack makes
    a `Certificate` for development (default nobody, then each needs one)."""
    issuer_ref: NotRequired[IssuerReference]
    """The issuer from which cert-manager has certificates for these host names instead, and keeps
    them up to date (default none); it does so for further `listeners` of HTTPS, too. Its Gateway
    API support has to be on. Until there is a first certificate, the host name has no HTTPS."""
    mode: NotRequired[TLSMode]
    """Whether clients show a certificate (default `SIMPLE`: they do not, or as `frontend` has it).
    `OPTIONAL_MUTUAL` needs `frontend` before Istio 1.32: until then istiod withholds the `ca.crt`
    of `certificates` from a gateway that begins with it, and every handshake fails."""
    frontend: NotRequired[FrontendTLSConfig]
    """By which `ca.crt`, in a ConfigMap or Secret of the gateway's namespace, the certificates of
    clients are checked, at all ports of HTTPS or at one: the Gateway API's own `spec.tls.frontend`
    (default none are asked for, or as `mode` has it). A client has to show one; with
    `AllowInsecureFallback` it passes without, and with a wrong one too; with the `mode`
    `OPTIONAL_MUTUAL` without, but not with a wrong one. Needs Istio 1.28, with `OPTIONAL_MUTUAL`
    1.30, for Secrets and `AllowInsecureFallback` 1.31.

    https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsconfig"""
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


def annotations(tls: TLSArgs | None) -> dict[str, str]:
    """What cert-manager reads from the Gateway."""
    issuer = (tls or {}).get("issuer_ref")
    if issuer is None:
        return {}
    kind = issuer.get("kind", "Issuer")
    if kind == "ClusterIssuer" and "group" not in issuer:
        return {f"{_CERT_MANAGER}/cluster-issuer": issuer["name"]}
    found = {f"{_CERT_MANAGER}/issuer": issuer["name"]}
    if kind != "Issuer":
        found[f"{_CERT_MANAGER}/issuer-kind"] = kind
    if "group" in issuer:
        found[f"{_CERT_MANAGER}/issuer-group"] = issuer["group"]
    return found


def validation(tls: Mapping[str, Any]) -> Mapping[str, Any]:
    """How `frontend` has clients' certificates checked at the port of HTTPS; empty where not."""
    frontend = tls.get("frontend", {})
    port = tls.get("port", 443)
    own = [one["tls"] for _, one in each("", frontend, "perPort") if one["port"] == port]
    checked: Mapping[str, Any] = [*own, frontend.get("default", {})][0].get("validation", {})
    return checked


def demanded(tls: Mapping[str, Any] | None) -> str | None:
    """The field of `tls` by which clients have to show a certificate at the port of HTTPS."""
    mode = (tls or {}).get("mode")
    if mode == "MUTUAL":
        return "mode"
    checked = validation(tls or {})
    optional = mode == "OPTIONAL_MUTUAL" or checked.get("mode") == "AllowInsecureFallback"
    return "frontend" if checked and not optional else None


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
    without = [hostname for hostname in hostnames if hostname not in references]
    if "issuer_ref" in tls:
        references |= {hostname: _issued(gateway, hostname) for hostname in without}
    elif without:
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


def _issued(gateway: ObjectMeta, hostname: str) -> SecretObjectReference:
    """The Secret that cert-manager is to make, one for each host name: as they come and go, the
    certificates of the others stay what they are.
    """
    return {"name": pulumi.Output.format("{}-{}", gateway["name"], hostname.replace("*", "any"))}


def _check_issuers(faults: Faults, path: str, tls: Mapping[str, Any]) -> None:
    if "issuer_ref" not in tls:
        return
    if "issuer" in tls:
        faults.add(at(path, "issuer_ref"), "found both issuer and issuer_ref, expected one of them")
    for hostname, secret in tls.get("certificates", {}).items():
        if isinstance(secret, str) and "/" not in secret:
            faults.add(
                f"{at(path, 'certificates')}[{hostname!r}]",
                "found a Secret of the gateway's own namespace beside issuer_ref: cert-manager"
                " makes those of all listeners, and would write over it. Name one of another"
                " namespace, or leave it out",
            )


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


def _check_clients(faults: Faults, path: str, tls: Mapping[str, Any]) -> None:
    """By what clients' certificates are checked does not contradict whether they show some."""
    if "frontend" not in tls:
        return
    listed = [(at(path, "frontend.default"), tls["frontend"].get("default", {}))]
    for where, one in each(at(path, "frontend"), tls["frontend"], "perPort"):
        listed.append((at(where, "tls"), one["tls"]))
    checked = [(where, one["validation"]) for where, one in listed if "validation" in one]
    if not checked:
        faults.add(at(path, "frontend"), "found no validation: clients would show no certificate")
    if (mode := tls.get("mode")) == "SIMPLE":
        faults.add(at(path, "mode"), "found SIMPLE beside frontend: clients show certificates")
    for where, one in checked if mode in ("MUTUAL", "OPTIONAL_MUTUAL") else ():
        if one.get("mode") == "AllowInsecureFallback":
            faults.add(
                at(where, "validation.mode"),
                f"found AllowInsecureFallback beside mode {mode}, by which Istio goes. Leave one"
                " of them out",
            )


def _check_tls(faults: Faults, path: str, tls: Mapping[str, Any]) -> None:
    _check_issuers(faults, path, tls)
    _check_clients(faults, path, tls)


SCHEMA = Schema(
    {
        TLSArgs: {"certificates[]": _secret, "port": valid.port},
        IssuerReference: {"name": valid.subdomain, "kind": Limit(1), "group": valid.subdomain},
    },
    {TLSArgs: _check_tls},
)
"""What is checked of TLS by itself."""
