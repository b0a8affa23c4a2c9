"""The stack's configuration, typed and checked.

`Pulumi.yaml` declares every key with its type, meaning and default; nothing here repeats them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_origin, get_type_hints

import pulumi
from pulumi.runtime import config as runtime_config

from ..checks import values as valid
from ..checks.schema import Schema
from ..cluster.provider import ClusterArgs, PreflightArgs
from ..exposure import rules as exposure_rules
from ..exposure.arguments import (
    AmbientExposureArgs,
    ServiceOptions,
    VerificationOptions,
)
from ..exposure.assembly import CLIENT
from ..parts.client import ClientArgs, ClientReference
from ..parts.gateway import GatewayOptions, IngressGatewayArgs
from ..parts.namespace import NamespaceArgs
from ..parts.route import RuleArgs
from ..parts.waypoint import WaypointArgs, WaypointOptions
from .conflicts import check_together
from .keys import (
    CanarySettings,
    ExposureEntry,
    GatewayEntry,
    GatewaySettings,
    StackSettings,
    WaypointEntry,
    WaypointSettings,
)

_LIMITS: Mapping[str, valid.Check] = {
    "namespace": valid.dns_label,
    "hostnames": valid.some,
    "hostnames[]": valid.hostname,
    "port": valid.port,
    "address": valid.address,
    "nameOverride": valid.dns_label,
    "gatewayClass": valid.dns_label,
    "waypointClass": valid.dns_label,
    "service": valid.service_name,
    "servicePort": valid.port,
    "selector{}": valid.label_key,
    "selector[]": valid.label_value,
    "image": valid.image,
    "containerPort": valid.port,
    "replicas": valid.number(0, 1000),
    "paths[]": valid.path_prefix,
    "checks": valid.some,
    "labels{}": valid.label_key,
    "labels[]": valid.label_value,
    "annotations{}": valid.label_key,
    "discoveryLabels{}": valid.label_key,
    "discoveryLabels[]": valid.label_value,
    "revision": valid.label_value,
    "clusterDomain": valid.hostname,
    "trustDomain": valid.hostname,
    "imageRegistry": valid.image,
    "clientNamespace": valid.dns_label,
    "clientImage": valid.image,
    "readyTimeout": valid.seconds,
    "verifyTimeout": valid.seconds,
}

SCHEMA = exposure_rules.SCHEMA | Schema(
    {
        StackSettings: _LIMITS,
        ExposureEntry: {**_LIMITS, "name": valid.dns_label},
        GatewayEntry: {**_LIMITS, "name": valid.dns_label},
        WaypointEntry: {**_LIMITS, "name": valid.waypoint_name},
        CanarySettings: {"image": valid.image, "weight": valid.number(0, 100)},
    },
    {},
)
"""What is checked of each key by itself."""


@dataclass(frozen=True)
class Exposed:
    """One exposure of a stack."""

    args: AmbientExposureArgs
    """Its arguments, without what it shares with others."""
    verification: VerificationOptions | None
    """How it is verified, without the client; None where it is not."""
    namespace: str
    """Name of its namespace."""
    gateway: str | None
    """Name of the gateway that it shares."""
    waypoint: str | None
    """Name of the waypoint that it shares."""


@dataclass(frozen=True)
class Settings:
    """The configuration of a stack, in the terms of the components."""

    cluster: ClusterArgs
    """The cluster."""
    preflight: PreflightArgs | None
    """What the cluster must have; None where the check is switched off."""
    labels: Mapping[str, str]
    """Labels of every object."""
    annotations: Mapping[str, str]
    """Annotations of every object."""
    namespaces: Mapping[str, NamespaceArgs]
    """Namespaces, by name."""
    gateways: Mapping[str, tuple[str, IngressGatewayArgs]]
    """Gateways that exposures share, by name, each with the name of its namespace."""
    waypoints: Mapping[str, tuple[str, WaypointArgs]]
    """Waypoints that exposures share, by name, each with the name of its namespace."""
    bindings: Mapping[str, tuple[str, bool]]
    """The shared waypoint of namespaces, by the namespace's name, and whether gateways reach every
    service of it through that waypoint."""
    client: ClientArgs | None
    """The client that verifies the exposures; None where none is verified."""
    exposures: Mapping[str, Exposed]
    """Exposures, by name."""

    @classmethod
    def load(cls) -> "Settings":
        """The settings of the running stack; raises `InvalidInput` with every fault at once."""
        stack = read(runtime_config.CONFIG.get(), pulumi.get_project())
        gateways = cast("list[GatewayEntry]", _entries(stack, "gateways", GatewayEntry))
        waypoints = cast("list[WaypointEntry]", _entries(stack, "waypoints", WaypointEntry))
        exposures = cast("list[ExposureEntry]", _entries(stack, "exposures", ExposureEntry))
        faults = valid.Faults(f"configuration of stack {pulumi.get_stack()}")
        check_together(faults, stack, gateways, waypoints, exposures)
        exposed = {entry["name"]: _exposed(stack, entry) for entry in exposures}
        shared_gateways = {
            entry["name"]: (entry["namespace"], _shared_gateway(stack, entry)) for entry in gateways
        }
        shared_waypoints = {
            entry["name"]: (entry["namespace"], _shared_waypoint(stack, entry))
            for entry in waypoints
        }
        for name, (_, gateway) in shared_gateways.items():
            SCHEMA.check(faults, f"gateway {name}", gateway, IngressGatewayArgs)
        for name, (_, waypoint) in shared_waypoints.items():
            SCHEMA.check(faults, f"waypoint {name}", waypoint, WaypointArgs)
        for name, one in exposed.items():
            SCHEMA.check(faults, f"exposure {name}", _whole(stack, one), AmbientExposureArgs)
        faults.raise_any()
        namespaces = _namespaces(stack, exposures, [*gateways, *waypoints])
        verified = any(entry["verify"] for entry in exposures)
        return cls(
            cluster={
                "context": stack.get("context", ""),
                "kubeconfig": stack.get("kubeconfig", ""),
            },
            preflight=_needs(stack, exposures, gateways, waypoints) if stack["preflight"] else None,
            labels=stack.get("labels", {}),
            annotations=stack.get("annotations", {}),
            namespaces=namespaces,
            gateways=shared_gateways,
            waypoints=shared_waypoints,
            bindings={
                entry["namespace"]: (
                    entry["waypoint"],
                    entry["ingressUseWaypoint"] == "namespace",
                )
                for entry in exposures
                if "waypoint" in entry
            },
            client=_client(stack) if verified else None,
            exposures=exposed,
        )


def read(config: Mapping[str, str], project: str) -> StackSettings:
    """Every key of `project` in `config`, parsed and checked; optional ones only where set.

    Raises `InvalidInput` naming each key that is unknown, missing or wrong.
    """
    faults = valid.Faults(f"configuration of stack {pulumi.get_stack()}")
    prefix = f"{project}:"
    given = {k.removeprefix(prefix): v for k, v in config.items() if k.startswith(prefix)}
    keys = get_type_hints(StackSettings)
    for key in sorted(given.keys() - keys.keys()):
        faults.add(
            key,
            f"unknown key{valid.did_you_mean(key, keys)}; Pulumi.yaml lists them all."
            f" `pulumi config rm {key}` removes it",
        )
    values: dict[str, Any] = {}
    for key, kind in keys.items():
        if key not in given:
            faults.add(key, "missing; its default stands in Pulumi.yaml, is that file complete?")
            continue
        if runtime_config.is_config_secret(f"{prefix}{key}"):
            faults.add(key, "is a secret, and would get into the state as plain text; set it anew")
        values[key] = _parse(given[key], kind)
    faults.raise_any()
    values = _set(values, StackSettings)
    SCHEMA.check(faults, "", values, StackSettings)
    faults.raise_any()
    return cast("StackSettings", values)


def _parse(raw: str, kind: Any) -> Any:
    """`raw` as what the key is declared to be; unchanged where it is none, to be refused."""
    if kind is str or get_origin(kind) is Literal:
        return raw
    try:
        return json.loads(raw.lower() if kind is bool else raw)
    except ValueError:
        return raw


def _set(values: Mapping[str, Any], shape: type) -> dict[str, Any]:
    """`values` without optional ones that are empty, which is how Pulumi.yaml says unset."""
    optional = cast("Any", shape).__optional_keys__
    return {k: v for k, v in values.items() if k not in optional or v not in ("", [], {})}


def _entries(stack: Mapping[str, object], key: str, shape: type) -> list[dict[str, Any]]:
    """The entries of a list, each completed by the stack's own keys and checked."""
    inherited = {k: stack[k] for k in get_type_hints(shape) if k in stack}
    if key == "exposures" and key not in stack:
        return [{**inherited, "name": "exposure"}]
    faults = valid.Faults(f"configuration of stack {pulumi.get_stack()}")
    entries: list[dict[str, Any]] = []
    for index, own in enumerate(cast("Sequence[Mapping[str, Any]]", stack.get(key, []))):
        entry = _set({**inherited, **own}, shape)
        for field in _useless(own):
            where = f"{key}[{index}].{field}"
            faults.add(where, "is for a proxy of its own; this entry shares one, set it there")
        SCHEMA.check(faults, f"{key}[{index}]", entry, shape)
        if entry.get("name") in [other.get("name") for other in entries]:
            faults.add(f"{key}[{index}].name", f"found {entry['name']!r}, which is taken already")
        entries.append(entry)
    faults.raise_any()
    return entries


