"""A namespace enrolled in the ambient mesh."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.outputs import after
from ..api.trace import trace, traced
from ..checks import values as valid
from ..checks.faults import Faults, InvalidInput
from ..checks.schema import Schema, at


class NamespaceArgs(TypedDict):
    """What a `Namespace` is made of."""

    name: NotRequired[pulumi.Input[str]]
    """Name of the namespace (default the component's)."""
    create: NotRequired[bool]
    """Create it, and delete it with the stack (default true); false adopts one that exists."""
    discovery_labels: NotRequired[pulumi.Input[Mapping[str, str]]]
    """Labels by which the mesh discovers namespaces, as in its `meshConfig.discoverySelectors`
    (default none: the mesh discovers every namespace)."""
    ambient: NotRequired[bool]
    """Whether the ambient data plane captures its pods (default true); false where only gateways
    run, or where somebody else enrols it. For a namespace that is adopted a stack has to say it,
    unless the labels are there already: other pods are concerned, too."""


class NamespaceReference(TypedDict):
    """A namespace that another part of the program makes, or that is there already."""

    entry: NotRequired[str]
    """Entry of `namespaces`, in a stack's configuration only."""
    name: NotRequired[pulumi.Input[str]]
    """Name of the namespace."""
    definition: NotRequired[pulumi.Input[Any]]
    """What it is made of; a verification is repeated when it changes (default nothing)."""


class NamespaceOptions(NamespaceArgs):
    """The namespace of a component: made with it, or existing."""

    existing: NotRequired[NamespaceReference]
    """One that is not the component's own, instead of all other options: `Namespace.reference`."""


def _check_reference(faults: Faults, path: str, reference: Mapping[str, Any]) -> None:
    if len(reference.keys() & {"entry", "name"}) != 1:
        faults.add(path, "expected either entry or name of the namespace")


def check_existing(faults: Faults, path: str, options: Mapping[str, Any], *kept: str) -> None:
    """Record options of a part that exists already, but for those that are `kept`."""
    if "existing" in options:
        for option in options.keys() - {"existing", *kept}:
            faults.add(at(path, option), "is for one of its own, found beside existing")


SCHEMA = Schema(
    {
        NamespaceArgs: {
            "name": valid.dns_label,
            "discovery_labels{}": valid.label_key,
            "discovery_labels[]": valid.label_value,
        },
        NamespaceReference: {"entry": valid.some, "name": valid.dns_label},
    },
    {NamespaceReference: _check_reference, NamespaceOptions: check_existing},
    {NamespaceOptions: NamespaceArgs},
)
"""What is checked of a namespace's arguments."""


class Namespace(pulumi.ComponentResource):
    """A namespace whose pods are captured by the ambient data plane.

    The labels are a patch of their own, whether the namespace is created or adopted: on destroy
    they are taken off before a created namespace goes, and of an adopted one, whose other pods
    istio-cni then releases, nothing but these labels is ever touched. Raises `InvalidInput` with
    every fault of `args`.

    https://istio.io/latest/docs/ambient/usage/add-workloads/
    """

    name: pulumi.Output[str]
    """Name of the namespace, known once it is enrolled."""
    reference: NamespaceReference
    """What other components need to be in it."""

    def __init__(
        self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Namespace {name!r}", args, NamespaceArgs)
        super().__init__("ambient:index:Namespace", name, None, opts)
        namespace = args.get("name", name)
        ready: list[pulumi.CustomResource] = []
        if args.get("create", True):
            created = kubernetes.core.v1.Namespace(
                f"{name}-namespace",
                metadata={"name": namespace},
                opts=traced(pulumi.ResourceOptions(parent=self)),
            )
            ready.append(created)
        labels = render_labels(args)
        if labels != {}:
            enrolment = kubernetes.core.v1.NamespacePatch(
                f"{name}-enrolment",
                metadata={"name": namespace, "labels": labels},
                opts=traced(pulumi.ResourceOptions(parent=self, depends_on=[*ready])),
            )
            ready.append(enrolment)
        self.name = after(namespace, *(resource.urn for resource in ready))
        live = [trace(resource) for resource in ready]
        self.reference = {
            "name": self.name,
            "definition": {"name": namespace, "labels": labels, "live": live},
        }
        self.register_outputs({"name": self.name})


def render_labels(args: NamespaceArgs) -> pulumi.Input[Mapping[str, str]]:
    """The labels by which the mesh discovers and captures the namespace."""
    own = {"istio.io/dataplane-mode": "ambient"} if args.get("ambient", True) else {}
    discovery = args.get("discovery_labels", {})
    if isinstance(discovery, Mapping):
        return {**discovery, **own}
    return pulumi.Output.all(discovery).apply(lambda labels: {**labels[0], **own})


def refuse_entry(subject: str, reference: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` where a program refers to an entry, of which it has none."""
    if "entry" in reference:
        raise InvalidInput(
            f"{subject}: found existing.entry {reference['entry']!r}, which is for a stack's"
            " configuration, expected the reference of a component"
        )


def namespace_of(
    name: str, options: NamespaceOptions, opts: pulumi.ResourceOptions
) -> NamespaceReference:
    """The namespace of a component, made here unless it exists."""
    if "existing" in options:
        refuse_entry(f"namespace of {name!r}", options["existing"])
        return options["existing"]
    return Namespace(name, options, opts).reference
