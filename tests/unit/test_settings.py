"""Configuration: what is refused, in which words, and that Pulumi.yaml and code agree."""

from typing import Any

import pulumi
import pytest

from components.settings import KEYS, read
from components.validation import InvalidInput
from tests.unit.conftest import PROJECT, Run, config

NAME = "a DNS label: lower-case letters, digits and '-', 1 to 63 characters"
SERVICE = "a DNS label that starts with a letter, 1 to 48 characters"
HOST = "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path"
PATH = "a path that starts with '/' and has no '//', '/./', '/../', '%2F' or '#'"
PORT = "a port from 1 to 65535"
IMAGE = "an image reference like 'docker.io/curlimages/curl:8.16.0'"
SECONDS = "seconds, from 1 to 3600"
CHECK = "a mapping {path: /headers, status: 200}"
LABELS = "labels, a mapping like {'istio-discovery': 'enabled'}"
TYPES = "one of ClusterIP, LoadBalancer"

INVALID: list[tuple[str, Any, str]] = [
    ("serviceType", "Clusterip", f"'Clusterip', expected {TYPES} (did you mean ClusterIP?)"),
    ("serviceType", "NodePort", f"'NodePort', expected {TYPES}"),
    ("serviceType", "", f"'', expected {TYPES}"),
    ("port", 70000, f"70000, expected {PORT}"),
    ("port", 0, f"0, expected {PORT}"),
    ("port", "eighty", f"'eighty', expected {PORT}"),
    ("port", True, f"True, expected {PORT}"),
    ("servicePort", -1, f"-1, expected {PORT}"),
    ("containerPort", 80, "80, expected a port from 1024 to 65535"),
    ("namespace", "Httpbin", f"'Httpbin', expected {NAME}"),
    ("namespace", "a" * 64, f"'{'a' * 64}', expected {NAME}"),
    ("clientNamespace", "-curl", f"'-curl', expected {NAME}"),
    ("service", "a" * 49, f"'{'a' * 49}', expected {SERVICE}"),
    ("service", "http_bin", f"'http_bin', expected {SERVICE}"),
    ("service", "1httpbin", f"'1httpbin', expected {SERVICE}"),
    ("hostnames", [], "[], expected at least one"),
    ("hostnames", "httpbin", "'httpbin', expected a list"),
    ("image", "Not An Image", f"'Not An Image', expected {IMAGE}"),
    ("clientImage", "", f"'', expected {IMAGE}"),
    ("gatewayClass", "Istio", f"'Istio', expected {NAME}"),
    ("waypointClass", "", f"'', expected {NAME}"),
    ("clusterDomain", "cluster..local", f"'cluster..local', expected {HOST}"),
    ("verify", "yes", "'yes', expected true or false"),
    ("createNamespace", 1, "'1', expected true or false"),
    ("preflight", "", "'', expected true or false"),
    ("discoveryLabels", {"a b": "c"}, f"{{'a b': 'c'}}, expected {LABELS}"),
    ("discoveryLabels", ["a"], f"'[\"a\"]', expected {LABELS}"),
    ("readyTimeout", 0, f"0, expected {SECONDS}"),
    ("verifyTimeout", 3601, f"3601, expected {SECONDS}"),
    ("paths", [], "[], expected at least one"),
    *(
        (
            "hostnames",
            [host],
            f"['{host}'], expected a list of which each is {HOST}; '{host}' is not",
        )
        for host in (
            "httpbin.example.com/headers",
            "http://httpbin.example.com",
            "httpbin.example.com:80",
            "Httpbin.example.com",
            "10.0.0.1",
            "a.*.example.com",
            "*",
            "a..b",
        )
    ),
    *(
        ("paths", [path], f"['{path}'], expected a list of which each is {PATH}; '{path}' is not")
        for path in ("status", "/a//b", "/a/../b", "/a/./b", "/a/..", "/a%2fb", "/a#b", "/a b")
    ),
    *(
        (
            "checks",
            [check],
            f"[{check!r}], expected a list of which each is {why}; {check!r} is not",
        )
        for check, why in (
            ({"path": "/get"}, CHECK),
            ({"path": "/get", "status": 200, "host": "x"}, CHECK),
            ("/get", CHECK),
            ({"path": "get", "status": 200}, "a path that starts with '/', a query allowed"),
            ({"path": "/get", "status": 42}, "an HTTP status from 100 to 599"),
        )
    ),
]


