"""Configuration: what is refused, in which words, and that Pulumi.yaml and code agree."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NotRequired, cast, get_args, get_origin, get_type_hints

import pulumi
import pytest

from components.checks.values import InvalidInput
from components.stack.keys import ExposureEntry, GatewayEntry, StackSettings, WaypointEntry
from components.stack.settings import Settings, read
from tests.unit.conftest import PROJECT, config

NAME = "a DNS label: lower-case letters, digits and '-', 1 to 63 characters"
SERVICE = "a DNS label that starts with a letter, 1 to 48 characters"
HOST = "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path"
PATH = "a path that starts with '/' and has no '//', '/./', '/../', '%2F' or '#'"
PORT = "a port from 1 to 65535"
IMAGE = "an image reference like 'docker.io/curlimages/curl:8.16.0'"
SECONDS = "seconds, from 1 to 3600"
LABEL = "letters, digits, '-', '_' and '.', at most 63 characters, a letter or digit at both ends"
TYPES = "one of ClusterIP, LoadBalancer, NodePort"

Load = Callable[..., Settings]


@pytest.fixture
def load() -> Load:
    """Loads the defaults of Pulumi.yaml with other values in place of some."""

    def load_settings(**overrides: Any) -> Settings:
        pulumi.runtime.set_mocks(cast("Any", None), project=PROJECT["name"], stack="dev")
        pulumi.runtime.set_all_config(config(PROJECT, **overrides), [])
        return Settings.load()

    return load_settings


def refused(load: Load, **values: Any) -> list[str]:
    """The faults that are found in `values`."""
    with pytest.raises(InvalidInput) as found:
        load(**values)
    heading, *lines = str(found.value).splitlines()
    assert heading == "configuration of stack dev:"
    return [line.removeprefix("  ") for line in lines]


def exposed(*entries: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Configuration of several exposures, none of them verified."""
    numbered = [
        {
            "name": f"e{index}",
            "namespace": f"n{index}",
            "service": f"s{index}",
            "hostnames": [f"h{index}.example.com"],
            **entry,
        }
        for index, entry in enumerate(entries)
    ]
    return {"exposures": numbered, "verify": False, **values}


# Each key by itself

INVALID: list[tuple[str, Any, str]] = [
    ("serviceType", "Clusterip", f"'Clusterip', expected {TYPES} (did you mean ClusterIP?)"),
    ("serviceType", "ExternalName", f"'ExternalName', expected {TYPES}"),
    ("serviceType", "", f"'', expected {TYPES}"),
    ("addressType", "IP", "'IP', expected one of Hostname, IPAddress"),
    ("waypointFor", "pod", "'pod', expected one of service, workload, all, none"),
    ("ingressUseWaypoint", "both", "'both', expected one of service, namespace"),
    ("protocol", "http2", "'http2', expected one of http, grpc (did you mean http?)"),
    ("port", 70000, f"70000, expected {PORT}"),
    ("port", 0, f"0, expected {PORT}"),
    ("port", "eighty", "'eighty', expected an integer"),
    ("port", True, "True, expected an integer"),
    ("port", 80.5, "80.5, expected an integer"),
    ("servicePort", -1, f"-1, expected {PORT}"),
    ("containerPort", 65536, f"65536, expected {PORT}"),
    ("replicas", 1001, "1001, expected an integer from 0 to 1000"),
    ("namespace", "Httpbin", f"'Httpbin', expected {NAME}"),
    ("namespace", "a" * 64, f"'{'a' * 64}', expected {NAME}"),
    ("clientNamespace", "-curl", f"'-curl', expected {NAME}"),
    ("service", "a" * 49, f"'{'a' * 49}', expected {SERVICE}"),
    ("service", "http_bin", f"'http_bin', expected {SERVICE}"),
    ("service", "1httpbin", f"'1httpbin', expected {SERVICE}"),
    ("hostnames", [], "[], expected at least one"),
    ("hostnames", "httpbin", "'httpbin', expected a list"),
    ("hostnames", {"a": "b"}, "{'a': 'b'}, expected a list"),
    ("checks", [], "[], expected at least one"),
    ("image", "Not An Image", f"'Not An Image', expected {IMAGE}"),
    ("clientImage", "", f"'', expected {IMAGE}"),
    ("imageRegistry", "https://mirror", f"'https://mirror', expected {IMAGE}"),
    ("gatewayClass", "Istio", f"'Istio', expected {NAME}"),
    ("waypointClass", "", f"'', expected {NAME}"),
    ("nameOverride", "a.b", f"'a.b', expected {NAME}"),
    ("address", "a.example.com", "'a.example.com', expected an IP address"),
    ("revision", "-", f"'-', expected {LABEL}"),
    ("clusterDomain", "cluster..local", f"'cluster..local', expected {HOST}"),
    ("trustDomain", "a/b", f"'a/b', expected {HOST}"),
    ("verify", "yes", "'yes', expected true or false"),
    ("createNamespace", 1, "1, expected true or false"),
    ("preflight", "", "'', expected true or false"),
    ("discoveryLabels", ["a"], "['a'], expected a mapping"),
    ("env", ["a"], "['a'], expected a mapping"),
    ("policies", {"action": "DENY"}, "{'action': 'DENY'}, expected a list"),
    ("readyTimeout", 0, f"0, expected {SECONDS}"),
    ("verifyTimeout", 3601, f"3601, expected {SECONDS}"),
    ("exposures", "a", "'a', expected a list"),
]


