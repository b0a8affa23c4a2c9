"""What a login has to be permitted, and what is said where it is not."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx2
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.core.resource import api_info
from lightkube.models.authorization_v1 import ResourceRule, SelfSubjectRulesReviewSpec
from lightkube.resources.authorization_v1 import SelfSubjectRulesReview

from .hooks import bound
from .kubeconfig import Access, connect
from .objects import KINDS, PATCH

_WAITS = {
    "Deployment": (("apps", "replicasets"), ("", "pods"), ("", "persistentvolumeclaims")),
    "Service": (("", "endpoints"),),
    "Job": (("", "pods"),),
}
"""Group and resource of what the provider looks at while it waits for an object."""

_PREVIEWED = ("get", "create", "patch")
"""Verbs by which the API server judges what a preview shows."""


class Right(NamedTuple):
    """Verbs that a login may use on a resource."""

    group: str
    """API group, empty for the core."""
    resource: str
    """Plural name."""
    verbs: tuple[str, ...]
    """Verbs."""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{', '.join(self.verbs)} {resource}"


def needed(type_: str) -> list[Right]:
    """What an update needs for an object of Pulumi's `type_`, the wait for it and its end included.

    The wait for an object that it may not watch would end in vain, and not say why.
    """
    kind = type_.removesuffix(PATCH)
    info = api_info(KINDS[kind])
    group, resource = info.resource.group, info.plural
    if kind != type_:
        return [Right(group, resource, ("get", "patch"))]
    waits = _WAITS.get(info.resource.kind, ())
    return [
        Right(group, resource, ("get", "list", "watch", "create", "patch", "delete")),
        *(Right(*seen, ("list", "watch")) for seen in waits),
    ]


def refuse_without_rights(cluster: Access, hook_name: str) -> pulumi.ResourceTransform:
    """A transform by which no object is made or changed without all rights that its wait needs.

    A preview only warns: what it shows without them is made here, as nobody asks the API server
    what it would refuse. Each cluster has one of its own; the engine knows the hook of each by its
    name.
    """
    login = _Login(cluster)
    warned: set[str] = set()

    def refuse(args: pulumi.ResourceHookArgs) -> None:
        metadata = (args.new_inputs or {}).get("metadata") or {}
        namespace = metadata.get("namespace") or metadata.get("name")
        if not isinstance(namespace, str):
            return  # not known yet
        preview = pulumi.runtime.is_dry_run()
        lacking = login.lacks(needed(args.type), namespace, _PREVIEWED if preview else None)
        problem = f"this login may not {'; nor '.join(map(str, lacking))} in namespace {namespace}"
        if lacking and not preview:
            raise RuntimeError(f"{problem}. rbac/deployer.yaml has what an update needs")
        if lacking and problem not in warned:
            warned.add(problem)
            pulumi.log.warn(
                f"{problem}: what the API server would refuse of it, this preview does not show"
            )

    hook = pulumi.ResourceHook(hook_name, refuse, pulumi.ResourceHookOptions(on_dry_run=True))

    binding = pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
    return bound(binding, lambda type_: type_.removesuffix(PATCH) in KINDS)


class _Login:
    """Who the kubeconfig says that one is."""

    def __init__(self, cluster: Access) -> None:
        self._cluster = cluster
        self._rules: dict[str, list[ResourceRule] | None] = {}

    def lacks(
        self, rights: Sequence[Right], namespace: str, looked_at: Sequence[str] | None
    ) -> list[Right]:
        """What is not permitted of `rights` in a namespace, of some verbs or, by None, of all."""
        if namespace not in self._rules:
            self._rules[namespace] = self._permitted(namespace)
        rules = self._rules[namespace]
        if rules is None:
            return []
        lacking = (
            right._replace(
                verbs=tuple(
                    verb
                    for verb in right.verbs
                    if (looked_at is None or verb in looked_at)
                    and not any(_permits(rule, right, verb) for rule in rules)
                )
            )
            for right in rights
        )
        return [right for right in lacking if right.verbs]

    def _permitted(self, namespace: str) -> list[ResourceRule] | None:
        """What may be done in a namespace; None where the API server cannot tell."""
        review = SelfSubjectRulesReview(spec=SelfSubjectRulesReviewSpec(namespace=namespace))
        try:
            with connect(self._cluster) as client:
                status = client.create(review).status
        except (ApiError, ConfigError, httpx2.HTTPError) as error:
            pulumi.log.debug(f"nobody could say what this login may do: {error!r}")
            return None
        return None if status is None or status.incomplete else status.resourceRules


def _permits(rule: ResourceRule, right: Right, verb: str) -> bool:
    asked: tuple[tuple[str, Any], ...] = (
        (verb, rule.verbs),
        (right.group, rule.apiGroups),
        (right.resource, rule.resources),
    )
    # Of single names it is not known whether they are all that is needed: the update tells.
    return all({one, "*"} & {*(listed or ())} for one, listed in asked)
