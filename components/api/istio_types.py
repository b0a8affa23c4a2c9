"""The specs of Istio's security API and of the Sail operator's installation API.

Keys are the APIs' own camelCase. A field without "from Istio" is part of every version from 1.24
on; what is deprecated has no key.

https://istio.io/latest/docs/reference/config/security/
https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi

# Shared by the kinds of security.istio.io


class WorkloadSelector(TypedDict):
    """Pods chosen by their labels.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#WorkloadSelector
    """

    matchLabels: Mapping[str, pulumi.Input[str]]
    """Labels that a pod has with exactly these values; no wildcards."""


class PolicyTargetReference(TypedDict):
    """What a waypoint or a gateway enforces a policy for, in the namespace of the policy.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#PolicyTargetReference
    """

    group: NotRequired[pulumi.Input[str]]
    """API group (default empty, the core group), `gateway.networking.k8s.io` for a Gateway."""
    kind: pulumi.Input[str]
    """Kind: `Service`, `ServiceEntry`, `Gateway`, or `GatewayClass` in Istio's root namespace."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""


# AuthorizationPolicy


PolicyAction = Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"]
"""What is done with a request that a policy matches.

https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy-Action
"""


class PolicySource(TypedDict):
    """Where a request comes from; all fields that are set hold.

    Of each list one value matches, and of a list `not…` none. Texts may begin or end with `*`,
    and `*` alone is any that is there.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
    """

    principals: NotRequired[Sequence[pulumi.Input[str]]]
    """Identities of the peer, `cluster.local/ns/NAMESPACE/sa/ACCOUNT`, without `spiffe://`."""
    notPrincipals: NotRequired[Sequence[pulumi.Input[str]]]
    """Identities that the peer does not have."""
    requestPrincipals: NotRequired[Sequence[pulumi.Input[str]]]
    """Identities of a JWT, `ISSUER/SUBJECT`; only a waypoint or a gateway knows them."""
    notRequestPrincipals: NotRequired[Sequence[pulumi.Input[str]]]
    """Identities that the JWT does not have."""
    namespaces: NotRequired[Sequence[pulumi.Input[str]]]
    """Namespaces of the peer."""
    notNamespaces: NotRequired[Sequence[pulumi.Input[str]]]
    """Namespaces that the peer is not in."""
    serviceAccounts: NotRequired[Sequence[pulumi.Input[str]]]
    """ServiceAccounts of the peer, `NAMESPACE/ACCOUNT` or an `ACCOUNT` of the policy's namespace,
    at most 16, without wildcards, not beside principals and namespaces (from Istio 1.25)."""
    notServiceAccounts: NotRequired[Sequence[pulumi.Input[str]]]
    """ServiceAccounts that the peer does not have (from Istio 1.25)."""
    trustDomains: NotRequired[Sequence[pulumi.Input[str]]]
    """Trust domains of the peer (from Istio 1.30)."""
    notTrustDomains: NotRequired[Sequence[pulumi.Input[str]]]
    """Trust domains that the peer is not in (from Istio 1.30)."""
    ipBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    """Addresses or CIDRs that packets come from."""
    notIpBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    """Addresses or CIDRs that packets do not come from."""
    remoteIpBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    """Addresses or CIDRs of the original client, by `X-Forwarded-For` or the PROXY protocol."""
    notRemoteIpBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    """Addresses or CIDRs that the original client does not have."""


class PolicyOperation(TypedDict):
    """What a request is for; all fields that are set hold.

    Of each list one value matches, and of a list `not…` none. Texts may begin or end with `*`,
    and `*` alone is any that is there.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
    """

    hosts: NotRequired[Sequence[pulumi.Input[str]]]
    """Host names with their port where the request has it, in any case."""
    notHosts: NotRequired[Sequence[pulumi.Input[str]]]
    """Host names that it does not have."""
    ports: NotRequired[Sequence[pulumi.Input[str]]]
    """Ports as texts: of the Service at a waypoint, of the pod at ztunnel."""
    notPorts: NotRequired[Sequence[pulumi.Input[str]]]
    """Ports that it does not have."""
    methods: NotRequired[Sequence[pulumi.Input[str]]]
    """Methods, upper case; `POST` for gRPC."""
    notMethods: NotRequired[Sequence[pulumi.Input[str]]]
    """Methods that it does not have."""
    paths: NotRequired[Sequence[pulumi.Input[str]]]
    """Paths without the query, `{*}` for one element and `{**}` for any; `/PACKAGE.SERVICE/METHOD`
    for gRPC."""
    notPaths: NotRequired[Sequence[pulumi.Input[str]]]
    """Paths that it does not have."""