@pytest.mark.parametrize(("key", "value", "found"), INVALID)
def test_a_wrong_value_is_named_with_what_was_expected(
    load: Load, key: str, value: object, found: str
) -> None:
    assert refused(load, **{key: value}) == [f"{key}: found {found}"]


INSIDE: list[tuple[str, Any, str, str]] = [
    ("env", {"A": 1}, "['A']", "1, expected a string"),
    ("discoveryLabels", {"a b": "c"}, "['a b']", "'a b', expected a key like 'app' or"),
    ("selector", {"a": 1}, "['a']", "1, expected a string"),
    ("labels", {"a": "-"}, "['a']", f"'-', expected {LABEL}"),
    ("annotations", {"a b": "c"}, "['a b']", "'a b', expected a key like 'app' or"),
    ("policies", [{"action": "ALOW", "rules": []}], "[0].action", "'ALOW', expected one of ALLOW"),
    ("policies", [{"rules": []}], "[0].action", "nothing, expected one of ALLOW, DENY"),
    ("jwtRules", [{"issuer": ""}], "[0].issuer", "''"),
    ("canary", {"weight": 1}, ".image", "nothing, expected a string"),
    ("canary", {"image": "a:2", "weight": 101}, ".weight", "101, expected an integer from 0 to"),
    ("tls", {"certificates": {"a": "b/c/d"}}, ".certificates['a']", "'b/c/d', expected a Secret"),
    ("tls", {"mod": "SIMPLE"}, ".mod", "an unknown key, expected one of certificates, issuer"),
    ("tls", {"issuer": "letsencrypt"}, ".issuer", "'letsencrypt', expected one of self-signed"),
    ("rules", [{"path": ["/"]}], "[0].path", "an unknown key, expected one of "),
    ("rules", [{"paths": ["a"]}], "[0].paths[0]", f"'a', expected {PATH}"),
    ("grpcRules", [{"matches": [{"path": {}}]}], "[0].matches[0].path", "an unknown key"),
    ("listeners", [{"name": "a", "port": 1, "protocol": "H"}], "[0].protocol", "'H', expected"),
    ("allowedRoutes", {"namespaces": {"from": "None"}}, ".namespaces.from", "'None', expected"),
    ("gatewayCustomization", {"pod": {}}, ".pod", "an unknown key, expected one of deployment"),
    *(
        ("hostnames", ["a.example.com", host], "[1]", f"'{host}', expected {HOST}")
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
        ("paths", [path], "[0]", f"'{path}', expected {PATH}")
        for path in ("status", "/a//b", "/a/../b", "/a/./b", "/a/..", "/a%2fb", "/a#b", "/a b")
    ),
    ("checks", [{"path": "/get"}], "[0].status", "nothing, expected an integer"),
    ("checks", ["/get"], "[0]", "'/get', expected a mapping"),
    (
        "checks",
        [{"path": "get", "status": 200}],
        "[0].path",
        "'get', expected a path that starts with '/', a query allowed",
    ),
    ("checks", [{"path": "/", "status": 200, "host": "x"}], "[0].host", "an unknown key"),
]


