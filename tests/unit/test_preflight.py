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
from components.cluster.ownership import OWNER, RESOURCE
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
DEPLOYMENTS = "/apis/apps/v1/deployments"


def istiod(
    ready: int = 1,
    revision: str = "default",
    name: str = "istiod",
    image: str = "istiod",
    told: dict[str, str] | None = None,
) -> dict[str, Any]:
    labels = {"app": "istiod", "istio.io/rev": revision, **(told or {})}
    containers = [{"name": "discovery", "image": image}]
    return {
        "metadata": {"name": name, "namespace": "istio-system", "labels": labels},
        "spec": {**ZTUNNEL["spec"], "template": {"spec": {"containers": containers}}},
        "status": {"readyReplicas": ready} if ready else {},
    }


ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Handled"}
READY: dict[str, Any] = {
    f"{CRDS}/gateways.gateway.networking.k8s.io": crd("gateways"),
    f"{CRDS}/httproutes.gateway.networking.k8s.io": crd("httproutes"),
    f"{CLASSES}/istio": gateway_class("istio", ACCEPTED),
    f"{CLASSES}/istio-waypoint": gateway_class("istio-waypoint", ACCEPTED),
    "/apis/apps/v1/daemonsets": {"metadata": {}, "items": [ZTUNNEL]},
    DEPLOYMENTS: {"metadata": {}, "items": [istiod()]},
}


