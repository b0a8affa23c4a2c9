"""One Kubernetes API server, spoken to in plain JSON objects of any kind it serves."""

import asyncio
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import yaml
from lightkube.config.client_adapter import AsyncClient, ConnectionParams
from lightkube.config.kubeconfig import DEFAULT_KUBECONFIG, KubeConfig, SingleConfig
from lightkube.core.exceptions import ApiError, ConfigError

from lab.provider.values import Object

MANAGER = "pulumi-kubernetes"
"""The field manager of objects that were created and not yet updated."""


class KindMissingError(Exception):
    """The API server does not serve the kind of an object, usually for want of a CRD."""

    def __init__(self, api_version: str, kind: str) -> None:
        """Name the kind."""
        super().__init__(f"the API server does not know the kind {kind} of {api_version}")


@dataclass(frozen=True)
class Resource:
    """How the API server serves one kind: the root of its group, its plural, its scope."""

    root: str
    plural: str
    namespaced: bool


def load_config(kubeconfig: str, context: str) -> SingleConfig:
    """The connection to use: a kubeconfig's path or contents, and the name of a context in it.

    An empty `kubeconfig` means the file that KUBECONFIG names, or kubectl's default file. An empty
    `context` means the current context. Raises lightkube's `ConfigError` where there is none.
    """
    try:
        config = _kubeconfig(kubeconfig).get(context or None)
    except (KeyError, TypeError, ValueError, OSError, yaml.YAMLError) as error:
        raise ConfigError(f"the kubeconfig cannot be read: {error!r}") from error
    if config is None:
        raise ConfigError("the kubeconfig has no current context")
    return config


def _kubeconfig(kubeconfig: str) -> KubeConfig:
    if "\n" in kubeconfig or kubeconfig.lstrip().startswith("{"):
        return KubeConfig.from_dict(yaml.safe_load(kubeconfig))
    paths = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    file = kubeconfig or next(filter(os.path.exists, paths), paths[0]) or DEFAULT_KUBECONFIG
    return KubeConfig.from_file(Path(file))


def identity(obj: Object) -> str:
    """The name by which Pulumi and people know an object: `namespace/name`, or its name alone."""
    namespace = obj["metadata"].get("namespace")
    name = str(obj["metadata"]["name"])
    return f"{namespace}/{name}" if namespace else name


def annotation(obj: Object, name: str) -> str:
    """The value of a `pulumi.com/` annotation, empty where it is not set."""
    value: Any = obj
    for key in ("metadata", "annotations", f"pulumi.com/{name}"):
        # All of the metadata or of the annotations may be unknown in a preview.
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)


class Cluster:
    """The API server of one kubeconfig context.

    Every method takes and returns objects as the API writes them. Answers that are errors raise
    lightkube's `ApiError`, kinds that are not served `KindMissingError`, and a server that does not
    answer (5 s to connect, 30 s to answer) `httpx2.TransportError`.
    """

    def __init__(self, config: SingleConfig) -> None:
        """Prepare to connect as `config` says; nothing is sent yet."""
        self.namespace = config.namespace
        self.server = config.cluster.server
        self._http = AsyncClient(config, ConnectionParams(httpx2.Timeout(30, connect=5)))
        self._resources: dict[tuple[str, str], Resource] = {}
        self._discovering = asyncio.Lock()

    async def reach(self) -> None:
        """Return if the API server answers."""
        await self._request("GET", "/version")

    async def resource(self, api_version: str, kind: str) -> Resource:
        """How the kind is served. A kind found missing is looked up anew at the next call."""
        async with self._discovering:
            if (api_version, kind) not in self._resources:
                await self._discover(api_version)
        try:
            return self._resources[api_version, kind]
        except KeyError:
            raise KindMissingError(api_version, kind) from None

    async def get(self, obj: Object) -> Object:
        """The object of this kind, namespace and name as it is now."""
        return await self._request("GET", await self._path(obj))

    async def find(self, obj: Object) -> Object | None:
        """The object as it is now, or None where it, its namespace or its kind is gone."""
        try:
            return await self.get(obj)
        except KindMissingError:
            return None
        except httpx2.HTTPStatusError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def find_all(
        self, api_version: str, kind: str, namespace: str, labels: dict[str, str]
    ) -> list[Object]:
        """The objects of a kind in a namespace that carry all the labels, each with its kind."""
        example = {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}}
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        answer = await self._request(
            "GET", await self._path(example), params={"labelSelector": selector}
        )
        # The items of a list say neither their apiVersion nor their kind.
        return [{"apiVersion": api_version, "kind": kind} | item for item in answer["items"]]

    async def create(self, obj: Object, *, dry_run: bool) -> Object:
        """Create the object; one that exists already is an error."""
        obj_path = await self._path(obj | {"metadata": obj["metadata"] | {"name": ""}})
        params = {"fieldManager": MANAGER} | _dry_run(dry_run=dry_run)
        return await self._request("POST", obj_path, params=params, json=obj)

    async def apply(self, obj: Object, *, manager: str, force: bool, dry_run: bool) -> Object:
        """Server-side apply: `manager` owns what the object says, and nothing else any more."""
        params = {"fieldManager": manager, "force": str(force).lower()} | _dry_run(dry_run=dry_run)
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return await self._request(
            "PATCH", await self._path(obj), params=params, json=obj, headers=headers
        )

    async def patch(self, obj: Object, operations: list[Object]) -> Object:
        """Change the object by JSON Patch operations."""
        headers = {"Content-Type": "application/json-patch+json"}
        return await self._request("PATCH", await self._path(obj), json=operations, headers=headers)

    async def delete(self, obj: Object, *, propagation: str) -> None:
        """Begin to delete the object and, as `propagation` says, what it owns."""
        await self._request(
            "DELETE", await self._path(obj), params={"propagationPolicy": propagation}
        )

    async def log(self, pod: Object, container: str, *, lines: int) -> str:
        """The last lines that a container of the pod wrote."""
        response = await self._http.get(
            f"{await self._path(pod)}/log", params={"container": container, "tailLines": lines}
        )
        return response.text if response.is_success else ""

    async def _discover(self, api_version: str) -> None:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listing = await self._request("GET", root)
        except httpx2.HTTPStatusError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                return
            raise
        for served in listing["resources"]:
            if "/" not in served["name"]:
                self._resources[api_version, served["kind"]] = Resource(
                    root, served["name"], served["namespaced"]
                )

    async def _path(self, obj: Object) -> str:
        resource = await self.resource(obj["apiVersion"], obj["kind"])
        metadata = obj["metadata"]
        within = ""
        if resource.namespaced:
            within = f"/namespaces/{metadata.get('namespace') or self.namespace}"
        name = metadata.get("name")
        return f"{resource.root}{within}/{resource.plural}" + (f"/{name}" if name else "")

    async def _request(self, method: str, path: str, **request: Any) -> Object:
        response = await self._http.request(method, path, **request)
        if response.is_error:
            raise _error(response)
        answer: Object = response.json()
        return answer


def _dry_run(*, dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _error(response: httpx2.Response) -> httpx2.HTTPStatusError:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        return ApiError(request=response.request, response=response)
    answer = f"{response.status_code} {response.reason_phrase} {response.text.strip()}"
    return httpx2.HTTPStatusError(answer, request=response.request, response=response)