@pytest.mark.parametrize(("key", "value", "where", "found"), INSIDE)
def test_a_fault_inside_a_value_has_its_path(
    load: Load, key: str, value: object, where: str, found: str
) -> None:
    (fault,) = refused(load, **{key: value})
    assert fault.startswith(f"{key}{where}: found {found}")


def test_a_secret_is_refused() -> None:
    pulumi.runtime.set_mocks(cast("Any", None), project=PROJECT["name"], stack="dev")
    pulumi.runtime.set_all_config(config(PROJECT), [f"{PROJECT['name']}:image"])
    with pytest.raises(InvalidInput) as found:
        Settings.load()
    pulumi.runtime.set_all_config({}, [])
    assert str(found.value).splitlines()[1:] == [
        "  image: is a secret, and would get into the state as plain text; set it anew"
    ]


def test_a_mistyped_key_is_named_with_the_one_that_was_meant(load: Load) -> None:
    assert refused(load, servicetype="LoadBalancer") == [
        "servicetype: unknown key (did you mean serviceType?); Pulumi.yaml lists them all."
        " `pulumi config rm servicetype` removes it"
    ]


def test_all_faults_are_reported_at_once(load: Load) -> None:
    faults = refused(load, port=70000, verify="maybe", hostnames=["A", "b."], tls={"a": 1})
    assert [fault.partition(":")[0] for fault in faults] == [
        "hostnames[0]",
        "hostnames[1]",
        "port",
        "tls.a",
        "verify",
    ]


def test_a_key_without_a_value_points_to_the_file_with_its_default(load: Load) -> None:
    load()
    given = config(PROJECT)
    del given[f"{PROJECT['name']}:port"]
    with pytest.raises(InvalidInput) as found:
        read(given, PROJECT["name"])
    assert str(found.value).splitlines()[1:] == [
        "  port: missing; its default stands in Pulumi.yaml, is that file complete?"
    ]


@pytest.mark.parametrize(
    ("spelling", "meaning"), [("true", True), ("True", True), ("false", False)]
)
def test_booleans_of_every_spelling_that_pulumi_writes(
    load: Load, spelling: str, *, meaning: bool
) -> None:
    load()
    given = config(PROJECT) | {f"{PROJECT['name']}:verify": spelling}
    assert read(given, PROJECT["name"])["verify"] is meaning


def test_values_of_other_packages_are_left_alone(load: Load) -> None:
    load()
    assert read(config(PROJECT) | {"kubernetes:strictMode": "true"}, PROJECT["name"])


# Pulumi.yaml

TYPES_OF = {str: "string", int: "integer", bool: "boolean", Sequence: "array", Mapping: "object"}


def declared(shape: Any) -> str:
    """The type of a key in Pulumi.yaml, whose Python type is `shape`."""
    if get_origin(shape) is NotRequired:
        return declared(get_args(shape)[0])
    if get_origin(shape) is Literal:
        return "string"
    if isinstance(shape, type) and issubclass(shape, dict):  # a TypedDict
        return "object"
    return TYPES_OF[get_origin(shape) or shape]


def test_pulumi_yaml_declares_exactly_the_keys_that_are_read() -> None:
    assert {key: schema["type"] for key, schema in PROJECT["config"].items()} == {
        key: declared(shape) for key, shape in get_type_hints(StackSettings).items()
    }


def test_items_of_lists_are_declared_too() -> None:
    hints = get_type_hints(StackSettings)
    assert {
        key: schema["items"]["type"]
        for key, schema in PROJECT["config"].items()
        if "items" in schema
    } == {
        key: declared(get_args(shape)[0])
        for key, shape in hints.items()
        if declared(shape) == "array"
    }


def test_optional_keys_are_those_with_an_empty_default() -> None:
    empty = {key for key, one in PROJECT["config"].items() if one["default"] in ("", [], {})}
    # These two are set, and may be emptied.
    assert empty | {"paths", "discoveryLabels"} == StackSettings.__optional_keys__


def test_every_key_has_a_description() -> None:
    assert all(schema["description"] for schema in PROJECT["config"].values())


# Entries of lists


def test_one_exposure_is_made_of_the_stacks_own_keys(load: Load) -> None:
    settings = load()
    assert list(settings.exposures) == ["exposure"]
    assert settings.exposures["exposure"].namespace == "httpbin"
    assert settings.namespaces.keys() == {"httpbin"}
    assert (settings.gateways, settings.waypoints) == ({}, {})


