"""Who may send what: policies and tokens at the waypoint, and the pods behind it."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.lab.conftest import ROOT, Lab, NewStack, Stack, ambient, plain, sample
from tests.lab.test_exposure import until

HOST = ("-H", "Host:httpbin.example.com")
GATEWAY = "httpbin-gateway-istio.httpbin"
SERVICE = "httpbin.httpbin:8000"
CURL = "docker.io/curlimages/curl:8.16.0"


@pytest.fixture
def stack(module_stack: Stack) -> Stack:
    """The module's stack.

    Its policies are taken away after its requests were sent: a test that is answered 200 must not
    follow one whose policies refuse that.
    """
    module_stack.reset()
    return module_stack


def account(namespace: str, name: str) -> str:
    """The identity of a ServiceAccount in the mesh."""
    return f"cluster.local/ns/{namespace}/sa/{name}"


def principals(*identities: str) -> dict[str, Any]:
    """A source of requests."""
    return {"source": {"principals": [*identities]}}


def encoded(data: bytes) -> str:
    """base64url without padding, as in a JWT."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Who gives out tokens."""

    name = "https://issuer.example.com"

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)

    @property
    def keys(self) -> str:
        """The JSON Web Key Set."""
        public = self._key.public_key().public_numbers()
        modulus = public.n.to_bytes(256, "big")
        exponent = public.e.to_bytes(3, "big")
        key = {"kty": "RSA", "alg": "RS256", "n": encoded(modulus), "e": encoded(exponent)}
        return json.dumps({"keys": [key]})

    def token(self, **claims: Any) -> str:
        """A signed token."""
        parts: list[Mapping[str, Any]] = [{"alg": "RS256"}, {"iss": self.name, **claims}]
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{encoded(signature)}"


def answers(lab: Lab, *words: str) -> set[str]:
    """The statuses of twenty requests, so many that every thread of the gateway sends some.

    After a change of policies each connection that it kept to the waypoint carries one more request
    by the former ones; a proof ends with the first that are answered as they should.
    """
    script = 'for _ in $(seq 20); do curl -sg -m 5 -o /dev/null -w "%{http_code}\n" "$@"; done'
    command = ("sh", "-c", script, "sh", *words)
    return {*lab.kubectl("exec", "-n", "curl", "deploy/curl", "--", *command).split()}


@plain
def test_tokens_are_checked_and_demanded(lab: Lab, stack: Stack) -> None:
    def answer(token: str | None) -> str:
        shown = ("-H", f"Authorization: Bearer {token}") if token else ()
        return lab.curl(*HOST, *shown, f"{GATEWAY}/headers")

    issuer = Issuer()
    alice, expiry = issuer.token(sub="alice"), 946684800
    source = {"source": {"requestPrincipals": [f"{issuer.name}/alice"]}}
    jwt_rules = [{"issuer": issuer.name, "jwks": issuer.keys}]
    checks = [{"path": "/headers", "status": 200}]

    # A token is checked where there is one.
    stack.up(exposures=sample(jwtRules=jwt_rules, verification={"checks": checks}))
    # No condition tells when a proxy has them.
    token = ("-H", "Authorization: Bearer token")
    until(lambda: answers(lab, *HOST, *token, f"{GATEWAY}/headers") == {"401"})
    assert answer(None) == "200"
    assert answer(alice) == "200"
    assert answer(Issuer().token(sub="alice")) == "401"
    assert answer(issuer.token(sub="alice", exp=expiry)) == "401"
    assert answer("token") == "401"

    # There has to be one.
    policy = {"name": "alice", "action": "ALLOW", "rules": [{"from": [source]}]}
    shown = {"authorization": f"Bearer {alice}"}
    checks = [
        {"path": "/headers", "status": 200, "headers": shown},
        {"path": "/headers", "status": 403},
    ]
    stack.up(
        exposures=sample(jwtRules=jwt_rules, policies=[policy], verification={"checks": checks})
    )
    until(lambda: answers(lab, *HOST, f"{GATEWAY}/headers") == {"403"})
    assert answer(alice) == "200"
    assert answer(issuer.token(sub="bob")) == "403"
    assert answer(Issuer().token(sub="alice")) == "401"
    stack.pulumi("preview", "--expect-no-changes")


