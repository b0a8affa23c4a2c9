"""Roles of those who work on a stack, and what is said where a right is missing."""

import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
import yaml

from components.cluster.rights import Right, needed, refuse_without_rights
from generate.rights import files
from tests.unit.conftest import ROOT
from tests.unit.test_preflight import CONFIG, Api, api, faults, mesh, warnings

__all__ = ["api", "warnings"]

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
LOGIN = 'User "ci" cannot'


def test_the_roles_are_up_to_date() -> None:
    made = files()
    assert {file.name for file in made} == {file.name for file in (ROOT / "rbac").iterdir()}
    for file, text in made.items():
        assert file.read_text(encoding="utf-8") == text, "out of date: `make generate`"


def test_the_page_names_every_file() -> None:
    page = (ROOT / "docs" / "rights.md").read_text(encoding="utf-8")
    for file in files():
        assert f"(../rbac/{file.name})" in page


def rules(name: str) -> Iterator[Right]:
    """What the roles of a file permit."""
    for one in yaml.safe_load_all((ROOT / "rbac" / f"{name}.yaml").read_text(encoding="utf-8")):
        for rule in one.get("rules", []):
            for resource in rule["resources"]:
                yield Right(rule["apiGroups"][0], resource, tuple(rule["verbs"]))


def test_only_the_deployer_and_dry_runs_may_change_and_only_some_read_secrets() -> None:
    changing = {"create", "patch", "delete", "update", "*"}
    for name in ("preflight", "reader", "secrets", "migrator"):
        assert [one for one in rules(name) if changing & {*one.verbs}] == []
    assert [one for one in rules("previewer") if "delete" in one.verbs] == []
    for name in ("preflight", "previewer", "reader"):
        assert [one for one in rules(name) if one.resource in ("secrets", "*")] == []


def test_a_deployer_may_what_each_kind_needs() -> None:
    assert needed(ROUTE) == [
        Right(
            "gateway.networking.k8s.io",
            "httproutes",
            ("get", "list", "watch", "create", "patch", "delete"),
        )
    ]
    assert needed("kubernetes:core/v1:NamespacePatch") == [
        Right("", "namespaces", ("get", "patch"))
    ]
    assert Right("apps", "replicasets", ("list", "watch")) in needed(
        "kubernetes:apps/v1:Deployment"
    )
    permitted = {(one.group, one.resource): {*one.verbs} for one in rules("deployer")}
    for right in needed("kubernetes:apps/v1:Deployment"):
        assert {*right.verbs} <= permitted[right.group, right.resource]


def permission(path: str) -> tuple[str, str, str]:
    """Group, resource and verb of a request that reads."""
    found = re.fullmatch(
        r"/(?:api|apis/([^/]+))/v\w+(?:/namespaces/[^/]+(?=/))?/([^/]+)(/[^/]+)?", path
    )
    assert found, path
    return found[1] or "", found[2], "get" if found[3] else "list"


def test_the_preflight_reads_no_more_than_its_role_permits(
    api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[str, str, str]] = set()
    answer = Api.do_GET

    def recorded(self: Api) -> None:
        asked.add(permission(self.path.partition("?")[0]))
        answer(self)

    monkeypatch.setattr(Api, "do_GET", recorded)
    api[CONFIG] = mesh()
    assert (
        faults(
            namespaces=[{"name": "httpbin", "create": True, "labels": {"a": "b"}}],
            routes=[{"namespace": "httpbin", "service": "httpbin", "hostnames": ["a.example.com"]}],
        )
        == []
    )
    roles = [*rules("preflight")]
    permitted = {(one.group, one.resource, verb) for one in roles for verb in one.verbs}
    # Issuers are asked for where a gateway names one.
    assert asked == {one for one in permitted if one[0] != "cert-manager.io"}


def test_what_was_not_checked_is_said_once_with_the_right(
    api: dict[str, Any], warnings: list[str]
) -> None:
    why = f'{LOGIN} list resource "deployments" in API group "apps" at the cluster scope'
    Api.messages = {"/apis/apps/v1/deployments": f"deployments.apps is forbidden: {why}"}
    api["/apis/apps/v1/deployments"] = 403
    assert faults() == []
    assert warnings == [f"not checked: {why}. The update will tell what is amiss"]