def _useless(own: Mapping[str, Any]) -> list[str]:
    """Keys of an exposure that say how a proxy is made which it shares."""
    place = {"namespace", "createNamespace", "hostnames"}
    shapes: list[tuple[str, Any]] = [("gateway", GatewaySettings), ("waypoint", WaypointSettings)]
    shared = [shape.__annotations__.keys() - place for key, shape in shapes if own.get(key)]
    return [field for field in own if any(field in keys for keys in shared)]


def _namespaces(
    stack: StackSettings,
    exposures: Sequence[ExposureEntry],
    proxies: Sequence[GatewayEntry | WaypointEntry],
) -> dict[str, NamespaceArgs]:
    found: dict[str, NamespaceArgs] = {}
    for entry in (*exposures, *proxies):
        args: NamespaceArgs = {
            "name": entry["namespace"],
            "create": entry["createNamespace"],
            "discovery_labels": stack.get("discoveryLabels", {}),
            # The pods of gateways and waypoints are no workloads of the mesh.
            "ambient": any(one["namespace"] == entry["namespace"] for one in exposures),
        }
        found.setdefault(entry["namespace"], args)
    return found


_GATEWAY = {
    "listeners": "listeners",
    "allowedRoutes": "allowed_routes",
    "address": "address",
    "nameOverride": "name_override",
    "gatewayCustomization": "customization",
}
_WAYPOINT = {"waypointRoutes": "allowed_routes", "waypointCustomization": "customization"}
_CONTAINER = {
    "protocol": "protocol",
    "replicas": "replicas",
    "args": "args",
    "env": "env",
    "resources": "resources",
    "securityContext": "security_context",
    "readinessProbe": "readiness_probe",
    "livenessProbe": "liveness_probe",
}
_EXPOSURE = {
    "grpcRules": "grpc_rules",
    "ingressRules": "ingress_rules",
    "policies": "policies",
    "jwtRules": "jwt_rules",
}


