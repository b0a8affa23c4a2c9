"""Roles of those who work on a stack, from the kinds that components make and what they read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from lightkube.core.resource import api_info

from components.api.installed import DEFINITIONS
from components.cluster.objects import KINDS
from components.cluster.rights import Right, needed
from components.commands import installation
from components.commands.migration import migrate

FOLDER = Path(__file__).parents[1] / "rbac"

_NAME = "ambient-exposure"
_ISTIO = "istio-system"

_KINDS = [type_ for type_ in KINDS if ":sailoperator.io/" not in type_]
"""What stacks make; the mesh itself comes from a program of its own."""

_GATEWAY = "gateway.networking.k8s.io"
_CERTIFICATES = "cert-manager.io"
_DRAWN = ("gateways", "httproutes", "grpcroutes")

_EVENTS = Right("", "events", ("list", "watch"))
_LOGS = Right("", "pods/log", ("get",))
_WAITED_FOR = Right(_CERTIFICATES, "certificates", ("get",))

_TOPS = {
    "preflight": """\
What the preflight reads beside the namespaces of the stack. Whoever previews or updates needs it,
by a ClusterRoleBinding, and the Role by a RoleBinding. A control plane with a revision keeps its
configuration in a ConfigMap of another name: istio-REVISION.
""",
    "deployer": """\
Updates and destroys a stack, and previews it. By a RoleBinding in each namespace of the stack that
is there already; by a ClusterRoleBinding where the stack creates or deletes namespaces, as names of
what is not there yet cannot be told.
""",
    "previewer": """\
Previews a stack as the API server would take it, by dry runs. By RoleBindings or a
ClusterRoleBinding, as the deployer.

RBAC cannot tell a dry run from a change: the ValidatingAdmissionPolicy, for Kubernetes 1.30 and
newer, refuses all but dry runs to the ServiceAccounts of the namespace ambient-exposure-previewers.
Whom else you bind belongs into its matchConditions.

Not seen: Secrets. A stack that has some needs secrets.yaml, too; what the API server would refuse
of a Secret, such a preview does not show.
""",
    "reader": """\
Previews a stack by reading alone. By RoleBindings or a ClusterRoleBinding, as the deployer.

Not seen: what the API server would refuse or complete, fields that another manager holds, and what
admission changes. Each kind that the preview shows so is warned about. Secrets neither: a stack
that has some needs secrets.yaml, too.
""",
    "secrets": """\
Reads Secrets, which a preview of a stack that has some does: with a self-signed certificate, or
checks that have headers or a body. It reads all Secrets of the namespaces in which it is bound.
""",
    "viewer": """\
Draws the exposures of a stack: python -m components show. By RoleBindings in the namespaces of the
exposures and of their gateways and waypoints. With the ClusterRole of preflight.yaml it also
compares what a stack uses with the CRDs of the cluster.
""",
    "migrator": """\
Finds what others have made to expose services: python -m components migrate. By a
ClusterRoleBinding. python -m components adopt needs the deployer's role, too, in the namespaces of
what it takes over.
""",
    "verifier": """\
