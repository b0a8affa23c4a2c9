"""How a cluster is reached, as kubectl reaches it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar

import httpx2
import lightkube
import yaml
from lightkube.config.kubeconfig import SERVICE_ACCOUNT
from lightkube.core.exceptions import ConfigError

_ANSWER = 5.0
"""Seconds that the API server may take to answer a request."""

C = TypeVar("C")


class Access(TypedDict):
    """Where the credentials for a cluster are found."""

    context: NotRequired[str]
    """Context of the kubeconfig (default, also where it is empty: the current context)."""
    kubeconfig: NotRequired[str]
    """Path of the kubeconfig (default, also where it is empty: $KUBECONFIG or ~/.kube/config)."""


def connect(access: Access) -> lightkube.Client:
    """A client of the cluster.

    Raises `ConfigError` where there is no such file or context.
    """
    return _connected(lightkube.Client, access)


def connect_async(access: Access) -> lightkube.AsyncClient:
    """The same for coroutines."""
    return _connected(lightkube.AsyncClient, access)


def _connected(client: Callable[..., C], access: Access) -> C:
    config = _kubeconfig(access.get("kubeconfig") or os.environ.get("KUBECONFIG", ""))
    try:
        selected = config.get(context_name=access.get("context") or None)
        return client(config=selected, timeout=httpx2.Timeout(_ANSWER))
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the context names no complete cluster and user ({error!r})") from error


def _kubeconfig(paths: str) -> lightkube.KubeConfig:
    """The kubeconfig of one or several files; the first to name a thing decides what it is."""
    default = Path("~/.kube/config").expanduser()
    named = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    files = [path for path in named or [default] if path.exists()]
    if not files:
        if not named and Path(SERVICE_ACCOUNT).exists():
            return lightkube.KubeConfig.from_service_account()
        raise ConfigError(f"no kubeconfig at {', '.join(map(str, named or [default]))}")
    merged: dict[str, Any] = {"clusters": [], "contexts": [], "users": []}
    for path in files:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            for kind in ("clusters", "contexts", "users"):
                known = {entry["name"] for entry in merged[kind]}
                merged[kind] += [e for e in content.get(kind) or [] if e["name"] not in known]
            merged.setdefault("current-context", content.get("current-context"))
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} is no kubeconfig") from error
    for entry in merged["users"]:
        # Versions v1 and v1beta1 of a login differ in nothing that a client without a terminal
        # meets; lightkube knows the older one.
        if (login := entry.get("user", {}).get("exec")) and login["apiVersion"].endswith("/v1"):
            login["apiVersion"] += "beta1"
    return lightkube.KubeConfig.from_dict(merged, fname=files[0])
