"""What others do for a gateway: give certificates, make DNS records, read its logs and traces.

cert-manager does not run on the lab: a test does what that would, with the objects it would make.
"""

import json
import socket
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from lab.build import external_dns
from lab.versions import ECHO_IMAGE
from tests.lab.conftest import Lab, Stack, plain, run, sample
from tests.lab.test_exposure import until
from tests.lab.test_tls import ANSWERED, HOST, https, secured, served
from tests.lab.test_topology import settled

pytestmark = plain

GATEWAY = "httpbin-gateway"
ISSUED = "issued.example.com"
"""A host name that the stack gets with its certificate: no route answers for it before."""
ISSUER = "letsencrypt"
CHALLENGE = "/.well-known/acme-challenge/token"


@pytest.fixture(scope="module")
def stack(module_stack: Stack) -> Stack:
    """The module's stack."""
    module_stack.up()
    return module_stack


def apply(lab: Lab, folder: Path, *objects: dict[str, Any]) -> None:
    """Make objects as others would."""
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    lab.kubectl("apply", "--filename", str(file))


def definition(kind: str, scope: str) -> dict[str, Any]:
    """A CustomResourceDefinition of cert-manager's, of any shape."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    plural = f"{kind.lower()}s"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.cert-manager.io"},
        "spec": {
            "group": "cert-manager.io",
            "names": {"kind": kind, "plural": plural},
            "scope": scope,
            "versions": [version],
        },
    }


def certified(kind: str, name: str, ready: str, reason: str, **metadata: str) -> dict[str, Any]:
    """An object of cert-manager's, with what that says of it."""
    condition = {"type": "Ready", "status": ready, "reason": reason, "message": "it says so"}
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "status": {"conditions": [condition]},
    }


@pytest.fixture
def cert_manager(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """Its kinds, an issuer that is ready, and a certificate that is not."""
    kinds = {"ClusterIssuer": "Cluster", "Certificate": "Namespaced"}
    apply(lab, tmp_path, *(definition(kind, scope) for kind, scope in kinds.items()))
    names = [f"crd/{plural}.cert-manager.io" for plural in ("clusterissuers", "certificates")]
    lab.kubectl("wait", "--for=condition=Established", *names)
    apply(
        lab,
        tmp_path,
        certified("ClusterIssuer", ISSUER, "True", "Registered"),
        certified(
            "Certificate", f"{GATEWAY}-{ISSUED}", "False", "DoesNotExist", namespace="httpbin"
        ),
    )
    yield
    lab.kubectl("delete", *names)


def solver() -> list[dict[str, Any]]:
    """What answers a challenge, as an issuer with a `gatewayHTTPRoute` has it made."""
    name = {"name": "solver", "namespace": "httpbin"}
    labels = {"app": "solver"}
    container = {"name": "solver", "image": ECHO_IMAGE, "args": ["--port=8089"]}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": name,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": name,
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 8089}]},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": name,
            "spec": {
                "parentRefs": [{"name": GATEWAY, "namespace": "httpbin", "kind": "Gateway"}],
                "hostnames": [ISSUED],
                "rules": [
                    {
                        "matches": [{"path": {"type": "Exact", "value": CHALLENGE}}],
                        "backendRefs": [{"name": "solver", "port": 8089, "weight": 1}],
                    }
                ],
            },
        },
    ]


def http(address: str, path: str) -> str:
    """Status and target of the redirect of a plaintext request."""
    command = ("curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")
    return run(*command, "--connect-to", f"::{address}", f"http://{ISSUED}{path}", ends="somehow")


def issue(lab: Lab, folder: Path) -> Path:
    """Give the certificate once the challenge is met; returns the file of its authority."""
    mark = r"{.metadata.annotations.cert-manager\.io/cluster-issuer}"
    named = ("get", "gateway", GATEWAY, "-n", "httpbin", "-o", f"jsonpath={mark}")
    until(lambda: lab.kubectl(*named) == ISSUER, 60)
    path = "{.status.loadBalancer.ingress[0].ip}"
    service = ("get", "service", f"{GATEWAY}-istio", "-n", "httpbin", "-o", f"jsonpath={path}")
    until(lambda: lab.kubectl(*service) != "", 60)
    address = lab.kubectl(*service)
    apply(lab, folder, *solver())
    until(lambda: http(address, CHALLENGE) == "200 ", 60)
    # Of this route external-dns makes the record that a challenge needs.
    until(lambda: http(address, "/headers") == f"301 https://{ISSUED}/headers")
    return served(lab, folder, f"{GATEWAY}-{ISSUED}", ISSUED)


