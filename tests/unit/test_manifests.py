"""A stack's objects as manifests, from a state as Pulumi exports it."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from components.commands.manifests import main, manifests

SIGN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def resource(kind: str, id_: str, inputs: Any = None, **more: Any) -> dict[str, Any]:
    """An object of a state; its apiVersion is v1."""
    whole = {"apiVersion": "v1", "kind": kind.removesuffix("Patch"), **(inputs or {})}
    return {"type": f"kubernetes:core/v1:{kind}", "id": id_, "inputs": whole, **more}


def test_an_object_is_what_the_stack_said_of_it() -> None:
    metadata = {
        "name": "shop",
        "namespace": "shop",
        "annotations": {
            "pulumi.com/waitFor": "x",
            "ambient-exposure/stack": "x",
            "team": "shop",
        },
    }
    inputs = {"metadata": metadata, "spec": {"ports": []}, "__defaults": []}
    assert manifests([resource("Service", "shop/shop", inputs)]) == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "shop", "namespace": "shop", "annotations": {"team": "shop"}},
            "spec": {"ports": []},
        }
    ]


def test_patches_are_part_of_their_object() -> None:
    def labels(**held: str) -> Any:
        return {"metadata": {"name": "shop", "labels": held}}

    assert manifests(
        [
            resource("Namespace", "shop", labels(team="shop")),
            resource("NamespacePatch", "shop", labels(a="1")),
            resource("NamespacePatch", "shop", labels(b="2")),
            resource("ServicePatch", "shop/blog", {"metadata": {"labels": {"c": "3"}}}),
        ]
    ) == [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "shop", "labels": {"team": "shop", "a": "1", "b": "2"}},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "blog", "namespace": "shop", "labels": {"c": "3"}},
        },
    ]


def test_what_is_no_object_of_the_stack_is_left_out() -> None:
    named = {"valueFrom": {"secretKeyRef": {"name": "requests-1", "key": "requests"}}}
    pod = {"spec": {"containers": [{"env": [{"name": "CHECKS", **named}]}]}}
    job = resource("Job", "shop/probe", {"spec": {"template": pod}})
    assert (
        manifests(
            [
                {"type": "ambient:index:Waypoint", "id": ""},
                {"type": "pulumi:providers:kubernetes", "id": "1"},
                resource("Gateway", "edge/edge", external=True),
                resource("Gateway", "edge/old", delete=True),
                resource("Secret", "shop/requests-1"),
                {**job, "type": "kubernetes:batch/v1:Job"},
            ]
        )
        == []
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on a state; returns its status, what it printed, and Pulumi's words."""

    def call(resources: Any, *words: str, status: int = 0) -> Any:
        asked: list[str] = []

        def export(command: list[str], **_: Any) -> Any:
            asked[:] = command
            text = json.dumps({"deployment": {"resources": resources}})
            return SimpleNamespace(returncode=status, stdout=text)

        monkeypatch.setattr(subprocess, "run", export)
        monkeypatch.setattr(sys, "argv", ["manifests", *words])
        try:
            main()
        except SystemExit as ended:
            return ended.code, capsys.readouterr().out, asked
        return 0, capsys.readouterr().out, asked

    return call


def test_manifests_are_printed(run: Any) -> None:
    status, out, asked = run([resource("Namespace", "a"), resource("Namespace", "b")])
    assert (status, asked) == (0, ["pulumi", "stack", "export", "--non-interactive"])
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(out)] == ["a", "b"]
    _, _, asked = run([], "--stack", "mine", "--show-secrets")
    assert asked[4:] == ["--stack", "mine", "--show-secrets"]
    assert run([], status=3)[:2] == (3, "")


def test_secrets_are_written_where_that_is_asked_for(run: Any) -> None:
    def secret(**value: str) -> Any:
        return [resource("Secret", "shop/shop", {"stringData": {"key": {**SIGN, **value}}})]

    status, out, _ = run(secret(ciphertext="x"))
    assert out == ""
    assert status == (
        "Secret shop/shop stringData key: found a secret, expected --show-secrets, which writes it"
        " as plain text"
    )
    status, out, _ = run(secret(plaintext='"open"'), "--show-secrets")
    assert status == 0
    assert yaml.safe_load(out)["stringData"] == {"key": "open"}
