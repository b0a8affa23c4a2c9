"""What the CustomResourceDefinitions of a cluster have of the APIs' fields.

API servers drop fields that their definitions do not have, and say nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..checks.faults import Faults
from ..checks.schema import Bases, Rule, Schema, at
from . import (
    destination_rule_types,
    envoy_filter_types,
    gateway_types,
    istio_types,
    service_entry_types,
)
from .releases import Releases

_APIS = (
    gateway_types,
    istio_types,
    destination_rule_types,
    envoy_filter_types,
    service_entry_types,
)
_PLACES = {class_: places for api in _APIS for class_, places in api.PLACES.items()}
_RELEASES = {class_: releases for api in _APIS for class_, releases in api.RELEASES.items()}

_BUNDLE = "gateway.networking.k8s.io/bundle-version"
_CHANNEL = "gateway.networking.k8s.io/channel"


DEFINITIONS = sorted({name.partition("/")[0] for kinds in _PLACES.values() for name in kinds})
"""Names of the CustomResourceDefinitions that can be compared with."""


class Installed:
    """The CustomResourceDefinitions that a cluster has, as far as they are given.

    Of classes whose definitions are not, nothing is known, and nothing is said to be lacking.
    """

    def __init__(self, definitions: Iterable[Any]) -> None:
        """`definitions` are dicts or lightkube's objects."""
        listed = [one if isinstance(one, Mapping) else one.to_dict() for one in definitions]
        self._definitions = {one["metadata"]["name"]: one for one in listed}

    def lacking(self, class_: type, field: str) -> str | None:
        """What is needed for a field of one of the APIs' classes, None where the cluster has it.

        Where it does not have the objects of the class either, it lacks the field that holds them.
        """
        places = list(self._places(class_))
        for _, place in places:
            if place.get("x-kubernetes-preserve-unknown-fields") or field in place["properties"]:
                return None
        return _needs(class_, field, places[0][0]) if places else None

    def unserved(self, name: str) -> str | None:
        """What is needed for the objects of a definition, None where the cluster serves them."""
        class_, version = next(
            (class_, kind.partition("/")[2])
            for class_, kinds in _PLACES.items()
            for kind, paths in kinds.items()
            if kind.startswith(f"{name}/") and "spec" in paths
        )
        definition = self._definitions.get(name)
        if definition and _schema(definition, version, "spec") is not None:
            return None
        return _needs(class_, "", definition)

    def _places(self, class_: type) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """The schemas of the class's objects, with the definitions that have them."""
        for kind, paths in _PLACES[class_].items():
            name, _, version = kind.partition("/")
            if definition := self._definitions.get(name):
                for path in paths:
                    place = _schema(definition, version, path)
                    # A version that is not served has no field at all.
                    if place is not None or path == "spec":
                        yield definition, place or {"properties": {}}


def uncovered(  # noqa: PLR0913  # as `Schema.check`, and with what
    faults: Faults,
    path: str,
    value: object,
    shape: Any,
    installed: Installed,
    *,
    bases: Bases | None = None,
) -> None:
    """Record every field of the APIs' forms in a value, at `path`, that the cluster lacks.

    The value has been checked to be of its `shape`; `bases` are the classes in it that extend
    others, `Schema.bases` of what checked it.
    """
    rules = {class_: _rule(installed, class_) for class_ in _PLACES}
    Schema({}, rules, bases).check(faults, path, value, shape)


def _rule(installed: Installed, class_: type) -> Rule:
    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        for field in filter(class_.__annotations__.__contains__, value):
            if needs := installed.lacking(class_, field):
                faults.add(at(path, field), needs)

    return check


def _schema(definition: Mapping[str, Any], version: str, path: str) -> Mapping[str, Any] | None:
    """What is demanded at a path, where the definition serves the version and has the place."""
    for served in definition["spec"]["versions"]:
        if served["name"] == version and served["served"]:
            found: Any = served["schema"]["openAPIV3Schema"]
            for step in re.findall(r"\w+|\[\]|\{\}", path):
                inside = {"[]": found.get("items"), "{}": found.get("additionalProperties")}
                found = inside.get(step, found.get("properties", {}).get(step))
                if found is None:
                    return None
            return {"properties": {}, **found}
    return None


def _needs(class_: type, field: str, definition: Mapping[str, Any] | None) -> str:
    title = "Gateway API" if class_ in gateway_types.PLACES else "Istio"
    of_class = _RELEASES.get(class_, {})
    releases = of_class.get(field) or of_class.get("") or Releases()
    metadata = definition["metadata"] if definition else {}
    annotations = metadata.get("annotations") or {}
    if not metadata:
        found = "the cluster has none"
    elif _BUNDLE in annotations:
        bundle = annotations[_BUNDLE].removeprefix("v")
        found = f"the cluster has {bundle} ({annotations.get(_CHANNEL, 'unknown')} channel)"
    else:
        found = f"{metadata['name']} of the cluster does not have it"
    return f"needs {releases.needed(title)}{';' if releases.experimental else ','} {found}"
