"""Configurations and route tables of any kind: refused with a message, or taken as they are.

`FUZZ_EXAMPLES` is how many, `--hypothesis-seed` makes the same ones again.
"""

import json
import os
import random
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin, is_typeddict

import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from components.checks.faults import InvalidInput, camel
from components.checks.schema import allowed_types
from components.stack.arguments import StackArgs
from tests.unit import conftest
from tests.unit.conftest import ADDRESS, PROJECT, SAMPLE, Recorder, Run

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))

HOSTILE: list[Any] = [
    *(None, True, False, 0, -1, 1 << 63, 1e308, 0.5, "", " ", "\n", "\0", "a" * 300, "ä", "-", "."),
    *("${x}", "{{x}}", "%s", "../..", "a/b", "*", "a.b.", "://", "1", "true", "[", "{", "null"),
    *([], {}, [[]], [None], {"": ""}, {"a": None}, {"a": {"a": {"a": []}}}, [{}], [0, "a"]),
    *({"secure": "x"}, {"__proto__": {}}, {"4dabf18193072939515e22adb298388d": "x"}),
]
"""What a field may hold by mistake or on purpose."""

STRINGS = [
    *("httpbin", "httpbin-gateway", "edge", "shared", "a", "/", "/get", "/a/b", "8000", "80"),
    *("httpbin.example.com", "*.example.com", "10s", "1m", "500ms", "10.0.0.0/8", "::/0", "istio"),
    *("docker.io/mccutchen/go-httpbin:v2.15.0", "x-version", "https://example.com/keys", "GET"),
    *("cluster.local", "50%", "100Mi", "http", "grpc", "kubernetes.io/os", "^/v[0-9]+$", "(["),
]
LIKELY = {
    "name|namespace|entry|service|account|revision|selector|section": ["httpbin", "edge", "a"],
    "path|prefix|value": ["/", "/get", "/a/b", "x"],
    "host|server": ["httpbin.example.com", "*.example.com"],
    "timeout|request|interval|period|duration|age|backoff": ["10s", "1m", "500ms"],
    "image": ["docker.io/mccutchen/go-httpbin:v2.15.0"],
    "header|claim|cookie": ["x-version"],
    "issuer|uri|url": ["https://example.com/keys"],
    "block|cidr|proxies|range": ["10.0.0.0/8"],
}
"""What the fields may hold whose names have one of the words."""
NUMBERS = [0, 1, 2, 80, 100, 200, 404, 443, 8000, 8080, 65535, 65536, 100000, -1]


def made(shape: Any, chance: random.Random, depth: int = 0, field: str = "") -> Any:
    """A value as an annotation declares it, here and there another one."""
    type_ = chance.choice([*allowed_types(shape)] or [Any])
    origin, arguments = get_origin(type_) or type_, get_args(type_)
    if is_typeddict(origin) and chance.randrange(40):
        return fields(origin, chance, depth)
    if origin is Sequence and chance.randrange(40):
        length = chance.randrange(1, 3)
        return [made(arguments[0], chance, depth + 1, field) for _ in range(length)]
    if origin is Mapping and chance.randrange(40):
        name = chance.choice(STRINGS)
        return {name: made(arguments[-1], chance, depth + 1, field)} if chance.randrange(4) else {}
    words = [one for name, one in LIKELY.items() if re.search(name, field)]
    strings = words[0] if words and chance.randrange(10) else STRINGS
    of_type: dict[Any, Sequence[Any]] = {
        Literal: arguments,
        bool: (True, False),
        int: NUMBERS,
        float: NUMBERS,
        str: strings,
    }
    fitting = of_type.get(origin) if chance.randrange(40) else None
    return deepcopy(chance.choice(fitting or HOSTILE))


