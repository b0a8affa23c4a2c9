"""What the lab installs into its cluster: Gateway API, DNS, load balancer and the mesh."""

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any, Final

import httpx2
import yaml
from lightkube import ApiError, Client, KubeConfig, codecs
from lightkube.generic_resource import create_global_resource, create_resources_from_crd
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import DaemonSet, Deployment
from lightkube.resources.core_v1 import Node, Pod

from lab import versions
from lab.build.artifacts import Artifacts
from lab.build.cache import Cache, Recipe
from lab.build.command import Command
from lab.build.progress import Step, Steps
from lab.errors import LabError
from lab.node import node
from lab.node.control_plane import DNS
from lab.node.node import NODE
from lab.node.state import Slot, State

MANIFESTS: Final = Path(__file__).with_name("manifests")

API_LIMIT: Final = 90.0
"""Seconds for the API server to answer; about 5 are usual."""

APPLY_LIMIT: Final = 30.0
"""Seconds for one object to be taken, and for its kind to be served before."""

READY_LIMIT: Final = 180.0
"""Seconds for node, workloads and classes to be ready; about 20 are usual."""

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
            self._get(Node, NODE)
        except (ApiError, httpx2.HTTPError):
            return False
        return True

    def wait(self, step: Step, limit: float, log: str, lacking: Callable[[], str]) -> None:
        """Wait until `lacking` returns nothing.

        Raises `LabError` when it still says what is lacking after `limit` seconds, and when the
        node ends; `log` is the component whose log file helps then.
        """
        deadline = time.monotonic() + limit
        while lack := _answer(lacking):
            step.update(lack)
            if not node.runs(self._slot):
                raise LabError(f"{step.name}: the node ended.\n{self._tail('init')}")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{step.name}: waited {limit:.0f} s; {lack}.\n{self._details()}\n"
                    f"Read {self._state.log(log)}, then run `python -m lab up` to go on, "
                    "or `python -m lab down` to begin anew."
                )
            time.sleep(_POLL)

    def apply(self, objects: Iterable[Any]) -> None:
        """Apply the objects in their order, server-side.

        Raises `LabError` where the API server refuses one, or has not taken it after
        `APPLY_LIMIT` seconds.
        """
        for obj in objects:
            deadline = time.monotonic() + APPLY_LIMIT
            while trouble := self._trouble(obj):
                if time.monotonic() > deadline:
                    raise LabError(
                        f"{obj.kind} {obj.metadata.name}: not applied within {APPLY_LIMIT:.0f} s: "
                        f"{trouble}. Read {self._state.log('kube-apiserver')}, then run "
                        "`python -m lab up` to go on."
                    )
                time.sleep(_POLL)

    def lacking(self, workloads: Iterable[Any]) -> str:
        """Whether the node, or which of the Deployments and DaemonSets, is not ready yet."""
        if not _holds(self._get(Node, NODE), "Ready"):
            return "the node is not Ready"
        waiting = [
            f"{w.metadata.namespace}/{w.metadata.name}" for w in workloads if not self._available(w)
        ]
        return f"not available: {', '.join(waiting)}" if waiting else ""

    def lacking_classes(self) -> str:
        """Which of the mesh's GatewayClasses istiod has not accepted yet."""
        names = ("istio", "istio-waypoint")
        waiting = [name for name in names if not _holds(self._get(_GatewayClass, name), "Accepted")]
        return f"GatewayClass not accepted: {', '.join(waiting)}" if waiting else ""

    def _trouble(self, obj: Any) -> str:
        """Apply one object; returns what may pass, as while the API server learns of its kind."""
        try:
            self._client.apply(obj, force=True)
        except httpx2.HTTPError as error:
            if not _passes(error, HTTPStatus.NOT_FOUND):
                raise LabError(
                    f"{obj.kind} {obj.metadata.name}: the API server refused it: {error}. "
                    f"Read {self._state.log('kube-apiserver')}."
                ) from error
            return _said(error)
        return ""

    def _get(self, kind: Any, name: str, namespace: str | None = None) -> dict[str, Any]:
        """A live object, empty where there is none."""
        try:
            found: Any = self._client.get(kind, name, namespace=namespace)
        except ApiError as error:
            if error.status.code == HTTPStatus.NOT_FOUND:
                return {}
            raise
        live: dict[str, Any] = found.to_dict()
        return live

    def _available(self, workload: Any) -> bool:
        meta = workload.metadata
        live = self._get(type(workload), meta.name, meta.namespace)
        status = live.get("status", {})
        if status.get("observedGeneration") != live.get("metadata", {}).get("generation"):
            return False
        if "desiredNumberScheduled" in status:
            return bool(0 < status["desiredNumberScheduled"] == status.get("numberAvailable"))
        return bool(live and status.get("availableReplicas") == live["spec"]["replicas"])

    def _details(self) -> str:
        """What the pods that are not ready say."""
        try:
            pods: list[Any] = list(self._client.list(Pod, namespace="*"))
            lines = [line for pod in pods for line in describe(pod.to_dict(), self._state)]
            return "\n".join(lines)
        except (ApiError, httpx2.HTTPError):
            return self._tail("kube-apiserver")

    def _tail(self, component: str) -> str:
        return tail(self._state.log(component))


