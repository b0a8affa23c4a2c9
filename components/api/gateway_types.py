"""The objects of the Gateway API.

Made by `python -m generate api` from the CustomResourceDefinitions of
sigs.k8s.io/gateway-api v1.2.1, v1.3.0, v1.4.1, v1.5.1, v1.6.3, v1.7.0; not to be changed
by hand.

Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not
said to be of later releases is part of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases


class GatewaySpecAddress(TypedDict):
    """`spec.addresses[]` of Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspecaddress
    """

    type: NotRequired[pulumi.Input[str]]
    """'Hostname', 'IPAddress', 'NamedAddress' or a name like 'example.com/type', 1 to 253
    characters; default `IPAddress`.
    """
    value: NotRequired[pulumi.Input[str]]
    """At most 253 characters."""
    routability: NotRequired[pulumi.Input[str]]
    """At most 253 characters; experimental from v1.7."""


class SecretObjectReference(TypedDict):
    """`spec.tls.backend.clientCertificateRef` of Gateway,
    `spec.listeners[].tls.certificateRefs[]` of ListenerSet.

    https://gateway-api.sigs.k8s.io/reference/spec/#secretobjectreference
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default empty.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Secret`."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""


class GatewayBackendTLS(TypedDict):
    """`spec.tls.backend` of Gateway; from v1.5 (experimental from v1.2).

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewaybackendtls
    """

    clientCertificateRef: NotRequired[SecretObjectReference]


class LocalParametersReference(TypedDict):
    """`spec.infrastructure.parametersRef` of Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#localparametersreference
    """

    group: pulumi.Input[str]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""


class GatewayInfrastructure(TypedDict):
    """`spec.infrastructure` of Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure
    """

    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 8 elements; each: letters, digits, '-', '_' and '.', a letter or digit at both
    ends, at most 63 characters.
    """
    annotations: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 16 elements; each: at most 4096 characters."""
    parametersRef: NotRequired[LocalParametersReference]


class RouteGroupKind(TypedDict):
    """`spec.listeners[].allowedRoutes.kinds[]` of Gateway and ListenerSet.

    https://gateway-api.sigs.k8s.io/reference/spec/#routegroupkind
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default `gateway.networking.k8s.io`.
    """
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""


class LabelSelectorRequirement(TypedDict):
    """`spec.allowedListeners.namespaces.selector.matchExpressions[]` of Gateway,
    `spec.listeners[].allowedRoutes.namespaces.selector.matchExpressions[]` of ListenerSet.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
    """

    key: pulumi.Input[str]
    operator: pulumi.Input[str]
    values: NotRequired[Sequence[pulumi.Input[str]]]


class LabelSelector(TypedDict):
    """`spec.allowedListeners.namespaces.selector` of Gateway,
    `spec.listeners[].allowedRoutes.namespaces.selector` of ListenerSet.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
    """

    matchExpressions: NotRequired[Sequence[LabelSelectorRequirement]]
    matchLabels: NotRequired[Mapping[str, pulumi.Input[str]]]


RouteNamespaces = TypedDict(
    "RouteNamespaces",
    {
        "from": NotRequired[pulumi.Input[Literal["All", "Selector", "Same"]]],
        "selector": NotRequired[LabelSelector],
    },
)
"""`spec.listeners[].allowedRoutes.namespaces` of Gateway and ListenerSet.

- `from`: Default `Same`.

https://gateway-api.sigs.k8s.io/reference/spec/#routenamespaces
"""


class AllowedRoutes(TypedDict):
    """`spec.listeners[].allowedRoutes` of Gateway and ListenerSet.

    https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes
    """

    namespaces: NotRequired[RouteNamespaces]
    kinds: NotRequired[Sequence[RouteGroupKind]]
    """At most 8 elements."""


class ObjectReference(TypedDict):
    """`spec.tls.frontend.default.validation.caCertificateRefs[]` of Gateway; from v1.5
    (experimental from v1.2).

    https://gateway-api.sigs.k8s.io/reference/spec/#objectreference
    """

    group: pulumi.Input[str]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""


class FrontendTLSValidation(TypedDict):
    """`spec.tls.frontend.default.validation` of Gateway; from v1.5 (experimental from v1.2).

    https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsvalidation
    """

    caCertificateRefs: Sequence[ObjectReference]
    """1 to 16 elements."""
    mode: NotRequired[pulumi.Input[Literal["AllowValidOnly", "AllowInsecureFallback"]]]
    """Default `AllowValidOnly`; from v1.5 (experimental from v1.4)."""


class ListenerTLS(TypedDict):
    """`spec.listeners[].tls` of Gateway and ListenerSet.

    https://gateway-api.sigs.k8s.io/reference/spec/#listenertlsconfig
    """

    mode: NotRequired[pulumi.Input[Literal["Terminate", "Passthrough"]]]
    """Default `Terminate`."""
    certificateRefs: NotRequired[Sequence[SecretObjectReference]]
    """At most 64 elements."""
    options: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 16 elements; each: at most 4096 characters."""
    frontendValidation: NotRequired[FrontendTLSValidation]
    """Experimental until v1.3."""


class BackendObjectReference(TypedDict):
    """`spec.rules[].filters[].requestMirror.backendRef` of HTTPRoute and GRPCRoute,
    `spec.listeners[].filters.requests[].externalAuth.backendRef` of Gateway and ListenerSet.

    https://gateway-api.sigs.k8s.io/reference/spec/#backendobjectreference
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default empty.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Service`."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""
    port: NotRequired[pulumi.Input[int]]
    """1 to 65535."""


class GRPCAuthConfig(TypedDict):
    """`spec.rules[].filters[].externalAuth.grpc` of HTTPRoute,
    `spec.listeners[].filters.requests[].externalAuth.grpc` of Gateway and ListenerSet;
    experimental from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcauthconfig
    """

    allowedHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements."""


class HTTPAuthConfig(TypedDict):
    """`spec.rules[].filters[].externalAuth.http` of HTTPRoute,
    `spec.listeners[].filters.requests[].externalAuth.http` of Gateway and ListenerSet;
    experimental from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpauthconfig
    """

    path: NotRequired[pulumi.Input[str]]
    """A path, escaped as in a URL, at most 1024 characters."""
    allowedHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements."""
    allowedResponseHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements."""


class ForwardBodyConfig(TypedDict):
    """`spec.rules[].filters[].externalAuth.forwardBody` of HTTPRoute,
    `spec.listeners[].filters.requests[].externalAuth.forwardBody` of Gateway and ListenerSet;
    experimental from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#forwardbodyconfig
    """

    maxSize: NotRequired[pulumi.Input[int]]
    """0 to 2147483647."""


class HTTPExternalAuthFilter(TypedDict):
    """`spec.rules[].filters[].externalAuth` of HTTPRoute,
    `spec.listeners[].filters.requests[].externalAuth` of Gateway and ListenerSet;
    experimental from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpexternalauthfilter
    """

    protocol: pulumi.Input[Literal["HTTP", "GRPC"]]
    backendRef: BackendObjectReference
    grpc: NotRequired[GRPCAuthConfig]
    http: NotRequired[HTTPAuthConfig]
    forwardBody: NotRequired[ForwardBodyConfig]


class LocalObjectReference(TypedDict):
    """`spec.rules[].filters[].extensionRef` of HTTPRoute and GRPCRoute,
    `spec.validation.caCertificateRefs[]` of BackendTLSPolicy,
    `spec.listeners[].filters.requests[].extensionRef` of Gateway and ListenerSet.

    https://gateway-api.sigs.k8s.io/reference/spec/#localobjectreference
    """

    group: pulumi.Input[str]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""


class ListenerFilter(TypedDict):
    """`spec.listeners[].filters.requests[]` of Gateway and ListenerSet; experimental from v1.7.

    https://gateway-api.sigs.k8s.io/reference/spec/#listenerfilter
    """

    type: pulumi.Input[Literal["ExternalAuth", "ExtensionRef"]]
    externalAuth: NotRequired[HTTPExternalAuthFilter]
    extensionRef: NotRequired[LocalObjectReference]


class ListenerFilters(TypedDict):
    """`spec.listeners[].filters` of Gateway and ListenerSet; experimental from v1.7.

    https://gateway-api.sigs.k8s.io/reference/spec/#listenerfilters
    """

    requests: NotRequired[Sequence[ListenerFilter]]
    """At most 16 elements."""


class Listener(TypedDict):
    """`spec.listeners[]` of Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#listener
    """

    name: pulumi.Input[str]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    hostname: NotRequired[pulumi.Input[str]]
    """A DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path, 1
    to 253 characters.
    """
    port: pulumi.Input[int]
    """1 to 65535."""
    protocol: pulumi.Input[str]
    """A protocol like 'HTTP' or 'example.com/protocol', 1 to 255 characters."""
    tls: NotRequired[ListenerTLS]
    allowedRoutes: NotRequired[AllowedRoutes]
    filters: NotRequired[ListenerFilters]
    """Experimental from v1.7."""


ListenerNamespaces = TypedDict(
    "ListenerNamespaces",
    {
        "from": NotRequired[pulumi.Input[Literal["All", "Selector", "Same", "None"]]],
        "selector": NotRequired[LabelSelector],
    },
)
"""`spec.allowedListeners.namespaces` of Gateway; from v1.5 (experimental from v1.3).

