"""The examples: with other numbers of things at a time, and one that is updated over and over."""

import json
from typing import Any

from faults.load import Load
from faults.site import ROOT, FallsShortError, Site, Stack, all_answered

_PARALLEL = {
    "procedure": {},
    "two-services": {},
    "https": {},
    "canary": {"weight": 10},
}
"""Those that stand by themselves, with what their configuration needs."""


def parallel(site: Site) -> str:
    """One thing at a time, and sixty-four."""
    if site.short:
        site.created()
        done = None
        for number in ("1", "64"):
            site.change()
            done = site.stack.up("--parallel", number).well()
        site.converges(done)
        return "the procedure's stack"
    site.destroyed()
    for name, config in _PARALLEL.items():
        stack = example(site, name, **config)
        made = [_outcome(site, stack, number) for number in ("1", "64")]
        if made[0] != made[1]:
            raise FallsShortError(f"{name}: {made[0]} with --parallel 1, {made[1]} with 64")
    return ", ".join(_PARALLEL)


def example(site: Site, name: str, **config: Any) -> Stack:
    """A stack of an example."""
    site.number += 1
    stack = Stack(site.folder / f"{name}-{site.number}", "faults", ROOT / "examples" / name)
    stack.write({f"{name}:{key}": value for key, value in {"context": "lab", **config}.items()})
    return stack


def _outcome(site: Site, stack: Stack, number: str) -> tuple[object, object]:
    stack.up("--parallel", number).well()
    outputs = json.loads(stack.pulumi("stack", "output", "--json").well().output)
    made = {(one["type"], one["urn"]) for one in stack.resources()}
    stack.destroy("--parallel", number).well()
    site.until(site.marked, lambda found: not found, "destroyed, and left in the cluster")
    # Its certificate is another one each time.
    return made, {key: value for key, value in outputs.items() if "certificate" not in key.lower()}


def canary(site: Site) -> str:
    """The canary's share is changed over and over, under load."""
    site.destroyed()
    stack = example(site, "canary", weight=10)
    stack.up().well()
    updates = 20
    with Load(site.address(), "httpbin.example.com", "/hostname") as load:
        for number in range(updates):
            weight = site.random.choice([0, 10, 50, 90, 100])
            stack.write({"canary:context": "lab", "canary:weight": weight})
            done = stack.up()
            if done.status:
                raise FallsShortError(f"update {number}: {load.told()}\n{done.output}")
    stack.destroy().well()
    return f"{updates} updates: {all_answered(load)}"
