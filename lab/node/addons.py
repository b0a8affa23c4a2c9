"""What the lab installs into its cluster: Gateway API, DNS, load balancer and the mesh."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any, Final

import httpx2
import yaml
from lightkube import Client, KubeConfig, codecs
from lightkube.generic_resource import create_global_resource, create_resources_from_crd
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import DaemonSet, Deployment
from lightkube.resources.core_v1 import Node, Pod

from lab import versions
from lab.build.artifacts import Artifacts
from lab.build.command import Command
from lab.build.progress import Step, Steps
from lab.errors import LabError
from lab.node import node
from lab.node.control_plane import DNS
from lab.node.state import Slot, State

MANIFESTS: Final = Path(__file__).with_name("manifests")

LIMIT: Final = 180.0
"""Seconds for the API server to answer, for one object to be taken, and for all that is installed
to be ready; about 5, 1 and 20 are usual."""

_POLL: Final = 0.2
_LOG_LINES: Final = 8

_GatewayClass = create_global_resource(
    "gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses"
)


class Cluster:
    """The lab's cluster while it comes up, as seen with the user's own credentials."""

    def __init__(self, state: State, slot: Slot) -> None:
        """Nothing is asked of the cluster yet."""
        self._state = state
        self._slot = slot
        # A proxy that the user's environment names does not know the lab's addresses.
        config = KubeConfig.from_file(state.kubeconfig)
        self._client = Client(config, field_manager="lab", trust_env=False)

    def answers(self) -> bool:
        """Whether the API server answers requests."""
        try:
            self._get(Node, node.NODE)
        except httpx2.HTTPError:
            return False
        return True

    def wait(
        self, step: Step, log: str, lacking: Callable[[], str], asked: str = "the API server"
    ) -> None:
        """Wait until `lacking` returns nothing.

        Raises `LabError` when the API server refuses what `lacking` asks of it, when something is
        still lacking after `LIMIT` seconds, and when the node ends. `log` is the component whose
        log file helps then, `asked` what `lacking` is about.
        """
        deadline = time.monotonic() + LIMIT
        while lack := _answer(lacking, asked):
            step.update(lack)
            if not node.runs(self._slot):
                raise LabError(f"{step.name}: the node ended.\n{tail(self._state.log('init'))}")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{step.name}: waited {LIMIT:.0f} s; {lack}.\n{self._details()}\n"
                    f"Read {self._state.log(log)}, then run `python -m lab up` to go on, "
                    "or `python -m lab down` to begin anew."
                )
            time.sleep(_POLL)

    def apply(self, step: Step, objects: Iterable[Any]) -> None:
        """Apply the objects in their order, server-side. Raises `LabError`, as `wait` does."""
        for obj in objects:
            name = f"{obj.kind} {obj.metadata.name}"
            self.wait(step, "kube-apiserver", functools.partial(self._apply, obj), name)

    def lacking(self, workloads: Iterable[Any]) -> str:
        """What is not ready yet: node, Deployments and DaemonSets, the mesh's GatewayClasses."""
        if not _holds(self._get(Node, node.NODE), "Ready"):
            return "the node is not Ready"
        waiting = [f"{w.kind} {w.metadata.name}" for w in workloads if not self._available(w)]
        waiting += [
            f"GatewayClass {name}"
            for name in ("istio", "istio-waypoint")
            if not _holds(self._get(_GatewayClass, name), "Accepted")
        ]
        return f"not ready: {', '.join(waiting)}" if waiting else ""

    def _apply(self, obj: Any) -> str:
        self._client.apply(obj, force=True)
        return ""

    def _get(self, kind: Any, name: str, namespace: str | None = None) -> dict[str, Any]:
        return dict(self._client.get(kind, name, namespace=namespace).to_dict())

    def _available(self, workload: Any) -> bool:
        meta = workload.metadata
        live = self._get(type(workload), meta.name, meta.namespace)
        status = live.get("status", {})
        # A DaemonSet has as many pods as the lab has nodes.
        wanted = live["spec"].get("replicas", 1)
        return bool(wanted == status.get("availableReplicas", status.get("numberAvailable")))

    def _details(self) -> str:
        """What the pods that are not ready say."""
        try:
            pods: list[Any] = list(self._client.list(Pod, namespace="*"))
            lines = [line for pod in pods for line in describe(pod.to_dict(), self._state)]
            return "\n".join(lines)
        except httpx2.HTTPError:
            return tail(self._state.log("kube-apiserver"))


