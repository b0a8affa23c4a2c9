"""The lab itself: two side by side, and what a crash leaves behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import Lab, plain, run

pytestmark = plain


def processes() -> dict[int, str]:
    """The command line of every process in a cgroup of a lab."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if "/ambient-lab-" in (folder / "cgroup").read_text():
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def traces() -> dict[str, set[str]]:
    """All that labs have on this machine."""
    return {
        "processes": {f"{pid} {command}" for pid, command in processes().items()},
        "interfaces": {path.name for path in Path("/sys/class/net").iterdir()},
        "routes": set(run("ip", "route", "show", "table", "all").splitlines()),
        "network namespaces": set(run("lsns", "-n", "-t", "net", "-o", "NS").split()),
        "mounts": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "rules": set(run("python", "-c", "print()").splitlines()),
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").glob("**/ambient-lab-*")},
        "slots": {path.name for path in Path("/run/ambient-lab").glob("*")},
    }


@pytest.fixture
def before(lab: Lab) -> dict[str, set[str]]:  # noqa: ARG001  # the tests' own lab runs on
    """What there was before the test's second lab."""
    return traces()


@pytest.fixture
def second(before: dict[str, set[str]], tmp_path: Path) -> Iterator[Lab]:  # noqa: ARG001  # first
    """A lab beside the tests' own."""
    started = Lab.start(tmp_path / "lab")
    yield started
    started.down()


def test_two_labs_do_not_disturb_each_other(lab: Lab, second: Lab) -> None:
    assert lab.kubectl("cluster-info") != second.kubectl("cluster-info")
    second.kubectl("create", "namespace", "only-here")
    assert "only-here" not in lab.kubectl("get", "namespaces")
    second.down()
    assert "Ready" in lab.kubectl("get", "nodes")


def test_nothing_is_left_of_a_lab_that_was_killed(
    before: dict[str, set[str]], second: Lab
) -> None:
    killed = [
        pid
        for pid in processes()
        if f"{pid} " not in {line.split()[0] + " " for line in before["processes"]}
    ]
    assert len(killed) > 10
    for pid in killed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # ended with its namespace
            continue
    second.down()
    assert traces() == before
    assert not second.state.exists()


def test_a_lab_that_was_killed_is_replaced(before: dict[str, set[str]], second: Lab) -> None:
    old = {line.split()[0] for line in before["processes"]}
    for pid in sorted(pid for pid in processes() if str(pid) not in old):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    again = Lab.start(second.state)
    assert "Ready" in again.kubectl("get", "nodes")
