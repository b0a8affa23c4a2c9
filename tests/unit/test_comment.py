"""A preview as a comment: what is said, in which order, and what never is."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from components.commands.comment import main, render
from components.commands.difference import difference
from components.commands.effects import effects
from tests.unit.conftest import ROOT

Step = dict[str, Any]

TYPES = {
    "HTTPRoute": "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
    "Gateway": "kubernetes:gateway.networking.k8s.io/v1:Gateway",
    "Deployment": "kubernetes:apps/v1:Deployment",
    "Job": "kubernetes:batch/v1:Job",
    "Secret": "kubernetes:core/v1:Secret",
    "Service": "kubernetes:core/v1:Service",
    "AmbientExposure": "ambient:index:AmbientExposure",
    "Stack": "pulumi:pulumi:Stack",
}


def step(op: str, kind: str, old: Any = None, new: Any = None, **more: Any) -> Step:
    """A step of a preview; the inputs are told without the name of the object."""
    chain = f"{more.pop('within', 'ambient:index:AmbientExposure')}${TYPES[kind]}"
    metadata = {"name": "shop", "namespace": "shop"}
    states = {
        state: {"inputs": {"metadata": metadata, **inputs}}
        for state, inputs in (("oldState", old), ("newState", new))
        if inputs is not None
    }
    urn = f"urn:pulumi:prod::ambient-exposure::{chain}::shop-{kind.lower()}"
    return {"op": op, "urn": urn, "detailedDiff": None, **states, **more}


def preview(*steps: Step, **more: Any) -> dict[str, Any]:
    stack = {
        "op": "same",
        "urn": "urn:pulumi:prod::ambient-exposure::pulumi:pulumi:Stack::ambient-exposure-prod",
        "oldState": {"outputs": {"ingressUrl": "http://of.old"}},
        "newState": {"outputs": {"ingressUrl": "http://of.new"}},
    }
    counts: dict[str, int] = {"same": 4}
    for one in steps:
        counts[one["op"]] = counts.get(one["op"], 0) + 1
    return {"steps": [stack, *steps], "changeSummary": counts, **more}


def route(**spec: Any) -> dict[str, Any]:
    return {"spec": {"hostnames": ["shop.example.com"], **spec}}


def rules(*paths: str, **rule: Any) -> dict[str, Any]:
    """A waypoint's route for requests to `shop`."""
    matches = [{"path": {"type": "PathPrefix", "value": path}} for path in paths]
    return {
        "spec": {
            "parentRefs": [{"group": "", "kind": "Service", "name": "shop"}],
            "rules": [{"matches": matches, "backendRefs": backends(shop=1), **rule}],
        }
    }


def backends(**weights: int) -> list[dict[str, Any]]:
    return [{"name": name, "port": 80, "weight": weight} for name, weight in weights.items()]


def test_no_change_is_a_line() -> None:
    warnings = [{"severity": "warning", "message": "as ever"}]
    assert render(preview(step("refresh", "Service", {}, {}), diagnostics=warnings)) == (
        "<!-- preview of stack prod -->\nPreview of stack `prod`: no change, 4 unchanged\n"
    )


def test_what_is_made_is_listed() -> None:
    steps = [
        step("create", "AmbientExposure", new={}),
        step("create", "HTTPRoute", new=route()),
    ]
    assert render(preview(*steps)) == (
        "<!-- preview of stack prod -->\n"
        "### Preview of stack `prod`: 2 to create, 4 unchanged\n"
        "\n#### What changes for requests\n\n"
        "- new host name `shop.example.com`\n"
        "\n#### Create\n\n"
        "```diff\n"
        "+ ambient:index:AmbientExposure shop-ambientexposure\n"
        "+ HTTPRoute shop/shop\n"
        "```\n"
    )


def test_an_update_shows_the_properties_that_differ() -> None:
    old, new = rules("/"), rules("/", backendRefs=backends(shop=70, canary=30))
    assert render(preview(step("update", "HTTPRoute", old, new))) == (
        "<!-- preview of stack prod -->\n"
        "### Preview of stack `prod`: 1 to update, 4 unchanged\n"
        "\n#### What changes for requests\n\n"
        "- 30 % of `shop` goes to `canary`\n"
        "\n#### Update\n\n"
        "```diff\n"
        "@@ HTTPRoute shop/shop @@\n"
        "- spec.rules[0].backendRefs[shop].weight: 1\n"
        "+ spec.rules[0].backendRefs[shop].weight: 70\n"
        "+ spec.rules[0].backendRefs[canary]: {name: canary, port: 80, weight: 30}\n"
        "```\n"
    )


