"""TLS between the waypoint and a service, whose certificate the waypoint checks."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from ..api import gateway_rules
from ..api.gateway import BackendTLSPolicy, timeouts, wait_for_ancestors
from ..api.gateway_types import (
    BackendTLSPolicySpec,
    BackendTLSPolicyValidation,
    SubjectAltName,
)
from ..api.istio import SERVICE_GROUPS, ServiceKind
from ..checks import values as valid
from ..checks.schema import Schema, trusted


class BackendTLSArgs(TypedDict):
    """What a BackendTLSPolicy is made of."""

    name: pulumi.Input[str]
    """Name of the policy."""
    namespace: pulumi.Input[str]
    """Namespace of the policy and of the services."""
    services: Sequence[pulumi.Input[str]]
    """Names of the services."""
    service_kind: NotRequired[ServiceKind]
    """Kind of the objects that they are (default `Service`)."""
    port: pulumi.Input[str]
    """Name of their port that serves TLS. It is one of its own: to a port that gateways send
    requests to, they too would begin TLS, which the waypoint could not read."""
    validation: BackendTLSPolicyValidation
    """How their certificate is checked."""
    ready_timeout: NotRequired[int]
    """Seconds that it may take to be accepted (default 300)."""


SCHEMA = gateway_rules.SCHEMA | Schema(
    {
        BackendTLSArgs: {
            "name": valid.subdomain,
            "namespace": valid.dns_label,
            "services": valid.some,
            "services[]": valid.dns_label,
            "port": valid.dns_label,
            "ready_timeout": valid.seconds,
        },
    },
    {},
)
"""What is checked of a BackendTLSPolicy's arguments."""


def backend_tls(
    name: str, args: BackendTLSArgs, opts: pulumi.ResourceOptions | None = None
) -> BackendTLSPolicy:
    """Make the policy `<name>-tls`.

    Raises `InvalidInput` with every fault of `args`.

    https://gateway-api.sigs.k8s.io/api-types/backendtlspolicy/
    """
    SCHEMA.validate(f"backend TLS {name!r}", args, BackendTLSArgs)
    own = pulumi.ResourceOptions(custom_timeouts=timeouts(args.get("ready_timeout", 300)))
    with trusted():
        return BackendTLSPolicy(
            f"{name}-tls",
            {
                "name": args["name"],
                "namespace": args["namespace"],
                "annotations": wait_for_ancestors(),
            },
            render_backend_tls(args),
            pulumi.ResourceOptions.merge(opts, own),
        )


def render_backend_tls(args: BackendTLSArgs) -> BackendTLSPolicySpec:
    """The spec of the policy."""
    kind, validation = args.get("service_kind", "Service"), args["validation"]
    # Without names to compare with, Istio takes any certificate that the authority has signed.
    named: SubjectAltName = {"type": "Hostname", "hostname": validation["hostname"]}
    names = validation.get("subjectAltNames", [named])
    return {
        "targetRefs": [
            {
                "group": SERVICE_GROUPS[kind],
                "kind": kind,
                "name": service,
                "sectionName": args["port"],
            }
            for service in args["services"]
        ],
        "validation": {**validation, "subjectAltNames": names},
    }
