"""The objects of Istio's security and telemetry APIs.

Made by `python -m generate api` from the CustomResourceDefinitions of istio.io/api
v1.24.2, v1.25.5, v1.26.4, v1.27.3, v1.28.2, v1.29.1, v1.30.8, v1.31.4, v1.32.0; not to be
changed by hand.

Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not
said to be of later releases is part of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases

PolicyAction = Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"]


class ExtensionProvider(TypedDict):
    """`spec.provider` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy-ExtensionProvider
    """

    name: NotRequired[pulumi.Input[str]]


class PolicySource(TypedDict):
    """`spec.rules[].from[].source` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
    """

    principals: NotRequired[Sequence[pulumi.Input[str]]]
    notPrincipals: NotRequired[Sequence[pulumi.Input[str]]]
    requestPrincipals: NotRequired[Sequence[pulumi.Input[str]]]
    notRequestPrincipals: NotRequired[Sequence[pulumi.Input[str]]]
    namespaces: NotRequired[Sequence[pulumi.Input[str]]]
    notNamespaces: NotRequired[Sequence[pulumi.Input[str]]]
    serviceAccounts: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 16 elements; each: at most 320 characters; from Istio 1.25."""
    notServiceAccounts: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 16 elements; each: at most 320 characters; from Istio 1.25."""
    ipBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    notIpBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    remoteIpBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    notRemoteIpBlocks: NotRequired[Sequence[pulumi.Input[str]]]
    trustDomains: NotRequired[Sequence[pulumi.Input[str]]]
    """From Istio 1.30."""
    notTrustDomains: NotRequired[Sequence[pulumi.Input[str]]]
    """From Istio 1.30."""


class PolicyFrom(TypedDict):
    """`spec.rules[].from[]` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule-From
    """

    source: NotRequired[PolicySource]


class PolicyOperation(TypedDict):
    """`spec.rules[].to[].operation` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
    """

    hosts: NotRequired[Sequence[pulumi.Input[str]]]
    notHosts: NotRequired[Sequence[pulumi.Input[str]]]
    ports: NotRequired[Sequence[pulumi.Input[str]]]
    notPorts: NotRequired[Sequence[pulumi.Input[str]]]
    methods: NotRequired[Sequence[pulumi.Input[str]]]
    notMethods: NotRequired[Sequence[pulumi.Input[str]]]
    paths: NotRequired[Sequence[pulumi.Input[str]]]
    notPaths: NotRequired[Sequence[pulumi.Input[str]]]


class PolicyTo(TypedDict):
    """`spec.rules[].to[]` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule-To
    """

    operation: NotRequired[PolicyOperation]


class PolicyCondition(TypedDict):
    """`spec.rules[].when[]` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#Condition
    """

    key: pulumi.Input[str]
    values: NotRequired[Sequence[pulumi.Input[str]]]
    notValues: NotRequired[Sequence[pulumi.Input[str]]]


PolicyRule = TypedDict(
    "PolicyRule",
    {
        "from": NotRequired[Sequence[PolicyFrom]],
        "to": NotRequired[Sequence[PolicyTo]],
        "when": NotRequired[Sequence[PolicyCondition]],
    },
)
"""`spec.rules[]` of AuthorizationPolicy.

- `from`: At most 512 elements.

https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule
"""


class WorkloadSelector(TypedDict):
    """`spec.selector` of AuthorizationPolicy and RequestAuthentication and Telemetry.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#WorkloadSelector
    """

    matchLabels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 4096 elements; each: at most 63 characters."""


