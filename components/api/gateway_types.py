"""The specs of the Gateway API's standard channel (v1.4 to v1.6), as far as Istio supports them.

Keys are the API's own camelCase, so that a value is a spec as it is sent. A field without "from
v1.5" is part of every version from v1.4 on; what Istio rejects or ignores has no key.

https://gateway-api.sigs.k8s.io/reference/spec/
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi

# Shared by the kinds


class LabelSelectorRequirement(TypedDict):
    """A condition on the labels of an object.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
    """

    key: pulumi.Input[str]
    """Label that it is about."""
    operator: pulumi.Input[Literal["In", "NotIn", "Exists", "DoesNotExist"]]
    """How the label relates to `values`."""
    values: NotRequired[Sequence[pulumi.Input[str]]]
    """Values for `In` and `NotIn`, at least one; none for the other operators."""


class LabelSelector(TypedDict):
    """Objects chosen by their labels: all conditions hold; none at all chooses every object.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
    """

    matchLabels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Labels that an object has with exactly these values."""
    matchExpressions: NotRequired[Sequence[LabelSelectorRequirement]]
    """Further conditions on labels."""


class ObjectReference(TypedDict):
    """An object of a kind that has to be named, in this namespace or another.

    https://gateway-api.sigs.k8s.io/reference/spec/#objectreference
    """

    group: pulumi.Input[str]
    """API group, empty for the core group."""
    kind: pulumi.Input[str]
    """Kind, at most 63 characters."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace (default that of the referrer); another one needs a ReferenceGrant there."""


class SecretObjectReference(TypedDict):
    """A Secret, in this namespace or another.

    https://gateway-api.sigs.k8s.io/reference/spec/#secretobjectreference
    """

    group: NotRequired[pulumi.Input[str]]
    """API group (default empty, the core group); Istio takes no other."""
    kind: NotRequired[pulumi.Input[str]]
    """Kind (default `Secret`); Istio takes no other."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace (default that of the referrer); another one needs a ReferenceGrant there."""


class ParentReference(TypedDict):
    """What a route attaches to: a Gateway, one of its listeners, or a Service of the mesh.

    https://gateway-api.sigs.k8s.io/reference/spec/#parentreference
    """

    group: NotRequired[pulumi.Input[str]]
    """API group (default `gateway.networking.k8s.io`), empty for a Service."""
    kind: NotRequired[pulumi.Input[str]]
    """Kind (default `Gateway`); Istio also takes `ListenerSet`, `Service` and `ServiceEntry`."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace (default that of the route)."""
    sectionName: NotRequired[pulumi.Input[str]]
    """Name of the one listener that it attaches to (default every listener that admits it)."""
    port: NotRequired[pulumi.Input[int]]
    """Port of the listeners or of the Service, 1 to 65535 (default every port)."""


class BackendObjectReference(TypedDict):
    """What requests are sent to, in this namespace or another.

    https://gateway-api.sigs.k8s.io/reference/spec/#backendobjectreference
    """

    group: NotRequired[pulumi.Input[str]]
    """API group (default empty, the core group)."""
    kind: NotRequired[pulumi.Input[str]]
    """Kind (default `Service`); Istio also takes `ServiceImport`, `Hostname` and `InferencePool`
    of their groups."""
    name: pulumi.Input[str]
    """Name, at most 253 characters; of a Service its name, never its host name."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace (default that of the route); another one needs a ReferenceGrant there."""
    port: NotRequired[pulumi.Input[int]]
    """Port of the Service, 1 to 65535; to be left out for an InferencePool only."""


# Gateway


GatewayProtocol = Literal["HTTP", "HTTPS", "TLS", "TCP", "HBONE"]
"""Protocols of a listener; `HBONE` is the waypoint's and Istio's own."""


