"""Verification without an update, with a cluster and a Pulumi that only play ones."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from lightkube.core.exceptions import ApiError
from lightkube.models.batch_v1 import JobCondition, JobStatus
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import Event, Pod, Secret

from components.checks.faults import InvalidInput
from components.commands import verify as verifying
from components.commands.verify import main, report, verify
from tests.unit.conftest import PROJECT, SAMPLE, patched

URL = "http://httpbin-gateway-istio.httpbin.svc.cluster.local:80"
REQUESTS = [
    f"GET {URL}/headers (Host: httpbin.example.com): 200",
    f"GET {URL}/get (Host: httpbin.example.com): 404",
]
DONE = JobStatus(succeeded=1)
FAILED = JobStatus(conditions=[JobCondition(status="True", type="Failed")])


class Cluster:
    """Keeps what is made and deleted in it; a Job is in the next one of its states each time."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.deleted: list[str] = []
        self.states = [JobStatus(active=1), DONE]
        self.log_lines = ["after 60 s: wrong\n", "wrong, too\n"]
        self.events: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def create(self, one: Any) -> Any:
        self.made.append(deepcopy(one))
        one.metadata.uid = "uid"
        return one

    def get(self, _: Any, name: str, *, namespace: str) -> Any:
        assert (name, namespace) == (self.made[0].metadata.name, self.made[0].metadata.namespace)
        return SimpleNamespace(
            status=self.states.pop(0) if len(self.states) > 1 else self.states[0]
        )

    def list(self, kind: Any, **_: Any) -> Sequence[Any]:
        if kind is Event:
            return self.events
        assert kind is Pod
        return [SimpleNamespace(metadata=SimpleNamespace(name="pod"))]

    def log(self, name: str, *, namespace: str) -> Sequence[str]:
        assert (name, namespace) == ("pod", self.made[0].metadata.namespace)
        if not self.log_lines:
            answer = SimpleNamespace(json=lambda: {"code": 400, "message": "waiting to start"})
            raise ApiError(response=answer)  # type: ignore[arg-type]
        return self.log_lines

    def delete(self, kind: Any, name: str, **_: Any) -> None:
        assert kind is Job
        self.deleted.append(name)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(verifying, "connect", lambda _: made)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return made


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The configuration of the sample, as Pulumi tells it; `exposure` is merged into its own."""
    config: dict[str, Any] = deepcopy(SAMPLE)

    def run_pulumi(*words: str, stack: str) -> str:
        assert stack in ("", "dev")
        urls = [URL, "http://198.18.1.0:80"]
        told: dict[str, Any] = {"exposures": {"httpbin": {"ingressUrls": urls}}}
        if words[0] == "config":
            told = {
                key: {"value": one if isinstance(one, str) else json.dumps(one), "secret": False}
                for key, one in config.items()
            }
        return json.dumps(told)

    monkeypatch.setattr(verifying, "run_pulumi", run_pulumi)
    return config


def change(stack: dict[str, Any], **exposure: Any) -> None:
    exposures = stack[f"{PROJECT['name']}:exposures"]
    exposures["httpbin"] = patched(exposures["httpbin"], exposure)


def test_requests_are_sent_by_the_pod_that_proves_an_update(
    cluster: Cluster, stack: dict[str, Any]
) -> None:
    stack[f"{PROJECT['name']}:labels"] = {"team": "shop"}
    stack[f"{PROJECT['name']}:imageRegistry"] = "mirror"
    spread = [{"operator": "Exists"}]
    change(stack, verification={"addresses": "internal", "pod": {"tolerations": spread}})
    assert verify("", []) == {"httpbin": {"passed": True, "requests": REQUESTS, "faults": []}}
    job, secret = cluster.made
    assert isinstance(job, Job)
    assert isinstance(secret, Secret)
    assert job.spec
    pod = job.spec.template.spec
    assert job.metadata
    assert job.metadata.namespace == "curl"
    assert job.metadata.labels == {"team": "shop"}
    assert job.spec.ttlSecondsAfterFinished
    assert pod
    assert pod.serviceAccountName == "curl"
    assert [one.operator for one in pod.tolerations or ()] == ["Exists"]
    assert pod.containers[0].image == "mirror/curlimages/curl:8.16.0"
    assert secret.metadata
    assert [one.uid for one in secret.metadata.ownerReferences or ()] == ["uid"]
    requests = (secret.stringData or {})["requests"].splitlines()
    assert f"request GET {URL}/get (Host: httpbin.example.com)" in requests
    assert cluster.deleted == [job.metadata.name] == [secret.metadata.name]


def test_without_a_client_they_are_sent_from_where_the_service_is(
    cluster: Cluster, stack: dict[str, Any]
) -> None:
    del stack[f"{PROJECT['name']}:client"]
    assert len(verify("dev", ["httpbin"])["httpbin"]["requests"]) == 4
    assert cluster.made[0].metadata.namespace == "httpbin"
    assert cluster.made[0].spec.template.spec.serviceAccountName is None


@pytest.mark.usefixtures("stack")
def test_wrong_answers_are_what_the_pod_printed(cluster: Cluster) -> None:
    cluster.states = [FAILED]
    found = verify("", [])["httpbin"]
    assert (found["passed"], found["faults"]) == (False, ["after 60 s: wrong", "wrong, too"])
    assert cluster.deleted


@pytest.mark.usefixtures("stack")
def test_a_pod_that_did_not_start_is_explained(cluster: Cluster) -> None:
    cluster.states = [FAILED]
    cluster.log_lines = []
    assert verify("", [])["httpbin"]["faults"] == [
        "its pod did not end in time, and the cluster does not say why"
    ]
    name = cluster.made[0].metadata.name
    about = SimpleNamespace(name=name)
    cluster.made.clear()
    cluster.events = [
        SimpleNamespace(
            involvedObject=about, reason="FailedCreate", message="quota", lastTimestamp=None
        )
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "uuid4", lambda: SimpleNamespace(hex=name.rpartition("-")[2]))
        assert verify("", [])["httpbin"]["faults"][0].startswith("FailedCreate: quota; ")


@pytest.mark.usefixtures("stack")
def test_the_wait_for_a_pod_has_a_limit(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.states = [JobStatus(active=1)]
    seconds = iter(range(0, 10_000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    assert verify("", [])["httpbin"]["passed"] is False
    assert next(seconds) == 120 + 60 + 30 + 10
    assert cluster.deleted


def test_names_are_checked(cluster: Cluster, stack: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"found httpbn, .*: httpbin \(did you mean httpbin\?\)"):
        verify("", ["httpbn"])
    change(stack, verification=None)
    with pytest.raises(InvalidInput, match="found no exposure with a verification"):
        verify("", [])
    assert cluster.made == []


def test_the_addresses_are_asked_that_an_update_asks(
    cluster: Cluster, stack: dict[str, Any]
) -> None:
    change(stack, gateway={"serviceType": "LoadBalancer"}, verification={"addresses": "external"})
    found = verify("", [])["httpbin"]["requests"]
    assert [one.split()[1] for one in found] == [
        f"http://198.18.1.0:80{path}" for path in ("/headers", "/get")
    ]
    assert cluster.deleted


@pytest.mark.parametrize(
    ("states", "status", "verdict"), [([DONE], 0, "passed"), ([FAILED], 1, "1 of 1 failed")]
)
def test_a_report_is_written_of_what_the_pod_measured(  # noqa: PLR0913  # what is given and found
    cluster: Cluster,
    stack: dict[str, Any],
    tmp_path: Path,
    *,
    states: list[JobStatus],
    status: int,
    verdict: str,
) -> None:
    token = "of-nobody-else"  # noqa: S105  # what no report may show
    check = {"path": "/headers", "status": 200, "headers": {"x-key": token}, "body": token}
    change(stack, verification={"checks": [check], "addresses": "internal"})
    cluster.states = states
    cluster.log_lines = [
        f"after 60 s: POST {URL}/headers (Host: httpbin.example.com): expected 200, got 503\n",
        "answered\t1\t503 \t0.0123\tistio-envoy\t\n",
    ]
    file = tmp_path / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["verify", "--stack", "dev", "--report", str(file)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == status
    written = file.read_text(encoding="utf-8")
    assert f"<title>Verification of stack dev: {verdict}</title>" in written
    assert "<td>503<td class=number>12.3<td" in written
    assert "the gateway itself" in written
    assert token not in written
    script = cluster.made[0].spec.template.spec.containers[0].command[-1]
    assert "trap report EXIT" in script


def test_no_report_costs_nothing(cluster: Cluster, stack: dict[str, Any]) -> None:
    verify("", [])
    assert "trap report" not in cluster.made[0].spec.template.spec.containers[0].command[-1]
    assert stack


def test_people_read_what_matters() -> None:
    passed = {"passed": True, "requests": ["a", "b"], "faults": []}
    failed = {"passed": False, "requests": ["a", "b"], "faults": ["b is wrong"]}
    results: Any = {"blog": passed, "shop": failed}
    assert report(results).splitlines() == [
        "blog: passed",
        "  a",
        "  b",
        "shop: FAILED",
        "  b is wrong",
    ]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("words", "states", "status", "printed"),
    [
        ([], [DONE], 0, "httpbin: passed"),
        ([], [FAILED], 1, "httpbin: FAILED"),
        (["--json", "httpbin"], [FAILED], 1, '"passed": false'),
        (["httpbn"], [DONE], 2, "did you mean httpbin?"),
    ],
)
def test_the_status_tells_how_it_went(  # noqa: PLR0913  # what is given, what is found
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    *,
    words: list[str],
    states: list[JobStatus],
    status: int,
    printed: str,
) -> None:
    cluster.states = states
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["verify", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == status
    shown = capsys.readouterr()
    assert printed in (shown.err if status == 2 else shown.out)
    if "--json" in words:
        assert json.loads(shown.out)["httpbin"]["faults"]


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("echo no such stack >&2; exit 1", "pulumi config .*: no such stack"),
        ("sleep 5", "no answer in 0.2 seconds"),
    ],
)
def test_a_pulumi_that_does_not_tell_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, script: str, fault: str
) -> None:
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("components.commands.cli._LIMIT", 0.2)
    with pytest.raises(InvalidInput, match=fault):
        verify("dev", [])


def test_the_command_tells_how_it_is_used() -> None:
    command = [sys.executable, "-m", "components", "verify", "--help"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--stack" in printed
