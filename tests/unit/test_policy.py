"""The rules of the policy pack; that the engine applies them, tests/lab/test_policy.py shows."""

import json
from typing import Any

import pytest

from policy.rules import POLICIES, UNKNOWN, Object, violations
from tests.unit.conftest import ROOT

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
RULE = "kubernetes:networking.istio.io/v1:DestinationRule"
VIRTUAL = "kubernetes:networking.istio.io/v1:VirtualService"
SERVICE = "kubernetes:core/v1:Service"
NAMESPACE = "kubernetes:core/v1:NamespacePatch"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def an(
    type_: str, name: str = "web", *, parent: str = "", after: Any = (), **inputs: Any
) -> Object:
    """A resource of namespace `shop`."""
    metadata = {"name": name, "namespace": "shop", **inputs.pop("metadata", {})}
    return Object(type_, name, {"metadata": metadata, **inputs}, parent, tuple(after))


def labelled(type_: str, name: str = "web", /, **labels: Any) -> Object:
    """A resource with labels."""
    return an(type_, name, metadata={"labels": {k.replace("_", "/"): v for k, v in labels.items()}})


def found(policy: str, *stack: Object, **config: Any) -> list[str]:
    """What a policy has against the resources of a stack."""
    (own,) = (one for one in POLICIES if one.name == policy)
    end = ". Or waive it, with the reason: "
    listed = [text for one in stack for text in violations(own, one, stack, config)]
    assert all(end in text for text in listed)
    return [text.partition(end)[0] for text in listed]


INGRESS = an(
    ROUTE,
    spec={
        "parentRefs": [{"name": "edge"}],
        "hostnames": ["shop.example.com"],
        "rules": [{"backendRefs": [{"name": "web"}]}],
    },
)


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("shop.example.com", True),
        ("*.example.com", True),
        ("web", True),
        ("web.shop", True),
        ("web.shop.svc.cluster.local", True),
        ("*.shop.svc.cluster.local", True),
        ("web.other", False),
        ("other.example.com", False),
        ("blog", False),
    ],
)
def test_other_apis_for_what_a_route_serves(host: str, *, is_served: bool) -> None:
    said = (
        f"is for {host}, which a route of this stack serves: proxies go by both, and which one wins"
        " is not defined. Say it in the rules of the route"
    )
    virtual = an(VIRTUAL, spec={"hosts": [host]})
    expected = [f"VirtualService shop/web: {said}"] if is_served else []
    assert found("mixed-apis", virtual, INGRESS) == expected
    rule = an(RULE, spec={"host": host})
    expected = [f"DestinationRule shop/web: {said}"] if is_served else []
    assert found("mixed-apis", rule, INGRESS) == expected


def test_other_apis_beside_unknown_routes_and_those_of_components() -> None:
    unknown = an(ROUTE, spec={"hostnames": [UNKNOWN], "rules": [{"backendRefs": UNKNOWN}, UNKNOWN]})
    assert found("mixed-apis", an(VIRTUAL, spec={"hosts": ["web", UNKNOWN]}), unknown) == []
    own = an(RULE, spec={"host": "web"}, parent="ambient:index:AmbientExposure")
    assert found("mixed-apis", own, INGRESS) == []
    # Nothing makes a VirtualService good.
    theirs = an(VIRTUAL, spec={"hosts": ["web"]}, parent="ambient:index:AmbientExposure")
    assert len(found("mixed-apis", theirs, INGRESS)) == 1
    exposed = labelled(SERVICE, **{"istio.io_ingress-use-waypoint": "true"})
    assert len(found("mixed-apis", an(RULE, spec={"host": "web.shop"}), exposed)) == 1


def waypoint(**listener: Any) -> Object:
    return an(
        GATEWAY, "way", spec={"listeners": [{"name": "mesh", "protocol": "HBONE", **listener}]}
    )


