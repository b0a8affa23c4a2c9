"""Pulumi components that expose services of an Istio ambient mesh through the Gateway API."""

from components.client import Client, ClientArgs
from components.cluster import Cluster, ClusterArgs, PreflightArgs, preflight
from components.explain import explain_failures
from components.exposure import AmbientExposure, AmbientExposureArgs
from components.gateway import IngressGateway, IngressGatewayArgs
from components.gateway_api import Gateway, GRPCRoute, HTTPRoute, ReferenceGrant
from components.namespace import Namespace, NamespaceArgs
from components.probe import CheckArgs, Probe, ProbeArgs
from components.route import (
    IngressRoute,
    IngressRouteArgs,
    RuleArgs,
    WaypointRoute,
    WaypointRouteArgs,
)
from components.validation import InvalidInput
from components.waypoint import Waypoint, WaypointArgs
from components.workload import Workload, WorkloadArgs

__all__ = [
    "AmbientExposure",
    "AmbientExposureArgs",
    "CheckArgs",
    "Client",
    "ClientArgs",
    "Cluster",
    "ClusterArgs",
    "GRPCRoute",
    "Gateway",
    "HTTPRoute",
    "IngressGateway",
    "IngressGatewayArgs",
    "IngressRoute",
    "IngressRouteArgs",
    "InvalidInput",
    "Namespace",
    "NamespaceArgs",
    "PreflightArgs",
    "Probe",
    "ProbeArgs",
    "ReferenceGrant",
    "RuleArgs",
    "Waypoint",
    "WaypointArgs",
    "WaypointRoute",
    "WaypointRouteArgs",
    "Workload",
    "WorkloadArgs",
    "explain_failures",
    "preflight",
]