def install(steps: Steps, state: State, slot: Slot, artifacts: Artifacts, *, ambient: bool) -> None:
    """Install everything and wait until the mesh can take Gateways.

    `ambient` adds istio-cni and ztunnel. May be repeated. Raises `LabError`.
    """
    steps.expect(3)
    cluster = Cluster(state, slot)
    with steps.step(f"Kubernetes {versions.KUBERNETES}") as step:
        objects = _objects(steps, state, slot, artifacts, ambient=ambient)
        cluster.wait(
            step,
            API_LIMIT,
            "kube-apiserver",
            lambda: "" if cluster.answers() else "the API server does not answer",
        )
    with steps.step("Gateway API, CoreDNS, MetalLB and Istio applied"):
        cluster.apply(objects)
    workloads = [obj for obj in objects if isinstance(obj, Deployment | DaemonSet)]
    with steps.step(f"Istio {versions.ISTIO}") as step:
        cluster.wait(
            step,
            READY_LIMIT,
            "kubelet",
            lambda: cluster.lacking(workloads) or cluster.lacking_classes(),
        )


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
    steps: Steps, state: State, slot: Slot, artifacts: Artifacts, *, ambient: bool
) -> list[Any]:
    """All objects in the order in which they are applied."""
    values = {
        "ambient": str(ambient).lower(),
        "dns": str(DNS),
        "pool": str(slot.pool),
        "cni_programs": f"{state.node}/cni/bin",
        "cni_configuration": f"{state.node}/cni/net.d",
        "coredns_image": versions.COREDNS_IMAGE,
        "metallb_image": versions.METALLB_IMAGE,
        "proxy_image": versions.PROXY_IMAGE,
        "istiod_image": versions.ISTIOD_IMAGE,
        "install_cni_image": versions.INSTALL_CNI_IMAGE,
        "ztunnel_image": versions.ZTUNNEL_IMAGE,
    }
    definitions = [artifacts.gateway_api_crds, artifacts.metallb_crds]
    texts = [path.read_text() for folder in definitions for path in sorted(folder.glob("*.yaml"))]
    texts += [_manifest(name, values) for name in ("coredns", "metallb", "mesh")]
    texts.append(_istio(steps, artifacts, _manifest("istio", values)))
    return sorted(_load(texts), key=_rank)


def _manifest(name: str, values: dict[str, str]) -> str:
    return Template((MANIFESTS / f"{name}.yaml").read_text()).substitute(values)


def _istio(steps: Steps, artifacts: Artifacts, configuration: str) -> str:
    """The manifest that istioctl generates, from the cache after the first time."""
    cache = Cache()
    istioctl = (artifacts.bin / "istioctl").resolve()

    def make(folder: Path, _: Step) -> None:
        file = folder / "configuration.yaml"
        file.write_text(configuration)
        generate = [str(istioctl), "manifest", "generate", f"--filename={file}"]
        manifest = Command(generate, cache.log("istio-manifest"), limit=60.0).run()
        (folder / "istio.yaml").write_text(manifest)

    recipe = Recipe("istio-manifest", "Istio's manifest", (str(istioctl), configuration), make)
    if not cache.has(recipe):
        steps.expect(1)
    return (cache.make(recipe, steps) / "istio.yaml").read_text()


def _load(texts: Iterable[str]) -> Iterator[Any]:
    documents = [doc for text in texts for doc in yaml.load_all(text, yaml.CSafeLoader) if doc]
    for document in sorted(documents, key=lambda doc: doc["kind"] != "CustomResourceDefinition"):
        obj = codecs.from_dict(document)
        if isinstance(obj, CustomResourceDefinition):
            create_resources_from_crd(obj)
        yield obj


def _rank(obj: Any) -> int:
    """What others need comes first; webhooks last, as nothing answers them until istiod runs."""
    if obj.kind in ("Namespace", "CustomResourceDefinition"):
        return 0
    return 2 if obj.kind.endswith("WebhookConfiguration") else 1


def _answer(lacking: Callable[[], str]) -> str:
    """What is lacking; an API server that does not say so, as it has just restarted, is too."""
    try:
        return lacking()
    except httpx2.HTTPError as error:
        if not _passes(error):
            raise LabError(f"the API server refused to say what is lacking: {error}") from error
        return f"no answer of the API server: {_said(error)}"


def _passes(error: httpx2.HTTPError, *codes: int) -> bool:
    """Whether the API server may answer otherwise a moment later; `codes` do too."""
    if isinstance(error, httpx2.HTTPStatusError):
        code = error.response.status_code
        server = code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return server or code in (HTTPStatus.TOO_MANY_REQUESTS, *codes)
    return isinstance(error, httpx2.TransportError)


def _said(error: httpx2.HTTPError) -> str:
    """The error's text; some, such as timeouts, have none."""
    return str(error) or type(error).__name__


def _holds(live: dict[str, Any], condition: str) -> bool:
    """Whether a live object has the condition with status True."""
    conditions = live.get("status", {}).get("conditions", [])
    return any(c["type"] == condition and c["status"] == "True" for c in conditions)
