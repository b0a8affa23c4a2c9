"""Property bags of the engine as plain JSON values, with unknown and secret values kept.

An unknown value is the string `UNKNOWN`. A secret value is a wrapper that `plain` takes off and
`with_secrets` puts back. Null members of an object mean the same as absent ones to the Kubernetes
API and are dropped.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

Object = dict[str, Any]
"""A JSON object: a Kubernetes object, or a part of one."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that a preview cannot know yet."""

# The two halves of the mark that the engine's protocol puts on a secret.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SEALED = "1b47061264138c4ac30d75fd1eb44270"


def decode(bag: Struct) -> Object:
    """The engine's property bag as a JSON object; whole numbers become `int`."""
    return _members(bag.fields)


def encode(bag: Object) -> Struct:
    """A JSON object as the engine's property bag."""
    struct = Struct()
    struct.update(bag)
    return struct


def secret(value: Any) -> Object:
    """The value, marked as a secret."""
    return {_SIGNATURE: _SEALED, "value": value}


def plain(value: Any) -> Any:
    """The value without any mark of secrecy."""
    match value:
        case dict():
            if _is_secret(value):
                return plain(value.get("value"))
            return {key: plain(member) for key, member in value.items()}
        case list():
            return [plain(element) for element in value]
        case _:
            return value


def has_unknown(value: Any) -> bool:
    """Whether the value is unknown or contains an unknown value."""
    return any(leaf == UNKNOWN for leaf in _leaves(value))


def with_secrets(outputs: Object, inputs: Object) -> Object:
    """The outputs, secret wherever the inputs are, and wherever a Secret holds its data.

    Secrecy goes down objects member by member; a list that holds a secret is secret as a whole,
    because its elements may come back in another order.
    """
    if outputs.get("kind") == "Secret":
        return outputs | {
            key: secret(outputs[key]) for key in ("data", "stringData") if key in outputs
        }
    marked = dict(outputs)
    for key in inputs.keys() & outputs.keys():
        given, received = inputs[key], outputs[key]
        if isinstance(given, dict) and isinstance(received, dict) and not _is_secret(given):
            marked[key] = with_secrets(received, given)
        elif _has_secret(given):
            marked[key] = secret(received)
    return marked


def _members(fields: Mapping[str, Value]) -> Object:
    return {
        name: _value(field)
        for name, field in fields.items()
        if field.WhichOneof("kind") != "null_value"
    }


def _value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _members(value.struct_value.fields)
        case "list_value":
            return [_value(element) for element in value.list_value.values]
        case "number_value":
            number = value.number_value
            # The Kubernetes API refuses 80.0 where it wants an integer.
            return int(number) if number.is_integer() else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _is_secret(value: Object) -> bool:
    return value.get(_SIGNATURE) == _SEALED


def _has_secret(value: Any) -> bool:
    return any(leaf == _SEALED for leaf in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    match value:
        case dict():
            for member in value.values():
                yield from _leaves(member)
        case list():
            for element in value:
                yield from _leaves(element)
        case _:
            yield value
