"""The README's commands, as a newcomer runs them."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lab.conftest import HOST, ROOT, Lab, plain, run

GIB = 1 << 30


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


def test_the_commands_of_the_readme(checkout: Path, tmp_path: Path) -> None:
    env = os.environ | {"LAB_STATE": str(tmp_path / "lab"), "LAB_ZTUNNEL": "none"}
    sample = (checkout / "Pulumi.dev.yaml").read_text()
    try:
        printed = make(checkout, env, "up")
        count = created(printed)
        assert f"GET http://{HOST}:80/get (Host: httpbin.example.com): 404" in printed
        drawn = make(checkout, env, "waterfall").partition("critical path, ")
        assert "Gateway httpbin-gateway" in drawn[0]
        assert "Job httpbin-probe-job" in drawn[2]
        again = make(checkout, env, "up")
        assert f"{count} unchanged" in again
        assert "created" not in again
        assert f"{count} unchanged" in make(checkout, env, "preview")

        commands = (
            'eval "$(make -s env)"',
            "pulumi stack output ingressHost",
            "pulumi config set --path exposures.httpbin.gateway.serviceType LoadBalancer",
            "pulumi up --yes --skip-preview",
            "curl -sS -H Host:httpbin.example.com -o /dev/null -w 'answered %{http_code}'"
            ' "$(pulumi stack output ingressUrl)/headers"',
            "istioctl version",
            "kubectl get nodes",
        )
        printed = run("bash", "-ec", "\n".join(commands), cwd=checkout, env=env)
        assert HOST in printed
        assert "answered 200" in printed
        assert (checkout / "Pulumi.dev.yaml").read_text() == sample

        status = run(sys.executable, "-m", "lab", "status", env=env)
        memory = re.search(r"all memory, pods included: (\d+) MiB", status)
        assert memory
        assert int(memory[1]) << 20 < 3 * GIB
    finally:
        printed = make(checkout, env, "down")
    assert re.search(r"\d+ deleted", printed)
    assert not (tmp_path / "lab").exists()
    run("make", "preview", cwd=checkout, env=env, ends="badly")


@plain
def test_a_context_of_the_users_own_takes_the_place_of_the_lab(lab: Lab, checkout: Path) -> None:
    no_lab = checkout / "lab-of-nobody"
    backend = f"file://{checkout}"
    env = {**lab.env, "PULUMI_BACKEND_URL": backend, "LAB_STATE": str(no_lab)}
    printed = make(checkout, env, "up", "CONTEXT=lab")
    count = created(printed)
    assert f"GET http://{HOST}:80/headers (Host: httpbin.example.com): 200" in printed
    assert f"{count} unchanged" in make(checkout, env, "preview", "CONTEXT=lab")
    printed = run("make", "down", "CONTEXT=other", cwd=checkout, env=env, ends="badly")
    assert "the stack is on context lab, not other" in printed
    assert f"{count} deleted" in make(checkout, env, "down", "CONTEXT=lab")
    assert " Ready " in lab.kubectl("get", "nodes")
    assert not no_lab.exists()
