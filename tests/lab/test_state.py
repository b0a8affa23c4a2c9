"""Two engineers with one state: on PostgreSQL, and in an S3-compatible store."""

import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lab import backends
from tests.lab.conftest import LIMIT, Lab, Stack, plain, stacks
from tests.lab.test_exposure import until

pytestmark = plain

# Tells that it runs, by when the stack is locked, and waits to be let go.
PROGRAM = """
import pathlib
import runpy
import time

late = time.monotonic() + 120
pathlib.Path("running").touch()
while pathlib.Path("held").exists():
    assert time.monotonic() < late, "nobody let it go"
    time.sleep(0.1)
runpy.run_path("program.py")
"""

NAMESPACES = {"team": {"discoveryLabels": {"istio-discovery": "enabled"}}}
LOCKED = "the stack is currently locked by 1 lock(s)"


@contextmanager
def updating(engineer: Stack) -> Generator[subprocess.Popen[bytes]]:
    """An update of an engineer's that holds the stack until the file `held` is gone."""
    held, running = engineer.folder / "held", engineer.folder / "running"
    held.touch()
    running.unlink(missing_ok=True)
    command = ("pulumi", "up", "--yes", "--skip-preview")
    with subprocess.Popen(
        command, env=engineer.env, cwd=engineer.folder, stdin=subprocess.DEVNULL
    ) as process:
        try:
            until(running.exists)
            yield process
        finally:
            held.unlink(missing_ok=True)
            process.wait(LIMIT)


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_two_engineers_update_one_stack(lab: Lab, tmp_path: Path, name: str) -> None:
    with (
        backends.BACKENDS[name](tmp_path) as backend,
        stacks(lab, tmp_path) as make,
    ):
        first = make(program=PROGRAM, backend=backend)
        first.write({"ambient-exposure:cluster": {"context": "lab"}})
        first.configure(namespaces=NAMESPACES)
        second = replace(first, folder=tmp_path / "second")
        shutil.copytree(first.folder, second.folder, symlinks=True)
        second.pulumi("stack", "select", second.name)

        with updating(first) as update:
            printed = second.failing_up()
            assert LOCKED in printed, printed
            assert f"(pid {update.pid})" in printed, printed
            assert "pulumi cancel" in printed, printed
        assert update.returncode == 0

        # The lock of an engineer whose machine went away is taken off by another one, who goes on
        # with what the first one made.
        with updating(first) as update:
            update.kill()
        second.pulumi("cancel", "--yes")
        second.configure(labels={"team": "shop"})
        printed = second.pulumi("up", "--yes", "--skip-preview")
        assert re.search(r"~ \d+ updated", printed), printed
        assert "created" not in printed, printed
