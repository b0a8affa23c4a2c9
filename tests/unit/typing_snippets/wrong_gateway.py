from components.api.gateway_types import (
    AllowedListeners,
    AllowedRoutes,
    FrontendTLSConfig,
    FrontendTLSValidation,
    GatewayInfrastructure,
    GatewaySpec,
    GatewayTLSConfig,
    Listener,
    ListenerTLS,
    LocalParametersReference,
    SecretObjectReference,
)

# Misspelt fields
spec_field: GatewaySpec = {"gatewayClass": "istio", "listeners": []}  # wrong
listener_field: Listener = {"name": "http", "port": 80, "protocol": "HTTP", "host": "a"}  # wrong
tls_field: ListenerTLS = {"certificateRef": [{"name": "cert"}]}  # wrong
routes_field: AllowedRoutes = {"namespace": {"from": "All"}}  # wrong
from_field: AllowedRoutes = {"namespaces": {"from_": "All"}}  # wrong
snake_case: AllowedRoutes = {
    "namespaces": {"from": "Selector", "selector": {"match_labels": {"a": "b"}}}  # wrong
}
infrastructure_field: GatewayInfrastructure = {"parameters": {}}  # wrong
tls_config_field: GatewayTLSConfig = {"backends": {}}  # wrong

# Wrong literals
protocol: Listener = {"name": "http", "port": 80, "protocol": 80}  # wrong
mode: ListenerTLS = {"mode": "Termination"}  # wrong
routes_from: AllowedRoutes = {"namespaces": {"from": "None"}}  # wrong
listeners_from: AllowedListeners = {"namespaces": {"from": "Any"}}  # wrong
validation: FrontendTLSValidation = {"caCertificateRefs": [], "mode": "AllowAll"}  # wrong
nested: GatewaySpec = {
    "gatewayClassName": "istio-waypoint",
    "listeners": [
        {
            "name": "mesh",
            "port": 15008,
            "protocol": "HBONE",
            "tls": {"mode": "terminate"},  # wrong
        }
    ],
}

# Wrong scalars
port: Listener = {"name": "http", "port": "80", "protocol": "HTTP"}  # wrong
class_name: GatewaySpec = {"gatewayClassName": 1, "listeners": []}  # wrong
label: GatewayInfrastructure = {"labels": {"team": 7}}  # wrong
listeners: GatewaySpec = {"gatewayClassName": "istio", "listeners": "http"}  # wrong

# Missing fields
no_listeners: GatewaySpec = {"gatewayClassName": "istio"}  # wrong
no_port: Listener = {"name": "http", "protocol": "HTTP"}  # wrong
no_kind: LocalParametersReference = {"group": "", "name": "options"}  # wrong
no_name: SecretObjectReference = {"namespace": "certificates"}  # wrong
no_default: FrontendTLSConfig = {"perPort": []}  # wrong
