"""Stack files of release 2 in their new form, and what is said of keys that have moved."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components.checks.faults import InvalidInput
from components.commands.rewrite import main, rewrite_text
from components.stack import load
from components.stack.release2 import KEYS, is_new, is_release_2, moved, rewrite

DEFAULTS = yaml.safe_load("""
cluster: {preflight: true}
client:
  name: curl
  namespace: {name: curl, discoveryLabels: {istio-discovery: enabled}}
  image: docker.io/curlimages/curl:8.16.0
  readyTimeout: 300
namespaces:
  httpbin: {create: true, discoveryLabels: {istio-discovery: enabled}, ambient: true}
exposures:
  exposure:
    namespace: {existing: {entry: httpbin}}
    service:
      name: httpbin
      port: 8000
      create: true
      image: docker.io/mccutchen/go-httpbin:v2.15.0
      containerPort: 8080
      protocol: http
      replicas: 1
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile: {type: RuntimeDefault}
      readinessProbe: {tcpSocket: {port: 8080}}
    hostnames: [httpbin.example.com]
    rules: [{paths: [/status, /headers]}]
    grants: false
    gateway:
      name: httpbin-gateway
      allowedRoutes: {namespaces: {from: All}}
      serviceType: ClusterIP
      port: 80
      addressType: Hostname
      gatewayClass: istio
      clusterDomain: cluster.local
    waypoint:
      name: httpbin-waypoint
      waypointFor: service
      gatewayClass: istio-waypoint
      binds: Namespace
      ingressUseWaypoint: false
    requireWaypoint: false
    trustDomain: cluster.local
    readyTimeout: 300
    verification:
      checks: [{path: /headers, status: 200}, {path: /get, status: 404}]
      timeout: 60
""")

EXAMPLE = """\
# The shop's edge
encryptionsalt: v1:salt  # not ours
config:
  # of Pulumi's own provider
  kubernetes:context: "1e3"
  ambient-exposure:serviceType: LoadBalancer
  ambient-exposure:gateways:
    - name: edge
      namespace: ingress
      hostnames: ["*.example.com"]
      tls: {certificates: {"*.example.com": wildcard}}
  other-project:port: 0x50
  ambient-exposure:exposures:
    - name: shop
      namespace: shop
      service: shop
      hostnames: [shop.example.com]
      paths: [/api]
      checks: [{path: /api/health, status: 200}]
      gateway: edge
    - name: blog            # there already: labelled, but not owned
      namespace: blog
      createNamespace: false
      service: blog
      createService: false
      servicePort: 80
      hostnames: [blog.example.com]
      paths: [/]
      checks: [{path: /, status: 200}]
      gateway: edge

# Of ESC
environment:
- shop
"""

BEFORE, AFTER = (
    """\
# The shop's edge
encryptionsalt: v1:salt  # not ours
config:
  # of Pulumi's own provider
  kubernetes:context: "1e3"
""",
    """\
  other-project:port: 0x50

# Of ESC
environment:
- shop
""",
)

SEVERAL = yaml.safe_load("""
cluster: {preflight: true}
client:
  name: curl
  namespace: {name: curl, discoveryLabels: {istio-discovery: enabled}}
  image: docker.io/curlimages/curl:8.16.0
  readyTimeout: 300
namespaces:
  shop: {create: true, discoveryLabels: {istio-discovery: enabled}, ambient: true}
  blog: {create: false, discoveryLabels: {istio-discovery: enabled}, ambient: true}
  ingress: {create: true, discoveryLabels: {istio-discovery: enabled}, ambient: false}
gateways:
  edge:
    namespace: {existing: {entry: ingress}}
    hostnames: ["*.example.com"]
    allowedRoutes: {namespaces: {from: All}}
    serviceType: LoadBalancer
    port: 80
    tls:
      mode: SIMPLE
      port: 443
      redirect: true
      grants: false
      certificates: {"*.example.com": wildcard}
    addressType: Hostname
    gatewayClass: istio
    clusterDomain: cluster.local
    readyTimeout: 300
