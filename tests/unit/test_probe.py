"""The script that proves an exposure, run by a real shell with a curl that only plays one."""

import os
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from components.parts.probe import CheckArgs, call, command, render_requests
from tests.unit.conftest import ROOT

TRAILER = "HTTP/2 200 \r\ncontent-type: application/grpc\r\n\r\ngrpc-status: 0\r\n\r\n"
HEADER = "HTTP/2 200 \r\ncontent-type: application/grpc\r\ngrpc-status: 12\r\n\r\n"
NEITHER = "HTTP/2 503 \r\ncontent-type: text/plain\r\n\r\n"

CURL = r"""#!/bin/sh
# Prints what it is told to, with trailers and bodies where they belong, and keeps what it was told.
[ -z "${CURL_CA_BUNDLE:-}" ] || cp "$CURL_CA_BUNDLE" "$FOLDER/trusted"
for word in "$@"; do last=$word; done
call=$(find "$FOLDER" -name 'call.*' | wc -l | tr -d ' ')
call=$((call + 1))
{ printf '%s\n' "$*"; cat "$last"; } >"$FOLDER/call.$call"
for what in answer headers content; do
  file=$FOLDER/$what.$call
  [ -e "$file" ] || file=$FOLDER/$what
  [ -e "$file" ] || continue
  if [ "$what" = answer ]; then cat "$file"; else cat "$file" >"$what"; fi
done
"""

A: CheckArgs = {"path": "/a", "status": 200}
B: CheckArgs = {"path": "/b", "status": 404}
GW = "http://gw:80"
HOST = "a.example.com"


class Probe:
    """The script beside a folder of answers; records how it calls curl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("curl", CURL), ("sleep", "#!/bin/sh\n")):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def answer(self, text: str, call: int | None = None, what: str = "answer") -> None:
        """Let curl print `text`, or find it elsewhere, at that call or at all others."""
        name = what if call is None else f"{what}.{call}"
        (self.folder / name).write_bytes(text.encode())

    def run(
        self,
        *checks: CheckArgs,
        url: str = GW,
        grpc: bool = False,
        limit: int = 0,
        certificate: str = "",
    ) -> subprocess.CompletedProcess[str]:
        requests = render_requests([url], [HOST], checks, grpc=grpc, trusted=bool(certificate))
        return subprocess.run(
            ["/bin/sh", str(ROOT / "components" / "parts" / "probe.sh")],
            env={
                "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
                "FOLDER": str(self.folder),
                "TMPDIR": str(self.folder),
                "CHECKS": requests,
                "LIMIT": str(limit),
                **({"CERTIFICATE": certificate} if certificate else {}),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call of curl, and the lines of its configuration."""
        number = len(list(self.folder.glob("call.*")))
        return [
            (self.folder / f"call.{call}").read_text().splitlines() for call in range(1, number + 1)
        ]


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(tmp_path)


def test_five_rounds_of_right_answers_pass(probe: Probe) -> None:
    probe.answer("200 \n")
    for later in range(2, 11, 2):
        probe.answer("404 \n", later)
    done = probe.run(A, B)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = r'write-out = "%{http_code} %{errormsg}\n"'
    assert (
        probe.calls
        == [
            [
                f"-sg -m 5 -D headers -o content -K {number}.curl",
                f'url = "{GW}/{path}"',
                f'header = "Host: {HOST}"',
                written,
            ]
            for number, path in ((1, "a"), (2, "b"))
        ]
        * 5
    )


def test_rounds_are_counted_anew_after_a_wrong_answer(probe: Probe) -> None:
    probe.answer("200 \n")
    probe.answer("503 \n", 3)
    assert probe.run(A, limit=60).returncode == 0
    assert len(probe.calls) == 8


def test_wrong_answers_are_named_when_time_is_over(probe: Probe) -> None:
    probe.answer("000 Could not resolve host: gw\n")
    done = probe.run(A, B)
    assert done.returncode == 1
    # The second one is not asked for any more.
    assert done.stderr == (
        "after 0 s: GET http://gw:80/a (Host: a.example.com): expected 200, got 000 Could not"
        " resolve host: gw\n"
    )


