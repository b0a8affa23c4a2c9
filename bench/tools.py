"""The peers that are built from Go modules, as the lab's own programs are."""

import functools
import re
from pathlib import Path

from lab.build import go
from lab.build.cache import Cache
from lab.build.go import Upstream
from lab.build.progress import Steps

UPSTREAMS = (
    Upstream("helm", "Helm", ("helm.sh/helm/v4/cmd/helm",)),
    Upstream("opentofu", "OpenTofu", ("github.com/opentofu/opentofu/cmd/tofu",)),
    Upstream(
        "terraform-provider-kubernetes",
        "OpenTofu's Kubernetes provider",
        ("github.com/hashicorp/terraform-provider-kubernetes",),
    ),
)


def build() -> dict[str, Path]:
    """The folder of each, built where the cache lacks it; raises `LabError` where it cannot be."""
    cache, steps = Cache(), Steps()
    toolchain = functools.cache(lambda: go.toolchain(cache, steps))
    with go.caches(cache):
        return {one.folder: cache.make(go.recipe(one, toolchain), steps) for one in UPSTREAMS}


def versions() -> list[str]:
    """Each with the version that is pinned."""
    return [f"{one.title} {_version(one)}" for one in UPSTREAMS]


def _version(upstream: Upstream) -> str:
    module = re.split("/cmd/", upstream.packages[0])[0]
    pins = (upstream.source / "go.mod").read_text(encoding="utf-8")
    (version,) = re.findall(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", pins, re.MULTILINE)
    return str(version)
