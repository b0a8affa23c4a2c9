"""What is said about an object that did not become ready."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.cluster.explain import describe, explain_failures
from tests.unit.test_preflight import api, write_kubeconfig

__all__ = ["api"]

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop"


def condition(name: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {"type": name, "status": status, "reason": reason, "message": message}


ACCEPTED = condition("Accepted", "True", "Accepted", "Handled by Istio controller")
PENDING = condition("Programmed", "False", "AddressNotAssigned", "address pending")
REFUSED = condition("Accepted", "False", "NoMatchingListenerHostname", "no hostnames matched")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"conditions": [ACCEPTED, PENDING]},
            "Accepted=True (Accepted: Handled by Istio controller);"
            " Programmed=False (AddressNotAssigned: address pending);"
            " no load balancer has given the gateway's Service an address: install one, or choose"
            " the service type ClusterIP",
        ),
        (
            {"parents": [{"conditions": [REFUSED]}, {"conditions": [REFUSED]}]},
            "Accepted=False (NoMatchingListenerHostname: no hostnames matched);"
            " no listener of the gateway has this host name",
        ),
        (
            {
                "conditions": [ACCEPTED],
                "listeners": [
                    {
                        "name": "https",
                        "conditions": [
                            condition("Accepted", "True", "Accepted", "fine"),
                            condition("Conflicted", "False", "NoConflicts", "fine"),
                            condition(
                                "ResolvedRefs", "False", "InvalidCertificateRef", "no Secret"
                            ),
                        ],
                    },
                    {"name": "tcp", "conditions": [condition("Conflicted", "True", "Port", "p")]},
                ],
            },
            "Accepted=True (Accepted: Handled by Istio controller);"
            " listener https: ResolvedRefs=False (InvalidCertificateRef: no Secret);"
            " listener tcp: Conflicted=True (Port: p);"
            " the Secret of the certificate has to have tls.crt and tls.key",
        ),
        (
            {"conditions": [condition("Accepted", "False", "Odd", "unheard of")]},
            "Accepted=False (Odd: unheard of)",
        ),
        (
            {},
            "the cluster reports no condition; no controller has seen it: do the discovery labels"
            " match the discoverySelectors of the mesh, are GatewayClass and revision right, and is"
            " istiod ready?",
        ),
    ],
)
def test_conditions_are_quoted_and_explained(status: dict[str, Any], said: str) -> None:
    assert describe(status) == said


def test_pods_that_are_not_admitted_are_explained() -> None:
    refused = "pods is forbidden: exceeded quota: small"
    status = {
        "conditions": [
            condition("Available", "False", "MinimumReplicasUnavailable", "it is not available"),
            condition("ReplicaFailure", "True", "FailedCreate", refused),
        ]
    }
    assert describe(status) == (
        "Available=False (MinimumReplicasUnavailable: it is not available);"
        f" ReplicaFailure=True (FailedCreate: {refused});"
        " quota or admission of the namespace refuses pods of it"
    )


class Registered:
    """The hook and the transform that `explain_failures` gives to the engine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.errors: list[str] = []
        monkeypatch.setattr(pulumi.log, "error", self.errors.append)
        monkeypatch.setattr(pulumi, "ErrorHook", self._hook)
        self.transform: Any = explain_failures({"context": "lab"})

    def _hook(self, _: str, callback: Any) -> Any:
        self.hook = callback
        return callback

    def fail(self, kind: str = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute") -> bool:
        metadata = {"metadata": {"name": "shop", "namespace": "shop"}}
        args = pulumi.ErrorHookArgs("urn", "id", "shop", kind, new_inputs=metadata)
        retried: bool = self.hook(args)
        return retried


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Registered:
    return Registered(monkeypatch)


def test_a_failure_logs_what_the_cluster_says(api: dict[str, Any], registered: Registered) -> None:
    api[ROUTE] = {"metadata": {"name": "shop"}, "status": {"parents": [{"conditions": [REFUSED]}]}}
    assert registered.fail() is False
    assert registered.errors == [
        "HTTPRoute shop/shop: Accepted=False (NoMatchingListenerHostname: no hostnames matched);"
        " no listener of the gateway has this host name"
    ]


def test_conditions_of_before_a_change_are_told_apart(
    api: dict[str, Any], registered: Registered
) -> None:
    parents = [{"conditions": [{**ACCEPTED, "observedGeneration": 3}]}]
    api[ROUTE] = {"metadata": {"name": "shop", "generation": 4}, "status": {"parents": parents}}
    registered.fail()
    api[ROUTE]["metadata"]["generation"] = 3
    parents[0]["conditions"][0]["observedGeneration"] = "3"
    registered.fail()
    said = "HTTPRoute shop/shop: Accepted=True (Accepted: Handled by Istio controller)"
    assert registered.errors == [
        f"{said}; these conditions are of generation 3, and it has 4: no controller has seen its"
        " last change. Is istiod ready?",
        said,
    ]


def event(reason: str, message: str, name: str, second: int) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}.{second}", "namespace": "shop"},
        "involvedObject": {"name": name, "namespace": "shop"},
        "reason": reason,
        "message": message,
        "lastTimestamp": f"2026-01-01T00:00:0{second}Z",
    }


