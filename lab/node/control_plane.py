"""The node's plan: configuration and command lines of every component."""

import json
import sys
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Final

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

CONTAINERD_SOCKET: Final = "/run/containerd/containerd.sock"

_KUBELET: Final = "/var/lib/kubelet"


def prepare(state: State, slot: Slot, artifacts: Artifacts) -> Plan:
    """Write everything the components read, and the plan for `lab.node.init`; return the plan.

    Images are not its concern: they are in `CONTAINERD` of the node's folder before it starts.
    """
    for folder in ("cni/bin", "cni/net.d", "kubelet"):
        (state.node / folder).mkdir(parents=True, exist_ok=True)
    state.node.chmod(0o700)
    write_credentials(state, slot)
    _link_plugins(state, artifacts)
    for path, content in _configuration(state, slot, artifacts).items():
        (state.node / path).write_text(content)
    plan = Plan(
        address=f"{slot.node}/{slot.link.prefixlen}",
        gateway=str(slot.host),
        authority=str(state.node / "pki/ca.crt"),
        services=str(SERVICES),
        needs=[str(path) for path in _needs(state, artifacts)],
        places={_KUBELET: str(state.node / "kubelet")},
        logs=str(state.logs),
        environment=environment(artifacts),
        components=_components(state, slot, artifacts),
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


def _link_plugins(state: State, artifacts: Artifacts) -> None:
    """Offer the CNI plugins in a folder of the lab's own, to which istio-cni adds its own."""
    for plugin in (artifacts.debian / "usr/lib/cni").iterdir():
        (state.node / "cni/bin" / plugin.name).symlink_to(plugin)


def _needs(state: State, artifacts: Artifacts) -> list[Path]:
    folders = [artifacts.bin.parent, CHECKOUT, state.root, Path(sys.prefix), Path(sys.base_prefix)]
    return [folder.resolve() for folder in folders]


def _configuration(state: State, slot: Slot, artifacts: Artifacts) -> dict[str, str]:
    """File name in the node's folder -> content."""
    return {
        "containerd.toml": _containerd(state, artifacts),
        "kubelet.yaml": yaml.safe_dump(_kubelet(state, slot)),
        "kube-proxy.yaml": yaml.safe_dump(_kube_proxy(state)),
        "cni/net.d/10-lab.conflist": json.dumps(_cni(), indent=2),
        "resolv.conf": f"nameserver {DNS}\n",
    }


def _containerd(state: State, artifacts: Artifacts) -> str:
    # Without restrict_oom_score_adj no container starts where CAP_SYS_RESOURCE is missing.
    return f"""\
version = 2
root = "{state.node}/{CONTAINERD}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
path = "{state.node}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{versions.PAUSE_IMAGE}"
restrict_oom_score_adj = true
disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{state.node}/cni/bin"
conf_dir = "{state.node}/cni/net.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "{artifacts.debian}/usr/sbin/runc"
"""


def _kubelet(state: State, slot: Slot) -> dict[str, Any]:
    pki = state.node / "pki"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/kubelet.crt",
        "tlsPrivateKeyFile": f"{pki}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{slot.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [str(DNS)],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{state.node}/resolv.conf",
        "podLogsDir": f"{state.logs}/pods",
        "volumePluginDir": f"{_KUBELET}/volumeplugins",
        # The disk is the host's: how full it is says nothing about the lab.
        "localStorageCapacityIsolation": False,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"nodefs.available": "0%", "imagefs.available": "0%"},
        "makeIPTablesUtilChains": False,
        "serializeImagePulls": False,
        "shutdownGracePeriod": "0s",
    }


