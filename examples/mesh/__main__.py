"""The ambient mesh itself, installed by the Sail operator."""

import pulumi

from components import Cluster, ClusterArgs, Mesh, explain_failures

config = pulumi.Config()
target: ClusterArgs = {"context": config.get("context") or ""}
explain_failures(target)
mesh = Mesh(
    "mesh",
    {
        "version": config.require("version"),
        "discovery_labels": {"istio-discovery": "enabled"},
    },
    pulumi.ResourceOptions(providers=[Cluster("cluster", target).provider]),
)
pulumi.export("namespace", mesh.namespace)
