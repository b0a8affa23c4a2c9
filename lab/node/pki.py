"""The cluster's certificates, and the kubeconfigs that carry them."""

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.node.node import NODE, PORT, SERVICES
from lab.node.state import Slot, State

_LIFETIME: Final = dt.timedelta(days=365)


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
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
        self._own = (
            _certificate(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate in PEM."""
        return self._own.public_bytes(Encoding.PEM)

    def issue(
        self,
        user: str,
        group: str = "",
        names: Sequence[str] = (),
        addresses: Sequence[IPv4Address] = (),
    ) -> Identity:
        """A certificate for a client `user` of `group`, and for a server where it has names."""
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        if group:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ip_address(str(address))) for address in addresses]
        if alternatives:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = (
            _certificate(x509.Name(subject), self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Identity(certificate.public_bytes(Encoding.PEM), _pem(key))


def write_credentials(state: State, slot: Slot) -> None:
    """Write a lab's certificates and keys, and the kubeconfigs of its components and its user."""
    authority = Authority()
    pki = state.node / "pki"
    pki.mkdir(parents=True, exist_ok=True)
    (pki / "ca.crt").write_bytes(authority.certificate)
    tokens = ec.generate_private_key(ec.SECP256R1())
    (pki / "service-accounts.key").write_bytes(_pem(tokens))
    (pki / "service-accounts.pub").write_bytes(
        tokens.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    service = "kubernetes.default.svc.cluster.local"
    names = [".".join(service.split(".")[:count]) for count in (1, 2, 3, 5)]
    addresses = [IPv4Address("127.0.0.1"), slot.node, SERVICES[1]]
    authority.issue("kube-apiserver", names=[*names, "localhost"], addresses=addresses).write(
        pki, "kube-apiserver"
    )
    authority.issue("kube-apiserver-kubelet-client", "system:masters").write(pki, "kubelet-client")
    kubelet = authority.issue(
        f"system:node:{NODE}", "system:nodes", names=[NODE], addresses=[slot.node]
    )
    kubelet.write(pki, "kubelet")

    near, far = f"https://127.0.0.1:{PORT}", f"https://{slot.node}:{PORT}"
    clients = {
        "kube-controller-manager": authority.issue("system:kube-controller-manager"),
        "kube-scheduler": authority.issue("system:kube-scheduler"),
        "kube-proxy": authority.issue("system:kube-proxy"),
        "kubelet": kubelet,
    }
    for name, identity in clients.items():
        _write_kubeconfig(state.node / f"{name}.kubeconfig", near, authority, identity)
    admin = authority.issue("lab-admin", "system:masters")
    _write_kubeconfig(state.kubeconfig, far, authority, admin)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_kubeconfig(path: Path, server: str, authority: Authority, identity: Identity) -> None:
    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    user = {
        "client-certificate-data": encoded(identity.certificate),
        "client-key-data": encoded(identity.key),
    }
    cluster = {"server": server, "certificate-authority-data": encoded(authority.certificate)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NODE, "cluster": cluster}],
        "users": [{"name": NODE, "user": user}],
        "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": NODE}}],
        "current-context": NODE,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
