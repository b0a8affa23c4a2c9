"""Weights of backends that a controller sets in routes: an update leaves them as they are."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache, partial
from http import HTTPStatus
from typing import Any

import httpx2
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError

from ..api.trace import WEIGHTS
from .kubeconfig import Access, connect
from .objects import KINDS, named
from .reading import warn

CONTROLLER = "controller"
"""What the annotation `WEIGHTS` says of a route whose weights are kept."""

readers: list[Access] = []
"""The clusters whose routes are read; each of a program adds its own."""


def require_reader(subject: str, weights: str | None) -> None:
    """Raise `RunError` where weights are to be kept that nobody reads."""
    if weights == CONTROLLER and not readers:
        raise pulumi.RunError(
            f"{subject}: weights: found controller, but no Cluster was made before, which reads the"
            " weights that there are"
        )


def keep_weights(cluster: Access) -> pulumi.ResourceTransform:
    """A transform that gives every route with the annotation `WEIGHTS` those of the cluster.

    What a preview cannot read it shows as given, with a warning; an update ends there, as it would
    set what a controller has changed.
    """
    client = cache(partial(connect, cluster))

    def read(type_: str, namespace: str, name: str) -> Any:
        try:
            return client().get(KINDS[type_], name, namespace=namespace)
        except (ApiError, ConfigError, httpx2.HTTPError) as error:
            status = error.status.code if isinstance(error, ApiError) else None
            if status == HTTPStatus.NOT_FOUND:
                return {}
            route = named(type_, namespace, name)
            why = f"{route}: the weights that a controller has set could not be read: {error}"
            if not pulumi.runtime.is_dry_run():
                raise RuntimeError(why) from error
            warn(f"{why}. Those of the settings are shown")
            return {}

    async def take_over(
        args: pulumi.ResourceTransformArgs,
    ) -> pulumi.ResourceTransformResult | None:
        metadata: Any = args.props.get("metadata") or {}
        if (metadata.get("annotations") or {}).get(WEIGHTS) != CONTROLLER:
            return None
        place = pulumi.Output.all(metadata["namespace"], metadata["name"])
        spec: pulumi.Output[Any] = pulumi.Output.from_input(args.props["spec"])
        if not (await place.is_known() and await spec.is_known()):
            return None  # in a preview alone
        found = await asyncio.to_thread(read, args.type_, *(await place.future() or ()))
        props = {**args.props, "spec": spec.apply(lambda given: shared(given, found))}
        return pulumi.ResourceTransformResult(props, args.opts)

    readers.append(cluster)
    return take_over


def shared(spec: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of a route with the weights of the `live` one, all written out."""
    rules: Sequence[Mapping[str, Any]] = (live.get("spec") or {}).get("rules") or []
    return {
        **spec,
        "rules": [
            _shared(rule, _like(position, rule, rules))
            for position, rule in enumerate(spec.get("rules") or [])
        ],
    }


def _shared(rule: Mapping[str, Any], like: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rule with the weights of another one, by backend."""
    backends = rule.get("backendRefs") or []
    if len(backends) < 2:  # one alone gets all requests, whatever its weight
        return rule
    given = [int(backend.get("weight", 1)) for backend in backends]
    found = _weights(like)
    kept = [
        found.get(_backend(backend), weight)
        for backend, weight in zip(backends, given, strict=True)
    ]
    weights = kept if any(kept) else given  # those that got the requests are gone
    return {
        **rule,
        "backendRefs": [
            {**backend, "weight": weight} for backend, weight in zip(backends, weights, strict=True)
        ],
    }


def _like(
    position: int, rule: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The one of `rules` that is this rule, or shares requests as it does."""
    own = {_backend(backend) for backend in rule.get("backendRefs") or []}

    def alike(candidate: tuple[int, Mapping[str, Any]]) -> tuple[bool | int, ...]:
        place, other = candidate
        return (
            "name" in rule and rule["name"] == other.get("name"),
            _matches(rule) == _matches(other),
            len(own & _weights(other).keys()),
            place == position,
        )

    sharing = [one for one in enumerate(rules) if own & _weights(one[1]).keys()]
    return max(sharing, key=alike, default=(0, {}))[1]


def _weights(rule: Mapping[str, Any]) -> dict[tuple[str, ...], int]:
    """The weights of a rule's backends."""
    return {_backend(one): int(one.get("weight", 1)) for one in rule.get("backendRefs") or []}


def _backend(reference: Mapping[str, Any]) -> tuple[str, ...]:
    """Which backend it is, whatever its port."""
    defaults = {"group": "", "kind": "Service", "namespace": "", **reference}
    return tuple(str(defaults[field]) for field in ("group", "kind", "namespace", "name"))


def _matches(rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The matches of a rule, with what the API server fills in."""
    return [
        {
            **match,
            "path": {"type": "PathPrefix", "value": "/", **match.get("path", {})},
            **{
                field: [{"type": "Exact", **one} for one in match.get(field) or []]
                for field in ("headers", "queryParams")
            },
            **({"method": {"type": "Exact", **method}} if isinstance(method, Mapping) else {}),
        }
        for match in rule.get("matches") or [{}]
        for method in [match.get("method")]
    ]
