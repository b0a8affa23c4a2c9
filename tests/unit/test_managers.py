"""What is people's of an object, and what is said before an update takes it off."""

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from lightkube.core.exceptions import ApiError
from lightkube.models.meta_v1 import ManagedFieldsEntry

from components.cluster import managers
from components.cluster.managers import unset, warn_of_losses

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
INPUTS: dict[str, Any] = {
    "metadata": {
        "name": "shop",
        "namespace": "shop",
        "labels": {"app": "shop"},
        "finalizers": ["a"],
    },
    "spec": {"listeners": [{"name": "default", "port": 80}], "infrastructure": {}},
}
LAST_APPLIED = "f:kubectl.kubernetes.io/last-applied-configuration"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"f:metadata": {"f:labels": {".": {}, "f:app": {}}}}, {}),
        (
            {"f:metadata": {"f:labels": {"f:app": {}, "f:example.com/team": {}}}},
            {"f:metadata": {"f:labels": {"f:example.com/team": {}}}},
        ),
        (
            {"f:metadata": {"f:finalizers": {'v:"a"': {}, 'v:"b"': {}}}},
            {"f:metadata": {"f:finalizers": {'v:"b"': {}}}},
        ),
        # Whole, as an atomic list is.
        ({"f:spec": {"f:listeners": {}}}, {}),
        (
            {"f:spec": {"f:listeners": {'k:{"name":"default"}': {".": {}, "f:hostname": {}}}}},
            {"f:spec": {"f:listeners": {'k:{"name":"default"}': {"f:hostname": {}}}}},
        ),
        (
            {"f:spec": {"f:listeners": {'k:{"name":"other"}': {".": {}, "f:port": {}}}}},
            {"f:spec": {"f:listeners": {'k:{"name":"other"}': {".": {}, "f:port": {}}}}},
        ),
    ],
)
def test_what_inputs_do_not_set_is_left(fields: Any, left: Any) -> None:
    assert unset(fields, INPUTS) == left


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is said of an update of an object with these managers, `None` for none."""
    hooks: list[Any] = []
    said: list[str] = []
    live: list[Any] = []

    def get(*_: Any, namespace: str) -> Any:
        assert namespace == "shop"
        if live[-1] is None:
            answer = SimpleNamespace(json=lambda: {"code": 403})
            raise ApiError(response=answer)  # type: ignore[arg-type]
        return SimpleNamespace(metadata=SimpleNamespace(managedFields=live[-1]))

    monkeypatch.setattr(managers, "connect", lambda _: SimpleNamespace(get=get))
    monkeypatch.setattr(pulumi, "ResourceHook", lambda _name, hook, _opts: hooks.append(hook))
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    warn_of_losses({}, "losses")

    def update(*entries: ManagedFieldsEntry | None) -> list[str]:
        live.append(None if entries == (None,) else entries)
        said.clear()
        hooks[0](pulumi.ResourceHookArgs("urn", "", "shop", GATEWAY, new_inputs=INPUTS))
        return [*said]

    return update


def entry(manager: str, fields: Any, subresource: str | None = None) -> ManagedFieldsEntry:
    return ManagedFieldsEntry(manager=manager, fieldsV1=fields, subresource=subresource)


def test_what_an_update_takes_off_is_said(warned: Any) -> None:
    added: Any = {"f:metadata": {"f:labels": {"f:app": {}, "f:team": {}}}}
    applied: Any = {"f:metadata": {"f:annotations": {".": {}, LAST_APPLIED: {}}}}
    listener: Any = {"f:spec": {"f:listeners": {'k:{"name":"more"}': {".": {}}}}}
    assert warned(
        entry("kubectl-client-side-apply", applied),
        entry("kubectl-label", added),
        entry("kubectl-edit", {**added, **listener}),
        entry("kubectl", added, "status"),
        entry("other", added),
    ) == [
        f"Gateway shop/shop: found {found}, expected what the stack sets alone: this update takes"
        " that off, though its difference does not show it"
        for found in (
            "metadata.labels.team, set by kubectl-label",
            'metadata.labels.team, spec.listeners.{"name":"more"}, set by kubectl-edit',
        )
    ]
    assert warned(None) == []
