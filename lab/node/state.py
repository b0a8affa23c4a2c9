"""Where a lab lives: its state folder, and its slot among the labs of one machine."""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network, IPv6Network
from itertools import islice
from pathlib import Path
from typing import Final

from lab.errors import LabError

REGISTRY: Final = Path("/run/ambient-lab")
"""One file per slot in use, which names a state folder."""

SLOTS: Final = 64
"""How many labs one machine can have at once."""

ADDRESSES: Final = IPv4Network("198.18.0.0/15")
"""What all labs take their addresses from; no network that a machine is part of uses it."""

ADDRESSES6: Final = IPv6Network("fd00:198:18::/48")
"""The same of IPv6, known inside a node only."""

INTERFACE: Final = "ambient-lab-"
"""How the name of a lab's network interface on the host begins, and of its cgroup folders."""

CHECKOUT: Final = Path(__file__).resolve().parents[2]
"""The folder that holds the `lab` package."""

_MARK: Final = "# The state of a lab: `python -m lab down` removes this folder.\n*\n"

_NETWORKS: Final = list(ADDRESSES.subnets(new_prefix=24))
_NETWORKS6: Final = list(islice(ADDRESSES6.subnets(new_prefix=64), 2 * SLOTS))


class Slot:
    """What keeps one lab apart from the others on this machine."""

    def __init__(self, number: int) -> None:
        """The slot of that number, below `SLOTS`, taken or not."""
        self.name = f"{INTERFACE}{number}"
        """Name of the lab's network interface on the host and of its cgroup folders."""
        self.link, self.pool = _NETWORKS[2 * number : 2 * number + 2]
        """The network between the host and the node, and the addresses for Services of type
        LoadBalancer, reached through the node."""
        self.host, self.node = self.link[1], self.link[2]
        """The addresses on the link; at the node's the API server answers."""
        self.link6, pool6 = _NETWORKS6[2 * number : 2 * number + 2]
        self.node6, self.pool6 = self.link6[2], next(pool6.subnets(new_prefix=120))
        """The node's address of IPv6, and those for Services of type LoadBalancer."""
        self.registration = REGISTRY / str(number)
        """The slot's file in the registry."""


@dataclass(frozen=True)
class Record:
    """What later commands must know about the lab that runs."""

    versions: dict[str, str]
    """What the lab was built from, by the names of `lab.versions`; its ztunnel too, a path."""
    programs: list[str]
    """Folders of kubectl, istioctl, pulumi and its plugins, first on PATH in `env`."""
    ready: bool = False
    """Whether an `up` has come to its end."""


class State:
    """The state folder: all files of one lab."""

    def __init__(self, root: Path) -> None:
        """The folder `root`, which may not exist yet."""
        self.root = root
        self.kubeconfig = root / "kubeconfig"
        """Credentials of the cluster's administrator, context `lab`."""
        self.logs = root / "log"
        """One log file per component, and the pods' in `pods/`."""
        self.previous_logs = root / "log.previous"
        """The logs of the lab before, where that ended without `down`."""
        self.node = root / "node"
        """Configuration and data of the node's components."""
        self.backend = root / "pulumi"
        """Folder of the Pulumi backend; its stacks end with the cluster they describe."""
        self.pulumi_home = root / "pulumi-home"
        """Pulumi's own folder while it works on the lab."""
        self._mark = root / ".gitignore"
        self._record = root / "lab.json"

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

    @contextmanager
    def locked(self) -> Generator[None]:
        """Let one command at a time change this lab; others wait for it.

        Raises `LabError` for a folder of others: a lab never takes, nor removes one.
        """
        lock = self._lock()
        try:
            if not any(self.root.iterdir()):
                self._mark.write_text(_MARK)
            elif not self._mark.exists() or self._mark.read_text() != _MARK:
                raise LabError(
                    f"LAB_STATE: {self.root} holds files that are not a lab's. "
                    "Name a folder that is new or empty."
                )
            yield
        finally:
            os.close(lock)

    def _lock(self) -> int:
        while True:
            self.root.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # that other is `down`, which removes the folder
                lock = os.open(self.root, os.O_RDONLY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    sys.stderr.write(f"waiting for another command on {self.root}\n")
                    fcntl.flock(lock, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(lock), self.root.stat()):
                    return lock

    def slot(self) -> Slot | None:
        """The slot this lab was given, whether the lab still runs or not."""
        for slot in map(Slot, range(SLOTS)):
            with suppress(FileNotFoundError):
                if slot.registration.read_text() == str(self.root):
                    return slot
        return None

    def claim(self) -> Slot:
        """Take a free slot, which is this lab's until its file is removed."""
        for slot in map(Slot, range(SLOTS)):
            # Each time anew, as the end of another lab may remove it.
            REGISTRY.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError, FileNotFoundError):
                with slot.registration.open("x") as file:
                    file.write(str(self.root))
                return slot
        raise LabError(
            f"{REGISTRY}: all {SLOTS} slots are taken by labs of this machine. Each file there "
            "names a state folder: run `LAB_STATE=FOLDER python -m lab down` for one that is not "
            "needed."
        )