@plain
def test_policies_decide_by_identity_method_path_and_header(lab: Lab, stack: Stack) -> None:
    def answer(path: str, *words: str) -> str:
        return lab.curl(*HOST, *words, f"{GATEWAY}{path}")

    reads = {
        "from": [principals(account("httpbin", "httpbin-gateway-istio"))],
        "to": [{"operation": {"methods": ["GET"], "paths": ["/headers", "/status/*"]}}],
    }
    tokens = {
        "to": [{"operation": {"paths": ["/anything"]}}],
        "when": [{"key": "request.headers[x-token]", "values": ["good"]}],
    }
    teapots = {"to": [{"operation": {"paths": ["/status/418"]}}]}
    allowed = {"name": "allowed", "action": "ALLOW", "rules": [reads, tokens]}
    denied = {"name": "denied", "action": "DENY", "rules": [teapots]}
    rules = [{"paths": ["/headers", "/status", "/anything"]}]
    checks = [{"path": "/headers", "status": 200}, {"path": "/anything", "status": 403}]
    stack.up(
        exposures=sample(rules=rules, policies=[allowed, denied], verification={"checks": checks})
    )
    until(lambda: answers(lab, *HOST, f"{GATEWAY}/anything") == {"403"})
    assert answer("/headers") == "200"
    assert answer("/headers", "-X", "POST") == "403"
    assert answer("/status/204") == "204"
    assert answer("/status/418") == "403"
    assert answer("/anything") == "403"
    assert answer("/anything", "-H", "x-token: bad") == "403"
    assert answer("/anything", "-H", "x-token: good") == "200"
    stack.pulumi("preview", "--expect-no-changes")

    # The same for another identity than the gateway's, and nothing denied.
    strangers = {**reads, "from": [principals(account("httpbin", "httpbin"))]}
    policy = {**allowed, "rules": [strangers, tokens]}
    checks = [{"path": "/headers", "status": 403}]
    stack.up(exposures=sample(rules=rules, policies=[policy], verification={"checks": checks}))
    until(lambda: answers(lab, *HOST, f"{GATEWAY}/headers") == {"403"})
    assert answer("/anything", "-H", "x-token: good") == "200"


@pytest.fixture
def other(lab: Lab, stack: Stack) -> Iterator[Callable[..., str]]:
    """Sends requests from a pod beside the curl pod, with a ServiceAccount of its own."""
    stack.up()
    lab.kubectl("create", "serviceaccount", "other", "-n", "curl")
    spec = json.dumps({"spec": {"serviceAccountName": "other", "terminationGracePeriodSeconds": 0}})
    image = (f"--image={CURL}", "--image-pull-policy=IfNotPresent", f"--overrides={spec}")
    lab.kubectl("run", "other", "-n", "curl", *image, "--command", "--", "/bin/sleep", "infinity")
    lab.kubectl("wait", "-n", "curl", "--for=condition=Ready", "pod/other", "--timeout=120s")

    def curl(*words: str) -> str:
        command = ("curl", "-sg", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *words)
        return lab.kubectl("exec", "-n", "curl", "other", "--", *command, ends="somehow")

    yield curl
    lab.kubectl("delete", "pod/other", "serviceaccount/other", "-n", "curl")


@ambient
def test_only_the_waypoint_reaches_the_pods(
    lab: Lab, stack: Stack, other: Callable[..., str]
) -> None:
    path = "{.items[0].status.podIP}"
    get = ("get", "pods", "-n", "httpbin", "-l", "app=httpbin", "-o", f"jsonpath={path}")
    pod = f"{lab.kubectl(*get)}:8080"
    # Round the waypoint, whose rules are enforced for the Service only.
    assert other(f"{SERVICE}/get") == "404"
    assert other(f"{pod}/get") == "200"

    stack.up(exposures=sample(requireWaypoint=True))
    assert f"{lab.kubectl(*get)}:8080" == pod
    until(lambda: other(f"{pod}/get").startswith("000"))
    assert other(f"{SERVICE}/get") == "404"
    assert other(f"{SERVICE}/headers") == "200"
    assert lab.curl(*HOST, f"{GATEWAY}/headers") == "200"
    stack.pulumi("preview", "--expect-no-changes")

    stack.up(exposures=sample())
    until(lambda: other(f"{pod}/get") == "200")


