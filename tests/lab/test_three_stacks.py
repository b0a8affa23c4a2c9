"""A platform and two applications behind its gateway, a stack each, none of which disturbs another.

The example of that name, under load.
"""

import json
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import yaml

from lab.versions import CURL_IMAGE
from tests.lab.conftest import ROOT, Lab, Stack, assert_unbroken, load, plain, stacks
from tests.lab.test_examples import answer_as_promised
from tests.lab.test_exposure import until

pytestmark = plain

EXAMPLE = "three-stacks"
VISITORS = "visitors"
"""Namespace of clients that belong to none of the stacks."""
EDGE = "http://edge-istio.ingress.svc.cluster.local"

Teams = dict[str, Stack]


def own(team: str) -> dict[str, Any]:
    """What the example's stack of a team is configured with, by key."""
    file = ROOT / "examples" / EXAMPLE / f"Pulumi.{team}.yaml"
    config: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    return {key.partition(":")[2]: value for key, value in config.items()}


def exposure(team: str, **changes: Any) -> dict[str, Any]:
    """The exposures of an application, its one changed."""
    return {team: {**own(team)["exposures"][team], **changes}}


@pytest.fixture(scope="module")
def teams(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teams]:
    """The three stacks."""
    lab.kubectl("create", "namespace", VISITORS)
    sleep = ("--", "/bin/sleep", "infinity")
    lab.kubectl("create", "deployment", "curl", "-n", VISITORS, f"--image={CURL_IMAGE}", *sleep)
    lab.kubectl("rollout", "status", "-n", VISITORS, "deployment/curl", "--timeout=60s")
    with stacks(lab, tmp_path_factory.mktemp("teams")) as make:
        made = {team: make(name=team) for team in ("shop", "blog", "platform")}
        for team, stack in made.items():
            stack.write({"ambient-exposure:cluster": {"context": "lab"}})
            stack.configure(**own(team))
        for team in ("platform", "shop", "blog"):
            made[team].up()
        yield made
    lab.kubectl("delete", "namespace", VISITORS)


@contextmanager
def loads(lab: Lab, *teams: str, url: str = EDGE) -> Generator[None]:
    """Requests to applications meanwhile, of which none may fail."""
    answers: dict[str, Counter[str]] = {}
    with ExitStack() as running:
        for team in teams:
            requests = load(lab, f"{url}/headers", f"{team}.example.com", VISITORS)
            answers[team] = running.enter_context(requests)
        yield
    for counted in answers.values():
        assert_unbroken(counted)


def answer(lab: Lab, team: str, url: str = EDGE, path: str = "/headers") -> str:
    """The status of a request to an application."""
    curl = ("curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}")
    words = ("-H", f"Host:{team}.example.com", f"{url}{path}")
    return lab.kubectl(
        "exec", "-n", VISITORS, "deploy/curl", "--", *curl, *words, ends="somehow"
    ).splitlines()[0]


def identity(lab: Lab, kind: str) -> dict[str, Any]:
    """What tells an object of the platform from one that was replaced or changed."""
    name = {"namespace": "ingress", "gateway": "edge"}[kind]
    found = json.loads(lab.kubectl("get", kind, name, "-n", "ingress", "-o", "json"))["metadata"]
    kept = ("uid", "generation", "labels", "annotations")
    return {key: found.get(key) for key in kept}


def test_applications_attach_to_what_they_do_not_own(teams: Teams) -> None:
    answer_as_promised(teams["shop"], EXAMPLE)
    gateways = {
        f"{one['type'].rsplit(':', 1)[-1]} {one['id']}"
        for one in teams["shop"].resources()
        if one["type"].endswith(":Gateway") and not one.get("external")
    }
    assert gateways == set()
    outputs = json.loads(teams["shop"].pulumi("stack", "output", "--json"))
    made = json.loads(teams["platform"].pulumi("stack", "output", "--json"))
    edge, shared = made["gateways"]["edge"], made["waypoints"]["shared"]
    assert outputs["ingressUrl"] == edge["url"] == f"{EDGE}:80"
    assert outputs["ingressConditions"] == edge["conditions"]
    assert outputs["waypointAddress"] == shared["address"]
    assert (edge["name"], edge["namespace"]) == ("edge", "ingress")
    for stack in teams.values():
        stack.settle()


