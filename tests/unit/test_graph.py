"""The whole program's graph: names, parents, dependencies, specs, outputs."""

import copy
import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from pulumi.runtime.rpc import UNKNOWN

from components import (
    AmbientExposure,
    AmbientExposureArgs,
    CheckArgs,
    Cluster,
    IngressGateway,
    InvalidInput,
)
from components.cluster.ownership import OWNER, RESOURCE
from components.exposure.arguments import WaypointPart
from components.stack.release2 import rewrite
from tests.unit.conftest import (
    ADDRESS,
    PROJECT,
    ROOT,
    Program,
    Resource,
    Run,
    looked_for,
    needed,
    patched,
    sample,
    urn,
)

Table = dict[str, tuple[str, set[str]]]
"""Resources, the parent of each, and what each waits for, less what that waits for in its turn;
what it waits for also outlives it."""

STACK = "Stack/ambient-exposure-dev"

CLIENT: Table = {
    "kubernetes/cluster-provider": ("Cluster/cluster", set()),
    "Namespace/client-namespace": ("Namespace/client", {"NamespacePatch/httpbin-enrolment"}),
    "NamespacePatch/client-enrolment": ("Namespace/client", {"Namespace/client-namespace"}),
    "ServiceAccount/client-account": ("Client/client", {"NamespacePatch/client-enrolment"}),
    "Service/client-service": ("Client/client", {"NamespacePatch/client-enrolment"}),
    "Deployment/client-deployment": ("Client/client", {"ServiceAccount/client-account"}),
}

NAMESPACE: Table = {
    "Namespace/httpbin-namespace": ("Namespace/httpbin", set()),
    "NamespacePatch/httpbin-enrolment": ("Namespace/httpbin", {"Namespace/httpbin-namespace"}),
}

EXPOSURE: Table = {
    "ServiceAccount/httpbin-account": ("Workload/httpbin", {"NamespacePatch/httpbin-enrolment"}),
    "Service/httpbin-service": ("Workload/httpbin", {"NamespacePatch/httpbin-binding"}),
    "Deployment/httpbin-deployment": (
        "Workload/httpbin",
        {"Service/httpbin-service", "ServiceAccount/httpbin-account"},
    ),
    "Gateway/httpbin-waypoint": ("Waypoint/httpbin", {"NamespacePatch/httpbin-enrolment"}),
    "NamespacePatch/httpbin-binding": (STACK, {"Gateway/httpbin-waypoint"}),
    "Gateway/httpbin-gateway": ("IngressGateway/httpbin", {"NamespacePatch/httpbin-enrolment"}),
    "HTTPRoute/httpbin-waypoint-route": ("AmbientExposure/httpbin", {"Service/httpbin-service"}),
    "HTTPRoute/httpbin-ingress-route": (
        "AmbientExposure/httpbin",
        {"Gateway/httpbin-gateway", "HTTPRoute/httpbin-waypoint-route"},
    ),
    "Job/httpbin-probe-job": (
        "AmbientExposure/httpbin",
        {
            "HTTPRoute/httpbin-ingress-route",
            "Deployment/httpbin-deployment",
            "ServiceAccount/client-account",
        },
    ),
}

MARK = "4dabf18193072939515e22adb298388d"
"""What marks a secret on its way to the engine."""

GRAPH = CLIENT | NAMESPACE | EXPOSURE


def leaves(program: Program) -> Table:
    graph = program.graph
    return {
        key: (resource.parent, nearest(program, resource.dependencies))
        for key, resource in graph.items()
        if not resource.type.startswith(("ambient:", "pulumi:pulumi:"))
    }


def nearest(program: Program, keys: set[str]) -> set[str]:
    """`keys` without those that others of them wait for."""
    behind = [awaited(program, key) for key in keys]
    return {key for key in keys if not any(key in others for others in behind)}


def awaited(program: Program, key: str) -> set[str]:
    """All that a resource waits for, whether itself or through others."""
    direct = program.graph[key].dependencies
    return direct.union(*(awaited(program, one) for one in direct))


def without(table: Table, *parts: str) -> Table:
    """The rows whose keys have none of `parts` in them."""
    return {key: row for key, row in table.items() if not any(part in key for part in parts)}


def renamed(table: Table, names: dict[str, str]) -> Table:
    """The rows with other names."""

    def new(key: str) -> str:
        for old, name in names.items():
            key = key.replace(old, name)
        return key

    return {
        new(key): (new(parent), {new(one) for one in waits})
        for key, (parent, waits) in table.items()
    }


def spec(program: Program, key: str) -> Any:
    return program.graph[key].inputs["spec"]


def metadata(program: Program, key: str) -> Any:
    return program.graph[key].inputs["metadata"]


def labels(program: Program, key: str) -> Any:
    return metadata(program, key).get("labels", {})


