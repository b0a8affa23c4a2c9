"""The README's commands, as a newcomer runs them."""

import os
import re
import sys
from pathlib import Path

from tests.lab.conftest import HOST, run

GIB = 1 << 30


def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    env = os.environ | {"LAB_STATE": str(tmp_path / "lab"), "LAB_ZTUNNEL": ""}

    def make(*words: str) -> str:
        return run("make", "--no-print-directory", *words, env=env, limit=3600)

    try:
        printed = make("up")
        assert "29 created" in printed
        assert f"GET http://{HOST}:80/get (Host: httpbin.example.com): 404" in printed
        again = make("up")
        assert "29 unchanged" in again
        assert "created" not in again
        assert "29 unchanged" in make("preview")
        shell = 'eval "$(make -s env)"; pulumi stack output ingressHost; istioctl version; {}'
        assert HOST in run("bash", "-ec", shell.format("kubectl get nodes"), env=env)
        status = run(sys.executable, "-m", "lab", "status", env=env)
        memory = re.search(r"all memory, pods included: (\d+) MiB", status)
        assert memory
        assert int(memory[1]) << 20 < 3 * GIB
    finally:
        printed = make("down")
    assert "29 deleted" in printed
    assert not (tmp_path / "lab").exists()
    run("make", "preview", env=env, ends="badly")
