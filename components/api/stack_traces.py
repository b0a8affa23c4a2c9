"""The calls that Pulumi records of each resource."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

_FRAMES = 8
"""Innermost calls that are looked at: with those inside Pulumi two or three are left."""


@contextmanager
def short_stack_traces() -> Generator[None]:
    """Let what is registered be recorded with the innermost of the calls that led to it.

    All of them would be a quarter of the state, and name folders of the machine: an update from
    another one would write each resource anew.
    """
    former = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = _FRAMES
    try:
        yield
    finally:
        if former is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = former
