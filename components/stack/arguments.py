"""The configuration of a stack: the arguments of its components, by name."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from ..cluster.provider import ClusterArgs
from ..exposure.arguments import AmbientExposureArgs
from ..parts.client import ClientArgs
from ..parts.gateway_args import IngressGatewayArgs
from ..parts.namespace import NamespaceArgs
from ..parts.waypoint import WaypointArgs


class StackArgs(TypedDict):
    """What a stack is made of: exposures, and what they or those of other stacks share.

    In its configuration the keys are in camelCase, in a program in snake_case.
    """

    exposures: NotRequired[Mapping[str, AmbientExposureArgs]]
    """Services that are exposed, each under a name of its own (default none)."""
    gateways: NotRequired[Mapping[str, IngressGatewayArgs]]
    """Ingress gateways that exposures share (default none); such an exposure says
    `gateway: {existing: {entry: NAME}}`; name and namespace stand for one of another stack."""
    waypoints: NotRequired[Mapping[str, WaypointArgs]]
    """Waypoints that exposures share (default none); such an exposure says
    `waypoint: {existing: {entry: NAME}}`; name and namespace stand for one of another stack."""
    namespaces: NotRequired[Mapping[str, NamespaceArgs]]
    """Namespaces that several entries share (default none); such an entry says
    `namespace: {existing: {entry: NAME}}`."""
    defaults: NotRequired[AmbientExposureArgs]
    """Part of an exposure's arguments, for all exposures that do not say otherwise, merged as deep
    as the options of a part. Those of `gateway`, `waypoint` and `ready_timeout` are for the shared
    ones too, and the `discovery_labels` of `namespace` for every namespace."""
    primary: NotRequired[str]
    """The exposure whose outputs are the stack's own (default the only one)."""
    renamed: NotRequired[Mapping[str, str]]
    """The former name of each entry that was renamed (default none), by its new one: its objects
    stay what they are. For the first update under the new name; later it has no effect."""
    client: NotRequired[ClientArgs]
    """A client that sends the requests of all verifications, and that is there for requests of
    yours (default none: each verification has a pod in its exposure's namespace)."""
    cluster: NotRequired[ClusterArgs]
    """The cluster (default that of the current context)."""
    labels: NotRequired[Mapping[str, str]]
    """Labels of every object (default none)."""
    annotations: NotRequired[Mapping[str, str]]
    """Annotations of every object (default none)."""
    image_registry: NotRequired[str]
    """Registry that mirrors all others, put before the path of every image (default none)."""
