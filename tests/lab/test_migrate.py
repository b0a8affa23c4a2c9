"""Ingresses and VirtualServices, and the stack that answers in their place.

VirtualServices are asked before, at a gateway that Istio's own API configures: both have to answer
as the manifest means. Nobody serves Ingresses on the lab: what they mean stands beside them alone.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from lab.node.pki import Authority
from lab.versions import ECHO_IMAGE
from tests.lab.conftest import Lab, Stack, plain, run
from tests.lab.test_tls import secret

pytestmark = plain

PLACE = "market"
Answer = dict[str, Any]
"""What of an answer is looked at: `status`, `by` (the service), `url` (which that saw), `location`,
`sent` (a header that the service saw) and `told` (one of the answer), as `name:value`, `cookie`
(the name of one that it sets)."""


class Asked(NamedTuple):
    """A request, and its answer."""

    host: str
    path: str
    answer: Answer
    words: tuple[str, ...] = ()
    """Further words for curl."""


class Former(NamedTuple):
    """What somebody had, and what it means."""

    manifest: str
    asked: list[Asked]
    gateway: str
    """The gateway that serves it from now on."""
    live: bool = False
    """Whether the lab serves it already."""


def ingress(
    name: str,
    hosts: dict[str, list[tuple[str, str, str]]],
    class_: str = "istio",
    spec: dict[str, Any] | None = None,
    **annotations: str,
) -> str:
    """An Ingress for host names, each with paths, their types and Services.

    Annotations are those of ingress-nginx, `_` for `-`.
    """
    named = {
        f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": value
        for key, value in annotations.items()
    }
    metadata = {
        "name": name,
        "namespace": PLACE,
        "annotations": {"kubernetes.io/ingress.class": class_, **named},
    }
    rules = [
        {
            "host": host,
            "http": {
                "paths": [
                    {"path": path, "pathType": kind, "backend": backend(service)}
                    for path, kind, service in paths
                ]
            },
        }
        for host, paths in hosts.items()
    ]
    content = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata}
    return yaml.safe_dump({**content, "spec": {**(spec or {}), "rules": rules}})


def backend(service: str) -> dict[str, Any]:
    return {"service": {"name": service, "port": {"name": "http"}}}


def virtual_service(name: str, spec: str) -> str:
    metadata = {"name": name, "namespace": PLACE}
    content = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    return yaml.safe_dump({**content, "metadata": metadata, "spec": yaml.safe_load(spec)})


def by(service: str, url: str | None = None, **more: Any) -> Answer:
    return {"status": 200, "by": service, **({"url": url} if url else {}), **more}


NOBODY: Answer = {"status": 404}

CANARY: list[tuple[str, str, dict[str, Any]]] = [
    ("canary", "canary-a", {}),
    (
        "canary-next",
        "canary-b",
        {"canary": "true", "canary_by_header": "x-next", "canary_weight": "100"},
    ),
]

FORMER = {
    "paths": Former(
        ingress(
            "paths",
            {
                "paths.example.com": [
                    ("/", "Prefix", "paths-a"),
                    ("/team", "Prefix", "paths-b"),
                    ("/team/a", "Exact", "paths-a"),
                    ("/old/*", "ImplementationSpecific", "paths-b"),
                ]
            },
        ),
        [
            Asked("paths.example.com", "/", by("a", "/")),
            Asked("paths.example.com", "/team/b?x=1", by("b", "/team/b?x=1")),
            Asked("paths.example.com", "/teams", by("a")),
            Asked("paths.example.com", "/team/a", by("a")),
            Asked("paths.example.com", "/team/a/b", by("b")),
            Asked("paths.example.com", "/old/x", by("b")),
        ],
        "ingress-istio",
    ),
    "hosts": Former(
        ingress(
            "hosts",
            {
                "*.hosts.example.com": [("/all", "Prefix", "hosts-a")],
                "one.hosts.example.com": [("/one", "Prefix", "hosts-a")],
                "two.hosts.example.com": [("/one", "Prefix", "hosts-b")],
            },
        ),
        [
            Asked("any.hosts.example.com", "/all", by("a")),
            Asked("any.hosts.example.com", "/one", NOBODY),
            Asked("one.hosts.example.com", "/one/x", by("a", "/one/x")),
            Asked("one.hosts.example.com", "/all", NOBODY),
            Asked("two.hosts.example.com", "/one", by("b")),
        ],
        "ingress-istio",
    ),
    "default": Former(
        ingress(
            "default",
            {"default.example.com": [("/shop", "Prefix", "default-a")]},
            "nginx",
            {"defaultBackend": backend("default-b")},
            whitelist_source_range="198.18.0.0/15",
            affinity="cookie",
            session_cookie_name="pod",
        ),
        [
            Asked("default.example.com", "/shop", by("a", cookie="pod")),
            Asked("default.example.com", "/else", by("b")),
        ],
        "ingress-nginx-http",
    ),
    "refused": Former(
        ingress(
            "refused",
            {"refused.example.com": [("/", "Prefix", "refused-a")]},
            "nginx",
            whitelist_source_range="203.0.113.0/24, 2001:db8::/32",
        ),
        [Asked("refused.example.com", "/", {"status": 403})],
        "ingress-nginx-http",
    ),
    "rewrite": Former(
        ingress(
            "rewrite",
            {
                "rewrite.example.com": [
                    ("/api(/|$)(.*)", "ImplementationSpecific", "rewrite-a"),
                ]
            },
            "nginx",
            rewrite_target="/v2/$2",
            app_root="/api/login",
            x_forwarded_prefix="/api",
            upstream_vhost="inside.example.com",
        ),
        [
            Asked("rewrite.example.com", "/api/x?y=1", by("a", "/v2/x?y=1")),
            Asked(
                "rewrite.example.com",
                "/api/x",
                by("a", sent="X-Forwarded-Prefix:/api", host="inside.example.com"),
            ),
            Asked(
                "rewrite.example.com",
                "/",
                {"status": 302, "location": "http://rewrite.example.com/api/login"},
            ),
            Asked("rewrite.example.com", "/apix", NOBODY),
        ],
        "ingress-nginx-http",
    ),
    "origins": Former(
        ingress(
            "origins",
            {"origins.example.com": [("/", "Prefix", "origins-a")]},
            "nginx",
            enable_cors="true",
            cors_allow_origin="https://shop.example.com",
            proxy_read_timeout="1",
            limit_rps="5",
        ),
        [
            Asked(
                "origins.example.com",
                "/",
                by("a", told="access-control-allow-origin:https://shop.example.com"),
                ("-H", "Origin: https://shop.example.com"),
            ),
            Asked(
                "origins.example.com",
                "/",
                {"status": 200, "told": "access-control-max-age:1728000"},
                (
                    *("-X", "OPTIONS", "-H", "Origin: https://shop.example.com"),
                    *("-H", "Access-Control-Request-Method: PUT"),
                ),
            ),
            Asked("origins.example.com", "/?delay=3s", {"status": 504}),
        ],
        "ingress-nginx-http",
    ),
    "canary": Former(
        "---\n".join(
            ingress(
                name,
                {"canary.example.com": [("/", "Prefix", service)]},
                "nginx",
                **annotations,
            )
            for name, service, annotations in CANARY
        ),
        [
            Asked("canary.example.com", "/", by("b")),
            Asked("canary.example.com", "/", by("b"), ("-H", "x-next: always")),
            Asked("canary.example.com", "/", by("a"), ("-H", "x-next: never")),
        ],
        "ingress-nginx-http",
    ),
    "secure": Former(
        ingress(
            "secure",
            {"secure.example.com": [("/", "Prefix", "secure-a")]},
            "nginx",
            {"tls": [{"hosts": ["secure.example.com"], "secretName": "secure"}]},
        ),
        [
            Asked("secure.example.com", "https:/x", by("a", "/x")),
            Asked(
                "secure.example.com",
                "/x",
                {"status": 301, "location": "https://secure.example.com/x"},
            ),
        ],
        "ingress-nginx-https",
    ),
    "first": Former(
        virtual_service(
            "first",
            """
