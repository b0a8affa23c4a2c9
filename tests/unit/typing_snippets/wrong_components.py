from components import (
    AdoptedServiceArgs,
    AmbientExposure,
    AmbientExposureArgs,
    CheckArgs,
    CustomizationArgs,
    PolicyArgs,
    TLSArgs,
    WaypointBinding,
)
from components.api.gateway import ObjectMeta
from components.exposure.arguments import CanaryOptions, VerificationOptions
from components.parts.gateway import (
    GatewayOptions,
    GatewayReference,
    IngressGateway,
    IngressGatewayArgs,
)
from components.parts.namespace import NamespaceArgs
from components.parts.route import IngressRouteArgs, RuleArgs, WaypointRouteArgs
from components.parts.waypoint import Waypoint, WaypointArgs, WaypointOptions

# Misspelt fields
rule_field: RuleArgs = {"path": ["/status"]}  # wrong
rule_backends: RuleArgs = {"paths": ["/"], "backends": []}  # wrong
gateway_field: GatewayOptions = {"listener": []}  # wrong
tls_field: TLSArgs = {"certificate": {"shop.example.com": "shop"}}  # wrong
customization_field: CustomizationArgs = {"horizontal_pod_autoscaler": {}}  # wrong
policy_field: PolicyArgs = {"action": "DENY", "rules": [{"form": []}]}  # wrong
adopted_field: AdoptedServiceArgs = {"name": "a", "namespace": "b", "port": 80}  # wrong
waypoint_field: WaypointArgs = {"name": "waypoint", "namespace": "a", "gatewayClass": "a"}  # wrong
exposure_field: AmbientExposureArgs = {
    "namespace": {"name": "httpbin"},
    "service": {"name": "httpbin", "port": 8000, "image": "httpbin:1", "container_port": 8080},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status"]}],
    "gateway": {"gateway_clas": "istio"},  # wrong
}

# Wrong literals
waypoint_for: WaypointOptions = {"waypoint_for": "services"}  # wrong
tls_mode: TLSArgs = {"mode": "Terminate"}  # wrong
tls_issuer: TLSArgs = {"issuer": "letsencrypt"}  # wrong
address_type: GatewayOptions = {"address_type": "IP"}  # wrong
policy_action: PolicyArgs = {"action": "Allow", "rules": []}  # wrong
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
tls_port: TLSArgs = {"port": "443"}  # wrong
tls_certificates: TLSArgs = {"certificates": ["shop"]}  # wrong
gateway_tls: GatewayOptions = {"tls": True}  # wrong
check_status: CheckArgs = {"path": "/", "status": "200"}  # wrong
canary_weight: CanaryOptions = {"image": "shop:2", "weight": 0.1}  # wrong
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
canary_missing: CanaryOptions = {"image": "shop:2"}  # wrong
checks_missing: VerificationOptions = {"namespace": "curl", "image": "curl:1"}  # wrong
reference_missing: GatewayReference = {"name": "edge", "namespace": "edge"}  # wrong
waypoint_missing: WaypointArgs = {"name": "waypoint"}  # wrong
rules_missing: WaypointRouteArgs = {"name": "a", "namespace": "b", "service": "c"}  # wrong
service_missing: IngressRouteArgs = {"name": "route", "namespace": "httpbin"}  # wrong
exposure_missing: AmbientExposureArgs = {"namespace": {"name": "httpbin"}, "rules": []}  # wrong

# Where a component is made
Waypoint("waypoint", {"name": "waypoint"})  # wrong
IngressGateway("gateway", {"name": 1, "namespace": "httpbin", "hostnames": []})  # wrong
AmbientExposure("httpbin", {})  # wrong
WaypointBinding("shop", {"namespace": "shop", "waypoint": "shared"})  # wrong
