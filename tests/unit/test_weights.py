"""Weights that a controller has set, taken over by rule and backend."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import waypoint_route
from components.api.trace import WEIGHTS
from components.cluster import weights
from components.cluster.weights import keep_weights, readers, shared
from tests.unit.conftest import Run
from tests.unit.test_preflight import api

__all__ = ["api"]

ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
PATH = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop"
DEFAULTS = {"group": "", "kind": "Service"}
"""What the API server fills in of a backend."""


def backends(**weights: int | None) -> list[dict[str, Any]]:
    """Backends with their weights, as settings have them."""
    named = ((name.replace("_", "-"), weight) for name, weight in weights.items())
    return [
        {"name": name, "port": 80, **({} if weight is None else {"weight": weight})}
        for name, weight in named
    ]


def rule(path: str | None = None, **weights: int | None) -> dict[str, Any]:
    matches = {"matches": [{"path": {"value": path}}]} if path else {}
    return {**matches, "backendRefs": backends(**weights)}


def live(path: str = "/", **weights: int) -> dict[str, Any]:
    """A rule as the API server has it."""
    completed = [{**DEFAULTS, **backend} for backend in backends(**weights)]
    whole = {"path": {"type": "PathPrefix", "value": path}}
    return {"matches": [whole], "backendRefs": completed}


def kept(rules: list[dict[str, Any]], *found: dict[str, Any]) -> list[list[int | None]]:
    """The weights of rules for those that are live."""
    spec = shared({"hostnames": ["a"], "rules": rules}, {"spec": {"rules": [*found]}})
    assert spec["hostnames"] == ["a"]
    return [[one.get("weight") for one in rule["backendRefs"]] for rule in spec["rules"]]


@pytest.mark.parametrize(
    ("rules", "found", "expected"),
    [
        ([rule(a=100, b=0)], [], [[100, 0]]),
        # Written out, so that what the API server fills in later is no change.
        ([rule(a=None, b=None)], [], [[1, 1]]),
        ([rule(a=100, b=0)], [live(a=0, b=100)], [[0, 100]]),
        ([rule(a=100, b=0)], [live(b=70, a=30)], [[30, 70]]),
        # Another match, and a new rule that shares requests in the same way.
        ([rule("/x", a=100, b=0), rule("/y", a=100, b=0)], [live(a=20, b=80)], [[20, 80]] * 2),
        # Each is found by its matches, wherever it stands.
        (
            [rule("/y", a=100, b=0), rule("/x", a=100, b=0), rule(a=100, b=0)],
            [live(a=1, b=2), live("/x", a=3, b=4), live("/y", a=5, b=6)],
            [[5, 6], [3, 4], [1, 2]],
        ),
        # A backend that comes begins with what it is given, one that goes is missed by nobody.
        ([rule(a=100, b=0, c=10)], [live(a=0, b=100)], [[0, 100, 10]]),
        ([rule(a=100, c=0)], [live(a=30, b=70)], [[30, 0]]),
        # Nothing would get a request.
        ([rule(a=100, c=0)], [live(a=0, b=100)], [[100, 0]]),
        # One alone gets all requests, and others are nobody's business.
        ([rule(a=None)], [live(a=0, b=100)], [[None]]),
        ([rule(a=100, b=0)], [live(c=0, d=100)], [[100, 0]]),
    ],
)
def test_weights_are_kept_by_rule_and_backend(
    rules: list[dict[str, Any]], found: list[dict[str, Any]], expected: list[list[int | None]]
) -> None:
    assert kept(rules, *found) == expected


def test_names_of_rules_tell_which_is_which() -> None:
    first, second = rule("/new", a=100, b=0), rule("/", a=100, b=0)
    found = [{**live(a=1, b=2), "name": "one"}, {**live("/x", a=3, b=4), "name": "two"}]
    named = [{**first, "name": "two"}, {**second, "name": "one"}]
    assert kept(named, *found) == [[3, 4], [1, 2]]


def test_methods_of_grpc_tell_rules_apart() -> None:
    def called(method: str, **given: str) -> dict[str, Any]:
        return {"method": {"service": "shop", "method": method, **given}}

    rules = [{**rule(a=100, b=0), "matches": [called(name)]} for name in ("Buy", "Sell")]
    found = [
        {**live(a=1, b=2), "matches": [called("Sell", type="Exact")]},
        {**live(a=3, b=4), "matches": [called("Buy", type="Exact")]},
    ]
    assert kept(rules, *found) == [[3, 4], [1, 2]]


def test_a_service_of_another_namespace_is_another_one() -> None:
    elsewhere = [{**one, "namespace": "other"} for one in backends(a=100, b=0)]
    assert kept([{"backendRefs": elsewhere}], live(a=0, b=100)) == [[100, 0]]


Transform = Callable[..., Any]


@pytest.fixture
def transform(api: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Transform:
    """What becomes of the weights of a route that is registered."""
    del api
    registered: list[Any] = []
    monkeypatch.setattr(pulumi.runtime, "register_resource_transform", registered.append)
    monkeypatch.setattr(weights, "readers", [])
    keep_weights({"context": "lab"})
    (given,) = registered

    def apply(owner: str | None = "controller", name: object = "shop") -> Any:
        metadata = {"name": name, "namespace": "shop", "annotations": {WEIGHTS: owner}}
        props = {"metadata": metadata, "spec": {"rules": [rule(a=100, b=0)]}}

        async def run() -> Any:
            args = pulumi.ResourceTransformArgs(
                custom=True, type_=ROUTE, name="shop", props=props, opts=pulumi.ResourceOptions()
            )
            result = await given(args)
            if result is None:
                return None
            spec: Any = await pulumi.Output.from_input(result.props["spec"]).future()
            return [one["weight"] for one in spec["rules"][0]["backendRefs"]]

        loop = asyncio.new_event_loop()  # not that of the mocks
        try:
            return loop.run_until_complete(run())
        finally:
            loop.close()

    return apply


def test_routes_of_a_controller_are_read(api: dict[str, Any], transform: Transform) -> None:
    assert transform() == [100, 0]  # not made yet
    api[PATH] = {"metadata": {"name": "shop"}, "spec": {"rules": [live(a=0, b=100)]}}
    assert transform() == [0, 100]
    assert transform(owner=None) is None
    assert transform(name=pulumi.output.UNKNOWN) is None


def test_what_cannot_be_read_ends_an_update_alone(
    api: dict[str, Any], transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    api[PATH] = 403
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    why = "HTTPRoute shop/shop: the weights that a controller has set could not be read: status 403"
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert transform() == [100, 0]
    assert said == [f"{why}. Those of the settings are shown"]
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    with pytest.raises(RuntimeError, match=why):
        transform()


def test_without_a_cluster_nobody_reads_them(run: Run) -> None:
    def program() -> None:
        waypoint_route(
            "shop",
            {
                "name": "shop",
                "namespace": "shop",
                "service": "shop",
                "port": 80,
                "rules": [{}],
                "weights": "controller",
            },
        )

    with pytest.raises(pulumi.RunError) as error:
        run(program)
    assert str(error.value) == (
        "waypoint route 'shop': weights: found controller, but no Cluster was made before, which"
        " reads the weights that there are"
    )
    assert readers == []
