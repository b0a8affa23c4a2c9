"""Several services, what they share and what is somebody else's."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from tests.lab.conftest import ROOT, Lab, Stack, merged, plain, sample
from tests.lab.test_exposure import until

pytestmark = plain

KINDS = "gateways,httproutes,services,serviceaccounts,deployments,pods,jobs"
HOSTNAME = "httpbin.example.com"
GATEWAY = "httpbin-gateway-istio.httpbin"
DENIED = "the waypoint's allowedRoutes do not admit this namespace"
EDGE = {"serviceType": None, "allowedRoutes": None, "existing": {"entry": "edge"}}
"""The gateway of an exposure that shares the entry `edge`."""
WAYPOINT = {"existing": {"entry": "waypoint"}}


@pytest.fixture
def stack(module_stack: Stack) -> Stack:
    module_stack.reset()
    return module_stack


def exposure(name: str, namespace: str | None = None, **changes: Any) -> dict[str, Any]:
    """An exposure whose service and host name are called like it, else as in the sample.

    It is in an entry of `namespaces`, by default in a namespace of its own.
    """
    place = within(namespace) if namespace else {"name": name}
    exposures = sample(
        **{
            "namespace": {"name": None, **place},
            # /hostname then tells which service answers.
            "service": {"name": name, "env": {"USE_REAL_HOSTNAME": "true"}},
            "hostnames": [f"{name}.example.com"],
            **changes,
        }
    )
    return {name: exposures["httpbin"]}


def within(namespace: str) -> dict[str, Any]:
    """The `namespace` of what is in an entry of `namespaces`."""
    return {"existing": {"entry": namespace}}


def gateways(**options: Any) -> dict[str, Any]:
    """The only gateway that is shared, `edge` in the entry `edge` of `namespaces`."""
    edge = {"namespace": within("edge"), "hostnames": ["*.example.com"], **routes("All")}
    return {"edge": merged(edge, options)}


def waypoints(namespace: str, **options: Any) -> dict[str, Any]:
    """The only waypoint that is shared."""
    return {"waypoint": {"namespace": within(namespace), **options}}


def routes(where: str, **selector: Any) -> dict[str, Any]:
    """The option `allowedRoutes`."""
    selected = {"selector": selector} if selector else {}
    return {"allowedRoutes": {"namespaces": {"from": where, **selected}}}


def named(*namespaces: str) -> dict[str, Any]:
    """A selector of namespaces."""
    one_of = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [*namespaces]}
    return {"matchExpressions": [one_of]}


def uids(lab: Lab, *namespaces: str) -> dict[str, str]:
    """The objects of namespaces, by their uid."""
    columns = "custom-columns=:metadata.uid,:kind,:metadata.namespace,:metadata.name"
    lines = [
        line.split(maxsplit=1)
        for namespace in namespaces
        for line in lab.kubectl(
            "get", KINDS, "-n", namespace, "--no-headers", "-o", columns
        ).splitlines()
    ]
    return {uid: " ".join(name.split()) for uid, name in lines}


def bound(lab: Lab, namespace: str, service: str) -> str:
    """The waypoint that istiod says to have bound a Service to."""
    path = "{.status.conditions[?(@.type=='istio.io/WaypointBound')].message}"
    return lab.kubectl("get", "service", service, "-n", namespace, "-o", f"jsonpath={path}")


def answer(lab: Lab, gateway: str, host: str, path: str) -> str:
    """The status of a request to a gateway, `NAME.NAMESPACE`, from the curl pod."""
    return lab.curl("-H", f"Host:{host}", f"{gateway}{path}")


def settled(stack: Stack) -> None:
    """Nothing is left to do."""
    stack.pulumi("preview", "--expect-no-changes")


def test_exposures_come_and_go_beside_the_first(lab: Lab, stack: Stack) -> None:
    stack.up()
    first = uids(lab, "httpbin", "curl")

    outputs = stack.up(exposures=sample() | exposure("second"))
    assert uids(lab, "httpbin", "curl").items() >= first.items()
    assert outputs["exposures"].keys() == {"httpbin", "second"}
    assert answer(lab, "second-gateway-istio.second", "second.example.com", "/headers") == "200"
    assert answer(lab, "second-gateway-istio.second", "second.example.com", "/get") == "404"
    settled(stack)

    stack.up(exposures=sample() | exposure("third"))
    assert uids(lab, "httpbin", "curl").items() >= first.items()
    assert answer(lab, "third-gateway-istio.third", "third.example.com", "/headers") == "200"
    assert "second" not in lab.kubectl("get", "namespaces", "-o", "name")
    third = uids(lab, "third")

    stack.up(exposures=exposure("third") | exposure("fourth"))
    assert uids(lab, "third") == third
    assert "httpbin" not in lab.kubectl("get", "namespaces", "-o", "name")
    settled(stack)


def test_services_of_a_namespace_share_its_waypoint(lab: Lab, stack: Stack) -> None:
    checks = [{"path": "/anything", "status": 200}, {"path": "/headers", "status": 404}]
    orders: dict[str, Any] = {
        "rules": [{"paths": ["/anything"]}],
        "verification": {"checks": checks},
    }
    stack.up(
        namespaces={"mall": {}},
        waypoints=waypoints("mall"),
        exposures=exposure("catalog", "mall", waypoint=WAYPOINT)
        | exposure("orders", "mall", waypoint=WAYPOINT, **orders),
    )
    listed = lab.kubectl("get", "gateways", "-n", "mall", "-o", "name")
    assert [name.rpartition("/")[2] for name in listed.split()] == [
        "catalog-gateway",
        "orders-gateway",
        "waypoint",
    ]
    for service in ("catalog", "orders"):
        assert "mall/waypoint" in bound(lab, "mall", service)
    catalog = ("catalog-gateway-istio.mall", "catalog.example.com")
    orders_ = ("orders-gateway-istio.mall", "orders.example.com")
    assert answer(lab, *catalog, "/headers") == "200"
    assert answer(lab, *catalog, "/anything") == "404"
    assert answer(lab, *orders_, "/anything") == "200"
    assert answer(lab, *orders_, "/headers") == "404"
    # The other one's host name.
    assert answer(lab, catalog[0], orders_[1], "/anything") == "404"
    settled(stack)


def test_namespaces_share_gateway_and_waypoint(lab: Lab, stack: Stack) -> None:
    shared: dict[str, Any] = {"gateway": EDGE, "waypoint": WAYPOINT}
    shop = exposure("catalog", "shop", **shared) | exposure("orders", "shop", **shared)
    billing = exposure("billing", **shared, hostnames=["*.billing.example.com"])
    # Only proxies run at the edge.
    stack.configure(namespaces={"edge": {"ambient": False}, "shop": {}}, gateways=gateways())
    outputs = stack.up(waypoints=waypoints("edge", **routes("All")), exposures=shop | billing)
    assert outputs["exposures"].keys() == {"catalog", "orders", "billing"}
    for namespace, service in (("shop", "catalog"), ("shop", "orders"), ("billing", "billing")):
        assert "edge/waypoint" in bound(lab, namespace, service)
    for host in ("catalog", "orders", "any.billing", "other.billing"):
        assert answer(lab, "edge-istio.edge", f"{host}.example.com", "/headers") == "200"
        assert answer(lab, "edge-istio.edge", f"{host}.example.com", "/get") == "404"
    for host in ("billing.example.com", "any.billing.example.org"):
        assert answer(lab, "edge-istio.edge", host, "/headers") == "404"
    assert "gateway" not in lab.kubectl("get", "gateways", "-n", "shop", "-o", "name")
    settled(stack)

    # Only one of the two namespaces.
    admitting = waypoints("edge", **routes("Selector", **named("shop")))
    stack.up(waypoints=admitting, exposures=shop)
    assert "edge/waypoint" in bound(lab, "shop", "catalog")
    assert answer(lab, "edge-istio.edge", "catalog.example.com", "/get") == "404"
    billing["billing"]["readyTimeout"] = 20
    printed = stack.failing_up(exposures=shop | billing)
    assert "Service billing/billing: " in printed
    assert "AttachmentDenied: " in printed
    assert DENIED in printed


@pytest.fixture
def guest(lab: Lab, stack: Stack) -> Iterator[str]:
    """A namespace of somebody else whose route wants to attach to the gateway `edge`."""
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "guest", "namespace": "guest"},
        "spec": {
            "parentRefs": [{"name": "edge", "namespace": "edge"}],
            "hostnames": ["guest.example.com"],
            "rules": [
                {
                    "filters": [
                        {"type": "RequestRedirect", "requestRedirect": {"hostname": "a.example"}}
                    ]
                }
            ],
        },
    }
    lab.kubectl("create", "namespace", "guest")
    lab.kubectl("label", "namespace", "guest", "istio-discovery=enabled")
    file = stack.folder / "guest.json"
    file.write_text(json.dumps(route))
    lab.kubectl("apply", "-f", str(file))
    yield "guest"
    lab.kubectl("delete", "namespace", "guest")


def test_the_gateway_admits_the_routes_it_is_told_to(lab: Lab, stack: Stack, guest: str) -> None:
    def accepted() -> str:
        path = "{.status.parents[*].conditions[?(@.type=='Accepted')].reason}"
        return lab.kubectl("get", "httproute", guest, "-n", guest, "-o", f"jsonpath={path}")

    def seen(reason: str, status: str) -> bool:
        answered = answer(lab, "edge-istio.edge", "guest.example.com", "/")
        return (accepted(), answered) == (reason, status)

    own = exposure("own", "edge", gateway=EDGE)
    stack.configure(namespaces={"edge": {}}, exposures=own)
    for allowed, reason, status in (
        ({"allowedRoutes": None}, "NotAllowedByListeners", "404"),
        (routes("All"), "Accepted", "302"),
        (routes("Same"), "NotAllowedByListeners", "404"),
        (routes("All"), "Accepted", "302"),
        (routes("Selector", **named("edge")), "NotAllowedByListeners", "404"),
        (routes("Selector", **named("edge", guest)), "Accepted", "302"),
    ):
        stack.up(gateways=gateways(**allowed))
        assert answer(lab, "edge-istio.edge", "own.example.com", "/headers") == "200"
        until(partial(seen, reason, status))
    settled(stack)

    stack.up(exposures=own | exposure("shop"))
    shop = exposure("shop", gateway=EDGE, readyTimeout=20)
    printed = stack.failing_up(exposures=own | shop)
    assert "HTTPRoute shop/shop-ingress: Accepted=False (NotAllowedByListeners: " in printed
    assert "the gateway's allowedRoutes do not admit this namespace" in printed


def test_a_rule_sends_requests_to_another_namespace(lab: Lab, stack: Stack) -> None:
    url = ("-H", "Host:front.example.com", "front-gateway-istio.front/hostname")

    def answering() -> str:
        """The Service whose pod answers."""
        curl = ("exec", "-n", "curl", "deploy/curl", "--", "curl", "-sS", "-m", "5")
        return str(json.loads(lab.kubectl(*curl, *url))["hostname"]).partition("-")[0]

    elsewhere = {"name": "back", "namespace": "back", "port": 8000}
    sent = {"paths": ["/hostname"], "backendRefs": [elsewhere]}
    rules = [{"paths": ["/headers", "/hostname"]}]
    back = exposure("back", rules=rules)
    stack.up(exposures=back | exposure("front", rules=rules))
    assert answering() == "front"

    # A gateway's route needs permission; to a waypoint's route istiod gives it.
    stack.up(exposures=back | exposure("front", rules=[{"paths": ["/headers"]}, sent]))
    until(lambda: answering() == "back")

    routed: dict[str, Any] = {"ingressRules": [sent, {}]}
    printed = stack.failing_up(exposures=back | exposure("front", **routed, readyTimeout=20))
    assert "HTTPRoute front/front-ingress: " in printed
    assert "ResolvedRefs=False (RefNotPermitted: " in printed
    assert "`grants` true makes it" in printed
    stack.up(exposures=back | exposure("front", **routed, grants=True))
    until(lambda: answering() == "back")
    settled(stack)


def test_further_listeners_and_a_namespace_that_gateways_reach_through_its_waypoint(
    lab: Lab, stack: Stack
) -> None:
    label = r"{.metadata.labels.istio\.io/ingress-use-waypoint}"

    def labelled(kind: str) -> bool:
        found = lab.kubectl("get", kind, "httpbin", "-n", "httpbin", "-o", f"jsonpath={label}")
        return found == "true"

    own = {"host": HOSTNAME, "path": "/headers"}
    stack.up()
    assert answer(lab, f"{GATEWAY}:8081", **own).startswith("000")
    assert (labelled("namespace"), labelled("service")) == (False, True)
    listener = {"name": "further", "port": 8081, "protocol": "HTTP"}
    stack.up(
        exposures=sample(gateway={"listeners": [listener]}, waypoint={"ingressUseWaypoint": True})
    )
    assert (labelled("namespace"), labelled("service")) == (True, True)
    until(lambda: answer(lab, f"{GATEWAY}:8081", **own) == "200")
    for port in (80, 8081):
        assert answer(lab, f"{GATEWAY}:{port}", HOSTNAME, "/get") == "404"
    settled(stack)


LONG = f"httpbin-{'long' * 13}"
"""The name of a Service after which no proxy can be named as it is."""


@pytest.fixture
def theirs(lab: Lab, stack: Stack) -> Iterator[str]:
    """A namespace of somebody else with a Service of a long name."""
    stack.pulumi("destroy", "--yes", "--skip-preview")
    lab.kubectl("create", "namespace", "theirs")
    sample = (ROOT / "examples" / "existing-service" / "httpbin.yaml").read_text(encoding="utf-8")
    objects = [*yaml.safe_load_all(sample)]
    for one in objects:
        if one["kind"] == "Service":
            one["metadata"]["name"] = LONG
    file = stack.folder / "theirs.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    lab.kubectl("apply", "-n", "theirs", "-f", str(file))
    for kind, name in (("namespace", "theirs"), ("service", LONG)):
        lab.kubectl("label", kind, name, "-n", "theirs", "team=shop")
        lab.kubectl("annotate", kind, name, "-n", "theirs", "note=keep")
    yield "theirs"
    lab.kubectl("delete", "namespace", "theirs")


def test_what_is_adopted_gets_labels_and_is_left_as_it_was(
    lab: Lab, stack: Stack, theirs: str
) -> None:
    def metadata() -> list[dict[str, Any]]:
        kept = ("labels", "annotations", "uid")
        objects = [
            json.loads(lab.kubectl("get", kind, name, "-n", theirs, "-o", "json"))
            for kind, name in (("namespace", theirs), ("service", LONG))
        ]
        return [{key: one["metadata"].get(key) for key in kept} for one in objects]

    before, objects = metadata(), uids(lab, theirs)
    outputs = stack.up(
        exposures=sample(
            namespace={"name": theirs, "create": False, "ambient": True},
            service={"name": LONG, "create": False, "image": None, "containerPort": None},
        )
    )
    namespace, service = metadata()
    assert namespace["labels"].items() >= before[0]["labels"].items()
    assert "istio.io/use-waypoint" not in namespace["labels"]
    assert service["labels"] == {
        **before[1]["labels"],
        "istio.io/ingress-use-waypoint": "true",
        "istio.io/use-waypoint": service["labels"]["istio.io/use-waypoint"],
    }
    assert service["uid"] == before[1]["uid"]
    assert answer(lab, outputs["ingressHost"], HOSTNAME, "/headers") == "200"
    assert answer(lab, outputs["ingressHost"], HOSTNAME, "/get") == "404"
    settled(stack)
    stack.pulumi("destroy", "--yes", "--skip-preview")
    assert metadata() == before
    until(lambda: uids(lab, theirs) == objects)
