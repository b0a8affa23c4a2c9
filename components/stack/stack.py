"""The components of a stack, as its configuration describes them."""

from collections.abc import Mapping
from typing import Any

import pulumi

from ..api.outputs import after
from ..checks.faults import Faults
from ..checks.schema import trusted
from ..cluster.preflight import PreflightArgs
from ..cluster.provider import Cluster
from ..exposure.arguments import AmbientExposureArgs
from ..exposure.exposure import AmbientExposure
from ..parts.client import Client, ClientArgs, ClientReference
from ..parts.gateway import GatewayReference, IngressGateway
from ..parts.metadata import common_metadata, mirrored_images
from ..parts.namespace import Namespace, NamespaceOptions
from ..parts.waypoint import Waypoint, WaypointBinding, WaypointReference
from .arguments import StackArgs
from .configuration import SCHEMA, spelt
from .places import clients, entries, namespace_name, namespaces, shared


def expose(args: StackArgs) -> dict[str, AmbientExposure]:
    """Register everything that `args`, which are complete, name; return the exposures by name.

    Namespaces, shared gateways, shared waypoints and the client are components of the stack, so
    that an exposure may come and go without the others. Raises `InvalidInput` with all that the
    cluster lacks, before anything is registered.
    """
    common = common_metadata(args.get("labels", {}), args.get("annotations", {}))
    pulumi.runtime.register_resource_transform(common)
    if "image_registry" in args:
        pulumi.runtime.register_resource_transform(mirrored_images(args["image_registry"]))
    given = args.get("cluster", {})
    needed: PreflightArgs = {**needs(args), **given.get("needs", {})}
    cluster = Cluster("cluster", {**given, "needs": needed})
    faults = Faults(f"configuration of stack {pulumi.get_stack()}", spell=spelt)
    SCHEMA.compare(faults, "", args, StackArgs)
    faults.raise_any()
    opts = pulumi.ResourceOptions(providers=[cluster.provider])
    with trusted():
        return _Parts(args, opts).exposures()


class _Parts:
    """What the entries of a stack share."""

    def __init__(self, args: StackArgs, opts: pulumi.ResourceOptions) -> None:
        self._args = args
        self._opts = opts
        self._namespaces = {
            key: Namespace(key, namespace, self._namespace_opts(str(namespace["name"])))
            for key, namespace in namespaces(args).items()
        }
        self._gateways = {
            name: IngressGateway(name, {**gateway, "namespace": self._place(gateway)}, opts)
            for name, gateway in args.get("gateways", {}).items()
        }
        self._waypoints = {
            name: Waypoint(
                name, {**waypoint, "namespace": self._place(waypoint), "bind": False}, opts
            )
            for name, waypoint in args.get("waypoints", {}).items()
        }
        self._bindings = self._bind()

    def exposures(self) -> dict[str, AmbientExposure]:
        """The exposures, by name."""
        client = next((self._client(options) for _, options in clients(self._args)), None)
        return {
            name: AmbientExposure(name, self._resolved(exposure, client), self._opts)
            for name, exposure in self._args["exposures"].items()
        }

    def _resolved(
        self, exposure: AmbientExposureArgs, client: ClientReference | None
    ) -> AmbientExposureArgs:
        """The arguments with components in place of the entries that they refer to."""
        args: AmbientExposureArgs = {**exposure, "namespace": self._place(exposure)}
        if entry := shared(exposure.get("gateway")):
            args["gateway"] = {"existing": self._gateways[entry].reference}
        if waypoint := self._waypoint(exposure):
            place = namespace_name(self._args, exposure["namespace"])
            bound = self._bindings.get(place, waypoint)
            args["waypoint"] = {**args["waypoint"], "existing": bound, "bind": False}
        if client and "verification" in exposure:
            args["verification"] = {**exposure["verification"], "client": client}
        return args

    def _place(self, entry: Mapping[str, Any]) -> NamespaceOptions:
        """The namespace of an entry."""
        options: NamespaceOptions = entry["namespace"]
        if "existing" in options and "name" in options["existing"]:
            return options
        key = shared(options) or str(options["name"])
        return {"existing": self._namespaces[key].reference}

    def _waypoint(self, exposure: AmbientExposureArgs) -> WaypointReference | None:
        """The waypoint of an exposure; None where it is the exposure's own."""
        options = exposure.get("waypoint", {})
        if entry := shared(options):
            return self._waypoints[entry].reference
        return options.get("existing")

    def _bind(self) -> dict[str, WaypointReference]:
        """The waypoint that each namespace is bound to, once for all of its exposures."""
        bindings: dict[str, WaypointReference] = {}
        for exposure in self._args["exposures"].values():
            place = namespace_name(self._args, exposure["namespace"])
            waypoint = self._waypoint(exposure)
            if waypoint is None or place in bindings or not exposure["waypoint"].get("bind", True):
                continue
            bindings[place] = WaypointBinding(
                place,
                {
                    "namespace": self._place(exposure)["existing"]["name"],
                    "waypoint": waypoint,
                    "ingress_use_waypoint": exposure["waypoint"].get("ingress_use_waypoint", False),
                },
                self._opts,
            ).waypoint
        return bindings

    def _client(self, options: ClientArgs) -> ClientReference:
        place = options["namespace"]
        if "existing" in place:
            place = self._place(options)
        else:
            # Made after the namespaces of the services, and so removed before them.
            others = (namespace.name for namespace in self._namespaces.values())
            place = {**place, "name": after(place["name"], *others)}
        return Client(
            "client",
            {**options, "namespace": place},
            _formerly(self._opts, "exposure-client"),
        ).reference

    def _namespace_opts(self, name: str) -> pulumi.ResourceOptions:
        first = self._args["exposures"].get("exposure")
        if first and namespace_name(self._args, first["namespace"]) == name:
            return _formerly(self._opts, "exposure")
        return self._opts


