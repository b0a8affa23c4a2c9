"""The rules for a service: what is rendered, waited for and refused."""

import copy
import json
from typing import Any, cast

import pulumi
import pytest

from components.api.istio import AuthorizationPolicy, RequestAuthentication
from components.api.istio_types import (
    PolicyOperation,
    PolicySource,
    PolicyTargetReference,
    WorkloadSelector,
)
from components.checks.faults import InvalidInput
from components.parts.authorization import Authorization, AuthorizationArgs
from tests.unit.conftest import Run

WAYPOINT = "cluster.local/ns/shop/sa/shop-waypoint"
GATEWAY = "cluster.local/ns/shop/sa/shop-gateway-istio"

ARGS: AuthorizationArgs = {
    "name": "shop",
    "namespace": "shop",
    "service": "shop",
    "policies": [
        {
            "name": "readers",
            "action": "ALLOW",
            "rules": [
                {
                    "from": [{"source": {"principals": [GATEWAY]}}],
                    "to": [{"operation": {"methods": ["GET"], "paths": ["/api/*"]}}],
                    "when": [{"key": "request.headers[x-token]", "notValues": ["*"]}],
                }
            ],
        },
        {"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]},
    ],
    "jwt_rules": [{"issuer": "https://login.example.com", "jwks": '{"keys": [{"kty": "RSA"}]}'}],
    "required_waypoint": {"principal": WAYPOINT, "selector": {"app": "shop"}},
    "ready_timeout": 30,
}

TARGETS = [{"group": "", "kind": "Service", "name": "shop"}]
LIMIT = {"create": "30s", "update": "30s"}


def waits(condition: str) -> dict[str, str]:
    return {"pulumi.com/waitFor": json.dumps([f"condition={condition}"])}


def test_waypoint_and_ztunnel_get_their_policies(run: Run) -> None:
    before = copy.deepcopy(ARGS)
    graph = run(lambda: cast("None", Authorization("shop", ARGS))).graph
    assert before == ARGS
    objects = {
        key: (one.inputs["metadata"], one.inputs["spec"])
        for key, one in graph.items()
        if one.parent == "Authorization/shop"
    }
    args: Any = ARGS
    assert objects == {
        "AuthorizationPolicy/shop-policy-readers": (
            {
                "name": "shop-readers",
                "namespace": "shop",
                "annotations": waits("WaypointAccepted"),
            },
            {"targetRefs": TARGETS, "action": "ALLOW", "rules": args["policies"][0]["rules"]},
        ),
        "AuthorizationPolicy/shop-policy-1": (
            {"name": "shop-1", "namespace": "shop", "annotations": waits("WaypointAccepted")},
            {
                "targetRefs": TARGETS,
                "action": "CUSTOM",
                "provider": {"name": "opa"},
                "rules": [{}],
            },
        ),
        "RequestAuthentication/shop-jwt": (
            {"name": "shop-jwt", "namespace": "shop"},
            {"targetRefs": TARGETS, "jwtRules": args["jwt_rules"]},
        ),
        "AuthorizationPolicy/shop-waypoint-only": (
            {
                "name": "shop-waypoint-only",
                "namespace": "shop",
                "annotations": waits("ZtunnelAccepted"),
            },
            {
                "selector": {"matchLabels": {"app": "shop"}},
                "action": "ALLOW",
                "rules": [{"from": [{"source": {"principals": [WAYPOINT]}}]}],
            },
        ),
    }
    assert {graph[key].type for key in objects} == {
        "kubernetes:security.istio.io/v1:AuthorizationPolicy",
        "kubernetes:security.istio.io/v1:RequestAuthentication",
    }
    assert all(graph[key].timeouts == LIMIT for key in objects)
    assert graph["AuthorizationPolicy/shop-waypoint-only"].inputs["apiVersion"] == (
        "security.istio.io/v1"
    )


def test_what_follows_waits_for_all_of_them(run: Run) -> None:
    def program() -> None:
        rules = Authorization("shop", ARGS)
        pulumi.export("definition", rules.definition)
        Authorization("next", {"name": rules.name, "namespace": "shop", "service": "shop",
                               "policies": [{"action": "ALLOW", "rules": []}]})  # fmt: skip

    finished = run(program)
    assert finished.graph["AuthorizationPolicy/next-policy-0"].dependencies == {
        "AuthorizationPolicy/shop-policy-readers",
        "AuthorizationPolicy/shop-policy-1",
        "RequestAuthentication/shop-jwt",
        "AuthorizationPolicy/shop-waypoint-only",
    }
    assert [one["metadata"]["name"] for one in finished.exports["definition"]] == [
        "shop-readers",
        "shop-1",
        "shop-jwt",
        "shop-waypoint-only",
    ]


def test_outputs_may_be_inputs(run: Run) -> None:
    def program() -> None:
        late = pulumi.Output.from_input("late")
        Authorization(
            "late",
            {
                "name": late,
                "namespace": late,
                "service": late,
                "policies": [
                    {
                        "action": "DENY",
                        "rules": [
                            {
                                "from": [{"source": {"notPrincipals": [late]}}],
                                "when": [{"key": late, "values": [late]}],
                            }
                        ],
                    }
                ],
                "required_waypoint": {"principal": late, "selector": {"app": late}},
            },
        )

    graph = run(program).graph
    assert graph["AuthorizationPolicy/late-policy-0"].inputs["metadata"]["name"] == "late-0"


IDENTITY = "an identity like 'cluster.local/ns/NAMESPACE/sa/{}', without 'spiffe://'"
ADDRESS = "an address or a CIDR like '10.0.0.0/8'"
KEYS = "a JSON Web Key Set like '{\"keys\": [...]}', public keys only"
SOURCE = "policies[0].rules[0].from[0].source"
OPERATION = "policies[0].rules[0].to[0].operation"
WHEN = "policies[0].rules[0].when[0]"

INVALID: list[tuple[str, object, str]] = [
    ("namespace", "Shop", "namespace: found 'Shop', expected a DNS label: lower-case letters,"
     " digits and '-', 1 to 63 characters"),
    ("ready_timeout", 0, "ready_timeout: found 0, expected seconds from 1 to 3600"),
    ("policies[0].action", "allow", "policies[0].action: found 'allow', expected one of ALLOW,"
     " DENY, AUDIT, CUSTOM (did you mean ALLOW?)"),
    ("policies[1].name", "readers", "policies[1].name: found 'readers', which is taken already"),
    ("policies[1].name", "waypoint-only",
     "policies[1].name: found 'waypoint-only', which is taken already"),
    ("policies[0]", {"action": "DENY", "rules": []}, "policies[0].rules: found none, with which"
     " DENY does nothing; [{}] makes it be for every request"),
    ("policies[0].provider", {"name": "opa"},
     "policies[0].provider: found one, expected one for CUSTOM, else none"),
    ("policies[1]", {"action": "CUSTOM", "rules": [{}]},
     "policies[1].provider: found none, expected one for CUSTOM, else none"),
    ("policies[1].rules", [{"from": [{"source": {"notPrincipals": ["*"]}}],
                            "when": [{"key": "request.auth.presenter", "values": ["a"]}]}],
     "policies[1].rules[0]: found notPrincipals, which CUSTOM does not take\n"
     "  policies[1].rules[0]: found request.auth.presenter, which CUSTOM does not take"),
    ("policies[0].rules[0].from", [], "policies[0].rules[0].from: found [], expected at least one"),
    ("policies[0].rules[0].from[0]", {},
     f"{SOURCE}: found nothing, expected it: Istio demands it"),
    ("policies[0].rules[0].to[0]", {},
     f"{OPERATION}: found nothing, expected it: Istio demands it"),
    ("policies[1].provider", {},
     "policies[1].provider.name: found nothing, expected it: Istio demands it"),
    (SOURCE, {}, f"{SOURCE}: found neither {' nor '.join(PolicySource.__annotations__)}, expected"
     " one of them"),
    (SOURCE, {"serviceAccounts": ["a/b"], "notNamespaces": ["c"]},
     f"{SOURCE}: found serviceAccounts beside principals or namespaces, expected one sort"),
    (SOURCE, {"serviceAccounts": ["a/b/c"]}, f"{SOURCE}.serviceAccounts[0]: found 'a/b/c',"
     " expected 'NAMESPACE/ACCOUNT' or 'ACCOUNT', without wildcards, 1 to 320 characters"),
    (SOURCE, {"principals": [f"spiffe://{GATEWAY}"]},
     f"{SOURCE}.principals[0]: found 'spiffe://{GATEWAY}', expected {IDENTITY.format('ACCOUNT')}"),
    (SOURCE, {"notTrustDomains": ["a/b"]}, f"{SOURCE}.notTrustDomains[0]: found 'a/b', expected a"
     " trust domain like 'cluster.local', '*' at one end allowed"),
    (SOURCE, {"notIpBlocks": ["10.0.0.0/33"]},
     f"{SOURCE}.notIpBlocks[0]: found '10.0.0.0/33', expected {ADDRESS}"),
    (SOURCE, {"namespaces": [""]},
     f"{SOURCE}.namespaces[0]: found '', expected at least 1 character"),
    (OPERATION, {"ports": []},
     f"{OPERATION}: found neither {' nor '.join(PolicyOperation.__annotations__)}, expected one of"
     " them"),
    (OPERATION, {"ports": ["0"]},
     f"{OPERATION}.ports[0]: found '0', expected a port as a text, from '1' to '65535'"),
    (OPERATION, {"notMethods": ["get"]},
     f"{OPERATION}.notMethods[0]: found 'get', expected a method in upper case, like 'GET'"),
    (OPERATION, {"paths": ["api"]}, f"{OPERATION}.paths[0]: found 'api', expected a path that"
     " starts with '/' or '*', without query"),
    (WHEN, {"key": "source.ip"}, f"{WHEN}: found neither values nor notValues, expected one of"
     " them"),
    (WHEN, {"key": "destination.port", "values": ["http"]},
     f"{WHEN}.values[0]: found 'http', expected a port as a text, from '1' to '65535'"),
    ("jwt_rules", [], "jwt_rules: found [], expected at least one"),
    ("jwt_rules[0].presence", "REQIRED", "jwt_rules[0].presence: found 'REQIRED', expected one of"
     " OPTIONAL, REQUIRED (did you mean REQUIRED?)"),
    ("jwt_rules[0].audiences", [""],
     "jwt_rules[0].audiences[0]: found '', expected at least 1 character"),
    ("jwt_rules[0].jwksUri", "https://login.example.com/keys",
     "jwt_rules[0]: found both jwks and jwksUri, expected one of them"),
    ("jwt_rules[0]", {"jwks": '{"keys": [{}]}'},
     "jwt_rules[0]: found neither issuer nor jwksUri, expected one of them"),
    ("jwt_rules[0].jwks", "keys", f"jwt_rules[0].jwks: found 'keys', expected {KEYS}"),
    ("jwt_rules[0].jwks", '{"keys": [{"d": "a"}]}',
     f"jwt_rules[0].jwks: found '{{\"keys\": [{{\"d\": \"a\"}}]}}', expected {KEYS}"),
    ("jwt_rules[0]", {"jwksUri": "login.example.com"}, "jwt_rules[0].jwksUri: found"
     " 'login.example.com', expected a URL that starts with 'https://' or 'http://'"),
    ("jwt_rules[0].fromHeaders", [{"name": "x token"}], "jwt_rules[0].fromHeaders[0].name: found"
     " 'x token', expected letters, digits, '-' and '_', at least 1 character"),
    ("required_waypoint.principal", f"spiffe://{WAYPOINT}", "required_waypoint.principal: found"
     f" 'spiffe://{WAYPOINT}', expected {IDENTITY.format('WAYPOINT')}"),
    ("required_waypoint.selector", {}, "required_waypoint.selector: found {}, expected at least"
     " one"),
]  # fmt: skip


def changed(path: str, value: object) -> AuthorizationArgs:
    """ARGS with another value at `path`."""
    args = copy.deepcopy(ARGS)
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    holder: Any = args
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    holder[int(last) if last.isdigit() else last] = value
    return args


@pytest.mark.parametrize(("path", "value", "fault"), INVALID)
def test_invalid_input_is_refused(run: Run, path: str, value: object, fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(lambda: cast("None", Authorization("shop", changed(path, value))))
    assert str(refused.value) == f"Authorization 'shop':\n  {fault}"


def test_a_mistyped_attribute_is_named_with_the_one_that_was_meant(run: Run) -> None:
    condition = {"key": "request.header[x-token]", "values": ["a"]}
    with pytest.raises(InvalidInput, match=r"\(did you mean request\.headers\[NAME\]\?\)$"):
        run(lambda: cast("None", Authorization("shop", changed(WHEN, condition))))


def test_http_attributes_have_no_place_in_the_rule_of_ztunnel(run: Run) -> None:
    args = changed("required_waypoint.methods", ["GET"])
    with pytest.raises(InvalidInput, match=r"required_waypoint\.methods: .*unknown"):
        run(lambda: cast("None", Authorization("shop", args)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("policies[0]", {"action": "ALLOW", "rules": []}),
        ("policies[0]", {"action": "DENY", "rules": [{}]}),
        (SOURCE, {"principals": ["*"], "remoteIpBlocks": ["2001:db8::/32", "10.1.2.3/8"]}),
        (SOURCE, {"serviceAccounts": ["curl", "curl/curl"]}),
        (SOURCE, {"requestPrincipals": ["https://login.example.com/*"]}),
        (OPERATION, {"methods": ["*"], "paths": ["*/info", "/a/{*}/b/{**}"], "notPorts": ["80"]}),
        (WHEN, {"key": "request.auth.claims[group][sub]", "values": ["a"]}),
        (WHEN, {"key": "source.ip", "notValues": ["10.0.0.0/8"]}),
        ("jwt_rules[0]", {"issuer": "a"}),
        ("required_waypoint.principal", "*/ns/shop/sa/shop-waypoint"),
    ],
)
def test_valid_input_is_taken(run: Run, path: str, value: object) -> None:
    run(lambda: cast("None", Authorization("shop", changed(path, value))))


def test_objects_of_ones_own_are_checked_too(run: Run) -> None:
    targets: list[PolicyTargetReference] = [{"kind": "Gateway", "name": "shop"}]
    selector: WorkloadSelector = {"matchLabels": {"app": "shop"}}

    def policy() -> None:
        AuthorizationPolicy(
            "own",
            {"name": "own", "namespace": "shop"},
            {"targetRefs": targets, "selector": selector, "action": "DENY"},
        )

    def authentication() -> None:
        RequestAuthentication(
            "own",
            {"name": "own", "namespace": "shop"},
            {
                "targetRefs": [{**targets[0], "namespace": "shop"}],
                "selector": {},
                "jwtRules": [{"issuer": ""}],
            },
        )

    with pytest.raises(InvalidInput) as refused:
        run(policy)
    assert str(refused.value) == (
        "AuthorizationPolicy 'own':\n"
        "  spec: found both targetRefs and selector, expected one of them\n"
        "  spec.rules: found none, with which DENY does nothing; [{}] makes it be for every request"
    )
    with pytest.raises(InvalidInput) as refused:
        run(authentication)
    assert str(refused.value) == (
        "RequestAuthentication 'own':\n"
        "  spec.selector.matchLabels: found nothing, expected it: Istio demands it\n"
        "  spec.targetRefs[0].namespace: found 'shop', expected nothing: a target is in the"
        " namespace of the policy\n"
        "  spec.jwtRules[0].issuer: found '', expected at least 1 character\n"
        "  spec: found both targetRefs and selector, expected one of them"
    )
