"""What Pulumi's command line says of a stack."""

import subprocess

from ..checks.faults import InvalidInput

_LIMIT = 60
"""Seconds that a command may take."""


def run_pulumi(*words: str, stack: str, given: str | None = None) -> str:
    """What a command prints about a `stack`, an empty name for the selected one.

    `given` is its standard input. Raises `InvalidInput` where it fails or takes more than a minute.
    """
    command = ["pulumi", *words, *(["--stack", stack] if stack else []), "--non-interactive"]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=_LIMIT
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(f"{' '.join(command)}: no answer in {_LIMIT} seconds") from error
    if done.returncode:
        raise InvalidInput(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