- `from`: Default `None`.

https://gateway-api.sigs.k8s.io/reference/spec/#listenernamespaces
"""


class AllowedListeners(TypedDict):
    """`spec.allowedListeners` of Gateway; from v1.5 (experimental from v1.3).

    https://gateway-api.sigs.k8s.io/reference/spec/#allowedlisteners
    """

    namespaces: NotRequired[ListenerNamespaces]


class TLSConfig(TypedDict):
    """`spec.tls.frontend.default` of Gateway; from v1.5 (experimental from v1.4).

    https://gateway-api.sigs.k8s.io/reference/spec/#tlsconfig
    """

    validation: NotRequired[FrontendTLSValidation]


class TLSPortConfig(TypedDict):
    """`spec.tls.frontend.perPort[]` of Gateway; from v1.5 (experimental from v1.4).

    https://gateway-api.sigs.k8s.io/reference/spec/#tlsportconfig
    """

    port: pulumi.Input[int]
    """1 to 65535."""
    tls: TLSConfig


class FrontendTLSConfig(TypedDict):
    """`spec.tls.frontend` of Gateway; from v1.5 (experimental from v1.4).

    https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsconfig
    """

    default: TLSConfig
    perPort: NotRequired[Sequence[TLSPortConfig]]
    """At most 64 elements."""


class GatewayTLSConfig(TypedDict):
    """`spec.tls` of Gateway; from v1.5 (experimental from v1.4).

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewaytlsconfig
    """

    backend: NotRequired[GatewayBackendTLS]
    frontend: NotRequired[FrontendTLSConfig]


class GatewaySpec(TypedDict):
    """`spec` of Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspec
    """

    gatewayClassName: pulumi.Input[str]
    """1 to 253 characters."""
    listeners: Sequence[Listener]
    """1 to 64 elements."""
    addresses: NotRequired[Sequence[GatewaySpecAddress]]
    """At most 16 elements."""
    infrastructure: NotRequired[GatewayInfrastructure]
    allowedListeners: NotRequired[AllowedListeners]
    """From v1.5 (experimental from v1.3)."""
    tls: NotRequired[GatewayTLSConfig]
    """From v1.5 (experimental from v1.4)."""
    defaultScope: NotRequired[pulumi.Input[Literal["All", "None"]]]
    """Experimental from v1.4."""
    backendTLS: NotRequired[GatewayBackendTLS]
    """Experimental until v1.3."""


class ParentReference(TypedDict):
    """`spec.parentRefs[]` of HTTPRoute and GRPCRoute and TLSRoute and TCPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#parentreference
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default `gateway.networking.k8s.io`.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Gateway`."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    sectionName: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    port: NotRequired[pulumi.Input[int]]
    """1 to 65535."""


class HTTPHeader(TypedDict):
    """`spec.rules[].filters[].requestHeaderModifier.add[]` of HTTPRoute and GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpheader
    """

    name: pulumi.Input[str]
    """A name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters."""
    value: pulumi.Input[str]
    """1 to 4096 characters."""


class HTTPHeaderFilter(TypedDict):
    """`spec.rules[].filters[].requestHeaderModifier` of HTTPRoute and GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpheaderfilter
    """

    set: NotRequired[Sequence[HTTPHeader]]
    """At most 16 elements."""
    add: NotRequired[Sequence[HTTPHeader]]
    """At most 16 elements."""
    remove: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 16 elements."""


class Fraction(TypedDict):
    """`spec.rules[].filters[].requestMirror.fraction` of HTTPRoute and GRPCRoute; from v1.3
    (experimental from v1.2).

    https://gateway-api.sigs.k8s.io/reference/spec/#fraction
    """

    numerator: pulumi.Input[int]
    """0 to 2147483647."""
    denominator: NotRequired[pulumi.Input[int]]
    """1 to 2147483647; default `100`."""


class HTTPRequestMirrorFilter(TypedDict):
    """`spec.rules[].filters[].requestMirror` of HTTPRoute and GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprequestmirrorfilter
    """

    backendRef: BackendObjectReference
    percent: NotRequired[pulumi.Input[int]]
    """0 to 100; from v1.3 (experimental from v1.2)."""
    fraction: NotRequired[Fraction]
    """From v1.3 (experimental from v1.2)."""


class HTTPPathModifier(TypedDict):
    """`spec.rules[].filters[].urlRewrite.path` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier
    """

    type: pulumi.Input[Literal["ReplaceFullPath", "ReplacePrefixMatch"]]
    replaceFullPath: NotRequired[pulumi.Input[str]]
    """At most 1024 characters."""
    replacePrefixMatch: NotRequired[pulumi.Input[str]]
    """At most 1024 characters."""


class HTTPRequestRedirectFilter(TypedDict):
    """`spec.rules[].filters[].requestRedirect` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprequestredirectfilter
    """

    scheme: NotRequired[pulumi.Input[Literal["http", "https"]]]
    hostname: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    path: NotRequired[HTTPPathModifier]
    port: NotRequired[pulumi.Input[int]]
    """1 to 65535."""
    statusCode: NotRequired[pulumi.Input[Literal[301, 302, 303, 307, 308]]]
    """Default `302`; `303`, `307`, `308` from v1.5."""


class HTTPURLRewriteFilter(TypedDict):
    """`spec.rules[].filters[].urlRewrite` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpurlrewritefilter
    """

    hostname: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    path: NotRequired[HTTPPathModifier]


class HTTPCORSFilter(TypedDict):
    """`spec.rules[].filters[].cors` of HTTPRoute; from v1.5 (experimental from v1.3).

    https://gateway-api.sigs.k8s.io/reference/spec/#httpcorsfilter
    """

    allowOrigins: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements; each: an origin like 'https://example.com',
    'https://*.example.com:8443' or '*', 1 to 253 characters.
    """
    allowCredentials: NotRequired[pulumi.Input[bool]]
    allowMethods: NotRequired[
        Sequence[
            pulumi.Input[
                Literal[
                    "GET",
                    "HEAD",
                    "POST",
                    "PUT",
                    "DELETE",
                    "CONNECT",
                    "OPTIONS",
                    "TRACE",
                    "PATCH",
                    "*",
                ]
            ]
        ]
    ]
    """At most 9 elements."""
    allowHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements; each: a name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256
    characters.
    """
    exposeHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 64 elements; each: a name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256
    characters.
    """
    maxAge: NotRequired[pulumi.Input[int]]
    """1 to 2147483647; default `5`."""


class HTTPRouteFilter(TypedDict):
    """`spec.rules[].filters[]` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter
    """

    type: pulumi.Input[
        Literal[
            "RequestHeaderModifier",
            "ResponseHeaderModifier",
            "RequestMirror",
            "RequestRedirect",
            "URLRewrite",
            "ExtensionRef",
            "CORS",
            "ExternalAuth",
        ]
    ]
    """`CORS` from v1.5 (experimental from v1.3); `ExternalAuth` experimental from v1.4."""
    requestHeaderModifier: NotRequired[HTTPHeaderFilter]
    responseHeaderModifier: NotRequired[HTTPHeaderFilter]
    requestMirror: NotRequired[HTTPRequestMirrorFilter]
    requestRedirect: NotRequired[HTTPRequestRedirectFilter]
    urlRewrite: NotRequired[HTTPURLRewriteFilter]
    cors: NotRequired[HTTPCORSFilter]
    """From v1.5 (experimental from v1.3)."""
    externalAuth: NotRequired[HTTPExternalAuthFilter]
    """Experimental from v1.4."""
    extensionRef: NotRequired[LocalObjectReference]


class HTTPBackendRef(TypedDict):
    """`spec.rules[].backendRefs[]` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default empty.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Service`."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""
    port: NotRequired[pulumi.Input[int]]
    """1 to 65535."""
    weight: NotRequired[pulumi.Input[int]]
    """0 to 1000000; default `1`."""
    filters: NotRequired[Sequence[HTTPRouteFilter]]
    """At most 16 elements."""