def test_an_entry_inherits_what_it_leaves_out(load: Load) -> None:
    settings = load(
        **exposed({}, {"port": 8080, "paths": [], "rules": [{}], "tls": {}}),
        port=81,
        paths=["/a"],
        tls={"issuer": "self-signed"},
    )
    first, second = (one.args for one in settings.exposures.values())
    assert first.get("gateway", {}).get("port") == 81
    assert first.get("gateway", {}).get("tls") == {"grants": False, "issuer": "self-signed"}
    assert first.get("rules") == [{"paths": ["/a"]}]
    assert second.get("gateway", {}).get("port") == 8080
    assert "tls" not in second.get("gateway", {})
    assert second.get("rules") == [{}]


def test_a_gateway_inherits_its_own_keys(load: Load) -> None:
    gateway = {"name": "edge", "hostnames": ["*.example.com"]}
    settings = load(**exposed({"gateway": "edge"}), gateways=[gateway], port=81, namespace="edge")
    namespace, args = settings.gateways["edge"]
    assert namespace == "edge"
    assert args.get("port") == 81
    # Only gateways run in its namespace.
    assert settings.namespaces["edge"].get("ambient") is False
    assert settings.namespaces["n0"].get("ambient") is True


ENTRIES: list[tuple[str, list[Any], list[str]]] = [
    ("exposures", ["a"], ["exposures[0]: found 'a', expected a mapping"]),
    (
        "exposures",
        [{"name": "a", "hostnmes": []}],
        ["exposures[0].hostnmes: found an unknown key, expected one of "],
    ),
    ("exposures", [{}], ["exposures[0].name: found nothing, expected a string"]),
    (
        "exposures",
        [{"name": "a"}, {"name": "b", "hostnames": ["B"]}],
        [f"exposures[1].hostnames[0]: found 'B', expected {HOST}"],
    ),
    (
        "exposures",
        [{"name": "A"}, {"name": "b", "port": "80", "tls": {"port": 0}}],
        [
            f"exposures[0].name: found 'A', expected {NAME}",
            "exposures[1].port: found '80', expected an integer",
            f"exposures[1].tls.port: found 0, expected {PORT}",
        ],
    ),
    (
        "exposures",
        [{"name": "a"}, {"name": "a"}],
        ["exposures[1].name: found 'a', which is taken already"],
    ),
    (
        "exposures",
        [{"name": "a", "clientImage": "a:1"}],
        ["exposures[0].clientImage: found an unknown key, expected one of "],
    ),
    (
        "gateways",
        [{"name": "a", "paths": ["/"]}],
        ["gateways[0].paths: found an unknown key, expected one of "],
    ),
    (
        "gateways",
        [{"name": "a"}, {"name": "a"}],
        ["gateways[1].name: found 'a', which is taken already"],
    ),
    (
        "waypoints",
        [{"name": "none"}],
        [
            "waypoints[0].name: found 'none', expected another name: in Istio's labels 'none' means"
            " that there is no waypoint"
        ],
    ),
    (
        "waypoints",
        [{"name": "a", "waypointFor": "services"}],
        [
            "waypoints[0].waypointFor: found 'services', expected one of service, workload, all,"
            " none (did you mean service?)"
        ],
    ),
]


@pytest.mark.parametrize(("key", "entries", "faults"), ENTRIES)
def test_a_fault_of_an_entry_has_its_path(
    load: Load, key: str, entries: list[Any], faults: list[str]
) -> None:
    found = refused(load, **{key: entries})
    assert len(found) == len(faults)
    for fault, beginning in zip(found, faults, strict=True):
        assert fault.startswith(beginning)


# What does not fit together

CANARY = {"image": "httpbin:2", "weight": 1}
EDGE = {"name": "edge", "namespace": "edge", "hostnames": ["*.example.com"]}
SHARED = {"name": "shared", "namespace": "waypoints"}
OPEN = {**SHARED, "waypointRoutes": {"namespaces": {"from": "All"}}}

