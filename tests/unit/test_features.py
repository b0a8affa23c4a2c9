"""docs/features.md names settings, arguments and tests that exist, and every setting there is."""

import ast
import re
from typing import Any

import pytest

import components
from components.stack.keys import StackSettings
from tests.unit.conftest import ROOT

PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| [^|]", line) and not line.startswith("| feature ")
]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def arguments(component: str) -> set[str]:
    shape: Any = getattr(components, f"{component}Args", None)
    return set(shape.__annotations__) if shape else set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_feature_names_what_exists(row: list[str]) -> None:
    _, settings, argument, proof = row
    for setting in quoted(settings):
        assert re.split(r"[.\[]", setting)[0] in StackSettings.__annotations__, setting
    for name in quoted(argument):
        component, _, field = name.partition(".")
        assert hasattr(components, component), name
        assert not field or field.split(".")[0] in arguments(component), name
    proofs = quoted(proof)
    assert proofs, "every feature has its proof"
    for test in proofs:
        path, _, function = test.partition("::")
        assert function in functions(f"tests/{path}"), test


def test_every_setting_is_part_of_a_feature() -> None:
    named = {re.split(r"[.\[]", one)[0] for row in ROWS for one in quoted(row[1])}
    assert StackSettings.__annotations__.keys() - named == set()
