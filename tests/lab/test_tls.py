"""HTTPS at the ingress gateway: whose certificate is shown, and who is let in."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.node.pki import Authority
from tests.lab.conftest import Lab, Stack, plain, run, sample
from tests.lab.test_exposure import until
from tests.lab.test_topology import settled

pytestmark = plain

HOST = "httpbin.example.com"
OTHER = "httpbin.example.org"
ANSWERED = "200 0"
REFUSED = ("000 35", "000 56")
"""curl's errors for a handshake that the gateway broke off; in TLS 1.3 a client learns only after
it that its certificate is missing or wrong."""
UNTRUSTED = "000 60"


def secured(tls: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The sample, reachable by HTTPS from this machine."""
    return sample(gateway={"serviceType": "LoadBalancer", "tls": tls}, **changes)


@pytest.fixture(scope="module")
def vault(lab: Lab) -> Iterator[str]:
    """A namespace of somebody else, which keeps certificates."""
    lab.kubectl("create", "namespace", "vault")
    lab.kubectl("label", "namespace", "vault", "istio-discovery=enabled")
    yield "vault"
    lab.kubectl("delete", "namespace", "vault")


@pytest.fixture(scope="module")
def stack(vault: str, module_stack: Stack) -> Stack:
    """The module's stack, whose objects in `vault` go before it does."""
    assert vault
    module_stack.up(exposures=sample(verification=None))
    return module_stack


def https(address: str, host: str, *words: str | Path, path: str = "/headers") -> str:
    """Status and curl's exit code for a request from this machine to a gateway's address."""
    command = ("curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code} %{exitcode}")
    target = ("--connect-to", f"::{address}", f"https://{host}{path}")
    return run(*command, *words, *target, ends="somehow")


def http(address: str, path: str) -> str:
    """Status and target of the redirect of a plaintext request."""
    command = ("curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")
    return run(*command, "--connect-to", f"::{address}", f"http://{HOST}{path}", ends="somehow")


def secret(lab: Lab, place: str, name: str, content: Mapping[str, bytes], folder: Path) -> None:
    """Put a certificate where its owner would."""
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": place, "name": name},
        "type": "kubernetes.io/tls",
        "data": data,
    }
    file = folder / f"{name}.json"
    file.write_text(json.dumps(manifest))
    lab.kubectl("apply", "-f", str(file))


def served(
    lab: Lab, folder: Path, name: str, host: str, place: str = "httpbin", **more: bytes
) -> Path:
    """Make the Secret `name` for a host name; returns the file of the authority that signed it."""
    authority = Authority()
    pair = authority.issue(host, names=[host])
    content = {"tls.crt": pair.certificate, "tls.key": pair.key}
    content |= {key.replace("_", "."): value for key, value in more.items()}
    secret(lab, place, name, content, folder)
    file = folder / f"{name}-authority.pem"
    file.write_bytes(authority.certificate)
    return file


def test_a_self_signed_certificate_and_the_redirect_to_it(stack: Stack, tmp_path: Path) -> None:
    outputs = stack.up(exposures=secured({"issuer": "self-signed"}))
    address = outputs["ingressHost"]
    assert outputs["ingressUrl"] == f"https://{address}:443"
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(outputs["ingressCertificate"])
    assert https(address, HOST, "--cacert", certificate) == ANSWERED
    assert https(address, HOST, "--cacert", certificate, path="/get") == "404 0"
    assert https(address, HOST) == UNTRUSTED
    assert http(address, "/headers?a=b") == f"301 https://{HOST}/headers?a=b"
    settled(stack)

    # Another port, which the redirect names.
    moved = secured({"issuer": "self-signed", "port": 8443})
    address = stack.up(exposures=moved)["ingressHost"]
    until(lambda: http(address, "/headers") == f"301 https://{HOST}:8443/headers")
    assert https(f"{address}:8443", HOST, "--cacert", certificate) == ANSWERED


def test_plaintext_is_served_beside_https(stack: Stack) -> None:
    both = secured({"issuer": "self-signed", "redirect": False})
    address = stack.up(exposures=both)["ingressHost"]
    assert https(address, HOST, "--insecure") == ANSWERED
    until(lambda: http(address, "/headers") == "200 ")
    assert http(address, "/get") == "404 "
    settled(stack)


