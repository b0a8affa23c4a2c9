"""The README's table of settings is that of Pulumi.yaml."""

import json

from tests.unit.conftest import PROJECT, ROOT


def rows() -> list[str]:
    return [
        f"| `{key}` | {shown(schema['default'])} | {schema['description']} |"
        for key, schema in PROJECT["config"].items()
    ]


def shown(value: object) -> str:
    if value == "":
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def test_readme_lists_every_setting() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("### Configuration\n")[1].split("\n### ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == rows()
