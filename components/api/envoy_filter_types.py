"""The EnvoyFilters of Istio's networking API.

Made by `python -m generate api` from the CustomResourceDefinitions of istio.io/api
v1.24.2, v1.25.5, v1.26.4, v1.27.3, v1.28.2, v1.29.1, v1.30.8, v1.31.4, v1.32.0; not to be
changed by hand.

Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not
said to be of later releases is part of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases


class EnvoyFilterClusterMatch(TypedDict):
    """`spec.configPatches[].match.cluster` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-ClusterMatch
    """

    portNumber: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    service: NotRequired[pulumi.Input[str]]
    subset: NotRequired[pulumi.Input[str]]
    name: NotRequired[pulumi.Input[str]]


class EnvoyFilterListenerMatchSubFilterMatch(TypedDict):
    """`spec.configPatches[].match.listener.filterChain.filter.subFilter` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-ListenerMatch-SubFilterMatch
    """

    name: NotRequired[pulumi.Input[str]]


class EnvoyFilterListenerMatchFilterMatch(TypedDict):
    """`spec.configPatches[].match.listener.filterChain.filter` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-ListenerMatch-FilterMatch
    """

    name: NotRequired[pulumi.Input[str]]
    subFilter: NotRequired[EnvoyFilterListenerMatchSubFilterMatch]


class EnvoyFilterListenerMatchFilterChainMatch(TypedDict):
    """`spec.configPatches[].match.listener.filterChain` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-ListenerMatch-FilterChainMatch
    """

    name: NotRequired[pulumi.Input[str]]
    sni: NotRequired[pulumi.Input[str]]
    transportProtocol: NotRequired[pulumi.Input[str]]
    applicationProtocols: NotRequired[pulumi.Input[str]]
    filter: NotRequired[EnvoyFilterListenerMatchFilterMatch]
    destinationPort: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    transportSocket: NotRequired[pulumi.Input[str]]
    """From Istio 1.32."""


class EnvoyFilterListenerMatch(TypedDict):
    """`spec.configPatches[].match.listener` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-ListenerMatch
    """

    portNumber: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    portName: NotRequired[pulumi.Input[str]]
    filterChain: NotRequired[EnvoyFilterListenerMatchFilterChainMatch]
    listenerFilter: NotRequired[pulumi.Input[str]]
    name: NotRequired[pulumi.Input[str]]


class EnvoyFilterProxyMatch(TypedDict):
    """`spec.configPatches[].match.proxy` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-ProxyMatch
    """

    proxyVersion: NotRequired[pulumi.Input[str]]
    metadata: NotRequired[Mapping[str, pulumi.Input[str]]]


class EnvoyFilterRouteConfigurationMatchRouteMatch(TypedDict):
    """`spec.configPatches[].match.routeConfiguration.vhost.route` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-RouteConfigurationMatch-RouteMatch
    """

    name: NotRequired[pulumi.Input[str]]
    action: NotRequired[pulumi.Input[Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"]]]


class EnvoyFilterRouteConfigurationMatchVirtualHostMatch(TypedDict):
    """`spec.configPatches[].match.routeConfiguration.vhost` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-RouteConfigurationMatch-VirtualHostMatch
    """

    name: NotRequired[pulumi.Input[str]]
    domainName: NotRequired[pulumi.Input[str]]
    """From Istio 1.25."""
    route: NotRequired[EnvoyFilterRouteConfigurationMatchRouteMatch]


class EnvoyFilterRouteConfigurationMatch(TypedDict):
    """`spec.configPatches[].match.routeConfiguration` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-RouteConfigurationMatch
    """

    portNumber: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    portName: NotRequired[pulumi.Input[str]]
    gateway: NotRequired[pulumi.Input[str]]
    vhost: NotRequired[EnvoyFilterRouteConfigurationMatchVirtualHostMatch]
    name: NotRequired[pulumi.Input[str]]


class EnvoyFilterWaypointMatchRouteMatch(TypedDict):
    """`spec.configPatches[].match.waypoint.route` of EnvoyFilter; from Istio 1.29.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-WaypointMatch-RouteMatch
    """

    name: NotRequired[pulumi.Input[str]]


class EnvoyFilterWaypointMatchFilterMatchSubFilterMatch(TypedDict):
    """`spec.configPatches[].match.waypoint.filter.subFilter` of EnvoyFilter; from Istio 1.29.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-WaypointMatch-FilterMatch-SubFilterMatch
    """

    name: NotRequired[pulumi.Input[str]]


class EnvoyFilterWaypointMatchFilterMatch(TypedDict):
    """`spec.configPatches[].match.waypoint.filter` of EnvoyFilter; from Istio 1.29.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-WaypointMatch-FilterMatch
    """

    name: NotRequired[pulumi.Input[str]]
    subFilter: NotRequired[EnvoyFilterWaypointMatchFilterMatchSubFilterMatch]


class EnvoyFilterWaypointMatch(TypedDict):
    """`spec.configPatches[].match.waypoint` of EnvoyFilter; from Istio 1.29.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-WaypointMatch
    """

    portNumber: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    route: NotRequired[EnvoyFilterWaypointMatchRouteMatch]
    filter: NotRequired[EnvoyFilterWaypointMatchFilterMatch]


class EnvoyFilterEnvoyConfigObjectMatch(TypedDict):
    """`spec.configPatches[].match` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-EnvoyConfigObjectMatch
    """

    context: NotRequired[
        pulumi.Input[Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"]]
    ]
    """`WAYPOINT` from Istio 1.29."""
    proxy: NotRequired[EnvoyFilterProxyMatch]
    listener: NotRequired[EnvoyFilterListenerMatch]
    routeConfiguration: NotRequired[EnvoyFilterRouteConfigurationMatch]
    cluster: NotRequired[EnvoyFilterClusterMatch]
    waypoint: NotRequired[EnvoyFilterWaypointMatch]
    """From Istio 1.29."""


class EnvoyFilterPatch(TypedDict):
    """`spec.configPatches[].patch` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch
    """

    operation: NotRequired[
        pulumi.Input[
            Literal[
                "INVALID",
                "MERGE",
                "ADD",
                "REMOVE",
                "INSERT_BEFORE",
                "INSERT_AFTER",
                "INSERT_FIRST",
                "REPLACE",
                "MERGE_AND_REPLACE_LIST",
            ]
        ]
    ]
    """`MERGE_AND_REPLACE_LIST` from Istio 1.31."""
    value: NotRequired[Mapping[str, Any]]
    filterClass: NotRequired[pulumi.Input[Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"]]]


class EnvoyFilterEnvoyConfigObjectPatch(TypedDict):
    """`spec.configPatches[]` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-EnvoyConfigObjectPatch
    """

    applyTo: NotRequired[
        pulumi.Input[
            Literal[
                "INVALID",
                "LISTENER",
                "FILTER_CHAIN",
                "NETWORK_FILTER",
                "HTTP_FILTER",
                "ROUTE_CONFIGURATION",
                "VIRTUAL_HOST",
                "HTTP_ROUTE",
                "CLUSTER",
                "EXTENSION_CONFIG",
                "BOOTSTRAP",
                "LISTENER_FILTER",
            ]
        ]
    ]
    match: NotRequired[EnvoyFilterEnvoyConfigObjectMatch]
    patch: NotRequired[EnvoyFilterPatch]


class PolicyTargetReference(TypedDict):
    """`spec.targetRefs[]` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#PolicyTargetReference
    """

    group: NotRequired[pulumi.Input[str]]
    """An API group like 'apps.example.com', or '' for the core group, at most 253 characters."""
    kind: pulumi.Input[str]
    """A kind like 'Service', 1 to 63 characters."""
    name: pulumi.Input[str]
    """1 to 253 characters."""
    namespace: NotRequired[pulumi.Input[str]]


class WorkloadSelector(TypedDict):
    """`spec.workloadSelector` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#WorkloadSelector
    """

    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 256 elements; each: at most 63 characters."""


