"""The whole program's graph: names, parents, dependencies, outputs."""

import copy
from typing import Any

import pulumi
import pytest

from components import AmbientExposure, Cluster, IngressGateway
from components.exposure import AmbientExposureArgs
from tests.unit.conftest import ADDRESS, Program, Run

ENROLLED = {"Namespace/exposure-namespace", "NamespacePatch/exposure-enrolment"}
CLIENT_ENROLLED = ENROLLED | {
    "Namespace/exposure-client-namespace",
    "NamespacePatch/exposure-client-enrolment",
}
SERVICE = ENROLLED | {"Service/exposure-service"}
RULED = SERVICE | {
    "NamespacePatch/exposure-binding",
    "HTTPRoute/exposure-waypoint-route",
}

# Resource, its parent, and what it waits for; what it waits for also outlives it.
GRAPH = {
    "kubernetes/cluster-provider": ("Cluster/cluster", set()),
    "Namespace/exposure-namespace": ("Namespace/exposure", set()),
    "NamespacePatch/exposure-enrolment": ("Namespace/exposure", {"Namespace/exposure-namespace"}),
    "ServiceAccount/exposure-account": ("Workload/exposure", ENROLLED),
    "Service/exposure-service": ("Workload/exposure", ENROLLED),
    "Deployment/exposure-deployment": (
        "Workload/exposure",
        ENROLLED | {"ServiceAccount/exposure-account"},
    ),
    "Gateway/exposure-waypoint": ("Waypoint/exposure", ENROLLED),
    "NamespacePatch/exposure-binding": (
        "Waypoint/exposure",
        ENROLLED | {"Gateway/exposure-waypoint"},
    ),
    "Gateway/exposure-gateway": ("IngressGateway/exposure", ENROLLED),
    "HTTPRoute/exposure-ingress-route": (
        "IngressRoute/exposure-ingress",
        RULED | {"Gateway/exposure-gateway"},
    ),
    "HTTPRoute/exposure-waypoint-route": ("WaypointRoute/exposure-waypoint", SERVICE),
    "Namespace/exposure-client-namespace": ("Namespace/exposure-client", ENROLLED),
    "NamespacePatch/exposure-client-enrolment": (
        "Namespace/exposure-client",
        ENROLLED | {"Namespace/exposure-client-namespace"},
    ),
    "ServiceAccount/exposure-client-account": ("Client/exposure-client", CLIENT_ENROLLED),
    "Service/exposure-client-service": ("Client/exposure-client", CLIENT_ENROLLED),
    "Deployment/exposure-client-deployment": (
        "Client/exposure-client",
        CLIENT_ENROLLED | {"ServiceAccount/exposure-client-account"},
    ),
    "Job/exposure-probe-job": (
        "Probe/exposure-probe",
        CLIENT_ENROLLED
        | RULED
        | {
            "Gateway/exposure-gateway",
            "Gateway/exposure-waypoint",
            "HTTPRoute/exposure-ingress-route",
            "ServiceAccount/exposure-account",
            "Deployment/exposure-deployment",
            "ServiceAccount/exposure-client-account",
        },
    ),
}


def leaves(program: Program) -> dict[str, tuple[str, set[str]]]:
    return {
        key: (resource.parent, resource.dependencies)
        for key, resource in program.graph.items()
        if not resource.type.startswith(("ambient:", "pulumi:pulumi:"))
    }


def test_every_resource_has_its_parent_and_its_dependencies(run: Run) -> None:
    assert leaves(run()) == GRAPH


def test_only_components_are_roots(run: Run) -> None:
    roots = {key for key, one in run().graph.items() if one.parent.startswith("Stack/")}
    assert roots == {"Cluster/cluster", "AmbientExposure/exposure"}


def test_every_object_uses_the_explicit_provider(run: Run) -> None:
    providers = {
        resource.provider.split("::")[-2]
        for resource in run().graph.values()
        if resource.type.startswith("kubernetes:")
    }
    assert providers == {"cluster-provider"}


def test_components_keep_their_inputs_in_the_state(run: Run) -> None:
    graph = run().graph
    assert graph["AmbientExposure/exposure"].inputs["hostnames"] == ["httpbin.example.com"]
    assert graph["Waypoint/exposure"].inputs["name"] == "httpbin-waypoint"


def test_same_input_gives_the_same_graph(run: Run) -> None:
    first, second = run(), run()
    assert first.graph == second.graph
    assert first.exports == second.exports


def test_in_cluster_address_and_proof_are_exported(run: Run) -> None:
    assert run().exports == {
        "ingressHost": ADDRESS,
        "ingressPort": 80,
        "ingressUrl": f"http://{ADDRESS}:80",
        "verified": [
            f"GET http://{ADDRESS}:80/headers (Host: httpbin.example.com): 200",
            f"GET http://{ADDRESS}:80/get (Host: httpbin.example.com): 404",
        ],
    }


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
    exports = run(serviceType="LoadBalancer", addresses=(ADDRESS, external), verify=False).exports
    assert exports == {
        "ingressHost": external,
        "ingressPort": 80,
        "ingressUrl": url,
        "verified": [],
    }


