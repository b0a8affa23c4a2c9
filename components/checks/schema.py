"""Checks of whole values against the TypedDicts that declare their shape.

The structure (keys, required ones, types, choices) is read from the annotations; limits of single
fields and rules between the fields of one class come on top. Values that are outputs or awaitables
are not known yet and pass, at every level.
"""

from collections.abc import (
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from contextvars import ContextVar
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
from .faults import Faults
from .values import Check, Unknown, known

Limits = Mapping[type, Mapping[str, Check]]
"""Checks of the fields of TypedDict classes; `FIELD[]` is for the values that a list or mapping
holds, `FIELD{}` for the keys of a mapping."""

Rule = Callable[[Faults, str, Mapping[str, Any]], None]
"""Records what is wrong between the fields of the value at a path.

All in it is of its declared type; `Unknown` stands for what is not, and for what is not known yet.
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

Comparison = Callable[[Faults, str, object, Any, Bases], None]
"""Records what of a value, with its path, its shape and the bases of classes, a cluster lacks."""

comparisons: list[Comparison] = []
"""What is compared beyond the shapes; each cluster of a program adds its own."""

_TRUSTED = ContextVar("trusted", default=False)


@contextmanager
def trusted() -> Generator[None]:
    """Let `Schema.validate` pass everything: what is made here of checked values is right."""
    token = _TRUSTED.set(True)
    try:
        yield
    finally:
        _TRUSTED.reset(token)


class Schema:
    """Limits and rules of TypedDict classes, by which values of these classes are checked.

    A class also has the limits and rules of the one that it extends; its own limits come in place
    of those of the same field, its own rule comes after the other.
    """

    def __init__(self, limits: Limits, rules: Rules, bases: Bases | None = None) -> None:
        self._limits = limits
        self._rules = rules
        self.bases = bases or {}

    def __or__(self, other: "Schema") -> "Schema":
        """A schema that knows the classes of both; of a field that both limit, as `other` does."""
        return Schema(
            _merged(self._limits, other._limits),
            {**self._rules, **other._rules},
            {**self.bases, **other.bases},
        )

    def extended(
        self, limits: Limits, rules: Rules | None = None, bases: Bases | None = None
    ) -> "Schema":
        """A schema that knows more classes, or stricter limits."""
        return self | Schema(limits, rules or {}, bases)

    def validate(self, subject: str, value: object, shape: Any) -> None:
        """Raise `InvalidInput` with every fault of a value, which is declared as `shape`."""
        self.validate_parts(subject, {"": (value, shape)})

    def validate_parts(self, subject: str, parts: Mapping[str, tuple[object, Any]]) -> None:
        """Raise `InvalidInput` with every fault of several values with their shapes, by path."""
        if _TRUSTED.get():
            return
        faults = Faults(subject)
        for path, (value, shape) in parts.items():
            self.check(faults, path, value, shape)
        faults.raise_any()
        for path, (value, shape) in parts.items():
            self.compare(faults, path, value, shape)
        faults.raise_any()

    def compare(self, faults: Faults, path: str, value: object, shape: Any) -> None:
        """Record what of the right value at `path` the clusters of the program do not know."""
        for comparison in comparisons:
            comparison(faults, path, value, shape, self.bases)

    def check(
        self, faults: Faults, path: str, value: object, shape: Any, *, partial: bool = False
    ) -> None:
        """Record every fault of the value at `path`, which is declared as `shape`.

        Of a `partial` value the mappings need not be complete, and are not held to rules between
        their fields; what stands in lists is.
        """
        _Walk(self, faults).value(path, value, shape, partial=partial)

    def limits_of(self, class_: type) -> Mapping[str, Check]:
        """The limits of a class and of those that it extends."""
        return {
            field: check
            for extended in self._lineage(class_)
            for field, check in self._limits.get(extended, {}).items()
        }

    def apply_rules(
        self, faults: Faults, path: str, value: Mapping[str, Any], class_: type
    ) -> None:
        """Record what is wrong between the fields of a value whose fields are right."""
        for extended in self._lineage(class_):
            if rule := self._rules.get(extended):
                rule(faults, path, value)

    def _lineage(self, class_: type) -> list[type]:
        """The classes that a class extends, and itself at the end."""
        base = self.bases.get(class_)
        return [*(self._lineage(base) if base else ()), class_]


class _Wrong(Unknown):
    """A value that is not of its declared type."""


class _Walk:
    """A walk through a value, along its shape, which gives the value as rules see it."""

    def __init__(self, schema: Schema, faults: Faults) -> None:
        self._schema = schema
        self._faults = faults

    def value(  # noqa: PLR0913  # what is known of the way to it
        self,
        path: str,
        value: object,
        shape: Any,
        limits: _FieldLimits = _NO_LIMITS,
        *,
        partial: bool = False,
        strict: bool = False,
    ) -> Any:
        types = list(allowed_types(shape))
        if not known(value):
            if strict and not _may_come_late(shape):
                self._faults.add(path, "has to be known to the program")
            return Unknown()
        if Any in types:
            return value
        for type_ in types:
            if _fits(value, type_):
                if check := limits.get(""):
                    self._faults.check(path, value, check)
                return self._inside(path, value, type_, limits, partial=partial, strict=strict)
        self._faults.add(path, f"found {valid.shown(value)}, expected {_expected(types, value)}")
        return _Wrong()

    def _inside(  # noqa: PLR0913  # as `value`
        self,
        path: str,
        value: Any,
        type_: Any,
        limits: _FieldLimits,
        *,
        partial: bool,
        strict: bool,
    ) -> Any:
        shape = (get_args(type_) or (Any,))[-1]
        inside = {"": limits["[]"]} if "[]" in limits else _NO_LIMITS
        if is_typeddict(type_):
            return self._fields(path, value, type_, partial=partial)
        if isinstance(value, Mapping):
            if check := limits.get("{}"):
                for key in value:
                    self._faults.check(f"{path}[{key!r}]", key, check)
            return {
                key: self.value(
                    f"{path}[{key!r}]", held, shape, inside, partial=partial, strict=strict
                )
                for key, held in value.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [
                self.value(f"{path}[{position}]", held, shape, inside, strict=strict)
                for position, held in enumerate(value)
            ]
        return value

    def _fields(
        self, path: str, value: Mapping[str, Any], class_: Any, *, partial: bool
    ) -> Mapping[str, Any]:
        fields: dict[str, Any] = class_.__annotations__
        limits = self._schema.limits_of(class_)
        # The APIs' own forms are passed on as they are, known or not.
        strict = not class_.__module__.endswith("_types")
        seen: dict[str, Any] = {}
        unknown = [key for key in value if key not in fields]
        for key in unknown:
            expected = f"one of {', '.join(fields)}{valid.did_you_mean(key, fields)}"
            self._faults.add(at(path, key), f"found an unknown key, expected {expected}")
        for key, shape in fields.items():
            where = at(path, key)
            if key in value:
                of_field = {end: limits[key + end] for end in _ENDS if key + end in limits}
                seen[key] = self.value(
                    where, value[key], shape, of_field, partial=partial, strict=strict
                )
            elif key in class_.__required_keys__ and not partial:
                expected = _expected(list(allowed_types(shape)))
                self._faults.add(where, f"found nothing, expected {expected}")
                seen[key] = _Wrong()
        if not (partial or unknown or any(isinstance(one, _Wrong) for one in seen.values())):
            self._schema.apply_rules(self._faults, path, seen, class_)
        return seen


def at(path: str, field: str) -> str:
    """The path of a field of the value at `path`, which is empty for the value as a whole."""
    return f"{path}.{field}" if path else field


def allowed_types(shape: Any) -> Iterator[Any]:
    """What an annotation allows; of `pulumi.Input`, the value once it is known."""
    origin = get_origin(shape)
    if origin in (NotRequired, Required):
        yield from allowed_types(get_args(shape)[0])
    elif origin in (Union, UnionType):
        for member in get_args(shape):
            yield from allowed_types(member)
    elif origin not in (Awaitable, pulumi.Output) and not isinstance(shape, ForwardRef):
        # `pulumi.Input` names Output by a forward reference.
        yield NoneType if shape is None else shape


def _may_come_late(shape: Any) -> bool:
    """Whether an annotation allows a value that is not known yet."""
    origin = get_origin(shape)
    if origin in (NotRequired, Required):
        return _may_come_late(get_args(shape)[0])
    members = get_args(shape) if origin in (Union, UnionType) else ()
    return shape is Any or any(get_origin(member) is Awaitable for member in members)


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


def _merged(limits: Limits, over: Limits) -> Limits:
    classes = {**limits, **over}
    return {class_: {**limits.get(class_, {}), **over.get(class_, {})} for class_ in classes}


def _expected(types: list[Any], value: object = None) -> str:
    words: list[str] = []
    choices: list[str] = []
    for type_ in types:
        origin = get_origin(type_) or type_
        if origin is Literal:
            choices += map(str, get_args(type_))
        elif is_typeddict(origin) or origin is Mapping:
            words.append("a mapping")
        else:
            words.append("a list" if origin is Sequence else _WORDS.get(origin, str(origin)))
    if choices:
        close = "" if value is None else valid.did_you_mean(value, choices)
        words.append(f"one of {', '.join(choices)}{close}")
    return " or ".join(words)
