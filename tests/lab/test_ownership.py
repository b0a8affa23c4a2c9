"""Whose objects are: renamed, claimed by two stacks, left by a killed update."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.conftest import Lab, NewStack, Stack, plain, run, sample

pytestmark = plain


def renamed(**changes: Any) -> dict[str, Any]:
    """The sample's exposure under another name."""
    return {"web": sample(**changes)["httpbin"]}


def test_entries_and_stacks_may_be_renamed(lab: Lab, stack: Stack) -> None:
    stack.up()
    uids = made(lab)
    stack.configure(exposures=renamed())
    said = "`pulumi config set --path renamed.web httpbin` keeps it what it is"
    assert said in stack.pulumi("preview", ends="badly")
    assert said in stack.failing_up()
    stack.up(renamed={"web": "httpbin"})
    assert made(lab) == uids
    stack.configure(renamed={})
    stack.settle()
    stack.pulumi("stack", "rename", "prod")
    shutil.move(stack.folder / "Pulumi.prod.yaml", stack.folder / "Pulumi.dev.yaml")
    shutil.copy(stack.folder / "Pulumi.dev.yaml", stack.folder / "Pulumi.prod.yaml")
    stack.pulumi("up", "--yes", "--skip-preview")
    assert made(lab) == uids


def made(lab: Lab) -> str:
    """The identities of what serves requests."""
    path = '{range .items[*]}{.kind}{" "}{.metadata.name}{" "}{.metadata.uid}{"\\n"}{end}'
    kinds = "gateways,httproutes,services,deployments"
    return lab.kubectl("get", kinds, "-n", "httpbin", "-o", f"jsonpath={path}")


def test_a_stack_of_the_same_name_in_another_backend_gets_nothing(
    lab: Lab, new_stack: NewStack
) -> None:
    first, second = new_stack(), new_stack()
    first.up()
    uids = made(lab)
    said = "Namespace httpbin exists already, made by this stack, whose state does not know it"
    assert said in second.failing_up()
    second.pulumi("destroy", "--yes", "--skip-preview")
    assert made(lab) == uids


@pytest.fixture
def adopted(lab: Lab) -> Iterator[None]:
    """A namespace `httpbin` that is not the stack's."""
    lab.kubectl("create", "namespace", "httpbin")
    yield
    lab.kubectl("delete", "namespace", "httpbin")


@pytest.mark.usefixtures("adopted")
def test_after_a_killed_update_one_command_leads_on(lab: Lab, stack: Stack) -> None:
    stack.configure(exposures=sample(namespace={"create": False, "ambient": True}))
    for object_ in ("gateway/httpbin-gateway", "httproute/httpbin-ingress"):
        killed_once_there(lab, stack, object_)
        recover(stack)
        stack.pulumi("up", "--yes", "--skip-preview")
        stack.pulumi("destroy", "--yes", "--skip-preview")
        nothing_is_left(lab)
    killed_once_there(lab, stack, "deployment/httpbin")
    recover(stack)
    stack.pulumi("destroy", "--yes", "--skip-preview")
    nothing_is_left(lab)


def killed_once_there(lab: Lab, stack: Stack, object_: str) -> None:
    """Kill the engine of an update as soon as it has made an object."""
    command = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive")
    with subprocess.Popen(
        command,
        env=stack.env,
        cwd=stack.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        end = time.monotonic() + 60
        look = ("get", "-n", "httpbin", object_, "--ignore-not-found", "-o", "name")
        while not lab.kubectl(*look):
            assert process.poll() is None, "the update ended before"
            assert time.monotonic() < end, f"{object_} was not made"
        os.killpg(process.pid, signal.SIGKILL)


def recover(stack: Stack) -> None:
    command = (sys.executable, "-m", "components", "recover", "--stack", "dev", "--yes")
    run(*command, env=stack.env, cwd=stack.folder)


def nothing_is_left(lab: Lab) -> None:
    """The namespace is as its owner made it, once the garbage collector has done its work."""
    kinds = "gateways,httproutes,deployments,services,jobs,serviceaccounts"
    end = time.monotonic() + 60
    while left := [
        name
        for name in lab.kubectl("get", kinds, "-n", "httpbin", "-o", "name").splitlines()
        if name != "serviceaccount/default"
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.5)
    labels = lab.kubectl("get", "namespace", "httpbin", "-o", "jsonpath={.metadata.labels}")
    assert "istio" not in labels
