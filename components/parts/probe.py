"""The proof that an exposure serves."""

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..api.gateway import timeouts
from ..api.outputs import after
from ..checks import values as valid
from ..checks.faults import Faults
from ..checks.schema import Schema, at
from ..cluster.proofs import AWAITED, PROOF
from .former import own_component
from .pod import small_pod, with_names

_SCRIPT = Path(__file__).with_suffix(".sh").read_text(encoding="utf-8")

START = 120
"""Seconds that the pod may take to start, its image pull included."""

_UNIMPLEMENTED = 12
"""gRPC status of a method that there is not."""

_HEADER = valid.Limit(1, pattern=r"^[-!#$%&'*+.^_`|~0-9A-Za-z]+$", words="the name of a header")
_LINE = valid.Limit(pattern=r"^[^\r\n]*$", words="a single line")

_HTTP_ONLY = ("method", "body", "response_headers", "response_body")
"""What a request of a gRPC service cannot have."""

_OF_CONNECTIONS = ("body", "response_body")
"""What alone a check of TCP has."""

_ROOM = 63 - len("-12345678")
"""Characters of a Job's name before the ending that the provider adds."""


Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""Method of a request."""


class CheckArgs(TypedDict):
    """A request and how it must be answered.

    One of a `tcp` service has only `body`, the text that is sent over a connection (default none),
    and `response_body`.
    """

    path: NotRequired[str]
    """Path of the request, a query allowed; of a gRPC service `/package.Service/Method`. Required,
    but for `tcp`."""
    status: NotRequired[int]
    """HTTP status of the answer; of a gRPC service, which is sent an empty message, the gRPC
    status: 0 is `OK`, 12 `UNIMPLEMENTED`. Required, but for `tcp`."""
    method: NotRequired[Method]
    """Method of the request (default `GET`, with a `body` `POST`)."""
    headers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Headers of the request, such as a token (default none). They are kept in a Secret."""
    body: NotRequired[pulumi.Input[str]]
    """Body of the request, a form unless the header `content-type` says otherwise (default none).
    It is kept in a Secret."""
    response_headers: NotRequired[Mapping[str, str]]
    """Headers that the answer has to have, with exactly these values (default any)."""
    response_body: NotRequired[str]
    """Text that the body of the answer has to contain (default any)."""


class ProbeArgs(TypedDict):
    """What a `Probe` is made of."""

    name: pulumi.Input[str]
    """What its pods have as the label `ambient-exposure/proof`; the Job gets a name of its own in
    each update, the resource's with an ending."""
    namespace: pulumi.Input[str]
    """Namespace of the pod that sends the requests."""
    account: NotRequired[pulumi.Input[str]]
    """ServiceAccount of the pod (default the namespace's `default`)."""
    image: pulumi.Input[str]
    """Container image, with a shell and curl 7.84 or newer."""
    urls: pulumi.Input[Sequence[str]]
    """Addresses of the ingress gateway, `http://host:port`, `https://host:port`, `tls://host:port`
    for HTTPS that the service terminates, or `tcp://host:port` each."""
    certificate: NotRequired[pulumi.Input[str]]
    """Certificate that it has to show for HTTPS, PEM (default any)."""
    grpc: NotRequired[bool]
    """Whether the requests are gRPC calls (default false)."""
    tcp: NotRequired[bool]
    """Whether they are connections of TCP, for which there are no host names (default false)."""
    hostnames: Sequence[pulumi.Input[str]]
    """Host names that the requests carry."""
    checks: Sequence[CheckArgs]
    """Requests, sent in this order to every address with every host name. Put one that the
    service answers first: it tells a 404 of the waypoint from one of the ingress gateway."""
    subject: pulumi.Input[str]
    """`fingerprint` of what the requests prove; the proof is repeated when it changes."""
    pod: NotRequired[Mapping[str, Any]]
    """Changes to the spec of its pod, in Kubernetes' own form and merged as those of a service
    (default none). The container has the name `probe`."""
    timeout: NotRequired[int]
    """Seconds within which all must be answered as expected (default 60)."""


