"""What is made of rounds and requests, without breaking anything."""

import random
from pathlib import Path
from typing import cast

import pytest

from bench.run import FailedError
from faults import page, rounds
from faults.engine import restored
from faults.load import Answer, Load
from faults.rounds import FAULTS, Fault, Result
from faults.site import Done, FallsShortError, Site
from tests.unit.test_features import functions


def load(*answers: tuple[float, str]) -> Load:
    made = Load("10.96.0.1", "httpbin.example.com", "/headers")
    made.answers = [Answer(time, status) for time, status in answers]
    return made


def test_a_gap_is_the_longest_time_without_an_answer_as_expected() -> None:
    whole = load((10, "200"), (10.2, "200"), (10.4, "200"))
    assert whole.gap() == pytest.approx(0.2)
    assert whole.told() == "3 requests, none failed"
    broken = load((10, "200"), (10.5, "503"), (12, "TimeoutError"), (12.5, "503"), (13, "200"))
    assert broken.gap() == pytest.approx(3)
    assert broken.told().startswith("3 of 5 requests failed (2 503, 1 TimeoutError), from ")
    assert broken.told().endswith("; longest gap 3.0 s")
    broken.steps = {"one": 9.0, "two": 10.3, "three": 12.2}
    assert broken.told().endswith(", after two; longest gap 3.0 s")
    assert load((10, "503"), (14, "503")).gap() == 4


def test_a_message_is_looked_for_and_a_traceback_never() -> None:
    failed = Done(255, "error: update failed", 1)
    assert failed.badly() is failed
    assert failed.says("upd.te") is failed
    with pytest.raises(FallsShortError, match="nowhere says 'istiod'"):
        failed.says("istiod")
    with pytest.raises(FallsShortError, match="ended with 255"):
        failed.well()
    with pytest.raises(FallsShortError, match="did not fail"):
        Done(0, "", 1).badly()
    with pytest.raises(FallsShortError, match="a traceback"):
        Done(1, "error\nTraceback (most recent call last):", 1).badly()


def test_a_state_that_was_cut_off_gives_way_to_the_one_before(tmp_path: Path) -> None:
    file, before = tmp_path / "dev.json", tmp_path / "dev.json.bak"
    file.write_text('{"version": 3}')
    before.write_text('{"version": 2}')
    assert restored(file) == ""
    file.write_text('{"version":')
    assert restored(file).startswith("the state was cut off")
    assert file.read_text() == '{"version": 2}'
    before.write_text("{")
    file.write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        restored(file)


class Stage:
    """A site as far as rounds know it."""

    def __init__(self) -> None:
        self.random = random.Random(0)  # noqa: S311  # moments, no keys
        self.cleared = 0

    def clear(self) -> None:
        self.cleared += 1


def test_rounds_go_in_turns_within_a_time_by_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(site: Site) -> str:
        seen.append(f"one {site.random.random()}")
        return "it held"

    def two(_: Site) -> str:
        seen.append("two")
        raise FailedError("it broke\nat once")

    faults = {"one": Fault("The one", "holds", one), "two": Fault("The two", "holds", two)}
    monkeypatch.setattr(rounds, "FAULTS", faults)
    monkeypatch.setattr(page, "FAULTS", faults)
    seen, stage = list[str](), Stage()
    results = rounds.run(cast("Site", stage), [*faults], 2, 7, minutes=1)
    first, *others = seen
    assert [line.split()[0] for line in others] == ["two", "one", "two"]
    assert stage.cleared == 2
    seen.clear()
    short = rounds.run(cast("Site", stage), [*faults], 2, 7, minutes=0)
    assert seen == [first, "two"]
    assert [page.passes(one) for one in short.values()] == [True, False]
    assert not page.passes(Result())
    assert page.verdicts(results).splitlines()[2:] == [
        "| The one | holds | 2 | pass |",
        "| The two | holds | 2 | falls short |",
    ]
    written = page.page(results, 7)
    assert "`SEED=7`" in written
    assert "- it held\n- it held\n" in written
    assert "- falls short: round 7/two/0: it broke\n" in written


def test_what_is_no_round_of_its_own_is_a_test_of_the_lab() -> None:
    for place in filter(None, (fault.short for fault in FAULTS.values())):
        path, _, name = place.partition("::")
        assert name in functions(path)
