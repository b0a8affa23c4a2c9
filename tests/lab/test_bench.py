"""Each measure runs, at the smallest sizes; only whole runs judge times."""

import sys

from tests.lab.conftest import Lab, plain, run


@plain
def test_every_measure_runs(lab: Lab) -> None:
    printed = run(sys.executable, "-m", "bench", "run", "--short", env=lab.env, limit=900)
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith("| ")]
    measured = [row[0] for row in rows if " s: " in row[2]]
    assert measured == [
        "| first answers",
        "| first answers",
        "| preview, refreshed",
        "| preview, from the state",
        "| update, refreshed",
        "| update, from the state",
        "| a route changed",
        "| destroyed",
        "| 2 exposures: first answers",
    ]
    assert "| 2 | this project, state written once |" in printed
    assert "critical path, " in printed
    assert lab.kubectl("get", "namespaces", "httpbin", "curl", "--ignore-not-found") == ""
