"""What labels of namespaces and Services do to others, and whose they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import lightkube
from lightkube.resources.core_v1 import Namespace, Service

from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT, Binds
from .ownership import OWNER, owner
from .reading import get, warn

_MANAGER = "pulumi-kubernetes"
"""What the field managers of Pulumi's provider begin with."""

_MANAGED = "gateway.networking.k8s.io/gateway-name"
"""Label of the Services that istiod makes for Gateways."""


_TAKES_BACK = "`PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up` takes it back"
"""How a field of the stack's own objects that somebody else holds is put right."""


class NamespaceExpectation(TypedDict):
    """A namespace that the stack creates or adopts."""

    name: str
    """Name."""
    create: bool
    """Whether the stack creates it; otherwise it has to be there."""
    labels: NotRequired[Mapping[str, str]]
    """Labels that it gets, beside those that it has (default: whether the mesh discovers it is not
    looked at); nobody else may have set other values, unless the stack has made it."""
    enrol: NotRequired[bool]
    """Whether the labels may be new to a namespace that is adopted (default true)."""


class BindingExpectation(TypedDict):
    """A Service that the stack binds to a waypoint."""

    namespace: str
    """Namespace of the Service."""
    service: str
    """Name of the Service."""
    create: bool
    """Whether the stack creates it; what others have done to its labels is then set back."""
    waypoint: str
    """The waypoint, `NAMESPACE/NAME`."""
    binds: Binds
    """What is bound: the whole namespace, or the Service alone."""


def enrolments(
    client: lightkube.Client, namespaces: Sequence[NamespaceExpectation]
) -> Iterator[tuple[str, str]]:
    """What stands against the labels of enrolled namespaces.

    To enrol a namespace with its pods is up to who owns it: one that is adopted is enrolled
    already, or somebody has asked for it.
    """
    for expected in namespaces:
        labels = expected.get("labels", {})
        found = get(client, Namespace, expected["name"]) if labels else None
        if found is None:
            continue
        where, live = f"namespace {expected['name']}", found.metadata.labels or {}
        for label, value in labels.items():
            if live.get(label, value) == value or not (whose := _foreign(found, label)):
                continue
            problem = f"has {label}={live[label]}, set by {whose}, expected {value}"
            if _own(found):
                warn(f"{where} {problem}. {_TAKES_BACK}")
            else:
                yield (
                    where,
                    f"{problem}. Ask who set it to take it off (`kubectl label namespace"
                    f" {expected['name']} {label}-`), then `pulumi up --refresh`",
                )
        lacking = [f"{label}={value}" for label, value in labels.items() if label not in live]
        if lacking and not expected["create"] and not expected.get("enrol", True):
            yield (
                where,
                f"lacks {', '.join(lacking)}, which nobody asked to set. Say whether the mesh shall"
                " capture all of its pods: set its `ambient` to true, or to false",
            )


def bindings(
    client: lightkube.Client,
    expectations: Sequence[BindingExpectation],
    namespaces: Sequence[NamespaceExpectation],
) -> Iterator[tuple[str, str]]:
    """What stands against binding Services, or their namespaces, to waypoints."""
    for expected in expectations:
        yield from _service(client, expected)
    whole = {one["namespace"]: one["waypoint"] for one in expectations if _is_whole(one)}
    adopted = {one["name"] for one in namespaces if not one["create"]}
    for name, waypoint in whole.items():
        found = get(client, Namespace, name)
        bound = _bound(found.metadata, name) if found else None
        if found is None or bound == waypoint:
            continue
        if bound and (whose := _foreign(found, USE_WAYPOINT)):
            if _own(found):
                warn(
                    f"namespace {name} is bound to waypoint {bound} ({USE_WAYPOINT}, set by"
                    f" {whose}): requests pass by the waypoint {waypoint} and its rules."
                    f" {_TAKES_BACK}"
                )
                continue
            yield (
                f"namespace {name}",
                f"is bound to waypoint {bound} ({USE_WAYPOINT}, set by {whose}), expected"
                f" {waypoint}. Use that one (waypoint.existing), bind the Service alone"
                " (waypoint.binds: Service), or ask who set it to take it off",
            )
        elif name in adopted:
            own = {one["service"] for one in expectations if one["namespace"] == name}
            _tell_whom_it_concerns(client, name, waypoint, own)


