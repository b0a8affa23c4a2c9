"""What is checked of specs and the API server agree on specs that are nearly right."""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

from components.api import gateway
from components.api.gateway_rules import SCHEMA
from components.api.installed import Installed, uncovered
from components.checks.faults import Faults
from tests.lab.conftest import Lab, plain
from tests.unit.test_gateway_api_rules import (
    MISSING,
    SHAPES,
    STILL_VALID,
    VALID,
    changed,
    faults,
    fresh,
)

CASES = 250
"""Specs of each kind."""

LEFT_TO_IT = (
    "sectionName must be specified when",
    "sectionName must be unique when",
    "the total number of matches across all rules",
    "RequestRedirect filter must not be used together with backendRefs",
    "exactly one PathPrefix match must be specified",
    "httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite",
    "tls must not be specified for protocols",
    "tls mode must be",
    "hostname must not be specified for protocols",
    "certificateRefs or options must be specified",
    "service must only contain valid characters",
    "method must only contain valid characters",
    "filter cannot be repeated",
    "CACertificateRefs",
    "values must be unique",
    "numerator must be less than or equal to denominator",
    "cannot contain '*' alongside other",
    "backendRequest timeout cannot be longer than request timeout",
)
"""What the API server alone says, or says of cases that are rarer than those refused before."""

Step = str | int
Place = tuple[Any, Step]
"""A mapping or list and where in it something stands."""

TEXTS = [
    *(
        "",
        "a",
        "A",
        "-a",
        "a-",
        "a.b",
        "a..b",
        "*",
        "*.a",
        "*.*.a",
        "a_b",
        "a b",
        "é",
        "a\n",
        "a/b",
    ),
    *("a" * length for length in (62, 63, 64, 252, 253, 254, 256, 257)),
    *("a" * length for length in (1024, 1025, 4096, 4097)),
    *("a.b/c", "A/b", "a..b/c", "/c", "a/", f"a.b/{'c' * 64}", f"{'a' * 253}/c", f"{'a' * 252}/c"),
    *("192.0.2.1", "192.0.2.01", "::1", "fe80::1%eth0", "::ffff:192.0.2.1", "a.example.com:80"),
    *("/", "//", "/a//b", "/a/./b", "/a/../b", "/a/..", "/a/.", "/..a", "/%2F", "/%2f", "/%zz"),
    *("/%20", "/a#b", "/a?b", "/é", "/a b", f"/{'a' * 1023}", f"/{'a' * 1024}"),
    *("0s", "1s", "10s", "1h", "1h1m1s1ms", "1h1h1h1h1h", "100000s", "99999h", "1.5s", "1d", "1S"),
    *("http://a", "https://*", "https://*.a:80", "https://a.*", "https://a/", "https://a:123456"),
    *(".a.B", "a.1", "1a", "a.", "_a", "K"),
    *("HTTP", "HTTPS", "TLS", "TCP", "UDP", "HBONE", "http", "Terminate", "Passthrough"),
    *("Exact", "PathPrefix", "RegularExpression", "ReplaceFullPath", "ReplacePrefixMatch"),
    *("GET", "get", "Same", "All", "None", "Selector", "In", "Exists", "IPAddress", "Hostname"),
    *("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect"),
    *("URLRewrite", "CORS", "ExtensionRef", "AllowValidOnly", "istio", "istio-waypoint"),
    *("Service", "Gateway", "Secret", "ConfigMap", "apps.example.com", "InferencePool"),
]
NUMBERS = [
    *(-1, 0, 1, 80, 99, 100, 101, 301, 302, 303, 304, 308, 443, 8443, 15008),
    *(65535, 65536, 1_000_000, 1_000_001, 2**31 - 1, 2**31),
]
ODD: list[Any] = [True, "80", 1, 1.5, None, [], {}, ["a"], {"a": "b"}]
"""Values of types that may be wrong."""
SIZES = [0, 1, 2, 3, 8, 9, 16, 17, 32, 33, 43, 44, 64, 65]


def places(value: Any) -> Iterator[Place]:
    """Every place inside of a value."""
    steps: Iterable[Any] = ()
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = range(len(value))
    for step in steps:
        yield value, step
        yield from places(value[step])


def fields(value: Any) -> dict[str, list[Any]]:
    """The values of every field inside of a value."""
    found: dict[str, list[Any]] = {}
    for owner, step in places(value):
        if isinstance(owner, dict):
            found.setdefault(str(step), []).append(owner[step])
    return found


def stretched(values: list[Any], size: int) -> list[Any]:
    """A list of this size, of the values and of copies that differ where they have a name."""
    longer = [copy.deepcopy(values[position % len(values)]) for position in range(size)]
    for position, value in enumerate(longer[len(values) :], start=len(values)):
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            value["name"] = f"{value['name']}-{position}"
            if isinstance(value.get("port"), int):
                value["port"] = 1000 + position
        elif isinstance(value, str):
            longer[position] = f"{value}{position}"
    return longer


