"""Judges what was measured, line by line, and writes it down."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from string import Template

from bench.measures import CHANGE, DESTROY, FIRST, MEASURES, Results, Samples, Size
from bench.peers import (
    FLOOR,
    HELM,
    OURS,
    PLAIN,
    PREVIEW,
    PREVIEW_STATE,
    QUIET,
    SCRIPT,
    TOFU,
    UP,
    UP_STATE,
    Peer,
)

_PAGE = Path(__file__).with_suffix(".md")

_HALF = 53.5
"""Half of the seconds that 80 exposures took before anybody had looked at speed."""

_LIMITS: Sequence[tuple[str, Peer, float]] = [
    (FIRST, FLOOR, 1.3),
    *((FIRST, peer, 1) for peer in (SCRIPT, HELM, TOFU)),
    *((measure, PLAIN, 1.5) for measure in (PREVIEW, PREVIEW_STATE, UP, UP_STATE)),
    (PREVIEW, TOFU, 1),
    (CHANGE, FLOOR, 1.5),
    (DESTROY, FLOOR, 1),
]
"""How many times as long as a peer each measure may take."""

_LIMITS_OF_MANY = [(FIRST, FLOOR, 1.1), (FIRST, HELM, 1), (FIRST, TOFU, 1)]


@dataclass(frozen=True)
class Line:
    """A figure and its limit."""

    measure: str
    found: float
    limit: float
    unit: str
    why: str
    """What the limit is."""

    @property
    def passes(self) -> bool:
        """Whether the figure is within its limit."""
        return self.found <= self.limit


def judged(results: Results) -> list[Line]:
    """Each figure that has a limit and was measured."""
    return [
        *_compared(results.one, _LIMITS, ""),
        *_compared(results.many, _LIMITS_OF_MANY, f"{results.extent.many} exposures: "),
        *_of_sizes(results),
    ]


def _compared(
    samples: Samples, limits: Sequence[tuple[str, Peer, float]], prefix: str
) -> Iterator[Line]:
    for measure, peer, factor in limits:
        ours, theirs = (samples[measure].get(one.name) for one in (OURS, peer))
        if ours and theirs:
            why = f"{factor} times {peer.name}" if factor != 1 else peer.name
            yield Line(f"{prefix}{measure}", median(ours), factor * median(theirs), "s", why)


def _of_sizes(results: Results) -> Iterator[Line]:
    ours, quiet = results.sizes[OURS.name], results.sizes[QUIET.name]
    if len(quiet) > 2:
        for what, unit, each in (
            ("time", "s", lambda size: size.up),
            ("memory", "MiB", lambda size: _mib(size.memory)),
        ):
            slopes = [
                (each(quiet[more]) - each(quiet[less])) / (more - less)
                for less, more in pairwise(sorted(quiet))
            ]
            why = "1.2 times that of the first ones, state written once"
            yield Line(f"{what} of one more exposure", slopes[-1], 1.2 * slopes[0], unit, why)
    if size := ours.get(80):
        yield Line("80 exposures without pods", size.up, _HALF, "s", "half of what it once took")
    if size := ours.get(200):
        yield Line("200 exposures: preview, refreshed", size.preview, 15, "s", "asked for")
        if peer := results.sizes[TOFU.name].get(200):
            found, limit = _mib(size.memory), _mib(peer.memory)
            yield Line("200 exposures: memory", found, limit, "MiB", TOFU.name)


def verdicts(results: Results) -> str:
    """The table of figures and limits."""
    rows = [
        (
            line.measure,
            f"{line.found:.2f} {line.unit}",
            f"{line.limit:.2f} {line.unit}: {line.why}",
            "pass" if line.passes else "fall short",
        )
        for line in judged(results)
    ]
    return table(("measure", "found", "limit", ""), rows)


def tables(results: Results) -> str:
    """What every peer took."""
    extent = results.extent
    sizes = [
        (f"{count}", name, *_cells(count, size))
        for name, found in results.sizes.items()
        for count, size in found.items()
    ]
    head = ("exposures", "", "update", "preview", "destroyed", "memory", "state of each")
    return f"""\
Seconds with one exposure, median (least to most) of {extent.rounds} rounds:

{_medians(results.one)}
With {extent.many} exposures, of {extent.many_rounds} rounds:

{_medians(results.many)}
Exposures without pods behind one gateway and one waypoint, made anew in each size:

{table(head, sorted(sizes, key=lambda row: int(row[0])))}"""


def _cells(count: int, size: Size) -> tuple[str, ...]:
    seconds = (f"{value:.1f} s" for value in (size.up, size.preview, size.destroy))
    state = f"{size.state / count / 1000:.1f} kB" if size.state else ""
    return *seconds, f"{_mib(size.memory):.0f} MiB", state


def _medians(samples: Samples) -> str:
    measures = [measure for measure in MEASURES if samples[measure]]
    names = dict.fromkeys(name for measure in measures for name in samples[measure])
    rows = [
        (name, *(_spread(samples[measure].get(name, [])) for measure in measures)) for name in names
    ]
    return table(("", *measures), rows)


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})" if seconds else ""


def _mib(size: float) -> float:
    return size / (1 << 20)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def machine() -> str:
    """What this machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return f"{os.cpu_count()} cores with {memory} GiB, Linux {platform.release()}"


def page(results: Results, versions: Sequence[str], path: str) -> str:
    """The whole page; `path` is the critical path of its picture in words."""
    failed = "".join(f"- failed: {line.splitlines()[0]}\n" for line in results.failed)
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        machine=machine(),
        versions=", ".join(versions),
        verdicts=verdicts(results),
        tables=tables(results) + (failed and f"\n{failed}"),
        path=path,
    )