def environment(program: Program) -> dict[str, str]:
    """What the script of the verification reads."""
    job = spec(program, "Job/httpbin-probe-job")
    (container,) = job["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]}


def asked(program: Program) -> list[str]:
    """What the requests of the verification are called, each with the status that is expected."""
    lines = environment(program)["CHECKS"].splitlines()
    called = [line.partition(" ")[2] for line in lines if line.startswith("request ")]
    statuses = [line.partition(" ")[2] for line in lines if line.startswith("expect ")]
    return [f"{one}: {status}" for one, status in zip(called, statuses, strict=True)]


def subject(program: Program) -> str:
    template = spec(program, "Job/httpbin-probe-job")["template"]
    return str(template["metadata"]["annotations"]["ambient-exposure/subject"])


@pytest.fixture(scope="module")
def defaults() -> list[Program]:
    return []


@pytest.fixture
def default(run: Run, defaults: list[Program]) -> Program:
    """The program with the sample's configuration, which is run once."""
    if not defaults:
        defaults.append(run())
    return defaults[0]


# One exposure


def test_every_resource_has_its_parent_and_its_dependencies(default: Program) -> None:
    assert leaves(default) == GRAPH


def test_only_components_and_bindings_of_namespaces_are_roots(default: Program) -> None:
    roots = {key for key, one in default.graph.items() if one.parent.startswith("Stack/")}
    assert roots == {
        "Cluster/cluster",
        "Namespace/httpbin",
        "Client/client",
        "AmbientExposure/httpbin",
        "NamespacePatch/httpbin-binding",
    }


def test_resources_are_named_after_their_entries_objects_after_the_service(run: Run) -> None:
    exposure = patched(
        sample()["httpbin"],
        {
            "namespace": {"name": "space"},
            "service": {"name": "server", "canary": {"image": "server:2", "weight": 1}},
            "gateway": {"serviceType": "NodePort", "tls": {"issuer": "self-signed"}},
            "requireWaypoint": True,
        },
    )
    graph = run(
        exposures={"entry": exposure}, client={"name": "asker", "namespace": {"name": "side"}}
    ).graph
    names = {
        key: one.inputs["metadata"].get("name")
        for key, one in graph.items()
        if one.type.startswith("kubernetes:")
    }
    # Followed by a digest, another one in each run.
    certificate = names.pop("Secret/entry-gateway-certificate-ebb44059")
    assert certificate.startswith("server-gateway-tls-")
    assert names == {
        "Namespace/space-namespace": "space",
        "NamespacePatch/space-enrolment": "space",
        "Namespace/client-namespace": "side",
        "NamespacePatch/client-enrolment": "side",
        "ServiceAccount/client-account": "asker",
        "Service/client-service": "asker",
        "Deployment/client-deployment": "asker",
        "ServiceAccount/entry-account": "server",
        "Service/entry-service": "server",
        "Deployment/entry-deployment": "server",
        "ServiceAccount/entry-canary-account": "server-canary",
        "Service/entry-canary-service": "server-canary",
        "Deployment/entry-canary-deployment": "server-canary",
        "Gateway/entry-waypoint": "server-waypoint",
        "NamespacePatch/space-binding": "space",
        "Gateway/entry-gateway": "server-gateway",
        "ServicePatch/entry-service": "server-gateway-istio",
        "HTTPRoute/entry-redirect": "server-gateway-redirect",
        "HTTPRoute/entry-waypoint-route": "server-waypoint-route",
        "AuthorizationPolicy/entry-waypoint-only": "server-waypoint-only",
        "AuthorizationPolicy/entry-canary-waypoint-only": "server-canary-waypoint-only",
        "HTTPRoute/entry-ingress-route": "server-ingress",
        # One of its own in each update.
        "Job/entry-probe-job": None,
    }
    places = {
        one.inputs["metadata"].get("namespace")
        for one in graph.values()
        if one.type.startswith("kubernetes:")
    }
    assert places == {None, "space", "side"}


@pytest.mark.parametrize("adopted", [True, False])
def test_what_is_named_after_a_service_of_a_long_name_is_shortened(
    run: Run, *, adopted: bool
) -> None:
    def names(service: str) -> dict[str, str]:
        exposure: dict[str, Any] = {"service": {"name": service}}
        if adopted:
            exposure |= {"service": {**ADOPTED_SERVICE["service"], "name": service}}
        else:
            exposure["service"]["canary"] = {"image": "shop:2", "weight": 1}
        graph = run(exposure=exposure).graph
        made = {key: one for key, one in graph.items() if one.type.startswith("kubernetes:")}
        given = {key: one.inputs["metadata"] for key, one in made.items()}
        return {key: one["name"] for key, one in given.items() if "name" in one}

    long = names("s" * 62 + "a")
    limits = {"Gateway/httpbin-gateway": 63 - len("-istio"), "HTTPRoute": 253}
    for key, name in long.items():
        assert len(name) <= limits.get(key, limits.get(key.partition("/")[0], 63)), key
    assert len(long["Gateway/httpbin-gateway"]) == 57
    assert long["Gateway/httpbin-gateway"].endswith("-gateway")
    assert long["Gateway/httpbin-waypoint"].endswith("-waypoint")
    # Another Service of the same beginning has other ones.
    other = names("s" * 62 + "b")
    same = {key for key in long if long[key] == other[key]}
    assert all(not long[key].startswith("s") for key in same)


def test_every_object_uses_the_explicit_provider(default: Program) -> None:
    providers = {
        resource.provider.split("::")[-2]
        for resource in default.graph.values()
        if resource.type.startswith("kubernetes:")
    }
    assert providers == {"cluster-provider"}


def test_every_object_that_is_waited_for_is_explained_where_it_fails(default: Program) -> None:
    explained = {key for key, one in default.graph.items() if one.hooks}
    assert explained == {
        "Service/httpbin-service",
        "Service/client-service",
        "Deployment/client-deployment",
        "Deployment/httpbin-deployment",
        "Gateway/httpbin-gateway",
        "Gateway/httpbin-waypoint",
        "HTTPRoute/httpbin-waypoint-route",
        "HTTPRoute/httpbin-ingress-route",
        "Job/httpbin-probe-job",
    }


def test_the_state_names_no_folder_of_a_machine(default: Program) -> None:
    ours = [one.calls for one in default.graph.values() if one.type.startswith("ambient:")]
    files = {call.removeprefix(f"file://{ROOT}/") for calls in ours for call in calls}
    # Of what Python has without a file nothing is recorded.
    assert {file.partition("/")[0] for file in files} <= {"components", "__main__.py", ""}
    assert {len(one.calls) for name, one in default.graph.items() if name != STACK} == {2, 3}


def test_a_change_is_shown_once_as_components_record_no_inputs(default: Program) -> None:
    recorded = {
        key: one.inputs for key, one in default.graph.items() if one.type.startswith("ambient:")
    }
    assert recorded == {
        key: {}
        for key in (
            "Cluster/cluster",
            "Namespace/httpbin",
            "Client/client",
            "Namespace/client",
            "AmbientExposure/httpbin",
            "Workload/httpbin",
            "Waypoint/httpbin",
            "IngressGateway/httpbin",
        )
    }


@pytest.mark.parametrize("gateway", [{}, {"tls": {"issuer": "self-signed"}}])
def test_same_input_gives_the_same_graph(run: Run, gateway: dict[str, Any]) -> None:
    first, second = (run(exposure={"gateway": gateway}) for _ in range(2))
    changed = {key for key, one in first.graph.items() if one != second.graph[key]}
    # Each run of the program makes a key and a certificate; the engine keeps those of the first,
    # and the name by which the Gateway refers to them.
    made = {key for key, one in first.graph.items() if one.ignored == ["data", "metadata.name"]}
    named = {"Gateway/httpbin-gateway"} if made else set()
    assert changed - {"Job/httpbin-probe-job"} == made | named
    assert bool(made) == bool(gateway)
    if not gateway:
        assert first == second


def test_in_cluster_address_and_proof_are_exported(default: Program) -> None:
    conditions = ["Accepted=True (Accepted)", "Programmed=True (Programmed)"]
    own = {
        "ingressHost": ADDRESS,
        "ingressPort": 80,
        "ingressUrl": f"http://{ADDRESS}:80",
        "ingressUrls": [f"http://{ADDRESS}:80"],
        "ingressAddresses": [ADDRESS],
        "ingressInternalHost": ADDRESS,
        "ingressConditions": conditions,
        "waypointAddress": ADDRESS,
        "waypointConditions": conditions,
        "dnsRecords": [],
        "commands": [f"curl -sSig -H Host:httpbin.example.com http://{ADDRESS}:80/headers"],
        "verified": [
            f"GET http://{ADDRESS}:80/headers (Host: httpbin.example.com): 200",
            f"GET http://{ADDRESS}:80/get (Host: httpbin.example.com): 404",
        ],
    }
    assert default.exports == {**own, "exposures": {"httpbin": own}}


@pytest.mark.parametrize(
    ("external", "url"),
    [
        ("198.18.1.0", "http://198.18.1.0:80"),
        ("2001:db8::1", "http://[2001:db8::1]:80"),
        ("a.elb.example.com", "http://a.elb.example.com:80"),
    ],
)
def test_external_address_is_exported_not_the_stale_in_cluster_one(
    run: Run, external: str, url: str
) -> None:
    exports = run(
        exposure={"gateway": {"serviceType": "LoadBalancer"}, "verification": None},
        addresses=(ADDRESS, external),
    ).exports
    assert exports["ingressHost"] == external
    assert exports["ingressAddresses"] == [external]
    assert exports["ingressInternalHost"] == ADDRESS
    assert exports["ingressUrl"] == url
    (command,) = exports["commands"]
    assert shlex.split(command)[-1] == f"{url}/"
    assert exports["verified"] == []


def test_preview_of_a_new_service_type_leaves_the_address_unknown(run: Run) -> None:
    exports = run(
        exposure={"gateway": {"serviceType": "LoadBalancer"}}, addresses=(ADDRESS,), preview=True
    ).exports
    assert exports["ingressPort"] == 80
    addressed = {"ingressHost", "ingressUrl", "ingressAddresses", "dnsRecords"}
    unknown = addressed | {"commands", "verified"}
    assert not exports.keys() & unknown


def test_preview_of_an_empty_stack_knows_the_in_cluster_address(run: Run) -> None:
    exports = run(preview=True, exposure={"verification": None}).exports
    assert exports["ingressUrl"] == f"http://{ADDRESS}:80"


def test_a_gateway_without_a_fitting_address_fails_the_update(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="no external address"):
        run(exposure={"gateway": {"serviceType": "LoadBalancer"}}, addresses=(ADDRESS,))


def test_external_address_is_verified_too(run: Run) -> None:
    program = run(
        exposure={"gateway": {"serviceType": "LoadBalancer", "address": "198.18.1.0"}},
        addresses=("198.18.1.0",),
    )
    assert asked(program) == [
        f"GET http://{ADDRESS}:80/headers (Host: httpbin.example.com): 200",
        f"GET http://{ADDRESS}:80/get (Host: httpbin.example.com): 404",
        "GET http://198.18.1.0:80/headers (Host: httpbin.example.com): 200",
        "GET http://198.18.1.0:80/get (Host: httpbin.example.com): 404",
    ]
    assert asked(program) == program.exports["verified"]
    assert spec(program, "Gateway/httpbin-gateway")["addresses"] == [
        {"type": "IPAddress", "value": "198.18.1.0"}
    ]


@pytest.mark.parametrize(
    ("changed", "repeated"),
    [
        ({}, False),
        ({"readyTimeout": 10}, False),
        ({"verification": {"timeout": 10}}, False),
        ({"rules": [{"paths": ["/headers"]}]}, True),
        ({"ingressRules": [{"paths": ["/headers"]}]}, True),
        ({"service": {"image": "httpbin:2"}}, True),
        ({"service": {"containerPort": 8081}}, True),
        ({"service": {"port": 8001}}, True),
        ({"service": {"canary": {"image": "httpbin:2", "weight": 0}}}, True),
        ({"hostnames": ["b.example.com"]}, True),
        ({"namespace": {"discoveryLabels": {"mesh": "b"}}}, True),
        ({"waypoint": {"gatewayClass": "other"}}, True),
        ({"waypoint": {"ingressUseWaypoint": True}}, True),
        ({"gateway": {"gatewayClass": "other"}}, True),
        ({"gateway": {"customization": {"deployment": {"spec": {"replicas": 2}}}}}, True),
        ({"policies": [{"action": "DENY", "rules": [{}]}]}, True),
    ],
)
def test_proof_is_repeated_when_what_it_proves_changes(
    run: Run, default: Program, changed: dict[str, Any], *, repeated: bool
) -> None:
    assert (subject(default) != subject(run(exposure=changed))) is repeated


@pytest.mark.parametrize(
    "key",
    [
        *without(NAMESPACE | EXPOSURE, "account", "probe-"),
        "AuthorizationPolicy/httpbin-policy-none",
    ],
)
def test_proof_is_repeated_when_something_was_put_right(run: Run, key: str) -> None:
    exposure = {"policies": [{"name": "none", "action": "DENY", "rules": [{}]}]}
    before, after = (run(exposure=exposure, put_right=right) for right in ((), (key,)))
    assert key in after.graph
    assert subject(before) != subject(after)


def test_proof_is_repeated_when_the_label_of_an_adopted_service_was_put_right(run: Run) -> None:
    right = ("ServicePatch/httpbin-label",)
    before, after = (run(exposure=ADOPTED_SERVICE, put_right=one) for one in ((), right))
    assert subject(before) != subject(after)


@pytest.mark.parametrize("length", [44, 45, 63])
def test_the_name_of_the_proof_has_room_for_its_ending(run: Run, length: int) -> None:
    entry = "a" * length
    (name,) = (
        key.partition("/")[2]
        for key in run(exposures={entry: sample()["httpbin"]}).graph
        if key.startswith("Job/")
    )
    assert len(f"{name}-12345678") <= 63
    assert (name == f"{entry}-probe-job") is (length == 44)


def test_every_wait_has_the_configured_limit(run: Run) -> None:
    program = run(
        defaults={"readyTimeout": 10},
        exposure={
            "gateway": {"serviceType": "NodePort", "tls": {"issuer": "self-signed"}},
            "policies": [{"action": "DENY", "rules": [{}]}],
            "verification": {"timeout": 5},
        },
    )
    waiting = ("Gateway", "HTTPRoute", "Deployment", "Service", "AuthorizationPolicy", "Job")
    limits = {key: one.timeouts for key, one in program.graph.items() if key.startswith(waiting)}
    job = limits.pop("Job/httpbin-probe-job")
    assert job == {"create": "155s", "update": "155s"}
    assert {"ServicePatch/httpbin-service", "Deployment/client-deployment"} <= limits.keys()
    assert set(map(str, limits.values())) == {"{'create': '10s', 'update': '10s'}"}


def test_without_a_client_each_proof_is_in_the_namespace_of_its_exposure(run: Run) -> None:
    program = run(client=None)
    parent, waits = GRAPH["Job/httpbin-probe-job"]
    assert leaves(program) == {
        **without(GRAPH, "client-"),
        "Job/httpbin-probe-job": (parent, waits - {"ServiceAccount/client-account"}),
    }
    assert metadata(program, "Job/httpbin-probe-job")["namespace"] == "httpbin"
    assert "serviceAccountName" not in spec(program, "Job/httpbin-probe-job")["template"]["spec"]


def test_a_client_may_be_where_the_service_is(run: Run) -> None:
    place = {"existing": {"entry": "apps"}}
    program = run(
        namespaces={"apps": {}},
        client={"namespace": place},
        exposures={"httpbin": sample()["httpbin"] | {"namespace": place}},
    )
    created = {key for key in program.graph if key.startswith("Namespace/")}
    assert created == {"Namespace/apps", "Namespace/apps-namespace"}
    for key in ("Deployment/client-deployment", "Job/httpbin-probe-job"):
        assert metadata(program, key)["namespace"] == "apps"


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [("internal", [ADDRESS]), ("external", ["198.18.1.0"]), ("both", [ADDRESS, "198.18.1.0"])],
)
def test_the_addresses_are_asked_that_shall_be(
    run: Run, addresses: str, expected: list[str]
) -> None:
    exposure = {
        "gateway": {"serviceType": "LoadBalancer"},
        "verification": {"addresses": addresses},
    }
    program = run(exposure=exposure, addresses=("198.18.1.0",))
    urls = [line.split()[1] for line in asked(program)[::2]]
    assert urls == [f"http://{address}:80/headers" for address in expected]
    assert asked(program) == program.exports["verified"]