def other(draw: st.DrawFn, value: Any, alike: list[Any]) -> Any:
    """Another value in the place of one, where `alike` are the values of fields of its name."""
    match value:
        case bool():
            return not value
        case int():
            return draw(st.sampled_from(NUMBERS))
        case str():
            texts = [held for held in alike if isinstance(held, str)]
            return draw(st.sampled_from(TEXTS) | st.sampled_from([*texts, value]))
        case list() if value:
            return stretched(value, draw(st.sampled_from(SIZES)))
        case dict() if all(isinstance(held, str) for held in value.values()):
            size, key = draw(st.sampled_from(SIZES)), draw(st.sampled_from(TEXTS))
            return {**{f"a{position}": "a" for position in range(size)}, key: "a"}
        case _:
            return value


@st.composite
def specs(draw: st.DrawFn, kind: str, right: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the `right` specs, changed at up to two places."""
    spec = fresh(draw(st.sampled_from(right)))
    known = fields(VALID[kind])
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2]))):
        found = list(places(spec))
        if not found:
            break
        owner, step = draw(st.sampled_from(found))
        match draw(st.sampled_from([*["other"] * 6, "remove", "field", "type"])):
            case "remove":
                del owner[step]
            case "type":
                owner[step] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "field" if isinstance(owner[step], dict):
                name = draw(st.sampled_from([*sorted(known), "unknown"]))
                owner[step][name] = copy.deepcopy(draw(st.sampled_from(known.get(name, ["a"]))))
            case _:
                owner[step] = other(draw, owner[step], known.get(str(step), []))
    return spec


class Paths(Faults):
    """Keeps where faults are."""

    def __init__(self) -> None:
        super().__init__("")
        self.paths: list[str] = []

    def add(self, path: str, message: str) -> None:
        del message
        self.paths.append(path)


class Server:
    """The lab's API server, and its definitions of the Gateway API."""

    def __init__(self, client: httpx2.Client, definitions: list[CustomResourceDefinition]) -> None:
        self._client = client
        self._definitions = Installed(definitions)
        self._plurals = {one.spec.names.kind: one.spec.names.plural for one in definitions}

    def refusals(self, kind: str, spec: Mapping[str, Any]) -> list[str]:
        """What it says against a spec, fault by fault."""
        group_version = f"{gateway.GROUP}/{getattr(gateway, kind).version}"
        answer = self._client.post(
            f"/apis/{group_version}/namespaces/default/{self._plurals[kind]}",
            params={"dryRun": "All", "fieldValidation": "Strict"},
            json={
                "apiVersion": group_version,
                "kind": kind,
                "metadata": {"generateName": "case-"},
                "spec": spec,
            },
        )
        if answer.status_code in (400, 422):
            status = answer.json()
            causes = (status.get("details") or {}).get("causes") or [status]
            return [f"{cause.get('field', '')}: {cause['message']}" for cause in causes]
        answer.raise_for_status()
        return []

    def lacking(self, kind: str, spec: Mapping[str, Any]) -> list[str]:
        """The fields of a right spec that its version of the API does not have."""
        found = Paths()
        uncovered(found, "", spec, SHAPES[kind], self._definitions, bases=SCHEMA.bases)
        return found.paths

    def installed(self, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        """A right spec without such fields."""
        for path in self.lacking(kind, spec):
            spec = changed(spec, path, MISSING)
        return spec


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[Server]:
    config = KubeConfig.from_file(lab.env["KUBECONFIG"]).get()
    assert config
    listed = lab.client().list(CustomResourceDefinition)
    definitions = [one for one in listed if one.spec.group == gateway.GROUP]
    with Client(config, ConnectionParams()) as client:
        yield Server(client, definitions)


@plain
@pytest.mark.parametrize("kind", VALID)
def test_what_the_api_server_refuses_is_refused_before(server: Server, kind: str) -> None:
    right: Counter[tuple[bool, bool]] = Counter()

    @settings(max_examples=CASES, derandomize=True, deadline=None, database=None)
    @given(specs(kind, [server.installed(kind, spec) for spec in VALID[kind]]))
    def judge(spec: dict[str, Any]) -> None:
        ours, theirs = faults(kind, spec) or server.lacking(kind, spec), server.refusals(kind, spec)
        right[not ours, not theirs] += 1
        unforeseen = [one for one in theirs if not any(left in one for left in LEFT_TO_IT)]
        assert ours or not unforeseen, unforeseen

    judge()
    assert right.total() >= CASES
    # What Istio ignores or refuses is refused here although the API server takes it.
    assert right[True, True] >= CASES // 8
    assert right[False, False] >= CASES // 4


@plain
def test_fields_that_the_cluster_does_not_have_are_named(server: Server) -> None:
    for kind, right in VALID.items():
        for spec in right:
            refusals = " ".join(server.refusals(kind, spec))
            unknown = re.findall(r'unknown field "spec\.(.+?)"', refusals)
            assert sorted(unknown) == sorted(server.lacking(kind, spec))
            assert server.refusals(kind, server.installed(kind, spec)) == []


@plain
def test_what_keeps_to_the_limits_the_api_server_takes(server: Server) -> None:
    for (kind, number), changes in STILL_VALID.items():
        right = server.installed(kind, VALID[kind][number])
        for path, value in changes:
            assert server.refusals(kind, changed(right, path, value)) == [], f"{kind} {path}"
