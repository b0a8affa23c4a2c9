"""The objects as plain resources, without any order but that of the namespaces."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

provider = kubernetes.Provider("cluster", context="lab")
namespaces: list[pulumi.Resource] = []
for file in sorted(Path("../objects").iterdir()):
    made = yaml.safe_load(file.read_text())
    group, _, version = made["apiVersion"].rpartition("/")
    resource = pulumi.CustomResource(
        f"kubernetes:{group or 'core'}/{version}:{made['kind']}",
        file.stem,
        made,
        pulumi.ResourceOptions(provider=provider, depends_on=[*namespaces]),
    )
    if made["kind"] == "Namespace":
        namespaces.append(resource)