class Hooked:
    """The hook that is given to the engine, and the options of what it is bound to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool) -> None:
        monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: dry_run)
        monkeypatch.setattr(pulumi, "ResourceHook", self._hook)
        self.transform: Any = refuse_without_rights({"context": "lab"}, "rights")

    def _hook(self, _: str, callback: Any, opts: pulumi.ResourceHookOptions) -> Any:
        assert opts.on_dry_run
        self.hook = callback
        return callback

    def bound(self, type_: str) -> bool:
        args = pulumi.ResourceTransformArgs(
            custom=True, type_=type_, name="shop", props={}, opts=pulumi.ResourceOptions()
        )
        if (found := self.transform(args)) is None:
            return False
        assert found.opts.hooks.before_create == found.opts.hooks.before_update == [self.hook]
        return True

    def change(self, type_: str = ROUTE, **metadata: Any) -> None:
        inputs = {"metadata": {"name": "web", "namespace": "shop", **metadata}}
        self.hook(pulumi.ResourceHookArgs("urn", "id", "web", type_, new_inputs=inputs))


def permits(*rules: dict[str, Any], incomplete: bool = False) -> dict[str, Any]:
    """What the API server says of a login."""
    status = {"incomplete": incomplete, "resourceRules": [*rules], "nonResourceRules": []}
    return {"spec": {"namespace": "shop"}, "status": status}


READS = {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}
ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def test_an_update_is_refused_what_it_lacks(
    api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked = Hooked(monkeypatch, dry_run=False)
    assert hooked.bound(ROUTE)
    assert hooked.bound("kubernetes:core/v1:ServicePatch")
    assert not hooked.bound("kubernetes:helm.sh/v3:Release")
    api[REVIEW] = permits(READS, {**READS, "verbs": ["create"], "resources": ["httproutes"]})
    with pytest.raises(
        RuntimeError,
        match=re.escape(
            "this login may not patch, delete httproutes.gateway.networking.k8s.io in namespace"
            " shop. rbac/deployer.yaml has what an update needs"
        ),
    ):
        hooked.change()
    hooked.change(namespace=None, name=None)  # not known yet
    service = {**READS, "apiGroups": [""], "resources": ["services", "pods"]}
    hooked = Hooked(monkeypatch, dry_run=False)
    api[REVIEW] = permits({**service, "verbs": ["*"]})
    with pytest.raises(RuntimeError, match="may not list, watch endpoints in namespace shop"):
        hooked.change("kubernetes:core/v1:Service")


@pytest.mark.parametrize(
    "review", [permits(ALL), permits(incomplete=True), 403, 404, permits(READS, {**ALL})]
)
def test_an_update_goes_on_where_nothing_is_lacking_or_nobody_can_tell(
    api: dict[str, Any], monkeypatch: pytest.MonkeyPatch, review: Any
) -> None:
    api[REVIEW] = review
    Hooked(monkeypatch, dry_run=False).change()


def test_a_preview_warns_once_of_what_it_cannot_show(
    api: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    hooked = Hooked(monkeypatch, dry_run=True)
    api[REVIEW] = permits(READS)
    hooked.change()
    hooked.change(name="other")
    assert said == [
        "this login may not create, patch httproutes.gateway.networking.k8s.io in namespace shop:"
        " what the API server would refuse of it, this preview does not show"
    ]
    # What it does not need itself, the update says.
    previews = {"verbs": ["get", "create", "patch"], "apiGroups": ["*"], "resources": ["*"]}
    hooked = Hooked(monkeypatch, dry_run=True)
    api[REVIEW] = permits(previews)
    hooked.change("kubernetes:apps/v1:Deployment")
    assert len(said) == 1


def test_a_right_is_named_as_kubectl_names_resources() -> None:
    assert str(Right("apps", "deployments", ("get", "list"))) == "get, list deployments.apps"