def _formerly(opts: pulumi.ResourceOptions, name: str) -> pulumi.ResourceOptions:
    """The options of what release 1 had inside its one exposure, under `name`."""
    exposure = pulumi.create_urn("exposure", "ambient:index:AmbientExposure")
    return pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name, parent=exposure)])
    )


def needs(args: StackArgs) -> PreflightArgs:
    """What the preflight looks for."""
    places = {
        str(namespace["name"]): namespace.get("create", True)
        for namespace in namespaces(args).values()
    }
    for _, entry in (*entries(args), *clients(args)):
        own = "existing" not in (namespace := entry["namespace"])
        create = own and namespace.get("create", True)
        places.setdefault(namespace_name(args, namespace), create)
    waypoints, gateways = args.get("waypoints", {}).values(), args.get("gateways", {}).values()
    classes: list[Any] = [
        *(waypoint.get("gateway_class", "istio-waypoint") for waypoint in waypoints),
        *(gateway.get("gateway_class", "istio") for gateway in gateways),
    ]
    exposures = args["exposures"].values()
    for exposure in exposures:
        parts: Mapping[str, Any] = exposure
        for part, default in (("gateway", "istio"), ("waypoint", "istio-waypoint")):
            if "existing" not in (options := parts.get(part, {})):
                classes.append(options.get("gateway_class", default))
    return {
        "namespaces": [{"name": name, "create": create} for name, create in places.items()],
        "gateway_classes": list(dict.fromkeys(classes)),
        "ztunnel": any(exposure.get("require_waypoint", False) for exposure in exposures),
        "services": [
            {
                "namespace": namespace_name(args, exposure["namespace"]),
                "name": exposure["service"]["name"],
                "port": exposure["service"]["port"],
            }
            for exposure in exposures
            if not exposure["service"].get("create", True)
        ],
    }


def outputs(args: StackArgs, exposures: Mapping[str, AmbientExposure]) -> dict[str, Any]:
    """The outputs of a stack: those of each exposure by name, and of the primary one as its own."""
    by_name = {name: _outputs(exposure) for name, exposure in exposures.items()}
    only = next(iter(by_name)) if len(by_name) == 1 else None
    own = by_name.get(args.get("primary") or only or "", {})
    return {**own, "exposures": by_name}


def _outputs(exposure: AmbientExposure) -> dict[str, Any]:
    gateway: GatewayReference = exposure.gateway_reference
    waypoint = exposure.waypoint_reference
    found = {
        "ingressHost": exposure.host,
        "ingressPort": exposure.port,
        "ingressUrl": exposure.url,
        "ingressUrls": gateway.get("urls"),
        "ingressAddresses": gateway.get("addresses"),
        "ingressInternalHost": gateway.get("internal_host"),
        "ingressNodePort": gateway.get("node_port"),
        "ingressConditions": gateway.get("conditions"),
        "ingressCertificate": gateway.get("certificate"),
        "waypointAddress": waypoint.get("address"),
        "waypointConditions": waypoint.get("conditions"),
        "commands": exposure.commands,
        "verified": exposure.verified,
    }
    return {name: value for name, value in found.items() if value is not None}
