"""Draws an update as bars on a time line, one a resource, and marks what it waited for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

_CRITICAL, _OTHER, _REFRESH = "#c2410c", "#94a3b8", "#cbd5e1"
_LABELS, _LINE, _ROW = 330, 720, 18
"""Pixels of the names, of the time line beside them, and of a row."""

_COLUMNS = 48
"""Characters of the time line in a terminal."""

_START = "start"
"""The operation of bars that are no resources."""


@dataclass(frozen=True)
class Bar:
    """What was done with a resource; times are seconds since the update began."""

    urn: str
    operation: str
    begin: float
    end: float

    @property
    def name(self) -> str:
        """Kind and name."""
        *_, kind, name = self.urn.split("::")
        return f"{kind.rpartition(':')[2]} {name}"


@dataclass(frozen=True)
class Waterfall:
    """An update."""

    bars: Sequence[Bar]
    """In the order in which they began."""
    needs: Mapping[str, frozenset[str]]
    """What each resource needs, by URN."""
    seconds: float
    """From the start of the engine to its end."""

    def before(self, bar: Bar) -> Bar | None:
        """What a bar needed that ended last."""
        reading = bar.operation == "refresh"
        needed = [
            one
            for one in self.bars
            if one.urn in self.needs.get(bar.urn, ())
            and one.begin < bar.begin
            and (one.operation == "refresh") == reading
        ]
        return max(needed, key=lambda one: one.end, default=None)

    @cached_property
    def critical(self) -> list[Bar]:
        """The start, then the bars that the one that ended last waited for, each for another."""
        path: list[Bar] = []
        done = [bar for bar in self.bars if bar.operation != _START]
        bar = max(done, key=lambda bar: bar.end, default=None)
        while bar:
            path.insert(0, bar)
            bar = self.before(bar)
        return [*(bar for bar in self.bars if bar.operation == _START), *path]


def read(notes: Path, resources: Iterable[Mapping[str, Any]]) -> Waterfall:
    """An update as `record` has noted it, with what its resources need by a state.

    Components are left out: nothing is made of them.
    """
    first, *rest, last = map(json.loads, notes.read_text(encoding="utf-8").splitlines())
    known = {resource["urn"]: resource for resource in resources}
    begun: dict[tuple[str, str], float] = {}
    bars: list[Bar] = []
    for note in rest:
        which, now = (note["urn"], note["operation"]), note["time"] - first["time"]
        if note["what"] == "begin":
            begun[which] = now
        elif which in begun and known.get(note["urn"], {"custom": True})["custom"]:
            bars.append(Bar(*which, begun.pop(which), now))
    bars.sort(key=lambda bar: bar.begin)
    seconds = last["time"] - first["time"]
    running = next((at for (urn, _), at in begun.items() if "::pulumi:pulumi:Stack::" in urn), 0.0)
    started = [
        Bar("::engine::starts", _START, 0.0, running),
        Bar("::program::starts", _START, running, bars[0].begin if bars else seconds),
    ]
    needs = {urn: _needs(resource) for urn, resource in known.items()}
    return Waterfall([*started, *bars], needs, seconds)


def _needs(resource: Mapping[str, Any]) -> frozenset[str]:
    provider = resource.get("provider", "").rpartition("::")[0]
    return frozenset({*(resource.get("dependencies") or ()), provider})


def text(drawn: Waterfall) -> str:
    """The picture for a terminal, and the critical path with its seconds."""
    scale = _COLUMNS / max(drawn.seconds, 1)
    lines = []
    for bar in drawn.bars:
        begin, end = int(bar.begin * scale), int(bar.end * scale)
        line = " " * begin + ("█" if bar in drawn.critical else "░") * max(1, end - begin)
        lines.append(f"{bar.name[:40]:<40} {line:<{_COLUMNS}} {bar.end - bar.begin:5.1f} s")
    lines += [
        "",
        f"critical path, {drawn.seconds:.1f} s: from, how long it was waited for, then took",
    ]
    now = 0.0
    for bar in drawn.critical:
        waited, took = bar.begin - now, bar.end - bar.begin
        lines.append(f"{now:6.1f} s {waited:6.1f} s {took:6.1f} s  {bar.name}")
        now = bar.end
    return "\n".join([*lines, f"{now:6.1f} s {drawn.seconds - now:6.1f} s           end"]) + "\n"


def svg(drawn: Waterfall, title: str) -> str:
    """The picture as SVG; a dotted line leads to each bar from the end of what it needed."""
    scale = _LINE / max(drawn.seconds, 1)
    width, height = _LABELS + _LINE + 50, (len(drawn.bars) + 4) * _ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        _label(10, _ROW, f"{title}: {drawn.seconds:.1f} s"),
    ]
    ticks = next(step for step in (1, 2, 5, 10, 30, 60, 300) if drawn.seconds / step < 15)
    for second in range(0, int(drawn.seconds) + 1, ticks):
        x = _LABELS + second * scale
        parts.append(f'<path d="M{x:.1f} {2 * _ROW}V{height - _ROW}" stroke="#e2e8f0"/>')
        parts.append(_label(x, height - 5, f"{second} s"))
    for row, bar in enumerate(drawn.bars, 2):
        y, begin, end = row * _ROW, _LABELS + bar.begin * scale, _LABELS + bar.end * scale
        colour = _CRITICAL if bar in drawn.critical else _OTHER
        colour = _REFRESH if bar.operation == "refresh" else colour
        if needed := drawn.before(bar):
            line = f"M{_LABELS + needed.end * scale:.1f} {y + _ROW / 2}H{begin:.1f}"
            parts.append(f'<path d="{line}" stroke="{colour}" stroke-dasharray="2 2"/>')
        parts += [
            _label(10, y + 13, bar.name[:48]),
            f'<rect x="{begin:.1f}" y="{y + 3}" width="{max(1.5, end - begin):.1f}"'
            f' height="{_ROW - 6}" fill="{colour}"/>',
            _label(end + 4, y + 13, f"{bar.end - bar.begin:.1f}"),
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _label(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y}">{escape(words)}</text>'
