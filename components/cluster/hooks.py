"""Hooks of the engine that resources of some types get."""

from collections.abc import Callable

import pulumi


def bind(binding: pulumi.ResourceHookBinding, concerns: Callable[[str], bool]) -> None:
    """Give `binding` to every resource that is registered from now on and whose type it concerns.

    `concerns` is asked with Pulumi's type of it.
    """

    def attach(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not concerns(args.type_):
            return None
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=binding))
        return pulumi.ResourceTransformResult(args.props, opts)

    pulumi.runtime.register_resource_transform(attach)