primary: shop
exposures:
  shop:
    namespace: {existing: {entry: shop}}
    service:
      name: shop
      port: 8000
      create: true
      image: docker.io/mccutchen/go-httpbin:v2.15.0
      containerPort: 8080
      protocol: http
      replicas: 1
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile: {type: RuntimeDefault}
      readinessProbe: {tcpSocket: {port: 8080}}
    hostnames: [shop.example.com]
    rules: [{paths: [/api]}]
    grants: false
    gateway: {existing: {entry: edge}}
    waypoint:
      name: shop-waypoint
      waypointFor: service
      gatewayClass: istio-waypoint
      binds: Namespace
      ingressUseWaypoint: false
    requireWaypoint: false
    trustDomain: cluster.local
    readyTimeout: 300
    verification: {checks: [{path: /api/health, status: 200}], timeout: 60}
  blog:
    namespace: {existing: {entry: blog}}
    service: {name: blog, port: 80, create: false}
    hostnames: [blog.example.com]
    rules: [{paths: [/]}]
    grants: false
    gateway: {existing: {entry: edge}}
    waypoint:
      name: blog-waypoint
      waypointFor: service
      gatewayClass: istio-waypoint
      binds: Namespace
      ingressUseWaypoint: false
    requireWaypoint: false
    trustDomain: cluster.local
    readyTimeout: 300
    verification: {checks: [{path: /, status: 200}], timeout: 60}
