"""The mesh's control plane: whether it runs, and which namespaces it discovers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

import lightkube
import yaml
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace

from ..checks.values import did_you_mean
from .reading import get, permitted, warn

Selector = Mapping[str, Any]
"""A selector of labels in Kubernetes' own form."""


class Istiod(NamedTuple):
    """A control plane, one for each revision."""

    namespace: str
    """Its namespace."""
    name: str
    """Name of its Deployment."""
    revision: str
    """What the labels `istio.io/rev` call it."""
    ready: bool
    """Whether one of its pods is."""
    minor: int | None
    """Which release of Istio 1 it is; None where it does not tell."""

    @property
    def config_map(self) -> str:
        """Name of the ConfigMap that holds the mesh's configuration."""
        return "istio" if self.revision == "default" else f"istio-{self.revision}"


def istiods(client: lightkube.Client) -> list[Istiod]:
    """The control planes in the cluster."""
    listed = client.list(Deployment, namespace="*", labels={"app": "istiod"})
    return [
        Istiod(
            one["metadata"]["namespace"],
            one["metadata"]["name"],
            one["metadata"].get("labels", {}).get("istio.io/rev", "default"),
            one.get("status", {}).get("readyReplicas", 0) > 0,
            _minor(one),
        )
        for one in (deployment.to_dict() for deployment in listed)
    ]


def _minor(deployment: Mapping[str, Any]) -> int | None:
    """The minor release of a control plane, by the tag of its image, else by its labels.

    The image is what runs; one that is named by its digest, or by a vendor's own version, does not
    tell. Charts that were never released have the version 1.0.0.
    """
    containers = deployment["spec"]["template"]["spec"]["containers"]
    images = [one["image"].partition("@")[0] for one in containers if one["name"] == "discovery"]
    labels = deployment["metadata"].get("labels", {})
    told = [image.rpartition(":")[2] for image in images]
    told += [labels.get(label, "") for label in _VERSIONS]
    found = [match[1] for one in told if (match := re.match(r"v?1\.(\d\d)(?!\d)", one))]
    return int(found[0]) if found else None


_VERSIONS = ("app.kubernetes.io/version", "operator.istio.io/version")
"""Labels by which installations tell the version of Istio."""


class ReleaseExpectation(TypedDict):
    """A setting that needs a release of Istio, as older ones ignore it, or what it leads to."""

    setting: str
    """Path of the setting."""
    release: str
    """The first release that goes by it: `1.28`."""


OLDEST = 24
"""The first release of Istio 1 whose gateways send requests through waypoints."""


def too_old(
    found: Sequence[Istiod], expected: Iterable[ReleaseExpectation]
) -> Iterator[tuple[str, str]]:
    """Settings that no control plane goes by, as all are of older releases.

    Nothing is said where a control plane does not tell its release.
    """
    minors = [istiod.minor for istiod in found if istiod.minor is not None]
    if not minors or len(minors) < len(found):
        return
    newest = max(minors)
    place = next(f"{one.namespace}/{one.name}" for one in found if one.minor == newest)
    if newest < OLDEST:
        yield (
            f"Deployment {place}",
            f"is of Istio 1.{newest}, expected 1.{OLDEST} or newer: gateways of older ones send"
            " requests past waypoints",
        )
    for one in expected:
        if newest < int(one["release"].removeprefix("1.")):
            yield (
                one["setting"],
                f"needs Istio {one['release']}, as older ones ignore it; Deployment {place} is of"
                f" 1.{newest}",
            )


def not_ready(found: Sequence[Istiod]) -> Iterator[tuple[str, str]]:
    """The control planes, where none of them is ready."""
    if not found:
        warn(
            "no istiod runs in this cluster: unless the mesh's control plane is elsewhere, nobody"
            " serves Gateways and routes"
        )
    elif not any(istiod.ready for istiod in found):
        for istiod in found:
            yield (
                f"Deployment {istiod.namespace}/{istiod.name}",
                "none of its pods is ready, and nobody else serves Gateways and routes. See"
                f" `kubectl get pods -n {istiod.namespace} -l app=istiod`",
            )