Sends the requests of a stack's proofs: python -m components verify. By a RoleBinding in the
namespaces of the exposures, or in that of the client where the stack has one.
""",
}
"""What each file is for, and what who has no more does not see."""


def files() -> dict[Path, str]:
    """The files of roles."""
    own = [right for type_ in _KINDS for right in needed(type_)]
    made = {(right.group, right.resource) for right in own if "create" in right.verbs}
    waits = [
        right._replace(verbs=("list",))
        for right in own
        if (right.group, right.resource) not in made
    ]
    plain = sorted(made - {("", "secrets")})
    reads = [*(Right(*one, ("get",)) for one in plain), Right("", "services", ("list",)), *waits]
    dry_runs = [Right(*one, ("create", "patch")) for one in plain]
    verifies = [
        Right("batch", "jobs", ("create", "get", "delete")),
        Right("", "secrets", ("create",)),
        Right("", "pods", ("list",)),
        Right("", "events", ("list",)),
        _LOGS,
    ]
    seen = [("", "namespaces"), ("", "services"), *((_GATEWAY, one) for one in _DRAWN)]
    views = [
        *(Right(*one, ("get",)) for one in seen),
        Right("", "pods", ("list",)),
        Right("networking.k8s.io", "networkpolicies", ("list",)),
        Right("security.istio.io", "authorizationpolicies", ("list",)),
        Right("security.istio.io", "requestauthentications", ("list",)),
    ]
    there = [
        api_info(class_)
        for class_ in (
            *installation.KINDS.values(),
            *(class_ for _, class_ in migrate.KINDS.values()),
        )
    ]
    finds = [Right(one.resource.group, one.plural, ("list",)) for one in there]
    roles: dict[str, list[dict[str, Any]]] = {
        "preflight": _preflight(),
        "deployer": [
            _role(
                "deployer", [*own, _EVENTS, _LOGS, Right(_CERTIFICATES, "certificates", ("get",))]
            )
        ],
        "previewer": [_role("previewer", [*reads, *dry_runs]), *_dry_runs_only(plain)],
        "reader": [_role("reader", reads)],
        "secrets": [_role("secrets", [Right("", "secrets", ("get",))])],
        "viewer": [_role("viewer", views)],
        "migrator": [_role("migrator", finds)],
        "verifier": [_role("verifier", verifies)],
    }
    return {FOLDER / f"{name}.yaml": _text(name, objects) for name, objects in roles.items()}


def _text(name: str, objects: Iterable[Mapping[str, Any]]) -> str:
    told = f"{_TOPS[name]}\nMade by `make generate`; a test fails when it is out of date."
    top = "\n".join(f"# {line}".rstrip() for line in told.splitlines())
    return f"{top}\n" + yaml.safe_dump_all(
        objects, explicit_start=True, sort_keys=False, default_flow_style=None, width=100
    )


def _role(name: str, rights: Iterable[Right], **metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if "namespace" in metadata else "ClusterRole",
        "metadata": {"name": f"{_NAME}-{name}", **metadata},
        "rules": _rules(rights),
    }


def _rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """A rule for all resources of a group that have the same verbs."""
    verbs: dict[tuple[str, str], dict[str, None]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource), {}).update(dict.fromkeys(right.verbs))
    rules: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), found in sorted(verbs.items()):
        rules.setdefault((group, tuple(found)), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(found)}
        for (group, found), resources in rules.items()
    ]


def _preflight() -> list[dict[str, Any]]:
    role = _role(
        "preflight",
        [
            Right("", "namespaces", ("get",)),
            Right("apps", "deployments", ("list",)),
            Right("apps", "daemonsets", ("list",)),
            Right(_GATEWAY, "gatewayclasses", ("get",)),
            Right("networking.istio.io", "virtualservices", ("list",)),
            Right("networking.istio.io", "destinationrules", ("list",)),
            Right(_CERTIFICATES, "issuers", ("get",)),
            Right(_CERTIFICATES, "clusterissuers", ("get",)),
        ],
    )
    (definitions,) = _rules([Right("apiextensions.k8s.io", "customresourcedefinitions", ("get",))])
    issuers = [f"{kind}.{_CERTIFICATES}" for kind in ("issuers", "clusterissuers")]
    role["rules"].append({**definitions, "resourceNames": [*DEFINITIONS, *issuers]})
    config = _role("preflight", [Right("", "configmaps", ("get",))], namespace=_ISTIO)
    config["rules"][0]["resourceNames"] = ["istio"]
    return [role, config]


def _dry_runs_only(resources: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The policy by which some may only ask what would become of a change."""
    name = {"name": f"{_NAME}-previewer"}
    group = f"system:serviceaccounts:{_NAME}-previewers"
    groups: dict[str, list[str]] = {}
    for api_group, resource in resources:
        groups.setdefault(api_group, []).append(resource)
    rules = [
        {
            "apiGroups": [api_group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": names,
        }
        for api_group, names in groups.items()
    ]
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": name,
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [
                {"name": "previewer", "expression": f"'{group}' in request.userInfo.groups"}
            ],
            "validations": [
                {"expression": "request.dryRun", "message": "a previewer may only do dry runs"}
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": name,
        "spec": {"policyName": name["name"], "validationActions": ["Deny"]},
    }
    return [policy, binding]
