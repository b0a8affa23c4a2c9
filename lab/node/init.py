"""The node from inside: runs in the namespaces that `lab.node.node` made, as their supervisor.

Makes the surroundings that the components expect without touching the host's, then starts the
components of a plan, each when those it needs are ready, and starts again what ends unexpectedly.
When one keeps ending, the whole node ends: a lab that is half there helps nobody.
"""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

RESTARTS: Final = 3
"""How often in a row a component is started again before the node gives up."""

BACK_OFF: Final = 0.5
"""Seconds before the first start again, and that much more before each further one."""

_STEADY: Final = 60.0
"""Seconds after which a component that ends counts as one that had been running well."""

_POLL: Final = 0.05
_POLL_LIMIT: Final = 5.0
_READY_LIMIT: Final = 120.0
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
    ready: str = ""
    """What answers when it is ready: a URL or the path of a socket. Empty: at once."""


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
    needs: Sequence[str]
    """Folders that must stay visible at their paths, which have no symbolic link in them."""
    places: dict[str, str]
    """Folders to be seen at other paths too, by those paths: the path of a socket must be short."""
    logs: str
    """Folder of the components' log files."""
    environment: dict[str, str]
    components: Sequence[Component]

    def write(self, path: Path) -> None:
        """Write the plan where `read` finds it."""
        path.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """The plan in the file `path`."""
        fields = json.loads(path.read_text())
        components = [Component(**component) for component in fields.pop("components")]
        return cls(**fields, components=components)


class Supervisor:
    """Runs the components of a plan, each in a thread that watches it."""

    def __init__(self, plan: Plan) -> None:
        """Nothing is started yet."""
        self._plan = plan
        self._ready = {component.name: threading.Event() for component in plan.components}

    def run(self) -> None:
        """Run until a component cannot be kept running."""
        threads = [
            threading.Thread(target=self._guard, args=[component])
            for component in self._plan.components
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guard(self, component: Component) -> None:
        """Keep a component running; end the node when that cannot be done, for whatever reason."""
        try:
            self._keep(component)
            log(f"the node ends: {component.name} does not keep running; read its log")
        except Exception:  # noqa: BLE001  # an unseen end leaves half a node
            log(f"the node ends: {component.name} cannot be watched\n{traceback.format_exc()}")
        os._exit(1)

    def _keep(self, component: Component) -> None:
        for name in component.after:
            self._ready[name].wait()
        failures = 0
        while failures <= RESTARTS:
            if failures:
                log(f"{component.name} is started again, {failures} of {RESTARTS}")
                time.sleep(BACK_OFF * failures)
            started = time.monotonic()
            log(f"{component.name} ended with status {self._run(component)}")
            failures = 1 if time.monotonic() - started > _STEADY else failures + 1

    def _run(self, component: Component) -> int:
        """Run a component until it ends, and return its status."""
        with self._log(component).open("ab") as output:
            process = subprocess.Popen(
                component.command,
                env=os.environ | self._plan.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if self._await_ready(component, process):
            self._ready[component.name].set()
        return process.wait()

    def _await_ready(self, component: Component, process: subprocess.Popen[bytes]) -> bool:
        started = time.monotonic()
        while process.poll() is None:
            elapsed = time.monotonic() - started
            if self._answers(component.ready):
                log(f"{component.name} was ready after {elapsed:.1f} s")
                return True
            if elapsed > _READY_LIMIT:
                log(f"{component.name} did not answer at {component.ready} within {elapsed:.0f} s")
                process.kill()
                return False
            time.sleep(_POLL)
        return False

    def _answers(self, probe: str) -> bool:
        if not probe:
            return True
        try:
            if probe.startswith("/"):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(probe)
                return True
            trust = ssl.create_default_context(cafile=self._plan.authority)
            with urllib.request.urlopen(probe, timeout=_POLL_LIMIT, context=trust) as response:  # noqa: S310  # the plan's
                return bool(response.status == 200)
        except (OSError, http.client.HTTPException):
            return False

    def _log(self, component: Component) -> Path:
        return Path(self._plan.logs, f"{component.name}.log")


def make_private(plan: Plan) -> None:
    """Hide the parts of the file system that components would change for the whole host."""
    kept = {
        need: os.open(need, os.O_PATH)
        for need in plan.needs
        if any(Path(need).is_relative_to(Path(folder).resolve()) for folder in _PRIVATE)
    }
    for folder in _PRIVATE:
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
    for path, descriptor in kept.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        source = f"/proc/self/fd/{descriptor}"
        _mount("--no-canonicalize", "--rbind", source, path, descriptors=[descriptor])
        os.close(descriptor)
    Path("/var/run").symlink_to("/run")
    for folder in ("/run/lock", "/run/netns", "/var/lib", "/var/log", "/var/tmp"):  # noqa: S108  # the node's own
        Path(folder).mkdir(parents=True, exist_ok=True)
    for path, folder in plan.places.items():
        Path(path).mkdir(parents=True)
        _mount("--bind", folder, path)
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


def log(message: str) -> None:
    """Write a line to the node's own log."""
    print(time.strftime("%H:%M:%S"), message, flush=True)  # noqa: T201  # the log is its output


def _mount(*arguments: str, descriptors: Sequence[int] = ()) -> None:
    _run("mount", "--no-mtab", *arguments, descriptors=descriptors)


def _run(*command: str, descriptors: Sequence[int] = ()) -> None:
    subprocess.run(command, check=True, pass_fds=descriptors)


def main() -> None:
    """Run the node; the only argument is the path of its plan."""
    plan = Plan.read(Path(sys.argv[1]))
    make_private(plan)
    connect(plan)
    Supervisor(plan).run()


if __name__ == "__main__":
    main()
