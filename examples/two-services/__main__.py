"""Two services behind one ingress gateway and one waypoint."""

import pulumi

from components import (
    AmbientExposure,
    Client,
    Cluster,
    ClusterArgs,
    IngressGateway,
    Namespace,
    Waypoint,
    explain_failures,
    preflight,
)

DISCOVERY = {"istio-discovery": "enabled"}
CURL = "docker.io/curlimages/curl:8.16.0"
PATHS = {"catalog": "/anything/catalog", "orders": "/anything/orders"}

target: ClusterArgs = {"context": pulumi.Config().get("context") or ""}
explain_failures(target)
preflight(
    target,
    {
        "namespaces": [{"name": name, "create": True} for name in ("ingress", *PATHS, "curl")],
        "gateway_classes": ["istio", "istio-waypoint"],
    },
)
opts = pulumi.ResourceOptions(providers=[Cluster("cluster", target).provider])

# Only proxies run here, which are no workloads of the mesh.
ingress = Namespace(
    "ingress", {"name": "ingress", "discovery_labels": DISCOVERY, "ambient": False}, opts
)
gateway = IngressGateway(
    "gateway",
    {"name": "gateway", "namespace": ingress.name, "hostnames": ["*.example.com"]},
    opts,
)
waypoint = Waypoint(
    "waypoint",
    {
        "name": "waypoint",
        "namespace": ingress.name,
        "bind": False,
        "allowed_routes": {
            "namespaces": {"from": "Selector", "selector": {"matchLabels": DISCOVERY}}
        },
    },
    opts,
)
namespaces = {
    name: Namespace(name, {"name": name, "discovery_labels": DISCOVERY}, opts) for name in PATHS
}
client = Client(
    "curl",
    {
        "name": "curl",
        "namespace": "curl",
        "discovery_labels": DISCOVERY,
        "image": CURL,
        "service_namespace": [namespace.name for namespace in namespaces.values()],
    },
    opts,
)
exposures = {
    name: AmbientExposure(
        name,
        {
            "shared_namespace": namespaces[name].name,
            "shared_gateway": gateway.reference,
            "shared_waypoint": waypoint.reference,
            "service": {
                "name": name,
                "port": 8000,
                "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
                "container_port": 8080,
            },
            "hostnames": [f"{name}.example.com"],
            "rules": [{"paths": [path]}],
            "verification": {
                "client": client.reference,
                "image": CURL,
                "checks": [{"path": path, "status": 200}, {"path": "/get", "status": 404}],
                "subject": [gateway.applied, waypoint.applied, namespaces[name].applied],
            },
        },
        opts,
    )
    for name, path in PATHS.items()
}
pulumi.export("url", gateway.url)
pulumi.export("verified", {name: exposure.verified for name, exposure in exposures.items()})
