"""A lab's cgroup folders: every process of the lab is in them, wherever it came from.

Each lab has one folder per hierarchy, named after its slot: `node/` in it holds the node's own
processes, `kubepods/` those of pods. Version 2 was written after the kernel's documentation; only
version 1, and both beside each other, have been tried.
"""

import os
import time
from pathlib import Path
from typing import Final

from lab.errors import LabError

NODE: Final = "node"
"""Name of the folder of the node's own processes."""

_CONTROLLERS: Final = {"cpu", "cpuset", "hugetlb", "memory", "pids"}
"""What a kubelet uses."""

_OUTSIDE: Final = "Run the lab outside of a container, or in one with a writable cgroup of its own."

_REMOVE_LIMIT: Final = 20.0
_POLL: Final = 0.05


def check() -> None:
    """Raise `LabError` where no lab can have folders."""
    if not _used():
        raise LabError(
            "/sys/fs/cgroup: no cgroup hierarchy is mounted, and a kubelet needs one. "
            "Mount it, or use a cluster elsewhere: `pulumi config set context NAME`."
        )
    for hierarchy in _used():
        if not os.access(hierarchy, os.W_OK):
            raise LabError(f"{hierarchy}: not writable. {_OUTSIDE}")


def make(name: str) -> list[Path]:
    """Make a lab's folders; return the files through which a process joins the node's.

    Raises `LabError`.
    """
    return [_make(hierarchy, hierarchy / name) for hierarchy in _used()]


def pids(name: str) -> set[int]:
    """The processes in a lab's folder, or in a folder below it: `ambient-lab-0/node`."""
    found: set[int] = set()
    for hierarchy in _all():
        for folder, _, _ in os.walk(hierarchy / name):
            try:
                found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
            except OSError:  # removed meanwhile
                continue
    # The kernel's number for processes outside of the namespace that the lab itself runs in.
    return found - {0}


def memory(name: str) -> int:
    """Bytes of memory that a lab's processes hold, file caches left out."""
    files = (hierarchy / name / "memory.stat" for hierarchy in _all())
    text = next((file.read_text() for file in files if file.exists()), "")
    fields = dict(line.split() for line in text.splitlines())
    return int(fields.get("total_rss", fields.get("anon", 0)))


def remove(name: str) -> None:
    """Remove a lab's folders, whose processes have ended."""
    for hierarchy in _all():
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            _remove(Path(folder))


def _make(hierarchy: Path, own: Path) -> Path:
    try:
        for folder in (own, own / NODE):
            folder.mkdir(exist_ok=True)
            _copy_processors(hierarchy, folder)
        _pass_controllers_on(hierarchy, own)
    except OSError as error:
        raise LabError(f"{error.filename or own}: {error.strerror}. {_OUTSIDE}") from error
    return own / NODE / "cgroup.procs"


def _used() -> list[Path]:
    """Where both versions are mounted, programs that know containers use version 1 alone."""
    return _hierarchies("cgroup") or _hierarchies("cgroup2")


def _all() -> list[Path]:
    return _hierarchies("cgroup") + _hierarchies("cgroup2")


def _hierarchies(version: str) -> list[Path]:
    """Mount points of the hierarchies of one version: `cgroup` or `cgroup2`."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [Path(mount[4]) for mount in mounts if mount[mount.index("-") + 1] == version]


def _copy_processors(hierarchy: Path, folder: Path) -> None:
    """Allow all processors and memory: version 1 allows a new folder none."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (hierarchy / name).exists():
            (folder / name).write_text((hierarchy / name).read_text())


def _pass_controllers_on(hierarchy: Path, folder: Path) -> None:
    """Offer the kubelet its controllers in the lab's folder; only version 2 has to be told."""
    offered = hierarchy / "cgroup.controllers"
    if not offered.exists():
        return
    wanted = _CONTROLLERS.intersection(offered.read_text().split())
    for parent in (hierarchy, folder):
        enabled = parent / "cgroup.subtree_control"
        for controller in sorted(wanted.difference(enabled.read_text().split())):
            try:
                enabled.write_text(f"+{controller}")
            except OSError as error:
                raise LabError(
                    f"{parent}: the controller {controller} cannot be passed on: "
                    f"{error.strerror}. {_OUTSIDE}"
                ) from error


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _REMOVE_LIMIT
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:  # the kernel lets go of ended processes a little later
            if time.monotonic() > deadline:
                raise LabError(f"{folder}: cannot be removed: {error.strerror}.") from error
            time.sleep(_POLL)
        else:
            return
