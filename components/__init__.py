"""Pulumi components that expose services of an Istio ambient mesh through the Gateway API."""

from components.authorization import Authorization, AuthorizationArgs, PolicyArgs
from components.certificate import Certificate, CertificateArgs
from components.client import Client, ClientArgs, ClientReference
from components.cluster import Cluster, ClusterArgs, PreflightArgs, preflight
from components.customization import CustomizationArgs
from components.explain import explain_failures
from components.exposure import AmbientExposure
from components.exposure_types import AmbientExposureArgs
from components.gateway import GatewayReference, IngressGateway, IngressGatewayArgs
from components.gateway_api import Gateway, GRPCRoute, HTTPRoute, ReferenceGrant
from components.istio_api import AuthorizationPolicy, RequestAuthentication
from components.mesh import Mesh, MeshArgs
from components.metadata import common_metadata
from components.namespace import Namespace, NamespaceArgs
from components.outputs import after
from components.probe import CheckArgs, Probe, ProbeArgs, fingerprint
from components.route import (
    IngressRoute,
    IngressRouteArgs,
    RuleArgs,
    WaypointRoute,
    WaypointRouteArgs,
)
from components.tls import TLSArgs
from components.validation import InvalidInput
from components.waypoint import (
    Waypoint,
    WaypointArgs,
    WaypointBinding,
    WaypointBindingArgs,
    WaypointReference,
)
from components.workload import AdoptedService, AdoptedServiceArgs, Workload, WorkloadArgs

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