class PolicyCondition(TypedDict):
    """A further condition on a request; one of the lists at least is set.

    https://istio.io/latest/docs/reference/config/security/conditions/
    """

    key: pulumi.Input[str]
    """Attribute, such as `request.headers[x-token]` or `request.auth.claims[group]`."""
    values: NotRequired[Sequence[pulumi.Input[str]]]
    """Values of which it has one, as in `PolicyOperation`."""
    notValues: NotRequired[Sequence[pulumi.Input[str]]]
    """Values of which it has none."""


class PolicyFrom(TypedDict):
    """A source of requests.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule-From
    """

    source: PolicySource
    """The source; one field at least is set."""


class PolicyTo(TypedDict):
    """An operation of requests.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule-To
    """

    operation: PolicyOperation
    """The operation; one field at least is set."""


PolicyRule = TypedDict(
    "PolicyRule",
    {
        "from": NotRequired[Sequence[PolicyFrom]],
        "to": NotRequired[Sequence[PolicyTo]],
        "when": NotRequired[Sequence[PolicyCondition]],
    },
)
"""Requests; an empty rule is every one.

- `from`: sources of which one holds, at most 512 (default every source).
- `to`: operations of which one holds (default every operation).
- `when`: conditions that all hold (default none).

https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule
"""


class ExtensionProvider(TypedDict):
    """Who decides for the action `CUSTOM`.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy-ExtensionProvider
    """

    name: pulumi.Input[str]
    """Name of one of the `extensionProviders` of Istio's MeshConfig."""


class AuthorizationPolicySpec(TypedDict):
    """An AuthorizationPolicy; without a target and a selector it is for all of its namespace.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy
    """

    targetRefs: NotRequired[Sequence[PolicyTargetReference]]
    """What waypoints and gateways enforce it for, at most 16; not beside `selector`."""
    selector: NotRequired[WorkloadSelector]
    """Pods for which ztunnel enforces it, which ignores rules on HTTP attributes."""
    action: NotRequired[pulumi.Input[PolicyAction]]
    """What is done with the requests of its rules (default `ALLOW`); ztunnel takes `ALLOW` and
    `DENY` only."""
    provider: NotRequired[ExtensionProvider]
    """Who decides, for `CUSTOM` only."""
    rules: NotRequired[Sequence[PolicyRule]]
    """Rules of which one matches, at most 512; `ALLOW` without any allows nothing."""


# RequestAuthentication


class JWTHeader(TypedDict):
    """A header with a token.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTHeader
    """

    name: pulumi.Input[str]
    """Name of the header."""
    prefix: NotRequired[pulumi.Input[str]]
    """Text in front of the token, with its blank, such as `Bearer ` (default none)."""


class ClaimToHeader(TypedDict):
    """A claim that the service gets as a header.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#ClaimToHeader
    """

    header: pulumi.Input[str]
    """Name of the header: letters, digits, `-` and `_`."""
    claim: pulumi.Input[str]
    """Name of the claim, `.` between nested ones; texts, numbers and booleans only."""


