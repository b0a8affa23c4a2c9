"""The objects as plain resources, without any order but that of the namespaces."""

from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

CLASSES: dict[str, Any] = {
    "Deployment": kubernetes.apps.v1.Deployment,
    "Namespace": kubernetes.core.v1.Namespace,
    "Service": kubernetes.core.v1.Service,
    "ServiceAccount": kubernetes.core.v1.ServiceAccount,
}

provider = kubernetes.Provider("cluster", context="lab")
namespaces: list[pulumi.Resource] = []
for file in sorted(Path("../objects").iterdir()):
    made = yaml.safe_load(file.read_text())
    version, kind = made.pop("apiVersion"), made.pop("kind")
    opts = pulumi.ResourceOptions(provider=provider, depends_on=[*namespaces])
    if kind in CLASSES:
        resource = CLASSES[kind](file.stem, **made, opts=opts)
    else:
        resource = kubernetes.apiextensions.CustomResource(
            file.stem, api_version=version, kind=kind, **made, opts=opts
        )
    if kind == "Namespace":
        namespaces.append(resource)