def check_requests(
    faults: Faults, path: str, checks: Sequence[Any], *, grpc: bool, tcp: bool = False
) -> None:
    """Record what no request of a proof may have, or none of a gRPC service, or of TCP."""
    for index, check in enumerate(checks):
        if not isinstance(check, Mapping):
            continue
        if tcp:
            _check_connection(faults, f"{path}[{index}]", check)
            continue
        for field, expected in (("path", "a string"), ("status", "an integer")):
            if field not in check:
                faults.add(f"{path}[{index}].{field}", f"found nothing, expected {expected}")
        for header in check.get("headers", {}):
            if header.lower() == "host":
                where = f"{path}[{index}].headers[{header!r}]"
                faults.add(where, "found it beside hostnames, one of which each request carries")
        for field in _HTTP_ONLY if grpc else ():
            if field in check:
                where = f"{path}[{index}].{field}"
                faults.add(where, "is for HTTP; a gRPC service is sent an empty message")


def _check_connection(faults: Faults, path: str, check: Mapping[str, Any]) -> None:
    for field in sorted(check.keys() - {*_OF_CONNECTIONS}):
        faults.add(at(path, field), "is for HTTP; over TCP body is sent, response_body expected")
    if "response_body" not in check:
        faults.add(
            at(path, "response_body"),
            "found nothing, expected a text: a gateway takes connections that lead nowhere, too",
        )


def _check_probe(faults: Faults, path: str, args: Mapping[str, Any]) -> None:
    grpc, tcp = args.get("grpc", False), args.get("tcp", False)
    check_requests(faults, at(path, "checks"), args["checks"], grpc=grpc, tcp=tcp)
    if tcp == bool(args["hostnames"]):
        expected = "none for TCP" if tcp else "at least one"
        faults.add(at(path, "hostnames"), f"found {args['hostnames']}, expected {expected}")


SCHEMA = Schema(
    {
        CheckArgs: {
            "path": valid.request_path,
            "headers{}": _HEADER,
            "headers[]": _LINE,
            "response_headers{}": _HEADER,
            "response_headers[]": _LINE,
            "response_body": _LINE,
        },
        ProbeArgs: {
            "name": valid.dns_label,
            "namespace": valid.dns_label,
            "account": valid.dns_label,
            "image": valid.image,
            "hostnames[]": valid.hostname,
            "checks": valid.some,
            "pod": with_names,
            "timeout": valid.seconds,
        },
    },
    {ProbeArgs: _check_probe},
)
"""What is checked of a proof's arguments."""


class Probe(kubernetes.batch.v1.Job):
    """A Job that sends requests through the ingress gateway from the client's namespace.

    The update ends only when every request was answered with its status, and fails otherwise
    with the requests, the expected and the actual status. A failed proof is repeated by the
    next update. Raises `InvalidInput` with every fault of `args`.
    """

    answers: pulumi.Output[list[str]]
    """`METHOD URL (Host: NAME): STATUS`, or `gRPC URL …`, for each request, in an update known once
    it was answered so."""

    def __init__(
        self, name: str, args: ProbeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        SCHEMA.validate(f"Probe {name!r}", args, ProbeArgs)
        timeout = args.get("timeout", 60)
        own = pulumi.ResourceOptions(
            custom_timeouts=timeouts(START + timeout + 30),
            aliases=[own_component("Probe", name, opts)],
            ignore_changes=[AWAITED],
        )
        super().__init__(
            short(f"{name}-job"),
            **render_job(args, _sent(name, args, opts)),
            opts=pulumi.ResourceOptions.merge(opts, own),
        )
        grpc = args.get("grpc", False)
        # Without headers and bodies, which may be secret.
        known: list[CheckArgs] = [{} if args.get("tcp") else _named(one) for one in args["checks"]]
        self.answers = after(
            pulumi.Output.all(args["urls"], args["hostnames"]).apply(
                lambda to: answers(to[0], to[1], known, grpc=grpc)
            ),
            # Known in a preview, too: where only the proof is repeated, no output changes.
            self.urn,
        )


def _sent(name: str, args: ProbeArgs, opts: pulumi.ResourceOptions | None) -> dict[str, Any]:
    """What the container has in its environment of the requests: their text, or its Secret."""
    grpc, trusted = args.get("grpc", False), "certificate" in args
    text = pulumi.Output.all(args["urls"], args["hostnames"], args["checks"]).apply(
        lambda to: render_requests(to[0], to[1], to[2], grpc=grpc, trusted=trusted)
    )
    if not any(check.keys() & {"headers", "body"} for check in args["checks"]):
        return {"value": text}
    secret = kubernetes.core.v1.Secret(
        f"{name}-requests",
        metadata={"namespace": args["namespace"]},
        string_data={"requests": text},
        opts=opts,
    )
    return {"valueFrom": {"secretKeyRef": {"name": secret.metadata.name, "key": "requests"}}}


def fingerprint(*parts: pulumi.Input[Any]) -> pulumi.Output[str]:
    """A digest of `parts`, known once all of them are."""
    return pulumi.Output.json_dumps(parts, sort_keys=True).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
    )