class ListenerTLS(TypedDict):
    """How a listener treats TLS.

    https://gateway-api.sigs.k8s.io/reference/spec/#listenertlsconfig
    """

    mode: NotRequired[pulumi.Input[Literal["Terminate", "Passthrough"]]]
    """`Terminate` (default) ends TLS here; `Passthrough` hands it on, for protocol `TLS` only."""
    certificateRefs: NotRequired[Sequence[SecretObjectReference]]
    """Server certificates for `Terminate`, at most 64, of which Istio takes two; may be left out
    only where `options` name another source."""
    options: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Settings of the implementation, at most 16, such as
    `gateway.istio.io/tls-terminate-mode: MUTUAL`."""


class RouteGroupKind(TypedDict):
    """A kind of route.

    https://gateway-api.sigs.k8s.io/reference/spec/#routegroupkind
    """

    group: NotRequired[pulumi.Input[str]]
    """API group (default `gateway.networking.k8s.io`)."""
    kind: pulumi.Input[str]
    """Kind, such as `HTTPRoute`."""


RouteNamespaces = TypedDict(
    "RouteNamespaces",
    {
        "from": NotRequired[pulumi.Input[Literal["All", "Selector", "Same"]]],
        "selector": NotRequired[LabelSelector],
    },
)
"""The namespaces whose routes a listener admits.

- `from`: `Same` (default) the namespace of the Gateway, `All` every one, `Selector` those of
  `selector`.
- `selector`: labels of the namespaces, for `Selector` only.