""")

ONE = "exposures.exposure"

MOVED: list[tuple[str, Any, list[str]]] = [
    ("context", "production", ["cluster.context"]),
    ("kubeconfig", "/etc/kubeconfig", ["cluster.kubeconfig"]),
    ("preflight", False, ["cluster.preflight"]),
    ("namespace", "shop", [f"{ONE}.namespace.existing.entry"]),
    ("createNamespace", False, ["namespaces.NAMESPACE.create"]),
    ("service", "shop", [f"{ONE}.service.name"]),
    ("createService", False, [f"{ONE}.service.create"]),
    ("servicePort", 90, [f"{ONE}.service.port"]),
    ("protocol", "grpc", [f"{ONE}.service.protocol"]),
    ("selector", {"app": "shop"}, [f"{ONE}.service.selector"]),
    ("image", "shop:1", [f"{ONE}.service.image"]),
    ("containerPort", 9090, [f"{ONE}.service.containerPort"]),
    ("args", ["--fast"], [f"{ONE}.service.args"]),
    ("env", {"DEBUG": "yes"}, [f"{ONE}.service.env"]),
    ("replicas", 3, [f"{ONE}.service.replicas"]),
    ("resources", {"limits": {"cpu": "1"}}, [f"{ONE}.service.resources"]),
    ("securityContext", {"runAsUser": 0}, [f"{ONE}.service.securityContext"]),
    ("readinessProbe", {"exec": {"command": ["a"]}}, [f"{ONE}.service.readinessProbe"]),
    ("livenessProbe", {"exec": {"command": ["b"]}}, [f"{ONE}.service.livenessProbe"]),
    ("canary", {"image": "shop:2", "weight": 5}, [f"{ONE}.service.canary"]),
    ("hostnames", ["shop.example.com"], [f"{ONE}.hostnames"]),
    ("paths", ["/api"], [f"{ONE}.rules[0].paths"]),
    ("rules", [{"matches": [{"method": "GET"}]}], [f"{ONE}.rules"]),
    ("grpcRules", [{"matches": []}], [f"{ONE}.grpcRules"]),
    ("ingressRules", [{"paths": ["/x"]}], [f"{ONE}.ingressRules"]),
    ("gateway", "edge", [f"{ONE}.gateway.existing.entry"]),
    ("serviceType", "NodePort", [f"{ONE}.gateway.serviceType"]),
    ("port", 8081, [f"{ONE}.gateway.port"]),
    ("tls", {"issuer": "self-signed", "redirect": False}, [f"{ONE}.gateway.tls"]),
    ("listeners", [{"name": "b", "port": 1}], [f"{ONE}.gateway.listeners"]),
    ("allowedRoutes", {"namespaces": {"from": "Same"}}, [f"{ONE}.gateway.allowedRoutes"]),
    ("address", "192.0.2.1", [f"{ONE}.gateway.address"]),
    ("addressType", "IPAddress", [f"{ONE}.gateway.addressType"]),
    ("nameOverride", "front", [f"{ONE}.gateway.nameOverride"]),
    ("gatewayClass", "other", [f"{ONE}.gateway.gatewayClass"]),
    ("gatewayCustomization", {"service": {"a": "b"}}, [f"{ONE}.gateway.customization"]),
    ("waypoint", "shared", [f"{ONE}.waypoint.existing.entry"]),
    ("waypointFor", "all", [f"{ONE}.waypoint.waypointFor"]),
    ("waypointRoutes", {"namespaces": {"from": "All"}}, [f"{ONE}.waypoint.allowedRoutes"]),
    ("waypointClass", "others", [f"{ONE}.waypoint.gatewayClass"]),
    ("waypointCustomization", {"service": {"c": "d"}}, [f"{ONE}.waypoint.customization"]),
    ("ingressUseWaypoint", "namespace", [f"{ONE}.waypoint.ingressUseWaypoint"]),
    ("policies", [{"action": "DENY", "rules": [{}]}], [f"{ONE}.policies"]),
    ("jwtRules", [{"issuer": "https://issuer.example.com"}], [f"{ONE}.jwtRules"]),
    ("requireWaypoint", True, [f"{ONE}.requireWaypoint"]),
    ("verify", False, [f"{ONE}.verification"]),
    ("checks", [{"path": "/up", "status": 204}], [f"{ONE}.verification.checks"]),
    (
        "discoveryLabels",
        {"mesh": "a"},
        ["namespaces.NAMESPACE.discoveryLabels", "client.namespace.discoveryLabels"],
    ),
    ("revision", "canary", [f"{ONE}.gateway.revision", f"{ONE}.waypoint.revision"]),
    ("clusterDomain", "example.internal", [f"{ONE}.gateway.clusterDomain"]),
    ("trustDomain", "example.org", [f"{ONE}.trustDomain"]),
    ("referenceGrants", True, [f"{ONE}.grants", f"{ONE}.gateway.tls.grants"]),
    ("labels", {"team": "shop"}, ["labels"]),
    ("annotations", {"team": "shop"}, ["annotations"]),
    ("imageRegistry", "mirror.example.com", ["imageRegistry"]),
    ("clientNamespace", "client", ["client.namespace.name"]),
    ("clientImage", "client:1", ["client.image"]),
    ("readyTimeout", 30, [f"{ONE}.readyTimeout", "client.readyTimeout"]),
    ("verifyTimeout", 20, [f"{ONE}.verification.timeout"]),
]
"""Each key with a value that is not its default, and where that stands in a stack of one exposure;
`NAMESPACE` is the exposure's."""

LISTS = {"exposures", "gateways", "waypoints"}

NOWHERE = object()


def at(config: object, path: str) -> Any:
    """What stands at a path; `NOWHERE` if nothing does."""
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(config, list) and int(step) < len(config):
            config = config[int(step)]
        elif isinstance(config, dict) and step in config:
            config = config[step]
        else:
            return NOWHERE
    return config


