"""The kinds of objects that components make, as the cluster is asked for them."""

from typing import Any

from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.autoscaling_v2 import HorizontalPodAutoscaler
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, Namespace, Secret, Service, ServiceAccount
from lightkube.resources.policy_v1 import PodDisruptionBudget

from ..api.gateway import GROUP

_SECURITY, _NETWORKING = "security.istio.io", "networking.istio.io"
_TELEMETRY, _SAIL = "telemetry.istio.io", "sailoperator.io"

PATCH = "Patch"
"""How the types of objects end that are changed, but not made."""


def named(type_: str, namespace: str | None, name: str) -> str:
    """An object of Pulumi's `type_` in words: its kind, its namespace if it has one, its name."""
    return f"{type_.rpartition(':')[2]} {f'{namespace}/{name}' if namespace else name}"


GATEWAY: Any = create_namespaced_resource(GROUP, "v1", "Gateway", "gateways")

GATEWAY_CLASS: Any = create_global_resource(GROUP, "v1", "GatewayClass", "gatewayclasses")

KINDS: dict[str, Any] = {
    f"kubernetes:{group}/{version}:{kind}": create(group, version, kind, f"{kind.lower()}s")
    for create, group, version, kind in (
        (create_namespaced_resource, GROUP, "v1", "HTTPRoute"),
        (create_namespaced_resource, GROUP, "v1", "GRPCRoute"),
        (create_namespaced_resource, GROUP, "v1", "TLSRoute"),
        (create_namespaced_resource, GROUP, "v1", "TCPRoute"),
        (create_namespaced_resource, GROUP, "v1", "ListenerSet"),
        (create_namespaced_resource, GROUP, "v1beta1", "ReferenceGrant"),
        (create_namespaced_resource, GROUP, "v1", "Gateway"),
        (create_namespaced_resource, _SECURITY, "v1", "RequestAuthentication"),
        (create_namespaced_resource, _NETWORKING, "v1", "DestinationRule"),
        (create_namespaced_resource, _NETWORKING, "v1alpha3", "EnvoyFilter"),
        (create_global_resource, _SAIL, "v1", "Istio"),
        (create_global_resource, _SAIL, "v1", "IstioCNI"),
        (create_global_resource, _SAIL, "v1", "ZTunnel"),
    )
} | {
    f"kubernetes:{_SECURITY}/v1:AuthorizationPolicy": create_namespaced_resource(
        _SECURITY, "v1", "AuthorizationPolicy", "authorizationpolicies"
    ),
    f"kubernetes:{_TELEMETRY}/v1:Telemetry": create_namespaced_resource(
        _TELEMETRY, "v1", "Telemetry", "telemetries"
    ),
    f"kubernetes:{GROUP}/v1:BackendTLSPolicy": create_namespaced_resource(
        GROUP, "v1", "BackendTLSPolicy", "backendtlspolicies"
    ),
    f"kubernetes:{_NETWORKING}/v1:ServiceEntry": create_namespaced_resource(
        _NETWORKING, "v1", "ServiceEntry", "serviceentries"
    ),
    "kubernetes:batch/v1:Job": Job,
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": HorizontalPodAutoscaler,
    "kubernetes:policy/v1:PodDisruptionBudget": PodDisruptionBudget,
    "kubernetes:apps/v1:Deployment": Deployment,
    "kubernetes:core/v1:Service": Service,
    "kubernetes:core/v1:ServiceAccount": ServiceAccount,
    "kubernetes:core/v1:ConfigMap": ConfigMap,
    "kubernetes:core/v1:Secret": Secret,
    "kubernetes:core/v1:Namespace": Namespace,
}
"""The resource of each kind by Pulumi's type of it, in the order in which all may be removed."""
