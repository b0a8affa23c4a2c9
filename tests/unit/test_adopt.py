"""What was made by hand, in a stack's configuration and state, with a Pulumi that plays one."""

import json
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
import yaml
from lightkube.core.exceptions import ApiError
from lightkube.models.meta_v1 import ManagedFieldsEntry
from lightkube.types import PatchType

from components.commands import adopt as adopting
from components.commands.adopt import main
from components.commands.installation import configuration
from components.commands.migration.migrate import checked

PROJECT = "ambient-exposure"
PROCEDURE = """
kind: Namespace
metadata:
  name: httpbin
  labels: {istio-discovery: enabled, istio.io/dataplane-mode: ambient, istio.io/use-waypoint: httpbin-waypoint}
---
kind: Service
metadata: {name: httpbin, namespace: httpbin, labels: {istio.io/ingress-use-waypoint: "true"}}
spec: {ports: [{name: http, port: 8000, targetPort: 8080}], selector: {app: httpbin}}
---
kind: Gateway
metadata: {name: httpbin-waypoint, namespace: httpbin, labels: {istio.io/waypoint-for: service}}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
kind: Gateway
metadata:
  name: httpbin-gateway
  namespace: httpbin
  annotations: {networking.istio.io/service-type: ClusterIP}
spec:
  gatewayClassName: istio
  listeners:
  - name: default
    hostname: httpbin.example.com
    port: 80
    protocol: HTTP
    allowedRoutes: {namespaces: {from: All}}
---
kind: HTTPRoute
metadata: {name: httpbin-ingress, namespace: httpbin}
spec:
  parentRefs:
  - {group: gateway.networking.k8s.io, kind: Gateway, name: httpbin-gateway, namespace: httpbin}
  hostnames: [httpbin.example.com]
  rules:
  - backendRefs: [{group: "", kind: Service, name: httpbin, port: 8000, weight: 1}]
    matches: [{path: {type: PathPrefix, value: /}}]
---
kind: HTTPRoute
metadata: {name: httpbin-waypoint-route, namespace: httpbin}
spec:
  parentRefs: [{group: "", kind: Service, name: httpbin, namespace: httpbin}]
  rules:
  - backendRefs: [{group: "", kind: Service, name: httpbin, port: 8000, weight: 1}]
    matches:
    - path: {type: PathPrefix, value: /status}
    - path: {type: PathPrefix, value: /headers}
"""  # noqa: E501
HERE = {"existing": {"entry": "httpbin"}}
EXPOSURE = {
    "namespace": HERE,
    "service": {"name": "httpbin", "port": 8000, "create": False},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status", "/headers"]}],
    "gateway": {"existing": {"entry": "httpbin-gateway"}},
    "waypoint": {"existing": {"entry": "httpbin-waypoint"}, "binds": "Namespace"},
}
GATEWAYS = {
    "httpbin-gateway": {
        "namespace": HERE,
        "hostnames": ["httpbin.example.com"],
        "serviceType": "ClusterIP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
}
CONFIG = {
    "namespaces": {"httpbin": {"create": False, "ambient": True}},
    "gateways": GATEWAYS,
    "waypoints": {"httpbin-waypoint": {"namespace": HERE}},
    "exposures": {"httpbin": EXPOSURE},
}


class Made:
    """The objects of the procedure, to be changed."""

    def __init__(self) -> None:
        self.all = [*yaml.safe_load_all(PROCEDURE)]

    def get(self, kind: str, name: str = "httpbin") -> Any:
        return next(
            one for one in self.all if (one["kind"], one["metadata"]["name"]) == (kind, name)
        )

    def found(self) -> tuple[dict[str, Any], list[str]]:
        """The configuration, which is accepted, and what is said."""
        kinds = ("Namespace", "Service", "Gateway", "HTTPRoute")
        by_kind = {kind: [one for one in self.all if one["kind"] == kind] for kind in kinds}
        config, lines = configuration(by_kind)
        if config:
            checked({f"{PROJECT}:{key}": value for key, value in config.items()}, PROJECT)
        return config, lines


@pytest.fixture
def made() -> Made:
    return Made()


def test_the_procedures_objects_are_an_exposure(made: Made) -> None:
    assert made.found() == (CONFIG, [])


def test_other_names_and_ports_are_kept(made: Made) -> None:
    gateway, waypoint = (
        made.get("Gateway", "httpbin-gateway"),
        made.get("Gateway", "httpbin-waypoint"),
    )
    gateway["metadata"] |= {"name": "edge", "annotations": {}, "labels": {"istio.io/rev": "new"}}
    made.get("HTTPRoute", "httpbin-ingress")["spec"]["parentRefs"][0]["name"] = "edge"
    listener = gateway["spec"]["listeners"][0]
    passed = {"name": "db", "port": 5432, "protocol": "TCP"}
    gateway["spec"] = {
        "gatewayClassName": "own",
        "listeners": [{**listener, "port": 8080}, passed],
    }
    waypoint["metadata"] |= {"name": "way", "labels": {"istio.io/waypoint-for": "all"}}
    allowed = {"namespaces": {"from": "All"}}
    waypoint["spec"]["listeners"][0]["allowedRoutes"] = allowed
    made.get("Namespace")["metadata"]["labels"] |= {
        "istio.io/use-waypoint": "way",
        "istio.io/ingress-use-waypoint": "true",
    }
    made.get("Service")["metadata"]["labels"] = {}
    config, lines = made.found()
    assert lines == []
    assert config["gateways"] == {
        "edge": {
            "namespace": HERE,
            "hostnames": ["httpbin.example.com"],
            "serviceType": "LoadBalancer",
            "gatewayClass": "own",
            "revision": "new",
            "port": 8080,
            "allowedRoutes": allowed,
            "listeners": [passed],
        }
    }
    assert config["waypoints"] == {
        "way": {"namespace": HERE, "waypointFor": "all", "allowedRoutes": allowed}
    }
    assert config["exposures"]["httpbin"]["waypoint"] == {
        "existing": {"entry": "way"},
        "binds": "Namespace",
        "ingressUseWaypoint": True,
    }


def test_what_services_share_is_one_entry_and_equal_names_are_told_apart(made: Made) -> None:
    made.get("Gateway", "httpbin-gateway")["spec"]["listeners"][0]["hostname"] = "*.example.com"
    for kind in ("Service", "Gateway", "HTTPRoute", "Namespace"):
        for one in [one for one in made.all if one["kind"] == kind]:
            made.all.append(again := deepcopy(one))
            metadata = again["metadata"]
            if "namespace" in metadata:
                metadata["namespace"] = "other"
            else:
                metadata["name"] = "other"
            for parent in again.get("spec", {}).get("parentRefs", []):
                parent["namespace"] = "other"
    for kind, name in (
        ("Service", "httpbin"),
        ("HTTPRoute", "httpbin-ingress"),
        ("HTTPRoute", "httpbin-waypoint-route"),
    ):
        made.all.append(again := deepcopy(made.get(kind, name)))
        again["metadata"]["name"] = name.replace("httpbin", "shop")
        if name == "httpbin-ingress":
            again["spec"]["hostnames"] = ["shop.example.com"]
        elif name == "httpbin-waypoint-route":
            again["spec"]["parentRefs"][0]["name"] = "shop"
    config, lines = made.found()
    assert lines == []
    assert [*config["namespaces"]] == ["httpbin", "other"]
    assert config["gateways"].keys() == {"httpbin-httpbin-gateway", "other-httpbin-gateway"}
    assert config["gateways"]["other-httpbin-gateway"] == {
        **GATEWAYS["httpbin-gateway"],
        "hostnames": ["*.example.com"],
        "namespace": {"existing": {"entry": "other"}},
        "name": "httpbin-gateway",
    }
    shared = {"existing": {"entry": "httpbin-httpbin-gateway"}}
    assert {name: one["gateway"] for name, one in config["exposures"].items()} == {
        "httpbin-httpbin": shared,
        "other-httpbin": {"existing": {"entry": "other-httpbin-gateway"}},
        "shop": shared,
    }


def test_gateway_and_waypoint_of_a_stack_are_named_as_they_are(made: Made) -> None:
    parent = {"name": "edge", "namespace": "ingress"}
    made.get("HTTPRoute", "httpbin-ingress")["spec"]["parentRefs"] = [parent]
    made.get("Service")["metadata"]["labels"] |= {
        "istio.io/use-waypoint": "shared",
        "istio.io/use-waypoint-namespace": "ingress",
    }
    config, lines = made.found()
    assert lines == []
    assert config.keys() == {"namespaces", "exposures"}
    exposure = config["exposures"]["httpbin"]
    assert exposure["gateway"] == {"existing": {"namespace": "ingress", "name": "edge"}}
    assert exposure["waypoint"] == {
        "binds": "Service",
        "existing": {"namespace": "ingress", "name": "shared"},
    }


def test_certificates_are_kept(made: Made) -> None:
    listeners = made.get("Gateway", "httpbin-gateway")["spec"]["listeners"]
    references = [{"group": "", "kind": "Secret", "name": "httpbin"}]
    secure = {
        **listeners[0],
        "name": "https",
        "port": 8443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": references},
    }
    listeners.append(secure)
    config, _ = made.found()
    assert config["gateways"]["httpbin-gateway"]["tls"] == {
        "certificates": {"httpbin.example.com": "httpbin"},
        "redirect": False,
        "port": 8443,
    }
    listeners[:] = [secure]
    references[0]["namespace"] = "vault"
    config, _ = made.found()
    assert config["gateways"]["httpbin-gateway"]["tls"] == {
        "certificates": {"httpbin.example.com": "vault/httpbin"},
        "port": 8443,
    }


def test_rules_lose_what_the_api_server_adds(made: Made) -> None:
    header = {"type": "Exact", "name": "x", "value": "1"}
    backend = {"group": "", "kind": "Service", "name": "httpbin", "port": 8000}
    rule = {
        "matches": [{"path": {"type": "Exact", "value": "/x"}, "headers": [header]}],
        "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["y"]}}],
        "backendRefs": [{**backend, "weight": 1}, {**backend, "name": "other", "weight": 2}],
    }
    made.get("HTTPRoute", "httpbin-waypoint-route")["spec"]["rules"] = [rule]
    made.get("HTTPRoute", "httpbin-ingress")["spec"]["rules"][0]["timeouts"] = {"request": "2s"}
    config, lines = made.found()
    exposure = config["exposures"]["httpbin"]
    assert lines == []
    assert exposure["rules"] == [
        {
            "matches": [
                {"path": {"type": "Exact", "value": "/x"}, "headers": [{"name": "x", "value": "1"}]}
            ],
            "filters": rule["filters"],
            "backendRefs": [
                {"name": "httpbin", "port": 8000},
                {"name": "other", "port": 8000, "weight": 2},
            ],
        }
    ]
    assert exposure["ingressRules"] == [{"paths": ["/"], "timeouts": {"request": "2s"}}]


@pytest.mark.parametrize(
    ("kind", "name", "change", "line"),
    [
        (
            "HTTPRoute",
            "httpbin-waypoint-route",
            {"name": "mine"},
            "HTTPRoute httpbin/mine: is for Service httpbin, expected one of its namespace, and the"
            " name httpbin-waypoint-route. Make it anew under this name",
        ),
        (
            "HTTPRoute",
            "httpbin-ingress",
            {"name": "mine"},
            "HTTPRoute httpbin/httpbin-waypoint-route: found no route of a gateway beside it,"
            " expected HTTPRoute httpbin/httpbin-ingress with host names. Make it anew under this"
            " name",
        ),
        (
            "Service",
            "httpbin",
            {"labels": {}},
            "Service httpbin/httpbin: found no labels istio.io/use-waypoint and"
            " istio.io/ingress-use-waypoint, expected them at the Service or its namespace:"
            " requests pass by the waypoint. Set them, or use a new stack",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_named(
    made: Made, kind: str, name: str, change: Any, line: str
) -> None:
    made.get(kind, name)["metadata"] |= change
    assert made.found() == ({}, [line])


# The command

STACK = f"urn:pulumi:dev::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-dev"
PROVIDER = f"urn:pulumi:dev::{PROJECT}::ambient:index:Cluster$pulumi:providers:kubernetes::provider"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
URN = f"urn:pulumi:dev::{PROJECT}::{GATEWAY}::httpbin-gateway"
NAMESPACE = "kubernetes:core/v1:NamespacePatch"
PATCH = f"urn:pulumi:dev::{PROJECT}::{NAMESPACE}::httpbin"
METADATA = {"name": "httpbin-gateway", "namespace": "httpbin"}
WANTED = {"metadata": {**METADATA, "annotations": {"mark": "x"}}, "spec": {"listeners": [{"a": 1}]}}
EMPTY: dict[str, Any] = {"version": 3, "deployment": {"manifest": {}}}


class Engine:
    """Has one stack, and previews what it is told to."""

    def __init__(self) -> None:
        self.state = deepcopy(EMPTY)
        self.asked: list[str] = []
        self.configs: list[dict[str, Any]] = []
        self.finally_: dict[str, Any] = {"steps": [self.update()]}
        self.fails = False

    def update(self, **diff: Any) -> dict[str, Any]:
        """The step of an update of the Gateway."""
        return {"op": "update", "urn": URN, "detailedDiff": diff or None}

    def run(self, words: list[str], *, input: str | None, env: Any, **_: Any) -> Any:  # noqa: A002
        self.asked.append(" ".join(words[1:3]))
        match words[1:3]:
            case ["stack", "--show-name"]:
                return self._printed("dev\n")
            case ["stack", "export"]:
                return self._printed(json.dumps(self.state))
            case ["stack", "import"]:
                self.state = json.loads(input or "")
                return self._printed("")
            case ["refresh", "--yes"]:
                return self._printed("")
            case ["preview", "--json"] if "--config-file" in words:
                assert env["PULUMI_K8S_UPSERT_EXISTING_OBJECTS"] == "true"
                file = Path(words[words.index("--config-file") + 1])
                self.configs.append(yaml.safe_load(file.read_text())["config"])
                return self._printed(json.dumps({"steps": [*self._steps()]}))
            case ["preview", "--json"]:
                return self._printed(json.dumps(self.finally_), status=self.fails)
            case _:
                raise AssertionError(words)

    def _steps(self) -> Any:
        inputs: Any = {"context": "lab"}
        yield {"newState": {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"}}
        yield {
            "newState": {
                "urn": PROVIDER,
                "custom": True,
                "type": "pulumi:providers:kubernetes",
                "parent": STACK,
                "inputs": {**inputs, "upsertExistingObjects": "true"},
                "stackTrace": [],
            }
        }
        labels = {"istio.io/use-waypoint": "httpbin-waypoint"}
        for urn, type_, wanted in (
            (URN, GATEWAY, WANTED),
            (PATCH, NAMESPACE, {"metadata": {"name": "httpbin", "labels": labels}}),
            (f"{PATCH}-enrolment", NAMESPACE, {"metadata": {"name": "httpbin"}}),
            (f"{URN}-2", GATEWAY, {"metadata": {"name": "missing", "namespace": "httpbin"}}),
            ("made:up", "tls:index/privateKey:PrivateKey", {}),
        ):
            one = {"urn": urn, "type": type_, "custom": True, "parent": STACK, "inputs": wanted}
            yield {"newState": one}

    def _printed(self, text: str, *, status: bool = False) -> Any:
        return SimpleNamespace(returncode=int(status), stdout=text, stderr="", args=["pulumi"])


class Cluster:
    """Has the procedure's objects, with what somebody changed of them by kubectl."""

    def __init__(self) -> None:
        self.patched: list[tuple[str, Any]] = []
        self.annotations: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def list(self, kind: Any, **_: Any) -> list[Any]:
        listed = [one for one in Made().all if one["kind"] == kind.__name__]
        return [SimpleNamespace(to_dict=lambda one=one: one) for one in listed]

    def get(self, _: Any, name: str, *, namespace: str | None) -> Any:
        assert namespace == (None if name == "httpbin" else "httpbin")
        if name == "missing":
            answer = SimpleNamespace(json=lambda: {"code": 404})
            raise ApiError(response=answer)  # type: ignore[arg-type]
        return SimpleNamespace(
            metadata=SimpleNamespace(
                resourceVersion="7",
                annotations=self.annotations,
                managedFields=[
                    manager("kubectl-create", {"f:metadata": {"f:labels": {".": {}, **LABELS}}}),
                    manager("kubectl-edit", {"f:spec": {"f:listeners": {}, "f:more": {}}}),
                    manager("helm", {"f:spec": {"f:listeners": {}}}),
                    manager("kubectl", {"f:status": {}}, subresource="status"),
                ],
            )
        )

    def patch(self, _: Any, name: str, patch: Any, **words: Any) -> None:
        assert words["patch_type"] is PatchType.MERGE
        self.patched.append((name, patch))


LABELS: dict[str, Any] = {"f:team": {}, "f:istio.io/use-waypoint": {}}


def manager(name: str, fields: Any, **more: Any) -> ManagedFieldsEntry:
    return ManagedFieldsEntry(manager=name, operation="Update", fieldsV1=fields, **more)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cluster: Cluster) -> Engine:
    one = Engine()
    monkeypatch.chdir(tmp_path)
    Path("Pulumi.yaml").write_text(f"name: {PROJECT}\n")
    monkeypatch.setattr(subprocess, "run", one.run)
    monkeypatch.setattr(adopting, "connect", lambda _: cluster)
    return one


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["adopt", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return call


def test_the_state_knows_what_is_there(engine: Engine, run: Any) -> None:
    status, out, err = run("--context", "lab")
    assert (status, err) == (0, "")
    assert out == (
        "took over Gateway httpbin/httpbin-gateway\n"
        "`pulumi up` adds what is new, and shows it before\n"
    )
    config = yaml.safe_load(Path("Pulumi.dev.yaml").read_text())["config"]
    expected = {"cluster": {"context": "lab"}, **CONFIG}
    assert config == {f"{PROJECT}:{key}": value for key, value in expected.items()}
    (unchecked,) = engine.configs
    assert unchecked[f"{PROJECT}:cluster"] == {"context": "lab", "preflight": False}
    stack, provider, gateway = engine.state["deployment"]["resources"]
    assert stack == {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"}
    assert provider["outputs"] == provider["inputs"] == {"context": "lab"}
    assert "stackTrace" not in provider
    assert gateway == {
        "urn": URN,
        "custom": True,
        "type": GATEWAY,
        "parent": STACK,
        "inputs": WANTED,
        "outputs": WANTED,
        "id": "httpbin/httpbin-gateway",
        "provider": f"{PROVIDER}::{provider['id']}",
    }
    assert engine.asked[-3:] == ["stack import", "refresh --yes", "preview --json"]


@pytest.mark.usefixtures("engine")
def test_fields_of_the_stack_are_no_longer_kubectls(cluster: Cluster, run: Any) -> None:
    run()
    (gateway, taken), (namespace, patched) = cluster.patched
    assert (gateway, namespace) == ("httpbin-gateway", "httpbin")
    others = [("helm", {"f:spec": {"f:listeners": {}}}), ("kubectl", {"f:status": {}})]
    for found, expected in (
        (
            taken,
            [
                ("former-kubectl-create", {"f:metadata": {"f:labels": {".": {}, **LABELS}}}),
                ("former-kubectl-edit", {"f:spec": {"f:more": {}}}),
            ],
        ),
        (
            patched,
            [
                ("kubectl-create", {"f:metadata": {"f:labels": {"f:team": {}}}}),
                ("kubectl-edit", {"f:spec": {"f:listeners": {}, "f:more": {}}}),
            ],
        ),
    ):
        assert found["metadata"]["resourceVersion"] == "7"
        fields = [(one["manager"], one["fieldsV1"]) for one in found["metadata"]["managedFields"]]
        assert fields == [*expected, *others]


def test_what_an_update_would_change_is_said(engine: Engine, run: Any) -> None:
    step = engine.update(
        **{
            "spec.listeners[0].name": {"kind": "update"},
            "spec.infrastructure": {"kind": "add"},
            "spec.parentRefs[0].namespace": {"kind": "add"},
            'metadata.annotations["mark"]': {"kind": "add"},
        }
    )
    engine.finally_ = {"steps": [step]}
    status, _, err = run()
    assert status == 1
    assert err == "Gateway httpbin/httpbin-gateway: an update would update spec.listeners[0].name\n"


def test_a_configuration_that_there_is_is_kept(engine: Engine, run: Any) -> None:
    mine: Mapping[str, Any] = {"config": {f"{PROJECT}:exposures": {"mine": {}}}}
    Path("Pulumi.dev.yaml").write_text(yaml.safe_dump(mine))
    assert run()[0] == 0
    assert yaml.safe_load(Path("Pulumi.dev.yaml").read_text()) == mine
    assert engine.configs[0][f"{PROJECT}:exposures"] == {"mine": {}}


@pytest.mark.parametrize("op", ["replace", "create-replacement", "delete"])
def test_what_would_be_lost_is_left_alone(engine: Engine, run: Any, op: str) -> None:
    engine.finally_ = {"steps": [{"op": op, "urn": URN}]}
    status, _, err = run()
    assert status == 2
    assert err == (
        f"an update would not leave these as they are:\n  {op} {GATEWAY}::httpbin-gateway\n"
    )
    assert engine.state == EMPTY


def test_a_preview_that_fails_is_said(engine: Engine, run: Any) -> None:
    engine.finally_ = {"diagnostics": [{"severity": "error", "message": "so\n"}]}
    engine.fails = True
    assert run()[::2] == (2, "pulumi: so\n")
    assert engine.state == EMPTY


def test_what_another_stack_made_is_left_alone(engine: Engine, cluster: Cluster, run: Any) -> None:
    cluster.annotations = {"ambient-exposure/stack": "a/b/c"}
    assert run()[::2] == (
        2,
        "Gateway httpbin/httpbin-gateway: found stack a/b/c as its owner, expected none. Hand it"
        " over with `pulumi state move`\n",
    )
    assert engine.state == EMPTY


def test_a_stack_with_resources_is_left_alone(engine: Engine, run: Any) -> None:
    engine.state["deployment"]["resources"] = [{"urn": STACK}]
    assert run()[::2] == (2, "stack dev: found resources in it, expected a new one\n")
    assert engine.asked == ["stack --show-name", "stack export"]
