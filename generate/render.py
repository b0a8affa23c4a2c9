"""The Python module that declares the classes of an API, and what is known of them."""

import json
import keyword
import subprocess
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generate.classes import Class, Field, Limit, Release

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


@dataclass(frozen=True)
class About:
    """What a module says of its API beside the classes."""

    title: str
    versions: Sequence[str]
    """The versions that it is made from, oldest first."""
    link: Callable[[str], str]
    """The upstream page of a type, by its name in Go."""
    prefix: str = "v"
    """What texts write before the number of a release."""


def module(about: About, classes: Mapping[str, Class]) -> str:
    """The text of the module."""
    releases = [release for class_ in classes.values() for release in class_.releases]
    eras = _Eras(about.prefix, min(releases).minor, max(releases).minor)
    fields = {name: class_.fields.items() for name, class_ in classes.items()}
    text = f'''"""The objects of {about.title}, {about.versions[0]} to {about.versions[-1]}.

Made by `python -m generate api` from the CustomResourceDefinitions of
{", ".join(about.versions)}; not to be changed by hand.

Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not marked is
part of the oldest version and of every later one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases

{"".join(_aliases(classes))}
{"".join(_class(name, classes, about.link, eras) for name in classes)}
{"".join(_patterns(classes))}
LIMITS: Mapping[type, Mapping[str, Limit]] = {{{_table(
        (name, {key + end: _limit(limit, field.holds)
                for key, field in fields[name] for end, limit in field.limits.items()
                if limit != Limit()})
        for name in classes
    )}}}
"""What the schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {{{_table(
        (name, {key: _quoted(field.distinct) for key, field in fields[name]
                if field.distinct is not None})
        for name in classes
    )}}}
"""Lists, and the key that no two elements have in common; empty for the whole element."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {{{_table(
        (name, {kind: f"[{','.join(map(_quoted, paths))}]"
                for kind, paths in _places(class_).items()})
        for name, class_ in classes.items()
    )}}}
"""Where objects of a class stand: paths by CustomResourceDefinition and version."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {{{_table(
        (name, eras.table(class_)) for name, class_ in classes.items()
    )}}}
"""Which releases have a field, where not all do; an empty key is for the class as a whole."""
'''
    unused = "" if "Any" in text.replace("import Any", "") else "Any, "
    return _formatted(text.replace(f"import {unused}", "import ", 1))


def _aliases(classes: Mapping[str, Class]) -> Iterator[str]:
    found = {
        field.alias: field
        for class_ in classes.values()
        for field in class_.fields.values()
        if field.alias
    }
    for name, field in found.items():
        yield f"{name} = {_choices(field)}\n\n"


def _class(
    name: str, classes: Mapping[str, Class], link: Callable[[str], str], eras: "_Eras"
) -> str:
    class_ = classes[name]
    kinds = {
        kind: root.removesuffix("Spec")
        for root, each in classes.items()
        for kind, paths in _places(each).items()
        if paths == ["spec"]
    }
    where: dict[str, list[str]] = {}
    for kind, paths in _places(class_).items():
        where.setdefault(paths[0], []).append(kinds[kind])
    standing = "; ".join(f"`{path}` of {_and(kinds)}" for path, kinds in where.items())
    since = eras.words(class_.releases)
    summary = f"{standing}; {since}." if since else f"{standing}."
    docs = {key: _field_docs(field, class_, eras) for key, field in class_.fields.items()}
    types = {key: _annotation(field) for key, field in class_.fields.items()}
    if any(keyword.iskeyword(key) for key in types):
        listed = "\n".join(
            textwrap.fill(f"- `{key}`: {docs[key][:1].lower()}{docs[key][1:]}", 98,
                          subsequent_indent="  ", **_WRAPPED)
            for key in docs if docs[key]
        )
        keys = "".join(f"{_quoted(key)}: {type_},\n" for key, type_ in types.items())
        text = f"{_filled(summary)}\n\n{listed}\n\n{link(class_.go)}\n"
        return f"{name} = TypedDict({_quoted(name)}, {{{keys}}})\n{_docstring(text)}\n\n"
    body = f"\n{_docstring(f'{_filled(summary)}{chr(10) * 2}{link(class_.go)}{chr(10)}')}\n"
    for key, type_ in types.items():
        body += f"\n{key}: {type_}\n"
        body += f"{_docstring(_filled(docs[key]))}\n" if docs[key] else ""
    return f"class {name}(TypedDict):\n{textwrap.indent(body, '    ')}\n\n"