https://gateway-api.sigs.k8s.io/reference/spec/#routenamespaces
"""


class AllowedRoutes(TypedDict):
    """The routes that a listener admits.

    https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes
    """

    namespaces: NotRequired[RouteNamespaces]
    """Namespaces that the routes may be in (default that of the Gateway)."""
    kinds: NotRequired[Sequence[RouteGroupKind]]
    """Kinds of routes, at most 8 (default those that fit the listener's protocol)."""


class Listener(TypedDict):
    """A port on which a Gateway accepts connections; port, protocol and hostname are unique.

    https://gateway-api.sigs.k8s.io/reference/spec/#listener
    """

    name: pulumi.Input[str]
    """Name, unique in the Gateway, at most 253 characters; a route's `sectionName` names it."""
    hostname: NotRequired[pulumi.Input[str]]
    """Host name that it serves, lower case, `*.` allowed in front (default every one); not for
    `TCP`."""
    port: pulumi.Input[int]
    """Port, 1 to 65535; a waypoint's is 15008."""
    protocol: pulumi.Input[GatewayProtocol]
    """Protocol, upper case; a waypoint's one listener has `HBONE`, which others must not have."""
    tls: NotRequired[ListenerTLS]
    """TLS of the listener, required for `HTTPS` and `TLS`, not for `HTTP` and `TCP`."""
    allowedRoutes: NotRequired[AllowedRoutes]
    """Routes that may attach to it (default those of the Gateway's namespace)."""


class GatewayAddress(TypedDict):
    """An address that a Gateway asks for.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspecaddress
    """

    type: NotRequired[pulumi.Input[Literal["IPAddress", "Hostname"]]]
    """`IPAddress` (default): the load balancer's address, one at most. `Hostname`: an existing
    Service that runs the gateway; istiod then deploys none."""
    value: NotRequired[pulumi.Input[str]]
    """The address or the name of the Service, at most 253 characters (default: any address)."""


class ParametersReference(TypedDict):
    """The object, in the namespace of the Gateway, that customizes what istiod deploys.

    https://gateway-api.sigs.k8s.io/reference/spec/#localparametersreference
    """

    group: pulumi.Input[str]
    """API group: empty, the core group."""
    kind: pulumi.Input[str]
    """Kind: `ConfigMap`."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""


class GatewayInfrastructure(TypedDict):
    """The objects that istiod deploys for a Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure
    """

    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Labels of the objects, at most 8 (default those of the Gateway)."""
    annotations: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Annotations of the objects, at most 8 (16 from v1.6; default those of the Gateway)."""
    parametersRef: NotRequired[ParametersReference]
    """ConfigMap with overlays for the Deployment, the Service and the like."""


ListenerNamespaces = TypedDict(
    "ListenerNamespaces",
    {
        "from": NotRequired[pulumi.Input[Literal["All", "Selector", "Same", "None"]]],
        "selector": NotRequired[LabelSelector],
    },
)
"""The namespaces whose ListenerSets a Gateway admits.

- `from`: `None` (default) no namespace, `Same` that of the Gateway, `All` every one, `Selector`
  those of `selector`.
- `selector`: labels of the namespaces, for `Selector` only.

https://gateway-api.sigs.k8s.io/reference/spec/#listenernamespaces
"""


class AllowedListeners(TypedDict):
    """The ListenerSets that may add listeners to a Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#allowedlisteners
    """

    namespaces: NotRequired[ListenerNamespaces]
    """Namespaces that the ListenerSets may be in (default none)."""


class FrontendTLSValidation(TypedDict):
    """How the certificates of clients are checked.

    https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsvalidation
    """

    caCertificateRefs: Sequence[ObjectReference]
    """ConfigMaps or Secrets with the authorities, 1 to 8 (16 from v1.6), of which Istio takes
    one."""
    mode: NotRequired[pulumi.Input[Literal["AllowValidOnly", "AllowInsecureFallback"]]]
    """`AllowValidOnly` (default) demands a valid certificate; `AllowInsecureFallback` also admits
    clients without one."""


class TLSConfig(TypedDict):
    """TLS between the clients and a Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#tlsconfig
    """

    validation: NotRequired[FrontendTLSValidation]
    """Check of the clients' certificates (default none is asked for)."""


class TLSPortConfig(TypedDict):
    """TLS between the clients and one port of a Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#tlsportconfig
    """

    port: pulumi.Input[int]
    """Port of the listeners, 1 to 65535, unique in the list."""
    tls: TLSConfig
    """TLS of the port."""


class FrontendTLSConfig(TypedDict):
    """TLS between the clients and all `HTTPS` listeners of a Gateway.

    https://gateway-api.sigs.k8s.io/reference/spec/#frontendtlsconfig
    """

    default: TLSConfig
    """TLS of the ports that `perPort` does not name."""
    perPort: NotRequired[Sequence[TLSPortConfig]]
    """Ports with a TLS of their own, at most 64."""


class GatewayTLS(TypedDict):
    """TLS of a Gateway as a whole.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewaytlsconfig
    """

    frontend: NotRequired[FrontendTLSConfig]
    """TLS with the clients."""


class GatewaySpec(TypedDict):
    """A Gateway: an ingress gateway or a waypoint.

    https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspec
    """

    gatewayClassName: pulumi.Input[str]
    """GatewayClass: `istio` for an ingress gateway, `istio-waypoint` for a waypoint."""
    listeners: Sequence[Listener]
    """Listeners, 1 to 64; exactly one for a waypoint."""
    addresses: NotRequired[Sequence[GatewayAddress]]
    """Addresses that it asks for, at most 16 (default one that the cluster assigns)."""
    infrastructure: NotRequired[GatewayInfrastructure]
    """The objects that istiod deploys for it."""
    allowedListeners: NotRequired[AllowedListeners]
    """ListenerSets that may add listeners to it (default none; from v1.5)."""
    tls: NotRequired[GatewayTLS]
    """TLS of all its listeners (from v1.5)."""


# Parts of HTTPRoute and GRPCRoute


HeaderMatchType = Literal["Exact", "RegularExpression"]
"""How a header or parameter is compared: with a text or with an RE2 expression for all of it."""


class HTTPHeader(TypedDict):
    """A header and its value.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpheader
    """

    name: pulumi.Input[str]
    """Name in any case, at most 256 characters."""
    value: pulumi.Input[str]
    """Value, 1 to 4096 characters."""


class HTTPHeaderFilter(TypedDict):
    """Changes of the headers; a name stands in one of the lists at most.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpheaderfilter
    """

    set: NotRequired[Sequence[HTTPHeader]]
    """Headers that replace those of the same name, at most 16."""
    add: NotRequired[Sequence[HTTPHeader]]
    """Headers added to those of the same name, at most 16."""
    remove: NotRequired[Sequence[pulumi.Input[str]]]
    """Names of headers that are taken out, at most 16."""


class Fraction(TypedDict):
    """A part of all requests.

    https://gateway-api.sigs.k8s.io/reference/spec/#fraction
    """

    numerator: pulumi.Input[int]
    """Requests, 0 to `denominator`."""
    denominator: NotRequired[pulumi.Input[int]]
    """Of how many, at least 1 (default 100)."""


class HTTPRequestMirrorFilter(TypedDict):
    """Copies of requests sent to another backend, whose answers are dropped.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprequestmirrorfilter
    """

    backendRef: BackendObjectReference
    """Where the copies go."""
    percent: NotRequired[pulumi.Input[int]]
    """Requests that are copied, 0 to 100 % (default 100); not beside `fraction`."""
    fraction: NotRequired[Fraction]
    """Part of the requests that is copied (default all); not beside `percent`."""


class HeaderModifierFilter(TypedDict):
    """A change of the headers on the way to and from one backend, for both kinds of routes.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter
    """

    type: pulumi.Input[Literal["RequestHeaderModifier", "ResponseHeaderModifier"]]
    """Which of the fields is set; Istio takes no other filter on a backend."""
    requestHeaderModifier: NotRequired[HTTPHeaderFilter]
    """Headers of the request, for `RequestHeaderModifier` only."""
    responseHeaderModifier: NotRequired[HTTPHeaderFilter]
    """Headers of the response, for `ResponseHeaderModifier` only."""


# HTTPRoute


HTTPMethod = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
"""Methods of HTTP, upper case."""


class HTTPPathMatch(TypedDict):
    """A condition on the path of a request.

    https://gateway-api.sigs.k8s.io/reference/spec/#httppathmatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "PathPrefix", "RegularExpression"]]]
    """`PathPrefix` (default) compares whole elements: `/status` matches `/status/200`, not
    `/statusx`. `RegularExpression` is an RE2 expression for the whole path."""
    value: NotRequired[pulumi.Input[str]]
    """What it is compared with (default `/`), at most 1024 characters."""


class HTTPHeaderMatch(TypedDict):
    """A condition on a header of a request.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpheadermatch
    """

    type: NotRequired[pulumi.Input[HeaderMatchType]]
    """How it is compared (default `Exact`)."""
    name: pulumi.Input[str]
    """Name in any case, unique in the match, at most 256 characters."""
    value: pulumi.Input[str]
    """What it is compared with, 1 to 4096 characters."""


class HTTPQueryParamMatch(TypedDict):
    """A condition on a parameter of the query.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpqueryparammatch
    """

    type: NotRequired[pulumi.Input[HeaderMatchType]]
    """How it is compared (default `Exact`)."""
    name: pulumi.Input[str]
    """Name in this case, unique in the match, at most 256 characters."""
    value: pulumi.Input[str]
    """What it is compared with, 1 to 1024 characters."""


class HTTPRouteMatch(TypedDict):
    """Requests for which all these conditions hold.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch
    """

    path: NotRequired[HTTPPathMatch]
    """Path (default every one)."""
    headers: NotRequired[Sequence[HTTPHeaderMatch]]
    """Headers, at most 16, all of which match."""
    queryParams: NotRequired[Sequence[HTTPQueryParamMatch]]
    """Parameters of the query, at most 16, all of which match."""
    method: NotRequired[pulumi.Input[HTTPMethod]]
    """Method (default every one)."""


class HTTPPathModifier(TypedDict):
    """A new path.

    https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier
    """

    type: pulumi.Input[Literal["ReplaceFullPath", "ReplacePrefixMatch"]]
    """Which of the fields is set; `ReplacePrefixMatch` needs matches by `PathPrefix`."""
    replaceFullPath: NotRequired[pulumi.Input[str]]
    """The whole path, at most 1024 characters."""
    replacePrefixMatch: NotRequired[pulumi.Input[str]]
    """What stands for the matched prefix, at most 1024 characters."""


class HTTPRequestRedirectFilter(TypedDict):
    """An answer that sends the client elsewhere.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprequestredirectfilter
    """

    scheme: NotRequired[pulumi.Input[Literal["http", "https"]]]
    """Scheme (default that of the request)."""
    hostname: NotRequired[pulumi.Input[str]]
    """Host name, lower case, without wildcard (default that of the request)."""
    path: NotRequired[HTTPPathModifier]
    """Path (default that of the request)."""
    port: NotRequired[pulumi.Input[int]]
    """Port, 1 to 65535 (default that of `scheme`, without one that of the request)."""
    statusCode: NotRequired[pulumi.Input[Literal[301, 302, 303, 307, 308]]]
    """Status (default 302); 303, 307 and 308 from v1.5."""


class HTTPURLRewriteFilter(TypedDict):
    """A change of the request's URL before it is sent on.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpurlrewritefilter
    """

    hostname: NotRequired[pulumi.Input[str]]
    """The `Host` header, lower case, without wildcard (default that of the request)."""
    path: NotRequired[HTTPPathModifier]
    """Path (default that of the request)."""


class HTTPCORSFilter(TypedDict):
    """Answers to browsers that ask whether another site may send requests.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpcorsfilter
    """

    allowOrigins: NotRequired[Sequence[pulumi.Input[str]]]
    """Origins `scheme://host[:port]`, `*` allowed for the host's first elements or alone, at most
    64."""
    allowMethods: NotRequired[Sequence[pulumi.Input[Literal[HTTPMethod, "*"]]]]
    """Methods, at most 9, or `*` alone."""
    allowHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """Request headers, at most 64, or `*` alone."""
    exposeHeaders: NotRequired[Sequence[pulumi.Input[str]]]
    """Response headers that scripts may read, at most 64, or `*` alone."""
    allowCredentials: NotRequired[pulumi.Input[bool]]
    """Whether cookies and the like may be sent (default no)."""
    maxAge: NotRequired[pulumi.Input[int]]
    """Seconds for which a browser keeps the answer, at least 1 (default 5)."""


class HTTPRouteFilter(TypedDict):
    """A step on the way of a request or response; exactly the field of its type is set.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter
    """

    type: pulumi.Input[
        Literal[
            "RequestHeaderModifier",
            "ResponseHeaderModifier",
            "RequestMirror",
            "RequestRedirect",
            "URLRewrite",
            "CORS",
        ]
    ]
    """Which of the fields is set; `RequestMirror` alone may be there more than once, and
    `RequestRedirect` and `URLRewrite` exclude each other. `CORS` from v1.5."""
    requestHeaderModifier: NotRequired[HTTPHeaderFilter]
    """Headers of the request."""
    responseHeaderModifier: NotRequired[HTTPHeaderFilter]
    """Headers of the response."""
    requestMirror: NotRequired[HTTPRequestMirrorFilter]
    """Copies of the request for another backend."""
    requestRedirect: NotRequired[HTTPRequestRedirectFilter]
    """Answer that sends the client elsewhere; the rule then has no backends."""
    urlRewrite: NotRequired[HTTPURLRewriteFilter]
    """Change of the URL."""
    cors: NotRequired[HTTPCORSFilter]
    """Cross-origin requests (from v1.5)."""


class HTTPBackendRef(BackendObjectReference):
    """A backend and its share of the requests.

    https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref
    """

    weight: NotRequired[pulumi.Input[int]]
    """Share of the requests in relation to the sum of all weights, 0 to 1000000 (default 1)."""
    filters: NotRequired[Sequence[HeaderModifierFilter]]
    """Changes for this backend alone, at most 16."""


class HTTPRouteTimeouts(TypedDict):
    """Limits of time, such as `1h30m` or `500ms`; `0s` is none.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutetimeouts
    """

    request: NotRequired[pulumi.Input[str]]
    """For the whole answer to the client."""
    backendRequest: NotRequired[pulumi.Input[str]]
    """For one request to a backend, not longer than `request`."""


class HTTPRouteRule(TypedDict):
    """Requests and what is done with them.

    https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
    """

    name: NotRequired[pulumi.Input[str]]
    """Name, unique in the route, at most 253 characters."""
    matches: NotRequired[Sequence[HTTPRouteMatch]]
    """Requests, at most 64 matches of which one holds, 128 in the whole route (default
    every request)."""
    filters: NotRequired[Sequence[HTTPRouteFilter]]
    """Steps on the way, at most 16."""
    backendRefs: NotRequired[Sequence[HTTPBackendRef]]
    """Where the requests go, at most 16; without any, and without a redirect, the answer is 500."""
    timeouts: NotRequired[HTTPRouteTimeouts]
    """Limits of time (default none)."""


class HTTPRouteSpec(TypedDict):
    """An HTTPRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec
    """

    parentRefs: NotRequired[Sequence[ParentReference]]
    """What it attaches to, at most 32; without any it does nothing."""
    hostnames: NotRequired[Sequence[pulumi.Input[str]]]
    """Host names of the requests, lower case, `*.` allowed in front, at most 16 (default those of
    the listener); ignored for a Service."""
    rules: NotRequired[Sequence[HTTPRouteRule]]
    """Rules, 1 to 16, most specific match first (default one for every request)."""


# GRPCRoute


class GRPCMethodMatch(TypedDict):
    """A condition on the method that is called; one of `service` and `method` at least.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcmethodmatch
    """

    type: NotRequired[pulumi.Input[Literal["Exact", "RegularExpression"]]]
    """How they are compared (default `Exact`)."""
    service: NotRequired[pulumi.Input[str]]
    """Service with its package, in this case, at most 1024 characters (default every one)."""
    method: NotRequired[pulumi.Input[str]]
    """Method, in this case, at most 1024 characters (default every one)."""


class GRPCHeaderMatch(TypedDict):
    """A condition on a header of a call.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcheadermatch
    """

    type: NotRequired[pulumi.Input[HeaderMatchType]]
    """How it is compared (default `Exact`)."""
    name: pulumi.Input[str]
    """Name in any case, unique in the match, at most 256 characters."""
    value: pulumi.Input[str]
    """What it is compared with, 1 to 4096 characters."""


class GRPCRouteMatch(TypedDict):
    """Calls for which both conditions hold.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutematch
    """

    method: NotRequired[GRPCMethodMatch]
    """Method (default every one)."""
    headers: NotRequired[Sequence[GRPCHeaderMatch]]
    """Headers, at most 16, all of which match."""


class GRPCRouteFilter(TypedDict):
    """A step on the way of a call; exactly the field of its type is set.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutefilter
    """

    type: pulumi.Input[Literal["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror"]]
    """Which of the fields is set; `RequestMirror` alone may be there more than once."""
    requestHeaderModifier: NotRequired[HTTPHeaderFilter]
    """Headers of the request."""
    responseHeaderModifier: NotRequired[HTTPHeaderFilter]
    """Headers of the response."""
    requestMirror: NotRequired[HTTPRequestMirrorFilter]
    """Copies of the call for another backend."""


class GRPCBackendRef(BackendObjectReference):
    """A backend and its share of the calls.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcbackendref
    """

    weight: NotRequired[pulumi.Input[int]]
    """Share of the calls in relation to the sum of all weights, 0 to 1000000 (default 1)."""
    filters: NotRequired[Sequence[HeaderModifierFilter]]
    """Changes for this backend alone, at most 16."""


class GRPCRouteRule(TypedDict):
    """Calls and what is done with them.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcrouterule
    """

    name: NotRequired[pulumi.Input[str]]
    """Name, unique in the route, at most 253 characters."""
    matches: NotRequired[Sequence[GRPCRouteMatch]]
    """Calls, at most 64 matches of which one holds (default every call)."""
    filters: NotRequired[Sequence[GRPCRouteFilter]]
    """Steps on the way, at most 16."""
    backendRefs: NotRequired[Sequence[GRPCBackendRef]]
    """Where the calls go, at most 16; without any they fail."""


class GRPCRouteSpec(TypedDict):
    """A GRPCRoute.

    https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutespec
    """

    parentRefs: NotRequired[Sequence[ParentReference]]
    """What it attaches to, at most 32; without any it does nothing."""
    hostnames: NotRequired[Sequence[pulumi.Input[str]]]
    """Host names of the calls, lower case, `*.` allowed in front, at most 16 (default those of the
    listener); ignored for a Service."""
    rules: NotRequired[Sequence[GRPCRouteRule]]
    """Rules, at most 16, most specific match first."""


# ReferenceGrant


class ReferenceGrantFrom(TypedDict):
    """Objects that may refer.

    https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantfrom
    """

    group: pulumi.Input[str]
    """API group, such as `gateway.networking.k8s.io`."""
    kind: pulumi.Input[str]
    """Kind: `Gateway` for certificates, `HTTPRoute` or `GRPCRoute` for backends."""
    namespace: pulumi.Input[str]
    """Namespace that they are in."""


class ReferenceGrantTo(TypedDict):
    """Objects, in the namespace of the grant, that may be referred to.

    https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantto
    """

    group: pulumi.Input[str]
    """API group, empty for the core group."""
    kind: pulumi.Input[str]
    """Kind: `Secret` for certificates, `Service` for backends."""
    name: NotRequired[pulumi.Input[str]]
    """Name of the one object, at most 253 characters (default every object of the kind)."""


ReferenceGrantSpec = TypedDict(
    "ReferenceGrantSpec",
    {
        "from": Sequence[ReferenceGrantFrom],
        "to": Sequence[ReferenceGrantTo],
    },
)
"""A ReferenceGrant, in the namespace of what is referred to.

- `from`: who may refer, 1 to 16; one of them is enough.
- `to`: what may be referred to, 1 to 16.

https://gateway-api.sigs.k8s.io/reference/spec/#referencegrantspec
"""
