"""Makes files of this project anew; with `--check` only compares them."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from generate.modules import ModuleError


def main() -> int:
    """Make what the command line names; 1 where a file differs that was only to be compared."""
    parser = argparse.ArgumentParser(prog="python -m generate", description=__doc__)
    parser.add_argument(
        "what",
        choices=["api", "reference"],
        help="types and limits of other projects' APIs; or docs/reference.md, of the docstrings",
    )
    parser.add_argument("--check", action="store_true", help="fail where a file is not up to date")
    given = parser.parse_args()
    outdated = []
    for target, make in (_apis() if given.what == "api" else _reference()).items():
        try:
            text = make()
        except (ModuleError, FileNotFoundError) as error:
            sys.exit(f"{error}; needed: go and the Go module proxy")
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            outdated.append(target.name)
            if not given.check:
                target.write_text(text, encoding="utf-8")
    what = "not up to date" if given.check else "made anew"
    sys.stdout.write(f"{what}: {', '.join(outdated) or 'nothing'}\n")
    return int(given.check and bool(outdated))


def _apis() -> dict[Path, Callable[[], str]]:
    from generate.api import APIS  # noqa: PLC0415  # the reference needs nothing of it

    return {api.target: api.text for api in APIS}


def _reference() -> dict[Path, Callable[[], str]]:
    # It imports what the other command makes, which may be missing or wrong.
    from generate import reference  # noqa: PLC0415  # as said

    return {reference.PAGE: reference.page}


if __name__ == "__main__":
    sys.exit(main())
