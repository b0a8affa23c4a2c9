"""The lab itself: two side by side, and what a crash leaves behind."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import artifacts
from lab.progress import Steps
from tests.lab.conftest import HOST, Lab, Stack, plain, run

pytestmark = plain


def processes() -> dict[str, set[int]]:
    """The processes of each lab, by the name of its cgroup."""
    found: dict[str, set[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            cgroups = (folder / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name := re.search(r"/(ambient-lab-\d+)", cgroups):
            found.setdefault(name[1], set()).add(int(folder.name))
    return found


def stray_namespaces() -> set[str]:
    """The network namespaces of processes outside of every lab."""
    inside = {str(pid) for pids in processes().values() for pid in pids}
    listed = run("lsns", "-n", "-t", "net", "-o", "NS,PID").splitlines()
    return {name for name, pid in map(str.split, listed) if pid not in inside}


def rules() -> set[str]:
    """The packet filter's rules of this machine, which a lab must not touch."""
    built = artifacts.prepare(Steps(), None)
    env = {"LD_LIBRARY_PATH": built.library_path, "XTABLES_LIBDIR": built.xtables_path}
    printed = run(built.debian / "usr/sbin/iptables-save", env=env)
    return {line for line in printed.splitlines() if not line.startswith("#")}


def traces() -> dict[str, set[Any]]:
    """All that labs have on this machine."""
    return {
        "labs with processes": set(processes()),
        "interfaces": {path.name for path in Path("/sys/class/net").iterdir()},
        "routes": set(run("ip", "route", "show").splitlines()),
        "network namespaces": stray_namespaces(),
        "mounts": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "rules": rules(),
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").glob("*/ambient-lab-*")},
        "slots": {path.name for path in Path("/run/ambient-lab").glob("*")},
    }


def kill_second(before: dict[str, set[Any]]) -> None:
    """End every process of the second lab as a crash would."""
    (name,) = processes().keys() - before["labs with processes"]
    for pid in processes()[name]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # ended with its namespace
            continue


@pytest.fixture
def before(lab: Lab) -> dict[str, set[Any]]:
    """What there is before the test's second lab; the tests' own runs on."""
    assert lab.state.exists()
    return traces()


@pytest.fixture
def second(before: dict[str, set[Any]], tmp_path: Path) -> Iterator[Lab]:
    """A lab beside the tests' own."""
    assert before["labs with processes"]
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
    printed = stack.failing_up(kubeconfig=second.env["KUBECONFIG"])
    for crd in crds:
        assert f"CustomResourceDefinition {crd}: missing. Install" in printed
    assert not any(one["type"].startswith("kubernetes:") for one in stack.resources())


def test_nothing_is_left_of_a_lab_that_was_killed(before: dict[str, set[Any]], second: Lab) -> None:
    kill_second(before)
    second.down()
    assert {what: found - before[what] for what, found in traces().items()} == {
        what: set() for what in before
    }
    assert rules() == before["rules"]
    assert not second.state.exists()


def test_a_lab_that_was_killed_is_replaced(before: dict[str, set[Any]], second: Lab) -> None:
    kill_second(before)
    again = Lab.start(second.state)
    assert " Ready " in again.kubectl("get", "nodes")
