"""A namespace enrolled in the ambient mesh."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import after

OWNER = "ambient-exposure/stack"
"""Annotation of a namespace that a stack created: `organization/project/stack`."""


def owner() -> str:
    """The value of the annotation `OWNER` for the running stack."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


class NamespaceArgs(TypedDict):
    """What a `Namespace` is made of."""

    name: pulumi.Input[str]
    """Name of the namespace."""
    create: NotRequired[bool]
    """Create it, and delete it with the stack (default); false adopts one that exists."""
    discovery_labels: NotRequired[pulumi.Input[dict[str, str]]]
    """Labels by which the mesh discovers namespaces, as in its `meshConfig.discoverySelectors`."""


class Namespace(pulumi.ComponentResource):
    """A namespace whose pods are captured by the ambient data plane.

    The labels are a patch of their own, whether the namespace is created or adopted: on destroy
    they are taken off before a created namespace goes, and of an adopted one, whose other pods
    istio-cni then releases, nothing but these labels is ever touched.

    https://istio.io/latest/docs/ambient/usage/add-workloads/
    """

    name: pulumi.Output[str]
    """Name of the namespace, known once it is enrolled."""
    applied: pulumi.Output[dict[str, Any]]
    """Name and labels as given, known once the namespace is enrolled."""

    def __init__(
        self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:Namespace", name, {**args}, opts)
        self.name = pulumi.Output.from_input(args["name"])
        if args.get("create", True):
            created = kubernetes.core.v1.Namespace(
                f"{name}-namespace",
                metadata={"name": self.name, "annotations": {OWNER: owner()}},
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.name = after(self.name, created.urn)
        labels = pulumi.Output.from_input(args.get("discovery_labels", {})).apply(
            lambda discovery: {**discovery, "istio.io/dataplane-mode": "ambient"}
        )
        enrolment = kubernetes.core.v1.NamespacePatch(
            f"{name}-enrolment",
            metadata={"name": self.name, "labels": labels},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = after(self.name, enrolment.urn)
        self.applied = after({"name": args["name"], "labels": labels}, enrolment.urn)
        self.register_outputs({"name": self.name})
