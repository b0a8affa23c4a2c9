"""What the cluster refuses, what somebody else changes meanwhile, and what nobody may read."""

import base64
import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from faults.outages import reason
from faults.site import Done, FallsShortError, Site

_READY = 10
_SLACK = 40
"""Seconds beyond `readyTimeout` that an update may take to fail."""

_REFUSAL = "not on a Friday"
_METALLB = ("-n", "metallb-system")


@dataclass(frozen=True)
class Surroundings:
    """What is wrong, and how an update fails for it."""

    changes: dict[str, Any]
    """Of the exposure's arguments."""
    says: str
    """What the update says, a pattern."""
    wrong: Callable[[Site], AbstractContextManager[object]] = nullcontext


@contextmanager
def _quota(site: Site) -> Generator[None]:
    hard = {"pods": "1"}
    metadata = {"name": "full", "namespace": "httpbin"}
    site.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}
    )
    try:
        yield
    finally:
        site.kubectl("delete", "resourcequota", "full", "-n", "httpbin")


@contextmanager
def _no_load_balancer(site: Site) -> Generator[None]:
    site.kubectl("scale", "deployment/controller", *_METALLB, "--replicas=0")
    try:
        yield
    finally:
        site.kubectl("scale", "deployment/controller", *_METALLB, "--replicas=1")


@contextmanager
def _no_addresses(site: Site) -> Generator[None]:
    patch = ("patch", "ipaddresspool", "lab", *_METALLB, "--type=merge", "-p")
    site.kubectl(*patch, '{"spec": {"autoAssign": false}}')
    try:
        yield
    finally:
        site.kubectl(*patch, '{"spec": {"autoAssign": true}}')


