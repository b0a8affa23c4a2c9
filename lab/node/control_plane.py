"""The node's plan: configuration and command lines of every component, from `configuration/`.

The network of pods there is routed: what a bridge passes on reaches kube-proxy's rules only with a
kernel module that the lab would have to load for the whole host.
"""

import json
import sys
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from string import Template
from typing import Final

import yaml

from lab import versions
from lab.build.artifacts import Artifacts
from lab.node.init import Component, Plan
from lab.node.node import NODE, PORT, SERVICES, SERVICES6
from lab.node.pki import write_credentials
from lab.node.state import CHECKOUT, Slot, State

PODS: Final = IPv4Network("10.244.0.0/16")
"""Addresses of pods."""

PODS6: Final = IPv6Network("fd00:10:244::/56")
"""The same of IPv6."""

DNS: Final = SERVICES[10]
"""Address of the cluster's DNS Service."""

CONTAINERD: Final = "containerd"
"""Where containerd keeps images, in the node's folder."""

_CONFIGURATION: Final = Path(__file__).with_name("configuration")
"""Files for the node's folder, at the same paths there, with placeholders."""

_KUBELET: Final = "/var/lib/kubelet"
"""Where the kubelet sees its folder: the path of a socket must be short."""


def prepare(state: State, slot: Slot, artifacts: Artifacts, *, dual_stack: bool = False) -> Plan:
    """Write everything the components read, and the plan for `lab.node.init`; return the plan.

    With `dual_stack` node, pods and Services have addresses of IPv6 too, behind those of IPv4.
    Images are not its concern: they are in `CONTAINERD` of the node's folder before it starts.
    """
    for folder in ("cni/bin", "cni/net.d", "kubelet"):
        (state.node / folder).mkdir(parents=True, exist_ok=True)
    state.node.chmod(0o700)
    write_credentials(state, slot)
    # A folder of the lab's own, to which istio-cni adds its plugin.
    for plugin in (artifacts.debian / "usr/lib/cni").iterdir():
        (state.node / "cni/bin" / plugin.name).symlink_to(plugin)
    _configure(state, slot, artifacts, dual_stack=dual_stack)
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
        address6=f"{slot.node6}/{slot.link6.prefixlen}" if dual_stack else "",
        services6=str(SERVICES6) if dual_stack else "",
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


def _configure(state: State, slot: Slot, artifacts: Artifacts, *, dual_stack: bool) -> None:
    families = 2 if dual_stack else 1
    pods_of_node = [next(PODS.subnets(new_prefix=24)), next(PODS6.subnets(new_prefix=64))]
    everywhere = ["0.0.0.0/0", "::/0"]
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
        "node_addresses": _listed([slot.node, slot.node6][:families]),
        "pki": state.node / "pki",
        "pod_ranges": json.dumps([[{"subnet": str(pods)}] for pods in pods_of_node[:families]]),
        "pod_routes": json.dumps([{"dst": network} for network in everywhere[:families]]),
        "pods": _listed([PODS, PODS6][:families]),
        "port": PORT,
        "programs": artifacts.bin,
        "services": _listed([SERVICES, SERVICES6][:families]),
    }
    for file in _CONFIGURATION.rglob("*"):
        if file.is_file():
            text = Template(file.read_text()).substitute(vars(versions), **values)
            (state.node / file.relative_to(_CONFIGURATION)).write_text(text)


def _listed(values: Iterable[object]) -> str:
    return ",".join(map(str, values))