hosts: [first.example.com]
gateways: [public]
http:
- match: [{headers: {x-user: {exact: jason}}}]
  route: [{destination: {host: first-b}}]
- match: [{uri: {prefix: /api}, method: {regex: POST|PUT}}]
  route: [{destination: {host: first-b}}]
- match: [{uri: {exact: /api/old}}]
  redirect: {uri: /api/new, authority: new.example.com, redirectCode: 308}
- match: [{uri: {prefix: /api/}}]
  rewrite: {uri: /}
  route: [{destination: {host: first-a}}]
- match: [{uri: {regex: "/v[0-9]+/.*"}}]
  headers: {request: {set: {x-version: old}}, response: {set: {x-told: "yes"}}}
  route: [{destination: {host: first-b, port: {number: 80}}}]
- route: [{destination: {host: first-a}}]
""",
        ),
        [
            Asked("first.example.com", "/", by("a")),
            Asked("first.example.com", "/", by("b"), ("-H", "x-user: jason")),
            Asked("first.example.com", "/api/x", by("b", "/api/x"), ("-H", "x-user: jason")),
            Asked("first.example.com", "/api/old", by("b"), ("-H", "x-user: jason")),
            Asked("first.example.com", "/v1/x", by("b"), ("-H", "x-user: jason")),
            Asked("first.example.com", "/api/x", by("a", "/x")),
            Asked("first.example.com", "/api/x", by("b", "/api/x"), ("-X", "PUT")),
            Asked("first.example.com", "/api/old", by("b", "/api/old"), ("-X", "POST")),
            Asked(
                "first.example.com",
                "/api/old",
                {"status": 308, "location": "http://new.example.com/api/new"},
            ),
            Asked("first.example.com", "/v1/x", by("b", sent="X-Version:old", told="x-told:yes")),
            Asked("first.example.com", "/other", by("a")),
        ],
        "public",
        live=True,
    ),
    "shares": Former(
        virtual_service(
            "shares",
            """
