"""Types and limits made from definitions: what changes upstream changes here by itself."""

import copy
import json
import subprocess
from typing import Any, get_args, is_typeddict

import pytest

from components import InvalidInput
from components.checks.faults import Faults
from components.checks.schema import Schema
from generate.api import Rendering
from generate.definitions import Object, Release, Sources, classes, objects
from generate.modules import Module, ModuleError

OLD, EARLY, NEW = (Release((1, 1)), Release((1, 2), standard=False), Release((1, 2)))
KINDS = {"lamps.example.com": "v1"}

LAMP: dict[str, Any] = {
    "type": "object",
    "required": ["colour"],
    "properties": {
        "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "name": {"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z]+$"},
        "shades": {
            "type": "array",
            "maxItems": 4,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["label"],
            "items": {
                "type": "object",
                "properties": {"label": {"type": "string"}, "size": {"type": "integer"}},
            },
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 9}},
        "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "from": {"type": "number"},
        "power_limit": {"type": "integer"},
        "powerLimit": {"type": "integer", "format": "int32", "minimum": 0},
    },
}

GO = """
// $location: https://example.com/docs/lamp.html
type Lamp struct {
	metav1.TypeMeta `json:",inline"`
	Spec LampSpec `json:"spec"`
}

type LampSpec struct {
	Common `json:",inline"`
	// Shades are around it.
	Shades []Screen `json:"shades,omitempty"`
	Name *Name `json:"name,omitempty"`
}

type Common struct {
	Colour Colour `json:"colour"`
}
"""


def crd(spec: dict[str, Any], version: str = "v1", *, served: bool = True) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"properties": {"spec": spec}}}
    return {
        "metadata": {"name": "lamps.example.com"},
        "spec": {
            "names": {"kind": "Lamp"},
            "versions": [{"name": version, "served": served, "schema": schema}],
        },
    }


def changed(path: str, value: Any, spec: dict[str, Any] = LAMP) -> dict[str, Any]:
    """The lamp's spec with another value in its schema."""
    copied = copy.deepcopy(spec)
    holder = copied
    *steps, last = path.split(".")
    for step in steps:
        holder = holder.setdefault(step, {})
    holder[last] = value
    return copied


def made(*releases: tuple[Release, dict[str, Any]], go: str = GO) -> str:
    """The module that is made of the lamp's specs in several releases."""
    found = Sources([go])
    listed: list[Object] = []
    for release, spec in releases:
        listed += objects([crd(spec)], KINDS, found, release)
    rendering = Rendering(classes(listed, {"Colour": "Hue"}), "v", found.pages)
    return rendering.text("Lamps.", "lamps v1.1.0, v1.2.0")


def module(*releases: tuple[Release, dict[str, Any]]) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "components.api.lamp"}
    exec(made(*releases), names)  # noqa: S102  # what was just made here
    return names


def test_types_limits_and_links_are_those_of_the_definition() -> None:
    text = made((OLD, LAMP))
    names = module((OLD, LAMP))
    spec = names["LampSpec"]
    # In the order of the Go source, then by name as the definition has them.
    assert list(spec.__annotations__) == [
        "colour", "shades", "name", "labels", "anything", "from", "powerLimit",
    ]  # fmt: skip
    assert spec.__required_keys__ == {"colour"}
    assert get_args(names["Hue"]) == ("red", "green")
    assert is_typeddict(names["Screen"])
    limits = names["LIMITS"][spec]
    assert limits["name"]("a b") == "a text that matches ^[a-z]+$, 1 to 63 characters"
    assert limits["shades"]([1] * 5) == "at most 4 elements"
    assert limits["labels[]"]("a" * 10) == "at most 9 characters"
    assert limits["powerLimit"](2**31) == "an integer from 0 to 2147483647"
    assert names["DISTINCT"] == {spec: {"shades": "label"}}
    assert names["PLACES"] == {
        names["Screen"]: {"lamps.example.com/v1": ["spec.shades[]"]},
        spec: {"lamps.example.com/v1": ["spec"]},
    }
    assert names["RELEASES"] == {}
    assert "https://example.com/latest/docs/lamp/#LampSpec" in text
    assert "- `colour`: Default `red`." in text
    assert "`spec.shades[]` of Lamp." in text


def test_the_same_definitions_make_the_same_text() -> None:
    assert made((OLD, LAMP), (NEW, LAMP)) == made((OLD, copy.deepcopy(LAMP)), (NEW, LAMP))


def test_a_new_field_is_carried_from_the_definition_to_a_configuration() -> None:
    dimmed = changed(
        "properties.dimmer",
        {"type": "object", "properties": {"steps": {"type": "integer", "maximum": 9}}},
    )

    def faults(value: object, *releases: tuple[Release, dict[str, Any]]) -> list[str]:
        names = module(*releases)
        found = Faults("a")
        Schema(names["LIMITS"], {}).check(found, "lamp", value, names["LampSpec"])
        try:
            found.raise_any()
        except InvalidInput as refused:
            return [line.strip() for line in str(refused).splitlines()[1:]]
        return []

    value = {"colour": "red", "dimmer": {"steps": 10}}
    [unknown] = faults(value, (OLD, LAMP))
    assert unknown.startswith("lamp.dimmer: found an unknown key")
    both = ((OLD, LAMP), (NEW, dimmed))
    assert faults(value, *both) == ["lamp.dimmer.steps: found 10, expected an integer of at most 9"]
    names = module(*both)
    assert names["RELEASES"] == {
        names["LampSpecDimmer"]: {"": ("1.2", "", "")},
        names["LampSpec"]: {"dimmer": ("1.2", "", "")},
    }
    assert "- `dimmer`: From v1.2." in made(*both)


