"""What Gateways of others have to be like for a stack to attach to them."""

import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
from lightkube.resources.core_v1 import Namespace

from ..api.live import admits, admitted, serves, serving
from .objects import GATEWAY, GATEWAY_CLASS
from .reading import permitted

_GATEWAYS = ("istio.io/gateway-controller", "openshift.io/gateway-controller/v1")
_WAYPOINTS = ("istio.io/mesh-controller",)
"""Controllers of Istio's: no other gateway sends requests through waypoints."""

_NONE = {"from": "None"}
"""What Gateways admit of ListenerSets where they do not say otherwise."""

_READY = ("Accepted", "Programmed")
"""Conditions of a Gateway that serves."""

_PATIENCE = 10.0
"""Seconds that Gateways which were made or changed a moment ago have to be programmed."""

_FOR = "istio.io/waypoint-for"
_NAME = "kubernetes.io/metadata.name"

LookUp = Callable[..., Any]
"""Finds an object by kind, name and namespace: lightkube's, None where there is none."""

Found = Iterator[tuple[str, str]]
"""Faults, each an object and what is wrong with it."""


class ExistingExpectation(TypedDict):
    """A Gateway of others that something in a namespace of the stack attaches to."""

    namespace: str
    """Namespace."""
    name: str
    """Name."""
    attached: str
    """Namespace of what attaches to it."""
    labels: NotRequired[Mapping[str, str]]
    """Labels that this namespace gets, beside those that it has (default none)."""


class GatewayExpectation(ExistingExpectation):
    """A Gateway of others that a route of the stack attaches to."""

    hostnames: Sequence[str]
    """Host names of the route."""
    listener_port: NotRequired[int]
    """Port of the listeners that it attaches to (default one that serves all of its host names)."""
    listener_set: NotRequired[bool]
    """Whether the stack brings it listeners for them (default false: it has some)."""
    protocols: NotRequired[Sequence[str]]
    """Protocols of the listeners, in the order in which they are chosen (default HTTPS, HTTP)."""


def await_programmed(look_up: LookUp, expected: Iterable[ExistingExpectation]) -> None:
    """Wait until Gateways are programmed, for some seconds: others may just have made them."""
    end = time.monotonic() + _PATIENCE
    for one in {_named(one): one for one in expected}.values():
        while (gateway := look_up(GATEWAY, one["name"], one["namespace"])) and any(
            _failing(_named(one), gateway.to_dict().get("status") or {}, _READY)
        ):
            if time.monotonic() > end:
                return
            pulumi.log.info(f"waiting for {_named(one)} to be programmed", ephemeral=True)
            time.sleep(0.5)


def existing_gateways(look_up: LookUp, expected: Iterable[GatewayExpectation]) -> Found:
    """What is wrong with Gateways that routes shall attach to, as far as it may be looked up."""
    for one in expected:
        yield from _permitted(look_up, _gateway(look_up, one))


def existing_waypoints(look_up: LookUp, expected: Iterable[ExistingExpectation]) -> Found:
    """What is wrong with waypoints that namespaces shall use, as far as it may be looked up."""
    for one in expected:
        yield from _permitted(look_up, _waypoint(look_up, one))


def _permitted(look_up: LookUp, faults: Found) -> Found:
    """Faults up to the first that would need a lookup which is not permitted."""
    with permitted(look_up):
        yield from faults


def _gateway(look_up: LookUp, expected: GatewayExpectation) -> Found:
    gateway = yield from _ready(look_up, expected)
    if gateway is None:
        return
    yield from _permitted(look_up, _class(look_up, expected, gateway, _GATEWAYS))
    if expected.get("listener_set"):
        allowed = gateway["spec"].get("allowedListeners", {}).get("namespaces", {})
        brings = {"allowedRoutes": {"namespaces": _NONE | allowed}}
        what, setting = "ListenerSets", "allowedListeners"
        yield from _permitted(look_up, _admission(look_up, expected, [brings], what, setting))
        return
    hostnames, listeners = expected["hostnames"], gateway["spec"]["listeners"]
    protocols = expected.get("protocols", ("HTTPS", "HTTP"))
    chosen = serving(listeners, hostnames, expected.get("listener_port"), protocols)
    if not chosen:
        port = (
            f"port {expected['listener_port']}" if "listener_port" in expected else "any one port"
        )
        listed = ", ".join(
            f"{one['name']} ({one['protocol']} {one['port']}, {one.get('hostname', 'any host')})"
            for one in listeners
        )
        yield (
            _named(expected),
            f"does not serve {', '.join(hostnames) or 'TCP'} at {port} over"
            f" {' or '.join(protocols)}; its"
            f" listeners: {listed}. Ask its owner for listeners, or change hostnames",
        )
    for hostname in (hostnames or ("every host name",)) if chosen else ():
        of_it = [one for one in chosen if serves(one.get("hostname"), hostname)]
        yield from _broken(expected, gateway, [one["name"] for one in of_it])
        yield from _permitted(
            look_up, _admission(look_up, expected, of_it, f"routes for {hostname}")
        )


