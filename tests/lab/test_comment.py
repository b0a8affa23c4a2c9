"""Real previews as comments for a pull request."""

import re
import subprocess
import sys
from typing import Any

from tests.lab.conftest import Stack, plain, sample, stack_file

pytestmark = plain

TOKEN = "of-nobody-else"  # noqa: S105  # what no comment may show
IMAGE = "docker.io/mccutchen/go-httpbin:v2.15.0"
ISSUER = {"issuer": "https://issuer.example.com", "jwksUri": "https://issuer.example.com/keys"}
PROOF = ["@@ Job curl/httpbin-probe-job @@"]


def section(comment: str, title: str) -> list[str]:
    """The lines of a part of a comment."""
    part = comment.split(f"\n#### {title}\n\n")[1].partition("\n#### ")[0]
    return [line for line in part.splitlines() if line and not line.startswith("```")]


def denied(path: str, **source: list[str]) -> dict[str, Any]:
    """A policy that refuses requests to a path, or only those of a source."""
    rule: dict[str, Any] = {"to": [{"operation": {"paths": [path]}}]}
    if source:
        rule["from"] = [{"source": source}]
    return {"name": "denied", "action": "DENY", "rules": [rule]}


def test_a_comment_says_what_an_update_would_do(stack: Stack) -> None:
    secret = ("--secret", "--path", "exposures.httpbin.service.env.TOKEN")
    stack.pulumi("config", "set", *secret, TOKEN)
    exposures = stack_file(stack.folder)["config"]["ambient-exposure:exposures"]
    env = exposures["httpbin"]["service"]["env"]
    service = {"env": env, "canary": {"image": IMAGE, "weight": 30}}
    began = {"service": service, "policies": [denied("/status/418")]}

    def comment(**changes: Any) -> str:
        stack.configure(exposures=sample(**began | changes))
        command = (sys.executable, "-m", "components", "comment", "--stack", "dev")
        said = subprocess.check_output(command, env=stack.env, cwd=stack.folder, text=True)
        assert said.startswith("<!-- preview of stack dev -->\n")
        assert TOKEN not in said
        return said

    # Created.
    said = comment()
    counted = re.search(
        r"^### Preview of stack `dev`: (\d+) to create, 0 unchanged$", said, re.MULTILINE
    )
    assert counted, said
    whole = int(counted[1])
    assert sorted(section(said, "What changes for requests")) == [
        "- 30 % of `httpbin` goes to `httpbin-canary`",
        "- `/status/418` of `httpbin` is now refused",
        "- `/status`, `/headers` of `httpbin` are now answered",
        "- new host name `httpbin.example.com`",
        "- pods of `httpbin` are now in the mesh",
        "- requests to `httpbin` now pass waypoint `httpbin-waypoint`",
    ]
    assert {"+ Gateway httpbin/httpbin-gateway", "+ HTTPRoute httpbin/httpbin-ingress"} <= {
        *section(said, "Create")
    }

    # Nothing to do.
    stack.up()
    unchanged = f"Preview of stack `dev`: no change, {whole} unchanged"
    assert comment().splitlines()[1:] == [unchanged]

    # One route changes.
    said = comment(rules=[{"paths": ["/status", "/headers", "/anything"]}])
    counts = f"1 to replace, 1 to update, {whole - 2} unchanged"
    assert f"### Preview of stack `dev`: {counts}\n" in said
    assert section(said, "What changes for requests") == [
        "- `/anything` of `httpbin` is now answered",
        "- 30 % of `/anything` of `httpbin` goes to `httpbin-canary`",
    ]
    assert section(said, "Replace") == PROOF
    assert section(said, "Update") == [
        "@@ HTTPRoute httpbin/httpbin-waypoint-route @@",
        "+ spec.rules[0].matches[2]: {path: {type: PathPrefix, value: /anything}}",
    ]

    # So does who may send what.
    said = comment(policies=[denied("/headers", notRequestPrincipals=["*"])], jwtRules=[ISSUER])
    assert {
        "- `/headers` of `httpbin` now needs a token",
        "- `/status/418` of `httpbin` is no longer refused",
    } <= {*section(said, "What changes for requests")}

    # The gateway is made anew.
    said = comment(gateway={"name": "edge"})
    assert section(said, "What changes for requests") == [
        "- ⚠️ Gateway `httpbin/edge` takes the place of `httpbin/httpbin-gateway`"
    ]
    assert section(said, "⚠️ Replaced or deleted, though requests need it") == [
        "@@ replace Gateway httpbin/edge, because of metadata.name @@",
        "- metadata.name: httpbin-gateway",
        "+ metadata.name: edge",
    ]

    # The canary and the policy go, and a variable that was secret.
    said = comment(service={}, policies=[])
    assert sorted(section(said, "⚠️ Replaced or deleted, though requests need it")) == [
        "- delete AuthorizationPolicy httpbin/httpbin-denied",
        "- delete Deployment httpbin/httpbin-canary",
        "- delete Service httpbin/httpbin-canary",
        "- delete ServiceAccount httpbin/httpbin-canary",
    ]
    assert {
        "- ⚠️ Deployment `httpbin/httpbin-canary` goes",
        "- ⚠️ `/status/418` of `httpbin` is no longer refused",
        "- all of `httpbin` goes to `httpbin`",
    } <= {*section(said, "What changes for requests")}
    assert "! spec.template.spec.containers: [secret]" in section(said, "Update")
