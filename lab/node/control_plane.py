"""The node's plan: configuration and command lines of every component, from `configuration/`.

The network of pods there is routed: what a bridge passes on reaches kube-proxy's rules only with a
kernel module that the lab would have to load for the whole host.
"""

import sys
from ipaddress import IPv4Network
from pathlib import Path
from string import Template
from typing import Final

import yaml

from lab import versions
from lab.build.artifacts import Artifacts
from lab.node.init import Component, Plan
from lab.node.node import NODE, PORT, SERVICES
from lab.node.pki import write_credentials
from lab.node.state import CHECKOUT, Slot, State

PODS: Final = IPv4Network("10.244.0.0/16")
"""Addresses of pods."""

DNS: Final = SERVICES[10]
"""Address of the cluster's DNS Service."""

CONTAINERD: Final = "containerd"
"""Where containerd keeps images, in the node's folder."""

_CONFIGURATION: Final = Path(__file__).with_name("configuration")
"""Files for the node's folder, at the same paths there, with placeholders."""

_KUBELET: Final = "/var/lib/kubelet"
"""Where the kubelet sees its folder: the path of a socket must be short."""


def prepare(state: State, slot: Slot, artifacts: Artifacts) -> Plan:
    """Write everything the components read, and the plan for `lab.node.init`; return the plan.

    Images are not its concern: they are in `CONTAINERD` of the node's folder before it starts.
    """
    for folder in ("cni/bin", "cni/net.d", "kubelet"):
        (state.node / folder).mkdir(parents=True, exist_ok=True)
    state.node.chmod(0o700)
    write_credentials(state, slot)
    # A folder of the lab's own, to which istio-cni adds its plugin.
    for plugin in (artifacts.debian / "usr/lib/cni").iterdir():
        (state.node / "cni/bin" / plugin.name).symlink_to(plugin)
    _configure(state, slot, artifacts)
    needs = [artifacts.bin.parent, CHECKOUT, state.root, Path(sys.prefix), Path(sys.base_prefix)]
    places = {str(folder.resolve()): str(folder.resolve()) for folder in needs}
    plan = Plan(
        address=f"{slot.node}/{slot.link.prefixlen}",
        gateway=str(slot.host),
        authority=str(state.node / "pki/ca.crt"),
        services=str(SERVICES),
        places=places | {_KUBELET: str(state.node / "kubelet")},
        logs=str(state.logs),
        environment=environment(artifacts),
        components=[
            Component(**component)
            for component in yaml.safe_load((state.node / "components.yaml").read_text())
        ],
    )
    plan.write(state.node / "plan.json")
    return plan


def environment(artifacts: Artifacts) -> dict[str, str]:
    """What the node's programs find theirs with."""
    debian = artifacts.debian
    folders = [artifacts.bin, debian / "usr/sbin", debian / "usr/bin"]
    host = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    return {
        "PATH": ":".join([*map(str, folders), *host]),
        "LD_LIBRARY_PATH": artifacts.library_path,
        "XTABLES_LIBDIR": artifacts.xtables_path,
    }


def _configure(state: State, slot: Slot, artifacts: Artifacts) -> None:
    values = {
        "address": slot.node,
        "cgroup": slot.name,
        "containerd_socket": "/run/containerd/containerd.sock",
        "debian": artifacts.debian,
        "dns": DNS,
        "kubelet": _KUBELET,
        "logs": state.logs,
        "name": NODE,
        "node": state.node,
        "pki": state.node / "pki",
        "pods": PODS,
        "pods_of_node": next(PODS.subnets(new_prefix=24)),
        "port": PORT,
        "programs": artifacts.bin,
        "services": SERVICES,
    }
    for file in _CONFIGURATION.rglob("*"):
        if file.is_file():
            text = Template(file.read_text()).substitute(vars(versions), **values)
            (state.node / file.relative_to(_CONFIGURATION)).write_text(text)