def short(name: str) -> str:
    """`name`, or one instead that leaves room in a Job's for the ending that the provider adds."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name if len(name) <= _ROOM else f"{name[: _ROOM - 9]}-{digest}"


def render_job(args: ProbeArgs, sent: Mapping[str, Any]) -> dict[str, Any]:
    """`metadata` and `spec` of the Job, which has the requests as `sent` in its environment."""
    timeout = args.get("timeout", 60)
    environment: list[dict[str, Any]] = [
        {"name": "CHECKS", **sent},
        {"name": "LIMIT", "value": str(timeout)},
    ]
    if "certificate" in args:
        environment.append({"name": "CERTIFICATE", "value": args["certificate"]})
    own: dict[str, Any] = {"restartPolicy": "Never"}
    if "account" in args:
        own["serviceAccountName"] = args["account"]
    return {
        # Without a name: one of an earlier update, which was killed perhaps, is in nobody's way.
        "metadata": {
            "namespace": args["namespace"],
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": START + timeout,
            "template": {
                "metadata": {
                    # No label that a Service could select.
                    "labels": {PROOF: args["name"]},
                    "annotations": {"ambient-exposure/subject": args["subject"]},
                },
                "spec": small_pod(
                    {
                        "name": "probe",
                        "image": args["image"],
                        "command": ["/bin/sh", "-c", _SCRIPT],
                        "env": environment,
                        # The last lines of a failed probe become the update's error.
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                    },
                    {**own, **args.get("pod", {})},
                ),
            },
        },
    }


def answers(
    urls: Sequence[str], hostnames: Sequence[str], checks: Sequence[CheckArgs], *, grpc: bool
) -> list[str]:
    """`METHOD URL (Host: NAME): STATUS` of each request, in their order."""
    return [
        f"{_called(*one, grpc=grpc)}: {one[2].get('status', 'answered')}"
        for one in _each(urls, hostnames, checks)
    ]


def expectations(
    urls: Sequence[str], hostnames: Sequence[str], checks: Sequence[CheckArgs], *, grpc: bool
) -> list[tuple[str, list[str]]]:
    """Name of each request, and status, headers and text that its answer has to have, in order."""
    return [
        (_called(*one, grpc=grpc), [*_expected(one[2]), *_contained(one[2])])
        for one in _each(urls, hostnames, checks)
    ]


def _expected(check: CheckArgs) -> Iterator[str]:
    """Status and headers."""
    if "status" in check:
        yield str(check["status"])
    yield from (f"{name}: {value}" for name, value in check.get("response_headers", {}).items())


def _contained(check: CheckArgs) -> Iterator[str]:
    if "response_body" in check:
        yield f"{check['response_body']} in the body"


def _named(check: CheckArgs) -> CheckArgs:
    return {"path": check["path"], "status": check["status"], "method": _method(check)}


def render_requests(
    urls: Sequence[str],
    hostnames: Sequence[str],
    checks: Sequence[CheckArgs],
    *,
    grpc: bool,
    trusted: bool,
) -> str:
    """What the script reads; a certificate is not looked at unless it is `trusted`."""
    lines: list[str] = []
    for url, hostname, check in _each(urls, hostnames, checks):
        lines.append(f"request {_called(url, hostname, check, grpc=grpc)}")
        if url.startswith(_TCP):
            lines += _connection(url, check)
            continue
        options = [*_to(url, hostname, check["path"], trusted=trusted), *_written(check)]
        options += _call(check) if grpc else _request(check)
        lines += [f"curl {option}" for option in options]
        lines += [f"expect {line}" for line in _expected(check)]
        if "response_body" in check:
            lines.append(f"body {check['response_body']}")
        if grpc:
            lines.append("grpc")
    return "\n".join(lines)


def _each(
    urls: Sequence[str], hostnames: Sequence[str], checks: Sequence[CheckArgs]
) -> Iterator[tuple[str, str, CheckArgs]]:
    """URL, host name and check of each request, in order."""
    for url in urls:
        for hostname in hostnames or [""]:
            for check in checks:
                yield url, _concrete(hostname), check


_TCP = "tcp://"


def _connection(url: str, check: CheckArgs) -> Iterator[str]:
    """A connection of TCP, by what curl has for one."""
    yield f"curl {_option('url', url.replace(_TCP, 'telnet://'))}"
    # It ends when the service closes it, or now.
    yield f"curl {_option('max-time', '2')}"
    yield f"curl {_option('write-out', '%{http_code} %{errormsg}')}"
    yield "expect 000"
    yield "tcp"
    yield from (f"send {line}" for line in str(check.get("body", "")).splitlines())
    yield f"body {check['response_body']}"


def _called(url: str, hostname: str, check: CheckArgs, *, grpc: bool) -> str:
    if url.startswith(_TCP):
        return f"TCP {url}"
    return f"{'gRPC' if grpc else _method(check)} {url}{check['path']} (Host: {hostname})"


def _method(check: CheckArgs) -> Method:
    return check.get("method", "POST" if "body" in check else "GET")


def _to(url: str, hostname: str, path: str, *, trusted: bool) -> Iterator[str]:
    """Where a request goes."""
    scheme, _, address = url.partition("://")
    if scheme == "http":
        yield _option("url", f"{url}{path}")
        yield _option("header", f"Host: {hostname}")
        return
    # The gateway chooses listener and certificate by the name in the handshake.
    yield _option("url", f"https://{hostname}{path}")
    yield _option("connect-to", f"::{address}")
    if not trusted:
        yield "insecure"


def _written(check: CheckArgs) -> Iterator[str]:
    """What curl is told to send besides, and to write of the answer."""
    for header, value in check.get("headers", {}).items():
        # A secret may have been set with the end of its line.
        text = str(value).strip()
        yield _option("header", f"{header}: {text}" if text else f"{header};")
    headers = "".join(f"{name}: %header{{{name}}}\n" for name in check.get("response_headers", {}))
    yield _option("write-out", f"%{{http_code}} %{{errormsg}}\n{headers}")


def _request(check: CheckArgs) -> Iterator[str]:
    """Method and body."""
    method = _method(check)
    if method == "HEAD":
        yield "head"
    elif method != "GET" or "body" in check:
        yield _option("request", method)
    if "body" in check or method in ("POST", "PUT", "PATCH"):
        yield _option("data-raw", str(check.get("body", "")))


def _call(check: CheckArgs) -> Iterator[str]:
    """A gRPC call with an empty message."""
    yield _option("request", "POST")
    yield "http2-prior-knowledge"
    yield _option("header", "content-type: application/grpc")
    yield _option("header", "te: trailers")
    # A proxy that refuses the method does not wait for the message, which some versions of curl
    # do not bear.
    if check["status"] != _UNIMPLEMENTED:
        yield _option("data-binary", "@empty-message")


def _option(name: str, value: str) -> str:
    """A line of a curl configuration."""
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(character, escaped)
    return f'{name} = "{value}"'


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


def connect(url: str, hostname: str = "") -> str:
    """A command that opens a connection through the gateway at `url`, `tls://` or `tcp://`."""
    scheme, _, address = url.partition("://")
    if scheme == "tls":
        return shlex.join(
            ["openssl", "s_client", "-connect", address, "-servername", _concrete(hostname)]
        )
    host, _, port = address.rpartition(":")
    return shlex.join(["nc", host.strip("[]"), port])


def _concrete(hostname: str) -> str:
    """A host name that the possibly wild one stands for."""
    return hostname.replace("*", "verify")
