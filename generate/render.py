"""The Python module that declares the classes of an API, and what is known of them."""

import json
import keyword
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from generate.classes import Class, Field, Limit, Release

_WIDTH = 100

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = rf"{_LABEL}(\.{_LABEL})*"

PATTERNS = {
    rf"^{_LABEL}$": ("DNS_LABEL", "a DNS label: lower-case letters, digits and '-'"),
    rf"^{_NAME}$": ("DNS_NAME", "a DNS name: lower-case letters, digits, '-' and '.'"),
    rf"^(\*\.)?{_NAME}$": (
        "HOSTNAME",
        "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path",
    ),
    rf"^$|^{_NAME}$": (
        "GROUP",
        "an API group like 'apps.example.com', or '' for the core group",
    ),
    "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$": ("KIND", "a kind like 'Service'"),
    r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$": (
        "HEADER",
        "a name of letters, digits and !#$%&'*+-.^_`|~",
    ),
    "^[-_A-Za-z0-9]+$": ("WORD", "letters, digits, '-' and '_'"),
    "^([0-9]{1,5}(h|m|s|ms)){1,4}$": ("DURATION", "a duration like '1h30m', '10s' or '500ms'"),
    "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$": (
        "LABEL_VALUE",
        "letters, digits, '-', '_' and '.', a letter or digit at both ends",
    ),
    r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)": (
        "ORIGIN",
        "an origin like 'https://example.com', 'https://*.example.com:8443' or '*'",
    ),
}
"""What patterns are called and what they mean; one that is not here is shown as it is."""


def module(
    summary: str,
    versions: str,
    prefix: str,
    link: Callable[[str], str],
    classes: Mapping[str, Class],
) -> str:
    """The text of the module with `classes`, made from `versions`.

    `prefix` is what stands before the number of a release in texts, `link` the upstream page of a
    type by its name in Go.
    """
    eras = _Eras(prefix, classes)
    parts = [
        _head(summary, versions, classes),
        *_aliases(classes),
        *(_class(name, classes, link, eras) for name in classes),
        *_patterns(classes),
        _table("LIMITS", "Limit", {name: _limits(one) for name, one in classes.items()}),
        '"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""',
        _table("DISTINCT", "str", {name: _distinct(one) for name, one in classes.items()}),
        '"""Lists, and the key that no two elements have in common; empty for all of them."""',
        _table("PLACES", "Sequence[str]", {name: _places(one) for name, one in classes.items()}),
        '"""Where objects of a class stand: CustomResourceDefinition and version, paths."""',
        _table("RELEASES", "Releases", {name: eras.table(one) for name, one in classes.items()}),
        '"""Which releases have a field, where not all do; an empty key is for the whole class."""',
    ]
    command = [sys.executable, "-m", "ruff", "format", f"--line-length={_WIDTH}", "-"]
    return subprocess.run(
        command, input="\n".join(parts), capture_output=True, check=True, text=True, timeout=60
    ).stdout


def _head(summary: str, versions: str, classes: Mapping[str, Class]) -> str:
    holds = {field.holds for class_ in classes.values() for field in class_.fields.values()}
    untyped = "Any, " if any(one.endswith(("Any", "Any]")) for one in holds) else ""
    made = (
        f"Made by `python -m generate api` from the CustomResourceDefinitions of {versions}; not to"
        " be changed by hand."
    )
    keys = (
        "Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not"
        " said to be of later releases is part of all of them."
    )
    return f"""{_docstring(summary, made, keys)}
from collections.abc import Mapping, Sequence
from typing import {untyped}Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases
"""


def _aliases(classes: Mapping[str, Class]) -> Iterator[str]:
    fields = [field for class_ in classes.values() for field in class_.fields.values()]
    for name, field in {field.alias: field for field in fields if field.alias}.items():
        yield f"{name} = {_choices(field)}\n"


