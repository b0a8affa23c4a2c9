"""The README's tables of settings and outputs are those of the program."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.unit.conftest import PROJECT, ROOT, Run


def rows() -> list[str]:
    return [
        f"| `{key}` | {shown(schema['default'])} | {schema['description']} |"
        for key, schema in PROJECT["config"].items()
    ]


def shown(value: object) -> str:
    if value in ("", [], {}):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def test_readme_lists_every_setting() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("### Configuration\n")[1].split("\n### ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == rows()


def test_readme_lists_every_output(run: Run) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("### Outputs\n")[1].split("\n### ")[0].split("\n## ")[0]
    listed = re.findall(
        r"`(\w+)`",
        "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `")),
    )
    entries = [
        {"name": name, "service": name, "namespace": name, "hostnames": [f"{name}.example.com"]}
        for name in ("a", "b")
    ]
    exports = run(serviceType="NodePort", tls={"issuer": "self-signed"}, exposures=entries).exports
    assert sorted(listed) == sorted(exports)


def test_the_readmes_commands_for_a_cluster_are_accepted(run: Run) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    values: dict[str, Any] = {}
    for path, value in re.findall(
        r"^pulumi config set (?:--path )?(\S+) (\S+)", readme, re.MULTILINE
    ):
        key, *steps = re.split(r"[.\[\]]+", path.strip("'").rstrip("]"))
        if not steps:
            values[key] = value
        elif steps == ["0"]:
            values[key] = [value]
        else:
            values.setdefault(key, [{}])[0][steps[1]] = int(value) if value.isdigit() else value
    values.pop("serviceType")
    assert {"context", "namespace", "service", "image", "hostnames", "paths", "checks"} <= set(
        values
    )
    assert "Gateway/exposure-gateway" in run(**values).graph


def configurations() -> list[dict[str, Any]]:
    """The settings in the YAML of README and docs/features.md, a stack's each."""
    blocks: list[str] = []
    for path in ("README.md", "docs/features.md"):
        text = (ROOT / path).read_text(encoding="utf-8")
        blocks += re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    parsed = [yaml.safe_load(block) for block in blocks]
    return [
        {key.partition(":")[2]: value for key, value in (one.get("config") or one).items()}
        for one in parsed
    ]


@pytest.mark.parametrize("values", configurations(), ids="-".join)
def test_the_documents_configurations_are_accepted(run: Run, values: dict[str, Any]) -> None:
    run(addresses=("198.18.1.0",), **values | {"verify": False})
