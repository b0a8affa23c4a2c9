"""Where resources stood in earlier releases, so that upgrades replace nothing."""

import pulumi


def own_component(type_: str, name: str, opts: pulumi.ResourceOptions | None) -> pulumi.Alias:
    """The place in a component `type_` called `name` that release 2 had around one resource."""
    parent = opts.parent if opts else None
    return pulumi.Alias(parent=pulumi.create_urn(name, f"ambient:index:{type_}", parent))


def own_binding(name: str, exposure: pulumi.Input[str]) -> pulumi.Alias:
    """The place in the own waypoint of an `exposure`, a URN, that release 2 had the binding at."""
    waypoint = pulumi.create_urn(name, "ambient:index:Waypoint", exposure)
    return pulumi.Alias(name=f"{name}-binding", parent=waypoint)
