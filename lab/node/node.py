"""The node seen from the host: its cgroup folders, link and processes.

The node is one process tree in network, mount and process namespaces that have no name: they end
with its first process, whichever way that ends, and take every process, mount, interface and rule
inside with them. What outlives them on the host are empty cgroup folders and the slot's file.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

from lab.build.artifacts import Artifacts
from lab.errors import LabError
from lab.node import cgroups
from lab.node.state import CHECKOUT, Slot, State

NODE: Final = "lab"
"""The node's name, and that of the context in the user's kubeconfig."""

PORT: Final = 6443
"""Where the API server listens."""

SERVICES: Final = IPv4Network("10.96.0.0/16")
"""Addresses of Services, known inside the node only."""

SERVICES6: Final = IPv6Network("fd00:10:96::/112")
"""The same of IPv6."""

_POLL: Final = 0.05
_START_LIMIT: Final = 10.0
_END_LIMIT: Final = 20.0

ISOLATE: Final = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc")
"""How the node gets namespaces of its own."""

_FIRST: Final = "catatonit"
"""The program of process 1 inside, which takes in processes that lose their parents."""

_INHERITED: Final = ("PATH", "HOME", "LANG")
"""What the node takes over of the caller's environment: other variables, of a proxy or of a
component, would change what the components do."""

_JOIN: Final = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'


@dataclass(frozen=True)
class Process:
    """One process of the node, as the host sees it."""

    pid: int
    program: str
    """Name of the running program."""
    uptime: float
    """Seconds since it began."""
    memory: int
    """Bytes resident."""


def start(state: State, slot: Slot, artifacts: Artifacts) -> None:
    """Start the node's first process and connect it; its components start on their own.

    Where that fails, nothing is left on the host, and the slot is given back.
    """
    joins = cgroups.make(slot.name)
    # fmt: off
    command = [
        "sh", "-ec", _JOIN, "sh", *map(str, joins), "--",
        *ISOLATE, str(artifacts.debian / "usr/bin" / _FIRST), "--",
        sys.executable, "-m", "lab.node.init", str(state.node / "plan.json"),
    ]
    # fmt: on
    with state.log("init").open("ab") as log:
        node = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for_namespace(node, state)
        _connect(slot, node.pid)
    except BaseException:
        # Half connected it would be taken for a lab that runs. Its first process may not have
        # joined the cgroup folders yet.
        node.kill()
        node.wait()
        end(slot)
        raise


def runs(slot: Slot) -> bool:
    """Whether the node has processes."""
    return bool(_own(slot))


def end(slot: Slot) -> None:
    """End the lab that has the slot, running or not, with all it has on the host."""
    deadline = time.monotonic() + _END_LIMIT
    while (pids := cgroups.pids(slot.name)) or not cgroups.remove(slot.name):
        if time.monotonic() > deadline:
            raise LabError(
                f"cgroup folders {slot.name}: not empty and removed {_END_LIMIT:.0f} s after "
                f"SIGKILL; their processes: {sorted(pids)}. Look at them with `ps`, then run "
                "`python -m lab down` again."
            )
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL)
    # It goes with the namespace of its other end too, at any moment, but connections that were
    # cut off keep that in the kernel for a minute.
    with suppress(LabError):
        _ip("link", "delete", slot.name)
    slot.registration.unlink()


def enter(slot: Slot, command: Sequence[str], environment: dict[str, str]) -> None:
    """Become `command`, run in the node's namespaces."""
    first = next((p.pid for p in processes(slot) if p.program == _FIRST), None)
    if first is None:
        raise LabError(f"{slot.name}: its first process is gone. Run `python -m lab up`.")
    nsenter = ["nsenter", f"--target={first}", "--net", "--mount", "--pid", f"--wdns={Path.cwd()}"]
    os.execvpe(nsenter[0], [*nsenter, "--", *command], environment)  # noqa: S606  # no shell


def processes(slot: Slot) -> Iterator[Process]:
    """The node's own processes, those of pods left out."""
    up = float(Path("/proc/uptime").read_text().split()[0])
    for pid in sorted(_own(slot)):
        with suppress(OSError):  # it has just ended
            program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            yield Process(
                pid=pid,
                program=Path(program).name,
                uptime=up - int(fields[19]) / os.sysconf("SC_CLK_TCK"),
                memory=int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
            )


def _wait_for_namespace(node: subprocess.Popen[bytes], state: State) -> None:
    deadline = time.monotonic() + _START_LIMIT
    own = Path("/proc/self/ns/net").readlink()
    while node.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):  # it has just ended
            if Path(f"/proc/{node.pid}/ns/net").readlink() != own:
                return
        time.sleep(_POLL)
    raise LabError(
        f"the node did not enter namespaces of its own within {_START_LIMIT:.0f} s. "
        f"Read {state.log('init')}; root needs the capability CAP_SYS_ADMIN for it."
    )


def _connect(slot: Slot, pid: int) -> None:
    """Join host and node by a veth pair whose other end `lab.node.init` finds as `eth0`."""
    peer = ["type", "veth", "peer", "name", "eth0", "netns", str(pid)]
    _ip("link", "add", slot.name, *peer)
    _ip("address", "add", f"{slot.host}/{slot.link.prefixlen}", "dev", slot.name)
    _ip("link", "set", slot.name, "up")
    _ip("route", "add", str(slot.pool), "via", str(slot.node), "dev", slot.name)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")


def _own(slot: Slot) -> set[int]:
    return cgroups.pids(f"{slot.name}/{cgroups.NODE}")
