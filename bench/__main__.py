"""`python -m bench run`, `record`, `waterfall`."""
# ruff: noqa: T201  # what was found is for people to read

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.record import record

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def main() -> int:
    """Do what the command line says; 1 where a figure falls short or a peer has failed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="measure on the lab of the environment, write the page")
    run.add_argument("--short", action="store_true", help="the smallest sizes, nothing is judged")
    noting = commands.add_parser("record", help="note the engine's event log on standard input")
    noting.add_argument("notes", type=Path)
    drawing = commands.add_parser("waterfall", help="draw an update that was noted, as SVG too")
    drawing.add_argument("notes", type=Path)
    drawing.add_argument("picture", type=Path)
    drawing.add_argument("--stack", required=True, help="its state tells what needs what")
    given = parser.parse_args()
    match given.command:
        case "record":
            # An interrupt is for the engine, which goes on telling what it does.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            record(sys.stdin.buffer, given.notes)
            return 0
        case "waterfall":
            return _draw(given.notes, given.picture, given.stack)
        case _:
            return _run(short=given.short)


def _draw(notes: Path, picture: Path, stack: str) -> int:
    from bench import waterfall  # noqa: PLC0415  # `record` is to listen at once

    if not notes.exists():
        sys.exit("no update was noted. Run `make up` first.")
    exported = subprocess.check_output(["pulumi", "stack", "export", "--stack", stack])
    drawn = waterfall.read(notes, json.loads(exported)["deployment"].get("resources") or [])
    picture.write_text(waterfall.svg(drawn, f"Last update of {stack}"), encoding="utf-8")
    print(f"{waterfall.text(drawn)}\nThe same as a picture: {picture}")
    return 0


def _run(*, short: bool) -> int:
    from bench import measures, page, tools, waterfall  # noqa: PLC0415  # as above
    from bench.peers import Workshop  # noqa: PLC0415
    from bench.run import run  # noqa: PLC0415

    context = run("kubectl", "config", "current-context").output.strip()
    if context != "lab":
        sys.exit(f"current context: found {context}, expected lab. Run `make bench`.")
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder), {} if short else tools.build())
        workshop.set_up()
        results = measures.Results(measures.SHORT if short else measures.WHOLE)
        try:
            measures.Bench(workshop, results).measure()
        except KeyboardInterrupt:
            results.failed.append("interrupted: what follows was not measured")
    drawn = results.first
    print(page.verdicts(results), page.tables(results), waterfall.text(drawn), sep="\n")
    failed = bool(results.failed)
    if not short:
        picture = waterfall.svg(drawn, "First update of the procedure's stack")
        PAGE.with_suffix(".svg").write_text(picture, encoding="utf-8")
        text = page.page(results, tools.versions(), waterfall.text(drawn))
        PAGE.write_text(text, encoding="utf-8")
        failed |= not all(line.passes for line in page.judged(results))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
