"""Thin typed resources of the Kubernetes Gateway API.

Their tokens are those of the Kubernetes provider's custom resources, so that a later move to
generated SDK types replaces nothing. Specs are plain dicts in the API's own camelCase, typed by
`gateway_types`.

https://gateway-api.sigs.k8s.io/reference/spec/
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, ClassVar, Generic, NotRequired, TypedDict, TypeVar, cast, get_args

import pulumi

from ..checks import values as valid
from ..checks.schema import Limits, Schema
from . import gateway_types as api
from .gateway_rules import SCHEMA
from .outputs import after
from .trace import trace, traced

GROUP = "gateway.networking.k8s.io"
"""API group of the Gateway API."""


class ClusterObjectMeta(TypedDict):
    """Metadata of an object that is in no namespace, as far as this package sets it."""

    name: pulumi.Input[str]
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    annotations: NotRequired[Mapping[str, pulumi.Input[str]]]


class ObjectMeta(ClusterObjectMeta):
    """Metadata of an object in a namespace."""

    namespace: pulumi.Input[str]


_METADATA_LIMITS: Limits = {
    ClusterObjectMeta: {
        "name": valid.subdomain,
        "labels{}": valid.label_key,
        "labels[]": valid.label_value,
        "annotations{}": valid.label_key,
    },
    ObjectMeta: {"namespace": valid.dns_label},
}

MetaT = TypeVar("MetaT", bound=ClusterObjectMeta)
SpecT = TypeVar("SpecT", bound=Mapping[str, Any])


class Resource(pulumi.CustomResource, Generic[MetaT, SpecT]):
    """A custom resource of Kubernetes whose live `status` is an output."""

    group: ClassVar[str] = GROUP
    kind: ClassVar[str]
    version: ClassVar[str] = "v1"
    schema: ClassVar[Schema] = SCHEMA.extended(
        _METADATA_LIMITS, {}, {ObjectMeta: ClusterObjectMeta}
    )
    """Checks `metadata` and `spec` before the object is registered."""

    name: pulumi.Output[str]
    """`metadata.name`, known once the object is ready."""
    definition: dict[str, Any]
    """`metadata` and `spec` as given, and `live`, which tells when they were put right."""

    def __init__(
        self,
        resource_name: str,
        metadata: MetaT,
        spec: SpecT,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # Its arguments as a generic class are the shapes that its values must have.
        metadata_shape, spec_shape = get_args(cast("Any", type(self)).__orig_bases__[0])
        self.schema.validate_parts(
            f"{self.kind} {resource_name!r}",
            {"metadata": (metadata, metadata_shape), "spec": (spec, spec_shape)},
        )
        super().__init__(
            f"kubernetes:{self.group}/{self.version}:{self.kind}",
            resource_name,
            {
                "apiVersion": f"{self.group}/{self.version}",
                "kind": self.kind,
                "metadata": metadata,
                "spec": spec,
                # Declared, and None so that it is not sent: Python drops undeclared outputs.
                "status": None,
            },
            # Without a version the engine takes any Kubernetes plugin that it finds.
            pulumi.ResourceOptions.merge(
                traced(opts), pulumi.ResourceOptions(version=version("pulumi-kubernetes"))
            ),
        )
        self.name = after(metadata["name"], self.urn)
        self.definition = {"metadata": metadata, "spec": spec, "live": trace(self)}

    @property
    def status(self) -> pulumi.Output[dict[str, Any]]:
        """The object's status as the cluster reported it when the wait for it ended."""
        return cast("pulumi.Output[dict[str, Any]]", pulumi.get(self, "status"))


