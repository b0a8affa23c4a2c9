"""A second version of a service that gets a share of the requests."""

import pulumi

from ambient_exposure import AmbientExposure, Cluster

DISCOVERY = {"istio-discovery": "enabled"}

config = pulumi.Config()
cluster = Cluster(
    "cluster",
    {
        "context": config.get("context") or "",
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
            # /hostname then answers with the name of the pod, which tells the versions apart.
            "env": {"USE_REAL_HOSTNAME": "true"},
            "canary": {
                "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
                "weight": config.require_int("weight"),
            },
        },
        "hostnames": ["httpbin.example.com"],
        "rules": [{"paths": ["/hostname"]}],
        "verification": {
            "checks": [{"path": "/hostname", "status": 200}, {"path": "/get", "status": 404}],
        },
    },
    pulumi.ResourceOptions(providers=[cluster.provider]),
)
pulumi.export("url", exposure.url)
pulumi.export("verified", exposure.verified)
