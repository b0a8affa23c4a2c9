"""A stack's whole life with the rights in rbac/ alone, and what is said where one is missing."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import HOST, ROOT, Ending, Lab, Stack, plain, run, sample, stacks
from tests.lab.test_exposure import until

pytestmark = plain

HEADER = ("-H", "Host:httpbin.example.com")
PLACES = ("httpbin", "curl")
LOGINS = {
    "deployer": "ambient-exposure-logins",
    "verifier": "ambient-exposure-logins",
    "reader": "ambient-exposure-logins",
    "previewer": "ambient-exposure-previewers",
}
"""ServiceAccounts, and the namespace of each."""

DEPLOYER = "--clusterrole=ambient-exposure-deployer"
ADOPTED = {"create": False, "ambient": True}
ROUTES = "httproutes.gateway.networking.k8s.io"
LACKS = "this login may not"


def apply(lab: Lab, files: Path) -> None:
    """Make the objects of files what these say."""
    lab.kubectl("apply", "--server-side", "--filename", str(files))


def account(login: str) -> str:
    """The ServiceAccount of a login, as kubectl takes it."""
    return f"--serviceaccount={LOGINS[login]}:{login}"


@pytest.fixture(scope="module")
def stack(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack in namespaces that are there already, and logins with the roles in these alone."""
    for namespace in {*LOGINS.values(), *PLACES}:
        lab.kubectl("create", "namespace", namespace)
    apply(lab, ROOT / "rbac")
    preflight = "ambient-exposure-preflight"
    for name, namespace in LOGINS.items():
        lab.kubectl("create", "serviceaccount", name, "-n", namespace)
        for place in PLACES:
            role = f"--clusterrole=ambient-exposure-{name}"
            lab.kubectl("create", "rolebinding", name, "-n", place, role, account(name))
        if name != "verifier":
            role = f"--clusterrole={preflight}"
            lab.kubectl("create", "clusterrolebinding", name, role, account(name))
            bound = ("rolebinding", name, "-n", "istio-system")
            lab.kubectl("create", *bound, f"--role={preflight}", account(name))
    with stacks(lab, tmp_path_factory.mktemp("module")) as make:
        made = make()
        made.configure(**settings())
        yield made
    for name in LOGINS:
        lab.kubectl("delete", "clusterrolebinding", name, "--ignore-not-found")
        lab.kubectl("delete", "rolebinding", name, "-n", "istio-system", "--ignore-not-found")
    lab.kubectl("delete", "--filename", str(ROOT / "rbac"))
    lab.kubectl("delete", "namespace", *{*LOGINS.values(), *PLACES})


def settings(**changes: Any) -> dict[str, Any]:
    """The sample, in namespaces that are there already."""
    exposures = sample(namespace=ADOPTED, **changes)
    return {"exposures": exposures, "client": {"namespace": {"name": "curl", **ADOPTED}}}


