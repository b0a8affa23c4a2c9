"""The DestinationRules of Istio's networking API.

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


class ConnectionPoolSettingsHTTPSettingsConnectionKeepalive(TypedDict):
    """`spec.trafficPolicy.connectionPool.http.http2KeepAlive` of DestinationRule; from Istio
    1.31.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings-HTTPSettings-ConnectionKeepalive
    """

    interval: NotRequired[pulumi.Input[str]]
    timeout: NotRequired[pulumi.Input[str]]


class ConnectionPoolSettingsHTTPSettings(TypedDict):
    """`spec.trafficPolicy.connectionPool.http` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings-HTTPSettings
    """

    http1MaxPendingRequests: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    http2MaxRequests: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    maxRequestsPerConnection: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    maxRetries: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    idleTimeout: NotRequired[pulumi.Input[str]]
    h2UpgradePolicy: NotRequired[pulumi.Input[Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]]]
    useClientProtocol: NotRequired[pulumi.Input[bool]]
    maxConcurrentStreams: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    http2KeepAlive: NotRequired[ConnectionPoolSettingsHTTPSettingsConnectionKeepalive]
    """From Istio 1.31."""


class ConnectionPoolSettingsTCPSettingsTcpKeepalive(TypedDict):
    """`spec.trafficPolicy.connectionPool.tcp.tcpKeepalive` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings-TCPSettings-TcpKeepalive
    """

    probes: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    time: NotRequired[pulumi.Input[str]]
    interval: NotRequired[pulumi.Input[str]]


class ConnectionPoolSettingsTCPSettings(TypedDict):
    """`spec.trafficPolicy.connectionPool.tcp` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings-TCPSettings
    """

    maxConnections: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    connectTimeout: NotRequired[pulumi.Input[str]]
    tcpKeepalive: NotRequired[ConnectionPoolSettingsTCPSettingsTcpKeepalive]
    maxConnectionDuration: NotRequired[pulumi.Input[str]]
    idleTimeout: NotRequired[pulumi.Input[str]]


class ConnectionPoolSettings(TypedDict):
    """`spec.trafficPolicy.connectionPool` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings
    """

    tcp: NotRequired[ConnectionPoolSettingsTCPSettings]
    http: NotRequired[ConnectionPoolSettingsHTTPSettings]


class LoadBalancerSettingsConsistentHashLBHTTPCookieAttribute(TypedDict):
    """`spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[]` of
    DestinationRule; from Istio 1.28.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB-HTTPCookie-Attribute
    """

    name: pulumi.Input[str]
    value: NotRequired[pulumi.Input[str]]


class LoadBalancerSettingsConsistentHashLBHTTPCookie(TypedDict):
    """`spec.trafficPolicy.loadBalancer.consistentHash.httpCookie` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB-HTTPCookie
    """

    name: pulumi.Input[str]
    path: NotRequired[pulumi.Input[str]]
    ttl: NotRequired[pulumi.Input[str]]
    attributes: NotRequired[Sequence[LoadBalancerSettingsConsistentHashLBHTTPCookieAttribute]]
    """From Istio 1.28."""


class LoadBalancerSettingsConsistentHashLBMagLev(TypedDict):
    """`spec.trafficPolicy.loadBalancer.consistentHash.maglev` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB-MagLev
    """

    tableSize: NotRequired[pulumi.Input[int]]
    """At least 0."""


class LoadBalancerSettingsConsistentHashLBRingHash(TypedDict):
    """`spec.trafficPolicy.loadBalancer.consistentHash.ringHash` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB-RingHash
    """

    minimumRingSize: NotRequired[pulumi.Input[int]]
    """At least 0."""


class LoadBalancerSettingsConsistentHashLB(TypedDict):
    """`spec.trafficPolicy.loadBalancer.consistentHash` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB
    """

    minimumRingSize: NotRequired[pulumi.Input[int]]
    """At least 0."""
    httpHeaderName: NotRequired[pulumi.Input[str]]
    httpCookie: NotRequired[LoadBalancerSettingsConsistentHashLBHTTPCookie]
    useSourceIp: NotRequired[pulumi.Input[bool]]
    httpQueryParameterName: NotRequired[pulumi.Input[str]]
    ringHash: NotRequired[LoadBalancerSettingsConsistentHashLBRingHash]
    maglev: NotRequired[LoadBalancerSettingsConsistentHashLBMagLev]


LocalityLoadBalancerSettingDistribute = TypedDict(
    "LocalityLoadBalancerSettingDistribute",
    {
        "from": NotRequired[pulumi.Input[str]],
        "to": NotRequired[Mapping[str, pulumi.Input[int]]],
    },
)
"""`spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[]` of DestinationRule.

