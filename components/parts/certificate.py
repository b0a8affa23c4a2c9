"""A self-signed certificate, for clusters where nobody else gives one."""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..api.outputs import unforeseen
from ..checks import values as valid
from ..checks.schema import Schema
from .former import own_component

_YEARS = 10


class CertificateArgs(TypedDict):
    """What a `Certificate` is made of."""

    name: pulumi.Input[str]
    """Beginning of the Secret's name; a digest of the certificate is added."""
    namespace: pulumi.Input[str]
    """Namespace of the Secret."""
    hostnames: Sequence[str]
    """Host names that it is for, `*.` allowed in front."""


SCHEMA = Schema(
    {
        CertificateArgs: {
            "name": valid.dns_label,
            "namespace": valid.dns_label,
            "hostnames": valid.some,
            "hostnames[]": valid.hostname,
        }
    },
    {},
)
"""What is checked of a certificate's arguments."""


class Certificate(kubernetes.core.v1.Secret):
    """The Secret of a self-signed certificate for ten years; the state keeps its key encrypted.

    It is made once and kept while its host names stay the same; for others a new one is made
    beside it. For development: nobody trusts it but who is given it. Raises `InvalidInput` with
    every fault of `args`.

    https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
    """

    secret: pulumi.Output[str]
    """Name of the Secret, known once it is there."""
    pem: pulumi.Output[str]
    """The certificate, not secret, for those that shall trust it."""

    def __init__(
        self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Certificate {name!r}", args, CertificateArgs)
        digest = hashlib.sha256("\n".join(args["hostnames"]).encode()).hexdigest()[:8]
        suffix, data = _pair(args["hostnames"])
        super().__init__(
            # Other host names make another resource: as one, it would keep the old certificate.
            f"{name}-certificate-{digest}",
            metadata={
                # A name of its own for each pair: of a Secret that is made again while a proxy
                # still ends connections of the former one, the proxy would go on with the old pair.
                "name": pulumi.Output.format("{}-{}", args["name"], suffix),
                "namespace": args["namespace"],
            },
            type="kubernetes.io/tls",
            data=data,
            opts=pulumi.ResourceOptions.merge(
                opts,
                # Every run of the program makes a pair; the first one is kept.
                pulumi.ResourceOptions(
                    ignore_changes=["data", "metadata.name"],
                    aliases=[own_component("Certificate", name, opts)],
                ),
            ),
        )
        self.secret = self.metadata.apply(lambda metadata: str(metadata["name"]))
        self.pem = pulumi.Output.unsecret(self.data).apply(
            lambda data: base64.b64decode(data["tls.crt"]).decode()
        )


def _pair(
    hostnames: Sequence[str],
) -> tuple[pulumi.Input[str], pulumi.Input[Mapping[str, pulumi.Input[str]]]]:
    """A digest of the pair, and the Secret's content; unknown in a preview, which has none."""
    if pulumi.runtime.is_dry_run():
        return unforeseen(), unforeseen()
    certificate, key = self_signed(hostnames)
    return hashlib.sha256(certificate).hexdigest()[:8], {
        "tls.crt": base64.b64encode(certificate).decode(),
        "tls.key": pulumi.Output.secret(base64.b64encode(key).decode()),
    }


def self_signed(hostnames: Sequence[str]) -> tuple[bytes, bytes]:
    """A certificate for `hostnames` and its private key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self-signed")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # clocks differ
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(h) for h in hostnames]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