CONFLICTS: list[tuple[dict[str, Any], str]] = [
    (
        {"clientNamespace": "httpbin"},
        "clientNamespace: found httpbin, the namespace of a service, expected one of its own",
    ),
    (
        exposed({"namespace": "a"}, {"namespace": "a", "createNamespace": False}, waypoint="shared")
        | {"waypoints": [OPEN]},
        "createNamespace: found both true and false for namespace a",
    ),
    (
        exposed({"gateway": "edg"}, gateways=[EDGE]),
        "exposures[0].gateway: found 'edg', expected one of gateways: edge (did you mean edge?)",
    ),
    ({"gateway": "edge"}, "gateway: found 'edge', expected one of gateways: none"),
    (
        exposed({"gateway": "edge", "hostnames": ["a.example.org"]}, gateways=[EDGE]),
        "exposures[0].hostnames: found a.example.org, which gateway edge does not serve; it serves"
        " *.example.com",
    ),
    (
        exposed(
            {"gateway": "edge"},
            gateways=[EDGE | {"allowedRoutes": {"namespaces": {"from": "Same"}}}],
        ),
        "exposures[0].gateway: found edge, whose allowedRoutes admit only its own namespace edge,"
        " not n0",
    ),
    (
        {
            "gateway": "edge",
            "gateways": [
                EDGE | {"tls": {"mode": "MUTUAL", "certificates": {"*.example.com": "a"}}}
            ],
        },
        "verify: found true beside gateway edge, to which clients show certificates: the"
        " verification has none. Set verify to false, or tls.mode to OPTIONAL_MUTUAL",
    ),
    (
        exposed({"waypoint": "shard"}, waypoints=[OPEN]),
        "exposures[0].waypoint: found 'shard', expected one of waypoints: shared"
        " (did you mean shared?)",
    ),
    ({"waypoint": "shared"}, "waypoint: found 'shared', expected one of waypoints: none"),
    (
        exposed({"waypoint": "shared"}, waypoints=[SHARED]),
        "exposures[0].waypoint: found shared, whose waypointRoutes admit only its own namespace"
        " waypoints, not n0",
    ),
    *(
        (
            exposed({"waypoint": "shared"}, waypoints=[OPEN | {"waypointFor": passes}]),
            f"exposures[0].waypoint: found shared, whose waypointFor is {passes}: the gateway's"
            " requests are to a Service, and would pass by the waypoint and its rules",
        )
        for passes in ("workload", "none")
    ),
    (
        exposed(
            {"namespace": "a", "service": "a"},
            {"namespace": "a", "service": "a"},
            waypoint="shared",
            waypoints=[OPEN],
            gateway="edge",
            gateways=[EDGE],
        ),
        "exposures[1].service: makes Service a/a, which exposures[0].service makes already",
    ),
    (
        exposed(
            {"namespace": "a", "service": "a", "canary": CANARY},
            {"namespace": "a", "service": "a-canary"},
            waypoint="shared",
            waypoints=[OPEN],
        ),
        "exposures[1].service: makes Service a/a-canary, which exposures[0].service makes already",
    ),
    (
        exposed({"name": "a", "canary": CANARY}, {"name": "a-canary"}),
        "exposures[1].name: makes the resources of a-canary, which exposures[0].name makes already",
    ),
    (
        exposed(
            {"gateway": "edge", "waypoint": "edge"},
            gateways=[EDGE],
            waypoints=[OPEN | {"name": "edge", "namespace": "edge"}],
        ),
        "waypoints: edge: makes Gateway edge/edge, which gateways: edge makes already",
    ),
    (
        exposed(
            {"namespace": "edge", "service": "shop"},
            gateways=[EDGE | {"name": "shop-gateway"}],
        ),
        "exposures[0].service: makes Gateway edge/shop-gateway, which gateways: shop-gateway makes"
        " already",
    ),
    *(
        (
            exposed({"namespace": "a"}, {"namespace": "a", **second}, waypoints=[OPEN]),
            "exposures[1].waypoint: namespace a has another one at exposures[0] already. Put one"
            " into waypoints, and name it in both",
        )
        for second in ({}, {"waypoint": "shared"})
    ),
    (
        exposed(
            {"hostnames": ["a.example.com", "b.example.com"]},
            {"hostnames": ["b.example.com"]},
            gateway="edge",
            gateways=[EDGE],
        ),
        "exposures[1].ingressRules: b.example.com is claimed with the match"
        ' {"path": {"type": "PathPrefix", "value": "/"}} at exposures[0] already: the older route'
        " gets all requests. Change hostnames, or ingressRules",
    ),
    (
        exposed(
            {"ingressRules": [{"paths": ["/a"]}]},
            {
                "hostnames": ["h0.example.com"],
                "ingressRules": [
                    {"paths": ["/b"]},
                    {"matches": [{"path": {"value": "/a", "type": "PathPrefix"}}]},
                ],
            },
            gateway="edge",
            gateways=[EDGE],
        ),
        "exposures[1].ingressRules: h0.example.com is claimed with the match"
        ' {"path": {"type": "PathPrefix", "value": "/a"}} at exposures[0] already: the older route'
        " gets all requests. Change hostnames, or ingressRules",
    ),
]


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"gateway": "edge", "hostnames": ["a.example.com"], "tls": {}}, "tls"),
        (
            {"gateway": "edge", "hostnames": ["a.example.com"], "serviceType": "NodePort"},
            "serviceType",
        ),
        ({"waypoint": "shared", "waypointClass": "other"}, "waypointClass"),
    ],
)
def test_what_is_shared_is_not_set_at_one_of_those_that_share_it(
    load: Load, own: dict[str, Any], field: str
) -> None:
    fault = "is for a proxy of its own; this entry shares one, set it there"
    assert refused(load, exposures=[{"name": "a", **own}]) == [f"exposures[0].{field}: {fault}"]


