"""Configuration: how it is read, what it means, and what is refused in which words."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin, is_typeddict

import pulumi
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components import WaypointBinding
from components.checks.faults import Faults, InvalidInput
from components.checks.schema import allowed_types
from components.stack import expose, load
from components.stack.arguments import StackArgs
from components.stack.configuration import EXAMPLE, renamed
from components.stack.needs import needs
from components.stack.places import namespaces
from tests.unit.conftest import PROJECT, SAMPLE, Run, handed_over, patched

NAME = "a DNS label: lower-case letters, digits and '-', 1 to 63 characters"
SERVICE = NAME.replace(" label:", " label that starts with a letter:")
HOST = "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path"
PATH = "a path that starts with '/' and has no '//', '/./', '/../', '%2F' or '#'"
PORT = "a port from 1 to 65535"
UNPRIVILEGED = "a port from 1024 to 65535"
IMAGE = "an image reference like 'docker.io/curlimages/curl:8.16.0'"
SECONDS = "seconds from 1 to 3600"
KEY = "a key like 'app' or 'example.com/app', the name behind '/' at most 63 characters"
LABEL = "letters, digits, '-', '_' and '.', a letter or digit at both ends, at most 63 characters"
TLS = "a Secret, 'name' or 'namespace/name'"
SOME = "at least one"
SERVICE_TYPES = "one of ClusterIP, LoadBalancer, NodePort"

Values = dict[str, Any]
"""Keys of a stack."""


def shop(**patch: Any) -> Values:
    """An exposure, but for `patch`: of mappings only what is named, None takes it out."""
    service = {"name": "shop", "port": 80, "image": "shop:1", "containerPort": 8080}
    exposure: Values = patched(
        {"service": service, "hostnames": ["shop.example.com"], "rules": [{"paths": ["/api"]}]},
        patch,
    )
    return exposure


def several(*patches: Values, **values: Any) -> Values:
    """Exposures `e0`, `e1` and so on that have nothing in common, and other keys of their stack."""
    exposures = {
        f"e{index}": patched(
            shop(service={"name": f"s{index}"}, hostnames=[f"h{index}.example.com"]), patch
        )
        for index, patch in enumerate(patches)
    }
    return {"exposures": exposures, **values}


def handover(values: Values, secret: Sequence[str] = ()) -> None:
    """Let the stack `dev` have a configuration, in which the keys `secret` hold a secret."""
    pulumi.runtime.set_mocks(cast("Any", None), project=PROJECT["name"], stack="dev")
    configure(values, secret)


def configure(values: Values, secret: Sequence[str] = ()) -> None:
    """Let the running stack have a configuration."""
    secret_keys = [f"{PROJECT['name']}:{key}" for key in secret]
    pulumi.runtime.set_all_config(handed_over(PROJECT, values), secret_keys)


def read(values: Values) -> Any:
    """The arguments that a configuration stands for, as mappings of any shape."""
    handover(values)
    return load()


def faults_of(values: Values, secret: Sequence[str] = ()) -> list[str]:
    """What is refused of a configuration."""
    handover(values, secret)
    with pytest.raises(InvalidInput) as refused:
        load()
    heading, *lines = str(refused.value).split("\n  ")
    assert heading == "configuration of stack dev:"
    return lines


# Reading


def test_keys_that_are_declared_are_renamed_and_all_else_is_data() -> None:
    probe = {"httpGet": {"path": "/", "port": 8080}, "initialDelaySeconds": 1}
    patch = {"deployment": {"spec": {"minReadySeconds": 1}}, "serviceAccount": {"ready_timeout": 1}}
    match = {"path": {"type": "Exact", "value": "/"}, "queryParams": [{"name": "a", "value": "b"}]}
    backend = {"name": "shop", "port": 80, "weight": 1}
    exposure = {
        "namespace": {"discoveryLabels": {"readyTimeout": "a_b"}},
        "service": {
            "name": "shop",
            "port": 80,
            "image": "shop:1",
            "containerPort": 8080,
            "env": {"readyTimeout": "readyTimeout", "ready_timeout": "1"},
            "securityContext": {"runAsNonRoot": True},
            "readinessProbe": probe,
            "canary": {"image": "shop:2", "weight": 1, "livenessProbe": probe},
        },
        "hostnames": ["shop.example.com"],
        "rules": [{"matches": [match], "backendRefs": [backend], "timeouts": {"request": "1s"}}],
        "ingressRules": [{"paths": ["/readyTimeout"]}],
        "gateway": {
            "serviceType": "LoadBalancer",
            "allowedRoutes": {"namespaces": {"from": "All"}},
        },
        "waypoint": {"waypointFor": "all", "customization": patch},
        "policies": [{"action": "DENY", "rules": [{"to": [{"operation": {"notPaths": ["/"]}}]}]}],
        "jwtRules": [{"issuer": "a", "jwksUri": "https://a", "fromHeaders": [{"name": "b"}]}],
        "requireWaypoint": True,
        "readyTimeout": 5,
    }
    stack = {
        "imageRegistry": "mirror",
        "labels": {"containerPort": "1"},
        "exposures": {"ready-timeout": exposure},
    }
    args = read(stack)
    assert args["image_registry"] == "mirror"
    assert args["labels"] == {"containerPort": "1"}
    assert args["exposures"] == {
        "ready-timeout": {
            "namespace": {"name": "ready-timeout", "discovery_labels": {"readyTimeout": "a_b"}},
            "service": {
                "name": "shop",
                "port": 80,
                "image": "shop:1",
                "container_port": 8080,
                "env": {"readyTimeout": "readyTimeout", "ready_timeout": "1"},
                "security_context": {"runAsNonRoot": True},
                "readiness_probe": probe,
                "canary": {"image": "shop:2", "weight": 1, "liveness_probe": probe},
            },
            "hostnames": ["shop.example.com"],
            "rules": exposure["rules"],
            "ingress_rules": [{"paths": ["/readyTimeout"]}],
            "gateway": {
                "service_type": "LoadBalancer",
                "allowed_routes": {"namespaces": {"from": "All"}},
            },
            "waypoint": {"waypoint_for": "all", "customization": patch},
            "policies": exposure["policies"],
            "jwt_rules": exposure["jwtRules"],
            "require_waypoint": True,
            "ready_timeout": 5,
        }
    }


WORDS = st.sampled_from(["ready_timeout", "readyTimeout", "a", "a_b", "A_B", "a-b", "a.b/c", ""])
"""Texts and keys of data, also those that look like keys that are renamed."""

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(WORDS, inside, max_size=2),
    max_leaves=4,
)


def in_camel_case(field: str) -> str:
    first, *words = field.split("_")
    return first + "".join(map(str.capitalize, words))


@st.composite
def written(draw: st.DrawFn, shape: Any) -> tuple[Any, Any]:
    """A value of a declared shape, as it stands in a configuration and in a program."""
    type_ = next(allowed_types(shape))
    origin = get_origin(type_) or type_
    if is_typeddict(origin):
        fields = draw(st.sets(st.sampled_from(list(origin.__annotations__)), max_size=3))
        pairs = {field: draw(written(origin.__annotations__[field])) for field in sorted(fields)}
        return (
            {in_camel_case(field): value for field, (value, _) in pairs.items()},
            {field: value for field, (_, value) in pairs.items()},
        )
    if origin is Mapping:
        held = draw(st.dictionaries(WORDS, written(get_args(type_)[1]), max_size=2))
        return {k: one for k, (one, _) in held.items()}, {k: one for k, (_, one) in held.items()}
    if origin is Sequence:
        listed = draw(st.lists(written(get_args(type_)[0]), max_size=2))
        return [one for one, _ in listed], [one for _, one in listed]
    scalars = {str: WORDS, int: st.integers(), float: st.floats(), bool: st.booleans(), Any: DATA}
    value = draw(st.sampled_from(get_args(type_)) if origin is Literal else scalars[origin])
    return value, value


@given(written(StackArgs))
def test_any_configuration_is_the_arguments_of_a_program(pair: tuple[Values, Values]) -> None:
    configuration, program = pair
    before = deepcopy(configuration)
    faults = Faults("none")
    assert renamed(faults, "", configuration, StackArgs) == program
    assert not faults
    assert configuration == before


def test_what_a_program_writes_is_refused_with_the_key_to_write() -> None:
    values = {
        "image_registry": "mirror",
        **several({"ready_timeout": 1, "rules": [{"backend_refs": []}], "gatway_class": 1}),
        "defaults": {"service": {"container_port": 8080}},
    }
    keys = "exposures, gateways, waypoints, namespaces, defaults, primary, renamed, client"
    top, *inside = faults_of(values)
    assert top == (
        f"'image_registry': found an unknown key, expected one of {keys}, cluster, labels,"
        " annotations, imageRegistry (did you mean imageRegistry?)."
        " `pulumi config rm image_registry` removes it"
    )
    assert [one.partition(" (did")[0][:90] for one in inside[1:2]] == [
        "exposures.e0['gatway_class']: found an unknown key, expected one of namespace, service, ho"
    ]
    assert [inside[0], *inside[2:]] == [
        "exposures.e0['ready_timeout']: found an unknown key, expected readyTimeout",
        "exposures.e0.rules[0]['backend_refs']: found an unknown key, expected backendRefs",
        "defaults.service['container_port']: found an unknown key, expected containerPort",
    ]


def test_the_sample_and_the_example_are_right() -> None:
    for config in (SAMPLE, yaml.safe_load(EXAMPLE)["config"]):
        args = read({key.removeprefix(f"{PROJECT['name']}:"): one for key, one in config.items()})
        assert len(args["exposures"]) == 1


@pytest.mark.parametrize("values", [{}, {"labels": {}}, {"exposures": {}}, {"exposures": ""}])
def test_a_stack_without_exposures_is_shown_what_to_write(values: Values) -> None:
    handover(values)
    with pytest.raises(InvalidInput, match="expected at least one, for example:\n") as refused:
        load()
    assert str(refused.value).endswith(EXAMPLE)


@pytest.mark.parametrize(
    "values",
    [
        {"gateways": {"edge": {"hostnames": ["*.example.com"]}}},
        {"waypoints": {"shared": {}}},
        {"namespaces": {"ingress": {"ambient": False}}},
    ],
)
def test_a_stack_may_make_nothing_but_what_others_share(values: Values) -> None:
    args = read(values)
    assert args["exposures"] == {}
    assert needs(args)["namespaces"]


def test_values_of_other_packages_are_left_alone() -> None:
    handover({"exposures": {"shop": shop()}})
    pulumi.runtime.set_config("kubernetes:strictMode", "true")
    assert load().keys() >= {"exposures"}


def test_keys_of_release_2_are_refused_with_the_new_place() -> None:
    command = "(`python -m components rewrite Pulumi.STACK.yaml` rewrites the file)"
    assert faults_of({"serviceType": "LoadBalancer", "paths": ["/a"], "labels": {}}) == [
        f"serviceType: now exposures.NAME.gateway.serviceType {command}",
        f"paths: now exposures.NAME.rules[0].paths {command}",
    ]
    listed = [{"name": "shop"}]
    assert faults_of({"exposures": listed, "gateways": listed, "waypoints": []}) == [
        f"{key}: now {key}.NAME, a mapping by name {command}"
        for key in ("exposures", "gateways", "waypoints")
    ]
    # What has its new form already is not spoken of.
    assert faults_of({**several({}), "context": "production", "gateways": {}}) == [
        f"context: now cluster.context {command}"
    ]


# What is refused, by its path

STACK: Values = {
    "labels": {"team": "shop"},
    "annotations": {"team": "shop"},
    "imageRegistry": "mirror",
    "primary": "shop",
    "cluster": {"context": "production"},
    "client": {"image": "curl:1"},
    "defaults": {"gateway": {"port": 80}},
    "namespaces": {"apps": {"create": False}},
    "gateways": {"edge": {"hostnames": ["*.example.com"], "tls": {"issuer": "self-signed"}}},
    "waypoints": {"shared": {"allowedRoutes": {"namespaces": {"from": "All"}}}},
    "exposures": {
        "shop": shop(
            namespace={"name": "shop"},
            gateway={"serviceType": "LoadBalancer"},
            waypoint={"name": "proxy"},
            verification={"checks": [{"path": "/api?page=1", "status": 404}]},
        ),
        "blog": shop(
            service={
                "name": "blog",
                "create": False,
                "selector": {"app": "blog"},
                "image": None,
                "containerPort": None,
            },
            hostnames=["blog.example.com"],
        ),
    },
}

SHOP, EDGE, SHARED = "exposures.shop", "gateways.edge", "waypoints.shared"

SECTIONS = tuple(f"{section}{end}" for section in STACK for end in (".", "["))

Case = tuple[str, Any, str]
"""The path of a setting, its value (`...`: left out), and the fault, of which `…` leaves out the
end; where it is of another path, this stands in front."""

WRONG: list[Case] = [
    ("exposures", "a", "found 'a', expected a mapping"),
    ("exposures", "{shop: 1}", "found '{shop: 1}', expected a mapping"),
    (SHOP, "a", "found 'a', expected a mapping"),
    (SHOP, None, "found None, expected a mapping"),
    ("exposures.Shop", shop(), f"found 'Shop', expected {NAME}"),
    ("exposures.my_shop", shop(), f"exposures['my_shop']: found 'my_shop', expected {NAME}"),
    ("gateways", "edge", "found 'edge', expected a mapping"),
    ("gateways.Edge", {"hostnames": ["a.example.com"]}, f"found 'Edge', expected {NAME}"),
    (
        "waypoints.none",
        {},
        "found 'none', expected another name: in Istio's labels 'none' means"
        " that there is no waypoint",
    ),
    ("namespaces.A", {}, f"found 'A', expected {NAME}"),
    ("namespaces.apps.name", "Apps", f"found 'Apps', expected {NAME}"),
    ("namespaces.apps.create", "no", "found 'no', expected true or false"),
    (
        "namespaces.apps.existing",
        {"name": "a"},
        "found an unknown key, expected one of name, create, discoveryLabels, ambient",
    ),
    ("labels", ["a"], "found ['a'], expected a mapping"),
    ("labels.team", "-", f"found '-', expected {LABEL}"),
    ("labels.team", 1, "found 1, expected a string"),
    ("labels.a b", "c", f"labels['a b']: found 'a b', expected {KEY}"),
    ("annotations.a b", "c", f"annotations['a b']: found 'a b', expected {KEY}"),
    ("annotations.team", True, "found True, expected a string"),
    ("imageRegistry", "https://mirror", f"found 'https://mirror', expected {IMAGE}"),
    ("cluster", "production", "found 'production', expected a mapping"),
    ("cluster.preflight", "", "found '', expected true or false"),
    ("cluster.context", 1, "found 1, expected a string"),
    (
        "cluster.needs.services",
        [{"name": "a", "port": 80}],
        "cluster.needs.services[0].namespace: found nothing, expected a string",
    ),
    ("client.namespace.name", "-curl", f"found '-curl', expected {NAME}"),
    ("client.image", "", f"found '', expected {IMAGE}"),
    ("client.readyTimeout", 0, f"found 0, expected {SECONDS}"),
    (
        "client.existing",
        {},
        "found an unknown key, expected one of name, namespace, image, pod, readyTimeout",
    ),
    ("defaults", [], "found [], expected a mapping"),
    ("defaults.gateway.port", 0, f"found 0, expected {PORT}"),
    (
        "defaults.gatway",
        {},
        "found an unknown key, expected one of namespace, service, hostnames,"
        " rules, grpcRules, ingressRules, weights, grants, gateway, waypoint, trafficPolicy,"
        " policies, jwtRules, requireWaypoint, trustDomain, verification, readyTimeout (did you"
        " mean gateway?)",
    ),
    (f"{SHOP}.namespace", "shop", "found 'shop', expected a mapping"),
    (f"{SHOP}.namespace.name", "Shop", f"found 'Shop', expected {NAME}"),
    (f"{SHOP}.namespace.name", "a" * 64, f"found '{'a' * 64}', expected {NAME}"),
    (f"{SHOP}.namespace.create", 1, "found 1, expected true or false"),
    (f"{SHOP}.namespace.ambient", "yes", "found 'yes', expected true or false"),
    (f"{SHOP}.namespace.discoveryLabels", ["a"], "found ['a'], expected a mapping"),
    (
        f"{SHOP}.namespace.discoveryLabels",
        {"a b": "c"},
        f"{SHOP}.namespace.discoveryLabels['a b']: found 'a b', expected {KEY}",
    ),
    (
        f"{SHOP}.namespace.existing",
        {"entry": "apps"},
        f"{SHOP}.namespace.name: is for one of its own, found beside existing",
    ),
    (
        f"{SHOP}.namespace",
        {"existing": {}},
        f"{SHOP}.namespace.existing: expected either entry or name of the namespace",
    ),
    (f"{SHOP}.service", ..., "found nothing, expected a mapping"),
    (f"{SHOP}.service.name", "a" * 64, f"found '{'a' * 64}', expected {SERVICE}"),
    (f"{SHOP}.service.name", "http_bin", f"found 'http_bin', expected {SERVICE}"),
    (f"{SHOP}.service.name", "1shop", f"found '1shop', expected {SERVICE}"),
    (f"{SHOP}.service.port", -1, f"found -1, expected {PORT}"),
    (f"{SHOP}.service.port", "eighty", "found 'eighty', expected an integer"),
    (f"{SHOP}.service.port", True, "found True, expected an integer"),
    (f"{SHOP}.service.port", 80.5, "found 80.5, expected an integer"),
    (f"{SHOP}.service.image", ..., "found nothing, expected it for a service to deploy"),
    (f"{SHOP}.service.image", "Not An Image", f"found 'Not An Image', expected {IMAGE}"),
    (f"{SHOP}.service.containerPort", ..., "found nothing, expected it for a service to deploy"),
    (f"{SHOP}.service.containerPort", 65536, f"found 65536, expected {PORT}"),
    (f"{SHOP}.service.containerPort", 80, f"found 80, expected {UNPRIVILEGED}"),
    (
        f"{SHOP}.service.selector",
        {"app": "shop"},
        "is for a service that is adopted; this one is deployed",
    ),
    ("exposures.blog.service.image", "blog:1", "is for a service to deploy; this one is adopted"),
    ("exposures.blog.service.env", {"A": "b"}, "is for a service to deploy; this one is adopted"),
    (
        "exposures.blog.service.canary",
        {"image": "blog:2", "weight": 1},
        "is for a service to deploy; this one is adopted",
    ),
    (
        "exposures.blog.service.selector.app",
        1,
        "exposures.blog.service.selector['app']: found 1, expected a string",
    ),
    (
        f"{SHOP}.service.protocol",
        "http2",
        "found 'http2', expected one of http, grpc, h2c, ws, tls, tcp (did you mean http?)",
    ),
    (f"{SHOP}.service.replicas", 1001, "found 1001, expected an integer from 0 to 1000"),
    (f"{SHOP}.service.args", "-v", "found '-v', expected a list"),
    (f"{SHOP}.service.env", ["a"], "found ['a'], expected a mapping"),
    (f"{SHOP}.service.env.a_b", 1, f"{SHOP}.service.env['a_b']: found 1, expected a string"),
    (f"{SHOP}.service.securityContext", "none", "found 'none', expected a mapping"),
    (
        f"{SHOP}.service.canary",
        {"weight": 1},
        f"{SHOP}.service.canary.image: found nothing, expected a string",
    ),
    (
        f"{SHOP}.service.canary",
        {"image": "a:2", "weight": 101},
        f"{SHOP}.service.canary.weight: found 101, expected an integer from 0 to 100",
    ),
    (
        f"{SHOP}.service.canary",
        {"image": "a:2", "weight": 1, "port": 80},
        f"{SHOP}.service.canary.port: found an unknown key, expected one of protocol, args, env,"
        " replicas, resources, securityContext, readinessProbe, livenessProbe, pod, ports,"
        " horizontalPodAutoscaler, podDisruptionBudget, image, weight (did you mean ports?)",
    ),
    (f"{SHOP}.hostnames", ..., "found nothing, expected a list"),
    (f"{SHOP}.hostnames", [], f"found [], expected {SOME}"),
    (f"{SHOP}.hostnames", "shop.example.com", "found 'shop.example.com', expected a list"),
    (f"{SHOP}.hostnames", {"a": "b"}, "found {'a': 'b'}, expected a list"),
    (
        f"{SHOP}.hostnames",
        ["a.example.com"] * 2,
        f"{SHOP}.hostnames[1]: a.example.com stands there already",
    ),
    *(
        (f"{SHOP}.hostnames[0]", host, f"found {host!r}, expected {HOST}")
        for host in (
            "httpbin.example.com/headers",
            "http://httpbin.example.com",
            "httpbin.example.com:80",
            "Httpbin.example.com",
            "10.0.0.1",
            "a.*.example.com",
            "*",
            "a..b",
            "",
        )
    ),
    (f"{SHOP}.rules", ..., "found neither rules nor grpcRules, expected one of them"),
    (f"{SHOP}.rules", [], f"found [], expected {SOME}"),
    (f"{SHOP}.rules[0]", "/api", "found '/api', expected a mapping"),
    (f"{SHOP}.rules[0].paths", [], f"found [], expected {SOME}"),
    (f"{SHOP}.rules[0].path", ["/"], "found an unknown key, expected one of name, matches, …"),
    *(
        (f"{SHOP}.rules[0].paths[0]", path, f"found {path!r}, expected {PATH}")
        for path in ("status", "/a//b", "/a/../b", "/a/./b", "/a/..", "/a%2fb", "/a#b", "/a b")
    ),
    (
        "exposures.blog.grpcRules",
        [{}],
        "exposures.blog.rules: found both grpcRules and rules, expected one of them",
    ),
    (
        f"{SHOP}.ingressRules",
        [{"paths": ["a"]}],
        f"{SHOP}.ingressRules[0].paths[0]: found 'a', expected {PATH}",
    ),
    (f"{SHOP}.grants", "all", "found 'all', expected true or false"),
    (f"{SHOP}.policies", {"action": "DENY"}, "found {'action': 'DENY'}, expected a list"),
    (
        f"{SHOP}.policies",
        [{"action": "ALOW", "rules": []}],
        f"{SHOP}.policies[0].action: found 'ALOW', expected one of ALLOW, DENY, AUDIT, CUSTOM (did"
        " you mean ALLOW?)",
    ),
    (
        f"{SHOP}.policies",
        [{"rules": []}],
        f"{SHOP}.policies[0].action: found nothing, expected one of ALLOW, DENY, AUDIT, CUSTOM",
    ),
    (
        f"{SHOP}.policies",
        [{"action": "ALLOW"}],
        f"{SHOP}.policies[0].rules: found nothing, expected a list",
    ),
    (
        f"{SHOP}.jwtRules",
        [{}],
        f"{SHOP}.jwtRules[0]: found neither issuer nor jwksUri, expected one of them",
    ),
    (f"{SHOP}.requireWaypoint", "no", "found 'no', expected true or false"),
    (f"{SHOP}.trustDomain", "a/b", f"found 'a/b', expected {HOST}"),
    (f"{SHOP}.readyTimeout", 0, f"found 0, expected {SECONDS}"),
    (f"{SHOP}.readyTimeout", 3601, f"found 3601, expected {SECONDS}"),
    (f"{SHOP}.gateway", "edge", "found 'edge', expected a mapping"),
    (
        f"{SHOP}.gateway.existing",
        {"entry": "edge"},
        f"{SHOP}.gateway.serviceType: is for one of its own, found beside existing",
    ),
    (
        f"{SHOP}.gateway.addressType",
        "IPAddress",
        "found IPAddress beside serviceType LoadBalancer, which reports external addresses",
    ),
    (
        f"{SHOP}.gateway.tls",
        {},
        f"{SHOP}.gateway.tls.certificates: found none for shop.example.com, expected its Secret,"
        " an issuerRef, or issuer: self-signed",
    ),
    (
        f"{SHOP}.gateway.tls",
        {"mode": "MUTUAL", "issuer": "self-signed"},
        f"{SHOP}.verification: found beside gateway.tls.mode MUTUAL: its client has no certificate"
        " to show. Leave it out, or use OPTIONAL_MUTUAL",
    ),
    (
        f"{EDGE}.existing",
        {"entry": "edge"},
        "found an unknown key, expected one of name, port, tls,"
        " listeners, allowedRoutes, allowedListeners, serviceType, address, addressType,"
        " gatewayClass, nameOverride, revision, policies, jwtRules, trustedProxies, rateLimit,"
        " customization, clusterDomain, dns, telemetry, namespace, hostnames, protocol,"
        " readyTimeout (did you mean revision?)",
    ),
    (f"{EDGE}.hostnames", ..., "found nothing, expected a list"),
    (f"{EDGE}.hostnames[0]", "*", f"found '*', expected {HOST}"),
    (f"{EDGE}.readyTimeout", 0, f"found 0, expected {SECONDS}"),
    (
        f"{EDGE}.tls",
        {"port": 8443},
        f"{EDGE}.tls.certificates: found none for *.example.com, expected its Secret, an"
        " issuerRef, or issuer: self-signed",
    ),
    *(
        (f"{gateway}.{option}", value, f"found {value!r}, expected {expected}")
        for gateway in (f"{SHOP}.gateway", EDGE)
        for option, value, expected in (
            ("name", "a.b", NAME),
            ("serviceType", "Clusterip", f"{SERVICE_TYPES} (did you mean ClusterIP?)"),
            ("serviceType", "ExternalName", SERVICE_TYPES),
            ("serviceType", "", SERVICE_TYPES),
            ("addressType", "IP", "one of Hostname, IPAddress"),
            ("port", 70000, PORT),
            ("port", 0, PORT),
            ("port", "80", "an integer"),
            ("gatewayClass", "Istio", NAME),
            ("nameOverride", "a.b", SERVICE),
            ("address", "a.example.com", "an IP address"),
            ("revision", "-", LABEL),
            ("clusterDomain", "cluster..local", HOST),
            ("listeners", {}, "a list"),
            ("customization", [], "a mapping"),
        )
    ),
    *(
        (f"{gateway}.{option}", value, f"{gateway}.{option}{fault}")
        for gateway in (f"{SHOP}.gateway", EDGE)
        for option, value, fault in (
            ("listeners", [{"name": "a", "port": 1}], "[0].protocol: found nothing, expected …"),
            (
                "allowedRoutes",
                {"namespaces": {"from": "Any"}},
                ".namespaces.from: found 'Any', expected one of All, …",
            ),
            (
                "tls",
                {"mod": "SIMPLE"},
                ".mod: found an unknown key, expected one of certificates,"
                " issuer, issuerRef, mode, frontend, port, redirect, grants (did you mean mode?)",
            ),
            (
                "tls",
                {"issuer": "letsencrypt"},
                ".issuer: found 'letsencrypt', expected one of self-signed",
            ),
            ("tls", {"issuer": "self-signed", "port": 0}, f".port: found 0, expected {PORT}"),
            ("tls", {"issuer": "self-signed", "port": 80}, ".port: found 80, which is port too"),
            (
                "tls",
                {"certificates": {"a": "b/c/d"}},
                f".certificates['a']: found 'b/c/d', expected {TLS}",
            ),
            (
                "tls",
                {"issuer": "self-signed", "certificates": {"a.b": "a"}},
                ".certificates['a.b']: is none of the host names",
            ),
            (
                "customization",
                {"pod": {}},
                ".pod: found an unknown key, expected one of deployment, service, serviceAccount,"
                " horizontalPodAutoscaler, podDisruptionBudget",
            ),
            (
                "customization",
                {"deployment": {"metadata": {"name": "a"}}},
                ".deployment.metadata.name: found a change of it, which istiod refuses: leave it"
                " out",
            ),
            (
                "customization",
                {"service": {"spec": {"selector": {}}}},
                ".service.spec.selector: found a change of it, which istiod refuses: leave it out",
            ),
            (
                "customization",
                {"horizontalPodAutoscaler": {"spec": {}}},
                ".horizontalPodAutoscaler.spec.maxReplicas: found nothing, expected a number:"
                " without it istiod allows one pod",
            ),
        )
    ),
    (f"{EDGE}.address", "192.0.2.1", "needs serviceType LoadBalancer, which gives it"),
    (f"{SHOP}.waypoint", [], "found [], expected a mapping"),
    (
        f"{SHOP}.waypoint.existing",
        {"entry": "shared"},
        f"{SHOP}.waypoint.name: is for one of its own, found beside existing",
    ),
    (
        f"{SHOP}.waypoint.ingressUseWaypoint",
        "namespace",
        "found 'namespace', expected true or false",
    ),
    (
        f"{SHARED}.hostnames",
        [],
        "found an unknown key, expected one of name, waypointFor, allowedRoutes, gatewayClass,"
        " revision, rateLimit, customization, telemetry, namespace, readyTimeout (did you mean"
        " name?)",
    ),
    *(
        (f"{waypoint}.{option}", value, f"found {value!r}, expected {expected}")
        for waypoint in (f"{SHOP}.waypoint", SHARED)
        for option, value, expected in (
            (
                "name",
                "none",
                "another name: in Istio's labels 'none' means that there is no waypoint",
            ),
            ("waypointFor", "pod", "one of service, workload, all, none"),
            (
                "waypointFor",
                "services",
                "one of service, workload, all, none (did you mean service?)",
            ),
            ("gatewayClass", "", NAME),
            ("revision", "a b", LABEL),
        )
    ),
    *(
        (
            f"{SHOP}.waypoint.waypointFor",
            passes,
            f"found {passes!r}, expected 'service' or 'all': the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )
        for passes in ("workload", "none")
    ),
    (
        "exposures.blog",
        {
            **STACK["exposures"]["blog"],
            "requireWaypoint": True,
            "service": {"name": "blog", "port": 80, "create": False},
        },
        "exposures.blog.service.selector: found nothing, expected the labels of the pods for which"
        " requireWaypoint is",
    ),
    (f"{SHOP}.verification", True, "found True, expected a mapping"),
    (f"{SHOP}.verification.timeout", 3601, f"found 3601, expected {SECONDS}"),
    (f"{SHOP}.verification.checks", ..., "found nothing, expected a list"),
    (f"{SHOP}.verification.checks", [], f"found [], expected {SOME}"),
    (f"{SHOP}.verification.checks[0]", "/get", "found '/get', expected a mapping"),
    (f"{SHOP}.verification.checks[0].status", ..., "found nothing, expected an integer"),
    (f"{SHOP}.verification.checks[0].status", 99, "found 99, expected an integer from 100 to 599"),
    (
        f"{SHOP}.verification.checks[0].path",
        "get",
        "found 'get', expected a path that starts with '/', a query allowed",
    ),
    (
        f"{SHOP}.verification.checks[0].host",
        "x",
        "found an unknown key, expected one of path, status, method, headers, body,"
        " responseHeaders, responseBody",
    ),
    (
        f"{SHOP}.verification.checks",
        [{"path": "/apis", "status": 200}],
        f"{SHOP}.verification.checks[0]: found /apis to be answered 200, but the waypoint lets"
        " through only /api. Change the rules or the check",
    ),
    (
        f"{SHOP}.verification.client",
        {"namespace": "curl", "account": "curl", "image": "curl:1"},
        "is the same for all exposures of a stack. Set client instead",
    ),
]


def at_path(path: str, value: Any) -> Values:
    """The stack with another value at `path`, or without one."""
    values = deepcopy(STACK)
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    holder: Any = values
    for step in steps:
        holder = holder[int(step)] if step.isdigit() else holder.setdefault(step, {})
    if value is ...:
        del holder[last]
    else:
        holder[int(last) if last.isdigit() else last] = value
    return values


def test_the_stack_is_right_that_is_made_wrong_below() -> None:
    assert read(STACK)


@pytest.mark.parametrize(("path", "value", "fault"), WRONG)
def test_a_wrong_value_is_named_by_its_path(path: str, value: Any, fault: str) -> None:
    (found,) = faults_of(at_path(path, value))
    expected = fault if fault.startswith(SECTIONS) else f"{path}: {fault}"
    if expected.endswith("…"):
        assert found.startswith(expected[:-1])
    else:
        assert found == expected


def test_every_fault_is_reported_at_once() -> None:
    values = several(
        {"hostnames": ["A", "b."], "gateway": {"tls": {"a": 1}}},
        {"service": {"port": "80"}, "grants": "maybe"},
        labels={"a": "-"},
        gateways={"edge": {"port": 0}},
    )
    assert [fault.partition(": ")[0] for fault in faults_of(values)] == [
        "exposures.e0.hostnames[0]",
        "exposures.e0.hostnames[1]",
        "exposures.e0.gateway.tls.a",
        "exposures.e1.service.port",
        "exposures.e1.grants",
        "gateways.edge.port",
        "labels.a",
    ]
    # What is missing, or wrong together, is looked for in values that are right by themselves.
    values = several(
        {"service": {"containerPort": 1}},
        {"rules": None},
        {"gateway": {"address": "192.0.2.1"}},
        gateways={"edge": {}},
        waypoints={"shared": {"customization": {"service": {"metadata": {"name": "a"}}}}},
    )
    assert [fault.partition(": ")[0] for fault in faults_of(values)] == [
        "exposures.e0.service.containerPort",
        "exposures.e1.rules",
        "exposures.e2.gateway.address",
        "gateways.edge.hostnames",
        "waypoints.shared.customization.service.metadata.name",
    ]


# Defaults


def test_an_exposure_takes_from_the_defaults_what_it_leaves_out() -> None:
    defaults = {
        "namespace": {"discoveryLabels": {"a": "b"}},
        "service": {"replicas": 2, "env": {"A": "1"}},
        "rules": [{"paths": ["/default"]}],
        "gateway": {"serviceType": "LoadBalancer", "tls": {"issuer": "self-signed", "port": 8443}},
        "requireWaypoint": True,
        "readyTimeout": 5,
    }
    own = {
        "namespace": {"name": "own", "discoveryLabels": {}},
        "service": {"env": {"B": "2"}},
        "rules": [{"paths": ["/own"]}],
        "gateway": {"port": 81, "tls": {"issuer": "self-signed"}},
        "requireWaypoint": False,
    }
    args = read(several({"rules": None}, own, defaults=defaults))
    assert "defaults" not in args
    whole, partly = args["exposures"].values()
    assert whole == {
        "namespace": {"name": "e0", "discovery_labels": {"a": "b"}},
        "service": {
            "name": "s0",
            "port": 80,
            "image": "shop:1",
            "container_port": 8080,
            "replicas": 2,
            "env": {"A": "1"},
        },
        "hostnames": ["h0.example.com"],
        "rules": [{"paths": ["/default"]}],
        "gateway": {
            "service_type": "LoadBalancer",
            "tls": {"issuer": "self-signed", "port": 8443},
        },
        "require_waypoint": True,
        "ready_timeout": 5,
    }
    # A part is completed option by option, an option is taken as a whole.
    assert partly == {
        "namespace": {"name": "own", "discovery_labels": {}},
        "service": {
            "name": "s1",
            "port": 80,
            "image": "shop:1",
            "container_port": 8080,
            "replicas": 2,
            "env": {"B": "2"},
        },
        "hostnames": ["h1.example.com"],
        "rules": [{"paths": ["/own"]}],
        "gateway": {
            "service_type": "LoadBalancer",
            "port": 81,
            "tls": {"issuer": "self-signed"},
        },
        "require_waypoint": False,
        "ready_timeout": 5,
    }


def test_shared_entries_and_the_client_take_what_is_theirs_from_the_defaults() -> None:
    args = read(
        {
            "defaults": {
                "namespace": {"discoveryLabels": {"a": "b"}, "create": False, "ambient": False},
                "service": {"replicas": 2},
                "gateway": {"gatewayClass": "edge", "port": 81},
                "waypoint": {"gatewayClass": "inside", "ingressUseWaypoint": True},
                "trustDomain": "example.com",
                "readyTimeout": 5,
            },
            "namespaces": {"apps": {}, "others": {"discoveryLabels": {}}},
            "gateways": {
                "edge": {"hostnames": ["*.example.com"]},
                "own": {
                    "name": "own-gateway",
                    "namespace": {"discoveryLabels": {}},
                    "hostnames": ["*.example.org"],
                    "port": 82,
                    "readyTimeout": 6,
                },
            },
            "waypoints": {"shared": {"namespace": {"existing": {"entry": "apps"}}}},
            "client": {"image": "curl:1"},
            "exposures": {"shop": shop()},
        }
    )
    assert args["namespaces"] == {
        "apps": {"name": "apps", "discovery_labels": {"a": "b"}},
        "others": {"name": "others", "discovery_labels": {}},
    }
    assert args["gateways"] == {
        "edge": {
            "name": "edge",
            "namespace": {"name": "edge", "discovery_labels": {"a": "b"}},
            "hostnames": ["*.example.com"],
            "gateway_class": "edge",
            "port": 81,
            "ready_timeout": 5,
        },
        "own": {
            "name": "own-gateway",
            "namespace": {"name": "own", "discovery_labels": {}},
            "hostnames": ["*.example.org"],
            "gateway_class": "edge",
            "port": 82,
            "ready_timeout": 6,
        },
    }
    assert args["waypoints"] == {
        "shared": {
            "name": "shared",
            "namespace": {"existing": {"entry": "apps"}},
            "gateway_class": "inside",
            "ready_timeout": 5,
        }
    }
    assert args["client"] == {
        "image": "curl:1",
        "namespace": {"name": "client", "discovery_labels": {"a": "b"}},
        "ready_timeout": 5,
    }
    assert args["exposures"]["shop"]["waypoint"] == {
        "gateway_class": "inside",
        "ingress_use_waypoint": True,
    }


EXISTING = {"existing": {"entry": "shared"}}


@pytest.mark.parametrize(
    ("default", "own", "whole"),
    [
        # What exists takes no options of those that are made.
        ({"gatewayClass": "a"}, EXISTING, EXISTING),
        (
            {"gatewayClass": "a", "ingressUseWaypoint": True},
            EXISTING,
            {**EXISTING, "ingress_use_waypoint": True},
        ),
        # All may use one that exists, but for those that say otherwise.
        (EXISTING, {}, EXISTING),
        (EXISTING, None, EXISTING),
        (EXISTING, {"ingressUseWaypoint": True}, {**EXISTING, "ingress_use_waypoint": True}),
        (EXISTING, {"name": "own"}, {"name": "own"}),
        # Then the options are for those that do, and for the shared ones.
        ({**EXISTING, "gatewayClass": "a"}, None, EXISTING),
        ({**EXISTING, "gatewayClass": "a"}, {}, EXISTING),
        ({**EXISTING, "gatewayClass": "a"}, {"name": "b"}, {"name": "b", "gateway_class": "a"}),
    ],
)
def test_an_existing_part_and_options_of_ones_own_exclude_each_other(
    default: Values, own: Values | None, whole: Values
) -> None:
    shared = {"shared": {"allowedRoutes": {"namespaces": {"from": "All"}}}}
    entry = {} if own is None else {"waypoint": own}
    args = read(several(entry, defaults={"waypoint": default}, waypoints=shared))
    assert args["exposures"]["e0"]["waypoint"] == whole
    assert "existing" not in args["waypoints"]["shared"]


def test_what_is_said_twice_is_refused_where_it_is_said() -> None:
    namespace = {"existing": {"entry": "apps"}, "name": "apps"}
    values = several({"namespace": namespace}, namespaces={"apps": {}})
    values["gateways"] = {"edge": {"hostnames": ["*.example.com"], "namespace": namespace}}
    fault = "is for one of its own, found beside existing"
    assert faults_of(values) == [
        f"exposures.e0.namespace.name: {fault}",
        f"gateways.edge.namespace.name: {fault}",
    ]


# What does not fit together

CANARY = {"image": "shop:2", "weight": 1}
VERIFIED = {"verification": {"checks": [{"path": "/api", "status": 200}]}}
ALL = {"allowedRoutes": {"namespaces": {"from": "All"}}}
SAME = {"allowedRoutes": {"namespaces": {"from": "Same"}}}
GATEWAY: Values = {"hostnames": ["*.example.com"], **ALL}
BEHIND_EDGE = {"gateway": {"existing": {"entry": "edge"}}}
SHARING = {"waypoint": {"existing": {"entry": "shared"}}}
IN_APPS = {"namespace": {"existing": {"entry": "apps"}}}
FOREIGN = {"waypoint": {"existing": {"name": "waypoint", "namespace": "mesh"}}}
FOREIGN_GATEWAY = {
    "gateway": {
        "existing": {
            "name": "front",
            "namespace": "front",
            "host": "192.0.2.1",
            "port": 80,
            "url": "http://192.0.2.1:80",
            "urls": ["http://192.0.2.1:80"],
        }
    }
}


def at_edge(*patches: Values, gateway: Values | None = None, **values: Any) -> Values:
    """Exposures that share the gateway `edge`."""
    behind = [{**BEHIND_EDGE, **patch} for patch in patches]
    return several(*behind, gateways={"edge": {**GATEWAY, **(gateway or {})}}, **values)


def sharing(*patches: Values, waypoint: Values | None = None, **values: Any) -> Values:
    """Exposures that share the waypoint `shared`."""
    shared = [{**SHARING, **patch} for patch in patches]
    return several(*shared, waypoints={"shared": ALL if waypoint is None else waypoint}, **values)


CONFLICTS: list[tuple[Values, str]] = [
    # References
    (
        several(BEHIND_EDGE, gateways={"edges": GATEWAY}),
        "exposures.e0.gateway.existing.entry: found 'edge', expected one of gateways: edges (did"
        " you mean edges?)",
    ),
    (
        several(BEHIND_EDGE),
        "exposures.e0.gateway.existing.entry: found 'edge', expected one of gateways: none",
    ),
    (
        several(SHARING, waypoints={"shard": ALL, "a": ALL}),
        "exposures.e0.waypoint.existing.entry: found 'shared', expected one of waypoints: shard, a"
        " (did you mean shard?)",
    ),
    (
        several(IN_APPS, namespaces={"app": {}}),
        "exposures.e0.namespace.existing.entry: found 'apps', expected one of namespaces: app (did"
        " you mean app?)",
    ),
    (
        several({}, gateways={"edge": {**GATEWAY, **IN_APPS}}),
        "gateways.edge.namespace.existing.entry: found 'apps', expected one of namespaces: none",
    ),
    (
        several({}, waypoints={"shared": IN_APPS}),
        "waypoints.shared.namespace.existing.entry: found 'apps', expected one of namespaces: none",
    ),
    (
        several({}, defaults=BEHIND_EDGE),
        "exposures.e0.gateway.existing.entry: found 'edge', expected one of gateways: none",
    ),
    (
        several({}, {}, primary="e11"),
        "primary: found 'e11', expected one of exposures: e0, e1 (did you mean e1?)",
    ),
    # Namespaces
    (
        sharing({"namespace": {"name": "a"}}, {"namespace": {"name": "a"}}),
        "exposures.e1.namespace: found a, which is at exposures.e0.namespace already. Put it into"
        " namespaces, and write existing: {entry: NAME} in both",
    ),
    (
        several({"namespace": {"name": "edge"}}, gateways={"edge": GATEWAY}),
        "exposures.e0.namespace: found edge, which is at gateways.edge.namespace already. Put it"
        " into namespaces, and write existing: {entry: NAME} in both",
    ),
    (
        several({"namespace": {"name": "a"}}, namespaces={"apps": {"name": "a"}}),
        "exposures.e0.namespace: found a, which is at namespaces.apps already. Write existing:"
        " {entry: apps}",
    ),
    (
        sharing({"namespace": {"existing": {"name": "e1"}}}, {}),
        "exposures.e0.namespace: found e1, which is at exposures.e1.namespace already. Put it into"
        " namespaces, and write existing: {entry: NAME} in both",
    ),
    (
        several({"namespace": {"existing": {"name": "apps"}}}, namespaces={"apps": {}}),
        "exposures.e0.namespace: found apps, which is at namespaces.apps already. Write existing:"
        " {entry: apps}",
    ),
    (
        several({}, namespaces={"a": {}, "b": {"name": "a"}}),
        "namespaces.b.name: found a, which is at namespaces.a already",
    ),
    (
        several({"namespace": {"name": "apps"}}, namespaces={"apps": {"name": "a"}}),
        "exposures.e0.namespace: found apps, expected another name: namespaces.apps is called a",
    ),
    # Names
    (
        at_edge(
            {**IN_APPS, **SHARING, "service": {"name": "a"}},
            {**IN_APPS, **SHARING, "service": {"name": "a"}},
            namespaces={"apps": {}},
            waypoints={"shared": ALL},
        ),
        "exposures.e1.service.name: makes Service apps/a, which exposures.e0.service.name makes"
        " already",
    ),
    (
        sharing(
            {**IN_APPS, "service": {"name": "a", "canary": CANARY}},
            {**IN_APPS, "service": {"name": "a-canary"}},
            namespaces={"apps": {}},
        ),
        "exposures.e1.service.name: makes Service apps/a-canary, which exposures.e0.service.name"
        " makes already",
    ),
    (
        {
            "exposures": {
                "a": shop(service={"canary": CANARY}),
                "a-canary": shop(hostnames=["b.example.com"]),
            }
        },
        "exposures.a-canary: makes the resources of a-canary, which exposures.a makes already",
    ),
    (
        several(
            {},
            namespaces={"apps": {}},
            gateways={"edge": {**GATEWAY, **IN_APPS}},
            waypoints={"edge": IN_APPS},
        ),
        "gateways.edge.name: makes Gateway apps/edge, which waypoints.edge.name makes already",
    ),
    (
        several(
            {**IN_APPS, "gateway": {"name": "edge"}},
            namespaces={"apps": {}},
            gateways={"edge": {**GATEWAY, **IN_APPS}},
        ),
        "exposures.e0.gateway.name: makes Gateway apps/edge, which gateways.edge.name makes"
        " already",
    ),
    (
        several({"service": {"name": "a"}, "gateway": {"name": "a-waypoint"}}),
        "exposures.e0.waypoint.name: makes Gateway e0/a-waypoint, which exposures.e0.gateway.name"
        " makes already",
    ),
    (
        several(
            {**IN_APPS, "service": {"name": "a"}, "waypoint": {"existing": {"entry": "a"}}},
            {
                **IN_APPS,
                "service": {"name": "b", "create": False, "image": None, "containerPort": None},
                "waypoint": {"existing": {"entry": "a"}},
            },
            namespaces={"apps": {}},
            waypoints={"a": {**IN_APPS}},
        ),
        "waypoints.a.name: makes Service apps/a, which exposures.e0.service.name makes already",
    ),
    (
        sharing(
            {**IN_APPS, "service": {"name": "a"}, "gateway": {"name": "edge"}},
            {**IN_APPS, "service": {"name": "edge-istio"}},
            namespaces={"apps": {}},
        ),
        "exposures.e0.gateway.name: makes Service apps/edge-istio, which exposures.e1.service.name"
        " makes already",
    ),
    # The client
    (
        several(
            {**VERIFIED, "namespace": {"name": "tests"}},
            {},
            client={"namespace": {"name": "tests"}},
        ),
        "client.namespace: found tests, which is at exposures.e0.namespace already. Put it into"
        " namespaces, and write existing: {entry: NAME} in both",
    ),
    (
        several(VERIFIED, namespaces={"tests": {}}, client={"namespace": {"name": "tests"}}),
        "client.namespace: found tests, which is at namespaces.tests already. Write existing:"
        " {entry: tests}",
    ),
    (
        several(VERIFIED, client={"namespace": {"existing": {"entry": "tests"}}}),
        "client.namespace.existing.entry: found 'tests', expected one of namespaces: none",
    ),
    # Shared gateways
    (
        at_edge({"hostnames": ["a.example.org"]}),
        "exposures.e0.hostnames: found a.example.org, which gateway edge does not serve; it serves"
        " *.example.com",
    ),
    (
        at_edge({}, gateway=SAME),
        "exposures.e0.gateway: found edge, whose allowedRoutes admit only its own namespace edge,"
        " not e0. Set gateways.edge.allowedRoutes to {namespaces: {from: All}}, or to a Selector",
    ),
    (
        several(BEHIND_EDGE, gateways={"edge": {"hostnames": ["*.example.com"]}}),
        "exposures.e0.gateway: found edge, whose allowedRoutes admit only its own namespace edge,"
        " not e0. Set gateways.edge.allowedRoutes to {namespaces: {from: All}}, or to a Selector",
    ),
    (
        at_edge(VERIFIED, gateway={"tls": {"mode": "MUTUAL", "issuer": "self-signed"}}),
        "exposures.e0.verification: found beside gateway edge, to which clients show certificates:"
        " the verification has none. Leave it out, or set tls.mode to OPTIONAL_MUTUAL",
    ),
    *(
        (
            several(
                {**behind, "hostnames": ["a.example.com", "b.example.com"]},
                {**behind, "hostnames": ["b.example.com"]},
                gateways={"edge": GATEWAY},
            ),
            "exposures.e1.ingressRules: b.example.com is claimed with the match"
            ' {"path": {"type": "PathPrefix", "value": "/"}} at exposures.e0 already: the older'
            " route gets all requests. Change hostnames, or ingressRules",
        )
        for behind in (BEHIND_EDGE, FOREIGN_GATEWAY)
    ),
    (
        at_edge(
            {"ingressRules": [{"paths": ["/a"]}]},
            {
                "hostnames": ["h0.example.com"],
                "ingressRules": [
                    {"paths": ["/b"]},
                    {"matches": [{"path": {"value": "/a", "type": "PathPrefix"}}]},
                ],
            },
        ),
        "exposures.e1.ingressRules: h0.example.com is claimed with the match"
        ' {"path": {"type": "PathPrefix", "value": "/a"}} at exposures.e0 already: the older route'
        " gets all requests. Change hostnames, or ingressRules",
    ),
    (
        at_edge({"hostnames": ["a.example.com", "a.example.com"]}),
        "exposures.e0.hostnames[1]: a.example.com stands there already",
    ),
    # Shared waypoints
    (
        sharing({}, waypoint={}),
        "exposures.e0.waypoint: found shared, whose allowedRoutes admit only its own namespace"
        " shared, not e0. Set waypoints.shared.allowedRoutes to {namespaces: {from: All}}, or to a"
        " Selector",
    ),
    *(
        (
            sharing({}, waypoint={**ALL, "waypointFor": passes}),
            f"exposures.e0.waypoint: found shared, whose waypointFor is {passes}: the gateway's"
            " requests are to a Service, and would pass by the waypoint and its rules",
        )
        for passes in ("workload", "none")
    ),
    (
        several(
            {"gateway": {"existing": {"name": "front", "namespace": "edge"}}},
            gateways={"edge": {**GATEWAY, "name": "front"}},
        ),
        "exposures.e0.gateway.existing: found edge/front, which is at gateways.edge. Write"
        " existing: {entry: edge}",
    ),
    *(
        (
            several(
                {**IN_APPS, **first},
                {**IN_APPS, **second},
                namespaces={"apps": {}},
                waypoints={"shared": ALL},
            ),
            "exposures.e1.waypoint: namespace apps has another one at exposures.e0 already. Put one"
            " into waypoints, and write existing: {entry: NAME} in both, or binds: Service here",
        )
        for first, second in (({}, {}), ({}, SHARING), (SHARING, {}), (FOREIGN, SHARING))
    ),
    (
        several(
            {**IN_APPS, **SHARING},
            {**IN_APPS, "waypoint": {**SHARING["waypoint"], "ingressUseWaypoint": True}},
            namespaces={"apps": {}},
            waypoints={"shared": ALL},
        ),
        "exposures.e1.waypoint.ingressUseWaypoint: found True in namespace apps, expected False as"
        " at exposures.e0",
    ),
]


@pytest.mark.parametrize(("values", "fault"), CONFLICTS)
def test_entries_that_do_not_fit_together(values: Values, fault: str) -> None:
    assert faults_of(values) == [fault]


FITTING: list[Values] = [
    # Where nothing is verified, there is no client that is in the way.
    several({"namespace": {"name": "curl"}}, client={"namespace": {"name": "curl"}}),
    several(
        {**VERIFIED, **IN_APPS},
        namespaces={"apps": {}},
        client=IN_APPS,
    ),
    at_edge({"hostnames": ["*.a.example.com"]}),
    at_edge({"hostnames": ["*.example.com"]}, gateway={"hostnames": ["a.example.com"]}),
    at_edge(
        IN_APPS,
        gateway={**SAME, **IN_APPS},
        namespaces={"apps": {}},
    ),
    sharing(IN_APPS, waypoint=IN_APPS, namespaces={"apps": {}}),
    sharing({}, {}, waypoint={**ALL, "waypointFor": "all"}),
    # Of different gateways, or with different matches, one host name is exposed twice.
    several(
        {**BEHIND_EDGE, "hostnames": ["a.example.com"]},
        {**FOREIGN_GATEWAY, "hostnames": ["a.example.com"]},
        {"hostnames": ["a.example.com"]},
        {"hostnames": ["a.example.com"]},
        gateways={"edge": GATEWAY},
    ),
    at_edge(
        {"hostnames": ["a.example.com"], "ingressRules": [{"paths": ["/a"]}]},
        {"hostnames": ["a.example.com"], "ingressRules": [{"paths": ["/b"]}]},
    ),
    # Two services of a namespace share a waypoint, also one of somebody else.
    sharing(IN_APPS, IN_APPS, namespaces={"apps": {}}),
    several({**IN_APPS, **FOREIGN}, {**IN_APPS, **FOREIGN}, namespaces={"apps": {}}),
    # What is bound by itself has any waypoint.
    *(
        several(
            {**IN_APPS, **first},
            {**IN_APPS, "waypoint": {**second, "binds": "Service"}},
            namespaces={"apps": {}},
            waypoints={"shared": ALL},
        )
        for first, second in (({}, {}), ({}, SHARING["waypoint"]), (SHARING, {}))
    ),
    # A namespace of somebody else may hold any of them.
    several(
        {"namespace": {"existing": {"name": "a"}}, **FOREIGN},
        {"namespace": {"existing": {"name": "a"}}, **FOREIGN},
    ),
    several({"verification": {"checks": [{"path": "/api/b?c=d", "status": 200}]}}),
    several(
        {
            "verification": {
                "checks": [{"path": "/api?c", "status": 200}, {"path": "/b", "status": 404}]
            }
        }
    ),
    # What other matches than prefixes let through is not judged.
    several({**VERIFIED, "rules": [{"paths": ["/a"]}, {"matches": [{"method": "GET"}]}]}),
    several({**VERIFIED, "rules": [{"paths": ["/a"], "matches": [{"path": {"value": "/api"}}]}]}),
    several({}, {}, primary="e1"),
]


@pytest.mark.parametrize("values", FITTING)
def test_entries_that_fit_together(values: Values) -> None:
    assert read(values)


def test_every_conflict_is_reported_at_once() -> None:
    values = several(
        {**BEHIND_EDGE, "hostnames": ["a.example.org"]},
        {**SHARING, "namespace": {"name": "e0"}},
        gateways={"edge": GATEWAY},
        waypoints={"shared": {}},
        primary="shop",
    )
    assert [fault.partition(": ")[0] for fault in faults_of(values)] == [
        "primary",
        "exposures.e1.namespace",
        "exposures.e1.waypoint",
        "exposures.e0.hostnames",
        "exposures.e1.waypoint",
    ]


# What becomes of it


def test_every_namespace_is_made_once_and_enrolled_where_services_are() -> None:
    args = read(
        several(
            IN_APPS,
            {**IN_APPS, **SHARING, **BEHIND_EDGE},
            {"namespace": {"name": "own", "create": False}},
            {"namespace": {"existing": {"name": "foreign"}}},
            defaults=SHARING,
            namespaces={"apps": {"name": "applications"}},
            gateways={"edge": GATEWAY},
            waypoints={"shared": {**ALL, "namespace": {"ambient": True}}},
        )
    )
    assert namespaces(args) == {
        "apps": {"name": "applications"},
        "shared": {"name": "shared", "ambient": True},
        # The pods of gateways are no workloads of the mesh.
        "edge": {"name": "edge", "ambient": False},
        "own": {"name": "own", "create": False},
    }


TEAM, AMBIENT = {"team": "shop"}, {"istio.io/dataplane-mode": "ambient"}


def test_the_preflight_looks_for_what_all_entries_need() -> None:
    args = read(
        several(
            {**BEHIND_EDGE, **VERIFIED, "waypoint": {"gatewayClass": "slow"}},
            {**SHARING, "namespace": {"existing": {"name": "foreign"}}},
            {
                "namespace": {"create": False, "discoveryLabels": {"mesh": "blue"}},
                "service": {"create": False, "image": None, "containerPort": None},
                "gateway": {"nameOverride": "front"},
                "rules": [{}],
            },
            gateways={"edge": {**GATEWAY, "gatewayClass": "fast"}},
            waypoints={"shared": ALL},
            client={"namespace": {"name": "tests", "discoveryLabels": {"mesh": "green"}}},
            labels=TEAM,
        )
    )
    found = needs(args)
    made = [(one["entry"], one["name"], one["suffix"]) for one in found.pop("entries")]
    assert made == [
        ("shared", "shared", "-waypoint"),
        ("edge", "edge", "-gateway"),
        ("e0", "s0-ingress", "-ingress-route"),
        ("e1", "s1-ingress", "-ingress-route"),
        ("e2", "s2-ingress", "-ingress-route"),
    ]
    assert [tuple(one.values()) for one in found.pop("bindings")] == [
        ("e0", "s0", True, "e0/s0-waypoint", "Namespace"),
        ("foreign", "s1", True, "shared/shared", "Namespace"),
        ("e2", "s2", False, "e2/s2-waypoint", "Service"),
    ]
    assert found == {
        "releases": [],
        "definitions": [],
        "namespaces": [
            {"name": name, "create": create, "labels": labels, "enrol": enrol}
            for name, create, labels, enrol in (
                ("shared", True, TEAM, True),
                ("edge", True, TEAM, True),
                ("e0", True, {**TEAM, **AMBIENT}, True),
                # Nobody asked to enrol what is adopted, or to capture only proxies.
                ("e2", False, {"mesh": "blue", **AMBIENT}, False),
                ("foreign", False, {}, False),
                ("tests", True, {**TEAM, "mesh": "green", **AMBIENT}, True),
            )
        ],
        "gateway_classes": ["istio-waypoint", "fast", "slow", "istio"],
        "ztunnel": False,
        "providers": [],
        "issuers": [],
        "services": [{"namespace": "e2", "name": "s2", "port": 80}],
        "proxies": [
            {"namespace": "foreign", "name": "s1-gateway", "generated": "s1-gateway-istio"},
            {"namespace": "e2", "name": "s2-gateway", "generated": "front"},
            {"namespace": "e2", "name": "s2-waypoint", "generated": "s2-waypoint"},
        ],
        "routes": [
            {"namespace": "e0", "service": "s0", "hostnames": ["h0.example.com"]},
            {
                "namespace": "foreign",
                "service": "s1",
                "hostnames": ["h1.example.com"],
                "waypoint_namespace": "shared",
            },
            {"namespace": "e2", "service": "s2", "hostnames": ["h2.example.com"]},
        ],
        "authorizers": [],
        "rate_limits": False,
        "gateways": [],
        "waypoints": [],
    }
    args = read(several({"requireWaypoint": True, **FOREIGN}, renamed={"e0": "former"}))
    found = needs(args)
    assert found.pop("entries") == [
        {
            "type": "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
            "namespace": "e0",
            "name": "s0-ingress",
            "entry": "e0",
            "former": "former",
            "suffix": "-ingress-route",
        }
    ]
    assert [one["waypoint"] for one in found.pop("bindings")] == ["mesh/waypoint"]
    assert found == {
        "releases": [],
        "definitions": [],
        "namespaces": [{"name": "e0", "create": True, "labels": AMBIENT, "enrol": True}],
        "gateway_classes": ["istio"],
        "ztunnel": True,
        "providers": [],
        "issuers": [],
        "services": [],
        "proxies": [],
        "routes": [
            {
                "namespace": "e0",
                "service": "s0",
                "hostnames": ["h0.example.com"],
                "waypoint_namespace": "mesh",
            }
        ],
        "authorizers": [],
        "rate_limits": False,
        "gateways": [],
        "waypoints": [
            {"namespace": "mesh", "name": "waypoint", "attached": "e0", "labels": AMBIENT}
        ],
    }


def test_the_preflight_looks_for_what_others_made() -> None:
    gateway = {"existing": {"name": "edge", "namespace": "ingress", "listenerPort": 8080}}
    args = read(
        several(
            {"gateway": gateway, **FOREIGN, "hostnames": ["a.example.com"]},
            {**BEHIND_EDGE, **SHARING, "namespace": {"name": "own", "create": False}},
            {**FOREIGN, "namespace": {"existing": {"name": "foreign"}}},
            defaults={"namespace": {"discoveryLabels": {"mesh": "on"}}},
            labels={"team": "shop"},
            gateways={"edge": GATEWAY},
            waypoints={"shared": ALL},
        )
    )
    labels = {"team": "shop", "mesh": "on", "istio.io/dataplane-mode": "ambient"}
    assert needs(args)["gateways"] == [
        {
            "namespace": "ingress",
            "name": "edge",
            "attached": "e0",
            "labels": labels,
            "hostnames": ["a.example.com"],
            "listener_port": 8080,
        }
    ]
    waypoint = {"namespace": "mesh", "name": "waypoint"}
    assert needs(args)["waypoints"] == [
        {**waypoint, "attached": "e0", "labels": labels},
        {**waypoint, "attached": "foreign", "labels": {}},
    ]


def test_the_preflight_takes_what_is_needed_besides_and_may_be_left_out(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("components.cluster.provider.preflight", lambda _, one: asked.append(one))
    run(cluster={"preflight": True, "needs": {"ztunnel": True}})
    run(cluster={"preflight": False})
    (needed,) = asked
    assert [one["name"] for one in needed["namespaces"]] == ["httpbin", "curl"]
    assert needed["ztunnel"] is True


def test_namespaces_are_bound_once_for_all_of_their_exposures(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def bind(name: str, *args: Any) -> WaypointBinding:
        made.append(name)
        return WaypointBinding(name, *args)

    monkeypatch.setattr("components.stack.stack.WaypointBinding", bind)
    values = several(
        *({**IN_APPS, **SHARING, "requireWaypoint": True},) * 2,
        {**FOREIGN, "requireWaypoint": True},
        {"waypoint": {**FOREIGN["waypoint"], "binds": "Service"}, "requireWaypoint": True},
        {},
        namespaces={"apps": {}},
        waypoints={"shared": ALL},
    )
    graph = run(**values).graph
    assert made == ["apps", "e2", "e4"]
    labels = {
        key: one.inputs["metadata"]["labels"]
        for key, one in graph.items()
        if key.endswith("-binding")
    }
    assert labels == {
        "NamespacePatch/apps-binding": {
            "istio.io/use-waypoint": "shared",
            "istio.io/use-waypoint-namespace": "shared",
        },
        "NamespacePatch/e2-binding": {
            "istio.io/use-waypoint": "waypoint",
            "istio.io/use-waypoint-namespace": "mesh",
        },
        "NamespacePatch/e4-binding": {"istio.io/use-waypoint": "s4-waypoint"},
    }
    for name, place in (("e0", "apps"), ("e1", "apps"), ("e2", "e2")):
        assert f"NamespacePatch/{place}-binding" in graph[f"Service/{name}-service"].dependencies
    # Bound by itself or with its namespace, its waypoint is the one that may reach the pods.
    (rule,) = graph["AuthorizationPolicy/e3-waypoint-only"].inputs["spec"]["rules"]
    assert rule["from"] == [{"source": {"principals": ["cluster.local/ns/mesh/sa/waypoint"]}}]


OUTPUTS = {
    *("ingressHost", "ingressPort", "ingressUrl", "ingressUrls", "ingressAddresses"),
    *("ingressInternalHost", "ingressConditions", "waypointAddress", "waypointConditions"),
    *("dnsRecords", "commands", "verified"),
}


def test_the_flat_outputs_are_those_of_the_only_exposure_or_of_the_primary_one(run: Run) -> None:
    only = run(**several({})).exports
    assert only.keys() == OUTPUTS | {"exposures"}
    assert only["exposures"] == {"e0": {key: only[key] for key in OUTPUTS}}
    both = run(**several(VERIFIED, {"gateway": {"port": 81}}, primary="e1")).exports
    assert both["exposures"].keys() == {"e0", "e1"}
    assert both["ingressPort"] == both["exposures"]["e1"]["ingressPort"] == 81
    assert both["exposures"]["e0"]["ingressPort"] == 80
    assert both["exposures"]["e0"]["verified"] != both["verified"] == []
    neither = run(**several({}, {})).exports
    assert neither.keys() == {"exposures"}


def test_an_exposure_has_the_outputs_that_its_gateway_has(run: Run) -> None:
    patch = {"gateway": {"serviceType": "NodePort", "tls": {"issuer": "self-signed"}}}
    exports = run(**several(patch, FOREIGN_GATEWAY, FOREIGN)).exports["exposures"]
    assert exports["e0"].keys() == OUTPUTS | {"ingressNodePort", "ingressCertificate"}
    assert exports["e1"].keys() == OUTPUTS - {
        *("ingressAddresses", "ingressInternalHost", "ingressConditions")
    }
    assert exports["e2"].keys() == OUTPUTS


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
def test_images_are_taken_from_the_mirror(run: Run, image: str, mirrored: str) -> None:
    graph = run(**several({"service": {"image": image}}, imageRegistry="mirror")).graph
    pod = graph["Deployment/e0-deployment"].inputs["spec"]["template"]["spec"]
    assert [one["image"] for one in pod["containers"]] == [mirrored]


# Secrets

CIPHERTEXT = {"secure": "v1:ciphertext"}


@pytest.fixture
def stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stack file, next to Pulumi.yaml."""
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path / "Pulumi.dev.yaml"