def _class(
    name: str, classes: Mapping[str, Class], link: Callable[[str], str], eras: "_Eras"
) -> str:
    class_ = classes[name]
    docs = {key: _described(field, class_, eras) for key, field in class_.fields.items()}
    types = {key: _annotation(field) for key, field in class_.fields.items()}
    summary = _sentence(_standing(class_, classes), eras.words(class_.releases))
    page = link(class_.go)
    if any(keyword.iskeyword(key) for key in types):
        keys = "".join(f"{_quoted(key)}: {type_}," for key, type_ in types.items())
        listed = [f"- `{key}`: {text}" for key, text in docs.items() if text]
        return (
            f"{name} = TypedDict({_quoted(name)}, {{{keys}}})\n{_docstring(summary, *listed, page)}"
        )
    lines = [_docstring(summary, page)]
    for key, type_ in types.items():
        lines += [f"{key}: {type_}", *([_docstring(docs[key])] if docs[key] else ())]
    return f"class {name}(TypedDict):\n{textwrap.indent(chr(10).join(lines), '    ')}\n"


def _standing(class_: Class, classes: Mapping[str, Class]) -> str:
    """Where the objects of a class stand: in each kind the place with the shortest path."""
    kinds = {
        kind: name.removesuffix("Spec")
        for name, each in classes.items()
        for kind, paths in each.places.items()
        if list(paths) == ["spec"]
    }
    by_path: dict[str, list[str]] = {}
    for kind, paths in class_.places.items():
        last = max(paths.values())
        shortest = min((path for path in paths if paths[path] == last), key=len)
        by_path.setdefault(shortest, []).append(kinds[kind])
    return ", ".join(f"`{path}` of {' and '.join(kinds)}" for path, kinds in by_path.items())


def _annotation(field: Field) -> str:
    holds = field.holds
    if field.choices:
        holds = f"pulumi.Input[{field.alias or _choices(field)}]"
    whole = field.container.format(holds)
    return whole if field.required else f"NotRequired[{whole}]"


def _choices(field: Field) -> str:
    return f"Literal[{', '.join(json.dumps(choice) for choice in field.choices)}]"


def _described(field: Field, class_: Class, eras: "_Eras") -> str:
    """What is to be said of a field beside its type; empty where there is nothing."""
    limits = [_in_words(limit, field, end) for end, limit in field.limits.items()]
    default = "" if field.default is None else f"default {_value(field.default)}"
    since: dict[str, list[str]] = {}
    for choice, releases in field.choices.items():
        if words := eras.words(releases, field.releases):
            since.setdefault(words, []).append(_value(choice))
    chosen = [f"{', '.join(choices)} {words}" for words, choices in since.items()]
    return _sentence(*limits, default, eras.words(field.releases, class_.releases), *chosen)


def _in_words(limit: Limit, field: Field, end: str) -> str:
    if limit == Limit():
        return ""
    pattern = limit.pattern and "a text that matches the pattern in `LIMITS`"
    words = PATTERNS[limit.pattern][1] if limit.pattern in PATTERNS else pattern
    if limit.low is None or limit.high is None:
        many = " ".join(
            f"{bound} {number}"
            for bound, number in (("at least", limit.low), ("at most", limit.high))
            if number is not None
        )
    else:
        many = f"{limit.low} to {limit.high}" if limit.low != limit.high else f"{limit.low}"
    unit = "element" if field.container != "{}" and not end else "character"
    if many and not (unit == "character" and field.holds != "pulumi.Input[str]"):
        many += f" {unit}{'' if many.split()[-1] == '1' else 's'}"
    return f"{'each: ' if end else ''}{', '.join(filter(None, (words, many)))}"


def _value(value: object) -> str:
    if value == "":
        return "empty"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _sentence(*parts: str) -> str:
    text = "; ".join(filter(None, parts))
    return text and f"{text[0].upper()}{text[1:]}."


def _docstring(*paragraphs: str) -> str:
    """A docstring whose lines are short enough with any indentation that occurs here."""
    text = "\n\n".join(
        textwrap.fill(one, _WIDTH - 10, break_long_words=False, break_on_hyphens=False)
        for one in paragraphs
    )
    return f'{"r" if chr(92) in text else ""}"""{text}{chr(10) if chr(10) in text else ""}"""'


