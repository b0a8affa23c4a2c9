"""Gateways and waypoints of others: what is taken from them, and how they have to be."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import pulumi
import pytest
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.models.meta_v1 import Status
from lightkube.resources.core_v1 import Namespace

from components.api.gateway import GROUP
from components.cluster.gateways import (
    ExistingExpectation,
    GatewayExpectation,
    existing_gateways,
    existing_waypoints,
)
from tests.unit.conftest import Program, Run, gateway, patched

INTERNAL = "edge-istio.ingress.svc.cluster.local"
EDGE = {"existing": {"name": "edge", "namespace": "ingress"}}
SHARED = {"existing": {"name": "shared", "namespace": "ingress"}}


def listener(port: int, **more: Any) -> dict[str, Any]:
    """A listener; of HTTPS where the port says so."""
    protocol = "HTTPS" if port in (443, 8443) else "HTTP"
    return {"name": f"at-{port}", "protocol": protocol, "port": port, **more}


def attached(run: Run, exposure: Mapping[str, Any], **live: Any) -> Program:
    """The sample's service at the gateway `edge` of somebody else, which is like `live`."""
    own = {"gateway": {**EDGE, "serviceType": None, "allowedRoutes": None}, **exposure}
    return run(exposure=own, live={"ingress/edge": live, "ingress/shared": {}})


def parent(program: Program) -> dict[str, Any]:
    """What the route of the exposure attaches to."""
    (found,) = program.graph["HTTPRoute/httpbin-ingress-route"].inputs["spec"]["parentRefs"]
    return cast("dict[str, Any]", found)


def test_what_others_made_is_read_and_not_owned(run: Run) -> None:
    program = attached(run, {"waypoint": SHARED})
    assert program.read == {
        "AmbientExposure/httpbin > httpbin-gateway": "ingress/edge",
        "AmbientExposure/httpbin > httpbin-waypoint": "ingress/shared",
    }
    assert not [one for one in program.graph if one.startswith("Gateway/")]
    assert parent(program) == {"name": "edge", "namespace": "ingress", "port": 80}
    labels = program.graph["NamespacePatch/httpbin-binding"].inputs["metadata"]["labels"]
    assert labels == {
        "istio.io/use-waypoint": "shared",
        "istio.io/use-waypoint-namespace": "ingress",
    }
    conditions = ["Accepted=True (Accepted)", "Programmed=True (Programmed)"]
    exports = program.exports
    assert exports.pop("exposures") == {"httpbin": exports}
    assert exports == {
        "ingressHost": INTERNAL,
        "ingressPort": 80,
        "ingressUrl": f"http://{INTERNAL}:80",
        "ingressUrls": [f"http://{INTERNAL}:80"],
        "ingressAddresses": [INTERNAL],
        "ingressInternalHost": INTERNAL,
        "ingressConditions": conditions,
        "waypointAddress": "shared-istio.ingress.svc.cluster.local",
        "waypointConditions": conditions,
        "dnsRecords": [],
        "commands": [f"curl -sSig -H Host:httpbin.example.com http://{INTERNAL}:80/headers"],
        "verified": [
            f"GET http://{INTERNAL}:80/headers (Host: httpbin.example.com): 200",
            f"GET http://{INTERNAL}:80/get (Host: httpbin.example.com): 404",
        ],
    }


BALANCED = {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}


@pytest.mark.parametrize(
    ("live", "url", "urls"),
    [
        # The external address first, the in-cluster one where there is none.
        ({"status": BALANCED}, "http://192.0.2.1:80", [f"http://{INTERNAL}:80"]),
        ({"status": {"addresses": None}}, f"http://{INTERNAL}:80", []),
        (
            {"status": {"addresses": [{"type": "IPAddress", "value": "fd00::1"}]}},
            "http://[fd00::1]:80",
            [f"http://{INTERNAL}:80"],
        ),
        # The in-cluster name.
        (
            {
                "metadata": {"annotations": {"gateway.istio.io/name-override": "front"}},
                "status": BALANCED,
            },
            "http://192.0.2.1:80",
            ["http://front.ingress.svc.cluster.local:80"],
        ),
        (
            {"spec": {"gatewayClassName": "edge"}, "status": BALANCED},
            "http://192.0.2.1:80",
            ["http://edge-edge.ingress.svc.cluster.local:80"],
        ),
        (
            {"spec": {"addresses": [{"type": "Hostname", "value": "istio"}]}, "status": BALANCED},
            "http://192.0.2.1:80",
            ["http://istio.ingress.svc.cluster.local:80"],
        ),
        (
            {"status": {"addresses": [{"type": "Hostname", "value": "a.b.svc.cluster.example"}]}},
            "http://a.b.svc.cluster.example:80",
            [],
        ),
        (
            {"status": {"addresses": [{"type": "Hostname", "value": "edge.example.com"}]}},
            "http://edge.example.com:80",
            [f"http://{INTERNAL}:80"],
        ),
        # The port.
        (
            {"spec": {"listeners": [listener(80), listener(8443), listener(443)]}},
            f"https://{INTERNAL}:8443",
            [],
        ),
        (
            {
                "spec": {
                    "listeners": [
                        listener(443, hostname="other.example.com"),
                        listener(80, hostname="*.example.org"),
                        listener(8080, hostname="*.example.com"),
                    ]
                }
            },
            f"http://{INTERNAL}:8080",
            [],
        ),
    ],
)
def test_where_a_gateway_is_reached(
    run: Run, live: dict[str, Any], url: str, urls: list[str]
) -> None:
    program = attached(run, {}, **live)
    assert program.exports["ingressUrl"] == url
    assert program.exports["ingressUrls"] == [*urls, url]
    port = int(url.rpartition(":")[2])
    assert (parent(program)["port"], program.exports["ingressPort"]) == (port, port)