def _waypoint(look_up: LookUp, expected: ExistingExpectation) -> Found:
    gateway = yield from _ready(look_up, expected)
    if gateway is None:
        return
    mesh = [one for one in gateway["spec"]["listeners"] if one["protocol"] == "HBONE"]
    yield from _permitted(look_up, _admission(look_up, expected, mesh, "services"))
    yield from _permitted(look_up, _class(look_up, expected, gateway, _WAYPOINTS))
    yield from _permitted(look_up, _passing(look_up, expected, gateway))


def _ready(
    look_up: LookUp, expected: ExistingExpectation
) -> Generator[tuple[str, str], None, Mapping[str, Any] | None]:
    """The Gateway, None where it is missing; its controller has accepted and programmed it."""
    found = look_up(GATEWAY, expected["name"], expected["namespace"])
    if found is None:
        yield (
            _named(expected),
            "missing. Whoever owns it has to make it first; `kubectl get gateways"
            " --all-namespaces` lists those that there are",
        )
        return None
    gateway: Mapping[str, Any] = found.to_dict()
    yield from _failing(_named(expected), gateway.get("status") or {}, _READY)
    return gateway


def _broken(
    expected: ExistingExpectation, gateway: Mapping[str, Any], listeners: Sequence[str]
) -> Found:
    """Listeners that serve nothing: without their certificates, too, a gateway is programmed."""
    for one in (gateway.get("status") or {}).get("listeners") or []:
        if one["name"] in listeners:
            name = f"{_named(expected)}, listener {one['name']}"
            yield from _failing(name, one, ("Accepted", "ResolvedRefs", "Programmed"))


def _failing(name: str, status: Mapping[str, Any], needed: Sequence[str]) -> Found:
    """The first of the needed conditions that does not hold; the others follow from it."""
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    for type_ in needed:
        condition = conditions.get(type_, {"status": "Unknown", "reason": "no such condition"})
        if condition["status"] != "True":
            because = ": ".join(filter(None, (condition["reason"], condition.get("message"))))
            yield (
                name,
                f"found {type_}={condition['status']} ({because}), expected True. Whoever owns it"
                " has to mend it",
            )
            return


def _admission(
    look_up: LookUp,
    expected: ExistingExpectation,
    listeners: Sequence[Mapping[str, Any]],
    what: str,
    setting: str = "allowedRoutes",
) -> Found:
    own, attached = expected["namespace"], expected["attached"]
    labels: dict[str, str] = {}
    if any(admitted(one).get("from") == "Selector" for one in listeners):
        namespace = look_up(Namespace, attached)
        there = (namespace.metadata.labels or {}) if namespace else {}
        labels = {**there, **expected.get("labels", {}), _NAME: attached}
    if any(admits(one, own, attached, labels) for one in listeners):
        return
    found = "; ".join(f"{_called(one)} admits {_words(admitted(one), own)}" for one in listeners)
    yield (
        _named(expected),
        f"does not admit {what} of namespace {attached}: {found or 'it has no HBONE listener'}. Ask"
        f" its owner to admit the namespace in {setting}, or label the namespace as demanded",
    )


def _called(listener: Mapping[str, Any]) -> str:
    return f"listener {listener['name']}" if "name" in listener else "it"


def _words(allowed: Mapping[str, Any], own: str) -> str:
    match allowed.get("from", "Same"):
        case "Selector":
            return f"namespaces that match {json.dumps(allowed['selector'])}"
        case "Same":
            return f"its own namespace {own} alone"
        case _:
            return "none"


def _class(
    look_up: LookUp,
    expected: ExistingExpectation,
    gateway: Mapping[str, Any],
    controllers: Sequence[str],
) -> Found:
    name = gateway["spec"]["gatewayClassName"]
    gateway_class = look_up(GATEWAY_CLASS, name)
    if gateway_class is None or gateway_class.spec["controllerName"] in controllers:
        return
    yield (
        _named(expected),
        f"is of class {name}, whose controller is {gateway_class.spec['controllerName']}, expected"
        f" {' or '.join(controllers)}. Choose another one",
    )


def _passing(look_up: LookUp, expected: ExistingExpectation, gateway: Mapping[str, Any]) -> Found:
    found = (gateway["metadata"].get("labels") or {}).get(_FOR)
    if found is None:
        gateway_class = look_up(GATEWAY_CLASS, gateway["spec"]["gatewayClassName"])
        found = ((gateway_class.metadata.labels if gateway_class else None) or {}).get(_FOR)
    if found not in (None, "service", "all"):
        yield (
            _named(expected),
            f"found label {_FOR}={found}, expected service or all: the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules. Choose another one",
        )


def _named(expected: ExistingExpectation) -> str:
    return f"Gateway {expected['namespace']}/{expected['name']}"
