"""What a cluster may lack, and how each lack is named; a small HTTP server plays the API."""

import json
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, cast

import pulumi
import pytest
import yaml

from components import Cluster, ClusterArgs, InvalidInput, preflight, waypoint_route
from components.cluster.preflight import PreflightArgs, ServiceExpectation
from tests.unit.conftest import Run, gateway

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CLASSES = "/apis/gateway.networking.k8s.io/v1/gatewayclasses"
OURS = "organization/ambient-exposure/dev"


def crd(plural: str, bundle: str = "v1.6.0") -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{plural}.gateway.networking.k8s.io",
            "annotations": {
                "gateway.networking.k8s.io/bundle-version": bundle,
                "gateway.networking.k8s.io/channel": "standard",
            },
        },
        "spec": {
            "group": "gateway.networking.k8s.io",
            "names": {"kind": "Kind", "plural": plural},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
    }


def gateway_class(name: str, *conditions: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": list(conditions)}}


def namespace(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "httpbin", **metadata}}


ZTUNNEL: dict[str, Any] = {
    "metadata": {"name": "ztunnel"},
    "spec": {
        "selector": {"matchLabels": {"app": "ztunnel"}},
        "template": {"spec": {"containers": []}},
    },
}
AGENT = {"metadata": {"name": "agent"}, "spec": {**ZTUNNEL["spec"], "selector": {}}}
ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Handled"}
READY: dict[str, Any] = {
    f"{CRDS}/gateways.gateway.networking.k8s.io": crd("gateways"),
    f"{CRDS}/httproutes.gateway.networking.k8s.io": crd("httproutes"),
    f"{CLASSES}/istio": gateway_class("istio", ACCEPTED),
    f"{CLASSES}/istio-waypoint": gateway_class("istio-waypoint", ACCEPTED),
    "/apis/apps/v1/daemonsets": {"metadata": {}, "items": [ZTUNNEL]},
}