def test_preview_of_a_new_service_type_leaves_the_address_unknown(run: Run) -> None:
    program = run(serviceType="LoadBalancer", addresses=(ADDRESS,), preview=True)
    assert program.exports == {"ingressPort": 80}


def test_preview_of_an_empty_stack_knows_the_in_cluster_address(run: Run) -> None:
    exports = run(preview=True, verify=False).exports
    assert exports["ingressUrl"] == f"http://{ADDRESS}:80"


def test_a_gateway_without_a_fitting_address_fails_the_update(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="no external address"):
        run(serviceType="LoadBalancer", addresses=(ADDRESS,))


def test_external_address_is_verified_too(run: Run) -> None:
    job = run(serviceType="LoadBalancer", addresses=("198.18.1.0",)).graph["Job/exposure-probe-job"]
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    assert container["env"][0]["value"].splitlines() == [
        f"200 httpbin.example.com http://{ADDRESS}:80/headers",
        f"404 httpbin.example.com http://{ADDRESS}:80/get",
        "200 httpbin.example.com http://198.18.1.0:80/headers",
        "404 httpbin.example.com http://198.18.1.0:80/get",
    ]


@pytest.mark.parametrize(
    ("changed", "repeated"),
    [
        ({}, False),
        ({"readyTimeout": 10}, False),
        ({"paths": ["/headers"]}, True),
        ({"image": "httpbin:2"}, True),
        ({"containerPort": 8081}, True),
        ({"servicePort": 8001}, True),
        ({"hostnames": ["b.example.com"]}, True),
        ({"discoveryLabels": {"mesh": "b"}}, True),
        ({"waypointClass": "other"}, True),
        ({"gatewayClass": "other"}, True),
    ],
)
def test_proof_is_repeated_when_what_it_proves_changes(
    run: Run, changed: dict[str, Any], *, repeated: bool
) -> None:
    def subject(program: Program) -> str:
        template = program.graph["Job/exposure-probe-job"].inputs["spec"]["template"]
        return str(template["metadata"]["annotations"]["ambient-exposure/subject"])

    assert (subject(run()) != subject(run(**changed))) is repeated


def test_every_wait_has_the_configured_limit(run: Run) -> None:
    limits = {
        key: one.timeouts
        for key, one in run(readyTimeout=10, verifyTimeout=5).graph.items()
        if key.startswith(("Gateway/", "HTTPRoute/", "Deployment/", "Service/", "Job/"))
    }
    job = limits.pop("Job/exposure-probe-job")
    assert job == {"create": "155s", "update": "155s"}
    assert set(map(str, limits.values())) == {"{'create': '10s', 'update': '10s'}"}


def test_switched_off_verification_leaves_out_the_client(run: Run) -> None:
    kept = leaves(run(verify=False)).keys()
    assert kept == {key for key in GRAPH if "client" not in key and "probe" not in key}


def test_adopted_namespace_is_labelled_but_not_owned(run: Run) -> None:
    graph = run(createNamespace=False).graph
    assert "Namespace/exposure-namespace" not in graph
    assert graph["NamespacePatch/exposure-enrolment"].inputs["metadata"]["labels"] == {
        "istio-discovery": "enabled",
        "istio.io/dataplane-mode": "ambient",
    }


ARGS: AmbientExposureArgs = {
    "namespace": {"name": "shop"},
    "service": {"name": "shop", "port": 80, "image": "shop:1", "container_port": 8080},
    "hostnames": ["shop.example.com", "*.shop.example.com"],
    "rules": [{"paths": ["/"]}],
}


def test_a_program_of_ones_own_gets_a_listener_for_each_host_name(run: Run) -> None:
    before = copy.deepcopy(ARGS)

    def program() -> None:
        cluster = Cluster("cluster", {"context": "mine"})
        AmbientExposure("shop", ARGS, pulumi.ResourceOptions(providers=[cluster.provider]))

    graph = run(program).graph
    assert before == ARGS
    assert [
        (listener["name"], listener["hostname"])
        for listener in graph["Gateway/shop-gateway"].inputs["spec"]["listeners"]
    ] == [("default", "shop.example.com"), ("default-2", "*.shop.example.com")]
    assert graph["kubernetes/cluster-provider"].inputs == {"context": "mine", "kubeconfig": ""}


def test_outputs_may_be_inputs(run: Run) -> None:
    def program() -> None:
        name = pulumi.Output.from_input("late")
        IngressGateway("late", {"name": name, "namespace": name, "hostnames": [name]})

    graph = run(program, addresses=("late-istio.late.svc.cluster.local",)).graph
    assert graph["Gateway/late-gateway"].inputs["metadata"]["name"] == "late"