def _is_whole(expected: BindingExpectation) -> bool:
    return expected["binds"] == "Namespace"


def _service(client: lightkube.Client, expected: BindingExpectation) -> Iterator[tuple[str, str]]:
    """What stands against a Service's own labels, which count more than those of its namespace."""
    namespace, name = expected["namespace"], expected["service"]
    found = get(client, Service, name, namespace)
    if found is None:
        return
    bound = _bound(found.metadata, namespace)
    ingress = (found.metadata.labels or {}).get(INGRESS_USE_WAYPOINT)
    for label, value, wrong in (
        (USE_WAYPOINT, bound, bound not in (None, expected["waypoint"])),
        (INGRESS_USE_WAYPOINT, ingress, ingress not in (None, "true")),
    ):
        if not wrong or not (whose := _foreign(found, label)):
            continue
        problem = (
            f"has {label}={value}, set by {whose}: requests pass by the waypoint"
            f" {expected['waypoint']} and its rules"
        )
        if expected["create"]:
            warn(f"Service {namespace}/{name} {problem} until `pulumi up --refresh` sets it back")
        else:
            command = f"kubectl label service {name} --namespace {namespace} {label}-"
            yield (
                f"Service {namespace}/{name}",
                f"{problem}. Ask who set it to take it off (`{command}`)",
            )


def _tell_whom_it_concerns(
    client: lightkube.Client, namespace: str, waypoint: str, own: set[str]
) -> None:
    """Name the Services of others that come to pass a waypoint with their namespace."""
    others = sorted(
        str(one.metadata.name)
        for one in client.list(Service, namespace=namespace)
        if one.metadata
        and one.metadata.name not in own
        and not {USE_WAYPOINT, _MANAGED} & (one.metadata.labels or {}).keys()
    )
    if others:
        warn(
            f"namespace {namespace}: binding it to waypoint {waypoint} sends requests to these"
            f" Services through it, too: {', '.join(others)}. waypoint.binds: Service binds that of"
            " the exposure alone"
        )


def _bound(metadata: Any, namespace: str) -> str | None:
    """The waypoint that labels name, `NAMESPACE/NAME` or `none`; None where they name nothing."""
    labels = metadata.labels or {}
    name: str | None = labels.get(USE_WAYPOINT)
    if name in (None, "none"):
        return name
    return f"{labels.get(f'{USE_WAYPOINT}-namespace', namespace)}/{name}"


def _foreign(found: Any, label: str) -> str | None:
    """Who has set a label, where that was not Pulumi, or was for another stack's object."""
    managers = [
        str(entry.manager)
        for entry in found.metadata.managedFields or ()
        if f"f:{label}" in _labels(entry.fieldsV1)
    ]
    others = [manager for manager in managers if not manager.startswith(_MANAGER)]
    if others:
        return ", ".join(others)
    stack = _maker(found)
    return f"stack {stack}" if stack not in (None, owner()) else None


def _own(found: Any) -> bool:
    """Whether the stack made it: what others have done to its labels is then set back."""
    return _maker(found) == owner()


def _maker(found: Any) -> str | None:
    """The stack that made an object."""
    stack: str | None = (found.metadata.annotations or {}).get(OWNER)
    return stack


def _labels(fields: Any) -> Mapping[str, Any]:
    """The labels in a field manager's entry."""
    found: Mapping[str, Any] = (fields or {}).get("f:metadata", {}).get("f:labels", {})
    return found