def not_discovered(
    client: lightkube.Client,
    found: Sequence[Istiod],
    namespaces: Iterable[tuple[str, Mapping[str, str]]],
) -> Iterator[tuple[str, str]]:
    """Those of the `namespaces`, each with the labels that it gets, that nobody discovers.

    Nothing is said where a control plane discovers every namespace, or does not tell.
    """
    discovers = {istiod: _discovery_selectors(client, istiod) for istiod in found}
    if not all(discovers.values()):
        return
    expected = "; or ".join(
        f"{' or '.join(map(shown, selectors))} (discoverySelectors in ConfigMap"
        f" {istiod.namespace}/{istiod.config_map})"
        for istiod, selectors in discovers.items()
    )
    for name, added in namespaces:
        live = get(client, Namespace, name)
        own = (live.metadata.labels or {}) if live else {}
        labels = {"kubernetes.io/metadata.name": name, **own, **added}
        if not any(matches(one, labels) for listed in discovers.values() for one in listed):
            yield (
                f"namespace {name}",
                "the mesh would not discover it: found the labels"
                f" {shown({'matchLabels': labels})}, expected {expected}. Set its"
                " `discovery_labels`",
            )


def unknown_authorizers(
    client: lightkube.Client, found: Sequence[Istiod], providers: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Those of the `providers` of external authorization that no control plane has.

    Nothing is said where a control plane does not tell what it has.
    """
    configured = [_configuration(client, istiod) for istiod in found if providers]
    if not providers or not all(configured):
        return
    known = [
        str(provider["name"])
        for mesh in configured
        for provider in (mesh or {}).get("extensionProviders") or []
        if provider.keys() & _AUTHORIZATION
    ]
    places = " and ".join(f"{istiod.namespace}/{istiod.config_map}" for istiod in found)
    for name in providers:
        if name not in known:
            listed = f"one of {', '.join(sorted(known))}" if known else "one, and there is none"
            yield (
                f"provider {name}",
                f"unknown to the mesh, which would refuse every request that it is asked about:"
                f" expected {listed} (extensionProviders with envoyExtAuthzHttp or"
                f" envoyExtAuthzGrpc in ConfigMap {places}){did_you_mean(name, known)}",
            )


_AUTHORIZATION = {"envoyExtAuthzHttp", "envoyExtAuthzGrpc"}
"""What a provider of external authorization has beside its name."""


def _discovery_selectors(client: lightkube.Client, istiod: Istiod) -> list[Selector]:
    """What a control plane discovers; empty where that is everything, or it does not tell."""
    return list((_configuration(client, istiod) or {}).get("discoverySelectors") or [])


_BUILT_IN = {"envoy", "prometheus", "stackdriver"}
"""Extension providers that every mesh has."""


def unknown_providers(
    client: lightkube.Client, found: Sequence[Istiod], names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Those of the extension providers that no control plane has: it ignores what is for them.

    Nothing is said where a control plane does not tell.
    """
    told = [mesh for one in found if (mesh := _configuration(client, one)) is not None]
    if not told or len(told) < len(found):
        return
    listed = [one["name"] for mesh in told for one in mesh.get("extensionProviders") or []]
    there = _BUILT_IN.union(listed)
    places = ", ".join(f"{istiod.namespace}/{istiod.config_map}" for istiod in found)
    for name in sorted(names):
        if name.lower() not in {one.lower() for one in there}:
            yield (
                f"extension provider {name}",
                f"missing; the mesh has {', '.join(sorted(there))}. Add it to extensionProviders in"
                f" ConfigMap {places}",
            )


def _configuration(client: lightkube.Client, istiod: Istiod) -> Mapping[str, Any] | None:
    """The configuration of a control plane's mesh; None where it does not tell."""
    try:
        with permitted(client):
            config_map = get(client, ConfigMap, istiod.config_map, istiod.namespace)
            mesh = yaml.safe_load(config_map.data["mesh"]) if config_map else None
            return mesh if isinstance(mesh, Mapping) else None
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        pass  # not of the form that this release of Istio has
    return None


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether labels are selected."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return wanted.items() <= labels.items() and all(_holds(one, labels) for one in expressions)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    held: bool = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]
    return held


def shown(selector: Selector) -> str:
    """A selector as `kubectl get --selector` takes it."""
    words = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or []:
        key, values = one["key"], f"({','.join(one.get('values') or [])})"
        words.append(
            {
                "In": f"{key} in {values}",
                "NotIn": f"{key} notin {values}",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[one["operator"]]
        )
    return ",".join(words)