def test_what_requests_need_comes_first_and_is_marked() -> None:
    selector = {"spec": {"selector": {"app": "old"}}}
    forced = {"spec.selector": {"kind": "update-replace"}, "spec.x": {"kind": "update"}}
    steps = [
        step("create", "Service", new={}),
        step("update", "HTTPRoute", route(), route(hostnames=["other.example.com"])),
        step("replace", "Job", {"spec": 1}, {"spec": 2}),
        step("delete", "HTTPRoute", route()),
        step("replace", "Deployment", selector, {"spec": {}}, detailedDiff=forced),
        step("delete", "Deployment", {}, within="ambient:index:Client"),
    ]
    assert render(preview(*steps)) == (
        "<!-- preview of stack prod -->\n"
        "### Preview of stack `prod`:"
        " 2 to replace, 2 to delete, 1 to update, 1 to create, 4 unchanged\n"
        "\n#### What changes for requests\n\n"
        "- ⚠️ Deployment `shop/shop` is made anew: what needs it fails meanwhile\n"
        "- ⚠️ HTTPRoute `shop/shop` goes\n"
        "- ⚠️ `shop.example.com` is no longer answered\n"
        "- new host name `other.example.com`\n"
        "- `shop.example.com` is no longer answered\n"
        "\n#### ⚠️ Replaced or deleted, though requests need it\n\n"
        "```diff\n"
        "@@ replace Deployment shop/shop, because of spec.selector @@\n"
        "- spec.selector: {app: old}\n"
        "- delete HTTPRoute shop/shop\n"
        "```\n"
        "\n#### Replace\n\n"
        "```diff\n@@ Job shop/shop @@\n- spec: 1\n+ spec: 2\n```\n"
        "\n#### Delete\n\n"
        "```diff\n- Deployment shop/shop\n```\n"
        "\n#### Update\n\n"
        "```diff\n"
        "@@ HTTPRoute shop/shop @@\n"
        "- spec.hostnames[0]: shop.example.com\n"
        "+ spec.hostnames[0]: other.example.com\n"
        "```\n"
        "\n#### Create\n\n"
        "```diff\n+ Service shop/shop\n```\n"
    )


def test_another_name_takes_the_place_of_the_old_one() -> None:
    new = {"metadata": {"name": "new", "namespace": "shop"}}
    comment = render(preview(step("replace", "Gateway", {}, new)))
    assert "- ⚠️ Gateway `shop/new` takes the place of `shop/shop`\n" in comment


def test_a_name_that_pulumi_made_up_is_not_shown() -> None:
    old, new = (
        {
            "metadata": {
                "name": f"shop-{digest}",
                "namespace": "shop",
                "annotations": {"pulumi.com/autonamed": "true"},
            }
        }
        for digest in ("1a", "2b")
    )
    comment = render(preview(step("replace", "Deployment", old, new)))
    assert "- ⚠️ Deployment `shop/shop-deployment` is made anew before the old one goes\n" in comment
    assert "```diff\n@@ replace Deployment shop/shop-deployment @@\n```\n" in comment


def test_a_failed_preview_says_why() -> None:
    diagnostics = [
        {"severity": "info", "message": "printed by the program"},
        {"severity": "warning", "message": "warning: of a coming end\n"},
        {"severity": "error", "message": "Gateway edge exists already\n```"},
        {"severity": "error", "message": "Gateway edge exists already\n```"},
    ]
    assert render({"diagnostics": diagnostics}, "me/ambient-exposure/prod") == (
        "<!-- preview of stack prod -->\n"
        "### Preview of stack `prod`: failed\n"
        "\n#### ⚠️ The preview failed\n\n"
        "```text\nGateway edge exists already\n'''\n```\n"
        "\n#### Warnings\n\n"
        "```text\nof a coming end\n```\n"
    )