def holds(whole: object, part: object) -> bool:
    """Whether every leaf of `part` stands in `whole` at the same place, or in one of its lists."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(holds(one, value) for one in whole) for value in part)
    return part == whole and type(part) is type(whole)


def converted(key: str, value: object) -> object:
    """The value of a key in the new form; `NOWHERE` for `verify: false`."""
    if key == "ingressUseWaypoint":
        return value == "namespace"
    return NOWHERE if (key, value) == ("verify", False) else value


def places(key: str, paths: list[str], values: dict[str, Any]) -> Iterator[str]:
    """Where the value of a key stands beside the `values` of others."""
    for path in paths:
        if path.startswith("client.") and values.get("verify") is False:
            continue
        if path.endswith(".gateway.tls.grants") and "tls" not in values:
            continue
        if ".gateway." in path and "gateway" in values and key != "gateway":
            continue
        if path.endswith(".waypoint.revision") and "waypoint" in values:
            continue
        yield path.replace("NAMESPACE", values.get("namespace", "httpbin"))


def project_config(text: str) -> dict[str, Any]:
    """The project's keys in a stack file."""
    config = yaml.safe_load(text)["config"]
    return {
        key.partition(":")[2]: value
        for key, value in config.items()
        if key.startswith("ambient-exposure:")
    }


# Each key


@pytest.mark.parametrize(("key", "value", "paths"), MOVED)
def test_a_value_stands_at_its_new_path(key: str, value: object, paths: list[str]) -> None:
    values = {key: value} | ({"tls": {"port": 8443}} if key == "referenceGrants" else {})
    config, unused = rewrite("stack", values)
    assert unused == []
    for path in places(key, paths, values):
        found = at(config, path)
        assert holds(found, converted(key, value)), path


def test_every_key_is_tried() -> None:
    assert {key for key, *_ in MOVED} == KEYS.keys() - LISTS
    assert all(value != KEYS[key].default for key, value, _ in MOVED)


def test_every_default_of_release_2_is_written_out() -> None:
    assert rewrite("stack", {}) == (DEFAULTS, [])


@pytest.mark.parametrize("empty", ["", "[]", "{}", [], {}])
def test_what_is_empty_was_not_set(empty: object) -> None:
    kind = {"[": list, "{": dict}.get(json.dumps(empty).strip('"')[:1], str)
    keys = [key for key, one in KEYS.items() if one.default == kind()]
    assert len(keys) > 5
    assert rewrite("stack", dict.fromkeys(keys, empty)) == (DEFAULTS, [])


def test_paths_and_discovery_labels_could_be_emptied() -> None:
    rules = [{"matches": [{"method": "GET"}]}]
    config, _ = rewrite("stack", {"paths": [], "discoveryLabels": {}, "rules": rules})
    assert at(config, f"{ONE}.rules") == rules
    assert at(config, "client.namespace.discoveryLabels") is NOWHERE
    assert config["namespaces"] == {"httpbin": {"create": True, "ambient": True}}


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("verify", "False", False),
        ("preflight", "false", False),
        ("requireWaypoint", "true", True),
        ("servicePort", "90", 90),
        ("hostnames", '["a.example.com"]', ["a.example.com"]),
        ("env", '{"A": "1"}', {"A": "1"}),
        ("revision", 1.24, "1.24"),
        ("namespace", 5, "5"),
        ("service", "true", "true"),
    ],
)
def test_values_are_read_as_the_engine_handed_them_over(
    key: str, value: object, meant: object
) -> None:
    assert rewrite("stack", {key: value}) == rewrite("stack", {key: meant})


def test_rules_follow_the_one_of_paths() -> None:
    rules = [{"matches": [{"method": "GET"}]}, {}]
    config, _ = rewrite("stack", {"paths": ["/a"], "rules": rules})
    assert at(config, f"{ONE}.rules") == [{"paths": ["/a"]}, *rules]


def test_what_tls_left_out_is_written_out_too() -> None:
    config, _ = rewrite("stack", {"tls": {"port": 8443, "issuer": "self-signed"}})
    assert at(config, f"{ONE}.gateway.tls") == {
        "mode": "SIMPLE",
        "port": 8443,
        "redirect": True,
        "grants": False,
        "issuer": "self-signed",
    }


def subsets() -> st.SearchStrategy[dict[str, Any]]:
    """Any subset of the keys of `MOVED` with their values, or those of the defaults."""
    return st.fixed_dictionaries(
        {},
        optional={
            key: st.sampled_from([value] if KEYS[key].default in ("", [], {}) else [value, default])
            for key, value, _ in MOVED
            for default in [KEYS[key].default]
        },
    )


