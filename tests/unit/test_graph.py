"""The whole program's graph: names, parents, dependencies, outputs."""

import copy

import pulumi
import pytest

from components import AmbientExposure, Cluster, IngressGateway
from components.exposure import AmbientExposureArgs
from tests.unit.conftest import ADDRESS, Program, Run

ENROLLED = {"Namespace/httpbin-namespace", "NamespacePatch/httpbin-enrolment"}
CLIENT_ENROLLED = ENROLLED | {
    "Namespace/httpbin-client-namespace",
    "NamespacePatch/httpbin-client-enrolment",
}
SERVICE = ENROLLED | {"Service/httpbin-service"}
ROUTED = SERVICE | {
    "Gateway/httpbin-gateway",
    "HTTPRoute/httpbin-ingress-route",
    "HTTPRoute/httpbin-waypoint-route",
}

# Resource, its parent, and what it waits for; what it waits for also outlives it.
GRAPH = {
    "kubernetes/cluster-provider": ("Cluster/cluster", set()),
    "Namespace/httpbin-namespace": ("Namespace/httpbin", set()),
    "NamespacePatch/httpbin-enrolment": ("Namespace/httpbin", {"Namespace/httpbin-namespace"}),
    "ServiceAccount/httpbin-account": ("Workload/httpbin", ENROLLED),
    "Service/httpbin-service": ("Workload/httpbin", ENROLLED),
    "Deployment/httpbin-deployment": (
        "Workload/httpbin",
        ENROLLED | {"ServiceAccount/httpbin-account"},
    ),
    "Gateway/httpbin-waypoint": ("Waypoint/httpbin", ENROLLED),
    "NamespacePatch/httpbin-binding": ("Waypoint/httpbin", ENROLLED | {"Gateway/httpbin-waypoint"}),
    "Gateway/httpbin-gateway": ("IngressGateway/httpbin", ENROLLED),
    "HTTPRoute/httpbin-ingress-route": (
        "IngressRoute/httpbin-ingress",
        SERVICE | {"Gateway/httpbin-gateway"},
    ),
    "HTTPRoute/httpbin-waypoint-route": ("WaypointRoute/httpbin-waypoint", SERVICE),
    "Namespace/httpbin-client-namespace": ("Namespace/httpbin-client", ENROLLED),
    "NamespacePatch/httpbin-client-enrolment": (
        "Namespace/httpbin-client",
        ENROLLED | {"Namespace/httpbin-client-namespace"},
    ),
    "ServiceAccount/httpbin-client-account": ("Client/httpbin-client", CLIENT_ENROLLED),
    "Service/httpbin-client-service": ("Client/httpbin-client", CLIENT_ENROLLED),
    "Deployment/httpbin-client-deployment": (
        "Client/httpbin-client",
        CLIENT_ENROLLED | {"ServiceAccount/httpbin-client-account"},
    ),
    "Job/httpbin-probe-job": (
        "Probe/httpbin-probe",
        CLIENT_ENROLLED
        | ROUTED
        | {
            "Gateway/httpbin-waypoint",
            "NamespacePatch/httpbin-binding",
            "ServiceAccount/httpbin-account",
            "Deployment/httpbin-deployment",
            "ServiceAccount/httpbin-client-account",
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
    assert roots == {"Cluster/cluster", "AmbientExposure/httpbin"}


def test_every_object_uses_the_explicit_provider(run: Run) -> None:
    providers = {
        resource.provider.split("::")[-2]
        for resource in run().graph.values()
        if resource.type.startswith("kubernetes:")
    }
    assert providers == {"cluster-provider"}


def test_components_keep_their_inputs_in_the_state(run: Run) -> None:
    graph = run().graph
    assert graph["AmbientExposure/httpbin"].inputs["hostnames"] == ["httpbin.example.com"]
    assert graph["Waypoint/httpbin"].inputs["name"] == "httpbin-waypoint"


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


def test_a_gateway_without_a_fitting_address_fails_the_update(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="no address for service type LoadBalancer"):
        run(serviceType="LoadBalancer", addresses=(ADDRESS,))


def test_external_address_is_verified_too(run: Run) -> None:
    job = run(serviceType="LoadBalancer", addresses=("198.18.1.0",)).graph["Job/httpbin-probe-job"]
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    assert container["env"][0]["value"].splitlines() == [
        f"200 httpbin.example.com http://{ADDRESS}:80/headers",
        f"404 httpbin.example.com http://{ADDRESS}:80/get",
        "200 httpbin.example.com http://198.18.1.0:80/headers",
        "404 httpbin.example.com http://198.18.1.0:80/get",
    ]


def test_proof_is_repeated_when_a_route_changes_and_only_then(run: Run) -> None:
    def subject(program: Program) -> str:
        template = program.graph["Job/httpbin-probe-job"].inputs["spec"]["template"]
        return str(template["metadata"]["annotations"]["ambient-exposure/subject"])

    assert subject(run()) == subject(run())
    assert subject(run()) != subject(run(paths=["/headers"]))


def test_switched_off_verification_leaves_out_the_client(run: Run) -> None:
    kept = leaves(run(verify=False)).keys()
    assert kept == {key for key in GRAPH if "client" not in key and "probe" not in key}


def test_adopted_namespace_is_labelled_but_not_owned(run: Run) -> None:
    graph = run(createNamespace=False).graph
    assert "Namespace/httpbin-namespace" not in graph
    assert graph["NamespacePatch/httpbin-enrolment"].inputs["metadata"]["labels"] == {
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
    assert graph["kubernetes/cluster-provider"].inputs == {
        "context": "mine",
        "clusterIdentifier": "mine",
    }


def test_outputs_may_be_inputs(run: Run) -> None:
    def program() -> None:
        name = pulumi.Output.from_input("late")
        IngressGateway("late", {"name": name, "namespace": name, "hostnames": [name]})

    graph = run(program, addresses=("late-istio.late.svc.cluster.local",)).graph
    assert graph["Gateway/late-gateway"].inputs["metadata"]["name"] == "late"
