"""Pulumi components that expose services of an Istio ambient mesh through the Gateway API.

`exposure` makes of a service, its host names and rules what the `parts` make of one thing each;
`api` are the objects of others that they are made of, `checks` what is checked of arguments,
`cluster` where all of it goes. `stack` makes a whole stack from its configuration. Imports go one
way: stack, exposure, parts, cluster, api, checks.
"""

from .api.gateway import Gateway, GRPCRoute, HTTPRoute, ReferenceGrant
from .api.istio import AuthorizationPolicy, RequestAuthentication, Telemetry
from .api.outputs import after
from .checks.faults import InvalidInput
from .cluster.explain import explain_failures
from .cluster.preflight import PreflightArgs, preflight
from .cluster.provider import Cluster, ClusterArgs
from .exposure.arguments import AmbientExposureArgs
from .exposure.exposure import AmbientExposure
from .parts.authorization import Authorization, AuthorizationArgs, PolicyArgs
from .parts.backend_tls import BackendTLSArgs, backend_tls
from .parts.certificate import Certificate, CertificateArgs
from .parts.client import Client, ClientArgs, ClientReference
from .parts.connections import ConnectionRouteArgs, connection_route
from .parts.customization import CustomizationArgs
from .parts.dns import DNSOptions
from .parts.external import ExternalServiceArgs, external_service
from .parts.gateway import IngressGateway
from .parts.gateway_args import GatewayReference, IngressGatewayArgs
from .parts.listeners import ListenerSetArgs, listener_set
from .parts.mesh import Mesh, MeshArgs
from .parts.metadata import common_metadata, mirrored_images
from .parts.namespace import Namespace, NamespaceArgs, NamespaceReference
from .parts.probe import CheckArgs, Probe, ProbeArgs, fingerprint
from .parts.routes import (
    IngressRouteArgs,
    RuleArgs,
    WaypointRouteArgs,
    ingress_route,
    waypoint_route,
)
from .parts.telemetry import TelemetryOptions
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
    "BackendTLSArgs",
    "Certificate",
    "CertificateArgs",
    "CheckArgs",
    "Client",
    "ClientArgs",
    "ClientReference",
    "Cluster",
    "ClusterArgs",
    "ConnectionRouteArgs",
    "CustomizationArgs",
    "DNSOptions",
    "ExternalServiceArgs",
    "GRPCRoute",
    "Gateway",
    "GatewayReference",
    "HTTPRoute",
    "IngressGateway",
    "IngressGatewayArgs",
    "IngressRouteArgs",
    "InvalidInput",
    "ListenerSetArgs",
    "Mesh",
    "MeshArgs",
    "Namespace",
    "NamespaceArgs",
    "NamespaceReference",
    "PolicyArgs",
    "PreflightArgs",
    "Probe",
    "ProbeArgs",
    "ReferenceGrant",
    "RequestAuthentication",
    "RuleArgs",
    "TLSArgs",
    "Telemetry",
    "TelemetryOptions",
    "Waypoint",
    "WaypointArgs",
    "WaypointBinding",
    "WaypointBindingArgs",
    "WaypointReference",
    "WaypointRouteArgs",
    "Workload",
    "WorkloadArgs",
    "after",
    "backend_tls",
    "common_metadata",
    "connection_route",
    "explain_failures",
    "external_service",
    "fingerprint",
    "ingress_route",
    "listener_set",
    "mirrored_images",
    "preflight",
    "waypoint_route",
]