def fields(class_: Any, chance: random.Random, depth: int) -> dict[str, Any]:
    """What is required of a class, and some of the rest."""
    shapes = class_.__annotations__
    optional = [name for name in shapes if name not in class_.__required_keys__]
    some = chance.sample(optional, min(len(optional), chance.randrange(1, 4) if depth < 6 else 0))
    names = [*class_.__required_keys__, *some]
    return {camel(name): made(shapes[name], chance, depth + 1, name) for name in sorted(names)}


def changed(value: Any, shape: Any, chance: random.Random, field: str = "") -> Any:
    """`value` with one thing in it made anew, anywhere."""
    types = [one for one in allowed_types(shape) if is_typeddict(get_origin(one) or one)]
    if types and isinstance(value, dict):
        class_ = get_origin(types[0]) or types[0]
        name = chance.choice([*class_.__annotations__])
        inner, key = class_.__annotations__[name], camel(name)
        present = [one for one in class_.__annotations__ if camel(one) in value]
        if present and chance.randrange(5):
            name = chance.choice(present)
            inner, key = class_.__annotations__[name], camel(name)
            return {**value, key: changed(value[key], inner, chance, name)}
        return {**value, key: made(inner, chance, 0, name)}
    if isinstance(value, dict) and value and chance.randrange(5):
        key = chance.choice([*value])
        (inner, *_) = [*(get_args(one)[-1] for one in allowed_types(shape) if get_args(one)), Any]
        return {**value, key: changed(value[key], inner, chance)}
    return made(shape, chance, 0, field)


def configuration(chance: random.Random) -> dict[str, Any]:
    """The sample, or one with shared parts, with changes."""
    prefix = f"{PROJECT['name']}:"
    config = {key.removeprefix(prefix): value for key, value in deepcopy(SAMPLE).items()}
    exposure = config["exposures"]["httpbin"]
    if chance.randrange(2):
        edge = {"namespace": {"name": "edge"}, "hostnames": ["*.example.com"]}
        config["gateways"] = {"edge": {**edge, "allowedRoutes": {"namespaces": {"from": "All"}}}}
        exposure["gateway"] = {"existing": {"entry": "edge"}}
    if chance.randrange(2):
        exposure["rules"] = [fields(_rule(), chance, 3) for _ in range(chance.randrange(1, 4))]
    for _ in range(chance.randrange(3)):
        config = changed(config, StackArgs, chance)
    return config


def _rule() -> Any:
    (mapping,) = allowed_types(StackArgs.__annotations__["exposures"])
    exposure = get_args(mapping)[-1]
    (rules,) = (one for one in allowed_types(exposure.__annotations__["rules"]) if get_args(one))
    (rule, *_) = (one for one in allowed_types(get_args(rules)[0]) if is_typeddict(one))
    return rule


@given(chance=st.randoms(use_true_random=True))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # it keeps nothing from one to the next
        HealthCheck.data_too_large,
        HealthCheck.too_slow,
    ],
    phases=[Phase.generate],  # what is noted is short enough, and each run takes long
)
def test_what_is_refused_is_refused_whole_and_in_words(
    run: Run, monkeypatch: pytest.MonkeyPatch, chance: random.Random
) -> None:
    recorders: list[Recorder] = []

    class Kept(Recorder):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            recorders.append(self)

    monkeypatch.setattr(conftest, "Recorder", Kept)
    # A cluster without any of the routes.
    nothing = SimpleNamespace(get=lambda *_, **__: {})
    monkeypatch.setattr("components.cluster.weights.connect", lambda _: nothing)
    config = configuration(chance)
    note(json.dumps(config))
    cluster = config.pop("cluster", None)
    keys = (
        config
        if cluster is None or not isinstance(cluster, dict)
        else {**config, "cluster": cluster}
    )
    try:
        run(addresses=(ADDRESS, "198.18.0.9"), **keys)
    except InvalidInput as error:
        said = str(error)
    else:
        event("taken")
        return
    objects = [one for one in recorders[0].graph.values() if one.type.startswith("kubernetes:")]
    assert objects == []
    assert said.splitlines()[1:]