def _renamed(entry: Mapping[str, object], names: Mapping[str, str]) -> Any:
    """What an entry has of some keys, under the names of the components' arguments."""
    return {name: entry[key] for key, name in names.items() if key in entry}


def _gateway_options(stack: StackSettings, entry: GatewaySettings) -> GatewayOptions:
    options: GatewayOptions = {
        **cast("GatewayOptions", _renamed(entry, _GATEWAY)),
        "service_type": entry["serviceType"],
        "port": entry["port"],
        "gateway_class": entry["gatewayClass"],
        "cluster_domain": stack["clusterDomain"],
    }
    if entry["addressType"] != "Hostname":
        options["address_type"] = entry["addressType"]
    if "tls" in entry:
        options["tls"] = {"grants": stack["referenceGrants"], **entry["tls"]}
    if "revision" in stack:
        options["revision"] = stack["revision"]
    return options


def _waypoint_options(stack: StackSettings, entry: WaypointSettings) -> WaypointOptions:
    options: WaypointOptions = {
        **cast("WaypointOptions", _renamed(entry, _WAYPOINT)),
        "waypoint_for": entry["waypointFor"],
        "gateway_class": entry["waypointClass"],
    }
    if "revision" in stack:
        options["revision"] = stack["revision"]
    return options


def _shared_gateway(stack: StackSettings, entry: GatewayEntry) -> IngressGatewayArgs:
    return {
        **_gateway_options(stack, entry),
        "name": entry["name"],
        "namespace": entry["namespace"],
        "hostnames": entry["hostnames"],
        "ready_timeout": stack["readyTimeout"],
    }


