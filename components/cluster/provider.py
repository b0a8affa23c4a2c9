"""The cluster that a stack works on."""

from typing import NotRequired

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.installed import uncovered
from ..checks.schema import Schema, comparisons
from .explain import explain_failures
from .foretold import note_changes
from .hooks import chained
from .kubeconfig import Access
from .managers import warn_of_losses
from .ownership import mark_objects, refuse_existing
from .preflight import PreflightArgs, preflight
from .proofs import await_proofs
from .rights import refuse_without_rights
from .weights import keep_weights


class ClusterArgs(Access):
    """Which cluster it is, and what it has to have."""

    preflight: NotRequired[bool]
    """Check the cluster before anything is changed (default true); false for a preview without
    access to it."""
    needs: NotRequired[PreflightArgs]
    """What the preflight looks for besides the Gateway API."""


class Cluster(pulumi.ComponentResource):
    """The explicit Kubernetes provider of a stack, and the checks of its cluster.

    Raises `InvalidInput` with every fault of `args`, then with all that the cluster lacks. What
    components and resources are made afterwards use no field that its CustomResourceDefinitions
    lack: they raise `InvalidInput`, as its API server would drop such a field without a word. For
    each object of the stack that does not become ready, its conditions are logged, and what to do
    about them. To be made before any other resource.

    A stack belongs to one cluster. To move to another, use another stack: the provider cannot
    tell two clusters apart that have the same context.
    """

    provider: kubernetes.Provider
    """The provider, for `ResourceOptions(providers=[…])` of the components."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        Schema({}, {}).validate(f"Cluster {name!r}", args, ClusterArgs)
        transforms = [mark_objects(), keep_weights(args)]
        if args.get("preflight", True):
            if installed := preflight(args, args.get("needs", {})):
                comparisons.append(
                    lambda faults, path, value, shape, bases: uncovered(
                        faults, path, value, shape, installed, bases=bases
                    )
                )
                transforms.append(await_proofs(args, f"proof-{name}"))
            transforms.append(refuse_existing(args, f"own-{name}"))
            transforms.append(refuse_without_rights(args, f"rights-{name}"))
            if pulumi.runtime.is_dry_run():
                transforms.append(note_changes(f"foretold-{name}"))
                transforms.append(warn_of_losses(args, f"losses-{name}"))
        transforms.append(explain_failures(args, f"explain-{name}"))
        pulumi.runtime.register_resource_transform(chained(transforms))
        super().__init__("ambient:index:Cluster", name, None, opts)
        self.provider = kubernetes.Provider(
            f"{name}-provider",
            context=args.get("context") or None,
            # Left out, the SDK would take the value of $KUBECONFIG, and a path of one machine
            # would get into the state that all share.
            kubeconfig=args.get("kubeconfig", ""),
            # Its own limits, 50 in a second, are what a refresh of a large stack waits for; the API
            # server has fairer ones, by priority.
            kube_client_settings={"qps": 500, "burst": 1000},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