def test_a_proof_that_nobody_would_be_asked_for_is_refused(run: Run) -> None:
    gateway = {
        "name": "edge",
        "namespace": "edge",
        "host": "a",
        "port": 80,
        "url": "http://a",
        "urls": ["http://a"],
    }

    def program() -> None:
        verification = {**ARGS["verification"], "addresses": "external"}
        args = {**ARGS, "gateway": {"existing": gateway}, "verification": verification}
        AmbientExposure("shop", cast("AmbientExposureArgs", args))

    with pytest.raises(pulumi.RunError, match="found external, but the gateway has no external"):
        run(program)


def test_a_proof_is_repeated_always_where_it_shall_be(run: Run) -> None:
    assert subject(run()) == subject(run())
    always = {"verification": {"always": True}}
    assert subject(run(exposure=always)) != subject(run(exposure=always))
    assert subject(run(preview=True, exposure=always)) == UNKNOWN


def test_headers_and_bodies_of_requests_are_in_a_secret_alone(run: Run) -> None:
    def program() -> None:
        token = pulumi.Output.secret("hunter2\n")
        check: CheckArgs = {
            "path": "/api",
            "status": 201,
            "headers": {"authorization": pulumi.Output.format("Bearer {}", token)},
            "body": "{}",
            "response_headers": {"location": "/api/1"},
            "response_body": "made",
        }
        args = {**ARGS, "verification": {"checks": [{"path": "/", "status": 200}, check]}}
        pulumi.export(
            "verified", AmbientExposure("shop", cast("AmbientExposureArgs", args)).verified
        )

    found = run(program)
    secret = found.graph["Secret/shop-probe-requests"]
    assert secret.inputs["metadata"] == {"namespace": "shop"}
    assert 'Bearer hunter2"' in str(secret.inputs["stringData"])
    others = [one.inputs for one in found.graph.values() if one is not secret]
    assert "hunter2" not in str(others)
    # Secret for the engine, too.
    assert MARK in secret.inputs["stringData"]
    (container,) = spec(found, "Job/shop-probe-job")["template"]["spec"]["containers"]
    reference = container["env"][0]["valueFrom"]["secretKeyRef"]
    assert reference["key"] == "requests"
    assert "Secret/shop-probe-requests" in found.graph["Job/shop-probe-job"].dependencies
    assert found.exports["verified"][1].startswith("POST https://shop-gateway-istio.shop")
    assert found.exports["verified"][1].endswith("/api (Host: shop.example.com): 201")


def test_switched_off_verification_leaves_out_the_client(run: Run) -> None:
    assert leaves(run(exposure={"verification": None})) == without(GRAPH, "client-", "probe-")


def test_images_come_from_the_registry_that_mirrors_all_others(run: Run) -> None:
    program = run(
        imageRegistry="mirror:5000/all",
        exposure={"service": {"canary": {"image": "shop/httpbin:2", "weight": 1}}},
    )
    images = {
        key: spec(program, key)["template"]["spec"]["containers"][0]["image"]
        for key in program.graph
        if key.startswith(("Deployment/", "Job/"))
    }
    assert images == {
        "Deployment/httpbin-deployment": "mirror:5000/all/mccutchen/go-httpbin:v2.15.0",
        "Deployment/httpbin-canary-deployment": "mirror:5000/all/shop/httpbin:2",
        "Deployment/client-deployment": "mirror:5000/all/curlimages/curl:8.16.0",
        "Job/httpbin-probe-job": "mirror:5000/all/curlimages/curl:8.16.0",
    }


def test_labels_and_annotations_of_the_stack_are_on_every_object_that_it_makes(run: Run) -> None:
    program = run(labels={"team": "shop"}, annotations={"cost": "7"})
    for key, one in program.graph.items():
        if one.type.startswith("kubernetes:"):
            metadata = one.inputs["metadata"]
            ours = not one.type.endswith("Patch")
            assert (metadata.get("labels", {}).get("team") == "shop") is ours, key
            assert (metadata.get("annotations", {}).get("cost") == "7") is ours, key


def test_a_container_runs_as_configured(run: Run) -> None:
    container = {
        "args": ["-v"],
        "resources": {"limits": {"memory": "64Mi"}},
        "securityContext": {"runAsUser": 0},
        "readinessProbe": {"httpGet": {"path": "/status/200", "port": 80}},
        "livenessProbe": {"tcpSocket": {"port": 80}},
    }
    service = {**container, "env": {"A": "1"}, "containerPort": 80, "replicas": 3}
    program = run(exposure={"service": service})
    deployment = spec(program, "Deployment/httpbin-deployment")
    assert deployment["replicas"] == 3
    (found,) = deployment["template"]["spec"]["containers"]
    assert found == {
        **container,
        "name": "httpbin",
        "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 80}],
        "env": [{"name": "A", "value": "1"}],
    }


def test_an_autoscaler_sets_the_number_of_pods_and_a_budget_keeps_some(run: Run) -> None:
    scaling = {"minReplicas": 2, "maxReplicas": 5}
    budget = {"minAvailable": 1}
    options = {"horizontalPodAutoscaler": scaling, "podDisruptionBudget": budget}
    program = run(exposure={"service": options})
    assert "replicas" not in spec(program, "Deployment/httpbin-deployment")
    assert spec(program, "HorizontalPodAutoscaler/httpbin-autoscaler") == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "httpbin"},
        **scaling,
    }
    assert spec(program, "PodDisruptionBudget/httpbin-disruption-budget") == {
        "selector": {"matchLabels": {"app": "httpbin"}},
        **budget,
    }


def test_revision_names_the_control_plane_of_every_proxy(run: Run) -> None:
    program = run(exposure={part: {"revision": "1-30"} for part in ("gateway", "waypoint")})
    for key in ("Gateway/httpbin-gateway", "Gateway/httpbin-waypoint"):
        assert labels(program, key)["istio.io/rev"] == "1-30"
    # There it would have istiod put a sidecar into every pod.
    for key in ("NamespacePatch/httpbin-enrolment", "NamespacePatch/client-enrolment"):
        assert "istio.io/rev" not in labels(program, key)


# What is there already


