"""Requests sent from inside the node meanwhile, and when each was answered with what."""
# ruff: noqa: T201  # the sender's output is what its parent reads

import http.client
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lab.node.breaking import inside

RATE: Final = 5.0
"""Requests a second of each of the four senders, two of which keep their connection."""

_TIMEOUT: Final = 5.0
_START: Final = 30.0
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Answer:
    """What a request was answered with, and when that was known."""

    time: float
    status: str
    """A status of HTTP, or the name of what went wrong."""


class Load:
    """Requests for one path of a host meanwhile; `answers` has what came of them."""

    def __init__(self, address: str, host: str, path: str) -> None:
        """Nothing is sent before the load is entered."""
        self.answers: list[Answer] = []
        self.steps: dict[str, float] = {}
        """When what began meanwhile."""
        self._words = inside(sys.executable, "-m", "faults.load", address, host, path)
        self._started = threading.Event()

    def __enter__(self) -> Self:
        """Start, and return when the first request was answered."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._words, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._started.wait(_START):
            self._process.kill()
            raise TimeoutError(f"{' '.join(self._words)}: no request ended in {_START:.0f} s")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let what is under way end."""
        assert self._process.stdin  # noqa: S101  # it is a pipe
        self._process.stdin.close()
        try:
            self._process.wait(_TIMEOUT + _START)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join(_START)

    def step(self, name: str) -> None:
        """Note what begins now."""
        self.steps[name] = time.time()

    def failed(self, expected: str = "200") -> list[Answer]:
        """The requests that were answered otherwise."""
        return [one for one in self.answers if one.status != expected]

    def gap(self, expected: str = "200") -> float:
        """Seconds of the longest time in which none was answered as expected."""
        times = [one.time for one in self.answers if one.status == expected]
        ends = [self.answers[0].time, *times, self.answers[-1].time]
        return max(after - before for before, after in pairwise(ends))

    def told(self, expected: str = "200") -> str:
        """How many failed, how, and for how long."""
        failed = self.failed(expected)
        if not failed:
            return f"{len(self.answers)} requests, none failed"
        before = [name for name, begun in self.steps.items() if begun < failed[0].time]
        last = f", after {before[-1]}" if before else ""
        kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(o.status for o in failed).items())
        return (
            f"{len(failed)} of {len(self.answers)} requests failed ({kinds}), from"
            f" {_clock(failed[0])} to {_clock(failed[-1])}{last};"
            f" longest gap {self.gap(expected):.1f} s"
        )

    def _read(self) -> None:
        assert self._process.stdout  # noqa: S101  # it is a pipe
        for line in self._process.stdout:
            moment, _, status = line.strip().partition(" ")
            self.answers.append(Answer(float(moment), status))
            self._started.set()


def _clock(answer: Answer) -> str:
    return time.strftime("%H:%M:%S", time.localtime(answer.time))


def get(address: str, host: str, path: str) -> str:
    """The status of one request from inside the node, or the name of what went wrong."""
    words = inside(sys.executable, "-m", "faults.load", "--once", address, host, path)
    return subprocess.run(
        words, cwd=_ROOT, stdout=subprocess.PIPE, text=True, timeout=_START, check=False
    ).stdout.strip()


class _Sender:
    def __init__(self, address: str, host: str, path: str) -> None:
        name, _, port = address.partition(":")
        self._connection = http.client.HTTPConnection(name, int(port or 80), timeout=_TIMEOUT)
        self._headers = {"Host": host}
        self._path = path

    def send(self, *, keep: bool) -> str:
        """A connection that was kept and has been closed meanwhile is opened again, as by curl."""
        kept = self._connection.sock is not None
        status = self._try(keep=keep)
        closed = status in {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError"}
        return self._try(keep=keep) if kept and closed else status

    def _try(self, *, keep: bool) -> str:
        try:
            self._connection.request("GET", self._path, headers=self._headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return type(error).__name__
        if not keep:
            self._connection.close()
        return str(answer.status)


def _send(words: Sequence[str], ended: threading.Event, *, keep: bool) -> None:
    sender = _Sender(*words)
    following = time.monotonic()
    while not ended.is_set():
        status = sender.send(keep=keep)
        with suppress(BrokenPipeError):
            print(f"{time.time():.3f} {status}\n", end="", flush=True)
        following = max(following + 1 / RATE, time.monotonic())
        ended.wait(following - time.monotonic())


def main(words: Sequence[str]) -> None:
    """`python -m faults.load [--once] ADDRESS HOST PATH`, until the input ends."""
    if words[0] == "--once":
        print(_Sender(*words[1:]).send(keep=False))
        return
    ended = threading.Event()
    threads = [
        threading.Thread(target=_send, args=(words, ended), kwargs={"keep": keep})
        for keep in (True, True, False, False)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main(sys.argv[1:])
