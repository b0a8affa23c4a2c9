"""Serves the components to programs in every language: Pulumi starts it as a plugin."""

import ast
import inspect
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, is_typeddict

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental import component
from pulumi.provider.experimental.analyzer import (
    Analyzer,
    ComponentDefinition,
    EnumValueDefinition,
    PropertyDefinition,
    PropertyType,
    TypeDefinition,
)
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case
from pulumi.provider.server import ComponentInitError

import ambient_exposure
from ambient_exposure import InvalidInput
from ambient_exposure.checks.faults import Faults, camel
from ambient_exposure.stack.configuration import renamed

NAME = "ambient"
"""Name of the package, with which the components' type tokens begin."""

NAMESPACE = "ambient-exposure"
"""Stands before that name in SDKs: `@ambient-exposure/ambient`."""

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

ARGS = {one.__name__: inspect.get_annotations(one.__init__)["args"] for one in COMPONENTS}
"""The form of each component's arguments, by its name."""


class ArgsAnalyzer(Analyzer):
    """Knows a `Literal`, which the SDK's own analyzer does not: an enum where it is of strings."""

    def analyze_property(
        self, arg: Any, typ: type, name: str, **position: Any
    ) -> PropertyDefinition:
        """The schema of one annotation."""
        if get_origin(arg) is not Literal:
            return super().analyze_property(arg, typ, name, **position)
        choices = get_args(arg)
        found = super().analyze_property(type(choices[0]), typ, name, **position)
        if isinstance(choices[0], str):
            enum = typ.__name__.removesuffix("Args") + camel_case(f"_{name}")
            found.ref = f"#/types/{self.name}:index:{enum}"
            self.type_definitions[enum] = TypeDefinition(
                name=enum,
                type=PropertyType.STRING,
                properties={},
                properties_mapping={},
                module=typ.__module__,
                python_type=str,
                description=self.get_docstring(typ, name) or f"What `{name}` may be.",
                enum=[EnumValueDefinition(one, one) for one in choices],
            )
        return found

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
        super().__init__(COMPONENTS, NAME, NAMESPACE, project["version"])
        shapes: list[TypeDefinition | ComponentDefinition] = [*self._type_defs.values()]
        shapes += self._component_defs.values()
        self._fields = {field for one in shapes for field in fields(one)}
        self.schema = json.dumps(json.loads(self.schema or "", object_hook=self._readable))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component."""
        try:
            return super().construct(name, resource_type, whole(inputs), options)
        except ComponentInitError as error:
            if isinstance(error.inner, InvalidInput):
                raise InputPropertiesError(camel(str(error.inner)), []) from error
            raise
        except InvalidInput as error:
            raise InputPropertiesError(str(error), []) from error

    def map_inputs(self, inputs: pulumi.Inputs, component_def: ComponentDefinition) -> Any:
        """The arguments by their names in Python, those that are unknown too.

        The SDK's own way leaves these out without a word; the component refuses them.
        """
        faults = Faults(component_def.name, spell=camel)
        args = renamed(faults, "", inputs, ARGS[component_def.name])
        faults.raise_any()
        return args

    def _readable(self, part: dict[str, Any]) -> dict[str, Any]:
        """Part of a schema as those read it who do not write Python."""
        if isinstance(reference := part.get("$ref"), str):
            part["$ref"] = without_args(reference)
        if isinstance(description := part.get("description"), str):
            # With the source's indentation it would be code.
            text = re.sub(r"Raises\s+`InvalidInput`", "Fails", inspect.cleandoc(description))
            part["description"] = re.sub(r"`[^`]*`", self._spelt, text)
        if isinstance(types := part.get("types"), dict):
            part["types"] = {without_args(token): shape for token, shape in types.items()}
        return part

    def _spelt(self, quoted: re.Match[str]) -> str:
        """Something in backquotes, with the names of arguments in camelCase."""
        return re.sub(
            r"\b[a-z]+(?:_[a-z0-9]+)+\b",
            lambda word: camel_case(word[0]) if word[0] in self._fields else word[0],
            quoted[0],
        )


def fields(shape: TypeDefinition | ComponentDefinition) -> Iterator[str]:
    """The names in Python of all that a type or a component has."""
    if isinstance(shape, TypeDefinition):
        yield from shape.properties_mapping.values()
    else:
        yield from shape.inputs_mapping.values()
        yield from shape.outputs_mapping.values()


def without_args(token: str) -> str:
    """The token of a type, without the ending that SDKs give to every input by themselves."""
    return token.removesuffix("Args")


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