@contextmanager
def _webhook(site: Site, *, slow: bool) -> Generator[None]:
    """Who is asked about every HTTPRoute refuses it, or does not answer."""
    address = str(site.breaking.slot.host)
    with _judge(address, slow=slow) as (port, authority):
        rule = {
            "apiGroups": ["gateway.networking.k8s.io"],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["httproutes"],
        }
        bundle = base64.b64encode(authority).decode()
        webhook = {
            "name": "judge.example.com",
            "clientConfig": {"url": f"https://{address}:{port}/", "caBundle": bundle},
            "rules": [rule],
            "timeoutSeconds": 1,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "httpbin"}},
        }
        kind = "ValidatingWebhookConfiguration"
        site.apply(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": "judge"},
                "webhooks": [webhook],
            }
        )
        try:
            yield
        finally:
            site.kubectl("delete", kind, "judge")


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nobody need know that a client did not wait."""


@contextmanager
def _judge(address: str, *, slow: bool) -> Generator[tuple[int, bytes]]:
    """An admission webhook at the host's address; its port, and the certificate to trust."""

    class Judge(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if slow:
                time.sleep(3)
            uid = asked["request"]["uid"]
            said = {"uid": uid, "allowed": False, "status": {"message": _REFUSAL}}
            review = {**asked, "request": None, "response": said}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(review).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
            del format, args

        def log_error(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
            del format, args

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "judge")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    server = _Server((address, 0), Judge)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = Path(f"/tmp/judge-{server.server_port}.pem")  # noqa: S108  # gone at once
    file.touch(mode=0o600)
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context.load_cert_chain(file)
    file.unlink()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, pem
    finally:
        server.shutdown()
        server.server_close()


_LOAD_BALANCER = {"serviceType": "LoadBalancer"}
_ROUTES = {"rules": [{"paths": ["/status", "/headers", "/uuid"]}]}

SURROUNDINGS = {
    "no such image": Surroundings(
        {"service": {"image": "docker.io/mccutchen/go-httpbin:nowhere"}},
        "ErrImagePull|ImagePullBackOff|[Ff]ailed to pull",
    ),
    "a container that ends": Surroundings(
        {"service": {"args": ["-nonsense"]}}, "CrashLoopBackOff|exit"
    ),
    "quota": Surroundings({"service": {"replicas": 2}}, "exceeded quota", _quota),
    "a webhook that refuses": Surroundings(_ROUTES, _REFUSAL, partial(_webhook, slow=False)),
    "a webhook that is slow": Surroundings(
        _ROUTES, "judge.example.com.*(deadline exceeded|timeout)", partial(_webhook, slow=True)
    ),
    "no load balancer": Surroundings(
        {"gateway": _LOAD_BALANCER}, "AddressNotAssigned", _no_load_balancer
    ),
    "no address left": Surroundings(
        {"gateway": _LOAD_BALANCER}, "AddressNotAssigned", _no_addresses
    ),
}


def refused(site: Site) -> str:
    """What an update needs is not to be had; what served goes on serving."""
    site.created()
    names = [*SURROUNDINGS]
    site.random.shuffle(names)
    told, done = list[str](), None
    for name in names[: 1 if site.short else None]:
        case = SURROUNDINGS[name]
        site.configure(exposures=site.exposure(**case.changes, readyTimeout=_READY))
        with case.wrong(site), site.load() as load:
            done = site.stack.up().badly().says(case.says)
        if done.seconds > _READY + _SLACK:
            raise FallsShortError(f"{name}: failed only after {done.seconds:.0f} s:\n{done.output}")
        if load.failed():
            raise FallsShortError(f"{name}, after {told}: {load.told()}")
        told.append(f"{name}: {done.seconds:.0f} s")
        site.configure(exposures=site.exposure())
        done = site.stack.up().well()
    site.converges(done)
    return "; ".join(told)


_NAMESPACE = ("-n", "httpbin")
_GIVEN = "conflict"
"""What an update says of a field that somebody else owns."""

_EDITS: dict[str, tuple[str, ...]] = {
    "the ingress route deleted": ("delete", "httproute/httpbin-ingress", "--wait=false"),
    "the Service deleted": ("delete", "service/httpbin", "--wait=false"),
    "the gateway deleted": ("delete", "gateway/httpbin-gateway", "--wait=false"),
    "a label taken off": ("label", "service/httpbin", "istio.io/ingress-use-waypoint-"),
    "another label": ("label", "service/httpbin", "--overwrite", "istio.io/use-waypoint=none"),
    "replicas set": ("scale", "deployment/httpbin", "--replicas=2"),
    "a route without rules": (
        "patch",
        "httproute/httpbin-waypoint-route",
        "--type=merge",
        "-p",
        '{"spec": {"rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]}}',
    ),
}


def edited(site: Site) -> str:
    """Somebody else edits or deletes an object during an update."""
    name = site.random.choice([*_EDITS][: 1 if site.short else None])
    impatient = {"readyTimeout": 15, "verification": {"timeout": 15}}
    site.configure(exposures=site.exposure(**impatient))
    program = site.begin("update")
    time.sleep(site.moment("update"))
    site.kubectl(*_EDITS[name], *_NAMESPACE)
    done = program.ended()
    if done.status:
        done.badly()
    told = f"{name}: {f'failed ({reason(done.output)})' if done.status else 'went through'}"
    site.configure(exposures=site.exposure())
    following = site.stack.up()
    if following.status:
        # Somebody else's field is refused, by the name of who has it, until it is given back.
        following.badly().says(_GIVEN, "kubectl")
        told += ", then refused as a conflict"
        site.kubectl("delete", "deployment/httpbin", *_NAMESPACE)
    site.converges(following)
    return told


TOKEN = "token-that-nobody-may-read"  # noqa: S105  # it opens nothing


def secret(site: Site) -> str:
    """Everything that is written and printed is searched for what is secret."""
    site.created()
    gateway = {"tls": {"issuer": "self-signed"}}
    checks = [
        {"path": "/headers", "status": 200, "headers": {"authorization": "x"}},
        {"path": "/get", "status": 404},
    ]
    service = {"env": {"TOKEN": "x"}}
    exposures = site.exposure(
        gateway=gateway, verification={"checks": checks}, service=service, readyTimeout=60
    )
    site.configure(exposures=exposures)
    path = "ambient-exposure:exposures.httpbin"
    for key in ("verification.checks[0].headers.authorization", "service.env.TOKEN"):
        site.stack.pulumi("config", "set", "--secret", "--path", f"{path}.{key}", TOKEN).well()
    printed = [site.stack.pulumi("preview", "--diff").well(), site.stack.up().well()]
    printed += [site.stack.pulumi("stack", *words) for words in (("output", "--json"), ("export",))]
    if not site.short:
        printed += _reports(site)
    needles = _needles(site)
    places = {f"output {n}": one.output.encode() for n, one in enumerate(printed)}
    places |= {
        str(one.relative_to(site.stack.backend)): one.read_bytes()
        for one in site.stack.backend.rglob("*")
        if one.is_file()
    }
    found = [
        f"{what} in {place}"
        for place, content in places.items()
        for what, needle in needles.items()
        if needle in content
    ]
    site.reset()
    if not site.short:
        site.converges()
    if found:
        raise FallsShortError(", ".join(found))
    return f"{len(needles)} secrets, searched for in {len(places)} outputs and files"


def _reports(site: Site) -> list[Done]:
    """What is printed for people and programs; of a proof that fails, too."""
    done = [
        site.stack.pulumi("preview", "--json"),
        site.stack.command("comment"),
        site.stack.command("manifests"),
        site.stack.command("show"),
        site.stack.command("verify", "--json"),
    ]
    file = site.stack.folder / "Pulumi.faults.yaml"
    config = yaml.safe_load(file.read_text())
    check = config["config"]["ambient-exposure:exposures"]["httpbin"]["verification"]
    check["checks"][0]["status"], check["timeout"] = 418, 1
    file.write_text(yaml.safe_dump(config))
    return [*done, site.stack.up().badly()]


def _needles(site: Site) -> dict[str, bytes]:
    """What may stand nowhere, as it is and in base64."""
    kubeconfig = yaml.safe_load(Path(site.stack.env["KUBECONFIG"]).read_text())
    key = base64.b64decode(kubeconfig["users"][0]["user"]["client-key-data"])
    words = ("get", "secrets", *_NAMESPACE, "-o", "json")
    (certificate,) = (
        base64.b64decode(one["data"]["tls.key"])
        for one in json.loads(site.kubectl(*words))["items"]
        if "tls.key" in one.get("data", {})
    )
    plain = {
        "the token": TOKEN.encode(),
        "the TLS key": certificate.splitlines()[1],
        "the kubeconfig's key": key.splitlines()[1],
    }
    whole = {"the token": TOKEN.encode(), "the TLS key": certificate, "the kubeconfig's key": key}
    coded = {f"{name} in base64": base64.b64encode(one)[:40] for name, one in whole.items()}
    return plain | coded
