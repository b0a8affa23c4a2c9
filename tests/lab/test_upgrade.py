"""Stacks of earlier releases become stacks of this one without an object being replaced.

`states` holds what `pulumi stack export` printed of a stack of each release, and its stack file,
which is rewritten in the form of this one. To record the release at hand:

    cp Pulumi.dev.yaml tests/lab/states/release-N.yaml
    make up STACK=dev && eval "$(make -s env STACK=dev)"
    pulumi stack export | python -m tests.lab.test_upgrade > tests/lab/states/release-N.json
    git restore Pulumi.dev.yaml
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import HOST, Lab, NewStack, Stack, plain, run, stack_file

STATES = sorted((Path(__file__).parent / "states").glob("*.json"))

# Of the machine and the moment of the recording.
VOLATILE = {
    "completionTime",
    "created",
    "creationTimestamp",
    "lastProbeTime",
    "lastTransitionTime",
    "lastUpdateTime",
    "managedFields",
    "manifest",
    "modified",
    "resourceVersion",
    "secrets_providers",  # of the recorded stack's passphrase, with which nothing is encrypted
    "sourcePosition",
    "stackTrace",
    "startTime",
    "uid",
}

CREATOR = "pulumi-kubernetes"
"""Field manager of an object that the plugin has created and not yet updated."""

REPLACEMENTS = {"create-replacement", "delete", "delete-replaced", "replace"}

# A run of the proof, not an object that serves: repeated when anything that it proves changes.
PROOF = "kubernetes:batch/v1:Job::exposure-probe-job"

SERVING = "namespaces,serviceaccounts,services,deployments,gateways,httproutes"

REQUESTS = {"/headers": "200", "/get": "404"}


def recorded(value: Any) -> Any:
    """What of an exported state is kept in `states`."""
    if isinstance(value, dict):
        return {key: recorded(one) for key, one in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [recorded(one) for one in value]
    return value


def place(lab: Lab, resource: dict[str, Any], file: Path) -> None:
    """Put the object of a resource into the cluster as the plugin had put it there."""
    file.write_text(json.dumps(resource["inputs"]))
    if resource["type"].endswith("Patch"):
        manager = resource["outputs"]["__fieldManager"]
        lab.kubectl("apply", "--server-side", f"--field-manager={manager}", f"--filename={file}")
    else:
        lab.kubectl("create", f"--field-manager={CREATOR}", f"--filename={file}")


def serving(lab: Lab) -> dict[str, str]:
    """The uid of each object in the namespaces of the stack, the mesh's own for it included."""
    listed = json.loads(lab.kubectl("get", SERVING, "--all-namespaces", "--output=json"))["items"]
    return {
        f"{one['kind']} {namespace}/{metadata['name']}": metadata["uid"]
        for one in listed
        for metadata in [one["metadata"]]
        for namespace in [metadata.get("namespace", metadata["name"])]
        if namespace in ("curl", "httpbin")
    }


def answers(lab: Lab) -> dict[str, str]:
    """The status that each of `REQUESTS` is answered with through the gateway."""
    header = ("-H", "Host:httpbin.example.com")
    return {path: lab.curl(*header, f"{HOST}{path}") for path in REQUESTS}


def replaced(stack: Stack) -> list[str]:
    """The steps of an update that replace or delete something, the proof left aside.

    A component is no object in the cluster: one that is no more is deleted without a trace.
    """
    steps = json.loads(stack.pulumi("preview", "--json"))["steps"]
    assert steps
    return [
        f"{step['op']} {step['urn']}"
        for step in steps
        if step["op"] in REPLACEMENTS and not step["urn"].endswith(PROOF)
        if not re.search(r"[:$]ambient:index:\w+::[^:]+$", step["urn"])
    ]


def rewrite(stack: Stack, former: Path) -> None:
    """Give a stack the file that it had in an earlier release, in the form of this one."""
    file = stack.folder / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump(stack_file(stack.folder) | yaml.safe_load(former.read_text())))
    run(sys.executable, "-m", "components", "rewrite", file.name, cwd=stack.folder)


@plain
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.stem)
def test_an_upgrade_replaces_nothing(
    lab: Lab, new_stack: NewStack, state: Path, tmp_path: Path
) -> None:
    stack = new_stack()
    rewrite(stack, state.with_suffix(".yaml"))
    # First, so that what is placed is destroyed with the stack however the test ends.
    stack.pulumi("stack", "import", "--file", str(state))
    for resource in stack.resources():
        if resource["type"].startswith("kubernetes:"):
            place(lab, resource, tmp_path / "object.json")
    lab.kubectl("wait", "--for=condition=Complete", "jobs", "--all", "-n", "curl", "--timeout=180s")
    assert answers(lab) == REQUESTS
    before = serving(lab)

    assert replaced(stack) == []
    stack.pulumi("up", "--yes", "--skip-preview")
    after = serving(lab)
    assert {name: after.get(name) for name in before} == before
    assert answers(lab) == REQUESTS
    stack.settle()

    stack.pulumi("destroy", "--yes", "--skip-preview")
    assert stack.resources() == []
    assert serving(lab) == {}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.stem)
def test_a_state_holds_nothing_of_the_machine_that_it_was_recorded_on(state: Path) -> None:
    content = json.loads(state.read_text())
    assert content == recorded(content)
    resources = content["deployment"]["resources"]
    (provider,) = (one for one in resources if one["type"] == "pulumi:providers:kubernetes")
    assert provider["inputs"].get("context", "lab") == "lab"
    assert provider["inputs"]["kubeconfig"] == ""


if __name__ == "__main__":
    json.dump(recorded(json.load(sys.stdin)), sys.stdout, indent=2)
    sys.stdout.write("\n")
