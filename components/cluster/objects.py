"""The kinds of objects that components make, as the cluster is asked for them."""

from typing import Any

from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, Namespace, Secret, Service, ServiceAccount

from ..api.gateway import GROUP

_SECURITY, _SAIL = "security.istio.io", "sailoperator.io"
_NETWORKING = "networking.istio.io"

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
        (create_global_resource, _SAIL, "v1", "Istio"),
        (create_global_resource, _SAIL, "v1", "IstioCNI"),
        (create_global_resource, _SAIL, "v1", "ZTunnel"),
    )
} | {
    f"kubernetes:{_SECURITY}/v1:AuthorizationPolicy": create_namespaced_resource(
        _SECURITY, "v1", "AuthorizationPolicy", "authorizationpolicies"
    ),
    f"kubernetes:{GROUP}/v1:BackendTLSPolicy": create_namespaced_resource(
        GROUP, "v1", "BackendTLSPolicy", "backendtlspolicies"
    ),
    f"kubernetes:{_NETWORKING}/v1:ServiceEntry": create_namespaced_resource(
        _NETWORKING, "v1", "ServiceEntry", "serviceentries"
    ),
    "kubernetes:batch/v1:Job": Job,
    "kubernetes:apps/v1:Deployment": Deployment,
    "kubernetes:core/v1:Service": Service,
    "kubernetes:core/v1:ServiceAccount": ServiceAccount,
    "kubernetes:core/v1:ConfigMap": ConfigMap,
    "kubernetes:core/v1:Secret": Secret,
    "kubernetes:core/v1:Namespace": Namespace,
}
"""The resource of each kind by Pulumi's type of it, in the order in which all may be removed."""
