"""Outputs that Pulumi has no constructor for."""

import asyncio
from typing import Any, TypeVar

import pulumi

T = TypeVar("T")


def after(value: pulumi.Input[T], *others: pulumi.Input[Any]) -> pulumi.Output[T]:
    """`value`, known once all `others` are.

    For a resource give its `urn`: known in a preview, and in an update once the resource is ready.
    """
    return pulumi.Output.all(value, *others).apply(lambda values: values[0])


def unknown() -> pulumi.Output[Any]:
    """An output whose value this preview cannot know; to be called inside an `apply`."""
    value: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    known: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    value.set_result(None)
    known.set_result(False)
    return pulumi.Output(set(), value, known)


def unforeseen() -> pulumi.Output[Any]:
    """The same outside of an `apply`."""
    return pulumi.Output.from_input(None).apply(lambda _: unknown())
