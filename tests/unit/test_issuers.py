"""Certificates that cert-manager gives to a gateway."""

from typing import Any

import pytest

from components import IngressGateway
from components.cluster.explain import describe
from components.commands.effects import effects
from components.stack.needs import needs
from tests.unit.conftest import Run
from tests.unit.test_arguments import changed, refused
from tests.unit.test_configuration import read, several
from tests.unit.test_explain import Registered, condition, registered
from tests.unit.test_preflight import CRDS, api, crd, faults, namespace

__all__ = ["api", "registered"]

LETSENCRYPT = {"kind": "ClusterIssuer", "name": "letsencrypt"}
ISSUED = {"issuerRef": LETSENCRYPT}
API = "/apis/cert-manager.io/v1"


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        (LETSENCRYPT, {"cluster-issuer": "letsencrypt"}),
        ({"name": "own"}, {"issuer": "own"}),
        (
            {"name": "own", "kind": "Issuer", "group": "cert-manager.io"},
            {"issuer": "own", "issuer-group": "cert-manager.io"},
        ),
        (
            {"name": "pca", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"},
            {
                "issuer": "pca",
                "issuer-kind": "AWSPCAClusterIssuer",
                "issuer-group": "awspca.cert-manager.io",
            },
        ),
    ],
)
def test_the_gateway_names_the_issuer(
    run: Run, issuer: dict[str, str], expected: dict[str, str]
) -> None:
    graph = run(exposure={"gateway": {"tls": {"issuerRef": issuer}}}).graph
    marks = graph["Gateway/httpbin-gateway"].inputs["metadata"]["annotations"]
    told = {f"cert-manager.io/{key}": value for key, value in expected.items()}
    assert {key: marks[key] for key in marks if key.startswith("cert-manager.io/")} == told
    assert not any(key.startswith("Secret/") for key in graph)


def test_each_host_name_has_a_certificate_of_its_own(run: Run) -> None:
    hostnames = ["*.example.com", "a.example.com", "b.example.com"]
    tls = {**ISSUED, "certificates": {"b.example.com": "vault/b"}}
    graph = run(exposure={"hostnames": hostnames, "gateway": {"tls": tls}}).graph
    listeners = graph["Gateway/httpbin-gateway"].inputs["spec"]["listeners"]
    assert {
        one["hostname"]: one["tls"]["certificateRefs"][0] for one in listeners if "tls" in one
    } == {
        "*.example.com": {"name": "httpbin-gateway-any.example.com"},
        "a.example.com": {"name": "httpbin-gateway-a.example.com"},
        "b.example.com": {"name": "b", "namespace": "vault"},
    }


def test_the_redirect_is_there_while_the_gateway_waits_for_its_certificates(run: Run) -> None:
    graph = run(exposure={"gateway": {"tls": ISSUED}}).graph
    redirect, gateway = graph["HTTPRoute/httpbin-redirect"], graph["Gateway/httpbin-gateway"]
    assert "HTTPRoute/httpbin-redirect" in gateway.dependencies
    assert "Gateway/httpbin-gateway" not in redirect.dependencies
    assert "pulumi.com/waitFor" not in redirect.inputs["metadata"]["annotations"]
    former = run(exposure={"gateway": {"tls": {"issuer": "self-signed"}}}).graph
    assert "Gateway/httpbin-gateway" in former["HTTPRoute/httpbin-redirect"].dependencies


@pytest.mark.parametrize(
    ("tls", "fault"),
    [
        (
            {"issuer": "self-signed", "issuer_ref": {"name": "own"}},
            "tls.issuer_ref: found both issuer and issuer_ref, expected one of them",
        ),
        (
            {"issuer_ref": {"name": "own"}, "certificates": {"*.example.com": "wildcard"}},
            "tls.certificates['*.example.com']: found a Secret of the gateway's own namespace"
            " beside issuer_ref: cert-manager makes those of all listeners, and would write over"
            " it. Name one of another namespace, or leave it out",
        ),
        (
            {"issuer_ref": {"kind": "Issuer"}},
            "tls.issuer_ref.name: found nothing, expected a string",
        ),
    ],
)
def test_what_does_not_go_with_an_issuer_is_refused(tls: dict[str, Any], fault: str) -> None:
    assert refused(IngressGateway, changed(IngressGateway, "tls", tls)) == [fault]


