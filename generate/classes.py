"""The classes that the objects in CRDs are, merged over the releases of an API."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from generate.gosource import Sources

_SCALARS = {"boolean": "bool", "integer": "int", "number": "float", "string": "str"}
_NUMBERS = ("integer", "number")
_INT32 = 2**31 - 1
_BOUNDS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
}


class Release(NamedTuple):
    """One channel of a minor release; of its two channels the standard one comes last."""

    minor: tuple[int, ...]
    standard: bool = True


class Limit(NamedTuple):
    """What a schema demands of a text's length, a number, or how many are in a list or mapping."""

    low: int | None = None
    high: int | None = None
    pattern: str = ""


@dataclass
class Field:
    """A field of a class, as it is in the newest release that has it."""

    container: str = "{}"
    """What the values are in: `Sequence[{}]`, or nothing."""
    holds: str = "Any"
    """A scalar type or the name of a class."""
    required: bool = False
    default: object = None
    limits: dict[str, Limit] = field(default_factory=dict)
    """Limits of the field, and of what it holds (`[]`)."""
    distinct: str | None = None
    """The key that no two of its elements have in common; empty for the whole element."""
    alias: str = ""
    """Name of its choices, where they have one."""
    choices: dict[Any, list[Release]] = field(default_factory=dict)
    """The values that it admits, and the releases that have them; empty where it admits any."""
    releases: list[Release] = field(default_factory=list)

    def over(self, earlier: "Field") -> "Field":
        """The field, with what an earlier release or another place of the class has of it.

        Raises `ValueError` where two places of one release differ.
        """
        if self.releases == earlier.releases[-1:]:
            mine, other = (replace(each, choices={}, releases=[]) for each in (self, earlier))
            if mine != other:
                raise ValueError(f"found {mine} and {other} in {self.releases[0]}")
        choices = {
            choice: [*earlier.choices.get(choice, ()), *self.choices.get(choice, ())]
            for choice in (*earlier.choices, *self.choices)
        }
        releases = [*earlier.releases, *self.releases]
        return replace(self, choices=choices if self.choices else {}, releases=releases)


@dataclass
class Class:
    """A type of objects."""

    go: str
    """Its name in the upstream Go sources."""
    places: dict[str, dict[str, Release]] = field(default_factory=dict)
    """Where its objects stand: paths like `spec.rules[].filters[]` and the last releases that have
    them, by `CRD/VERSION`."""
    fields: dict[str, Field] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)


class Spec(NamedTuple):
    """The schema of a kind's `spec` in one release."""

    schema: Mapping[str, Any]
    go: str
    place: str
    sources: Sources
    release: Release


def specs(
    crds: Iterable[Mapping[str, Any]], kinds: Mapping[str, str], sources: Sources, release: Release
) -> Iterator[Spec]:
    """The specs of `kinds`, CRDs and their versions, as far as the release serves them."""
    by_name = {crd["metadata"]["name"]: crd["spec"] for crd in crds}
    for name, wanted in kinds.items():
        for version in by_name.get(name, {}).get("versions", ()):
            if version["name"] == wanted and version["served"]:
                schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
                kind: str = by_name[name]["names"]["kind"]
                # In protobuf sources a kind is its spec.
                go = sources.of(kind).get("spec", kind)
                yield Spec(schema, go, f"{name}/{wanted} spec", sources, release)


class _Object(NamedTuple):
    """An object with fields, somewhere in the schema of a spec."""

    place: str
    go: str
    """What Go calls it in this release."""
    schema: Mapping[str, Any]


def classes(listed: Iterable[Spec], names: Mapping[str, str]) -> dict[str, Class]:
    """The classes in specs, oldest release first, those that others refer to before them.

    `names` are names of classes and of choices that are not simply Go's.
    """
    specs = list(listed)
    # What stands at a place may have had another name in Go once.
    go = {one.place: one.go for spec in specs for one in _objects(spec)}
    found: dict[str, Class] = {}

    def name(place: str) -> str:
        return names.get(go[place]) or go[place].replace("_", "")

    for spec in specs:
        for one in _objects(spec):
            class_ = found.setdefault(name(one.place), Class(go[one.place]))
            if class_.go != go[one.place]:
                raise ValueError(f"{class_.go} and {go[one.place]} are both {name(one.place)}")
            _merge(class_, _fields(one, spec, name, names), spec.sources.of(one.go))
            class_.releases.append(spec.release)
            kind, _, path = one.place.partition(" ")
            class_.places.setdefault(kind, {})[path] = spec.release
    return {name: found[name] for name in dict.fromkeys(_ordered(found, found))}


