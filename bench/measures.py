"""What is measured: every peer in turn, in each round in another order."""

import contextlib
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from bench import peers, waterfall
from bench.case import URL, Case, Object
from bench.peers import EMPTY, FLOOR, HELM, OURS, PLAIN, QUIET, SCRIPT, TOFU, Peer, Workshop
from bench.run import FailedError, ask, nothing_left, run
from lab.backends import BACKENDS

FIRST, CHANGE, DESTROY = "first answers", "a route changed", "destroyed"
MEASURES = (
    FIRST,
    peers.PREVIEW,
    peers.PREVIEW_STATE,
    peers.UP,
    peers.UP_STATE,
    CHANGE,
    DESTROY,
)
GONE = 120.0
"""Seconds after which namespaces that were deleted are left."""


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    many: int
    """Exposures of the larger case."""
    many_rounds: int
    sizes: tuple[int, ...]
    """Exposures of the cases without pods."""
    alone: tuple[int, ...] = ()
    """Exposures of more of them, in which no peer is measured."""
    backends: tuple[str, ...] = ()
    """Names of those on which the state of these cases is kept as well."""


WHOLE = Extent(3, 50, 2, (1, 10, 50, 200), (80,), tuple(BACKENDS))
SHORT = Extent(1, 2, 1, (2,))


@dataclass(frozen=True)
class Size:
    """What a case without pods takes."""

    up: float
    memory: int
    """Bytes of the whole engine during the update, at most."""
    preview: float
    destroy: float
    state: int
    """Bytes; 0 where it is in no file."""


Samples = dict[str, dict[str, list[float]]]
"""Seconds of each measure, by the name of each peer."""


def _samples() -> Samples:
    return defaultdict(lambda: defaultdict(list))


@dataclass
class Results:
    """All that was measured."""

    extent: Extent
    one: Samples = field(default_factory=_samples)
    many: Samples = field(default_factory=_samples)
    sizes: dict[str, dict[int, Size]] = field(default_factory=lambda: defaultdict(dict))
    """By the name of the peer and the number of exposures."""
    failed: list[str] = field(default_factory=list)
    """What a peer could not do, and why."""
    first: waterfall.Waterfall = field(default_factory=lambda: waterfall.Waterfall([], {}, 0))
    """The first update of the procedure's stack."""


