"""A stack's objects as manifests, for those who leave Pulumi."""

import json
import sys

import yaml

from tests.lab.conftest import HOST, Lab, Stack, assert_unbroken, load, plain, run, sample
from tests.lab.test_exposure import until

pytestmark = plain

KINDS = "namespaces,services,serviceaccounts,deployments,gateways,httproutes"


def objects(lab: Lab) -> dict[str, str]:
    """The uid of each object in the namespace, with its generation."""
    listed = json.loads(lab.kubectl("get", KINDS, "-n", "httpbin", "-o", "json"))
    return {
        f"{one['kind']} {one['metadata']['name']}": "{uid} {generation}".format_map(
            {"generation": 1, **one["metadata"]}
        )
        for one in listed["items"]
    }


def test_kubectl_takes_a_stack_over(lab: Lab, stack: Stack) -> None:
    stack.up(exposures=sample(gateway={"serviceType": "LoadBalancer"}))
    command = (sys.executable, "-m", "components", "manifests")
    printed = run(*command, env=stack.env, cwd=stack.folder)
    file = stack.folder / "stack.yaml"
    file.write_text(printed)
    kinds = [one["kind"] for one in yaml.safe_load_all(printed)]
    assert "Job" not in kinds
    assert kinds.count("HTTPRoute") == 2

    def answer(path: str) -> str:
        return lab.curl("-H", "Host:httpbin.example.com", f"http://{HOST}{path}")

    before = objects(lab)
    apply = ("apply", "--server-side", "--force-conflicts", "-f", str(file))
    with load(lab, f"http://{HOST}/headers") as answers:
        lab.kubectl(*apply)
        stack.pulumi("state", "delete", "--all", "--yes")
    assert_unbroken(answers)
    assert objects(lab) == before
    assert stack.resources() == []

    # Nothing else was needed: made anew, they answer.
    lab.kubectl("delete", "-f", str(file))
    lab.kubectl(*apply)
    lab.kubectl("wait", "deployment/curl", "-n", "curl", "--for=condition=Available")
    until(lambda: answer("/headers") == "200", limit=60)
    assert answer("/get") == "404"
    lab.kubectl("delete", "-f", str(file))
