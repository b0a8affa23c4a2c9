"""The node from inside: runs in the namespaces that `lab.node.node` made, as their supervisor.

Makes the surroundings that the components expect without touching the host's, then starts the
components of a plan, each when those it needs are ready, and starts again what ends unexpectedly.
When one keeps ending, the whole node ends: a lab that is half there helps nobody.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final

RESTARTS: Final = 5
"""How often a component is started again before the node gives up, unless it ran for long."""

STEADY: Final = 20.0
"""Seconds after which a component that ends has not been failing."""

BACK_OFF: Final = 0.5
"""Seconds before the first start again, and that much more before each further one."""

_POLL: Final = 0.05
_POLL_LIMIT: Final = 5.0
_CONNECT_LIMIT: Final = 10.0

_PRIVATE: Final = ("/run", "/var")
"""Folders where components write at paths of their own choice: empty ones take their place."""

_SYSCTLS: Final = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet sets for the whole machine, where it finds other values."""


@dataclass(frozen=True)
class Component:
    """One program of the node."""

    name: str
    """Names its log file too."""
    command: Sequence[str]
    after: Sequence[str] = ()
    """The components that must be ready before it starts."""
    ready: str = "/"
    """What tells that it is ready: a URL that answers, or a path that is there; at once if `/`."""


@dataclass(frozen=True)
class Plan:
    """All that the node's supervisor must know."""

    address: str
    """Address and prefix length of the node on the link to the host."""
    gateway: str
    """The host's address on the link."""
    authority: str
    """File of the certificate that the components' own are checked against."""
    services: str
    """Network of the Services' addresses."""
    places: dict[str, str]
    """Folders that are to be seen in `/run` and `/var`, by their paths there, in which
    is no symbolic link; other paths are left as they are."""
    logs: str
    """Folder of the components' log files."""
    environment: dict[str, str]
    components: Sequence[Component]
    address6: str = ""
    """The node's address of IPv6 with its prefix length; empty where the lab has none."""
    services6: str = ""
    """Network of the Services' addresses of IPv6."""

    def write(self, path: Path) -> None:
        """Write the plan where `read` finds it."""
        path.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """The plan in the file `path`."""
        fields = json.loads(path.read_text())
        components = [Component(**component) for component in fields.pop("components")]
        return cls(**fields, components=components)


def supervise(plan: Plan) -> None:
    """Run the components until one of them cannot be kept running."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    ready: set[str] = set()
    ends: Counter[str] = Counter()
    started: dict[str, float] = {}
    while True:
        for component in plan.components:
            name = component.name
            if name not in running:
                if ready.issuperset(component.after):
                    running[name] = _start(component, plan)
                    started[name] = time.monotonic()
            elif (status := running[name].poll()) is not None:
                log(f"{name} ended with status {status}")
                del running[name]
                if time.monotonic() - started[name] > STEADY:
                    ends[name] = 0
                ends[name] += 1
                if ends[name] > RESTARTS:
                    log(f"the node ends: {name} does not keep running; read its log")
                    return
                time.sleep(BACK_OFF * ends[name])
            elif name not in ready and _answers(component.ready, plan):
                log(f"{name} is ready")
                ready.add(name)
        time.sleep(_POLL)


def _start(component: Component, plan: Plan) -> subprocess.Popen[bytes]:
    with Path(plan.logs, f"{component.name}.log").open("ab") as output:
        return subprocess.Popen(
            component.command,
            env=os.environ | plan.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _answers(probe: str, plan: Plan) -> bool:
    if probe.startswith("/"):
        return Path(probe).exists()
    with suppress(OSError, HTTPException):
        trust = ssl.create_default_context(cafile=plan.authority)
        urllib.request.urlopen(probe, timeout=_POLL_LIMIT, context=trust).close()  # noqa: S310  # the plan's
        return True
    return False


def make_private(plan: Plan) -> None:
    """Hide the parts of the file system that components would change for the whole host."""
    kept = {
        path: os.open(folder, os.O_PATH)
        for path, folder in plan.places.items()
        if any(Path(path).is_relative_to(Path(hidden).resolve()) for hidden in _PRIVATE)
    }
    for folder in _PRIVATE:
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    for path, descriptor in kept.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount("--no-canonicalize", "--rbind", f"/proc/{os.getpid()}/fd/{descriptor}", path)
        os.close(descriptor)
    Path("/var/run").symlink_to("/run")
    for folder in ("/run/lock", "/run/netns", "/var/lib", "/var/log", "/var/tmp"):  # noqa: S108  # the node's own
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name, value in _SYSCTLS.items():
        stand_in = Path("/run/sysctl", name)
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text(value)
        _mount("--bind", str(stand_in), f"/proc/sys/{name}")
    # Pods with mount propagation, istio-cni's among them, want the node's tree to be shared.
    _mount("--make-rshared", "/")


def connect(plan: Plan) -> None:
    """Give the node its address on the link, and a way to the addresses of Services.

    There is no default route: what is looked for outside the lab fails at once. Addresses of
    Services need a route before kube-proxy's rules are consulted.
    """
    deadline = time.monotonic() + _CONNECT_LIMIT
    while not any(name == "eth0" for _, name in socket.if_nameindex()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the host did not connect the node within {_CONNECT_LIMIT:.0f} s")
        time.sleep(_POLL)
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "address", "add", plan.address, "dev", "eth0")
    _run("ip", "link", "set", "eth0", "up")
    _run("ip", "route", "add", plan.services, "via", plan.gateway, "dev", "eth0")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    if plan.address6:
        _run("ip", "-6", "address", "add", plan.address6, "dev", "eth0", "nodad")
        _run("ip", "-6", "route", "add", plan.services6, "dev", "eth0")
        Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")


def log(message: str) -> None:
    """Write a line to the node's own log."""
    print(time.strftime("%H:%M:%S"), message, flush=True)  # noqa: T201  # the log is its output


def _mount(*arguments: str) -> None:
    _run("mount", "--no-mtab", *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Run the node; the only argument is the path of its plan."""
    plan = Plan.read(Path(sys.argv[1]))
    make_private(plan)
    connect(plan)
    supervise(plan)


if __name__ == "__main__":
    main()
