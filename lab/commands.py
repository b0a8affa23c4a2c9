"""What the lab's commands do."""
# ruff: noqa: T201  # what they find out is for people to read

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lab import versions
from lab.build import artifacts, go, pulumi
from lab.build.cache import Cache
from lab.build.progress import Steps, duration
from lab.errors import LabError
from lab.node import addons, cgroups, control_plane, image_store, node, requirements
from lab.node.init import Plan
from lab.node.state import ADDRESSES, REGISTRY, Record, Slot, State

WITHOUT = "none"
"""What is asked for, and printed, where a lab has no ztunnel."""

WITHOUT_ZTUNNEL = """\
No ztunnel was given (--ztunnel PATH or LAB_ZTUNNEL), so this lab is not the whole mesh. Ingress
gateways reach waypoints through real HBONE with mesh certificates, but gateways and waypoints
reach pods in plaintext. A client that calls a Service directly bypasses its waypoint, and
AuthorizationPolicies that ztunnel would enforce have no effect."""


BOTH = "IPv4, IPv6"
"""The address families of a lab that was asked to be dual stack."""


def up(ztunnel: str | None, *, dual_stack: bool = False) -> None:
    """Start the lab, or go on with one whose start was interrupted.

    `ztunnel` is the path of one, or `none`; None keeps what a lab of this state folder had. With
    `dual_stack` it has IPv6 too, as it then does until its `down`.
    """
    state = State.of_environment()
    with state.locked():
        slot, record = _running(state), state.record()
        had = record.versions.get("address families") if record else None
        families = BOTH if dual_stack else had or "IPv4"
        wanted = _ztunnel(ztunnel, record)
        if slot and record:
            _require_same(record, wanted, families)
            if record.ready and addons.Cluster(state, slot).answers():
                print(f"the lab runs already\n{_addresses(state, slot)}")
                return
        _start(state, slot, wanted, families)


def down() -> None:
    """End the lab and remove everything of it; also what a crash left."""
    state = State.of_environment()
    with state.locked():
        if slot := state.slot():
            node.end(slot)
        shutil.rmtree(state.root)
        with suppress(OSError):  # there never was one, or other labs are registered
            REGISTRY.rmdir()
    print("the lab is down" if slot else "no lab was running")


def status() -> None:
    """Print what runs; raise `LabError` when nothing does."""
    state, slot, record = _require_running()
    running = {process.program: process for process in node.processes(slot)}
    print(f"{'COMPONENT':<26}{'PID':>8}{'UPTIME':>14}{'MEMORY':>10}")
    for component in Plan.read(state.node / "plan.json").components:
        if process := running.get(component.name):
            uptime, memory = duration(process.uptime), f"{process.memory >> 20} MiB"
            print(f"{component.name:<26}{process.pid:>8}{uptime:>14}{memory:>10}")
        else:
            print(f"{component.name:<26}{'-':>8}{'does not run':>14}")
    print(f"all memory, pods included: {cgroups.memory(slot.name) >> 20} MiB")
    for name, version in record.versions.items():
        print(f"{name}: {version}")
    print(_addresses(state, slot))
    if not record.ready:
        raise LabError("its start did not come to an end. Run `python -m lab up` to go on.")


def env() -> None:
    """Print the exports with which plain pulumi, kubectl and istioctl work on the lab."""
    state, _, record = _require_running()
    print("\n".join(exports(state, record)))


