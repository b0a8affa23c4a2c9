"""The stand-in provider's decisions: what changed, who owns what, what is ready."""
# pyright: reportPrivateUsage=false

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightkube import ApiError
from pulumi.runtime.proto import status_pb2
from pulumi.runtime.proto.provider_pb2 import (
    CheckRequest,
    DiffRequest,
    DiffResponse,
    ErrorResourceInitFailed,
    UpdateRequest,
)

from lab.provider import write_plugin
from lab.provider.cluster import Cluster
from lab.provider.diff import canonical, changes, immutable, prune
from lab.provider.expressions import parse
from lab.provider.ownership import adopt
from lab.provider.service import KubernetesProvider
from lab.provider.values import (
    UNKNOWN,
    Object,
    decode,
    encode,
    has_unknown,
    plain,
    secret,
    with_secrets,
)
from lab.provider.wait import NotReadyError, Waiter, limit

JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)


@given(OBJECTS)
def test_a_bag_survives_the_wire(bag: Object) -> None:
    assert decode(encode(bag)) == bag


def test_nulls_are_absent_and_whole_numbers_are_integers() -> None:
    bag = decode(encode({"port": 80.0, "weight": 0.5, "none": None, "list": [None]}))
    assert bag == {"port": 80, "weight": 0.5, "list": [None]}
    assert isinstance(bag["port"], int)


def test_secrets_come_off_and_go_back_on() -> None:
    inputs = {"metadata": {"labels": {"a": secret("s")}}, "list": ["x", secret("y")], "b": 1}
    outputs = {"metadata": {"labels": {"a": "s", "z": "z"}}, "list": ["y"], "b": 1, "c": 2}
    assert plain(inputs) == {"metadata": {"labels": {"a": "s"}}, "list": ["x", "y"], "b": 1}
    marked = {"metadata": {"labels": {"a": secret("s"), "z": "z"}}, "list": secret(["y"])}
    assert with_secrets(outputs, inputs) == marked | {"b": 1, "c": 2}


def test_the_data_of_a_secret_is_secret() -> None:
    live = {"kind": "Secret", "data": {"a": "YQ=="}, "type": "Opaque"}
    assert with_secrets(live, {}) == live | {"data": secret({"a": "YQ=="})}


def test_string_data_becomes_data() -> None:
    given_ = {"kind": "Secret", "data": {"a": "YQ=="}, "stringData": {"b": "b"}}
    assert canonical(given_) == {"kind": "Secret", "data": {"a": "YQ==", "b": "Yg=="}}
    unknown = {"kind": "Secret", "stringData": {"b": UNKNOWN}}
    assert canonical(unknown) == unknown


def test_unknown_values_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": "known"}], UNKNOWN: 1})


def found(old: Object, new: Object, *, patch: bool = False) -> dict[str, str]:
    return {
        change.property_path: change.kind + "_REPLACE" * change.replaces
        for change in changes(old, new, immutable(new, patch=patch))
    }


@given(OBJECTS)
def test_nothing_changed(inputs: Object) -> None:
    assert found(inputs, inputs) == {}


def test_changes_name_their_path() -> None:
    old = {"metadata": {"labels": {"a": "1", "b": "1"}}, "spec": {"ports": [{"port": 1}, {}]}}
    new = {"metadata": {"labels": {"a": "2", "c.d/e": "1"}}, "spec": {"ports": [{"port": 2}]}}
    assert found(old, new) == {
        "metadata.labels.a": "UPDATE",
        "metadata.labels.b": "DELETE",
        'metadata.labels["c.d/e"]': "ADD",
        "spec.ports[0].port": "UPDATE",
        "spec.ports[1]": "DELETE",
    }


