"""Labels and annotations that all objects of a stack have in common."""

from collections.abc import Mapping
from typing import Any

import pulumi


def common_metadata(
    labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> pulumi.ResourceTransform:
    """A transform that gives every Kubernetes object, and the pods of workloads, more metadata.

    For `pulumi.runtime.register_resource_transform`, or the `transforms` of one component's
    options. What an object sets itself is kept. Patches are left alone: an object that is only
    adopted gets nothing that its component did not ask for.
    """
    common = {"labels": dict(labels), "annotations": dict(annotations or {})}

    def added(metadata: Any) -> dict[str, Any]:
        own = metadata or {}
        return {**own} | {
            key: {**more, **(own.get(key) or {})} for key, more in common.items() if more
        }

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not args.type_.startswith("kubernetes:") or args.type_.endswith("Patch"):
            return None
        props: dict[str, Any] = {**args.props, "metadata": added(args.props.get("metadata"))}
        spec = props.get("spec")
        if args.type_ in _WORKLOADS and isinstance(spec, dict):
            template = spec["template"]
            props["spec"] = {
                **spec,
                "template": {**template, "metadata": added(template.get("metadata"))},
            }
        return pulumi.ResourceTransformResult(props, args.opts)

    return transform


_WORKLOADS = ("kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job")