@pytest.mark.parametrize(("key", "value", "found"), INVALID)
def test_a_wrong_value_is_named_with_what_was_expected(
    run: Run, key: str, value: object, found: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(**{key: value})
    assert str(refused.value) == f"configuration of stack dev:\n  {key}: found {found}"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            {"clientNamespace": "httpbin"},
            "clientNamespace: found the service's namespace, expected one of its own",
        ),
        (
            {"paths": ["/api", "/head"]},
            "checks[0]: found /headers to be answered 200, but the waypoint lets through only"
            " paths: /api, /head. Change one of the two keys",
        ),
    ],
)
def test_values_that_do_not_fit_together(run: Run, values: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(**values)
    assert str(refused.value) == f"configuration of stack dev:\n  {fault}"
    run(verify=False, **values)


def test_checks_may_have_a_query_and_go_deeper(run: Run) -> None:
    run(paths=["/"], checks=[{"path": "/a/b?c=d", "status": 200}])
    run(paths=["/a"], checks=[{"path": "/a?c=d", "status": 200}, {"path": "/b", "status": 404}])


def test_a_secret_is_refused(run: Run) -> None:
    run()
    pulumi.runtime.set_all_config(config(), [f"{PROJECT['name']}:image"])
    with pytest.raises(InvalidInput) as refused:
        read(config(), PROJECT["name"])
    pulumi.runtime.set_all_config({}, [])
    assert str(refused.value).splitlines()[1:] == [
        "  image: is a secret, and would get into the state as plain text; set it anew"
    ]


def test_a_mistyped_key_is_named_with_the_one_that_was_meant(run: Run) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(servicetype="LoadBalancer")
    assert str(refused.value) == (
        "configuration of stack dev:\n"
        "  servicetype: unknown key (did you mean serviceType?); Pulumi.yaml lists them all."
        " `pulumi config rm servicetype` removes it"
    )


def test_all_faults_are_reported_at_once(run: Run) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(port=70000, verify="maybe", hostnmes=["a"])
    assert [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == [
        "hostnmes",
        "port",
        "verify",
    ]


def test_a_key_without_a_value_points_to_the_file_with_its_default(run: Run) -> None:
    run()  # sets the stack's name
    given = config()
    del given[f"{PROJECT['name']}:port"]
    with pytest.raises(InvalidInput, match="port: missing; its default stands in"):
        read(given, PROJECT["name"])


def test_pulumi_yaml_declares_exactly_the_keys_that_are_read() -> None:
    types = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object"}
    assert {key: schema["type"] for key, schema in PROJECT["config"].items()} == {
        key: types[kind] for key, (kind, _) in KEYS.items()
    }


def test_every_key_has_a_description() -> None:
    assert all(schema["description"] for schema in PROJECT["config"].values())


def test_booleans_of_every_spelling_that_pulumi_writes() -> None:
    pulumi.runtime.set_mocks(pulumi.runtime.Mocks, project=PROJECT["name"], stack="dev")  # type: ignore[arg-type]  # only names the stack
    for spelling, meaning in (("true", True), ("True", True), ("false", False)):
        given = config() | {f"{PROJECT['name']}:verify": spelling}
        assert read(given, PROJECT["name"])["verify"] is meaning


def test_values_of_other_packages_are_left_alone(run: Run) -> None:
    run()
    assert read(config() | {"kubernetes:strictMode": "true"}, PROJECT["name"])
