"""How Gateways of Istio's own API serve host names.

https://istio.io/latest/docs/reference/config/networking/gateway/
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .routing import Edge, Routing

_MODES = ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL")
_PLAIN = ("HTTP", "HTTP2", "GRPC")

_BY_HAND = "Set tls.options of a Gateway by hand"
_ANY_CLIENT = ("any client is let in whose certificate the authority has signed", _BY_HAND)
_ONE_SECRET = ("the certificate is that of one Secret", "Put it into one, in tls.certificates")
_TLS: Mapping[str, tuple[str, str]] = {
    "minProtocolVersion": ("it is TLS 1.2 at least", _BY_HAND),
    "maxProtocolVersion": ("it is TLS 1.3 at most", _BY_HAND),
    "cipherSuites": ("they are those of Envoy", _BY_HAND),
    "subjectAltNames": _ANY_CLIENT,
    "verifyCertificateSpki": _ANY_CLIENT,
    "verifyCertificateHash": _ANY_CLIENT,
    "serverCertificate": _ONE_SECRET,
    "privateKey": _ONE_SECRET,
    "caCertificates": _ONE_SECRET,
    "caCertCredentialName": _ONE_SECRET,
    "credentialNames": _ONE_SECRET,
}
"""Fields of a server's TLS without an equivalent: why, and what to do instead."""


def served(gateway: Mapping[str, Any], hosts: Sequence[str]) -> list[str]:
    """The host names that both a gateway and the routes for `hosts` are for; `*` for all."""
    own = [name for server in gateway["spec"].get("servers") or [] for name in _names(server)]
    return [*{name: None for host in hosts for one in own if (name := _both(host, one))}]


def _names(server: Mapping[str, Any]) -> list[str]:
    """The host names of a server, without the namespaces that may use them."""
    return [host.rpartition("/")[2] for host in server.get("hosts") or []]


def _both(one: str, other: str) -> str:
    """The host names that both are, of which each may begin with a wildcard; empty for none."""
    for narrow, wide in ((one, other), (other, one)):
        if wide in (narrow, "*") or (wide.startswith("*.") and narrow.endswith(wide[1:])):
            return narrow
    return ""


def edge_of(gateway: Mapping[str, Any], host: str, routing: Routing) -> Edge | None:
    """How a gateway serves a host name; None where it does not serve HTTP."""
    metadata = gateway["metadata"]
    lose = partial(routing.lose, f"Gateway {metadata['namespace']}/{metadata['name']}")
    plain: Mapping[str, Any] | None = None
    secure: Mapping[str, Any] | None = None
    for index, server in enumerate(gateway["spec"].get("servers") or []):
        if not any(_both(host, one) for one in _names(server)):
            continue
        protocol, port = server["port"]["protocol"].upper(), server["port"]["number"]
        mode = (server.get("tls") or {}).get("mode", "SIMPLE")
        if protocol in _PLAIN and plain is None:
            plain = server
        elif protocol == "HTTPS" and mode in _MODES and secure is None:
            secure = server
        elif protocol in _PLAIN or (protocol == "HTTPS" and mode in _MODES):
            lose(
                f"spec.servers[{index}]",
                port,
                "a gateway of a stack has one port for HTTP, and one for HTTPS",
                "Add it to the gateway's listeners",
            )
        else:
            lose(
                f"spec.servers[{index}]",
                f"{protocol} {mode}" if "tls" in server else protocol,
                "a gateway of a stack ends HTTP or HTTPS",
                "Make a Gateway and a TLSRoute or TCPRoute by hand",
            )
    edge = Edge(metadata["name"], metadata["namespace"])
    if plain:
        edge = edge._replace(port=int(plain["port"]["number"]))
    redirects = plain is None or bool((plain.get("tls") or {}).get("httpsRedirect"))
    if secure:
        return _secured(edge._replace(redirect=redirects), host, secure, routing)
    return edge if plain else None


def _secured(edge: Edge, host: str, server: Mapping[str, Any], routing: Routing) -> Edge:
    """A gateway that serves HTTPS as a server does."""
    lose = partial(routing.lose, f"Gateway {edge.namespace}/{edge.name}")
    tls: Mapping[str, Any] = server.get("tls") or {}
    for key in sorted(tls.keys() - {"mode", "credentialName", "httpsRedirect"}):
        unknown = ("nothing here is like it", _BY_HAND)
        lose(f"spec.servers[].tls.{key}", tls[key], *_TLS.get(key, unknown))
    if not (secret := tls.get("credentialName")):
        lose(
            "spec.servers[].tls",
            tls,
            "it names no Secret",
            f"Set credentialName, and run this again: {host} is served in plaintext alone",
        )
        return edge._replace(redirect=True)
    edge = edge._replace(mode=tls.get("mode", "SIMPLE"), tls_port=int(server["port"]["number"]))
    routing.certificates[edge, host] = f"{edge.namespace}/{secret}"
    lose(
        "spec.servers[].tls.credentialName",
        secret,
        f"it was beside the gateway's pods, and is looked for in namespace {edge.namespace}",
        "Copy it there, or write its namespace, and grants, into tls of the gateway",
    )
    return edge
