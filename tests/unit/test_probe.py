"""The script that proves an exposure, run by a real shell with a curl that only plays one."""

import os
import subprocess
from pathlib import Path

import pytest

from components.parts.probe import call, command
from tests.unit.conftest import ROOT

CURL = r"""#!/bin/sh
printf '%s\n' "$*" >>"$FOLDER/calls"
[ -z "${CURL_CA_BUNDLE:-}" ] || cp "$CURL_CA_BUNDLE" "$FOLDER/trusted"
answer=$FOLDER/answer.$(wc -l <"$FOLDER/calls" | tr -d ' ')
[ -e "$answer" ] || answer=$FOLDER/answer
cat "$answer"
"""

TRAILER = "HTTP/2 200 \r\ncontent-type: application/grpc\r\n\r\ngrpc-status: 0\r\n\r\n\n200 "
HEADER = "HTTP/2 200 \r\ncontent-type: application/grpc\r\ngrpc-status: 12\r\n\r\n\n200 "
NEITHER = "HTTP/2 503 \r\ncontent-type: text/plain\r\n\r\n\n503 "


class Probe:
    """The script beside a folder of answers; records how it calls curl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("curl", CURL), ("sleep", "#!/bin/sh\n")):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def answer(self, text: str, call: int | None = None) -> None:
        """Let curl print `text`, at that call or at all others."""
        name = "answer" if call is None else f"answer.{call}"
        (self.folder / name).write_bytes(text.encode())

    def run(
        self, *checks: str, method: str = "GET", limit: int = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(ROOT / "components" / "parts" / "probe.sh")],
            env={
                "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
                "FOLDER": str(self.folder),
                "CHECKS": "\n".join(checks),
                "LIMIT": str(limit),
                "METHOD": method,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(tmp_path)


def test_three_rounds_of_right_answers_pass(probe: Probe) -> None:
    probe.answer("200 ")
    probe.answer("404 ", 2)
    probe.answer("404 ", 4)
    probe.answer("404 ", 6)
    done = probe.run("200 a.example.com http://gw:80/a", "404 a.example.com http://gw:80/b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    options = "-sg -m 5 -o /dev/null -H Host: a.example.com -w %{http_code} %{errormsg}"
    assert probe.calls == [f"{options} http://gw:80/a", f"{options} http://gw:80/b"] * 3


def test_rounds_are_counted_anew_after_a_wrong_answer(probe: Probe) -> None:
    probe.answer("200 ")
    probe.answer("503 ", 3)
    assert probe.run("200 a.example.com http://gw:80/a", limit=60).returncode == 0
    assert len(probe.calls) == 6


def test_wrong_answers_are_named_when_time_is_over(probe: Probe) -> None:
    probe.answer("000 Could not resolve host: gw")
    done = probe.run("200 a.example.com http://gw:80/a", "404 b.example.com http://gw:80/b")
    assert done.returncode == 1
    # The second one is not asked for any more.
    assert done.stderr == (
        "after 0 s: GET http://gw:80/a (Host: a.example.com): expected 200, got 000 Could not"
        " resolve host: gw\n"
    )


@pytest.mark.parametrize(
    ("url", "address"),
    [("https://gw:443/a?b", "gw:443"), ("https://[fd00::9]:8443/a?b", "[fd00::9]:8443")],
)
def test_https_goes_to_the_gateway_under_the_name_of_the_host(
    probe: Probe, url: str, address: str
) -> None:
    probe.answer("200 ")
    assert probe.run(f"200 a.example.com {url}").returncode == 0
    assert probe.calls[0] == (
        f"-sg -m 5 -o /dev/null --connect-to ::{address} --insecure"
        " -w %{http_code} %{errormsg} https://a.example.com/a?b"
    )


def test_a_given_certificate_is_the_only_one_that_is_trusted(probe: Probe) -> None:
    probe.answer("200 ")
    done = probe.run("200 a.example.com https://gw:443/a", CERTIFICATE="PEM")
    assert done.returncode == 0
    assert "--insecure" not in probe.calls[0]
    assert (probe.folder / "trusted").read_text() == "PEM"


@pytest.mark.parametrize(
    ("answer", "status"), [(TRAILER, "0"), (HEADER, "12"), (HEADER.replace("12", "7"), "7")]
)
def test_grpc_status_is_found_in_header_and_trailer(probe: Probe, answer: str, status: str) -> None:
    probe.answer(answer)
    done = probe.run(f"{status} a.example.com http://gw:80/a.B/C", method="gRPC")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--http2-prior-knowledge" in probe.calls[0]
    assert "-H content-type: application/grpc -H te: trailers" in probe.calls[0]
    assert "-H Host: a.example.com" in probe.calls[0]
    assert probe.calls[0].endswith(" http://gw:80/a.B/C")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (HEADER, "12"),
        (NEITHER, "HTTP 503 "),
        ("\n000 Connection refused", "HTTP 000 Connection refused"),
    ],
)
def test_an_answer_without_the_grpc_status_is_named(probe: Probe, answer: str, found: str) -> None:
    probe.answer(answer)
    done = probe.run("0 a.example.com http://gw:80/a.B/C", method="gRPC")
    assert done.returncode == 1
    assert done.stderr == (
        f"after 0 s: gRPC http://gw:80/a.B/C (Host: a.example.com): expected 0, got {found}\n"
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