def _kube_proxy(state: State) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{state.node}/kube-proxy.kubeconfig"},
        "mode": "iptables",
        "clusterCIDR": str(PODS),
        "hostnameOverride": NODE,
        # A changed Service is served at once; with so few of them that costs nothing.
        "iptables": {"minSyncPeriod": "100ms"},
        # Zero leaves the kernel's limits, which are the whole host's, as they are.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _cni() -> dict[str, Any]:
    pods = next(PODS.subnets(new_prefix=24))
    return {
        "cniVersion": "1.0.0",
        "name": "lab",
        "plugins": [
            {
                # Routed: what a bridge passes on reaches kube-proxy's rules only with a kernel
                # module that the lab would have to load for the whole host.
                "type": "ptp",
                "ipMasq": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": str(pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _components(state: State, slot: Slot, artifacts: Artifacts) -> list[Component]:
    node, pki, programs = state.node, state.node / "pki", artifacts.bin
    etcd = "http://127.0.0.1:2379"
    containerd = f"{artifacts.debian}/usr/bin/containerd"
    return [
        Component(
            "etcd",
            [
                f"{programs}/etcd",
                f"--data-dir={node}/etcd",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                "--listen-peer-urls=http://127.0.0.1:2380",
                "--unsafe-no-fsync",  # a crashed lab is replaced, never recovered
            ],
        ),
        Component(
            "containerd", [containerd, f"--config={node}/containerd.toml"], ready=CONTAINERD_SOCKET
        ),
        Component(
            "kube-apiserver",
            [
                f"{programs}/kube-apiserver",
                f"--advertise-address={slot.node}",
                f"--secure-port={PORT}",
                f"--etcd-servers={etcd}",
                "--allow-privileged=true",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                f"--service-cluster-ip-range={SERVICES}",
                f"--client-ca-file={pki}/ca.crt",
                f"--tls-cert-file={pki}/kube-apiserver.crt",
                f"--tls-private-key-file={pki}/kube-apiserver.key",
                # No aggregated API uses it, but components look for it and complain without end.
                f"--requestheader-client-ca-file={pki}/ca.crt",
                "--requestheader-allowed-names=front-proxy",
                "--kubelet-preferred-address-types=InternalIP",
                f"--kubelet-certificate-authority={pki}/ca.crt",
                f"--kubelet-client-certificate={pki}/kubelet-client.crt",
                f"--kubelet-client-key={pki}/kubelet-client.key",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                f"--service-account-key-file={pki}/service-accounts.pub",
                f"--service-account-signing-key-file={pki}/service-accounts.key",
            ],
            ready=f"https://127.0.0.1:{PORT}/readyz",
        ),
        Component(
            "kube-controller-manager",
            [
                f"{programs}/kube-controller-manager",
                *_client("kube-controller-manager", node),
                "--leader-elect=false",
                "--use-service-account-credentials",
                "--allocate-node-cidrs",
                f"--cluster-cidr={PODS}",
                f"--service-cluster-ip-range={SERVICES}",
                f"--root-ca-file={pki}/ca.crt",
                f"--service-account-private-key-file={pki}/service-accounts.key",
            ],
            after=["kube-apiserver"],
        ),
        Component(
            "kube-scheduler",
            [
                f"{programs}/kube-scheduler",
                *_client("kube-scheduler", node),
                "--leader-elect=false",
            ],
            after=["kube-apiserver"],
        ),
        Component(
            "kubelet",
            [
                # It runs the host's mount, which wants the host's libraries.
                "env",
                "--unset=LD_LIBRARY_PATH",
                f"{programs}/kubelet",
                f"--config={node}/kubelet.yaml",
                f"--kubeconfig={node}/kubelet.kubeconfig",
                f"--root-dir={_KUBELET}",
                f"--cert-dir={pki}",
                f"--hostname-override={NODE}",
                f"--node-ip={slot.node}",
            ],
            after=["kube-apiserver", "containerd"],
            ready="http://127.0.0.1:10248/healthz",
        ),
        Component(
            "kube-proxy",
            [f"{programs}/kube-proxy", f"--config={node}/kube-proxy.yaml"],
            after=["kubelet"],
        ),
    ]


def _client(name: str, node: Path) -> list[str]:
    kubeconfig = f"{node}/{name}.kubeconfig"
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
    ]
