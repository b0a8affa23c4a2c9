"""Where the entries of a stack are: their namespaces, gateways and waypoints."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from ..exposure import names
from ..exposure.arguments import AmbientExposureArgs, inward
from ..parts.client import ClientArgs
from ..parts.gateway_args import IngressGatewayArgs, known_name
from ..parts.namespace import NamespaceArgs, NamespaceOptions
from ..parts.waypoint import WaypointArgs
from .arguments import StackArgs


def entries(
    args: StackArgs,
) -> Iterator[tuple[str, AmbientExposureArgs | IngressGatewayArgs | WaypointArgs]]:
    """Every entry that is in a namespace, with its path."""
    for name, waypoint in args.get("waypoints", {}).items():
        yield f"waypoints.{name}", waypoint
    for name, gateway in args.get("gateways", {}).items():
        yield f"gateways.{name}", gateway
    for name, exposure in args["exposures"].items():
        yield f"exposures.{name}", exposure


def clients(args: StackArgs) -> Iterator[tuple[str, ClientArgs]]:
    """The client of the stack, with its path, where it has one that verifies."""
    if "client" in args and any("verification" in one for one in args["exposures"].values()):
        yield "client", args["client"]


def shared(part: Mapping[str, Any] | None) -> str | None:
    """The entry that a part of an exposure refers to; None where it is the exposure's own."""
    entry: str | None = (part or {}).get("existing", {}).get("entry")
    return entry


def namespace_name(args: StackArgs, namespace: NamespaceOptions) -> str:
    """The name of an entry's namespace."""
    if entry := shared(namespace):
        return str(args.get("namespaces", {})[entry]["name"])
    return str(namespace.get("existing", namespace)["name"])


def namespaces(args: StackArgs) -> dict[str, NamespaceArgs]:
    """Every namespace of the stack's own, by its entry or by its name.

    The pods of gateways and waypoints are no workloads of the mesh: a namespace that holds nothing
    else is not captured, unless it says so.
    """
    own: dict[str, NamespaceArgs] = {**args.get("namespaces", {})}
    for path, entry in entries(args):
        namespace = entry["namespace"]
        if "existing" not in namespace:
            alone = cast("NamespaceArgs", namespace)
            if not path.startswith("exposures."):
                alone = cast("NamespaceArgs", {"ambient": False, **alone})
            own[namespace_name(args, namespace)] = alone
    return own


class Proxy(NamedTuple):
    """A Gateway of the stack's own."""

    path: str
    """Path of its options."""
    namespace: str
    """Its namespace."""
    name: str
    """Its name."""
    class_: str
    """Its GatewayClass."""
    generated: str
    """Name of the Deployment and the Service that istiod makes for it."""
    options: Mapping[str, Any]
    """Its options."""


def proxies(args: StackArgs) -> Iterator[Proxy]:
    """Every Gateway of the stack's own."""
    for path, entry in entries(args):
        own: Any = entry
        parts: list[tuple[str, str, Any]] = [(path, path.partition("s.")[0], own)]
        if path.startswith("exposures."):
            parts = [
                (f"{path}.{part}", part, {**options, "name": name(own["service"]["name"], options)})
                for part, name in (("gateway", names.gateway), ("waypoint", names.waypoint))
                for options in [own.get(part, {})]
                if part == "waypoint" or not inward(own)
            ]
        for place, part, options in parts:
            if "existing" not in options:
                generated, class_ = options["name"], "istio-waypoint"
                if part == "gateway":
                    generated, class_ = str(known_name(options)), "istio"
                yield Proxy(
                    place,
                    namespace_name(args, own["namespace"]),
                    options["name"],
                    options.get("gateway_class", class_),
                    generated,
                    options,
                )
