"""What labels of namespaces and Services stand against those of a stack, or tell of others."""

from typing import Any

import pulumi
import pytest

from components import preflight
from tests.unit import test_preflight
from tests.unit.test_preflight import OURS, refused

cluster = test_preflight.api

USE = "istio.io/use-waypoint"
INGRESS = "istio.io/ingress-use-waypoint"
CAPTURED = {"istio.io/dataplane-mode": "ambient"}
CAPTURING = {"istio-discovery": "enabled", **CAPTURED}
TEAM = "kubectl-label"
PULUMI = "pulumi-kubernetes-1a2b3c4d"


def labelled(
    name: str, labels: dict[str, str], manager: str = TEAM, stack: str | None = None
) -> dict[str, Any]:
    """An object with labels that `manager` has set, made by a `stack` if by any."""
    fields: dict[str, Any] = {"f:labels": {f"f:{label}": {} for label in labels}}
    metadata = {
        "name": name,
        "labels": labels,
        "annotations": {"ambient-exposure/stack": stack} if stack else {},
        "managedFields": [
            {"manager": "kube-controller-manager", "fieldsV1": {"f:status": {}}},
            {"manager": manager, "fieldsV1": {"f:metadata": fields}},
        ],
    }
    return {"metadata": metadata}


def looked(**needs: Any) -> list[str]:
    wanted: Any = {"gateway_classes": [], **needs}
    return refused(lambda: preflight({"context": "lab"}, wanted))


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    listed: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", listed.append)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    return listed


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.cluster.namespaces.owner", lambda: OURS)


def shop(*, create: bool = False, **expected: Any) -> list[dict[str, Any]]:
    return [{"name": "shop", "create": create, **expected}]


# Enrolment


@pytest.mark.parametrize(
    ("live", "lacking"),
    [
        ({}, "istio-discovery=enabled, istio.io/dataplane-mode=ambient"),
        ({"istio-discovery": "enabled"}, "istio.io/dataplane-mode=ambient"),
        (CAPTURED, "istio-discovery=enabled"),
        (CAPTURING, ""),
    ],
)
def test_a_namespace_is_adopted_as_it_is_unless_it_shall_be_enrolled(
    cluster: dict[str, Any], live: dict[str, str], lacking: str
) -> None:
    cluster["/api/v1/namespaces/shop"] = labelled("shop", live)
    fault = (
        f"namespace shop: lacks {lacking}, which nobody asked to set. Say whether the mesh shall"
        " capture all of its pods: set its `ambient` to true, or to false"
    )
    assert looked(namespaces=shop(labels=CAPTURING, enrol=False)) == ([fault] if lacking else [])
    assert looked(namespaces=shop(labels=CAPTURING)) == []


TAKEN = "`PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up` takes it back"
OTHERWISE = (
    "namespace shop{} has istio.io/dataplane-mode=none, set by kubectl-label, expected ambient"
)


def test_another_value_of_a_label_is_refused_with_who_set_it(cluster: dict[str, Any]) -> None:
    live = {"istio.io/dataplane-mode": "none"}
    expected = shop(labels=CAPTURED)
    cluster["/api/v1/namespaces/shop"] = labelled("shop", live)
    assert looked(namespaces=expected) == [
        f"{OTHERWISE.format(':')}. Ask who set it to take it off (`kubectl label namespace shop"
        " istio.io/dataplane-mode-`), then `pulumi up --refresh`"
    ]
    # Ours of before a change.
    cluster["/api/v1/namespaces/shop"] = labelled("shop", live, PULUMI)
    assert looked(namespaces=expected) == []


def test_labels_of_a_namespace_that_the_stack_made_are_set_back(
    cluster: dict[str, Any], warnings: list[str]
) -> None:
    live = {"istio.io/dataplane-mode": "none", USE: "none"}
    cluster["/api/v1/namespaces/shop"] = labelled("shop", live, stack=OURS)
    assert looked(namespaces=shop(create=True, labels=CAPTURED), bindings=bound()) == []
    assert warnings == [
        f"{OTHERWISE.format('')}. {TAKEN}",
        f"namespace shop is bound to waypoint none ({USE}, set by kubectl-label): requests pass by"
        f" the waypoint shop/cart-waypoint and its rules. {TAKEN}",
    ]


def test_what_another_stack_made_has_its_labels_from_there(cluster: dict[str, Any]) -> None:
    live = {"istio-discovery": "no"}
    cluster["/api/v1/namespaces/shop"] = labelled("shop", live, PULUMI, "a/b/c")
    (fault,) = looked(namespaces=shop(labels=CAPTURING))
    assert fault.startswith("namespace shop: has istio-discovery=no, set by stack a/b/c, expected")


# Bindings


def bound(**changes: Any) -> list[dict[str, Any]]:
    cart = {
        "namespace": "shop",
        "service": "cart",
        "create": True,
        "waypoint": "shop/cart-waypoint",
    }
    return [{**cart, "binds": "Namespace", **changes}]


