"""What a cluster has to have before anything is changed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NotRequired, TypedDict

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import DaemonSet, Deployment
from lightkube.resources.core_v1 import Namespace, Service

from ..api.destination_rule_types import TrafficPolicy
from ..api.gateway import GROUP
from ..api.installed import DEFINITIONS, Installed
from ..checks.faults import Faults
from . import mesh
from .certificates import IssuerExpectation, without_issuer
from .gateways import (
    ExistingExpectation,
    GatewayExpectation,
    await_programmed,
    existing_gateways,
    existing_waypoints,
)
from .kubeconfig import Access, connect
from .namespaces import BindingExpectation, NamespaceExpectation, bindings, enrolments
from .objects import GATEWAY_CLASS, KINDS
from .ownership import OWNER, RESOURCE, owner
from .reading import get, get_anew, permitted, warn
from .virtual_services import RouteExpectation, mixed

_MISSING = "missing. Create it, or let the stack do it (its `create` true)"

_BUNDLE = f"{GROUP}/bundle-version"
_OLDEST = (1, 2)


class ServiceExpectation(TypedDict):
    """A Service that the stack adopts."""

    namespace: str
    """Namespace."""
    name: str
    """Name."""
    port: int
    """Port, one of the Service's."""


class EntryExpectation(TypedDict):
    """An object that an entry of the stack makes."""

    type: str
    """Pulumi's type of it."""
    namespace: NotRequired[str]
    """Namespace."""
    name: str
    """Name."""
    entry: str
    """Name of the entry, with which that of the resource begins."""
    former: NotRequired[str]
    """Former name of the entry (default none)."""
    suffix: str
    """How the name of the resource ends."""


class ProxyExpectation(TypedDict):
    """A Gateway for which istiod is to make a proxy."""

    namespace: str
    """Namespace."""
    name: str
    """Name of the Gateway."""
    generated: str
    """Name of the Deployment and the Service that istiod makes for it."""


class PreflightArgs(TypedDict):
    """What a stack needs of its cluster before anything is changed."""

    namespaces: NotRequired[Sequence[NamespaceExpectation]]
    """Namespaces of the stack (default none)."""
    gateway_classes: NotRequired[Sequence[str]]
    """GatewayClasses, which have to be accepted (default `istio` and `istio-waypoint`)."""
    services: NotRequired[Sequence[ServiceExpectation]]
    """Services that the stack adopts (default none); each needs an address of its own."""
    entries: NotRequired[Sequence[EntryExpectation]]
    """Objects by which a renamed entry is recognized (default none)."""
    proxies: NotRequired[Sequence[ProxyExpectation]]
    """Gateways in namespaces with other objects (default none): nothing there may have a name that
    istiod needs."""
    routes: NotRequired[Sequence[RouteExpectation]]
    """Services that the stack's routes are for (default none): no VirtualService may be, too."""
    authorizers: NotRequired[Sequence[str]]
    """External authorization providers that policies name (default none): the mesh's configuration
    has to have them."""
    rate_limits: NotRequired[bool]
    """Whether proxies get rate limits (default false), for which Istio has to be 1.27 or newer."""
    releases: NotRequired[Sequence[mesh.ReleaseExpectation]]
    """Settings that need a release of Istio (default none)."""
    definitions: NotRequired[Sequence[str]]
    """CustomResourceDefinitions of what the stack makes beside Gateways and HTTPRoutes (default
    none)."""
    bindings: NotRequired[Sequence[BindingExpectation]]
    """Services that the stack binds to waypoints, itself or with their namespace (default none)."""
    providers: NotRequired[Sequence[str]]
    """Extension providers that the mesh's configuration has to have (default none)."""
    issuers: NotRequired[Sequence[IssuerExpectation]]
    """Issuers of cert-manager that are to give certificates to Gateways (default none)."""
    ztunnel: NotRequired[bool]
    """Whether the mesh has to have a ztunnel (default false: one without is warned about)."""
    gateways: NotRequired[Sequence[GatewayExpectation]]
    """Gateways of others that routes of the stack attach to (default none)."""
    waypoints: NotRequired[Sequence[ExistingExpectation]]
    """Waypoints of others that services of the stack use (default none)."""