def store(stack_file: Path, values: Values) -> None:
    """Write a stack file, in which a secret is the mapping `CIPHERTEXT`."""
    config = {f"{PROJECT['name']}:{key}": value for key, value in values.items()}
    stack_file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")


def with_env(value: Any) -> Values:
    """Exposures with a value in the environment of both versions, and another one by default."""
    canary = {**CANARY, "env": {"PASSWORD": value}}
    return several(
        {"service": {"env": {"PLAIN": "a", "PASSWORD": value}, "canary": canary}},
        {},
        defaults={"service": {"env": {"TOKEN": value}}},
    )


def test_secret_values_of_the_environment_stay_secret(stack_file: Path, run: Run) -> None:
    store(stack_file, with_env(CIPHERTEXT))

    def program() -> None:
        values = {**with_env("hunter2"), "cluster": {"preflight": False}}
        configure(values, ["exposures", "defaults"])
        expose(load())

    graph = run(program).graph
    environments = {
        key: one.inputs["spec"]["template"]["spec"]["containers"][0]["env"]
        for key, one in graph.items()
        if key.startswith("Deployment/e")
    }
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    held = {**secret, "value": "hunter2"}
    assert environments == {
        "Deployment/e0-deployment": [
            {"name": "PLAIN", "value": "a"},
            {"name": "PASSWORD", "value": held},
        ],
        "Deployment/e0-canary-deployment": [{"name": "PASSWORD", "value": held}],
        "Deployment/e1-deployment": [{"name": "TOKEN", "value": held}],
    }
    assert str([one.inputs for one in graph.values()]).count("hunter2") == 3


