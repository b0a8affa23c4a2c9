"""A stack's whole life with the rights in rbac/ alone, and what is said where one is missing."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import HOST, ROOT, Ending, Lab, Stack, plain, run, sample

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

ADOPTED = {"create": False, "ambient": True}
ROUTES = "httproutes.gateway.networking.k8s.io"


def apply(lab: Lab, files: Path) -> None:
    """Make the objects of files what these say."""
    lab.kubectl("apply", "--server-side", "--filename", str(files))


@pytest.fixture
def logins(lab: Lab, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A kubeconfig of each ServiceAccount, bound to the roles in the namespaces of the stack."""
    for namespace in {*LOGINS.values(), *PLACES}:
        lab.kubectl("create", "namespace", namespace)
    apply(lab, ROOT / "rbac")
    found: dict[str, str] = {}
    for name, namespace in LOGINS.items():
        account = f"--serviceaccount={namespace}:{name}"
        lab.kubectl("create", "serviceaccount", name, "-n", namespace)
        for place in PLACES:
            role = f"--clusterrole=ambient-exposure-{name}"
            lab.kubectl("create", "rolebinding", name, "-n", place, role, account)
        if name != "verifier":
            role = "ambient-exposure-preflight"
            lab.kubectl("create", "clusterrolebinding", name, f"--clusterrole={role}", account)
            bound = ("rolebinding", name, "-n", "istio-system")
            lab.kubectl("create", *bound, f"--role={role}", account)
        config = yaml.safe_load(Path(lab.env["KUBECONFIG"]).read_text())
        token = lab.kubectl("create", "token", name, "-n", namespace, "--duration=1h").strip()
        for user in config["users"]:
            user["user"] = {"token": token}
        file = tmp_path / f"{name}.kubeconfig"
        file.write_text(yaml.safe_dump(config))
        found[name] = str(file)
    yield found
    for name in LOGINS:
        lab.kubectl("delete", "clusterrolebinding", name, "--ignore-not-found")
        lab.kubectl("delete", "rolebinding", name, "-n", "istio-system", "--ignore-not-found")
    lab.kubectl("delete", "--filename", str(ROOT / "rbac"))
    lab.kubectl("delete", "namespace", *{*LOGINS.values(), *PLACES})


def test_each_role_is_enough_for_what_it_is_for(
    lab: Lab, stack: Stack, logins: dict[str, str], tmp_path: Path
) -> None:
    def by(login: str) -> Stack:
        return replace(stack, env={**stack.env, "KUBECONFIG": logins[login]})

    def preview(login: str, *words: str, ends: Ending = "well") -> str:
        return by(login).pulumi("preview", "--diff", *words, ends=ends)

    def exposures(**changes: Any) -> dict[str, Any]:
        return sample(namespace=ADOPTED, **changes)

    deployer = by("deployer")
    stack.configure(exposures=exposures(), client={"namespace": {"name": "curl", **ADOPTED}})

    # Before there is anything.
    said = preview("reader")
    assert (
        f"this login may not create, patch {ROUTES} in namespace httpbin: what the API server would"
        " refuse of it, this preview does not show"
    ) in said
    assert "not checked" not in said
    said = preview("previewer")
    assert "this login may not" not in said
    assert "not checked" not in said

    # A right that is missing, one message each: of the wait, which would last its whole limit.
    (role,) = yaml.safe_load_all((ROOT / "rbac" / "deployer.yaml").read_text())
    for rule in role["rules"]:
        if "replicasets" in rule["resources"]:
            rule["verbs"].remove("watch")
    lesser = tmp_path / "lesser.yaml"
    lesser.write_text(yaml.safe_dump(role))
    apply(lab, lesser)
    printed = deployer.pulumi("up", "--yes", "--skip-preview", ends="badly")
    assert (
        "this login may not watch replicasets.apps in namespace httpbin. rbac/deployer.yaml has what"
        " an update needs"
    ) in printed
    apply(lab, ROOT / "rbac")
    deployer.up()
    assert lab.curl(*HEADER, f"{HOST}/headers") == "200"
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"
    for login in ("deployer", "previewer", "reader"):
        said = preview(login, "--expect-no-changes")
        assert "not checked" not in said
        assert "this login may not" not in said

    # Nobody but the verifier may send requests, and it may do nothing else.
    command = (sys.executable, "-m", "components", "verify", "--stack", "dev")
    printed = run(*command, env=by("verifier").env, cwd=stack.folder)
    assert printed.startswith("httpbin: passed\n")
    printed = run(*command, env=by("reader").env, cwd=stack.folder, ends="badly")
    assert 'cannot create resource "jobs" in API group "batch" in the namespace "curl"' in printed
    assert len(printed.splitlines()) == 1

    # What the API server refuses, a dry run shows, and reading does not.
    resources = {"limits": {"cpu": "much"}}
    stack.configure(exposures=exposures(service={"resources": resources}))
    assert "quantities must match" in preview("previewer", ends="badly")
    assert "this login may not patch" in preview("reader")

    # Neither can change anything.
    stack.configure(exposures=exposures(rules=[{"paths": ["/headers", "/get"]}]))
    for login in ("previewer", "reader"):
        assert "/get" in preview(login)
    printed = by("reader").pulumi("up", "--yes", "--skip-preview", ends="badly")
    assert f"this login may not list, watch, create, patch, delete {ROUTES}" in printed
    account = f"--serviceaccount={LOGINS['previewer']}:previewer"
    role_of_deployer = "--clusterrole=ambient-exposure-deployer"
    lab.kubectl("create", "rolebinding", "too-much", "-n", "httpbin", role_of_deployer, account)
    printed = by("previewer").pulumi("up", "--yes", "--skip-preview", ends="badly")
    assert "a previewer may only do dry runs" in printed
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"

    deployer.up()
    assert lab.curl(*HEADER, f"{HOST}/get") == "200"
    deployer.pulumi("destroy", "--yes", "--skip-preview")
    assert lab.kubectl("get", "httproutes,gateways,services", "-n", "httpbin", "-o", "name") == ""

    # Who creates namespaces needs the role everywhere.
    alone: dict[str, Any] = {"exposures": {}, "client": None, "namespaces": {"fresh": {}}}
    printed = deployer.failing_up(**alone)
    assert 'cannot create resource "namespaces"' in printed or "this login may not" in printed
    bound = ("clusterrolebinding", "everywhere")
    account = f"--serviceaccount={LOGINS['deployer']}:deployer"
    lab.kubectl("create", *bound, role_of_deployer, account)
    deployer.up(**alone)
    deployer.pulumi("destroy", "--yes", "--skip-preview")
    lab.kubectl("delete", *bound)
