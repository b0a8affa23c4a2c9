"""HTTPS with a self-signed certificate, plaintext redirected."""

import pulumi

from ambient_exposure import AmbientExposure, Cluster

DISCOVERY = {"istio-discovery": "enabled"}

cluster = Cluster(
    "cluster",
    {
        "context": pulumi.Config().get("context") or "",
        "needs": {
            "namespaces": [
                {"name": name, "create": True, "labels": DISCOVERY} for name in ("httpbin", "curl")
            ],
        },
    },
)
exposure = AmbientExposure(
    "httpbin",
    {
        "namespace": {"name": "httpbin", "discovery_labels": DISCOVERY},
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
            "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        },
    },
    pulumi.ResourceOptions(providers=[cluster.provider]),
)
pulumi.export("host", exposure.host)
pulumi.export("certificate", exposure.gateway_reference.get("certificate"))
pulumi.export("verified", exposure.verified)