class HTTPHeaderMatch(TypedDict):
    """`spec.rules[].matches[].headers[]` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpheadermatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "RegularExpression"]]]
    """Default `Exact`."""
    name: pulumi.Input[str]
    """A name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters."""
    value: pulumi.Input[str]
    """1 to 4096 characters."""


class HTTPPathMatch(TypedDict):
    """`spec.rules[].matches[].path` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httppathmatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "PathPrefix", "RegularExpression"]]]
    """Default `PathPrefix`."""
    value: NotRequired[pulumi.Input[str]]
    """At most 1024 characters; default `/`."""


class HTTPQueryParamMatch(TypedDict):
    """`spec.rules[].matches[].queryParams[]` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpqueryparammatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "RegularExpression"]]]
    """Default `Exact`."""
    name: pulumi.Input[str]
    """A name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters."""
    value: pulumi.Input[str]
    """1 to 1024 characters."""


class HTTPRouteMatch(TypedDict):
    """`spec.rules[].matches[]` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch
    """

    path: NotRequired[HTTPPathMatch]
    headers: NotRequired[Sequence[HTTPHeaderMatch]]
    """At most 16 elements."""
    queryParams: NotRequired[Sequence[HTTPQueryParamMatch]]
    """At most 16 elements."""
    method: NotRequired[
        pulumi.Input[
            Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
        ]
    ]


class HTTPRouteRetry(TypedDict):
    """`spec.rules[].retry` of HTTPRoute; from v1.7 (experimental from v1.2).

    https://gateway-api.sigs.k8s.io/reference/spec/#httprouteretry
    """

    codes: NotRequired[Sequence[pulumi.Input[int]]]
    """Each: 400 to 599."""
    attempts: NotRequired[pulumi.Input[int]]
    """At least 0; default `1`."""
    backoff: NotRequired[pulumi.Input[str]]
    """A duration like '1h30m', '10s' or '500ms'."""


class CookieConfig(TypedDict):
    """`spec.rules[].sessionPersistence.cookie` of HTTPRoute and GRPCRoute; experimental.

    https://gateway-api.sigs.k8s.io/reference/spec/#cookieconfig
    """

    name: NotRequired[pulumi.Input[str]]
    """A name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters; experimental from
    v1.7.
    """
    path: NotRequired[pulumi.Input[str]]
    """At most 1024 characters; default `/`; experimental from v1.7."""
    lifetimeType: NotRequired[pulumi.Input[Literal["Permanent", "Session"]]]
    """Default `Session`."""


class HeaderConfig(TypedDict):
    """`spec.rules[].sessionPersistence.header` of HTTPRoute and GRPCRoute; experimental from
    v1.7.

    https://gateway-api.sigs.k8s.io/reference/spec/#headerconfig
    """

    name: pulumi.Input[str]
    """A name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters."""


class SessionPersistence(TypedDict):
    """`spec.rules[].sessionPersistence` of HTTPRoute and GRPCRoute; experimental.

    https://gateway-api.sigs.k8s.io/reference/spec/#sessionpersistence
    """

    absoluteTimeout: NotRequired[pulumi.Input[str]]
    """A duration like '1h30m', '10s' or '500ms'."""
    type: NotRequired[pulumi.Input[Literal["Cookie", "Header"]]]
    """Default `Cookie`."""
    cookie: NotRequired[CookieConfig]
    """Experimental from v1.7."""
    header: NotRequired[HeaderConfig]
    """Experimental from v1.7."""
    sessionName: NotRequired[pulumi.Input[str]]
    """At most 128 characters; experimental until v1.6."""
    cookieConfig: NotRequired[CookieConfig]
    """Experimental until v1.6."""
    idleTimeout: NotRequired[pulumi.Input[str]]
    """A duration like '1h30m', '10s' or '500ms'; experimental until v1.5."""


class HTTPRouteTimeouts(TypedDict):
    """`spec.rules[].timeouts` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutetimeouts
    """

    request: NotRequired[pulumi.Input[str]]
    """A duration like '1h30m', '10s' or '500ms'."""
    backendRequest: NotRequired[pulumi.Input[str]]
    """A duration like '1h30m', '10s' or '500ms'."""


class HTTPRouteRule(TypedDict):
    """`spec.rules[]` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
    """

    name: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters; from v1.4
    (experimental from v1.2).
    """
    matches: NotRequired[Sequence[HTTPRouteMatch]]
    """At most 64 elements."""
    filters: NotRequired[Sequence[HTTPRouteFilter]]
    """At most 16 elements."""
    backendRefs: NotRequired[Sequence[HTTPBackendRef]]
    """At most 16 elements."""
    timeouts: NotRequired[HTTPRouteTimeouts]
    retry: NotRequired[HTTPRouteRetry]
    """From v1.7 (experimental from v1.2)."""
    sessionPersistence: NotRequired[SessionPersistence]
    """Experimental."""