def test_adopted_namespace_is_labelled_but_not_owned(run: Run) -> None:
    program = run(exposure={"namespace": {"create": False}})
    enrolment = {"NamespacePatch/httpbin-enrolment": ("Namespace/httpbin", set[str]())}
    assert leaves(program) == without(GRAPH, "Namespace/httpbin-") | enrolment
    assert labels(program, "NamespacePatch/httpbin-enrolment") == {
        "istio-discovery": "enabled",
        "istio.io/dataplane-mode": "ambient",
    }


ADOPTED_SERVICE: dict[str, Any] = {
    "namespace": {"create": False},
    "service": {"create": False, "image": None, "containerPort": None},
}

ADOPTED: Table = without(
    GRAPH,
    *("Namespace/httpbin-", "Service/httpbin-", "account", "Deployment/httpbin-", "Job"),
    "NamespacePatch/httpbin-binding",
) | {
    "ServiceAccount/client-account": ("Client/client", {"NamespacePatch/client-enrolment"}),
    "NamespacePatch/httpbin-enrolment": ("Namespace/httpbin", set()),
    "Job/httpbin-probe-job": (
        "AmbientExposure/httpbin",
        {"HTTPRoute/httpbin-ingress-route", "ServiceAccount/client-account"},
    ),
}


BOUND: Table = {"NamespacePatch/httpbin-binding": EXPOSURE["NamespacePatch/httpbin-binding"]}


@pytest.mark.parametrize("binds", [None, "Namespace"])
def test_adopted_service_only_gets_its_labels(run: Run, binds: str | None) -> None:
    program = run(exposure={**ADOPTED_SERVICE, "waypoint": {"binds": binds} if binds else {}})
    before = "NamespacePatch/httpbin-binding" if binds else "Gateway/httpbin-waypoint"
    assert leaves(program) == ADOPTED | (BOUND if binds else {}) | {
        "ServicePatch/httpbin-label": ("AmbientExposure/httpbin", {before}),
        "HTTPRoute/httpbin-waypoint-route": (
            "AmbientExposure/httpbin",
            {"ServicePatch/httpbin-label"},
        ),
    }
    assert program.graph["ServicePatch/httpbin-label"].inputs["metadata"] == {
        "name": "httpbin",
        "namespace": "httpbin",
        "labels": {
            "istio.io/ingress-use-waypoint": "true",
            # Its namespace is bound only where that was asked for.
            **({} if binds else {"istio.io/use-waypoint": "httpbin-waypoint"}),
        },
    }


def test_adopted_service_stays_as_it_is_where_its_namespace_has_the_labels(run: Run) -> None:
    waypoint = {"binds": "Namespace", "ingressUseWaypoint": True}
    program = run(exposure={**ADOPTED_SERVICE, "waypoint": waypoint})
    assert leaves(program) == ADOPTED | BOUND | {
        "HTTPRoute/httpbin-waypoint-route": (
            "AmbientExposure/httpbin",
            {"NamespacePatch/httpbin-binding"},
        ),
    }
    assert labels(program, "NamespacePatch/httpbin-binding") == {
        "istio.io/use-waypoint": "httpbin-waypoint",
        "istio.io/ingress-use-waypoint": "true",
    }


# Two exposures


def entry(name: str, **patch: Any) -> dict[str, Any]:
    """An exposure like the sample's, in a namespace of its own."""
    own = {
        "namespace": {"name": name},
        "service": {"name": name},
        "hostnames": [f"{name}.example.com"],
    }
    return {**patched(sample()["httpbin"], own), **patch}


SHARED_GATEWAY: dict[str, Any] = {
    "gateways": {
        "edge": {
            "namespace": {"name": "edge"},
            "hostnames": ["*.example.com"],
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
    },
    "exposures": {name: entry(name, gateway={"existing": {"entry": "edge"}}) for name in "ab"},
}

SHARED = {"existing": {"entry": "shared"}}

SHARED_WAYPOINT: dict[str, Any] = {
    "namespaces": {"shop": {}},
    "waypoints": {
        "shared": {
            "namespace": {"name": "waypoints"},
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
    },
    "exposures": {
        name: entry(
            name,
            namespace={"existing": {"entry": "shop"}},
            waypoint=SHARED,
        )
        for name in "ab"
    },
}


def test_two_exposures_share_a_gateway(run: Run) -> None:
    program = run(**SHARED_GATEWAY)

    def own(name: str) -> Table:
        table = without(NAMESPACE | EXPOSURE, "Gateway/httpbin-gateway")
        return renamed(table, {"httpbin-gateway": "edge-gateway", "httpbin": name})

    assert leaves(program) == {
        **CLIENT,
        "Namespace/client-namespace": (
            "Namespace/client",
            {f"NamespacePatch/{place}-enrolment" for place in ("a", "b", "edge")},
        ),
        **renamed(NAMESPACE, {"httpbin": "edge"}),
        "Gateway/edge-gateway": ("IngressGateway/edge", {"NamespacePatch/edge-enrolment"}),
        **own("a"),
        **own("b"),
    }
    assert spec(program, "HTTPRoute/b-ingress-route")["parentRefs"] == [
        {"name": "edge", "namespace": "edge"}
    ]
    # Only gateways run in its namespace.
    assert labels(program, "NamespacePatch/edge-enrolment") == {"istio-discovery": "enabled"}


def test_two_services_of_a_namespace_share_the_waypoint_of_another(run: Run) -> None:
    program = run(**SHARED_WAYPOINT)

    def own(name: str) -> Table:
        table = without(EXPOSURE, "Gateway/httpbin-waypoint", "httpbin-binding")
        places = {f"httpbin-{place}": f"shop-{place}" for place in ("binding", "enrolment")}
        return renamed(table, {**places, "httpbin": name})

    assert leaves(program) == {
        **CLIENT,
        "Namespace/client-namespace": (
            "Namespace/client",
            {"NamespacePatch/shop-enrolment", "NamespacePatch/waypoints-enrolment"},
        ),
        **renamed(NAMESPACE, {"httpbin": "shop"}),
        **renamed(NAMESPACE, {"httpbin": "waypoints"}),
        "Gateway/shared-waypoint": ("Waypoint/shared", {"NamespacePatch/waypoints-enrolment"}),
        "NamespacePatch/shop-binding": (
            STACK,
            {"Gateway/shared-waypoint", "NamespacePatch/shop-enrolment"},
        ),
        **own("a"),
        **own("b"),
    }
    assert labels(program, "NamespacePatch/shop-binding") == {
        "istio.io/use-waypoint": "shared",
        "istio.io/use-waypoint-namespace": "waypoints",
    }
    assert spec(program, "Gateway/shared-waypoint")["listeners"] == [
        {
            "name": "mesh",
            "port": 15008,
            "protocol": "HBONE",
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
    ]


def test_a_shared_waypoint_may_serve_gateways_for_a_whole_namespace(run: Run) -> None:
    program = run(**SHARED_WAYPOINT, defaults={"waypoint": {"ingressUseWaypoint": True}})
    assert labels(program, "NamespacePatch/shop-binding") == {
        "istio.io/use-waypoint": "shared",
        "istio.io/use-waypoint-namespace": "waypoints",
        "istio.io/ingress-use-waypoint": "true",
    }


@pytest.mark.parametrize(
    ("waypoints", "namespace", "services"),
    [
        # One binds the namespace, whosever its waypoint is; what the others have is their own.
        ([{"binds": "Service"}, {"binds": "Service"}], None, ["a-waypoint", "b-waypoint"]),
        ([{}, {"binds": "Service"}], "a-waypoint", ["a-waypoint", "b-waypoint"]),
        ([{"binds": "Service"}, {}], "b-waypoint", ["a-waypoint", "b-waypoint"]),
        ([SHARED, {"binds": "Service"}], "shared", ["shared", "b-waypoint"]),
        ([SHARED, {**SHARED, "binds": "Service"}], "shared", ["shared", "shared"]),
        ([SHARED, SHARED], "shared", ["shared", "shared"]),
    ],
)
def test_a_namespace_is_bound_once_and_every_deployed_service_by_itself(
    run: Run, waypoints: list[dict[str, Any]], namespace: str | None, services: list[str]
) -> None:
    exposures = {
        name: {**one, "waypoint": waypoint}
        for (name, one), waypoint in zip(
            SHARED_WAYPOINT["exposures"].items(), waypoints, strict=True
        )
    }
    program = run(**SHARED_WAYPOINT | {"exposures": exposures})
    found = {key: one for key, one in program.graph.items() if key.endswith("-binding")}
    bound = {key: labels(program, key)["istio.io/use-waypoint"] for key in found}
    assert bound == ({"NamespacePatch/shop-binding": namespace} if namespace else {})
    # Of its place before, whosever waypoint it was.
    assert {one.parent for one in found.values()} <= {STACK}
    for name, waypoint in zip(exposures, services, strict=True):
        service = f"Service/{name}-service"
        elsewhere = {"istio.io/use-waypoint-namespace": "waypoints"}
        assert labels(program, service) == {
            "app": name,
            "service": name,
            "istio.io/ingress-use-waypoint": "true",
            "istio.io/use-waypoint": waypoint,
            **(elsewhere if waypoint == "shared" else {}),
        }
        awaits = metadata(program, service)["annotations"]["pulumi.com/waitFor"]
        place = "waypoints" if waypoint == "shared" else "shop"
        assert f"match(@.message, '.* {place}/{waypoint}([.] .*)?')" in awaits


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"exposure": {"verification": None}},
        {"exposure": {"gateway": {"gatewayClass": "a"}, "waypoint": {"gatewayClass": "b"}}},
        {"exposure": ADOPTED_SERVICE},
        {**SHARED_GATEWAY, "client": {"namespace": {"name": "side"}}},
        {**SHARED_GATEWAY, "client": {"namespace": {"name": "side", "create": False}}},
        {**SHARED_WAYPOINT, "namespaces": {"shop": {"create": False}}},
        {**SHARED_GATEWAY, "defaults": {"gateway": {"gatewayClass": "a"}}},
    ],
)
def test_the_preflight_looks_for_what_the_stack_makes_and_adopts(
    run: Run, monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any]
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("components.cluster.provider.preflight", lambda *args: asked.append(args))
    graph = run(**keys, cluster={"context": "mine", "preflight": True}).graph
    ((cluster, needs),) = asked
    assert cluster["context"] == "mine"
    assert looked_for(needs) == needed(graph)