@pytest.mark.parametrize(("values", "fault"), CONFLICTS)
def test_entries_that_do_not_fit_together(load: Load, values: dict[str, Any], fault: str) -> None:
    assert refused(load, **values) == [fault]


FITTING: list[dict[str, Any]] = [
    {"verify": False, "clientNamespace": "httpbin"},
    exposed({"gateway": "edge", "hostnames": ["*.a.example.com"]}, gateways=[EDGE]),
    exposed(
        {"hostnames": ["*.example.com"]},
        gateway="edge",
        gateways=[EDGE | {"hostnames": ["a.example.com"]}],
    ),
    exposed(
        {"namespace": "edge", "gateway": "edge"},
        gateways=[EDGE | {"allowedRoutes": {"namespaces": {"from": "Same"}}}],
    ),
    exposed({"namespace": "waypoints", "waypoint": "shared"}, waypoints=[SHARED]),
    exposed({"waypoint": "shared"}, waypoints=[OPEN | {"waypointFor": "all"}]),
    # Of different gateways, or with different matches, one host name is exposed twice.
    exposed({"hostnames": ["a.example.com"]}, {"hostnames": ["a.example.com"]}),
    exposed(
        {"hostnames": ["a.example.com"], "ingressRules": [{"paths": ["/a"]}]},
        {"hostnames": ["a.example.com"], "ingressRules": [{"paths": ["/b"]}]},
        gateway="edge",
        gateways=[EDGE],
    ),
    {"paths": ["/"], "checks": [{"path": "/a/b?c=d", "status": 200}]},
    {"paths": ["/a"], "checks": [{"path": "/a?c", "status": 200}, {"path": "/b", "status": 404}]},
    {"paths": ["/a"], "rules": [{"matches": []}]},
]


@pytest.mark.parametrize("values", FITTING)
def test_entries_that_fit_together(load: Load, values: dict[str, Any]) -> None:
    assert load(**values).exposures


UNFIT: list[tuple[dict[str, Any], str]] = [
    (
        {"paths": ["/api", "/head"]},
        "exposure exposure.verification.checks[0]: found /headers to be answered 200, but the"
        " waypoint lets through only /api, /head. Change the rules or the check",
    ),
    (
        {"paths": []},
        "exposure exposure.rules: found neither rules nor grpc_rules, expected one of them",
    ),
    (
        {"containerPort": 80},
        "exposure exposure.service.container_port: found 80, expected a port from 1024 to 65535",
    ),
    (
        {"address": "192.0.2.1"},
        "exposure exposure.gateway.address: needs service_type LoadBalancer, which gives it",
    ),
    (
        {"createService": False, "requireWaypoint": True},
        "exposure exposure.service.selector: found nothing, expected the labels of the pods for"
        " which require_waypoint is",
    ),
    (
        {"createService": False, "canary": {"image": "httpbin:2", "weight": 1}},
        "exposure exposure.service.canary: is for a service to deploy; this one is adopted",
    ),
    (
        exposed({"gateway": "edge"}, gateways=[EDGE | {"tls": {"port": 8443}}]),
        "gateway edge.tls.certificates: found none for *.example.com, expected its Secret, or"
        " issuer: self-signed",
    ),
    (
        exposed(
            {"waypoint": "shared"},
            waypoints=[OPEN | {"waypointCustomization": {"service": {"metadata": {"name": "a"}}}}],
        ),
        "waypoints[0].waypointCustomization.service.metadata.name: found a change of it, which"
        " istiod refuses: leave it out",
    ),
]


