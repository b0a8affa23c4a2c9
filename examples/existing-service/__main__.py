"""A Service that is there already, exposed without owning it."""

import pulumi

from ambient_exposure import AmbientExposure, Cluster

DISCOVERY = {"istio-discovery": "enabled"}

cluster = Cluster(
    "cluster",
    {
        "context": pulumi.Config().get("context") or "",
        "needs": {
            "namespaces": [
                {"name": "httpbin", "create": False, "labels": DISCOVERY},
                {"name": "curl", "create": True, "labels": DISCOVERY},
            ],
            "services": [{"namespace": "httpbin", "name": "httpbin", "port": 8000}],
        },
    },
)
exposure = AmbientExposure(
    "httpbin",
    {
        "namespace": {
            "name": "httpbin",
            "create": False,
            "discovery_labels": DISCOVERY,
            "ambient": True,  # what else runs in it is captured as well
        },
        "service": {"name": "httpbin", "port": 8000, "create": False},
        "hostnames": ["httpbin.example.com"],
        "rules": [{"paths": ["/status", "/headers"]}],
        "verification": {
            "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        },
    },
    pulumi.ResourceOptions(providers=[cluster.provider]),
)
pulumi.export("url", exposure.url)
pulumi.export("verified", exposure.verified)
