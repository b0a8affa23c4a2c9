from components import AmbientExposure, AmbientExposureArgs
from components.gateway import IngressGateway, IngressGatewayArgs
from components.gateway_api import ObjectMeta
from components.namespace import NamespaceArgs
from components.route import IngressRouteArgs, RuleArgs, WaypointRouteArgs
from components.waypoint import Waypoint, WaypointArgs

# Misspelt fields
rule_field: RuleArgs = {"path": ["/status"]}  # wrong
waypoint_field: WaypointArgs = {"name": "waypoint", "namespace": "a", "gatewayClass": "a"}  # wrong
exposure_field: AmbientExposureArgs = {
    "namespace": {"name": "httpbin"},
    "service": {"name": "httpbin", "port": 8000, "image": "httpbin:1", "container_port": 8080},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status"]}],
    "gateway": {"gateway_clas": "istio"},  # wrong
}

# Wrong literals
gateway_type: IngressGatewayArgs = {
    "name": "gateway",
    "namespace": "httpbin",
    "hostnames": ["httpbin.example.com"],
    "service_type": "Loadbalancer",  # wrong
}
exposure_type: AmbientExposureArgs = {
    "namespace": {"name": "httpbin"},
    "service": {"name": "httpbin", "port": 8000, "image": "httpbin:1", "container_port": 8080},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status"]}],
    "gateway": {"service_type": "clusterIP"},  # wrong
}

# Wrong scalars
namespace_name: NamespaceArgs = {"name": 1}  # wrong
meta_label: ObjectMeta = {"name": "a", "namespace": "b", "labels": {"c": True}}  # wrong
exposure_port: AmbientExposureArgs = {
    "namespace": {"name": "httpbin"},
    "service": {
        "name": "httpbin",
        "port": "8000",  # wrong
        "image": "httpbin:1",
        "container_port": 8080,
    },
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status"]}],
}

# Missing fields
waypoint_missing: WaypointArgs = {"name": "waypoint"}  # wrong
rules_missing: WaypointRouteArgs = {"name": "a", "namespace": "b", "service": "c"}  # wrong
service_missing: IngressRouteArgs = {"name": "route", "namespace": "httpbin"}  # wrong
exposure_missing: AmbientExposureArgs = {"namespace": {"name": "httpbin"}, "rules": []}  # wrong

# Where a component is made
Waypoint("waypoint", {"name": "waypoint"})  # wrong
IngressGateway("gateway", {"name": 1, "namespace": "httpbin", "hostnames": []})  # wrong
AmbientExposure("httpbin", {})  # wrong
