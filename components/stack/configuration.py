"""The configuration of a stack, read as the arguments of its components."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args, get_origin, is_typeddict

import pulumi
import yaml
from pulumi.runtime import config as runtime_config

from ..checks import values as valid
from ..checks.faults import Faults, camel
from ..checks.schema import Schema, allowed_types
from ..exposure import rules as exposure_rules
from ..exposure.arguments import AmbientExposureArgs
from ..parts.gateway import IngressGatewayArgs
from ..parts.waypoint import WaypointArgs
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
            "exposures": valid.some,
            "exposures{}": valid.dns_label,
            "gateways{}": valid.dns_label,
            "waypoints{}": valid.waypoint_name,
            "namespaces{}": valid.dns_label,
            "labels{}": valid.label_key,
            "labels[]": valid.label_value,
            "annotations{}": valid.label_key,
            "image_registry": valid.image,
        },
    },
    {},
)
"""What is checked of a stack's configuration, entry by entry."""


def load() -> StackArgs:
    """The configuration of the running stack, completed by its defaults.

    Raises `InvalidInput` with every fault at once.
    """
    faults = Faults(f"configuration of stack {pulumi.get_stack()}", spell=camel)
    args = _read(faults, runtime_config.CONFIG.get(), pulumi.get_project())
    faults.raise_any()
    # First by themselves: what is merged has to be of the right form.
    SCHEMA.check(faults, "", args, StackArgs, partial=True)
    faults.raise_any()
    args = completed(args)
    for name, gateway in args.get("gateways", {}).items():
        SCHEMA.check(faults, f"gateways.{name}", gateway, IngressGatewayArgs)
    for name, waypoint in args.get("waypoints", {}).items():
        SCHEMA.check(faults, f"waypoints.{name}", waypoint, WaypointArgs)
    for name, exposure in args["exposures"].items():
        SCHEMA.check(faults, f"exposures.{name}", exposure, AmbientExposureArgs)
    faults.raise_any()
    check_together(faults, args)
    faults.raise_any()
    return args


def _read(faults: Faults, config: Mapping[str, str], project: str) -> StackArgs:
    """Every key of `project` in `config`, parsed and renamed, further inside as it is."""
    prefix = f"{project}:"
    given = {k.removeprefix(prefix): _parsed(v) for k, v in config.items() if k.startswith(prefix)}
    if not given.get("exposures"):
        faults.add("exposures", f"found none, expected at least one, for example:\n{EXAMPLE}")
    keys = {camel(field): field for field in StackArgs.__annotations__}
    former = is_release_2(given)
    args: dict[str, Any] = {}
    for key, value in given.items():
        if former and (path := moved(key)):
            faults.add(key, path)
        elif key in keys:
            if runtime_config.is_config_secret(f"{prefix}{key}"):
                _keep_secret(faults, prefix, key, value)
            shape = StackArgs.__annotations__[keys[key]]
            args[keys[key]] = renamed(faults, key, value, shape)
        else:
            close = valid.did_you_mean(key, keys)
            faults.add(
                key,
                f"unknown key{close}, expected one of {', '.join(keys)}."
                f" `pulumi config rm {key}` removes it",
            )
    return cast("StackArgs", args)


def _parsed(raw: str) -> Any:
    """A value as Pulumi hands it over: what is no plain text is JSON."""
    return json.loads(raw) if raw[:1] in ("{", "[") else raw


def renamed(faults: Faults, path: str, value: Any, shape: Any) -> Any:
    """`value` with the keys that `shape` declares renamed from camelCase; all else is data."""
    for type_ in allowed_types(shape):
        origin = get_origin(type_) or type_
        if is_typeddict(origin) and isinstance(value, Mapping):
            fields = origin.__annotations__
            names = {camel(field): field for field in fields}
            for key in value:
                if key in fields and key not in names:
                    faults.add(f"{path}.{key}", f"unknown key, expected {camel(key)}")
            return {
                (field := names.get(key, key)): renamed(
                    faults, f"{path}.{key}", held, fields.get(field, Any)
                )
                for key, held in value.items()
            }
        if origin is Mapping and isinstance(value, Mapping):
            inside = get_args(type_)[1]
            return {k: renamed(faults, f"{path}.{k}", v, inside) for k, v in value.items()}
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
    of the environment alone: all else is shown by the cluster anyway.
    """
    file = Path(pulumi.get_root_directory()) / f"Pulumi.{pulumi.get_stack()}.yaml"
    try:
        stored = yaml.safe_load(file.read_text(encoding="utf-8"))["config"][f"{prefix}{key}"]
        places = list(_encrypted(stored, ()))
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        places = []
    if not places:
        faults.add(key, f"holds a secret, expected to find in {file} which value of it is secret")
    for place in places:
        where = ".".join((key, *map(str, place)))
        if place[-2:-1] != ("env",):
            faults.add(
                where,
                "is a secret, and would get into the state as plain text: only the values of env"
                " may be secret. Set it anew without --secret",
            )
            continue
        holder = value
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = pulumi.Output.secret(holder[place[-1]])


def _encrypted(stored: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where in a value of a stack file something is encrypted."""
    if isinstance(stored, dict):
        if stored.keys() == {"secure"}:
            yield place
            return
        for key, held in stored.items():
            yield from _encrypted(held, (*place, key))
    elif isinstance(stored, list):
        for index, held in enumerate(stored):
            yield from _encrypted(held, (*place, index))


def completed(args: StackArgs) -> StackArgs:
    """`args` with every entry completed by the defaults, and every namespace named."""
    defaults = args.get("defaults", {})
    discovery: Any = _only("discovery_labels", defaults.get("namespace", {}))
    timeout: Any = _only("ready_timeout", defaults)

    def proxy(name: str, options: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        whole = {"name": name, **timeout, **options, **entry}
        return {**whole, "namespace": _named(name, {**discovery, **entry.get("namespace", {})})}

    def exposure(name: str, entry: Mapping[str, Any]) -> Any:
        whole = merged(defaults, entry)
        return {**whole, "namespace": _named(name, whole.get("namespace", {}))}

    gateway, waypoint = defaults.get("gateway", {}), defaults.get("waypoint", {})
    return {
        **args,
        "namespaces": {
            name: {"name": name, **discovery, **entry}
            for name, entry in args.get("namespaces", {}).items()
        },
        "gateways": {
            name: proxy(name, gateway, entry) for name, entry in args.get("gateways", {}).items()
        },
        "waypoints": {
            name: proxy(name, waypoint, entry) for name, entry in args.get("waypoints", {}).items()
        },
        "client": {**discovery, **timeout, **args.get("client", {})},
        "exposures": {name: exposure(name, entry) for name, entry in args["exposures"].items()},
    }


def _only(key: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: options[key]} if key in options else {}


def _named(name: str, namespace: Mapping[str, Any]) -> Mapping[str, Any]:
    """The namespace of an entry, by default of the same name."""
    if "existing" in namespace:
        return {"existing": namespace["existing"]}
    return {"name": name, **namespace}


def merged(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """`entry` completed by `defaults`, option by option; a part that exists takes none of them."""
    whole = {**defaults, **entry}
    for part in defaults.keys() & entry.keys():
        if isinstance(defaults[part], Mapping) and "existing" not in entry[part]:
            whole[part] = {**defaults[part], **entry[part]}
    return whole