def test_what_is_said_of_a_gateway_is_not_read(run: Run) -> None:
    listeners = {"spec": {"listeners": [listener(443), listener(80)]}, "status": BALANCED}
    existing = {**EDGE["existing"], "listenerPort": 80, "internalHost": "edge.ingress"}
    own = {"gateway": {"existing": existing, "serviceType": None, "allowedRoutes": None}}
    program = attached(run, own, **listeners)
    assert parent(program)["port"] == 80
    urls = ["http://edge.ingress:80", "http://192.0.2.1:80"]
    assert program.exports["ingressUrls"] == urls


def test_all_host_names_of_an_exposure_are_served_at_one_port(run: Run) -> None:
    hostnames = ["a.example.com", "b.example.com"]
    listeners = [
        listener(8443, hostname="a.example.com"),
        listener(443, hostname="b.example.com"),
        listener(80, hostname="a.example.com"),
        listener(80, name="second", hostname="b.example.com"),
    ]
    program = attached(run, {"hostnames": hostnames}, spec={"listeners": listeners})
    assert parent(program)["port"] == 80
    with pytest.raises(pulumi.RunError) as error:
        attached(run, {"hostnames": hostnames}, spec={"listeners": listeners[:3]})
    assert str(error.value) == (
        "Gateway ingress/edge has no port whose listeners serve a.example.com, b.example.com. Ask"
        " its owner for one, or change hostnames"
    )


@pytest.mark.parametrize("place", ["ingress/edge", "ingress/shared"])
def test_the_proof_is_repeated_when_a_gateway_of_others_changes(run: Run, place: str) -> None:
    def subject(**metadata: Any) -> Any:
        own = {"gateway": {**EDGE, "serviceType": None, "allowedRoutes": None}, "waypoint": SHARED}
        graph = run(exposure=own, live={place: {"metadata": metadata}}).graph
        template = graph["Job/httpbin-probe-job"].inputs["spec"]["template"]
        return template["metadata"]["annotations"]

    assert subject() == subject(annotations={"a": "b"})
    assert len({str(subject(**one)) for one in ({}, {"generation": 2}, {"uid": "2"})}) == 3


def test_a_stack_of_gateways_and_waypoints_tells_others_where_they_are(run: Run) -> None:
    place = {"existing": {"entry": "ingress"}}
    program = run(
        exposures={},
        namespaces={"ingress": {"ambient": False}},
        gateways={"edge": {"namespace": place, "hostnames": ["*.example.com"]}},
        waypoints={"shared": {"namespace": place}},
    )
    assert {one for one in program.graph if one.startswith(("Gateway/", "Client/"))} == {
        "Gateway/edge-gateway",
        "Gateway/shared-waypoint",
    }
    assert program.exports["exposures"] == {}
    edge = program.exports["gateways"]["edge"]
    assert {"name": "edge", "namespace": "ingress", "port": 80}.items() <= edge.items()
    assert edge["url"] == f"http://{INTERNAL}:80"
    assert "definition" not in edge
    shared = program.exports["waypoints"]["shared"]
    assert {"name": "shared", "namespace": "ingress"}.items() <= shared.items()


# What the preflight says

_Gateway = create_namespaced_resource(GROUP, "v1", "Gateway", "gateways")
_GatewayClass = create_global_resource(GROUP, "v1", "GatewayClass", "gatewayclasses")