def test_cert_manager_gives_certificates(
    lab: Lab, stack: Stack, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tls = {"issuerRef": {"kind": "ClusterIssuer", "name": ISSUER}}
    exposures = partial(secured, tls, hostnames=[ISSUED])
    printed = stack.failing_up(exposures=exposures())
    assert "clusterissuers.cert-manager.io: missing: nobody gives certificates" in printed

    request.getfixturevalue("cert_manager")
    printed = stack.failing_up(exposures=exposures(readyTimeout=5))
    waits = f"Certificate httpbin/{GATEWAY}-{ISSUED} is not ready (DoesNotExist: it says so)"
    assert waits in printed

    with ThreadPoolExecutor() as pool:
        update = pool.submit(stack.up, exposures=exposures(readyTimeout=90))
        authority = issue(lab, tmp_path)
        outputs = update.result()
    address = outputs["ingressHost"]
    assert https(address, ISSUED, "--cacert", authority) == ANSWERED
    assert https(address, ISSUED, "--cacert", authority, path="/get") == "404 0"
    assert http(address, "/headers") == f"301 https://{ISSUED}/headers"
    assert http(address, CHALLENGE) == "200 "  # of the next one
    settled(stack)
    lab.kubectl("delete", "deployment,service,httproute", "solver", "-n", "httpbin")


FRONT = "cdn.example.com"
"""A name that somebody else has a record of."""

PLACE = "127.77.0.1"
"""Where the name server is, and the etcd with its records."""

ETCD = f"http://{PLACE}:2379"


@dataclass(frozen=True)
class NameServer:
    """A CoreDNS with records in an etcd, and external-dns that makes them."""

    programs: Path
    folder: Path

    def synchronize(self, lab: Lab) -> dict[str, Any]:
        """Let external-dns make the records; returns that of the host name."""
        flags = {
            "source": "gateway-httproute",
            "provider": "coredns",
            "registry": "noop",
            "policy": "sync",
            "domain-filter": HOST,
            "kubeconfig": lab.env["KUBECONFIG"],
        }
        words = [f"--{flag}={value}" for flag, value in flags.items()]
        environment = {**lab.env, "ETCD_URLS": ETCD, "NO_PROXY": "*"}
        run(self.programs / "external-dns", *words, env=environment, limit=60)
        found = self._ask("range", key=_key(HOST), range_end=_key(f"zzz.{HOST}"))["kvs"]
        (record,) = [json.loads(b64decode(one["value"])) for one in found]
        return {field: record[field] for field in ("host", "ttl") if field in record}

    def put(self, name: str, address: str) -> None:
        """Make a record as somebody else would."""
        record = b64encode(json.dumps({"host": address}).encode()).decode()
        self._ask("put", key=_key(name), value=record)

    def resolving(self, *words: str) -> str:
        """What a command prints that asks this name server alone."""
        mount = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        inside = ("unshare", "--mount", "sh", "-c", mount, self.folder / "resolv.conf")
        return run(*inside, *words, ends="somehow")

    def _ask(self, what: str, **fields: str) -> Any:
        answer = httpx2.post(f"{ETCD}/v3/kv/{what}", json=fields, trust_env=False)
        return answer.raise_for_status().json()


def _key(name: str) -> str:
    """Where CoreDNS looks for a name, as etcd is told of it."""
    return b64encode("/".join(["/skydns", *reversed(name.split("."))]).encode()).decode()


@pytest.fixture
def name_server(lab: Lab, tmp_path: Path) -> Iterator[NameServer]:
    """One for `example.com` on this machine, which knows nothing yet."""
    programs = external_dns.build()
    plugins = f"bind {PLACE}\nerrors\netcd {{\nendpoint {ETCD}\n}}"
    (tmp_path / "Corefile").write_text(f"example.com:53 {{\n{plugins}\n}}\n")
    (tmp_path / "resolv.conf").write_text(f"nameserver {PLACE}\noptions timeout:1\n")
    peers = f"http://{PLACE}:2380"
    etcd = {
        "data-dir": tmp_path / "etcd",
        "listen-client-urls": ETCD,
        "advertise-client-urls": ETCD,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
    }
    commands: tuple[list[str | Path], ...] = (
        ["etcd", *(f"--{flag}={value}" for flag, value in etcd.items())],
        [programs / "coredns", "-conf", tmp_path / "Corefile"],
    )
    with ExitStack() as running, (tmp_path / "log").open("w") as log:
        for command in commands:
            process = subprocess.Popen(command, env=lab.env, stdout=log, stderr=log)
            running.callback(process.wait, 10)
            running.callback(process.terminate)
            until(lambda: listens(2379))
        until(lambda: listens(53))
        yield NameServer(programs, tmp_path)


def listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((PLACE, port)) == 0


def test_records_lead_to_the_gateway(lab: Lab, stack: Stack, name_server: NameServer) -> None:
    def answers() -> list[str]:
        """What requests are answered that know the host name alone."""
        command = ("curl", "-s", "-m", "5", "--noproxy", "*", "-o", "/dev/null")
        urls = [f"http://{HOST}{path}" for path in ("/headers", "/get")]
        return [name_server.resolving(*command, "-w", "%{http_code}", url) for url in urls]

    assert answers() == ["000", "000"]
    gateway: dict[str, Any] = {"serviceType": "LoadBalancer", "dns": {"ttl": 60}}
    (record,) = stack.up(exposures=sample(gateway=gateway))["dnsRecords"]
    (address,) = record["values"]
    assert record == {"name": HOST, "type": "A", "values": [address], "ttl": 60}
    assert name_server.synchronize(lab) == {"host": address, "ttl": 60}
    assert answers() == ["200", "404"]

    name_server.put(FRONT, address)
    gateway["dns"] = {"targets": [FRONT]}
    (record,) = stack.up(exposures=sample(gateway=gateway))["dnsRecords"]
    assert record == {"name": HOST, "type": "CNAME", "values": [FRONT]}
    assert name_server.synchronize(lab) == {"host": FRONT}
    assert answers() == ["200", "404"]
    settled(stack)


@pytest.fixture
def traces(lab: Lab) -> Iterator[str]:
    """A provider of traces in the mesh's configuration, whose spans nobody takes."""
    path = ("configmap", "istio", "-n", "istio-system")
    before = lab.kubectl("get", *path, "-o", "jsonpath={.data.mesh}")
    receiver = {"service": "httpbin.httpbin.svc.cluster.local", "port": 8000}
    provider = {"name": "traces", "zipkin": receiver}
    mesh = yaml.safe_dump({**yaml.safe_load(before), "extensionProviders": [provider]})

    def configure(text: str) -> None:
        lab.kubectl("patch", *path, "--type=merge", "-p", json.dumps({"data": {"mesh": text}}))

    configure(mesh)
    yield "traces"
    configure(before)


def test_requests_are_logged_and_traced(
    lab: Lab, stack: Stack, request: pytest.FixtureRequest
) -> None:
    def answer(path: str) -> str:
        words = ("curl", "-sg", "-m", "5", "-H", f"Host:{HOST}", f"{GATEWAY}-istio.httpbin{path}")
        return lab.kubectl("exec", "-n", "curl", "deploy/curl", "--", *words)

    def logged(proxy: str, path: str) -> bool:
        return f'"GET {path} ' in lab.kubectl("logs", "-n", "httpbin", f"deploy/{proxy}")

    gateway, waypoint = f"{GATEWAY}-istio", "httpbin-waypoint"
    stack.up(exposures=sample())
    answer("/headers?before")
    every: dict[str, Any] = {"providers": [{"name": "envoy"}]}
    failed = {**every, "filter": {"expression": "response.code >= 400"}}
    changes: dict[str, Any] = {
        "gateway": {"telemetry": {"accessLogging": [every]}},
        "waypoint": {"telemetry": {"accessLogging": [failed]}},
    }
    stack.up(exposures=sample(**changes))

    def after() -> bool:
        answer("/headers?after")
        answer("/get?after")
        return logged(gateway, "/get?after") and logged(waypoint, "/get?after")

    until(after, 40)  # proxies write their lines every ten seconds
    assert logged(gateway, "/headers?after")
    assert not logged(waypoint, "/headers?after")
    for proxy in (gateway, waypoint):
        assert not logged(proxy, "/headers?before")

    traced = {"providers": [{"name": "traces"}], "randomSamplingPercentage": 100}
    changes["gateway"]["telemetry"]["tracing"] = [traced]
    printed = stack.failing_up(exposures=sample(**changes))
    assert "extension provider traces: missing; the mesh has envoy, prometheus" in printed
    assert "X-B3-Traceid" not in answer("/headers")
    request.getfixturevalue("traces")
    stack.up(exposures=sample(**changes))
    until(lambda: "X-B3-Traceid" in answer("/headers"))
    settled(stack)
    stack.up(exposures=sample())
    until(lambda: "X-B3-Traceid" not in answer("/headers"))
