"""The rooms of the code: each says what is in it, and imports between them go one way."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

from tests.unit.conftest import ROOT

ROOMS = ("commands", "stack", "exposure", "parts", "cluster", "api", "checks")
"""The packages of `components`; each imports from itself and from those after it alone."""

COMPONENTS = sorted((ROOT / "components").rglob("*.py"))
LAB = sorted((ROOT / "lab").rglob("*.py"))
BENCH = sorted(file for name in ("bench", "faults") for file in (ROOT / name).rglob("*.py"))
PACKAGES = [file for file in (*COMPONENTS, *LAB, *BENCH) if file.name == "__init__.py"]


def dotted(file: Path) -> str:
    """The name of a module or package, such as `components.parts.gateway`."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path, source: str) -> Iterator[tuple[str, bool]]:
    """What `source`, as the text of `file`, imports, and whether by a relative name."""
    package = ".".join(file.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, False) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                name = "." * level + (module or "")
                whole = resolve_name(name, package) if level else name
                yield from ((f"{whole}.{alias.name}", level > 0) for alias in names)
            case _:
                pass


def faults(file: Path, source: str) -> list[str]:
    """What `source`, as the text of a module of `components`, imports and may not."""
    _, *inside = dotted(file).removesuffix(".__main__").split(".")
    allowed = ROOMS[ROOMS.index(inside[0]) :] if inside else ROOMS
    return [
        module
        for module, relative in imports(file, source)
        if module.partition(".")[0] in ("components", "ambient_exposure", "lab", "bench", "faults")
        and not (relative and module.split(".")[1] in allowed)
    ]


def test_every_module_of_the_components_is_in_a_room() -> None:
    places = {file.relative_to(ROOT / "components").parts[0] for file in COMPONENTS}
    assert places == {"__init__.py", "__main__.py", *ROOMS}


@pytest.mark.parametrize("file", COMPONENTS, ids=dotted)
def test_imports_go_one_way(file: Path) -> None:
    assert faults(file, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "source", "found"),
    [
        ("parts/tls.py", "from ..exposure.rules import A", ["components.exposure.rules.A"]),
        ("parts/tls.py", "from .. import stack", ["components.stack"]),
        ("parts/tls.py", "def f():\n from ..stack import load", ["components.stack.load"]),
        ("parts/tls.py", "from ..cluster import ownership\nfrom .grant import grant", []),
        (
            "parts/__init__.py",
            "from ..stack import load\nfrom . import tls",
            ["components.stack.load"],
        ),
        ("checks/faults.py", "from ..api.gateway import A", ["components.api.gateway.A"]),
        ("checks/faults.py", "import components.checks", ["components.checks"]),
        ("checks/faults.py", "from components.checks import values", ["components.checks.values"]),
        ("stack/stack.py", "import lab.node\nfrom lab import build", ["lab.node", "lab.build"]),
        ("stack/stack.py", "import ambient_exposure", ["ambient_exposure"]),
        ("stack/stack.py", "import pulumi\nfrom ..checks import values", []),
        ("__init__.py", "from .stack import load", []),
        ("__init__.py", "from components.stack import load", ["components.stack.load"]),
    ],
)
def test_an_import_the_other_way_is_found(file: str, source: str, found: list[str]) -> None:
    assert faults(ROOT / "components" / file, source) == found


@pytest.mark.parametrize("file", LAB, ids=dotted)
def test_the_lab_knows_nothing_of_the_components(file: Path) -> None:
    found = [module for module, _ in imports(file, file.read_text(encoding="utf-8"))]
    others = ("components", "ambient_exposure", "bench", "faults")
    assert [one for one in found if one.startswith(others)] == []


@pytest.mark.parametrize("file", BENCH, ids=dotted)
def test_what_measures_knows_nothing_of_the_components(file: Path) -> None:
    found = [module for module, _ in imports(file, file.read_text(encoding="utf-8"))]
    assert [one for one in found if one.startswith(("components", "ambient_exposure"))] == []


def test_the_program_knows_nothing_but_the_components() -> None:
    file = ROOT / "__main__.py"
    found = [module for module, _ in imports(file, file.read_text(encoding="utf-8"))]
    assert {module.partition(".")[0] for module in found} == {"components", "pulumi"}


@pytest.mark.parametrize("package", PACKAGES, ids=dotted)
def test_every_package_says_what_is_in_it(package: Path) -> None:
    assert ast.get_docstring(ast.parse(package.read_text(encoding="utf-8")))