def _merge(class_: Class, fields: Mapping[str, Field], order: Iterable[str]) -> None:
    """Take the fields of one release into a class, in the order of its Go source."""
    merged = class_.fields | {
        key: one.over(class_.fields[key]) if key in class_.fields else one
        for key, one in fields.items()
    }
    known = list(order)
    last = len(known)
    class_.fields = dict(
        sorted(merged.items(), key=lambda item: known.index(item[0]) if item[0] in known else last)
    )


def _ordered(names: Iterable[str], found: Mapping[str, Class]) -> Iterator[str]:
    for name in names:
        if name in found:
            yield from _ordered((field.holds for field in found[name].fields.values()), found)
            yield name


def _objects(spec: Spec) -> Iterator[_Object]:
    """Every object with fields in a spec, those inside of it first."""

    def walk(schema: Mapping[str, Any], go: str, place: str) -> Iterator[_Object]:
        _, inside, end = _held(schema)
        types = spec.sources.of(go)
        for name, part in inside.get("properties", {}).items():
            go_inside = types.get(name) or f"{go}{_singular(name)}"
            yield from walk(part, go_inside, f"{place}{end}.{name}")
        if "properties" in inside:
            yield _Object(f"{place}{end}", go, inside)

    return walk(spec.schema, spec.go, spec.place)


def _held(schema: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], str]:
    """What the values of a field are in, the schema of one value, and what leads to it."""
    container, end = "{}", ""
    while True:
        values = schema.get("additionalProperties")
        if schema.get("type") == "array":
            container, end, schema = container.format("Sequence[{}]"), f"{end}[]", schema["items"]
        elif isinstance(values, dict):
            container, end, schema = container.format("Mapping[str, {}]"), f"{end}{{}}", values
        else:
            return container, schema, end


def _fields(
    of: _Object, spec: Spec, name_at: Callable[[str], str], names: Mapping[str, str]
) -> dict[str, Field]:
    properties: Mapping[str, Any] = of.schema["properties"]
    types = spec.sources.of(of.go)
    found: dict[str, Field] = {}
    for name, part in properties.items():
        if "_" in name and _camel(name) in properties:
            continue  # another spelling, no field of its own
        container, inside, end = _held(part)
        one = found[name] = Field(
            container,
            required=name in of.schema.get("required", ()),
            limits={"": _limit(part)} | ({"[]": _limit(inside)} if end else {}),
            distinct=_distinct(part),
            choices={value: [spec.release] for value in inside.get("enum", ())},
            releases=[spec.release],
        )
        if "properties" in inside:
            one.holds = name_at(f"{of.place}.{name}{end}")
        elif inside.get("type") == "object":
            one.holds = "Mapping[str, Any]"
        elif "type" in inside:
            one.holds = f"pulumi.Input[{_SCALARS[inside['type']]}]"
        if one.choices:
            one.alias = names.get(types.get(name, ""), "")
        if not isinstance(default := part.get("default"), list | dict):
            one.default = default
    return found


def _distinct(schema: Mapping[str, Any]) -> str | None:
    if schema.get("x-kubernetes-list-type") not in ("map", "set"):
        return None
    keys = schema.get("x-kubernetes-list-map-keys", [""])
    # Of several keys, none is enough to tell two elements apart.
    return keys[0] if len(keys) == 1 else None


def _limit(schema: Mapping[str, Any]) -> Limit:
    if "enum" in schema or "type" not in schema or schema["type"] not in _BOUNDS:
        return Limit()
    low, high = (schema.get(bound) for bound in _BOUNDS[schema["type"]])
    if schema.get("format") == "int32":
        high = min(high or _INT32, _INT32)
    if schema["type"] not in _NUMBERS:
        low = low or None
    return Limit(low, high, schema.get("pattern", ""))


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def _singular(name: str) -> str:
    """A field as part of a class name: `Match` for `matches`."""
    one = re.sub(r"ies$", "y", re.sub(r"(ss|x|ch|sh)es$", r"\1", name))
    one = one if one != name else name.removesuffix("s")
    return one[:1].upper() + one[1:]