def preflight(cluster: Access, needs: PreflightArgs) -> Installed | None:
    """Raise `InvalidInput` with all that `cluster` lacks of `needs`, within seconds.

    Returns what it has of the APIs' fields, None where it could not be asked.

    Reads only. What it may not read is left to the update, with a warning that names the right.
    A mesh without ztunnel is only warned about where nothing needs it: gateways and waypoints work.
    """
    faults = Faults("the cluster is not ready for this stack")
    context = f"context {cluster.get('context') or '(current)'}"
    try:
        client = connect(cluster)
    except ConfigError as error:
        faults.add(context, f"{error}. `kubectl config get-contexts` lists what there is")
        faults.raise_any()
        raise
    installed: Installed | None = None
    logged_in = False
    try:
        with client:
            definitions = _definitions(client)
            logged_in = True
            if definitions is not None:
                faults.extend(_gateway_api(definitions))
                installed = Installed(definitions.values())
                if needs.get("rate_limits"):
                    faults.extend(_rate_limits(installed))
                for name in needs.get("definitions", ()):
                    if lacking := installed.unserved(name):
                        faults.add(f"CustomResourceDefinition {name}", lacking)
            _check(client, needs, faults)
    except httpx2.TransportError as error:
        server = error.request.url
        faults.add(
            context,
            f"no answer from {server.host}:{server.port}: {error}. Is the cluster running and"
            " reachable from here? `kubectl config get-contexts` lists the contexts there are",
        )
    except ApiError as error:
        faults.add(context, f"{error.status.message}. Do `kubectl get nodes` and its login work?")
    except (ConfigError, KeyError, OSError, ValueError) as error:
        # A login that failed, or that is of a kind which the client does not know.
        if logged_in:
            raise
        pulumi.log.warn(
            f"{context}: the cluster was not checked, as its login failed here ({error!r});"
            " what it lacks, the update will tell"
        )
    faults.raise_any()
    return installed


def _definitions(client: lightkube.Client) -> dict[str, Any] | None:
    """The CustomResourceDefinitions that are there, by name; None where they may not be read."""
    with permitted(client):
        found = {name: get(client, CustomResourceDefinition, name) for name in DEFINITIONS}
        return {name: definition for name, definition in found.items() if definition}
    return None


def _check(client: lightkube.Client, needs: PreflightArgs, faults: Faults) -> None:
    checks = (
        _mesh,
        _gateway_classes,
        _namespaces,
        _renamed,
        _services,
        _proxies,
        _routes,
        _issuers,
        _existing,
        _labels,
        _ztunnel,
    )
    for check in checks:
        with permitted(client):
            faults.extend(check(client, needs))


