"""The kinds of objects that components make, as the cluster is asked for them."""

from typing import Any

from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, Namespace, Secret, Service, ServiceAccount

from ..api.gateway import GROUP

_GATEWAY_API = (
    ("v1", "Gateway", "gateways"),
    ("v1", "HTTPRoute", "httproutes"),
    ("v1", "GRPCRoute", "grpcroutes"),
    ("v1beta1", "ReferenceGrant", "referencegrants"),
)

_ISTIO = (
    ("AuthorizationPolicy", "authorizationpolicies"),
    ("RequestAuthentication", "requestauthentications"),
)

_SAIL = (("Istio", "istios"), ("IstioCNI", "istiocnis"), ("ZTunnel", "ztunnels"))

KINDS: dict[str, Any] = {
    # What goes first when all is removed.
    **{
        f"kubernetes:{GROUP}/{version}:{kind}": create_namespaced_resource(
            GROUP, version, kind, plural
        )
        for version, kind, plural in reversed(_GATEWAY_API)
    },
    **{
        f"kubernetes:security.istio.io/v1:{kind}": create_namespaced_resource(
            "security.istio.io", "v1", kind, plural
        )
        for kind, plural in _ISTIO
    },
    **{
        f"kubernetes:sailoperator.io/v1:{kind}": create_global_resource(
            "sailoperator.io", "v1", kind, plural
        )
        for kind, plural in _SAIL
    },
    "kubernetes:batch/v1:Job": Job,
    "kubernetes:apps/v1:Deployment": Deployment,
    "kubernetes:core/v1:Service": Service,
    "kubernetes:core/v1:ServiceAccount": ServiceAccount,
    "kubernetes:core/v1:ConfigMap": ConfigMap,
    "kubernetes:core/v1:Secret": Secret,
    "kubernetes:core/v1:Namespace": Namespace,
}
"""The resource of each kind by Pulumi's type of it, in the order in which all may be removed."""
