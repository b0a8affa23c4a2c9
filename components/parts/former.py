"""Where resources stood in earlier releases, so that upgrades replace nothing."""

import pulumi


def own_component(type_: str, name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Alias:
    """The place in a component `type_` called `name` that release 2 had around one resource."""
    parent = opts.parent if opts else None
    return pulumi.Alias(parent=pulumi.create_urn(name, f"ambient:index:{type_}", parent))
