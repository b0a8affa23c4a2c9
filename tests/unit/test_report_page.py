"""The report of a verification: what its script measures of a real server, and the page."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.commands.report_page import Result, page, parted
from components.parts.probe import CheckArgs, expectations, render_requests
from tests.unit.conftest import ROOT

HOST = "a.example.com"
CALL: CheckArgs = {"path": "/call", "status": 12}
AT = datetime(2026, 5, 12, 8, 30, tzinfo=UTC)
TOKEN = "of-nobody-else"  # noqa: S105  # what no report may show
ANSWERS = {
    "/behind": (200, {"Server": "istio-envoy", "x-envoy-upstream-service-time": "7"}),
    "/refused": (404, {"server": "istio-envoy"}),
    "/other": (503, {"server": "<b>nginx</b>"}),
    "/silent": (200, {}),
    "/call": (200, {"server": "istio-envoy", "grpc-status": "12"}),
}


class Gateway(BaseHTTPRequestHandler):
    """Answers as `ANSWERS` says, and nothing else."""

    def do_GET(self) -> None:
        status, headers = ANSWERS[self.path]
        self.send_response_only(status)
        for name, value in {**headers, "content-length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def sent(
    folder: Path, url: str, *checks: CheckArgs, grpc: bool = False
) -> subprocess.CompletedProcess[str]:
    """What the scripts of report and proof print of checks for which there is no time left."""
    scripts = ("commands/report_page.sh", "parts/probe.sh")
    text = "".join((ROOT / "components" / one).read_text(encoding="utf-8") for one in scripts)
    requests = render_requests([url], [HOST], checks, grpc=grpc, trusted=False)
    own = {"CHECKS": requests, "LIMIT": "0", "TMPDIR": str(folder)}
    return subprocess.run(
        ["/bin/sh", "-c", text],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def reported(done: subprocess.CompletedProcess[str], url: str, *checks: CheckArgs) -> Result:
    """The result of that."""
    printed = [*done.stderr.splitlines(), *done.stdout.splitlines()]
    faults, requests = parted(printed, expectations([url], [HOST], checks, grpc=False))
    passed = done.returncode == 0
    return {"passed": passed, "requests": [], "faults": faults, "measured": requests}


def text(html: str) -> list[list[str]]:
    """The rows of the page's tables, without tags."""
    rows = re.findall(r"<tr><td>(.*?)</tr>", html)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.split("<td[^>]*>", row)] for row in rows]


def test_each_request_is_measured_after_the_verdict(url: str, tmp_path: Path) -> None:
    checks: list[CheckArgs] = [
        {"path": "/behind", "status": 200, "headers": {"authorization": f"Bearer {TOKEN}"}},
        {"path": "/refused", "status": 404},
        {"path": "/silent", "status": 200},
    ]
    done = sent(tmp_path, url, *checks)
    assert (done.returncode, done.stderr) == (0, "")
    result = reported(done, url, *checks)
    html = page("dev", AT, {"shop": result})
    rows = text(html)
    for row in rows:
        assert 0 <= float(row.pop(3)) < 5000
    assert rows == [
        [f"GET {url}/behind (Host: {HOST})", "200", "200", "7", "what is behind the gateway"],
        [f"GET {url}/refused (Host: {HOST})", "404", "404", "not known", "the gateway itself"],
        [f"GET {url}/silent (Host: {HOST})", "200", "200", "not known", "not said"],
    ]
    assert '<h2>shop <span class="good">passed</span></h2>' in html
    assert "<title>Verification of stack dev: passed</title>" in html
    assert '<time datetime="2026-05-12T08:30:00+00:00">2026-05-12 08:30:00 UTC</time>' in html
    assert "color-scheme: light dark" in html
    assert not re.search("<script|https?://(?!127)|url\\(", html)
    assert TOKEN not in html + done.stdout


def test_wrong_answers_stand_at_their_request(url: str, tmp_path: Path) -> None:
    checks: list[CheckArgs] = [
        {"path": "/other", "status": 200, "response_headers": {"x-a": "1"}, "response_body": "b"}
    ]
    done = sent(tmp_path, url, *checks)
    assert done.returncode == 1
    result = reported(done, url, *checks)
    html = page("dev", AT, {"shop": result, "blog": {**result, "passed": True, "faults": []}})
    wrong, _ = text(html)
    name = f"GET {url}/other (Host: {HOST})"
    assert wrong[0] == f"{name}expected 200, got 503"
    assert wrong[1:3] == ["200x-a: 1b in the body", "503"]
    assert wrong[-1] == "&lt;b&gt;nginx&lt;/b&gt;, no proxy of Istio"
    assert html.count("expected 200, got 503") == 1
    assert "1 of 2 failed" in html


def test_nobody_answers(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1"
    done = sent(tmp_path, nobody, {"path": "/", "status": 200})
    assert done.returncode == 1
    (row,) = text(page("dev", AT, {"a": reported(done, nobody, {"path": "/", "status": 200})}))
    assert row[2].startswith("000 ")
    assert row[-1] == "nobody"


def test_a_call_that_nobody_answers_has_no_status_of_grpc(url: str, tmp_path: Path) -> None:
    # The server here speaks no HTTP/2.
    done = sent(tmp_path, url, CALL, grpc=True)
    (row,) = text(page("dev", AT, {"a": reported(done, url, CALL)}))
    assert row[2].startswith("HTTP 000")
    assert row[-1] == "nobody"


def test_what_did_not_run_is_not_made_up() -> None:
    known = [(f"GET {HOST}/a", ["200"])]
    faults, measured = parted(["answered\t2\t200 \t0.1\tistio-envoy\t", "no pod"], known)
    assert faults == ["no pod"]
    result: Result = {"passed": False, "requests": [], "faults": faults, "measured": measured}
    html = page("dev", AT, {"a": result})
    assert "<p class=bad>no pod</p>" in html
    assert text(html) == [[f"GET {HOST}/a", "200", *["not known"] * 4]]