class Api(BaseHTTPRequestHandler):
    objects: ClassVar[dict[str, Any]]

    def do_GET(self) -> None:
        found = self.objects.get(self.path.partition("?")[0], 404)
        code = found if isinstance(found, int) else 200
        body = {"code": code, "message": f"status {code}"} if code != 200 else found
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the stdlib's name
        pass


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The objects of a cluster that is ready; a number instead of one is an HTTP status."""
    Api.objects = deepcopy(READY)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    # Looks often whether it shall end.
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    write_kubeconfig(tmp_path, server.server_port)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr("components.cluster.preflight.owner", lambda: OURS)
    yield Api.objects
    server.shutdown()
    server.server_close()


def write_kubeconfig(folder: Path, port: int) -> None:
    kubeconfig = {
        "clusters": [{"name": "lab", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "lab", "user": {}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))


def faults(*, create: bool = True, context: str = "lab", **needs: Any) -> list[str]:
    namespaces = [{"name": "httpbin", "create": create}]
    wanted = cast("PreflightArgs", {"namespaces": namespaces, **needs})
    return refused(lambda: preflight({"context": context}, wanted))


def refused(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except InvalidInput as error:
        heading, *lines = str(error).splitlines()
        assert heading == "the cluster is not ready for this stack:"
        return [line.strip() for line in lines]
    return []


@pytest.mark.usefixtures("api")
def test_a_ready_cluster_passes() -> None:
    assert faults() == []


def test_missing_gateway_api(api: dict[str, Any]) -> None:
    api.clear()
    api["/apis/apps/v1/daemonsets"] = READY["/apis/apps/v1/daemonsets"]
    install = (
        "missing. Install the standard channel of the Gateway API:"
        " https://gateway-api.sigs.k8s.io/guides/#installing-gateway-api"
    )
    assert faults()[:2] == [
        f"CustomResourceDefinition gateways.gateway.networking.k8s.io: {install}",
        f"CustomResourceDefinition httproutes.gateway.networking.k8s.io: {install}",
    ]


def test_too_old_gateway_api(api: dict[str, Any]) -> None:
    api[f"{CRDS}/gateways.gateway.networking.k8s.io"] = crd("gateways", "v1.1.0")
    assert faults() == [
        "CustomResourceDefinition gateways.gateway.networking.k8s.io: is of Gateway API v1.1.0,"
        " expected v1.2 or newer, the first whose standard channel has spec.infrastructure"
    ]


def test_missing_gateway_class(api: dict[str, Any]) -> None:
    del api[f"{CLASSES}/istio-waypoint"]
    assert faults() == [
        "GatewayClass istio-waypoint: missing; istiod creates it where it runs in ambient mode."
        " Is Istio installed with the profile `ambient`?"
    ]
    assert faults(gateway_classes=["istio"]) == []


def test_other_gateway_classes(api: dict[str, Any]) -> None:
    api[f"{CLASSES}/istio-east"] = gateway_class("istio-east", ACCEPTED)
    (fault,) = faults(gateway_classes=["istio-east", "istio-west"])
    assert fault.startswith("GatewayClass istio-west: missing;")


def test_gateway_class_not_accepted(api: dict[str, Any]) -> None:
    waiting = {
        "type": "Accepted",
        "status": "Unknown",
        "reason": "Pending",
        "message": "Waiting for controller",
    }
    api[f"{CLASSES}/istio"] = gateway_class("istio", waiting)
    api[f"{CLASSES}/istio-waypoint"] = gateway_class("istio-waypoint")
    assert faults() == [
        "GatewayClass istio: not accepted (Pending: Waiting for controller)."
        " Is istiod running and healthy?",
        "GatewayClass istio-waypoint: not accepted (no status). Is istiod running and healthy?",
    ]


def test_terminating_namespace(api: dict[str, Any]) -> None:
    api["/api/v1/namespaces/httpbin"] = namespace(deletionTimestamp="2026-01-02T03:04:05Z")
    expected = [
        "namespace httpbin: terminating since 2026-01-02 03:04:05. Wait until it is gone"
        " (`kubectl wait --for=delete namespace/httpbin`), then try again"
    ]
    assert faults() == expected
    assert faults(create=False) == expected


def test_namespace_of_somebody_else(api: dict[str, Any]) -> None:
    adopt = (
        f"({OURS}; annotation ambient-exposure/stack). Choose another name, or adopt it"
        " (`create` false). If the stack was renamed, write its new name into the annotation"
    )
    api["/api/v1/namespaces/httpbin"] = namespace()
    assert faults() == [f"namespace httpbin: exists and was not created by this stack {adopt}"]
    api["/api/v1/namespaces/httpbin"] = namespace(annotations={"ambient-exposure/stack": "a/b/c"})
    assert faults() == [f"namespace httpbin: exists and belongs to stack a/b/c {adopt}"]
    assert faults(create=False) == []


def test_namespace_of_this_stack(api: dict[str, Any]) -> None:
    api["/api/v1/namespaces/httpbin"] = namespace(annotations={"ambient-exposure/stack": OURS})
    assert faults() == []


@pytest.mark.usefixtures("api")
def test_namespace_to_adopt_is_missing() -> None:
    assert faults(create=False) == [
        "namespace httpbin: missing. Create it, or let the stack do it (its `create` true)"
    ]


def test_what_may_not_be_read_is_left_to_the_update(api: dict[str, Any]) -> None:
    api.clear()
    for path in READY:
        api[path] = 403
    assert faults() == []


def test_refused_credentials(api: dict[str, Any]) -> None:
    api[f"{CRDS}/gateways.gateway.networking.k8s.io"] = 401
    assert faults() == ["context lab: status 401. Do `kubectl get nodes` and its login work?"]


def test_mesh_without_ztunnel_is_warned_about(
    api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    assert faults() == []
    assert warnings == []
    api["/apis/apps/v1/daemonsets"] = {"metadata": {}, "items": [AGENT]}
    assert faults() == []
    assert warnings == [
        "no ztunnel in this mesh: requests through the ingress gateway pass the waypoint, but"
        " clients inside the mesh reach the service directly and in plaintext"
    ]


def test_missing_ztunnel_where_the_waypoint_is_required(api: dict[str, Any]) -> None:
    assert faults(ztunnel=True) == []
    api["/apis/apps/v1/daemonsets"] = {"metadata": {}, "items": []}
    assert faults(ztunnel=True) == [
        "DaemonSet ztunnel: missing, and nobody else enforces that only the waypoint reaches the"
        " pods (require_waypoint). Install it: the profile `ambient` has it"
    ]


def test_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kubeconfig(tmp_path, 1)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    (fault,) = faults()
    assert fault.startswith("context lab: no answer from 127.0.0.1:1: ")
    assert fault.endswith("`kubectl config get-contexts` lists the contexts there are")


@pytest.mark.usefixtures("api")
def test_unknown_context() -> None:
    (fault,) = faults(context="elsewhere")
    assert fault.startswith("context elsewhere: ")
    assert fault.endswith("`kubectl config get-contexts` lists what there is")


def test_no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    (fault,) = faults()
    assert fault.startswith(f"context lab: no kubeconfig at {tmp_path / 'missing'}. ")


@pytest.mark.parametrize("content", ["[1, 2]", "contexts: {", "contexts: [{}]", "\tx"])
@pytest.mark.usefixtures("api")
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, content: str) -> None:
    (tmp_path / "kubeconfig").write_text(content)
    (fault,) = faults()
    assert fault.startswith(f"context lab: {tmp_path / 'kubeconfig'} is no kubeconfig. ")


@pytest.mark.usefixtures("api")
def test_several_kubeconfigs_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {
        "clusters": [{"name": "lab", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [],
        "contexts": [],
    }
    (tmp_path / "other").write_text(yaml.safe_dump(other))
    paths = f"{tmp_path / 'kubeconfig'}::{tmp_path / 'missing'}:{tmp_path / 'other'}"
    monkeypatch.setenv("KUBECONFIG", paths)
    assert faults() == []


def with_login(folder: Path, command: str, version: str = "v1") -> None:
    """Let the kubeconfig in `folder` log in with a shell command."""
    kubeconfig = yaml.safe_load((folder / "kubeconfig").read_text())
    kubeconfig["users"][0]["user"] = {
        "exec": {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "command": "sh",
            "args": ["-c", command],
        }
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.usefixtures("api")
def test_a_login_by_a_program(tmp_path: Path, version: str) -> None:
    with_login(tmp_path, """echo '{"status": {"token": "t"}}'""", version)
    assert faults() == []


@pytest.mark.parametrize("command", ["exit 1", "echo not JSON", "echo '{}'"])
@pytest.mark.usefixtures("api")
def test_a_login_that_fails_here_is_left_to_the_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    with_login(tmp_path, command)
    assert faults() == []
    (warning,) = warnings
    assert warning.startswith("context lab: the cluster was not checked, as its login failed here")


@pytest.mark.parametrize("dangling", ["clusters", "users"])
@pytest.mark.usefixtures("api")
def test_a_context_without_a_cluster_or_user(tmp_path: Path, dangling: str) -> None:
    kubeconfig = yaml.safe_load((tmp_path / "kubeconfig").read_text())
    kubeconfig[dangling] = []
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    (fault,) = faults()
    assert fault.startswith("context lab: the context names no complete cluster and user")


def test_own_namespace_is_not_adopted(api: dict[str, Any]) -> None:
    api["/api/v1/namespaces/httpbin"] = namespace(annotations={"ambient-exposure/stack": OURS})
    (fault,) = faults(create=False)
    assert fault.startswith(
        "namespace httpbin: was created by this stack; to adopt it now would delete it"
    )


SERVICE: ServiceExpectation = {"namespace": "shop", "name": "cart", "port": 80}


def service(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80}, {"port": 443}], **spec},
    }


def test_service_to_adopt(api: dict[str, Any]) -> None:
    api["/api/v1/namespaces/shop/services/cart"] = service(type="ClusterIP")
    assert faults(services=[SERVICE, {**SERVICE, "port": 443}]) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (404, "missing. Create it, or let the stack do it (its `create` true)"),
        (
            service(clusterIP="None"),
            "is headless: without an address of its own Istio sends nothing through a waypoint",
        ),
        (
            service(type="ExternalName", externalName="cart.example.com", clusterIP=None),
            "is of type ExternalName: without an address of its own Istio sends nothing through a"
            " waypoint",
        ),
        (service(ports=[{"port": 8080}]), "has no port 80; it has 8080 (service.port)"),
        (service(ports=None), "has no port 80; it has none (service.port)"),
    ],
)
def test_service_that_cannot_be_adopted(api: dict[str, Any], found: Any, fault: str) -> None:
    api["/api/v1/namespaces/shop/services/cart"] = found
    assert faults(services=[SERVICE]) == [f"Service shop/cart: {fault}"]


def test_services_that_may_not_be_read_are_left_to_the_update(api: dict[str, Any]) -> None:
    api["/api/v1/namespaces/shop/services/cart"] = 403
    assert faults(services=[SERVICE]) == []


def test_gateways_of_others(api: dict[str, Any]) -> None:
    expected: dict[str, Any] = {"namespace": "ingress", "name": "edge", "attached": "shop"}
    needs: dict[str, Any] = {
        "gateways": [{**expected, "hostnames": ["a.example.com"]}] * 2,
        "waypoints": [expected],
    }
    (fault,) = faults(**needs)
    assert fault.startswith("Gateway ingress/edge: missing. ")
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/ingress/gateways/edge"
    api[path] = 403
    assert faults(**needs) == []
    api[path] = gateway("ingress/edge")
    api[f"{CLASSES}/istio"]["spec"] = {"controllerName": "istio.io/gateway-controller"}
    own = "admits its own namespace ingress alone."
    assert [own in one for one in faults(gateways=needs["gateways"])] == [True]
    selector = {"matchLabels": {"team": "shop"}}
    (listener,) = api[path]["spec"]["listeners"]
    listener["allowedRoutes"] = {"namespaces": {"from": "Selector", "selector": selector}}
    assert len(faults(gateways=needs["gateways"])) == 1
    api["/api/v1/namespaces/shop"] = {"metadata": {"name": "shop", "labels": {"team": "shop"}}}
    assert faults(gateways=needs["gateways"]) == []
    api[f"{CLASSES}/istio"]["spec"]["controllerName"] = "example.com/controller"
    assert len(faults(gateways=needs["gateways"])) == 1


def made(run: Run, args: ClusterArgs) -> list[str]:
    """What a `Cluster` is refused for; where it is, nothing else has been registered."""
    found: list[str] = []

    def program() -> None:
        found.extend(refused(lambda: Cluster("cluster", args)))

    graph = run(program).graph
    registered = {key for key in graph if not key.startswith("Stack/")}
    assert registered == (set() if found else {"Cluster/cluster", "kubernetes/cluster-provider"})
    return found


NEEDS: PreflightArgs = {"namespaces": [{"name": "httpbin", "create": False}]}


@pytest.mark.usefixtures("api")
def test_a_cluster_is_checked_before_it_is_made(run: Run, tmp_path: Path) -> None:
    args: ClusterArgs = {"kubeconfig": str(tmp_path / "kubeconfig"), "needs": NEEDS}
    missing = "namespace httpbin: missing. Create it, or let the stack do it (its `create` true)"
    assert made(run, args) == [missing]
    assert made(run, {**args, "context": "elsewhere"})[0].startswith("context elsewhere: ")
    assert made(run, {**args, "preflight": False}) == []


def test_a_cluster_that_has_all_is_made(api: dict[str, Any], run: Run, tmp_path: Path) -> None:
    api["/api/v1/namespaces/httpbin"] = namespace()
    assert made(run, {"kubeconfig": str(tmp_path / "kubeconfig"), "needs": NEEDS}) == []


@pytest.mark.parametrize("checked", [True, False])
def test_what_is_made_afterwards_uses_only_fields_that_the_cluster_has(
    api: dict[str, Any], run: Run, tmp_path: Path, *, checked: bool
) -> None:
    fields: dict[str, Any] = {"matches": {}, "backendRefs": {}}
    rules = {"type": "array", "items": {"type": "object", "properties": fields}}
    spec = {"type": "object", "properties": {"parentRefs": {}, "rules": rules}}
    routes = api[f"{CRDS}/httproutes.gateway.networking.k8s.io"]
    (version,) = routes["spec"]["versions"]
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}

    def program() -> None:
        Cluster("cluster", {"kubeconfig": str(tmp_path / "kubeconfig"), "preflight": checked})
        waypoint_route(
            "shop",
            {
                "name": "shop",
                "namespace": "shop",
                "service": "shop",
                "port": 80,
                "rules": [{"paths": ["/a"]}, {"retry": {"attempts": 2}}],
            },
        )

    if not checked:
        assert "HTTPRoute/shop-route" in run(program).graph
        return
    with pytest.raises(InvalidInput) as error:
        run(program)
    assert str(error.value) == (
        "waypoint route 'shop':\n  rules[1].retry: needs the experimental channel of Gateway API"
        " 1.2, or 1.7; the cluster has 1.6.0 (standard channel)"
    )


def test_a_misspelt_argument_is_refused() -> None:
    args = cast("ClusterArgs", {"contxt": "production", "preflight": False})
    with pytest.raises(InvalidInput) as error:
        Cluster("cluster", args)
    assert str(error.value) == (
        "Cluster 'cluster':\n  contxt: found an unknown key, expected one of context, kubeconfig,"
        " preflight, needs (did you mean context?)"
    )