def _patterns(classes: Mapping[str, Class]) -> Iterator[str]:
    """The patterns that limits refer to by their names."""
    used = {
        limit.pattern
        for class_ in classes.values()
        for field in class_.fields.values()
        for limit in field.limits.values()
    }
    for pattern, (name, words) in PATTERNS.items():
        if pattern in used:
            yield f"_{name} = ({pattern!r}, {words!r})"


def _table(name: str, of: str, rows: Mapping[str, Mapping[str, str]]) -> str:
    """A constant with values by class and field, as far as there are any."""
    lines = [
        f"{class_}: {{{','.join(f'{_quoted(key)}: {value}' for key, value in row.items())}}},"
        for class_, row in rows.items()
        if row
    ]
    return f"\n{name}: Mapping[type, Mapping[str, {of}]] = {{\n{chr(10).join(lines)}\n}}"


def _limits(class_: Class) -> dict[str, str]:
    return {
        f"{key}{end}": _limit(limit)
        for key, field in class_.fields.items()
        for end, limit in field.limits.items()
        if limit != Limit()
    }


def _limit(limit: Limit) -> str:
    if limit.pattern in PATTERNS:
        return f"Limit({limit.low}, {limit.high}, *_{PATTERNS[limit.pattern][0]})"
    return _call("Limit", low=limit.low, high=limit.high, pattern=limit.pattern or None)


def _call(name: str, **arguments: object) -> str:
    """A call with the arguments that are not None."""
    stated = [f"{key}={value!r}" for key, value in arguments.items() if value is not None]
    return f"{name}({', '.join(stated)})"


def _distinct(class_: Class) -> dict[str, str]:
    fields = class_.fields.items()
    return {key: _quoted(one.distinct) for key, one in fields if one.distinct is not None}


def _places(class_: Class) -> dict[str, str]:
    return {kind: f"[{','.join(map(_quoted, paths))}]" for kind, paths in class_.places.items()}


def _quoted(text: str) -> str:
    return json.dumps(text)


class _Eras:
    """What the releases are in which something is, among all of an API."""

    def __init__(self, prefix: str, classes: Mapping[str, Class]) -> None:
        """`prefix` is what texts write before the number of a release."""
        releases = [release for class_ in classes.values() for release in class_.releases]
        self._prefix = prefix
        self._oldest, self._newest = min(releases).minor, max(releases).minor

    def of(self, releases: Sequence[Release]) -> tuple[str | None, str | None, str | None]:
        """The first release with it in the standard channel, an earlier experimental one, the last.

        None where there is none, and for the last where that is the newest of all.
        """
        standard = min((minor for minor, standard in releases if standard), default=None)
        early = min((minor for minor, standard in releases if not standard), default=None)
        if standard and early and early >= standard:
            early = None
        last = max(releases).minor
        return _number(standard), _number(early), _number(last if last != self._newest else None)

    def words(self, releases: Sequence[Release], whole: Sequence[Release] = ()) -> str:
        """The same in words; nothing where it is as of the `whole` that it is a part of."""
        standard, early, last = self.of(releases)
        oldest = _number(self._oldest)
        if standard == oldest or (whole and self.of(whole) == self.of(releases)):
            return ""
        if standard:
            before = f" (experimental from {self._prefix}{early})" if early else ""
            return f"from {self._prefix}{standard}{before}"
        since = "" if early == oldest else f" from {self._prefix}{early}"
        return f"experimental{since}{f' until {self._prefix}{last}' if last else ''}"

    def table(self, class_: Class) -> dict[str, str]:
        """The releases of a class and of those of its fields that are not in all of them."""
        rows = {"": class_.releases} | {
            key: field.releases
            for key, field in class_.fields.items()
            if self.of(field.releases) != self.of(class_.releases)
        }
        return {
            key: _call("Releases", standard=standard, experimental=early, last=last)
            for key, releases in rows.items()
            for standard, early, last in (self.of(releases),)
            if standard != _number(self._oldest)
        }


def _number(minor: Sequence[int] | None) -> str | None:
    return ".".join(map(str, minor)) if minor else None
