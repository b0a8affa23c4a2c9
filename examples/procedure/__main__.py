"""The procedure for exposing httpbin, put together from its parts."""

import pulumi

from components import (
    Client,
    Cluster,
    ClusterArgs,
    IngressGateway,
    IngressRoute,
    Namespace,
    Probe,
    Waypoint,
    WaypointRoute,
    Workload,
    after,
    explain_failures,
    fingerprint,
    preflight,
)

DISCOVERY = {"istio-discovery": "enabled"}
HOSTNAMES = ["httpbin.example.com"]
CURL = "docker.io/curlimages/curl:8.16.0"

target: ClusterArgs = {"context": pulumi.Config().get("context") or ""}
explain_failures(target)
preflight(
    target,
    {
        "namespaces": [{"name": "httpbin", "create": True}, {"name": "curl", "create": True}],
        "gateway_classes": ["istio", "istio-waypoint"],
    },
)
opts = pulumi.ResourceOptions(providers=[Cluster("cluster", target).provider])

namespace = Namespace("httpbin", {"name": "httpbin", "discovery_labels": DISCOVERY}, opts)
workload = Workload(
    "httpbin",
    {
        "name": "httpbin",
        "namespace": namespace.name,
        "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
        "port": 8000,
        "container_port": 8080,
    },
    opts,
)
waypoint = Waypoint("httpbin", {"name": "httpbin-waypoint", "namespace": namespace.name}, opts)
gateway = IngressGateway(
    "httpbin",
    {"name": "httpbin-gateway", "namespace": namespace.name, "hostnames": HOSTNAMES},
    opts,
)
rules = WaypointRoute(
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
route = IngressRoute(
    "httpbin-ingress",
    {
        "name": "httpbin-ingress",
        "namespace": namespace.name,
        "gateway": gateway.name,
        "gateway_namespace": namespace.name,
        "hostnames": HOSTNAMES,
        # Nothing gets in before the waypoint lets through only what it should.
        "service": after(workload.service, waypoint.name, rules.name),
        "port": 8000,
    },
    opts,
)
client = Client(
    "curl",
    {
        "name": "curl",
        "namespace": "curl",
        "discovery_labels": DISCOVERY,
        "image": CURL,
        "service_namespace": namespace.name,
    },
    opts,
)
parts = (namespace, workload, waypoint, gateway, rules, route)
probe = Probe(
    "httpbin-probe",
    {
        "name": "httpbin-probe",
        "namespace": client.namespace,
        "account": client.account,
        "image": CURL,
        "urls": gateway.reference["urls"],
        "hostnames": HOSTNAMES,
        "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        "subject": fingerprint(*(part.applied for part in parts)),
    },
    opts,
)
pulumi.export("url", gateway.url)
pulumi.export("verified", probe.answers)
