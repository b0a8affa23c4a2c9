"""What the documents show is accepted: configurations, commands, programs, names."""

import ast
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml

from components.stack import load
from components.stack.arguments import StackArgs
from tests.unit.conftest import PROJECT, ROOT, SAMPLE, Run, handed_over, patched, sample
from tests.unit.test_features import exists

CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT): path.read_text(encoding="utf-8")
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/*/README.md"),
        *ROOT.glob("package/*.md"),
    )
}
PREFIX = f"{PROJECT['name']}:"


def blocks(language: str) -> list[Any]:
    """The blocks in a language, each as a parameter named after its page and line."""
    return [
        pytest.param(block[1], id=f"{path}:{text.count(chr(10), 0, block.start()) + 1}")
        for path, text in PAGES.items()
        for block in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


def read(config: dict[str, Any]) -> StackArgs:
    """What a stack file's `config` stands for."""
    assert all(key.startswith(PREFIX) for key in config)
    pulumi.runtime.set_mocks(cast("Any", None), project=PROJECT["name"], stack="dev")
    values = {key.removeprefix(PREFIX): value for key, value in config.items()}
    pulumi.runtime.set_all_config(handed_over(PROJECT, values), [])
    return load()


@pytest.mark.parametrize("block", blocks("yaml"))
def test_a_configuration_is_accepted(block: str) -> None:
    given = yaml.safe_load(block)
    # A recipe is what a stack has beside what the sample has.
    assert read(given["config"] if "config" in given else patched(SAMPLE, given))


def settings() -> list[Any]:
    """The commands that set a part of a stack's configuration, each with its path and value."""
    command = r"pulumi config set (?:--secret )?--path ([^\s`']+)(?: ([^\s`]+))?"
    return [
        pytest.param(path.replace("NAME", "shop"), value or "a", id=f"{page}:{path}")
        for page, text in PAGES.items()
        for path, value in re.findall(command, text)
    ]


@pytest.mark.parametrize(("path", "value"), settings())
def test_a_command_sets_what_exists(path: str, value: str) -> None:
    *steps, last = path.split(".")
    patch: Any = {last: json.loads(value) if value.isdigit() else value}
    for step in reversed(steps):
        patch = {step: patch}
    (exposure,) = sample().values()
    name = steps[1] if steps[0] == "exposures" else "shop"
    values = patched({"exposures": {name: exposure}}, patch)
    assert read({f"{PREFIX}{key}": value for key, value in values.items()})


def table(heading: str) -> list[str]:
    """The first column of the table under a heading of the page on configuration."""
    section = CONFIGURATION.split(f"# {heading}\n")[1].split("\n## ")[0]
    return [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]


def test_settings_that_are_listed_exist() -> None:
    listed = [
        setting
        for cell in table("A stack's configuration")
        for setting in re.findall("`(.*?)`", cell)
    ]
    assert len(listed) > 10
    assert [setting for setting in listed if not exists(setting)] == []


def test_every_output_is_listed(run: Run) -> None:
    listed = [output for cell in table("Outputs") for output in re.findall("`(.*?)`", cell)]
    gateway = {"serviceType": "NodePort", "tls": {"issuer": "self-signed"}}
    shared: dict[str, Any] = {
        "gateways": {"edge": {"hostnames": ["*.example.com"]}},
        "waypoints": {"shared": {}},
    }
    assert sorted(listed) == sorted(run(exposure={"gateway": gateway}, **shared).exports)


PROGRAMS = blocks("python")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    monkeypatch.setattr("components.cluster.provider.preflight", lambda *_: None)
    file = tmp_path / "program.py"
    file.write_text(program, encoding="utf-8")
    assert run(lambda: runpy.run_path(str(file)), addresses=("192.0.2.1",)).exports


@pytest.mark.parametrize("checker", [["mypy", "--strict"], ["pyright"]], ids=lambda one: one[0])
def test_programs_are_typed(tmp_path: Path, checker: list[str]) -> None:
    assert PROGRAMS
    for number, program in enumerate(PROGRAMS):
        (tmp_path / f"program_{number}.py").write_text(program.values[0], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", *checker, *tmp_path.iterdir()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def messages() -> list[str]:
    """Every text in the components, `…` for what stands in it."""
    texts = []
    for path in (ROOT / "components").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (one.value if isinstance(one, ast.Constant) else "…" for one in node.values)
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def test_troubleshooting_knows_messages_that_there_are() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `([^`]*[a-z] [^`]*)` \|", page, re.MULTILINE)
    known = messages()
    assert len(shown) > 25
    assert [one for one in shown if not any(one in text for text in known)] == []
