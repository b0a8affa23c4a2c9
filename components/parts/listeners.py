"""Listeners that are brought to a gateway of others, with their host names and certificates."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from ..api import gateway_rules
from ..api.gateway import ListenerSet, ObjectMeta, timeouts, wait_for
from ..api.gateway_types import ListenerEntry, ListenerSetSpec, ListenerTLS
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema, at, trusted
from . import tls as https
from .gateway_args import check_hostnames
from .gateway_object import listener_names
from .tls import TLSArgs, terminate


class ListenerSetOptions(TypedDict):
    """How the host names of an exposure are served by a gateway of others."""

    port: NotRequired[int]
    """Port for plaintext, where there is no `tls` (default 80)."""
    tls: NotRequired[TLSArgs]
    """How they are served by HTTPS (default not at all: by plaintext). Nobody redirects plaintext
    to it but the gateway itself."""


class ListenerSetArgs(ListenerSetOptions):
    """What a ListenerSet is made of."""

    name: pulumi.Input[str]
    """Name of the ListenerSet."""
    namespace: pulumi.Input[str]
    """Namespace of the ListenerSet, whose routes alone it admits."""
    hostnames: Sequence[pulumi.Input[str]]
    """Host names, a listener each."""
    gateway: pulumi.Input[str]
    """Name of the Gateway, whose `allowed_listeners` have to admit the namespace."""
    gateway_namespace: pulumi.Input[str]
    """Namespace of the Gateway."""
    ready_timeout: NotRequired[int]
    """Seconds that the gateway may take to serve every host name (default 300)."""


def _check_options(faults: Faults, path: str, options: Mapping[str, Any]) -> None:
    if "tls" in options and "port" in options:
        faults.add(
            at(path, "port"), "is for plaintext, found it beside tls, whose port is tls.port"
        )
    for field in ("issuer_ref", "frontend", "redirect"):
        if field in options.get("tls", {}):
            faults.add(at(path, f"tls.{field}"), "is for a gateway of one's own")


def _check_set(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    check_hostnames(faults, path, args["hostnames"], args.get("tls"), at(path, "tls"))


SCHEMA = (
    gateway_rules.SCHEMA
    | https.SCHEMA
    | Schema(
        {
            ListenerSetOptions: {"port": valid.port},
            ListenerSetArgs: {
                "name": valid.subdomain,
                "namespace": valid.dns_label,
                "hostnames": valid.some,
                "hostnames[]": valid.hostname,
                "gateway": valid.subdomain,
                "gateway_namespace": valid.dns_label,
                "ready_timeout": valid.seconds,
            },
        },
        {ListenerSetOptions: _check_options, ListenerSetArgs: _check_set},
        {ListenerSetArgs: ListenerSetOptions},
    )
)
"""What is checked of a ListenerSet's arguments."""


def listener_port(options: ListenerSetOptions) -> int:
    """The port of the listeners."""
    return options["tls"].get("port", 443) if "tls" in options else options.get("port", 80)


def listener_set(
    name: str, args: ListenerSetArgs, opts: pulumi.ResourceOptions | None = None
) -> tuple[ListenerSet, pulumi.Output[str] | None]:
    """Make the ListenerSet `<name>-listeners`, and the PEM of its certificate if one is made.

    It is ready when the gateway serves every host name. Raises `InvalidInput` with every fault of
    `args`.

    https://gateway-api.sigs.k8s.io/guides/listener-set/
    """
    SCHEMA.validate(f"listener set {name!r}", args, ListenerSetArgs)
    own = pulumi.ResourceOptions(custom_timeouts=timeouts(args.get("ready_timeout", 300)))
    inside = pulumi.ResourceOptions.merge(opts, own)
    identity: ObjectMeta = {"name": args["name"], "namespace": args["namespace"]}
    hostnames = [str(hostname) for hostname in args["hostnames"]]
    with trusted():
        tls: Sequence[ListenerTLS] = ()
        pem: pulumi.Output[str] | None = None
        if "tls" in args:
            tls, pem = terminate(
                f"{name}-listeners", identity, hostnames, args["tls"], inside, kind="ListenerSet"
            )
        spec = render_listeners(args, tls)
        # It may be accepted while one of its listeners has a conflict, or lacks its certificate.
        served = [
            f"jsonpath={{.status.listeners[?@.name=='{listener['name']}']"
            f".conditions[?@.type=='{condition}'].status}}=True"
            for listener in spec["listeners"]
            for condition in ("Programmed", "ResolvedRefs")
        ]
        identity["annotations"] = wait_for("condition=Accepted", "condition=Programmed", *served)
        return ListenerSet(f"{name}-listeners", identity, spec, inside), pem


def render_listeners(args: ListenerSetArgs, tls: Sequence[ListenerTLS] = ()) -> ListenerSetSpec:
    """The spec of the ListenerSet; `tls` is what serves each host name, in their order."""
    listeners: list[ListenerEntry] = []
    named = listener_names("https" if tls else "http", args["hostnames"])
    for index, (name, hostname) in enumerate(named):
        listener: ListenerEntry = {
            "name": name,
            "hostname": hostname,
            "port": listener_port(args),
            "protocol": "HTTPS" if tls else "HTTP",
        }
        if tls:
            listener["tls"] = tls[index]
        listeners.append(listener)
    return {
        "parentRef": {"name": args["gateway"], "namespace": args["gateway_namespace"]},
        "listeners": listeners,
    }