- `to`: Each: 0 to 4294967295.

https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting-Distribute
"""
LocalityLoadBalancerSettingFailover = TypedDict(
    "LocalityLoadBalancerSettingFailover",
    {
        "from": NotRequired[pulumi.Input[str]],
        "to": NotRequired[pulumi.Input[str]],
    },
)
"""`spec.trafficPolicy.loadBalancer.localityLbSetting.failover[]` of DestinationRule.

https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting-Failover
"""


class LocalityLoadBalancerSetting(TypedDict):
    """`spec.trafficPolicy.loadBalancer.localityLbSetting` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting
    """

    distribute: NotRequired[Sequence[LocalityLoadBalancerSettingDistribute]]
    failover: NotRequired[Sequence[LocalityLoadBalancerSettingFailover]]
    failoverPriority: NotRequired[Sequence[pulumi.Input[str]]]
    enabled: NotRequired[pulumi.Input[bool]]


class WarmupConfiguration(TypedDict):
    """`spec.trafficPolicy.loadBalancer.warmup` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#WarmupConfiguration
    """

    duration: pulumi.Input[str]
    minimumPercent: NotRequired[pulumi.Input[float]]
    """0 to 100."""
    aggression: NotRequired[pulumi.Input[float]]
    """At least 0."""


ZoneAwareLoadBalancerSettingFailover = TypedDict(
    "ZoneAwareLoadBalancerSettingFailover",
    {
        "from": NotRequired[pulumi.Input[str]],
        "to": NotRequired[pulumi.Input[str]],
    },
)
"""`spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failover[]` of DestinationRule; from
Istio 1.31.

