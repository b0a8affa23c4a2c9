"""Runs one program of a build: output to a log file, limits in time, readable failures."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

SILENCE = 60.0
"""Seconds after which a registry that has sent nothing is taken as not answering."""

_TAIL = 15
_POLL = 0.2


class CommandError(LabError):
    """A program failed or was ended because a limit passed."""

    def __init__(self, reason: str, log: Path, *, silent: bool = False) -> None:
        """Say `reason` and the end of `log`; `silent` tells that nothing was heard for too long."""
        self.reason = reason
        self.output = log.read_text(errors="replace")
        self.silent = silent
        tail = "\n".join(f"  {line}" for line in self.output.splitlines()[-_TAIL:])
        super().__init__(f"{reason}. The end of {log}:\n{tail}")


@dataclass(frozen=True)
class Command:
    """A program to run, and how long it may take."""

    arguments: Sequence[str]
    """The program and its arguments."""

    log: Path
    """The file that takes its standard error, begun anew."""

    cwd: Path | None = None
    """The folder it runs in, by default the current one."""

    environment: Mapping[str, str] | None = None
    """Its whole environment, by default the current one."""

    limit: float = 900.0
    """Seconds after which it is ended."""

    silence: float | None = None
    """Seconds after which it is ended when it has read nothing, from the network or elsewhere."""

    companions: Sequence[int] = ()
    """Processes whose reading counts too, as the program may wait for what they fetch."""

    def run(self, on_output: Callable[[str], None] | None = None) -> str:
        """Run it to its end and return its standard output.

        `on_output` is called several times a second with everything in the log so far. Raises
        `CommandError`.
        """
        with self.log.open("wb") as errors, tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                self.arguments,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                process_group=0,
            )
            try:
                self._watch(process, on_output)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if process.returncode:
                raise CommandError(f"{self._name} ended with status {process.returncode}", self.log)
            output.seek(0)
            return output.read().decode(errors="replace")

    @property
    def _name(self) -> str:
        # An argument that is a program has many lines.
        beginning = " ".join(self.arguments[:3]).partition("\n")[0]
        return f"`{beginning} …`"

    def _watch(
        self, process: subprocess.Popen[bytes], on_output: Callable[[str], None] | None
    ) -> None:
        now = started = heard = time.monotonic()
        read = 0
        while not _ended(process):
            now = time.monotonic()
            if on_output:
                on_output(self.log.read_text(errors="replace"))
            if (total := sum(map(_bytes_read, (process.pid, *self.companions)))) != read:
                read, heard = total, now
            if self.silence and now - heard > self.silence:
                reason = f"{self._name} got no answer for {self.silence:.0f} s"
                raise CommandError(reason, self.log, silent=True)
            if now - started > self.limit:
                reason = f"{self._name} had not ended after {self.limit:.0f} s"
                raise CommandError(reason, self.log)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL)
    except subprocess.TimeoutExpired:
        return False
    return True


def _bytes_read(pid: int) -> int:
    """What a process and its children have read so far, sockets included."""
    folder = Path(f"/proc/{pid}")
    try:
        read = int((folder / "io").read_text().split(maxsplit=2)[1])
        children = " ".join(path.read_text() for path in folder.glob("task/*/children"))
    except OSError:  # it has just ended
        return 0
    return read + sum(_bytes_read(int(child)) for child in children.split())
