"""What a preview says of objects whose namespace is not there yet."""

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from lightkube.core.exceptions import ApiError

from components.cluster.trial import Trial

VERSION = "gateway.networking.k8s.io/v1"
ROUTE = f"kubernetes:{VERSION}:HTTPRoute"
QUANTITY = "quantities must match the regular expression"


def answer(code: int, message: str = "") -> ApiError:
    status = {"code": code, "message": message}
    return ApiError(response=SimpleNamespace(json=lambda: status))  # type: ignore[arg-type]


class Cluster:
    """Has the namespace `there`, and answers as it is told to."""

    def __init__(self) -> None:
        self.tried: list[Any] = []
        self.refuses: ApiError | None = None

    def get(self, _: Any, name: str) -> None:
        if name != "there":
            raise answer(403 if name == "hidden" else 404)

    def create(self, one: Any, *, dry_run: bool) -> None:
        assert dry_run
        self.tried.append(one)
        if self.refuses:
            raise self.refuses


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def create(cluster: Cluster) -> Any:
    """Says what is said against the creation of a route."""
    trial = Trial()

    def created(namespace: Any = "new", **spec: Any) -> str | None:
        metadata = {"name": "shop", "namespace": namespace}
        inputs = {"apiVersion": VERSION, "kind": "HTTPRoute", "metadata": metadata, "spec": spec}
        args = pulumi.ResourceHookArgs("urn", "", "shop", ROUTE, new_inputs=inputs)
        client: Any = cluster
        return trial.problem(client, args)

    return created


def test_what_is_invalid_is_refused_though_its_namespace_is_not_there(
    cluster: Cluster, create: Any
) -> None:
    assert create() is None
    assert cluster.tried[0].to_dict() == {
        "apiVersion": VERSION,
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {},
    }
    said = 'admission webhook "validation.istio.io" denied the request: no such header'
    for code, message in ((400, QUANTITY), (422, "spec.rules: Too many"), (400, said)):
        cluster.refuses = answer(code, message)
        assert create() == message


def test_numbers_are_tried_as_the_provider_writes_them(cluster: Cluster, create: Any) -> None:
    create(rules=[{"port": 80.0, "share": 0.5}])
    assert json.dumps(cluster.tried[0].to_dict()["spec"]) == (
        '{"rules": [{"port": 80, "share": 0.5}]}'
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (403, "exceeded quota"),
        (404, "no such kind"),
        (409, "exists already"),
        (400, 'admission webhook "other" denied the request: not in namespace default'),
        (422, "ValidatingAdmissionPolicy 'other' denied request: not in namespace default"),
    ],
)
def test_what_is_of_the_other_namespace_is_not_said(
    cluster: Cluster, create: Any, code: int, message: str
) -> None:
    cluster.refuses = answer(code, message)
    assert create() is None


def test_only_what_nobody_else_does_is_tried(cluster: Cluster, create: Any) -> None:
    cluster.refuses = answer(400, QUANTITY)
    for namespace in ("there", None):
        assert create(namespace) is None
    assert create(hostnames=[object()]) is None  # not known yet
    with pytest.raises(ApiError):
        create("hidden")
    assert cluster.tried == []
