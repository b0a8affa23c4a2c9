"""Pulumi components that expose services of an Istio ambient mesh through the Gateway API."""

from .api.gateway import Gateway, GRPCRoute, HTTPRoute, ReferenceGrant
from .api.istio import AuthorizationPolicy, RequestAuthentication
from .api.outputs import after
from .checks.values import InvalidInput
from .cluster.explain import explain_failures
from .cluster.provider import Cluster, ClusterArgs, PreflightArgs, preflight
from .exposure.arguments import AmbientExposureArgs
from .exposure.exposure import AmbientExposure
from .parts.authorization import Authorization, AuthorizationArgs, PolicyArgs
from .parts.certificate import Certificate, CertificateArgs
from .parts.client import Client, ClientArgs, ClientReference
from .parts.customization import CustomizationArgs
from .parts.gateway import GatewayReference, IngressGateway, IngressGatewayArgs
from .parts.mesh import Mesh, MeshArgs
from .parts.metadata import common_metadata
from .parts.namespace import Namespace, NamespaceArgs
from .parts.probe import CheckArgs, Probe, ProbeArgs, fingerprint
from .parts.route import (
    IngressRoute,
    IngressRouteArgs,
    RuleArgs,
    WaypointRoute,
    WaypointRouteArgs,
)
from .parts.tls import TLSArgs
from .parts.waypoint import (
    Waypoint,
    WaypointArgs,
    WaypointBinding,
    WaypointBindingArgs,
    WaypointReference,
)
from .parts.workload import AdoptedService, AdoptedServiceArgs, Workload, WorkloadArgs

__all__ = [
    "AdoptedService",
    "AdoptedServiceArgs",
    "AmbientExposure",
    "AmbientExposureArgs",
    "Authorization",
    "AuthorizationArgs",
    "AuthorizationPolicy",
    "Certificate",
    "CertificateArgs",
    "CheckArgs",
    "Client",
    "ClientArgs",
    "ClientReference",
    "Cluster",
    "ClusterArgs",
    "CustomizationArgs",
    "GRPCRoute",
    "Gateway",
    "GatewayReference",
    "HTTPRoute",
    "IngressGateway",
    "IngressGatewayArgs",
    "IngressRoute",
    "IngressRouteArgs",
    "InvalidInput",
    "Mesh",
    "MeshArgs",
    "Namespace",
    "NamespaceArgs",
    "PolicyArgs",
    "PreflightArgs",
    "Probe",
    "ProbeArgs",
    "ReferenceGrant",
    "RequestAuthentication",
    "RuleArgs",
    "TLSArgs",
    "Waypoint",
    "WaypointArgs",
    "WaypointBinding",
    "WaypointBindingArgs",
    "WaypointReference",
    "WaypointRoute",
    "WaypointRouteArgs",
    "Workload",
    "WorkloadArgs",
    "after",
    "common_metadata",
    "explain_failures",
    "fingerprint",
    "preflight",
]