def test_the_preflight_looks_for_a_ztunnel_and_ports_where_they_are_needed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        "components.cluster.provider.preflight", lambda _, needs: asked.append(needs)
    )
    run(cluster={"preflight": True})
    service = {**ADOPTED_SERVICE["service"], "selector": {"run": "shop"}, "port": 8001}
    run(cluster={"preflight": True}, exposure={"requireWaypoint": True, "service": service})
    assert [needs["ztunnel"] for needs in asked] == [False, True]
    assert [needs["services"] for needs in asked] == [
        [],
        [{"namespace": "httpbin", "name": "httpbin", "port": 8001}],
    ]


def test_several_exposures_are_exported_by_name_and_the_primary_one_on_top(run: Run) -> None:
    exports = run(**SHARED_GATEWAY, primary="b").exports
    by_name, gateways = exports.pop("exposures"), exports.pop("gateways")
    assert by_name.keys() == {"a", "b"}
    assert exports == by_name["b"] != by_name["a"]
    assert run(**SHARED_GATEWAY).exports == {"exposures": by_name, "gateways": gateways}
    url = "http://edge-istio.edge.svc.cluster.local:80"
    assert by_name["b"]["commands"] == [f"curl -sSig -H Host:b.example.com {url}/headers"]
    assert by_name["b"]["verified"][0] == f"GET {url}/headers (Host: b.example.com): 200"


@pytest.mark.parametrize("values", [SHARED_GATEWAY, SHARED_WAYPOINT])
def test_the_order_of_exposures_changes_nothing_else(run: Run, values: dict[str, Any]) -> None:
    first = run(**values)
    second = run(**values | {"exposures": dict(reversed(values["exposures"].items()))})
    assert list(first.exports["exposures"]) == list(second.exports["exposures"])[::-1]
    assert first == second


def test_an_exposure_that_goes_leaves_the_others_alone(run: Run) -> None:
    first = run(**SHARED_GATEWAY).graph
    second = run(**SHARED_GATEWAY | {"exposures": {"b": SHARED_GATEWAY["exposures"]["b"]}}).graph
    gone = {key.partition("/")[2].partition("-")[0] for key in first.keys() - second.keys()}
    assert gone == {"a"}
    assert not {key for key in second if first[key].inputs != second[key].inputs}


# What an exposure may have beside


def test_a_canary_gets_its_share_through_the_waypoint(run: Run) -> None:
    canary = {"image": "httpbin:2", "weight": 10, "env": {"A": "2"}}
    service = {"canary": canary, "args": ["-v"], "env": {"A": "1"}, "replicas": 2}
    program = run(exposure={"service": service})
    second = "Workload/httpbin-canary"
    assert leaves(program) == {
        **GRAPH,
        "ServiceAccount/httpbin-canary-account": (second, {"NamespacePatch/httpbin-enrolment"}),
        "Service/httpbin-canary-service": (second, {"NamespacePatch/httpbin-binding"}),
        "Deployment/httpbin-canary-deployment": (
            second,
            {"Service/httpbin-canary-service", "ServiceAccount/httpbin-canary-account"},
        ),
        "HTTPRoute/httpbin-waypoint-route": (
            "AmbientExposure/httpbin",
            {"Service/httpbin-service", "Service/httpbin-canary-service"},
        ),
        "Job/httpbin-probe-job": (
            "AmbientExposure/httpbin",
            {
                "HTTPRoute/httpbin-ingress-route",
                "Deployment/httpbin-deployment",
                "Deployment/httpbin-canary-deployment",
                "ServiceAccount/client-account",
            },
        ),
    }
    (rule,) = spec(program, "HTTPRoute/httpbin-waypoint-route")["rules"]
    assert rule["backendRefs"] == [
        {"name": "httpbin", "port": 8000, "weight": 90},
        {"name": "httpbin-canary", "port": 8000, "weight": 10},
    ]
    deployment = spec(program, "Deployment/httpbin-canary-deployment")
    assert deployment["replicas"] == 2
    (container,) = deployment["template"]["spec"]["containers"]
    assert (container["image"], container["args"], container["env"]) == (
        "httpbin:2",
        ["-v"],
        [{"name": "A", "value": "2"}],
    )
    # Gateways reach it through the first version's waypoint only.
    assert "istio.io/ingress-use-waypoint" not in labels(program, "Service/httpbin-canary-service")


def test_a_route_says_who_sets_its_weights(run: Run) -> None:
    force = {"pulumi.com/patchForce": "true"}
    marked = {**force, "ambient-exposure/weights": "controller"}
    for owner, expected in ((None, {}), ("stack", force), ("controller", marked)):
        program = run(exposure={"weights": owner} if owner else {}, preview=True)
        for part in ("waypoint", "ingress"):
            told = metadata(program, f"HTTPRoute/httpbin-{part}-route")["annotations"]
            assert {key: told[key] for key in marked if key in told} == expected


@pytest.mark.parametrize("protocol", ["h2c", "ws"])
def test_a_port_tells_its_protocol(run: Run, protocol: str) -> None:
    canary = {"image": "httpbin:2", "weight": 10}
    program = run(exposure={"service": {"protocol": protocol, "canary": canary}})
    for key in ("Service/httpbin-service", "Service/httpbin-canary-service"):
        (port,) = spec(program, key)["ports"]
        assert (port["name"], port["appProtocol"]) == (protocol, f"kubernetes.io/{protocol}")


GRPC: dict[str, Any] = {
    "service": {"protocol": "grpc"},
    "rules": None,
    "grpcRules": [{"matches": [{"method": {"service": "a.B"}}]}],
    "verification": {"checks": [{"path": "/a.B/C", "status": 0}, {"path": "/a.C/D", "status": 12}]},
}


def test_a_grpc_service_gets_routes_of_its_kind(run: Run) -> None:
    program = run(exposure=GRPC)
    assert leaves(program) == renamed(GRAPH, {"HTTPRoute/": "GRPCRoute/"})
    assert spec(program, "Service/httpbin-service")["ports"][0]["name"] == "grpc"
    backends = [{"name": "httpbin", "port": 8000}]
    assert spec(program, "GRPCRoute/httpbin-waypoint-route")["rules"] == [
        {"matches": [{"method": {"service": "a.B"}}], "backendRefs": backends}
    ]
    assert spec(program, "GRPCRoute/httpbin-ingress-route")["rules"] == [{"backendRefs": backends}]
    assert environment(program)["CHECKS"].splitlines().count("grpc") == 2
    assert asked(program) == program.exports["verified"]
    assert program.exports["verified"] == [
        f"gRPC http://{ADDRESS}:80/a.B/C (Host: httpbin.example.com): 0",
        f"gRPC http://{ADDRESS}:80/a.C/D (Host: httpbin.example.com): 12",
    ]


def test_rules_are_rendered_in_their_order(run: Run) -> None:
    redirect = {
        "type": "RequestRedirect",
        "requestRedirect": {"scheme": "https", "statusCode": 301},
    }
    elsewhere = [{"name": "other", "port": 80}]
    exact = {"path": {"type": "Exact", "value": "/b"}}
    other = {"headers": [{"name": "x-other", "value": "yes"}]}
    program = run(
        exposure={
            "rules": [
                {"paths": ["/status"]},
                {"paths": ["/a"], "matches": [exact], "timeouts": {"request": "1s"}},
                {"matches": [other], "backendRefs": elsewhere},
            ],
            "ingressRules": [{"paths": ["/c"], "filters": [redirect]}, {}],
            "verification": None,
        }
    )
    backends = [{"name": "httpbin", "port": 8000}]

    def prefix(path: str) -> dict[str, Any]:
        return {"path": {"type": "PathPrefix", "value": path}}

    assert spec(program, "HTTPRoute/httpbin-waypoint-route")["rules"] == [
        {"matches": [prefix("/status")], "backendRefs": backends},
        {
            "matches": [prefix("/a"), exact],
            "timeouts": {"request": "1s"},
            "backendRefs": backends,
        },
        {"matches": [other], "backendRefs": elsewhere},
    ]
    assert spec(program, "HTTPRoute/httpbin-ingress-route")["rules"] == [
        {"matches": [prefix("/c")], "filters": [redirect]},
        {"backendRefs": backends},
    ]