@pytest.mark.parametrize(("values", "fault"), UNFIT)
def test_what_only_the_components_know_is_refused_in_their_terms(
    load: Load, values: dict[str, Any], fault: str
) -> None:
    assert refused(load, **values) == [fault]


def test_faults_of_all_exposures_are_reported_at_once(load: Load) -> None:
    faults = refused(
        load, **exposed({"containerPort": 1}, {"paths": []}, {"clusterDomain": "a"}, gateways=[])
    )
    assert len(faults) == 1
    faults = refused(load, **exposed({"containerPort": 1}, {"paths": []}, {"gateway": "a"}))
    assert [fault.partition(": ")[0] for fault in faults] == [
        "exposures[2].gateway",
        "exposure e0.service.container_port",
        "exposure e1.rules",
    ]


# What the cluster is asked for


def test_the_preflight_looks_for_what_all_exposures_need(load: Load) -> None:
    settings = load(
        gateways=[EDGE | {"gatewayClass": "other"}],
        waypoints=[OPEN],
        exposures=[
            {"name": "a", "gateway": "edge", "hostnames": ["a.example.com"], "namespace": "a"},
            {
                "name": "b",
                "waypoint": "shared",
                "namespace": "b",
                "createNamespace": False,
                "createService": False,
            },
        ],
    )
    assert settings.preflight == {
        "namespaces": [
            {"name": "waypoints", "create": True},
            {"name": "edge", "create": True},
            {"name": "a", "create": True},
            {"name": "b", "create": False},
            {"name": "curl", "create": True},
        ],
        "gateway_classes": ["other", "istio", "istio-waypoint"],
        "ztunnel": False,
        "services": [{"namespace": "b", "name": "httpbin", "port": 8000}],
    }
    assert load(requireWaypoint=True).preflight == {
        "namespaces": [{"name": "httpbin", "create": True}, {"name": "curl", "create": True}],
        "gateway_classes": ["istio", "istio-waypoint"],
        "ztunnel": True,
        "services": [],
    }


def test_the_client_has_no_namespace_where_nothing_is_verified(load: Load) -> None:
    settings = load(verify=False)
    assert settings.client is None
    assert settings.preflight is not None
    assert settings.preflight["namespaces"] == [{"name": "httpbin", "create": True}]


def test_the_preflight_can_be_switched_off(load: Load) -> None:
    assert load(preflight=False).preflight is None


@pytest.mark.parametrize(
    ("image", "mirrored"),
    [
        ("httpbin", "mirror/httpbin"),
        ("shop/httpbin:1", "mirror/shop/httpbin:1"),
        ("docker.io/shop/httpbin:1", "mirror/shop/httpbin:1"),
        ("localhost/httpbin:1", "mirror/httpbin:1"),
        ("registry:5000/httpbin:1", "mirror/httpbin:1"),
    ],
)
def test_images_are_taken_from_the_mirror(load: Load, image: str, mirrored: str) -> None:
    service = load(imageRegistry="mirror", image=image).exposures["exposure"].args["service"]
    assert service.get("image") == mirrored


def test_descriptions_of_lists_name_the_keys_of_their_entries() -> None:
    keys = list(PROJECT["config"])
    shapes = {"exposures": ExposureEntry, "gateways": GatewayEntry, "waypoints": WaypointEntry}
    for key, shape in shapes.items():
        # "... a `name` and any of the keys `a`, `b`, and from `c` to `f` ..."
        *single, first, last = PROJECT["config"][key]["description"].split("`")[1::2]
        between = keys[keys.index(first) : keys.index(last) + 1]
        assert {*single, *between} == set(get_type_hints(shape)), key
