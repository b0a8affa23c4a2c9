"""Thin typed resources of the Kubernetes Gateway API.

Their tokens are those of the Kubernetes provider's custom resources, so that a later move to
generated SDK types replaces nothing. Specs are plain dicts in the API's own camelCase, typed by
`gateway_api_types`.

https://gateway-api.sigs.k8s.io/reference/spec/
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, ClassVar, Generic, NotRequired, TypedDict, TypeVar, cast

import pulumi

from components.gateway_api_types import (
    GatewayInfrastructure,
    GatewaySpec,
    GRPCRouteSpec,
    HTTPRouteSpec,
    ReferenceGrantSpec,
)
from components.outputs import after

GROUP = "gateway.networking.k8s.io"
"""API group of the Gateway API."""


class ObjectMeta(TypedDict):
    """Metadata of an object, as far as this package sets it."""

    name: pulumi.Input[str]
    namespace: pulumi.Input[str]
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    annotations: NotRequired[Mapping[str, pulumi.Input[str]]]


SpecT = TypeVar("SpecT", bound=Mapping[str, Any])


class _Resource(pulumi.CustomResource, Generic[SpecT]):
    """An object of the Gateway API whose live `status` is an output."""

    kind: ClassVar[str]
    version: ClassVar[str] = "v1"

    name: pulumi.Output[str]
    """`metadata.name`, known once the object is ready."""
    applied: pulumi.Output[dict[str, Any]]
    """`metadata` and `spec` as given, known once the object is ready."""

    def __init__(
        self,
        resource_name: str,
        metadata: ObjectMeta,
        spec: SpecT,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            f"kubernetes:{GROUP}/{self.version}:{self.kind}",
            resource_name,
            {
                "apiVersion": f"{GROUP}/{self.version}",
                "kind": self.kind,
                "metadata": metadata,
                "spec": spec,
                # Declared, and None so that it is not sent: Python drops undeclared outputs.
                "status": None,
            },
            # Without a version the engine takes any Kubernetes plugin that it finds.
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(version=version("pulumi-kubernetes"))
            ),
        )
        self.name = after(metadata["name"], self.urn)
        self.applied = after({"metadata": metadata, "spec": spec}, self.urn)

    @property
    def status(self) -> pulumi.Output[dict[str, Any]]:
        """The object's status as the cluster reported it when the wait for it ended."""
        return cast("pulumi.Output[dict[str, Any]]", pulumi.get(self, "status"))


class Gateway(_Resource[GatewaySpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#gateway"""

    kind = "Gateway"


class HTTPRoute(_Resource[HTTPRouteSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#httproute"""

    kind = "HTTPRoute"


class GRPCRoute(_Resource[GRPCRouteSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute"""

    kind = "GRPCRoute"


class ReferenceGrant(_Resource[ReferenceGrantSpec]):
    """https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant

    At v1beta1, which every bundle from v1.0 on serves; v1 came with v1.5.
    """

    kind = "ReferenceGrant"
    version = "v1beta1"


def wait_for(*conditions: str) -> dict[str, str]:
    """The annotation that makes the provider wait until all `conditions` hold.

    Each is `condition=TYPE` or `jsonpath={QUERY}[=VALUE]` (RFC 9535).
    https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
    """
    return {"pulumi.com/waitFor": json.dumps(conditions)}


def timeouts(seconds: int) -> pulumi.CustomTimeouts:
    """A limit of `seconds` on creating and on updating an object, waits included."""
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")


def infrastructure(description: str) -> GatewayInfrastructure:
    """The `spec.infrastructure` of a Gateway that istiod deploys.

    Without labels and annotations of its own, istiod copies those of the Gateway down to the pods,
    and a mere change of the service type would restart them.
    """
    return {
        "labels": {"app.kubernetes.io/managed-by": "pulumi"},
        "annotations": {"kubernetes.io/description": description},
    }
