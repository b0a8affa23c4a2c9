"""The cluster's certificates, and the kubeconfigs that carry them."""

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from string import Template
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from lab.node.node import NODE, PORT, SERVICES
from lab.node.state import Slot, State

_LIFETIME: Final = dt.timedelta(days=365)

_SIGNS: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""What clients that are strict, Python's from 3.13 on among them, want of an authority."""

_KUBECONFIG: Final = Template(
    """\
apiVersion: v1
kind: Config
current-context: $name
contexts: [{name: $name, context: {cluster: $name, user: $name}}]
clusters: [{name: $name, cluster: {server: "$server", certificate-authority-data: $authority}}]
users: [{name: $name, user: {client-certificate-data: $certificate, client-key-data: $key}}]
"""
)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, both in PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.crt` and `<name>.key`."""
        (folder / f"{name}.crt").write_bytes(self.certificate)
        (folder / f"{name}.key").write_bytes(self.key)


class Authority:
    """The cluster's certificate authority. Its key is kept in memory only."""

    def __init__(self) -> None:
        """A new authority, with a new key."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=lab")
        self.certificate = self._sign(
            self._name,
            self._key.public_key(),
            x509.BasicConstraints(ca=True, path_length=0),
            _SIGNS,
        )
        """The authority's own certificate in PEM."""

    def issue(
        self,
        user: str,
        group: str = "",
        names: Sequence[str] = (),
        addresses: Sequence[IPv4Address] = (),
    ) -> Identity:
        """A certificate for a client `user` of `group`, and a server of the names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name.from_rfc4514_string(f"O={group},CN={user}" if group else f"CN={user}")
        extensions: list[x509.ExtensionType] = [
            x509.BasicConstraints(ca=False, path_length=None),
            x509.ExtendedKeyUsage([Purpose.CLIENT_AUTH, Purpose.SERVER_AUTH]),
        ]
        if alternatives := [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]:
            extensions.append(x509.SubjectAlternativeName(alternatives))
        certificate = self._sign(subject, key.public_key(), *extensions)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Identity(certificate, pem)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .issuer_name(self._name)
            .subject_name(subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + _LIFETIME)
        )
        for extension in (
            x509.SubjectKeyIdentifier.from_public_key(key),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            *extensions,
        ):
            critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def write_credentials(state: State, slot: Slot) -> None:
    """Write a lab's certificates and keys, and the kubeconfigs of its components and its user."""
    authority = Authority()
    pki = state.node / "pki"
    pki.mkdir(parents=True, exist_ok=True)
    (pki / "ca.crt").write_bytes(authority.certificate)
    service = "kubernetes.default.svc"
    names = ["kubernetes", "kubernetes.default", service, f"{service}.cluster.local", "localhost"]
    addresses = [IPv4Address("127.0.0.1"), slot.node, SERVICES[1]]
    kubelet = authority.issue(f"system:node:{NODE}", "system:nodes", [NODE], [slot.node])
    kubelet.write(pki, "kubelet")
    authority.issue("kube-apiserver", "", names, addresses).write(pki, "kube-apiserver")
    authority.issue("kube-apiserver-kubelet-client", "system:masters").write(pki, "kubelet-client")
    authority.issue("service-accounts").write(pki, "service-accounts")
    near, far = f"https://127.0.0.1:{PORT}", f"https://{slot.node}:{PORT}"
    _write_kubeconfig(state.node / "kubelet.kubeconfig", near, authority, kubelet)
    for name in ("kube-controller-manager", "kube-scheduler", "kube-proxy"):
        component = authority.issue(f"system:{name}")
        _write_kubeconfig(state.node / f"{name}.kubeconfig", near, authority, component)
    admin = authority.issue("lab-admin", "system:masters")
    _write_kubeconfig(state.kubeconfig, far, authority, admin)


def _write_kubeconfig(path: Path, server: str, authority: Authority, identity: Identity) -> None:
    path.touch(mode=0o600)
    path.write_text(
        _KUBECONFIG.substitute(
            name=NODE,
            server=server,
            authority=base64.b64encode(authority.certificate).decode(),
            certificate=base64.b64encode(identity.certificate).decode(),
            key=base64.b64encode(identity.key).decode(),
        )
    )
