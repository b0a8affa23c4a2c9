"""What the proxies of a Gateway tell of the requests that they serve."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from ..api.gateway import GROUP, ObjectMeta
from ..api.istio import Telemetry
from ..api.istio_rules import SCHEMA as ISTIO
from ..api.istio_rules import first_alone
from ..api.istio_types import AccessLogging, Metrics, TelemetrySpec, Tracing
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.rules import each
from ..checks.schema import at

_FIELDS = {"access_logging": "accessLogging", "tracing": "tracing", "metrics": "metrics"}


class TelemetryOptions(TypedDict):
    """What is told of requests, in Istio's own form; what is left out is as the mesh has it.

    Providers are those of the mesh's configuration, its `extensionProviders`, and three that every
    mesh has: `envoy`, a line of text for each request at the proxy's standard output, `prometheus`
    and `stackdriver`.

    https://istio.io/latest/docs/reference/config/telemetry/
    """

    access_logging: NotRequired[Sequence[AccessLogging]]
    """Which requests are logged, and where (default as in the mesh): `[{providers: [{name:
    envoy}]}]` logs all of them."""
    tracing: NotRequired[Sequence[Tracing]]
    """Which requests are traced, and by whom (default as in the mesh): one element, of one
    provider."""
    metrics: NotRequired[Sequence[Metrics]]
    """Which metrics there are, and with which labels (default as in the mesh)."""


def tell(
    name: str, options: TelemetryOptions | None, gateway: ObjectMeta, opts: pulumi.ResourceOptions
) -> list[dict[str, Any]]:
    """Make the Telemetry of a `gateway`, called as that is; nothing where there are no options.

    Istio reports no condition on it. Returns the definition of what is made.
    """
    if not options:
        return []
    spec: dict[str, Any] = {
        "targetRefs": [{"group": GROUP, "kind": "Gateway", "name": gateway["name"]}]
    }
    spec |= {_FIELDS[field]: given for field, given in options.items()}
    metadata: ObjectMeta = {"name": gateway["name"], "namespace": gateway["namespace"]}
    telemetry = Telemetry(f"{name}-telemetry", metadata, cast("TelemetrySpec", spec), opts)
    return [telemetry.definition]


def check_modes(faults: Faults, path: str, owner: Mapping[str, Any], ignored: str) -> None:
    """Record what the telemetry of a Gateway's `owner` tells in a mode that its proxies never have.

    Requests pass an ingress gateway as a client's, a waypoint as a server's.
    """
    for field in _FIELDS:
        for where, one in each(at(path, "telemetry"), owner.get("telemetry", {}), field):
            for place, selecting in [(where, one), *each(where, one, "overrides")]:
                if selecting.get("match", {}).get("mode") == ignored:
                    faults.add(
                        f"{place}.match.mode",
                        f"found {ignored}, with which Istio ignores it here. Leave it out",
                    )


def providers(options: Mapping[str, Any]) -> set[str]:
    """The providers that telemetry names, as far as they are known."""
    return {
        one["name"]
        for field in _FIELDS
        for telling in options.get(field, ())
        for one in telling.get("providers", ())
        if isinstance(one["name"], str)
    }


SCHEMA = ISTIO.extended(
    {
        TelemetryOptions: {
            "access_logging": valid.some,
            "tracing": first_alone,
            "metrics": valid.some,
        }
    }
)
"""What is checked of telemetry."""
