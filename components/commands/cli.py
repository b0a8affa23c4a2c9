"""What Pulumi's command line says of a stack."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

from ..checks.faults import InvalidInput

_LIMIT = 60
"""Seconds that a command may take."""

_PREVIEW = 600
"""Seconds that one may take which asks the cluster for each object."""


def run_pulumi(*words: str, stack: str, given: str | None = None) -> str:
    """What a command prints about a `stack`, an empty name for the selected one.

    `given` is its standard input. Raises `InvalidInput` where it fails or takes more than a minute,
    `refresh` more than ten.
    """
    done = _run(words, stack, given=given, limit=_PREVIEW if words[0] == "refresh" else _LIMIT)
    if done.returncode:
        raise InvalidInput(f"{' '.join(done.args)}: {done.stderr.strip()}")
    return done.stdout


def preview(*words: str, stack: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a preview says of a `stack`, an empty name for the selected one.

    `variables` are set in its environment. Raises `InvalidInput` where it fails, with what it says
    of that, or takes more than ten minutes.
    """
    whole = {**whole_preview(), **(variables or {})}
    done = _run(("preview", "--json", *words), stack, limit=_PREVIEW, variables=whole)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        found = {}
    if done.returncode:
        said = [one for one in found.get("diagnostics") or [] if one.get("severity") == "error"]
        why = "\n".join(str(one["message"]).strip() for one in said) or done.stderr.strip()
        raise InvalidInput(f"{' '.join(done.args)}: {why}")
    return found


def whole_preview() -> dict[str, str]:
    """The environment in which `pulumi preview --json` prints one document, not many."""
    return {k: v for k, v in os.environ.items() if k != "PULUMI_ENABLE_STREAMING_JSON_PREVIEW"}


def _run(
    words: tuple[str, ...],
    stack: str,
    *,
    given: str | None = None,
    limit: float,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    command = ["pulumi", *words, *(["--stack", stack] if stack else []), "--non-interactive"]
    try:
        return subprocess.run(
            command,
            input=given,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(f"{' '.join(command)}: no answer in {limit} seconds") from error
