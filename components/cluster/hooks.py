"""Transforms that give resources hooks of the engine, and several as one."""

import inspect
from collections.abc import Callable, Sequence

import pulumi


def bound(
    binding: pulumi.ResourceHookBinding, concerns: Callable[[str], bool]
) -> pulumi.ResourceTransform:
    """A transform that gives `binding` to every resource whose type it concerns.

    `concerns` is asked with Pulumi's type of it.
    """

    def attach(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not concerns(args.type_):
            return None
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=binding))
        return pulumi.ResourceTransformResult(args.props, opts)

    return attach


def chained(transforms: Sequence[pulumi.ResourceTransform]) -> pulumi.ResourceTransform:
    """One transform that does what all do, each with what those before it have made.

    For each that is registered the engine calls the program back for every resource.
    """

    async def transform(
        args: pulumi.ResourceTransformArgs,
    ) -> pulumi.ResourceTransformResult | None:
        made: pulumi.ResourceTransformResult | None = None
        for one in transforms:
            result = one(args)
            if inspect.isawaitable(result):
                result = await result
            if result is not None:
                made = result
                args = pulumi.ResourceTransformArgs(
                    args.custom, args.type_, args.name, made.props, made.opts
                )
        return made

    return transform