def test_each_host_name_has_its_certificate(lab: Lab, stack: Stack, tmp_path: Path) -> None:
    first = served(lab, tmp_path, "first", HOST)
    second = served(lab, tmp_path, "second", OTHER)
    tls = {"certificates": {HOST: "first", OTHER: "second"}}
    address = stack.up(exposures=secured(tls, hostnames=[HOST, OTHER]))["ingressHost"]
    assert https(address, HOST, "--cacert", first) == ANSWERED
    assert https(address, OTHER, "--cacert", second) == ANSWERED
    assert https(address, HOST, "--cacert", second) == UNTRUSTED
    assert https(address, OTHER, "--cacert", first) == UNTRUSTED
    assert https(address, "httpbin.example.net", "--insecure") in REFUSED
    settled(stack)


def test_clients_show_a_certificate(lab: Lab, stack: Stack, tmp_path: Path) -> None:
    clients, strangers = Authority(), Authority()
    clients.issue("client").write(tmp_path, "client")
    strangers.issue("client").write(tmp_path, "stranger")
    authority = served(lab, tmp_path, "mutual", HOST, ca_crt=clients.certificate)
    exposures = secured({"certificates": {HOST: "mutual"}, "mode": "MUTUAL"})
    del exposures["httpbin"]["verification"]  # its client has no certificate
    address = stack.up(exposures=exposures)["ingressHost"]

    def answer(client: str | None) -> str:
        pair = (tmp_path / f"{client}.crt", tmp_path / f"{client}.key")
        shown = ("--cert", pair[0], "--key", pair[1]) if client else ()
        return https(address, HOST, "--cacert", authority, *shown)

    until(lambda: answer("client") == ANSWERED)
    until(lambda: answer(None) in REFUSED)
    until(lambda: answer("stranger") in REFUSED)
    settled(stack)


def test_a_certificate_of_another_namespace(
    lab: Lab, vault: str, stack: Stack, tmp_path: Path
) -> None:
    authority = served(lab, tmp_path, "theirs", HOST, place=vault)
    certificates = {HOST: f"{vault}/theirs"}
    printed = stack.failing_up(exposures=secured({"certificates": certificates}, readyTimeout=10))
    assert "Gateway httpbin/httpbin-gateway: " in printed
    assert "ResolvedRefs=False (RefNotPermitted: " in printed
    assert "`grants` true makes it" in printed
    granted = secured({"certificates": certificates, "grants": True})
    address = stack.up(exposures=granted)["ingressHost"]
    assert https(address, HOST, "--cacert", authority) == ANSWERED
    settled(stack)


def test_another_host_name_gets_another_certificate_without_a_gap(
    lab: Lab, stack: Stack, tmp_path: Path
) -> None:
    def secrets() -> set[str]:
        listed = lab.kubectl("get", "secrets", "-n", "httpbin", "-o", "name").split()
        return {name for name in listed if "httpbin-gateway-tls" in name}

    def listeners() -> list[str]:
        path = "jsonpath={.spec.listeners[*].name}"
        return lab.kubectl("get", "gateway", "httpbin-gateway", "-n", "httpbin", "-o", path).split()

    issuer = {"issuer": "self-signed"}
    # Alphabetically before the other one, of which no listener gets another name.
    appended = "appended.example.com"
    before = stack.up(exposures=secured(issuer))
    address = before["ingressHost"]
    old = secrets()
    answers: list[str] = []
    done = threading.Event()

    def send() -> None:
        while not done.is_set():
            answers.append(https(address, HOST, "--insecure"))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        after = stack.up(exposures=secured(issuer, hostnames=[HOST, appended]))
    finally:
        done.set()
        sender.join()
    assert len(answers) > 10
    assert set(answers) == {ANSWERED}
    assert len(old) == len(secrets()) == 1
    assert old != secrets()
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(after["ingressCertificate"])
    assert https(address, appended, "--cacert", certificate) == ANSWERED
    names = ["default", "http-appended-example-com", "https", "https-appended-example-com"]
    assert listeners() == names
    settled(stack)

    # The Secret is not called what that for the first host name alone was called before: of that
    # name the proxy would not ask for another one while it still ends connections.
    again = stack.up(exposures=secured(issuer))
    certificate.write_text(again["ingressCertificate"])
    assert https(address, HOST, "--cacert", certificate) == ANSWERED
    assert not secrets() & old
