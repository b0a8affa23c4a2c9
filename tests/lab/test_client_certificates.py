"""Clients that show a certificate, as the Gateway API has it: one that is demanded, or not."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.node.pki import Authority
from tests.lab.conftest import Lab, Stack, plain, sample
from tests.lab.test_exposure import until
from tests.lab.test_tls import ANSWERED, HOST, https
from tests.lab.test_topology import settled

pytestmark = plain

REFUSED = "no answer"
"""What curl says of it differs: a client learns of it after its handshake, while it sends."""


@pytest.fixture(scope="module")
def certificates(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Pairs of a client and of a stranger, in a folder.

    In the gateway's namespace, which is somebody else's, a ConfigMap and a Secret have the
    authority of clients.
    """
    folder = tmp_path_factory.mktemp("certificates")
    clients = Authority()
    clients.issue("client").write(folder, "client")
    Authority().issue("stranger").write(folder, "stranger")
    authority = folder / "authority.json"
    data = {"ca.crt": clients.certificate.decode()}
    encoded = {"ca.crt": base64.b64encode(clients.certificate).decode()}
    metadata = {"namespace": "httpbin", "name": "clients"}
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded},
    ]
    authority.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    lab.kubectl("create", "namespace", "httpbin")
    lab.kubectl("label", "namespace", "httpbin", "istio-discovery=enabled")
    lab.kubectl("apply", "-f", str(authority))
    yield folder
    lab.kubectl("delete", "namespace", "httpbin")


@pytest.fixture(scope="module")
def stack(certificates: Path, module_stack: Stack) -> Stack:
    """The module's stack, whose objects in the namespace go before it does."""
    assert certificates
    return module_stack


def checked(kind: str, **fields: str) -> dict[str, Any]:
    """How certificates of clients are checked, by an object of a kind."""
    authority = {"group": "", "kind": kind, "name": "clients"}
    return {"validation": {"caCertificateRefs": [authority], **fields}}


def secured(tls: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The sample in the namespace that is there, reachable by HTTPS from this machine."""
    return sample(
        namespace={"create": False, "ambient": True},
        gateway={"serviceType": "LoadBalancer", "tls": {"issuer": "self-signed", **tls}},
        **changes,
    )


def answer(address: str, folder: Path, client: str | None) -> str:
    """What a client is answered, the one of a pair or one without any."""
    pair = ("--cert", folder / f"{client}.crt", "--key", folder / f"{client}.key")
    found = https(address, HOST, "--insecure", *(pair if client else ()))
    return REFUSED if found.startswith("000 ") else found


def test_a_certificate_that_is_shown_has_to_be_right(stack: Stack, certificates: Path) -> None:
    # From the first listener on: what Envoy has of another it goes on with.
    tls = {"mode": "OPTIONAL_MUTUAL", "frontend": {"default": checked("ConfigMap")}}
    outputs = stack.up(exposures=secured(tls))
    address = outputs["ingressHost"]
    assert answer(address, certificates, "client") == ANSWERED
    assert answer(address, certificates, None) == ANSWERED
    assert answer(address, certificates, "stranger") == REFUSED
    settled(stack)


def test_a_certificate_is_demanded(stack: Stack, certificates: Path) -> None:
    tls = {"frontend": {"default": checked("Secret")}}
    address = stack.up(exposures=secured(tls, verification=None))["ingressHost"]
    until(lambda: answer(address, certificates, None) == REFUSED)
    assert answer(address, certificates, "client") == ANSWERED
    assert answer(address, certificates, "stranger") == REFUSED
    settled(stack)


def test_a_port_asks_without_demanding(stack: Stack, certificates: Path) -> None:
    fallback = checked("ConfigMap", mode="AllowInsecureFallback")
    ports = [{"port": 443, "tls": fallback}]
    tls = {"frontend": {"default": checked("Secret"), "perPort": ports}}
    address = stack.up(exposures=secured(tls))["ingressHost"]
    until(lambda: answer(address, certificates, None) == ANSWERED)
    assert answer(address, certificates, "client") == ANSWERED
    assert answer(address, certificates, "stranger") == ANSWERED
    settled(stack)
