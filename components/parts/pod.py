"""Pods: what they may do by default, and changes to them."""

from collections.abc import Mapping
from typing import Any

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""A container's securityContext that Pod Security `restricted` admits.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

_SMALL = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "500m", "memory": "128Mi"},
}
"""Resources with which a namespace's ResourceQuota admits a pod, enough for curl and a shell."""


def small_pod(container: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of a pod with a `container` that needs little and writes nothing but `/tmp`."""
    pod = {
        "containers": [
            {
                **container,
                "imagePullPolicy": "IfNotPresent",
                "resources": _SMALL,
                "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": True},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return dict(patched(pod, patch))


def patched(whole: Any, patch: Any) -> Any:
    """`whole` after a patch.

    Mappings are merged, lists of mappings with a `name` as well, by it; all else is replaced, and
    None takes out.
    """
    if isinstance(patch, Mapping):
        own = whole if isinstance(whole, Mapping) else {}
        merged = {**own} | {key: patched(own.get(key), value) for key, value in patch.items()}
        return {key: value for key, value in merged.items() if value is not None}
    listed = [] if whole is None else whole
    if not (_all_named(listed) and _all_named(patch)):
        return patch
    names = [one["name"] for one in listed]
    changed = [*listed]
    for one in patch:
        if one["name"] in names:
            at = names.index(one["name"])
            changed[at] = patched(changed[at], one)
        else:
            changed.append(patched({}, one))
    return changed


def renamed(patch: Mapping[str, Any], name: str, now: str) -> Mapping[str, Any]:
    """The patch of a pod for one whose container `name` is called something else."""
    containers = patch.get("containers")
    if not _all_named(containers):
        return patch
    return {
        **patch,
        "containers": [
            {**one, "name": now} if one["name"] == name else one for one in containers or ()
        ],
    }


def with_names(patch: Any) -> str | None:
    """A patch of a pod whose containers and volumes have names."""
    for field in ("containers", "initContainers", "volumes"):
        listed = patch.get(field) if isinstance(patch, Mapping) else None
        if isinstance(listed, list | tuple) and not _all_named(listed):
            return f"a name in each of its {field}: they are merged by it"
    return None


def _all_named(listed: Any) -> bool:
    return isinstance(listed, list | tuple) and all(
        isinstance(one, Mapping) and "name" in one for one in listed
    )