SELF_SIGNED = {"gateway": {"tls": {"issuer": "self-signed"}}}
CERTIFICATE = "Secret/httpbin-gateway-certificate-ebb44059"


def test_https_with_a_certificate_of_the_stack(run: Run) -> None:
    program = run(exposure=SELF_SIGNED)
    assert leaves(program) == {
        **GRAPH,
        CERTIFICATE: ("IngressGateway/httpbin", {"NamespacePatch/httpbin-enrolment"}),
        "Gateway/httpbin-gateway": ("IngressGateway/httpbin", {CERTIFICATE}),
        "HTTPRoute/httpbin-redirect": ("IngressGateway/httpbin", {"Gateway/httpbin-gateway"}),
        "HTTPRoute/httpbin-ingress-route": (
            "AmbientExposure/httpbin",
            {"HTTPRoute/httpbin-redirect", "HTTPRoute/httpbin-waypoint-route"},
        ),
    }
    plain, encrypted = spec(program, "Gateway/httpbin-gateway")["listeners"]
    assert (plain["port"], plain["allowedRoutes"]) == (80, {"namespaces": {"from": "Same"}})
    assert (encrypted["port"], encrypted["protocol"]) == (443, "HTTPS")
    assert encrypted["tls"] == {
        "mode": "Terminate",
        "certificateRefs": [{"name": program.graph[CERTIFICATE].inputs["metadata"]["name"]}],
    }
    gateway = {"name": "httpbin-gateway", "namespace": "httpbin"}
    redirect = spec(program, "HTTPRoute/httpbin-redirect")
    assert redirect["parentRefs"] == [{**gateway, "port": 80}]
    assert redirect["rules"][0]["filters"][0]["requestRedirect"] == {
        "scheme": "https",
        "port": 443,
        "statusCode": 301,
    }
    ingress = spec(program, "HTTPRoute/httpbin-ingress-route")
    assert ingress["parentRefs"] == [{**gateway, "port": 443}]
    certificate = program.exports["ingressCertificate"]
    assert environment(program)["CERTIFICATE"] == certificate
    assert certificate.startswith("-----BEGIN CERTIFICATE-----\n")
    assert program.exports["ingressUrl"] == f"https://{ADDRESS}:443"
    assert program.exports["commands"] == [
        f"curl -sSi --connect-to ::{ADDRESS}:443 https://httpbin.example.com/headers --insecure"
    ]


def test_each_certificate_has_a_secret_of_another_name(run: Run) -> None:
    # Even for the same host names: proxies that have had one would not ask for it anew.
    made = [run(exposure=SELF_SIGNED).graph[CERTIFICATE].inputs["metadata"] for _ in range(2)]
    assert made[0]["name"] != made[1]["name"]
    assert all(one["name"].startswith("httpbin-gateway-tls-") for one in made)


def test_the_key_of_a_certificate_is_a_secret_of_the_state(run: Run) -> None:
    inputs = run(exposure=SELF_SIGNED).graph[CERTIFICATE].inputs
    assert pulumi.runtime.rpc.is_rpc_secret(inputs["data"])


def test_other_host_names_get_another_certificate(run: Run) -> None:
    tls = {"issuer": "self-signed", "certificates": {"a.example.com": "a"}}
    hostnames = ["a.example.com", "b.example.com", "c.example.com"]
    program = run(exposure={"gateway": {"tls": tls}, "hostnames": hostnames})
    (secret,) = (one for key, one in program.graph.items() if key.startswith("Secret/"))
    assert CERTIFICATE not in program.graph
    listeners = spec(program, "Gateway/httpbin-gateway")["listeners"]
    assert [(one["name"], one["hostname"]) for one in listeners] == [
        ("default", "a.example.com"),
        ("http-b-example-com", "b.example.com"),
        ("http-c-example-com", "c.example.com"),
        ("https", "a.example.com"),
        ("https-b-example-com", "b.example.com"),
        ("https-c-example-com", "c.example.com"),
    ]
    made = secret.inputs["metadata"]["name"]
    assert [one["tls"]["certificateRefs"][0]["name"] for one in listeners[3:]] == ["a", made, made]


def test_a_host_name_that_is_appended_renames_no_listener(run: Run) -> None:
    def gateway(*names: str) -> Any:
        certificates = {f"{name}.example.com": name for name in names}
        tls = {"certificates": certificates}
        exposure = {"gateway": {"tls": tls}, "hostnames": [*certificates]}
        graph = run(exposure=exposure).graph
        return graph["Gateway/httpbin-gateway"].inputs

    def encrypted(made: Any) -> list[Any]:
        return [one for one in made["spec"]["listeners"] if one["protocol"] == "HTTPS"]

    before, after = gateway("c", "b"), gateway("c", "b", "a")
    assert encrypted(after)[:2] == encrypted(before)
    assert [
        (one["name"], one["tls"]["certificateRefs"][0]["name"]) for one in encrypted(after)
    ] == [
        ("https", "c"),
        ("https-b-example-com", "b"),
        ("https-a-example-com", "a"),
    ]
    waited = json.loads(after["metadata"]["annotations"]["pulumi.com/waitFor"])
    assert [one.split("'")[1] for one in waited if "listeners" in one] == [
        one["name"] for one in encrypted(after)
    ]


def test_listeners_are_told_apart_by_their_host_names(run: Run) -> None:
    late = pulumi.Output.from_input("late.example.com")
    hostnames: list[pulumi.Input[str]] = [
        "*.a.b",
        late,
        "any.a.b",
        "*.c.d",
        "a-b.c",
        "a.b.c",
        f"{'a' * 63}.b",
        f"{'a' * 63}.c",
    ]

    def program() -> None:
        IngressGateway("edge", {"namespace": {"name": "edge"}, "hostnames": hostnames})

    listeners = spec(run(program), "Gateway/edge-gateway")["listeners"]
    names = {one["hostname"]: one["name"] for one in listeners}
    assert len(set(names.values())) == len(names) == len(hostnames)
    assert all(len(name) <= 63 for name in names.values())
    assert names["*.a.b"] == "default"
    assert names["*.c.d"] == "http-any-c-d"
    assert names["a-b.c"] == "http-a--b-c"
    assert names["late.example.com"] == "http-late-example-com"
    assert names["any.a.b"].startswith("http-any-a-b-")


BACKEND_ELSEWHERE = [{"backendRefs": [{"name": "other", "namespace": "elsewhere", "port": 80}]}]


def test_https_with_certificates_of_another_namespace(run: Run) -> None:
    certificates = {"a.example.com": "certs/a", "b.example.com": "certs/b", "c.example.com": "c"}
    tls = {
        "certificates": certificates,
        "redirect": False,
        "mode": "OPTIONAL_MUTUAL",
        "grants": True,
    }
    program = run(
        exposure={
            "hostnames": [*certificates],
            "gateway": {"tls": tls},
            "rules": [{"paths": ["/headers"]}, *BACKEND_ELSEWHERE],
            "grants": True,
        }
    )
    secrets = "ReferenceGrant/httpbin-gateway-grant-certs"
    services = "ReferenceGrant/httpbin-waypoint-route-grant-elsewhere"
    assert leaves(program) == {
        **GRAPH,
        secrets: ("IngressGateway/httpbin", {"NamespacePatch/httpbin-enrolment"}),
        "Gateway/httpbin-gateway": ("IngressGateway/httpbin", {secrets}),
        services: ("AmbientExposure/httpbin", {"NamespacePatch/httpbin-enrolment"}),
        "HTTPRoute/httpbin-waypoint-route": (
            "AmbientExposure/httpbin",
            {"Service/httpbin-service", services},
        ),
    }
    assert program.graph[secrets].inputs["metadata"]["namespace"] == "certs"
    group = "gateway.networking.k8s.io"
    assert spec(program, secrets) == {
        "from": [{"group": group, "kind": "Gateway", "namespace": "httpbin"}],
        "to": [{"group": "", "kind": "Secret", "name": name} for name in ("a", "b")],
    }
    assert spec(program, services) == {
        "from": [{"group": group, "kind": "HTTPRoute", "namespace": "httpbin"}],
        "to": [{"group": "", "kind": "Service", "name": "other"}],
    }
    listeners = spec(program, "Gateway/httpbin-gateway")["listeners"]
    assert [one["tls"]["certificateRefs"] for one in listeners[3:]] == [
        [{"name": "a", "namespace": "certs"}],
        [{"name": "b", "namespace": "certs"}],
        [{"name": "c"}],
    ]
    options = {"gateway.istio.io/tls-terminate-mode": "OPTIONAL_MUTUAL"}
    assert all(one["tls"]["options"] == options for one in listeners[3:])
    # Plaintext is served too.
    assert {str(one["allowedRoutes"]) for one in listeners} == {"{'namespaces': {'from': 'All'}}"}
    assert "CERTIFICATE" not in environment(program)
    assert "--insecure" not in program.exports["commands"][0]