def test_a_waypoint_that_nothing_is_bound_to() -> None:
    bound = labelled(NAMESPACE, **{"istio.io_use-waypoint": "way"})
    other = labelled(NAMESPACE, **{"istio.io_use-waypoint": "other"})
    assert found("waypoint-unused", waypoint(), bound) == []
    assert found("waypoint-unused", waypoint(), other, INGRESS) == [
        "Gateway shop/way: no namespace and no Service of this stack is bound to it: requests pass"
        " by its rules. Label one with istio.io/use-waypoint, or take it out"
    ]
    # Another stack may use it.
    shared = waypoint(allowedRoutes={"namespaces": {"from": "All"}})
    assert found("waypoint-unused", shared) == []
    # In the preview that makes both, the name is not known yet.
    later = {"istio.io/use-waypoint": UNKNOWN}
    follows = an(NAMESPACE, metadata={"labels": later}, after=[(GATEWAY, "way")])
    assert found("waypoint-unused", waypoint(), follows) == []
    assert len(found("waypoint-unused", waypoint(), follows._replace(depends_on=()))) == 1


def test_a_waypoint_that_the_ingress_gateway_passes_by() -> None:
    bound = labelled(SERVICE, **{"istio.io_use-waypoint": "way"})
    assert found("waypoint-unused", bound, INGRESS) == [
        "Service shop/web: is bound to waypoint way, and the ingress gateway passes by it. Label it"
        " with istio.io/ingress-use-waypoint=true"
    ]
    ingress = {"istio.io_ingress-use-waypoint": "true"}
    both = labelled(SERVICE, **{"istio.io_use-waypoint": "way"}, **ingress)
    assert found("waypoint-unused", both, INGRESS) == []
    assert found("waypoint-unused", bound, INGRESS, labelled(NAMESPACE, "shop", **ingress)) == []
    assert found("waypoint-unused", bound) == []
    assert (
        found("waypoint-unused", labelled(SERVICE, **{"istio.io_use-waypoint": "none"}), INGRESS)
        == []
    )


def test_a_route_without_a_parent() -> None:
    said = [
        "HTTPRoute shop/web: has no parentRefs, and so routes nothing. Name its Gateway, or its"
        " Service"
    ]
    assert found("route-without-parent", an(ROUTE, spec={"rules": []})) == said
    assert found("route-without-parent", an(ROUTE, spec={"parentRefs": []})) == said
    assert found("route-without-parent", INGRESS) == []
    for unknown in (UNKNOWN, {"parentRefs": UNKNOWN}):
        assert found("route-without-parent", an(ROUTE, spec=unknown)) == []


def listening(*listeners: dict[str, Any], **inputs: Any) -> Object:
    named = [{"name": "default", **one} for one in listeners]
    return an(GATEWAY, "edge", spec={"listeners": named, **inputs.pop("spec", {})}, **inputs)


REDIRECT = an(
    ROUTE,
    "redirect",
    spec={
        "parentRefs": [{"name": "edge", "port": 80}],
        "rules": [
            {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}
        ],
    },
)


def test_hosts_that_are_not_named() -> None:
    end = "Name the hosts, so that no others are served by mistake"
    wild = an(ROUTE, spec={**INGRESS.inputs["spec"], "hostnames": ["*.example.com", "a.example"]})
    every = an(ROUTE, spec={**INGRESS.inputs["spec"], "hostnames": []})
    assert found("wildcard-host", wild) == [f"HTTPRoute shop/web: is for *.example.com. {end}"]
    assert found("wildcard-host", every) == [
        f"HTTPRoute shop/web: is for every host name of its gateway. {end}"
    ]
    gateway = listening({"protocol": "HTTP"}, {"protocol": "HTTPS", "hostname": "*.example.com"})
    assert found("wildcard-host", gateway) == [
        f"Gateway shop/edge: listener default is for every host name. {end}",
        f"Gateway shop/edge: listener default is for *.example.com. {end}",
    ]
    at_service = an(ROUTE, spec={"parentRefs": [{"kind": "Service", "name": "web"}]})
    named = listening({"protocol": "HTTP", "hostname": "shop.example.com"})
    assert found("wildcard-host", INGRESS, REDIRECT, waypoint(), at_service, named) == []


