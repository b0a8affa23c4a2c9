"""The node's plan: certificates, configuration and command lines of every component."""

import base64
import datetime as dt
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import versions
from lab.artifacts import Artifacts
from lab.init import Component, Plan
from lab.node import SERVICES
from lab.state import CHECKOUT, Slot, State

NODE: Final = "lab"
"""The node's name, and that of the context in the user's kubeconfig."""

PODS: Final = IPv4Network("10.244.0.0/16")
"""Addresses of pods."""

DNS: Final = SERVICES[10]
"""Address of the cluster's DNS Service."""

PORT: Final = 6443
"""Where the API server listens."""

CONTAINERD: Final = "containerd"
"""Where containerd keeps images, in the node's folder."""

CONTAINERD_SOCKET: Final = "/run/containerd/containerd.sock"

_KUBELET: Final = "/var/lib/kubelet"

_LIFETIME: Final = dt.timedelta(days=365)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, both in PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.crt` and `<name>.key`."""
        (folder / f"{name}.crt").write_bytes(self.certificate)
        (folder / f"{name}.key").write_bytes(self.key)


class Authority:
    """The cluster's certificate authority. Its key is kept in memory only."""

    def __init__(self) -> None:
        """A new authority, with a new key."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
        self._own = (
            _certificate(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate in PEM."""
        return self._own.public_bytes(Encoding.PEM)

    def issue(
        self,
        user: str,
        group: str = "",
        names: Sequence[str] = (),
        addresses: Sequence[IPv4Address] = (),
    ) -> Identity:
        """A certificate for a client `user` of `group`, and for a server where it has names."""
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        if group:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ip_address(str(address))) for address in addresses]
        if alternatives:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = (
            _certificate(x509.Name(subject), self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Identity(certificate.public_bytes(Encoding.PEM), _pem(key))


def prepare(state: State, slot: Slot, artifacts: Artifacts) -> Plan:
    """Write everything the components read, and the plan for `lab.init`; return the plan.

    Images are not its concern: they are in `CONTAINERD` of the node's folder before it starts.
    """
    for folder in ("pki", "cni/bin", "cni/net.d", "kubelet"):
        (state.node / folder).mkdir(parents=True, exist_ok=True)
    state.node.chmod(0o700)
    _write_credentials(state, slot)
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


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_credentials(state: State, slot: Slot) -> None:
    authority = Authority()
    pki = state.node / "pki"
    (pki / "ca.crt").write_bytes(authority.certificate)
    tokens = ec.generate_private_key(ec.SECP256R1())
    (pki / "service-accounts.key").write_bytes(_pem(tokens))
    (pki / "service-accounts.pub").write_bytes(
        tokens.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    service = "kubernetes.default.svc.cluster.local"
    names = [".".join(service.split(".")[:count]) for count in (1, 2, 3, 5)]
    addresses = [IPv4Address("127.0.0.1"), slot.node, SERVICES[1]]
    authority.issue("kube-apiserver", names=[*names, "localhost"], addresses=addresses).write(
        pki, "kube-apiserver"
    )
    authority.issue("kube-apiserver-kubelet-client", "system:masters").write(pki, "kubelet-client")
    kubelet = authority.issue(
        f"system:node:{NODE}", "system:nodes", names=[NODE], addresses=[slot.node]
    )
    kubelet.write(pki, "kubelet")

    near, far = f"https://127.0.0.1:{PORT}", f"https://{slot.node}:{PORT}"
    clients = {
        "kube-controller-manager": authority.issue("system:kube-controller-manager"),
        "kube-scheduler": authority.issue("system:kube-scheduler"),
        "kube-proxy": authority.issue("system:kube-proxy"),
        "kubelet": kubelet,
    }
    for name, identity in clients.items():
        _write_kubeconfig(state.node / f"{name}.kubeconfig", near, authority, identity)
    admin = authority.issue("lab-admin", "system:masters")
    _write_kubeconfig(state.kubeconfig, far, authority, admin)


def _write_kubeconfig(path: Path, server: str, authority: Authority, identity: Identity) -> None:
    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    user = {
        "client-certificate-data": encoded(identity.certificate),
        "client-key-data": encoded(identity.key),
    }
    cluster = {"server": server, "certificate-authority-data": encoded(authority.certificate)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NODE, "cluster": cluster}],
        "users": [{"name": NODE, "user": user}],
        "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": NODE}}],
        "current-context": NODE,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def _link_plugins(state: State, artifacts: Artifacts) -> None:
    """Offer the CNI plugins in a folder of the lab's own, to which istio-cni adds its own."""
    for plugin in (artifacts.debian / "usr/lib/cni").iterdir():
        (state.node / "cni/bin" / plugin.name).symlink_to(plugin)


def _needs(state: State, artifacts: Artifacts) -> list[Path]:
    cache = artifacts.bin.parent
    return [cache, CHECKOUT, state.root, Path(sys.prefix), Path(sys.base_prefix)]


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
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
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