class HTTPRouteSpec(TypedDict):
    """`spec` of HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec
    """

    parentRefs: NotRequired[Sequence[ParentReference]]
    """At most 32 elements."""
    useDefaultGateways: NotRequired[pulumi.Input[Literal["All", "None"]]]
    """Experimental from v1.4."""
    hostnames: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 16 elements; each: a DNS name like 'httpbin.example.com' or '*.example.com': lower
    case, no port or path, 1 to 253 characters.
    """
    rules: NotRequired[Sequence[HTTPRouteRule]]
    """1 to 16 elements."""


class GRPCRouteFilter(TypedDict):
    """`spec.rules[].filters[]` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutefilter
    """

    type: pulumi.Input[
        Literal["ResponseHeaderModifier", "RequestHeaderModifier", "RequestMirror", "ExtensionRef"]
    ]
    requestHeaderModifier: NotRequired[HTTPHeaderFilter]
    responseHeaderModifier: NotRequired[HTTPHeaderFilter]
    requestMirror: NotRequired[HTTPRequestMirrorFilter]
    extensionRef: NotRequired[LocalObjectReference]


class GRPCBackendRef(TypedDict):
    """`spec.rules[].backendRefs[]` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcbackendref
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default empty.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Service`."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""
    port: NotRequired[pulumi.Input[int]]
    """1 to 65535."""
    weight: NotRequired[pulumi.Input[int]]
    """0 to 1000000; default `1`."""
    filters: NotRequired[Sequence[GRPCRouteFilter]]
    """At most 16 elements."""


class GRPCHeaderMatch(TypedDict):
    """`spec.rules[].matches[].headers[]` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcheadermatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "RegularExpression"]]]
    """Default `Exact`."""
    name: pulumi.Input[str]
    """A name of letters, digits and !#$%&'*+-.^_`|~, 1 to 256 characters."""
    value: pulumi.Input[str]
    """1 to 4096 characters."""


class GRPCMethodMatch(TypedDict):
    """`spec.rules[].matches[].method` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcmethodmatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "RegularExpression"]]]
    """Default `Exact`."""
    service: NotRequired[pulumi.Input[str]]
    """At most 1024 characters."""
    method: NotRequired[pulumi.Input[str]]
    """At most 1024 characters."""


class GRPCRouteMatch(TypedDict):
    """`spec.rules[].matches[]` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutematch
    """

    method: NotRequired[GRPCMethodMatch]
    headers: NotRequired[Sequence[GRPCHeaderMatch]]
    """At most 16 elements."""


class GRPCRouteRule(TypedDict):
    """`spec.rules[]` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcrouterule
    """

    name: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters; from v1.4
    (experimental from v1.2).
    """
    matches: NotRequired[Sequence[GRPCRouteMatch]]
    """At most 64 elements."""
    filters: NotRequired[Sequence[GRPCRouteFilter]]
    """At most 16 elements."""
    backendRefs: NotRequired[Sequence[GRPCBackendRef]]
    """At most 16 elements."""
    sessionPersistence: NotRequired[SessionPersistence]
    """Experimental."""


class GRPCRouteSpec(TypedDict):
    """`spec` of GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutespec
    """

    parentRefs: NotRequired[Sequence[ParentReference]]
    """At most 32 elements."""
    useDefaultGateways: NotRequired[pulumi.Input[Literal["All", "None"]]]
    """Experimental from v1.4."""
    hostnames: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 16 elements; each: a DNS name like 'httpbin.example.com' or '*.example.com': lower
    case, no port or path, 1 to 253 characters.
    """
    rules: NotRequired[Sequence[GRPCRouteRule]]
    """At most 16 elements."""


class ReferenceGrantFrom(TypedDict):
    """`spec.from[]` of ReferenceGrant.

    https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantfrom
    """

    group: pulumi.Input[str]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    namespace: pulumi.Input[str]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""


class ReferenceGrantTo(TypedDict):
    """`spec.to[]` of ReferenceGrant.

    https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantto
    """

    group: pulumi.Input[str]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: NotRequired[pulumi.Input[str]]
    """1 to 253 characters."""


ReferenceGrantSpec = TypedDict(
    "ReferenceGrantSpec",
    {
        "from": Sequence[ReferenceGrantFrom],
        "to": Sequence[ReferenceGrantTo],
    },
)
"""`spec` of ReferenceGrant.

- `from`: 1 to 16 elements.

- `to`: 1 to 16 elements.

https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantspec
"""


class LocalPolicyTargetReferenceWithSectionName(TypedDict):
    """`spec.targetRefs[]` of BackendTLSPolicy; from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#localpolicytargetreferencewithsectionname
    """

    group: pulumi.Input[str]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    sectionName: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""


class SubjectAltName(TypedDict):
    """`spec.validation.subjectAltNames[]` of BackendTLSPolicy; from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#subjectaltname
    """

    type: pulumi.Input[Literal["Hostname", "URI"]]
    hostname: NotRequired[pulumi.Input[str]]
    """A DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path, 1
    to 253 characters.
    """
    uri: NotRequired[pulumi.Input[str]]
    """A URI like 'spiffe://cluster.local/ns/shop/sa/shop', 1 to 253 characters."""


class BackendTLSPolicyValidation(TypedDict):
    """`spec.validation` of BackendTLSPolicy; from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#backendtlspolicyvalidation
    """

    caCertificateRefs: NotRequired[Sequence[LocalObjectReference]]
    """At most 8 elements."""
    wellKnownCACertificates: NotRequired[pulumi.Input[str]]
    """'System' or a name like 'example.com/authorities', 1 to 253 characters."""
    hostname: pulumi.Input[str]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    subjectAltNames: NotRequired[Sequence[SubjectAltName]]
    """At most 5 elements."""