def test_plain_http_in_production() -> None:
    production = {"labels": {"environment": "production"}}
    plain = listening({"protocol": "HTTP", "port": 80}, metadata=production)
    assert found("plain-http", plain) == [
        "Gateway shop/edge: listener default serves plain HTTP, and the stack says"
        " environment=production. Serve HTTPS (gateway.tls), and redirect to it"
    ]
    assert found("plain-http", plain, production={"tier": "live"}) == []
    assert found("plain-http", listening({"protocol": "HTTP", "port": 80})) == []
    assert found("plain-http", listening({"protocol": "HTTPS"}, metadata=production)) == []
    assert found("plain-http", plain, REDIRECT) == []
    # Elsewhere, or not known yet whether to this gateway.
    other = REDIRECT.inputs["spec"] | {"parentRefs": [{"name": UNKNOWN, "port": 80}]}
    assert len(found("plain-http", plain, an(ROUTE, spec=other))) == 1
    assert found("plain-http", plain, an(ROUTE, spec=other, after=[(GATEWAY, "edge")])) == []
    elsewhere = REDIRECT.inputs["spec"] | {"parentRefs": [{"name": "edge", "port": 81}]}
    assert len(found("plain-http", plain, an(ROUTE, spec=elsewhere))) == 1


def test_load_balancers_without_source_ranges() -> None:
    service = an(SERVICE, spec={"type": "LoadBalancer"})
    annotated = {"annotations": {"networking.istio.io/service-type": "LoadBalancer"}}
    gateway = listening({"protocol": "HTTP"}, metadata=annotated)
    assert found("source-ranges", service, gateway) == []
    advice = "for everybody. List who may reach it in loadBalancerSourceRanges"
    assert found("source-ranges", service, gateway, required=True) == [
        f"Service shop/web: is a LoadBalancer {advice}",
        f"Gateway shop/edge: has a LoadBalancer {advice}:"
        " gateway.customization.service.spec.loadBalancerSourceRanges",
    ]
    assert len(found("source-ranges", listening({"protocol": "HTTP"}), required=True)) == 1
    inside = {"annotations": {"networking.istio.io/service-type": "ClusterIP"}}
    ranges = {"loadBalancerSourceRanges": ["192.0.2.0/24"]}
    limited = [
        an(SERVICE, spec={"type": "LoadBalancer", **ranges}),
        an(SERVICE, spec={"type": "ClusterIP"}),
        listening({"protocol": "HTTP"}, metadata=inside),
        waypoint(),
    ]
    assert found("source-ranges", *limited, required=True) == []
    named = {"infrastructure": {"parametersRef": {"name": "options"}}}
    patch = an(CONFIG_MAP, "options", data={"service": json.dumps({"spec": ranges})})
    empty = an(CONFIG_MAP, "options", data={"service": "{"})
    gateway = listening({"protocol": "HTTP"}, spec=named, metadata=annotated)
    assert found("source-ranges", gateway, patch, required=True) == []
    assert len(found("source-ranges", gateway, empty, required=True)) == 1


def pod(**spec: Any) -> dict[str, Any]:
    return {"template": {"spec": spec}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"hostNetwork": True}, "has hostNetwork, and so sees more than its own pod. Take it out"),
        (
            {"volumes": [{"hostPath": {"path": "/"}}]},
            "mounts a hostPath of its node. Take another volume",
        ),
        (
            {"containers": [{"name": "a", "securityContext": {"privileged": True}}]},
            "container a has privileged. Take it out",
        ),
        (
            {
                "initContainers": [
                    {
                        "name": "a",
                        "securityContext": {
                            "allowPrivilegeEscalation": True,
                            "capabilities": {"add": ["NET_ADMIN", "NET_BIND_SERVICE"]},
                        },
                    }
                ]
            },
            "container a has allowPrivilegeEscalation, capability NET_ADMIN. Take it out",
        ),
    ],
)
def test_pods_with_rights_on_their_node(spec: dict[str, Any], said: str) -> None:
    assert found("privileged-pod", an(DEPLOYMENT, spec=pod(**spec))) == [
        f"Deployment shop/web: {said}"
    ]
    patch = an(CONFIG_MAP, data={"deployment": json.dumps({"spec": pod(**spec)})})
    assert found("privileged-pod", patch) == [f"ConfigMap shop/web: {said}"]
    job = {"jobTemplate": {"spec": pod(**spec)}}
    assert len(found("privileged-pod", an("kubernetes:batch/v1:CronJob", spec=job))) == 1
    assert len(found("privileged-pod", an("kubernetes:core/v1:Pod", spec=spec))) == 1


