"""The workload behind the exposed Service."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict, ObjectMetaPatchArgsDict

from ..api.gateway import timeouts, wait_for
from ..api.outputs import after
from ..checks import values as valid
from ..checks.schema import Schema, at

Protocol = Literal["http", "grpc"]
"""Application protocol of a Service's port, which names it.

https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
"""

INGRESS_USE_WAYPOINT = "istio.io/ingress-use-waypoint"
"""Label of a Service or namespace: requests of ingress gateways pass the waypoint too."""


class ContainerOptions(TypedDict):
    """How the container behind a Service runs."""

    protocol: NotRequired[Protocol]
    """Protocol of the Service's port (default `http`)."""
    args: NotRequired[Sequence[pulumi.Input[str]]]
    """Arguments of the container (default the image's)."""
    env: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables of the container (default none)."""
    replicas: NotRequired[pulumi.Input[int]]
    """Number of pods (default 1)."""
    resources: NotRequired[Mapping[str, Any]]
    """The container's `resources` in Kubernetes' own form (default none)."""
    security_context: NotRequired[Mapping[str, Any]]
    """The container's `securityContext` (default `RESTRICTED`)."""
    readiness_probe: NotRequired[Mapping[str, Any]]
    """The container's `readinessProbe` (default: its port takes TCP connections)."""
    liveness_probe: NotRequired[Mapping[str, Any]]
    """The container's `livenessProbe` (default none)."""


class WorkloadArgs(ContainerOptions):
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
    """Port on which the image listens; unprivileged, unless the `security_context` allows it."""
    ingress_use_waypoint: NotRequired[bool]
    """Label the Service so that ingress gateways reach it through its waypoint (default true);
    false where the namespace has the label, or nothing reaches it from outside by itself."""
    ready_timeout: NotRequired[int]
    """Seconds that the Deployment may take to roll out, and the Service to be bound to its
    waypoint (default 300)."""


class AdoptedServiceArgs(TypedDict):
    """What an `AdoptedService` is made of."""

    name: pulumi.Input[str]
    """Name of the Service."""
    namespace: pulumi.Input[str]
    """Namespace of the Service."""
    ingress_use_waypoint: NotRequired[bool]
    """Label the Service so that ingress gateways reach it through its waypoint (default true);
    false where the namespace has the label."""


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


def check_container_port(faults: valid.Faults, path: str, args: Mapping[str, Any]) -> None:
    """Record a port that a container without capabilities cannot listen on."""
    port = args.get("container_port")
    if valid.port(port) is None and "security_context" not in args:
        faults.check(at(path, "container_port"), port, valid.unprivileged_port)


SCHEMA = Schema(
    {
        ContainerOptions: {"replicas": valid.number(0, 1000)},
        WorkloadArgs: {
            "name": valid.dns_label,
            "namespace": valid.dns_label,
            "image": valid.image,
            "port": valid.port,
            "container_port": valid.port,
            "ready_timeout": valid.seconds,
        },
        AdoptedServiceArgs: {"name": valid.dns_label, "namespace": valid.dns_label},
    },
    {WorkloadArgs: check_container_port},
    {WorkloadArgs: ContainerOptions},
)
"""What is checked of a workload's and an adopted Service's arguments."""


class Workload(pulumi.ComponentResource):
    """ServiceAccount, Service and Deployment, as in Istio's httpbin sample.

    The Service is ready when istiod has bound it to its waypoint, which is more than that it has
    endpoints: only then does traffic from the ingress gateway pass the waypoint's routes. Raises
    `InvalidInput` with every fault of `args`.

    https://github.com/istio/istio/blob/master/samples/httpbin/httpbin.yaml
    """

    service: pulumi.Output[str]
    """Name of the Service, known once it is bound to its waypoint."""
    applied: pulumi.Output[dict[str, Any]]
    """The Service and the Deployment as given, known once both are ready."""

    def __init__(
        self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Workload {name!r}", args, WorkloadArgs)
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
                args.get("replicas", 1),
            ),
        }
        service = kubernetes.core.v1.Service(f"{name}-service", **manifests["service"], opts=inside)
        deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment", **manifests["deployment"], opts=inside
        )
        self.service = after(args["name"], service.urn)
        self.applied = after(manifests, service.urn, deployment.urn)
        self.register_outputs({"service": self.service})


class AdoptedService(pulumi.ComponentResource):
    """A Service that exists, which gets a label and nothing else, and on destroy loses only that.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """

    service: pulumi.Output[str]
    """Name of the Service, known once it is labelled."""
    applied: pulumi.Output[dict[str, Any]]
    """Name and labels as given, known once the Service is labelled."""

    def __init__(
        self, name: str, args: AdoptedServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"AdoptedService {name!r}", args, AdoptedServiceArgs)
        super().__init__("ambient:index:AdoptedService", name, {**args}, opts)
        self.service = pulumi.Output.from_input(args["name"])
        metadata: ObjectMetaPatchArgsDict = {"name": args["name"], "namespace": args["namespace"]}
        if args.get("ingress_use_waypoint", True):
            metadata["labels"] = {INGRESS_USE_WAYPOINT: "true"}
            label = kubernetes.core.v1.ServicePatch(
                f"{name}-label", metadata=metadata, opts=pulumi.ResourceOptions(parent=self)
            )
            self.service = after(self.service, label.urn)
        self.applied = after({**metadata}, self.service)
        self.register_outputs({"service": self.service})


def render_service(args: WorkloadArgs) -> dict[str, Any]:
    """`metadata` and `spec` of the Service."""
    ingress = args.get("ingress_use_waypoint", True)
    return {
        "metadata": {
            "name": args["name"],
            "namespace": args["namespace"],
            "labels": {
                "app": args["name"],
                "service": args["name"],
                **({INGRESS_USE_WAYPOINT: "true"} if ingress else {}),
            },
            "annotations": wait_for("condition=istio.io/WaypointBound"),
        },
        "spec": {
            "ports": [
                {
                    "name": args.get("protocol", "http"),
                    "port": args["port"],
                    "targetPort": args["container_port"],
                }
            ],
            "selector": {"app": args["name"]},
        },
    }


def render_pod(args: WorkloadArgs, account: pulumi.Input[str]) -> dict[str, Any]:
    """The spec of the pods, which run as the ServiceAccount `account`."""
    container: dict[str, Any] = {
        "name": args["name"],
        "image": args["image"],
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": args["container_port"]}],
        "readinessProbe": args.get(
            "readiness_probe", {"tcpSocket": {"port": args["container_port"]}}
        ),
        "securityContext": args.get("security_context", RESTRICTED),
    }
    if "args" in args:
        container["args"] = args["args"]
    if "env" in args:
        container["env"] = [{"name": key, "value": value} for key, value in args["env"].items()]
    if "resources" in args:
        container["resources"] = args["resources"]
    if "liveness_probe" in args:
        container["livenessProbe"] = args["liveness_probe"]
    return {"serviceAccountName": account, "containers": [container]}


def render_deployment(
    metadata: Mapping[str, object],
    labels: Mapping[str, pulumi.Input[str]],
    pod: dict[str, Any],
    replicas: pulumi.Input[int] = 1,
) -> dict[str, Any]:
    """`metadata` and `spec` of a Deployment of `replicas` pods, selected by their `labels`."""
    return {
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
