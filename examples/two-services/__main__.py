"""Two services behind one ingress gateway and one waypoint."""

import pulumi

from ambient_exposure import (
    AmbientExposure,
    Client,
    Cluster,
    IngressGateway,
    Namespace,
    Waypoint,
    after,
)
from ambient_exposure.api.gateway_types import AllowedRoutes

DISCOVERY = {"istio-discovery": "enabled"}
PATHS = {"catalog": "/anything/catalog", "orders": "/anything/orders"}

cluster = Cluster(
    "cluster",
    {
        "context": pulumi.Config().get("context") or "",
        "needs": {
            "namespaces": [
                {"name": name, "create": True, "labels": DISCOVERY}
                for name in ("ingress", *PATHS, "curl")
            ]
        },
    },
)
opts = pulumi.ResourceOptions(providers=[cluster.provider])

# Who may use gateway and waypoint.
ADMITTED: AllowedRoutes = {
    "namespaces": {"from": "Selector", "selector": {"matchLabels": DISCOVERY}}
}
# Only proxies run here, which are no workloads of the mesh.
ingress = Namespace("ingress", {"discovery_labels": DISCOVERY, "ambient": False}, opts)
gateway = IngressGateway(
    "gateway",
    {
        "namespace": {"existing": ingress.reference},
        "hostnames": ["*.example.com"],
        "allowed_routes": ADMITTED,
    },
    opts,
)
waypoint = Waypoint(
    "waypoint",
    {
        "namespace": {"existing": ingress.reference},
        "allowed_routes": ADMITTED,
    },
    opts,
)
namespaces = {name: Namespace(name, {"discovery_labels": DISCOVERY}, opts) for name in PATHS}
client = Client(
    "curl",
    {
        # Made after the services' namespaces, and so removed before them.
        "namespace": after("curl", *(namespace.name for namespace in namespaces.values())),
        "discovery_labels": DISCOVERY,
    },
    opts,
)
exposures = {
    name: AmbientExposure(
        name,
        {
            "namespace": {"existing": namespaces[name].reference},
            "gateway": {"existing": gateway.reference},
            "waypoint": {"existing": waypoint.reference},
            "service": {
                "name": name,
                "port": 8000,
                "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
                "container_port": 8080,
            },
            "hostnames": [f"{name}.example.com"],
            "rules": [{"paths": [path]}],
            "verification": {
                "client": {"existing": client.reference},
                "checks": [{"path": path, "status": 200}, {"path": "/get", "status": 404}],
            },
        },
        opts,
    )
    for name, path in PATHS.items()
}
pulumi.export("url", gateway.url)
pulumi.export("verified", {name: exposure.verified for name, exposure in exposures.items()})
