"""The release of Istio that settings need: older ones ignore them, or what they lead to."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..checks.faults import camel
from ..checks.rules import each
from ..cluster.mesh import ReleaseExpectation
from .arguments import StackArgs
from .places import entries

_OPTIONS = {
    "customization": 26,
    "tls.frontend": 28,
    "allowed_listeners": 31,
    "listener_set": 31,
}
"""Those of gateways and waypoints."""

_PROTOCOLS = {"tls": 30, "tcp": 31}
"""Those of services, and of gateways, whose connections are passed on."""


def releases(args: StackArgs) -> list[ReleaseExpectation]:
    """Settings of a stack, each with the minor release of Istio 1 that it needs."""
    return [{"setting": camel(path), "release": f"1.{minor}"} for path, minor in _needed(args)]


def _needed(args: StackArgs) -> Iterator[tuple[str, int]]:
    for path, entry in entries(args):
        options: Any = entry
        if not path.startswith("exposures."):
            yield from _of_proxy(path, options)
            continue
        yield from _of_service(f"{path}.service", options["service"])
        for part in ("gateway", "waypoint"):
            yield from _of_proxy(f"{path}.{part}", options.get(part, {}))
        for field in ("rules", "ingress_rules"):
            for where, rule in each(path, options, field):
                for place, filter_ in each(where, rule, "filters"):
                    if filter_["type"] == "CORS":
                        yield place, 28


def _of_service(path: str, service: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    if "tls" in service:
        yield f"{path}.tls", 28
    if (protocol := service.get("protocol")) in _PROTOCOLS:
        yield f"{path}.protocol", _PROTOCOLS[protocol]


def _of_proxy(path: str, options: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    if options.get("ingress_use_waypoint"):
        yield f"{path}.ingress_use_waypoint", 25
    flat = {**options, **{f"tls.{key}": held for key, held in options.get("tls", {}).items()}}
    for field, minor in _OPTIONS.items():
        if field in flat:
            yield f"{path}.{field}", minor
    if "tls.frontend" in flat and flat.get("tls.mode") == "OPTIONAL_MUTUAL":
        yield f"{path}.tls.mode", 30
    if (protocol := str(options.get("protocol")).lower()) in _PROTOCOLS:
        yield f"{path}.protocol", _PROTOCOLS[protocol]
    for where, checked in _validations(f"{path}.tls.frontend", flat.get("tls.frontend", {})):
        references = each(where, checked, "caCertificateRefs")
        late = [place for place, one in references if one.get("kind") == "Secret"]
        if "mode" in checked:
            late.append(f"{where}.mode")
        yield from ((place, 31) for place in late)


def _validations(path: str, frontend: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """How the certificates of clients are checked, by default and at single ports."""
    listed = [(f"{path}.default", frontend.get("default", {}))]
    listed += [(f"{where}.tls", one["tls"]) for where, one in each(path, frontend, "perPort")]
    for where, one in listed:
        if "validation" in one:
            yield f"{where}.validation", one["validation"]
