"""A wrong spec or argument is found by strict mypy and by pyright, on the line where it stands."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import ROOT

FOLDER = Path(__file__).parent / "typing_snippets"
SNIPPETS = sorted(FOLDER.glob("*.py"))

Lines = dict[str, set[int]]
"""Numbers of the lines that a checker rejects, by the name of the snippet."""


def check(module: str, *options: str) -> str:
    """What a type checker prints about all snippets."""
    return subprocess.run(
        [sys.executable, "-m", module, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    ).stdout


def by_snippet(findings: list[tuple[str, int]]) -> Lines:
    return {
        path.name: {line for file, line in findings if Path(file).name == path.name}
        for path in SNIPPETS
    }


def mypy() -> Lines:
    output = check("mypy", "--strict", "--output=json", *map(str, SNIPPETS))
    findings: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    return by_snippet([(found["file"], found["line"]) for found in findings])


def pyright() -> Lines:
    report = json.loads(check("pyright", "--project", str(FOLDER), "--outputjson"))
    assert report["summary"]["filesAnalyzed"] == len(SNIPPETS)
    findings: list[dict[str, Any]] = report["generalDiagnostics"]
    return by_snippet([(found["file"], found["range"]["start"]["line"] + 1) for found in findings])


@pytest.fixture(scope="module")
def rejected() -> dict[str, Lines]:
    """The lines by checker; each runs once, for its start takes longer than all the rest."""
    with ThreadPoolExecutor() as pool:
        runs = {checker.__name__: pool.submit(checker) for checker in (mypy, pyright)}
        return {checker: run.result() for checker, run in runs.items()}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda path: path.stem)
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_exactly_the_wrong_lines_are_rejected(
    snippet: Path, checker: str, rejected: dict[str, Lines]
) -> None:
    text = snippet.read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(text, 1) if line.endswith("# wrong")}
    assert bool(wrong) == snippet.name.startswith("wrong_")
    assert rejected[checker][snippet.name] == wrong
