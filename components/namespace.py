"""A namespace enrolled in the ambient mesh."""

from typing import NotRequired, TypedDict

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
    predecessor: NotRequired[pulumi.Input[str]]
    """Name of a namespace that must be there before this one, and goes after it."""


class Namespace(pulumi.ComponentResource):
    """A namespace whose pods are captured by the ambient data plane.

    The labels are a patch of their own, whether the namespace is created or adopted: on destroy
    they are taken off while the namespace and its pods are still there, so that istio-cni can
    release the pods, and of an adopted namespace nothing but these labels is ever touched.

    https://istio.io/latest/docs/ambient/usage/add-workloads/
    """

    name: pulumi.Output[str]
    """Name of the namespace, known once it is enrolled."""

    def __init__(
        self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:Namespace", name, {**args}, opts)
        self.name = pulumi.Output.from_input(args["name"])
        if "predecessor" in args:
            self.name = after(args["name"], args["predecessor"])
        if args.get("create", True):
            created = kubernetes.core.v1.Namespace(
                f"{name}-namespace",
                metadata={"name": self.name, "annotations": {OWNER: owner()}},
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.name = after(self.name, created.urn)
        enrolment = kubernetes.core.v1.NamespacePatch(
            f"{name}-enrolment",
            metadata={
                "name": self.name,
                "labels": pulumi.Output.from_input(args.get("discovery_labels", {})).apply(
                    lambda labels: {**labels, "istio.io/dataplane-mode": "ambient"}
                ),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = after(self.name, enrolment.urn)
        self.register_outputs({"name": self.name})
