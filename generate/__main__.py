"""Makes files of this project anew; with `--check` only compares them."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from generate.modules import ModuleError


def main() -> int:
    """Make what the command line names; 1 where a file differs that was only to be compared."""
    parser = argparse.ArgumentParser(prog="python -m generate", description=__doc__)
    parser.add_argument(
        "what",
        choices=["api", "reference", "rights"],
        help="types and limits of other projects' APIs; docs/reference.md, of the docstrings; or"
        " the roles in rbac/, of what components make and read",
    )
    parser.add_argument("--check", action="store_true", help="fail where a file is not up to date")
    given = parser.parse_args()
    try:
        # Only the one that is named: the reference imports what the other makes.
        made: dict[Path, str] = import_module(f"generate.{given.what}").files()
    except (ModuleError, FileNotFoundError) as error:
        sys.exit(f"{error}; needed: go and the Go module proxy")
    outdated = [
        file for file, text in made.items() if not file.exists() or file.read_text() != text
    ]
    for file in () if given.check else outdated:
        file.write_text(made[file], encoding="utf-8")
    what = "not up to date" if given.check else "made anew"
    print(f"{what}: {', '.join(file.name for file in outdated) or 'nothing'}")  # noqa: T201
    return int(given.check and bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
