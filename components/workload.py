"""The workload behind the exposed Service."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from components.gateway_api import timeouts, wait_for
from components.outputs import after


class WorkloadArgs(TypedDict):
    """What a `Workload` is made of."""

    name: pulumi.Input[str]
    """Name of the ServiceAccount, the Service and the Deployment."""
    namespace: pulumi.Input[str]
    """Namespace of all three."""
    image: pulumi.Input[str]
    """Container image."""
    port: pulumi.Input[int]
    """Port of the Service."""
    container_port: pulumi.Input[int]
    """Port on which the image listens, unprivileged: the container runs without any capability."""
    ready_timeout: NotRequired[int]
    """Seconds that the Deployment may take to roll out, and the Service to be bound to its
    waypoint (default 300)."""


RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""A container's securityContext that Pod Security `restricted` admits.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""


class Workload(pulumi.ComponentResource):
    """ServiceAccount, Service and Deployment, as in Istio's httpbin sample.

    The Service is ready when istiod has bound it to its waypoint, which is more than that it has
    endpoints: only then does traffic from the ingress gateway pass the waypoint's routes.

    https://github.com/istio/istio/blob/master/samples/httpbin/httpbin.yaml
    """

    service: pulumi.Output[str]
    """Name of the Service, known once it is bound to its waypoint."""

    applied: pulumi.Output[dict[str, Any]]
    """The Service and the Deployment as given, known once both are ready."""

    def __init__(
        self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:Workload", name, {**args}, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        )
        metadata: ObjectMetaArgsDict = {"name": args["name"], "namespace": args["namespace"]}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=metadata, opts=inside
        )
        manifests = {
            "service": render_service(args),
            "deployment": render_deployment(
                metadata,
                {"app": args["name"], "version": "v1"},
                render_pod(args, after(args["name"], account.urn)),
            ),
        }
        service = kubernetes.core.v1.Service(f"{name}-service", **manifests["service"], opts=inside)
        deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment", **manifests["deployment"], opts=inside
        )
        self.service = after(args["name"], service.urn)
        self.applied = after(manifests, service.urn, deployment.urn)
        self.register_outputs({"service": self.service})


def render_service(args: WorkloadArgs) -> dict[str, Any]:
    """`metadata` and `spec` of the Service."""
    return {
        "metadata": {
            "name": args["name"],
            "namespace": args["namespace"],
            "labels": {
                "app": args["name"],
                "service": args["name"],
                "istio.io/ingress-use-waypoint": "true",
            },
            "annotations": wait_for("condition=istio.io/WaypointBound"),
        },
        "spec": {
            "ports": [{"name": "http", "port": args["port"], "targetPort": args["container_port"]}],
            "selector": {"app": args["name"]},
        },
    }


def render_pod(args: WorkloadArgs, account: pulumi.Input[str]) -> dict[str, Any]:
    """The spec of the pods, which run as the ServiceAccount `account`."""
    return {
        "serviceAccountName": account,
        "containers": [
            {
                "name": args["name"],
                "image": args["image"],
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": args["container_port"]}],
                "readinessProbe": {"tcpSocket": {"port": args["container_port"]}},
                "securityContext": RESTRICTED,
            }
        ],
    }


def render_deployment(
    metadata: Mapping[str, object],
    labels: Mapping[str, pulumi.Input[str]],
    pod: dict[str, Any],
) -> dict[str, Any]:
    """`metadata` and `spec` of a Deployment of one `pod`, selected by its `labels`."""
    return {
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