class JWTRule(TypedDict):
    """The tokens of one issuer; at most one of `jwks` and `jwksUri` is set.

    Without any place where tokens are looked for, that is `Authorization: Bearer`, then the
    parameter `access_token`.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTRule
    """

    issuer: NotRequired[pulumi.Input[str]]
    """Claim `iss` of the tokens; may be left out beside `jwksUri`."""
    audiences: NotRequired[Sequence[pulumi.Input[str]]]
    """Claims `aud` of which a token has one (default any)."""
    jwksUri: NotRequired[pulumi.Input[str]]
    """URL of the public keys, `http` or `https` (default by OpenID discovery of the issuer)."""
    jwks: NotRequired[pulumi.Input[str]]
    """The public keys themselves, a JSON Web Key Set (RFC 7517)."""
    fromHeaders: NotRequired[Sequence[JWTHeader]]
    """Headers in which tokens are looked for."""
    fromParams: NotRequired[Sequence[pulumi.Input[str]]]
    """Parameters of the query in which tokens are looked for."""
    fromCookies: NotRequired[Sequence[pulumi.Input[str]]]
    """Cookies in which tokens are looked for."""
    forwardOriginalToken: NotRequired[pulumi.Input[bool]]
    """Whether the service gets the token (default no)."""
    outputPayloadToHeader: NotRequired[pulumi.Input[str]]
    """Header in which the service gets the token's payload, base64url (default none)."""
    outputClaimToHeaders: NotRequired[Sequence[ClaimToHeader]]
    """Claims that the service gets as headers (default none)."""
    timeout: NotRequired[pulumi.Input[str]]
    """Time that fetching the keys may take, at least `1ms` (default `5s`)."""
    spaceDelimitedClaims: NotRequired[Sequence[pulumi.Input[str]]]
    """Claims whose text is a list, beside `scope` and `permission`, at most 64 (from
    Istio 1.28)."""


class RequestAuthenticationSpec(TypedDict):
    """A RequestAuthentication; without a target and a selector it is for all of its namespace.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#RequestAuthentication
    """

    targetRefs: NotRequired[Sequence[PolicyTargetReference]]
    """What waypoints and gateways enforce it for, at most 16; not beside `selector`."""
    selector: NotRequired[WorkloadSelector]
    """Pods with a proxy of their own, sidecars and gateways; ztunnel ignores it."""
    jwtRules: NotRequired[Sequence[JWTRule]]
    """Tokens that are accepted, at most 4096; a request with another one is answered 401, one
    without any passes."""


# Kinds of sailoperator.io, all without a namespace


Profile = Literal[
    "ambient",
    "default",
    "demo",
    "empty",
    "external",
    "openshift",
    "openshift-ambient",
    "preview",
    "remote",
    "stable",
]
"""Sets of values that come with the operator; on OpenShift it adds those for it by itself."""


class UpdateStrategy(TypedDict):
    """How a control plane goes from one version to the next.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/update-strategy/update-strategy.adoc
    """

    type: NotRequired[pulumi.Input[Literal["InPlace", "RevisionBased"]]]
    """`InPlace` (default), the only one for ambient mode: a cluster has one ztunnel."""
    inactiveRevisionDeletionGracePeriodSeconds: NotRequired[pulumi.Input[int]]
    """Seconds that an unused revision is kept (default 30)."""
    updateWorkloads: NotRequired[pulumi.Input[bool]]
    """Whether pods with sidecars are moved to the new revision (default no)."""


class IstioSpec(TypedDict):
    """A control plane.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#istiospec
    """

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`; the CRD lists those that the operator has."""
    namespace: pulumi.Input[str]
    """Namespace of istiod, which has to exist and cannot change."""
    profile: NotRequired[pulumi.Input[Profile]]
    """Set of values below `values` (default `default`)."""
    updateStrategy: NotRequired[UpdateStrategy]
    """How it goes to another version (default in place)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the Helm charts `base` and `istiod`."""


class IstioCNISpec(TypedDict):
    """The node agent that brings pods into the mesh.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#istiocnispec
    """

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`; the CRD lists those that the operator has."""
    namespace: pulumi.Input[str]
    """Namespace of the agents, which has to exist and cannot change."""
    profile: NotRequired[pulumi.Input[Profile]]
    """Set of values below `values` (default `default`)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the Helm chart `istio-cni`."""


class ControlPlaneReference(TypedDict):
    """A control plane.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#targetreference
    """

    kind: pulumi.Input[Literal["Istio", "IstioRevision"]]
    """Kind; of an `Istio` it is the active revision."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""


class ZTunnelSpec(TypedDict):
    """The node proxy.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#ztunnelspec
    """

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`; the CRD lists those that the operator has."""
    namespace: pulumi.Input[str]
    """Namespace of the proxies, which has to exist."""
    targetRef: NotRequired[ControlPlaneReference]
    """Control plane whose `global`, `meshConfig` and `revision` it takes over (default none)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the Helm chart `ztunnel`, over those taken over."""
