from components.api.gateway_types import (
    GRPCBackendRef,
    GRPCHeaderMatch,
    GRPCMethodMatch,
    GRPCRouteFilter,
    GRPCRouteMatch,
    GRPCRouteRule,
    GRPCRouteSpec,
)

# Misspelt fields
spec_field: GRPCRouteSpec = {"parentRef": []}  # wrong
rule_field: GRPCRouteRule = {"backendRef": []}  # wrong
match_field: GRPCRouteMatch = {"path": {"value": "/"}}  # wrong
of_another_kind: GRPCRouteRule = {"timeouts": {"request": "1s"}}  # wrong
nested: GRPCRouteSpec = {
    "parentRefs": [{"group": "", "kind": "Service", "name": "yages"}],
    "rules": [
        {
            "matches": [{"method": {"services": "yages.Echo"}}],  # wrong
            "backendRefs": [{"name": "yages", "port": 9000}],
        }
    ],
}

# Wrong literals
method_type: GRPCMethodMatch = {"type": "Prefix", "service": "yages.Echo"}  # wrong
header_type: GRPCHeaderMatch = {"type": "regex", "name": "a", "value": "b"}  # wrong
filter_type: GRPCRouteFilter = {"type": "URLRewrite"}  # wrong
on_a_backend: GRPCBackendRef = {"name": "yages", "filters": [{"type": "URLRewrite"}]}  # wrong

# Wrong scalars
port: GRPCBackendRef = {"name": "yages", "port": "9000"}  # wrong
service: GRPCMethodMatch = {"service": ["yages.Echo"]}  # wrong

# Missing fields
no_name: GRPCBackendRef = {"port": 9000}  # wrong
no_value: GRPCHeaderMatch = {"name": "version"}  # wrong
no_type: GRPCRouteFilter = {"requestHeaderModifier": {"remove": ["a"]}}  # wrong
