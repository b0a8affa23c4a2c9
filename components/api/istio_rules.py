"""What istiod demands of policies and telemetry beyond their generated types and limits.

https://istio.io/latest/docs/reference/config/security/
https://istio.io/latest/docs/reference/config/telemetry/
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import all_of, by, each, given, of_api, one_at_most, some_of
from ..checks.schema import Rule, at
from ..checks.values import Limit, known
from . import istio_types as api

identity = Limit(
    pattern=r"^[^/:]+/ns/[^/*]+/sa/[^/*]+$",
    words="an identity like 'cluster.local/ns/NAMESPACE/sa/WAYPOINT', without 'spiffe://'",
)
"""The identity of one workload, its trust domain left open with `*` at most."""

first_alone = Limit(high=1, reason=", the only one that Istio takes")
"""A list of which Istio takes the first element alone."""


def _addresses(value: object) -> str | None:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return "an address or a CIDR like '10.0.0.0/8'"
    return None


def _port(value: str) -> str | None:
    if value.isdecimal() and valid.port(int(value)) is None:
        return None
    return "a port as a text, from '1' to '65535'"


_WORD = Limit(1)
_ACCOUNT = Limit(
    1, 320, r"^([^/*]+/)?[^/*]+$", "'NAMESPACE/ACCOUNT' or 'ACCOUNT', without wildcards"
)
_PRINCIPAL = Limit(
    pattern="^(?!spiffe:).",
    words="an identity like 'cluster.local/ns/NAMESPACE/sa/ACCOUNT', without 'spiffe://'",
)
_TRUST_DOMAIN = Limit(
    pattern=r"^(\*|\*?[^/*]+|[^/*]+\*)$",
    words="a trust domain like 'cluster.local', '*' at one end allowed",
)
_URL = Limit(
    pattern=r"^https?://[^/\s]+(/\S*)?$", words="a URL that starts with 'https://' or 'http://'"
)

_VALUES: dict[str, valid.Check] = {
    "principals": _PRINCIPAL,
    "serviceAccounts": _ACCOUNT,
    "trustDomains": _TRUST_DOMAIN,
    "ipBlocks": _addresses,
    "remoteIpBlocks": _addresses,
    "ports": _port,
    "methods": Limit(pattern=r"^[A-Z*][-A-Z0-9_*]*$", words="a method in upper case, like 'GET'"),
    "paths": Limit(
        pattern=r"^[/*][^?#\s]*$", words="a path that starts with '/' or '*', without query"
    ),
}
"""Checks of the values of a source's and an operation's lists, for the lists `not…` too."""

_ATTRIBUTES: dict[str, valid.Check] = {
    "source.ip": _addresses,
    "remote.ip": _addresses,
    "source.namespace": _WORD,
    "source.serviceAccount": _ACCOUNT,
    "source.principal": _PRINCIPAL,
    "source.trustDomain": _TRUST_DOMAIN,
    "request.auth.principal": _WORD,
    "request.auth.audiences": _WORD,
    "request.auth.presenter": _WORD,
    "destination.ip": _addresses,
    "destination.port": _port,
    "connection.sni": _WORD,
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
    return {f"{field}[]": _VALUES.get(_positive(field), _WORD) for field in shape.__annotations__}


def _check_accounts(faults: Faults, path: str, source: Mapping[str, Any]) -> None:
    fields = {_positive(field) for field in source}
    if "serviceAccounts" in fields and fields & {"principals", "namespaces"}:
        faults.add(path, "found serviceAccounts beside principals or namespaces, expected one sort")


def _check_attribute(faults: Faults, path: str, condition: Mapping[str, Any]) -> None:
    key = condition["key"]
    if not isinstance(key, str):
        return
    check = _WORD if _MAPS.fullmatch(key) else _ATTRIBUTES.get(key)
    if check is None:
        names = (*_ATTRIBUTES, "request.headers[NAME]", "request.auth.claims[NAME]")
        faults.check(f"{path}.key", key, valid.one_of(*names))
        return
    for field in ("values", "notValues"):
        for index, value in enumerate(condition.get(field, ())):
            faults.check(f"{path}.{field}[{index}]", value, check)


def check_policy(faults: Faults, path: str, policy: Mapping[str, Any]) -> None:
    """Record what is wrong between action, rules and provider of a policy."""
    action = policy.get("action", "ALLOW")
    if not known(action):
        return
    if action != "ALLOW" and not given(policy, "rules"):
        faults.add(
            f"{path}.rules",
            f"found none, with which {action} does nothing; [{{}}] makes it be for every request",
        )
    if (action == "CUSTOM") != ("provider" in policy):
        found = "one" if "provider" in policy else "none"
        faults.add(f"{path}.provider", f"found {found}, expected one for CUSTOM, else none")
    if action == "CUSTOM":
        for where, rule in each(path, policy, "rules"):
            sources = [one.get("source", {}) for one in rule.get("from", ())]
            used = {field for source in sources for field in source}
            used |= {str(condition["key"]) for condition in rule.get("when", ())}
            for one in sorted(filter(_NOT_CUSTOM.fullmatch, used)):
                faults.add(where, f"found {one}, which CUSTOM does not take")


def _jwks(value: object) -> str | None:
    expected = "a JSON Web Key Set like '{\"keys\": [...]}', public keys only"
    try:
        keys = json.loads(str(value))["keys"]
    except (ValueError, TypeError, KeyError):
        return expected
    if isinstance(keys, list) and keys and all(isinstance(k, dict) and "d" not in k for k in keys):
        return None
    return expected


def _required(field: str) -> Rule:
    """A field without which istiod refuses the object, though its schema does not."""

    def check(faults: Faults, path: str, value: Mapping[str, Any]) -> None:
        if field not in value:
            faults.add(at(path, field), "found nothing, expected it: Istio demands it")

    return check


_one_target = one_at_most("targetRefs", "targetRef", "selector")

SCHEMA = of_api(
    api.LIMITS,
    api.DISTINCT,
    {
        api.AuthorizationPolicySpec: all_of(_one_target, check_policy),
        api.RequestAuthenticationSpec: _one_target,
        api.ExtensionProvider: _required("name"),
        api.WorkloadSelector: _required("matchLabels"),
        api.PolicyFrom: _required("source"),
        api.PolicyTo: _required("operation"),
        api.PolicySource: all_of(some_of(*api.PolicySource.__annotations__), _check_accounts),
        api.PolicyOperation: some_of(*api.PolicyOperation.__annotations__),
        api.PolicyCondition: all_of(some_of("values", "notValues"), _check_attribute),
        api.JWTRule: all_of(some_of("issuer", "jwksUri"), one_at_most("jwks", "jwksUri")),
        api.TelemetrySpec: _one_target,
        api.AccessLoggingFilter: _required("expression"),
        api.MetricSelector: one_at_most("metric", "customMetric"),
        api.MetricsOverridesTagOverride: by(
            "operation",
            "UPSERT",
            needs={"UPSERT": ["value"]},
            takes={"REMOVE": {"value": valid.nothing("REMOVE takes none")}},
        ),
        api.TracingCustomTag: all_of(
            some_of(*api.TracingCustomTag.__annotations__),
            one_at_most(*api.TracingCustomTag.__annotations__),
        ),
    },
).extended(
    {
        api.WorkloadSelector: {
            "matchLabels": valid.some,
            "matchLabels{}": valid.label_key,
            "matchLabels[]": valid.label_value,
        },
        api.PolicyTargetReference: {
            "namespace": valid.nothing("a target is in the namespace of the policy")
        },
        api.PolicyRule: {"to": valid.some, "when": valid.some, "from": valid.some},
        api.PolicySource: _lists(api.PolicySource),
        api.PolicyOperation: _lists(api.PolicyOperation),
        api.ExtensionProvider: {"name": _WORD},
        api.JWTRule: {"jwks": _jwks, "jwksUri": _URL},
        api.TelemetrySpec: {"tracing": first_alone},
        api.Tracing: {"providers": first_alone},
        api.JWTHeader: {"name": api.LIMITS[api.ClaimToHeader]["header"]},
    }
)
"""What is expected of AuthorizationPolicies, RequestAuthentications and Telemetries."""
