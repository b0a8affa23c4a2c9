"""Several transforms as one."""

import asyncio
import contextlib
from typing import Any

import pulumi

from components.cluster.hooks import chained

Result = pulumi.ResourceTransformResult | None


def transformed(*transforms: pulumi.ResourceTransform) -> Any:
    """What transforms make of a Service, one after the other."""
    args = pulumi.ResourceTransformArgs(
        custom=True, type_="Service", name="shop", props={"a": 1}, opts=pulumi.ResourceOptions()
    )
    # Not by `asyncio.run`, which leaves no loop to the tests that come after.
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        result: Any = chained(transforms)(args)
        return loop.run_until_complete(result)


def nothing(args: pulumi.ResourceTransformArgs) -> Result:
    del args
    return None


def doubled(args: pulumi.ResourceTransformArgs) -> Result:
    value: Any = args.props["a"]
    return pulumi.ResourceTransformResult({"a": value * 2}, args.opts)


async def protected(args: pulumi.ResourceTransformArgs) -> Result:
    value: Any = args.props["a"]
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformResult({"a": value + 1}, opts)


def test_each_gets_what_those_before_it_have_made() -> None:
    made = transformed(doubled, nothing, protected, doubled)
    assert made.props == {"a": 6}
    assert made.opts.protect
    assert transformed(nothing) is None
