"""The reference of all arguments, from the TypedDicts that declare them and their docstrings."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, is_typeddict

import components
from components.checks.faults import camel
from components.checks.schema import allowed_types
from components.stack.arguments import StackArgs

_Places = dict[Any, list[str]]
"""The classes of the page, and where in a configuration each stands."""

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

_TOP = """\
# Reference

Every argument there is, for the configuration of a stack and for programs at once. The
[README](../README.md) has those that most people need.

- **Names.** A configuration has them as they stand here, a Python program in snake_case: `serviceType`
  is `service_type`. Data is the same in both: names of entries, labels, environment variables, and what
  has the form of Kubernetes or the Gateway API.
- **Paths.** `NAME` is any name, `N` a position in a list:
  `pulumi config set --path exposures.shop.gateway.serviceType LoadBalancer`.
- **References.** Where a configuration says `existing: {entry: NAME}`, a program gives `existing` the
  `reference` of a component.
- **Secrets.** Only values of `env` may be secret in a configuration.
- **Types.** A list or mapping of others' objects links to the page that describes them.

Made by `make generate` from the docstrings of `components/`; a test fails when it is not up to date.
"""

_PROGRAMS = """\
# In programs only

Arguments of the components that an exposure is made of.
"""

_SCALARS: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "true or false",
    Any: "any",
}
_SEVERAL = {"string": "strings", "integer": "integers"}
_FORMS = f"{components.__name__}.api."
_DEFAULT = re.compile(r" ?\(default[ :,]+((?:`[^`]*`|[^()`])+)\)")


def page() -> str:
    """The text of the page."""
    places: _Places = {}
    _collect(places, StackArgs, "")
    programs = len(places)
    for name in components.__all__:
        if name.endswith("Args"):
            _collect(places, getattr(components, name))
    sections = [_Sections(places).render(class_) for class_ in places]
    return "\n".join([_TOP, *sections[:programs], _PROGRAMS, *sections[programs:]])


def _collect(places: _Places, class_: Any, path: str | None = None) -> None:
    """Find out what a class extends and has in its fields, and where that is in a configuration."""
    if class_.__module__.startswith(_FORMS):
        return
    known = class_ in places
    listed = places.setdefault(class_, [])
    if path is not None:
        listed.append(path)
    for base in _bases(class_):
        _collect(places, base, path)
    # What is inside of one that is known, its first place tells.
    for field in () if known else _fields(class_):
        for held, end in _held(class_.__annotations__[field]):
            inside = None if path is None else f"{path}.{camel(field)}{end}".removeprefix(".")
            _collect(places, held, inside)


def _held(shape: Any, end: str = "") -> Iterator[tuple[Any, str]]:
    """The TypedDicts in an annotation, and what of a path leads to each."""
    for type_ in allowed_types(shape):
        if is_typeddict(type_):
            yield type_, end
        elif get_origin(type_) in (Sequence, Mapping):
            step = "[N]" if get_origin(type_) is Sequence else ".NAME"
            yield from _held(get_args(type_)[-1], f"{end}{step}")


def _definition(class_: Any) -> ast.ClassDef:
    definition = ast.parse(textwrap.dedent(inspect.getsource(class_))).body[0]
    if not isinstance(definition, ast.ClassDef):
        raise TypeError(f"{class_.__name__}: found no class, expected one with docstrings")
    return definition


def _bases(class_: Any) -> list[Any]:
    """The TypedDicts that a class extends; before Python 3.12 only its source tells."""
    names = vars(sys.modules[class_.__module__])
    bases = [names[ast.unparse(base)] for base in _definition(class_).bases]
    return [base for base in bases if is_typeddict(base)]


def _fields(class_: Any) -> dict[str, str]:
    """The docstring of each field that a class declares itself."""
    body = _definition(class_).body
    fields: dict[str, str] = {}
    for statement, next_one in zip(body, [*body[1:], None], strict=True):
        match statement, next_one:
            case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(ast.Constant(str(text))):
                fields[field] = text
            case ast.AnnAssign(target=ast.Name(id=field)), _:
                raise ValueError(f"{class_.__name__}.{field}: found no docstring, expected one")
            case _:
                pass
    return fields


class _Sections:
    """Sections of the page, a class each."""

    def __init__(self, places: _Places) -> None:
        self._places = places
        self._snake = {field for class_ in places for field in class_.__annotations__}

    def render(self, class_: Any) -> str:
        """The section of a class."""
        places = ", ".join(f"`{place}`" for place in self._places[class_] if place)
        lines = [
            f"## {class_.__name__}",
            "",
            *([f"At {places}.", ""] if places else []),
            self._text(class_.__doc__ or ""),
            "",
        ]
        if fields := _fields(class_):
            lines += ["| argument | type | default | meaning |", "|---|---|---|---|"]
            lines += [self._row(class_, field, text) for field, text in fields.items()]
            lines.append("")
        if bases := _bases(class_):
            also = "And" if fields else "Has"
            lines += [f"{also} all of {' and '.join(map(_link, bases))}.", ""]
        return "\n".join(lines)

    def _row(self, class_: Any, field: str, text: str) -> str:
        default = ""
        if field in class_.__required_keys__:
            default = "required"
        elif found := _DEFAULT.search(text):
            default, text = found[1], text.replace(found[0], "", 1)
        type_ = _type(class_.__annotations__[field])
        cells = (f"`{camel(field)}`", type_, self._text(default), self._text(text, "<br>"))
        return " | ".join(("", *(cell.replace("|", r"\|") for cell in cells), "")).strip()

    def _text(self, docstring: str, break_: str = "\n\n") -> str:
        """A docstring in Markdown, arguments spelt as in a configuration."""
        paragraphs = inspect.cleandoc(docstring).split("\n\n")
        joined = break_.join(" ".join(paragraph.split()) for paragraph in paragraphs)
        return re.sub(r"`[^`]+`", lambda quoted: self._spelt(quoted[0]), joined)

    def _spelt(self, quoted: str) -> str:
        return re.sub(
            r"\w+", lambda word: camel(word[0]) if word[0] in self._snake else word[0], quoted
        )


def _type(shape: Any) -> str:
    return " or ".join(dict.fromkeys(map(_one_type, allowed_types(shape))))


def _one_type(type_: Any) -> str:
    origin = get_origin(type_)
    if is_typeddict(type_):
        return _link(type_)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(type_))
    if origin in (Sequence, Mapping):
        container = "list" if origin is Sequence else "mapping"
        inside = _type(get_args(type_)[-1])
        return container if inside == "any" else f"{container} of {_SEVERAL.get(inside, inside)}"
    return _SCALARS[type_]


def _link(class_: Any) -> str:
    """The class, with its section or its upstream page."""
    if not class_.__module__.startswith(_FORMS):
        return f"[{class_.__name__}](#{class_.__name__.lower()})"
    pages = re.findall(r"https://\S+", class_.__doc__ or "")
    return f"[{class_.__name__}]({pages[-1]})" if pages else class_.__name__
