"""Workload, proxies, client and proof in a namespace that admits little, which is somebody else's.

As strict as OpenShift's `restricted-v2`: no user but one of the namespace's own range, or none
where the image has one; a read-only root file system. Besides, Pod Security `restricted`, a quota
and limits, and a secret for the registry of images.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.parts.pod import RESTRICTED
from lab.versions import CURL_IMAGE
from tests.lab.conftest import HOST, Lab, NewStack, plain, sample
from tests.lab.test_exposure import until

pytestmark = plain

STRICT = """
apiVersion: v1
kind: Namespace
metadata:
  name: httpbin
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: small, namespace: httpbin}
spec:
  hard: {requests.cpu: "4", requests.memory: 4Gi, limits.cpu: "12", limits.memory: 8Gi, pods: "10"}
---
apiVersion: v1
kind: LimitRange
metadata: {name: small, namespace: httpbin}
spec:
  limits:
    - type: Container
      max: {cpu: "2", memory: 1Gi}
      default: {cpu: 500m, memory: 256Mi}
      defaultRequest: {cpu: 50m, memory: 64Mi}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: httpbin}
data: {USE_REAL_HOSTNAME: "true", message: from a volume}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: restricted-v2}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: httpbin}}
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  variables:
    - name: contexts
      expression: object.spec.containers.map(c, c.securityContext)
  validations:
    - expression: >-
        variables.contexts.all(c, !has(c.runAsUser)
        || (c.runAsUser >= 1000650000 && c.runAsUser < 1000660000))
      message: a user outside of the namespace's range
    - expression: >-
        variables.contexts.all(c, has(c.readOnlyRootFilesystem) && c.readOnlyRootFilesystem)
      message: a root file system that is not read-only
    - expression: has(object.spec.imagePullSecrets)
      message: no secret for the registry
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: restricted-v2}
spec: {policyName: restricted-v2, validationActions: [Deny]}
"""

PULL = {"imagePullSecrets": [{"name": "registry"}]}
ANY_USER: dict[str, Any] = {"runAsUser": None}
PLACE = {"name": None, "existing": {"entry": "httpbin"}}
PROXY = {
    "customization": {
        "deployment": {
            "spec": {
                "template": {
                    "spec": {
                        **PULL,
                        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                        "containers": [
                            {
                                "name": "istio-proxy",
                                "securityContext": {"runAsUser": None, "runAsGroup": None},
                            }
                        ],
                    }
                }
            }
        }
    }
}
CLIENT = {
    "namespace": {"existing": {"entry": "httpbin"}},
    "pod": {**PULL, "containers": [{"name": "curl", "securityContext": ANY_USER}]},
}
WORKLOAD = {
    **PULL,
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "volumes": [{"name": "settings", "configMap": {"name": "settings"}}],
    "containers": [
        {
            "name": "httpbin",
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "volumeMounts": [{"name": "settings", "mountPath": "/settings"}],
            "securityContext": {"runAsUser": 1000650001, "readOnlyRootFilesystem": True},
        }
    ],
}
PROOF = {**PULL, "containers": [{"name": "probe", "securityContext": ANY_USER}]}

IMPATIENT = """
import runpy

from components.parts import probe

probe.START = 10
runpy.run_path("program.py")
"""
"""The project's program with a proof whose pod may not take long to start."""


@pytest.fixture
def strict(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """The namespace."""
    file = tmp_path / "strict.yaml"
    file.write_text(STRICT)
    lab.kubectl("apply", "-f", str(file))
    try:
        container = {"name": "curl", "image": CURL_IMAGE, "securityContext": RESTRICTED}
        pod = f"--overrides={json.dumps({'spec': {'containers': [container]}})}"
        words = ("run", "curl", "-n", "httpbin", f"--image={CURL_IMAGE}", pod, "--dry-run=server")
        # It is some seconds before a new policy is in force.
        until(lambda: "restricted-v2" in lab.kubectl(*words, ends="somehow"), limit=60)
        yield
    finally:
        lab.kubectl("delete", "-f", str(file))


@pytest.mark.usefixtures("strict")
def test_all_pods_are_admitted_where_little_is(lab: Lab, new_stack: NewStack) -> None:
    stack = new_stack(IMPATIENT)
    exposures = sample(
        namespace=PLACE,
        service={"pod": WORKLOAD, "ports": [{"name": "spare", "port": 9000, "targetPort": 8080}]},
        rules=[{"paths": ["/headers", "/hostname"]}],
        gateway=PROXY,
        waypoint=PROXY,
        verification={"pod": PROOF},
    )
    outputs = stack.up(
        namespaces={"httpbin": {"create": False, "ambient": True}},
        client=CLIENT,
        exposures=exposures,
    )
    assert len(outputs["verified"]) == 2

    listed = json.loads(lab.kubectl("get", "pods", "-n", "httpbin", "-o", "json"))["items"]
    assert len(listed) == 5
    (workload,) = (one for one in listed if one["metadata"]["labels"].get("app") == "httpbin")
    assert workload["spec"]["nodeSelector"] == WORKLOAD["nodeSelector"]
    (toleration,) = (one for one in workload["spec"]["tolerations"] if one["key"] == "dedicated")
    assert toleration["operator"] == "Exists"
    mounts = workload["spec"]["containers"][0]["volumeMounts"]
    assert "/settings" in [one["mountPath"] for one in mounts]

    def curl(*words: str) -> str:
        return lab.kubectl("exec", "-n", "httpbin", "deploy/curl", "--", "curl", "-sS", *words)

    # Only with the variable of the ConfigMap does it tell.
    answer = curl("-H", "Host:httpbin.example.com", f"{HOST}/hostname")
    assert json.loads(answer)["hostname"] == workload["metadata"]["name"]
    assert json.loads(curl("httpbin.httpbin:9000/hostname"))["hostname"]
    stack.settle()

    # A proof whose pod is not admitted says so.
    lab.kubectl("patch", "resourcequota", "small", "-n", "httpbin", "-p", quota(pods="4"))
    checks = [{"path": "/hostname", "status": 200}]
    exposures["httpbin"]["verification"] = {"checks": checks, "pod": PROOF, "timeout": 1}
    printed = stack.failing_up(exposures=exposures)
    assert "FailedCreate: Error creating: pods" in printed
    assert "exceeded quota: small" in printed
    assert "quota or admission of the namespace refuses the pod" in printed
    lab.kubectl("patch", "resourcequota", "small", "-n", "httpbin", "-p", quota(pods="10"))
    stack.up(exposures=exposures)


def quota(**hard: str) -> str:
    return json.dumps({"spec": {"hard": hard}})
