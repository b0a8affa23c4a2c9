"""`python -m faults`: break things on the lab of the environment, round by round."""
# ruff: noqa: T201  # what was found is for people to read

import argparse
import random
import sys
import tempfile
from pathlib import Path

from bench.run import run as program
from faults import page
from faults.rounds import FAULTS, Results, run
from faults.site import FallsShortError, Site

PAGE = Path(__file__).parents[1] / "docs" / "robustness.md"


def main() -> int:
    """Do what the command line says; 1 where something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each fault (default 5)")
    parser.add_argument("--seed", type=int, help="makes the same choices again (default: any)")
    parser.add_argument("--minutes", type=float, default=45, help="for all (default 45)")
    parser.add_argument("--fault", action="append", choices=[*FAULTS], help="this one alone")
    parser.add_argument("--short", action="store_true", help="one short round of each")
    given = parser.parse_args()
    context = program("kubectl", "config", "current-context").output.strip()
    if context != "lab":
        sys.exit(f"current context: found {context}, expected lab. Run `make faults`.")
    seed = random.SystemRandom().randrange(1 << 30) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    all_of = [name for name, fault in FAULTS.items() if not (given.short and fault.short)]
    names, rounds = given.fault or all_of, 1 if given.short else given.rounds
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), short=given.short)
        results = run(site, names, rounds, seed, given.minutes)
        left = _left(site)
    print(page.verdicts(results), page.seen(results), sep="\n")
    for name, result in results.items():
        for failed in result.failed:
            print(f"{name}: {failed}\n")
    if left:
        print(left)
    if not (given.short or given.fault):
        PAGE.write_text(page.page(results, seed), encoding="utf-8")
    return int(bool(left) or not _all_pass(results))


def _all_pass(results: Results) -> bool:
    return all(page.passes(result) for result in results.values())


def _left(site: Site) -> str:
    """What the last `destroy` leaves."""
    site.reset()
    try:
        site.destroyed()
    except FallsShortError as error:
        site.clear()
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main())
