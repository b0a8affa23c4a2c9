"""Changes to what istiod makes of a Gateway."""

import hashlib
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.gateway import ObjectMeta
from ..api.outputs import after
from ..checks.faults import Faults
from ..checks.schema import Schema, at
from ..checks.values import known


class CustomizationArgs(TypedDict):
    """Strategic merge patches of the objects that istiod makes for a Gateway.

    Resources, replicas, node selection, tolerations, annotations for a cloud's load balancer: in
    Kubernetes' own form, such as `{"deployment": {"spec": {"replicas": 2}}}`.

    istiod never takes back a HorizontalPodAutoscaler or a PodDisruptionBudget: where it is dropped
    from here, delete it by hand.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
    """

    deployment: NotRequired[Mapping[str, Any]]
    """Of the Deployment."""
    service: NotRequired[Mapping[str, Any]]
    """Of the Service; its annotations are those that clouds read."""
    serviceAccount: NotRequired[Mapping[str, Any]]
    """Of the ServiceAccount."""
    horizontalPodAutoscaler: NotRequired[Mapping[str, Any]]
    """Of the HorizontalPodAutoscaler, which istiod makes only where this is given."""
    podDisruptionBudget: NotRequired[Mapping[str, Any]]
    """Of the PodDisruptionBudget, which istiod makes only where this is given."""


def customize(
    name: str,
    patches: CustomizationArgs | None,
    gateway: ObjectMeta,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str] | None:
    """Make the ConfigMap that holds the `patches` for a `gateway`.

    Returns its name, for `spec.infrastructure.parametersRef`; None where there are no patches. The
    name is made of the content, so that a changed one stands beside the old one until the Gateway
    has been moved to it.
    """
    if not patches:
        return None
    data = {key: pulumi.Output.json_dumps(patch) for key, patch in patches.items()}
    digest = pulumi.Output.json_dumps(data).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()[:8]
    )
    options = pulumi.Output.format("{}-{}", gateway["name"], digest)
    config_map = kubernetes.core.v1.ConfigMap(
        f"{name}-options",
        metadata={"name": options, "namespace": gateway["namespace"]},
        data=data,
        opts=opts,
    )
    return after(options, config_map.urn)


def _check_patches(faults: Faults, path: str, customization: Mapping[str, Any]) -> None:
    """What istiod refuses it only logs, and leaves the objects as they are."""
    for key, patch in customization.items():
        metadata, spec = _fields(patch, "metadata"), _fields(patch, "spec")
        for field in ("name", "namespace"):
            if metadata and field in metadata:
                where = at(path, f"{key}.metadata.{field}")
                faults.add(where, "found a change of it, which istiod refuses: leave it out")
        if key in ("deployment", "service") and spec and "selector" in spec:
            where = at(path, f"{key}.spec.selector")
            faults.add(where, "found a change of it, which istiod refuses: leave it out")
        if key == "horizontalPodAutoscaler" and spec is not None and "maxReplicas" not in spec:
            where = at(path, f"{key}.spec.maxReplicas")
            faults.add(where, "found nothing, expected a number: without it istiod allows one pod")


def _fields(patch: Any, part: str) -> Mapping[str, Any] | None:
    """The fields of a part of a patch; None where they are not known."""
    fields = patch.get(part, {}) if known(patch) else None
    return fields if isinstance(fields, Mapping) else None


SCHEMA = Schema({}, {CustomizationArgs: _check_patches})
"""What is checked of a customization."""
