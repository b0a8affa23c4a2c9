"""The self-signed certificate: for whom, how long, and that it serves."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from components.parts.certificate import self_signed

HOSTNAMES = ["shop.example.com", "*.shop.example.com"]


def test_it_is_for_the_host_names_and_ten_years() -> None:
    pem, key = self_signed(HOSTNAMES)
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == HOSTNAMES
    now = dt.datetime.now(dt.UTC)
    assert certificate.not_valid_before_utc < now - dt.timedelta(minutes=59)
    assert certificate.not_valid_after_utc - now > dt.timedelta(days=3649)
    own = serialization.load_pem_private_key(key, None).public_key()
    assert own == certificate.public_key()


def test_each_has_a_key_of_its_own() -> None:
    assert self_signed(HOSTNAMES)[1] != self_signed(HOSTNAMES)[1]


def handshake(folder: Path, pem: bytes, key: bytes, trusted: bytes, name: str) -> str | None:
    """The TLS version that client and server agree on."""
    (folder / "both.pem").write_bytes(pem + key)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "both.pem")
    trusting = ssl.create_default_context(cadata=trusted.decode())
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, contextlib.suppress(OSError):  # the client may refuse
            served.wrap_socket(theirs, server_side=True).close()

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours, trusting.wrap_socket(ours, server_hostname=name) as client:
            return client.version()
    finally:
        server.join(timeout=10)


@pytest.mark.parametrize("name", ["shop.example.com", "a.shop.example.com"])
def test_who_is_given_it_trusts_it(tmp_path: Path, name: str) -> None:
    pem, key = self_signed(HOSTNAMES)
    assert handshake(tmp_path, pem, key, pem, name) == "TLSv1.3"


def test_it_is_for_no_other_host_name(tmp_path: Path) -> None:
    pem, key = self_signed(HOSTNAMES)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tmp_path, pem, key, pem, "other.example.com")


def test_nobody_else_trusts_it(tmp_path: Path) -> None:
    pem, key = self_signed(HOSTNAMES)
    other, _ = self_signed(HOSTNAMES)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, pem, key, other, "shop.example.com")
