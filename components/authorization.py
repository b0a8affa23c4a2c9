"""Who may send what to a service: authorization and request authentication."""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from components import validation as valid
from components.gateway_api import ObjectMeta, timeouts, wait_for
from components.istio_api import (
    AuthorizationPolicy,
    AuthorizationPolicySpec,
    ClaimToHeader,
    ExtensionProvider,
    JWTHeader,
    JWTRule,
    PolicyAction,
    PolicyCondition,
    PolicyOperation,
    PolicyRule,
    PolicySource,
    PolicyTargetReference,
    RequestAuthentication,
)
from components.outputs import after
from components.schema import Schema


class PolicyArgs(TypedDict):
    """A policy that the waypoint enforces.

    A request is refused where one of `DENY` matches it, or where there are some of `ALLOW` and
    none of them matches it.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/
    """

    name: NotRequired[str]
    """Name, unique in the list (default its index): the object is `<authorization>-<policy>`."""
    action: PolicyAction
    """What is done with the requests of `rules`."""
    rules: Sequence[PolicyRule]
    """Requests in Istio's own form; an empty rule is every request, and `ALLOW` without any rule
    allows nothing."""
    provider: NotRequired[ExtensionProvider]
    """Who decides, for `CUSTOM` only."""


class RequiredWaypointArgs(TypedDict):
    """Makes pods refuse what has not passed their waypoint.

    While a waypoint is missing, ztunnel sends requests straight to the pods.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """

    principal: pulumi.Input[str]
    """Identity of the waypoint, `cluster.local/ns/NAMESPACE/sa/WAYPOINT`."""
    selector: Mapping[str, pulumi.Input[str]]
    """Labels of the pods, at least one."""


class AuthorizationOptions(TypedDict):
    """Who may send what."""

    policies: NotRequired[Sequence[PolicyArgs]]
    """Policies that the waypoint enforces (default none, which allows every request)."""
    jwt_rules: NotRequired[Sequence[JWTRule]]
    """Tokens that the waypoint accepts (default none looked at). A request with another token is
    answered 401; one without any passes, unless a policy demands `requestPrincipals`.

    https://istio.io/latest/docs/reference/config/security/request_authentication/"""
    required_waypoint: NotRequired[RequiredWaypointArgs]
    """Makes ztunnel refuse what comes from anybody but the waypoint (default: what bypasses the
    waypoint is not judged at all)."""


class AuthorizationArgs(AuthorizationOptions):
    """What an `Authorization` is made of."""

    name: pulumi.Input[str]
    """What the names of its objects begin with."""
    namespace: pulumi.Input[str]
    """Namespace of the objects, that of the Service and its pods."""
    service: pulumi.Input[str]
    """Service whose requests the waypoint judges."""
    ready_timeout: NotRequired[int]
    """Seconds that each policy may take to be accepted (default 300)."""


