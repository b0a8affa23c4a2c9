"""Who is let in at the gateway: by address, by token, by another service that is asked."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
import yaml

from lab.versions import PROXY_IMAGE
from tests.lab.conftest import HOST, Lab, Stack, plain, run, sample
from tests.lab.test_exposure import HEADER, until
from tests.lab.test_security import Issuer, account, principals

pytestmark = plain

# Its Service keeps the addresses of clients.
LOCAL = {"service": {"spec": {"externalTrafficPolicy": "Local"}}}


def exposures(
    gateway: Mapping[str, Any], checks: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    """The sample, reachable from this machine."""
    return sample(
        gateway={"serviceType": "LoadBalancer", "customization": LOCAL, **gateway},
        # The pod that sends the requests has another address than this machine.
        verification=checks and {"checks": checks, "addresses": "internal"},
        **changes,
    )


def allowed(**source: list[str]) -> dict[str, Any]:
    """A policy that lets in clients alone that have this source."""
    return {"action": "ALLOW", "rules": [{"from": [{"source": source}]}]}


@pytest.fixture(scope="module")
def address(module_stack: Stack) -> str:
    """The address of the gateway, which lets in everybody as yet."""
    checks = [{"path": "/headers", "status": 200}]
    return str(module_stack.up(exposures=exposures({}, checks))["ingressHost"])


def answer(address: str, path: str, *words: str) -> str:
    """The status that a request from this machine is answered with."""
    told = ("-o", "/dev/null", "-w", "%{http_code}", f"http://{address}{path}")
    return run("curl", "-s", "-m", "5", *HEADER, *words, *told, ends="somehow")


def settled(address: str, path: str, *words: str) -> set[str]:
    """The statuses of twenty requests, so many that none is left that a connection to the waypoint,
    kept from before a change of its policies, carries by the former ones.
    """
    return {answer(address, path, *words) for _ in range(20)}


def test_the_gateway_lets_in_addresses(lab: Lab, module_stack: Stack, address: str) -> None:
    def from_a_pod() -> str:
        return lab.curl(*HEADER, f"http://{HOST}/headers")

    assert answer(address, "/headers") == from_a_pod() == "200"
    seen = json.loads(run("curl", "-s", *HEADER, f"http://{address}/headers"))
    (own,) = seen["headers"]["X-Forwarded-For"]

    # The waypoint lets in the gateway, for reading, beside another client.
    reads = {"to": [{"operation": {"methods": ["GET"]}}]}
    policies = [
        {"action": "ALLOW", "rules": [{"from": [principals(account("curl", "curl"))]}]},
        {"action": "ALLOW", "fromGateway": True, "rules": [reads]},
    ]
    refused = [{"path": "/headers", "status": 403}]
    gateway = {"policies": [allowed(ipBlocks=[own])]}
    module_stack.up(exposures=exposures(gateway, refused, policies=policies))
    until(lambda: all(from_a_pod() == "403" for _ in range(3)))
    assert answer(address, "/headers") == "200"
    until(lambda: settled(address, "/status/200", "-X", "POST") == {"403"})
    # What it is told of others is not believed.
    assert lab.curl(*HEADER, "-H", f"X-Forwarded-For: {own}", f"http://{HOST}/headers") == "403"
    module_stack.pulumi("preview", "--expect-no-changes")


def test_the_gateway_believes_the_proxies_before_it_and_tokens(
    module_stack: Stack, address: str
) -> None:
    def forwarded(clients: str, *words: str) -> str:
        return answer(address, "/headers", "-H", f"X-Forwarded-For: {clients}", *words)

    def bearing(token: str) -> str:
        return forwarded("192.0.2.7", "-H", f"Authorization: Bearer {token}")

    issuer = Issuer()
    gateway = {
        "policies": [allowed(remoteIpBlocks=["192.0.2.0/24"])],
        "jwtRules": [{"issuer": issuer.name, "jwks": issuer.keys}],
        "trustedProxies": 1,
    }
    inside = {"X-Forwarded-For": "192.0.2.7"}
    checks = [
        {"path": "/headers", "status": 200, "headers": inside},
        {"path": "/headers", "status": 403},
    ]
    module_stack.up(exposures=exposures(gateway, checks))
    until(lambda: all(answer(address, "/headers") == "403" for _ in range(3)))
    assert forwarded("192.0.2.7") == "200"
    assert forwarded("198.51.100.7") == "403"
    # What the client says of itself comes before what the proxy says of it.
    assert forwarded("192.0.2.7, 198.51.100.7") == "403"
    assert bearing("token") == "401"
    assert bearing(issuer.token(sub="alice")) == "200"
    module_stack.pulumi("preview", "--expect-no-changes")


# Answers as the one of Istio's documentation does: 200 with the header, else 403.
AUTHORIZER = """
static_resources:
  listeners:
    - address: {socket_address: {address: 0.0.0.0, port_value: 8000}}
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.\
http_connection_manager.v3.HttpConnectionManager
                stat_prefix: authorizer
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match:
                            prefix: /
                            headers: [{name: x-ext-authz, string_match: {exact: allow}}]
                          direct_response: {status: 200}
                        - match: {prefix: /}
                          direct_response: {status: 403}
                http_filters:
                  - name: router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"""

MESH = ("configmap/istio", "-n", "istio-system")


@pytest.fixture
def provider(lab: Lab) -> Iterator[str]:
    """An external authorization provider of the mesh, in a namespace of its owner."""
    place = ("-n", "authorizer")
    lab.kubectl("create", "namespace", "authorizer")
    lab.kubectl("label", "namespace", "authorizer", "istio-discovery=enabled")
    pod = (f"--image={PROXY_IMAGE}", "--image-pull-policy=IfNotPresent", "--port=8000")
    command = ("--command", "--", "/usr/local/bin/envoy", "--config-yaml", AUTHORIZER)
    lab.kubectl("run", "authorizer", *place, *pod, "--expose", *command)
    mesh = json.loads(lab.kubectl("get", *MESH, "-o", "json"))["data"]["mesh"]
    own = {
        "name": "authorizer",
        "envoyExtAuthzHttp": {
            "service": "authorizer.authorizer.svc.cluster.local",
            "port": 8000,
            "includeRequestHeadersInCheck": ["x-ext-authz"],
        },
    }
    configured = yaml.safe_load(mesh)
    providers = [*configured.get("extensionProviders", []), own]
    patch(lab, yaml.safe_dump({**configured, "extensionProviders": providers}))
    lab.kubectl("wait", *place, "--for=condition=Ready", "pod/authorizer", "--timeout=120s")
    yield "authorizer"
    patch(lab, mesh)
    lab.kubectl("delete", "namespace", "authorizer")


def patch(lab: Lab, mesh: str) -> None:
    """Change the configuration of the mesh."""
    data = json.dumps({"data": {"mesh": mesh}})
    lab.kubectl("patch", *MESH, "--type=merge", f"--patch={data}")


def test_another_service_is_asked(module_stack: Stack, address: str, provider: str) -> None:
    def asking(path: str, name: str = provider) -> dict[str, Any]:
        rules = [{"to": [{"operation": {"paths": [path]}}]}]
        return {"action": "CUSTOM", "provider": {"name": name}, "rules": rules}

    def refused(path: str) -> bool:
        return settled(address, path) == {"403"}

    unknown = exposures({"policies": [asking("/headers", "authoriser")]})
    assert (
        "provider authoriser: unknown to the mesh, which would refuse every request that it is"
        " asked about: expected one of authorizer "
    ) in module_stack.failing_up(exposures=unknown)

    checks = [
        check
        for path in ("/headers", "/status/200")
        for check in (
            {"path": path, "status": 200, "headers": {"x-ext-authz": "allow"}},
            {"path": path, "status": 403},
        )
    ]
    gateway = {"policies": [asking("/headers")]}
    module_stack.up(exposures=exposures(gateway, checks, policies=[asking("/status/*")]))
    for path in ("/headers", "/status/200"):
        until(partial(refused, path))
        assert answer(address, path, "-H", "x-ext-authz: allow") == "200"
        assert answer(address, path, "-H", "x-ext-authz: deny") == "403"
    module_stack.pulumi("preview", "--expect-no-changes")

    module_stack.up(exposures=exposures({}))
    until(lambda: answer(address, "/headers") == answer(address, "/status/200") == "200")
