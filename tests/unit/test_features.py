"""docs/features.md names settings, arguments and tests that exist, and every setting there is.

Whether a test proves its row is for its reader to judge.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args, get_origin, is_typeddict

import pytest

import components
from components.checks.faults import camel
from components.checks.schema import allowed_types
from components.exposure.arguments import AmbientExposureArgs
from components.stack.arguments import StackArgs
from tests.unit.conftest import ROOT

PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| [^|]", line) and not line.startswith("| feature ")
]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def functions(path: str) -> dict[str, set[str]]:
    """The functions of a file, each with its decorators."""
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return {
        node.name: {ast.unparse(decorator) for decorator in node.decorator_list}
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def options(field: Any) -> Any:
    """The TypedDict that a field holds, or None."""
    for type_ in allowed_types(field):
        if is_typeddict(shape := get_origin(type_) or type_):
            return shape
    return None


def fields(shape: Any) -> dict[str, Any]:
    """The fields of a TypedDict, in the words of the configuration."""
    return {camel(name): field for name, field in shape.__annotations__.items()}


def exists(path: str) -> bool:
    """Whether a path such as `exposures.NAME.gateway.tls.mode` leads to a setting."""
    field: Any = StackArgs
    for step in path.split("."):
        if step == "NAME":
            (field,) = (get_args(type_)[-1] for type_ in allowed_types(field))
        elif not (shape := options(field)) or step not in fields(shape):
            return False
        else:
            field = fields(shape)[step]
    return True


def settings() -> Iterator[str]:
    """What can be set: beside the exposures, of an exposure, and of its parts."""
    yield from fields(StackArgs).keys() - {"exposures"}
    for name, field in fields(AmbientExposureArgs).items():
        part = options(field)
        # What has a form of others' APIs is one setting.
        own = part and not part.__module__.endswith("_types")
        of_part = [f"{name}.{option}" for option in fields(part)] if own else [name]
        yield from (f"exposures.NAME.{setting}" for setting in of_part)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_feature_names_what_exists(row: list[str]) -> None:
    _, named, argument, proof = row
    for setting in quoted(named):
        assert exists(setting), setting
    for name in quoted(argument):
        component, _, field = name.partition(".")
        assert hasattr(components, component), name
        args = getattr(components, f"{component}Args", None)
        assert not field or field.split(".")[0] in args.__annotations__, name
    proofs = quoted(proof)
    assert proofs, "every feature has its proof"
    for test in proofs:
        path, _, function = test.partition("::")
        assert function in functions(path), test
        needs_ztunnel = "ambient" in functions(path)[function]
        assert (f"with a ztunnel: `{test}`" in proof) is needs_ztunnel, test
    no_request = all(test.startswith("unit/") for test in proofs)
    assert proof.startswith("unit tests only: ") is no_request


def test_every_setting_is_part_of_a_feature() -> None:
    named = {setting for row in ROWS for setting in quoted(row[1])}
    assert {
        setting
        for setting in settings()
        if not any(f"{one}.".startswith(f"{setting}.") for one in named)
    } == set()


def run_without_ztunnel(**variables: str) -> subprocess.CompletedProcess[str]:
    """A run of the tests that only a ztunnel lets run, and that needs no lab therefore."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LAB_", "PYTEST_"))}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-k",
            "only_the_waypoint_reaches",
            "tests/lab/test_security.py",
        ],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_only_a_ztunnel_proves_is_named_where_there_is_none() -> None:
    done = run_without_ztunnel()
    assert done.returncode == 0, done.stdout
    assert re.search(
        r"^SKIPPED \[1\] \S+: not proven here with a ztunnel, as LAB_ZTUNNEL is not set: "
        r"test_only_the_waypoint_reaches_the_pods\[ztunnel\]: "
        r"Fail closed: only the waypoint reaches the pods$",
        done.stdout,
        re.MULTILINE,
    ), done.stdout


def test_it_fails_where_a_ztunnel_is_required() -> None:
    done = run_without_ztunnel(LAB_TEST_REQUIRE="ztunnel")
    assert done.returncode
    assert "LAB_TEST_REQUIRE asks for a ztunnel: set LAB_ZTUNNEL" in done.stdout
