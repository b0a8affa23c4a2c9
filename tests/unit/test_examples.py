"""The examples' graphs, each run with a project and a configuration of its own."""

import re
import runpy
from typing import Any

import pytest
import yaml

import ambient_exposure
import components
from ambient_exposure.exposure import exposure as installed
from components.cluster.ownership import RESOURCE
from components.exposure import exposure as tested
from tests.unit.conftest import PROJECT, ROOT, Program, Resource, Run, looked_for, needed

SERVER = {
    "Namespace/httpbin: Namespace/httpbin-namespace NamespacePatch/httpbin-enrolment",
    "Workload/httpbin: Deployment/httpbin-deployment Service/httpbin-service"
    " ServiceAccount/httpbin-account",
}
PROXIES = {
    "Waypoint/httpbin: Gateway/httpbin-waypoint",
    "IngressGateway/httpbin: Gateway/httpbin-gateway",
}
ROUTES = "HTTPRoute/httpbin-ingress-route HTTPRoute/httpbin-waypoint-route Job/httpbin-probe-job"


CLIENT = {
    "Client/curl: Deployment/curl-deployment Service/curl-service ServiceAccount/curl-account",
    "Client/curl > Namespace/curl: Namespace/curl-namespace NamespacePatch/curl-enrolment",
}


def exposure(name: str, parts: set[str]) -> set[str]:
    return {f"AmbientExposure/{name} > {part}" for part in parts}


def sharing(name: str) -> set[str]:
    return {
        f"AmbientExposure/{name}: HTTPRoute/{name}-ingress-route HTTPRoute/{name}-waypoint-route"
        f" Job/{name}-probe-job NamespacePatch/{name}-binding",
        f"AmbientExposure/{name} > Workload/{name}: Deployment/{name}-deployment"
        f" Service/{name}-service ServiceAccount/{name}-account",
    }


BINDING = "NamespacePatch/httpbin-binding"

HTTPBIN = {
    f"AmbientExposure/httpbin: {ROUTES} {BINDING}",
    *exposure("httpbin", SERVER | PROXIES),
    *CLIENT,
}

# The components and the objects that they make.
PARTS = {
    "procedure": {f"no component: {ROUTES} {BINDING}"} | SERVER | PROXIES | CLIENT,
    "existing-service": {
        f"AmbientExposure/httpbin: {ROUTES} ServicePatch/httpbin-label",
        *exposure("httpbin", {"Namespace/httpbin: NamespacePatch/httpbin-enrolment"} | PROXIES),
        *CLIENT,
    },
    "two-services": {
        "Namespace/ingress: Namespace/ingress-namespace NamespacePatch/ingress-enrolment",
        "Namespace/catalog: Namespace/catalog-namespace NamespacePatch/catalog-enrolment",
        "Namespace/orders: Namespace/orders-namespace NamespacePatch/orders-enrolment",
        "IngressGateway/gateway: Gateway/gateway-gateway",
        "Waypoint/waypoint: Gateway/waypoint-waypoint",
    }
    | CLIENT
    | sharing("catalog")
    | sharing("orders"),
    "canary": HTTPBIN
    | exposure(
        "httpbin",
        {
            "Workload/httpbin-canary: Deployment/httpbin-canary-deployment"
            " Service/httpbin-canary-service ServiceAccount/httpbin-canary-account",
        },
    ),
    "https": HTTPBIN - exposure("httpbin", {"IngressGateway/httpbin: Gateway/httpbin-gateway"})
    | exposure(
        "httpbin",
        {
            "IngressGateway/httpbin: Gateway/httpbin-gateway HTTPRoute/httpbin-redirect"
            " Secret/httpbin-gateway-certificate-ebb44059",
        },
    ),
    "mesh": {
        "Mesh/mesh: Istio/mesh-istio IstioCNI/mesh-cni Namespace/mesh-cni-namespace"
        " Namespace/mesh-istio-namespace Namespace/mesh-ztunnel-namespace ZTunnel/mesh-ztunnel",
    },
}

OTHERS = ["three-stacks", "operator", "yaml", "typescript"]
"""Those without a program in Python."""

EXPOSING = [name for name in PARTS if name != "mesh"]

Graph = dict[str, Resource]


def project(example: str) -> dict[str, Any]:
    file = ROOT / "examples" / example / "Pulumi.yaml"
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


@pytest.fixture(autouse=True)
def needs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the preflights were asked for, of which none is made."""
    asked: list[Any] = []
    monkeypatch.setattr("components.cluster.provider.preflight", lambda *args: asked.append(args))
    return asked


@pytest.fixture
def run_example(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs an example with the defaults of its Pulumi.yaml, and returns its graph."""
    # Else every run makes another one, of which the engine keeps the first.
    monkeypatch.setattr(
        "components.parts.certificate.self_signed", lambda _: (b"certificate", b"key")
    )

    def run_with(example: str, **options: Any) -> Program:
        def program() -> None:
            runpy.run_path(str(ROOT / "examples" / example / "__main__.py"))

        own = options.pop("project", project(example))
        defaults = {key: schema["default"] for key, schema in own["config"].items()}
        return run(program, project=own, **defaults | options)

    return run_with