def pod(*env: dict[str, str]) -> dict[str, Any]:
    containers = [{"name": "shop", "image": "shop:1", "env": [*env]}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def test_secrets_are_never_shown() -> None:
    """Not where the cluster told one that has lost its mark, nor where it never had one."""
    plain, masked = {"name": "TOKEN", "value": "hunter2"}, {"name": "TOKEN", "value": "[secret]"}
    provider = "pulumi:providers:kubernetes"
    kubeconfig = step("update", "Secret", {"kubeconfig": "hunter2"}, {"kubeconfig": "hunter2 "})
    kubeconfig["urn"] = f"urn:pulumi:prod::ambient-exposure::{provider}::cluster"
    steps = [
        step("update", "Deployment", pod(plain), pod(masked)),
        step("update", "Deployment", pod(masked), pod(plain | {"value": "public"})),
        step("update", "Deployment", pod(plain), pod()),
        step("update", "Deployment", pod(plain), pod({"name": "TOKEN", "value": "public"})),
        step("update", "Secret", {"data": {"a": "hunter2"}}, {"data": {"a": "hunter2 "}}),
        step("update", "Secret", {"stringData": {"a": "hunter2"}}, {}),
        step("create", "Secret", new={"data": {"a": "hunter2"}}),
        step("delete", "Secret", {"data": {"a": "hunter2"}}),
        kubeconfig,
    ]
    comment = render(preview(*steps, config={"ambient-exposure:a": "hunter2"}))
    assert "hunter2" not in comment
    assert "! kubeconfig\n" in comment
    assert "! data\n" in comment
    assert "! stringData\n" in comment
    env = "spec.template.spec.containers[shop].env[TOKEN]"
    assert f"! {env}.value: [secret]\n" in comment
    assert f"- {env}\n" in comment
    assert f"shop/shop @@\n+ {env}.value: public\n" in comment


def test_outputs_and_what_changes_with_the_proof_are_left_out() -> None:
    old, new = (
        {"spec": {"metadata": {"annotations": {"ambient-exposure/subject": digest}}}}
        for digest in ("1", "2")
    )
    path = "spec.metadata.annotations.ambient-exposure/subject"
    job = step("replace", "Job", old, new, detailedDiff={path: {"kind": "update-replace"}})
    job["newState"]["outputs"] = {"status": "of now"}
    comment = render(preview(job))
    assert "```diff\n@@ Job shop/shop @@\n```\n" in comment
    assert "of.new" not in comment
    assert "of now" not in comment


def test_what_only_the_cluster_has_is_named() -> None:
    change = step("update", "Service", {}, {}, detailedDiff={"spec.type": {"kind": "update"}})
    assert "@@ Service shop/shop @@\n! spec.type\n" in render(preview(change))


@pytest.mark.parametrize("limit", [2000, 700])
def test_a_long_comment_is_cut_between_objects(limit: int) -> None:
    steps = [step("delete", "Gateway", {})]
    for number in range(200):
        named = {"metadata": {"name": f"shop-{number}", "namespace": "shop"}}
        steps.append(step("create", "Job", new=named))
    comment = render(preview(*steps), limit=limit)
    assert limit - 100 < len(comment.encode()) <= limit
    assert "- delete Gateway shop/shop\n```\n" in comment
    shown = comment.count("+ Job")
    assert comment.endswith(
        f"```\n\n{200 - shown} more left out: a comment may have {limit} bytes.\n"
    )
    assert comment.count("```") % 2 == 0


def test_a_long_difference_is_cut() -> None:
    old, new = ({"data": {str(key): value for key in range(60)}} for value in "ab")
    lines = render(preview(step("update", "Service", old, new))).splitlines()
    assert "! 80 more lines" in lines
    assert len(lines) < 60


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"b": None}, ["- a: 1", "+ b: null"]),
        ({"istio.io/x": "1"}, {}, ["- [istio.io/x]: '1'"]),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, ["- a[0]: x", "+ a[1]: z"]),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1, "c": 3}]}, ["- a[0].c: 2", "+ a[0].c: 3"]),
        (
            {"a": [{"name": "x", "v": 1}, {"name": "y"}]},
            {"a": [{"name": "y"}, {"name": "x", "v": 2}]},
            ["- a[x].v: 1", "+ a[x].v: 2", "! a: another order"],
        ),
        ({"a": "b\nc"}, {"a": "b\nd\n"}, ["- a[1]: c", "+ a[1]: d"]),
        ({}, {"a": {"b": "x\ny"}}, ["+ a: {b: 'x y'}"]),
        ({}, {"a": f"http://{UNKNOWN}/"}, ["+ a: http://(known after the update)/"]),
        ({}, {"a": "x" * 300}, [f"+ a: {'x' * 200}…"]),
        ({"a": 1}, {"a": [1]}, ["- a: 1", "+ a: [1]"]),
    ],
)
def test_differences(old: Any, new: Any, lines: list[str]) -> None:
    assert difference(old, new) == lines


def policy(action: str, *rules: dict[str, Any]) -> dict[str, Any]:
    target = {"group": "", "kind": "Service", "name": "shop"}
    return {"spec": {"action": action, "targetRefs": [target], "rules": [*rules]}}


def rule(path: str = "", **source: list[str]) -> dict[str, Any]:
    return {
        **({"to": [{"operation": {"paths": [path]}}]} if path else {}),
        **({"from": [{"source": source}]} if source else {}),
    }


