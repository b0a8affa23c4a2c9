"""The spec types of Istio are those of its CRDs and of the Sail operator's, and documented."""

import ast
import json
from collections import defaultdict
from pathlib import Path
from typing import is_typeddict

import pytest

from components.api import istio_types as types
from tests.unit.test_gateway_api_types import compare, docstrings

SCHEMAS = json.loads(
    (Path(__file__).parent / "crds" / "istio" / "1.30.0.json").read_text(encoding="utf-8")
)

SPECS = {
    "AuthorizationPolicy": types.AuthorizationPolicySpec,
    "RequestAuthentication": types.RequestAuthenticationSpec,
    "Istio": types.IstioSpec,
    "IstioCNI": types.IstioCNISpec,
    "ZTunnel": types.ZTunnelSpec,
}

ONE_TARGET = "deprecated in favour of targetRefs"
HELM_VALUES = "typing.Any] for object"

LEFT_OUT = {
    "AuthorizationPolicySpec.targetRef": ONE_TARGET,
    "RequestAuthenticationSpec.targetRef": ONE_TARGET,
    "PolicyTargetReference.namespace": "the schema admits no value: targets are never elsewhere",
    "JWTRule.jwks_uri": "another spelling of jwksUri",
}
"""What the schemas have and the types do not."""

STRICTER = {
    "ExtensionProvider.name: required True": "istiod refuses a policy without it",
    "PolicyFrom.source: required True": "istiod refuses a policy without it",
    "PolicyTo.operation: required True": "istiod refuses a policy without it",
    "WorkloadSelector.matchLabels: required True": "without labels it selects every pod",
}
"""What only the types demand."""

DOCSTRINGS = {
    name: " ".join(text.split())
    for name, text in docstrings(ast.parse(Path(types.__file__).read_text("utf-8")).body)
}

CLASSES = {
    name: value
    for name, value in vars(types).items()
    if is_typeddict(value) and value.__module__ == types.__name__
}


def test_the_types_are_those_of_the_schemas() -> None:
    assert SCHEMAS.keys() == SPECS.keys()
    findings: dict[str, set[str]] = defaultdict(set)
    for kind, spec in SPECS.items():
        for sort, name in compare(kind, SCHEMAS[kind], spec):
            findings[sort].add(name)
    untyped = {name for name in findings["wrong"] if name.endswith(HELM_VALUES)}
    assert {name.partition(":")[0] for name in untyped} == {
        "IstioSpec.values",
        "IstioCNISpec.values",
        "ZTunnelSpec.values",
    }
    assert findings["wrong"] - untyped == STRICTER.keys()
    assert findings["left out"] == LEFT_OUT.keys()
    assert findings["unknown"] == set()
    assert findings["closed"] == set()
    assert findings["class"] == CLASSES.keys()


def test_every_name_is_documented() -> None:
    assert [name for name, text in DOCSTRINGS.items() if not text] == []


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_links_its_page_and_documents_its_fields(name: str) -> None:
    assert (
        DOCSTRINGS[name]
        .rsplit(" ", 1)[-1]
        .startswith(
            (
                "https://istio.io/latest/docs/reference/config/",
                "https://github.com/istio-ecosystem/sail-operator/blob/main/docs/",
            )
        )
    )