hosts: [shares.example.com]
gateways: [market/public]
http:
- match: [{uri: {prefix: /slow/}}]
  timeout: 0.5s
  route: [{destination: {host: shares-a.market.svc.cluster.local}}]
- match: [{queryParams: {beta: {exact: "1"}}}]
  corsPolicy: {allowOrigins: [{exact: "https://shop.example.com"}], allowMethods: [GET]}
  route: [{destination: {host: shares-b}, headers: {request: {add: {x-beta: "1"}}}}]
- route:
  - {destination: {host: shares-a}, weight: 0}
  - {destination: {host: shares-b}, weight: 100, headers: {response: {set: {x-share: b}}}}
""",
        ),
        [
            Asked("shares.example.com", "/slow/x?delay=2s", {"status": 504}),
            Asked("shares.example.com", "/slow/x", by("a")),
            Asked(
                "shares.example.com",
                "/?beta=1",
                by(
                    "b",
                    sent="X-Beta:1",
                    told="access-control-allow-origin:https://shop.example.com",
                ),
                ("-H", "Origin: https://shop.example.com"),
            ),
            Asked("shares.example.com", "/", by("b", told="x-share:b")),
        ],
        "public",
        live=True,
    ),
    "both": Former(
        virtual_service(
            "both",
            """
hosts: [both.example.com, both-a]
gateways: [mesh, public]
http:
- match: [{uri: {prefix: /moved/}}]
  rewrite: {uri: /here/}
  route: [{destination: {host: both-b}}]
- route: [{destination: {host: both-a}}]
""",
        ),
        [
            Asked("both.example.com", "/moved/x", by("b", "/here/x")),
            Asked("both.example.com", "/x", by("a", "/x")),
        ],
        "public",
        live=True,
    ),
}
"""What there was, by the beginning of its Services' names."""

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: market}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""

OLD = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: old, namespace: market}
spec:
  gatewayClassName: istio
  infrastructure: {labels: {istio: ingressgateway}}
  listeners: [{name: other, port: 80, protocol: HTTP, hostname: other.example.net}]
"""
"""Deploys the proxy that Istio's own API configures."""


def workload(name: str) -> list[dict[str, Any]]:
    """A service that says what it is and what it was asked."""
    container = {
        "name": "echo",
        "image": ECHO_IMAGE,
        "args": ["--port=8080", f"--version={name}"],
        "readinessProbe": {"tcpSocket": {"port": 8080}},
    }
    labels = {"app": name}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"{former}-{name}", "namespace": PLACE},
            "spec": {
                "selector": labels,
                "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
            },
        }
        for former in FORMER
    ]
    metadata = {"name": name, "namespace": PLACE}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    return [{**deployment, "spec": spec}, *services]


