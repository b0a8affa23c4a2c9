"""Marks of ownership, and the refusal to make what exists."""

from typing import Any

import pulumi
import pytest

from components.cluster import ownership
from components.cluster.ownership import OWNER, RESOURCE, mark_objects, refuse_existing
from components.cluster.trial import Trial
from tests.unit.test_preflight import api

__all__ = ["api"]

OURS = "organization/ambient-exposure/dev"
SERVICE = "kubernetes:core/v1:Service"
PATH = "/api/v1/namespaces/shop/services/shop"


class Registered:
    """The transform and the hook that are given to the engine."""

    given: Any

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pulumi, "ResourceHook", self._hook)
        monkeypatch.setattr(ownership, "owner", lambda: OURS)

    def _hook(self, _: str, callback: Any, opts: pulumi.ResourceHookOptions) -> Any:
        assert opts.on_dry_run
        self.hook = callback
        return callback

    def transform(self, type_: str, **props: Any) -> Any:
        return self.given(
            pulumi.ResourceTransformArgs(
                custom=True, type_=type_, name="shop", props=props, opts=pulumi.ResourceOptions()
            )
        )

    def create(self, type_: str = SERVICE, name: object = "shop") -> str | None:
        """What is said against the creation of an object."""
        inputs = {"metadata": {"name": name, "namespace": "shop"}}
        try:
            self.hook(pulumi.ResourceHookArgs("urn", "id", "shop", type_, new_inputs=inputs))
        except RuntimeError as error:
            return str(error)
        return None


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Registered:
    return Registered(monkeypatch)


@pytest.fixture
def refusing(registered: Registered) -> Registered:
    registered.given = refuse_existing({"context": "lab"}, "own")
    return registered


def existing(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": "shop", "namespace": "shop", "annotations": annotations}}


def test_what_is_made_is_marked(registered: Registered) -> None:
    registered.given = mark_objects()
    made = registered.transform(SERVICE, metadata={"name": "a", "annotations": {"b": "c"}}, spec={})
    assert made.props == {
        "metadata": {"name": "a", "annotations": {"b": "c", OWNER: OURS, RESOURCE: "shop"}},
        "spec": {},
    }
    assert registered.transform(SERVICE).props == {
        "metadata": {"annotations": {OWNER: OURS, RESOURCE: "shop"}}
    }
    assert registered.transform(f"{SERVICE}Patch", metadata={"name": "a"}) is None
    assert registered.transform("kubernetes:helm.sh/v3:Release", name="a") is None


def test_what_is_made_is_looked_for_first(api: dict[str, Any], refusing: Registered) -> None:
    bound = refusing.transform(SERVICE).opts.hooks.before_create
    assert bound == [refusing.hook]
    assert PATH not in api
    assert refusing.create() is None
    api[PATH] = existing()
    assert refusing.create(name=None) is None  # not known yet
    assert refusing.create() == (
        "Service shop/shop exists already, and no stack made it. Choose another name, or adopt it"
        " (its `create` false), or delete it"
    )
    api[PATH] = existing(**{OWNER: "organization/other/dev"})
    assert refusing.create() == (
        "Service shop/shop exists already, and belongs to stack organization/other/dev. Choose"
        " another name, or adopt it (its `create` false), or hand it over with `pulumi state move`"
    )


def test_what_is_nobodys_business_to_adopt_is_not_said_to_be(
    api: dict[str, Any], refusing: Registered
) -> None:
    api["/api/v1/namespaces/shop/configmaps/shop"] = existing()
    said = refusing.create("kubernetes:core/v1:ConfigMap")
    assert said == (
        "ConfigMap shop/shop exists already, and no stack made it. Choose another name, or delete"
        " it"
    )


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_renamed_entry_is_told_what_to_write(
    api: dict[str, Any],
    refusing: Registered,
    monkeypatch: pytest.MonkeyPatch,
    *,
    dry_run: bool,
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: dry_run)
    api[PATH] = existing(**{OWNER: OURS, RESOURCE: "former-service"})
    assert "as resource former-service of this stack" in (refusing.create() or "")


def test_what_the_stack_made_itself_may_be_replaced_in_a_preview(
    api: dict[str, Any], refusing: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of release 2, too, which marked no resource.
    for marks in ({OWNER: OURS, RESOURCE: "shop"}, {OWNER: OURS}):
        api[PATH] = existing(**marks)
        monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
        assert refusing.create() is None
        monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
        assert "`python -m components recover`" in (refusing.create() or "")


def test_what_goes_is_waited_for(api: dict[str, Any], refusing: Registered) -> None:
    api[PATH] = existing()
    api[PATH]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    assert refusing.create() == (
        "Service shop/shop is being deleted since 2026-01-02 03:04:05. Wait until it is gone"
    )


def test_what_may_not_be_read_is_left_to_the_provider(
    api: dict[str, Any], refusing: Registered
) -> None:
    api[PATH] = 403
    assert refusing.create() is None


def test_what_would_be_refused_is_refused_in_a_preview(
    api: dict[str, Any], refusing: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATH not in api
    monkeypatch.setattr(Trial, "problem", lambda *_: "too long")
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert refusing.create() == "Service shop/shop would be refused by the API server: too long"
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    assert refusing.create() is None
