"""Judges the rounds, line by line, and writes them down."""

from pathlib import Path
from string import Template

from bench.page import machine, table
from faults.rounds import FAULTS, Result, Results

_PAGE = Path(__file__).with_suffix(".md")


def passes(result: Result) -> bool:
    """Whether there was a round, and every one held."""
    return bool(result.seen) and not result.failed


def verdicts(results: Results) -> str:
    """The table of faults."""
    rows = [
        (
            FAULTS[name].title,
            FAULTS[name].holds,
            str(len(result.seen) + len(result.failed)),
            "pass" if passes(result) else "falls short",
        )
        for name, result in results.items()
    ]
    return table(("fault", "must hold", "rounds", ""), rows)


def seen(results: Results) -> str:
    """What was seen in each round."""
    return "\n".join(
        f"**{FAULTS[name].title}** (`FAULT={name}`)\n\n{_listed(result)}"
        for name, result in results.items()
    )


def _listed(result: Result) -> str:
    lines = [*result.seen, *(f"falls short: {one.splitlines()[0]}" for one in result.failed)]
    return "".join(f"- {line}\n" for line in lines)


def page(results: Results, seed: int) -> str:
    """The whole page."""
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        machine=machine(), seed=seed, verdicts=verdicts(results), seen=seen(results)
    )
