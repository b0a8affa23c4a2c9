"""The specs of the Sail operator's installation API, written by hand: no module has its CRDs.

Keys are the API's own camelCase. All of its kinds are without a namespace.

https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

import pulumi

Profile = Literal[
    "ambient",
    "default",
    "demo",
    "empty",
    "external",
    "openshift",
    "openshift-ambient",
    "preview",
    "remote",
    "stable",
]
"""Sets of values that come with the operator; on OpenShift it adds those for it by itself."""


class UpdateStrategy(TypedDict):
    """How a control plane goes from one version to the next.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/update-strategy/update-strategy.adoc
    """

    type: NotRequired[pulumi.Input[Literal["InPlace", "RevisionBased"]]]
    """`InPlace` (default), the only one for ambient mode: a cluster has one ztunnel."""
    inactiveRevisionDeletionGracePeriodSeconds: NotRequired[pulumi.Input[int]]
    """Seconds that an unused revision is kept (default 30)."""
    updateWorkloads: NotRequired[pulumi.Input[bool]]
    """Whether pods with sidecars are moved to the new revision (default no)."""


class IstioSpec(TypedDict):
    """A control plane.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#istiospec
    """

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`; the CRD lists those that the operator has."""
    namespace: pulumi.Input[str]
    """Namespace of istiod, which has to exist and cannot change."""
    profile: NotRequired[pulumi.Input[Profile]]
    """Set of values below `values` (default `default`)."""
    updateStrategy: NotRequired[UpdateStrategy]
    """How it goes to another version (default in place)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the Helm charts `base` and `istiod`."""


class IstioCNISpec(TypedDict):
    """The node agent that brings pods into the mesh.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#istiocnispec
    """

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`; the CRD lists those that the operator has."""
    namespace: pulumi.Input[str]
    """Namespace of the agents, which has to exist and cannot change."""
    profile: NotRequired[pulumi.Input[Profile]]
    """Set of values below `values` (default `default`)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the Helm chart `istio-cni`."""


class ControlPlaneReference(TypedDict):
    """A control plane.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#targetreference
    """

    kind: pulumi.Input[Literal["Istio", "IstioRevision"]]
    """Kind; of an `Istio` it is the active revision."""
    name: pulumi.Input[str]
    """Name, at most 253 characters."""


class ZTunnelSpec(TypedDict):
    """The node proxy.

    https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#ztunnelspec
    """

    version: pulumi.Input[str]
    """Version of Istio, such as `v1.30.0`; the CRD lists those that the operator has."""
    namespace: pulumi.Input[str]
    """Namespace of the proxies, which has to exist."""
    targetRef: NotRequired[ControlPlaneReference]
    """Control plane whose `global`, `meshConfig` and `revision` it takes over (default none)."""
    values: NotRequired[Mapping[str, Any]]
    """Values of the Helm chart `ztunnel`, over those taken over."""