@plain
def test_only_a_ztunnel_can_require_the_waypoint(new_stack: NewStack) -> None:
    printed = new_stack().failing_up(exposures=sample(requireWaypoint=True))
    assert "DaemonSet ztunnel: missing, and nobody" in printed


@ambient
def test_policies_tell_the_clients_in_the_mesh_apart(
    lab: Lab, stack: Stack, other: Callable[..., str]
) -> None:
    assert lab.curl(f"{SERVICE}/headers") == other(f"{SERVICE}/headers") == "200"
    rules = [{"from": [principals(account("curl", "curl"))]}]
    policy = {"name": "curl", "action": "ALLOW", "rules": rules}
    checks = [{"path": "/headers", "status": 403}]
    stack.up(exposures=sample(policies=[policy], verification={"checks": checks}))
    until(lambda: answers(lab, *HOST, f"{GATEWAY}/headers") == {"403"})
    assert lab.curl(f"{SERVICE}/headers") == "200"
    assert other(f"{SERVICE}/headers") == "403"


WAYPOINT = """
import pulumi
from components import Cluster, Namespace, Waypoint, WaypointBinding

cluster = Cluster("cluster", {"context": "lab"})
opts = pulumi.ResourceOptions(providers=[cluster.provider])
namespace = Namespace("pods", {"discovery_labels": {"istio-discovery": "enabled"}}, opts)
waypoint = Waypoint(
    "waypoint",
    {
        "namespace": {"existing": namespace.reference},
        "waypoint_for": pulumi.Config().require("waypointFor"),
    },
    opts,
)
WaypointBinding("pods", {"namespace": namespace.name, "waypoint": waypoint.reference}, opts)
"""


@ambient
def test_a_waypoint_is_for_the_requests_it_is_told_to(lab: Lab, new_stack: NewStack) -> None:
    stack = new_stack(WAYPOINT)
    stack.up(waypointFor="service")
    sample = ROOT / "examples" / "existing-service" / "httpbin.yaml"
    lab.kubectl("apply", "-n", "pods", "-f", str(sample))
    image = (f"--image={CURL}", "--image-pull-policy=IfNotPresent")
    lab.kubectl("run", "curl", "-n", "pods", *image, "--command", "--", "/bin/sleep", "infinity")
    pods = ("pod/curl", "deployment/httpbin")
    for pod, condition in zip(pods, ("Ready", "Available"), strict=True):
        lab.kubectl("wait", "-n", "pods", f"--for=condition={condition}", pod, "--timeout=120s")
    path = "{.items[0].status.podIP}"
    get = ("get", "pods", "-n", "pods", "-l", "app=httpbin", "-o", f"jsonpath={path}")
    address = lab.kubectl(*get)

    def through(target: str) -> bool | None:
        """Whether a request passes the waypoint; None where it is not answered."""
        command = ("curl", "-sg", "-m", "5", "-o", "/dev/null", "-D", "-", f"{target}/get")
        headers = lab.kubectl("exec", "-n", "pods", "curl", "--", *command, ends="somehow")
        return "server: istio-envoy" in headers.lower() if " 200 " in headers else None

    def passed(expected: tuple[bool, bool]) -> bool:
        return (through("httpbin.pods:8000"), through(f"{address}:8080")) == expected

    for waypoint_for, expected in (
        ("service", (True, False)),
        ("workload", (False, True)),
        ("all", (True, True)),
        ("none", (False, False)),
    ):
        stack.up(waypointFor=waypoint_for)
        until(partial(passed, expected))
        stack.pulumi("preview", "--expect-no-changes")