class PolicyTargetReference(TypedDict):
    """`spec.targetRef` of AuthorizationPolicy and RequestAuthentication and Telemetry.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#PolicyTargetReference
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]


class AuthorizationPolicySpec(TypedDict):
    """`spec` of AuthorizationPolicy.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy
    """

    selector: NotRequired[WorkloadSelector]
    targetRef: NotRequired[PolicyTargetReference]
    targetRefs: NotRequired[Sequence[PolicyTargetReference]]
    """At most 16 elements."""
    rules: NotRequired[Sequence[PolicyRule]]
    """At most 512 elements."""
    action: NotRequired[pulumi.Input[PolicyAction]]
    provider: NotRequired[ExtensionProvider]


class JWTHeader(TypedDict):
    """`spec.jwtRules[].fromHeaders[]` of RequestAuthentication.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTHeader
    """

    name: pulumi.Input[str]
    """At least 1 character."""
    prefix: NotRequired[pulumi.Input[str]]


class ClaimToHeader(TypedDict):
    """`spec.jwtRules[].outputClaimToHeaders[]` of RequestAuthentication.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#ClaimToHeader
    """

    header: pulumi.Input[str]
    """Letters, digits, '-' and '_', at least 1 character."""
    claim: pulumi.Input[str]
    """At least 1 character."""


class JWTRule(TypedDict):
    """`spec.jwtRules[]` of RequestAuthentication.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTRule
    """

    issuer: NotRequired[pulumi.Input[str]]
    """At least 1 character."""
    audiences: NotRequired[Sequence[pulumi.Input[str]]]
    """Each: at least 1 character."""
    jwksUri: NotRequired[pulumi.Input[str]]
    """1 to 2048 characters."""
    jwks: NotRequired[pulumi.Input[str]]
    fromHeaders: NotRequired[Sequence[JWTHeader]]
    fromParams: NotRequired[Sequence[pulumi.Input[str]]]
    """Each: at least 1 character."""
    outputPayloadToHeader: NotRequired[pulumi.Input[str]]
    fromCookies: NotRequired[Sequence[pulumi.Input[str]]]
    """Each: at least 1 character."""
    forwardOriginalToken: NotRequired[pulumi.Input[bool]]
    outputClaimToHeaders: NotRequired[Sequence[ClaimToHeader]]
    timeout: NotRequired[pulumi.Input[str]]
    spaceDelimitedClaims: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements; each: at least 1 character; from Istio 1.28."""
    presence: NotRequired[pulumi.Input[Literal["OPTIONAL", "REQUIRED"]]]
    """From Istio 1.32."""


class RequestAuthenticationSpec(TypedDict):
    """`spec` of RequestAuthentication.

    https://istio.io/latest/docs/reference/config/security/request_authentication/#RequestAuthentication
    """

    selector: NotRequired[WorkloadSelector]
    targetRef: NotRequired[PolicyTargetReference]
    targetRefs: NotRequired[Sequence[PolicyTargetReference]]
    """At most 16 elements."""
    jwtRules: NotRequired[Sequence[JWTRule]]
    """At most 4096 elements."""


class AccessLoggingFilter(TypedDict):
    """`spec.accessLogging[].filter` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging-Filter
    """

    expression: NotRequired[pulumi.Input[str]]


class AccessLoggingLogSelector(TypedDict):
    """`spec.accessLogging[].match` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging-LogSelector
    """

    mode: NotRequired[pulumi.Input[Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]]]


class ProviderRef(TypedDict):
    """`spec.metrics[].providers[]` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#ProviderRef
    """

    name: pulumi.Input[str]
    """At least 1 character."""


class AccessLogging(TypedDict):
    """`spec.accessLogging[]` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging
    """

    match: NotRequired[AccessLoggingLogSelector]
    providers: NotRequired[Sequence[ProviderRef]]
    disabled: NotRequired[pulumi.Input[bool]]
    filter: NotRequired[AccessLoggingFilter]


class MetricSelector(TypedDict):
    """`spec.metrics[].overrides[].match` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#MetricSelector
    """

    mode: NotRequired[pulumi.Input[Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]]]
    metric: NotRequired[
        pulumi.Input[
            Literal[
                "ALL_METRICS",
                "REQUEST_COUNT",
                "REQUEST_DURATION",
                "REQUEST_SIZE",
                "RESPONSE_SIZE",
                "TCP_OPENED_CONNECTIONS",
                "TCP_CLOSED_CONNECTIONS",
                "TCP_SENT_BYTES",
                "TCP_RECEIVED_BYTES",
                "GRPC_REQUEST_MESSAGES",
                "GRPC_RESPONSE_MESSAGES",
            ]
        ]
    ]
    customMetric: NotRequired[pulumi.Input[str]]
    """At least 1 character."""


class MetricsOverridesTagOverride(TypedDict):
    """`spec.metrics[].overrides[].tagOverrides{}` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#MetricsOverrides-TagOverride
    """

    operation: NotRequired[pulumi.Input[Literal["UPSERT", "REMOVE"]]]
    value: NotRequired[pulumi.Input[str]]


class MetricsOverrides(TypedDict):
    """`spec.metrics[].overrides[]` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#MetricsOverrides
    """

    match: NotRequired[MetricSelector]
    disabled: NotRequired[pulumi.Input[bool]]
    tagOverrides: NotRequired[Mapping[str, MetricsOverridesTagOverride]]


class Metrics(TypedDict):
    """`spec.metrics[]` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Metrics
    """

    providers: NotRequired[Sequence[ProviderRef]]
    overrides: NotRequired[Sequence[MetricsOverrides]]
    reportingInterval: NotRequired[pulumi.Input[str]]


class TracingEnvironment(TypedDict):
    """`spec.tracing[].customTags{}.environment` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing-Environment
    """

    name: pulumi.Input[str]
    """At least 1 character."""
    defaultValue: NotRequired[pulumi.Input[str]]


