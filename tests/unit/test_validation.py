"""Checks of single values, and how faults are collected and shown."""

from typing import Any

import pulumi
import pytest

from components.checks import values as valid
from components.checks.values import Check, Faults, InvalidInput, did_you_mean, shown
from tests.unit.conftest import Run

RIGHT: list[tuple[Check, list[Any]]] = [
    (valid.dns_label, ["a", "1-b", "a" * 63]),
    (valid.waypoint_name, ["waypoint", "nones"]),
    (valid.service_name, ["a", "a" * 48]),
    (valid.hostname, ["a", "a.b-c.d", "*.a.b", f"{'a' * 63}.b"]),
    (valid.address, ["192.0.2.1", "2001:db8::1"]),
    (valid.port, [1, 65535]),
    (valid.unprivileged_port, [1024, 65535]),
    (valid.seconds, [1, 3600]),
    (valid.path_prefix, ["/", "/a", "/a%20b", f"/{'a' * 1023}"]),
    (valid.request_path, ["/", "/a?b=/c//d", "/a.B/C"]),
    (valid.image, ["a", "a:1", "registry.example.com:5000/a/b:1", f"a@sha256:{'0' * 64}"]),
    (valid.labels, [{}, {"a": ""}, {"example.com/a": "b"}]),
    (valid.some, [["a"], {"a": 1}, "a"]),
    (valid.one_of("a", "b"), ["a", "b"]),
    (valid.subdomain, ["a", "a.b-c", "a" * 253]),
    (valid.label_key, ["a", "A_b.c", "example.com/a"]),
    (valid.label_value, ["", "a", "A_b.c"]),
    (valid.count(1, 2), [[1], [1, 2]]),
    (valid.length(1, 2), ["a", "ab"]),
    (valid.number(0, 2), [0, 2]),
    (valid.matching("a+", "some a", 3), ["a", "aaa"]),
]

WRONG: list[tuple[Check, list[Any], str]] = [
    (valid.dns_label, ["", "A", "-a", "a-", "a.b", "a" * 64, 1, "a\n"], "a DNS label: lower-case"),
    (valid.waypoint_name, ["none"], "another name: in Istio's labels 'none' means"),
    (valid.waypoint_name, ["A"], "a DNS label: lower-case"),
    (valid.service_name, ["1a", "a" * 49, "a.b", ""], "a DNS label that starts with a letter"),
    (
        valid.hostname,
        ["", "A", "a..b", "*", "a.*.b", "*a.b", "10.0.0.1", "a/b", "a:80", "a" * 254, 1],
        "a DNS name like 'httpbin.example.com' or '*.example.com'",
    ),
    (valid.address, ["a", "192.0.2", "192.0.2.1/24", ""], "an IP address"),
    (valid.port, [0, 65536, "80", True, None], "a port from 1 to 65535"),
    (valid.unprivileged_port, [1023, 65536], "a port from 1024 to 65535"),
    (valid.seconds, [0, 3601, "1", True], "seconds, from 1 to 3600"),
    (
        valid.path_prefix,
        ["", "a", "//", "/a/../b", "/.", "/a%2fb", "/a%zz", "/a#b", "/a?b", "/a b", "/" * 1025],
        "a path that starts with '/' and has no '//'",
    ),
    (valid.request_path, ["", "a", "/a b", "/a#b", "/\n"], "a path that starts with '/', a query"),
    (valid.image, ["", "A", "a b", "https://a", "a@sha256:0", 1], "an image reference like"),
    (valid.labels, [[], {"a b": ""}, {"a": "-"}, {"a": 1}, "a"], "labels, a mapping like"),
    (valid.some, [[], {}, "", None], "at least one"),
    (valid.one_of("all", "none"), ["aal"], "one of all, none (did you mean all?)"),
    (valid.subdomain, ["", ".a", "a..b", "A", "a" * 254, 1], "a DNS name: lower-case letters"),
    (valid.label_key, ["", "/a", "a/", "A/b", "a" * 64, f"{'a' * 253}/b", 1], "a key like 'app'"),
    (valid.label_value, ["-", "a b", "a" * 64, 1], "letters, digits, '-', '_' and '.'"),
    (valid.count(0, 1), [[1, 2], None], "at most 1 element"),
    (valid.count(2, 2, ", as Istio says"), [[1]], "2 elements, as Istio says"),
    (valid.length(1, 2), ["", "abc", 1], "1 to 2 characters"),
    (valid.number(0, 2), [-1, 3, "1", True, 1.0], "an integer from 0 to 2"),
    (valid.matching("a+", "some a", 3), ["", "b", "aaaa", 1], "some a, at most 3 characters"),
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
        if getattr(one, "__annotations__", {}).get("return") in (str | None, Check)
    }
    for table in (RIGHT, WRONG):
        assert checks == {row[0].__qualname__.partition(".")[0] for row in table}


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
