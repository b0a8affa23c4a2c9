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
EXPOSURE = {
    "namespace": {"name": "httpbin", "create": False, "ambient": True},
    "service": {"name": "httpbin", "port": 8000, "create": False},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status", "/headers"]}],
    "gateway": {"serviceType": "ClusterIP", "allowedRoutes": {"namespaces": {"from": "All"}}},
    "waypoint": {"binds": "Namespace"},
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
        """The exposure, and what is said; the configuration is accepted."""
        kinds = ("Namespace", "Service", "Gateway", "HTTPRoute")
        by_kind = {kind: [one for one in self.all if one["kind"] == kind] for kind in kinds}
        config, lines = configuration(by_kind)
        if config:
            checked({f"{PROJECT}:{key}": value for key, value in config.items()}, PROJECT)
        return config.get("exposures", {}).get("httpbin", {}), lines


@pytest.fixture
def made() -> Made:
    return Made()


def test_the_procedures_objects_are_an_exposure(made: Made) -> None:
    assert made.found() == (EXPOSURE, [])


def test_other_names_and_ports_are_kept(made: Made) -> None:
    made.get("Gateway", "httpbin-gateway")["metadata"]["name"] = "edge"
    made.get("HTTPRoute", "httpbin-ingress")["spec"]["parentRefs"][0]["name"] = "edge"
    made.get("Gateway", "edge")["spec"]["listeners"][0]["port"] = 8080
    del made.get("Gateway", "edge")["metadata"]["annotations"]
    made.get("Gateway", "httpbin-waypoint")["metadata"]["name"] = "way"
    made.get("Gateway", "way")["metadata"]["labels"]["istio.io/waypoint-for"] = "all"
    made.get("Namespace")["metadata"]["labels"] |= {
        "istio.io/use-waypoint": "way",
        "istio.io/ingress-use-waypoint": "true",
    }
    made.get("Service")["metadata"]["labels"] = {}
    exposure, lines = made.found()
    assert lines == []
    assert exposure["gateway"] == {
        "serviceType": "LoadBalancer",
        "name": "edge",
        "port": 8080,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    assert exposure["waypoint"] == {
        "binds": "Namespace",
        "name": "way",
        "waypointFor": "all",
        "ingressUseWaypoint": True,
    }


def test_gateway_and_waypoint_of_other_namespaces_are_theirs(made: Made) -> None:
    parent = {"name": "edge", "namespace": "ingress"}
    made.get("HTTPRoute", "httpbin-ingress")["spec"]["parentRefs"] = [parent]
    made.get("Service")["metadata"]["labels"] |= {
        "istio.io/use-waypoint": "shared",
        "istio.io/use-waypoint-namespace": "ingress",
    }
    exposure, lines = made.found()
    assert lines == []
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
    exposure, _ = made.found()
    assert exposure["gateway"]["tls"] == {
        "certificates": {"httpbin.example.com": "httpbin"},
        "redirect": False,
        "port": 8443,
    }
    listeners[:] = [secure]
    references[0]["namespace"] = "vault"
    exposure, _ = made.found()
    assert exposure["gateway"]["tls"] == {
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
    exposure, lines = made.found()
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
PATCH = f"urn:pulumi:dev::{PROJECT}::kubernetes:core/v1:NamespacePatch::httpbin-enrolment"
METADATA = {"name": "httpbin-gateway", "namespace": "httpbin"}
WANTED = {"metadata": {**METADATA, "annotations": {"mark": "x"}}, "spec": {"listeners": [{"a": 1}]}}
LIVE = {
    "__field": "x",
    "metadata": {**METADATA, "labels": {"of": "others"}},
    "spec": {"listeners": [{"a": 1, "default": 2}], "more": 3},
}
EMPTY: dict[str, Any] = {"version": 3, "deployment": {"manifest": {}}}


class Engine:
    """Has one stack, and previews what it is told to."""

    def __init__(self) -> None:
        self.state = deepcopy(EMPTY)
        self.asked: list[str] = []
        self.imported: dict[str, Any] = {}
        self.configs: list[dict[str, Any]] = []
        self.finally_: dict[str, Any] = {"steps": [{"op": "update", "urn": URN}]}

    def run(self, words: list[str], *, input: str | None = None, **_: Any) -> Any:  # noqa: A002
        self.asked.append(" ".join(words[1:3]))
        match words[1:3]:
            case ["stack", "--show-name"]:
                return self._printed("dev\n")
            case ["stack", "export"]:
                return self._printed(json.dumps(self.state))
            case ["stack", "import"]:
                self.state = json.loads(input or "")
                return self._printed("")
            case ["preview", "--json"] if "--config-file" in words:
                file = Path(words[words.index("--config-file") + 1])
                self.configs.append(yaml.safe_load(file.read_text())["config"])
                return self._printed(json.dumps({"steps": [*self._steps()]}))
            case ["preview", "--json"]:
                return self._printed(json.dumps(self.finally_))
            case ["import", "--file"]:
                self.imported = json.loads(Path(words[3]).read_text())
                for one in self.imported["resources"]:
                    taken = {"urn": URN, "type": one["type"], "id": one["id"], "inputs": LIVE}
                    self.state["deployment"]["resources"].append(taken)
                return self._printed("")
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
                "inputs": inputs,
                "stackTrace": [],
            }
        }
        for urn, type_, wanted in (
            (URN, GATEWAY, WANTED),
            (PATCH, "kubernetes:core/v1:NamespacePatch", {"metadata": {"name": "httpbin"}}),
            (f"{URN}-2", GATEWAY, {"metadata": {"name": "missing", "namespace": "httpbin"}}),
        ):
            yield {"newState": {"urn": urn, "type": type_, "parent": STACK, "inputs": wanted}}

    def _printed(self, text: str) -> Any:
        return SimpleNamespace(returncode=0, stdout=text, stderr="")


class Cluster:
    """Has the procedure's objects."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def list(self, kind: Any, **_: Any) -> list[Any]:
        listed = [one for one in Made().all if one["kind"] == kind.__name__]
        return [SimpleNamespace(to_dict=lambda one=one: one) for one in listed]

    def get(self, _: Any, name: str, *, namespace: str | None) -> None:
        assert namespace == "httpbin"
        if name == "missing":
            answer = SimpleNamespace(json=lambda: {"code": 404})
            raise ApiError(response=answer)  # type: ignore[arg-type]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    one = Engine()
    monkeypatch.chdir(tmp_path)
    Path("Pulumi.yaml").write_text(f"name: {PROJECT}\n")
    monkeypatch.setattr(subprocess, "run", one.run)
    monkeypatch.setattr(adopting, "connect", lambda _: Cluster())
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


def test_the_state_knows_what_the_stack_speaks_of(engine: Engine, run: Any) -> None:
    status, out, err = run("--context", "lab")
    assert (status, err) == (0, "")
    assert out == (
        "took over Gateway httpbin/httpbin-gateway\n"
        "`PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up` adds what is new, and shows it before\n"
    )
    config = yaml.safe_load(Path("Pulumi.dev.yaml").read_text())["config"]
    assert config == {
        f"{PROJECT}:cluster": {"context": "lab"},
        f"{PROJECT}:exposures": {"httpbin": EXPOSURE},
    }
    (unchecked,) = engine.configs
    assert unchecked[f"{PROJECT}:cluster"] == {"context": "lab", "preflight": False}
    stack, provider, gateway = engine.state["deployment"]["resources"]
    assert stack == {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"}
    assert provider["outputs"] == provider["inputs"] == {"context": "lab"}
    assert provider["id"]
    assert "stackTrace" not in provider
    assert engine.imported == {
        "nameTable": {"known-0": STACK, "known-1": PROVIDER},
        "resources": [
            {
                "type": GATEWAY,
                "name": "taken-0",
                "logicalName": "httpbin-gateway",
                "id": "httpbin/httpbin-gateway",
                "parent": "known-0",
                "provider": "known-1",
            }
        ],
    }
    assert gateway["inputs"] == {
        "__field": "x",
        "metadata": METADATA,
        "spec": {"listeners": [{"a": 1}]},
    }


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
    engine.finally_ = {"steps": [], "diagnostics": [{"severity": "error", "message": "so\n"}]}
    assert run()[::2] == (2, "an update would not leave these as they are:\nso\n")
    assert engine.state == EMPTY


def test_a_stack_with_resources_is_left_alone(engine: Engine, run: Any) -> None:
    engine.state["deployment"]["resources"] = [{"urn": STACK}]
    assert run()[::2] == (2, "stack dev: found resources in it, expected a new one\n")
    assert engine.asked == ["stack --show-name", "stack export"]