@settings(deadline=None)
@given(subsets())
def test_no_leaf_gets_lost(values: dict[str, Any]) -> None:
    config, unused = rewrite("stack", values)
    for key, _, paths in MOVED:
        if key not in values or key in unused:
            continue
        if key == "verify" and values[key]:
            assert at(config, f"{ONE}.verification") is not NOWHERE
            continue
        for path in places(key, paths, values):
            assert holds(at(config, path), converted(key, values[key])), (key, path)
    assert config.keys() >= {"cluster", "namespaces", "exposures"}


# Entries


def test_an_entry_inherits_what_it_leaves_out_and_may_empty_it() -> None:
    first = {"name": "a", "namespace": "a", "service": "a"}
    second = {"name": "b", "namespace": "b", "service": "b", "tls": {}, "paths": [], "rules": [{}]}
    values = {"tls": {"port": 8443}, "paths": ["/a"], "port": 81, "exposures": [first, second]}
    config, unused = rewrite("stack", values)
    assert unused == []
    assert at(config, "exposures.a.gateway.tls.port") == 8443
    assert at(config, "exposures.b.gateway.tls") is NOWHERE
    assert at(config, "exposures.a.rules") == [{"paths": ["/a"]}]
    assert at(config, "exposures.b.rules") == [{}]
    assert [at(config, f"exposures.{name}.gateway.port") for name in "ab"] == [81, 81]
    assert config["primary"] == "a"


def test_one_listed_exposure_needs_no_primary() -> None:
    config, _ = rewrite("stack", {"exposures": [{"name": "shop"}]})
    assert "primary" not in config
    assert config["exposures"] == {"shop": DEFAULTS["exposures"]["exposure"]}


def test_shared_proxies_are_entries_in_namespaces_of_their_own() -> None:
    config, unused = rewrite(
        "stack",
        {
            "revision": "canary",
            "gateways": [{"name": "edge", "namespace": "edge", "gatewayClass": "other"}],
            "waypoints": [
                {
                    "name": "shared",
                    "namespace": "waypoints",
                    "createNamespace": False,
                    "waypointRoutes": {"namespaces": {"from": "All"}},
                }
            ],
            "exposures": [
                {"name": "shop", "gateway": "edge", "waypoint": "shared"},
                {
                    "name": "blog",
                    "service": "blog",
                    "waypoint": "shared",
                    "ingressUseWaypoint": "namespace",
                },
            ],
        },
    )
    assert unused == []
    labels = {"istio-discovery": "enabled"}
    assert config["namespaces"] == {
        "httpbin": {"create": True, "discoveryLabels": labels, "ambient": True},
        "edge": {"create": True, "discoveryLabels": labels, "ambient": False},
        "waypoints": {"create": False, "discoveryLabels": labels, "ambient": False},
    }
    assert config["gateways"] == {
        "edge": {
            "namespace": {"existing": {"entry": "edge"}},
            "hostnames": ["httpbin.example.com"],
            "allowedRoutes": {"namespaces": {"from": "All"}},
            "serviceType": "ClusterIP",
            "port": 80,
            "addressType": "Hostname",
            "gatewayClass": "other",
            "clusterDomain": "cluster.local",
            "revision": "canary",
            "readyTimeout": 300,
        }
    }
    assert config["waypoints"] == {
        "shared": {
            "namespace": {"existing": {"entry": "waypoints"}},
            "waypointFor": "service",
            "allowedRoutes": {"namespaces": {"from": "All"}},
            "gatewayClass": "istio-waypoint",
            "revision": "canary",
            "readyTimeout": 300,
        }
    }
    shared = {"existing": {"entry": "shared"}}
    assert at(config, "exposures.shop.gateway") == {"existing": {"entry": "edge"}}
    assert at(config, "exposures.shop.waypoint") == {
        **shared,
        "binds": "Namespace",
        "ingressUseWaypoint": False,
    }
    assert at(config, "exposures.blog.gateway.name") == "blog-gateway"
    assert at(config, "exposures.blog.waypoint") == {
        **shared,
        "binds": "Namespace",
        "ingressUseWaypoint": True,
    }


