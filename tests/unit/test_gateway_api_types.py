"""The spec types are those of the Gateway API's own schemas, and every field is documented."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, is_typeddict

import pytest

from components.api import gateway_types as types

CRDS = Path(__file__).parent / "crds"
BUNDLES = sorted(path.stem for path in CRDS.glob("*.json"))

SPECS = {
    "Gateway": types.GatewaySpec,
    "GRPCRoute": types.GRPCRouteSpec,
    "HTTPRoute": types.HTTPRouteSpec,
    "ReferenceGrant": types.ReferenceGrantSpec,
}

CLASSES = {name: value for name, value in vars(types).items() if is_typeddict(value)}

NO_EXTENSION = "istiod refuses a route with a filter of this type"
ON_A_BACKEND = "istiod refuses a route with such a filter on a backend"

LEFT_OUT = {
    "GatewayTLS.backend": "istiod checks the certificate, but its gateways never present it",
    "HTTPRouteFilter.extensionRef": NO_EXTENSION,
    "HTTPRouteFilter.type=ExtensionRef": NO_EXTENSION,
    "GRPCRouteFilter.extensionRef": NO_EXTENSION,
    "GRPCRouteFilter.type=ExtensionRef": NO_EXTENSION,
    "HeaderModifierFilter.cors": ON_A_BACKEND,
    "HeaderModifierFilter.type=CORS": ON_A_BACKEND,
    "HeaderModifierFilter.extensionRef": ON_A_BACKEND,
    "HeaderModifierFilter.type=ExtensionRef": ON_A_BACKEND,
    "HeaderModifierFilter.requestMirror": ON_A_BACKEND,
    "HeaderModifierFilter.type=RequestMirror": ON_A_BACKEND,
    "HeaderModifierFilter.requestRedirect": ON_A_BACKEND,
    "HeaderModifierFilter.type=RequestRedirect": ON_A_BACKEND,
    "HeaderModifierFilter.urlRewrite": ON_A_BACKEND,
    "HeaderModifierFilter.type=URLRewrite": ON_A_BACKEND,
}
"""What the schemas have and the types do not."""

CLOSED = {
    "GatewayAddress.type": "the API also admits types of an implementation; Istio has none",
    "LabelSelectorRequirement.operator": "Kubernetes itself checks it, not the schema",
    "Listener.protocol": "the API also admits protocols of an implementation; Istio has HBONE",
}
"""Sets that the schemas leave open."""

SINCE = {
    "v1.5": {
        "GatewaySpec.allowedListeners",
        "GatewaySpec.tls",
        "HTTPRequestRedirectFilter.statusCode=303",
        "HTTPRequestRedirectFilter.statusCode=307",
        "HTTPRequestRedirectFilter.statusCode=308",
        "HTTPRouteFilter.cors",
        "HTTPRouteFilter.type=CORS",
    }
}
"""What is not part of the versions before."""

SCALARS = {"boolean": bool, "integer": int, "string": str}

Finding = tuple[Literal["class", "left out", "unknown", "closed", "wrong"], str]


def compare(name: str, schema: dict[str, Any], ours: Any) -> Iterator[Finding]:
    """The classes in `ours`, the type of the field `name`, and how they differ from the schema."""
    match schema:
        case {"type": "object", "properties": dict(fields)} if is_typeddict(ours):
            yield from compare_object(schema, fields, ours)
        case {"type": "object", "additionalProperties": values} if get_origin(ours) is Mapping:
            key, value = get_args(ours)
            if key is not str:
                yield "wrong", f"{name}: keys {key}"
            yield from compare(name, values, value)
        case {"type": "array", "items": items} if get_origin(ours) is Sequence:
            yield from compare(name, items, get_args(ours)[0])
        case {"type": ("string" | "integer" | "boolean") as type_}:
            yield from compare_scalar(name, SCALARS[type_], schema.get("enum"), ours)
        case _:
            yield "wrong", f"{name}: {ours} for {schema['type']}"


def compare_object(schema: dict[str, Any], fields: dict[str, Any], ours: Any) -> Iterator[Finding]:
    yield "class", ours.__name__
    for field in fields.keys() - ours.__annotations__.keys():
        yield "left out", f"{ours.__name__}.{field}"
    for field, annotation in ours.__annotations__.items():
        name = f"{ours.__name__}.{field}"
        if field not in fields:
            yield "unknown", name
            continue
        if (field in ours.__required_keys__) != (field in schema.get("required", ())):
            yield "wrong", f"{name}: required {field in ours.__required_keys__}"
        optional = get_origin(annotation) is NotRequired
        yield from compare(name, fields[field], get_args(annotation)[0] if optional else annotation)


def compare_scalar(name: str, type_: type, enum: list[Any] | None, ours: Any) -> Iterator[Finding]:
    members = get_args(ours) if get_origin(ours) in (Union, UnionType) else ()
    if not any(get_origin(member) is Awaitable for member in members):
        yield "wrong", f"{name}: {ours} is no Input"
    literals = [member for member in members if get_origin(member) is Literal]
    values = {value for literal in literals for value in get_args(literal)}
    if not values:
        if enum or type_ not in members:
            yield "wrong", f"{name}: {ours} for {type_} of {enum}"
    elif enum is None:
        yield "closed", name
    else:
        for value in set(enum) - values:
            yield "left out", f"{name}={value}"
        for value in values - set(enum):
            yield "unknown", f"{name}={value}"


def found(bundle: str) -> dict[str, set[str]]:
    """All classes, and where they differ from the schemas of one version of the API."""
    schemas = json.loads((CRDS / f"{bundle}.json").read_text(encoding="utf-8"))
    assert schemas.keys() == SPECS.keys()
    by_sort: dict[str, set[str]] = defaultdict(set)
    for kind, spec in SPECS.items():
        for sort, name in compare(kind, schemas[kind], spec):
            by_sort[sort].add(name)
    return by_sort


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_types_are_those_of_the_schemas(bundle: str) -> None:
    findings = found(bundle)
    assert findings["wrong"] == set()
    assert findings["left out"] <= LEFT_OUT.keys()
    assert findings["closed"] == CLOSED.keys()
    newer = {name for since, names in SINCE.items() if bundle < since for name in names}
    assert findings["unknown"] == newer


def test_every_class_and_every_entry_of_the_table_belongs_to_a_schema() -> None:
    findings = [found(bundle) for bundle in BUNDLES]
    assert set().union(*(each["class"] for each in findings)) == CLASSES.keys()
    assert set().union(*(each["left out"] for each in findings)) == LEFT_OUT.keys()


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
    name: " ".join(text.split())
    for name, text in docstrings(ast.parse(Path(types.__file__).read_text(encoding="utf-8")).body)
}


def test_every_name_is_documented() -> None:
    assert [name for name, text in DOCSTRINGS.items() if not text] == []


def test_what_is_newer_is_marked() -> None:
    for since, names in SINCE.items():
        marked = {name for name, text in DOCSTRINGS.items() if f"from {since}" in text}
        assert marked == {name.partition("=")[0] for name in names}


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_links_its_page_and_documents_its_fields(name: str) -> None:
    page = DOCSTRINGS[name].rsplit(" ", 1)[-1]
    assert page.startswith(
        ("https://gateway-api.sigs.k8s.io/reference/spec/#", "https://kubernetes.io/docs/")
    )
    if not any(documented.startswith(f"{name}.") for documented in DOCSTRINGS):
        assert re.findall(r"- `(\w+)`:", DOCSTRINGS[name]) == list(CLASSES[name].__annotations__)