@pytest.mark.parametrize(
    ("labels", "waypoint"),
    [
        ({USE: "other"}, "shop/other"),
        ({USE: "none"}, "none"),
        # Of the same name, but elsewhere.
        ({USE: "cart-waypoint", f"{USE}-namespace": "mesh"}, "mesh/cart-waypoint"),
    ],
)
def test_a_namespace_that_is_bound_elsewhere_is_refused_with_who_did_it(
    cluster: dict[str, Any], labels: dict[str, str], waypoint: str
) -> None:
    cluster["/api/v1/namespaces/shop"] = labelled("shop", labels)
    assert looked(bindings=bound()) == [
        f"namespace shop: is bound to waypoint {waypoint} ({USE}, set by kubectl-label), expected"
        " shop/cart-waypoint. Use that one (waypoint.existing), bind the Service alone"
        " (waypoint.binds: Service), or ask who set it to take it off"
    ]
    assert looked(bindings=bound(binds="Service")) == []
    cluster["/api/v1/namespaces/shop"] = labelled("shop", labels, PULUMI)
    cluster["/api/v1/namespaces/shop/services"] = {"metadata": {}, "items": []}
    assert looked(bindings=bound(), namespaces=shop()) == []


@pytest.mark.parametrize("labels", [{}, {f"{USE}-namespace": "shop"}])
def test_a_namespace_that_is_bound_already_stays_bound(
    cluster: dict[str, Any], warnings: list[str], labels: dict[str, str]
) -> None:
    labels = {USE: "cart-waypoint", **labels}
    cluster["/api/v1/namespaces/shop"] = labelled("shop", labels)
    assert looked(bindings=bound(), namespaces=shop()) == []
    assert warnings == []


SERVICES = [
    labelled("cart", {}),
    labelled("orders", {"app": "orders"}),
    labelled("mail", {}),
    # Says itself where its requests go.
    labelled("stock", {USE: "none"}),
    labelled("edge-istio", {"gateway.networking.k8s.io/gateway-name": "edge"}),
]


def test_the_other_services_of_an_adopted_namespace_are_named_before_it_is_bound(
    cluster: dict[str, Any], warnings: list[str]
) -> None:
    cluster["/api/v1/namespaces/shop"] = labelled("shop", {})
    cluster["/api/v1/namespaces/shop/services"] = {"metadata": {}, "items": SERVICES}
    twice = [*bound(), *bound(service="basket")]
    assert looked(bindings=twice, namespaces=shop()) == []
    assert warnings == [
        "namespace shop: binding it to waypoint shop/cart-waypoint sends requests to these Services"
        " through it, too: mail, orders. waypoint.binds: Service binds that of the exposure alone"
    ]
    warnings.clear()
    assert looked(bindings=bound(binds="Service"), namespaces=shop()) == []
    cluster["/api/v1/namespaces/shop/services"]["items"] = SERVICES[:1]
    assert looked(bindings=bound(), namespaces=shop()) == []
    assert warnings == []


WRONG = [
    ({USE: "none"}, f"{USE}=none"),
    ({USE: "other"}, f"{USE}=shop/other"),
    ({INGRESS: "false"}, f"{INGRESS}=false"),
]


@pytest.mark.parametrize(("labels", "said"), WRONG)
@pytest.mark.parametrize("binds", ["Namespace", "Service"])
def test_an_adopted_service_that_goes_elsewhere_is_refused(
    cluster: dict[str, Any], labels: dict[str, str], said: str, binds: str
) -> None:
    cluster["/api/v1/namespaces/shop/services/cart"] = labelled("cart", labels)
    label = said.partition("=")[0]
    assert looked(bindings=bound(create=False, binds=binds)) == [
        f"Service shop/cart: has {said}, set by kubectl-label: requests pass by the waypoint"
        " shop/cart-waypoint and its rules. Ask who set it to take it off (`kubectl label service"
        f" cart --namespace shop {label}-`)"
    ]
    cluster["/api/v1/namespaces/shop/services/cart"] = labelled("cart", labels, PULUMI)
    assert looked(bindings=bound(create=False, binds=binds)) == []


@pytest.mark.parametrize(("labels", "said"), WRONG)
def test_what_is_changed_of_a_service_of_ones_own_is_warned_about_until_it_is_set_back(
    cluster: dict[str, Any], warnings: list[str], labels: dict[str, str], said: str
) -> None:
    cluster["/api/v1/namespaces/shop/services/cart"] = labelled("cart", labels, stack=OURS)
    assert looked(bindings=bound()) == []
    assert warnings == [
        f"Service shop/cart has {said}, set by kubectl-label: requests pass by the waypoint"
        " shop/cart-waypoint and its rules until `pulumi up --refresh` sets it back"
    ]


def test_right_labels_are_right_whoever_set_them(
    cluster: dict[str, Any], warnings: list[str]
) -> None:
    labels = {USE: "cart-waypoint", INGRESS: "true"}
    cluster["/api/v1/namespaces/shop/services/cart"] = labelled("cart", labels)
    for create in (False, True):
        assert looked(bindings=bound(create=create)) == []
    assert warnings == []


def test_what_may_not_be_read_is_left_to_the_update(cluster: dict[str, Any]) -> None:
    cluster["/api/v1/namespaces/shop/services/cart"] = 403
    assert looked(bindings=bound()) == []