def test_a_new_choice_and_a_changed_limit_change_the_text() -> None:
    blue = changed("properties.colour.enum", ["red", "green", "blue"])
    assert 'Literal["red", "green", "blue"]' in made((OLD, LAMP), (NEW, blue))
    assert "`blue` from v1.2" in made((OLD, LAMP), (NEW, blue))
    longer = changed("properties.name.maxLength", 253)
    assert "1 to 253 characters" in made((OLD, LAMP), (NEW, longer))
    assert "1 to 63 characters" not in made((OLD, LAMP), (NEW, longer))


def test_the_standard_channel_decides_and_the_experimental_one_adds() -> None:
    strict = changed("properties.name.maxLength", 9)
    strict = changed("properties.colour.enum", ["red", "green", "blue"], strict)
    strict = changed("properties.switch", {"type": "boolean"}, strict)
    text = made((OLD, LAMP), (EARLY, strict), (NEW, LAMP))
    assert "1 to 63 characters" in text
    assert "`blue` experimental from v1.2" in text
    assert "- `switch`: Experimental from v1.2." in text
    names = module((OLD, LAMP), (EARLY, strict), (NEW, strict))
    assert names["RELEASES"][names["LampSpec"]] == {"switch": ("1.2", "", "")}
    names = module((EARLY, strict), (NEW, LAMP), (Release((1, 3)), LAMP))
    assert names["RELEASES"][names["LampSpec"]] == {"switch": ("", "1.2", "1.2")}


def test_what_was_called_otherwise_keeps_its_newest_name() -> None:
    found = [
        *objects([crd(LAMP)], KINDS, Sources([GO.replace("Screen", "Shade")]), OLD),
        *objects([crd(LAMP)], KINDS, Sources([GO]), NEW),
    ]
    assert list(classes(found, {})) == ["Screen", "LampSpec"]


def test_without_a_go_name_a_class_is_called_after_its_place() -> None:
    found = objects([crd(LAMP)], KINDS, Sources([]), OLD)
    assert list(classes(found, {"Lamp": "LampSpec"})) == ["LampShade", "LampSpec"]


def test_one_name_for_two_types_is_refused() -> None:
    found = objects([crd(LAMP)], KINDS, Sources([GO]), OLD)
    with pytest.raises(ValueError, match="Screen and LampSpec are both LampSpec"):
        classes(found, {"Screen": "LampSpec"})


def test_two_places_that_differ_are_refused() -> None:
    go = GO.replace(
        '`json:"name,omitempty"`', '`json:"name,omitempty"`\n\tMore []Screen `json:"more"`'
    )
    shade = {"type": "object", "properties": {"label": {"type": "integer"}}}
    both = changed("properties.more", {"type": "array", "items": shade})
    with pytest.raises(ValueError, match=r"pulumi\.Input\[str\].*pulumi\.Input\[int\]"):
        made((OLD, both), go=go)


@pytest.mark.parametrize("served", [crd(LAMP, "v2"), crd(LAMP, served=False)])
def test_a_version_that_is_not_served_is_no_part_of_a_release(served: dict[str, Any]) -> None:
    assert list(objects([served], KINDS, Sources([]), OLD)) == []


def test_protobuf_sources_name_fields_by_their_tags() -> None:
    found = Sources(["""
// $location: https://example.com/docs/lamp.html
type Lamp struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Power uint32 `protobuf:"varint,1,opt,name=power_limit,json=powerLimit" json:"power_limit"`
	Shades []*v1.Lamp_Shade `protobuf:"bytes,2,rep,name=shades,proto3" json:"shades,omitempty"`
	Switch isLamp_Switch `protobuf_oneof:"switch"`
}
type Lamp_Dimmer struct {
	Dimmer *Lamp_DimmerSettings `protobuf:"bytes,3,opt,name=dimmer,proto3,oneof"`
}
"""])  # fmt: skip
    assert found.fields("Lamp") == {
        "powerLimit": "uint32",
        "shades": "Lamp_Shade",
        "dimmer": "Lamp_DimmerSettings",
    }
    assert found.pages["Lamp"] == "https://example.com/docs/lamp.html"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"Error": "no such version"}, "example.com/lamp@v1.2.0: no such version"),
        (
            {"Zip": "lamp.zip", "Sum": "h1:other", "Error": "needs a newer go"},
            "example.com/lamp@v1.2.0: found checksum h1:other, expected h1:right of modules.sum",
        ),
    ],
)
def test_a_module_that_is_not_the_pinned_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, str], expected: str
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, json.dumps(answer), "")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ModuleError) as refused:
        Module("example.com/lamp", "v1.2.0", "h1:right").files(".*")
    assert str(refused.value) == expected