@pytest.fixture(scope="module")
def manifests(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What somebody has in the namespace `market`, in a file, too."""
    folder = tmp_path_factory.mktemp("market")
    lab.kubectl("create", "namespace", PLACE)
    lab.kubectl("label", "namespace", PLACE, "istio-discovery=enabled")
    pair = Authority().issue("secure.example.com", names=["secure.example.com"])
    certificate = {"tls.crt": pair.certificate, "tls.key": pair.key}
    secret(lab, PLACE, "secure", certificate, folder)
    (folder / "workloads.yaml").write_text(yaml.safe_dump_all([*workload("a"), *workload("b")]))
    (folder / "old.yaml").write_text(OLD)
    former = [GATEWAY, *(one.manifest for one in FORMER.values())]
    (folder / "former.yaml").write_text("\n---\n".join(former))
    for name in ("workloads", "old", "former"):
        lab.kubectl("apply", "-f", str(folder / f"{name}.yaml"))
    yield folder
    lab.kubectl("delete", "namespace", PLACE)


@pytest.fixture(scope="module")
def stack(manifests: Path, module_stack: Stack) -> Stack:
    """The module's stack, which goes before the namespace of what it exposes."""
    assert manifests
    return module_stack


def answer(address: str, asked: Asked) -> Answer:
    """What of the answer there is to be."""
    scheme, path = (
        ("https", asked.path[6:]) if asked.path.startswith("https:") else ("http", asked.path)
    )
    command = ("curl", "-sikg", "-m", "5", "--connect-to", f"::{address}", *asked.words)
    printed = run(*command, f"{scheme}://{asked.host}{path}", ends="somehow")
    head, _, body = printed.replace("\r", "").partition("\n\n")
    status, *headers = head.splitlines() or ["none 000"]
    told = {
        name.lower(): value.strip() for name, _, value in (one.partition(":") for one in headers)
    }
    lines = body.splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    found: Answer = {"status": int(status.split()[1])}
    for key, value in asked.answer.items():
        if key == "sent":
            found[key] = value if f"RequestHeader={value}" in lines else body
        elif key == "told":
            name = value.partition(":")[0]
            found[key] = f"{name}:{told.get(name)}"
        elif key == "location":
            found[key] = told.get(key)
        elif key == "cookie":
            found[key] = told.get("set-cookie", "").partition("=")[0]
        elif key != "status":
            found[key] = seen.get({"by": "ServiceVersion", "url": "URL", "host": "Host"}[key], body)
    return found


def assert_answers(address: str, asked: list[Asked]) -> None:
    """All are answered as they are to be, at once or soon."""

    def others() -> list[tuple[Asked, Answer]]:
        found = [(one, answer(address, one)) for one in asked]
        return [(one, seen) for one, seen in found if seen != one.answer]

    end = time.monotonic() + 20
    while (wrong := others()) and time.monotonic() < end:
        time.sleep(0.5)
    assert wrong == []


def migrate(stack: Stack, *words: str | Path) -> str:
    """What the command prints."""
    command = (sys.executable, "-m", "components", "migrate", *words)
    return run(*command, env=stack.env, cwd=stack.folder, ends="badly")


LIVE = [asked for former in FORMER.values() if former.live for asked in former.asked]


def test_a_stack_answers_as_what_it_was_written_from(
    lab: Lab, manifests: Path, stack: Stack
) -> None:
    lab.kubectl("wait", "deployment/a", "deployment/b", "-n", PLACE, "--for=condition=Available")
    lab.kubectl("wait", "gateway/old", "-n", PLACE, "--for=condition=Programmed", "--timeout=60s")
    path = "jsonpath={.status.addresses[0].value}"
    old = lab.kubectl("get", "gateway", "old", "-n", PLACE, "-o", path)
    assert_answers(old, LIVE)

    # From files, and from the cluster, in which nothing is changed.
    written = stack.folder / "Pulumi.dev.yaml"
    written.unlink()
    before = lab.kubectl("get", "all,ingresses,virtualservices", "-n", PLACE, "-o", "json")
    files = [manifests / "workloads.yaml", manifests / "former.yaml"]
    printed = migrate(stack, *files, "--output", "Pulumi.dev.yaml")
    named = [line.split(": found")[0] for line in printed.splitlines()]
    annotation = "metadata.annotations[nginx.ingress.kubernetes.io"
    assert f"Ingress market/origins: {annotation}/limit-rps]" in named
    assert f"Ingress market/origins: {annotation}/proxy-read-timeout]" in named
    assert "VirtualService market/first: spec.http[3].match[0].uri" in named
    config = yaml.safe_load(written.read_text())["config"]
    migrate(stack, "--namespace", PLACE, "--context", "lab", "--output", "Pulumi.read.yaml")
    read = yaml.safe_load((stack.folder / "Pulumi.read.yaml").read_text())["config"]
    assert read.pop("ambient-exposure:cluster") == {"context": "lab"}
    assert served(read) == served(config)
    after = lab.kubectl("get", "all,ingresses,virtualservices", "-n", PLACE, "-o", "json")
    assert uids(before) == uids(after)

    lab.kubectl("delete", "-f", str(manifests / "former.yaml"))
    gateways = stack.up(cluster={"context": "lab"})["gateways"]
    for former in FORMER.values():
        address = gateways[former.gateway]["host"]
        assert_answers(address, former.asked)


def served(config: dict[str, Any]) -> tuple[set[str], dict[str, list[str]]]:
    """The exposures, and the host names of each gateway; their order is that of the objects."""
    gateways = config["ambient-exposure:gateways"]
    hosts = {name: sorted(one["hostnames"]) for name, one in gateways.items()}
    return {*config["ambient-exposure:exposures"]}, hosts


def uids(listed: str) -> set[tuple[str, str]]:
    """The objects of a list as they are, but for their conditions."""
    return {
        (one["metadata"]["uid"], str(one["metadata"].get("generation")))
        for one in json.loads(listed)["items"]
    }
