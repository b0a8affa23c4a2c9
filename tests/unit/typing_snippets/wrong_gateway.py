from components.api.gateway_types import (
    AllowedListeners,
    AllowedRoutes,
    FrontendTLSConfig,
    FrontendTLSValidation,
    GatewayAddress,
    GatewayInfrastructure,
    GatewaySpec,
    GatewayTLS,
    LabelSelector,
    Listener,
    ListenerTLS,
    ParametersReference,
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
unsupported: GatewayTLS = {"backend": {}}  # wrong

# Wrong literals
protocol: Listener = {"name": "http", "port": 80, "protocol": "http"}  # wrong
mode: ListenerTLS = {"mode": "Termination"}  # wrong
routes_from: AllowedRoutes = {"namespaces": {"from": "None"}}  # wrong
listeners_from: AllowedListeners = {"namespaces": {"from": "Any"}}  # wrong
address_type: GatewayAddress = {"type": "IP", "value": "192.0.2.1"}  # wrong
operator: LabelSelector = {"matchExpressions": [{"key": "a", "operator": "Equals"}]}  # wrong
validation: FrontendTLSValidation = {"caCertificateRefs": [], "mode": "AllowAll"}  # wrong
nested: GatewaySpec = {
    "gatewayClassName": "istio-waypoint",
    "listeners": [
        {
            "name": "mesh",
            "port": 15008,
            "protocol": "HBone",  # wrong
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
no_kind: ParametersReference = {"group": "", "name": "options"}  # wrong
no_name: SecretObjectReference = {"namespace": "certificates"}  # wrong
no_default: FrontendTLSConfig = {"perPort": []}  # wrong
