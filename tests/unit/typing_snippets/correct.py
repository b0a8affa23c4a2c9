import pulumi

from components import (
    AmbientExposure,
    AmbientExposureArgs,
    Client,
    IngressGateway,
    Namespace,
    Waypoint,
    WaypointBinding,
    waypoint_route,
)
from components.api.gateway import Gateway, HTTPRoute
from components.api.gateway_types import (
    GatewaySpec,
    GRPCRouteSpec,
    HTTPRouteSpec,
    ReferenceGrantSpec,
)
from components.stack.arguments import StackArgs

name = pulumi.Output.from_input("httpbin")
port = pulumi.Output.from_input(8000)

ingress: GatewaySpec = {
    "gatewayClassName": "istio",
    "infrastructure": {
        "labels": {"team": name},
        "annotations": {"kubernetes.io/description": "Ingress gateway"},
        "parametersRef": {"group": "", "kind": "ConfigMap", "name": "gateway-options"},
    },
    "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],
    "allowedListeners": {"namespaces": {"from": "None"}},
    "tls": {
        "frontend": {
            "default": {
                "validation": {
                    "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}],
                    "mode": "AllowValidOnly",
                }
            },
            "perPort": [{"port": 8443, "tls": {}}],
        }
    },
    "listeners": [
        {
            "name": "http",
            "port": port,
            "protocol": "HTTP",
            "hostname": "*.example.com",
            "allowedRoutes": {
                "namespaces": {
                    "from": "Selector",
                    "selector": {
                        "matchLabels": {"kubernetes.io/metadata.name": name},
                        "matchExpressions": [
                            {"key": "team", "operator": "In", "values": ["a", name]},
                            {"key": "old", "operator": "DoesNotExist"},
                        ],
                    },
                },
                "kinds": [{"kind": "HTTPRoute"}],
            },
        },
        {
            "name": "https",
            "port": 443,
            "protocol": "HTTPS",
            "tls": {
                "mode": "Terminate",
                "certificateRefs": [{"name": "certificate", "namespace": "certificates"}],
                "options": {"gateway.istio.io/tls-terminate-mode": "MUTUAL"},
            },
        },
    ],
}

waypoint: GatewaySpec = {
    "gatewayClassName": "istio-waypoint",
    "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
}

http: HTTPRouteSpec = {
    "parentRefs": [{"name": "gateway", "namespace": name, "sectionName": "http"}],
    "hostnames": ["httpbin.example.com", name],
    "rules": [
        {
            "name": "canary",
            "matches": [
                {
                    "path": {"type": "PathPrefix", "value": "/status"},
                    "headers": [{"type": "Exact", "name": "x-canary", "value": "yes"}],
                    "queryParams": [{"name": "version", "value": "2"}],
                    "method": "GET",
                }
            ],
            "filters": [
                {
                    "type": "RequestMirror",
                    "requestMirror": {
                        "backendRef": {"name": "shadow", "port": 8000},
                        "fraction": {"numerator": 1, "denominator": 3},
                    },
                },
                {
                    "type": "URLRewrite",
                    "urlRewrite": {
                        "hostname": "inside.example.com",
                        "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
                    },
                },
                {
                    "type": "CORS",
                    "cors": {
                        "allowOrigins": ["https://*.example.com"],
                        "allowMethods": ["GET", "*"],
                        "allowCredentials": True,
                        "maxAge": 60,
                    },
                },
            ],
            "backendRefs": [
                {"name": "httpbin-v1", "port": port, "weight": 90},
                {
                    "name": "httpbin-v2",
                    "port": port,
                    "weight": 10,
                    "filters": [
                        {
                            "type": "ResponseHeaderModifier",
                            "responseHeaderModifier": {
                                "set": [{"name": "x-version", "value": "2"}],
                                "remove": ["server"],
                            },
                        }
                    ],
                },
            ],
            "timeouts": {"request": "10s", "backendRequest": "2s"},
            "retry": {"codes": [503], "attempts": 2, "backoff": "100ms"},
        },
        {
            "filters": [
                {
                    "type": "RequestRedirect",
                    "requestRedirect": {"scheme": "https", "statusCode": 308},
                }
            ]
        },
    ],
}

