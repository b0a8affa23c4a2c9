"""Checks of single values and of whole ones, and how faults are collected and shown."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

from components.checks import values as valid
from components.checks.faults import Faults, InvalidInput, camel
from components.checks.rules import all_of, distinct
from components.checks.schema import Schema, trusted
from components.checks.values import Check, Limit, did_you_mean, shown
from tests.unit.conftest import Run

RIGHT: list[tuple[Check, list[Any]]] = [
    (valid.dns_label, ["a", "1-b", "a" * 63]),
    (valid.waypoint_name, ["waypoint", "nones"]),
    (valid.service_name, ["a", "a" * 63]),
    (valid.hostname, ["a", "a.b-c.d", "*.a.b", f"{'a' * 63}.b"]),
    (valid.address, ["192.0.2.1", "2001:db8::1"]),
    (valid.port, [1, 65535]),
    (valid.unprivileged_port, [1024, 65535]),
    (valid.seconds, [1, 3600]),
    (valid.path_prefix, ["/", "/a", "/a%20b", f"/{'a' * 1023}"]),
    (valid.request_path, ["/", "/a?b=/c//d", "/a.B/C"]),
    (valid.image, ["a", "a:1", "registry.example.com:5000/a/b:1", f"a@sha256:{'0' * 64}"]),
    (valid.some, [["a"], {"a": 1}, "a"]),
    (valid.one_of("a", "b"), ["a", "b"]),
    (valid.subdomain, ["a", "a.b-c", "a" * 253]),
    (valid.label_key, ["a", "A_b.c", "example.com/a"]),
    (valid.label_value, ["", "a", "A_b.c"]),
]

WRONG: list[tuple[Check, list[Any], str]] = [
    (valid.dns_label, ["", "A", "-a", "a-", "a.b", "a" * 64, 1, "a\n"], "a DNS label: lower-case"),
    (valid.waypoint_name, ["none"], "another name: in Istio's labels 'none' means"),
    (valid.waypoint_name, ["A", "1a"], "a DNS label that starts with a letter: lower-case"),
    (valid.service_name, ["1a", "a" * 64, "a.b", ""], "a DNS label that starts with a letter"),
    (
        valid.hostname,
        ["", "A", "a..b", "*", "a.*.b", "*a.b", "10.0.0.1", "a/b", "a:80", "a" * 254, 1],
        "a DNS name like 'httpbin.example.com' or '*.example.com'",
    ),
    (valid.address, ["a", "192.0.2", "192.0.2.1/24", ""], "an IP address"),
    (valid.port, [0, 65536, True, None], "a port from 1 to 65535"),
    (valid.unprivileged_port, [1023, 65536], "a port from 1024 to 65535"),
    (valid.seconds, [0, 3601, True], "seconds from 1 to 3600"),
    (
        valid.path_prefix,
        ["", "a", "//", "/a/../b", "/.", "/a%2fb", "/a%zz", "/a#b", "/a?b", "/a b", "/" * 1025],
        "a path that starts with '/' and has no '//'",
    ),
    (valid.request_path, ["", "a", "/a b", "/a#b", "/\n"], "a path that starts with '/', a query"),
    (valid.image, ["", "A", "a b", "https://a", "a@sha256:0", 1], "an image reference like"),
    (valid.some, [[], {}, "", None], "at least one"),
    (valid.one_of("all", "none"), ["aal"], "one of all, none (did you mean all?)"),
    (valid.subdomain, ["", ".a", "a..b", "A", "a" * 254, 1], "a DNS name: lower-case letters"),
    (valid.label_key, ["", "/a", "a/", "A/b", "a" * 64, f"{'a' * 253}/b", 1], "a key like 'app'"),
    (valid.label_value, ["-", "a b", "a" * 64, 1], "letters, digits, '-', '_' and '.'"),
    (valid.nothing("it is ignored"), ["a", None], "nothing: it is ignored"),
]


@pytest.mark.parametrize(
    ("check", "value"), [(check, value) for check, values in RIGHT for value in values]
)
def test_a_right_value_passes(check: Check, value: object) -> None:
    assert check(value) is None


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [(check, value, expected) for check, values, expected in WRONG for value in values],
)
def test_of_a_wrong_value_it_is_said_what_was_expected(
    check: Check, value: object, expected: str
) -> None:
    assert str(check(value)).startswith(expected)


def test_every_check_stands_in_both_tables() -> None:
    checks = {
        name
        for name, one in vars(valid).items()
        if isinstance(one, Limit)
        or getattr(one, "__annotations__", {}).get("return") in (str | None, Check)
    }
    for table, refusing in ((RIGHT, {"nothing"}), (WRONG, set[str]())):
        tested = {
            name
            for check, *_ in table
            for name, one in vars(valid).items()
            if one is check or name == getattr(check, "__qualname__", "").partition(".")[0]
        }
        assert checks - refusing == tested


NAME = "^[a-z]+$|^$"

LIMITS: list[tuple[Limit, list[Any], list[Any], str]] = [
    (Limit(1, 2), [[1], (1, 2), {"a": 1}], [[], [1, 2, 3]], "1 to 2 elements"),
    (Limit(high=1), [[], [1]], [[1, 2]], "at most 1 element"),
    (Limit(1), [[1]], [[]], "at least 1 element"),
    (Limit(2, 2, reason=", as Istio says"), [[1, 2]], [[1]], "2 elements, as Istio says"),
    (Limit(1, 2), ["a", "ab"], ["", "abc"], "1 to 2 characters"),
    (Limit(1), ["a"], [""], "at least 1 character"),
    (Limit(1, 65535), [1, 65535], [0, 65536], "a port from 1 to 65535"),
    (Limit(8, 8), [8], [7], "8"),
    (Limit(0), [0, 1.5], [-1], "an integer of at least 0"),
    (Limit(high=7), [-9, 7], [8], "an integer of at most 7"),
    (
        Limit(None, 3, NAME, "a name"),
        ["", "abc"],
        ["A", "abcd", "a\n", "a$"],
        "a name, at most 3 characters",
    ),
    (Limit(pattern=NAME), ["", "abc"], ["A"], f"a text that matches {NAME}"),
    # In a class, or escaped, a dollar is no end.
    (Limit(pattern=r"^[$\]]+\$$"), ["$]$"], ["$]$\n", "]"], r"a text that matches ^[$\]]+\$$"),
    (Limit(pattern="b"), ["abc"], ["a"], "a text that matches b"),
]


@pytest.mark.parametrize(("limit", "right", "wrong", "expected"), LIMITS)
def test_limits_hold(limit: Limit, right: list[Any], wrong: list[Any], expected: str) -> None:
    assert [limit(value) for value in right] == [None] * len(right)
    assert [limit(value) for value in wrong] == [expected] * len(wrong)


def test_faults_are_raised_together_a_line_each() -> None:
    faults = Faults("shop")
    faults.raise_any()
    assert len(faults) == 0
    faults.add("a", "is wrong")
    faults.check("b", 0, valid.port)
    faults.check("c", 80, valid.port)
    assert len(faults) == 2
    with pytest.raises(InvalidInput) as raised:
        faults.raise_any()
    assert str(raised.value) == (
        "shop:\n  a: is wrong\n  b: found 0, expected a port from 1 to 65535"
    )


def test_outputs_are_not_known_yet_and_pass(run: Run) -> None:
    faults = Faults("shop")
    run(lambda: faults.check("a", pulumi.Output.from_input(0), valid.port))
    faults.raise_any()


@pytest.mark.parametrize(
    ("value", "close"),
    [
        ("clusterip", " (did you mean ClusterIP?)"),
        ("LodBalancer", " (did you mean LoadBalancer?)"),
        ("x", ""),
        (7, ""),
    ],
)
def test_a_close_choice_is_proposed(value: object, close: str) -> None:
    assert did_you_mean(value, ["ClusterIP", "LoadBalancer"]) == close


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        ("a" * 81, f"'{'a' * 40}'... (81 characters)"),
        ([1, 2], "[1, 2]"),
        (["a" * 80], "1 element"),
        ({"a": "a" * 80, "b": 1}, "2 elements"),
    ],
)
def test_long_values_are_counted(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("service_type", "serviceType"),
        (
            "a.ready_timeout: Istio's ready_timeout of 'ready_timeout'",
            "a.readyTimeout: Istio's readyTimeout of 'ready_timeout'",
        ),
        (
            'env["MY_NAME"]: my_name "my_name" `my_name`',
            'env["MY_NAME"]: myName "my_name" `my_name`',
        ),
        ("labels['a_b']: found {'c_d': 1}", "labels['a_b']: found {'c_d': 1}"),
        ("MY_NAME, _private, a__b, a2_b_3c", "MY_NAME, _private, a__b, a2B3c"),
    ],
)
def test_fields_are_spelt_as_the_configuration_has_them(text: str, spelt: str) -> None:
    assert camel(text) == spelt
    faults = Faults("shop", spell=camel)
    faults.add("a_b", text)
    with pytest.raises(InvalidInput) as raised:
        faults.raise_any()
    assert str(raised.value) == f"shop:\n  aB: {spelt}"


class Port(TypedDict):
    name: str
    number: NotRequired[pulumi.Input[int]]


class Service(TypedDict):
    name: str
    ports: NotRequired[Sequence[Port]]
    by_name: NotRequired[Mapping[str, Port]]
    primary: NotRequired[Port]


class Labelled(Service):
    label: NotRequired[str]


def one_primary(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
    if "primary" not in value:
        faults.add(path or "all", "has no primary")


SCHEMA = Schema(
    {Port: {"number": Limit(1, 9)}, Service: {"name": Limit(1, 3)}},
    {Service: all_of(distinct("ports", name=""), one_primary)},
    {Labelled: Service},
)


def found(value: object, shape: Any = Service, schema: Schema = SCHEMA, **how: bool) -> list[str]:
    faults = Faults("a")
    schema.check(faults, "", value, shape, **how)
    try:
        faults.raise_any()
    except InvalidInput as refused:
        return [line.strip() for line in str(refused).splitlines()[1:]]
    return []


def test_a_class_has_what_the_one_has_that_it_extends() -> None:
    ports = [{"name": "a"}, {"name": "b"}, {"name": "a", "number": 10}]
    assert found({"name": "long", "ports": ports}, Labelled) == [
        "name: found 'long', expected 1 to 3 characters",
        "ports[2].number: found 10, expected an integer from 1 to 9",
        "ports[2]: found name 'a' as in ports[0], expected another",
        "all: has no primary",
    ]


def test_a_limit_of_another_schema_stands_in_place_of_the_same_fields_alone() -> None:
    stricter = SCHEMA.extended({Service: {"ports": valid.some}})
    value = {"name": "long", "ports": [], "primary": {"name": "a"}}
    assert found(value, schema=stricter) == [
        "name: found 'long', expected 1 to 3 characters",
        "ports: found [], expected at least one",
    ]
    assert found(value, schema=stricter.extended({Service: {"name": Limit(1)}})) == [
        "ports: found [], expected at least one"
    ]


def test_a_partial_value_need_not_be_complete_but_for_what_lists_hold() -> None:
    value = {"by_name": {"a": {"number": 0}}, "primary": {}, "ports": [{}], "nme": "a"}
    assert found(value, partial=True) == [
        "nme: found an unknown key, expected one of name, ports, by_name, primary (did you mean"
        " name?)",
        "ports[0].name: found nothing, expected a string",
        "by_name['a'].number: found 0, expected an integer from 1 to 9",
    ]
    assert len(found(value)) == 6
    assert found({"name": "a"}, partial=True) == []


def test_what_is_made_of_checked_values_is_not_checked_again() -> None:
    with trusted():
        SCHEMA.validate("shop", {}, Service)
        with trusted():
            pass
        SCHEMA.validate_parts("shop", {"a": ({}, Service)})
    with pytest.raises(InvalidInput, match=r"^shop:\n  a\.name: found nothing, expected a string$"):
        SCHEMA.validate_parts("shop", {"a": ({}, Service)})
    with pytest.raises(InvalidInput):
        SCHEMA.validate("shop", {}, Service)
