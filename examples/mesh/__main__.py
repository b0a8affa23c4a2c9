"""The ambient mesh itself, installed by the Sail operator."""

import pulumi

from ambient_exposure import Cluster, Mesh

config = pulumi.Config()
# There is no mesh yet for which the preflight could look.
cluster = Cluster("cluster", {"context": config.get("context") or "", "preflight": False})
mesh = Mesh(
    "mesh",
    {
        "version": config.require("version"),
        "discovery_labels": {"istio-discovery": "enabled"},
    },
    pulumi.ResourceOptions(providers=[cluster.provider]),
)
pulumi.export("namespace", mesh.namespace)
