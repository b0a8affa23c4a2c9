"""Programs that are timed, and requests on the cluster that they work on."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LIMIT = 1800.0
"""Seconds that one program may take."""

SAMPLING = 0.25
"""Seconds between two looks at the memory of a program."""

_ASK = r"""
url=$1; shift
for request; do
  set -- $request
  until [ "$(curl -s -m 2 -o /dev/null -w '%{http_code}' -H "Host:$1" "$url$2")" = "$3" ]; do
    sleep 0.1
  done
done
"""


class FailedError(Exception):
    """A program ended with another status than 0."""


@dataclass(frozen=True)
class Run:
    """A program that has ended."""

    seconds: float
    memory: int
    """Bytes that it and its children had at most, pages that they share counted in each."""
    output: str


def run(*words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Run:
    """Run a program to its end; raises `FailedError` with what it has printed."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        ended, memory = threading.Event(), [0]

        def sample() -> None:
            while not ended.wait(SAMPLING):
                memory.append(_memory(process.pid))

        sampler, late = threading.Thread(target=sample), threading.Timer(LIMIT, process.kill)
        sampler.start()
        late.start()
        try:
            process.wait()
        finally:
            seconds = time.monotonic() - started
            late.cancel()
            ended.set()
            sampler.join()
        output.seek(0)
        done = Run(seconds, max(memory), output.read())
    if process.returncode:
        raise FailedError(f"{' '.join(words)} ended with {process.returncode}\n{done.output}")
    return done


def _memory(pid: int) -> int:
    folder = Path(f"/proc/{pid}")
    try:
        pages = int((folder / "statm").read_text().split()[1])
        children = " ".join(path.read_text() for path in folder.glob("task/*/children"))
    except (OSError, IndexError):  # it has just ended
        return 0
    own = pages * os.sysconf("SC_PAGE_SIZE")
    return own + sum(_memory(int(child)) for child in children.split())


def ask(url: str, requests: Iterable[tuple[str, str, int]]) -> None:
    """Send requests from the curl pod until each is answered as expected.

    Each is a host, a path and the status that is expected.
    """
    client = ("deploy/curl", "-n", "curl")
    run("kubectl", "wait", "--for=condition=Available", *client, "--timeout=300s")
    lines = [" ".join(map(str, request)) for request in requests]
    run("kubectl", "exec", *client, "--", "sh", "-c", _ASK, "sh", url, *lines)


def nothing_left() -> bool:
    """Whether the namespaces of a case are gone."""
    found = run("kubectl", "get", "namespace", "httpbin", "curl", "--ignore-not-found")
    return not found.output