@pytest.mark.parametrize(
    ("kind", "path", "replaces"),
    [
        ("v1 Namespace", "metadata.name", True),
        ("v1 Namespace", "metadata.namespace", True),
        ("v1 Namespace", "metadata.labels", False),
        ("v1 ConfigMap", "data.key", True),
        ("v1 Secret", "data.key", True),
        ("v1 Service", "spec.clusterIP", True),
        ("v1 Service", "spec.type", False),
        ("v1 Pod", "spec.hostname", True),
        ("apps/v1 Deployment", "spec.selector.matchLabels.app", True),
        ("apps/v1 Deployment", "spec.template.spec.hostname", False),
        ("batch/v1 Job", "spec.template.spec.hostname", True),
        ("batch/v1 Job", "spec.completions", True),
        ("batch/v1 Job", "spec.backoffLimit", False),
        ("gateway.networking.k8s.io/v1 Gateway", "spec.gatewayClassName", False),
    ],
)
def test_what_replaces_an_object(kind: str, path: str, *, replaces: bool) -> None:
    api_version, name = kind.split()
    fixed: Object = {"apiVersion": api_version, "kind": name}

    def nested(value: str) -> Object:
        inner: Any = value
        for step in reversed(path.split(".")):
            inner = {step: inner}
        return fixed | cast("Object", inner)

    wanted = "UPDATE_REPLACE" if replaces else "UPDATE"
    assert found(nested("old"), nested("new")) == {path: wanted}
    assert found(nested("old"), nested("new"), patch=True) == {
        path: wanted if path.startswith("metadata.name") else "UPDATE"
    }


def test_data_changes_in_place_where_that_is_allowed() -> None:
    inputs = {"apiVersion": "v1", "kind": "ConfigMap"}
    assert ("data",) in immutable(inputs, patch=False)
    assert ("data",) not in immutable(inputs, patch=False, mutable=["ConfigMap"])
    frozen = inputs | {"immutable": True}
    assert ("data",) in immutable(frozen, patch=False, mutable=["ConfigMap"])


def test_live_inputs_are_what_the_program_mentions() -> None:
    inputs = {
        "metadata": {"name": "a", "labels": {}, "annotations": {"mine": "1", "gone": "1"}},
        "spec": {"requests": {"cpu": "0.1", "memory": "1024Mi"}, "list": [{"a": 1}, {"a": 2}]},
    }
    live = {
        "metadata": {"name": "a", "uid": "u", "annotations": {"mine": "2", "theirs": "3"}},
        "spec": {"requests": {"cpu": "100m", "memory": "1Gi"}, "list": [{"a": 1, "b": 2}]},
        "status": {},
    }
    assert prune(live, inputs) == {
        "metadata": {"name": "a", "labels": {}, "annotations": {"mine": "2"}},
        "spec": {"requests": {"cpu": "0.1", "memory": "1024Mi"}, "list": [{"a": 1}]},
    }


@pytest.mark.parametrize(
    ("live", "given_", "same"),
    [
        ("1", "1000m", True),
        ("1Gi", "1024Mi", True),
        ("1e3", "1k", True),
        (1, "1", True),
        ("500m", "0.25", False),
        ("True", "true", False),
        ("1G", "1Gi", False),
        ("web-1", "web-2", False),
    ],
)
def test_a_quantity_keeps_its_spelling(live: Any, given_: Any, *, same: bool) -> None:
    requests, wanted = {"requests": {"cpu": live}}, {"requests": {"cpu": given_}}
    assert prune(requests, wanted) == (wanted if same else requests)
    assert found(requests, wanted) == ({} if same else {"requests.cpu": "UPDATE"})


def test_what_only_looks_like_a_quantity_is_none() -> None:
    assert found({"labels": {"version": "1.10"}}, {"labels": {"version": "1.1"}}) == {
        "labels.version": "UPDATE"
    }


def entry(manager: str, operation: str, subresource: str = "", **fields: Any) -> Object:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    } | ({"subresource": subresource} if subresource else {})


def test_the_first_update_takes_over_the_fields_of_the_creation() -> None:
    theirs = entry("controller", "Update", "status", c={})
    own = entry("pulumi-kubernetes-1", "Apply", a={"x": {}})
    first = entry("pulumi-kubernetes", "Update", a={"y": {}}, b={})
    hand = entry("kubectl-edit", "Update", d={})
    live = {"metadata": {"resourceVersion": "7", "managedFields": [theirs, own, first, hand]}}
    fields, version = adopt(live, "pulumi-kubernetes-1")
    merged = entry("pulumi-kubernetes-1", "Apply", a={"x": {}, "y": {}}, b={}, d={})
    assert fields["value"] == [theirs, merged]
    assert version == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}


def test_there_is_nothing_to_take_over_from_other_programs() -> None:
    other = [entry("istio", "Apply", a={}), entry("pulumi-kubernetes-2", "Apply", a={})]
    assert adopt({"metadata": {"managedFields": other}}, "pulumi-kubernetes-1") == []


