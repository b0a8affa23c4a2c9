"""Verifies a stack without an update: `python -m components verify`.

As an update does: by a Job in the cluster, with the same requests from the same pod, to the
addresses that the gateways had in the last update. The Job is deleted afterwards.
"""
# ruff: noqa: T201  (what it found is for people to read)

import argparse
import json
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx2
import lightkube
import pulumi
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import Pod, Secret
from lightkube.types import CascadeType

from ..checks.faults import InvalidInput
from ..checks.values import did_you_mean
from ..cluster.jobs import JOB_NAME, explain_job
from ..cluster.kubeconfig import connect
from ..exposure.arguments import called_by, connections
from ..exposure.parts import asked
from ..parts.client import CLIENT, CLIENT_IMAGE
from ..parts.metadata import mirrored
from ..parts.probe import START, answers, expectations, render_job, render_requests
from ..stack.arguments import StackArgs
from ..stack.configuration import read
from ..stack.places import clients, namespace_name
from .cli import run_pulumi
from .report_page import SCRIPT, Result, page, parted
from .rewrite import project_name

_LEFT = 600
"""Seconds after which the cluster deletes a Job that has ended, should nobody else do it."""


def main() -> None:
    """Verify exposures; end with status 1 where one fails, with 2 where none could be asked."""
    parser = argparse.ArgumentParser(
        prog="python -m components verify",
        description="Sends the requests of a stack's verifications from inside its cluster; to be"
        " run in the folder of the project. Nothing of the stack is changed.",
    )
    parser.add_argument("exposures", nargs="*", metavar="EXPOSURE", help="(default: all)")
    parser.add_argument("--stack", default="", help="(default: the one that is selected)")
    parser.add_argument("--json", action="store_true", help="report in JSON")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page of HTML, too; each request is sent once more for it",
    )
    arguments = parser.parse_args()
    file: Path | None = arguments.report
    try:
        results = verify(arguments.stack, arguments.exposures, measured=file is not None)
        if file:
            stack = arguments.stack or run_pulumi("stack", "--show-name", stack="").strip()
            file.write_text(page(stack, datetime.now(UTC), results), encoding="utf-8")
    except (pulumi.RunError, ConfigError, ApiError, httpx2.HTTPError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(json.dumps(results, indent=2) if arguments.json else report(results))
    sys.exit(0 if all(result["passed"] for result in results.values()) else 1)


def report(results: Mapping[str, Result]) -> str:
    """`results` for people."""
    return "\n".join(
        line
        for name, result in results.items()
        for line in (
            f"{name}: {'passed' if result['passed'] else 'FAILED'}",
            *(f"  {one}" for one in result["requests" if result["passed"] else "faults"]),
        )
    )


def verify(stack: str, names: Sequence[str], *, measured: bool = False) -> dict[str, Result]:
    """What becomes of the requests of a stack's exposures, or of those with these `names`.

    Where it is to be `measured`, each is sent once more after the verdict.
    To be called in the folder of the stack's project; an empty `stack` is the selected one. Raises
    `InvalidInput` where a name is unknown, nothing is to be verified, or Pulumi does not tell.
    """
    args = configured(stack)
    output = run_pulumi("stack", "output", "--show-secrets", "--json", stack=stack)
    deployed = json.loads(output).get("exposures", {})
    verified = [name for name, one in args["exposures"].items() if "verification" in one]
    for name in names or verified:
        if name not in verified or name not in deployed:
            listed = ", ".join(one for one in verified if one in deployed) or "none"
            raise InvalidInput(
                f"found {name}, expected an exposure that has a verification and was in an update:"
                f" {listed}{did_you_mean(name, deployed)}"
            )
    if not verified:
        raise InvalidInput("found no exposure with a verification, expected one")
    with connect(args.get("cluster", {})) as client, ExitStack() as jobs:
        probes = {name: _probe(args, name, deployed[name]) for name in names or verified}
        # All at once: each may take as long as its limit says.
        running = {
            name: jobs.enter_context(_job(client, args, probe, measured=measured))
            for name, probe in probes.items()
        }
        return {
            name: _result(client, probe, running[name], measured=measured)
            for name, probe in probes.items()
        }


def configured(stack: str) -> StackArgs:
    """The configuration of a stack of the project in this folder; empty is the selected one.

    Raises `InvalidInput` with every fault of it, or where Pulumi does not tell it.
    """
    config = json.loads(run_pulumi("config", "--show-secrets", "--json", stack=stack))
    values = {key: str(one.get("value", "")) for key, one in config.items()}
    return read(stack or "(selected)", values, project_name(Path("Pulumi.yaml")))


def _probe(args: StackArgs, name: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an exposure's proof, all of them known."""
    exposure = args["exposures"][name]
    verification = exposure["verification"]
    probe: dict[str, Any] = {
        "name": f"{exposure['service']['name']}-verify",
        "namespace": namespace_name(args, exposure["namespace"]),
        "image": CLIENT_IMAGE,
        "urls": asked(outputs["ingressUrls"], verification.get("addresses", "both")),
        "hostnames": called_by(exposure),
        "grpc": "grpc_rules" in exposure,
        "tcp": connections(exposure) == "TCP",
        "subject": "",
        "timeout": 60,
    }
    for _, client in clients(args):
        probe["namespace"] = namespace_name(args, client["namespace"])
        probe["account"] = client.get("name", CLIENT)
        probe["image"] = client.get("image", CLIENT_IMAGE)
    for option in ("checks", "image", "pod", "timeout"):
        if option in verification:
            probe[option] = verification[option]
    if "ingressCertificate" in outputs:
        probe["certificate"] = outputs["ingressCertificate"]
    return probe


@contextmanager
def _job(
    client: lightkube.Client, args: StackArgs, probe: Mapping[str, Any], *, measured: bool
) -> Generator[str]:
    """A Job that sends the requests, by its name; it is deleted in the end."""
    name = f"{probe['name']}-{uuid4().hex[:8]}"
    common = {key: dict(cast("Any", args).get(key, {})) for key in ("labels", "annotations")}
    metadata = {"name": name, "namespace": probe["namespace"], **common}
    sent = {"valueFrom": {"secretKeyRef": {"name": name, "key": "requests"}}}
    spec = render_job(cast("Any", probe), sent)["spec"]
    template = spec["template"]
    labels = {**common["labels"], **template["metadata"]["labels"]}
    template["metadata"] = {**common, "labels": labels}
    pod = template["spec"]
    if measured and not probe["tcp"]:
        (own,) = (one for one in pod["containers"] if one["name"] == "probe")
        own["command"][-1] = SCRIPT + own["command"][-1]
    if registry := args.get("image_registry"):
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            container["image"] = mirrored(registry, container["image"])
    job = {"metadata": metadata, "spec": {**spec, "ttlSecondsAfterFinished": _LEFT}}
    created: Any = client.create(cast("Job", Job.from_dict(job)))
    try:
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": created.metadata.uid}
        requests = render_requests(
            probe["urls"],
            probe["hostnames"],
            probe["checks"],
            grpc=probe["grpc"],
            trusted="certificate" in probe,
        )
        secret = {
            "metadata": {**metadata, "ownerReferences": [owner]},
            "stringData": {"requests": requests},
        }
        client.create(cast("Secret", Secret.from_dict(secret)))
        yield name
    finally:
        client.delete(Job, name, namespace=probe["namespace"], cascade=CascadeType.BACKGROUND)


def _result(
    client: lightkube.Client, probe: Mapping[str, Any], job: str, *, measured: bool
) -> Result:
    """What became of the requests of a Job, once it has ended or its time is over."""
    namespace = probe["namespace"]
    passed = _passed(client, probe, job)
    printed = _log(client, namespace, job) if measured or not passed else ()
    asked = (probe["urls"], probe["hostnames"], probe["checks"])
    faults, requests = parted(printed, expectations(*asked, grpc=probe["grpc"]))
    if not passed and not faults:
        said = explain_job(client, {"name": job, "namespace": namespace})
        faults = [said or "its pod did not end in time, and the cluster does not say why"]
    result: Result = {
        "passed": passed,
        "requests": answers(*asked, grpc=probe["grpc"]),
        "faults": [] if passed else faults,
    }
    if measured:
        result["measured"] = requests
    return result


def _passed(client: lightkube.Client, probe: Mapping[str, Any], job: str) -> bool:
    """Whether a Job succeeds before it fails and before its time is over."""
    end = time.monotonic() + START + probe["timeout"] + 30
    while time.monotonic() < end:
        status = client.get(Job, job, namespace=probe["namespace"]).status
        if status and status.succeeded:
            return True
        if status and any(one.type == "Failed" for one in status.conditions or ()):
            break
        time.sleep(1)
    return False


def _log(client: lightkube.Client, namespace: str, job: str) -> Iterator[str]:
    """What the pods of a Job printed."""
    for pod in client.list(Pod, namespace=namespace, labels={JOB_NAME: job}):
        name = str(cast("Any", pod).metadata.name)
        try:
            yield from (line.rstrip("\r\n") for line in client.log(name, namespace=namespace))
        except ApiError as error:
            # A container that did not start has no log.
            if error.status.code != HTTPStatus.BAD_REQUEST:
                raise
