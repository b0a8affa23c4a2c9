"""Container images made from the programs in the cache, as docker-archive tars."""

import hashlib
import io
import json
import lzma
import os
import platform
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import versions
from lab.errors import LabError

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/cni/bin"
_PROXY_USER = "1337:1337"
_ECHO_USER = "65532:65532"


@dataclass(frozen=True)
class Link:
    """A symbolic link in an image."""

    target: str


Content = Path | bytes | Link
"""A file of this machine, what a file holds, or a link."""


@dataclass(frozen=True)
class Image:
    """An image of one layer."""

    reference: str
    """Its full name with the tag."""

    command: tuple[str, ...]
    """The entrypoint."""

    files: Mapping[str, Content]
    """What is in it, by path without the leading slash."""

    environment: tuple[str, ...] = ()
    """Environment variables besides PATH, as `NAME=value`."""

    user: str = "0:0"
    """User and group, numeric so that `runAsNonRoot` can judge them."""


def pause(debian: Path) -> Image:
    """What holds a pod's namespaces."""
    return Image(
        versions.PAUSE_IMAGE, ("/catatonit", "-P"), {"catatonit": debian / "usr/bin/catatonit"}
    )


def httpbin(built: Path) -> Image:
    """The procedure's sample server."""
    return Image(
        versions.HTTPBIN_IMAGE, ("/bin/go-httpbin",), {"bin/go-httpbin": built / "go-httpbin"}
    )


def curl(debian: Path) -> Image:
    """The procedure's client: curl and a shell with the usual small programs."""
    busybox = debian / "usr/bin/busybox"
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    applets = {f"bin/{name}": Link("busybox") for name in names.split() if name != "busybox"}
    program = debian / "usr/bin/curl"
    files = applets | {"bin/busybox": busybox, "usr/bin/curl": program}
    return Image(
        versions.CURL_IMAGE,
        ("/usr/bin/curl",),
        files | libraries([program], debian),
        user="100:101",
    )


def echo(built: Path) -> Image:
    """Istio's own test server, for HTTP, gRPC, TLS and TCP, with its client beside it."""
    server = "usr/local/bin/server"
    return Image(
        versions.ECHO_IMAGE,
        (f"/{server}",),
        {server: built / "server", "usr/local/bin/client": built / "client"},
        user=_ECHO_USER,
    )


def coredns(built: Path) -> Image:
    """The cluster's DNS server."""
    return Image(versions.COREDNS_IMAGE, ("/coredns",), {"coredns": built / "coredns"})


def metallb_controller(built: Path) -> Image:
    """What gives addresses to Services of type LoadBalancer."""
    return Image(versions.METALLB_IMAGE, ("/controller",), {"controller": built / "controller"})


def istiod(built: Path) -> Image:
    """Istio's control plane."""
    path = "usr/local/bin/pilot-discovery"
    return Image(
        versions.ISTIOD_IMAGE,
        (f"/{path}",),
        {path: built / "pilot-discovery"},
        user=_PROXY_USER,
    )


def proxy(built: Path, envoy: Path) -> Image:
    """Istio's agent and the upstream Envoy: gateways and waypoints."""
    program = envoy / "envoy/_bin/envoy"
    bootstrap = (built / "envoy_bootstrap.json").read_text()
    files: dict[str, Content] = {
        "usr/local/bin/pilot-agent": built / "pilot-agent",
        "usr/local/bin/envoy": program,
        "var/lib/istio/envoy/envoy_bootstrap_tmpl.json": without_discovery(bootstrap).encode(),
    }
    return Image(
        versions.PROXY_IMAGE,
        ("/usr/local/bin/pilot-agent",),
        files | libraries([program]),
        environment=(f"ISTIO_META_ISTIO_VERSION={versions.ISTIO_PROXY}",),
        user=_PROXY_USER,
    )


def without_discovery(bootstrap: str) -> str:
    """Istio's bootstrap template without the extension that upstream Envoy does not have.

    Raises `LabError` where the template has none: then it is not the one this was made for.
    """
    block = r"\{\{- if \.metadata_discovery \}\}.*?\{\{- end \}\}\n"
    edited, count = re.subn(block, "", bootstrap, count=1, flags=re.DOTALL)
    if not count:
        raise LabError(
            "Istio's envoy_bootstrap.json has no block for metadata_discovery any more. Compare it"
            " with what `lab.build.images.without_discovery` removes."
        )
    return edited


def install_cni(built: Path, debian: Path) -> Image:
    """Istio's node agent, which enrols pods in the ambient mesh."""
    iptables = debian / "usr/sbin/xtables-nft-multi"
    modules = sorted(debian.glob("usr/lib/*/xtables/*.so"))
    files: dict[str, Content] = {
        "usr/local/bin/install-cni": built / "install-cni",
        "opt/cni/bin/istio-cni": built / "istio-cni",
        "usr/sbin/xtables-nft-multi": iptables,
    }
    for family in ("iptables", "ip6tables"):
        for name in (family, f"{family}-save", f"{family}-restore"):
            files[f"usr/sbin/{name}"] = Link("xtables-nft-multi")
    for module in modules:
        files[str(module.relative_to(debian))] = module
    return Image(
        versions.INSTALL_CNI_IMAGE,
        ("/usr/local/bin/install-cni",),
        files | libraries([iptables, *modules], debian),
    )