@pytest.mark.parametrize(("team", "other"), [("shop", "blog"), ("blog", "shop")])
def test_applications_change_beside_each_other(
    lab: Lab, teams: Teams, team: str, other: str
) -> None:
    stack = teams[team]
    changed = {
        "rules": [{"paths": ["/headers", "/get"]}],
        "verification": {"checks": [{"path": "/get", "status": 200}]},
    }
    before = {kind: identity(lab, kind) for kind in ("namespace", "gateway")}
    with loads(lab, other):
        with loads(lab, team):
            stack.up(exposures=exposure(team, **changed))
        assert answer(lab, team, path="/get") == "200"
        service = {**own(team)["exposures"][team]["service"], "name": f"{team}-2"}
        # Every object of the service; until the old route has gone it gets the requests.
        stack.up(exposures=exposure(team, **changed, service=service))
        assert answer(lab, team) == "200"
        stack.pulumi("destroy", "--yes", "--skip-preview")
        until(lambda: answer(lab, team) == "404")
        stack.up(**own(team))
        assert answer(lab, team) == "200"
    assert {kind: identity(lab, kind) for kind in before} == before
    teams[other].pulumi("preview", "--expect-no-changes")


def test_the_platform_changes_under_its_applications(lab: Lab, teams: Teams) -> None:
    edge = own("platform")["gateways"]["edge"]
    changed = {**edge, "serviceType": "LoadBalancer", "hostnames": ["*.example.com", "*.a.example"]}
    with loads(lab, "shop", "blog"):
        made = teams["platform"].up(gateways={"edge": changed})["gateways"]["edge"]
    assert made["host"] != made["internalHost"]
    for team in ("shop", "blog"):
        outputs = teams[team].up()
        assert outputs["ingressUrl"] == made["url"]
        assert outputs["ingressUrls"] == [f"{EDGE}:80", made["url"]]
        # Both addresses are proven.
        assert len(outputs["verified"]) == 4
        teams[team].settle()


def test_the_platform_replaces_its_gateway(lab: Lab, teams: Teams) -> None:
    edge = own("platform")["gateways"]["edge"]
    front = "http://front-istio.ingress.svc.cluster.local"
    moved = {"existing": {"name": "front", "namespace": "ingress"}}
    with loads(lab, "shop", "blog"):
        teams["platform"].up(gateways={"edge": edge, "front": edge})
    with loads(lab, "blog"):
        teams["shop"].up(exposures=exposure("shop", gateway=moved))
    with loads(lab, "shop", url=front):
        teams["blog"].up(exposures=exposure("blog", gateway=moved))
    with loads(lab, "shop", "blog", url=front):
        teams["platform"].up(gateways={"front": edge})
    assert answer(lab, "shop", url=front, path="/get") == "404"
    teams["blog"].pulumi("preview", "--expect-no-changes")


def test_what_the_platform_lacks_is_said_before(lab: Lab, teams: Teams) -> None:
    front = own("platform")["gateways"]["edge"]
    shop, blog, platform = teams["shop"], teams["blog"], teams["platform"]
    moved = {"existing": {"name": "front", "namespace": "ingress"}}
    closed = {**front, "allowedRoutes": {"namespaces": {"from": "Same"}}}
    shop.configure(exposures=exposure("shop", gateway=moved, hostnames=["shop.example.org"]))
    printed = shop.pulumi("preview", ends="badly")
    assert "Gateway ingress/front: does not serve shop.example.org" in printed
    shop.configure(exposures=exposure("shop", gateway=moved))
    platform.up(gateways={"front": closed})
    printed = shop.pulumi("preview", ends="badly")
    assert "Gateway ingress/front: does not admit routes for shop.example.com" in printed

    # Before the applications, against the advice.
    platform.pulumi("destroy", "--yes", "--skip-preview")
    printed = shop.pulumi("preview", ends="badly")
    for name in ("front", "shared"):
        assert f"Gateway ingress/{name}: missing. Whoever owns it has to make it" in printed
    for stack in (shop, blog):
        stack.pulumi("destroy", "--yes", "--skip-preview")
    left = lab.kubectl("get", "namespaces", "-o", "name").split()
    assert not {f"namespace/{name}" for name in ("ingress", "shop", "blog")} & {*left}
