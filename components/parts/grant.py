"""Permission to refer to an object of another namespace."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pulumi

from ..api.gateway import GROUP, ReferenceGrant
from ..checks.faults import Faults
from ..checks.schema import at
from ..checks.values import known


def grant(
    name: str,
    namespace: str,
    to: tuple[Literal["Secret", "Service"], Sequence[str]],
    by: tuple[str, pulumi.Input[str], pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> ReferenceGrant:
    """Make the ReferenceGrant in `namespace` that lets others refer `to` objects of it.

    `to` is a kind and names; `by` is kind, namespace and name of who refers to them, of which the
    name only names the grant.

    https://gateway-api.sigs.k8s.io/api-types/referencegrant/
    """
    to_kind, names = to
    kind, by_namespace, by_name = by
    return ReferenceGrant(
        f"{name}-grant-{namespace}",
        {"name": pulumi.Output.format("{}-{}", by_namespace, by_name), "namespace": namespace},
        {
            "from": [{"group": GROUP, "kind": kind, "namespace": by_namespace}],
            "to": [{"group": "", "kind": to_kind, "name": name} for name in dict.fromkeys(names)],
        },
        opts,
    )


def backends_elsewhere(rules: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The Services that the `rules` of a route name together with a namespace, by namespace."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        mirrors = [one.get("requestMirror") for one in rule.get("filters", [])]
        backends = [*rule.get("backendRefs", []), *(one["backendRef"] for one in mirrors if one)]
        for backend in backends:
            if "namespace" in backend:
                found.setdefault(backend["namespace"], []).append(backend["name"])
    return found


_WAY = ("backendRefs", "filters", "requestMirror", "backendRef", "namespace")
"""Fields that lead from a rule to the namespaces of its backends."""


def check_backends(faults: Faults, path: str, rules: object) -> None:
    """Record every namespace of a backend that is not known yet: its grant is named after it."""
    if not known(rules):
        faults.add(
            path, "has to be known to the program: grants are named after the backends' namespaces"
        )
    elif isinstance(rules, Mapping):
        for field in filter(rules.__contains__, _WAY):
            check_backends(faults, at(path, field), rules[field])
    elif isinstance(rules, list | tuple):
        for index, rule in enumerate(rules):
            check_backends(faults, f"{path}[{index}]", rule)
