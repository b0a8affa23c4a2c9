"""What keeps the repository in order: locks, hooks, workflows."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.commands.comment import render
from tests.unit.conftest import ROOT

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def text(*names: str) -> str:
    return ROOT.joinpath(*names).read_text(encoding="utf-8")


def pinned(file: str) -> dict[str, str]:
    """The packages of a lock, each with its version."""
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^ \n]+)", text(file), re.MULTILINE))


def test_every_package_is_locked_with_a_hash() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "policy/requirements.txt"):
        for entry in re.split(r"\n(?=\w)", text(file))[1:]:
            assert re.match(r"[^=]+==\S+ .*\\\n +--hash=sha256:", entry), entry


def test_the_locks_agree_and_hold_what_is_asked_for() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    own, dev = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert own == pinned("constraints.txt")
    assert own.items() <= dev.items()
    names = [re.split(r"\[", name)[0].lower() for name in project["dependency-groups"]["dev"]]
    assert {*names} <= dev.keys()
    assert {*project["project"]["dependencies"]} <= own.keys()
    # The wheel is built by the release that the tests use.
    assert project["build-system"]["requires"] == [f"hatchling=={dev['hatchling']}"]


def test_the_hooks_call_what_make_lint_calls() -> None:
    (repository,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    recipe = text("Makefile").split("\nlint:")[1].split("\n\n")[0]
    for hook in repository["hooks"]:
        program = hook["entry"].removeprefix(".venv/bin/").split()[0]
        assert program == "make" or f"$(VENV)/bin/{program}" in recipe


@pytest.mark.parametrize(
    "file", [*WORKFLOWS, *ROOT.glob(".github/actions/*/action.yml")], ids=lambda file: file.stem
)
def test_actions_are_pinned_by_their_commit(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"\./\.github/\S+|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+.*", action)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_job_may_no_more_than_it_needs(file: Path) -> None:
    workflow: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] in ({}, {"contents": "read"})
    triggers = workflow[True]  # `on`, to YAML
    assert "pull_request_target" not in triggers
    for name, job in workflow["jobs"].items():
        permissions = job.get("permissions", {})
        credentials = permissions.get("id-token") == "write"
        # What holds credentials runs in an environment and writes nothing on the forge.
        assert credentials is ("environment" in job), name
        writes = {key for key, value in permissions.items() if value == "write"}
        assert writes in (set(), {"id-token"}, {"pull-requests"}, {"issues"}), name
        if credentials and "pull_request" in triggers:
            assert "head.repo.full_name == github.repository" in job["if"], name


def test_a_comment_is_found_by_its_first_line() -> None:
    first = render({}, "prod").splitlines()[0]
    mark = 'mark="<!-- preview of stack ${file%.md} -->"'
    assert mark in text(".github", "workflows", "preview.yml")
    assert mark == f'mark="{first.replace("prod", "${file%.md}")}"'


def test_an_id_token_is_handed_to_the_cluster(tmp_path: Path) -> None:
    curl = tmp_path / "curl"
    curl.write_text(
        '#!/bin/sh\necho "$*" >"$0.words"\necho \'{"count":1,"value":"a.b-c"}\'\n', encoding="utf-8"
    )
    curl.chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts" / "id-token.sh", "https://cluster"],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "mine",
            "ACTIONS_ID_TOKEN_REQUEST_URL": "http://issuer?v=2",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": "a.b-c"},
    }
    words = Path(f"{curl}.words").read_text(encoding="utf-8")
    assert "audience=https://cluster" in words
    assert "bearer mine http://issuer?v=2" in words