class TracingRequestHeader(TypedDict):
    """`spec.tracing[].customTags{}.header` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing-RequestHeader
    """

    name: pulumi.Input[str]
    """At least 1 character."""
    defaultValue: NotRequired[pulumi.Input[str]]


class TracingLiteral(TypedDict):
    """`spec.tracing[].customTags{}.literal` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing-Literal
    """

    value: pulumi.Input[str]
    """At least 1 character."""


class TracingFormatter(TypedDict):
    """`spec.tracing[].customTags{}.formatter` of Telemetry; from Istio 1.29.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing-Formatter
    """

    value: pulumi.Input[str]
    """At least 1 character."""


class TracingCustomTag(TypedDict):
    """`spec.tracing[].customTags{}` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing-CustomTag
    """

    literal: NotRequired[TracingLiteral]
    environment: NotRequired[TracingEnvironment]
    header: NotRequired[TracingRequestHeader]
    formatter: NotRequired[TracingFormatter]
    """From Istio 1.29."""


class TracingTracingSelector(TypedDict):
    """`spec.tracing[].match` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing-TracingSelector
    """

    mode: NotRequired[pulumi.Input[Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]]]


class Tracing(TypedDict):
    """`spec.tracing[]` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Tracing
    """

    match: NotRequired[TracingTracingSelector]
    providers: NotRequired[Sequence[ProviderRef]]
    randomSamplingPercentage: NotRequired[pulumi.Input[float]]
    """0 to 100."""
    disableSpanReporting: NotRequired[pulumi.Input[bool]]
    customTags: NotRequired[Mapping[str, TracingCustomTag]]
    useRequestIdForTraceSampling: NotRequired[pulumi.Input[bool]]
    enableIstioTags: NotRequired[pulumi.Input[bool]]
    """From Istio 1.25."""
    disableContextPropagation: NotRequired[pulumi.Input[bool]]
    """From Istio 1.30."""


class TelemetrySpec(TypedDict):
    """`spec` of Telemetry.

    https://istio.io/latest/docs/reference/config/telemetry/#Telemetry
    """

    selector: NotRequired[WorkloadSelector]
    targetRef: NotRequired[PolicyTargetReference]
    targetRefs: NotRequired[Sequence[PolicyTargetReference]]
    """At most 16 elements."""
    tracing: NotRequired[Sequence[Tracing]]
    metrics: NotRequired[Sequence[Metrics]]
    accessLogging: NotRequired[Sequence[AccessLogging]]


_GROUP = (
    "^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "an API group like 'apps.example.com', or '' for the core group",
)
_KIND = ("^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", "a kind like 'Service'")
_WORD = ("^[-_A-Za-z0-9]+$", "letters, digits, '-' and '_'")

