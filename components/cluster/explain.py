"""What the cluster says of an object that failed to become ready."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import pulumi
from lightkube.core.exceptions import ApiError

from ..api.gateway import GROUP
from .certificates import lacking
from .hooks import bound
from .jobs import JOB, explain_job
from .kubeconfig import Access, connect
from .objects import KINDS, named

_EXPLAINED = (
    f"kubernetes:{GROUP}/v1:Gateway",
    f"kubernetes:{GROUP}/v1:HTTPRoute",
    f"kubernetes:{GROUP}/v1:GRPCRoute",
    f"kubernetes:{GROUP}/v1:TLSRoute",
    f"kubernetes:{GROUP}/v1:TCPRoute",
    f"kubernetes:{GROUP}/v1:BackendTLSPolicy",
    f"kubernetes:{GROUP}/v1:ListenerSet",
    "kubernetes:networking.istio.io/v1:ServiceEntry",
    "kubernetes:security.istio.io/v1:AuthorizationPolicy",
    "kubernetes:core/v1:Service",
    "kubernetes:apps/v1:Deployment",
)

_ADVICE = {
    "AddressNotAssigned": (
        "no load balancer has given the gateway's Service an address: install one, or choose the"
        " service type ClusterIP"
    ),
    "Pending": (
        "no controller has seen it: do the discovery labels match the discoverySelectors of the"
        " mesh, are GatewayClass and revision right, and is istiod ready?"
    ),
    "WaypointIsNotReady": "see the waypoint's Gateway and its pod",
    "AttachmentDenied": "the waypoint's allowedRoutes do not admit this namespace",
    "RefNotPermitted": (
        "the other namespace has to permit it with a ReferenceGrant: `grants` true makes it,"
        " or ask its owner"
    ),
    "InvalidCertificateRef": "the Secret of the certificate has to have tls.crt and tls.key",
    "InvalidCACertificateRef": "the ConfigMap or Secret by which clients are checked has no ca.crt",
    "AncestorNotBound": "the Service has no waypoint: is its namespace bound to one?",
    "TargetNotFound": "the Service that the policy is for does not exist",
    "BackendNotFound": "name and port of the Service have to be those of the cluster",
    "NotAllowed": "the gateway's allowedListeners do not admit this namespace",
    "ListenersNotValid": "each listener says what is wrong with it",
    "HostnameConflict": "an older listener of the gateway has this host name, and serves it",
    "ProtocolConflict": "an older listener of the gateway has this port for another protocol",
    "NoValidCACertificate": "the ConfigMap has to have the authority's certificate as ca.crt",
    "FailedCreate": "quota or admission of the namespace refuses pods of it",
    "NotAllowedByListeners": "the gateway's allowedRoutes do not admit this namespace",
    "NoMatchingListenerHostname": "no listener of the gateway has this host name",
}


def explain_failures(cluster: Access, hook_name: str = "explain") -> pulumi.ResourceTransform:
    """A transform by which the conditions of each object that fails are logged, and what to do.

    The provider's own message names only the wait that ended. Each cluster has one of its own; the
    engine knows the hook of each by its name.
    """

    def explain(args: pulumi.ErrorHookArgs) -> bool:
        metadata = (args.new_inputs or args.old_inputs or {}).get("metadata") or {}
        try:
            with connect(cluster) as client:
                if args.type == JOB:
                    if said := explain_job(client, metadata):
                        pulumi.log.error(f"Job {metadata['namespace']}/{metadata['name']}: {said}")
                    return False
                found = client.get(
                    KINDS[args.type], metadata["name"], namespace=metadata["namespace"]
                )
                live = found.to_dict()
                gateway = args.type.endswith(":Gateway")
                certificates = list(lacking(client, live)) if gateway else []
        except Exception as error:  # noqa: BLE001  # the failure itself has been reported already
            forbidden = isinstance(error, ApiError) and error.status.code == HTTPStatus.FORBIDDEN
            tell = pulumi.log.warn if forbidden else pulumi.log.debug
            tell(f"no explanation of {args.urn}: {error if forbidden else repr(error)}")
            return False
        name = named(args.type, metadata["namespace"], metadata["name"])
        told = [describe(live.get("status") or {}), *unseen(live), *certificates]
        pulumi.log.error(f"{name}: {'; '.join(told)}")
        return False

    hook = pulumi.ErrorHook(hook_name, explain)

    return bound(pulumi.ResourceHookBinding(on_error=[hook]), (*_EXPLAINED, JOB).__contains__)


def describe(status: Mapping[str, Any]) -> str:
    """The conditions of a `status`, and advice for those that stand in the way."""
    conditions = list(_conditions(status))
    if not conditions:
        return f"the cluster reports no condition; {_ADVICE['Pending']}"
    lines = [f"{c['type']}={c['status']} ({c['reason']}: {c['message']})" for c in conditions]
    advice = (_ADVICE[c["reason"]] for c in conditions if c["reason"] in _ADVICE)
    return "; ".join(dict.fromkeys([*lines, *advice]))


def unseen(live: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong where the conditions of a live object are all older than its spec."""
    now = live["metadata"].get("generation", 0)
    conditions = _conditions(live.get("status") or {})
    # Istio's own kinds have it as text.
    seen = [int(one.get("observedGeneration", now)) for one in conditions]
    if seen and max(seen) < now:
        yield (
            f"these conditions are of generation {max(seen)}, and it has {now}: no controller has"
            " seen its last change. Is istiod ready?"
        )


def problem(status: Mapping[str, Any]) -> str | None:
    """The first condition of a `status` that stands in the way, and what to do about it."""
    conditions = list(_conditions(status))
    if not conditions:
        return describe(status)
    for one in conditions:
        # Of a listener there are but those that fail.
        if one["status"] != "True" or one["type"].startswith("listener "):
            advice = _ADVICE.get(one["reason"])
            said = f"{one['type']}={one['status']} ({one['reason']}: {one['message']})"
            return f"{said}: {advice}" if advice else said
    return None


def _conditions(status: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Those of the object and of a route's parents or a policy's ancestors, of a gateway's
    listeners the failing ones.
    """
    holders = [*(status.get("parents") or []), *(status.get("ancestors") or [])]
    for holder in (status, *holders):
        yield from holder.get("conditions") or []
    for listener in status.get("listeners") or []:
        for condition in listener.get("conditions") or []:
            if condition["status"] == ("True" if condition["type"] == "Conflicted" else "False"):
                yield {**condition, "type": f"listener {listener['name']}: {condition['type']}"}