def _shared_waypoint(stack: StackSettings, entry: WaypointEntry) -> WaypointArgs:
    return {
        **_waypoint_options(stack, entry),
        "name": entry["name"],
        "namespace": entry["namespace"],
        "bind": False,
        "ready_timeout": stack["readyTimeout"],
    }


def _client(stack: StackSettings) -> ClientArgs:
    return {
        "name": CLIENT,
        "namespace": stack["clientNamespace"],
        "discovery_labels": stack.get("discoveryLabels", {}),
        "image": _image(stack, stack["clientImage"]),
        "service_namespace": [],
        "ready_timeout": stack["readyTimeout"],
    }


def _service(stack: StackSettings, entry: ExposureEntry) -> ServiceOptions:
    service: dict[str, Any] = {
        "name": entry["service"],
        "port": entry["servicePort"],
        "create": entry["createService"],
    }
    if "selector" in entry:
        service["selector"] = entry["selector"]
    if "canary" in entry:
        canary = entry["canary"]
        service["canary"] = {**canary, "image": _image(stack, canary["image"])}
    if entry["createService"]:
        service["image"] = _image(stack, entry["image"])
        service["container_port"] = entry["containerPort"]
        service |= _renamed(entry, _CONTAINER)
    return cast("ServiceOptions", service)


def _exposed(stack: StackSettings, entry: ExposureEntry) -> Exposed:
    ingress = entry["ingressUseWaypoint"] == "namespace"
    args: AmbientExposureArgs = {
        **cast("AmbientExposureArgs", _renamed(entry, _EXPOSURE)),
        "service": _service(stack, entry),
        "hostnames": entry["hostnames"],
        "grants": stack["referenceGrants"],
        "require_waypoint": entry["requireWaypoint"],
        "trust_domain": stack["trustDomain"],
        "ready_timeout": stack["readyTimeout"],
    }
    if "gateway" not in entry:
        args["gateway"] = _gateway_options(stack, entry)
    if "waypoint" not in entry:
        args["waypoint"] = {**_waypoint_options(stack, entry), "ingress_use_waypoint": ingress}
    elif ingress:
        args["waypoint"] = {"ingress_use_waypoint": True}
    prefixes: list[RuleArgs] = [{"paths": entry["paths"]}] if "paths" in entry else []
    if rules := [*prefixes, *entry.get("rules", [])]:
        args["rules"] = rules
    verification: VerificationOptions = {
        "image": _image(stack, stack["clientImage"]),
        "checks": entry["checks"],
        "timeout": stack["verifyTimeout"],
    }
    return Exposed(
        args,
        verification if entry["verify"] else None,
        entry["namespace"],
        entry.get("gateway"),
        entry.get("waypoint"),
    )


def _whole(stack: StackSettings, one: Exposed) -> AmbientExposureArgs:
    """The arguments of an exposure that shared only the client, for the check of them."""
    whole: AmbientExposureArgs = {**one.args, "namespace": {"name": one.namespace}}
    if one.verification:
        client: ClientReference = {"namespace": stack["clientNamespace"], "account": CLIENT}
        whole["verification"] = {**one.verification, "client": client}
    return whole


def _image(stack: StackSettings, image: str) -> str:
    """`image`, from the registry that mirrors all others if there is one."""
    if "imageRegistry" not in stack:
        return image
    registry, slash, path = image.partition("/")
    named = slash and ("." in registry or ":" in registry or registry == "localhost")
    return f"{stack['imageRegistry']}/{path if named else image}"


def _needs(
    stack: StackSettings,
    exposures: Sequence[ExposureEntry],
    gateways: Sequence[GatewayEntry],
    waypoints: Sequence[WaypointEntry],
) -> PreflightArgs:
    """What the preflight looks for."""
    places = {
        one["namespace"]: one["createNamespace"] for one in (*waypoints, *gateways, *exposures)
    }
    if any(entry["verify"] for entry in exposures):
        places[stack["clientNamespace"]] = True
    classes = [
        *(one["gatewayClass"] for one in (*gateways, *exposures) if "gateway" not in one),
        *(one["waypointClass"] for one in (*waypoints, *exposures) if "waypoint" not in one),
    ]
    return {
        "namespaces": [{"name": name, "create": create} for name, create in places.items()],
        "gateway_classes": list(dict.fromkeys(classes)),
        "ztunnel": any(one["requireWaypoint"] for one in exposures),
        "services": [
            {"namespace": one["namespace"], "name": one["service"], "port": one["servicePort"]}
            for one in exposures
            if not one["createService"]
        ],
    }
