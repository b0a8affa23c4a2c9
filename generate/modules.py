"""Files of the Go modules that `modules.sum` pins, oldest version first."""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PINS = Path(__file__).with_name("modules.sum")

_LIMIT = 300.0
"""Seconds that a module of some megabytes may take."""


class ModuleError(Exception):
    """A module that cannot be had, or that is not the one that is pinned."""


class Module(NamedTuple):
    """One version of a Go module, and the checksum that it must have."""

    path: str
    version: str
    checksum: str

    @property
    def minor(self) -> tuple[int, ...]:
        """The minor release that it is of."""
        return tuple(map(int, self.version.removeprefix("v").split(".")[:2]))

    def files(self, pattern: str) -> list[str]:
        """Texts of the files whose whole path inside the module matches `pattern`, by path."""
        root = f"{self.path}@{self.version}"
        # The toolchain at hand will do, even for a module whose code needs a newer one.
        env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw"}
        command = ["go", "mod", "download", "-json", root]
        run = subprocess.run(
            command,
            env=env,
            cwd=PINS.parent,
            capture_output=True,
            check=False,
            text=True,
            timeout=_LIMIT,
        )
        told = json.loads(run.stdout or "{}")
        if "Zip" not in told:
            raise ModuleError(f"{root}: {told.get('Error') or run.stderr.strip()}")
        if told["Sum"] != self.checksum:
            raise ModuleError(
                f"{root}: found checksum {told['Sum']}, expected {self.checksum} of {PINS.name}"
            )
        with zipfile.ZipFile(told["Zip"]) as archive:
            names = sorted(archive.namelist())
            found = [one for one in names if re.fullmatch(pattern, one.removeprefix(f"{root}/"))]
            return [archive.read(name).decode() for name in found]


def pinned(path: str) -> Iterator[Module]:
    """The versions of the module `path`."""
    modules = (Module(*line.split()) for line in PINS.read_text(encoding="utf-8").splitlines())
    return (module for module in modules if module.path == path)