class BackendTLSPolicySpec(TypedDict):
    """`spec` of BackendTLSPolicy; from v1.4.

    https://gateway-api.sigs.k8s.io/reference/spec/#backendtlspolicyspec
    """

    targetRefs: Sequence[LocalPolicyTargetReferenceWithSectionName]
    """1 to 16 elements."""
    validation: BackendTLSPolicyValidation
    options: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 16 elements; each: at most 4096 characters."""


class ListenerEntry(TypedDict):
    """`spec.listeners[]` of ListenerSet; from v1.5.

    https://gateway-api.sigs.k8s.io/reference/spec/#listenerentry
    """

    name: pulumi.Input[str]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    hostname: NotRequired[pulumi.Input[str]]
    """A DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path, 1
    to 253 characters.
    """
    port: pulumi.Input[int]
    """1 to 65535."""
    protocol: pulumi.Input[str]
    """A protocol like 'HTTP' or 'example.com/protocol', 1 to 255 characters."""
    tls: NotRequired[ListenerTLS]
    allowedRoutes: NotRequired[AllowedRoutes]
    filters: NotRequired[ListenerFilters]
    """Experimental from v1.7."""


class ParentGatewayReference(TypedDict):
    """`spec.parentRef` of ListenerSet; from v1.5.

    https://gateway-api.sigs.k8s.io/reference/spec/#parentgatewayreference
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default `gateway.networking.k8s.io`.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Gateway`."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""


class ListenerSetSpec(TypedDict):
    """`spec` of ListenerSet; from v1.5.

    https://gateway-api.sigs.k8s.io/reference/spec/#listenersetspec
    """

    parentRef: ParentGatewayReference
    listeners: Sequence[ListenerEntry]
    """1 to 64 elements."""


class BackendRef(TypedDict):
    """`spec.rules[].backendRefs[]` of TLSRoute and TCPRoute; from v1.5.

    https://gateway-api.sigs.k8s.io/reference/spec/#backendref
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters;
    default empty.
    """
    kind: NotRequired[pulumi.Input[str]]
    """A kind like 'Service', 1 to 63 characters; default `Service`."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """A DNS label: lower-case letters, digits and '-', 1 to 63 characters."""
    port: NotRequired[pulumi.Input[int]]
    """1 to 65535."""
    weight: NotRequired[pulumi.Input[int]]
    """0 to 1000000; default `1`."""


class TLSRouteRule(TypedDict):
    """`spec.rules[]` of TLSRoute; from v1.5.

    https://gateway-api.sigs.k8s.io/reference/spec/#tlsrouterule
    """

    name: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    backendRefs: Sequence[BackendRef]
    """1 to 16 elements."""


class TLSRouteSpec(TypedDict):
    """`spec` of TLSRoute; from v1.5.

    https://gateway-api.sigs.k8s.io/reference/spec/#tlsroutespec
    """

    parentRefs: NotRequired[Sequence[ParentReference]]
    """At most 32 elements."""
    useDefaultGateways: NotRequired[pulumi.Input[Literal["All", "None"]]]
    """Experimental from v1.5."""
    hostnames: Sequence[pulumi.Input[str]]
    """1 to 1024 elements; each: a DNS name like 'httpbin.example.com' or '*.example.com': lower
    case, no port or path, 1 to 253 characters.
    """
    rules: Sequence[TLSRouteRule]
    """1 element."""


class TCPRouteRule(TypedDict):
    """`spec.rules[]` of TCPRoute; from v1.6.

    https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule
    """

    name: NotRequired[pulumi.Input[str]]
    """A DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters."""
    backendRefs: Sequence[BackendRef]
    """1 to 16 elements."""


class TCPRouteSpec(TypedDict):
    """`spec` of TCPRoute; from v1.6.

    https://gateway-api.sigs.k8s.io/reference/spec/#tcproutespec
    """

    parentRefs: NotRequired[Sequence[ParentReference]]
    """At most 32 elements."""
    useDefaultGateways: NotRequired[pulumi.Input[Literal["All", "None"]]]
    """Experimental from v1.6."""
    rules: Sequence[TCPRouteRule]
    """1 element."""


_DNS_LABEL = ("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a DNS label: lower-case letters, digits and '-'")
_DNS_NAME = (
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "a DNS name: lower-case letters, digits, '-' and '.'",
)
_HOSTNAME = (
    "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path",
)
_GROUP = (
    "^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "an API group like 'apps.example.com', or '' for the core group",
)
_KIND = ("^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", "a kind like 'Service'")
_HEADER = ("^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", "a name of letters, digits and !#$%&'*+-.^_`|~")
_DURATION = ("^([0-9]{1,5}(h|m|s|ms)){1,4}$", "a duration like '1h30m', '10s' or '500ms'")
_LABEL_VALUE = (
    "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
    "letters, digits, '-', '_' and '.', a letter or digit at both ends",
)
_ORIGIN = (
    "(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)",
    "an origin like 'https://example.com', 'https://*.example.com:8443' or '*'",
)
_ADDRESS_TYPE = (
    "^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$",
    "'Hostname', 'IPAddress', 'NamedAddress' or a name like 'example.com/type'",
)
_PATH = ("^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$", "a path, escaped as in a URL")
_PROTOCOL = (
    "^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9]+$",
    "a protocol like 'HTTP' or 'example.com/protocol'",
)
_URI = (
    "^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?",
    "a URI like 'spiffe://cluster.local/ns/shop/sa/shop'",
)
_CA_CERTIFICATES = (
    "^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$",
    "'System' or a name like 'example.com/authorities'",
)