def test_the_preflight_looks_for_the_issuers() -> None:
    args = read(several({"gateway": {"tls": ISSUED}}, {}))
    assert needs(args)["issuers"] == [{**LETSENCRYPT, "namespace": "e0"}]


def test_what_a_change_means() -> None:
    def gateway(**marks: str) -> dict[str, Any]:
        annotations = {
            f"cert-manager.io/{key.replace('_', '-')}": one for key, one in marks.items()
        }
        return {"metadata": {"name": "edge", "annotations": annotations}}

    assert list(effects("Gateway", gateway(issuer="own"), gateway(cluster_issuer="acme"))) == [
        "Gateway `edge` no longer has certificates of Issuer `own`",
        "Gateway `edge` now has certificates of ClusterIssuer `acme`",
    ]


def test_issuers_that_give_no_certificates(api: dict[str, Any]) -> None:
    own = {"name": "own", "namespace": "httpbin"}
    foreign = {"name": "pca", "kind": "AWSPCA", "group": "awspca.example.com", "namespace": "a"}
    every = [{**LETSENCRYPT, "namespace": "httpbin"}, own, foreign]
    assert faults(issuers=[*every, *every]) == [
        f"CustomResourceDefinition {plural}.cert-manager.io: missing: nobody gives certificates"
        " (tls.issuer_ref). Install cert-manager, its Gateway API support on"
        for plural in ("clusterissuers", "issuers")
    ]
    for plural in ("clusterissuers", "issuers"):
        api[f"{CRDS}/{plural}.cert-manager.io"] = crd(plural)
    missing = "missing. Create it, or change tls.issuer_ref"
    # The stack may make the namespace in which the other one is to be.
    assert faults(issuers=every) == [f"ClusterIssuer letsencrypt: {missing}"]
    api["/api/v1/namespaces/httpbin"] = namespace()
    assert faults(issuers=[own]) == [f"Issuer httpbin/own: {missing}"]
    issuer: dict[str, Any] = {"metadata": {"name": "own"}}
    api[f"{API}/namespaces/httpbin/issuers/own"] = issuer
    assert faults(issuers=[own]) == [
        "Issuer httpbin/own: gives no certificates: it says nothing of itself. See `kubectl"
        " describe issuer`"
    ]
    issuer["status"] = {"conditions": [condition("Ready", "False", "NoAccount", "not registered")]}
    assert faults(issuers=[own]) == [
        "Issuer httpbin/own: gives no certificates: NoAccount: not registered. See `kubectl"
        " describe issuer`"
    ]
    issuer["status"] = {"conditions": [condition("Ready", "True", "Registered", "")]}
    assert faults(issuers=[own]) == []


def test_a_wait_in_vain_names_the_certificate(api: dict[str, Any], registered: Registered) -> None:
    lacks = condition("ResolvedRefs", "False", "InvalidCertificateRef", "no Secret")
    secret = {"certificateRefs": [{"name": "shop-a.example.com"}]}
    gateway: dict[str, Any] = {
        "metadata": {"name": "shop", "namespace": "shop", "annotations": {}},
        "spec": {
            "gatewayClassName": "istio",
            "listeners": [{"name": "default"}, {"name": "https", "tls": secret}],
        },
        "status": {"listeners": [{"name": "https", "conditions": [lacks]}]},
    }
    api["/apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways/shop"] = gateway

    def said() -> str:
        registered.errors.clear()
        registered.fail("kubernetes:gateway.networking.k8s.io/v1:Gateway")
        (error,) = registered.errors
        return error.removeprefix(f"Gateway shop/shop: {describe(gateway['status'])}")

    assert said() == ""
    gateway["metadata"]["annotations"] = {"cert-manager.io/issuer": "own"}
    assert said() == (
        "; cert-manager made no Certificate shop/shop-a.example.com: does it run, and is its"
        " Gateway API support on?"
    )
    waiting = condition("Ready", "False", "DoesNotExist", "Issuing certificate")
    api[f"{API}/namespaces/shop/certificates/shop-a.example.com"] = {
        "metadata": {"name": "shop-a.example.com"},
        "status": {"conditions": [waiting]},
    }
    assert said() == (
        "; Certificate shop/shop-a.example.com is not ready (DoesNotExist: Issuing certificate);"
        " `kubectl describe certificaterequests,orders,challenges -n shop` tells more"
    )
    lacks["status"] = "True"
    assert said() == ""
