"""How requests of other origins, failing ones, WebSockets and HTTP/2 get to a service, and to which
of its versions."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from lab.versions import ECHO_IMAGE
from tests.lab.conftest import Lab, NewStack, Stack, merged, plain
from tests.lab.test_exposure import until
from tests.lab.test_topology import settled, uids

pytestmark = plain

HOST = "echo.example.com"
PAGE, FOREIGN = "https://shop.example.com", "https://shop.example.org"
ALLOWED = "access-control-allow-origin"

ECHO: dict[str, Any] = {
    "namespace": {"name": "echo"},
    "service": {
        "name": "echo",
        "port": 80,
        "image": ECHO_IMAGE,
        "containerPort": 8080,
        "args": ["--port=8080", "--version=main"],
        "protocol": "ws",
    },
    "hostnames": [HOST],
    "rules": [{"paths": ["/"]}],
    "gateway": {
        "serviceType": "LoadBalancer",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    },
    "verification": {"checks": [{"path": "/", "status": 200, "responseBody": "Proto=HTTP/1.1"}]},
}
"""Istio's test server, which tells the protocol and the version that it is called in."""


def exposures(**changes: Any) -> dict[str, Any]:
    """An exposure of it, with other arguments."""
    return {"echo": merged(ECHO, changes)}


@pytest.fixture(scope="module")
def client(module_stack: Stack) -> Iterator[httpx2.Client]:
    """A client outside of the cluster.

    Pages of one origin may read and write; the waypoint lets through nothing else.
    """
    cors = {"allowOrigins": [PAGE], "allowMethods": ["GET", "PUT"], "allowHeaders": ["x-token"]}
    methods = [{"to": [{"operation": {"methods": ["GET", "PUT"]}}]}]
    outputs = module_stack.up(
        exposures=exposures(
            ingressRules=[{"filters": [{"type": "CORS", "cors": cors}]}],
            policies=[{"action": "ALLOW", "rules": methods}],
        )
    )
    with httpx2.Client(
        base_url=outputs["ingressUrl"], headers={"host": HOST}, trust_env=False, timeout=30
    ) as client:
        yield client


def told(client: httpx2.Client, **headers: str) -> dict[str, str]:
    """What the server tells of a request."""
    lines = client.get("/", headers=headers).text.splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def test_pages_of_an_origin_may_send_requests(client: httpx2.Client) -> None:
    def asked(origin: str) -> httpx2.Response:
        wanted = {"access-control-request-method": "PUT"}
        return client.options("/", headers={"origin": origin, **wanted})

    allowed = asked(PAGE)
    assert allowed.status_code == 200
    assert allowed.headers[ALLOWED] == PAGE
    assert allowed.headers["access-control-allow-methods"] == "GET,PUT"
    assert allowed.headers["access-control-allow-headers"] == "x-token"
    # Not by its status, but by what is missing a browser knows that it may not.
    assert ALLOWED not in asked(FOREIGN).headers
    # The waypoint lets none of them pass.
    assert client.options("/").status_code == 403

    for origin, expected in ((PAGE, PAGE), (FOREIGN, None)):
        answer = client.put("/", headers={"origin": origin})
        assert (answer.status_code, answer.headers.get(ALLOWED)) == (200, expected)
    # Of what is refused the page learns, too.
    answer = client.delete("/", headers={"origin": PAGE})
    assert (answer.status_code, answer.headers.get(ALLOWED)) == (403, PAGE)


HANDSHAKE = f"""\
GET / HTTP/1.1
Host: {HOST}
Testwebsocket: enabled
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==

""".replace("\n", "\r\n").encode()
TEXT = b"as it was sent"
FRAME = bytes([0x81, 0x80 | len(TEXT), 0, 0, 0, 0]) + TEXT
"""A text, masked with zeros."""


def test_a_websocket_passes_both_proxies(client: httpx2.Client) -> None:
    with socket.create_connection((client.base_url.host, 80), 10) as connection:
        connection.sendall(HANDSHAKE)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 ")
        connection.sendall(FRAME)
        while TEXT not in answer:
            more = connection.recv(4096)
            assert more, answer
            answer += more


def test_the_pods_are_spoken_to_in_http2(client: httpx2.Client, module_stack: Stack) -> None:
    assert told(client)["Proto"] == "HTTP/1.1"
    checks = [{"path": "/", "status": 200, "responseBody": "Proto=HTTP/2.0"}]
    service = {"protocol": "h2c"}
    module_stack.up(exposures=exposures(service=service, verification={"checks": checks}))
    assert told(client)["Proto"] == "HTTP/2.0"
    module_stack.settle()


RETRY = {
    "type": "object",
    "properties": {
        "attempts": {"type": "integer", "minimum": 0, "default": 1},
        "backoff": {"type": "string"},
        "codes": {"type": "array", "items": {"type": "integer"}},
    },
}
"""What Gateway API 1.7 has, as far as the test uses it."""


@pytest.fixture
def newer(lab: Lab) -> Iterator[None]:
    """HTTPRoutes have a field that came with Gateway API 1.7."""
    name = "httproutes.gateway.networking.k8s.io"
    get = ("get", "crd", name, "-o", "jsonpath={.spec.versions[*].name}")
    version = lab.kubectl(*get).split().index("v1")
    rule = "schema/openAPIV3Schema/properties/spec/properties/rules/items/properties"
    field = f"/spec/versions/{version}/{rule}/retry"
    bundle = "/metadata/annotations/gateway.networking.k8s.io~1bundle-version"

    def patch(release: str, **change: Any) -> None:
        changes = [
            {"op": "replace", "path": bundle, "value": release},
            {"path": field, **change},
        ]
        lab.kubectl("patch", "crd", name, "--type=json", "-p", json.dumps(changes))

    patch("v1.7.0", op="add", value=RETRY)
    yield
    patch("v1.6.0", op="remove")


