"""A Service that is there already, exposed without owning it."""

import pulumi

from components import AmbientExposure, Cluster, ClusterArgs, explain_failures, preflight

target: ClusterArgs = {"context": pulumi.Config().get("context") or ""}
explain_failures(target)
preflight(
    target,
    {
        "namespaces": [{"name": "httpbin", "create": False}, {"name": "curl", "create": True}],
        "gateway_classes": ["istio", "istio-waypoint"],
        "services": [{"namespace": "httpbin", "name": "httpbin", "port": 8000}],
    },
)
exposure = AmbientExposure(
    "httpbin",
    {
        "namespace": {
            "name": "httpbin",
            "create": False,
            "discovery_labels": {"istio-discovery": "enabled"},
        },
        "service": {"name": "httpbin", "port": 8000, "create": False},
        "hostnames": ["httpbin.example.com"],
        "rules": [{"paths": ["/status", "/headers"]}],
        "verification": {
            "namespace": "curl",
            "image": "docker.io/curlimages/curl:8.16.0",
            "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        },
    },
    pulumi.ResourceOptions(providers=[Cluster("cluster", target).provider]),
)
pulumi.export("url", exposure.url)
pulumi.export("verified", exposure.verified)