def test_clients_are_checked_as_the_gateway_api_has_it(run: Run) -> None:
    authority = {"group": "", "kind": "ConfigMap", "name": "clients"}
    checked = {"validation": {"caCertificateRefs": [authority], "mode": "AllowInsecureFallback"}}
    frontend = {"default": checked, "perPort": [{"port": 443, "tls": checked}]}
    tls = {"issuer": "self-signed", "frontend": frontend}
    gateway = spec(run(exposure={"gateway": {"tls": tls}}), "Gateway/httpbin-gateway")
    assert gateway["tls"] == {"frontend": frontend}
    assert "options" not in gateway["listeners"][1]["tls"]


def test_grants_are_left_to_the_owners_unless_asked_for(run: Run) -> None:
    program = run(
        exposure={
            "gateway": {"tls": {"certificates": {"httpbin.example.com": "certs/a"}}},
            "rules": BACKEND_ELSEWHERE,
        }
    )
    assert not [key for key in program.graph if key.startswith("ReferenceGrant/")]


def test_routes_are_accepted_by_a_controller_of_any_name(run: Run) -> None:
    program = run(exposure=SELF_SIGNED)
    now = "@.status=='True') && @.observedGeneration==$.metadata.generation"
    accepted = [
        f"jsonpath={{.status.parents[*].conditions[?(@.type=='{type_}' && {now}].status}}"
        for type_ in ("Accepted", "ResolvedRefs")
    ]
    routes = [one for key, one in program.graph.items() if key.startswith("HTTPRoute/")]
    assert len(routes) == 3
    for route in routes:
        annotations = route.inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/waitFor"] == json.dumps(accepted)


PATCH = "ServicePatch/httpbin-service"


def test_node_port_is_read_once_the_service_has_it(run: Run) -> None:
    program = run(exposure={"gateway": {"serviceType": "NodePort"}})
    assert leaves(program) == {
        **GRAPH,
        PATCH: ("IngressGateway/httpbin", {"Gateway/httpbin-gateway"}),
    }
    assert program.graph[PATCH].inputs["metadata"] == {
        "name": "httpbin-gateway-istio",
        "namespace": "httpbin",
        "annotations": {
            "pulumi.com/waitFor": json.dumps(
                ["jsonpath={.spec.type}=NodePort", "jsonpath={.spec.ports[?@.port==80].port}"]
            )
        },
    }
    assert program.exports["ingressNodePort"] == 30080
    assert program.exports["ingressHost"] == ADDRESS


def test_node_port_of_https(run: Run) -> None:
    exports = run(exposure=patched(SELF_SIGNED, {"gateway": {"serviceType": "NodePort"}})).exports
    assert exports["ingressNodePort"] == 30443


def test_in_cluster_ip_address_is_exported_and_verified_where_asked_for(run: Run) -> None:
    program = run(exposure={"gateway": {"addressType": "IPAddress", "nameOverride": "door"}})
    table = {**GRAPH, PATCH: ("IngressGateway/httpbin", {"Gateway/httpbin-gateway"})}
    parent, waits = GRAPH["Job/httpbin-probe-job"]
    assert leaves(program) == table | {"Job/httpbin-probe-job": (parent, waits | {PATCH})}
    assert program.graph[PATCH].inputs["metadata"]["name"] == "door"
    assert program.exports["ingressHost"] == "10.96.0.9"
    assert program.exports["ingressAddresses"] == ["10.96.0.9", "fd00::9"]
    assert "ingressNodePort" not in program.exports
    assert [line.split()[1] for line in asked(program)[::2]] == [
        "http://door.httpbin.svc.cluster.local:80/headers",
        "http://10.96.0.9:80/headers",
        "http://[fd00::9]:80/headers",
    ]
    annotations = program.graph["Gateway/httpbin-gateway"].inputs["metadata"]["annotations"]
    assert annotations["networking.istio.io/address-type"] == "IPAddress"
    assert annotations["gateway.istio.io/name-override"] == "door"


def test_authorization_is_in_force_before_the_gateway_opens(run: Run) -> None:
    program = run(
        exposure={
            "policies": [{"action": "DENY", "rules": [{}]}],
            "jwtRules": [{"issuer": "https://login.example.com", "jwks": '{"keys": [{}]}'}],
            "requireWaypoint": True,
            "trustDomain": "example.org",
        }
    )
    objects = {
        "AuthorizationPolicy/httpbin-policy-0",
        "AuthorizationPolicy/httpbin-waypoint-only",
        "RequestAuthentication/httpbin-jwt",
    }
    assert leaves(program) == {
        **GRAPH,
        **{key: ("Authorization/httpbin", {"Service/httpbin-service"}) for key in objects},
        # It is not enforced at the waypoint.
        "AuthorizationPolicy/httpbin-waypoint-only": (
            "Authorization/httpbin",
            {"NamespacePatch/httpbin-binding"},
        ),
        "HTTPRoute/httpbin-ingress-route": (
            "AmbientExposure/httpbin",
            {"Gateway/httpbin-gateway", "HTTPRoute/httpbin-waypoint-route", *objects},
        ),
    }
    only = spec(program, "AuthorizationPolicy/httpbin-waypoint-only")
    assert only["selector"] == {"matchLabels": {"app": "httpbin"}}
    assert only["rules"] == [
        {"from": [{"source": {"principals": ["example.org/ns/httpbin/sa/httpbin-waypoint"]}}]}
    ]


def test_a_required_waypoint_is_required_by_the_canary_too(run: Run) -> None:
    canary = {"image": "httpbin:2", "weight": 10}
    program = run(exposure={"requireWaypoint": True, "service": {"canary": canary}})
    only = spec(program, "AuthorizationPolicy/httpbin-canary-waypoint-only")
    assert only["selector"] == {"matchLabels": {"app": "httpbin-canary"}}


def test_an_adopted_service_has_its_pods_named(run: Run) -> None:
    service = {**ADOPTED_SERVICE["service"], "selector": {"run": "shop"}}
    program = run(exposure={"requireWaypoint": True, "service": service})
    only = spec(program, "AuthorizationPolicy/httpbin-waypoint-only")
    assert only["selector"] == {"matchLabels": {"run": "shop"}}


OPTIONS = "ConfigMap/httpbin-{}-options"


def test_customizations_are_config_maps_named_by_their_content(run: Run) -> None:
    def customized(replicas: int) -> Program:
        deployment = {"spec": {"replicas": replicas}}
        waypoint = {"deployment": deployment, "podDisruptionBudget": {}}
        return run(
            exposure={
                "gateway": {"customization": {"deployment": deployment}},
                "waypoint": {"customization": waypoint},
            }
        )

    program = customized(2)
    ours = {name: OPTIONS.format(name) for name in ("gateway", "waypoint")}
    assert leaves(program) == {
        **GRAPH,
        ours["gateway"]: ("IngressGateway/httpbin", {"NamespacePatch/httpbin-enrolment"}),
        "Gateway/httpbin-gateway": ("IngressGateway/httpbin", {ours["gateway"]}),
        ours["waypoint"]: ("Waypoint/httpbin", {"NamespacePatch/httpbin-enrolment"}),
        "Gateway/httpbin-waypoint": ("Waypoint/httpbin", {ours["waypoint"]}),
    }
    assert program.graph[ours["waypoint"]].inputs["data"] == {
        "deployment": '{"spec": {"replicas": 2}}',
        "podDisruptionBudget": "{}",
    }

    def names(program: Program) -> set[str]:
        return {program.graph[key].inputs["metadata"]["name"] for key in ours.values()}

    assert not names(program) & names(customized(3))
    for name, key in ours.items():
        metadata = program.graph[key].inputs["metadata"]
        assert metadata["name"].startswith(f"httpbin-{name}-")
        infrastructure = spec(program, f"Gateway/httpbin-{name}")["infrastructure"]
        assert infrastructure["parametersRef"] == {
            "group": "",
            "kind": "ConfigMap",
            "name": metadata["name"],
        }


# A program of one's own

ARGS: AmbientExposureArgs = {
    "namespace": {"name": "shop"},
    "service": {
        "name": "shop",
        "port": 80,
        "image": "shop:1",
        "container_port": 8080,
        "canary": {"image": "shop:2", "weight": 5},
    },
    "hostnames": ["shop.example.com", "*.shop.example.com"],
    "rules": [{"paths": ["/"]}],
    "gateway": {
        "tls": {"issuer": "self-signed"},
        "listeners": [{"name": "tcp", "port": 9000, "protocol": "TCP"}],
        "customization": {"service": {"metadata": {"annotations": {"a": "b"}}}},
        "revision": "1-29",
    },
    "waypoint": {"revision": "1-28"},
    "policies": [{"action": "DENY", "rules": [{}]}],
    "verification": {
        "image": "curl:1",
        "checks": [{"path": "/", "status": 200}],
    },
}


