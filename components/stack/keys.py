"""The keys of a stack's configuration and their types.

`Pulumi.yaml` has the meaning and the default of each.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from ..api.gateway_types import AllowedRoutes, GRPCRouteRule, Listener
from ..api.istio_types import JWTRule
from ..parts.authorization import PolicyArgs
from ..parts.customization import CustomizationArgs
from ..parts.gateway import AddressType, ServiceType
from ..parts.probe import CheckArgs
from ..parts.route import RuleArgs
from ..parts.tls import TLSArgs
from ..parts.waypoint import WaypointFor
from ..parts.workload import Protocol


class GatewaySettings(TypedDict):
    """An ingress gateway."""

    namespace: str
    createNamespace: bool
    hostnames: Sequence[str]
    serviceType: ServiceType
    port: int
    tls: NotRequired[TLSArgs]
    listeners: NotRequired[Sequence[Listener]]
    allowedRoutes: NotRequired[AllowedRoutes]
    address: NotRequired[str]
    addressType: AddressType
    nameOverride: NotRequired[str]
    gatewayClass: str
    gatewayCustomization: NotRequired[CustomizationArgs]


class WaypointSettings(TypedDict):
    """A waypoint."""

    namespace: str
    createNamespace: bool
    waypointFor: WaypointFor
    waypointRoutes: NotRequired[AllowedRoutes]
    waypointClass: str
    waypointCustomization: NotRequired[CustomizationArgs]


class CanarySettings(TypedDict):
    """A second version of the workload; what is left out is as in the first one."""

    image: str
    weight: int
    args: NotRequired[Sequence[str]]
    env: NotRequired[Mapping[str, str]]
    replicas: NotRequired[int]


class ExposureSettings(GatewaySettings, WaypointSettings):
    """A service, and what exposes it."""

    service: str
    createService: bool
    servicePort: int
    protocol: Protocol
    selector: NotRequired[Mapping[str, str]]
    image: str
    containerPort: int
    args: NotRequired[Sequence[str]]
    env: NotRequired[Mapping[str, str]]
    replicas: int
    resources: NotRequired[Mapping[str, Any]]
    securityContext: NotRequired[Mapping[str, Any]]
    readinessProbe: NotRequired[Mapping[str, Any]]
    livenessProbe: NotRequired[Mapping[str, Any]]
    canary: NotRequired[CanarySettings]
    paths: NotRequired[Sequence[str]]
    rules: NotRequired[Sequence[RuleArgs]]
    grpcRules: NotRequired[Sequence[GRPCRouteRule]]
    ingressRules: NotRequired[Sequence[RuleArgs]]
    gateway: NotRequired[str]
    waypoint: NotRequired[str]
    ingressUseWaypoint: Literal["service", "namespace"]
    policies: NotRequired[Sequence[PolicyArgs]]
    jwtRules: NotRequired[Sequence[JWTRule]]
    requireWaypoint: bool
    verify: bool
    checks: Sequence[CheckArgs]


class GatewayEntry(GatewaySettings):
    """A gateway that exposures share."""

    name: str


class WaypointEntry(WaypointSettings):
    """A waypoint that exposures share."""

    name: str


class ExposureEntry(ExposureSettings):
    """One of several exposures."""

    name: str


class StackSettings(ExposureSettings):
    """Every key of a stack; what it shares with an entry is the default of the entries."""

    context: NotRequired[str]
    kubeconfig: NotRequired[str]
    preflight: bool
    labels: NotRequired[Mapping[str, str]]
    annotations: NotRequired[Mapping[str, str]]
    discoveryLabels: NotRequired[Mapping[str, str]]
    revision: NotRequired[str]
    clusterDomain: str
    trustDomain: str
    imageRegistry: NotRequired[str]
    gateways: NotRequired[Sequence[Mapping[str, Any]]]
    waypoints: NotRequired[Sequence[Mapping[str, Any]]]
    exposures: NotRequired[Sequence[Mapping[str, Any]]]
    referenceGrants: bool
    clientNamespace: str
    clientImage: str
    readyTimeout: int
    verifyTimeout: int
