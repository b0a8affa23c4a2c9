"""The faults, and their rounds: in turns, within a time, each from a seed of its own."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.run import FailedError
from faults import engine, examples, objects, outages, proxies
from faults.site import FallsShortError, Site


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    title: str
    holds: str
    """What must hold."""
    round: Callable[[Site], str]
    """Breaks once, and returns what was seen; raises where it falls short."""
    short: str = ""
    """The test of the lab that is its short round, where there is one."""


FAULTS: Mapping[str, Fault] = {
    "engine-killed": Fault(
        "the engine killed at any moment (SIGKILL, SIGINT, SIGTERM)",
        "`recover`, then `up` or `destroy` goes on; nothing orphaned",
        engine.killed,
        short="lab/test_ownership.py::test_after_a_killed_update_one_command_leads_on",
    ),
    "api-unreachable": Fault(
        "API server unreachable for 30 s",
        "the update survives or fails with a message, the next one converges",
        outages.api_unreachable,
    ),
    "proxy-killed": Fault(
        "pod of gateway or waypoint killed under load",
        "serves again within 30 s",
        proxies.killed,
    ),
    "api-killed": Fault(
        "API server killed",
        "the update survives or fails with a message, the next one converges",
        outages.api_killed,
    ),
    "istiod-down": Fault(
        "istiod away during an update",
        "fails in time, names Gateway, condition and istiod; converges when it is back",
        outages.istiod_down,
    ),
    "proxy-evicted": Fault(
        "gateway and waypoint evicted and rolled out with two replicas and a disruption budget, the"
        " workload rolled out with a `preStop`",
        "no failed request",
        proxies.evicted,
    ),
    "mesh-moves": Fault(
        "newer CRDs, istiod restarted, another revision, under load",
        "no failed request, nothing left to change",
        outages.mesh_moves,
    ),
    "node-restart": Fault(
        "every process of the node killed",
        "everything serves again without an update",
        outages.node_restart,
    ),
    "at-once": Fault(
        "one stack updated twice at once, two stacks that claim the same",
        "one goes through, the other is told; neither is damaged",
        engine.at_once,
    ),
    "state": Fault(
        "disk full, state cut off, wrong passphrase",
        "a message; the last good state is unchanged",
        engine.state,
    ),
    "refused": Fault(
        "no such image, CrashLoop, quota, webhooks, no load balancer, no addresses left",
        "fails in time with the pod's or the object's own reason; what served goes on serving",
        objects.refused,
    ),
    "edited": Fault(
        "objects edited or deleted by somebody else during an update",
        "put right, or refused by the name of who has the field; never silently",
        objects.edited,
    ),
    "parallel": Fault(
        "`--parallel 1` and `--parallel 64` of the examples that stand by themselves",
        "the same result",
        examples.parallel,
    ),
    "canary": Fault(
        "the canary example updated 20 times a round, under load",
        "no failed request",
        examples.canary,
        short="lab/test_examples.py::test_a_canary_gets_its_share",
    ),
    "secrets": Fault(
        "TLS keys, kubeconfig, tokens in checks and environment",
        "never in plain text in state, outputs, previews, reports",
        objects.secret,
    ),
    "fuzz": Fault(
        "2,000 configurations and route tables of any kind a round",
        "never a traceback, never an object that was not announced",
        engine.fuzzed,
    ),
}


@dataclass
class Result:
    """What came of a fault's rounds."""

    seen: list[str] = field(default_factory=list)
    """Of each round that held."""
    failed: list[str] = field(default_factory=list)
    """Of each that fell short: its number, and why."""


Results = dict[str, Result]


def run(site: Site, names: Sequence[str], rounds: int, seed: int, minutes: float) -> Results:
    """Run rounds of faults in turns; none begins after so many minutes but the first of each."""
    results = {name: Result() for name in names}
    end = time.monotonic() + 60 * minutes
    for number in range(rounds):
        for name in names:
            if number and time.monotonic() > end:
                return results
            _round(site, name, f"{seed}/{name}/{number}", results[name])
    return results


def _round(site: Site, name: str, seed: str, result: Result) -> None:
    site.random.seed(seed)
    began = time.monotonic()
    try:
        seen = FAULTS[name].round(site)
        result.seen.append(seen)
    except Exception as error:  # noqa: BLE001  # whatever it is, the others go on
        known = isinstance(error, FallsShortError | FailedError)
        seen = f"FALLS SHORT: {error if known else repr(error)}"
        result.failed.append(f"round {seed}: {error if known else repr(error)}")
        site.clear()
    line = f"{time.strftime('%H:%M:%S')} {seed} ({time.monotonic() - began:.0f} s): {seen}"
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # for who waits
