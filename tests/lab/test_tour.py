"""The tour of the docs, as a newcomer takes it: its commands in order, on a lab of their own."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.conftest import LIMIT, ROOT, run

TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(```+)(sh|text)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
LOOKS = ("curl ", "kubectl get ", "for path in ", "url=", ".venv/bin/python -m components show")
"""How a step begins that changes nothing: it may be asked again until what was changed is seen."""

SETTLES = 60
"""Seconds within which a change is seen."""

GIB = 1 << 30


@dataclass(frozen=True)
class Step:
    """Commands of the page, and what it shows of what they print."""

    line: int
    commands: str
    shown: str

    @property
    def fails(self) -> bool:
        """Whether the page says that the last command fails."""
        return self.commands.rstrip().endswith("# fails")

    def lacks(self, printed: str) -> str | None:
        """The first line that it shows, and that is not there; `…` is any text, alone any lines."""
        pattern = ""
        for line in self.shown.splitlines():
            exact = re.escape(line).replace("…", ".*?")
            pattern += r"(?:.*\n)*?" if line == "…" else f"{exact}\n"
            if not re.match(pattern, printed):
                return line
        return "nothing more" if pattern and not re.fullmatch(pattern, printed) else None


def steps() -> Iterator[Step]:
    """The steps of the tour."""
    blocks = list(BLOCK.finditer(TOUR))
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block[2] == "sh":
            shown = following[3] if following and following[2] == "text" else ""
            yield Step(TOUR.count("\n", 0, block.start()) + 2, block[3], shown)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project as it is cloned, in the environment of this one."""
    folder = tmp_path / "checkout"
    made = (".git", ".lab*", ".venv", ".site", ".*_cache", ".hypothesis", "__pycache__")
    stacks = ("Pulumi.lab.yaml", "Pulumi.local.yaml")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*made, *stacks))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@dataclass
class Shell:
    """A shell in which one step follows the other."""

    folder: Path
    env: dict[str, str]
    exports: Path
    """What one step leaves to the next of its environment."""

    def run(self, step: Step) -> subprocess.CompletedProcess[str]:
        """Run the commands of a step once."""
        commands = f". '{self.exports}'\n{step.commands}\nexport -p >'{self.exports}'\n"
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=3600 if "make up" in step.commands else LIMIT,
        )

    def take(self, step: Step) -> None:
        """Run a step; it ends and prints as the page says."""
        end = time.monotonic() + (SETTLES if step.commands.startswith(LOOKS) else 0)
        while True:
            done = self.run(step)
            printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
            ended = (done.returncode != 0) == step.fails
            lacking = step.lacks(printed)
            if (ended and lacking is None) or time.monotonic() > end:
                break
            time.sleep(0.5)
        where = f"docs/tour.md:{step.line}"
        assert ended, f"{where} ended with {done.returncode}:\n{printed}"
        assert lacking is None, f"{where}: expected {lacking!r} in\n{printed}"


@pytest.fixture
def shell(checkout: Path, tmp_path: Path) -> Shell:
    """A shell for a lab of its own."""
    exports = tmp_path / "exports"
    exports.touch()
    # Not those of a `make` that runs this: one inside of another says which folder it is in.
    env = {
        key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))
    }
    lab = {"LAB_STATE": str(tmp_path / "lab"), "LAB_ZTUNNEL": "none"}
    # Bytecode of packages that are used once is not worth its time.
    return Shell(checkout, {**env, **lab, "PIP_NO_COMPILE": "1"}, exports)


def test_a_newcomer_takes_the_tour(shell: Shell, tmp_path: Path) -> None:
    *on_the_way, last = steps()
    sample = (shell.folder / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    try:
        for step in on_the_way:
            began = time.monotonic()
            shell.take(step)
            print(f"{time.monotonic() - began:5.1f} s {step.commands.splitlines()[0]}")  # noqa: T201
        memory = re.search(r"all memory, pods included: (\d+) MiB", lab(shell, "status"))
        assert memory
        assert int(memory[1]) << 20 < 3 * GIB
        shell.take(last)
    finally:
        lab(shell, "down")
    assert not (tmp_path / "lab").exists()
    assert (shell.folder / "Pulumi.dev.yaml").read_text(encoding="utf-8") == sample
    run("make", "preview", cwd=shell.folder, env=shell.env, ends="badly")


def lab(shell: Shell, command: str) -> str:
    return run(sys.executable, "-m", "lab", command, env=shell.env)
