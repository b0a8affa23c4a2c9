"""The node seen from the host: its cgroup folders, link and processes.

The node is one process tree in network, mount and process namespaces that have no name: they end
with its first process, whichever way that ends, and take every process, mount, interface and rule
inside with them. What outlives them on the host are empty cgroup folders and the slot's file.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from lab.artifacts import Artifacts
from lab.errors import LabError
from lab.state import CHECKOUT, Slot, State

SERVICES: Final = IPv4Network("10.96.0.0/16")
"""Addresses of Services, known inside the node only."""

POLL: Final = 0.05
"""Seconds between two looks at a condition of this machine."""

_START_LIMIT: Final = 10.0
_END_LIMIT: Final = 20.0

_PROGRAMS: Final = ("ip", "mount", "nsenter", "unshare")

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


def start(state: State, slot: Slot, lock: int, artifacts: Artifacts) -> subprocess.Popen[bytes]:
    """Start the node's first process and connect it; its components start on their own.

    `lock` holds the slot and is handed to the node. The returned process ends when the node ends.
    """
    _require_programs()
    joins = _make_cgroups(slot)
    # fmt: off
    command = [
        "sh", "-ec", _JOIN, "sh", *map(str, joins), "--",
        "unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc",
        str(artifacts.debian / "usr/bin/catatonit"), "--",
        sys.executable, "-m", "lab.init", str(state.node / "plan.json"),
    ]
    # fmt: on
    with state.log("init").open("ab") as log:
        node = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
        )
    os.close(lock)
    _wait_for_namespace(node, state)
    _connect(slot, node.pid)
    return node


def clean(slot: Slot) -> None:
    """End every process of the slot's lab and remove what it leaves on the host."""
    _end_processes(slot)
    # With the namespace of its other end it would go too, but connections that were cut off keep
    # that in the kernel for a minute.
    if Path("/sys/class/net", slot.name).exists():
        _ip("link", "delete", slot.name)
    for hierarchy in _hierarchies():
        _remove_cgroups(hierarchy / slot.name)


def free(slot: Slot) -> None:
    """Give the slot back, after `clean`."""
    slot.registration.unlink(missing_ok=True)


def enter(slot: Slot, command: Sequence[str], environment: dict[str, str]) -> None:
    """Become `command`, run in the node's namespaces."""
    first = _first_process(slot)
    nsenter = ["nsenter", f"--target={first}", "--net", "--mount", "--pid", f"--wdns={Path.cwd()}"]
    os.execvpe(nsenter[0], [*nsenter, "--", *command], environment)  # noqa: S606


def processes(slot: Slot) -> list[Process]:
    """The node's own processes, those of pods left out."""
    found = (_process(pid) for pid in _pids(_memory_hierarchy() / slot.name / "node"))
    return [process for process in found if process]


def memory(slot: Slot) -> int:
    """Bytes of memory that the node and its pods hold, file caches left out."""
    folder = _memory_hierarchy() / slot.name
    fields = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(fields["anon"] if "anon" in fields else fields["total_rss"])


def _require_programs() -> None:
    missing = [program for program in _PROGRAMS if not shutil.which(program)]
    if missing:
        raise LabError(
            f"{', '.join(missing)}: not found on PATH. "
            "Install your distribution's packages util-linux and iproute2."
        )


def _hierarchies() -> list[Path]:
    """Mount points of the cgroup hierarchies: those of version 1, or the one of version 2.

    Where both are mounted, programs that know containers use version 1 alone.
    """
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for version in ("cgroup", "cgroup2"):
        found = [Path(mount[4]) for mount in mounts if mount[mount.index("-") + 1] == version]
        if found:
            return found
    raise LabError(
        "/sys/fs/cgroup: no cgroup hierarchy is mounted, and a kubelet needs one. "
        "Mount them, or use a cluster elsewhere: `pulumi config set context NAME`."
    )


def _memory_hierarchy() -> Path:
    """The hierarchy that accounts for memory; every process of the lab is in it."""
    hierarchies = _hierarchies()
    return next((h for h in hierarchies if (h / "memory.stat").exists()), hierarchies[0])


