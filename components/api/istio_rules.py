"""What istiod demands of policies beyond their generated types and limits.

https://istio.io/latest/docs/reference/config/security/
"""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Rule, Schema, at
from . import istio_types as api


def _word(value: object) -> str | None:
    return None if isinstance(value, str) and value else "a text that is not empty"


def _principal(value: object) -> str | None:
    if isinstance(value, str) and value and not value.startswith("spiffe:"):
        return None
    return "an identity like 'cluster.local/ns/NAMESPACE/sa/ACCOUNT', without 'spiffe://'"


def identity(value: object) -> str | None:
    """The identity of one workload, its trust domain left open with `*` at most."""
    if isinstance(value, str) and re.fullmatch(r"[^/:]+/ns/[^/*]+/sa/[^/*]+", value):
        return None
    return "an identity like 'cluster.local/ns/NAMESPACE/sa/WAYPOINT', without 'spiffe://'"


def selector(value: object) -> str | None:
    """Labels of pods, at least one."""
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


def _something(faults: Faults, path: str, lists: Mapping[str, Any]) -> None:
    if not any(lists.values()):
        faults.add(path, "found nothing in it, expected at least one condition")


def _check_source(faults: Faults, path: str, source: Mapping[str, Any]) -> None:
    _something(faults, path, source)
    fields = {_positive(field) for field in source}
    if "serviceAccounts" in fields and fields & {"principals", "namespaces"}:
        faults.add(path, "found serviceAccounts beside principals or namespaces, expected one sort")


def _check_condition(faults: Faults, path: str, condition: Mapping[str, Any]) -> None:
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


def check_policy(faults: Faults, path: str, policy: Mapping[str, Any]) -> None:
    """Record what is wrong between action, rules and provider of a policy."""
    action, rules = policy.get("action", "ALLOW"), policy.get("rules", ())
    if action != "ALLOW" and isinstance(rules, Sequence) and not rules:
        faults.add(
            f"{path}.rules",
            f"found none, with which {action} does nothing; [{{}}] makes it be for every request",
        )
    if (action == "CUSTOM") != ("provider" in policy):
        found = "one" if "provider" in policy else "none"
        faults.add(f"{path}.provider", f"found {found}, expected one for CUSTOM, else none")
    if action == "CUSTOM":
        for index, rule in enumerate(mappings(rules)):
            for used in sorted(filter(_NOT_CUSTOM.fullmatch, _used(rule))):
                faults.add(f"{path}.rules[{index}]", f"found {used}, which CUSTOM does not take")


def _used(rule: Mapping[str, Any]) -> set[str]:
    """The fields of the sources and the attributes of the conditions in a rule."""
    sources = mappings([one.get("source") for one in mappings(rule.get("from"))])
    keys = [condition.get("key") for condition in mappings(rule.get("when"))]
    return {field for source in sources for field in source} | {
        key for key in keys if isinstance(key, str)
    }


def mappings(values: object) -> list[Mapping[str, Any]]:
    """The mappings in a list, of which each may be anything."""
    listed = values if isinstance(values, list | tuple) else ()
    return [one for one in listed if isinstance(one, Mapping)]


def _check_jwt_rule(faults: Faults, path: str, rule: Mapping[str, Any]) -> None:
    if not rule.keys() & {"issuer", "jwksUri"}:
        faults.add(path, "found neither issuer nor jwksUri, expected one of them")
    if rule.keys() >= {"jwks", "jwksUri"}:
        faults.add(path, "found both jwks and jwksUri, expected one of them")


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


def _required(*fields: str) -> Rule:
    """Fields without which istiod refuses the object, though its schema does not."""

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        for field in fields:
            if field not in value:
                faults.add(at(path, field), "found nothing, expected it: Istio demands it")

    return check


def _check_target(faults: Faults, path: str, spec: Mapping[str, Any]) -> None:
    found = [field for field in ("targetRefs", "targetRef", "selector") if field in spec]
    if len(found) > 1:
        faults.add(path, f"found both {' and '.join(found)}, expected one of them")


def _check_authorization(faults: Faults, path: str, spec: Mapping[str, Any]) -> None:
    _check_target(faults, path, spec)
    check_policy(faults, path, spec)


SCHEMA = Schema(
    api.LIMITS,
    {
        api.AuthorizationPolicySpec: _check_authorization,
        api.RequestAuthenticationSpec: _check_target,
        api.ExtensionProvider: _required("name"),
        api.WorkloadSelector: _required("matchLabels"),
        api.PolicyFrom: _required("source"),
        api.PolicyTo: _required("operation"),
        api.PolicySource: _check_source,
        api.PolicyOperation: _something,
        api.PolicyCondition: _check_condition,
        api.JWTRule: _check_jwt_rule,
    },
    distinct=api.DISTINCT,
).extended(
    {
        api.WorkloadSelector: {"matchLabels": selector},
        api.PolicyTargetReference: {
            "namespace": valid.nothing("a target is in the namespace of the policy")
        },
        api.PolicyRule: {"to": valid.some, "when": valid.some, "from": valid.some},
        api.PolicySource: _lists(api.PolicySource),
        api.PolicyOperation: _lists(api.PolicyOperation),
        api.ExtensionProvider: {"name": _word},
        api.JWTRule: {"jwks": _jwks, "jwksUri": _url},
        api.JWTHeader: {"name": api.LIMITS[api.ClaimToHeader]["header"]},
    }
)
"""What is expected of AuthorizationPolicies and RequestAuthentications."""