ROUTED: GatewayExpectation = {
    "namespace": "ingress",
    "name": "edge",
    "attached": "shop",
    "labels": {"mesh": "on"},
    "hostnames": ["shop.example.com"],
}
USED: ExistingExpectation = {"namespace": "ingress", "name": "edge", "attached": "shop"}
MESH = {"name": "mesh", "protocol": "HBONE", "port": 15008}


def allowing(where: str, **selector: Any) -> dict[str, Any]:
    """The `allowedRoutes` of a listener."""
    return {"allowedRoutes": {"namespaces": {"from": where, "selector": selector}}}


def class_(controller: str, **labels: str) -> Any:
    metadata = {"name": "istio", "labels": labels}
    return _GatewayClass.from_dict({"metadata": metadata, "spec": {"controllerName": controller}})


def faults(
    check: Callable[..., Iterable[tuple[str, str]]],
    expected: ExistingExpectation,
    live: dict[str, Any] | None,
    found: Any = None,
    labels: dict[str, str] | int | None = None,
) -> list[str]:
    """What a check says of a Gateway, of its class as `found` and of namespace `shop`."""
    whole = gateway("ingress/edge")
    objects: dict[str, Any] = {
        "Gateway": None if live is None else _Gateway.from_dict(patched(whole, live)),
        "GatewayClass": found,
        "Namespace": labels,
    }
    if isinstance(labels, dict):
        objects["Namespace"] = Namespace.from_dict({"metadata": {"labels": labels}})

    def look_up(kind: Any, name: str, namespace: str | None = None) -> Any:
        del name, namespace
        answer = objects[kind.__name__]
        if isinstance(answer, int):
            raise ApiError(status=Status(code=answer, message="no"))
        return answer

    return [f"{path}: {message}" for path, message in check(look_up, [expected])]


def routed(live: dict[str, Any] | None, **more: Any) -> list[str]:
    """What is said of a Gateway that a route shall attach to."""
    return faults(existing_gateways, ROUTED, live, **more)


def used(live: dict[str, Any] | None, **more: Any) -> list[str]:
    """What is said of a Gateway that shall be a waypoint."""
    return faults(existing_waypoints, USED, live, **more)


def at(*listeners: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"listeners": [*listeners]}}


MEETING: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"matchLabels": {"mesh": "on"}}, {}),
    ({"matchLabels": {"mesh": "on", "team": "shop"}}, {"team": "shop"}),
    ({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}, {}),
    ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, {"team": "blog"}),
    ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, {}),
    ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}, {"team": "a"}),
    ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, {}),
]
FAILING: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"matchLabels": {"mesh": "off"}}, {"mesh": "off"}),
    ({"matchLabels": {"mesh": "on", "team": "shop"}}, {}),
    ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, {}),
    ({"matchExpressions": [{"key": "mesh", "operator": "DoesNotExist"}]}, {}),
    ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}, {}),
    ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, {"team": "a"}),
]


@pytest.mark.parametrize(
    ("live", "labels"),
    [
        (at(listener(80, **allowing("All"))), None),
        (at(listener(80, **allowing("Same")), listener(443, **allowing("All"))), None),
        # One of those that serve a host name is enough.
        (at(listener(80), listener(80, hostname="*.example.com", **allowing("All"))), None),
        *((at(listener(80, **allowing("Selector", **one))), labels) for one, labels in MEETING),
    ],
)
def test_a_gateway_to_attach_to(live: dict[str, Any], labels: dict[str, str] | None) -> None:
    assert routed(live, labels=labels, found=class_("istio.io/gateway-controller")) == []
    (fault,) = routed(live, labels=labels, found=class_("example.com/controller"))
    assert fault == (
        "Gateway ingress/edge: is of class istio, whose controller is example.com/controller,"
        " expected istio.io/gateway-controller or openshift.io/gateway-controller/v1. Choose"
        " another one"
    )


ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted"}
UNRESOLVED = {
    "type": "ResolvedRefs",
    "status": "False",
    "reason": "InvalidCertificateRef",
    "message": "no Secret",
}
ASK = ". Ask its owner to admit the namespace in allowedRoutes, or label the namespace as demanded"


