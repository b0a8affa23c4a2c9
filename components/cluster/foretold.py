"""What a preview does to objects, for those who must not take its answers for the update's."""

import pulumi

from ..api import trace
from .hooks import bound
from .objects import KINDS, PATCH


def note_changes(hook_name: str) -> pulumi.ResourceTransform:
    """A transform by which a preview notes what it makes and changes, where `trace` looks.

    Each cluster has one of its own; the engine knows the hook of each by its name.
    """

    def note(args: pulumi.ResourceHookArgs) -> None:
        (trace.changed if args.old_inputs else trace.made).add(args.urn)

    hook = pulumi.ResourceHook(hook_name, note, pulumi.ResourceHookOptions(on_dry_run=True))
    binding = pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
    return bound(binding, lambda type_: type_.removesuffix(PATCH) in KINDS)
