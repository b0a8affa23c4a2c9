"""An installation that was made by hand, taken over by a stack."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import HOST, Lab, Stack, assert_unbroken, load, plain, run
from tests.lab.test_exposure import until

pytestmark = plain

WORKLOADS = """
apiVersion: v1
kind: Namespace
metadata: {name: httpbin, labels: {istio-discovery: enabled, istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Service
metadata: {name: httpbin, namespace: httpbin}
spec: {ports: [{name: http, port: 8000, targetPort: 8080}], selector: {app: httpbin}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: httpbin, namespace: httpbin}
spec:
  selector: {matchLabels: {app: httpbin}}
  template:
    metadata: {labels: {app: httpbin}}
    spec: {containers: [{name: httpbin, image: "docker.io/mccutchen/go-httpbin:v2.15.0"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: curl, labels: {istio-discovery: enabled, istio.io/dataplane-mode: ambient}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: curl, namespace: curl}
spec:
  selector: {matchLabels: {app: curl}}
  template:
    metadata: {labels: {app: curl}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: curl, image: "docker.io/curlimages/curl:8.16.0", command: [/bin/sleep, infinity]}]
"""  # noqa: E501

EXPOSED = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: httpbin-waypoint, namespace: httpbin, labels: {istio.io/waypoint-for: service}}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: httpbin-gateway
  namespace: httpbin
  labels: {team: shop}
  annotations: {networking.istio.io/service-type: ClusterIP}
spec:
  gatewayClassName: istio
  listeners:
  - name: default
    hostname: httpbin.example.com
    port: 80
    protocol: HTTP
    allowedRoutes: {namespaces: {from: All}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: httpbin-ingress, namespace: httpbin}
spec:
  parentRefs: [{name: httpbin-gateway, namespace: httpbin}]
  hostnames: [httpbin.example.com]
  rules: [{backendRefs: [{name: httpbin, port: 8000}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: httpbin-waypoint-route, namespace: httpbin}
spec:
  parentRefs: [{group: "", kind: Service, name: httpbin, namespace: httpbin}]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /status}
    - path: {type: PathPrefix, value: /headers}
    backendRefs: [{name: httpbin, port: 8000}]
"""


@pytest.fixture
def by_hand(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """The procedure, with its own commands."""
    files = {name: tmp_path / f"{name}.yaml" for name in ("workloads", "exposed")}
    files["workloads"].write_text(WORKLOADS)
    files["exposed"].write_text(EXPOSED)
    for file in files.values():
        lab.kubectl("apply", "-f", str(file))
    label = ("label", "-n", "httpbin")
    lab.kubectl(*label, "service", "httpbin", "istio.io/ingress-use-waypoint=true")
    lab.kubectl(*label, "namespace", "httpbin", "istio.io/use-waypoint=httpbin-waypoint")
    programmed = ("--for=condition=programmed", "gtw", "httpbin-waypoint", "-n", "httpbin")
    lab.kubectl("wait", *programmed, "--timeout=60s")
    yield
    lab.kubectl("delete", "-f", str(files["workloads"]))


def objects(lab: Lab) -> dict[str, str]:
    """The uid of each object that requests pass."""
    listed = lab.kubectl("get", "gtw,httproute,service,deploy", "-n", "httpbin", "-o", "json")
    return {
        f"{one['kind']} {one['metadata']['name']}": one["metadata"]["uid"]
        for one in json.loads(listed)["items"]
    }


UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands in a preview for what is not known yet."""


def within(wanted: Any, live: Any) -> bool:
    """Whether what is wanted is there, beside what the API server adds."""
    if isinstance(wanted, dict):
        return all(key in live and within(value, live[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(live) and all(map(within, wanted, live))
    return wanted in (live, UNKNOWN)


def test_an_installation_is_taken_over(lab: Lab, by_hand: None, stack: Stack) -> None:
    def answer(path: str) -> str:
        return lab.curl("-H", "Host:httpbin.example.com", f"http://{HOST}{path}")

    assert by_hand is None
    lab.kubectl("wait", "deployment/curl", "-n", "curl", "--for=condition=Available")
    until(lambda: answer("/headers") == "200" and answer("/get") == "404", limit=60)
    before = objects(lab)
    stack.write({})
    command = (sys.executable, "-m", "components", "adopt", "--context", "lab")
    printed = run(*command, env=stack.env, cwd=stack.folder)
    taken = [line for line in printed.splitlines() if line.startswith("took over ")]
    assert len(taken) == 4

    preview: Any = json.loads(stack.pulumi("preview", "--json"))
    assert preview["changeSummary"].keys() <= {"create", "update", "same"}
    created = {step["urn"].split("::")[2] for step in preview["steps"] if step["op"] == "create"}
    assert {urn.rpartition(":")[2] for urn in created} == {"NamespacePatch", "ServicePatch"}
    changed = [step for step in preview["steps"] if step["op"] == "update"]
    updated = [one["newState"]["inputs"] for one in changed if "kubernetes:gateway" in one["urn"]]
    specs = [
        (one["kind"], one["metadata"]["name"], one["spec"]) for one in updated if "spec" in one
    ]
    assert len(specs) == 4
    for kind, name, spec in specs:
        spec.pop("infrastructure", None)  # labels of pods
        live = lab.kubectl("get", kind.lower(), name, "-n", "httpbin", "-o", "json")
        assert within(spec, json.loads(live)["spec"]), (kind, name, spec)

    config = yaml.safe_load((stack.folder / "Pulumi.dev.yaml").read_text())["config"]
    exposures, gateways = (config[f"ambient-exposure:{part}"] for part in ("exposures", "gateways"))
    checks = [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}]
    exposures["httpbin"]["verification"] = {"checks": checks}
    with load(lab, f"http://{HOST}/headers") as answers:
        verified = stack.previewed_up(exposures=exposures)["verified"]
    assert_unbroken(answers)
    assert len(verified) == 2
    assert objects(lab) == before
    # What the stack does not speak of is its owner's, and the rest no longer kubectl's.
    assert of_gateway(lab, "{.metadata.labels.team}") == "shop"
    gateways["httpbin-gateway"]["serviceType"] = "LoadBalancer"
    outputs = stack.up(gateways=gateways)
    assert outputs["ingressHost"] == of_gateway(lab, "{.status.addresses[0].value}")
    assert outputs["ingressHost"].startswith("198.")
    stack.settle()

    # The stack has the gateways and routes, and the labels that name the waypoint.
    stack.pulumi("destroy", "--yes", "--skip-preview")
    left = objects(lab)
    assert {"Service httpbin", "Deployment httpbin"} <= left.keys()
    assert not [name for name in left if name.startswith(("Gateway", "HTTPRoute"))]
    both, path = ("namespace/httpbin", "service/httpbin", "-n", "httpbin"), ".items[*].metadata"
    labels = lab.kubectl("get", *both, "-o", f"jsonpath={{{path}.labels}}")
    assert "waypoint" not in labels
    assert '"istio.io/dataplane-mode":"ambient"' in labels


def of_gateway(lab: Lab, path: str) -> str:
    """What the ingress gateway has at a path."""
    words = ("gateway", "httpbin-gateway", "-n", "httpbin", "-o", f"jsonpath={path}")
    return lab.kubectl("get", *words)
