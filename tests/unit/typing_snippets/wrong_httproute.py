import pulumi

from components.api.gateway_types import (
    Fraction,
    HTTPBackendRef,
    HTTPCORSFilter,
    HTTPHeaderMatch,
    HTTPPathMatch,
    HTTPPathModifier,
    HTTPQueryParamMatch,
    HTTPRequestMirrorFilter,
    HTTPRequestRedirectFilter,
    HTTPRouteFilter,
    HTTPRouteMatch,
    HTTPRouteRule,
    HTTPRouteSpec,
    HTTPRouteTimeouts,
    ParentReference,
)

# Misspelt fields
spec_field: HTTPRouteSpec = {"hostname": ["a.example.com"]}  # wrong
parent_field: ParentReference = {"name": "gateway", "section": "http"}  # wrong
rule_field: HTTPRouteRule = {"backends": []}  # wrong
match_field: HTTPRouteMatch = {"query": []}  # wrong
backend_field: HTTPBackendRef = {"name": "httpbin", "port": 8000, "wieght": 1}  # wrong
timeouts_field: HTTPRouteTimeouts = {"backend": "1s"}  # wrong
filter_field: HTTPRouteFilter = {"type": "URLRewrite", "rewrite": {}}  # wrong
retry_field: HTTPRouteRule = {"retry": {"attempt": 1}}  # wrong
incomplete: HTTPRouteFilter = {"type": "ExtensionRef", "extensionRef": {}}  # wrong
nested: HTTPRouteSpec = {
    "parentRefs": [{"name": "gateway"}],
    "rules": [
        {
            "matches": [{"path": {"kind": "Exact", "value": "/"}}],  # wrong
            "backendRefs": [{"name": "httpbin", "port": 8000}],
        }
    ],
}

# Wrong literals
path_type: HTTPPathMatch = {"type": "Prefix", "value": "/"}  # wrong
header_type: HTTPHeaderMatch = {"type": "exact", "name": "a", "value": "b"}  # wrong
method: HTTPRouteMatch = {"method": "get"}  # wrong
filter_type: HTTPRouteFilter = {"type": "Redirect"}  # wrong
status: HTTPRequestRedirectFilter = {"statusCode": 300}  # wrong
scheme: HTTPRequestRedirectFilter = {"scheme": "HTTPS"}  # wrong
modifier: HTTPPathModifier = {"type": "ReplacePath", "replaceFullPath": "/"}  # wrong
cors_method: HTTPCORSFilter = {"allowMethods": ["ANY"]}  # wrong
on_a_backend: HTTPBackendRef = {"name": "httpbin", "filters": [{"type": "Cors"}]}  # wrong

# Wrong scalars
port: HTTPBackendRef = {"name": "httpbin", "port": "http"}  # wrong
weight: HTTPBackendRef = {"name": "httpbin", "port": 8000, "weight": 0.5}  # wrong
value: HTTPQueryParamMatch = {"name": "version", "value": 2}  # wrong
timeout: HTTPRouteTimeouts = {"request": 10}  # wrong
credentials: HTTPCORSFilter = {"allowCredentials": "true"}  # wrong
output: HTTPBackendRef = {"name": pulumi.Output.from_input(8000), "port": 8000}  # wrong
hostnames: HTTPRouteSpec = {"hostnames": [1]}  # wrong

# Missing fields
no_parent_name: ParentReference = {"namespace": "httpbin"}  # wrong
no_backend_name: HTTPBackendRef = {"port": 8000}  # wrong
no_filter_type: HTTPRouteFilter = {"cors": {}}  # wrong
no_backend: HTTPRequestMirrorFilter = {"percent": 10}  # wrong
no_numerator: Fraction = {"denominator": 3}  # wrong
no_header_value: HTTPHeaderMatch = {"name": "version"}  # wrong