def retrying() -> dict[str, Any]:
    """What fails is tried again until nearly nothing fails."""
    retry = {"attempts": 20, "backoff": "10ms", "codes": [503]}
    return exposures(rules=[{"paths": ["/"], "retry": retry}])


def test_retries_are_refused_where_the_cluster_does_not_have_them(module_stack: Stack) -> None:
    assert (
        "exposures.echo.rules[0].retry: needs the experimental channel of Gateway API 1.2, or 1.7;"
        " the cluster has 1.6.0 (standard channel)"
    ) in module_stack.failing_up(exposures=retrying())


@pytest.mark.usefixtures("newer")
def test_what_fails_is_tried_again(client: httpx2.Client, module_stack: Stack) -> None:
    def statuses() -> set[int]:
        return {client.get("/?codes=503:1,200:1").status_code for _ in range(50)}

    assert statuses() == {200, 503}
    module_stack.up(exposures=retrying())
    until(lambda: statuses() == {200})
    module_stack.settle()


ROUTE = ("httproute", "echo-waypoint-route", "-n", "echo")


def test_weights_are_left_to_a_controller(
    lab: Lab, client: httpx2.Client, module_stack: Stack
) -> None:
    def versions() -> Counter[str]:
        return Counter(told(client)["ServiceVersion"] for _ in range(50))

    def weights() -> str:
        path = "jsonpath={.spec.rules[*].backendRefs[*].weight}"
        return lab.kubectl("get", *ROUTE, "-o", path)

    def shift(**weights: int) -> None:
        """Set the backends of the first rule, as a controller does."""
        backends = [
            {"name": name.replace("_", "-"), "port": 80, "weight": weight}
            for name, weight in weights.items()
        ]
        patch = [{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": backends}]
        manager = ("--type=json", "--field-manager=controller", "-p", json.dumps(patch))
        lab.kubectl("patch", *ROUTE, *manager)

    arguments = ["--port=8080", "--version=next"]
    canary = {"image": ECHO_IMAGE, "weight": 0, "args": arguments}
    service = {"canary": canary}
    module_stack.up(exposures=exposures(service=service, weights="controller"))
    until(lambda: versions() == {"main": 50})
    # Of what tests before have changed.
    module_stack.settle()

    shift(echo=0, echo_canary=100)
    until(lambda: versions() == {"next": 50})
    # There is nothing to do, and nothing to prove again.
    settled(module_stack)
    module_stack.up()
    assert weights() == "0 100"

    # The controller has another order, the stack another rule, and another field of the first.
    shift(echo_canary=70, echo=30)
    rules = [
        {"paths": ["/"], "timeouts": {"request": "10s"}},
        {"matches": [{"headers": [{"name": "x-new", "value": "1"}]}]},
    ]
    module_stack.up(exposures=exposures(service=service, weights="controller", rules=rules))
    assert "10s" in lab.kubectl("get", *ROUTE, "-o", "jsonpath={.spec.rules[*].timeouts}")
    assert weights() == "30 70 30 70"
    settled(module_stack)
    assert versions().keys() == {"main", "next"}
    shift(echo=0, echo_canary=100)
    until(lambda: versions() == {"next": 50})

    # Nobody takes them back who does not say so.
    printed = module_stack.failing_up(exposures=exposures(service=service))
    assert 'conflict with "controller"' in printed
    module_stack.up(exposures=exposures(service=service, weights="stack"))
    assert weights() == "100 0"
    until(lambda: versions() == {"main": 50})
    module_stack.settle()


def test_a_pull_request_has_a_version_of_its_own(
    lab: Lab, client: httpx2.Client, module_stack: Stack, new_stack: NewStack
) -> None:
    def version(**headers: str) -> str:
        return told(client, **headers)["ServiceVersion"]

    module_stack.up(exposures=exposures())
    before = uids(lab, "echo")
    name = "echo-pr-7"
    cookie = {"type": "RegularExpression", "name": "cookie", "value": "(.*; )?pr=7(;.*)?"}
    own = [{"headers": [{"name": "x-pr", "value": "7"}]}, {"headers": [cookie]}]
    check = {"path": "/", "status": 200, "headers": {"x-pr": "7"}}
    service = {"name": name, "args": ["--port=8080", "--version=pr-7"]}
    change = {
        "namespace": {"name": name},
        "service": service,
        "ingressRules": [{"matches": own}],
        "verification": {"checks": [{**check, "responseBody": "ServiceVersion=pr-7"}]},
    }
    gateway = {"existing": {"name": "echo-gateway", "namespace": "echo"}}
    request = {**merged(ECHO, change), "gateway": gateway}
    stack = new_stack(name="pr-7")
    stack.up(exposures={"pr-7": request}, client=None)
    assert version(**{"x-pr": "7"}) == "pr-7"
    assert version(cookie="a=b; pr=7") == "pr-7"
    assert version(cookie="pr=70") == version(**{"x-pr": "8"}) == version() == "main"
    settled(stack)
    settled(module_stack)

    stack.pulumi("destroy", "--yes", "--skip-preview")
    assert version(**{"x-pr": "7"}) == "main"
    assert uids(lab, "echo") == before
    settled(module_stack)