GATEWAY: Object = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "gw", "namespace": "web", "generation": 2},
    "status": {
        "addresses": [{"value": "10.0.0.1"}],
        "conditions": [
            {"type": "Accepted", "status": "True", "observedGeneration": 2},
            {
                "type": "Programmed",
                "status": "False",
                "observedGeneration": 2,
                "reason": "AddressNotAssigned",
                "message": "no address",
            },
            {"type": "Old", "status": "True", "observedGeneration": 1},
            {"type": "Text", "status": "True", "observedGeneration": "1"},
        ],
        "listeners": [
            {
                "name": "http",
                "attachedRoutes": 1,
                "conditions": [{"type": "ResolvedRefs", "status": "True", "reason": "Resolved"}],
            }
        ],
    },
}


@pytest.mark.parametrize(
    ("expression", "lack"),
    [
        ("condition=Accepted", None),
        ("condition=accepted=true", None),
        ("condition=Programmed=False", None),
        (
            "condition=Programmed",
            "condition Programmed=True, which is False AddressNotAssigned: no address",
        ),
        ("condition=Old", "condition Old=True, and the last change to be seen"),
        ("condition=Text", None),
        ("condition=New", "condition New=True, which is not reported yet"),
        ("jsonpath={.status.addresses[0].value}", None),
        ("jsonpath={.status.addresses[0].value}=10.0.0.1", None),
        ("jsonpath={$.status.listeners[?(@.name=='http')].attachedRoutes}=1", None),
        ("jsonpath={.status.listeners[?(@.name=='http' && @.attachedRoutes==1)]}", None),
        ("jsonpath={.status.listeners[?(!search(@.name, '^x'))].name}=http", None),
        ("jsonpath={.status.nothing}", "{.status.nothing}, where nothing is yet"),
        (
            "jsonpath={.status.addresses[0].value}=10.0.0.2",
            "{.status.addresses[0].value}=10.0.0.2, which is 10.0.0.1",
        ),
    ],
)
def test_what_an_expression_waits_for(expression: str, lack: str | None) -> None:
    assert [one.missing(GATEWAY) for one in parse(expression)] == [lack]


def test_a_json_array_asks_for_all() -> None:
    both = parse('["condition=Accepted", "jsonpath={.status.addresses}"]')
    assert [one.missing(GATEWAY) for one in both] == [None, None]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("Programmed", 'expected "condition=..." or "jsonpath={...}", got \'Programmed\''),
        ("[]", "expected an expression or a JSON array of them, got '[]'"),
        ("jsonpath=.status", "expected jsonpath={PATH} or jsonpath={PATH}=VALUE"),
        ("jsonpath={.status}=", "expected jsonpath={PATH} or jsonpath={PATH}=VALUE"),
        ("jsonpath={.status[}", "is not a JSONPath (RFC 9535)"),
    ],
)
def test_a_wrong_expression_says_what_is_expected(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"expected|RFC") as error:
        parse(expression)
    assert message in str(error.value)


def test_the_time_limit_comes_from_the_resource_then_from_the_object() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "30"}}}
    assert limit(5, annotated) == 5
    assert limit(0, annotated) == 30
    assert limit(0, {}) == 600


class FakeCluster:
    """Hands out the given states of an object one after the other, the last one for ever."""

    def __init__(
        self, *states: Object | None, listed: dict[str, list[Object]] | None = None
    ) -> None:
        self.states = list(states)
        self.listed = listed or {}

    async def find(self, _: Object) -> Object | None:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    async def find_all(self, _version: str, kind: str, *_: Any) -> list[Object]:
        return self.listed.get(kind, [])

    async def log(self, *_: Any, **__: Any) -> str:
        return "what it printed\n"


def wait(cluster: FakeCluster, live: Object, inputs: Object, seconds: float = 5) -> Object:
    async def say(_: str) -> None: ...

    waiter = Waiter(cast("Cluster", cluster))
    return asyncio.run(waiter.until_ready(live, inputs, seconds, say))


def waiting_for(expression: str) -> Object:
    return {"metadata": {"annotations": {"pulumi.com/waitFor": expression}}}


def test_a_wait_ends_when_the_object_is_ready() -> None:
    status = {"conditions": [{"type": "Programmed", "status": "True", "observedGeneration": 2}]}
    ready = GATEWAY | {"status": status}
    assert wait(FakeCluster(GATEWAY, ready), GATEWAY, waiting_for("condition=Programmed")) == ready


