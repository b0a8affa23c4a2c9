"""HTTPS with a self-signed certificate, plaintext redirected."""

import pulumi

from components import AmbientExposure, Cluster, ClusterArgs, explain_failures, preflight

target: ClusterArgs = {"context": pulumi.Config().get("context") or ""}
explain_failures(target)
preflight(
    target,
    {
        "namespaces": [{"name": "httpbin", "create": True}, {"name": "curl", "create": True}],
        "gateway_classes": ["istio", "istio-waypoint"],
    },
)
exposure = AmbientExposure(
    "httpbin",
    {
        "namespace": {"name": "httpbin", "discovery_labels": {"istio-discovery": "enabled"}},
        "service": {
            "name": "httpbin",
            "port": 8000,
            "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
            "container_port": 8080,
        },
        "hostnames": ["httpbin.example.com"],
        "rules": [{"paths": ["/status", "/headers"]}],
        "gateway": {"tls": {"issuer": "self-signed"}},
        "verification": {
            "namespace": "curl",
            "image": "docker.io/curlimages/curl:8.16.0",
            "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        },
    },
    pulumi.ResourceOptions(providers=[Cluster("cluster", target).provider]),
)
pulumi.export("host", exposure.host)
pulumi.export("certificate", exposure.gateway_reference.get("certificate"))
pulumi.export("verified", exposure.verified)