@dataclass
class Bench:
    """The measuring."""

    workshop: Workshop
    results: Results

    def measure(self) -> None:
        """Measure everything; peers that are built only where they are."""
        extent = self.results.extent
        built = [HELM, TOFU] if self.workshop.programs else []
        case = Case()
        # Once before: a kubelet that has just started spreads the first probes of its pods over
        # their period, which is 15 s for Istio's proxies.
        self._objects(case)
        made = self._objects(case)
        for peer in _in_turns([OURS, FLOOR, SCRIPT, PLAIN, EMPTY, *built], extent.rounds):
            with self._reported(peer, "one exposure"):
                if peer is EMPTY:
                    self._kept(peer, self.results.one)
                else:
                    self._round(peer, case, made)
        case = Case(extent.many, shared=True)
        made = self._objects(case)
        for peer in _in_turns([OURS, FLOOR, *built], extent.many_rounds):
            with self._reported(peer, f"{extent.many} exposures"):
                self.workshop.write(case, made)
                self._first(peer, case, self.results.many)
                self._destroyed(peer, self.results.many)
        cases = [Case(exposures, shared=True, pods=False) for exposures in extent.sizes]
        built = [TOFU] if self.workshop.programs else []
        for case in cases:
            self._sizes(case, [OURS, QUIET, PLAIN, *built])
        for exposures in extent.alone:
            self._sizes(Case(exposures, shared=True, pods=False), [OURS])
        for name in extent.backends:
            self._backend(name, cases)

    def _objects(self, case: Case) -> list[Object]:
        """The objects of a case as our stack makes them, in an update that is not timed."""
        self.workshop.configure(case)
        notes = self.workshop.folder / "notes"
        recorder = f"cd {peers.ROOT} && {sys.executable} -m bench record {notes}"
        command = f"PULUMI_DEBUG_COMMANDS=true {OURS.create} --event-log >({recorder}) && wait $!"
        self.workshop.run(OURS, command)
        if case == Case():
            self.results.first = waterfall.read(notes, self.workshop.state())
        made = self.workshop.objects()
        self.workshop.run(OURS, OURS.destroy)
        return made

    def _round(self, peer: Peer, case: Case, made: Sequence[Object]) -> None:
        samples = self.results.one
        self.workshop.write(case, made)
        self._first(peer, case, samples)
        self._kept(peer, samples)
        self.workshop.write(case, made, other=True)
        with _timed(samples[CHANGE][peer.name]):
            self._apply(peer, peer.change or peer.create, case.requests(other=True))
        self._destroyed(peer, samples)

    def _first(self, peer: Peer, case: Case, samples: Samples) -> None:
        with _timed(samples[FIRST][peer.name]):
            self._apply(peer, peer.create, case.requests())
        # What has proven itself is asked once more.
        ask(URL, case.requests())

    def _kept(self, peer: Peer, samples: Samples) -> None:
        for measure, command in peer.keep.items():
            samples[measure][peer.name].append(self.workshop.run(peer, command).seconds)

    def _apply(self, peer: Peer, command: str, requests: list[tuple[str, str, int]]) -> None:
        self.workshop.run(peer, command)
        if not peer.proves:
            ask(URL, requests)

    def _destroyed(self, peer: Peer, samples: Samples) -> None:
        with _timed(samples[DESTROY][peer.name]):
            self.workshop.run(peer, peer.destroy)
            limit = time.monotonic() + GONE
            while not nothing_left():
                if time.monotonic() > limit:
                    raise FailedError(f"{peer.name} left its namespaces")
                time.sleep(0.1)

    def _sizes(self, case: Case, of: Sequence[Peer]) -> None:
        made: list[Object] = []
        for peer in of:
            with self._reported(peer, f"{case.exposures} exposures without pods"):
                if peer in (OURS, QUIET):
                    self.workshop.configure(case)
                else:
                    self.workshop.write(case, made)
                self._size(peer, case, made)

    def _backend(self, name: str, cases: Sequence[Case]) -> None:
        folder = self.workshop.folder / f"state-{name}"
        folder.mkdir()
        with BACKENDS[name](folder) as variables:
            peer = peers.on(name, variables)
            self.workshop.run(peer, peer.start)
            for case in cases:
                with self._reported(peer, f"{case.exposures} exposures without pods"):
                    self.workshop.configure(case)
                    self._size(peer, case, [])

    def _size(self, peer: Peer, case: Case, made: list[Object]) -> None:
        up = self.workshop.run(peer, peer.create)
        state = 0
        if peer.state:
            state = (self.workshop.folder / peer.place / peer.state).stat().st_size
        if peer is OURS:
            made += self.workshop.objects()
        preview = self.workshop.run(peer, peer.keep[peers.PREVIEW])
        destroy = self.workshop.run(peer, peer.destroy)
        size = Size(up.seconds, up.memory, preview.seconds, destroy.seconds, state)
        self.results.sizes[peer.name][case.exposures] = size

    @contextlib.contextmanager
    def _reported(self, peer: Peer, what: str) -> Generator[None]:
        """Note what fails, and clear it away for the next peer."""
        _say(f"{peer.name}: {what}")
        try:
            yield
        except FailedError as error:
            self.results.failed.append(f"{peer.name}: {what}: {error}")
            _say(self.results.failed[-1])
            with contextlib.suppress(FailedError):
                self.workshop.run(peer, peer.destroy)
            run("kubectl", "delete", "namespace", "httpbin", "curl", "--ignore-not-found")


def _in_turns(of: Sequence[Peer], rounds: int) -> Iterator[Peer]:
    """Each once in every round, which another one begins."""
    for number in range(rounds):
        yield from (of[(number + place) % len(of)] for place in range(len(of)))


@contextlib.contextmanager
def _timed(seconds: list[float]) -> Generator[None]:
    started = time.monotonic()
    yield
    seconds.append(time.monotonic() - started)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)  # noqa: T201
