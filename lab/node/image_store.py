"""The images as containerd keeps them: imported once, then linked into every node.

Importing them takes ten seconds of two processors just when everything else starts too; linking
some hundred files takes none.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab.build.artifacts import Artifacts
from lab.build.cache import Cache, Recipe
from lab.build.command import Command
from lab.build.progress import Step, Steps
from lab.node.control_plane import environment

_IMPORT: Final = """\
containerd --root="$1" --state="$0/state" --address="$0/sock" --config="$0/config" &
shift
until ctr --address="$0/sock" version >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done
for image; do ctr --address="$0/sock" --namespace=k8s.io image import "$image"; done
kill $!
wait $!
"""
"""$0 is a folder for the time it takes, $1 the store; the images follow."""


def prepare(steps: Steps, artifacts: Artifacts) -> Path:
    """Return containerd's root folder with all images, made unless it is in the cache."""
    cache = Cache()

    def make(into: Path, _: Step) -> None:
        # The path of a socket must be short.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "config").write_text(
                f'version = 2\nplugins."io.containerd.internal.v1.opt".path = "{folder}/opt"\n'
                'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            )
            isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
            images = map(str, artifacts.images)
            Command(
                [*isolated, "sh", "-ec", _IMPORT, folder, str(into), *images],
                cache.log("image-store"),
                environment=environment(artifacts),
                limit=300.0,
            ).run()

    inputs = (artifacts.debian.name, *(image.parent.name for image in artifacts.images))
    return cache.make(Recipe("image-store", "images unpacked", inputs, make), steps)


def place(store: Path, target: Path) -> None:
    """Fill containerd's root folder `target` from the store."""
    shutil.copytree(store, target, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    """Link a file, whose content never changes, or copy a database or across file systems."""
    if not source.endswith(".db"):
        with suppress(OSError):
            os.link(source, target, follow_symlinks=False)
            return
    shutil.copy2(source, target, follow_symlinks=False)