def test_a_gateway_beside_a_service_leaves_its_namespace_in_the_mesh() -> None:
    config, _ = rewrite("stack", {"gateways": [{"name": "edge"}]})
    assert at(config, "namespaces.httpbin.ambient") is True


def test_what_had_no_effect_is_left_out_and_named() -> None:
    config, unused = rewrite(
        "stack",
        {
            "verify": False,
            "clientImage": "client:1",
            "verifyTimeout": 5,
            "env": {"A": "b"},
            "port": 81,
            "gateways": [{"name": "edge", "port": 82}],
            "exposures": [
                {"name": "shop", "createService": False, "image": "shop:1", "gateway": "edge"}
            ],
        },
    )
    assert unused == ["clientImage", "verifyTimeout", "env", "exposures[0].image"]
    assert "client" not in config
    assert at(config, "gateways.edge.port") == 82
    assert at(config, "exposures.shop.service") == {
        "name": "httpbin",
        "port": 8000,
        "create": False,
    }


# What is refused


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        (
            {"servicetype": "NodePort"},
            [
                "servicetype: found an unknown key, expected one of release 2"
                " (did you mean serviceType?)"
            ],
        ),
        ({"port": "eighty"}, ["port: found 'eighty', expected an integer"]),
        ({"port": True}, ["port: found True, expected an integer"]),
        ({"port": 80.5, "verify": 1}, ["port: found 80.5", "verify: found 1, expected true or"]),
        ({"namespace": {"name": "a"}}, ["namespace: found {'name': 'a'}, expected a string"]),
        ({"namespace": None}, ["namespace: found None, expected a string"]),
        ({"image": ""}, ["image: found '', expected a string that is not empty"]),
        ({"hostnames": []}, ["hostnames: found [], expected a list that is not empty"]),
        ({"hostnames": "a.example.com"}, ["hostnames: found 'a.example.com', expected a list"]),
        ({"env": "A=b"}, ["env: found 'A=b', expected a mapping"]),
        (
            {"ingressUseWaypoint": "both"},
            ["ingressUseWaypoint: found 'both', expected one of service, namespace"],
        ),
        ({"exposures": "a"}, ["exposures: found 'a', expected a list"]),
        ({"exposures": ["a"]}, ["exposures[0]: found 'a', expected a mapping"]),
        ({"exposures": [{}]}, ["exposures[0].name: found nothing, expected a string"]),
        (
            {"gateways": [{"name": "a", "paths": []}, {"name": "a"}]},
            [
                "gateways[0].paths: found an unknown key, expected one of release 2",
                "gateways[1].name: found 'a', which is taken already",
            ],
        ),
        (
            {"exposures": [{"name": "a", "createNamespace": False}, {"name": "b"}]},
            [
                "createNamespace: found both true and false for namespace httpbin, expected one of"
                " them"
            ],
        ),
        (
            {"port": 80, "cluster": {}},
            [
                "cluster: found an unknown key, expected one of release 2; it is of the new form:"
                " take it out, and put it back afterwards"
            ],
        ),
        (
            {"image": {"secure": "v1:a"}, "exposures": [{"name": "a", "env": {"secure": "v1:b"}}]},
            [
                "image: found a secret, expected plain text, as release 2 took no secrets. Take it"
                " out, and set it at its new place afterwards, with"
                " `pulumi config set --secret --path`",
                "exposures[0].env: found a secret",
            ],
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(
    values: dict[str, Any], faults: list[str]
) -> None:
    with pytest.raises(InvalidInput) as found:
        rewrite("Pulumi.dev.yaml", values)
    heading, *lines = str(found.value).splitlines()
    assert heading == "Pulumi.dev.yaml:"
    assert len(lines) == len(faults)
    for line, fault in zip(lines, faults, strict=True):
        assert line.startswith(f"  {fault}")


def test_a_refused_key_is_told_its_new_path() -> None:
    command = "(`python -m components rewrite Pulumi.STACK.yaml` rewrites the file)"
    assert moved("serviceType") == f"now exposures.NAME.gateway.serviceType {command}"
    assert moved("paths") == f"now exposures.NAME.rules[0].paths {command}"
    assert moved("context") == f"now cluster.context {command}"
    assert moved("exposures") == f"now exposures.NAME, a mapping by name {command}"
    assert [moved(key) for key in ("cluster", "servicetype", "labels")] == [None, None, None]


@pytest.mark.parametrize(
    ("config", "old", "new"),
    [
        ({}, False, False),
        ({"labels": {}, "annotations": {}, "imageRegistry": "mirror"}, False, False),
        ({"port": 80}, True, False),
        ({"exposures": []}, True, False),
        ({"exposures": '[{"name": "a"}]'}, True, False),
        ({"gateways": [], "labels": {}}, True, False),
        ({"exposures": {"a": {}}}, False, True),
        ({"waypoints": '{"a": {}}'}, False, True),
        ({"cluster": {}}, False, True),
        ({"cluster": {}, "port": 80}, True, True),
    ],
)
def test_the_forms_are_told_apart(config: dict[str, Any], *, old: bool, new: bool) -> None:
    assert (is_release_2(config), is_new(config)) == (old, new)


# The command

Command = Callable[..., str]


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: ambient-exposure\n")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(EXAMPLE)
    return file


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command, and returns what it printed."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["rewrite", *map(str, arguments)])
        main()
        return "".join(capsys.readouterr())

    return run


def files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_the_command_rewrites_a_file_and_keeps_the_old_one(
    command: Command, stack_file: Path
) -> None:
    said = command(stack_file)
    assert files(stack_file.parent).keys() == {
        "Pulumi.yaml",
        "Pulumi.dev.yaml",
        "Pulumi.dev.yaml.release-2",
    }
    assert stack_file.with_name("Pulumi.dev.yaml.release-2").read_text() == EXAMPLE
    text = stack_file.read_text()
    assert project_config(text) == SEVERAL
    assert list(project_config(text)["exposures"]) == ["shop", "blog"]
    assert "&" not in text  # what stands twice is written twice
    # Every line that is not the project's stays.
    assert text.startswith(BEFORE)
    assert text.endswith(AFTER)
    assert f"{stack_file} has the new form" in said
    assert "Pulumi.dev.yaml.release-2 the old one" in said


def test_a_rewritten_file_is_left_as_it_is(command: Command, stack_file: Path) -> None:
    command(stack_file)
    before = files(stack_file.parent)
    assert command(stack_file) == f"{stack_file} is in the form of this release already\n"
    assert files(stack_file.parent) == before


def test_output_goes_elsewhere(command: Command, stack_file: Path) -> None:
    printed = command(stack_file, "--output", "-")
    assert project_config(printed) == SEVERAL
    target = stack_file.with_name("new.yaml")
    command(stack_file, "--output", target)
    assert target.read_text() == printed
    assert files(stack_file.parent).keys() == {"Pulumi.yaml", "Pulumi.dev.yaml", "new.yaml"}
    assert stack_file.read_text() == EXAMPLE


def test_what_is_left_out_is_said(command: Command, stack_file: Path) -> None:
    stack_file.write_text(
        "config:\n  ambient-exposure:createService: false\n  ambient-exposure:image: shop:1\n"
    )
    assert command(stack_file).endswith("left out, as they had no effect: image\n")


def test_the_project_may_be_named(command: Command, stack_file: Path) -> None:
    stack_file.with_name("Pulumi.yaml").unlink()
    command(stack_file, "--project", "other-project")
    config = yaml.safe_load(stack_file.read_text())["config"]
    assert config["other-project:exposures"]["exposure"]["gateway"]["port"] == 0x50
    assert "ambient-exposure:serviceType" in config


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("Pulumi.dev.yaml", "config:\n  ambient-exposure:prot: 80\n", "prot: found an unknown key"),
        ("Pulumi.dev.yaml", "- config\n", "found no mapping `config`, expected a Pulumi.STACK"),
        ("Pulumi.dev.yaml", "config: [\n", "expected the node content"),
        (
            "Pulumi.dev.yaml",
            "config: {ambient-exposure:port: 80}\n",
            "found {} around keys, expected a line for each of `config`",
        ),
        ("Pulumi.dev.yaml.release-2", "", "release-2: found such a file, expected none"),
        ("Pulumi.yaml", "runtime: python\n", "found no name, expected the project's"),
    ],
)
def test_nothing_is_written_where_something_is_wrong(
    command: Command, stack_file: Path, name: str, text: str, fault: str
) -> None:
    stack_file.with_name(name).write_text(text)
    before = files(stack_file.parent)
    with pytest.raises(SystemExit) as found:
        command(stack_file)
    assert fault in str(found.value.code)
    assert files(stack_file.parent) == before


