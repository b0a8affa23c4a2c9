"""The client from which an exposure is verified."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from ..api.gateway import timeouts
from ..api.outputs import after
from ..checks import values as valid
from ..checks.schema import Schema, trusted
from . import namespace as namespaces
from .namespace import NamespaceOptions, namespace_of
from .pod import small_pod, with_names
from .workload import render_deployment

CLIENT = "curl"
"""Name of the client, as in Istio's sample."""

CLIENT_IMAGE = "docker.io/curlimages/curl:8.16.0"
"""Image of the client, with a shell and curl."""


class ClientArgs(TypedDict):
    """What a `Client` is made of."""

    name: NotRequired[pulumi.Input[str]]
    """Name of the ServiceAccount, the Service and the Deployment (default `curl`)."""
    namespace: NamespaceOptions
    """Namespace of the client."""
    image: NotRequired[pulumi.Input[str]]
    """Container image, with a shell and curl (default `docker.io/curlimages/curl:8.16.0`)."""
    pod: NotRequired[Mapping[str, Any]]
    """Changes to the spec of its pod, in Kubernetes' own form and merged as those of a service
    (default none). The container has the name of the client."""
    ready_timeout: NotRequired[int]
    """Seconds that the Deployment may take to roll out (default 300)."""


class ClientReference(TypedDict):
    """A client that another part of the program makes."""

    namespace: pulumi.Input[str]
    """Namespace of the client."""
    account: pulumi.Input[str]
    """ServiceAccount of the client."""
    image: pulumi.Input[str]
    """Container image, with a shell and curl."""


SCHEMA = namespaces.SCHEMA | Schema(
    {
        ClientArgs: {
            "name": valid.dns_label,
            "image": valid.image,
            "pod": with_names,
            "ready_timeout": valid.seconds,
        },
        ClientReference: {
            "namespace": valid.dns_label,
            "account": valid.dns_label,
            "image": valid.image,
        },
    },
    {},
)
"""What is checked of a client's arguments."""


class Client(pulumi.ComponentResource):
    """Istio's curl sample, in a namespace of the mesh.

    https://github.com/istio/istio/blob/master/samples/curl/curl.yaml
    """

    namespace: pulumi.Output[str]
    """Name of the namespace, known once it is enrolled."""
    account: pulumi.Output[str]
    """Name of the ServiceAccount, the client's identity in the mesh."""
    reference: ClientReference
    """What an `AmbientExposure` needs to be verified from it."""

    def __init__(
        self, name: str, args: ClientArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Client {name!r}", args, ClientArgs)
        super().__init__("ambient:index:Client", name, None, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        )
        with trusted():
            namespace = namespace_of(name, args["namespace"], pulumi.ResourceOptions(parent=self))
        place = pulumi.Output.from_input(namespace["name"])
        client = args.get("name", CLIENT)
        image = args.get("image", CLIENT_IMAGE)
        metadata: ObjectMetaArgsDict = {"name": client, "namespace": place}
        labels: dict[str, Any] = {"app": client}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=metadata, opts=inside
        )
        self.namespace = place
        self.account = after(client, account.urn)
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={
                **metadata,
                "labels": {**labels, "service": client},
                # It only names the client in the mesh; nothing listens behind it.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={"ports": [{"name": "http", "port": 80}], "selector": labels},
            opts=inside,
        )
        pod = small_pod(
            {"name": client, "image": image, "command": ["/bin/sleep", "infinity"]},
            {
                "terminationGracePeriodSeconds": 0,
                "serviceAccountName": self.account,
                **args.get("pod", {}),
            },
        )
        kubernetes.apps.v1.Deployment(
            f"{name}-deployment", **render_deployment(metadata, labels, pod), opts=inside
        )
        self.reference = {"namespace": self.namespace, "account": self.account, "image": image}
        self.register_outputs({"namespace": self.namespace, "account": self.account})
