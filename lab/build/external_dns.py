"""external-dns, and a CoreDNS that serves its records: no part of a lab, built when asked for."""

import functools
from pathlib import Path

from lab import versions
from lab.build import go
from lab.build.cache import Cache
from lab.build.go import Upstream
from lab.build.progress import Steps

UPSTREAM = Upstream(
    "external-dns",
    f"external-dns {versions.EXTERNAL_DNS}",
    ("./external-dns", "./coredns"),
)


def build() -> Path:
    """The folder of both programs; raises `LabError` where they cannot be built."""
    cache, steps = Cache(), Steps()
    toolchain = functools.partial(go.toolchain, cache, steps)
    with go.caches(cache):
        return cache.make(go.recipe(UPSTREAM, toolchain), steps)