def with_requests(value: Any) -> Values:
    """An exposure with a value in a header and in a body of its verification."""
    check = {"path": "/api", "status": 200, "headers": {"authorization": value}, "body": value}
    return several({"verification": {"checks": [check]}})


def test_secret_headers_and_bodies_of_requests_stay_secret(stack_file: Path, run: Run) -> None:
    store(stack_file, with_requests(CIPHERTEXT))

    def program() -> None:
        configure({**with_requests("hunter2"), "cluster": {"preflight": False}}, ["exposures"])
        expose(load())

    graph = run(program).graph
    holders = {key for key, one in graph.items() if "hunter2" in str(one.inputs)}
    assert holders == {"Secret/e0-probe-requests"}
    assert "4dabf18193072939515e22adb298388d" in graph[holders.pop()].inputs["stringData"]


@pytest.mark.parametrize(
    "path",
    [
        *(f"{SHOP}.{inside}" for inside in ("hostnames[0]", "service.image", "gateway.address")),
        *("labels.team", "imageRegistry", "namespaces.env.name", "gateways.env.revision"),
        *("labels", "exposures", f"{SHOP}.service.env", "client.image"),
    ],
)
def test_a_secret_is_refused_that_the_state_would_show(stack_file: Path, path: str) -> None:
    key = path.partition(".")[0]
    store(stack_file, at_path(path, CIPHERTEXT))
    assert faults_of(at_path(path, "a"), [key])[0] == (
        f"{path}: is a secret, and would get into the state as plain text: only the values of env,"
        " and headers and body of a check, may be secret. Set it anew without --secret"
    )


def does_not_tell(stack_file: Path) -> list[str]:
    where = repr(str(stack_file))
    return [f"exposures: holds a secret, expected to find in {where} which value of it is secret"]


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "config: [",
        "config: {}",
        yaml.safe_dump({"config": {f"{PROJECT['name']}:exposures": {"shop": {}}}}),
    ],
)
def test_a_stack_file_that_does_not_tell_what_is_secret_is_named(
    stack_file: Path, stored: str | None
) -> None:
    if stored is not None:
        stack_file.write_text(stored, encoding="utf-8")
    faults = faults_of({"exposures": {"shop": shop()}}, ["exposures"])
    assert faults == does_not_tell(stack_file)


def test_another_files_secrets_are_not_taken_for_those_of_the_stack_file(stack_file: Path) -> None:
    store(stack_file, with_env(CIPHERTEXT))
    given = with_env("hunter2")
    given["exposures"]["e1"]["service"]["env"] = {"PASSWORD": "hunter3"}
    assert faults_of(given, ["exposures", "defaults"]) == does_not_tell(stack_file)
