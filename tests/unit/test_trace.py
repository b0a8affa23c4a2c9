"""What tells one state of an object from another, in an update and in its preview."""

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from components.api import trace
from components.api.trace import WEIGHTS
from components.cluster.foretold import note_changes

SERVICE = "kubernetes:core/v1:Service"
URN = "urn:pulumi:dev::shop::kubernetes:core/v1:Service::shop"
OURS = "pulumi-kubernetes"
TIMES = [
    {"manager": OURS, "time": "10:00"},
    {"manager": "kubectl", "time": "10:01"},
    {"manager": OURS, "time": "10:02", "subresource": "status"},
]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    trace.made.clear()
    trace.changed.clear()


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the engine tells of an operation before it."""
    hooks: list[Any] = []

    def hook(_: str, callback: Any, opts: pulumi.ResourceHookOptions) -> Any:
        assert opts.on_dry_run
        hooks.append(callback)
        return callback

    monkeypatch.setattr(pulumi, "ResourceHook", hook)
    transform: Any = note_changes("foretold")

    def begin(type_: str = SERVICE, **inputs: Any) -> bool:
        given = pulumi.ResourceTransformArgs(
            custom=True, type_=type_, name="shop", props={}, opts=pulumi.ResourceOptions()
        )
        bound = transform(given)
        if bound is None:
            return False
        assert bound.opts.hooks.before_create == bound.opts.hooks.before_update == hooks
        hooks[0](pulumi.ResourceHookArgs(URN, "", "shop", type_, **inputs))
        return True

    return begin


def traced(**metadata: Any) -> Any:
    """The trace; None where it is unknown."""
    live = {"uid": "u", "managedFields": TIMES, **metadata}
    found = trace._trace(live, OURS, URN)  # pyright: ignore[reportPrivateUsage]
    return None if isinstance(found, pulumi.Output) else found


@pytest.fixture(autouse=True)
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "unknown", lambda: pulumi.Output.from_input(None))


def test_an_object_is_told_by_its_generation_or_by_when_the_provider_changed_it() -> None:
    assert traced(generation=3.0) == ["u", "3"]
    assert traced() == ["u", "10:00"]
    assert traced(generation=3.0, annotations={WEIGHTS: "controller"}) == ["u", "10:00"]


def test_what_a_preview_makes_is_another_object_in_the_update(hooked: Any) -> None:
    assert hooked(new_inputs={})
    assert traced(generation=1.0) is None
    assert traced() is None


def test_a_preview_knows_the_generation_that_an_update_leads_to_but_no_time(hooked: Any) -> None:
    assert hooked(new_inputs={"a": 1}, old_inputs={"a": 2})
    assert traced(generation=4.0) == ["u", "4"]
    assert traced() is None


def test_only_objects_are_noted(hooked: Any) -> None:
    assert hooked(f"{SERVICE}Patch", new_inputs={})
    assert not hooked("pulumi:providers:kubernetes", new_inputs={})
