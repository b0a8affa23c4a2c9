"""A stand-in for Pulumi's Kubernetes provider plugin, for machines that cannot download it.

It speaks the same protocol, accepts the same type tokens, keeps the same state and follows the
official plugin's behaviour for the kinds that a Gateway API exposure is made of. It is test
equipment: where Pulumi has the official plugin, or can download it, nothing here is used.

The plugin itself runs as `python -m lab.provider`; this package only installs it, so importing it
costs nothing.
"""

import shlex
import sys
from pathlib import Path

PLUGIN = "pulumi-resource-kubernetes"
"""The executable name under which Pulumi looks for a Kubernetes provider on PATH."""


def write_plugin(folder: Path) -> Path:
    """Write the executable that Pulumi starts as its Kubernetes provider, and return its path.

    `folder` is created where missing: one on PATH, or one of Pulumi's plugins. The executable runs
    `lab.provider` from this checkout with the interpreter that runs now, whatever environment
    Pulumi starts it in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parents[2]
    plugin = folder / PLUGIN
    plugin.write_text(
        "#!/bin/sh\n"
        f"export PYTHONPATH={shlex.quote(str(root))}\n"
        f'exec {shlex.quote(sys.executable)} -m lab.provider "$@"\n'
    )
    plugin.chmod(0o755)
    return plugin
