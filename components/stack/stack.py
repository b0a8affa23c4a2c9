"""The components of a stack, as its settings describe them."""

from collections.abc import Mapping
from typing import Any

import pulumi

from ..exposure.arguments import AmbientExposureArgs
from ..exposure.exposure import AmbientExposure
from ..parts.client import Client
from ..parts.gateway import IngressGateway
from ..parts.namespace import Namespace
from ..parts.waypoint import Waypoint, WaypointBinding
from .settings import Settings


def expose(settings: Settings, provider: pulumi.ProviderResource) -> dict[str, AmbientExposure]:
    """Register everything that `settings` name, and return the exposures by name.

    Namespaces, shared gateways, shared waypoints and the client are components of the stack, so
    that an exposure may come and go without the others.
    """
    opts = pulumi.ResourceOptions(providers=[provider])
    first = settings.exposures.get("exposure")
    namespaces = {
        name: Namespace(
            name, args, _moved(opts, "exposure") if first and first.namespace == name else opts
        )
        for name, args in settings.namespaces.items()
    }
    gateways = {
        name: IngressGateway(name, {**args, "namespace": namespaces[place].name}, opts)
        for name, (place, args) in settings.gateways.items()
    }
    waypoints = {
        name: Waypoint(name, {**args, "namespace": namespaces[place].name}, opts)
        for name, (place, args) in settings.waypoints.items()
    }
    bindings = {
        place: WaypointBinding(
            place,
            {
                "namespace": namespaces[place].name,
                "waypoint": waypoints[name].reference,
                "ingress_use_waypoint": ingress,
            },
            opts,
        )
        for place, (name, ingress) in settings.bindings.items()
    }
    client = settings.client and Client(
        "client",
        {**settings.client, "service_namespace": [one.name for one in namespaces.values()]},
        _moved(opts, "exposure-client"),
    )
    exposures: dict[str, AmbientExposure] = {}
    for name, exposed in settings.exposures.items():
        namespace = namespaces[exposed.namespace]
        args: AmbientExposureArgs = {**exposed.args, "shared_namespace": namespace.name}
        subject = [namespace.applied]
        if exposed.gateway:
            args["shared_gateway"] = gateways[exposed.gateway].reference
            subject.append(gateways[exposed.gateway].applied)
        if exposed.waypoint:
            binding = bindings[exposed.namespace]
            args["shared_waypoint"] = {
                **waypoints[exposed.waypoint].reference,
                "name": binding.name,
            }
            args["bind"] = False
            subject += [waypoints[exposed.waypoint].applied, binding.applied]
        if exposed.verification and client:
            args["verification"] = {
                **exposed.verification,
                "client": client.reference,
                "subject": subject,
            }
        exposures[name] = AmbientExposure(name, args, opts)
    return exposures


def _moved(opts: pulumi.ResourceOptions, name: str) -> pulumi.ResourceOptions:
    """The options of what release 1 had inside its one exposure, under `name`."""
    exposure = pulumi.create_urn("exposure", "ambient:index:AmbientExposure")
    return pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name, parent=exposure)])
    )


def outputs(exposures: Mapping[str, AmbientExposure]) -> dict[str, Any]:
    """The outputs of a stack: those of its first exposure, and where it has several, of each."""
    by_name = {name: _outputs(exposure) for name, exposure in exposures.items()}
    first = next(iter(by_name.values()))
    return {**first, "exposures": by_name} if len(by_name) > 1 else first


def _outputs(exposure: AmbientExposure) -> dict[str, Any]:
    gateway, waypoint = exposure.gateway_reference, exposure.waypoint_reference
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