def exports(state: State, record: Record) -> list[str]:
    """The lines that `env` prints."""
    variables = {
        "KUBECONFIG": str(state.kubeconfig),
        "PULUMI_HOME": str(state.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{state.backend}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f'export PATH={shlex.quote(":".join(record.programs))}:"$PATH"')
    proxies = ("NO_PROXY", "no_proxy")
    lines += [f'export {name}="${{{name}:+${name},}}{ADDRESSES}"' for name in proxies]
    return lines


def exec_in_node(program: Sequence[str]) -> None:
    """Become `program`, run in the node's namespaces with the components' environment."""
    words = list(program[1:] if program[:1] == ["--"] else program)
    if not words:
        raise LabError("exec: no program was named. Try `python -m lab exec -- ip address`.")
    state, slot, _ = _require_running()
    plan = Plan.read(state.node / "plan.json")
    node.enter(slot, words, os.environ | plan.environment | {"KUBECONFIG": str(state.kubeconfig)})


def logs(component: str | None, *, previous: bool, follow: bool) -> None:
    """Become `tail` on all of one component's log, or on the end of each."""
    state = State.of_environment()
    folder = state.previous_logs if previous else state.logs
    known = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not known:
        raise LabError(f"{folder}: there are no logs. Run `python -m lab up`.")
    if component is not None and component not in known:
        raise LabError(f"{component}: no such log; there are {', '.join(known)}.")
    files = [known[component]] if component else list(known.values())
    lines = "+1" if component else "10"
    os.execvp("tail", ["tail", *(["-F"] if follow else []), "-n", lines, *map(str, files)])  # noqa: S606  # no shell


def _ztunnel(asked: str | None, record: Record | None) -> str:
    """Path of the ztunnel that the lab is to have, or `none`."""
    if asked:
        return asked if asked == WITHOUT else str(Path(asked).resolve())
    return record.versions["ztunnel"] if record else WITHOUT


def _start(state: State, slot: Slot | None, ztunnel: str, families: str) -> None:
    program = None if ztunnel == WITHOUT else Path(ztunnel)
    if program and not program.is_file():
        raise LabError(
            f"ztunnel: there is no file {ztunnel}. Give the path of a ztunnel, or `none`. If a "
            "former lab had it, `python -m lab down` makes this one forget it."
        )
    dual_stack = families == BOTH
    requirements.check(dual_stack=dual_stack)
    steps = Steps()
    if not program:
        steps.note(WITHOUT_ZTUNNEL)
    if not slot:
        _clear(steps, state)
    with go.caches(Cache()):
        built = artifacts.prepare(steps, program)
        images = image_store.prepare(steps, built)
        tools = pulumi.find(steps, state.pulumi_home)
    slot = slot or _start_node(state, built, images, dual_stack=dual_stack)
    found = {"Pulumi CLI": tools.cli, "Pulumi's Kubernetes provider": tools.provider}
    folders = filter(None, [Path(sys.prefix, "bin"), tools.folder, built.bin])
    record = Record(_versions(ztunnel, families) | found, [*map(str, folders)])
    state.write(record)
    state.backend.mkdir(exist_ok=True)
    ambient = program is not None
    addons.install(steps, state, slot, built, ambient=ambient, dual_stack=dual_stack)
    state.write(replace(record, ready=True))
    print(f"the lab is up\n{_addresses(state, slot)}")
    for name, version in found.items():
        print(f"{name}: {version}")


def _clear(steps: Steps, state: State) -> None:
    """Remove what a lab without a `down` left: it ended with its node, its stacks with it."""
    if left := state.slot():
        steps.note(
            "a lab that ended without `down` is replaced, its Pulumi stacks too; "
            "`python -m lab logs --previous` has its logs"
        )
        node.end(left)
    state.clear()


def _start_node(
    state: State, built: artifacts.Artifacts, images: Path, *, dual_stack: bool
) -> Slot:
    state.logs.mkdir()
    slot = state.claim()
    control_plane.prepare(state, slot, built, dual_stack=dual_stack)
    image_store.place(images, state.node / control_plane.CONTAINERD)
    node.start(state, slot, built)
    return slot


def _running(state: State) -> Slot | None:
    slot = state.slot()
    return slot if slot and node.runs(slot) else None


def _require_running() -> tuple[State, Slot, Record]:
    state = State.of_environment()
    slot, record = _running(state), state.record()
    if not slot or not record:
        raise LabError(f"no lab runs with the state folder {state.root}. Run `python -m lab up`.")
    return state, slot, record


def _require_same(record: Record, ztunnel: str, families: str) -> None:
    """Raise `LabError` where the lab that runs is not the one that is asked for."""
    changed = [
        f"{name} is {record.versions.get(name, 'absent')}, wanted {version}"
        for name, version in _versions(ztunnel, families).items()
        if record.versions.get(name) != version
    ]
    if changed:
        raise LabError(
            f"the lab that runs differs: {'; '.join(changed)}. "
            "Run `python -m lab down`, then `python -m lab up`."
        )


def _versions(ztunnel: str, families: str) -> dict[str, str]:
    return {
        "Kubernetes": versions.KUBERNETES,
        "Istio": versions.ISTIO,
        "Envoy": versions.ENVOY,
        "Gateway API": versions.GATEWAY_API,
        "MetalLB": versions.METALLB,
        "CoreDNS": versions.COREDNS,
        "etcd": versions.ETCD,
        "ztunnel": ztunnel,
        "address families": families,
    }


def _addresses(state: State, slot: Slot) -> str:
    pools = [str(slot.pool)]
    if (record := state.record()) and record.versions.get("address families") == BOTH:
        pools.append(f"{slot.pool6}, reached by pods alone")
    return (
        f"API server: https://{slot.node}:{node.PORT}, kubeconfig {state.kubeconfig}\n"
        f"LoadBalancer addresses: {', '.join(pools)}"
    )
