"""The ServiceEntries of Istio's networking API.

Made by `python -m generate api` from the CustomResourceDefinitions of istio.io/api
v1.24.2, v1.25.5, v1.26.4, v1.27.3, v1.28.2, v1.29.1, v1.30.8, v1.31.4, v1.32.0; not to be
changed by hand.

Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not
said to be of later releases is part of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases


class WorkloadEntry(TypedDict):
    """`spec.endpoints[]` of ServiceEntry.

    https://istio.io/latest/docs/reference/config/networking/workload-entry/#WorkloadEntry
    """

    address: NotRequired[pulumi.Input[str]]
    """At most 256 characters."""
    ports: NotRequired[Mapping[str, pulumi.Input[int]]]
    """At most 128 elements; each: 0 to 4294967295."""
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 256 elements."""
    network: NotRequired[pulumi.Input[str]]
    """At most 2048 characters."""
    locality: NotRequired[pulumi.Input[str]]
    """At most 2048 characters."""
    weight: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""
    serviceAccount: NotRequired[pulumi.Input[str]]
    """At most 253 characters."""


class ServicePort(TypedDict):
    """`spec.ports[]` of ServiceEntry.

    https://istio.io/latest/docs/reference/config/networking/service-entry/#ServicePort
    """

    number: pulumi.Input[int]
    """0 to 4294967295."""
    protocol: NotRequired[pulumi.Input[str]]
    """At most 256 characters."""
    name: pulumi.Input[str]
    """At most 256 characters."""
    targetPort: NotRequired[pulumi.Input[int]]
    """0 to 4294967295."""


class WorkloadSelector(TypedDict):
    """`spec.workloadSelector` of ServiceEntry.

    https://istio.io/latest/docs/reference/config/networking/sidecar/#WorkloadSelector
    """

    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """At most 256 elements; each: at most 63 characters."""


class ServiceEntrySpec(TypedDict):
    """`spec` of ServiceEntry.

    https://istio.io/latest/docs/reference/config/networking/service-entry/#ServiceEntry
    """

    hosts: Sequence[pulumi.Input[str]]
    """1 to 256 elements."""
    addresses: NotRequired[Sequence[pulumi.Input[str]]]
    """At most 256 elements; each: at most 64 characters."""
    ports: NotRequired[Sequence[ServicePort]]
    """At most 256 elements."""
    location: NotRequired[pulumi.Input[Literal["MESH_EXTERNAL", "MESH_INTERNAL"]]]
    resolution: NotRequired[
        pulumi.Input[Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]]
    ]
    """`DYNAMIC_DNS` from Istio 1.28."""
    endpoints: NotRequired[Sequence[WorkloadEntry]]
    """At most 4096 elements."""
    workloadSelector: NotRequired[WorkloadSelector]
    exportTo: NotRequired[Sequence[pulumi.Input[str]]]
    subjectAltNames: NotRequired[Sequence[pulumi.Input[str]]]


LIMITS: Mapping[type, Mapping[str, Limit]] = {
    WorkloadEntry: {
        "address": Limit(high=256),
        "ports": Limit(high=128),
        "ports[]": Limit(low=0, high=4294967295),
        "labels": Limit(high=256),
        "network": Limit(high=2048),
        "locality": Limit(high=2048),
        "weight": Limit(low=0, high=4294967295),
        "serviceAccount": Limit(high=253),
    },
    ServicePort: {
        "number": Limit(low=0, high=4294967295),
        "protocol": Limit(high=256),
        "name": Limit(high=256),
        "targetPort": Limit(low=0, high=4294967295),
    },
    WorkloadSelector: {"labels": Limit(high=256), "labels[]": Limit(high=63)},
    ServiceEntrySpec: {
        "hosts": Limit(low=1, high=256),
        "addresses": Limit(high=256),
        "addresses[]": Limit(high=64),
        "ports": Limit(high=256),
        "endpoints": Limit(high=4096),
    },
}
"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {
    ServiceEntrySpec: {"ports": "name"},
}
"""Lists, and the key that no two elements have in common; empty for all of them."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {
    WorkloadEntry: {"serviceentries.networking.istio.io/v1": ["spec.endpoints[]"]},
    ServicePort: {"serviceentries.networking.istio.io/v1": ["spec.ports[]"]},
    WorkloadSelector: {"serviceentries.networking.istio.io/v1": ["spec.workloadSelector"]},
    ServiceEntrySpec: {"serviceentries.networking.istio.io/v1": ["spec"]},
}
"""Where objects of a class stand: CustomResourceDefinition and version, paths."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {}
"""Which releases have a field, where not all do; an empty key is for the whole class."""