@pytest.mark.parametrize("missing", ["Pulumi.yaml", "Pulumi.dev.yaml"])
def test_a_file_that_is_not_there_is_named(
    command: Command, stack_file: Path, missing: str
) -> None:
    stack_file.with_name(missing).unlink()
    with pytest.raises(SystemExit, match=re.escape(missing)):
        command(stack_file)


@pytest.mark.parametrize(
    "text", ["", "config:\n", "config: {}\n", "encryptionsalt: v1:salt", "# nothing\n"]
)
def test_a_file_without_keys_gets_the_defaults(text: str) -> None:
    rewritten, _ = rewrite_text("stack", text, "ambient-exposure") or ("", [])
    assert project_config(rewritten) == DEFAULTS
    assert ("encryptionsalt: v1:salt\n" in rewritten) == ("salt" in text)


AMBIGUOUS = ["yes", "on", "1:30", "08", "1e3", "0o17", "0x10", "~", "2024-01-01", "=", "<<"]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1),
        st.sampled_from(AMBIGUOUS) | st.text(st.characters(min_codepoint=161, max_codepoint=383)),
        min_size=1,
    ).filter(lambda env: env.keys() != {"secure"})
)
def test_text_stays_text(env: dict[str, str]) -> None:
    text = f"config:\n  ambient-exposure:env: {json.dumps(env)}\n"
    rewritten, _ = rewrite_text("stack", text, "ambient-exposure") or ("", [])
    assert at(project_config(rewritten), f"{ONE}.service.env") == env


