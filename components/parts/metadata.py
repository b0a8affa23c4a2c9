"""What all objects of a stack have in common, as transforms of its resources.

For `pulumi.runtime.register_resource_transform`, or the `transforms` of one component's options.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

_WORKLOADS = ("kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job")


def common_metadata(
    labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> pulumi.ResourceTransform:
    """A transform that gives every Kubernetes object, and the pods of workloads, more metadata.

    What an object sets itself is kept. Patches are left alone: an object that is only adopted gets
    nothing that its component did not ask for. So are Helm releases, and components of manifests:
    what they install has the metadata of its chart or file.
    """
    common = {"labels": dict(labels), "annotations": dict(annotations or {})}

    def added(metadata: Any) -> dict[str, Any]:
        own = metadata or {}
        return {**own} | {
            key: {**more, **(own.get(key) or {})} for key, more in common.items() if more
        }

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not _is_object(args):
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


def _is_object(args: pulumi.ResourceTransformArgs) -> bool:
    """Whether a resource is one object of the cluster, and the whole of it."""
    return (
        args.custom
        and args.type_.startswith("kubernetes:")
        and not args.type_.startswith("kubernetes:helm.sh/")
        and not args.type_.endswith("Patch")
    )


def mirrored_images(registry: str) -> pulumi.ResourceTransform:
    """A transform that takes the images of every workload from `registry`, a mirror of all others.

    The registry that an image names gives way to it; the path is kept. Helm releases are left
    alone: their charts have values for it.
    """

    def mirrored(image: str) -> str:
        named, slash, path = image.partition("/")
        names_registry = slash and ("." in named or ":" in named or named == "localhost")
        return f"{registry}/{path if names_registry else image}"

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ not in _WORKLOADS:
            return None
        spec: Any = args.props["spec"]
        pod = spec["template"]["spec"]
        containers = [
            {**container, "image": pulumi.Output.from_input(container["image"]).apply(mirrored)}
            for container in pod["containers"]
        ]
        template = {**spec["template"], "spec": {**pod, "containers": containers}}
        props = {**args.props, "spec": {**spec, "template": template}}
        return pulumi.ResourceTransformResult(props, args.opts)

    return transform
