"""Serves the components to programs in every language: Pulumi starts it as a plugin."""

import ast
import inspect
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_origin, is_typeddict

import pulumi
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental import component
from pulumi.provider.experimental.analyzer import Analyzer, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider

import ambient_exposure

NAME = "ambient"
"""Name of the package, with which the components' type tokens begin."""

# Pulumi starts the plugin in a checkout, where it need not be installed to be imported.
PROJECT = Path(__file__).parents[1] / "pyproject.toml"

COMPONENTS = [
    one
    for name in ambient_exposure.__all__
    if inspect.isclass(one := getattr(ambient_exposure, name))
    and issubclass(one, pulumi.ComponentResource)
    # No other language can pass on a provider that was made here; each has its own.
    and one is not ambient_exposure.Cluster
]
"""The public components."""


class ArgsAnalyzer(Analyzer):
    """Reads a `Literal` of strings as `str`; the SDK's own analyzer knows no `Literal`.

    An enum of the schema would need an enum in Python as well: its values arrive as members.
    """

    def analyze_property(
        self, arg: Any, typ: type, name: str, **position: Any
    ) -> PropertyDefinition:
        """The schema of one annotation."""
        if get_origin(arg) is Literal:
            arg = str
        return super().analyze_property(arg, typ, name, **position)

    def get_docstring(self, typ: type, name: str) -> str | None:
        """The description of a field, which a TypedDict may have from one that it extends.

        Where those made from the APIs' own schemas say nothing of it, the page of the type does.
        """
        if own := super().get_docstring(typ, name):
            return own
        if typ.__module__.endswith("_types"):
            link = re.search(r"https://\S+", typ.__doc__ or "")
            return link and link[0]
        inherited = (self.get_docstring(base, name) for base in extended(typ))
        return next(filter(None, inherited), None)


def extended(typ: type) -> Iterator[type]:
    """The TypedDicts that `typ` extends; before Python 3.12 only its source tells."""
    try:
        source = ast.parse(inspect.getsource(typ))
    except OSError:  # of a functional one, which extends none
        return
    for definition in source.body:
        for base in definition.bases if isinstance(definition, ast.ClassDef) else ():
            found = vars(sys.modules[typ.__module__]).get(ast.unparse(base))
            if isinstance(found, type) and is_typeddict(found):
                yield found


# ComponentProvider makes its analyzer itself, of the class that its module names.
setattr(component, Analyzer.__name__, ArgsAnalyzer)


class Provider(ComponentProvider):
    """The plugin."""

    def __init__(self) -> None:
        """Read the schema off the components."""
        project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
        super().__init__(COMPONENTS, NAME, version=project["version"])
        self.schema = json.dumps(json.loads(self.schema or "", object_hook=dedented))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component."""
        return super().construct(name, resource_type, whole(inputs), options)


def dedented(part: dict[str, Any]) -> dict[str, Any]:
    """Part of a schema, its description without the source's indentation: that would be code."""
    if isinstance(description := part.get("description"), str):
        part["description"] = inspect.cleandoc(description)
    return part


def whole(value: Any) -> Any:
    """`value` with the integers that the protocol, which knows no other numbers, made floats."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [whole(one) for one in value]
        case dict():
            return {key: whole(one) for key, one in value.items()}
        case pulumi.Output():
            return value.apply(whole)
        case _:
            return value


if __name__ == "__main__":
    main(Provider(), sys.argv[1:])
