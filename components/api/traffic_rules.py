"""What istiod demands of DestinationRules beyond their generated types and limits, and what a
waypoint makes of them.

https://istio.io/latest/docs/reference/config/networking/destination-rule/
"""

from collections.abc import Mapping
from typing import Any

from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import all_of, of_api, one_at_most, some_of
from ..checks.schema import at
from ..checks.values import Limit
from . import destination_rule_types as api
from . import envoy_filter_types

_DURATION = Limit(
    pattern=r"^([0-9]+(\.[0-9]+)?(h|ms|m|s))+$", words="a duration like '1h30m', '10s' or '500ms'"
)

_BACKEND_TLS = valid.nothing(
    "pods of the mesh are reached by its own mutual TLS; TLS to a backend of others is what a"
    " BackendTLSPolicy is for"
)
_TUNNELLED = valid.nothing(
    "a waypoint connects to pods through a tunnel of its own, of which Istio decides"
)


def _check_hash(faults: Faults, path: str, hash_: Mapping[str, Any]) -> None:
    if hash_.get("useSourceIp") is True:
        faults.add(
            at(path, "useSourceIp"),
            "found true, but to a waypoint every request of a gateway comes from the gateway's own"
            " address: all of them would go to one pod. Use httpCookie or httpHeaderName",
        )


def _check_simple(faults: Faults, path: str, settings: Mapping[str, Any]) -> None:
    if settings.get("simple") == "PASSTHROUGH":
        faults.add(
            at(path, "simple"),
            "found PASSTHROUGH, which sends a request to the address that it came for: at a"
            " waypoint the Service's, not a pod's. Choose another",
        )


_BY = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")

SCHEMA = of_api(
    {**api.LIMITS, **envoy_filter_types.LIMITS},
    api.DISTINCT,
    {
        api.LoadBalancerSettings: all_of(
            one_at_most("simple", "consistentHash", "backendUtilization"),
            one_at_most("warmup", "warmupDurationSecs"),
            one_at_most("localityLbSetting", "zoneAwareLbSetting"),
            _check_simple,
        ),
        api.LoadBalancerSettingsConsistentHashLB: all_of(
            some_of(*_BY),
            one_at_most(*_BY),
            one_at_most("ringHash", "maglev", "minimumRingSize"),
            _check_hash,
        ),
    },
).extended(
    {
        api.TrafficPolicy: {
            "tls": _BACKEND_TLS,
            "tunnel": valid.nothing("waypoints ignore it"),
        },
        api.TrafficPolicyPortTrafficPolicy: {"tls": _BACKEND_TLS},
        api.ConnectionPoolSettingsTCPSettings: {
            "connectTimeout": _TUNNELLED,
            "tcpKeepalive": _TUNNELLED,
            "maxConnectionDuration": _DURATION,
            "idleTimeout": _DURATION,
        },
        api.ConnectionPoolSettingsHTTPSettings: {"idleTimeout": _DURATION},
        api.LoadBalancerSettingsConsistentHashLBHTTPCookie: {"ttl": _DURATION},
        api.WarmupConfiguration: {"duration": _DURATION},
        api.OutlierDetection: {
            "consecutiveErrors": valid.nothing("Istio ignores it. Use consecutive5xxErrors"),
            "outlierDetectionHttpErrorCodes": valid.nothing("waypoints ignore it"),
            "interval": _DURATION,
            "baseEjectionTime": _DURATION,
            "maxEjectionPercent": Limit(0, 100, words="a percentage"),
            "minHealthPercent": Limit(0, 100, words="a percentage"),
        },
    }
)
"""What is expected of DestinationRules and EnvoyFilters."""
