"""Where a lab lives: its state folder, and its slot among the labs of one machine."""

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from lab.errors import LabError

REGISTRY: Final = Path("/run/ambient-lab")
"""One file per slot in use: it names a state folder, and is locked while the lab runs."""

SLOTS: Final = 64
"""How many labs one machine can run at once."""

ADDRESSES: Final = IPv4Network("198.18.0.0/15")
"""What all labs take their addresses from; no network that a machine is part of uses it."""

INTERFACE: Final = "ambient-lab-"
"""How the name of a lab's network interface on the host begins, and of its cgroup folders."""

CHECKOUT: Final = Path(__file__).resolve().parents[2]
"""The folder that holds the `lab` package."""

LOCK_LIMIT: Final = 3600.0
"""Seconds to wait for another command on the same lab: it may be one that builds everything."""

_POLL: Final = 0.1

_MARK: Final = "# The state of a lab: `python -m lab down` removes this folder.\n*\n"

_NETWORKS: Final = list(ADDRESSES.subnets(new_prefix=24))


@dataclass(frozen=True)
class Slot:
    """What keeps one lab apart from the others on this machine."""

    number: int

    @property
    def name(self) -> str:
        """Name of the lab's network interface on the host and of its cgroup folders."""
        return f"{INTERFACE}{self.number}"

    @property
    def link(self) -> IPv4Network:
        """The network between the host and the node."""
        return _NETWORKS[2 * self.number]

    @property
    def host(self) -> IPv4Address:
        """The host's address on the link."""
        return self.link[1]

    @property
    def node(self) -> IPv4Address:
        """The node's address on the link, where the API server answers."""
        return self.link[2]

    @property
    def pool(self) -> IPv4Network:
        """The addresses for Services of type LoadBalancer, reached through the node."""
        return _NETWORKS[2 * self.number + 1]

    @property
    def registration(self) -> Path:
        """The slot's file in the registry."""
        return REGISTRY / str(self.number)


@dataclass(frozen=True)
class Record:
    """What later commands must know about the lab that runs."""

    ztunnel: str | None
    """Path of the ztunnel the lab was given, None for a lab without one."""
    versions: dict[str, str]
    """What the lab was built from, by the names of `lab.versions`."""
    programs: list[str]
    """Folders of kubectl, istioctl, pulumi and its plugins, first on PATH in `env`."""
    ready: bool = False
    """Whether an `up` has come to its end."""


@dataclass(frozen=True)
class State:
    """The state folder: all files of one lab."""

    root: Path

    @classmethod
    def of_environment(cls) -> "State":
        """The folder `LAB_STATE` names, `.lab` in the checkout by default. Raises `LabError`."""
        root = Path(os.environ.get("LAB_STATE") or CHECKOUT / ".lab").resolve()
        if not str(root).isascii():
            raise LabError(
                f"LAB_STATE: {root} has characters that are not ASCII, which not every component "
                "takes. Set it to the path of a folder without them."
            )
        return cls(root)

    @property
    def kubeconfig(self) -> Path:
        """Credentials of the cluster's administrator, context `lab`."""
        return self.root / "kubeconfig"

    @property
    def logs(self) -> Path:
        """One log file per component, and the pods' in `pods/`."""
        return self.root / "log"

    @property
    def previous_logs(self) -> Path:
        """The logs of the lab before, where that ended without `down`."""
        return self.root / "log.previous"

    @property
    def node(self) -> Path:
        """Configuration and data of the node's components."""
        return self.root / "node"

    @property
    def backend(self) -> Path:
        """Folder of the Pulumi backend; its stacks end with the cluster they describe."""
        return self.root / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's own folder while it works on the lab."""
        return self.root / "pulumi-home"

    def log(self, component: str) -> Path:
        """The log file of `component`."""
        return self.logs / f"{component}.log"

    def record(self) -> Record | None:
        """What the last `up` wrote, None where there was none or it cannot be read."""
        try:
            return Record(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, record: Record) -> None:
        """Replace the record."""
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(record), indent=2))
        fresh.replace(self._record)

    def clear(self) -> None:
        """Remove what the folder holds but the logs. It stays itself, as commands lock it."""
        if self.logs.exists():
            shutil.rmtree(self.previous_logs, ignore_errors=True)
            self.logs.rename(self.previous_logs)
        for path in {*self.root.iterdir()} - {self._mark, self.previous_logs}:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove(self) -> None:
        """Remove the folder with all it holds."""
        shutil.rmtree(self.root)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Let one command at a time change this lab; others wait for it, at most an hour."""
        lock = self._lock()
        try:
            yield
        finally:
            os.close(lock)

    def slot(self) -> Slot | None:
        """The slot this lab was given, whether the lab still runs or not."""
        for number in range(SLOTS):
            slot = Slot(number)
            try:
                if slot.registration.read_text() == str(self.root):
                    return slot
            except FileNotFoundError:
                continue
        return None

    def claim(self) -> tuple[Slot, int]:
        """Take the first slot whose lab does not run.

        The second value is the lock that holds it, a file descriptor: the slot is taken as long
        as any process has it open. What the slot's former lab left behind is the caller's to
        clean.
        """
        for number in range(SLOTS):
            slot = Slot(number)
            # Each time anew, as the end of another lab may remove it.
            REGISTRY.mkdir(parents=True, exist_ok=True)
            lock = hold(slot)
            if lock is not None:
                os.ftruncate(lock, 0)
                os.pwrite(lock, str(self.root).encode(), 0)
                return slot, lock
        raise LabError(
            f"{REGISTRY}: all {SLOTS} slots are in use by labs of this machine. "
            "Run `python -m lab down` for one that is not needed."
        )

    def _lock(self) -> int:
        deadline = time.monotonic() + LOCK_LIMIT
        waiting = False
        while True:
            self._make()
            lock = _try_lock(self.root, os.O_RDONLY | os.O_DIRECTORY)
            if lock is not None:
                return lock
            if not waiting:
                sys.stderr.write(f"waiting for another command on {self.root}\n")
                waiting = True
            if time.monotonic() > deadline:
                raise LabError(
                    f"{self.root}: another command has worked on it for {LOCK_LIMIT / 60:.0f} "
                    "minutes. End that one, then run this again."
                )
            time.sleep(_POLL)

    def _make(self) -> None:
        """Make the folder, or recognise it: a lab never takes, nor removes, a folder of others."""
        self.root.mkdir(parents=True, exist_ok=True)
        if self._mark.exists() and self._mark.read_text() == _MARK:
            return
        if any(self.root.iterdir()):
            raise LabError(
                f"LAB_STATE: {self.root} holds files that are not a lab's. "
                "Name a folder that is new or empty."
            )
        self._mark.write_text(_MARK)

    @property
    def _mark(self) -> Path:
        return self.root / ".gitignore"

    @property
    def _record(self) -> Path:
        return self.root / "lab.json"


def hold(slot: Slot) -> int | None:
    """Lock a slot, so that no lab can start in it; None while one runs.

    The lock is a file descriptor.
    """
    return _try_lock(slot.registration)


def runs(slot: Slot) -> bool:
    """Whether a process holds the slot."""
    try:
        lock = os.open(slot.registration, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _try_lock(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int | None:
    """Lock a file or folder; None where another process holds it, or has just removed it."""
    try:
        lock = os.open(path, flags, 0o644)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None
