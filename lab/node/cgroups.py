"""A lab's cgroup folders: every process of the lab is in them, wherever it came from.

Each lab has one folder per hierarchy, named after its slot: `node/` in it holds the node's own
processes, `kubepods/` those of pods. Version 2 was written after the kernel's documentation
(https://docs.kernel.org/admin-guide/cgroup-v2.html); only version 1, and both beside each other,
have been tried.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lab.errors import LabError

NODE: Final = "node"
"""Name of the folder of the node's own processes."""

_NEEDED: Final = {"cpu", "cpuset", "memory", "pids"}
"""The controllers without which a kubelet, or a pod's limits, fail."""

_CONTROLLERS: Final = {*_NEEDED, "hugetlb"}
"""The controllers that a kubelet uses."""

_VERSION_1: Final = {
    "cpu": "cpu.shares",
    "cpuacct": "cpuacct.usage",
    "cpuset": "cpuset.cpus",
    "memory": "memory.limit_in_bytes",
}
"""The controllers that a kubelet needs on version 1, and a file by which each is known."""

_OUTSIDE: Final = "Run the lab outside of a container, or in one with a writable cgroup of its own."


def faults() -> Iterator[str]:
    """Why no lab can have folders here, and what to do."""
    hierarchies = _used()
    if not hierarchies:
        yield "/sys/fs/cgroup: no cgroup hierarchy is mounted, and a kubelet needs one. Mount it."
    elif closed := [str(path) for path in hierarchies if not os.access(path, os.W_OK)]:
        yield f"{', '.join(closed)}: not writable. {_OUTSIDE}"
    elif (hierarchies[0] / "cgroup.controllers").exists():
        yield from _faults_of_version_2(hierarchies[0])
    else:
        files = [*_VERSION_1.items()]
        missing = [n for n, file in files if not any((h / file).exists() for h in hierarchies)]
        if missing:
            yield f"cgroup controllers {', '.join(missing)}: mounted nowhere. Mount them."


def memory_limit() -> int | None:
    """Bytes of memory that this container may have, None where nothing limits it."""
    names = ("memory.max", "memory.limit_in_bytes")
    files = [hierarchy / name for hierarchy in _used() for name in names]
    limits = [file.read_text().strip() for file in files if file.exists()]
    return min((int(limit) for limit in limits if limit.isdecimal()), default=None)


def make(name: str) -> list[Path]:
    """Make a lab's folders; return the files through which a process joins the node's.

    Raises `LabError`.
    """
    nodes = [hierarchy / name / NODE for hierarchy in _used()]
    for node in nodes:
        own, hierarchy = node.parents[:2]
        try:
            for folder in (own, node):
                folder.mkdir(exist_ok=True)
                _copy_processors(hierarchy, folder)
            _pass_controllers_on(hierarchy, own)
        except OSError as error:
            raise LabError(f"{error.filename or own}: {error.strerror}. {_OUTSIDE}") from error
    return [node / "cgroup.procs" for node in nodes]


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


def remove(name: str) -> bool:
    """Remove a lab's folders; False while processes are in them, or have only just ended."""
    for hierarchy in _all():
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                return False
    return True


def _faults_of_version_2(hierarchy: Path) -> Iterator[str]:
    if missing := _NEEDED.difference((hierarchy / "cgroup.controllers").read_text().split()):
        yield (
            f"{hierarchy}: the controllers {', '.join(sorted(missing))} are not delegated to here. "
            f"{_OUTSIDE}"
        )
    # The kernel's root may have processes beside controllers that it passes on; others may not.
    elif (
        (hierarchy / "cgroup.type").exists()
        and (hierarchy / "cgroup.procs").read_text()
        and _NEEDED.difference((hierarchy / "cgroup.subtree_control").read_text().split())
    ):
        yield (
            f"{hierarchy}: it has processes of its own, and so cannot pass its controllers on. "
            f"Move them: `cd {hierarchy} && mkdir -p init && "
            "xargs -n1 <cgroup.procs >init/cgroup.procs`."
        )


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
            enabled.write_text(f"+{controller}")
