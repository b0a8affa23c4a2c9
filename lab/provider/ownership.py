"""Which field manager owns what, so that fields removed from a program vanish in the cluster."""

from typing import Any

from lab.provider.cluster import MANAGER
from lab.provider.values import Object

# Names, or beginnings of names such as kubectl-edit, of those that write by a person's hand, or for
# this plugin before its first server-side apply.
_ADOPTED = {"Apply": ("kubectl",), "Update": ("kubectl", "before-first-apply", MANAGER)}


def has_first_manager(live: Object) -> bool:
    """Whether the object still belongs to the manager that created it, wholly or in part."""
    return any(
        _key(entry) == (MANAGER, "Update", "")
        for entry in live["metadata"].get("managedFields", [])
    )


def adopt(live: Object, manager: str) -> list[Object]:
    """The JSON Patch that gives `manager` the fields of earlier managers; empty if none has any.

    Server-side apply removes a field only when its own manager owned it and no longer names it. An
    object is created without server-side apply, to not take over an existing one, so its fields
    first belong to another manager.
    """
    entries: list[Object] = live["metadata"].get("managedFields", [])
    adopted = [entry for entry in entries if _is_adopted(entry)]
    if not adopted:
        return []
    own = [entry for entry in entries if _key(entry) == (manager, "Apply", "")]
    fields: Object = {}
    for entry in [*own, *adopted]:
        fields = _union(fields, entry["fieldsV1"])
    merged = adopted[0] | {"manager": manager, "operation": "Apply", "fieldsV1": fields}
    kept = [entry for entry in entries if entry not in adopted and entry not in own]
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, merged]},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": live["metadata"]["resourceVersion"],
        },
    ]


def _key(entry: Object) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def _is_adopted(entry: Object) -> bool:
    manager, operation, subresource = _key(entry)
    return manager.startswith(_ADOPTED[operation]) and not subresource


def _union(left: Any, right: Any) -> Any:
    return left | {
        name: _union(left[name], fields) if name in left else fields
        for name, fields in right.items()
    }