https://istio.io/latest/docs/reference/config/networking/destination-rule/#ZoneAwareLoadBalancerSetting-Failover
"""


class ZoneAwareLoadBalancerSetting(TypedDict):
    """`spec.trafficPolicy.loadBalancer.zoneAwareLbSetting` of DestinationRule; from Istio 1.31.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ZoneAwareLoadBalancerSetting
    """

    enabled: NotRequired[pulumi.Input[bool]]
    failover: NotRequired[Sequence[ZoneAwareLoadBalancerSettingFailover]]
    failoverPriority: NotRequired[Sequence[pulumi.Input[str]]]
    minClusterSize: NotRequired[pulumi.Input[int]]
    """1 to 4294967295."""


class LoadBalancerSettingsBackendUtilizationLB(TypedDict):
    """`spec.trafficPolicy.loadBalancer.backendUtilization` of DestinationRule; from Istio 1.32.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-BackendUtilizationLB
    """

    weightStabilizationPeriod: NotRequired[pulumi.Input[str]]
    weightExpirationPeriod: NotRequired[pulumi.Input[str]]
    weightUpdatePeriod: NotRequired[pulumi.Input[str]]
    errorUtilizationPenaltyPercent: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    metricNamesForComputingUtilization: NotRequired[Sequence[pulumi.Input[str]]]


class LoadBalancerSettings(TypedDict):
    """`spec.trafficPolicy.loadBalancer` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings
    """

    localityLbSetting: NotRequired[LocalityLoadBalancerSetting]
    zoneAwareLbSetting: NotRequired[ZoneAwareLoadBalancerSetting]
    """From Istio 1.31."""
    warmupDurationSecs: NotRequired[pulumi.Input[str]]
    warmup: NotRequired[WarmupConfiguration]
    simple: NotRequired[
        pulumi.Input[
            Literal[
                "UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"
            ]
        ]
    ]
    consistentHash: NotRequired[LoadBalancerSettingsConsistentHashLB]
    backendUtilization: NotRequired[LoadBalancerSettingsBackendUtilizationLB]
    """From Istio 1.32."""


class OutlierDetection(TypedDict):
    """`spec.trafficPolicy.outlierDetection` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection
    """

    consecutiveErrors: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    splitExternalLocalOriginErrors: NotRequired[pulumi.Input[bool]]
    consecutiveLocalOriginFailures: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    consecutiveGatewayErrors: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    consecutive5xxErrors: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    interval: NotRequired[pulumi.Input[str]]
    baseEjectionTime: NotRequired[pulumi.Input[str]]
    maxEjectionPercent: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    minHealthPercent: NotRequired[pulumi.Input[int]]
    """At most 2147483647."""
    outlierDetectionHttpErrorCodes: NotRequired[Sequence[pulumi.Input[int]]]
    """Each: 100 to 599; from Istio 1.31."""
    failurePercentageThreshold: NotRequired[pulumi.Input[int]]
    """0 to 100; from Istio 1.32."""


class PortSelector(TypedDict):
    """`spec.trafficPolicy.portLevelSettings[].port` of DestinationRule.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#PortSelector
    """

    number: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""


class ClientTLSSettings(TypedDict):
    """`spec.trafficPolicy.tls` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
    """

    mode: NotRequired[pulumi.Input[Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]]]
    clientCertificate: NotRequired[pulumi.Input[str]]
    privateKey: NotRequired[pulumi.Input[str]]
    caCertificates: NotRequired[pulumi.Input[str]]
    credentialName: NotRequired[pulumi.Input[str]]
    caCertCredentialName: NotRequired[pulumi.Input[str]]
    """From Istio 1.32."""
    subjectAltNames: NotRequired[Sequence[pulumi.Input[str]]]
    sni: NotRequired[pulumi.Input[str]]
    insecureSkipVerify: NotRequired[pulumi.Input[bool]]
    caCrl: NotRequired[pulumi.Input[str]]


class TrafficPolicyPortTrafficPolicy(TypedDict):
    """`spec.trafficPolicy.portLevelSettings[]` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-PortTrafficPolicy
    """

    port: NotRequired[PortSelector]
    loadBalancer: NotRequired[LoadBalancerSettings]
    connectionPool: NotRequired[ConnectionPoolSettings]
    outlierDetection: NotRequired[OutlierDetection]
    tls: NotRequired[ClientTLSSettings]


class TrafficPolicyProxyProtocol(TypedDict):
    """`spec.trafficPolicy.proxyProtocol` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-ProxyProtocol
    """

    version: NotRequired[pulumi.Input[Literal["V1", "V2"]]]


class TrafficPolicyTunnelSettings(TypedDict):
    """`spec.trafficPolicy.tunnel` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-TunnelSettings
    """

    protocol: NotRequired[pulumi.Input[str]]
    targetHost: pulumi.Input[str]
    targetPort: pulumi.Input[int]
    """0 to 4294967295."""


class TrafficPolicyRetryBudget(TypedDict):
    """`spec.trafficPolicy.retryBudget` of DestinationRule; from Istio 1.27.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-RetryBudget
    """

    percent: NotRequired[pulumi.Input[float]]
    """0 to 100."""
    minRetryConcurrency: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    budgetInterval: NotRequired[pulumi.Input[str]]
    """From Istio 1.31."""


class TrafficPolicy(TypedDict):
    """`spec.trafficPolicy` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy
    """

    loadBalancer: NotRequired[LoadBalancerSettings]
    connectionPool: NotRequired[ConnectionPoolSettings]
    outlierDetection: NotRequired[OutlierDetection]
    tls: NotRequired[ClientTLSSettings]
    portLevelSettings: NotRequired[Sequence[TrafficPolicyPortTrafficPolicy]]
    """At most 4096 elements."""
    tunnel: NotRequired[TrafficPolicyTunnelSettings]
    proxyProtocol: NotRequired[TrafficPolicyProxyProtocol]
    retryBudget: NotRequired[TrafficPolicyRetryBudget]
    """From Istio 1.27."""


class Subset(TypedDict):
    """`spec.subsets[]` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#Subset
    """

    name: pulumi.Input[str]
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    trafficPolicy: NotRequired[TrafficPolicy]


class WorkloadSelector(TypedDict):
    """`spec.workloadSelector` of DestinationRule.

    https://istio.io/latest/docs/reference/config/type/workload-selector/#WorkloadSelector
    """

    matchLabels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 4096 elements; each: at most 63 characters."""