@pytest.fixture(scope="module")
def logins(lab: Lab, tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> dict[str, Stack]:
    """The stack as each login works on it."""
    folder, found = tmp_path_factory.mktemp("logins"), {}
    for name, namespace in LOGINS.items():
        config = yaml.safe_load(Path(lab.env["KUBECONFIG"]).read_text())
        token = lab.kubectl("create", "token", name, "-n", namespace, "--duration=1h").strip()
        for user in config["users"]:
            user["user"] = {"token": token}
        file = folder / name
        file.write_text(yaml.safe_dump(config))
        found[name] = replace(stack, env={**stack.env, "KUBECONFIG": str(file)})
    return found


def preview(login: Stack, *words: str, ends: Ending = "well") -> str:
    """What a preview prints."""
    return login.pulumi("preview", "--diff", *words, ends=ends)


def test_two_kinds_of_previewers_see_what_would_be_made(logins: dict[str, Stack]) -> None:
    said = preview(logins["reader"])
    assert (
        f"{LACKS} create, patch {ROUTES} in namespace httpbin: what the API server would refuse of"
        " it, this preview does not show"
    ) in said
    assert "not checked" not in said
    said = preview(logins["previewer"])
    assert "httpbin-ingress" in said
    assert LACKS not in said
    assert "not checked" not in said


def test_a_missing_right_is_named_before_a_wait_in_vain(
    lab: Lab, logins: dict[str, Stack], tmp_path: Path
) -> None:
    (role,) = yaml.safe_load_all((ROOT / "rbac" / "deployer.yaml").read_text())
    for rule in role["rules"]:
        if "replicasets" in rule["resources"]:
            rule["verbs"].remove("watch")
    lesser = tmp_path / "lesser.yaml"
    lesser.write_text(yaml.safe_dump(role))
    apply(lab, lesser)
    printed = logins["deployer"].pulumi("up", "--yes", "--skip-preview", ends="badly")
    # Of whichever Deployment comes first.
    end = r"(curl|httpbin)\. rbac/deployer\.yaml has what an update needs"
    assert re.search(f"{LACKS} watch replicasets\\.apps in namespace {end}", printed), printed
    apply(lab, ROOT / "rbac")


def test_the_deployers_rights_are_enough_and_nobody_misses_any(
    lab: Lab, logins: dict[str, Stack]
) -> None:
    logins["deployer"].up()
    assert lab.curl(*HEADER, f"{HOST}/headers") == "200"
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"
    for login in ("deployer", "previewer", "reader"):
        said = preview(logins[login], "--expect-no-changes")
        assert "not checked" not in said
        assert LACKS not in said


def test_the_verifier_sends_requests_and_nobody_else(logins: dict[str, Stack]) -> None:
    def verify(login: str, ends: Ending) -> str:
        command = (sys.executable, "-m", "components", "verify", "--stack", "dev")
        return run(*command, env=logins[login].env, cwd=logins[login].folder, ends=ends)

    assert verify("verifier", "well").startswith("httpbin: passed\n")
    printed = verify("reader", "badly")
    assert 'cannot create resource "jobs" in API group "batch" in the namespace "curl"' in printed
    assert len(printed.splitlines()) == 1


def test_only_a_dry_run_shows_what_the_api_server_refuses(
    stack: Stack, logins: dict[str, Stack]
) -> None:
    stack.configure(**settings(service={"resources": {"limits": {"cpu": "much"}}}))
    assert "quantities must match" in preview(logins["previewer"], ends="badly")
    assert f"{LACKS} create, patch deployments.apps in namespace httpbin" in preview(
        logins["reader"]
    )
    stack.configure(**settings())


def test_no_previewer_changes_anything(lab: Lab, logins: dict[str, Stack]) -> None:
    proof = {"checks": [{"path": "/get", "status": 200}]}
    changed = settings(rules=[{"paths": ["/headers", "/get"]}], verification=proof)
    assert f"{LACKS} list, watch, create, patch, delete {ROUTES}" in logins["reader"].failing_up(
        **changed
    )
    # Nor who has got more than is right.
    previewer = account("previewer")
    lab.kubectl("create", "rolebinding", "too-much", "-n", "httpbin", DEPLOYER, previewer)
    assert "a previewer may only do dry runs" in logins["previewer"].failing_up(**changed)
    for login in ("previewer", "reader"):
        assert "/get" in preview(logins[login])
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"


def test_the_deployer_changes_and_destroys(lab: Lab, logins: dict[str, Stack]) -> None:
    logins["deployer"].up()
    assert lab.curl(*HEADER, f"{HOST}/get") == "200"
    logins["deployer"].pulumi("destroy", "--yes", "--skip-preview")
    kinds = f"{ROUTES},gateways.gateway.networking.k8s.io,services,deployments"
    # What istiod made, the cluster takes away after the Gateways.
    until(lambda: lab.kubectl("get", kinds, "-n", "httpbin", "-o", "name") == "")


def test_who_makes_namespaces_needs_the_role_everywhere(lab: Lab, logins: dict[str, Stack]) -> None:
    alone: dict[str, Any] = {"exposures": {}, "client": None, "namespaces": {"fresh": {}}}
    printed = logins["deployer"].failing_up(**alone)
    assert f"{LACKS} list, watch, create, patch, delete namespaces in namespace fresh" in printed
    bound = ("clusterrolebinding", "everywhere")
    lab.kubectl("create", *bound, DEPLOYER, account("deployer"))
    logins["deployer"].up(**alone)
    logins["deployer"].pulumi("destroy", "--yes", "--skip-preview")
    lab.kubectl("delete", *bound)
