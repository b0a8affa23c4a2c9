"""The lab itself: two side by side, and what a crash leaves behind."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.build import artifacts
from lab.build.progress import Steps
from tests.lab.conftest import HOST, Lab, Stack, plain, run

pytestmark = plain

REGISTRY = Path("/run/ambient-lab")
CGROUPS = Path("/sys/fs/cgroup")
LINKS = Path("/sys/class/net")


def slot(lab: Lab) -> str:
    """The name of what a running lab has on this machine."""
    (number,) = (file.name for file in REGISTRY.iterdir() if file.read_text() == str(lab.state))
    return f"ambient-lab-{number}"


def processes() -> Iterator[tuple[int, str, str, str]]:
    """Each with its number, start, network namespace, and lab if it belongs to one."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            start = (folder / "stat").read_text().rpartition(")")[2].split()[19]
            namespace = str((folder / "ns" / "net").readlink())
            lab = re.search(r"/(ambient-lab-\d+)", (folder / "cgroup").read_text())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            # It has just ended, or is of whoever runs this machine.
            continue
        yield int(folder.name), start, namespace, lab[1] if lab else ""


def traces(name: str) -> dict[str, str]:
    """What there is on this machine under a lab's name, and every process, each with its lab.

    All are called so that a later lab with the same name has none of them; but for network
    namespaces, whose numbers are given out again.
    """
    found: dict[str, str] = {}
    for pid, start, namespace, lab in processes():
        found[f"process {pid} since {start}"] = lab
        found[f"namespace {namespace}"] = lab and found.get(f"namespace {namespace}", lab)
    # Version 2 has one hierarchy, version 1 one in each folder.
    for folder in (*CGROUPS.glob(name), *CGROUPS.glob(f"*/{name}")):
        found[f"cgroup {folder} {folder.stat().st_ino}"] = name
    for index in LINKS.glob(f"{name}/ifindex"):
        found[f"interface {index.read_text().strip()}"] = name
    for file in REGISTRY.glob(name.rpartition("-")[2]):
        found[f"registration {file.read_text()}"] = name
    return found


def left(of_lab: set[str], name: str) -> set[str]:
    """Which of a lab's traces there still are."""
    now = traces(name)
    given_out = {trace for trace, lab in now.items() if trace.startswith("namespace ") and lab}
    return of_lab & now.keys() - given_out


def rules() -> set[str]:
    """The packet filter's rules of this machine, which no lab touches."""
    built = artifacts.prepare(Steps(), None)
    env = {"LD_LIBRARY_PATH": built.library_path, "XTABLES_LIBDIR": built.xtables_path}
    printed = run(built.debian / "usr/sbin/iptables-save", env=env)
    return {line for line in printed.splitlines() if not line.startswith("#")}


def kill(lab: Lab) -> None:
    """End every process of a lab as a crash would."""
    name = slot(lab)
    for pid, _, _, of_lab in processes():
        if of_lab == name:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # ended with its namespace
                continue


@pytest.fixture
def second(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A lab beside the tests' own."""
    assert lab.state.exists()
    started = Lab.start(tmp_path / "lab")
    yield started
    started.down()


def test_two_labs_do_not_disturb_each_other(lab: Lab, second: Lab, stack: Stack) -> None:
    stack.up()
    second.kubectl("create", "namespace", "only-here")
    assert "only-here" not in lab.kubectl("get", "namespaces")
    assert "httpbin" not in second.kubectl("get", "namespaces")
    second.down()
    assert " Ready " in lab.kubectl("get", "nodes")
    assert lab.curl("-H", "Host:httpbin.example.com", f"{HOST}/headers") == "200"


def test_a_cluster_without_the_gateway_api_is_named(second: Lab, stack: Stack) -> None:
    crds = [f"{kind}.gateway.networking.k8s.io" for kind in ("gateways", "httproutes")]
    second.kubectl("delete", "crd", *crds)
    printed = stack.failing_up(cluster={"context": "lab", "kubeconfig": second.env["KUBECONFIG"]})
    for crd in crds:
        assert f"CustomResourceDefinition {crd}: missing. Install" in printed
    assert not any(one["type"].startswith("kubernetes:") for one in stack.resources())


@pytest.fixture
def rules_before() -> set[str]:
    """The packet filter's rules before the test's lab starts."""
    return rules()


def test_nothing_is_left_of_a_lab_that_was_killed(rules_before: set[str], second: Lab) -> None:
    name = slot(second)
    of_lab = {trace for trace, lab in traces(name).items() if lab == name}
    kinds = {"process", "namespace", "cgroup", "interface", "registration"}
    assert {trace.split()[0] for trace in of_lab} == kinds
    kill(second)
    second.down()
    assert left(of_lab, name) == set()
    assert str(second.state) not in Path("/proc/self/mountinfo").read_text()
    assert rules() == rules_before
    assert not second.state.exists()


def test_a_lab_that_was_killed_is_replaced(second: Lab) -> None:
    kill(second)
    again = Lab.start(second.state)
    assert " Ready " in again.kubectl("get", "nodes")