def test_the_operators_stacks_are_those_of_teams_with_the_roles_that_there_are() -> None:
    def roles(folder: str) -> set[tuple[str, str]]:
        files = (ROOT / folder).glob("*.yaml")
        documents = [one for file in files for one in yaml.safe_load_all(file.read_text())]
        return {(one["kind"], one["metadata"]["name"]) for one in documents}

    objects = [*yaml.safe_load_all((ROOT / "examples/operator/stacks.yaml").read_text())]
    teams = [one["spec"]["stack"].split("/") for one in objects if one["kind"] == "Stack"]
    assert teams == [["organization", "ambient-exposure", team] for team in ("platform", "shop")]
    for *_, team in teams:
        assert (ROOT / "examples" / "three-stacks" / f"Pulumi.{team}.yaml").exists()
    granted = {
        (one["roleRef"]["kind"], one["roleRef"]["name"]) for one in objects if "roleRef" in one
    }
    assert granted - roles("rbac") == {("ClusterRole", "system:auth-delegator")}


def test_the_installed_package_is_the_one_that_is_tested() -> None:
    assert ambient_exposure is components
    assert installed is tested


def test_every_example_is_tested() -> None:
    programs = (ROOT / "examples").glob("*/__main__.py")
    assert {path.parent.name for path in programs} == set(PARTS)
    assert {path.name for path in (ROOT / "examples").iterdir()} == {*PARTS, *OTHERS}


def test_every_example_is_listed() -> None:
    page = (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(.*)\]\(../examples/\1/README.md\) \|", page, re.MULTILINE)
    assert listed == [*PARTS, *OTHERS]


@pytest.mark.parametrize("example", PARTS)
def test_a_project_of_its_own_in_the_environment_of_this_one(example: str) -> None:
    own = project(example)
    assert own["name"] == example
    assert own["config"]["context"] == {
        "type": "string",
        "description": "kubeconfig context of the cluster; the current context where unset",
        "default": "",
    }
    assert own["runtime"]["options"] == {"toolchain": "pip", "virtualenv": "../../.venv"}
    requirements = (ROOT / "examples" / example / "requirements.txt").read_text(encoding="utf-8")
    assert requirements == "--constraint ../../constraints.txt\n../..\n"


@pytest.mark.parametrize("example", PARTS)
def test_every_object_has_its_place(run_example: Run, example: str) -> None:
    graph = run_example(example).graph
    parts: dict[str, list[str]] = {}
    for key, one in graph.items():
        if one.type.startswith("kubernetes:"):
            parts.setdefault(path(graph, one.parent), []).append(key)
    assert {f"{part}: {' '.join(sorted(keys))}" for part, keys in parts.items()} == PARTS[example]


def path(graph: Graph, key: str) -> str:
    """The components in which the component `key` is, and itself."""
    if key.startswith("Stack/"):
        return "no component"
    assert graph[key].type.startswith("ambient:"), key
    above = graph[key].parent
    return key if above.startswith("Stack/") else f"{path(graph, above)} > {key}"


@pytest.mark.parametrize("example", PARTS)
def test_every_object_uses_the_explicit_provider(run_example: Run, example: str) -> None:
    graph = run_example(example, context="mine").graph
    assert graph["kubernetes/cluster-provider"].inputs["context"] == "mine"
    assert {
        one.provider.split("::")[-2] for one in graph.values() if one.type.startswith("kubernetes:")
    } == {"cluster-provider"}


@pytest.mark.parametrize("example", PARTS)
def test_same_input_gives_the_same_graph(run_example: Run, example: str) -> None:
    first, second = run_example(example), run_example(example)
    assert first.graph == second.graph
    assert first.exports == second.exports


@pytest.mark.parametrize("example", EXPOSING)
def test_the_preflight_looks_for_what_is_made_and_adopted(
    run_example: Run, needs: list[Any], example: str
) -> None:
    graph = run_example(example, context="mine").graph
    ((cluster, asked),) = needs
    assert cluster["context"] == "mine"
    assert looked_for(asked) == needed(graph)


def test_no_preflight_looks_for_a_mesh_that_is_yet_to_come(
    run_example: Run, needs: list[Any]
) -> None:
    run_example("mesh")
    assert needs == []


def metadata(one: Resource) -> dict[str, Any]:
    found: dict[str, Any] = one.inputs["metadata"]
    return found


