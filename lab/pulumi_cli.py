"""Chooses the Pulumi CLI and the Kubernetes plugin: the official ones wherever they can be had."""

import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import go, provider, versions
from lab.cache import Cache, Recipe
from lab.command import Command, CommandError
from lab.errors import LabError
from lab.go import Upstream
from lab.progress import Step, Steps

RETRY_AFTER = 3600.0
"""Seconds during which a download that failed is not tried again."""

_SILENCE = 10.0
"""Seconds without an answer after which a download is given up."""

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


@dataclass(frozen=True)
class PulumiTools:
    """The Pulumi that programs run with."""

    folder: Path | None
    """The CLI's, to be put first on PATH; None where it is on PATH already."""

    cli: str
    """Which CLI was chosen, in words."""

    plugin: str
    """Which Kubernetes plugin was chosen, in words."""

    stand_in: bool
    """Whether the Kubernetes plugin is the lab's own, for want of the official one."""


def find(steps: Steps, home: Path, cache: Cache | None = None) -> PulumiTools:
    """Find or make a Pulumi CLI and a Kubernetes plugin.

    The CLI is the one on PATH, else the official download, else a build from source. The plugin
    is the one on PATH or in the user's Pulumi folder, else the official download, else the lab's
    stand-in. `home` becomes a Pulumi folder (PULUMI_HOME) that has the user's plugins and the
    chosen one; nothing is written outside it and the cache. Raises `LabError` where the CLI
    cannot be built either.
    """
    cache = cache or Cache()
    path = _path_without(cache.root)
    folder, cli = _cli(cache, steps, path)
    plugins = _link_plugins(home)
    pulumi = str(folder / "pulumi") if folder else "pulumi"
    plugin = _plugin(cache, steps, path, pulumi, plugins)
    return PulumiTools(folder, cli, plugin or "the lab's stand-in", stand_in=plugin is None)


def _link_plugins(home: Path) -> Path:
    """The folder of plugins in `home`, with links to those that the user has."""
    plugins = home / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    theirs = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    for plugin in theirs.glob("resource-*/") if theirs != plugins else ():
        if not (plugins / plugin.name).exists():
            (plugins / plugin.name).symlink_to(plugin)
    return plugins


def _path_without(*roots: Path) -> str:
    """PATH without the folders the lab itself puts there."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(
        folder for folder in folders if not any(Path(folder).is_relative_to(r) for r in roots)
    )


def _cli(cache: Cache, steps: Steps, path: str) -> tuple[Path | None, str]:
    if found := shutil.which("pulumi", path=path):
        return None, f"{found}, found on PATH"
    version = importlib.metadata.version("pulumi")
    official = Recipe("pulumi-official", f"Pulumi {version}", (version,), _install(cache))
    if folder := _download(cache, official, steps):
        return folder / "bin", f"Pulumi {version}, the official download"
    built = cache.make(_build(cache, steps), steps)
    return built, f"{CLI.title}, built from source"


def _plugin(cache: Cache, steps: Steps, path: str, pulumi: str, plugins: Path) -> str | None:
    """Which official plugin there is, in words; None where the stand-in had to be put in place."""
    if found := shutil.which(provider.PLUGIN, path=path):
        return f"{found}, found on PATH"
    version = importlib.metadata.version("pulumi-kubernetes")
    place = plugins / f"resource-kubernetes-v{version}"
    if place.is_symlink():
        return f"{version}, in Pulumi's plugin folder"
    official = Recipe(
        "pulumi-kubernetes",
        f"Pulumi's Kubernetes plugin {version}",
        (version,),
        _install_plugin(cache, version, pulumi),
    )
    if folder := _download(cache, official, steps):
        place.symlink_to(folder / "plugins" / place.name)
        return f"{version}, the official download"
    provider.write_plugin(place)
    return None


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
    steps.expect(1)
    with steps.step(f"{official.title}, official download") as step:
        try:
            return cache.fill(official, step)
        except LabError as error:
            step.outcome = "cannot be reached from here, tried for"
            failed.write_text(error.reason if isinstance(error, CommandError) else str(error))
            return None


def _install(cache: Cache) -> Callable[[Path, Step], None]:
    program = (
        "import socket, sys\n"
        "from pulumi.automation import PulumiCommand\n"
        f"socket.setdefaulttimeout({_SILENCE})\n"
        "PulumiCommand.install(root=sys.argv[1])\n"
    )

    def make(into: Path, _: Step) -> None:
        command = [sys.executable, "-c", program, str(into)]
        Command(command, cache.log("pulumi-official"), silence=_SILENCE).run()

    return make


def _install_plugin(cache: Cache, version: str, pulumi: str) -> Callable[[Path, Step], None]:
    def make(into: Path, _: Step) -> None:
        Command(
            [pulumi, "plugin", "install", "resource", "kubernetes", f"v{version}"],
            cache.log("pulumi-kubernetes"),
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