def install(  # noqa: PLR0913  # what is installed where, and in which form
    steps: Steps,
    state: State,
    slot: Slot,
    artifacts: Artifacts,
    *,
    ambient: bool,
    dual_stack: bool = False,
) -> None:
    """Install everything and wait until the mesh can take Gateways.

    `ambient` adds istio-cni and ztunnel, `dual_stack` IPv6. May be repeated. Raises `LabError`.
    """
    steps.expect(3)
    cluster = Cluster(state, slot)
    with steps.step(f"Kubernetes {versions.KUBERNETES}") as step:
        objects = _objects(state, slot, artifacts, ambient=ambient, dual_stack=dual_stack)
        cluster.wait(step, "kube-apiserver", lambda: "" if cluster.answers() else "no answer yet")
    with steps.step("Gateway API, CoreDNS, MetalLB and Istio applied") as step:
        cluster.apply(step, objects)
    workloads = [obj for obj in objects if isinstance(obj, Deployment | DaemonSet)]
    with steps.step(f"Istio {versions.ISTIO}") as step:
        cluster.wait(step, "kubelet", lambda: cluster.lacking(workloads))


def describe(pod: dict[str, Any], state: State) -> Iterator[str]:
    """Why a pod is not ready, and what its containers wrote last; nothing where it is."""
    meta, status = pod["metadata"], pod["status"]
    if _holds(pod, "Ready"):
        return
    containers = status.get("containerStatuses", [])
    waiting = [container["state"].get("waiting", {}) for container in containers]
    reasons = [w.get("message") or w["reason"] for w in waiting if w]
    reasons += [c["message"] for c in status.get("conditions", []) if c.get("message")]
    why = "; ".join(dict.fromkeys(reasons)) or "not ready"
    yield f"  {meta['namespace']}/{meta['name']} is {status['phase']}; {why}"
    folder = state.logs / "pods" / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"
    for container in pod["spec"]["containers"]:
        for log in sorted((folder / container["name"]).glob("*.log"))[-1:]:
            yield tail(log)


def tail(log: Path, lines: int = _LOG_LINES) -> str:
    """The last lines of a log file, indented."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def _objects(
    state: State, slot: Slot, artifacts: Artifacts, *, ambient: bool, dual_stack: bool
) -> list[Any]:
    """All objects in the order in which they are applied."""
    values = {
        "ambient": str(ambient).lower(),
        "dns": str(DNS),
        "dual_stack": str(dual_stack).lower(),
        "pool": f"{slot.pool}, {slot.pool6}" if dual_stack else str(slot.pool),
        "node": str(state.node),
    }
    definitions = [artifacts.gateway_api_crds, artifacts.metallb_crds]
    texts = [path.read_text() for folder in definitions for path in sorted(folder.glob("*.yaml"))]
    texts += [_manifest(name, values) for name in ("coredns", "metallb", "mesh")]
    configuration = state.node / "istio.yaml"
    configuration.write_text(_manifest("istio", values))
    istioctl = [str(artifacts.bin / "istioctl"), "manifest", "generate", "--filename"]
    texts.append(Command([*istioctl, str(configuration)], state.node / "istioctl.log").run())
    return list(_load(texts))


def _manifest(name: str, values: dict[str, str]) -> str:
    """A manifest with `values`, and with those of `lab.versions` by their names."""
    return Template((MANIFESTS / f"{name}.yaml").read_text()).substitute(vars(versions), **values)


def _load(texts: Iterable[str]) -> Iterator[Any]:
    documents = (doc for text in texts for doc in yaml.load_all(text, yaml.CSafeLoader) if doc)
    for document in sorted(documents, key=_rank):
        obj = codecs.from_dict(document)
        if isinstance(obj, CustomResourceDefinition):
            create_resources_from_crd(obj)
        yield obj


def _rank(document: dict[str, Any]) -> int:
    """What others need comes first; webhooks last, as nothing answers them until istiod runs."""
    if document["kind"] in ("Namespace", "CustomResourceDefinition"):
        return 0
    return 2 if document["kind"].endswith("WebhookConfiguration") else 1


def _answer(lacking: Callable[[], str], asked: str) -> str:
    """What is lacking: an answer too, where one may come, as while a kind is not served yet."""
    try:
        return lacking()
    except httpx2.HTTPError as error:
        if isinstance(error, httpx2.HTTPStatusError) and error.response.is_client_error:
            passing = (HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS)
            if error.response.status_code not in passing:
                raise LabError(f"{asked}: refused by the API server: {error}") from error
        return f"{asked}: {str(error) or type(error).__name__}"


def _holds(live: dict[str, Any], condition: str) -> bool:
    """Whether a live object has the condition with status True."""
    conditions = live.get("status", {}).get("conditions", [])
    return any(c["type"] == condition and c["status"] == "True" for c in conditions)
