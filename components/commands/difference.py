"""The difference between two objects, a line for each property that differs."""

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from pulumi.runtime.rpc import UNKNOWN

SECRET = "[secret]"  # noqa: S105  # what Pulumi writes in the place of one
_WIDTH = 200
"""Characters of a value that are shown."""
_ABSENT: Any = object()
# What a cluster tells of a variable has lost its mark of a secret where variables were reordered.
_VARIABLE = re.compile(r"\.env\[")


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Lines `- path: value` and `+ path: value` that lead from `old` to `new`.

    Elements of a list are told apart by their `name` where each has one, else by their place. `!`
    is before what is not shown: a secret, or nothing but another order. Of environment variables
    the old value is never shown.
    """
    return list(_differences(old, new, ""))


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if old == new:
        return
    if SECRET in (old, new):
        yield f"! {path}: {SECRET}"
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            inside = f"{path}.{key}" if re.fullmatch(r"\w+", key) else f"{path}[{key}]"
            yield from _differences(
                old.get(key, _ABSENT), new.get(key, _ABSENT), inside.lstrip(".")
            )
    elif isinstance(old, list) and isinstance(new, list):
        yield from _elements(old, new, path)
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        yield from _elements(old.splitlines(), new.splitlines(), path)
    else:
        if not _VARIABLE.search(path) and old is not _ABSENT:
            yield f"- {path}: {shown(old)}"
        elif new is _ABSENT:
            yield f"- {path}"
        if new is not _ABSENT:
            yield f"+ {path}: {shown(new)}"


def _elements(old: Sequence[Any], new: Sequence[Any], path: str) -> Iterator[str]:
    before, after = _by_name(old), _by_name(new)
    if before is not None and after is not None:
        for name in dict.fromkeys([*before, *after]):
            yield from _differences(
                before.get(name, _ABSENT), after.get(name, _ABSENT), f"{path}[{name}]"
            )
        if [name for name in before if name in after] != [name for name in after if name in before]:
            yield f"! {path}: another order"
        return
    matcher = difflib.SequenceMatcher(a=_texts(old), b=_texts(new), autojunk=False)
    for _, start, stop, start_new, stop_new in matcher.get_opcodes():
        for index in range(max(stop - start, stop_new - start_new)):
            i, j = start + index, start_new + index
            was = old[i] if i < stop else _ABSENT
            is_ = new[j] if j < stop_new else _ABSENT
            yield from _differences(was, is_, f"{path}[{i if is_ is _ABSENT else j}]")


def _by_name(elements: Sequence[Any]) -> dict[str, Any] | None:
    """Elements by their names; None where not each has one of its own."""
    found = {
        one["name"]: one
        for one in elements
        if isinstance(one, Mapping) and isinstance(one.get("name"), str)
    }
    return found if len(found) == len(elements) else None


def _texts(elements: Sequence[Any]) -> list[str]:
    return [json.dumps(element, sort_keys=True) for element in elements]


def shown(value: Any) -> str:
    """A value in a line of YAML, shortened where it is long."""
    text = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=math.inf
    )
    line = told(" ".join(text.removesuffix("...\n").split()))
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"


def told(text: str) -> str:
    """`text` with words for what a preview does not know."""
    return text.replace(UNKNOWN, "(known after the update)")