class Gateway(Resource[ObjectMeta, api.GatewaySpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#gateway"""

    kind = "Gateway"


class LiveGateway(pulumi.CustomResource):
    """A Gateway that somebody else made, read anew by each preview and update; nothing is owned."""

    def __init__(
        self,
        resource_name: str,
        namespace: pulumi.Input[str],
        name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            f"kubernetes:{GROUP}/v1:Gateway",
            resource_name,
            dict.fromkeys(("metadata", "spec", "status")),  # declared, as in `Resource`
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(
                    id=pulumi.Output.format("{}/{}", namespace, name),
                    version=version("pulumi-kubernetes"),
                ),
            ),
        )

    @property
    def found(self) -> pulumi.Output[dict[str, Any]]:
        """Its `metadata`, `spec` and `status`."""
        return pulumi.Output.all(
            **{part: pulumi.get(self, part) for part in ("metadata", "spec", "status")}
        )


class HTTPRoute(Resource[ObjectMeta, api.HTTPRouteSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#httproute"""

    kind = "HTTPRoute"


class GRPCRoute(Resource[ObjectMeta, api.GRPCRouteSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute"""

    kind = "GRPCRoute"


class ReferenceGrant(Resource[ObjectMeta, api.ReferenceGrantSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant

    At v1beta1, which every bundle from v1.0 on serves; v1 came with v1.5.
    """

    kind = "ReferenceGrant"
    version = "v1beta1"


class TLSRoute(Resource[ObjectMeta, api.TLSRouteSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#tlsroute"""

    kind = "TLSRoute"


class TCPRoute(Resource[ObjectMeta, api.TCPRouteSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#tcproute"""

    kind = "TCPRoute"


class ListenerSet(Resource[ObjectMeta, api.ListenerSetSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#listenerset"""

    kind = "ListenerSet"


class BackendTLSPolicy(Resource[ObjectMeta, api.BackendTLSPolicySpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#backendtlspolicy"""

    kind = "BackendTLSPolicy"


WAIT_FOR = "pulumi.com/waitFor"
"""Annotation by which the provider waits for an object."""


def wait_for(*conditions: str) -> dict[str, str]:
    """The annotation that makes the provider wait until all `conditions` hold.

    Each is `condition=TYPE` or `jsonpath={QUERY}[=VALUE]` (RFC 9535).
    https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
    """
    return {WAIT_FOR: json.dumps(conditions)}


def wait_for_waypoint(
    namespace: pulumi.Input[str], name: pulumi.Input[str]
) -> dict[str, pulumi.Output[str]]:
    """The annotation that makes the provider wait until istiod has bound a Service to a waypoint.

    To this one, as only the message tells: what it said of another before a change is no answer.
    """
    condition = (
        "jsonpath={{.status.conditions[?@.type=='istio.io/WaypointBound'"
        " && match(@.message, '.* {}/{}([.] .*)?')].status}}=True"
    )
    return {
        WAIT_FOR: pulumi.Output.all(namespace, name).apply(
            lambda waypoint: wait_for(condition.format(*waypoint))[WAIT_FOR]
        )
    }


def timeouts(seconds: int) -> pulumi.CustomTimeouts:
    """A limit of `seconds` on creating and on updating an object, waits included."""
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")


def wait_for_parents() -> dict[str, str]:
    """The annotation that makes the provider wait until a route is accepted as it is now.

    By whichever controller its one parent has: istiod calls itself `istio.io/gateway-controller`,
    in OpenShift `openshift.io/gateway-controller/v1`. What it said of the route before a change is
    no answer.
    """
    return _wait_for_holders("parents")


def wait_for_ancestors() -> dict[str, str]:
    """The annotation that makes the provider wait until a policy is accepted as it is now."""
    return _wait_for_holders("ancestors")


def _wait_for_holders(field: str) -> dict[str, str]:
    """Those in a list of the status say that what they look at is accepted as it is now."""
    return wait_for(
        *(
            # In brackets: the provider's library cannot parse three conditions in a row.
            f"jsonpath={{.status.{field}[*].conditions[?(@.type=='{condition}' && @.status=='True')"
            " && @.observedGeneration==$.metadata.generation].status}"
            for condition in ("Accepted", "ResolvedRefs")
        )
    )


def conditions(status: Mapping[str, Any] | None) -> list[str]:
    """`Type=Status (Reason)` of each condition in a `status`."""
    listed = (status or {}).get("conditions") or []
    return [f"{one['type']}={one['status']} ({one['reason']})" for one in listed]


def infrastructure(
    description: str,
    parameters: pulumi.Input[str] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> api.GatewayInfrastructure:
    """The `spec.infrastructure` of a Gateway that istiod deploys.

    Without labels and annotations of its own, istiod copies those of the Gateway down to the pods,
    and a mere change of the service type would restart them. `parameters` names the ConfigMap of
    its customization; `labels` and `annotations` are further ones of what istiod makes.
    """
    found: api.GatewayInfrastructure = {
        "labels": {"app.kubernetes.io/managed-by": "pulumi", **(labels or {})},
        "annotations": {"kubernetes.io/description": description, **(annotations or {})},
    }
    if parameters is not None:
        found["parametersRef"] = {"group": "", "kind": "ConfigMap", "name": parameters}
    return found
