"""Breaks a lab that runs, inside its own namespaces, for tests of what stands on it."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.node import cgroups, node
from lab.node.state import CHECKOUT, Slot, State

_SUPERVISORS = {"unshare", "catatonit", Path(sys.executable).name}
"""The node's own first processes, without which there is no node."""


@dataclass(frozen=True)
class Breaking:
    """The lab that is broken."""

    slot: Slot

    @classmethod
    def of_environment(cls) -> "Breaking":
        """The lab of the state folder; raises `LabError` where none runs."""
        state = State.of_environment()
        slot = state.slot()
        if not slot or not node.runs(slot):
            raise LabError(
                f"no lab runs with the state folder {state.root}. Run `python -m lab up`."
            )
        return cls(slot)

    def kill(self, component: str) -> None:
        """Kill a component, which the node starts again."""
        _kill(one.pid for one in node.processes(self.slot) if one.program == component)

    def signal_in_pod(
        self, uid: str, program: str, number: signal.Signals = signal.SIGKILL
    ) -> None:
        """Send a signal to a program in the pod with that uid."""
        _kill((pid for pid in cgroups.pids(self.slot.name) if _is(pid, uid, program)), number)

    def kill_all(self) -> None:
        """Kill every component, then every process of every pod, as a restart of a node does."""
        own = [one for one in node.processes(self.slot) if one.program not in _SUPERVISORS]
        pods = cgroups.pids(self.slot.name) - {one.pid for one in node.processes(self.slot)}
        _kill(one.pid for one in own)
        _kill(pods)

    @contextmanager
    def cut_off(self) -> Generator[None]:
        """No packet gets from outside of the node to its API server meanwhile."""
        rule = ("INPUT", "-i", "eth0", "-p", "tcp", "--dport", str(node.PORT), "-j", "DROP")
        subprocess.run(inside("iptables", "-I", *rule), cwd=CHECKOUT, check=True)
        try:
            yield
        finally:
            subprocess.run(inside("iptables", "-D", *rule), cwd=CHECKOUT, check=True)


def inside(*words: str) -> Sequence[str]:
    """A command that runs another one inside the node, to be started in the checkout."""
    return (sys.executable, "-m", "lab", "exec", "--", *words)


def _is(pid: int, uid: str, program: str) -> bool:
    with suppress(OSError):  # it has just ended
        first = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
        return uid in Path(f"/proc/{pid}/cgroup").read_text() and Path(first).name == program
    return False


def _kill(pids: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    for pid in [*pids]:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
