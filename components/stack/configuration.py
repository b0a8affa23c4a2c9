"""The configuration of a stack, read as the arguments of its components."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, cast, get_args, get_origin, is_typeddict

import pulumi
import yaml
from pulumi.runtime import config as runtime_config

from ..checks import values as valid
from ..checks.faults import Faults, camel
from ..checks.schema import Schema, allowed_types, at
from ..exposure import rules as exposure_rules
from .arguments import StackArgs
from .conflicts import check_together
from .release2 import is_release_2, moved

EXAMPLE = """\
  config:
    ambient-exposure:exposures:
      shop:
        namespace: {name: shop}
        service:
          name: shop
          port: 80
          image: registry.example.com/shop:1.2.3
          containerPort: 8080
        hostnames: [shop.example.com]
        rules: [{paths: [/api]}]
        verification: {checks: [{path: /api/health, status: 200}]}"""

SCHEMA = exposure_rules.SCHEMA | Schema(
    {
        StackArgs: {
            "exposures{}": valid.dns_label,
            "gateways{}": valid.dns_label,
            "waypoints{}": valid.waypoint_name,
            "namespaces{}": valid.dns_label,
            "labels{}": valid.label_key,
            "labels[]": valid.label_value,
            "annotations{}": valid.label_key,
            "renamed[]": valid.dns_label,
            "image_registry": valid.image,
        },
    },
    {},
)
"""What is checked of a stack's configuration, entry by entry."""

_MADE = ("exposures", "gateways", "waypoints", "namespaces")
"""What a stack may be made of."""

_BESIDE_EXISTING = {"ingress_use_waypoint", "binds", "listener_set"}
"""Options that a waypoint or a gateway takes, too, that exists: they are the exposure's, not its
own."""


def load() -> StackArgs:
    """The configuration of the running stack, completed by its defaults.

    Raises `InvalidInput` with every fault at once.
    """
    return read(pulumi.get_stack(), runtime_config.CONFIG.get(), pulumi.get_project())


def read(stack: str, config: Mapping[str, str], project: str) -> StackArgs:
    """The configuration of a stack of `project` as the engine has it, completed by its defaults.

    Raises `InvalidInput` with every fault at once.
    """
    faults = Faults(f"configuration of stack {stack}", spell=spelt)
    args = _read(faults, config, project)
    faults.raise_any()
    # First as it stands: what is merged has to be of the right form.
    SCHEMA.check(faults, "", args, StackArgs, partial=True)
    faults.raise_any()
    args = completed(args)
    SCHEMA.check(faults, "", args, StackArgs)
    faults.raise_any()
    check_together(faults, args)
    faults.raise_any()
    return args


def spelt(line: str) -> str:
    """A fault as users write its path, such as `exposures.shop.readyTimeout`."""
    return camel(re.sub(r"^(\w+)\['([-a-zA-Z0-9]+)'\]", r"\1.\2", line))


def _read(faults: Faults, config: Mapping[str, str], project: str) -> StackArgs:
    """Every key of `project` in `config`, parsed and renamed, further inside as it is."""
    prefix = f"{project}:"
    given = {k.removeprefix(prefix): _parsed(v) for k, v in config.items() if k.startswith(prefix)}
    if not any(map(given.get, _MADE)) and not is_release_2(given):
        faults.add("exposures", f"found none, expected at least one, for example:\n{EXAMPLE}")
    keys = {camel(field): field for field in StackArgs.__annotations__}
    args: dict[str, Any] = {}
    for key, value in given.items():
        if (now := moved(key)) and (key not in keys or isinstance(value, list)):
            faults.add(key, now)
        elif key in keys:
            if runtime_config.is_config_secret(f"{prefix}{key}"):
                _keep_secret(faults, prefix, key, value)
            shape = StackArgs.__annotations__[keys[key]]
            args[keys[key]] = renamed(faults, key, value, shape)
        else:
            close = valid.did_you_mean(key, keys)
            faults.add(
                repr(key),  # in quotes, as it is spelt
                f"found an unknown key, expected one of {', '.join(keys)}{close}."
                f" `pulumi config rm {key}` removes it",
            )
    return cast("StackArgs", args)


def _parsed(raw: str) -> Any:
    """A value as Pulumi hands it over: what is no plain text is JSON."""
    try:
        return json.loads(raw) if raw[:1] in ("{", "[") else raw
    except json.JSONDecodeError:
        return raw


