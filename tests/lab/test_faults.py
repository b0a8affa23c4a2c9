"""Each fault runs for one short round, and nothing is lost; whole runs take more of them."""

import re
import sys

from faults.rounds import FAULTS
from tests.lab.conftest import Lab, plain, run


@plain
def test_every_fault_is_borne(lab: Lab) -> None:
    printed = run(sys.executable, "-m", "faults", "--short", env=lab.env, limit=900)
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines() if "| 1 | " in line]
    short = [(one.title, "pass") for one in FAULTS.values() if not one.short]
    assert [(row[0], row[-1]) for row in rows] == short
    assert re.match(r"seed \d+\n", printed)
    assert lab.kubectl("get", "namespaces", "httpbin", "curl", "--ignore-not-found") == ""
