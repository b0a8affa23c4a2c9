"""The procedure for exposing httpbin, put together from its parts."""

import pulumi

from ambient_exposure import (
    Client,
    Cluster,
    IngressGateway,
    Namespace,
    Probe,
    Waypoint,
    WaypointBinding,
    Workload,
    after,
    fingerprint,
    ingress_route,
    waypoint_route,
)

DISCOVERY = {"istio-discovery": "enabled"}
HOSTNAMES = ["httpbin.example.com"]

cluster = Cluster(
    "cluster",
    {
        "context": pulumi.Config().get("context") or "",
        "needs": {
            "namespaces": [
                {"name": name, "create": True, "labels": DISCOVERY} for name in ("httpbin", "curl")
            ]
        },
    },
)
opts = pulumi.ResourceOptions(providers=[cluster.provider])

namespace = Namespace("httpbin", {"discovery_labels": DISCOVERY}, opts)
waypoint = Waypoint(
    "httpbin", {"name": "httpbin-waypoint", "namespace": {"existing": namespace.reference}}, opts
)
binding = WaypointBinding(
    "httpbin", {"namespace": namespace.name, "waypoint": waypoint.reference}, opts
)
workload = Workload(
    "httpbin",
    {
        "name": "httpbin",
        "namespace": namespace.name,
        "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
        "port": 8000,
        "container_port": 8080,
        "waypoint": binding.waypoint,
    },
    opts,
)
gateway = IngressGateway(
    "httpbin",
    {
        "name": "httpbin-gateway",
        "namespace": {"existing": namespace.reference},
        "hostnames": HOSTNAMES,
        "allowed_routes": {"namespaces": {"from": "All"}},
    },
    opts,
)
rules = waypoint_route(
    "httpbin-waypoint",
    {
        "name": "httpbin-waypoint-route",
        "namespace": namespace.name,
        "service": workload.service,
        "port": 8000,
        "rules": [{"paths": ["/status", "/headers"]}],
    },
    opts,
)
route = ingress_route(
    "httpbin-ingress",
    {
        "name": "httpbin-ingress",
        "namespace": namespace.name,
        "gateway": gateway.name,
        "gateway_namespace": namespace.name,
        "hostnames": HOSTNAMES,
        # Nothing gets in before the waypoint lets through only what it should.
        "service": after(workload.service, rules.name),
        "port": 8000,
    },
    opts,
)
client = Client(
    "curl",
    # Made after the service's namespace, and so removed before it.
    {"namespace": after("curl", namespace.name), "discovery_labels": DISCOVERY},
    opts,
)
probe = Probe(
    "httpbin-probe",
    {
        "name": "httpbin-probe",
        "namespace": client.namespace,
        "account": client.account,
        "image": client.reference["image"],
        "urls": gateway.reference["urls"],
        "hostnames": HOSTNAMES,
        "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        "subject": fingerprint(
            namespace.reference,
            binding.waypoint["definition"],
            gateway.reference["definition"],
            *(part.definition for part in (workload, rules, route)),
        ),
    },
    pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[workload, route])),
)
pulumi.export("url", gateway.url)
pulumi.export("verified", probe.answers)