@pytest.mark.parametrize(
    ("url", "address"),
    [("https://gw:443", "gw:443"), ("https://[fd00::9]:8443", "[fd00::9]:8443")],
)
def test_https_goes_to_the_gateway_under_the_name_of_the_host(
    probe: Probe, url: str, address: str
) -> None:
    probe.answer("200 \n")
    assert probe.run({**A, "path": "/a?b"}, url=url).returncode == 0
    assert probe.calls[0][1:4] == [
        'url = "https://a.example.com/a?b"',
        f'connect-to = "::{address}"',
        "insecure",
    ]


def test_a_given_certificate_is_the_only_one_that_is_trusted(probe: Probe) -> None:
    probe.answer("200 \n")
    done = probe.run(A, url="https://gw:443", certificate="PEM")
    assert done.returncode == 0
    assert "insecure" not in probe.calls[0]
    assert (probe.folder / "trusted").read_text() == "PEM"


@pytest.mark.parametrize(
    ("check", "options"),
    [
        (
            {"headers": {"x-a": ' say "b\\c" \n', "x-empty": ""}},
            [r'header = "x-a: say \"b\\c\""', 'header = "x-empty;"'],
        ),
        ({"method": "HEAD"}, ["head"]),
        ({"method": "DELETE"}, ['request = "DELETE"']),
        ({"method": "PUT"}, ['request = "PUT"', 'data-raw = ""']),
        ({"body": "a\nb"}, ['request = "POST"', r'data-raw = "a\nb"']),
        ({"body": "{}", "method": "PATCH"}, ['request = "PATCH"', 'data-raw = "{}"']),
        ({"body": "{}", "method": "GET"}, ['request = "GET"', 'data-raw = "{}"']),
    ],
)
def test_requests_are_sent_as_they_shall_be(
    probe: Probe, check: dict[str, Any], options: list[str]
) -> None:
    probe.answer("200 \n")
    done = probe.run(cast("CheckArgs", {**A, **check}))
    assert (done.returncode, done.stderr) == (0, "")
    assert [one for one in probe.calls[0][3:] if not one.startswith("write-out")] == options


def test_headers_of_the_answer_are_compared(probe: Probe) -> None:
    headers = {"location": "https://a/b c", "vary": "*"}
    probe.answer("200 \nhttps://a/b c\n*\n")
    assert probe.run({**A, "response_headers": headers}).returncode == 1
    probe.answer("200 \nlocation: https://a/b c\nvary: *\n")
    assert probe.run({**A, "response_headers": headers}).returncode == 0
    written = r"%{http_code} %{errormsg}\nlocation: %header{location}\nvary: %header{vary}\n"
    assert f'write-out = "{written}"' in probe.calls[-1]
    probe.answer("200 \nlocation: https://a/b\nvary: \n")
    done = probe.run({**A, "response_headers": headers})
    name = "GET http://gw:80/a (Host: a.example.com)"
    assert done.stderr == (
        f"after 0 s: {name}: expected location: https://a/b c, got location: https://a/b\n"
        f"{name}: expected vary: *, got vary: \n"
    )


def test_the_body_of_the_answer_contains_a_text(probe: Probe) -> None:
    check: CheckArgs = {**A, "response_body": "-a.*b"}
    probe.answer("200 \n")
    probe.answer("before\nx -a.*b y\n", what="content")
    assert probe.run(check).returncode == 0
    # It is a text, no pattern, and what was found instead may be a secret.
    probe.answer("-a--b hunter2", what="content")
    done = probe.run(check)
    assert done.stderr == (
        "after 0 s: GET http://gw:80/a (Host: a.example.com): expected -a.*b in the body, got"
        " another one\n"
    )