def test_a_wait_that_ends_says_what_for_and_what_the_cluster_says() -> None:
    with pytest.raises(NotReadyError) as error:
        wait(FakeCluster(GATEWAY), GATEWAY, waiting_for("condition=Programmed"), seconds=0.1)
    assert error.value.reasons == (
        "Gateway web/gw was not ready after 0.1 s: waiting for condition Programmed=True, "
        "which is False AddressNotAssigned: no address",
        "Accepted=True",
        "Programmed=False AddressNotAssigned: no address",
        "Old=True",
        "Text=True",
        "http: ResolvedRefs=True Resolved",
    )
    assert error.value.live == GATEWAY


def test_an_object_that_is_deleted_is_not_waited_for() -> None:
    with pytest.raises(NotReadyError, match="it was deleted by someone else"):
        wait(FakeCluster(None), GATEWAY, waiting_for("condition=Programmed"))


def test_skip_await_waits_for_nothing() -> None:
    inputs = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
    assert wait(FakeCluster(None), GATEWAY, inputs) == GATEWAY


def deployment(**status: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "web", "generation": 2},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
        "status": status,
    }


def test_a_deployment_is_waited_for_until_it_is_rolled_out() -> None:
    ready = deployment(observedGeneration=2, replicas=2, updatedReplicas=2, availableReplicas=2)
    states = [
        deployment(),
        deployment(observedGeneration=2, replicas=2),
        deployment(observedGeneration=2, replicas=3, updatedReplicas=2, availableReplicas=3),
        deployment(observedGeneration=2, replicas=2, updatedReplicas=2, availableReplicas=1),
        ready,
    ]
    assert wait(FakeCluster(*states), states[0], {}) == ready


def test_a_failed_job_tells_its_condition_and_what_its_pod_printed() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    job: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "probe", "namespace": "web"},
        "spec": {"selector": {"matchLabels": {"job": "probe"}}},
        "status": {"conditions": [failed]},
    }
    pod = {
        "metadata": {"name": "probe-1", "namespace": "web", "creationTimestamp": "2026-01-01"},
        "status": {
            "containerStatuses": [{"name": "curl", "state": {"terminated": {"exitCode": 1}}}]
        },
    }
    with pytest.raises(NotReadyError) as error:
        wait(FakeCluster(job, listed={"Pod": [pod]}), job, {})
    assert error.value.reasons == (
        "Job web/probe failed: BackoffLimitExceeded: m",
        "Pod probe-1, container curl ended with exit code 1: what it printed",
    )


@pytest.mark.parametrize(
    ("spec", "slices", "lack"),
    [
        ({"type": "ExternalName"}, [], None),
        ({"selector": {"a": "b"}, "clusterIP": "None"}, [], None),
        ({"selector": {"a": "b"}}, [{"endpoints": [{"conditions": {"ready": True}}]}], None),
        (
            {"selector": {"a": "b"}},
            [{"endpoints": [{"conditions": {"ready": False}}]}],
            "the Pods that the Service selects to be ready",
        ),
        ({"selector": {"a": "b"}}, [{"endpoints": None}], "Pods that the Service selects"),
        ({"type": "LoadBalancer"}, [], "an address from the load balancer"),
    ],
)
def test_what_a_service_waits_for(spec: Object, slices: list[Object], lack: str | None) -> None:
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "web"},
        "spec": spec,
        "status": {"loadBalancer": {}},
    }
    cluster = FakeCluster(service, listed={"EndpointSlice": slices})
    if lack is None:
        assert wait(cluster, service, {}) == service
    else:
        with pytest.raises(NotReadyError, match=lack):
            wait(cluster, service, {}, seconds=0.1)


def test_a_wait_outlasts_an_api_server_that_restarts() -> None:
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "web"},
        "spec": {"selector": {"a": "b"}},
    }
    answers = iter([httpx2.ConnectError("refused"), None])

    class Restarting(FakeCluster):
        async def find_all(self, _version: str, kind: str, *_: Any) -> list[Object]:
            assert kind == "EndpointSlice"
            if error := next(answers):
                raise error
            return [{"endpoints": [{}]}]

    assert wait(Restarting(service), service, {}) == service


class Contended(FakeCluster):
    """A cluster in which others write an object as often as it is patched, or written at all."""

    patches = 0

    async def get(self, _: Object) -> Object:
        return CONFIG_MAP

    async def patch(self, *_: Any) -> Object:
        self.patches += 1
        raise api_error("Conflict", 409)

    async def apply(self, obj: Object, **_: Any) -> Object:
        return obj

    async def resource(self, *_: Any) -> None: ...


