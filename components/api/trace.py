"""Which object of the cluster a resource is, and which state of it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from .outputs import unknown

_MANAGER = "__fieldManager"
"""Output of every resource of the Kubernetes provider: the name under which it changes the
object."""

WEIGHTS = "ambient-exposure/weights"
"""Annotation of a route: who sets the weights of its backends, `controller`."""


made: set[str] = set()
"""URNs of the objects that this preview makes: their uids are made up."""

changed: set[str] = set()
"""URNs of the objects that this preview changes: when, only the update tells."""


def traced(opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
    """The options of a resource of which `trace` shall tell."""

    def declare(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult:
        # Python drops undeclared outputs; None is not sent.
        return pulumi.ResourceTransformationResult({**args.props, _MANAGER: None}, args.opts)

    own = pulumi.ResourceOptions(transformations=[declare])
    return pulumi.ResourceOptions.merge(opts, own)


def trace(resource: pulumi.CustomResource) -> pulumi.Output[list[str]]:
    """The uid of a `traced` object, and its generation or when the provider last changed it.

    Another one once it was made anew or something of it put right. Of objects without a generation,
    as Services and namespaces are, and of routes whose weights somebody else sets it does not
    matter who else changes them. In a preview unknown where only the update can tell.
    """
    return pulumi.Output.all(
        pulumi.get(resource, "metadata"), pulumi.get(resource, _MANAGER), resource.urn
    ).apply(lambda outputs: _trace(*outputs))


def _trace(
    metadata: Mapping[str, Any] | None, manager: str | None, urn: str
) -> pulumi.Input[list[str]]:
    found = metadata or {}
    generation = found.get("generation")
    if WEIGHTS in (found.get("annotations") or {}):
        generation = None
    if urn in made or (urn in changed and not generation):
        return unknown()
    if generation:
        return [str(found.get("uid")), str(int(generation))]
    # Resources of the SDK spell it otherwise than those that are declared here.
    managers = found.get("managedFields") or found.get("managed_fields") or []
    own = (one for one in managers if one.get("manager") == manager and not one.get("subresource"))
    return [str(found.get("uid")), *sorted(str(one.get("time")) for one in own)]