class Api(BaseHTTPRequestHandler):
    objects: ClassVar[dict[str, Any]]
    messages: ClassVar[dict[str, str]]
    """What is said with a status, where that is not its number alone."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = self.objects.get(path, 404)
        code = found if isinstance(found, int) else 200
        said = {"code": code, "message": self.messages.get(path, f"status {code}")}
        body = said if code != 200 else found
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    do_POST = do_GET  # noqa: N815  # the name that the stdlib looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the stdlib's name
        pass


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The objects of a cluster that is ready; a number instead of one is an HTTP status."""
    Api.objects, Api.messages = deepcopy(READY), {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    # Looks often whether it shall end.
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    write_kubeconfig(tmp_path, server.server_port)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    for module in ("preflight", "virtual_services"):
        monkeypatch.setattr(f"components.cluster.{module}.owner", lambda: OURS)
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


VERSION = "app.kubernetes.io/version"
NEEDED = {"setting": "exposures.shop.service.tls", "release": "1.28"}


@pytest.mark.parametrize(
    ("image", "labels", "found"),
    [
        ("docker.io/istio/pilot:1.27.3-distroless", {}, "1.27"),
        ("docker.io/istio/pilot:1.28.0", {}, None),
        ("docker.io/istio/pilot:1.31-alpha.abc@sha256:0", {VERSION: "1.25.0"}, None),
        # It runs what its image is, whatever chart it came with.
        ("docker.io/istio/pilot:1.27.3", {VERSION: "1.30.0"}, "1.27"),
        ("registry:5000/mesh/pilot@sha256:0", {VERSION: "v1.26.2"}, "1.26"),
        ("registry:5000/mesh/pilot:latest", {"operator.istio.io/version": "1.25.1"}, "1.25"),
        # A vendor's own version, and that of a chart that was never released.
        ("registry:5000/mesh/pilot:v2.1.0", {VERSION: "1.0.0"}, None),
        ("istiod", {}, None),
    ],
)
def test_settings_that_an_older_istio_ignores(
    api: dict[str, Any], image: str, labels: dict[str, str], found: str | None
) -> None:
    api[DEPLOYMENTS]["items"] = [istiod(image=image, told=labels)]
    said = (
        "exposures.shop.service.tls: needs Istio 1.28, as older ones ignore it; Deployment"
        f" istio-system/istiod is of {found}"
    )
    assert faults(releases=[NEEDED]) == ([said] if found else [])


def test_of_several_control_planes_the_newest_counts(api: dict[str, Any]) -> None:
    old, new = istiod(image="pilot:1.27.1"), istiod(image="pilot:1.28.1", name="istiod-new")
    for listed in ([old, new], [old, istiod(name="istiod-unknown")]):
        api[DEPLOYMENTS]["items"] = listed
        assert faults(releases=[NEEDED]) == []


def test_an_istio_whose_gateways_pass_by_waypoints(api: dict[str, Any]) -> None:
    api[DEPLOYMENTS]["items"] = [istiod(image="pilot:1.23.4")]
    assert faults() == [
        "Deployment istio-system/istiod: is of Istio 1.23, expected 1.24 or newer: gateways of"
        " older ones send requests past waypoints"
    ]


@pytest.mark.usefixtures("api")
def test_a_ready_cluster_passes() -> None:
    assert faults() == []


def test_missing_gateway_api(api: dict[str, Any]) -> None:
    api.clear()
    for path in ("/apis/apps/v1/daemonsets", DEPLOYMENTS):
        api[path] = READY[path]
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


def test_a_namespace_that_exists_is_left_to_the_update(api: dict[str, Any]) -> None:
    api["/api/v1/namespaces/httpbin"] = namespace()
    assert faults() == []
    api["/api/v1/namespaces/httpbin"] = namespace(annotations={"ambient-exposure/stack": "a/b/c"})
    assert faults(create=False) == []


def test_a_renamed_entry_is_recognized(api: dict[str, Any]) -> None:
    route = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/web-ingress"
    entry = {
        "type": "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
        "namespace": "shop",
        "name": "web-ingress",
        "entry": "new",
        "suffix": "-ingress-route",
    }
    assert faults(entries=[entry]) == []
    marks = {OWNER: OURS, RESOURCE: "old-ingress-route"}
    api[route] = {"metadata": {"name": "web-ingress", "annotations": marks}}
    assert faults(entries=[entry]) == [
        "HTTPRoute shop/web-ingress: was made by entry old, not by new. If that was renamed,"
        " `pulumi config set --path renamed.new old` keeps it what it is; else choose another name"
        " for it"
    ]
    assert faults(entries=[{**entry, "former": "old"}]) == []
    assert faults(entries=[{**entry, "entry": "old"}]) == []
    marks[OWNER] = "organization/ambient-exposure/another"
    assert faults(entries=[entry]) == []


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


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a preview warns of."""
    found: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", found.append)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    return found


def test_mesh_without_ztunnel_is_warned_about(api: dict[str, Any], warnings: list[str]) -> None:
    assert faults() == []
    assert warnings == []
    api["/apis/apps/v1/daemonsets"] = {"metadata": {}, "items": [AGENT]}
    assert faults() == []
    assert warnings == [
        "no ztunnel in this mesh: requests through the ingress gateway pass the waypoint, but"
        " clients inside the mesh reach the service directly and in plaintext"
    ]


def test_an_update_does_not_repeat_what_its_preview_warned_of(
    api: dict[str, Any], warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    api["/apis/apps/v1/daemonsets"] = {"metadata": {}, "items": []}
    assert faults() == []
    assert warnings == []


@pytest.mark.parametrize(
    ("deployments", "named"),
    [
        ([istiod()], []),
        ([istiod(ready=0)], ["istiod"]),
        ([istiod(ready=0), istiod(0, "blue", "istiod-blue")], ["istiod", "istiod-blue"]),
        ([istiod(ready=0), istiod(1, "blue", "istiod-blue")], []),
    ],
)
def test_a_control_plane_that_is_not_ready(
    api: dict[str, Any], deployments: list[Any], named: list[str]
) -> None:
    api[DEPLOYMENTS]["items"] = deployments
    assert faults() == [
        f"Deployment istio-system/{name}: none of its pods is ready, and nobody else serves"
        " Gateways and routes. See `kubectl get pods -n istio-system -l app=istiod`"
        for name in named
    ]


def test_a_control_plane_that_is_not_in_the_cluster(
    api: dict[str, Any], warnings: list[str]
) -> None:
    api[DEPLOYMENTS]["items"] = []
    assert faults() == []
    (warning,) = warnings
    assert warning.startswith("no istiod runs in this cluster: unless")


CONFIG = "/api/v1/namespaces/istio-system/configmaps/istio"


def mesh(*selectors: dict[str, Any]) -> dict[str, Any]:
    """The ConfigMap of a control plane."""
    return {"metadata": {}, "data": {"mesh": yaml.safe_dump({"discoverySelectors": selectors})}}


def discovered(**labels: str) -> list[str]:
    """What is said of a namespace that gets these labels."""
    return faults(namespaces=[{"name": "httpbin", "create": True, "labels": labels}])


ENABLED = {"matchLabels": {"istio-discovery": "enabled"}}
UNDISCOVERED = "namespace httpbin: the mesh would not discover it: found the labels "


def test_a_namespace_that_the_mesh_does_not_discover(api: dict[str, Any]) -> None:
    assert discovered() == []
    api[CONFIG] = mesh()
    assert discovered() == []
    api[CONFIG] = mesh(ENABLED)
    assert discovered(**{"istio-discovery": "enabled"}) == []
    assert discovered(team="shop") == [
        f"{UNDISCOVERED}kubernetes.io/metadata.name=httpbin,team=shop, expected"
        " istio-discovery=enabled (discoverySelectors in ConfigMap istio-system/istio). Set its"
        " `discovery_labels`"
    ]
    # Nothing is known of its labels.
    assert faults() == []
    # What is missing has no labels.
    assert len(faults(namespaces=[{"name": "httpbin", "create": False, "labels": {}}])) == 1
    api["/api/v1/namespaces/httpbin"] = namespace(
        labels={"istio-discovery": "enabled"}, annotations={"ambient-exposure/stack": OURS}
    )
    assert discovered() == []


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ["a", "b"], {"a": True, "c": False, None: False}),
        ("NotIn", ["a", "b"], {"a": False, "c": True, None: True}),
        ("Exists", None, {"a": True, None: False}),
        ("DoesNotExist", None, {"a": False, None: True}),
    ],
)
def test_namespaces_are_discovered_by_expressions(
    api: dict[str, Any], operator: str, values: list[str] | None, expected: dict[str | None, bool]
) -> None:
    expression = {"key": "team", "operator": operator, **({"values": values} if values else {})}
    api[CONFIG] = mesh({"matchExpressions": [expression]}, ENABLED)
    for value, found in expected.items():
        assert (discovered(**({"team": value} if value else {})) == []) is found


def test_selectors_are_shown_as_kubectl_takes_them(api: dict[str, Any]) -> None:
    api[CONFIG] = mesh(
        {
            "matchLabels": {"a": "b"},
            "matchExpressions": [
                {"key": "c", "operator": "In", "values": ["d", "e"]},
                {"key": "f", "operator": "NotIn", "values": ["g"]},
                {"key": "h", "operator": "Exists"},
                {"key": "kubernetes.io/metadata.name", "operator": "DoesNotExist"},
            ],
        },
        ENABLED,
    )
    (fault,) = discovered()
    assert (
        "expected a=b,c in (d,e),f notin (g),h,!kubernetes.io/metadata.name or"
        " istio-discovery=enabled (discoverySelectors in ConfigMap istio-system/istio)"
    ) in fault


def test_it_is_enough_that_one_revision_discovers_a_namespace(api: dict[str, Any]) -> None:
    api[DEPLOYMENTS]["items"] = [istiod(), istiod(1, "blue", "istiod-blue")]
    api[CONFIG] = mesh(ENABLED)
    api[f"{CONFIG}-blue"] = mesh({"matchLabels": {"mesh": "blue"}})
    assert discovered(mesh="blue") == []
    (fault,) = discovered()
    assert (
        "expected istio-discovery=enabled (discoverySelectors in ConfigMap istio-system/istio); or"
        " mesh=blue (discoverySelectors in ConfigMap istio-system/istio-blue)"
    ) in fault
    api[f"{CONFIG}-blue"] = mesh()
    assert discovered() == []


@pytest.mark.parametrize("found", [403, 404, {"data": None}, {"data": {"mesh": "{"}}])
def test_a_mesh_that_does_not_tell_what_it_discovers(api: dict[str, Any], found: Any) -> None:
    api[CONFIG] = found if isinstance(found, int) else {"metadata": {}, **found}
    assert discovered() == []


GATEWAYS = [{"namespace": "shop", "name": "edge", "generated": "edge-istio"}]


@pytest.mark.parametrize(
    "kind", ["api/v1/namespaces/shop/services", "apis/apps/v1/namespaces/shop/deployments"]
)
def test_what_has_the_name_that_istiod_needs(api: dict[str, Any], kind: str) -> None:
    assert faults(proxies=GATEWAYS) == []
    gateway = {"kind": "Gateway", "name": "edge", "apiVersion": "v1", "uid": "1"}
    found: dict[str, Any] = {
        "metadata": {"ownerReferences": [gateway]},
        "spec": ZTUNNEL["spec"] if "apps" in kind else {},
    }
    api[f"/{kind}/edge-istio"] = found
    assert faults(proxies=GATEWAYS) == []
    for owners in ([{**gateway, "name": "other"}], []):
        found["metadata"]["ownerReferences"] = owners
        (fault,) = faults(proxies=GATEWAYS)
        assert fault.endswith(
            " shop/edge-istio: has the name of the one that istiod would make for Gateway edge: it"
            " would make none. Give the Gateway another name"
        )


VIRTUAL_SERVICES = "/apis/networking.istio.io/v1/virtualservices"
DESTINATION_RULES = "/apis/networking.istio.io/v1/destinationrules"
ROUTES = [{"namespace": "shop", "service": "cart", "hostnames": ["*.example.com"]}]
CART = "cart.shop.svc.cluster.local"


def theirs(place: str, **spec: Any) -> dict[str, Any]:
    """A VirtualService or a DestinationRule of somebody else."""
    return {"metadata": {"name": "theirs", "namespace": place}, "spec": spec}


def mixed(api: dict[str, Any], one: dict[str, Any], kind: str = VIRTUAL_SERVICES) -> list[str]:
    """The faults of a stack with routes beside an object."""
    api[VIRTUAL_SERVICES] = api[DESTINATION_RULES] = {"metadata": {}, "items": []}
    api[kind] = {"metadata": {}, "items": [one]}
    return faults(routes=ROUTES)


HTTP = [{"route": [{"destination": {"host": "cart"}}]}]


@pytest.mark.parametrize(
    ("place", "host"),
    [
        ("shop", "cart"),
        *(("shop", host) for host in ("cart.shop", "cart.shop.svc", CART, "*", "*.local")),
    ],
)
def test_a_virtual_service_that_the_waypoint_would_take(
    api: dict[str, Any], warnings: list[str], place: str, host: str
) -> None:
    assert mixed(api, theirs(place, hosts=["a.example.org", host], http=HTTP)) == [
        f"VirtualService {place}/theirs: is for Service shop/cart, too: its waypoint would let"
        " through what this matches beside what the `rules` do. Delete it, once its routes are"
        " among them"
    ]
    assert warnings == []


def test_a_virtual_service_in_the_namespace_of_a_shared_waypoint(api: dict[str, Any]) -> None:
    one = theirs("edge", hosts=[CART], http=HTTP)
    assert mixed(api, one) == []
    assert len(faults(routes=[{**ROUTES[0], "waypoint_namespace": "edge"}])) == 1


@pytest.mark.parametrize(
    ("place", "spec"),
    [
        ("blog", {"hosts": [CART]}),
        ("shop", {"hosts": ["cart"], "gateways": ["old"]}),
        ("shop", {"hosts": ["cart"], "http": None, "tls": [{}]}),
        ("blog", {"hosts": ["a.example.com"], "gateways": ["blog/old"]}),
        ("blog", {"hosts": ["*.com"], "exportTo": ["shop"]}),
    ],
)
def test_a_virtual_service_that_others_go_by_is_warned_about(
    api: dict[str, Any], warnings: list[str], place: str, spec: dict[str, Any]
) -> None:
    assert mixed(api, theirs(place, **{"http": HTTP, **spec})) == []
    assert warnings == [
        f"VirtualService {place}/theirs is for {spec['hosts'][0]}, too: other gateways and proxies"
        " go by it, past the routes of this stack. VirtualServices and the Gateway API are not to"
        " be mixed"
    ]


@pytest.mark.parametrize(
    ("place", "spec"),
    [
        ("blog", {"hosts": ["cart"]}),
        ("shop", {"hosts": ["carts", "cart.blog", f"a.{CART}", "example.com", "example.org"]}),
        ("blog", {"hosts": [CART], "exportTo": ["."]}),
        ("shop", {"hosts": [CART], "exportTo": ["~"]}),
        ("shop", {"hosts": None}),
    ],
)
def test_a_virtual_service_for_something_else(
    api: dict[str, Any], warnings: list[str], place: str, spec: dict[str, Any]
) -> None:
    assert mixed(api, theirs(place, http=HTTP, **spec)) == []
    assert warnings == []


def test_a_destination_rule_is_warned_about(api: dict[str, Any], warnings: list[str]) -> None:
    assert mixed(api, theirs("blog", host="cart"), DESTINATION_RULES) == []
    assert warnings == []
    assert mixed(api, theirs("shop", host="cart"), DESTINATION_RULES) == []
    assert warnings == [
        "DestinationRule shop/theirs is for cart, too: gateway and waypoint treat the requests of"
        " this stack's routes as it says"
    ]


def test_what_the_stack_made_itself_is_not_mixed(api: dict[str, Any], warnings: list[str]) -> None:
    for kind, spec in (
        (VIRTUAL_SERVICES, {"hosts": ["cart"], "http": HTTP}),
        (DESTINATION_RULES, {"host": "cart"}),
    ):
        one = theirs("shop", **spec)
        one["metadata"]["annotations"] = {"ambient-exposure/stack": OURS}
        assert mixed(api, one, kind) == []
    assert warnings == []


@pytest.mark.usefixtures("api")
def test_an_istio_without_its_own_api_has_nothing_to_mix() -> None:
    assert faults(routes=ROUTES) == []


def test_missing_ztunnel_where_the_waypoint_is_required(api: dict[str, Any]) -> None:
    assert faults(ztunnel=True) == []
    api["/apis/apps/v1/daemonsets"] = {"metadata": {}, "items": []}
    assert faults(ztunnel=True) == [
        "DaemonSet ztunnel: missing, and nobody else enforces that only the waypoint reaches the"
        " pods (require_waypoint), or sends what clients in the mesh call through one. Install it:"
        " the profile `ambient` has it"
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
    tmp_path: Path, warnings: list[str], command: str
) -> None:
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


def test_a_gateway_that_was_just_made_has_time_to_be_programmed(
    api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {"namespace": "ingress", "name": "edge", "attached": "ingress", "hostnames": ["a.b"]}
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/ingress/gateways/edge"
    api[f"{CLASSES}/istio"]["spec"] = {"controllerName": "istio.io/gateway-controller"}
    programmed, pending = gateway("ingress/edge"), gateway("ingress/edge")
    pending["status"] = {"conditions": [{"type": "Accepted", "status": "True"}]}
    api[path] = pending
    monkeypatch.setattr(
        "components.cluster.gateways.time.sleep", lambda _: api.update({path: programmed})
    )
    assert faults(gateways=[expected]) == []
    api[path] = pending
    monkeypatch.setattr("components.cluster.gateways._PATIENCE", 0)
    (fault,) = faults(gateways=[expected])
    assert fault.startswith("Gateway ingress/edge: found Programmed=Unknown")


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


@pytest.mark.usefixtures("api")
def test_a_mistake_of_a_check_is_not_taken_for_a_failed_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def mistaken(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("components.cluster.preflight._check", mistaken)
    with pytest.raises(KeyError):
        faults()