class Authorization(pulumi.ComponentResource):
    """The rules for one service, at its waypoint and at the ztunnel of its pods.

    Ready when istiod has bound every policy to a waypoint or sent it to ztunnel; on a
    RequestAuthentication it reports nothing. Raises `InvalidInput` with every fault of `args`
    before anything is registered.

    https://istio.io/latest/docs/ambient/usage/l7-features/
    """

    name: pulumi.Output[str]
    """What the names of its objects begin with, known once all policies are in force."""
    applied: pulumi.Output[list[dict[str, Any]]]
    """The objects as given, known once all policies are in force."""

    def __init__(
        self, name: str, args: AuthorizationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Authorization {name!r}", args, AuthorizationArgs)
        super().__init__("ambient:index:Authorization", name, {**args}, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        )
        targets: list[PolicyTargetReference] = [
            {"group": "", "kind": "Service", "name": args["service"]}
        ]
        objects: list[AuthorizationPolicy | RequestAuthentication] = [
            AuthorizationPolicy(
                f"{name}-policy-{label}",
                _metadata(args, label, "condition=WaypointAccepted"),
                render_policy(policy, targets),
                inside,
            )
            for label, policy in named(args.get("policies", ()))
        ]
        if "jwt_rules" in args:
            objects.append(
                RequestAuthentication(
                    f"{name}-jwt",
                    _metadata(args, "jwt"),
                    {"targetRefs": targets, "jwtRules": args["jwt_rules"]},
                    inside,
                )
            )
        if required := args.get("required_waypoint"):
            objects.append(
                AuthorizationPolicy(
                    f"{name}-{WAYPOINT_ONLY}",
                    _metadata(args, WAYPOINT_ONLY, "condition=ZtunnelAccepted"),
                    {
                        "selector": {"matchLabels": required["selector"]},
                        "action": "ALLOW",
                        "rules": [{"from": [{"source": {"principals": [required["principal"]]}}]}],
                    },
                    inside,
                )
            )
        self.name = after(args["name"], *(one.urn for one in objects))
        self.applied = pulumi.Output.all(*(one.applied for one in objects))
        self.register_outputs({"name": self.name})


WAYPOINT_ONLY = "waypoint-only"
"""Name of the policy of `required_waypoint`."""


def named(policies: Sequence[PolicyArgs]) -> list[tuple[str, PolicyArgs]]:
    """Each policy with its name, or its index where it has none."""
    return [(policy.get("name", str(index)), policy) for index, policy in enumerate(policies)]


def render_policy(
    policy: PolicyArgs, targets: Sequence[PolicyTargetReference]
) -> AuthorizationPolicySpec:
    """The spec of a policy for `targets`."""
    spec: AuthorizationPolicySpec = {
        "targetRefs": targets,
        "action": policy["action"],
        "rules": policy["rules"],
    }
    if "provider" in policy:
        spec["provider"] = policy["provider"]
    return spec


def _metadata(args: AuthorizationArgs, label: str, *conditions: str) -> ObjectMeta:
    metadata: ObjectMeta = {
        "name": pulumi.Output.format("{}-{}", args["name"], label),
        "namespace": args["namespace"],
    }
    if conditions:
        metadata["annotations"] = wait_for(*conditions)
    return metadata


# What the structure alone does not say


def _word(value: object) -> str | None:
    return None if isinstance(value, str) and value else "a text that is not empty"


def _principal(value: object) -> str | None:
    if isinstance(value, str) and value and not value.startswith("spiffe:"):
        return None
    return "an identity like 'cluster.local/ns/NAMESPACE/sa/ACCOUNT', without 'spiffe://'"


def _identity(value: object) -> str | None:
    """The identity of one workload, its trust domain left open with `*` at most."""
    if isinstance(value, str) and re.fullmatch(r"[^/:]+/ns/[^/*]+/sa/[^/*]+", value):
        return None
    return "an identity like 'cluster.local/ns/NAMESPACE/sa/WAYPOINT', without 'spiffe://'"


def _selector(value: object) -> str | None:
    if not isinstance(value, Mapping) or not value:
        return "at least one label"
    return valid.labels(
        {key: one for key, one in value.items() if not isinstance(one, pulumi.Output)}
    )


def _account(value: object) -> str | None:
    if isinstance(value, str) and len(value) <= 320 and re.fullmatch(r"([^/*]+/)?[^/*]+", value):
        return None
    return "'NAMESPACE/ACCOUNT' or 'ACCOUNT', without wildcards"


def _trust_domain(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"\*|\*?[^/*]+|[^/*]+\*", value):
        return None
    return "a trust domain like 'cluster.local', '*' at one end allowed"


def _addresses(value: object) -> str | None:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return "an address or a CIDR like '10.0.0.0/8'"
    return None


def _port(value: object) -> str | None:
    if isinstance(value, str) and value.isdecimal() and valid.port(int(value)) is None:
        return None
    return "a port as a text, from '1' to '65535'"


def _method(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[A-Z*][-A-Z0-9_*]*", value):
        return None
    return "a method in upper case, like 'GET'"


def _path(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[/*][^?#\s]*", value):
        return None
    return "a path that starts with '/' or '*', without query"


_VALUES: dict[str, valid.Check] = {
    "principals": _principal,
    "serviceAccounts": _account,
    "trustDomains": _trust_domain,
    "ipBlocks": _addresses,
    "remoteIpBlocks": _addresses,
    "ports": _port,
    "methods": _method,
    "paths": _path,
}
"""Checks of the values of a source's and an operation's lists, for the lists `not…` too."""

_ATTRIBUTES: dict[str, valid.Check] = {
    "source.ip": _addresses,
    "remote.ip": _addresses,
    "source.namespace": _word,
    "source.serviceAccount": _account,
    "source.principal": _principal,
    "source.trustDomain": _trust_domain,
    "request.auth.principal": _word,
    "request.auth.audiences": _word,
    "request.auth.presenter": _word,
    "destination.ip": _addresses,
    "destination.port": _port,
    "connection.sni": _word,
}
"""Attributes of a condition, and checks of their values."""

_MAPS = re.compile(
    r"(request\.headers|request\.auth\.claims|experimental\.envoy\.filters\..+?)\[.+\]"
)
"""Attributes that are looked up by a name."""

_NOT_CUSTOM = re.compile(
    r"(not)?(principals|requestPrincipals|namespaces|serviceAccounts|trustDomains)"
    r"|source\.(principal|namespace|serviceAccount|trustDomain)|request\.auth\..*",
    re.IGNORECASE,
)
"""Fields of a source and attributes that istiod refuses for the action `CUSTOM`."""


def _positive(field: str) -> str:
    """The list that `field` is the opposite of, `paths` for `notPaths`, else `field` itself."""
    return re.sub(r"not([A-Z])", lambda found: found[1].lower(), field)


def _lists(shape: type) -> dict[str, valid.Check]:
    """Checks of what the lists of a class hold."""
    return {f"{field}[]": _VALUES.get(_positive(field), _word) for field in shape.__annotations__}


def _something(faults: valid.Faults, path: str, lists: Mapping[str, Any]) -> None:
    if not any(lists.values()):
        faults.add(path, "found nothing in it, expected at least one condition")


def _check_source(faults: valid.Faults, path: str, source: Mapping[str, Any]) -> None:
    _something(faults, path, source)
    fields = {_positive(field) for field in source}
    if "serviceAccounts" in fields and fields & {"principals", "namespaces"}:
        faults.add(path, "found serviceAccounts beside principals or namespaces, expected one sort")


def _check_condition(faults: valid.Faults, path: str, condition: Mapping[str, Any]) -> None:
    if not condition.get("values") and not condition.get("notValues"):
        faults.add(path, "found neither values nor notValues, expected one of them")
    key = condition["key"]
    if not isinstance(key, str):
        return
    check = _word if _MAPS.fullmatch(key) else _ATTRIBUTES.get(key)
    if check is None:
        known = (*_ATTRIBUTES, "request.headers[NAME]", "request.auth.claims[NAME]")
        faults.check(f"{path}.key", key, valid.one_of(*known))
        return
    for field in ("values", "notValues"):
        for index, value in enumerate(condition.get(field, ())):
            faults.check(f"{path}.{field}[{index}]", value, check)


def _check_policy(faults: valid.Faults, path: str, policy: Mapping[str, Any]) -> None:
    action, rules = policy["action"], policy["rules"]
    if action != "ALLOW" and isinstance(rules, Sequence) and not rules:
        faults.add(
            f"{path}.rules",
            f"found none, with which {action} does nothing; [{{}}] makes it be for every request",
        )
    if (action == "CUSTOM") != ("provider" in policy):
        found = "one" if "provider" in policy else "none"
        faults.add(f"{path}.provider", f"found {found}, expected one for CUSTOM, else none")
    if action == "CUSTOM":
        for index, rule in enumerate(_mappings(rules)):
            for used in sorted(filter(_NOT_CUSTOM.fullmatch, _used(rule))):
                faults.add(f"{path}.rules[{index}]", f"found {used}, which CUSTOM does not take")


def _used(rule: Mapping[str, Any]) -> set[str]:
    """The fields of the sources and the attributes of the conditions in a rule."""
    sources = _mappings([one.get("source") for one in _mappings(rule.get("from"))])
    keys = [condition.get("key") for condition in _mappings(rule.get("when"))]
    return {field for source in sources for field in source} | {
        key for key in keys if isinstance(key, str)
    }


def _mappings(values: object) -> list[Mapping[str, Any]]:
    """The mappings in a list, of which each may be anything."""
    listed = values if isinstance(values, list | tuple) else ()
    return [one for one in listed if isinstance(one, Mapping)]


def _check_jwt_rule(faults: valid.Faults, path: str, rule: Mapping[str, Any]) -> None:
    if not rule.keys() & {"issuer", "jwksUri"}:
        faults.add(path, "found neither issuer nor jwksUri, expected one of them")
    if rule.keys() >= {"jwks", "jwksUri"}:
        faults.add(path, "found both jwks and jwksUri, expected one of them")


def _check_names(faults: valid.Faults, path: str, args: Mapping[str, Any]) -> None:
    del path  # it is the root
    taken = {WAYPOINT_ONLY}
    policies = cast("list[PolicyArgs]", _mappings(args.get("policies")))
    for index, (label, _) in enumerate(named(policies)):
        if label in taken:
            faults.add(f"policies[{index}].name", f"found {label!r}, which is taken already")
        taken.add(label)


def _jwks(value: object) -> str | None:
    expected = "a JSON Web Key Set like '{\"keys\": [...]}', public keys only"
    try:
        keys = json.loads(str(value))["keys"]
    except (ValueError, TypeError, KeyError):
        return expected
    if isinstance(keys, list) and keys and all(isinstance(k, dict) and "d" not in k for k in keys):
        return None
    return expected


def _url(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        return None
    return "a URL that starts with 'https://' or 'http://'"


def _header(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[-_A-Za-z0-9]+", value):
        return None
    return "the name of a header: letters, digits, '-' and '_'"


SCHEMA = Schema(
    {
        AuthorizationArgs: {
            "name": valid.dns_label,
            "namespace": valid.dns_label,
            "service": valid.dns_label,
            "jwt_rules": valid.some,
            "ready_timeout": valid.seconds,
        },
        PolicyArgs: {"name": valid.dns_label},
        PolicyRule: {"from": valid.some, "to": valid.some, "when": valid.some},
        PolicySource: _lists(PolicySource),
        PolicyOperation: _lists(PolicyOperation),
        ExtensionProvider: {"name": _word},
        RequiredWaypointArgs: {"principal": _identity, "selector": _selector},
        JWTRule: {
            "issuer": _word,
            "jwks": _jwks,
            "jwksUri": _url,
            "audiences[]": _word,
            "fromParams[]": _word,
            "fromCookies[]": _word,
            "spaceDelimitedClaims[]": _word,
        },
        JWTHeader: {"name": _header},
        ClaimToHeader: {"header": _header, "claim": _word},
    },
    {
        AuthorizationArgs: _check_names,
        PolicyArgs: _check_policy,
        PolicySource: _check_source,
        PolicyOperation: _something,
        PolicyCondition: _check_condition,
        JWTRule: _check_jwt_rule,
    },
)
"""What is expected of an `Authorization`, as istiod's own validation has it."""