LIMITS: Mapping[type, Mapping[str, Limit]] = {
    PolicySource: {
        "serviceAccounts": Limit(high=16),
        "serviceAccounts[]": Limit(high=320),
        "notServiceAccounts": Limit(high=16),
        "notServiceAccounts[]": Limit(high=320),
    },
    PolicyRule: {"from": Limit(high=512)},
    WorkloadSelector: {"matchLabels": Limit(high=4096), "matchLabels[]": Limit(high=63)},
    PolicyTargetReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
    },
    AuthorizationPolicySpec: {"targetRefs": Limit(high=16), "rules": Limit(high=512)},
    JWTHeader: {"name": Limit(low=1)},
    ClaimToHeader: {"header": Limit(1, None, *_WORD), "claim": Limit(low=1)},
    JWTRule: {
        "issuer": Limit(low=1),
        "audiences[]": Limit(low=1),
        "jwksUri": Limit(low=1, high=2048),
        "fromParams[]": Limit(low=1),
        "fromCookies[]": Limit(low=1),
        "spaceDelimitedClaims": Limit(high=64),
        "spaceDelimitedClaims[]": Limit(low=1),
    },
    RequestAuthenticationSpec: {"targetRefs": Limit(high=16), "jwtRules": Limit(high=4096)},
    ProviderRef: {"name": Limit(low=1)},
    MetricSelector: {"customMetric": Limit(low=1)},
    TracingEnvironment: {"name": Limit(low=1)},
    TracingRequestHeader: {"name": Limit(low=1)},
    TracingLiteral: {"value": Limit(low=1)},
    TracingFormatter: {"value": Limit(low=1)},
    Tracing: {"randomSamplingPercentage": Limit(low=0, high=100)},
    TelemetrySpec: {"targetRefs": Limit(high=16)},
}
"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {}
"""Lists, and the key that no two elements have in common; empty for all of them."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {
    ExtensionProvider: {"authorizationpolicies.security.istio.io/v1": ["spec.provider"]},
    PolicySource: {"authorizationpolicies.security.istio.io/v1": ["spec.rules[].from[].source"]},
    PolicyFrom: {"authorizationpolicies.security.istio.io/v1": ["spec.rules[].from[]"]},
    PolicyOperation: {
        "authorizationpolicies.security.istio.io/v1": ["spec.rules[].to[].operation"]
    },
    PolicyTo: {"authorizationpolicies.security.istio.io/v1": ["spec.rules[].to[]"]},
    PolicyCondition: {"authorizationpolicies.security.istio.io/v1": ["spec.rules[].when[]"]},
    PolicyRule: {"authorizationpolicies.security.istio.io/v1": ["spec.rules[]"]},
    WorkloadSelector: {
        "authorizationpolicies.security.istio.io/v1": ["spec.selector"],
        "requestauthentications.security.istio.io/v1": ["spec.selector"],
        "telemetries.telemetry.istio.io/v1": ["spec.selector"],
    },
    PolicyTargetReference: {
        "authorizationpolicies.security.istio.io/v1": ["spec.targetRef", "spec.targetRefs[]"],
        "requestauthentications.security.istio.io/v1": ["spec.targetRef", "spec.targetRefs[]"],
        "telemetries.telemetry.istio.io/v1": ["spec.targetRef", "spec.targetRefs[]"],
    },
    AuthorizationPolicySpec: {"authorizationpolicies.security.istio.io/v1": ["spec"]},
    JWTHeader: {"requestauthentications.security.istio.io/v1": ["spec.jwtRules[].fromHeaders[]"]},
    ClaimToHeader: {
        "requestauthentications.security.istio.io/v1": ["spec.jwtRules[].outputClaimToHeaders[]"]
    },
    JWTRule: {"requestauthentications.security.istio.io/v1": ["spec.jwtRules[]"]},
    RequestAuthenticationSpec: {"requestauthentications.security.istio.io/v1": ["spec"]},
    AccessLoggingFilter: {"telemetries.telemetry.istio.io/v1": ["spec.accessLogging[].filter"]},
    AccessLoggingLogSelector: {"telemetries.telemetry.istio.io/v1": ["spec.accessLogging[].match"]},
    ProviderRef: {
        "telemetries.telemetry.istio.io/v1": [
            "spec.accessLogging[].providers[]",
            "spec.metrics[].providers[]",
            "spec.tracing[].providers[]",
        ]
    },
    AccessLogging: {"telemetries.telemetry.istio.io/v1": ["spec.accessLogging[]"]},
    MetricSelector: {"telemetries.telemetry.istio.io/v1": ["spec.metrics[].overrides[].match"]},
    MetricsOverridesTagOverride: {
        "telemetries.telemetry.istio.io/v1": ["spec.metrics[].overrides[].tagOverrides{}"]
    },
    MetricsOverrides: {"telemetries.telemetry.istio.io/v1": ["spec.metrics[].overrides[]"]},
    Metrics: {"telemetries.telemetry.istio.io/v1": ["spec.metrics[]"]},
    TracingEnvironment: {
        "telemetries.telemetry.istio.io/v1": ["spec.tracing[].customTags{}.environment"]
    },
    TracingRequestHeader: {
        "telemetries.telemetry.istio.io/v1": ["spec.tracing[].customTags{}.header"]
    },
    TracingLiteral: {"telemetries.telemetry.istio.io/v1": ["spec.tracing[].customTags{}.literal"]},
    TracingFormatter: {
        "telemetries.telemetry.istio.io/v1": ["spec.tracing[].customTags{}.formatter"]
    },
    TracingCustomTag: {"telemetries.telemetry.istio.io/v1": ["spec.tracing[].customTags{}"]},
    TracingTracingSelector: {"telemetries.telemetry.istio.io/v1": ["spec.tracing[].match"]},
    Tracing: {"telemetries.telemetry.istio.io/v1": ["spec.tracing[]"]},
    TelemetrySpec: {"telemetries.telemetry.istio.io/v1": ["spec"]},
}
"""Where objects of a class stand: CustomResourceDefinition and version, paths."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {
    PolicySource: {
        "serviceAccounts": Releases(standard="1.25"),
        "notServiceAccounts": Releases(standard="1.25"),
        "trustDomains": Releases(standard="1.30"),
        "notTrustDomains": Releases(standard="1.30"),
    },
    JWTRule: {
        "spaceDelimitedClaims": Releases(standard="1.28"),
        "presence": Releases(standard="1.32"),
    },
    TracingFormatter: {"": Releases(standard="1.29")},
    TracingCustomTag: {"formatter": Releases(standard="1.29")},
    Tracing: {
        "enableIstioTags": Releases(standard="1.25"),
        "disableContextPropagation": Releases(standard="1.30"),
    },
}
"""Which releases have a field, where not all do; an empty key is for the whole class."""