def labelled(**labels: str) -> dict[str, Any]:
    keys = {key.replace("_", "-"): value for key, value in labels.items()}
    return {"metadata": {"name": "shop", "labels": {f"istio.io/{k}": v for k, v in keys.items()}}}


def gateway(type_: str, *ports: int) -> dict[str, Any]:
    annotations = {"networking.istio.io/service-type": type_}
    return {
        "metadata": {"name": "edge", "annotations": annotations},
        "spec": {"listeners": [{"protocol": "HTTP", "port": port} for port in ports]},
    }


def clients(*names: str) -> dict[str, Any]:
    """A gateway that checks clients' certificates by ConfigMaps."""
    edge = gateway("ClusterIP", 443)
    if names:
        edge["spec"]["tls"] = {"frontend": {"ca": [*names]}}
    return edge


def spoken(**port: Any) -> dict[str, Any]:
    return {"metadata": {"name": "shop"}, "spec": {"ports": [{"port": 80, **port}]}}


def deployment(image: str, replicas: int) -> dict[str, Any]:
    pod = {"spec": {"containers": [{"name": "shop", "image": image}]}}
    return {"metadata": {"name": "shop"}, "spec": {"replicas": replicas, "template": pod}}


TOKEN, NO_TOKEN = {"requestPrincipals": ["*"]}, {"notRequestPrincipals": ["*"]}
REDIRECT = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}


@pytest.mark.parametrize(
    ("kind", "old", "new", "sentences"),
    [
        ("HTTPRoute", {}, rules("/a"), ["`/a` of `shop` is now answered"]),
        ("HTTPRoute", {}, rules("/a", "/b"), ["`/a`, `/b` of `shop` are now answered"]),
        ("HTTPRoute", rules("/a", "/b"), rules("/b"), ["`/a` of `shop` is no longer answered"]),
        (
            "HTTPRoute",
            rules("/a", "/"),
            rules("/"),
            ["`/a` of `shop` has no rule of its own any more"],
        ),
        ("HTTPRoute", rules("/a"), {}, ["the rules of `shop` no longer hold"]),
        (
            "HTTPRoute",
            rules("/a", backendRefs=backends(shop=9, canary=1)),
            rules("/a", backendRefs=backends(canary=1)),
            ["all of `shop` goes to `canary`"],
        ),
        (
            "HTTPRoute",
            rules("/a", backendRefs=backends(shop=9, canary=1)),
            rules("/a"),
            ["all of `shop` goes to `shop`"],
        ),
        ("HTTPRoute", rules("/a", backendRefs=backends(former=1)), rules("/a"), []),
        ("HTTPRoute", rules("/a"), rules("/a", timeouts={"request": "5s"}), [
            "`shop` is now cut off after `5s`"
        ]),
        ("HTTPRoute", rules("/a"), rules("/a", retry={"attempts": 3}), [
            "`shop` is now tried again where it fails (`{attempts: 3}`)"
        ]),
        ("HTTPRoute", rules("/a"), rules("/a", filters=[{"type": "CORS", "cors": {"maxAge": 1}}]), [
            "`shop` is now open to pages of other origins (`{maxAge: 1}`)"
        ]),
        ("HTTPRoute", rules("/a"), rules("/a", **REDIRECT), [
            "`shop` is now redirected (`{scheme: https}`)"
        ]),
        ("HTTPRoute", rules("/a", **REDIRECT), rules("/a"), [
            "`shop` is no longer redirected (`{scheme: https}`)"
        ]),
        ("HTTPRoute", {}, route(hostnames=UNKNOWN), []),
        ("HTTPRoute", {}, {"spec": UNKNOWN}, []),
        (
            "GRPCRoute",
            {},
            {"spec": {**rules()["spec"], "rules": [{"matches": [{"method": {"service": "a.B"}}]}]}},
            ["`a.B` of `shop` is now answered"],
        ),
        (
            "AuthorizationPolicy",
            policy("ALLOW", rule("/api")),
            policy("ALLOW", rule("/api", **TOKEN)),
            ["`/api` of `shop` now needs a token"],
        ),
        ("AuthorizationPolicy", {}, policy("DENY", rule("/api", **NO_TOKEN)), [
            "`/api` of `shop` now needs a token"
        ]),
        ("AuthorizationPolicy", policy("DENY", rule("/api", **NO_TOKEN)), {}, [
            "`/api` of `shop` no longer needs a token"
        ]),
        (
            "AuthorizationPolicy",
            {},
            policy("ALLOW", rule("/a", namespaces=["front"])),
            [
                "`/a from namespaces front` of `shop` is now let through",
                "all else of `shop` is refused, unless another policy lets it through",
            ],
        ),
        ("AuthorizationPolicy", policy("ALLOW", {}), policy("DENY", {}), [
            "every request of `shop` is no longer let through",
            "every request of `shop` is now refused",
        ]),
        ("RequestAuthentication", {}, {"spec": {"jwtRules": [{"issuer": "me"}]}}, [
            "tokens of `me` are now checked at `all pods`: a wrong one is answered 401"
        ]),
        ("Gateway", gateway("ClusterIP", 80), gateway("LoadBalancer", 81), [
            "Gateway `edge` now listens on `HTTP port 81 for every host name`",
            "Gateway `edge` no longer listens on `HTTP port 80 for every host name`",
            "Gateway `edge` is now reached by `LoadBalancer` instead of `ClusterIP`",
        ]),
        ("Gateway", clients(), clients("a"), [
            "Gateway `edge` now checks certificates of clients (`{ca: [a]}`)"
        ]),
        ("Gateway", clients("a"), clients(), [
            "Gateway `edge` no longer checks certificates of clients (`{ca: [a]}`)"
        ]),
        ("NamespacePatch", labelled(use_waypoint="w"), labelled(), [
            "requests to `shop` no longer pass a waypoint: none of its rules hold for them"
        ]),
        ("NamespacePatch", {}, labelled(dataplane_mode="ambient"), [
            "pods of `shop` are now in the mesh"
        ]),
        ("Service", labelled(ingress_use_waypoint="true"), labelled(), [
            "requests of gateways to `shop` no longer pass a waypoint:"
            " none of its rules hold for them"
        ]),
        ("Service", labelled(ingress_use_waypoint="true"), {}, []),
        ("Service", spoken(name="http"), spoken(name="h2c", appProtocol="kubernetes.io/h2c"), [
            "port `80` of `shop` now speaks `kubernetes.io/h2c` instead of `http`"
        ]),
        ("Deployment", deployment("a:1", 1), deployment("a:2", 3), [
            "pods of `shop`: 3 instead of 1", "`shop` runs `a:2` instead of `a:1`"
        ]),
        ("ConfigMap", {}, {"data": {}}, []),
    ],
)  # fmt: skip
def test_effects(kind: str, old: Any, new: Any, sentences: list[str]) -> None:
    assert list(effects(kind, old, new)) == sentences