def test_pods_without() -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    plain = an(DEPLOYMENT, spec=pod(containers=[{"name": "a", "securityContext": context}]))
    unknown = an(DEPLOYMENT, spec=pod(containers=UNKNOWN, volumes=[UNKNOWN]))
    data = an(CONFIG_MAP, data={"deployment": "no JSON", "other": "text"})
    assert found("privileged-pod", plain, unknown, data, an(SERVICE)) == []


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("registry.example.com:5000/shop:1.2.3", True),
        ("shop@sha256:00", True),
        (UNKNOWN, True),
        ("shop", False),
        ("registry.example.com:5000/shop", False),
        ("shop:latest", False),
    ],
)
def test_images_that_may_be_others_tomorrow(image: Any, *, pinned: bool) -> None:
    one = an(DEPLOYMENT, spec=pod(containers=[{"image": image}]))
    said = f"image {image} may be another one tomorrow. Give it a tag, or a digest"
    assert found("unpinned-image", one) == ([] if pinned else [f"Deployment shop/web: {said}"])
    digest = image is UNKNOWN or "@" in image
    said = f"image {image} has no digest. Write NAME@sha256:…"
    assert found("unpinned-image", one, digests=True) == (
        [] if digest else [f"Deployment shop/web: {said}"]
    )


def test_labels_that_are_missing() -> None:
    one = an(SERVICE, metadata={"labels": {"team": UNKNOWN}})
    assert found("missing-labels", one) == []
    assert found("missing-labels", one, labels=["team"]) == []
    assert found("missing-labels", one, labels=["team", "cost", "tier"]) == [
        "Service shop/web: lacks cost, tier. Set it for the stack (labels)"
    ]
    patch = an(NAMESPACE)
    unknown = an(SERVICE, metadata={"labels": UNKNOWN})
    assert found("missing-labels", patch, unknown, labels=["team"]) == []


def test_a_waived_resource_is_left_alone() -> None:
    (policy,) = (one for one in POLICIES if one.name == "route-without-parent")
    route = an(ROUTE, spec={})
    (text,) = violations(policy, route, [route], {})
    waiver = json.loads(text.partition("reason: ")[2].replace("…", "made by another team"))
    assert list(violations(policy, route, [route], waiver[policy.name])) == []
    assert list(violations(policy, an("other:index:Route", spec={}), [], {})) == []


def test_a_resource_without_a_known_name_is_named_as_a_resource() -> None:
    (policy,) = (one for one in POLICIES if one.name == "route-without-parent")
    route = Object(ROUTE, "web-route", {"metadata": {"name": UNKNOWN}, "spec": {}})
    (text,) = violations(policy, route, [route], {})
    assert text.startswith("HTTPRoute web-route: has no parentRefs")


def test_the_page_has_every_policy_with_its_severity_and_settings() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    assert {row[0]: row[1] for row in rows} == {f"`{one.name}`": one.severity for one in POLICIES}
    settings = {row[0].strip("`"): row[3] for row in rows}
    for one in POLICIES:
        assert all(f"`{name}`" in settings[one.name] for name in one.properties)
    (advised,) = (one.name for one in POLICIES if not one.mandatory)
    assert f"`{advised}` only advises" in page
