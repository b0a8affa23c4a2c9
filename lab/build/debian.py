"""Programs from Debian packages, unpacked into the cache; nothing on the host changes.

`tools/debian/packages.lock` pins the packages and everything they need. Where the archive has moved
on, as it does with each security update, its current version is taken instead: apt verifies it by
the archive's signed index. `python -m lab.build.debian` writes the lock anew.
"""

import functools
import hashlib
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.build.cache import Cache, Recipe
from lab.build.command import Command, CommandError
from lab.build.progress import Step, Steps
from lab.errors import LabError

LOCK = Path(__file__).parents[1] / "tools" / "debian" / "packages.lock"

ROOTS = (
    "busybox-static",
    "catatonit",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "iptables",
    "runc",
)
"""The packages the lab uses itself; the lock also names what they need."""

HOST_PACKAGES = ("libc6",)
"""Not unpacked: a C library beside another version's dynamic loader breaks every program."""

_CONFIGURATION = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::State "{folder}";
Dir::State::lists "lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Log "{folder}";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
"""


@dataclass(frozen=True)
class Package:
    """One pinned package."""

    name: str
    version: str
    sha256: str

    def __str__(self) -> str:
        """The form that apt-get takes."""
        return f"{self.name}={self.version}"


def recipe(cache: Cache, steps: Steps) -> Recipe:
    """The root folder with all packages unpacked, `bin`, `sbin` and `lib` merged into `usr`."""

    def make(into: Path, step: Step) -> None:
        with tempfile.TemporaryDirectory(dir=into) as folder:
            apt = Apt(Path(folder), cache.log("debian"), step)
            archives = apt.download(read_lock())
            changed = verify(archives, read_lock())
            step.update("unpacking")
            unpack(archives, into)
        if changed:
            steps.note(
                "Debian's archive no longer has these pinned versions; its current ones, verified"
                f" by its signed index, are used: {', '.join(changed)}"
            )

    return Recipe("debian", "Debian packages", (LOCK, *HOST_PACKAGES, system()), make)


@functools.cache
def system() -> str:
    """What this machine takes packages and libraries for: `debian bookworm amd64`."""
    release = platform.freedesktop_os_release()
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    return f"{release['ID']} {release.get('VERSION_CODENAME', '')} {architecture}"


def read_lock() -> list[Package]:
    """The pinned packages."""
    lines = (line for line in LOCK.read_text().splitlines() if not line.startswith("#"))
    return [Package(*line.split()) for line in lines]


class Apt:
    """The host's apt with lists, archives and state in a folder of its own."""

    def __init__(self, folder: Path, log: Path, step: Step) -> None:
        """Work in `folder`, which is empty."""
        self._folder = folder
        self._log = log
        self._step = step
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "archives" / "partial").mkdir(parents=True)
        (folder / "status").touch()
        (folder / "apt.conf").write_text(_CONFIGURATION.format(folder=folder))

    def download(self, pins: Iterable[Package]) -> list[Path]:
        """Fetch `ROOTS` and all they need, in the pinned versions as far as the archive has them.

        Raises `LabError` where the archive does not answer or lacks a package.
        """
        self._step.update("reading the archive's index")
        trouble = ""
        try:
            self._get("update")
        except CommandError as failure:
            # A source that is out of order does not matter unless a package comes from it.
            trouble = f"\n{failure}"
        available = self._available()
        if not available:
            raise LabError(
                "Debian's archive does not answer. Check the network and apt's sources, then run"
                f" the same command again.{trouble}"
            )
        self._step.update("downloading")
        pinned = [str(pin) for pin in pins if (pin.name, pin.version) in available]
        try:
            self._install(pinned)
        except CommandError as failure:
            raise LabError(
                "Debian's archive lacks a package or does not answer any more. Check apt's sources"
                f" and the network, then run the same command again.\n{failure}{trouble}"
            ) from failure
        return sorted((self._folder / "archives").glob("*.deb"))

    def _install(self, pinned: list[str]) -> None:
        command = ("install", "--download-only", "--yes", *ROOTS)
        try:
            self._get(*command, *pinned)
        except CommandError:
            # Some pinned versions may not go together with what the others now need.
            self._get(*command)

    def _get(self, *arguments: str) -> None:
        command = ["apt-get", f"-c={self._folder / 'apt.conf'}", *arguments]
        Command(command, self._log).run()

    def _available(self) -> set[tuple[str, str]]:
        command = ["apt-cache", f"-c={self._folder / 'apt.conf'}", "dumpavail"]
        index = Command(command, self._log).run()
        return set(re.findall(r"(?ms)^Package: (\S+)$.*?^Version: (\S+)$", index))


def verify(archives: Iterable[Path], pins: Iterable[Package]) -> list[str]:
    """Compare downloaded archives with their pins; returns those whose version is another.

    Raises `LabError` for an archive of the pinned version with another checksum.
    """
    by_name = {pin.name: pin for pin in pins}
    changed = []
    for archive in archives:
        package = inspect(archive)
        pin = by_name.get(package.name)
        if pin is None or pin.version != package.version:
            changed.append(f"{package} (pinned: {pin.version if pin else 'none'})")
        elif pin.sha256 != package.sha256:
            raise LabError(
                f"Debian package {package}: its sha256 is {package.sha256}, {LOCK} says"
                f" {pin.sha256}. Nothing of it was used. Find out why before changing the lock."
            )
    return changed


def inspect(archive: Path) -> Package:
    """Name, version and checksum of a downloaded archive."""
    answer = subprocess.run(
        ["dpkg-deb", "--show", "--showformat=${Package} ${Version}", archive],
        capture_output=True,
        text=True,
        check=True,
    )
    name, version = answer.stdout.split()
    return Package(name, version, hashlib.sha256(archive.read_bytes()).hexdigest())


def unpack(archives: Iterable[Path], root: Path) -> None:
    """Unpack all but `HOST_PACKAGES` below `root`, without running anything of theirs.

    iptables gets its usual names there, for rules in nftables form.
    """
    for folder in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / folder).mkdir(parents=True)
        (root / folder).symlink_to(f"usr/{folder}")
    for archive in archives:
        if archive.name.split("_")[0] in HOST_PACKAGES:
            continue
        content = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", archive], capture_output=True, check=True
        ).stdout
        # Other users of the machine may read the cache: nothing in it runs as its owner.
        options = ["--no-same-owner", "--no-same-permissions", "--keep-directory-symlink"]
        options += ["--exclude=./usr/share/*", f"--directory={root}"]
        subprocess.run(["tar", "--extract", *options], input=content, check=True)
    for family in ("iptables", "ip6tables"):
        for name in (family, f"{family}-save", f"{family}-restore"):
            (root / "usr" / "sbin" / name).symlink_to("xtables-nft-multi")


def main() -> None:
    """Write the lock anew from what the archive has now."""
    step = Step("lock", 1)
    with tempfile.TemporaryDirectory() as folder:
        archives = Apt(Path(folder), Path(folder) / "log", step).download(())
        packages = [inspect(archive) for archive in archives]
    lines = (f"{package.name} {package.version} {package.sha256}" for package in packages)
    LOCK.write_text(
        "# Debian packages: name, version, sha256. Written by `python -m lab.build.debian`.\n"
        + "".join(f"{line}\n" for line in lines)
    )


if __name__ == "__main__":
    main()