CONFIG_MAP: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "a",
        "namespace": "web",
        "resourceVersion": "1",
        "managedFields": [entry("pulumi-kubernetes", "Update", a={})],
    },
}


def api_error(reason: str, code: int) -> ApiError:
    request = httpx2.Request("PATCH", "https://x")
    body = {"code": code, "message": "because", "reason": reason}
    return ApiError(request=request, response=httpx2.Response(code, json=body, request=request))


def test_fields_that_others_keep_writing_are_not_fought_for_without_end() -> None:
    cluster = Contended(CONFIG_MAP)
    with pytest.raises(ApiError, match="because"):
        asyncio.run(on(cluster)._take_over(CONFIG_MAP, "pulumi-kubernetes-1"))
    assert cluster.patches == 10


def on(cluster: FakeCluster) -> KubernetesProvider:
    """The service, connected to the cluster."""
    service = KubernetesProvider(cast("Any", FakeEngine()))
    service._connected = cast("Cluster", cluster)
    return service


def test_a_failed_update_keeps_the_version_of_the_creation() -> None:
    live: Object = GATEWAY | {"metadata": GATEWAY["metadata"] | {"managedFields": []}}
    inputs = {key: value for key, value in live.items() if key != "status"} | {
        "metadata": {
            "name": "gw",
            "namespace": "web",
            "annotations": {"pulumi.com/waitFor": "condition=Programmed"},
        }
    }
    old = live | {"__initialApiVersion": "gateway.networking.k8s.io/v1beta1"}
    request = UpdateRequest(
        urn=urn("gateway.networking.k8s.io/v1:Gateway"),
        olds=encode(old),
        news=encode(inputs),
        timeout=0.1,
    )

    class Context:
        async def abort(self, _code: Any, _message: str, details: Any) -> None:
            raise LookupError(details[0][1])

    async def update() -> None:
        await on(Contended(live)).Update(request, Context())

    with pytest.raises(LookupError) as error:
        asyncio.run(update())
    detail = ErrorResourceInitFailed()
    status_pb2.Status.FromString(error.value.args[0]).details[0].Unpack(detail)
    state = decode(detail.properties)
    assert state["__initialApiVersion"] == "gateway.networking.k8s.io/v1beta1"


class FakeEngine:
    async def Log(self, _: Any) -> None: ...  # noqa: N802


def call(method: str, request: Any) -> Any:
    service = KubernetesProvider(cast("Any", FakeEngine()))
    return asyncio.run(getattr(service, method)(request, None))


def urn(token: str, name: str = "web") -> str:
    return f"urn:pulumi:dev::project::ambient:index:Waypoint$kubernetes:{token}::{name}"


def check(token: str, inputs: Object, old: Object | None = None, seed: bytes = b"seed") -> Any:
    return call(
        "Check",
        CheckRequest(urn=urn(token), olds=encode(old or {}), news=encode(inputs), randomSeed=seed),
    )


def test_inputs_get_their_kind_and_a_name_and_namespace() -> None:
    checked = decode(check("core/v1:ConfigMap", {}).inputs)
    name = checked["metadata"].pop("name")
    assert name.startswith("web-")
    assert len(name) == len("web-") + 8
    assert checked == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": "default", "annotations": {"pulumi.com/autonamed": "true"}},
    }


def test_a_given_name_stays_and_a_made_one_too() -> None:
    mine: Object = {"metadata": {"name": "mine", "namespace": "web"}}
    assert decode(check("apps/v1:Deployment", mine).inputs)["metadata"] == mine["metadata"]
    first = decode(check("core/v1:ConfigMap", {}).inputs)
    assert decode(check("core/v1:ConfigMap", {}).inputs) == first
    assert decode(check("core/v1:ConfigMap", {}, first, b"other").inputs) == first


def test_a_patch_needs_a_name() -> None:
    inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": {"a": "b"}}}
    (failure,) = check("core/v1:NamespacePatch", inputs).failures
    assert (failure.property, failure.reason) == ("metadata.name", "a Patch resource needs it")


def test_a_wrong_wait_is_found_before_anything_is_made() -> None:
    annotations = {"pulumi.com/waitFor": "Programmed"}
    (failure,) = check(
        "gateway.networking.k8s.io/v1:Gateway",
        {"metadata": {"name": "gw", "annotations": annotations}},
    ).failures
    assert failure.property == 'metadata.annotations["pulumi.com/waitFor"]'
    assert failure.reason.startswith("expected")


