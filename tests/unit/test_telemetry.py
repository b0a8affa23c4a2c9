"""Access logs, traces and metrics of gateways and waypoints."""

from typing import Any

import pytest
import yaml

from components import IngressGateway, Waypoint
from components.commands.effects import effects
from components.stack.needs import needs
from tests.unit.conftest import Run
from tests.unit.test_arguments import changed, refused
from tests.unit.test_configuration import read, several
from tests.unit.test_preflight import CONFIG, DEPLOYMENTS, api, faults, istiod

__all__ = ["api"]

LOGGED = {"accessLogging": [{"providers": [{"name": "envoy"}]}]}
TRACED = {"tracing": [{"providers": [{"name": "zipkin"}], "randomSamplingPercentage": 10}]}


def test_each_proxy_has_its_own(run: Run) -> None:
    without = run().graph
    graph = run(
        exposure={"gateway": {"telemetry": LOGGED}, "waypoint": {"telemetry": {**LOGGED, **TRACED}}}
    ).graph
    made = graph.keys() - without.keys()
    assert made == {"Telemetry/httpbin-gateway-telemetry", "Telemetry/httpbin-waypoint-telemetry"}
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
    assert graph["Telemetry/httpbin-gateway-telemetry"].inputs["spec"] == {
        "targetRefs": [{**target, "name": "httpbin-gateway"}],
        **LOGGED,
    }
    waypoint = graph["Telemetry/httpbin-waypoint-telemetry"].inputs
    assert waypoint["metadata"]["name"] == "httpbin-waypoint"
    assert waypoint["metadata"]["namespace"] == "httpbin"
    assert waypoint["spec"] == {
        "targetRefs": [{**target, "name": "httpbin-waypoint"}],
        **LOGGED,
        **TRACED,
    }


def test_what_it_tells_is_part_of_what_is_proven(run: Run) -> None:
    def proof(**gateway: Any) -> Any:
        (job,) = (
            one for key, one in run(exposure={"gateway": gateway}).graph.items() if "Job/" in key
        )
        return job.inputs["spec"]["template"]["metadata"]["annotations"]

    assert proof() == proof()
    assert proof() != proof(telemetry=LOGGED) != proof(telemetry=TRACED)


@pytest.mark.parametrize(
    ("telemetry", "fault"),
    [
        ({"access_logging": []}, "access_logging: found [], expected at least one"),
        ({"targetRefs": []}, "targetRefs: found an unknown key, expected one of access_logging,"),
        (
            {"tracing": [{}, {}]},
            "tracing: found [{}, {}], expected at most 1 element, the only one",
        ),
        (
            {"tracing": [{"providers": [{"name": "a"}, {"name": "b"}]}]},
            "tracing[0].providers: found [{'name': 'a'}, {'name': 'b'}], expected at most 1"
            " element, the only one that Istio takes",
        ),
        (
            {"access_logging": [{"filter": {}}]},
            "access_logging[0].filter.expression: found nothing, expected it: Istio demands it",
        ),
        (
            {"tracing": [{"customTags": {"team": {}}}]},
            "tracing[0].customTags['team']: found neither literal nor environment nor header nor"
            " formatter, expected one of them",
        ),
        (
            {"metrics": [{"overrides": [{"tagOverrides": {"a": {}}}]}]},
            "metrics[0].overrides[0].tagOverrides['a'].value: found nothing, expected value, as"
            " operation is UPSERT",
        ),
        (
            {
                "metrics": [
                    {"overrides": [{"tagOverrides": {"a": {"operation": "REMOVE", "value": "b"}}}]}
                ]
            },
            "metrics[0].overrides[0].tagOverrides['a'].value: found 'b', expected nothing: REMOVE"
            " takes none",
        ),
        (
            {"metrics": [{"overrides": [{"match": {"mode": "IGNORED"}}]}]},
            "metrics[0].overrides[0].match.mode: found IGNORED, with which Istio ignores it here."
            " Leave it out",
        ),
        (
            {"access_logging": [{"match": {"mode": "IGNORED"}}]},
            "access_logging[0].match.mode: found IGNORED, with which Istio ignores it here. Leave"
            " it out",
        ),
    ],
)
@pytest.mark.parametrize(
    ("component", "ignored"), [(IngressGateway, "SERVER"), (Waypoint, "CLIENT")]
)
def test_what_istio_ignores_or_refuses_is_refused(
    component: Any, ignored: str, telemetry: dict[str, Any], fault: str
) -> None:
    spelt = yaml.safe_load(yaml.safe_dump(telemetry).replace("IGNORED", ignored))
    (found,) = refused(component, changed(component, "telemetry", spelt))
    assert found.startswith(f"telemetry.{fault.replace('IGNORED', ignored)}")


def test_a_waypoint_tells_nothing_of_the_services_of_other_namespaces() -> None:
    shared = {
        "namespace": {"name": "mesh"},
        "telemetry": LOGGED,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    patch = {"waypoint": {"existing": {"entry": "shared"}}}
    with pytest.raises(Exception, match="found shared, whose telemetry Istio ignores for the"):
        read({**several(patch), "waypoints": {"shared": shared}})


def test_the_preflight_looks_for_the_providers() -> None:
    told = {"gateway": {"telemetry": LOGGED}, "waypoint": {"telemetry": TRACED}}
    assert needs(read(several(told)))["providers"] == ["envoy", "zipkin"]


def test_a_provider_that_the_mesh_does_not_have(api: dict[str, Any]) -> None:
    providers = ["envoy", "Prometheus", "zipkin"]
    assert faults(providers=providers) == []  # the mesh does not tell
    api[CONFIG] = {"metadata": {}, "data": {"mesh": "extensionProviders: [{name: otel}]"}}
    assert faults(providers=providers) == [
        "extension provider zipkin: missing; the mesh has envoy, otel, prometheus, stackdriver. Add"
        " it to extensionProviders in ConfigMap istio-system/istio"
    ]
    api[CONFIG] = {"metadata": {}, "data": {"mesh": "extensionProviders: [{name: zipkin}]"}}
    assert faults(providers=providers) == []
    api[DEPLOYMENTS] = {"metadata": {}, "items": [istiod(), istiod(revision="blue")]}
    assert faults(providers=["other"]) == []  # one of the two does not tell


def test_what_a_change_means() -> None:
    def telemetry(**told: Any) -> dict[str, Any]:
        return {"spec": {"targetRefs": [{"kind": "Gateway", "name": "edge"}], **told}}

    logged = telemetry(**LOGGED)
    assert list(effects("Telemetry", {}, logged)) == [
        "access logs of Gateway `edge` are now `[{providers: [{name: envoy}]}]`"
    ]
    assert list(effects("Telemetry", logged, {})) == [
        "access logs of Gateway `edge` are as the mesh has them again"
    ]
    assert list(effects("Telemetry", logged, telemetry(**LOGGED, **TRACED))) == [
        "traces of Gateway `edge` are now `[{providers: [{name: zipkin}], randomSamplingPercentage:"
        " 10}]`"
    ]