def ztunnel(built: Path) -> Image:
    """Istio's node proxy."""
    path = "usr/local/bin/ztunnel"
    program = built / "ztunnel"
    files: dict[str, Content] = {path: program}
    return Image(versions.ZTUNNEL_IMAGE, (f"/{path}",), files | libraries([program]))


def ztunnel_program(path: Path) -> bytes:
    """The ztunnel program in the file `path`, plain or xz-compressed.

    Raises `LabError` where there is no such file or no program for this machine in it.
    """
    wanted = "Give the path of a ztunnel program, plain or xz-compressed."
    try:
        content = path.read_bytes()
        if content.startswith(b"\xfd7zXZ"):
            content = lzma.decompress(content)
    except (OSError, lzma.LZMAError) as error:
        raise LabError(f"ztunnel {path}: {error}. {wanted}") from error
    if not content.startswith(b"\x7fELF"):
        raise LabError(f"ztunnel {path}: not a program for Linux (ELF). {wanted}")
    with Path("/proc/self/exe").open("rb") as running:
        own = _machine(running.read(64))
    if _machine(content) != own:
        raise LabError(
            f"ztunnel {path}: made for machine {_machine(content)} of ELF's list, and this one is "
            f"{own}, {platform.machine()}. {wanted}"
        )
    return content


def _machine(program: bytes) -> int:
    """The kind of machine that an ELF program is made for, as its header says."""
    return int.from_bytes(program[18:20], sys.byteorder)


def libraries(programs: Iterable[Path], root: Path = Path("/")) -> dict[str, Content]:
    """The dynamic loader and shared libraries of the programs, where the loader looks for them.

    Libraries below `root` come first, then the host's. Raises `LabError` for one that neither has.
    """
    names = [str(program) for program in programs]
    environment = os.environ | {"LD_LIBRARY_PATH": library_path(root)}
    done = subprocess.run(
        ["ldd", *names], env=environment, capture_output=True, text=True, check=False
    )
    # It also counts as a failure that a static program needs nothing.
    if done.returncode and "not a dynamic executable" not in done.stdout + done.stderr:
        raise LabError(
            f"{names[0]}: ldd cannot tell which libraries it needs: {done.stderr.strip()}. "
            "Take a program built for this machine."
        )
    listing = done.stdout
    if missing := re.findall(r"(\S+) => not found", listing):
        raise LabError(
            f"{names[0]} needs {', '.join(sorted(set(missing)))}, which this machine lacks."
            " Take a program built for it, or install the library."
        )
    found: dict[str, Content] = {}
    for name, path in re.findall(r"(\S+) => (/\S+) \(", listing):
        found[f"lib/{name}"] = Path(path)
    for path in re.findall(r"^\s+(/\S+) \(", listing, re.MULTILINE):
        found[path.removeprefix("/")] = Path(path)
    return found


def library_path(root: Path) -> str:
    """`LD_LIBRARY_PATH` for programs of the unpacked packages in `root`."""
    return ":".join(str(folder) for folder in sorted(root.glob("usr/lib/*-linux-gnu*")))


def write(image: Image, target: Path) -> None:
    """Write the image as a docker-archive: the same bytes for the same content."""
    layer = target.with_name("layer.tar")
    with layer.open("wb") as output:
        _write_layer(image, output)
    with layer.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": image.command,
            "Env": [_PATH, *image.environment],
            "User": image.user,
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    config_json = json.dumps(config).encode()
    config_name = f"{hashlib.sha256(config_json).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [image.reference], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as archive:
        _add(archive, "manifest.json", json.dumps(manifest).encode())
        _add(archive, config_name, config_json)
        _add(archive, "layer.tar", layer)
    layer.unlink()


def _write_layer(image: Image, output: io.BufferedWriter) -> None:
    folders = {parent for path in image.files for parent in list(Path(path).parents)[:-1]}
    with tarfile.open(fileobj=output, mode="w") as layer:
        for folder in sorted(folders | {Path("tmp")}):
            member = tarfile.TarInfo(str(folder))
            member.type = tarfile.DIRTYPE
            member.mode = 0o1777 if folder.name == "tmp" else 0o755
            layer.addfile(member)
        for path, content in sorted(image.files.items()):
            _add(layer, path, content)


def _add(archive: tarfile.TarFile, path: str, content: Content) -> None:
    """Add a file whose date and owner are zero, so that only its content counts."""
    member = tarfile.TarInfo(path)
    member.mode = 0o755
    if isinstance(content, Link):
        member.type, member.linkname = tarfile.SYMTYPE, content.target
        archive.addfile(member)
    elif isinstance(content, bytes):
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    else:
        member.size = content.stat().st_size
        with content.open("rb") as file:
            archive.addfile(member, file)