class EnvoyFilterSpec(TypedDict):
    """`spec` of EnvoyFilter.

    https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter
    """

    workloadSelector: NotRequired[WorkloadSelector]
    targetRefs: NotRequired[Sequence[PolicyTargetReference]]
    """At most 16 elements."""
    configPatches: NotRequired[Sequence[EnvoyFilterEnvoyConfigObjectPatch]]
    priority: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""


_GROUP = (
    "^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "an API group like 'apps.example.com', or '' for the core group",
)
_KIND = ("^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", "a kind like 'Service'")

LIMITS: Mapping[type, Mapping[str, Limit]] = {
    EnvoyFilterClusterMatch: {"portNumber": Limit(low=0, high=4294967295)},
    EnvoyFilterListenerMatchFilterChainMatch: {"destinationPort": Limit(low=0, high=4294967295)},
    EnvoyFilterListenerMatch: {"portNumber": Limit(low=0, high=4294967295)},
    EnvoyFilterRouteConfigurationMatch: {"portNumber": Limit(low=0, high=4294967295)},
    EnvoyFilterWaypointMatch: {"portNumber": Limit(low=0, high=4294967295)},
    PolicyTargetReference: {
        "group": Limit(None, 253, *_GROUP),
        "kind": Limit(1, 63, *_KIND),
        "name": Limit(low=1, high=253),
    },
    WorkloadSelector: {"labels": Limit(high=256), "labels[]": Limit(high=63)},
    EnvoyFilterSpec: {"targetRefs": Limit(high=16), "priority": Limit(high=2147483647)},
}
"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {}
"""Lists, and the key that no two elements have in common; empty for all of them."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {
    EnvoyFilterClusterMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match.cluster"]
    },
    EnvoyFilterListenerMatchSubFilterMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.listener.filterChain.filter.subFilter"
        ]
    },
    EnvoyFilterListenerMatchFilterMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.listener.filterChain.filter"
        ]
    },
    EnvoyFilterListenerMatchFilterChainMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.listener.filterChain"
        ]
    },
    EnvoyFilterListenerMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match.listener"]
    },
    EnvoyFilterProxyMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match.proxy"]
    },
    EnvoyFilterRouteConfigurationMatchRouteMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.routeConfiguration.vhost.route"
        ]
    },
    EnvoyFilterRouteConfigurationMatchVirtualHostMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.routeConfiguration.vhost"
        ]
    },
    EnvoyFilterRouteConfigurationMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.routeConfiguration"
        ]
    },
    EnvoyFilterWaypointMatchRouteMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match.waypoint.route"]
    },
    EnvoyFilterWaypointMatchFilterMatchSubFilterMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": [
            "spec.configPatches[].match.waypoint.filter.subFilter"
        ]
    },
    EnvoyFilterWaypointMatchFilterMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match.waypoint.filter"]
    },
    EnvoyFilterWaypointMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match.waypoint"]
    },
    EnvoyFilterEnvoyConfigObjectMatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].match"]
    },
    EnvoyFilterPatch: {"envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[].patch"]},
    EnvoyFilterEnvoyConfigObjectPatch: {
        "envoyfilters.networking.istio.io/v1alpha3": ["spec.configPatches[]"]
    },
    PolicyTargetReference: {"envoyfilters.networking.istio.io/v1alpha3": ["spec.targetRefs[]"]},
    WorkloadSelector: {"envoyfilters.networking.istio.io/v1alpha3": ["spec.workloadSelector"]},
    EnvoyFilterSpec: {"envoyfilters.networking.istio.io/v1alpha3": ["spec"]},
}
"""Where objects of a class stand: CustomResourceDefinition and version, paths."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {
    EnvoyFilterListenerMatchFilterChainMatch: {"transportSocket": Releases(standard="1.32")},
    EnvoyFilterRouteConfigurationMatchVirtualHostMatch: {"domainName": Releases(standard="1.25")},
    EnvoyFilterWaypointMatchRouteMatch: {"": Releases(standard="1.29")},
    EnvoyFilterWaypointMatchFilterMatchSubFilterMatch: {"": Releases(standard="1.29")},
    EnvoyFilterWaypointMatchFilterMatch: {"": Releases(standard="1.29")},
    EnvoyFilterWaypointMatch: {"": Releases(standard="1.29")},
    EnvoyFilterEnvoyConfigObjectMatch: {"waypoint": Releases(standard="1.29")},
}
"""Which releases have a field, where not all do; an empty key is for the whole class."""