def test_a_program_of_ones_own(run: Run) -> None:
    before = copy.deepcopy(ARGS)

    def program() -> None:
        cluster = Cluster("cluster", {"context": "mine", "preflight": False})
        AmbientExposure("shop", ARGS, pulumi.ResourceOptions(providers=[cluster.provider]))

    found = run(program)
    assert before == ARGS
    assert found.graph["kubernetes/cluster-provider"].inputs == {
        "context": "mine",
        "kubeconfig": "",
        "kubeClientSettings": '{"qps": 500, "burst": 1000}',
    }
    listeners = spec(found, "Gateway/shop-gateway")["listeners"]
    assert [(one["name"], one.get("hostname")) for one in listeners] == [
        ("default", "shop.example.com"),
        ("http-any-shop-example-com", "*.shop.example.com"),
        ("https", "shop.example.com"),
        ("https-any-shop-example-com", "*.shop.example.com"),
        ("tcp", None),
    ]
    revisions = {
        "Gateway/shop-gateway": "1-29",
        "Gateway/shop-waypoint": "1-28",
    }
    assert {key: labels(found, key)["istio.io/rev"] for key in revisions} == revisions
    assert metadata(found, "Job/shop-probe-job")["namespace"] == "shop"
    pod = spec(found, "Job/shop-probe-job")["template"]["spec"]
    assert pod["containers"][0]["image"] == "curl:1"
    assert "serviceAccountName" not in pod


def test_a_program_binds_at_one_place_whosever_the_waypoint_is(run: Run) -> None:
    def binding(waypoint: WaypointPart) -> Resource:
        graph = run(
            lambda: cast("None", AmbientExposure("shop", {**ARGS, "waypoint": waypoint}))
        ).graph
        return graph["NamespacePatch/shop-binding"]

    own = binding({})
    shared = binding({"existing": {"name": "shared", "namespace": "waypoints"}})
    assert own.urn == shared.urn
    assert own.parent == shared.parent == "AmbientExposure/shop"
    exposure = urn("", "ambient:index:AmbientExposure", "shop")
    former = {
        (urn(exposure, f"ambient:index:{type_}", "shop"), name)
        for type_, name in (("Waypoint", "shop-binding"), ("WaypointBinding", ""))
    }
    assert {(parent, name) for parent, _, name in own.aliases} == former
    assert {(parent, name) for parent, _, name in shared.aliases} == former


@pytest.mark.parametrize("part", ["namespace", "gateway", "waypoint"])
def test_a_program_has_no_entries_to_refer_to(run: Run, part: str) -> None:
    def program() -> None:
        args = cast("AmbientExposureArgs", {**ARGS, part: {"existing": {"entry": "shared"}}})
        with pytest.raises(InvalidInput, match=f"^{part} of 'shop': found existing.entry 'shared'"):
            AmbientExposure("shop", args)

    run(program)


def test_a_program_may_work_on_two_clusters(run: Run) -> None:
    def program() -> None:
        for name in ("east", "west"):
            cluster = Cluster(name, {"context": name, "preflight": False})
            AmbientExposure(name, ARGS, pulumi.ResourceOptions(providers=[cluster.provider]))

    graph = run(program).graph
    for name in ("east", "west"):
        gateway = graph[f"Gateway/{name}-gateway"]
        assert gateway.provider.split("::")[-2] == f"{name}-provider"
    # The engine knows each hook by its name.
    assert graph["Gateway/west-gateway"].hooks == {"explain-east", "explain-west"}


def test_outputs_may_be_inputs(run: Run) -> None:
    def program() -> None:
        name = pulumi.Output.from_input("late")
        IngressGateway(
            "late", {"name": name, "namespace": {"existing": {"name": name}}, "hostnames": [name]}
        )

    graph = run(program, addresses=("late-istio.late.svc.cluster.local",)).graph
    metadata = graph["Gateway/late-gateway"].inputs["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("late", "late")


# Upgrades from earlier releases

STATES = sorted((ROOT / "tests" / "lab" / "states").glob("*.json"))

PROOF = {
    "metadata.name",
    "spec.template.metadata.annotations.ambient-exposure/subject",
    "spec.template.metadata.labels.ambient-exposure/proof",
    "spec.template.metadata.labels.app",
    "spec.template.spec.containers",
    "spec.template.spec.volumes",
}
"""What is changed of a Job that every upgrade replaces."""

CURL = {"spec.template.spec.containers", "spec.template.spec.volumes"}
"""What is changed of the client's pod, which serves nobody: limits, a read-only file system."""

WAIT = "metadata.annotations.pulumi.com/waitFor"

BINDING = {
    "metadata.labels.istio.io/use-waypoint",
    "metadata.annotations.pulumi.com/patchForce",
    WAIT,
}

CHANGES: dict[str, dict[str, set[str]]] = {
    "release-1": {
        "Service/exposure-service": BINDING,
        "Gateway/exposure-gateway": {"spec.infrastructure.labels.istio.io/use-waypoint"},
        "HTTPRoute/exposure-waypoint-route": {WAIT},
        "HTTPRoute/exposure-ingress-route": {WAIT},
        "Deployment/client-deployment": CURL,
        "Job/exposure-probe-job": PROOF,
    },
    "release-2": {
        "HTTPRoute/exposure-waypoint-route": {WAIT},
        "HTTPRoute/exposure-ingress-route": {WAIT},
        "Service/exposure-service": BINDING,
        "Deployment/client-deployment": CURL,
        "Job/exposure-probe-job": PROOF,
    },
}
"""What an upgrade changes of the objects: nothing for which one would be replaced but the proof."""


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.stem)
def test_an_upgrade_finds_every_object_again_and_keeps_it(run: Run, state: Path) -> None:
    resources = json.loads(state.read_text(encoding="utf-8"))["deployment"]["resources"]
    recorded = {one["urn"]: one for one in resources}
    old = yaml.safe_load(state.with_suffix(".yaml").read_text(encoding="utf-8"))["config"]
    new = rewrite(state.stem, {key.removeprefix(f"{PROJECT['name']}:"): old[key] for key in old})
    cluster = {**new.config["cluster"], "preflight": False}
    graph = run(**new.config | {"cluster": cluster, "defaults": {}}).graph

    found = found_again(graph, recorded)
    assert "kubernetes/cluster-provider" in found
    objects = {key for key, one in graph.items() if one.type.startswith("kubernetes:")}
    assert {found.get(key) for key in objects} == {
        one["urn"] for one in resources if one["type"].startswith("kubernetes:")
    }
    changes = {
        key: set(differences("", unmarked(recorded[found[key]]["inputs"]), unmarked(inputs)))
        for key, inputs in ((key, graph[key].inputs) for key in objects)
    }
    assert {key: paths for key, paths in changes.items() if paths} == CHANGES[state.stem]


def unmarked(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of an object without the marks of the stack, which every upgrade may add."""
    annotations = inputs["metadata"].get("annotations", {})
    kept = {key: value for key, value in annotations.items() if key not in (OWNER, RESOURCE)}
    return {**inputs, "metadata": {**inputs["metadata"], "annotations": kept}}


def found_again(graph: Mapping[str, Resource], recorded: Collection[str]) -> dict[str, str]:
    """The recorded resource that the engine takes each registration for, none for two.

    As its step generator finds it: by its URN, by its aliases, or where it was in what its parent
    was; with the parent's name at its beginning it began with that one's.
    """
    found: dict[str, str] = {}
    moved: dict[str, str] = {}
    for key, one in graph.items():
        name = one.urn.rpartition("::")[2]
        parent = graph[one.parent].urn if one.parent in graph else ""
        aliases = [
            urn(moved.get(above, above) or parent, type_ or one.type, former or name)
            for above, type_, former in one.aliases
        ]
        if before := moved.get(parent):
            replaced = (parent.rpartition("::")[2], before.rpartition("::")[2])
            for place in (one.urn, *aliases):
                _, _, types, former = place.split("::")
                if former.startswith(replaced[0]):
                    former = former.replace(*replaced, 1)
                aliases.append(urn(before, types.rpartition("$")[2], former))
        for place in (one.urn, *aliases):
            if place in recorded:
                assert place not in found.values(), f"{place} is found as {key} too"
                found[key] = place
                if place != one.urn:
                    moved[one.urn] = place
                break
    return found


def differences(path: str, old: Any, new: Any) -> Iterator[str]:
    """The paths at which two values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from differences(f"{path}.{key}" if path else key, old.get(key), new.get(key))
    elif old != new:
        yield path


def test_what_had_a_component_of_its_own_in_release_2_is_found_again(run: Run) -> None:
    def places(**keys: Any) -> dict[str, str]:
        return {
            key: above.partition("ambient:index:")[2].replace("$ambient:index:", " > ")
            for key, one in run(**keys).graph.items()
            for above, _, name in one.aliases
            if above and not name
        }

    own = {
        "NamespacePatch/httpbin-binding": "WaypointBinding::httpbin",
        "HTTPRoute/httpbin-waypoint-route": "AmbientExposure > WaypointRoute::httpbin-waypoint",
        "HTTPRoute/httpbin-ingress-route": "AmbientExposure > IngressRoute::httpbin-ingress",
        "Job/httpbin-probe-job": "AmbientExposure > Probe::httpbin-probe",
    }
    assert places(exposure=SELF_SIGNED) == own | {
        CERTIFICATE: "AmbientExposure > IngressGateway > Certificate::httpbin-gateway"
    }
    del own["NamespacePatch/httpbin-binding"]
    assert places(exposure=ADOPTED_SERVICE) == own | {
        "ServicePatch/httpbin-label": "AmbientExposure > AdoptedService::httpbin"
    }
    shared = {
        key.replace("httpbin", name): place.replace("httpbin", name)
        for key, place in own.items()
        for name in "ab"
    }
    assert places(**SHARED_WAYPOINT) == shared | {
        "NamespacePatch/shop-binding": "WaypointBinding::shop"
    }
