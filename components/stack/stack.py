"""The components of a stack, as its configuration describes them."""

import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pulumi

from ..api.outputs import after
from ..checks.faults import Faults, camel
from ..checks.schema import trusted
from ..cluster.preflight import PreflightArgs
from ..cluster.provider import Cluster
from ..exposure.arguments import AmbientExposureArgs
from ..exposure.exposure import AmbientExposure
from ..parts.client import Client, ClientArgs, ClientReference
from ..parts.former import own_binding
from ..parts.gateway import IngressGateway
from ..parts.gateway_args import GatewayReference
from ..parts.metadata import common_metadata, mirrored_images
from ..parts.namespace import Namespace, NamespaceOptions
from ..parts.waypoint import Waypoint, WaypointBinding, WaypointBindingArgs, WaypointReference
from .arguments import StackArgs
from .configuration import SCHEMA, spelt
from .needs import needs
from .places import clients, namespace_name, namespaces, shared


@dataclass(frozen=True)
class Exposed:
    """What a stack has made, by the names of its entries."""

    exposures: Mapping[str, AmbientExposure]
    gateways: Mapping[str, GatewayReference]
    waypoints: Mapping[str, WaypointReference]


def expose(args: StackArgs) -> Exposed:
    """Register everything that `args`, which are complete, name.

    Namespaces, shared gateways, shared waypoints and the client are components of the stack, so
    that an exposure may come and go without the others. Raises `InvalidInput` with all that the
    cluster lacks, before anything is registered.
    """
    with suppress(ValueError):  # by the automation API in a thread
        # The engine interrupts the program of an update that has failed. What that waits for then
        # is of no use to anybody, but Python would print it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
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
        return _Parts(args, opts).exposed()


class _Parts:
    """What the entries of a stack share."""

    def __init__(self, args: StackArgs, opts: pulumi.ResourceOptions) -> None:
        self._args = args
        self._opts = opts
        self._namespaces = {
            key: Namespace(key, namespace, self._namespace_opts(key, str(namespace["name"])))
            for key, namespace in namespaces(args).items()
        }
        self._gateways = {
            name: IngressGateway(
                name, {**gateway, "namespace": self._place(gateway)}, self._opts_of(name)
            )
            for name, gateway in args.get("gateways", {}).items()
        }
        self._waypoints = {
            name: Waypoint(
                name, {**waypoint, "namespace": self._place(waypoint)}, self._opts_of(name)
            )
            for name, waypoint in args.get("waypoints", {}).items()
        }
        self._bindings: dict[str, WaypointReference] = {}

    def exposed(self) -> Exposed:
        """The exposures, and what they share."""
        client = next((self._client(options) for _, options in clients(self._args)), None)
        exposures = {
            name: AmbientExposure(
                name,
                self._resolved(exposure, client),
                self._opts_of(name),
                bind=partial(self._bind, namespace_name(self._args, exposure["namespace"])),
            )
            for name, exposure in self._args["exposures"].items()
        }
        return Exposed(
            exposures,
            {name: gateway.reference for name, gateway in self._gateways.items()},
            {name: waypoint.reference for name, waypoint in self._waypoints.items()},
        )

    def _resolved(
        self, exposure: AmbientExposureArgs, client: ClientReference | None
    ) -> AmbientExposureArgs:
        """The arguments with components in place of the entries that they refer to."""
        args: AmbientExposureArgs = {**exposure, "namespace": self._place(exposure)}
        if entry := shared(exposure.get("gateway")):
            existing = exposure["gateway"]["existing"]
            listener = {key: value for key, value in existing.items() if key == "listener_port"}
            reference = {**self._gateways[entry].reference, **listener}
            args["gateway"] = {
                **exposure["gateway"],
                "existing": cast("GatewayReference", reference),
            }
        if entry := shared(exposure.get("waypoint")):
            args["waypoint"] = {
                **exposure["waypoint"],
                "existing": self._waypoints[entry].reference,
            }
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

    def _client(self, options: ClientArgs) -> ClientReference:
        place = options["namespace"]
        if "existing" in place:
            place = self._place(options)
        elif "name" in place:
            # Made after the namespaces of the services, and so removed before them.
            others = (namespace.name for namespace in self._namespaces.values())
            place = cast("NamespaceOptions", {**place, "name": after(place["name"], *others)})
        return Client(
            "client",
            {**options, "namespace": place},
            _formerly(self._opts, "exposure-client"),
        ).reference

    def _opts_of(self, entry: str) -> pulumi.ResourceOptions:
        """The options of an entry's component, by its former name if it was renamed."""
        former = self._args.get("renamed", {}).get(entry)
        aliases = [pulumi.Alias(name=former)] if former else []
        return pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(aliases=aliases))

    def _namespace_opts(self, key: str, name: str) -> pulumi.ResourceOptions:
        first = self._args["exposures"].get("exposure")
        if first and namespace_name(self._args, first["namespace"]) == name:
            return _formerly(self._opts, "exposure")
        return self._opts_of(key)


def _formerly(opts: pulumi.ResourceOptions, name: str) -> pulumi.ResourceOptions:
    """The options of what release 1 had inside its one exposure, under `name`."""
    exposure = pulumi.create_urn("exposure", "ambient:index:AmbientExposure")
    return pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name, parent=exposure)])
    )


def outputs(args: StackArgs, exposed: Exposed) -> dict[str, Any]:
    """The outputs of a stack: those of all entries by name, of the primary exposure as its own too.

    Of gateways and waypoints there are none where the stack has none.
    """
    by_name = {name: _outputs(exposure) for name, exposure in exposed.exposures.items()}
    only = next(iter(by_name)) if len(by_name) == 1 else None
    own = by_name.get(args.get("primary") or only or "", {})
    proxies: dict[str, Mapping[str, Mapping[str, Any]]] = {
        "gateways": exposed.gateways,
        "waypoints": exposed.waypoints,
    }
    referred = {
        part: {name: _referred(reference) for name, reference in references.items()}
        for part, references in proxies.items()
        if references
    }
    return {**own, "exposures": by_name, **referred}


def _referred(reference: Mapping[str, Any]) -> dict[str, Any]:
    inner = ("definition", "dns", "service_account")
    return {camel(key): value for key, value in reference.items() if key not in inner}


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
        "dnsRecords": exposure.dns_records,
        "commands": exposure.commands,
        "verified": exposure.verified,
    }
    return {name: value for name, value in found.items() if value is not None}