@pytest.mark.parametrize(
    "inputs",
    [
        {"metadata": UNKNOWN},
        {"metadata": {"name": UNKNOWN, "annotations": UNKNOWN}},
        {"metadata": {"name": "gw", "annotations": {"pulumi.com/waitFor": UNKNOWN}}},
    ],
)
def test_what_a_preview_does_not_know_is_left_alone(inputs: Object) -> None:
    response = check("gateway.networking.k8s.io/v1:Gateway", inputs)
    assert not response.failures
    assert has_unknown(decode(response.inputs))


def difference(old: Object, new: Object) -> Any:
    live = old | {"metadata": old["metadata"] | {"uid": "u"}, "__inputs": old}
    resource = urn("core/v1:ConfigMap")
    return call("Diff", DiffRequest(urn=resource, olds=encode(live), news=encode(new)))


@pytest.mark.parametrize(
    ("change", "replaces", "deletes_first"),
    [
        ({"data": {"a": "2"}}, ["data.a"], True),
        ({"metadata": {"name": "b", "namespace": "web"}}, ["metadata.name"], False),
        ({"metadata": {"name": "a", "namespace": "web", "labels": {"l": "1"}}}, [], False),
        (
            {
                "metadata": {
                    "name": "a",
                    "namespace": "web",
                    "annotations": {"pulumi.com/autonamed": "true"},
                },
                "data": {"a": "2"},
            },
            ["data.a"],
            False,
        ),
    ],
)
def test_a_replacement_deletes_first_what_keeps_its_name(
    change: Object, replaces: list[str], *, deletes_first: bool
) -> None:
    old: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "web"},
        "data": {"a": "1"},
    }
    response = difference(old, old | change)
    assert response.changes == DiffResponse.DIFF_SOME
    assert list(response.replaces) == replaces
    assert response.deleteBeforeReplace is deletes_first
    assert difference(old, old).changes == DiffResponse.DIFF_NONE


def test_what_the_cluster_had_is_repaired_as_far_as_the_program_spoke_of_it() -> None:
    inputs: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "web", "labels": {"mine": "1", "lost": "1"}},
    }
    metadata = inputs["metadata"] | {"labels": {"mine": "2", "theirs": "1"}, "uid": "u"}
    live = inputs | {"metadata": metadata, "status": {}, "__inputs": inputs}
    resource = urn("core/v1:ConfigMap")
    response = call("Diff", DiffRequest(urn=resource, olds=encode(live), news=encode(inputs)))
    assert sorted(response.detailedDiff) == ["metadata.labels.lost", "metadata.labels.mine"]
    assert not response.replaces


def kubeconfig(server: str) -> str:
    return json.dumps(
        {
            "current-context": "one",
            "clusters": [{"name": "one", "cluster": {"server": server}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
        }
    )


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"kubeconfig": kubeconfig("https://a")}, {"kubeconfig": kubeconfig("https://a")}, []),
        (
            {"kubeconfig": kubeconfig("https://a")},
            {"kubeconfig": kubeconfig("https://b")},
            ["kubeconfig"],
        ),
        (
            {"kubeconfig": kubeconfig("https://a"), "clusterIdentifier": "x"},
            {"kubeconfig": kubeconfig("https://b"), "clusterIdentifier": "x"},
            [],
        ),
        ({"clusterIdentifier": "x"}, {"clusterIdentifier": "y"}, ["clusterIdentifier"]),
        ({}, {"namespace": "web"}, []),
    ],
)
def test_another_cluster_replaces_everything(old: Object, new: Object, replaces: list[str]) -> None:
    response = call("DiffConfig", DiffRequest(olds=encode(old), news=encode(new)))
    assert list(response.replaces) == replaces


def test_options_that_it_does_not_have_are_refused() -> None:
    config = {"enableServerSideApply": "false", "renderYamlToDirectory": "out"}
    response = call("CheckConfig", CheckRequest(news=encode(config)))
    assert [failure.property for failure in response.failures] == [
        "renderYamlToDirectory",
        "enableServerSideApply",
    ]


def test_the_plugin_starts_from_anywhere(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path / "plugins")
    assert plugin == tmp_path / "plugins" / "pulumi-resource-kubernetes"
    with subprocess.Popen(
        [plugin, "127.0.0.1:1"], stdout=subprocess.PIPE, cwd="/", env={}
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline()
        process.kill()
    assert int(port) > 0