def _gateway_api(definitions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for plural in ("gateways", "httproutes"):
        name = f"{plural}.{GROUP}"
        definition = definitions.get(name)
        if definition is None:
            yield (
                f"CustomResourceDefinition {name}",
                (
                    "missing. Install the standard channel of the Gateway API:"
                    " https://gateway-api.sigs.k8s.io/guides/#installing-gateway-api"
                ),
            )
            continue
        bundle = (definition.metadata.annotations or {}).get(_BUNDLE, "")
        release = re.match(r"v(\d+)\.(\d+)\.", bundle)
        if release and (int(release[1]), int(release[2])) < _OLDEST:
            yield (
                f"CustomResourceDefinition {name}",
                f"is of Gateway API {bundle}, expected v1.2 or newer, the first whose standard"
                " channel has spec.infrastructure",
            )


def _rate_limits(installed: Installed) -> Iterator[tuple[str, str]]:
    # Older ones have the field that names the proxy, too, and ignore it. The one that is looked for
    # came with the release that does not.
    if installed.lacking(TrafficPolicy, "retryBudget"):
        yield (
            "rate_limit",
            "needs Istio 1.27: older ones would limit every proxy of the namespace, and"
            " destinationrules.networking.istio.io of the cluster is of an older one",
        )


def _gateway_classes(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for name in needs.get("gateway_classes", ("istio", "istio-waypoint")):
        gateway_class = get(client, GATEWAY_CLASS, name)
        if gateway_class is None:
            yield (
                f"GatewayClass {name}",
                (
                    "missing; istiod creates it where it runs in ambient mode. Is Istio installed"
                    " with the profile `ambient`?"
                ),
            )
            continue
        conditions = (gateway_class.status or {}).get("conditions", [])
        accepted = next((c for c in conditions if c["type"] == "Accepted"), None)
        if accepted is None or accepted["status"] != "True":
            reason = f"{accepted['reason']}: {accepted['message']}" if accepted else "no status"
            yield f"GatewayClass {name}", f"not accepted ({reason}). Is istiod running and healthy?"


def _namespaces(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for expected in needs.get("namespaces", ()):
        name = expected["name"]
        namespace = get(client, Namespace, name)
        if namespace is None:
            fault = None if expected["create"] else _MISSING
        elif since := namespace.metadata.deletionTimestamp:
            fault = (
                f"terminating since {since:%Y-%m-%d %H:%M:%S}. Wait until it is gone"
                f" (`kubectl wait --for=delete namespace/{name}`), then try again"
            )
        else:
            found = (namespace.metadata.annotations or {}).get(OWNER)
            fault = None if expected["create"] else _given_up(found)
        if fault:
            yield f"namespace {name}", fault


def _given_up(found: str | None) -> str | None:
    """What is wrong with a namespace that the stack is to adopt."""
    if found != owner():
        return None
    return (
        "was created by this stack; to adopt it now would delete it with all that is in it. First"
        " take it out of the state (`pulumi state delete` with its URN) and off the books (`kubectl"
        f" annotate namespace NAME {OWNER}-`)"
    )


def _renamed(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for expected in needs.get("entries", ()):
        entry, suffix = expected["entry"], expected["suffix"]
        place = expected.get("namespace")
        found = get(client, KINDS[expected["type"]], expected["name"], place)
        marks = (found.metadata.annotations or {}) if found else {}
        if marks.get(OWNER) != owner() or RESOURCE not in marks:
            continue
        former = marks[RESOURCE].removesuffix(suffix)
        if former not in (entry, expected.get("former", entry)):
            kind = expected["type"].rsplit(":", 1)[-1]
            yield (
                f"{kind} {place}/{expected['name']}" if place else f"{kind} {expected['name']}",
                f"was made by entry {former}, not by {entry}. If that was renamed, `pulumi config"
                f" set --path renamed.{entry} {former}` keeps it what it is; else choose another"
                " name for it",
            )


def _services(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for expected in needs.get("services", ()):
        name, port = f"{expected['namespace']}/{expected['name']}", expected["port"]
        service = get(client, Service, expected["name"], expected["namespace"])
        spec = service.spec if service else None
        if spec is None:
            yield (
                f"Service {name}",
                "missing. Create it, or let the stack do it (its `create` true)",
            )
        elif spec.type == "ExternalName" or spec.clusterIP == "None":
            kind = "of type ExternalName" if spec.type == "ExternalName" else "headless"
            yield (
                f"Service {name}",
                f"is {kind}: without an address of its own Istio sends nothing through a waypoint",
            )
        elif port not in (ports := [entry.port for entry in spec.ports or []]):
            listed = ", ".join(map(str, ports)) or "none"
            yield f"Service {name}", f"has no port {port}; it has {listed} (service.port)"


def _mesh(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    istiods = mesh.istiods(client)
    yield from mesh.not_ready(istiods)
    yield from mesh.too_old(istiods, needs.get("releases", ()))
    yield from mesh.unknown_authorizers(client, istiods, needs.get("authorizers", ()))
    labelled = (
        (one["name"], one["labels"])
        for one in needs.get("namespaces", ())
        if "labels" in one and (one["create"] or get(client, Namespace, one["name"]))
    )
    yield from mesh.not_discovered(client, istiods, labelled)
    yield from mesh.unknown_providers(client, istiods, needs.get("providers", ()))


def _proxies(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    for expected in needs.get("proxies", ()):
        namespace, name = expected["namespace"], expected["generated"]
        for kind in (Service, Deployment):
            found = get(client, kind, name, namespace)
            owners = (found.metadata.ownerReferences or []) if found else []
            if found and ("Gateway", expected["name"]) not in [(o.kind, o.name) for o in owners]:
                yield (
                    f"{kind.__name__} {namespace}/{name}",
                    f"has the name of the one that istiod would make for Gateway"
                    f" {expected['name']}: it would make none. Give the Gateway another name",
                )


def _routes(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    return mixed(client, needs.get("routes", ()))


def _issuers(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    # What several Gateways name is said once.
    yield from dict.fromkeys(without_issuer(client, needs.get("issuers", ())))


def _labels(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    namespaces = needs.get("namespaces", ())
    yield from enrolments(client, namespaces)
    yield from bindings(client, needs.get("bindings", ()), namespaces)


def _existing(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    look_up = partial(get, client)
    with permitted(client):
        await_programmed(
            partial(get_anew, client), [*needs.get("gateways", ()), *needs.get("waypoints", ())]
        )
    gateways = existing_gateways(look_up, needs.get("gateways", ()))
    waypoints = existing_waypoints(look_up, needs.get("waypoints", ()))
    # What several entries attach to is said once.
    yield from dict.fromkeys([*gateways, *waypoints])


def _ztunnel(client: lightkube.Client, needs: PreflightArgs) -> Iterator[tuple[str, str]]:
    # Its pods have the label in every installation, the DaemonSet itself has not.
    if any(
        daemon_set.spec and (daemon_set.spec.selector.matchLabels or {}).get("app") == "ztunnel"
        for daemon_set in client.list(DaemonSet, namespace="*")
    ):
        return
    if needs.get("ztunnel"):
        yield (
            "DaemonSet ztunnel",
            "missing, and nobody else enforces that only the waypoint reaches the pods"
            " (require_waypoint), or sends what clients in the mesh call through one. Install it:"
            " the profile `ambient` has it",
        )
        return
    warn(
        "no ztunnel in this mesh: requests through the ingress gateway pass the waypoint, but"
        " clients inside the mesh reach the service directly and in plaintext"
    )