def test_only_a_part_of_the_requests_is_named() -> None:
    first = rules("/a")["spec"]["rules"][0]
    old = rules("/b")
    old["spec"]["rules"] += [first]
    new = rules("/b")
    new["spec"]["rules"] += [{**first, "backendRefs": backends(shop=7, canary=3)}]
    assert list(effects("HTTPRoute", old, new)) == ["30 % of `/a` of `shop` goes to `canary`"]


def comment(*words: str, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "components", "comment", *words],
        cwd=ROOT,
        env=env,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_reads_what_a_preview_printed(tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    file.write_text(json.dumps(preview()))
    done = comment(str(file))
    assert done.returncode == 0, done.stderr
    assert done.stdout == render(preview())

    messages = {"error": "no cluster", "info#err": "written by the program"}
    diagnostics = [{"severity": key, "message": text} for key, text in messages.items()]
    failed = json.dumps({"diagnostics": diagnostics})
    done = comment("-", "--stack", "prod", given=failed)
    assert done.returncode == 1
    assert "no cluster" in done.stdout
    assert "written" not in done.stdout
    assert done.stderr == "written by the program\n"


def test_a_command_runs_the_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi = tmp_path / "pulumi"
    content = json.dumps(preview())
    pulumi.write_text(
        '#!/bin/sh\n[ "$*" = "preview --json --non-interactive --stack prod" ] || exit 7\n'
        f"[ -z \"$PULUMI_ENABLE_STREAMING_JSON_PREVIEW\" ] || exit 8\necho '{content}'\nexit 3"
    )
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PULUMI_ENABLE_STREAMING_JSON_PREVIEW", "true")
    for stack, status in (("prod", 3), ("other", 7)):
        monkeypatch.setattr(sys, "argv", ["comment", "--stack", stack])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == status
    assert capsys.readouterr().out == render(preview())


def test_a_stream_of_events_is_refused() -> None:
    done = comment("-", given='{"sequence": 1}\n{"sequence": 2}\n')
    assert done.returncode
    assert "PULUMI_ENABLE_STREAMING_JSON_PREVIEW" in done.stderr