def renamed(faults: Faults, path: str, value: Any, shape: Any) -> Any:
    """`value` with the keys that `shape` declares renamed from camelCase; all else is data."""
    for type_ in allowed_types(shape):
        origin = get_origin(type_) or type_
        if is_typeddict(origin) and isinstance(value, Mapping):
            fields = origin.__annotations__
            names = {camel(field): field for field in fields}
            for key in value:
                # Said here: elsewhere it would be spelt in camelCase itself.
                if key not in names and (meant := camel(key)) != key:
                    close = valid.did_you_mean(key, names)
                    expected = meant if meant in names else f"one of {', '.join(names)}{close}"
                    faults.add(f"{path}[{key!r}]", f"found an unknown key, expected {expected}")
            return {
                (field := names.get(key, key)): renamed(
                    faults, at(path, key), held, fields.get(field, Any)
                )
                for key, held in value.items()
            }
        if origin is Mapping and isinstance(value, Mapping):
            inside = get_args(type_)[1]
            return {k: renamed(faults, f"{path}[{k!r}]", v, inside) for k, v in value.items()}
        if origin is Sequence and isinstance(value, list):
            inside = get_args(type_)[0]
            return [
                renamed(faults, f"{path}[{index}]", held, inside)
                for index, held in enumerate(value)
            ]
    return value


def _keep_secret(faults: Faults, prefix: str, key: str, value: Any) -> None:
    """Make secret again what the stack file encrypts inside `value`.

    The program gets it decrypted, and is told only that there is a secret in it. It may be a value
    of the environment, or what a request of the proof shows: all else is shown by the cluster
    anyway.
    """
    # Old language hosts tell no folder: they start the program in it.
    file = Path(pulumi.get_root_directory() or ".") / f"Pulumi.{pulumi.get_stack()}.yaml"
    try:
        stored = yaml.safe_load(file.read_text(encoding="utf-8"))["config"][f"{prefix}{key}"]
        places = list(_encrypted(stored, value))
    except (OSError, yaml.YAMLError, LookupError, TypeError):
        places = []
    if not places:
        where = repr(str(file))
        faults.add(key, f"holds a secret, expected to find in {where} which value of it is secret")
    for place in places:
        if not _may_be_secret(place):
            where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
            faults.add(
                f"{key}{where}",
                "is a secret, and would get into the state as plain text: only the values of env,"
                " and headers and body of a check, may be secret. Set it anew without --secret",
            )
            continue
        holder = reduce(getitem, place[:-1], value)
        holder[place[-1]] = pulumi.Output.secret(holder[place[-1]])


def _may_be_secret(place: tuple[str | int, ...]) -> bool:
    match place:
        case (*_, "service" | "canary", "env", _):
            return True
        case (*_, "checks", int(), "headers", _) | (*_, "checks", int(), "body"):
            return True
        case _:
            return False


def _encrypted(
    stored: Any, value: Any, place: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """Where `value` is secret, as a stack file has it.

    Raises `LookupError` where it was not read from there, but from another file or an environment.
    """
    if isinstance(stored, dict) and stored.keys() == {"secure"}:
        yield place
    elif isinstance(stored, dict | list):
        inside = enumerate(stored) if isinstance(stored, list) else stored.items()
        if len(stored) != len(value):
            raise LookupError(place)
        for key, part in inside:
            step = key if isinstance(stored, list) else str(key)
            yield from _encrypted(part, value[step], (*place, step))


def completed(args: StackArgs) -> StackArgs:
    """`args` with every entry completed by the defaults, and every namespace named."""
    given: Mapping[str, Any] = args
    defaults: Mapping[str, Any] = args.get("defaults", {})
    discovery = _only(defaults.get("namespace", {}), "discovery_labels")
    timeout = _only(defaults, "ready_timeout")
    result: dict[str, Any] = {key: value for key, value in given.items() if key != "defaults"}
    result["namespaces"] = {
        name: {"name": name, **discovery, **entry}
        for name, entry in given.get("namespaces", {}).items()
    }
    for name, entry in _only(given, "client").items():
        result[name] = _placed(name, {**timeout, **entry}, discovery)
    for part in ("gateway", "waypoint"):
        options = defaults.get(part, {})
        taken = _only(options, *(options.keys() - {"existing", *_BESIDE_EXISTING}))
        result[f"{part}s"] = {
            name: _placed(name, {"name": name, **timeout, **taken, **entry}, discovery)
            for name, entry in given.get(f"{part}s", {}).items()
        }
    parts = {part: options for part, options in defaults.items() if isinstance(options, Mapping)}
    result["exposures"] = {
        name: _placed(
            name,
            {**defaults, **entry}
            | {part: merged(options, entry.get(part, {})) for part, options in parts.items()},
            {},
        )
        for name, entry in given.get("exposures", {}).items()
    }
    return cast("StackArgs", result)


def _only(options: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Those of `options` that have one of the `keys`."""
    return {key: value for key, value in options.items() if key in keys}


def _placed(name: str, entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with its namespace completed, by default one of the entry's name."""
    namespace = merged(defaults, entry.get("namespace", {}))
    own = {} if "existing" in namespace else {"name": name}
    return {**entry, "namespace": {**own, **namespace}}


def merged(defaults: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of an exposure completed by its defaults.

    One that exists takes no options from them; one with options of its own does not exist, even
    where the default one does.
    """
    exists = "existing" in part or ("existing" in defaults and part.keys() <= _BESIDE_EXISTING)
    taken = {
        key: value
        for key, value in defaults.items()
        if key in _BESIDE_EXISTING or (key == "existing") == exists
    }
    return {**taken, **part}
