"""The language of the `pulumi.com/waitFor` annotation."""

import json
from dataclasses import dataclass
from typing import Protocol

import jsonpath

from lab.provider.values import Object

_JSONPATH = jsonpath.JSONPathEnvironment(strict=True)


class Expression(Protocol):
    """One thing that `pulumi.com/waitFor` asks for."""

    def missing(self, live: Object) -> str | None:
        """What the object lacks, or None where it satisfies the expression."""
        ...


@dataclass(frozen=True)
class Condition:
    """`condition=TYPE[=STATUS]`: a condition has the status and is not older than the spec."""

    type: str
    status: str

    def missing(self, live: Object) -> str | None:
        """What the object lacks, or None."""
        wanted = f"condition {self.type}={self.status}"
        for condition in live.get("status", {}).get("conditions", []):
            if condition.get("type", "").lower() != self.type.lower():
                continue
            observed = _observed_generation(condition, live.get("status", {}))
            if observed is not None and observed < live["metadata"].get("generation", 0):
                return f"{wanted}, and the last change to be seen"
            if condition.get("status", "").lower() == self.status.lower():
                return None
            state = condition_text(condition).partition("=")[2]
            return f"{wanted}, which is {state}"
        return f"{wanted}, which is not reported yet"


@dataclass(frozen=True)
class JsonPath:
    """`jsonpath={PATH}[=VALUE]`: the first value at the RFC 9535 path exists, or is VALUE."""

    text: str
    path: jsonpath.JSONPath | jsonpath.CompoundJSONPath
    value: str

    def missing(self, live: Object) -> str | None:
        """What the object lacks, or None."""
        wanted = f"{self.text}={self.value}" if self.value else self.text
        observed = _observed_generation(live.get("status", {}))
        if observed is not None and observed < live["metadata"].get("generation", 0):
            return f"{wanted}, and the last change to be seen"
        found = self.path.findall(live)
        if not found:
            return f"{wanted}, where nothing is yet"
        first = found[0] if isinstance(found[0], str) else json.dumps(found[0])
        return None if self.value in ("", first) else f"{wanted}, which is {first}"


def parse(wait_for: str) -> list[Expression]:
    """The expressions of a `pulumi.com/waitFor` annotation, all of which have to hold.

    Raises ValueError with the expression and what is wrong with it.
    """
    try:
        listed = json.loads(wait_for)
    except ValueError:
        listed = [wait_for]
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"expected an expression or a JSON array of them, got {wait_for!r}")
    return [_expression(str(text)) for text in listed]


def _expression(text: str) -> Expression:
    prefix, _, body = text.partition("=")
    if prefix == "condition":
        type_, _, status = body.partition("=")
        return Condition(type_, status or "True")
    if prefix == "jsonpath":
        braced, _, value = body.rpartition("}")
        if not braced.startswith("{") or (value and not value.startswith("=")) or value == "=":
            raise ValueError(f"expected jsonpath={{PATH}} or jsonpath={{PATH}}=VALUE, got {text!r}")
        inner = braced[1:].strip()
        try:
            path = _JSONPATH.compile(inner if inner.startswith("$") else f"${inner}")
        except jsonpath.JSONPathError as error:
            raise ValueError(f"{text!r} is not a JSONPath (RFC 9535): {error}") from error
        return JsonPath(f"{braced}}}", path, value.removeprefix("="))
    raise ValueError(f'expected "condition=..." or "jsonpath={{...}}", got {text!r}')


def condition_text(condition: Object, of: str = "") -> str:
    """A condition as a person reads it: `type=status reason: message`, `of` a part of an object."""
    text = f"{of}: " if of else ""
    text += f"{condition.get('type')}={condition.get('status')}"
    if reason := condition.get("reason"):
        text += f" {reason}"
    if message := condition.get("message"):
        text += f": {message}"
    return text


def _observed_generation(*reports: Object) -> int | None:
    """The generation that the first of `reports` with one is about.

    Istio's own kinds report it as a string, which the official plugin does not read either.
    """
    observed = (report.get("observedGeneration") for report in reports)
    return next((one for one in observed if isinstance(one, int)), None)
