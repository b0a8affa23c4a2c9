"""The workload behind the exposed Service."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from ..api.gateway import timeouts, wait_for_waypoint
from ..api.istio import INGRESS_USE_WAYPOINT
from ..api.outputs import after
from ..api.trace import trace, traced
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema, at
from . import waypoint as waypoints
from .former import own_component
from .pod import RESTRICTED, patched
from .waypoint import WaypointReference, use_labels

Protocol = Literal["http", "grpc", "h2c", "ws", "tls", "tcp"]
"""Protocol of a Service's port, which names it; of `tls` and `tcp` proxies see connections alone.

https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
"""

_APP_PROTOCOLS = {"h2c": "kubernetes.io/h2c", "ws": "kubernetes.io/ws"}
"""Those that the name of a port does not tell.

https://gateway-api.sigs.k8s.io/geps/gep-1911/
"""


class ContainerOptions(TypedDict):
    """How the container behind a Service runs."""

    protocol: NotRequired[Protocol]
    """Protocol of the Service's port (default `http`): with `h2c`, HTTP/2 in plaintext, the
    waypoint speaks it to the pods; `ws` are WebSockets, which pass with `http`, too; `tls` is for
    TLS that the service terminates itself, `tcp` for what is neither HTTP nor TLS."""
    args: NotRequired[Sequence[pulumi.Input[str]]]
    """Arguments of the container (default the image's)."""
    env: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables of the container (default none)."""
    replicas: NotRequired[pulumi.Input[int]]
    """Number of pods (default 1)."""
    resources: NotRequired[Mapping[str, Any]]
    """The container's `resources` in Kubernetes' own form (default none)."""
    security_context: NotRequired[Mapping[str, Any]]
    """The container's `securityContext` (default one that Pod Security `restricted` admits, user
    65532)."""
    readiness_probe: NotRequired[Mapping[str, Any]]
    """The container's `readinessProbe` (default: its port takes TCP connections)."""
    liveness_probe: NotRequired[Mapping[str, Any]]
    """The container's `livenessProbe` (default none)."""
    pod: NotRequired[Mapping[str, Any]]
    """Changes to the spec of the pods, in Kubernetes' own form (default none): mappings are merged,
    lists whose elements have a name as well, by it; other lists are replaced, and null takes out.
    The container has the name of the Service."""
    ports: NotRequired[Sequence[Mapping[str, Any]]]
    """Further ports of the Service, in Kubernetes' own form (default none)."""
    horizontal_pod_autoscaler: NotRequired[Mapping[str, Any]]
    """The `spec` of a HorizontalPodAutoscaler of the Deployment in Kubernetes' own form, without
    `scaleTargetRef`, such as `{"maxReplicas": 5}`; it sets the number of pods instead of `replicas`
    (default none). Taken out, it is deleted at the end of the update, and may set the number once
    more before: the next update then ends with a conflict with `kube-controller-manager`, and is
    made once with `PULUMI_K8S_ENABLE_PATCH_FORCE=true`."""
    pod_disruption_budget: NotRequired[Mapping[str, Any]]
    """The `spec` of a PodDisruptionBudget of the pods in Kubernetes' own form, without `selector`,
    such as `{"minAvailable": 1}` (default none)."""


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
    false where nothing reaches it from outside by itself."""
    waypoint: NotRequired[WaypointReference]
    """The waypoint that its requests pass: the Service is labelled with it, whatever its namespace
    is, comes after it, and is ready once it is bound to it (default none)."""
    ready_timeout: NotRequired[int]
    """Seconds that the Deployment may take to roll out, and the Service to be bound to its
    waypoint (default 300)."""


class AdoptedServiceArgs(TypedDict):
    """What an `AdoptedService` is made of."""

    name: pulumi.Input[str]
    """Name of the Service, to be reached by ingress gateways through its waypoint."""
    namespace: pulumi.Input[str]
    """Namespace of the Service."""
    waypoint: NotRequired[WaypointReference]
    """The waypoint that it is bound to (default: that of its namespace)."""


def check_container_port(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    """Record a port that a container without capabilities cannot listen on."""
    port = args.get("container_port")
    if valid.port(port) is None and "security_context" not in args:
        faults.check(at(path, "container_port"), port, valid.unprivileged_port)


def _check_scaling(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    if "replicas" in args and "horizontal_pod_autoscaler" in args:
        faults.add(
            at(path, "replicas"),
            "found it beside horizontal_pod_autoscaler, which sets the number of pods: leave it"
            " out",
        )


SCHEMA = waypoints.SCHEMA | Schema(
    {
        ContainerOptions: {"replicas": valid.Limit(0, 1000)},
        WorkloadArgs: {
            "name": valid.service_name,
            "namespace": valid.dns_label,
            "image": valid.image,
            "port": valid.port,
            "container_port": valid.port,
            "ready_timeout": valid.seconds,
        },
        AdoptedServiceArgs: {"name": valid.dns_label, "namespace": valid.dns_label},
    },
    {ContainerOptions: _check_scaling, WorkloadArgs: check_container_port},
    {WorkloadArgs: ContainerOptions},
)
"""What is checked of a workload's and an adopted Service's arguments."""


class Workload(pulumi.ComponentResource):
    """ServiceAccount, Service and Deployment, as in Istio's httpbin sample.

    With a waypoint the Service is ready when istiod has bound it to it, which is more than that it
    has endpoints: only then does traffic from the ingress gateway pass the waypoint's routes. Its
    labels are set back by an update after a refresh, whoever has changed them. Raises
    `InvalidInput` with every fault of `args`.

    https://github.com/istio/istio/blob/master/samples/httpbin/httpbin.yaml
    """

    service: pulumi.Output[str]
    """Name of the Service, known once it is ready."""
    definition: dict[str, Any]
    """The Service and the Deployment as given, and `live`, which tells when they were put right."""

    def __init__(
        self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Workload {name!r}", args, WorkloadArgs)
        super().__init__("ambient:index:Workload", name, None, opts)
        inside = pulumi.ResourceOptions(
            parent=self, custom_timeouts=timeouts(args.get("ready_timeout", 300))
        )
        metadata: ObjectMetaArgsDict = {"name": args["name"], "namespace": args["namespace"]}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=metadata, opts=inside
        )
        self.definition = {
            "service": render_service(args),
            "deployment": render_deployment(
                metadata,
                {"app": args["name"], "version": "v1"},
                render_pod(args, after(args["name"], account.urn)),
                None if "horizontal_pod_autoscaler" in args else args.get("replicas", 1),
            ),
        }
        service = kubernetes.core.v1.Service(
            f"{name}-service", **self.definition["service"], opts=traced(inside)
        )
        deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            **self.definition["deployment"],
            # A waypoint that learned of Service and pods in the same moment was seen without
            # endpoints for a minute. Without a waypoint the Service is waited for until it has
            # endpoints, and so cannot come first.
            opts=pulumi.ResourceOptions.merge(
                traced(inside),
                pulumi.ResourceOptions(depends_on=[service] if "waypoint" in args else []),
            ),
        )
        if "horizontal_pod_autoscaler" in args:
            kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
                f"{name}-autoscaler",
                **_autoscaler(metadata, after(args["name"], deployment.urn), args),
                opts=inside,
            )
        if "pod_disruption_budget" in args:
            kubernetes.policy.v1.PodDisruptionBudget(
                f"{name}-disruption-budget", **_disruption_budget(metadata, args), opts=inside
            )
        self.definition["live"] = [trace(service), trace(deployment)]
        self.service = after(args["name"], service.urn)
        self.register_outputs({"service": self.service})


class AdoptedService(kubernetes.core.v1.ServicePatch):
    """Labels of a Service that exists, which loses nothing but these labels on destroy.

    Raises `InvalidInput` with every fault of `args`.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """

    service: pulumi.Output[str]
    """Name of the Service, known once it is labelled."""
    definition: dict[str, Any]
    """Its name and labels as given, and `live`, which tells when these were put right."""

    def __init__(
        self, name: str, args: AdoptedServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"AdoptedService {name!r}", args, AdoptedServiceArgs)
        former = pulumi.ResourceOptions(aliases=[own_component("AdoptedService", name, opts)])
        labels: dict[str, pulumi.Input[str]] = {INGRESS_USE_WAYPOINT: "true"}
        if "waypoint" in args:
            labels.update(use_labels(args["waypoint"], args["namespace"]))
        super().__init__(
            f"{name}-label",
            metadata={"name": args["name"], "namespace": args["namespace"], "labels": labels},
            opts=traced(pulumi.ResourceOptions.merge(opts, former)),
        )
        self.service = after(args["name"], self.urn)
        self.definition = {"name": args["name"], "labels": labels, "live": trace(self)}


def render_service(args: WorkloadArgs) -> dict[str, Any]:
    """`metadata` and `spec` of the Service."""
    labels: dict[str, pulumi.Input[str]] = {"app": args["name"], "service": args["name"]}
    if args.get("ingress_use_waypoint", True):
        labels[INGRESS_USE_WAYPOINT] = "true"
    metadata: dict[str, Any] = {
        "name": args["name"],
        "namespace": args["namespace"],
        "labels": labels,
    }
    if "waypoint" in args:
        waypoint, namespace = args["waypoint"], args["namespace"]
        labels.update(use_labels(waypoint, namespace))
        metadata["annotations"] = {
            **wait_for_waypoint(waypoint.get("namespace", namespace), waypoint["name"]),
            # Changed by hand they would let requests pass by the rules.
            "pulumi.com/patchForce": "true",
        }
    protocol = args.get("protocol", "http")
    port: dict[str, Any] = {
        "name": protocol,
        "port": args["port"],
        "targetPort": args["container_port"],
    }
    if protocol in _APP_PROTOCOLS:
        port["appProtocol"] = _APP_PROTOCOLS[protocol]
    return {
        "metadata": metadata,
        "spec": {
            "ports": [port, *args.get("ports", [])],
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
    pod = {"serviceAccountName": account, "containers": [container]}
    return dict(patched(pod, args.get("pod", {})))


def _autoscaler(
    metadata: Mapping[str, object], deployment: pulumi.Input[str], args: WorkloadArgs
) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment}
    spec = {"scaleTargetRef": target, **args["horizontal_pod_autoscaler"]}
    return {"metadata": metadata, "spec": spec}


def _disruption_budget(metadata: Mapping[str, object], args: WorkloadArgs) -> dict[str, Any]:
    selector = {"matchLabels": {"app": args["name"]}}
    return {"metadata": metadata, "spec": {"selector": selector, **args["pod_disruption_budget"]}}


def render_deployment(
    metadata: Mapping[str, object],
    labels: Mapping[str, pulumi.Input[str]],
    pod: dict[str, Any],
    replicas: pulumi.Input[int] | None = 1,
) -> dict[str, Any]:
    """`metadata` and `spec` of a Deployment of `replicas` pods, selected by their `labels`.

    None leaves their number to others.
    """
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"metadata": metadata, "spec": spec}
