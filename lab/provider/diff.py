"""What changed between two sets of inputs, and which changes need a new object."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from lab.provider.values import UNKNOWN, Object

Path = tuple[str | int, ...]
"""Where a value is in an object: member names and list indexes."""

_SELECTED = (("spec", "selector"),)
_IMMUTABLE: dict[tuple[str, str], tuple[Path, ...]] = {
    ("apps/v1", "DaemonSet"): _SELECTED,
    ("apps/v1", "Deployment"): _SELECTED,
    ("apps/v1", "StatefulSet"): (
        *_SELECTED,
        ("spec", "podManagementPolicy"),
        ("spec", "revisionHistoryLimit"),
        ("spec", "serviceName"),
        ("spec", "volumeClaimTemplates"),
    ),
    ("batch/v1", "Job"): (
        *_SELECTED,
        ("spec", "completions"),
        ("spec", "parallelism"),
        ("spec", "template"),
    ),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): (("roleRef",),),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): (("roleRef",),),
    ("v1", "ConfigMap"): (("binaryData",), ("data",)),
    ("v1", "PersistentVolumeClaim"): (
        ("spec", "accessModes"),
        ("spec", "selector"),
        ("spec", "storageClassName"),
        ("spec", "volumeName"),
    ),
    ("v1", "Pod"): (("spec",),),
    ("v1", "Secret"): (("type",), ("stringData",), ("data",)),
    ("v1", "Service"): (("spec", "clusterIP"),),
}
_IDENTITY: tuple[Path, ...] = (("metadata", "name"), ("metadata", "namespace"))


@dataclass(frozen=True)
class Change:
    """One difference: where it is, what kind it is, and whether it needs a new object."""

    path: Path
    kind: Literal["ADD", "DELETE", "UPDATE"]
    replaces: bool

    @property
    def property_path(self) -> str:
        """The path in the engine's notation, such as `spec.ports[0].name`."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            elif re.search(r'[."\[\]]', step):
                text += '["' + step.replace('"', '\\"') + '"]'
            else:
                text += f".{step}" if text else step
        return text


def canonical(inputs: Object) -> Object:
    """The inputs in the form in which the API server keeps them: a Secret without `stringData`."""
    if inputs.get("kind") != "Secret" or not isinstance(inputs.get("stringData"), dict):
        return inputs
    if UNKNOWN in inputs["stringData"].values() or inputs.get("data") == UNKNOWN:
        return inputs
    encoded = {
        key: base64.b64encode(text.encode()).decode() for key, text in inputs["stringData"].items()
    }
    kept = {key: value for key, value in inputs.items() if key != "stringData"}
    return kept | {"data": inputs.get("data", {}) | encoded}


def immutable(inputs: Object, *, patch: bool, mutable: Iterable[str] = ()) -> tuple[Path, ...]:
    """The paths of an object that can only change by replacing it.

    `patch` says that the inputs belong to a Patch resource, which does not own the object and
    replaces nothing but its identity. `mutable` names kinds among ConfigMap and Secret whose data
    changes in place, unless the object itself says `immutable`.
    """
    if patch:
        return _IDENTITY
    kind = inputs.get("kind", "")
    if kind in mutable and not inputs.get("immutable"):
        return (*_IDENTITY, ("type",)) if kind == "Secret" else _IDENTITY
    return _IDENTITY + _IMMUTABLE.get((inputs.get("apiVersion", ""), kind), ())


def changes(old: Object, new: Object, immutable: tuple[Path, ...]) -> list[Change]:
    """The differences between old and new inputs, list elements compared by their place."""
    return [
        Change(path, kind, replaces=_forces_replacement(path, kind, immutable))
        for path, kind in _differences((), old, new)
    ]


def prune(live: Any, inputs: Any, path: Path = ()) -> Any:
    """The live value reduced to what the inputs mention: the inputs as the cluster has them.

    A quantity that the API server only writes in another way, such as `100m` for a CPU request of
    `0.1`, keeps the spelling of the inputs, so that it never shows as drift. `path` is where the
    value is in its object.
    """
    match live, inputs:
        case dict(), dict():
            kept = {
                key: prune(live[key], inputs[key], (*path, key)) for key in inputs if key in live
            }
            # The API server drops empty objects and lists in many places.
            empty = {key: value for key, value in inputs.items() if value in ({}, [])}
            return empty | kept
        case list(), list():
            return [prune(*pair, path) for pair in zip(live, inputs, strict=False)]
        case _:
            return inputs if _same(path, live, inputs) else live


def _forces_replacement(path: Path, kind: str, immutable: tuple[Path, ...]) -> bool:
    if path == ("metadata",) and kind == "DELETE":
        return True
    return any(path[: len(fixed)] == fixed for fixed in immutable)


def _differences(
    path: Path, old: Any, new: Any
) -> Iterator[tuple[Path, Literal["ADD", "DELETE", "UPDATE"]]]:
    match old, new:
        case dict(), dict():
            for key in sorted(old.keys() | new.keys()):
                if key not in new:
                    yield (*path, key), "DELETE"
                elif key not in old:
                    yield (*path, key), "ADD"
                else:
                    yield from _differences((*path, key), old[key], new[key])
        case list(), list():
            for index in range(max(len(old), len(new))):
                if index >= len(new):
                    yield (*path, index), "DELETE"
                elif index >= len(old):
                    yield (*path, index), "ADD"
                else:
                    yield from _differences((*path, index), old[index], new[index])
        case _:
            if not _same(path, old, new):
                yield path, "UPDATE"


_HOLDERS_OF_QUANTITIES = {"capacity", "hard", "limits", "requests", "sizeLimit"}
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d+))?")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def _quantity(value: Any) -> Decimal | None:
    found = _QUANTITY.fullmatch(str(value))
    if found is None or isinstance(value, bool):
        return None
    number, suffix, exponent = found.groups()
    if exponent is not None:
        return Decimal(number).scaleb(int(exponent))
    if suffix is None:
        return Decimal(number)
    if suffix.endswith("i"):
        return Decimal(number) * Decimal(1024) ** ("KMGTPE".index(suffix[0]) + 1)
    return Decimal(number).scaleb(_POWERS[suffix])


def _same(path: Path, left: Any, right: Any) -> bool:
    """Whether two values mean the same: equal ones, and equal quantities where quantities are."""
    if left == right:
        return True
    if _HOLDERS_OF_QUANTITIES.isdisjoint(path):
        return False
    value = _quantity(left)
    return value is not None and value == _quantity(right)