@pytest.mark.parametrize("example", EXPOSING)
def test_nothing_gets_in_before_the_rules_are_in_force(run_example: Run, example: str) -> None:
    graph = run_example(example).graph
    routes = [one for one in graph if one.endswith("-ingress-route")]
    assert routes
    for key in routes:
        namespace = metadata(graph[key])["namespace"]
        (backend,) = graph[key].inputs["spec"]["rules"][0]["backendRefs"]
        before = [graph[one] for one in waited_for(graph, key)]
        labels = {
            name: value
            for one in before
            if one.type.startswith("kubernetes:core/v1:")
            and namespace in (metadata(one).get("namespace"), metadata(one)["name"])
            for name, value in metadata(one).get("labels", {}).items()
        }
        assert labels["istio.io/dataplane-mode"] == "ambient"
        assert labels["istio.io/ingress-use-waypoint"] == "true"
        waypoint = {
            "name": labels["istio.io/use-waypoint"],
            "namespace": labels.get("istio.io/use-waypoint-namespace", namespace),
        }
        (gateway,) = graph[key].inputs["spec"]["parentRefs"]
        gateways = [
            {"name": metadata(one)["name"], "namespace": metadata(one)["namespace"]}
            for one in before
            if one.type.endswith(":Gateway")
        ]
        assert waypoint in gateways
        assert {"name": gateway["name"], "namespace": gateway["namespace"]} in gateways
        assert [
            backend["name"]
            for one in before
            if one.type.endswith(":HTTPRoute")
            for parent in one.inputs["spec"]["parentRefs"]
            if parent.get("kind") == "Service" and parent["namespace"] == namespace
            if parent["name"] == backend["name"]
        ]


def waited_for(graph: Graph, key: str) -> set[str]:
    """What is there before an object, and after it."""
    direct = graph[key].dependencies
    return direct.union(*(waited_for(graph, one) for one in direct))


@pytest.mark.parametrize("example", ["procedure", "two-services"])
def test_clients_go_before_the_services_that_they_call(run_example: Run, example: str) -> None:
    graph = run_example(example).graph
    (curl,) = (
        key
        for key in graph
        if key.startswith("Namespace/") and graph[key].type.startswith("kubernetes:")
        if metadata(graph[key])["name"] == "curl"
    )
    enrolled = {key for key in graph if key.endswith("-enrolment")}
    before = {metadata(graph[key])["name"] for key in waited_for(graph, curl) & enrolled}
    assert before == {metadata(graph[key])["name"] for key in enrolled} - {"curl", "ingress"}


def test_the_procedure_makes_what_an_exposure_makes(run: Run, run_example: Run) -> None:
    # Objects are marked with the project's name.
    renamed = {**project("procedure"), "name": PROJECT["name"]}
    assert manifests(run_example("procedure", project=renamed)) == manifests(run())


def manifests(program: Program) -> dict[tuple[str, str, str], dict[str, Any]]:
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in program.graph.values():
        if one.type.startswith("kubernetes:"):
            if one.type.endswith(":Job"):
                # A digest of everything that is proven, which each puts together in its own way.
                del one.inputs["spec"]["template"]["metadata"]["annotations"]
            # Each has names of resources of its own.
            metadata(one).get("annotations", {}).pop(RESOURCE, None)
            namespace = metadata(one).get("namespace", "")
            labels = "+".join(sorted(metadata(one).get("labels", {})))
            found[f"{one.type} {labels}", namespace, metadata(one).get("name", "")] = one.inputs
    return found


def test_the_canary_gets_the_configured_share(run_example: Run) -> None:
    for weight in (10, 50):
        program = run_example("canary", **({} if weight == 10 else {"weight": weight}))
        (rule,) = program.graph["HTTPRoute/httpbin-waypoint-route"].inputs["spec"]["rules"]
        assert [(one["name"], one["weight"]) for one in rule["backendRefs"]] == [
            ("httpbin", 100 - weight),
            ("httpbin-canary", weight),
        ]


def test_parts_of_the_mesh_follow_each_other(run_example: Run) -> None:
    graph = run_example("mesh", version="v1.29.2").graph
    assert waited_for(graph, "ZTunnel/mesh-ztunnel") >= {"Istio/mesh-istio", "IstioCNI/mesh-cni"}
    assert "IstioCNI/mesh-cni" in graph["Istio/mesh-istio"].dependencies
    assert graph["Istio/mesh-istio"].inputs["spec"]["version"] == "v1.29.2"


def team(run: Run, name: str) -> Program:
    """The stack of a team in `three-stacks`."""
    file = ROOT / "examples" / "three-stacks" / f"Pulumi.{name}.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    given = {key.removeprefix(f"{PROJECT['name']}:"): value for key, value in config.items()}
    return run(**{"exposures": {}, "defaults": {}, **given})


def test_applications_attach_to_what_the_platform_makes(run: Run) -> None:
    platform, shop, blog = (team(run, name) for name in ("platform", "shop", "blog"))
    made = {
        f"{metadata(one)['namespace']}/{metadata(one)['name']}"
        for one in platform.graph.values()
        if one.type.endswith(":Gateway")
    }
    assert {*shop.read.values()} == made
    assert {*blog.read.values()} == {"ingress/edge"}
    names = [
        {metadata(one)["name"] for one in program.graph.values() if "/v1:Namespace" in one.type}
        for program in (platform, shop, blog)
    ]
    assert names == [{"ingress"}, {"shop", "shop-client"}, {"blog", "blog-client"}]