class DestinationRuleSpec(TypedDict):
    """`spec` of DestinationRule.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#DestinationRule
    """

    host: pulumi.Input[str]
    trafficPolicy: NotRequired[TrafficPolicy]
    subsets: NotRequired[Sequence[Subset]]
    exportTo: NotRequired[Sequence[pulumi.Input[str]]]
    workloadSelector: NotRequired[WorkloadSelector]


LIMITS: Mapping[type, Mapping[str, Limit]] = {
    ConnectionPoolSettingsHTTPSettings: {
        "http1MaxPendingRequests": Limit(high=2147483647),
        "http2MaxRequests": Limit(high=2147483647),
        "maxRequestsPerConnection": Limit(high=2147483647),
        "maxRetries": Limit(high=2147483647),
        "maxConcurrentStreams": Limit(high=2147483647),
    },
    ConnectionPoolSettingsTCPSettingsTcpKeepalive: {"probes": Limit(low=0, high=4294967295)},
    ConnectionPoolSettingsTCPSettings: {"maxConnections": Limit(high=2147483647)},
    LoadBalancerSettingsConsistentHashLBMagLev: {"tableSize": Limit(low=0)},
    LoadBalancerSettingsConsistentHashLBRingHash: {"minimumRingSize": Limit(low=0)},
    LoadBalancerSettingsConsistentHashLB: {"minimumRingSize": Limit(low=0)},
    LocalityLoadBalancerSettingDistribute: {"to[]": Limit(low=0, high=4294967295)},
    WarmupConfiguration: {"minimumPercent": Limit(low=0, high=100), "aggression": Limit(low=0)},
    ZoneAwareLoadBalancerSetting: {"minClusterSize": Limit(low=1, high=4294967295)},
    LoadBalancerSettingsBackendUtilizationLB: {
        "errorUtilizationPenaltyPercent": Limit(low=0, high=4294967295)
    },
    OutlierDetection: {
        "consecutiveErrors": Limit(high=2147483647),
        "consecutiveLocalOriginFailures": Limit(low=0, high=4294967295),
        "consecutiveGatewayErrors": Limit(low=0, high=4294967295),
        "consecutive5xxErrors": Limit(low=0, high=4294967295),
        "maxEjectionPercent": Limit(high=2147483647),
        "minHealthPercent": Limit(high=2147483647),
        "outlierDetectionHttpErrorCodes[]": Limit(low=100, high=599),
        "failurePercentageThreshold": Limit(low=0, high=100),
    },
    PortSelector: {"number": Limit(low=0, high=4294967295)},
    TrafficPolicyTunnelSettings: {"targetPort": Limit(low=0, high=4294967295)},
    TrafficPolicyRetryBudget: {
        "percent": Limit(low=0, high=100),
        "minRetryConcurrency": Limit(low=0, high=4294967295),
    },
    TrafficPolicy: {"portLevelSettings": Limit(high=4096)},
    WorkloadSelector: {"matchLabels": Limit(high=4096), "matchLabels[]": Limit(high=63)},
}
"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {}
"""Lists, and the key that no two elements have in common; empty for all of them."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {
    ConnectionPoolSettingsHTTPSettingsConnectionKeepalive: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.connectionPool.http.http2KeepAlive",
            "spec.subsets[].trafficPolicy.portLevelSettings[].connectionPool.http.http2KeepAlive",
            "spec.trafficPolicy.connectionPool.http.http2KeepAlive",
            "spec.trafficPolicy.portLevelSettings[].connectionPool.http.http2KeepAlive",
        ]
    },
    ConnectionPoolSettingsHTTPSettings: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.connectionPool.http",
            "spec.subsets[].trafficPolicy.portLevelSettings[].connectionPool.http",
            "spec.trafficPolicy.connectionPool.http",
            "spec.trafficPolicy.portLevelSettings[].connectionPool.http",
        ]
    },
    ConnectionPoolSettingsTCPSettingsTcpKeepalive: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.connectionPool.tcp.tcpKeepalive",
            "spec.subsets[].trafficPolicy.portLevelSettings[].connectionPool.tcp.tcpKeepalive",
            "spec.trafficPolicy.connectionPool.tcp.tcpKeepalive",
            "spec.trafficPolicy.portLevelSettings[].connectionPool.tcp.tcpKeepalive",
        ]
    },
    ConnectionPoolSettingsTCPSettings: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.connectionPool.tcp",
            "spec.subsets[].trafficPolicy.portLevelSettings[].connectionPool.tcp",
            "spec.trafficPolicy.connectionPool.tcp",
            "spec.trafficPolicy.portLevelSettings[].connectionPool.tcp",
        ]
    },
    ConnectionPoolSettings: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.connectionPool",
            "spec.subsets[].trafficPolicy.portLevelSettings[].connectionPool",
            "spec.trafficPolicy.connectionPool",
            "spec.trafficPolicy.portLevelSettings[].connectionPool",
        ]
    },
    LoadBalancerSettingsConsistentHashLBHTTPCookieAttribute: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[]",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.httpCookie.attributes[]",
            "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[]",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.httpCookie.attributes[]",
        ]
    },
    LoadBalancerSettingsConsistentHashLBHTTPCookie: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.httpCookie",
            "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.httpCookie",
        ]
    },
    LoadBalancerSettingsConsistentHashLBMagLev: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.consistentHash.maglev",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.maglev",
            "spec.trafficPolicy.loadBalancer.consistentHash.maglev",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.maglev",
        ]
    },
    LoadBalancerSettingsConsistentHashLBRingHash: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.consistentHash.ringHash",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.ringHash",
            "spec.trafficPolicy.loadBalancer.consistentHash.ringHash",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.consistentHash.ringHash",
        ]
    },
    LoadBalancerSettingsConsistentHashLB: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.consistentHash",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.consistentHash",
            "spec.trafficPolicy.loadBalancer.consistentHash",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.consistentHash",
        ]
    },
    LocalityLoadBalancerSettingDistribute: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.localityLbSetting.distribute[]",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.localityLbSetting.distribute[]",
            "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[]",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.localityLbSetting.distribute[]",
        ]
    },
    LocalityLoadBalancerSettingFailover: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.localityLbSetting.failover[]",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.localityLbSetting.failover[]",
            "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[]",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.localityLbSetting.failover[]",
        ]
    },
    LocalityLoadBalancerSetting: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.localityLbSetting",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.localityLbSetting",
            "spec.trafficPolicy.loadBalancer.localityLbSetting",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.localityLbSetting",
        ]
    },
    WarmupConfiguration: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.warmup",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.warmup",
            "spec.trafficPolicy.loadBalancer.warmup",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.warmup",
        ]
    },
    ZoneAwareLoadBalancerSettingFailover: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting.failover[]",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.zoneAwareLbSetting.failover[]",
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failover[]",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.zoneAwareLbSetting.failover[]",
        ]
    },
    ZoneAwareLoadBalancerSetting: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.zoneAwareLbSetting",
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.zoneAwareLbSetting",
        ]
    },
    LoadBalancerSettingsBackendUtilizationLB: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer.backendUtilization",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer.backendUtilization",
            "spec.trafficPolicy.loadBalancer.backendUtilization",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer.backendUtilization",
        ]
    },
    LoadBalancerSettings: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.loadBalancer",
            "spec.subsets[].trafficPolicy.portLevelSettings[].loadBalancer",
            "spec.trafficPolicy.loadBalancer",
            "spec.trafficPolicy.portLevelSettings[].loadBalancer",
        ]
    },
    OutlierDetection: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.outlierDetection",
            "spec.subsets[].trafficPolicy.portLevelSettings[].outlierDetection",
            "spec.trafficPolicy.outlierDetection",
            "spec.trafficPolicy.portLevelSettings[].outlierDetection",
        ]
    },
    PortSelector: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.portLevelSettings[].port",
            "spec.trafficPolicy.portLevelSettings[].port",
        ]
    },
    ClientTLSSettings: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.portLevelSettings[].tls",
            "spec.subsets[].trafficPolicy.tls",
            "spec.trafficPolicy.portLevelSettings[].tls",
            "spec.trafficPolicy.tls",
        ]
    },
    TrafficPolicyPortTrafficPolicy: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.portLevelSettings[]",
            "spec.trafficPolicy.portLevelSettings[]",
        ]
    },
    TrafficPolicyProxyProtocol: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.proxyProtocol",
            "spec.trafficPolicy.proxyProtocol",
        ]
    },
    TrafficPolicyTunnelSettings: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.tunnel",
            "spec.trafficPolicy.tunnel",
        ]
    },
    TrafficPolicyRetryBudget: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy.retryBudget",
            "spec.trafficPolicy.retryBudget",
        ]
    },
    TrafficPolicy: {
        "destinationrules.networking.istio.io/v1": [
            "spec.subsets[].trafficPolicy",
            "spec.trafficPolicy",
        ]
    },
    Subset: {"destinationrules.networking.istio.io/v1": ["spec.subsets[]"]},
    WorkloadSelector: {"destinationrules.networking.istio.io/v1": ["spec.workloadSelector"]},
    DestinationRuleSpec: {"destinationrules.networking.istio.io/v1": ["spec"]},
}
"""Where objects of a class stand: CustomResourceDefinition and version, paths."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {
    ConnectionPoolSettingsHTTPSettingsConnectionKeepalive: {"": Releases(standard="1.31")},
    ConnectionPoolSettingsHTTPSettings: {"http2KeepAlive": Releases(standard="1.31")},
    LoadBalancerSettingsConsistentHashLBHTTPCookieAttribute: {"": Releases(standard="1.28")},
    LoadBalancerSettingsConsistentHashLBHTTPCookie: {"attributes": Releases(standard="1.28")},
    ZoneAwareLoadBalancerSettingFailover: {"": Releases(standard="1.31")},
    ZoneAwareLoadBalancerSetting: {"": Releases(standard="1.31")},
    LoadBalancerSettingsBackendUtilizationLB: {"": Releases(standard="1.32")},
    LoadBalancerSettings: {
        "zoneAwareLbSetting": Releases(standard="1.31"),
        "backendUtilization": Releases(standard="1.32"),
    },
    OutlierDetection: {
        "outlierDetectionHttpErrorCodes": Releases(standard="1.31"),
        "failurePercentageThreshold": Releases(standard="1.32"),
    },
    ClientTLSSettings: {"caCertCredentialName": Releases(standard="1.32")},
    TrafficPolicyRetryBudget: {
        "": Releases(standard="1.27"),
        "budgetInterval": Releases(standard="1.31"),
    },
    TrafficPolicy: {"retryBudget": Releases(standard="1.27")},
}
"""Which releases have a field, where not all do; an empty key is for the whole class."""
