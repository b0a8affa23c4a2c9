"""The cache of everything the lab builds or fetches: folders keyed by the content they come from.

An entry appears under its name only when it is complete, so whatever interrupts a build leaves
nothing half-done. Labs of several checkouts share one cache; an entry is made by one of them while
the others wait for it.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.build.progress import Step, Steps
from lab.errors import LabError

LOCK_LIMIT = 3600.0
"""Seconds to wait for another lab that makes the same entry."""


@dataclass(frozen=True)
class Recipe:
    """How one entry is made."""

    slug: str
    """Begins the folder's name: `kubernetes`."""

    title: str
    """What people read: `Kubernetes v1.35.4`."""

    inputs: tuple[str | Path, ...]
    """Everything the result depends on. Files and folders count with their content."""

    make: Callable[[Path, Step], None]
    """Fills the empty folder it is given."""


def default_root() -> Path:
    """`$LAB_CACHE`, or `ambient-lab` in the user's cache folder."""
    if chosen := os.environ.get("LAB_CACHE"):
        return Path(chosen).resolve()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder.resolve() / "ambient-lab"


@dataclass(frozen=True)
class Cache:
    """A folder of entries."""

    root: Path = field(default_factory=default_root)
    """Created when the first entry is made."""

    def path(self, recipe: Recipe) -> Path:
        """The folder of the recipe's entry, complete if it exists."""
        return self.root / f"{recipe.slug}-{_digest(recipe.inputs)}"

    def has(self, recipe: Recipe) -> bool:
        """Whether the entry is there."""
        return self.path(recipe).is_dir()

    def log(self, slug: str) -> Path:
        """The log file of the newest run of the named step."""
        logs = self.root / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        return logs / f"{slug}.log"

    def make(self, recipe: Recipe, steps: Steps) -> Path:
        """Make the entry as a step of its own, unless it is there, and return its folder.

        Waits while another process makes it. Raises `LabError`.
        """
        if self.has(recipe):
            return self.path(recipe)
        with steps.step(recipe.title) as step:
            return self.fill(recipe, step)

    def fill(self, recipe: Recipe, step: Step) -> Path:
        """Make the entry as part of `step`, unless it is there, and return its folder."""
        target = self.path(recipe)
        partial = target.with_name(f".{target.name}")
        with self._lock(target, step):
            if not target.is_dir():
                # Only a killed process leaves one.
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                try:
                    recipe.make(partial, step)
                    partial.rename(target)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
        return target

    @contextmanager
    def _lock(self, target: Path, step: Step) -> Generator[None]:
        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        path = locks / target.name
        with path.open("w") as lock:
            give_up = time.monotonic() + LOCK_LIMIT
            while not _try_lock(lock.fileno()):
                step.update("another lab on this machine is making it")
                if time.monotonic() > give_up:
                    raise LabError(
                        f"{step.name}: another process has held {path} for"
                        f" {LOCK_LIMIT / 60:.0f} minutes. End it, then run the same command again."
                    )
                time.sleep(0.2)
            step.update("")
            yield


def _digest(inputs: Iterable[str | Path]) -> str:
    digest = hashlib.sha256(platform.machine().encode())
    for content in _contents(inputs):
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]


def _contents(inputs: Iterable[str | Path]) -> Iterator[bytes]:
    for part in inputs:
        if isinstance(part, str):
            yield part.encode()
        elif part.is_dir():
            for file in sorted(part.rglob("*")):
                if file.is_file():
                    yield str(file.relative_to(part)).encode()
                    yield file.read_bytes()
        else:
            yield part.read_bytes()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
