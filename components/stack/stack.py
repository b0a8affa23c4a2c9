"""The components of a stack, as its configuration describes them."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pulumi

from ..api.gateway import GROUP
from ..api.outputs import after
from ..checks.faults import Faults
from ..checks.schema import trusted
from ..cluster.namespaces import BindingExpectation, NamespaceExpectation
from ..cluster.preflight import EntryExpectation, PreflightArgs
from ..cluster.provider import Cluster
from ..cluster.virtual_services import RouteExpectation
from ..exposure import names
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
from .places import entries, namespace_name, namespaces, proxies, shared, verifies


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

    def exposures(self) -> dict[str, AmbientExposure]:
        """The exposures, by name."""
        client = self._client() if verifies(self._args) else None
        return {
            name: AmbientExposure(
                name,
                self._resolved(exposure, client),
                self._opts_of(name),
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


def needs(args: StackArgs) -> PreflightArgs:
    """What the preflight looks for."""
    places = {
        str(namespace["name"]): _expected(args, namespace)
        for namespace in namespaces(args).values()
    }
    for _, entry in entries(args):
        name = namespace_name(args, entry["namespace"])
        places.setdefault(name, {"name": name, "create": False, "labels": {}, "enrol": False})
    if verifies(args):
        name = str(args.get("client", {}).get("namespace", CLIENT))
        labels = args.get("client", {}).get("discovery_labels", {})
        places[name] = _expected(args, {"name": name, "discovery_labels": labels})
    gateways = list(proxies(args))
    exposures = args["exposures"].values()
    return {
        "namespaces": list(places.values()),
        "gateway_classes": list(dict.fromkeys(gateway.class_ for gateway in gateways)),
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
        "entries": list(_recognized(args)),
        "proxies": [
            {
                "namespace": gateway.namespace,
                "name": gateway.name,
                "generated": gateway.generated,
            }
            for gateway in gateways
            if not places[gateway.namespace]["create"]
        ],
        "routes": [_route(args, exposure) for exposure in exposures],
        "bindings": [_binding(args, exposure) for exposure in exposures],
    }


def _binding(args: StackArgs, exposure: AmbientExposureArgs) -> BindingExpectation:
    place = namespace_name(args, exposure["namespace"])
    service, options = exposure["service"], exposure.get("waypoint", {})
    waypoint: Mapping[str, Any] = {"name": names.waypoint(service["name"], options)}
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


def _recognized(args: StackArgs) -> Iterator[EntryExpectation]:
    """The objects by which a renamed entry is recognized, one of each."""
    made = [
        ("kubernetes:core/v1:Namespace", key, "", str(own["name"]), "-namespace")
        for key, own in args.get("namespaces", {}).items()
        if own.get("create", True)
    ]
    for path, entry in entries(args):
        group, _, key = path.partition(".")
        options: Any = entry
        place = namespace_name(args, entry["namespace"])
        if group == "exposures":
            kind = "GRPCRoute" if "grpc_rules" in options else "HTTPRoute"
            name, suffix = f"{options['service']['name']}-ingress", "-ingress-route"
        else:
            kind, name, suffix = "Gateway", str(options["name"]), f"-{group.removesuffix('s')}"
        made.append((f"kubernetes:{GROUP}/v1:{kind}", key, place, name, suffix))
    renamed = args.get("renamed", {})
    for type_, key, place, name, suffix in made:
        expected: EntryExpectation = {"type": type_, "name": name, "entry": key, "suffix": suffix}
        if place:
            expected["namespace"] = place
        if key in renamed:
            expected["former"] = renamed[key]
        yield expected


def _expected(args: StackArgs, namespace: NamespaceArgs) -> NamespaceExpectation:
    """A namespace of the stack, and the labels that it gets."""
    create = namespace.get("create", True)
    labels: Any = render_labels(namespace)
    common = args.get("labels", {}) if create else {}
    return {
        "name": str(namespace["name"]),
        "create": create,
        "labels": {**common, **labels},
        "enrol": create or "ambient" in namespace,
    }


def _route(args: StackArgs, exposure: AmbientExposureArgs) -> RouteExpectation:
    route: RouteExpectation = {
        "namespace": namespace_name(args, exposure["namespace"]),
        "service": exposure["service"]["name"],
        "hostnames": exposure["hostnames"],
    }
    waypoint: Any = exposure.get("waypoint", {}).get("existing", {})
    if entry := waypoint.get("entry"):
        route["waypoint_namespace"] = namespace_name(args, args["waypoints"][entry]["namespace"])
    elif waypoint:
        route["waypoint_namespace"] = waypoint["namespace"]
    return route


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
