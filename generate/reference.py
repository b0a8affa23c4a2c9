"""The reference of all arguments, from the TypedDicts that declare them and their docstrings."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin, is_typeddict

import components
from components.checks.faults import camel
from components.checks.schema import allowed_types
from components.stack.arguments import StackArgs

Places = dict[Any, list[str]]
"""Classes, and the paths in a configuration at which each stands."""

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

_TOP = """\
# Reference

Every argument there is, for the configuration of a stack and for programs at once.
[Configuration](configuration.md) has those that most people need.

- **Names.** A configuration has them as they stand here, a Python program in snake_case:
  `serviceType` is `service_type`. Data is the same in both: names of entries, labels, environment
  variables, and what has the form of Kubernetes or the Gateway API.
- **Paths.** `NAME` is any name, `N` a position in a list:
  `pulumi config set --path exposures.shop.gateway.serviceType LoadBalancer`.
- **References.** Where a configuration says `existing: {entry: NAME}`, a program gives `existing`
  the `reference` of a component.
- **Secrets.** Only values of `env`, and of a check its `headers` and its `body`, may be secret in a
  configuration.
- **Types.** A form of the Gateway API's or Istio's links to the page that describes it. The
  preflight names fields that the cluster's version of it does not have.

Made by `make generate` from the docstrings of `components/`; a test fails when it is out of date.

## A stack and what is in it
"""

_PROGRAMS = """\
## In programs only
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


def files() -> dict[Path, str]:
    """The page."""
    return {PAGE: page()}


def page() -> str:
    """The text of the page."""
    arguments = (name for name in components.__all__ if name.endswith("Args"))
    found = places({StackArgs: "", **{getattr(components, name): None for name in arguments}})
    made = dict(zip(found, sections(found), strict=True))
    stack = [text for class_, text in made.items() if found[class_]]
    programs = [text for class_, text in made.items() if not found[class_]]
    return "\n".join([_TOP, *stack, _PROGRAMS, *programs])


def places(roots: Mapping[Any, str | None], found: Places | None = None) -> Places:
    """The classes that `roots` are, extend or have in their fields, `found` and new ones.

    The paths begin with that of the root, if it is in a configuration.
    """
    found = {} if found is None else found
    for class_, path in roots.items():
        if class_.__module__.startswith(_FORMS):
            continue
        known = class_ in found
        found.setdefault(class_, []).extend([] if path is None else [path])
        places(dict.fromkeys(_bases(class_), path), found)
        # What is inside of one that is known, its first place tells.
        for field in () if known else _fields(class_):
            for held, end in _held(class_.__annotations__[field]):
                inside = None if path is None else f"{path}.{camel(field)}{end}".removeprefix(".")
                places({held: inside}, found)
    return found


def _held(shape: Any, end: str = "") -> Iterator[tuple[Any, str]]:
    """The TypedDicts in an annotation, and what of a path leads to each."""
    for type_ in allowed_types(shape):
        if is_typeddict(type_):
            yield type_, end
        elif get_origin(type_) in (Sequence, Mapping):
            step = "[N]" if get_origin(type_) is Sequence else ".NAME"
            yield from _held(get_args(type_)[-1], f"{end}{step}")


@cache
def _definition(class_: Any) -> ast.ClassDef:
    return cast("ast.ClassDef", ast.parse(textwrap.dedent(inspect.getsource(class_))).body[0])


def _bases(class_: Any) -> list[Any]:
    """The TypedDicts that a class extends; before Python 3.12 only its source tells."""
    names = vars(sys.modules[class_.__module__])
    bases = [names[ast.unparse(base)] for base in _definition(class_).bases]
    return [base for base in bases if is_typeddict(base)]


def _fields(class_: Any) -> dict[str, str]:
    """The docstring of each field that a class declares itself."""
    fields: dict[str, str] = {}
    for declared in pairwise([*_definition(class_).body, ast.Pass()]):
        match declared:
            case ast.AnnAssign(target), ast.Expr(ast.Constant(str(text))):
                fields[ast.unparse(target)] = text
            case ast.AnnAssign(target), _:
                name = f"{class_.__name__}.{ast.unparse(target)}"
                raise ValueError(f"{name}: found no docstring, expected one")
            case _:
                pass
    return fields


def sections(found: Places) -> Iterator[str]:
    """The section of each class."""
    arguments = {field for class_ in found for field in class_.__annotations__}

    def spelt(text: str) -> str:
        """A text with the arguments that it quotes as they are in a configuration."""

        def word(one: re.Match[str]) -> str:
            return camel(one[0]) if one[0] in arguments else one[0]

        return re.sub(r"`[^`]+`", lambda quoted: re.sub(r"\w+", word, quoted[0]), text)

    for class_, paths in found.items():
        at = ", ".join(f"`{path}`" for path in paths if path)
        lines = [f"### {class_.__name__}", "", *([f"At {at}.", ""] if at else [])]
        lines += [spelt(_joined(class_.__doc__ or "", "\n\n")), ""]
        if fields := _fields(class_):
            lines += ["| argument | type | default | meaning |", "|---|---|---|---|"]
            lines += [spelt(_row(class_, field, text)) for field, text in fields.items()]
            lines.append("")
        if bases := _bases(class_):
            lines += [f"And all of {' and '.join(map(_link, bases))}.", ""]
        yield "\n".join(lines)


def _row(class_: Any, field: str, docstring: str) -> str:
    text, default = _joined(docstring, "<br>"), ""
    if field in class_.__required_keys__:
        default = "required"
    elif found := _DEFAULT.search(text):
        default, text = found[1], text.replace(found[0], "")
    cells = (f"`{field}`", _type(class_.__annotations__[field]), default, text)
    return " | ".join(("", *(cell.replace("|", r"\|") for cell in cells), "")).strip()


def _joined(docstring: str, break_: str) -> str:
    """The paragraphs of a docstring, each in one line."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return break_.join(" ".join(paragraph.split()) for paragraph in paragraphs)


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
    text = class_.__doc__
    if not text:  # one that is no class statement, as a field is called `from`
        module = inspect.getsource(sys.modules[class_.__module__])
        text = module.partition(f"\n{class_.__name__} = ")[2].partition('\n"""\n')[0]
    pages = re.findall(r"https://\S+", text)
    return f"[{class_.__name__}]({pages[-1]})" if pages else class_.__name__
