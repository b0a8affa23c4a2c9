"""The commands of `make` on a cluster of the user's own; those on the lab are in the tour."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lab.conftest import HOST, ROOT, Lab, plain, run


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project as it is cloned, in the environment of this one."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for path in ROOT.iterdir():
        if not path.match("Pulumi.*.yaml") and not path.match(".lab*"):
            (folder / path.name).symlink_to(path)
    shutil.copy(ROOT / "Pulumi.dev.yaml", folder)
    return folder


def make(checkout: Path, env: Mapping[str, str], *words: str) -> str:
    """What `make` prints."""
    return run("make", "--no-print-directory", *words, cwd=checkout, env=env, limit=3600)


def created(printed: str) -> str:
    """How many resources an update made."""
    assert "unchanged" not in printed
    (count,) = re.findall(r"(\d+) created", printed)
    return str(count)


@plain
def test_a_context_of_the_users_own_takes_the_place_of_the_lab(lab: Lab, checkout: Path) -> None:
    no_lab = checkout / "lab-of-nobody"
    backend = f"file://{checkout}"
    env = {**lab.env, "PULUMI_BACKEND_URL": backend, "LAB_STATE": str(no_lab)}
    printed = make(checkout, env, "up", "CONTEXT=lab")
    count = created(printed)
    assert f"GET http://{HOST}:80/headers (Host: httpbin.example.com): 200" in printed
    drawn = make(checkout, env, "waterfall", "CONTEXT=lab").partition("critical path, ")
    assert "Gateway httpbin-gateway" in drawn[0]
    assert "Job httpbin-probe-job" in drawn[2]
    assert f"{count} unchanged" in make(checkout, env, "preview", "CONTEXT=lab")
    printed = run("make", "down", "CONTEXT=other", cwd=checkout, env=env, ends="badly")
    assert "the stack is on context lab, not other" in printed
    assert f"{count} deleted" in make(checkout, env, "down", "CONTEXT=lab")
    assert " Ready " in lab.kubectl("get", "nodes")
    assert not no_lab.exists()