@pytest.mark.parametrize(
    ("headers", "status"), [(TRAILER, 0), (HEADER, 12), (HEADER.replace("12", "7"), 7)]
)
def test_grpc_status_is_found_in_header_and_trailer(
    probe: Probe, headers: str, status: int
) -> None:
    probe.answer("200 \n")
    probe.answer(headers, what="headers")
    done = probe.run({"path": "/a.B/C", "status": status}, grpc=True)
    assert (done.returncode, done.stderr) == (0, "")
    sent = [
        'request = "POST"',
        "http2-prior-knowledge",
        'header = "content-type: application/grpc"',
        'header = "te: trailers"',
        *([] if status == 12 else ['data-binary = "@empty-message"']),
    ]
    assert [one for one in probe.calls[0][3:] if not one.startswith("write-out")] == sent


@pytest.mark.parametrize(
    ("headers", "answer", "found"),
    [
        (HEADER, "200 \n", "12"),
        (NEITHER, "503 \n", "HTTP 503"),
        ("", "000 Connection refused\n", "HTTP 000 Connection refused"),
    ],
)
def test_an_answer_without_the_grpc_status_is_named(
    probe: Probe, headers: str, answer: str, found: str
) -> None:
    probe.answer(answer)
    probe.answer(headers, what="headers")
    done = probe.run({"path": "/a.B/C", "status": 0}, grpc=True)
    assert done.returncode == 1
    assert done.stderr.rstrip() == (
        f"after 0 s: gRPC http://gw:80/a.B/C (Host: a.example.com): expected 0, got {found}"
    )


@pytest.mark.parametrize(
    ("url", "self_signed", "expected"),
    [
        ("http://gw:80", False, "curl -sSig -H Host:a.example.com http://gw:80/a"),
        (
            "https://gw:443",
            False,
            "curl -sSi --connect-to ::gw:443 https://a.example.com/a",
        ),
        (
            "https://gw:443",
            True,
            "curl -sSi --connect-to ::gw:443 https://a.example.com/a --insecure",
        ),
        (
            "https://[fd00::9]:443",
            False,
            "curl -sSi --connect-to '::[fd00::9]:443' https://a.example.com/a",
        ),
    ],
)
def test_commands_reach_the_gateway_under_the_name_of_the_host(
    url: str, *, self_signed: bool, expected: str
) -> None:
    assert command(url, "a.example.com", "/a", self_signed=self_signed) == expected


@pytest.mark.parametrize(
    ("url", "self_signed", "expected"),
    [
        ("http://gw:80", False, "grpcurl -plaintext -authority a.example.com gw:80 echo.Echo/Say"),
        ("https://gw:443", False, "grpcurl -authority a.example.com gw:443 echo.Echo/Say"),
        ("https://gw:443", True, "grpcurl -insecure -authority a.example.com gw:443 echo.Echo/Say"),
    ],
)
def test_methods_are_called_under_the_name_of_the_host(
    url: str, *, self_signed: bool, expected: str
) -> None:
    assert call(url, "a.example.com", "/echo.Echo/Say", self_signed=self_signed) == expected


def test_a_wildcard_is_asked_for_under_one_of_its_names() -> None:
    assert "Host:verify.example.com" in command("http://gw:80", "*.example.com", "/")


def test_a_connection_is_judged_by_its_text_alone(probe: Probe) -> None:
    check: CheckArgs = {"body": "good\nmorning", "response_body": "good morning"}
    probe.answer("000 Operation timed out\n")
    probe.answer("> good morning", what="content")
    assert probe.run(check, url="tcp://gw:5432").returncode == 0
    first, *configuration = probe.calls[0]
    assert first == "-sg -m 5 -o content -K 1.curl"
    assert configuration[0] == 'url = "telnet://gw:5432"'
    assert len(probe.calls) == 5

    probe.answer("> good evening", what="content")
    done = probe.run(check, url="tcp://gw:5432")
    assert done.stderr == (
        "after 0 s: TCP tcp://gw:5432: expected good morning in the body, got another one:"
        " Operation timed out\n"
    )


def test_tls_that_the_service_terminates_is_https(probe: Probe) -> None:
    probe.answer("200 \n")
    assert probe.run(A, url="tls://gw:8443").returncode == 0
    assert f'url = "https://{HOST}/a"' in probe.calls[0]
    assert 'connect-to = "::gw:8443"' in probe.calls[0]
