"""Faults of input values, collected to be reported all at once."""

import re
from collections.abc import Callable, Iterable

import pulumi

from .values import Check, known, shown

_QUOTED_OR_SNAKE = re.compile(
    r"""(?<!\w)(?:'[^']*'|"[^"]*"|`[^`]*`)|\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b"""
)


def camel(text: str) -> str:
    """`text` with its words of `snake_case` in `camelCase`, those in quotes as they are."""

    def spelt(found: re.Match[str]) -> str:
        if found[0][0] in "'\"`":
            return found[0]
        return re.sub(r"_(.)", lambda letter: letter[1].upper(), found[0])

    return _QUOTED_OR_SNAKE.sub(spelt, text)


class InvalidInput(pulumi.RunError):
    """Every fault found in the inputs, a line each; ends the program without a stack trace."""


class Faults:
    """Collects the faults of one set of inputs, to be reported all at once."""

    def __init__(self, subject: str, spell: Callable[[str], str] = str) -> None:
        """`subject` is what is wrong; `spell` writes each line as the user writes fields."""
        self._subject = subject
        self._spell = spell
        self._lines: list[str] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)

    @property
    def lines(self) -> list[str]:
        """Each of them."""
        return [*self._lines]

    def add(self, path: str, message: str) -> None:
        """Record that the value at `path` is wrong."""
        self._lines.append(self._spell(f"{path}: {message}"))

    def extend(self, faults: Iterable[tuple[str, str]]) -> None:
        """Record several faults, each a path and a message."""
        for path, message in faults:
            self.add(path, message)

    def check(self, path: str, value: object, check: Check) -> None:
        """Record a fault at `path` unless `value` passes `check`; what is not known passes."""
        if known(value) and (expected := check(value)):
            self.add(path, f"found {shown(value)}, expected {expected}")

    def raise_any(self) -> None:
        """Raise InvalidInput where a fault was recorded."""
        if self._lines:
            listed = "\n".join(f"  {line}" for line in self._lines)
            raise InvalidInput(f"{self._subject}:\n{listed}")
