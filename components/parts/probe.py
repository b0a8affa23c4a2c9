"""The proof that an exposure serves."""

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.gateway import timeouts
from ..api.outputs import after
from ..checks import values as valid
from ..checks.schema import Schema
from .former import own_component
from .workload import RESTRICTED

_SCRIPT = Path(__file__).with_suffix(".sh").read_text(encoding="utf-8")

_START = 120
"""Seconds that the pod may take to start, its image pull included."""

_ROOM = 63 - len("-12345678")
"""Characters of a Job's name before the ending that the provider adds."""


class CheckArgs(TypedDict):
    """A request and how it must be answered."""

    path: str
    """Path of the request, a query allowed; of a gRPC service `/package.Service/Method`."""
    status: int
    """HTTP status of the answer; of a gRPC service, which is sent an empty message, the gRPC
    status: 0 is `OK`, 12 `UNIMPLEMENTED`."""


class ProbeArgs(TypedDict):
    """What a `Probe` is made of."""

    name: pulumi.Input[str]
    """What its pods have as the label `ambient-exposure/proof`; the Job gets a name of its own in
    each update, the resource's with an ending."""
    namespace: pulumi.Input[str]
    """Namespace of the client."""
    account: pulumi.Input[str]
    """ServiceAccount of the client."""
    image: pulumi.Input[str]
    """Container image, with a shell and curl."""
    urls: pulumi.Input[Sequence[str]]
    """Addresses of the ingress gateway, `http://host:port` or `https://host:port` each."""
    certificate: NotRequired[pulumi.Input[str]]
    """Certificate that it has to show for HTTPS, PEM (default any)."""
    grpc: NotRequired[bool]
    """Whether the requests are gRPC calls (default false)."""
    hostnames: Sequence[pulumi.Input[str]]
    """Host names that the requests carry."""
    checks: Sequence[CheckArgs]
    """Requests, sent in this order to every address with every host name. Put one that the
    service answers first: it tells a 404 of the waypoint from one of the ingress gateway."""
    subject: pulumi.Input[str]
    """`fingerprint` of what the requests prove; the proof is repeated when it changes."""
    timeout: NotRequired[int]
    """Seconds within which all must be answered as expected (default 60)."""


SCHEMA = Schema(
    {
        CheckArgs: {"path": valid.request_path},
        ProbeArgs: {
            "name": valid.dns_label,
            "namespace": valid.dns_label,
            "account": valid.dns_label,
            "image": valid.image,
            "hostnames": valid.some,
            "hostnames[]": valid.hostname,
            "checks": valid.some,
            "timeout": valid.seconds,
        },
    },
    {},
)
"""What is checked of a proof's arguments."""


class Probe(kubernetes.batch.v1.Job):
    """A Job that sends requests through the ingress gateway from the client's namespace.

    The update ends only when every request was answered with its status, and fails otherwise
    with the requests, the expected and the actual status. A failed proof is repeated by the
    next update. Raises `InvalidInput` with every fault of `args`.
    """

    answers: pulumi.Output[list[str]]
    """`GET URL (Host: NAME): STATUS`, or `gRPC URL …`, for each request, in an update known once it
    was answered so."""

    def __init__(
        self, name: str, args: ProbeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Probe {name!r}", args, ProbeArgs)
        timeout = args.get("timeout", 60)
        resource = short(f"{name}-job")
        own = pulumi.ResourceOptions(
            custom_timeouts=timeouts(_START + timeout + 30),
            aliases=[own_component("Probe", name, opts)],
        )
        super().__init__(resource, **render_job(args), opts=pulumi.ResourceOptions.merge(opts, own))
        self.answers = after(
            _requests(args).apply(
                lambda requests: [
                    f"{_method(args)} {url} (Host: {host}): {status}"
                    for status, host, url in requests
                ]
            ),
            # Known in a preview, too: where only the proof is repeated, no output changes.
            self.urn,
        )


def fingerprint(*parts: pulumi.Input[Any]) -> pulumi.Output[str]:
    """A digest of `parts`, known once all of them are."""
    return pulumi.Output.json_dumps(parts, sort_keys=True).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
    )


def short(name: str) -> str:
    """`name`, or one instead that leaves room in a Job's for the ending that the provider adds."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name if len(name) <= _ROOM else f"{name[: _ROOM - 9]}-{digest}"


def render_job(args: ProbeArgs) -> dict[str, Any]:
    """`metadata` and `spec` of the Job."""
    timeout = args.get("timeout", 60)
    return {
        # Without a name: one of an earlier update, which was killed perhaps, is in nobody's way.
        "metadata": {
            "namespace": args["namespace"],
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": _START + timeout,
            "template": {
                "metadata": {
                    # No label that a Service could select.
                    "labels": {"ambient-exposure/proof": args["name"]},
                    "annotations": {"ambient-exposure/subject": args["subject"]},
                },
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": args["account"],
                    "containers": [
                        {
                            "name": "probe",
                            "image": args["image"],
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["/bin/sh", "-c", _SCRIPT],
                            "env": [{"name": k, "value": v} for k, v in _environment(args).items()],
                            "securityContext": RESTRICTED,
                            # The last lines of a failed probe become the update's error.
                            "terminationMessagePolicy": "FallbackToLogsOnError",
                        }
                    ],
                },
            },
        },
    }


def _method(args: ProbeArgs) -> str:
    return "gRPC" if args.get("grpc") else "GET"


def _environment(args: ProbeArgs) -> dict[str, pulumi.Input[str]]:
    """What the script reads."""
    found: dict[str, pulumi.Input[str]] = {
        "CHECKS": _requests(args).apply(lambda requests: "\n".join(map(" ".join, requests))),
        "LIMIT": str(args.get("timeout", 60)),
        "METHOD": _method(args),
    }
    if "certificate" in args:
        found["CERTIFICATE"] = args["certificate"]
    return found


def _requests(args: ProbeArgs) -> pulumi.Output[list[tuple[str, str, str]]]:
    """Expected status, host name and URL of each request, in order."""

    def requests(values: dict[str, Any]) -> list[tuple[str, str, str]]:
        return [
            (str(check["status"]), _concrete(hostname), f"{url}{check['path']}")
            for url in values["urls"]
            for hostname in values["hostnames"]
            for check in args["checks"]
        ]

    return pulumi.Output.all(urls=args["urls"], hostnames=args["hostnames"]).apply(requests)


def command(url: str, hostname: str, path: str, *, self_signed: bool = False) -> str:
    """A `curl` command that sends a request to the gateway at `url`."""
    hostname = _concrete(hostname)
    if address := url.removeprefix("https://") if url.startswith("https:") else "":
        words = ["curl", "-sSi", "--connect-to", f"::{address}", f"https://{hostname}{path}"]
        return shlex.join([*words, "--insecure"] if self_signed else words)
    return shlex.join(["curl", "-sSig", "-H", f"Host:{hostname}", f"{url}{path}"])


def call(url: str, hostname: str, path: str, *, self_signed: bool = False) -> str:
    """A `grpcurl` command that calls a method through the gateway at `url`."""
    scheme, _, address = url.partition("://")
    insecure = ["-insecure"] if self_signed else []
    trust = ["-plaintext"] if scheme == "http" else insecure
    words = ["grpcurl", *trust, "-authority", _concrete(hostname), address, path.lstrip("/")]
    return shlex.join(words)


def _concrete(hostname: str) -> str:
    """A host name that the possibly wild one stands for."""
    return hostname.replace("*", "verify")