grpc: GRPCRouteSpec = {
    "parentRefs": [{"group": "", "kind": "Service", "name": "yages", "port": 9000}],
    "rules": [
        {
            "matches": [
                {
                    "method": {"type": "Exact", "service": "yages.Echo", "method": "Ping"},
                    "headers": [{"name": "version", "value": "2"}],
                }
            ],
            "filters": [
                {
                    "type": "RequestHeaderModifier",
                    "requestHeaderModifier": {"add": [{"name": "x-seen", "value": "yes"}]},
                }
            ],
            "backendRefs": [{"name": "yages", "port": 9000, "weight": 1}],
        }
    ],
}

grant: ReferenceGrantSpec = {
    "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": name}],
    "to": [
        {"group": "", "kind": "Service"},
        {"group": "", "kind": "Secret", "name": "certificate"},
    ],
}

exposure: AmbientExposureArgs = {
    "namespace": {"name": "httpbin"},
    "service": {"name": "httpbin", "port": 8000, "image": "httpbin:1", "container_port": 8080},
    "hostnames": ["httpbin.example.com"],
    "rules": [{"paths": ["/status", "/headers"]}],
    "gateway": {"service_type": "LoadBalancer"},
}
AmbientExposure("httpbin", exposure)
ingress_namespace = Namespace("ingress", {"ambient": False, "discovery_labels": {"team": "shop"}})
edge = IngressGateway(
    "edge",
    {
        "namespace": {"existing": ingress_namespace.reference},
        "hostnames": ["*.example.com"],
        "tls": {
            "certificates": {"*.example.com": "certificates/wildcard"},
            "mode": "OPTIONAL_MUTUAL",
            "grants": True,
        },
        "listeners": [{"name": "tcp", "port": 9000, "protocol": "TCP"}],
        "customization": {"deployment": {"spec": {"replicas": 2}}},
    },
)
shared = Waypoint(
    "shared",
    {
        "name": name,
        "namespace": {"existing": {"name": name}},
        "allowed_routes": {"namespaces": {"from": "All"}},
    },
)
client = Client("client", {"namespace": name})
shop: AmbientExposureArgs = {
    "namespace": {"existing": {"name": name}},
    "service": {"name": "shop", "port": 9000, "create": False, "selector": {"app": "shop"}},
    "hostnames": ["shop.example.com"],
    "grpc_rules": [{"matches": [{"method": {"service": "shop.Cart"}}]}],
    "gateway": {"existing": edge.reference},
    "waypoint": {
        "existing": shared.reference,
        "binds": "Namespace",
        "ingress_use_waypoint": True,
    },
    "policies": [{"name": "readers", "action": "ALLOW", "rules": [{}]}],
    "require_waypoint": True,
    "verification": {
        "client": {"existing": client.reference},
        "checks": [{"path": "/shop.Cart/Get", "status": 0}],
    },
}
AmbientExposure("shop", shop)
binding = WaypointBinding("blog", {"namespace": name, "waypoint": shared.reference})
blog: AmbientExposureArgs = {
    "namespace": {"name": "blog", "create": False},
    "service": {
        "name": "blog",
        "port": 80,
        "image": "blog:1",
        "container_port": 8080,
        "env": {"PASSWORD": pulumi.Output.secret("hunter2")},
        "canary": {"image": "blog:2", "weight": 5},
    },
    "hostnames": ["blog.example.com"],
    "rules": [{"paths": ["/"]}],
    "waypoint": {"existing": binding.waypoint, "binds": "Service"},
}
AmbientExposure("blog", blog)
stack: StackArgs = {
    "cluster": {"context": "production", "preflight": False},
    "namespaces": {"apps": {"create": False}},
    "gateways": {"edge": {"namespace": {}, "hostnames": ["*.example.com"]}},
    "exposures": {"shop": {**shop, "gateway": {"existing": {"entry": "edge"}}}},
    "primary": "shop",
}
waypoint_route(
    "docs",
    {
        "name": "docs",
        "namespace": name,
        "service": "docs",
        "port": port,
        "rules": [{"paths": ["/"]}],
        "backends": [{"name": "docs-v2", "port": 80}],
    },
)
Gateway("gateway", {"name": "gateway", "namespace": name}, ingress)
HTTPRoute("route", {"name": "route", "namespace": name}, http)