@pytest.mark.parametrize(
    ("live", "fault"),
    [
        (
            None,
            "missing. Whoever owns it has to make it first; `kubectl get gateways --all-namespaces`"
            " lists those that there are",
        ),
        (
            {**at(listener(80, **allowing("All"))), "status": {"conditions": []}},
            "found Accepted=Unknown (no such condition), expected True. Whoever owns it has to mend"
            " it",
        ),
        (
            {
                **at(listener(80, **allowing("All"))),
                "status": {
                    "conditions": [
                        {"type": "Accepted", "status": "True", "reason": "Accepted"},
                        {
                            "type": "Programmed",
                            "status": "False",
                            "reason": "AddressNotAssigned",
                            "message": "no address",
                        },
                    ]
                },
            },
            "found Programmed=False (AddressNotAssigned: no address), expected True. Whoever owns"
            " it has to mend it",
        ),
        (
            {
                **at(listener(443, **allowing("All")), listener(80, **allowing("All"))),
                "status": {
                    "listeners": [
                        {"name": "at-443", "conditions": [ACCEPTED, UNRESOLVED]},
                        {"name": "at-80", "conditions": []},
                    ]
                },
            },
            "found ResolvedRefs=False (InvalidCertificateRef: no Secret), expected True. Whoever"
            " owns it has to mend it",
        ),
        (
            at(
                listener(80, hostname="a.example.com", **allowing("All")),
                {"name": "tls", "protocol": "TLS", "port": 444},
            ),
            "does not serve shop.example.com at any one port over HTTPS or HTTP; its listeners:"
            " at-80 (HTTP 80, a.example.com), tls (TLS 444, any host). Ask its owner for"
            " listeners, or change hostnames",
        ),
        (
            at(listener(80)),
            "does not admit routes for shop.example.com of namespace shop: listener at-80 admits"
            f" its own namespace ingress alone{ASK}",
        ),
        # HTTPS is what a route attaches to.
        (
            at(listener(80, **allowing("All")), listener(443, **allowing("None"))),
            "does not admit routes for shop.example.com of namespace shop: listener at-443 admits"
            f" none{ASK}",
        ),
    ],
)
def test_a_gateway_that_nothing_can_attach_to(live: dict[str, Any] | None, fault: str) -> None:
    where = "Gateway ingress/edge"
    where += ", listener at-443" if "ResolvedRefs" in fault else ""
    assert routed(live) == [f"{where}: {fault}"]


@pytest.mark.parametrize(("selector", "labels"), FAILING)
def test_a_gateway_for_namespaces_with_other_labels(
    selector: dict[str, Any], labels: dict[str, str]
) -> None:
    live = at(listener(80, **allowing("Selector", **selector)))
    (fault,) = routed(live, labels=labels)
    assert "listener at-80 admits namespaces that match {" in fault
    # Labels that may not be read are not judged.
    assert routed(live, labels=403) == []


def test_a_port_that_is_asked_for_is_the_one_that_is_judged() -> None:
    live = at(listener(80), listener(443, **allowing("All")))
    for port, end in ((443, None), (80, ASK), (8080, "or change hostnames")):
        found = faults(existing_gateways, cast("Any", {**ROUTED, "listener_port": port}), live)
        assert [one.endswith(end or "") for one in found] == ([True] if end else [])


@pytest.mark.parametrize(
    ("live", "found", "fault"),
    [
        ({}, class_("istio.io/mesh-controller"), None),
        ({}, class_("istio.io/mesh-controller", **{"istio.io/waypoint-for": "all"}), None),
        ({}, None, None),
        # What may not be read is not judged.
        ({}, 403, None),
        (
            {},
            class_("istio.io/gateway-controller"),
            "is of class istio, whose controller is istio.io/gateway-controller, expected"
            " istio.io/mesh-controller. Choose another one",
        ),
        (
            {},
            class_("istio.io/mesh-controller", **{"istio.io/waypoint-for": "none"}),
            "found label istio.io/waypoint-for=none, expected service or all: the gateway's"
            " requests are to a Service, and would pass by the waypoint and its rules. Choose"
            " another one",
        ),
        (
            {"metadata": {"labels": {"istio.io/waypoint-for": "workload"}}},
            403,
            "found label istio.io/waypoint-for=workload, expected service or all: the gateway's"
            " requests are to a Service, and would pass by the waypoint and its rules. Choose"
            " another one",
        ),
        (
            at(MESH),
            None,
            "does not admit services of namespace shop: listener mesh admits its own namespace"
            f" ingress alone{ASK}",
        ),
        (
            at(listener(80, **allowing("All"))),
            None,
            f"does not admit services of namespace shop: it has no HBONE listener{ASK}",
        ),
    ],
)
def test_a_waypoint_to_use(live: dict[str, Any], found: Any, fault: str | None) -> None:
    live = {**at({**MESH, **allowing("All")}), **live}
    assert used(live, found=found) == ([f"Gateway ingress/edge: {fault}"] if fault else [])
    assert used({**live, **at(MESH)}, found=found)
    same = faults(existing_waypoints, {**USED, "attached": "ingress"}, {**live, **at(MESH)})
    assert not [one for one in same if "does not admit" in one]
