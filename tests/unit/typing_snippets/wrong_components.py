from components import (
    AdoptedServiceArgs,
    AmbientExposure,
    AmbientExposureArgs,
    CheckArgs,
    ClientArgs,
    ClientReference,
    ClusterArgs,
    CustomizationArgs,
    GatewayReference,
    IngressGateway,
    IngressGatewayArgs,
    IngressRouteArgs,
    NamespaceArgs,
    NamespaceReference,
    PolicyArgs,
    RuleArgs,
    TLSArgs,
    Waypoint,
    WaypointArgs,
    WaypointBinding,
    WaypointReference,
    WaypointRouteArgs,
    ingress_route,
    waypoint_route,
)
from components.api.gateway import ObjectMeta
from components.exposure.arguments import (
    CanaryOptions,
    GatewayPart,
    ServiceOptions,
    VerificationOptions,
    WaypointPart,
)
from components.parts.gateway_args import GatewayOptions
from components.parts.namespace import NamespaceOptions
from components.parts.waypoint import WaypointOptions
from components.stack.arguments import StackArgs

edge = IngressGateway("edge", {"namespace": {"name": "edge"}, "hostnames": ["*.example.com"]})
shared = Waypoint("shared", {"namespace": {"existing": {"name": "edge"}}})

# Misspelt fields
rule_field: RuleArgs = {"path": ["/status"]}  # wrong
rule_backends: RuleArgs = {"paths": ["/"], "backends": []}  # wrong
gateway_field: GatewayOptions = {"listener": []}  # wrong
tls_field: TLSArgs = {"certificate": {"shop.example.com": "shop"}}  # wrong
customization_field: CustomizationArgs = {"horizontal_pod_autoscaler": {}}  # wrong
policy_field: PolicyArgs = {"action": "DENY", "rules": [{"form": []}]}  # wrong
adopted_field: AdoptedServiceArgs = {"name": "a", "namespace": "b", "port": 80}  # wrong
waypoint_field: WaypointArgs = {"namespace": {"name": "a"}, "gatewayClass": "a"}  # wrong
namespace_field: NamespaceOptions = {"create": True, "labels": {}}  # wrong
client_field: ClientArgs = {"namespace": {}, "account": "curl"}  # wrong
cluster_field: ClusterArgs = {"kubecontext": "production"}  # wrong
canary_field: CanaryOptions = {"image": "shop:2", "weight": 1, "port": 80}  # wrong
exposure_field: AmbientExposureArgs = {
    "namespace": {"name": "httpbin"},
    "service": {"name": "httpbin", "port": 8000, "image": "httpbin:1", "container_port": 8080},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status"]}],
    "gateway": {"gateway_clas": "istio"},  # wrong
}
in_camel_case: ServiceOptions = {"name": "shop", "port": 80, "containerPort": 8080}  # wrong
stack_field: StackArgs = {"exposures": {}, "gateway": {}}  # wrong

# Wrong literals
waypoint_for: WaypointOptions = {"waypoint_for": "services"}  # wrong
tls_mode: TLSArgs = {"mode": "Terminate"}  # wrong
tls_issuer: TLSArgs = {"issuer": "letsencrypt"}  # wrong
address_type: GatewayOptions = {"address_type": "IP"}  # wrong
policy_action: PolicyArgs = {"action": "Allow", "rules": []}  # wrong
protocol: ServiceOptions = {"name": "shop", "port": 80, "protocol": "http2"}  # wrong
gateway_type: IngressGatewayArgs = {
    "namespace": {"name": "httpbin"},
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
ingress_use_waypoint: WaypointPart = {"ingress_use_waypoint": "namespace"}  # wrong
binds: WaypointPart = {"binds": "service"}  # wrong
preflight: ClusterArgs = {"preflight": "false"}  # wrong
verification_timeout: VerificationOptions = {"checks": [], "timeout": "1m"}  # wrong
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

# Wrong references
existing_namespace: NamespaceOptions = {"existing": "shop"}  # wrong
existing_gateway: GatewayPart = {"existing": edge}  # wrong
existing_waypoint: WaypointPart = {"existing": shared.name}  # wrong
existing_client: ClientArgs = {"namespace": "curl"}  # wrong
namespace_reference: NamespaceReference = {"namespace": "shop"}  # wrong
gateway_reference: GatewayReference = {"name": "edge", "port": "80"}  # wrong
waypoint_reference: WaypointReference = {"name": "shared", "binds": "Service"}  # wrong
client_reference: ClientReference = {"namespace": "curl"}  # wrong

# Missing fields
canary_missing: CanaryOptions = {"image": "shop:2"}  # wrong
checks_missing: VerificationOptions = {"timeout": 60}  # wrong
namespace_missing: IngressGatewayArgs = {"hostnames": ["a.example.com"]}  # wrong
waypoint_missing: WaypointArgs = {"name": "waypoint"}  # wrong
service_port_missing: ServiceOptions = {"name": "shop"}  # wrong
rules_missing: WaypointRouteArgs = {"name": "a", "namespace": "b", "service": "c"}  # wrong
service_missing: IngressRouteArgs = {"name": "route", "namespace": "httpbin"}  # wrong
exposure_missing: AmbientExposureArgs = {"namespace": {"name": "httpbin"}, "rules": []}  # wrong

# Where something is made
Waypoint("waypoint", {"name": "waypoint"})  # wrong
IngressGateway("gateway", {"namespace": "httpbin", "hostnames": []})  # wrong
AmbientExposure("httpbin", {})  # wrong
WaypointBinding("shop", {"namespace": "shop", "waypoint": "shared"})  # wrong
ingress_route("shop", {"name": "shop", "namespace": "shop"})  # wrong
waypoint_route("shop", {"name": "shop", "namespace": "shop"})  # wrong
