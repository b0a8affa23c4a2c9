"""Chooses Pulumi's CLI and Kubernetes provider: official ones where they can be had, else built."""

import functools
import importlib.metadata
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import versions
from lab.build import go
from lab.build.cache import Cache, Recipe
from lab.build.command import Command, CommandError
from lab.build.go import Upstream
from lab.build.progress import Step, Steps
from lab.errors import LabError

RETRY_AFTER = 3600.0
"""Seconds during which a download that failed is not tried again."""

_SILENCE = 10.0
"""Seconds without an answer after which a download is given up."""

_PROGRAM = "pulumi-resource-kubernetes"
_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_VERSION = f"{_SDK}/go/common/version.Version"
_EXECUTABLE = "pulumi-language-python-exec"

CLI = Upstream(
    "pulumi",
    f"Pulumi CLI {versions.PULUMI}",
    ("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
    {_VERSION: versions.PULUMI},
    ((_SDK, f"python/cmd/{_EXECUTABLE}"),),
)
LANGUAGE_HOST = Upstream(
    "pulumi-language-python",
    f"Pulumi's Python host {versions.PULUMI_LANGUAGE_PYTHON}",
    (f"{_SDK}/python/cmd/pulumi-language-python",),
    {_VERSION: versions.PULUMI_LANGUAGE_PYTHON},
)
LANGUAGES = (
    Upstream(
        "pulumi-yaml",
        f"Pulumi's YAML host {versions.PULUMI_YAML}",
        ("github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",),
    ),
    Upstream(
        "pulumi-language-nodejs",
        f"Pulumi's Node.js host {versions.PULUMI_LANGUAGE_NODEJS}",
        (f"{_SDK}/nodejs/cmd/pulumi-language-nodejs",),
        {_VERSION: versions.PULUMI_LANGUAGE_NODEJS},
    ),
    Upstream("pulumi-gen-sdk", f"Pulumi's Node.js SDK generator {versions.PULUMI}", (".",)),
)
"""What programs in other languages need; the lab itself runs none."""

PROVIDER = Upstream(
    "pulumi-kubernetes",
    f"Pulumi's Kubernetes provider {versions.PULUMI_KUBERNETES}",
    (".",),
    {f"{_MODULE}/pkg/version.Version": versions.PULUMI_KUBERNETES},
    (
        (_MODULE, f"cmd/{_PROGRAM}/schema.json"),
        (_MODULE, f"cmd/{_PROGRAM}/terraform-mapping.json"),
    ),
)


@dataclass(frozen=True)
class PulumiTools:
    """The Pulumi that programs run with."""

    folder: Path | None
    """The CLI's, to be put first on PATH; None where it is on PATH already."""

    cli: str
    """Which CLI was chosen, in words."""

    provider: str
    """Which Kubernetes provider was chosen, in words."""


def find(steps: Steps, home: Path, cache: Cache | None = None) -> PulumiTools:
    """Find or make a Pulumi CLI and its Kubernetes provider.

    The CLI is the one on PATH, else built from source. The provider is the one on PATH or in the
    user's Pulumi folder, else what `pulumi plugin install` downloads, else built as well. `home`
    becomes a Pulumi folder (PULUMI_HOME) that has the user's plugins and the chosen provider;
    nothing is written outside it and the cache. Raises `LabError` where a build fails.
    """
    cache = cache or Cache()
    path = _path_without(cache.root)
    folder, cli = _cli(cache, steps, path)
    plugins = home / "plugins"
    _link_plugins(plugins)
    pulumi = str(folder / "pulumi") if folder else "pulumi"
    return PulumiTools(folder, cli, _provider(cache, steps, path, pulumi, plugins))


def languages() -> list[Path]:
    """The folders of `LANGUAGES`, each built where the cache lacks it; raises `LabError`."""
    cache, steps = Cache(), Steps()
    toolchain = functools.cache(lambda: go.toolchain(cache, steps))
    with go.caches(cache):
        return [cache.make(go.recipe(one, toolchain), steps) for one in LANGUAGES]


def _path_without(root: Path) -> str:
    """PATH without the folders the lab itself puts there."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not Path(folder).is_relative_to(root))


def _link_plugins(plugins: Path) -> None:
    """Fill the folder of plugins anew with those that the user has."""
    shutil.rmtree(plugins, ignore_errors=True)
    theirs = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    for plugin in theirs.glob("resource-*/"):
        _link(plugin, plugins / plugin.name)


def _link(plugin: Path, place: Path) -> None:
    """Make `place` a folder of links to the plugin's files: Pulumi overlooks a linked folder."""
    place.mkdir(parents=True)
    for file in plugin.iterdir():
        (place / file.name).symlink_to(file)


def _cli(cache: Cache, steps: Steps, path: str) -> tuple[Path | None, str]:
    if found := shutil.which("pulumi", path=path):
        return None, f"{found}, found on PATH"
    return cache.make(_build(cache, steps), steps), f"{versions.PULUMI}, built from source"


def _provider(cache: Cache, steps: Steps, path: str, pulumi: str, plugins: Path) -> str:
    """Which provider there is, in words; one that is found nowhere is put among the plugins."""
    if found := shutil.which(_PROGRAM, path=path):
        return f"{found}, found on PATH"
    version = importlib.metadata.version("pulumi-kubernetes")
    place = plugins / f"resource-kubernetes-v{version}"
    if place.exists():
        return f"{version}, in Pulumi's plugin folder"
    official = Recipe(
        f"{PROVIDER.folder}-official",
        f"Pulumi's Kubernetes provider {version}",
        (version,),
        _install(cache, version, pulumi),
    )
    if folder := _download(cache, official, steps):
        _link(folder / "plugins" / place.name, place)
        return f"{version}, the official download"
    toolchain = functools.partial(go.toolchain, cache, steps)
    _link(cache.make(go.recipe(PROVIDER, toolchain), steps), place)
    return f"{versions.PULUMI_KUBERNETES}, built from source"


def _download(cache: Cache, official: Recipe, steps: Steps) -> Path | None:
    """The entry, from the cache or the network; None where it cannot be had."""
    if cache.has(official):
        return cache.path(official)
    failed = cache.path(official).with_suffix(".failed")
    again = failed.stat().st_mtime + RETRY_AFTER if failed.exists() else 0.0
    if time.time() < again:
        steps.note(
            f"{official.title}: the official download is not tried again before "
            f"{time.strftime('%H:%M', time.localtime(again))}, or until {failed} is removed, as "
            f"it failed: {failed.read_text()}"
        )
        return None
    with steps.step(f"{official.title}, official download") as step:
        try:
            return cache.fill(official, step)
        except LabError as error:
            step.outcome = "cannot be reached from here, tried for"
            failed.write_text(error.reason if isinstance(error, CommandError) else str(error))
            return None


def _install(cache: Cache, version: str, pulumi: str) -> Callable[[Path, Step], None]:
    def make(into: Path, _: Step) -> None:
        Command(
            [pulumi, "plugin", "install", "resource", "kubernetes", f"v{version}"],
            cache.log(f"{PROVIDER.folder}-official"),
            environment=os.environ | {"PULUMI_HOME": str(into), "PULUMI_SKIP_UPDATE_CHECK": "true"},
            silence=_SILENCE,
        ).run()

    return make


def _build(cache: Cache, steps: Steps) -> Recipe:
    """CLI, language host and the script it starts programs with, in one folder."""
    both = (CLI, LANGUAGE_HOST)
    inputs: list[str | Path] = []
    for upstream in both:
        inputs += go.inputs(upstream)

    def make(into: Path, step: Step) -> None:
        toolchain = go.toolchain(cache, steps)
        for upstream in both:
            go.build(toolchain, upstream, into, step)
        (into / _EXECUTABLE).chmod(0o755)

    return Recipe("pulumi", f"{CLI.title} and its Python host", tuple(inputs), make)
