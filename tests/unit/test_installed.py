"""What a cluster's own CustomResourceDefinitions lack of what a value has."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

from components import InvalidInput
from components.api import gateway_types as gateway
from components.api import istio_types as istio
from components.api.installed import Installed, uncovered
from components.checks.faults import Faults
from tests.unit.conftest import Run

GATEWAY_API = "gateway.networking.k8s.io"

Schema = dict[str, Any]


def of(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields}


def listed(items: Schema) -> Schema:
    return {"type": "array", "items": items}


TEXT: Schema = {"type": "string"}


def definition(
    name: str, spec: Schema, bundle: str = "", channel: str = "standard", version: str = "v1"
) -> dict[str, Any]:
    group = name.partition(".")[2]
    annotations = {f"{GATEWAY_API}/bundle-version": bundle, f"{GATEWAY_API}/channel": channel}
    served = {"name": version, "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "annotations": annotations if bundle else None},
        "spec": {
            "group": group,
            "names": {"kind": "Any", "plural": name.partition(".")[0]},
            "scope": "Namespaced",
            "versions": [{**served, "schema": {"openAPIV3Schema": of(spec=spec)}}],
        },
    }


HEADERS = of(set=listed(of(name=TEXT, value=TEXT)))
ROUTES = of(
    rules=listed(of(filters=listed(of(type=TEXT, requestHeaderModifier=HEADERS)), timeouts=of()))
)
OLD = definition(f"httproutes.{GATEWAY_API}", ROUTES, "v1.3.0")
POLICIES = definition(
    "authorizationpolicies.security.istio.io",
    of(rules=listed(of(**{"from": listed(of(source=of(principals=listed(TEXT))))}))),
)


class Rule(gateway.HTTPRouteRule):
    """A rule in a shorter form."""

    paths: NotRequired[Sequence[pulumi.Input[str]]]


class Arguments(TypedDict):
    name: str
    rules: Sequence[Rule]
    by_name: NotRequired[Mapping[str, gateway.HTTPRouteRule]]


def lacking(value: Mapping[str, Any], *definitions: object) -> list[str]:
    faults = Faults("exposure")
    installed = Installed(definitions)
    uncovered(faults, "", value, Arguments, installed, bases={Rule: gateway.HTTPRouteRule})
    try:
        faults.raise_any()
    except InvalidInput as refused:
        return [line.strip() for line in str(refused).splitlines()[1:]]
    return []


VALUE = {
    "name": "shop",
    "rules": [
        {"paths": ["/"], "timeouts": {}},
        {
            "paths": ["/a"],
            "filters": [
                {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["a"]}},
                {"type": "CORS", "cors": {"allowOrigins": ["*"]}},
            ],
            "retry": {"attempts": 2},
        },
    ],
    "by_name": {"a": {"sessionPersistence": {"type": "Cookie"}}},
}


def test_every_field_that_the_cluster_lacks_is_named_with_what_it_needs() -> None:
    assert lacking(VALUE, OLD) == [
        "rules[1].filters[0].requestHeaderModifier.remove: needs Gateway API of a newer version,"
        " the cluster has 1.3.0 (standard channel)",
        "rules[1].filters[1].cors: needs the experimental channel of Gateway API 1.3, or 1.5;"
        " the cluster has 1.3.0 (standard channel)",
        "rules[1].retry: needs the experimental channel of Gateway API 1.2, or 1.7;"
        " the cluster has 1.3.0 (standard channel)",
        "by_name['a'].sessionPersistence: needs the experimental channel of Gateway API 1.2;"
        " the cluster has 1.3.0 (standard channel)",
    ]


def test_objects_of_lightkube_serve_as_well() -> None:
    assert lacking(VALUE, CustomResourceDefinition.from_dict(OLD)) == lacking(VALUE, OLD)


def test_nothing_lacks_where_the_definition_has_it_or_takes_anything() -> None:
    anything = {**of(), "x-kubernetes-preserve-unknown-fields": True}
    rule = of(
        timeouts=of(),
        filters=listed(anything),
        retry=of(attempts={"type": "integer"}),
        sessionPersistence=of(type=TEXT),
    )
    new = definition(f"httproutes.{GATEWAY_API}", of(rules=listed(rule)), "v1.7.0")
    assert lacking(VALUE, new) == []


def test_without_the_definition_nothing_is_compared() -> None:
    assert lacking(VALUE) == []


def test_what_is_not_known_yet_is_left_out(run: Run) -> None:
    def program() -> None:
        late: Any = pulumi.Output.from_input({"retry": {}})
        filter_ = {"type": "RequestHeaderModifier", "requestHeaderModifier": late}
        assert lacking({"name": "shop", "rules": [{"filters": [filter_]}]}, OLD) == []
        assert lacking({"name": "shop", "rules": [{"retry": late}]}, OLD) != []

    run(program)


@pytest.mark.parametrize(
    ("class_", "field", "needs"),
    [
        (gateway.HTTPRouteRule, "timeouts", None),
        # The field that holds such an object is lacking, not what is in it.
        (gateway.HTTPCORSFilter, "maxAge", None),
        (
            gateway.HTTPRouteRule,
            "name",
            "needs the experimental channel of Gateway API 1.2, or 1.4;"
            " the cluster has 1.3.0 (standard channel)",
        ),
        (
            istio.PolicySource,
            "trustDomains",
            "needs Istio 1.30, authorizationpolicies.security.istio.io of the cluster does not"
            " have it",
        ),
        (
            gateway.TLSRouteSpec,
            "rules",
            "needs Gateway API 1.5, the cluster has 1.4.0 (experimental channel)",
        ),
        (
            gateway.SessionPersistence,
            "sessionName",
            "needs the experimental channel of Gateway API 1.2 to 1.6;"
            " the cluster has 1.7.0 (unknown channel)",
        ),
    ],
)
def test_a_single_field_is_compared(class_: type, field: str, needs: str | None) -> None:
    routes = definition(
        f"tlsroutes.{GATEWAY_API}", of(rules=listed(of())), "v1.4.0", "experimental", "v1alpha2"
    )
    newest = definition(
        f"grpcroutes.{GATEWAY_API}",
        of(rules=listed(of(sessionPersistence=of(type=TEXT)))),
        "v1.7.0",
    )
    del newest["metadata"]["annotations"][f"{GATEWAY_API}/channel"]
    assert Installed([OLD, POLICIES, routes, newest]).lacking(class_, field) == needs
