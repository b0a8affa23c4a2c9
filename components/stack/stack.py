"""The components of a stack, as its configuration describes them."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import pulumi

from ..api.outputs import after
from ..checks.faults import Faults
from ..checks.schema import trusted
from ..cluster.namespaces import BindingExpectation, NamespaceExpectation
from ..cluster.preflight import PreflightArgs
from ..cluster.provider import Cluster
from ..exposure.arguments import AmbientExposureArgs, binds
from ..exposure.exposure import AmbientExposure
from ..parts.client import CLIENT, Client, ClientReference
from ..parts.former import own_binding
from ..parts.gateway import GatewayReference, IngressGateway
from ..parts.metadata import common_metadata, mirrored_images
from ..parts.namespace import Namespace, NamespaceArgs, NamespaceOptions, render_labels
from ..parts.waypoint import Waypoint, WaypointBinding, WaypointBindingArgs, WaypointReference
from .arguments import StackArgs
from .configuration import SCHEMA, spelt
from .places import entries, namespace_name, namespaces, shared, verifies


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
            name: Waypoint(name, {**waypoint, "namespace": self._place(waypoint)}, opts)
            for name, waypoint in args.get("waypoints", {}).items()
        }
        self._bindings: dict[str, WaypointReference] = {}

    def exposures(self) -> dict[str, AmbientExposure]:
        """The exposures, by name."""
        client = self._client() if verifies(self._args) else None
        return {
            name: AmbientExposure(
                name,
                self._resolved(exposure, client),
                self._opts,
                bind=partial(self._bind, namespace_name(self._args, exposure["namespace"])),
            )
            for name, exposure in self._args["exposures"].items()
        }

    def _resolved(
        self, exposure: AmbientExposureArgs, client: ClientReference | None
    ) -> AmbientExposureArgs:
        """The arguments with components in place of the entries that they refer to."""
        args: AmbientExposureArgs = {**exposure, "namespace": self._place(exposure)}
        if entry := shared(exposure.get("gateway")):
            args["gateway"] = {"existing": self._gateways[entry].reference}
        if entry := shared(exposure.get("waypoint")):
            existing = self._waypoints[entry].reference
            args["waypoint"] = {**exposure["waypoint"], "existing": existing}
        if client and "verification" in exposure:
            args["verification"] = {**exposure["verification"], "client": {"existing": client}}
        return args

    def _place(self, entry: Mapping[str, Any]) -> NamespaceOptions:
        """The namespace of an entry."""
        options: NamespaceOptions = entry["namespace"]
        if "existing" in options and "name" in options["existing"]:
            return options
        key = shared(options) or str(options["name"])
        return {"existing": self._namespaces[key].reference}

    def _bind(self, place: str, args: WaypointBindingArgs) -> WaypointReference:
        """Bind the namespace `place`, once for all of its exposures, whosever the waypoint is."""
        if place not in self._bindings:
            former = [
                own_binding(name, pulumi.create_urn(name, "ambient:index:AmbientExposure"))
                for name, exposure in sorted(self._args["exposures"].items())
                if namespace_name(self._args, exposure["namespace"]) == place
            ]
            opts = pulumi.ResourceOptions(aliases=[*former])
            opts = pulumi.ResourceOptions.merge(self._opts, opts)
            self._bindings[place] = WaypointBinding(place, args, opts).waypoint
        return self._bindings[place]

    def _client(self) -> ClientReference:
        options = self._args.get("client", {})
        return Client(
            "client",
            {
                **options,
                # Made after the namespaces of the services, and so removed before them.
                "namespace": after(
                    options.get("namespace", CLIENT),
                    *(namespace.name for namespace in self._namespaces.values()),
                ),
            },
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
    places = {str(one["name"]): _namespace(one) for one in namespaces(args).values()}
    for _, entry in entries(args):
        name = namespace_name(args, entry["namespace"])
        places.setdefault(name, {"name": name, "create": False})
    if verifies(args):
        name = str(args.get("client", {}).get("namespace", CLIENT))
        places[name] = {"name": name, "create": True}
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
        "namespaces": [*places.values()],
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
        "bindings": [_binding(args, exposure) for exposure in exposures],
    }


def _namespace(args: NamespaceArgs) -> NamespaceExpectation:
    create = args.get("create", True)
    return {
        "name": str(args["name"]),
        "create": create,
        "labels": cast("Mapping[str, str]", render_labels(args)),
        "enrol": create or "ambient" in args,
    }


def _binding(args: StackArgs, exposure: AmbientExposureArgs) -> BindingExpectation:
    place = namespace_name(args, exposure["namespace"])
    service, options = exposure["service"], exposure.get("waypoint", {})
    waypoint: Mapping[str, Any] = {"name": f"{service['name']}-waypoint", **options}
    holder = place
    if entry := shared(options):
        waypoint = args["waypoints"][entry]
        holder = namespace_name(args, waypoint["namespace"])
    elif "existing" in options:
        waypoint = options["existing"]
        holder = str(waypoint["namespace"])
    return {
        "namespace": place,
        "service": service["name"],
        "create": service.get("create", True),
        "waypoint": f"{holder}/{waypoint['name']}",
        "binds": binds(exposure),
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
