"""The cluster that a stack works on."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import httpx2
import lightkube
import pulumi
import pulumi_kubernetes as kubernetes
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.generic_resource import create_global_resource
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import DaemonSet
from lightkube.resources.core_v1 import Namespace

from components.gateway_api import GROUP
from components.namespace import OWNER, owner
from components.validation import Faults

_ANSWER = 5.0
"""Seconds that the API server may take to answer a preflight request."""

_GatewayClass = create_global_resource(GROUP, "v1", "GatewayClass", "gatewayclasses")

_MISSING = "missing. Create it, or let the stack do it: `pulumi config set createNamespace true`"


class ClusterArgs(TypedDict):
    """How a cluster is reached."""

    context: NotRequired[str]
    """Context of the kubeconfig; the current context where it is empty or left out."""
    kubeconfig: NotRequired[str]
    """Path of the kubeconfig; $KUBECONFIG or ~/.kube/config where it is empty or left out."""


class NamespaceExpectation(TypedDict):
    """A namespace that the stack creates or adopts."""

    name: str
    """Name."""
    create: bool
    """Whether the stack creates it; otherwise it has to be there."""


class PreflightArgs(TypedDict):
    """What a stack needs of its cluster before anything is changed."""

    namespaces: Sequence[NamespaceExpectation]
    """Namespaces of the stack."""
    gateway_classes: Sequence[str]
    """GatewayClasses, which have to be accepted."""


class Cluster(pulumi.ComponentResource):
    """The explicit Kubernetes provider of a stack."""

    provider: kubernetes.Provider
    """The provider, for `ResourceOptions(providers=[…])` of the components."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ambient:index:Cluster", name, {**args}, opts)
        self.provider = kubernetes.Provider(
            f"{name}-provider",
            context=args.get("context") or None,
            kubeconfig=args.get("kubeconfig") or None,
            # A context renamed or a kubeconfig moved is no other cluster: without an identifier
            # of its own the provider would replace every object.
            cluster_identifier=args.get("context") or None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def preflight(cluster: ClusterArgs, needs: PreflightArgs) -> None:
    """Raise `InvalidInput` with all that `cluster` lacks of `needs`, within seconds.

    Reads only. Where it may not read cluster-wide objects, it leaves their check to the update.
    A mesh without ztunnel is not refused but warned about: gateways and waypoints work there.
    """
    faults = Faults("the cluster is not ready for this stack")
    context = f"context {cluster.get('context') or '(current)'}"
    try:
        with connect(cluster) as client:
            _check(client, needs, faults)
    except (ConfigError, OSError) as error:
        faults.add(
            context,
            f"{error}. Set `pulumi config set context NAME` to one of `kubectl config"
            " get-contexts`, or `pulumi config set kubeconfig PATH`",
        )
    except httpx2.TransportError as error:
        faults.add(
            context,
            f"no answer from {error.request.url.host}:{error.request.url.port}: {error}. Is the"
            " cluster running and reachable from here? Choose another with `pulumi config set"
            " context NAME` (`kubectl config get-contexts` lists them)",
        )
    except ApiError as error:
        faults.add(context, f"{error.status.message}")
    faults.raise_any()


def connect(cluster: ClusterArgs) -> lightkube.Client:
    """A client of `cluster`; raises `ConfigError` or `OSError` where the kubeconfig is wrong."""
    path = cluster.get("kubeconfig")
    config = (
        lightkube.KubeConfig.from_file(Path(path).expanduser())
        if path
        else lightkube.KubeConfig.from_env()
    )
    selected = config.get(context_name=cluster.get("context") or None)
    return lightkube.Client(config=selected, timeout=httpx2.Timeout(_ANSWER))


def _check(client: lightkube.Client, needs: PreflightArgs, faults: Faults) -> None:
    for check in (_gateway_api, _gateway_classes, _namespaces, _ztunnel):
        try:
            for path, message in check(client, needs):
                faults.add(path, message)
        except ApiError as error:
            if error.status.code != HTTPStatus.FORBIDDEN:
                raise


def _gateway_api(client: lightkube.Client, _: PreflightArgs) -> Iterator[tuple[str, str]]:
    for plural in ("gateways", "httproutes"):
        name = f"{plural}.{GROUP}"
        definition = _get(client, CustomResourceDefinition, name)
        if definition is None:
            yield (
                f"CustomResourceDefinition {name}",
                (
                    "missing. Install the standard channel of the Gateway API:"
                    " https://gateway-api.sigs.k8s.io/guides/#installing-gateway-api"
                ),
            )
            continue
        served = [version.name for version in definition.spec.versions if version.served]
        if "v1" not in served:
            yield (
                f"CustomResourceDefinition {name}",
                f"serves {', '.join(served)}, expected v1. Update the Gateway API to v1.0 or newer",
            )


def _gateway_classes(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for name in needs["gateway_classes"]:
        gateway_class = _get(client, _GatewayClass, name)
        if gateway_class is None:
            yield (
                f"GatewayClass {name}",
                (
                    "missing; istiod creates it where it runs in ambient mode. Is Istio installed"
                    " with the profile `ambient`?"
                ),
            )
            continue
        conditions = (gateway_class.status or {}).get("conditions", [])
        accepted = next((c for c in conditions if c["type"] == "Accepted"), None)
        if accepted is None or accepted["status"] != "True":
            reason = f"{accepted['reason']}: {accepted['message']}" if accepted else "no status"
            yield f"GatewayClass {name}", f"not accepted ({reason}). Is istiod running and healthy?"


def _namespaces(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for expected in needs["namespaces"]:
        name = expected["name"]
        namespace = _get(client, Namespace, name)
        if namespace is None:
            fault = None if expected["create"] else _MISSING
        elif since := namespace.metadata.deletionTimestamp:
            fault = (
                f"terminating since {since:%Y-%m-%d %H:%M:%S}. Wait until it is gone"
                f" (`kubectl wait --for=delete namespace/{name}`), then try again"
            )
        else:
            found = (namespace.metadata.annotations or {}).get(OWNER)
            fault = _foreign(found) if expected["create"] and found != owner() else None
        if fault:
            yield f"namespace {name}", fault


def _foreign(found: str | None) -> str:
    whose = f"belongs to stack {found}" if found else "was not created by this stack"
    return (
        f"exists and {whose} ({owner()}; annotation {OWNER}). Choose another name, or adopt it:"
        " `pulumi config set createNamespace false`"
    )


def _ztunnel(client: lightkube.Client, _: PreflightArgs) -> Iterator[tuple[str, str]]:
    if not any(client.list(DaemonSet, namespace="*", labels={"app": "ztunnel"})):
        pulumi.log.warn(
            "no ztunnel in this mesh: requests through the ingress gateway pass the waypoint, but"
            " clients inside the mesh reach the service directly and in plaintext"
        )
    yield from ()


def _get(client: lightkube.Client, kind: Any, name: str) -> Any:
    try:
        return client.get(kind, name)
    except ApiError as error:
        if error.status.code == HTTPStatus.NOT_FOUND:
            return None
        raise