def _make_cgroups(slot: Slot) -> list[Path]:
    """Make the lab's folder in each hierarchy; return the files that a process joins through.

    The kubelet wants all controllers in the folder it is given. Version 2 was written after its
    documentation; only version 1 has been tried.
    """
    joins = []
    for hierarchy in _hierarchies():
        for folder in (hierarchy / slot.name, hierarchy / slot.name / "node"):
            folder.mkdir(exist_ok=True)
            if (folder / "cpuset.mems").exists() and (hierarchy / "cpuset.mems").exists():
                for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new folder of version 1
                    (folder / name).write_text((hierarchy / name).read_text())
        if (hierarchy / "cgroup.controllers").exists():
            _pass_controllers_on(hierarchy, hierarchy / slot.name)
        joins.append(hierarchy / slot.name / "node" / "cgroup.procs")
    return joins


def _pass_controllers_on(hierarchy: Path, folder: Path) -> None:
    for controller in (hierarchy / "cgroup.controllers").read_text().split():
        for parent in (hierarchy, folder):
            try:
                (parent / "cgroup.subtree_control").write_text(f"+{controller}")
            except OSError as error:
                raise LabError(
                    f"{parent}: the controller {controller} cannot be passed on: {error.strerror}. "
                    "Run the lab outside of a container, or in one with a cgroup of its own."
                ) from error


def _remove_cgroups(folder: Path) -> None:
    """Remove a cgroup folder whose processes have ended, the inner folders first."""
    deadline = time.monotonic() + _END_LIMIT
    for inner, _, _ in os.walk(folder, topdown=False):
        while True:
            try:
                Path(inner).rmdir()
                break
            except FileNotFoundError:
                break
            except OSError as error:  # the kernel lets go of ended processes a little later
                if time.monotonic() > deadline:
                    raise LabError(f"{inner}: cannot be removed: {error.strerror}.") from error
                time.sleep(POLL)


def _wait_for_namespace(node: subprocess.Popen[bytes], state: State) -> None:
    deadline = time.monotonic() + _START_LIMIT
    own = Path("/proc/self/ns/net").readlink()
    while node.poll() is None and time.monotonic() < deadline:
        if Path(f"/proc/{node.pid}/ns/net").readlink() != own:
            return
        time.sleep(POLL)
    raise LabError(
        f"the node did not enter namespaces of its own within {_START_LIMIT:.0f} s. "
        f"Read {state.log('init')}; root needs the capability CAP_SYS_ADMIN for it."
    )


def _connect(slot: Slot, pid: int) -> None:
    """Join host and node by a veth pair whose other end `lab.init` finds as `eth0`."""
    peer = ["type", "veth", "peer", "name", "eth0", "netns", str(pid)]
    _ip("link", "add", slot.name, *peer)
    _ip("address", "add", f"{slot.host}/{slot.link.prefixlen}", "dev", slot.name)
    _ip("link", "set", slot.name, "up")
    _ip("route", "add", str(slot.pool), "via", str(slot.node), "dev", slot.name)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")


def _end_processes(slot: Slot) -> None:
    folders = [hierarchy / slot.name for hierarchy in _hierarchies()]
    deadline = time.monotonic() + _END_LIMIT
    while pids := {pid for folder in folders for pid in _pids(folder)}:
        if time.monotonic() > deadline:
            raise LabError(
                f"processes {sorted(pids)} of {slot.name} did not end within {_END_LIMIT:.0f} s "
                "after SIGKILL. Look at them with `ps`, then run `python -m lab down` again."
            )
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(POLL)


def _pids(cgroup: Path) -> list[int]:
    """The processes in a cgroup folder and the folders below it."""
    found: list[int] = []
    for folder, _, _ in os.walk(cgroup):
        try:
            found += map(int, Path(folder, "cgroup.procs").read_text().split())
        except OSError:  # removed meanwhile
            continue
    return found


def _first_process(slot: Slot) -> int:
    """The host's number for process 1 of the node."""
    for pid in _pids(_memory_hierarchy() / slot.name / "node"):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        numbers = status.partition("NSpid:")[2].partition("\n")[0].split()
        if len(numbers) > 1 and numbers[-1] == "1":
            return pid
    raise LabError(f"{slot.name}: its first process is gone. Run `python -m lab up`.")


def _process(pid: int) -> Process | None:
    """What /proc says about a process, None when it has ended."""
    try:
        program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return Process(
        pid=pid,
        program=Path(program).name,
        uptime=uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK"),
        memory=int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
    )
