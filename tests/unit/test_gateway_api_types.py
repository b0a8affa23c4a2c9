"""What is generated of other projects' APIs hangs together, and says where it comes from."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args, is_typeddict

import pytest

from components.api import (
    destination_rule_types,
    envoy_filter_types,
    gateway_types,
    istio_types,
    sail_types,
    service_entry_types,
)
from components.api.gateway import Resource
from components.api.releases import Releases
from generate.modules import pinned

GENERATED = {
    gateway_types: "sigs.k8s.io/gateway-api",
    istio_types: "istio.io/api",
    destination_rule_types: "istio.io/api",
    envoy_filter_types: "istio.io/api",
    service_entry_types: "istio.io/api",
}
ISTIO = ("https://istio.io/latest/docs/reference/config/",)
PAGES = {
    gateway_types: (
        "https://gateway-api.sigs.k8s.io/reference/spec/#",
        "https://kubernetes.io/docs/",
    ),
    **dict.fromkeys(
        (istio_types, destination_rule_types, envoy_filter_types, service_entry_types), ISTIO
    ),
    sail_types: ("https://github.com/istio-ecosystem/sail-operator/blob/main/docs/",),
}


def classes(module: ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if is_typeddict(value) and value.__module__ == module.__name__
    }


CLASSES = [(module, name) for module in PAGES for name in classes(module)]


def docstrings(body: Sequence[ast.stmt], owner: str = "") -> Iterator[tuple[str, str]]:
    """Every name, a field as `Class.field`, with its docstring; empty where there is none."""
    for statement, follower in pairwise([*body, ast.Pass()]):
        match statement:
            case ast.ClassDef(name=name):
                yield name, ast.get_docstring(statement) or ""
                yield from docstrings(statement.body, f"{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                match follower:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        yield f"{owner}{name}", text
                    case _:
                        yield f"{owner}{name}", ""
            case _:
                pass


DOCSTRINGS = {
    module: {
        name: " ".join(text.split())
        for name, text in docstrings(ast.parse(Path(str(module.__file__)).read_text("utf-8")).body)
    }
    for module in PAGES
}


@pytest.mark.parametrize(("module", "path"), GENERATED.items())
def test_the_modules_are_made_from_the_versions_that_are_pinned(
    module: ModuleType, path: str
) -> None:
    assert re.findall(r"v\d+\.\d+\.\d+", module.__doc__ or "") == [
        one.version for one in pinned(path)
    ]


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_every_class_links_its_page(module: ModuleType, name: str) -> None:
    assert DOCSTRINGS[module][name].rsplit(" ", 1)[-1].startswith(PAGES[module])


def test_what_is_written_by_hand_is_documented() -> None:
    assert [name for name, text in DOCSTRINGS[sail_types].items() if not text] == []


@pytest.mark.parametrize("module", GENERATED)
def test_what_is_known_of_fields_is_known_of_fields_that_there_are(module: ModuleType) -> None:
    for table in (module.LIMITS, module.DISTINCT, module.RELEASES):
        assert table.keys() <= set(classes(module).values())
        for class_, row in table.items():
            fields = {key.removesuffix("[]") for key in row} - {""}
            assert fields <= class_.__annotations__.keys(), class_
    assert module.PLACES.keys() == set(classes(module).values())


def test_resources_are_of_the_kind_and_version_that_their_specs_stand_in() -> None:
    places = {class_: at for types in GENERATED for class_, at in types.PLACES.items()}
    specs = {}
    for resource in Resource.__subclasses__():
        _, spec = get_args(cast("Any", resource).__orig_bases__[0])
        specs[spec] = f".{resource.group}/{resource.version}"
    for spec, end in specs.items():
        if spec.__module__ != sail_types.__name__:
            [(kind, paths)] = places[spec].items()
            assert (kind.endswith(end), [*paths]) == (True, ["spec"]), kind
    roots = {class_ for class_, kinds in places.items() if list(kinds.values()) == [["spec"]]}
    assert roots == {spec for spec in specs if spec.__module__ != sail_types.__name__}


@pytest.mark.parametrize(
    ("class_", "field", "releases", "said"),
    [
        (gateway_types.HTTPRouteRule, "retry", Releases("1.7", "1.2"),
         "From v1.7 (experimental from v1.2)."),
        (gateway_types.HTTPRouteRule, "sessionPersistence", Releases("", "1.2"), "Experimental."),
        (gateway_types.HTTPRouteFilter, "cors", Releases("1.5", "1.3"),
         "From v1.5 (experimental from v1.3)."),
        (gateway_types.SessionPersistence, "sessionName", Releases("", "1.2", "1.6"),
         "At most 128 characters; experimental until v1.6."),
        (gateway_types.GatewaySpec, "listeners", None, "1 to 64 elements."),
        (gateway_types.HTTPRequestRedirectFilter, "statusCode", None,
         "Default `302`; `303`, `307`, `308` from v1.5."),
        (istio_types.JWTRule, "presence", Releases("1.32"), "From Istio 1.32."),
        (destination_rule_types.TrafficPolicy, "retryBudget", Releases("1.27"), "From Istio 1.27."),
    ],
)  # fmt: skip
def test_a_field_says_since_when_it_is_there(
    class_: Any, field: str, releases: Releases | None, said: str
) -> None:
    [module] = [types for types in GENERATED if class_ in types.PLACES]
    assert module.RELEASES.get(class_, {}).get(field) == releases
    assert DOCSTRINGS[module][f"{class_.__name__}.{field}"] == said
