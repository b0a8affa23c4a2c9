"""The servers of states, with other programs in their place."""

import socket
import sys
from pathlib import Path

import pytest

from lab import backends
from lab.errors import LabError

SERVER = """
import socket, sys, time
time.sleep(0.3)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("serving", flush=True)
time.sleep(60)
"""


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_answers_from_the_begin_of_the_block_to_its_end(tmp_path: Path) -> None:
    port = backends.free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    with backends.serving(command, {}, port, tmp_path / "server.log"):
        assert answers(port)
    assert not answers(port)
    assert (tmp_path / "server.log").read_text() == "serving\n"


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os, sys; sys.exit(os.environ['WHY'])"]
    log = tmp_path / "server.log"
    with (
        pytest.raises(LabError) as caught,
        backends.serving(command, {"WHY": "no room"}, backends.free_port(), log),
    ):
        pass
    assert str(caught.value) == f"server ended. {log} says:\nno room\n"


def test_a_server_that_does_not_answer_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "READY_LIMIT", 0.3)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    log = tmp_path / "server.log"
    with (
        pytest.raises(LabError, match=r"^server does not answer after 0 s"),
        backends.serving(command, {}, backends.free_port(), log),
    ):
        pass
