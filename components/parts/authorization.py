"""Who may send what to a service or a gateway: authorization and request authentication."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from ..api.gateway import GROUP, ObjectMeta, timeouts, wait_for
from ..api.istio import (
    SERVICE_GROUPS,
    AuthorizationPolicy,
    RequestAuthentication,
    ServiceKind,
)
from ..api.istio_rules import SCHEMA as ISTIO
from ..api.istio_rules import check_policy, identity
from ..api.istio_types import (
    AuthorizationPolicySpec,
    ExtensionProvider,
    JWTRule,
    PolicyAction,
    PolicyRule,
    PolicySource,
    PolicyTargetReference,
)
from ..api.outputs import after
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import all_of, one_at_most, some_of
from ..checks.schema import at, trusted


class PolicyArgs(TypedDict):
    """A policy that a waypoint or a gateway enforces.

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
    """Who decides, for `CUSTOM` only: one of the `extensionProviders` of the mesh's configuration,
    the same one in all policies of a list.

    https://istio.io/latest/docs/tasks/security/authorization/authz-custom/"""


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
    """Policies that are enforced (default none, which allows every request)."""
    jwt_rules: NotRequired[Sequence[JWTRule]]
    """Tokens that are accepted (default none looked at). A request with another token is answered
    401; one without any passes, unless a policy demands `requestPrincipals`.

    https://istio.io/latest/docs/reference/config/security/request_authentication/"""
    required_waypoint: NotRequired[RequiredWaypointArgs]
    """Makes ztunnel refuse what comes from anybody but the waypoint (default: what bypasses the
    waypoint is not judged at all); for a `service` only."""


class AuthorizationArgs(AuthorizationOptions):
    """What an `Authorization` is made of."""

    name: pulumi.Input[str]
    """What the names of its objects begin with."""
    namespace: pulumi.Input[str]
    """Namespace of the objects, that of the Service and its pods, or of the Gateway."""
    service: NotRequired[pulumi.Input[str]]
    """Service whose requests its waypoint judges."""
    gateway: NotRequired[pulumi.Input[str]]
    """Gateway that judges all of its requests, instead of a `service`."""
    service_kind: NotRequired[ServiceKind]
    """`ServiceEntry` where that is one outside the mesh (default `Service`)."""
    ready_timeout: NotRequired[int]
    """Seconds that each policy may take to be accepted (default 300)."""


class Authorization(pulumi.ComponentResource):
    """The rules for one service, at its waypoint and at the ztunnel of its pods, or for a gateway.

    Ready when istiod has bound every policy to a waypoint or sent it to ztunnel; on a
    RequestAuthentication, and what is for a gateway, it reports nothing. Raises `InvalidInput` with
    every fault of `args` before anything is registered.

    https://istio.io/latest/docs/ambient/usage/l7-features/
    """

    name: pulumi.Output[str]
    """What the names of its objects begin with, known once all policies are in force."""
    definition: list[dict[str, Any]]
    """The objects as given."""

    def __init__(
        self, name: str, args: AuthorizationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Authorization {name!r}", args, AuthorizationArgs)
        super().__init__("ambient:index:Authorization", name, None, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        )
        targets, accepted = _targets(args)
        with trusted():
            objects: list[AuthorizationPolicy | RequestAuthentication] = [
                AuthorizationPolicy(
                    f"{name}-policy-{label}",
                    _metadata(args, label, *accepted),
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
                source: PolicySource = {"principals": [required["principal"]]}
                objects.append(
                    AuthorizationPolicy(
                        f"{name}-{WAYPOINT_ONLY}",
                        _metadata(args, WAYPOINT_ONLY, "condition=ZtunnelAccepted"),
                        {
                            "selector": {"matchLabels": required["selector"]},
                            "action": "ALLOW",
                            "rules": [{"from": [{"source": source}]}],
                        },
                        inside,
                    )
                )
        self.name = after(args["name"], *(resource.urn for resource in objects))
        self.definition = [resource.definition for resource in objects]
        self.register_outputs({"name": self.name})


WAYPOINT_ONLY = "waypoint-only"
"""Name of the policy of `required_waypoint`."""


def _targets(args: AuthorizationArgs) -> tuple[list[PolicyTargetReference], list[str]]:
    """What policies are for, and the conditions on which they are in force."""
    if "gateway" in args:
        return [{"group": GROUP, "kind": "Gateway", "name": args["gateway"]}], []
    kind = args.get("service_kind", "Service")
    service: PolicyTargetReference = {
        "group": SERVICE_GROUPS[kind],
        "kind": kind,
        "name": args["service"],
    }
    return [service], ["condition=WaypointAccepted"]


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


def check_policy_names(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Record policies whose names are taken."""
    taken = {WAYPOINT_ONLY}
    for index, (label, _) in enumerate(named(args.get("policies", ()))):
        if label in taken:
            where = at(path, f"policies[{index}].name")
            faults.add(where, f"found {label!r}, which is taken already")
        taken.add(label)


def check_provider(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Record policies with another provider than the first: istiod makes them refuse everything."""
    found = [
        (index, name)
        for index, policy in enumerate(args.get("policies", ()))
        if isinstance(name := policy.get("provider", {}).get("name"), str)
    ]
    for index, name in found:
        if name != found[0][1]:
            faults.add(
                at(path, f"policies[{index}].provider.name"),
                f"found {name!r}, expected {found[0][1]!r} as in policies[{found[0][0]}]: with a"
                " second provider Istio refuses every request that either is asked about",
            )


SCHEMA = ISTIO.extended(
    {
        AuthorizationArgs: {
            "name": valid.dns_label,
            "namespace": valid.dns_label,
            "service": valid.dns_label,
            "gateway": valid.dns_label,
            "jwt_rules": valid.some,
            "ready_timeout": valid.seconds,
        },
        PolicyArgs: {"name": valid.dns_label},
        RequiredWaypointArgs: {
            "principal": identity,
            "selector": valid.some,
            "selector{}": valid.label_key,
            "selector[]": valid.label_value,
        },
    },
    {
        AuthorizationArgs: all_of(
            check_policy_names,
            check_provider,
            some_of("service", "gateway"),
            one_at_most("service", "gateway"),
            one_at_most("required_waypoint", "gateway"),
        ),
        PolicyArgs: check_policy,
    },
)
"""What is expected of an `Authorization`."""
