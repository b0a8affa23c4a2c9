"""A namespace enrolled in the ambient mesh."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.outputs import after
from ..checks import values as valid
from ..checks.schema import Schema
from ..cluster.ownership import OWNER, owner


class NamespaceArgs(TypedDict):
    """What a `Namespace` is made of."""

    name: pulumi.Input[str]
    """Name of the namespace."""
    create: NotRequired[bool]
    """Create it, and delete it with the stack (default); false adopts one that exists."""
    discovery_labels: NotRequired[pulumi.Input[Mapping[str, str]]]
    """Labels by which the mesh discovers namespaces, as in its `meshConfig.discoverySelectors`."""
    ambient: NotRequired[bool]
    """Whether the ambient data plane captures its pods (default true); false where only gateways
    run, or where somebody else enrols it."""


SCHEMA = Schema(
    {
        NamespaceArgs: {
            "name": valid.dns_label,
            "discovery_labels{}": valid.label_key,
            "discovery_labels[]": valid.label_value,
        }
    },
    {},
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
    applied: pulumi.Output[dict[str, Any]]
    """Name and labels as given, known once the namespace is enrolled."""

    def __init__(
        self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Namespace {name!r}", args, NamespaceArgs)
        super().__init__("ambient:index:Namespace", name, {**args}, opts)
        self.name = pulumi.Output.from_input(args["name"])
        if args.get("create", True):
            created = kubernetes.core.v1.Namespace(
                f"{name}-namespace",
                metadata={"name": self.name, "annotations": {OWNER: owner()}},
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.name = after(self.name, created.urn)
        own: dict[str, pulumi.Input[str]] = {}
        if args.get("ambient", True):
            own["istio.io/dataplane-mode"] = "ambient"
        labels = pulumi.Output.all(args.get("discovery_labels", {}), own).apply(
            lambda parts: {**parts[0], **parts[1]}
        )
        if own or args.get("discovery_labels", {}) != {}:
            enrolment = kubernetes.core.v1.NamespacePatch(
                f"{name}-enrolment",
                metadata={"name": self.name, "labels": labels},
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.name = after(self.name, enrolment.urn)
        self.applied = after({"name": args["name"], "labels": labels}, self.name)
        self.register_outputs({"name": self.name})