LIMITS: Mapping[type, Mapping[str, Limit]] = {
    GatewaySpecAddress: {
        "type": Limit(1, 253, *_ADDRESS_TYPE),
        "value": Limit(high=253),
        "routability": Limit(high=253),
    },
    SecretObjectReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
    },
    LocalParametersReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
    },
    GatewayInfrastructure: {
        "labels": Limit(high=8),
        "labels[]": Limit(None, 63, *_LABEL_VALUE),
        "annotations": Limit(high=16),
        "annotations[]": Limit(high=4096),
    },
    RouteGroupKind: {"group": Limit(None, 253, *_GROUP), "kind": Limit(1, 63, *_KIND)},
    AllowedRoutes: {"kinds": Limit(high=8)},
    ObjectReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
    },
    FrontendTLSValidation: {"caCertificateRefs": Limit(low=1, high=16)},
    ListenerTLS: {
        "certificateRefs": Limit(high=64),
        "options": Limit(high=16),
        "options[]": Limit(high=4096),
    },
    BackendObjectReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
        "port": Limit(low=1, high=65535),
    },
    GRPCAuthConfig: {"allowedHeaders": Limit(high=64)},
    HTTPAuthConfig: {
        "path": Limit(None, 1024, *_PATH),
        "allowedHeaders": Limit(high=64),
        "allowedResponseHeaders": Limit(high=64),
    },
    ForwardBodyConfig: {"maxSize": Limit(low=0, high=2147483647)},
    LocalObjectReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
    },
    ListenerFilters: {"requests": Limit(high=16)},
    Listener: {
        "name": Limit(1, 253, *_DNS_NAME),
        "hostname": Limit(1, 253, *_HOSTNAME),
        "port": Limit(low=1, high=65535),
        "protocol": Limit(1, 255, *_PROTOCOL),
    },
    TLSPortConfig: {"port": Limit(low=1, high=65535)},
    FrontendTLSConfig: {"perPort": Limit(high=64)},
    GatewaySpec: {
        "gatewayClassName": Limit(low=1, high=253),
        "listeners": Limit(low=1, high=64),
        "addresses": Limit(high=16),
    },
    ParentReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "namespace": Limit(1, 63, *_DNS_LABEL),
        "name": Limit(low=1, high=253),
        "sectionName": Limit(1, 253, *_DNS_NAME),
        "port": Limit(low=1, high=65535),
    },
    HTTPHeader: {"name": Limit(1, 256, *_HEADER), "value": Limit(low=1, high=4096)},
    HTTPHeaderFilter: {"set": Limit(high=16), "add": Limit(high=16), "remove": Limit(high=16)},
    Fraction: {
        "numerator": Limit(low=0, high=2147483647),
        "denominator": Limit(low=1, high=2147483647),
    },
    HTTPRequestMirrorFilter: {"percent": Limit(low=0, high=100)},
    HTTPPathModifier: {"replaceFullPath": Limit(high=1024), "replacePrefixMatch": Limit(high=1024)},
    HTTPRequestRedirectFilter: {
        "hostname": Limit(1, 253, *_DNS_NAME),
        "port": Limit(low=1, high=65535),
    },
    HTTPURLRewriteFilter: {"hostname": Limit(1, 253, *_DNS_NAME)},
    HTTPCORSFilter: {
        "allowOrigins": Limit(high=64),
        "allowOrigins[]": Limit(1, 253, *_ORIGIN),
        "allowMethods": Limit(high=9),
        "allowHeaders": Limit(high=64),
        "allowHeaders[]": Limit(1, 256, *_HEADER),
        "exposeHeaders": Limit(high=64),
        "exposeHeaders[]": Limit(1, 256, *_HEADER),
        "maxAge": Limit(low=1, high=2147483647),
    },
    HTTPBackendRef: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
        "port": Limit(low=1, high=65535),
        "weight": Limit(low=0, high=1000000),
        "filters": Limit(high=16),
    },
    HTTPHeaderMatch: {"name": Limit(1, 256, *_HEADER), "value": Limit(low=1, high=4096)},
    HTTPPathMatch: {"value": Limit(high=1024)},
    HTTPQueryParamMatch: {"name": Limit(1, 256, *_HEADER), "value": Limit(low=1, high=1024)},
    HTTPRouteMatch: {"headers": Limit(high=16), "queryParams": Limit(high=16)},
    HTTPRouteRetry: {
        "codes[]": Limit(low=400, high=599),
        "attempts": Limit(low=0),
        "backoff": Limit(None, None, *_DURATION),
    },
    CookieConfig: {"name": Limit(1, 256, *_HEADER), "path": Limit(high=1024)},
    HeaderConfig: {"name": Limit(1, 256, *_HEADER)},
    SessionPersistence: {
        "absoluteTimeout": Limit(None, None, *_DURATION),
        "sessionName": Limit(high=128),
        "idleTimeout": Limit(None, None, *_DURATION),
    },
    HTTPRouteTimeouts: {
        "request": Limit(None, None, *_DURATION),
        "backendRequest": Limit(None, None, *_DURATION),
    },
    HTTPRouteRule: {
        "name": Limit(1, 253, *_DNS_NAME),
        "matches": Limit(high=64),
        "filters": Limit(high=16),
        "backendRefs": Limit(high=16),
    },
    HTTPRouteSpec: {
        "parentRefs": Limit(high=32),
        "hostnames": Limit(high=16),
        "hostnames[]": Limit(1, 253, *_HOSTNAME),
        "rules": Limit(low=1, high=16),
    },
    GRPCBackendRef: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
        "port": Limit(low=1, high=65535),
        "weight": Limit(low=0, high=1000000),
        "filters": Limit(high=16),
    },
    GRPCHeaderMatch: {"name": Limit(1, 256, *_HEADER), "value": Limit(low=1, high=4096)},
    GRPCMethodMatch: {"service": Limit(high=1024), "method": Limit(high=1024)},
    GRPCRouteMatch: {"headers": Limit(high=16)},
    GRPCRouteRule: {
        "name": Limit(1, 253, *_DNS_NAME),
        "matches": Limit(high=64),
        "filters": Limit(high=16),
        "backendRefs": Limit(high=16),
    },
    GRPCRouteSpec: {
        "parentRefs": Limit(high=32),
        "hostnames": Limit(high=16),
        "hostnames[]": Limit(1, 253, *_HOSTNAME),
        "rules": Limit(high=16),
    },
    ReferenceGrantFrom: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "namespace": Limit(1, 63, *_DNS_LABEL),
    },
    ReferenceGrantTo: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
    },
    ReferenceGrantSpec: {"from": Limit(low=1, high=16), "to": Limit(low=1, high=16)},
    LocalPolicyTargetReferenceWithSectionName: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "sectionName": Limit(1, 253, *_DNS_NAME),
    },
    SubjectAltName: {"hostname": Limit(1, 253, *_HOSTNAME), "uri": Limit(1, 253, *_URI)},
    BackendTLSPolicyValidation: {
        "caCertificateRefs": Limit(high=8),
        "wellKnownCACertificates": Limit(1, 253, *_CA_CERTIFICATES),
        "hostname": Limit(1, 253, *_DNS_NAME),
        "subjectAltNames": Limit(high=5),
    },
    BackendTLSPolicySpec: {
        "targetRefs": Limit(low=1, high=16),
        "options": Limit(high=16),
        "options[]": Limit(high=4096),
    },
    ListenerEntry: {
        "name": Limit(1, 253, *_DNS_NAME),
        "hostname": Limit(1, 253, *_HOSTNAME),
        "port": Limit(low=1, high=65535),
        "protocol": Limit(1, 255, *_PROTOCOL),
    },
    ParentGatewayReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
    },
    ListenerSetSpec: {"listeners": Limit(low=1, high=64)},
    BackendRef: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
        "namespace": Limit(1, 63, *_DNS_LABEL),
        "port": Limit(low=1, high=65535),
        "weight": Limit(low=0, high=1000000),
    },
    TLSRouteRule: {"name": Limit(1, 253, *_DNS_NAME), "backendRefs": Limit(low=1, high=16)},
    TLSRouteSpec: {
        "parentRefs": Limit(high=32),
        "hostnames": Limit(low=1, high=1024),
        "hostnames[]": Limit(1, 253, *_HOSTNAME),
        "rules": Limit(low=1, high=1),
    },
    TCPRouteRule: {"name": Limit(1, 253, *_DNS_NAME), "backendRefs": Limit(low=1, high=16)},
    TCPRouteSpec: {"parentRefs": Limit(high=32), "rules": Limit(low=1, high=1)},
}
"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {
    GRPCAuthConfig: {"allowedHeaders": ""},
    HTTPAuthConfig: {"allowedHeaders": "", "allowedResponseHeaders": ""},
    FrontendTLSConfig: {"perPort": "port"},
    GatewaySpec: {"listeners": "name"},
    HTTPHeaderFilter: {"set": "name", "add": "name", "remove": ""},
    HTTPCORSFilter: {
        "allowOrigins": "",
        "allowMethods": "",
        "allowHeaders": "",
        "exposeHeaders": "",
    },
    HTTPRouteMatch: {"headers": "name", "queryParams": "name"},
    HTTPRouteRetry: {"codes": ""},
    GRPCRouteMatch: {"headers": "name"},
    ListenerSetSpec: {"listeners": "name"},
}
"""Lists, and the key that no two elements have in common; empty for all of them."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {
    GatewaySpecAddress: {"gateways.gateway.networking.k8s.io/v1": ["spec.addresses[]"]},
    SecretObjectReference: {
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.backendTLS.clientCertificateRef",
            "spec.listeners[].tls.certificateRefs[]",
            "spec.tls.backend.clientCertificateRef",
        ],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].tls.certificateRefs[]"],
    },
    GatewayBackendTLS: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.backendTLS", "spec.tls.backend"]
    },
    LocalParametersReference: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.infrastructure.parametersRef"]
    },
    GatewayInfrastructure: {"gateways.gateway.networking.k8s.io/v1": ["spec.infrastructure"]},
    RouteGroupKind: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.listeners[].allowedRoutes.kinds[]"],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].allowedRoutes.kinds[]"],
    },
    LabelSelectorRequirement: {
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].allowedRoutes.namespaces.selector.matchExpressions[]",
            "spec.allowedListeners.namespaces.selector.matchExpressions[]",
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].allowedRoutes.namespaces.selector.matchExpressions[]"
        ],
    },
    LabelSelector: {
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].allowedRoutes.namespaces.selector",
            "spec.allowedListeners.namespaces.selector",
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].allowedRoutes.namespaces.selector"
        ],
    },
    RouteNamespaces: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.listeners[].allowedRoutes.namespaces"],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].allowedRoutes.namespaces"],
    },
    AllowedRoutes: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.listeners[].allowedRoutes"],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].allowedRoutes"],
    },
    ObjectReference: {
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].tls.frontendValidation.caCertificateRefs[]",
            "spec.tls.frontend.default.validation.caCertificateRefs[]",
            "spec.tls.frontend.perPort[].tls.validation.caCertificateRefs[]",
        ]
    },
    FrontendTLSValidation: {
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].tls.frontendValidation",
            "spec.tls.frontend.default.validation",
            "spec.tls.frontend.perPort[].tls.validation",
        ]
    },
    ListenerTLS: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.listeners[].tls"],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].tls"],
    },
    BackendObjectReference: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestMirror.backendRef",
            "spec.rules[].filters[].requestMirror.backendRef",
            "spec.rules[].backendRefs[].filters[].externalAuth.backendRef",
            "spec.rules[].filters[].externalAuth.backendRef",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestMirror.backendRef",
            "spec.rules[].filters[].requestMirror.backendRef",
        ],
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.backendRef"
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.backendRef"
        ],
    },
    GRPCAuthConfig: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].externalAuth.grpc",
            "spec.rules[].filters[].externalAuth.grpc",
        ],
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.grpc"
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.grpc"
        ],
    },
    HTTPAuthConfig: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].externalAuth.http",
            "spec.rules[].filters[].externalAuth.http",
        ],
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.http"
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.http"
        ],
    },
    ForwardBodyConfig: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].externalAuth.forwardBody",
            "spec.rules[].filters[].externalAuth.forwardBody",
        ],
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.forwardBody"
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth.forwardBody"
        ],
    },
    HTTPExternalAuthFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].externalAuth",
            "spec.rules[].filters[].externalAuth",
        ],
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth"
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].externalAuth"
        ],
    },
    LocalObjectReference: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].extensionRef",
            "spec.rules[].filters[].extensionRef",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].extensionRef",
            "spec.rules[].filters[].extensionRef",
        ],
        "backendtlspolicies.gateway.networking.k8s.io/v1": ["spec.validation.caCertificateRefs[]"],
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].extensionRef"
        ],
        "listenersets.gateway.networking.k8s.io/v1": [
            "spec.listeners[].filters.requests[].extensionRef"
        ],
    },
    ListenerFilter: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.listeners[].filters.requests[]"],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].filters.requests[]"],
    },
    ListenerFilters: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.listeners[].filters"],
        "listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[].filters"],
    },
    Listener: {"gateways.gateway.networking.k8s.io/v1": ["spec.listeners[]"]},
    ListenerNamespaces: {
        "gateways.gateway.networking.k8s.io/v1": ["spec.allowedListeners.namespaces"]
    },
    AllowedListeners: {"gateways.gateway.networking.k8s.io/v1": ["spec.allowedListeners"]},
    TLSConfig: {
        "gateways.gateway.networking.k8s.io/v1": [
            "spec.tls.frontend.default",
            "spec.tls.frontend.perPort[].tls",
        ]
    },
    TLSPortConfig: {"gateways.gateway.networking.k8s.io/v1": ["spec.tls.frontend.perPort[]"]},
    FrontendTLSConfig: {"gateways.gateway.networking.k8s.io/v1": ["spec.tls.frontend"]},
    GatewayTLSConfig: {"gateways.gateway.networking.k8s.io/v1": ["spec.tls"]},
    GatewaySpec: {"gateways.gateway.networking.k8s.io/v1": ["spec"]},
    ParentReference: {
        "httproutes.gateway.networking.k8s.io/v1": ["spec.parentRefs[]"],
        "grpcroutes.gateway.networking.k8s.io/v1": ["spec.parentRefs[]"],
        "tlsroutes.gateway.networking.k8s.io/v1": ["spec.parentRefs[]"],
        "tcproutes.gateway.networking.k8s.io/v1": ["spec.parentRefs[]"],
    },
    HTTPHeader: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestHeaderModifier.add[]",
            "spec.rules[].backendRefs[].filters[].requestHeaderModifier.set[]",
            "spec.rules[].backendRefs[].filters[].responseHeaderModifier.add[]",
            "spec.rules[].backendRefs[].filters[].responseHeaderModifier.set[]",
            "spec.rules[].filters[].requestHeaderModifier.add[]",
            "spec.rules[].filters[].requestHeaderModifier.set[]",
            "spec.rules[].filters[].responseHeaderModifier.add[]",
            "spec.rules[].filters[].responseHeaderModifier.set[]",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestHeaderModifier.add[]",
            "spec.rules[].backendRefs[].filters[].requestHeaderModifier.set[]",
            "spec.rules[].backendRefs[].filters[].responseHeaderModifier.add[]",
            "spec.rules[].backendRefs[].filters[].responseHeaderModifier.set[]",
            "spec.rules[].filters[].requestHeaderModifier.add[]",
            "spec.rules[].filters[].requestHeaderModifier.set[]",
            "spec.rules[].filters[].responseHeaderModifier.add[]",
            "spec.rules[].filters[].responseHeaderModifier.set[]",
        ],
    },
    HTTPHeaderFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestHeaderModifier",
            "spec.rules[].backendRefs[].filters[].responseHeaderModifier",
            "spec.rules[].filters[].requestHeaderModifier",
            "spec.rules[].filters[].responseHeaderModifier",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestHeaderModifier",
            "spec.rules[].backendRefs[].filters[].responseHeaderModifier",
            "spec.rules[].filters[].requestHeaderModifier",
            "spec.rules[].filters[].responseHeaderModifier",
        ],
    },
    Fraction: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestMirror.fraction",
            "spec.rules[].filters[].requestMirror.fraction",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestMirror.fraction",
            "spec.rules[].filters[].requestMirror.fraction",
        ],
    },
    HTTPRequestMirrorFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestMirror",
            "spec.rules[].filters[].requestMirror",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestMirror",
            "spec.rules[].filters[].requestMirror",
        ],
    },
    HTTPPathModifier: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestRedirect.path",
            "spec.rules[].backendRefs[].filters[].urlRewrite.path",
            "spec.rules[].filters[].requestRedirect.path",
            "spec.rules[].filters[].urlRewrite.path",
        ]
    },
    HTTPRequestRedirectFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].requestRedirect",
            "spec.rules[].filters[].requestRedirect",
        ]
    },
    HTTPURLRewriteFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].urlRewrite",
            "spec.rules[].filters[].urlRewrite",
        ]
    },
    HTTPCORSFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[].cors",
            "spec.rules[].filters[].cors",
        ]
    },
    HTTPRouteFilter: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[]",
            "spec.rules[].filters[]",
        ]
    },
    HTTPBackendRef: {"httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].backendRefs[]"]},
    HTTPHeaderMatch: {
        "httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[].headers[]"]
    },
    HTTPPathMatch: {"httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[].path"]},
    HTTPQueryParamMatch: {
        "httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[].queryParams[]"]
    },
    HTTPRouteMatch: {"httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[]"]},
    HTTPRouteRetry: {"httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].retry"]},
    CookieConfig: {
        "httproutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].sessionPersistence.cookieConfig",
            "spec.rules[].sessionPersistence.cookie",
        ],
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].sessionPersistence.cookieConfig",
            "spec.rules[].sessionPersistence.cookie",
        ],
    },
    HeaderConfig: {
        "httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].sessionPersistence.header"],
        "grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[].sessionPersistence.header"],
    },
    SessionPersistence: {
        "httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].sessionPersistence"],
        "grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[].sessionPersistence"],
    },
    HTTPRouteTimeouts: {"httproutes.gateway.networking.k8s.io/v1": ["spec.rules[].timeouts"]},
    HTTPRouteRule: {"httproutes.gateway.networking.k8s.io/v1": ["spec.rules[]"]},
    HTTPRouteSpec: {"httproutes.gateway.networking.k8s.io/v1": ["spec"]},
    GRPCRouteFilter: {
        "grpcroutes.gateway.networking.k8s.io/v1": [
            "spec.rules[].backendRefs[].filters[]",
            "spec.rules[].filters[]",
        ]
    },
    GRPCBackendRef: {"grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[].backendRefs[]"]},
    GRPCHeaderMatch: {
        "grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[].headers[]"]
    },
    GRPCMethodMatch: {"grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[].method"]},
    GRPCRouteMatch: {"grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[].matches[]"]},
    GRPCRouteRule: {"grpcroutes.gateway.networking.k8s.io/v1": ["spec.rules[]"]},
    GRPCRouteSpec: {"grpcroutes.gateway.networking.k8s.io/v1": ["spec"]},
    ReferenceGrantFrom: {"referencegrants.gateway.networking.k8s.io/v1beta1": ["spec.from[]"]},
    ReferenceGrantTo: {"referencegrants.gateway.networking.k8s.io/v1beta1": ["spec.to[]"]},
    ReferenceGrantSpec: {"referencegrants.gateway.networking.k8s.io/v1beta1": ["spec"]},
    LocalPolicyTargetReferenceWithSectionName: {
        "backendtlspolicies.gateway.networking.k8s.io/v1": ["spec.targetRefs[]"]
    },
    SubjectAltName: {
        "backendtlspolicies.gateway.networking.k8s.io/v1": ["spec.validation.subjectAltNames[]"]
    },
    BackendTLSPolicyValidation: {
        "backendtlspolicies.gateway.networking.k8s.io/v1": ["spec.validation"]
    },
    BackendTLSPolicySpec: {"backendtlspolicies.gateway.networking.k8s.io/v1": ["spec"]},
    ListenerEntry: {"listenersets.gateway.networking.k8s.io/v1": ["spec.listeners[]"]},
    ParentGatewayReference: {"listenersets.gateway.networking.k8s.io/v1": ["spec.parentRef"]},
    ListenerSetSpec: {"listenersets.gateway.networking.k8s.io/v1": ["spec"]},
    BackendRef: {
        "tlsroutes.gateway.networking.k8s.io/v1": ["spec.rules[].backendRefs[]"],
        "tcproutes.gateway.networking.k8s.io/v1": ["spec.rules[].backendRefs[]"],
    },
    TLSRouteRule: {"tlsroutes.gateway.networking.k8s.io/v1": ["spec.rules[]"]},
    TLSRouteSpec: {"tlsroutes.gateway.networking.k8s.io/v1": ["spec"]},
    TCPRouteRule: {"tcproutes.gateway.networking.k8s.io/v1": ["spec.rules[]"]},
    TCPRouteSpec: {"tcproutes.gateway.networking.k8s.io/v1": ["spec"]},
}
"""Where objects of a class stand: CustomResourceDefinition and version, paths."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {
    GatewaySpecAddress: {"routability": Releases(experimental="1.7")},
    GatewayBackendTLS: {"": Releases(standard="1.5", experimental="1.2")},
    ObjectReference: {"": Releases(standard="1.5", experimental="1.2")},
    FrontendTLSValidation: {
        "": Releases(standard="1.5", experimental="1.2"),
        "mode": Releases(standard="1.5", experimental="1.4"),
    },
    ListenerTLS: {"frontendValidation": Releases(experimental="1.2", last="1.3")},
    GRPCAuthConfig: {"": Releases(experimental="1.4")},
    HTTPAuthConfig: {"": Releases(experimental="1.4")},
    ForwardBodyConfig: {"": Releases(experimental="1.4")},
    HTTPExternalAuthFilter: {"": Releases(experimental="1.4")},
    ListenerFilter: {"": Releases(experimental="1.7")},
    ListenerFilters: {"": Releases(experimental="1.7")},
    Listener: {"filters": Releases(experimental="1.7")},
    ListenerNamespaces: {"": Releases(standard="1.5", experimental="1.3")},
    AllowedListeners: {"": Releases(standard="1.5", experimental="1.3")},
    TLSConfig: {"": Releases(standard="1.5", experimental="1.4")},
    TLSPortConfig: {"": Releases(standard="1.5", experimental="1.4")},
    FrontendTLSConfig: {"": Releases(standard="1.5", experimental="1.4")},
    GatewayTLSConfig: {"": Releases(standard="1.5", experimental="1.4")},
    GatewaySpec: {
        "allowedListeners": Releases(standard="1.5", experimental="1.3"),
        "tls": Releases(standard="1.5", experimental="1.4"),
        "defaultScope": Releases(experimental="1.4"),
        "backendTLS": Releases(experimental="1.2", last="1.3"),
    },
    Fraction: {"": Releases(standard="1.3", experimental="1.2")},
    HTTPRequestMirrorFilter: {
        "percent": Releases(standard="1.3", experimental="1.2"),
        "fraction": Releases(standard="1.3", experimental="1.2"),
    },
    HTTPCORSFilter: {"": Releases(standard="1.5", experimental="1.3")},
    HTTPRouteFilter: {
        "cors": Releases(standard="1.5", experimental="1.3"),
        "externalAuth": Releases(experimental="1.4"),
    },
    HTTPRouteRetry: {"": Releases(standard="1.7", experimental="1.2")},
    CookieConfig: {
        "": Releases(experimental="1.2"),
        "name": Releases(experimental="1.7"),
        "path": Releases(experimental="1.7"),
    },
    HeaderConfig: {"": Releases(experimental="1.7")},
    SessionPersistence: {
        "": Releases(experimental="1.2"),
        "cookie": Releases(experimental="1.7"),
        "header": Releases(experimental="1.7"),
        "sessionName": Releases(experimental="1.2", last="1.6"),
        "cookieConfig": Releases(experimental="1.2", last="1.6"),
        "idleTimeout": Releases(experimental="1.2", last="1.5"),
    },
    HTTPRouteRule: {
        "name": Releases(standard="1.4", experimental="1.2"),
        "retry": Releases(standard="1.7", experimental="1.2"),
        "sessionPersistence": Releases(experimental="1.2"),
    },
    HTTPRouteSpec: {"useDefaultGateways": Releases(experimental="1.4")},
    GRPCRouteRule: {
        "name": Releases(standard="1.4", experimental="1.2"),
        "sessionPersistence": Releases(experimental="1.2"),
    },
    GRPCRouteSpec: {"useDefaultGateways": Releases(experimental="1.4")},
    LocalPolicyTargetReferenceWithSectionName: {"": Releases(standard="1.4")},
    SubjectAltName: {"": Releases(standard="1.4")},
    BackendTLSPolicyValidation: {"": Releases(standard="1.4")},
    BackendTLSPolicySpec: {"": Releases(standard="1.4")},
    ListenerEntry: {"": Releases(standard="1.5"), "filters": Releases(experimental="1.7")},
    ParentGatewayReference: {"": Releases(standard="1.5")},
    ListenerSetSpec: {"": Releases(standard="1.5")},
    BackendRef: {"": Releases(standard="1.5")},
    TLSRouteRule: {"": Releases(standard="1.5")},
    TLSRouteSpec: {
        "": Releases(standard="1.5"),
        "useDefaultGateways": Releases(experimental="1.5"),
    },
    TCPRouteRule: {"": Releases(standard="1.6")},
    TCPRouteSpec: {
        "": Releases(standard="1.6"),
        "useDefaultGateways": Releases(experimental="1.6"),
    },
}
"""Which releases have a field, where not all do; an empty key is for the whole class."""
