"""Files of the Go modules that `modules.sum` pins, oldest version first."""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).with_name("modules.sum")

_LIMIT = 300.0
"""Seconds that a module of some megabytes may take."""


class ModuleError(Exception):
    """A module that cannot be had, or that is not the one that is pinned."""


@dataclass(frozen=True)
class Module:
    """One version of a Go module, and the checksum that it must have."""

    path: str
    version: str
    checksum: str

    @property
    def minor(self) -> tuple[int, ...]:
        """The minor release that it is of."""
        return tuple(map(int, self.version.removeprefix("v").split(".")[:2]))

    def files(self, pattern: str) -> Mapping[str, str]:
        """Texts of the files whose whole path inside the module matches `pattern`, by path."""
        with zipfile.ZipFile(self._download()) as archive:
            paths = {
                name.removeprefix(f"{self.path}@{self.version}/"): name
                for name in archive.namelist()
            }
            return {
                path: archive.read(name).decode()
                for path, name in sorted(paths.items())
                if re.fullmatch(pattern, path)
            }

    def _download(self) -> str:
        """Path of the module's archive in Go's cache, from where nothing of it is run."""
        named = f"{self.path}@{self.version}"
        command = ["go", "mod", "download", "-json", named]
        # The toolchain at hand will do, even for a module whose code needs a newer one.
        environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw"}
        found = subprocess.run(
            command,
            env=environment,
            cwd=PINS.parent,
            capture_output=True,
            check=False,
            text=True,
            timeout=_LIMIT,
        )
        told = json.loads(found.stdout or "{}")
        if "Zip" not in told:
            raise ModuleError(f"{named}: {told.get('Error') or found.stderr.strip()}")
        if told["Sum"] != self.checksum:
            raise ModuleError(
                f"{named}: found checksum {told['Sum']}, expected {self.checksum} of {PINS.name}"
            )
        return str(told["Zip"])


def pinned(path: str) -> Iterator[Module]:
    """The versions of the module `path`."""
    for line in PINS.read_text(encoding="utf-8").splitlines():
        module = Module(*line.split())
        if module.path == path:
            yield module
