"""Shows what the lab is doing: live lines on a terminal, a few calm ones elsewhere."""

import shutil
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

HEARTBEAT = 20.0
"""Seconds between two lines about a step that goes on, where there is no terminal."""

_REDRAW = 0.2


def duration(seconds: float) -> str:
    """`4.2 s`, `38 s` or `5 min 12 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@dataclass
class Step:
    """One piece of work that is under way."""

    name: str
    number: int
    started: float = field(default_factory=time.monotonic)
    detail: str = ""
    outcome: str = "done in"
    """Stands before the time the step took, once it is over."""

    def update(self, detail: str) -> None:
        """Say how far the step is, in a few words: `1,203 of 2,140 packages`."""
        self.detail = detail

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started


class Steps:
    """The steps of one command, numbered in the order they begin.

    Steps may overlap, from any thread. Say with `expect` how many there will be before the first
    begins.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write everything to `stream`, by default standard error."""
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._lock = threading.Lock()
        self._running: list[Step] = []
        self._begun = 0
        self._expected = 0
        self._drawn = 0
        self._ticker: threading.Thread | None = None

    def expect(self, count: int) -> None:
        """Add `count` to the number of steps announced."""
        with self._lock:
            self._expected += count

    @contextmanager
    def step(self, name: str) -> Generator[Step]:
        """Show `name` as under way inside the `with` block, then as done or failed."""
        step = self._begin(name)
        try:
            yield step
        except BaseException:
            step.outcome = "failed after"
            raise
        finally:
            self._end(step)

    def note(self, line: str) -> None:
        """Write a line that stays."""
        with self._lock:
            self._write(line)

    def _begin(self, name: str) -> Step:
        with self._lock:
            self._begun += 1
            self._expected = max(self._expected, self._begun)
            step = Step(name, self._begun)
            self._running.append(step)
            if self._live:
                self._draw()
            else:
                self._write(f"{self._label(step)} …")
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, daemon=True)
                self._ticker.start()
        return step

    def _end(self, step: Step) -> None:
        with self._lock:
            self._running.remove(step)
            self._write(f"{self._label(step)}: {step.outcome} {duration(step.elapsed)}")

    def _tick(self) -> None:
        beats: dict[int, float] = {}
        while True:
            time.sleep(_REDRAW)
            with self._lock:
                if not self._running:
                    self._ticker = None
                    return
                if self._live:
                    self._draw()
                    continue
                for step in self._running:
                    if step.elapsed - beats.get(step.number, 0.0) >= HEARTBEAT:
                        beats[step.number] = step.elapsed
                        self._write(self._state(step))

    def _label(self, step: Step) -> str:
        return f"[{step.number}/{self._expected}] {step.name}"

    def _state(self, step: Step) -> str:
        detail = f"{step.detail}, " if step.detail else ""
        return f"{self._label(step)}: {detail}{duration(step.elapsed)}"

    def _write(self, line: str) -> None:
        """Write a line that stays above those of the running steps."""
        self._erase()
        print(line, file=self._stream, flush=True)
        if self._live:
            self._draw()

    def _draw(self) -> None:
        """Write the lines of the running steps, to be erased by the next call."""
        self._erase()
        width = shutil.get_terminal_size().columns
        for step in self._running:
            print(self._state(step)[: width - 1], file=self._stream)
        self._drawn = len(self._running)
        self._stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0
