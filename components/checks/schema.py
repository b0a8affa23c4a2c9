"""Checks of whole values against the TypedDicts that declare their shape.

The structure (keys, required ones, types, choices) is read from the annotations; limits of single
fields and rules between the fields of one class come on top. Values that are outputs or awaitables
are not known yet and pass, at every level.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import (
    Any,
    ForwardRef,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

import pulumi

from . import values as valid
from .values import Check, Faults

Limits = Mapping[type, Mapping[str, Check]]
"""Checks of the fields of TypedDict classes; `FIELD[]` is for the values that a list or mapping
holds, `FIELD{}` for the keys of a mapping."""

Rule = Callable[[Faults, str, Mapping[str, Any]], None]
"""Records what is wrong between the fields of the value at a path.

The fields are of their declared types, but may be outputs, and wrong further inside.
"""

Rules = Mapping[type, Rule]
"""Rules of TypedDict classes."""

Bases = Mapping[type, type]
"""TypedDict classes and those that they extend, which Python 3.11 does not record itself."""

_FieldLimits = Mapping[str, Check]
"""Checks of one field: of the whole, of what it holds, of its keys."""

_ENDS = ("", "[]", "{}")
_NO_LIMITS: _FieldLimits = {}

_WORDS: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    NoneType: "None",
}


class Schema:
    """Limits and rules of TypedDict classes, by which values of these classes are checked.

    A class also has the limits and rules of the one that it extends; its own limits come in place
    of those of the same field, its own rule comes after the other.
    """

    def __init__(self, limits: Limits, rules: Rules, bases: Bases | None = None) -> None:
        self._limits = limits
        self._rules = rules
        self._bases = bases or {}

    def extended(self, limits: Limits, rules: Rules, bases: Bases | None = None) -> "Schema":
        """A schema that knows more classes."""
        return Schema(
            {**self._limits, **limits}, {**self._rules, **rules}, {**self._bases, **(bases or {})}
        )

    def __or__(self, other: "Schema") -> "Schema":
        """A schema that knows the classes of both."""
        return self.extended(other._limits, other._rules, other._bases)

    def validate(self, subject: str, value: object, shape: Any) -> None:
        """Raise `InvalidInput` with every fault of a value, which is declared as `shape`."""
        faults = Faults(subject)
        self.check(faults, "", value, shape)
        faults.raise_any()

    def check(self, faults: Faults, path: str, value: object, shape: Any) -> None:
        """Record every fault of the value at `path`, which is declared as `shape`."""
        self._check(faults, path, value, shape)

    def _check(
        self,
        faults: Faults,
        path: str,
        value: object,
        shape: Any,
        limits: _FieldLimits = _NO_LIMITS,
    ) -> bool:
        """Whether the value is of a declared type, whatever is wrong further inside."""
        types = list(_types(shape))
        if Any in types or not known(value):
            return True
        for type_ in types:
            if _fits(value, type_):
                if check := limits.get(""):
                    faults.check(path, value, check)
                self._check_inside(faults, path, value, type_, limits)
                return True
        faults.add(path, f"found {valid.shown(value)}, expected {_expected(types, value)}")
        return False

    def _check_inside(
        self, faults: Faults, path: str, value: Any, type_: Any, limits: _FieldLimits
    ) -> None:
        arguments = get_args(type_) or (Any,)
        held_limits = {"": limits["[]"]} if "[]" in limits else _NO_LIMITS
        if is_typeddict(type_):
            self._check_fields(faults, path, value, type_)
        elif isinstance(value, Mapping):
            for key, held in value.items():
                if check := limits.get("{}"):
                    faults.check(f"{path}[{key!r}]", key, check)
                self._check(faults, f"{path}[{key!r}]", held, arguments[-1], held_limits)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for position, held in enumerate(value):
                self._check(faults, f"{path}[{position}]", held, arguments[0], held_limits)

    def _check_fields(
        self, faults: Faults, path: str, value: Mapping[str, Any], class_: Any
    ) -> None:
        fields: dict[str, Any] = class_.__annotations__
        right = True
        for key in value:
            if key not in fields:
                close = valid.did_you_mean(key, fields)
                expected = f"one of {', '.join(fields)}{close}"
                faults.add(at(path, key), f"found an unknown key, expected {expected}")
                right = False
        limits = self._limits_of(class_)
        for key, shape in fields.items():
            if key in value:
                of_field = {end: limits[key + end] for end in _ENDS if key + end in limits}
                right &= self._check(faults, at(path, key), value[key], shape, of_field)
            elif key in class_.__required_keys__:
                expected = _expected(list(_types(shape)))
                faults.add(at(path, key), f"found nothing, expected {expected}")
                right = False
        if right:
            for rule in self._rules_of(class_):
                rule(faults, path, value)

    def _limits_of(self, class_: type) -> Mapping[str, Check]:
        base = self._bases.get(class_)
        inherited = self._limits_of(base) if base else {}
        return {**inherited, **self._limits.get(class_, {})}

    def _rules_of(self, class_: type) -> list[Rule]:
        base = self._bases.get(class_)
        inherited = self._rules_of(base) if base else []
        return [*inherited, *([self._rules[class_]] if class_ in self._rules else [])]


def known(value: object) -> bool:
    """Whether a value is known already."""
    return not isinstance(value, pulumi.Output | Awaitable)


def at(path: str, field: str) -> str:
    """The path of a field of the value at `path`, which is empty for the value as a whole."""
    return f"{path}.{field}" if path else field


def _types(shape: Any) -> Iterator[Any]:
    """What an annotation allows; of `pulumi.Input`, the value once it is known."""
    origin = get_origin(shape)
    if origin in (NotRequired, Required):
        yield from _types(get_args(shape)[0])
    elif origin in (Union, UnionType):
        for member in get_args(shape):
            yield from _types(member)
    elif origin not in (Awaitable, pulumi.Output) and not isinstance(shape, ForwardRef):
        # `pulumi.Input` names Output by a forward reference.
        yield NoneType if shape is None else shape


def _fits(value: object, type_: Any) -> bool:
    origin = get_origin(type_) or type_
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(type_))
    if is_typeddict(origin) or origin is Mapping:
        return isinstance(value, Mapping)
    if origin is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if isinstance(value, bool):
        return origin is bool
    return isinstance(value, int | float if origin is float else origin)


def _expected(types: list[Any], value: object = None) -> str:
    words: list[str] = []
    choices = [str(choice) for type_ in types for choice in _choices(type_)]
    for type_ in types:
        origin = get_origin(type_) or type_
        if is_typeddict(origin) or origin is Mapping:
            words.append("a mapping")
        elif origin is not Literal:
            words.append("a list" if origin is Sequence else _WORDS.get(origin, str(origin)))
    if choices:
        close = "" if value is None else valid.did_you_mean(value, choices)
        words.append(f"one of {', '.join(choices)}{close}")
    return " or ".join(words)


def _choices(type_: Any) -> tuple[Any, ...]:
    return get_args(type_) if get_origin(type_) is Literal else ()
