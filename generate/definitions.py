"""The classes that the objects of an API are, over its releases, by its CRDs and Go sources."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\t(?:\w+[ \t]+)?\S*?(\w+)[ \t]+`(.*)`", re.MULTILINE)
_SPELLING = re.compile(r'json=(\w+)|name=(\w+)(?!.*json=)|\bjson:"(\w+)')
_LOCATION = re.compile(r"^// \$location: (\S+)$", re.MULTILINE)

_SCALARS = {"boolean": "bool", "integer": "int", "number": "float", "string": "str"}
_SIZES = {"string": "Length", "array": "Items", "object": "Properties"}
_INT32 = 2**31 - 1


class Sources:
    """What Go sources tell beyond CRDs: the names of types and the order of their fields."""

    def __init__(self, files: Iterable[str]) -> None:
        """Of two structs with one name, that of the later file counts."""
        self.pages: dict[str, str] = {}
        """Page that describes a struct, where its file names one."""
        self._fields: dict[str, list[tuple[str, str]]] = {}
        """Names of fields, empty for embedded structs, and their types, by struct."""
        for text in files:
            page = _LOCATION.search(text)
            for struct, body in _STRUCT.findall(text):
                self.pages |= {struct: page[1]} if page else {}
                self._fields[struct] = []
                for type_, tag in _FIELD.findall(body):
                    # The struct that wraps one of several alternatives is named after their owner.
                    owner = struct.rstrip("_").rpartition("_")[0] if ",oneof" in tag else struct
                    if tag == 'json:",inline"':
                        self._fields[struct].append(("", type_))
                    elif spelling := _SPELLING.search(tag):
                        name = spelling[spelling.lastindex or 0]
                        self._fields.setdefault(owner, []).append((name, type_))

    def fields(self, struct: str) -> dict[str, str]:
        """Types of a struct's fields, in order, as the API spells them; of a list its values'."""
        found: dict[str, str] = {}
        for name, type_ in self._fields.get(struct, ()):
            found |= {name: type_} if name else self.fields(type_)
        return found


class Release(NamedTuple):
    """One channel of a minor release; of its two channels the standard one comes last."""

    minor: tuple[int, ...]
    standard: bool = True


class Field(NamedTuple):
    """A field of a class, as one release has it at one place."""

    release: Release
    annotation: str
    """Its type; `{}` in place of its choices, where it has some."""
    choices: list[Any]
    """The values that it admits; empty where it admits any."""
    alias: str
    """Name of its choices, where they have one."""
    required: bool
    default: object
    limits: dict[str, dict[str, Any]]
    """What schemas demand of the field, and of what it holds (`[]`): `low`, `high`, `pattern`."""
    distinct: str | None
    """The key that no two of its elements have in common; empty for the whole element."""


@dataclass
class Class:
    """A type of objects."""

    go: str
    """Its name in the upstream Go sources."""
    places: dict[str, dict[str, Release]] = field(default_factory=dict)
    """Where its objects stand: paths like `spec.rules[].filters[]` and the last releases that have
    them, by `CRD/VERSION`."""
    fields: dict[str, list[Field]] = field(default_factory=dict)
    """Each field as it is in all releases, the newest last."""
    releases: list[Release] = field(default_factory=list)


class Object(NamedTuple):
    """An object with fields, somewhere in the spec of a kind in one release."""

    release: Release
    sources: Sources
    place: str
    """`CRD/VERSION` and a path, with a blank between them."""
    go: str
    """What Go calls it in this release."""
    schema: Mapping[str, Any]


def objects(
    crds: Iterable[Mapping[str, Any]], kinds: Mapping[str, str], sources: Sources, release: Release
) -> Iterator[Object]:
    """Every object in the specs of `kinds`, CRDs and their versions, that the release serves."""
    by_name = {crd["metadata"]["name"]: crd["spec"] for crd in crds}
    for name, wanted in kinds.items():
        for version in by_name.get(name, {}).get("versions", ()):
            if version["name"] == wanted and version["served"]:
                schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
                kind: str = by_name[name]["names"]["kind"]
                # In protobuf sources a kind is its spec.
                go = sources.fields(kind).get("spec", kind)
                yield from _inside(Object(release, sources, f"{name}/{wanted} spec", go, schema))


def _inside(whole: Object) -> Iterator[Object]:
    """The object itself, if it has fields, behind those inside of it."""
    _, schema, end = _held(whole.schema)
    place, types = f"{whole.place}{end}", whole.sources.fields(whole.go)
    for name, part in schema.get("properties", {}).items():
        go = types.get(name) or f"{whole.go}{_singular(name)}"
        yield from _inside(whole._replace(place=f"{place}.{name}", go=go, schema=part))
    if "properties" in schema:
        yield whole._replace(place=place, schema=schema)


def _held(
    schema: Mapping[str, Any], container: str = "{}", end: str = ""
) -> tuple[str, Mapping[str, Any], str]:
    """What the values of a field are in, the schema of one value, and what leads to it."""
    if schema.get("type") == "array":
        return _held(schema["items"], container.format("Sequence[{}]"), f"{end}[]")
    if isinstance(values := schema.get("additionalProperties"), dict):
        return _held(values, container.format("Mapping[str, {}]"), f"{end}{{}}")
    return container, schema, end


def _singular(name: str) -> str:
    """A field as part of a class name: `Match` for `matches`."""
    one = re.sub(r"ies$", "y", re.sub(r"(ss|x|ch|sh)es$", r"\1", name))
    one = one if one != name else name.removesuffix("s")
    return one[:1].upper() + one[1:]


def classes(found: Iterable[Object], names: Mapping[str, str]) -> dict[str, Class]:
    """The classes of objects, of which those of the oldest release come first; a class comes behind
    those that it refers to.

    `names` are names of classes and of choices that are not simply Go's. Raises `ValueError` for
    two classes of one name, and for a class that is not the same everywhere in a release.
    """
    found = list(found)
    # What stands at a place may have had another name in Go once.
    go = {one.place: one.go for one in found}
    called = {place: names.get(name) or name.replace("_", "") for place, name in go.items()}
    made: dict[str, Class] = {}
    for one in found:
        class_ = made.setdefault(called[one.place], Class(go[one.place]))
        if class_.go != go[one.place]:
            raise ValueError(f"{class_.go} and {go[one.place]} are both {called[one.place]}")
        for key, field_ in _fields(one, called, names):
            known = class_.fields.setdefault(key, [])
            if known and known[-1].release == one.release and known[-1] != field_:
                raise ValueError(f"{class_.go}.{key}: found {known[-1]} and {field_}")
            known.append(field_)
        order = {key: index for index, key in enumerate(one.sources.fields(one.go))}
        by_order = sorted(class_.fields, key=lambda key: order.get(key, len(order)))
        class_.fields = {key: class_.fields[key] for key in by_order}
        class_.releases.append(one.release)
        kind, path = one.place.split()
        class_.places.setdefault(kind, {})[path] = one.release
    return {name: made[name] for name in dict.fromkeys(_ordered(made, made))}


def _ordered(names: Iterable[str], made: Mapping[str, Class]) -> Iterator[str]:
    for name in names:
        if name in made:
            for of in made[name].fields.values():
                yield from _ordered(re.findall(r"\w+", of[-1].annotation), made)
            yield name


def _fields(
    one: Object, called: Mapping[str, str], names: Mapping[str, str]
) -> Iterator[tuple[str, Field]]:
    types = one.sources.fields(one.go)
    properties: Mapping[str, Any] = one.schema["properties"]
    for name, part in properties.items():
        if "_" in name and re.sub("_(.)", lambda at: at[1].upper(), name) in properties:
            continue  # another spelling, no field of its own
        container, inside, end = _held(part)
        choices = inside.get("enum", [])
        if "properties" in inside:
            holds = called[f"{one.place}.{name}{end}"]
        elif inside.get("type") == "object":
            holds = "Mapping[str, Any]"
        elif "type" in inside:
            holds = f"pulumi.Input[{'{}' if choices else _SCALARS[inside['type']]}]"
        else:
            holds = "Any"
        default = part.get("default")
        field_ = Field(
            one.release,
            container.format(holds),
            choices,
            names.get(types.get(name, ""), "") if choices else "",
            required=name in one.schema.get("required", ()),
            default=None if isinstance(default, list | dict) else default,
            limits=_limits({"": part, "[]": inside} if end else {"": part}),
            distinct=_distinct(part),
        )
        yield name, field_


def _limits(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for end, schema in schemas.items():
        if "enum" not in schema:
            size = _SIZES.get(schema.get("type", ""))
            low, high = (schema.get(f"{bound}{size or 'imum'}") for bound in ("min", "max"))
            if schema.get("format") == "int32":
                high = min(high or _INT32, _INT32)
            limit = {
                "low": low or None if size else low,
                "high": high,
                "pattern": schema.get("pattern"),
            }
            found[end] = {key: value for key, value in limit.items() if value is not None}
    return {end: limit for end, limit in found.items() if limit}


def _distinct(schema: Mapping[str, Any]) -> str | None:
    if schema.get("x-kubernetes-list-type") not in ("map", "set"):
        return None
    keys = schema.get("x-kubernetes-list-map-keys", [""])
    # Of several keys, none is enough to tell two elements apart.
    return keys[0] if len(keys) == 1 else None
