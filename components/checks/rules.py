"""Rules between the fields of a class that many classes have.

A field counts as given unless it is missing or an empty list.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

from .faults import Faults
from .schema import Limits, Rule, Rules, Schema, at
from .values import Check, known


def given(owner: Mapping[str, Any], field: str) -> bool:
    """Whether a field is given."""
    return bool(owner.get(field, []) != [])


def each(
    path: str, owner: Mapping[str, Any], field: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The mappings in a field's list, as far as they are known, with their paths."""
    for position, element in enumerate(owner.get(field, ())):
        if known(element):
            yield f"{at(path, field)}[{position}]", element


def all_of(*rules: Rule) -> Rule:
    """Every one of these rules."""

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        for rule in rules:
            rule(faults, path, value)

    return check


def some_of(*fields: str) -> Rule:
    """At least one of these fields is given."""

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        if not any(given(value, field) for field in fields):
            faults.add(path, f"found neither {' nor '.join(fields)}, expected one of them")

    return check


def one_at_most(*fields: str) -> Rule:
    """At most one of these fields is given."""

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        found = [field for field in fields if given(value, field)]
        if len(found) > 1:
            faults.add(path, f"found both {' and '.join(found)}, expected one of them")

    return check


def by(
    field: str,
    default: str = "",
    *,
    needs: Mapping[str, Sequence[str]] | None = None,
    takes: Mapping[str, Mapping[str, Check]] | None = None,
) -> Rule:
    """What the value of a field, `default` where it is missing, demands of others.

    Of those that it `needs` one has to be given; of those that it `takes` the checks hold.
    """

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        chosen = value.get(field, default)
        needed = (needs or {}).get(chosen, ())
        if needed and not any(given(value, other) for other in needed):
            expected = f"{' or '.join(needed)}, as {field} is {chosen}"
            faults.add(at(path, needed[0]), f"found nothing, expected {expected}")
        for other, taken in (takes or {}).get(chosen, {}).items():
            if given(value, other):
                faults.check(at(path, other), value[other], taken)

    return check


def named_by_type(class_: Any) -> Rule:
    """Of the fields of a class one is given, named like its `type`: `cors` for `CORS`."""
    fields = {field.lower(): field for field in class_.__annotations__}

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        type_ = value["type"]
        if not known(type_):
            return
        field = fields[type_.lower()]
        if field not in value:
            faults.add(at(path, field), f"found nothing, expected it for type {type_}")
        for other in value:
            if other not in ("type", field):
                faults.add(at(path, other), f"found for type {type_}, expected {field} alone")

    return check


def distinct(field: str, *, in_any_case: bool = False, **keys: str) -> Rule:
    """No two elements of a list are equal, or have all of these keys, with defaults, in common."""

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        owners: dict[Hashable, str] = {}
        for position, element in enumerate(value.get(field, ())):
            where = f"{at(path, field)}[{position}]"
            found = {key: element.get(key, default) for key, default in keys.items()}
            held = tuple(found.values()) or (element,)
            words = ", ".join(f"{key} {one!r}" for key, one in found.items()) or repr(element)
            if in_any_case:
                held = tuple(one.lower() for one in held)
            if owners.setdefault(held, where) != where:
                faults.add(where, f"found {words} as in {owners[held]}, expected another")

    return check


def of_api(
    limits: Limits,
    lists: Mapping[type, Mapping[str, str]],
    rules: Rules,
    in_any_case: Collection[str] = (),
) -> Schema:
    """The schema of an API of these limits and rules.

    No two elements of its `lists` have the key in common, or are equal where it is empty.
    """
    whole = {
        class_: [
            distinct(field, in_any_case=field in in_any_case, **({key: ""} if key else {}))
            for field, key in fields.items()
        ]
        for class_, fields in lists.items()
    }
    for class_, rule in rules.items():
        whole.setdefault(class_, []).append(rule)
    return Schema(limits, {class_: all_of(*found) for class_, found in whole.items()})
