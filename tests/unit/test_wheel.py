"""What `pip install` of this repository brings to a user."""

import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.unit.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    # hatchling is there: nothing has to be fetched.
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*pip, "wheel", *options, str(ROOT)], check=True, timeout=120)
    (file,) = folder.glob("*.whl")
    unpacked = folder / "unpacked"
    zipfile.ZipFile(file).extractall(unpacked)
    return unpacked


def metadata(wheel: Path) -> Message:
    (folder,) = wheel.glob("*.dist-info")
    return Parser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))


def test_the_components_are_ambient_exposure(wheel: Path) -> None:
    package = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert package == {"ambient_exposure"}
    installed = {
        path.relative_to(wheel / "ambient_exposure")
        for path in wheel.rglob("*")
        if path.is_file() and "ambient_exposure" in path.relative_to(wheel).parts
    }
    source = ROOT / "components"
    assert installed == {
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path("py.typed"), Path("parts/probe.sh")} <= installed


def test_the_licence_comes_with_them(wheel: Path) -> None:
    assert metadata(wheel)["License-Expression"] == "Apache-2.0"
    (folder,) = wheel.glob("*.dist-info")
    licence = (folder / "licenses" / "LICENSE").read_text(encoding="utf-8")
    assert licence == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_what_a_program_needs_is_required(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata(wheel).get_all("Requires-Dist", []) == project["dependencies"]


def test_it_is_imported_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    program = (
        "import sys, ambient_exposure\n"
        "assert 'components' not in sys.modules\n"
        "ambient_exposure.AmbientExposure\n"
        "print(ambient_exposure.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == str(wheel / "ambient_exposure" / "__init__.py"), done.stderr