def test_a_proof_without_a_pod_is_explained_by_its_events(
    api: dict[str, Any], registered: Registered
) -> None:
    quota = "Error creating: pods is forbidden: exceeded quota: small"
    api["/api/v1/namespaces/shop/events"] = {
        "metadata": {},
        "items": [
            event("DeadlineExceeded", "Job was active longer than specified deadline", "shop", 9),
            event("Failed", "Error: ErrImagePull", "shop-abcde", 3),
            event("FailedCreate", quota, "shop", 2),
            event("FailedCreate", quota, "shop", 1),
            event("FailedCreate", "of another one", "shopping", 1),
        ],
    }
    assert registered.fail("kubernetes:batch/v1:Job") is False
    assert registered.errors == [
        f"Job shop/shop: FailedCreate: {quota}; Failed: Error: ErrImagePull;"
        " quota or admission of the namespace refuses the pod: `pod` of the verification changes"
        " it; is there such an image, and does its registry let the pod have it? `image` and `pod`"
        " of the verification change it"
    ]


def test_a_proof_that_ran_is_left_to_the_provider(
    api: dict[str, Any], registered: Registered
) -> None:
    api["/api/v1/namespaces/shop/events"] = {"metadata": {}, "items": []}
    assert registered.fail("kubernetes:batch/v1:Job") is False
    assert registered.errors == []


def test_an_object_that_is_not_there_is_left_to_the_provider(
    api: dict[str, Any], registered: Registered
) -> None:
    assert ROUTE not in api
    assert registered.fail() is False
    assert registered.errors == []


def test_a_cluster_that_does_not_answer_is_left_to_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registered: Registered
) -> None:
    write_kubeconfig(tmp_path, 1)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert registered.fail() is False
    assert registered.errors == []


@pytest.mark.parametrize(
    ("kind", "plural", "version"),
    [
        ("Gateway", "gateways", "gateway.networking.k8s.io/v1"),
        ("GRPCRoute", "grpcroutes", "gateway.networking.k8s.io/v1"),
        ("AuthorizationPolicy", "authorizationpolicies", "security.istio.io/v1"),
    ],
)
def test_every_kind_that_is_waited_for_is_explained(
    api: dict[str, Any], registered: Registered, kind: str, plural: str, version: str
) -> None:
    found = {"metadata": {"name": "shop"}, "status": {"conditions": [ACCEPTED]}}
    api[f"/apis/{version}/namespaces/shop/{plural}/shop"] = found
    registered.fail(f"kubernetes:{version}:{kind}")
    assert registered.errors == [
        f"{kind} shop/shop: Accepted=True (Accepted: Handled by Istio controller)"
    ]


def test_only_what_is_waited_for_gets_the_hook(registered: Registered) -> None:
    def hooks(type_: str) -> Any:
        opts = pulumi.ResourceOptions()
        args = pulumi.ResourceTransformArgs(True, type_, "shop", {"a": 1}, opts)  # noqa: FBT003
        found = registered.transform(args)
        assert found is None or found.props == {"a": 1}
        return found and found.opts.hooks.on_error

    assert hooks("kubernetes:core/v1:Service") == [registered.hook]
    assert hooks("kubernetes:core/v1:ConfigMap") is None