def test_plain_scalars_are_read_as_pulumi_reads_them() -> None:
    text = "config:\n  ambient-exposure:args: [yes, 1:30, 2024-01-01]\n"
    rewritten, _ = rewrite_text("stack", text, "ambient-exposure") or ("", [])
    assert at(project_config(rewritten), f"{ONE}.service.args") == ["yes", "1:30", "2024-01-01"]


@pytest.mark.parametrize("value", AMBIGUOUS)
def test_text_is_quoted_that_pulumi_would_read_as_something_else(value: str) -> None:
    text = f"config:\n  ambient-exposure:args: {json.dumps([value])}\n"
    rewritten, _ = rewrite_text("stack", text, "ambient-exposure") or ("", [])
    assert f"- '{value}'\n" in rewritten


# This release


@pytest.mark.parametrize("text", ["", EXAMPLE], ids=["defaults", "several"])
def test_what_is_written_is_a_configuration_of_this_release(text: str) -> None:
    rewritten, _ = rewrite_text("stack", text, "ambient-exposure") or ("", [])
    pulumi.runtime.set_mocks(cast("Any", None), project="ambient-exposure", stack="dev")
    pulumi.runtime.set_all_config(
        {
            f"ambient-exposure:{k}": v if isinstance(v, str) else json.dumps(v)
            for k, v in project_config(rewritten).items()
        },
        [],
    )
    args = load()
    pulumi.runtime.set_all_config({}, [])
    assert args["exposures"].keys() == project_config(rewritten)["exposures"].keys()
