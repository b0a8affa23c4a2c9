"""The provider service: what the engine asks, answered by the Kubernetes API."""

# The protocol names the methods and their parameters; its stubs know no asynchronous server.
# ruff: noqa: ARG002, N802
# pyright: reportIncompatibleMethodOverride=false
import functools
import hashlib
import importlib.metadata
import os
import re
import secrets
import sys
from asyncio import sleep
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar, cast

import grpc
import httpx2
from google.protobuf.empty_pb2 import Empty
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ApiError, ConfigError
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from lab.provider import diff
from lab.provider.cluster import (
    MANAGER,
    Cluster,
    KindMissingError,
    annotation,
    identity,
    load_config,
)
from lab.provider.expressions import parse
from lab.provider.ownership import adopt, has_first_manager
from lab.provider.readiness import job_completed
from lab.provider.state import Urn, as_inputs, kept, reference
from lab.provider.values import UNKNOWN, Object, decode, encode, has_unknown, plain, with_secrets
from lab.provider.wait import NotReadyError, Waiter, limit

VERSION = importlib.metadata.version("pulumi-kubernetes")
"""The version that the SDK asks for, as it cannot be had of the official plugin."""

_ANNOUNCEMENT = (
    "stand-in Kubernetes provider (python -m lab.provider): Pulumi has no Kubernetes plugin here "
    "and cannot download one"
)
_GRPC_OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]
# Seconds between attempts: a namespace or CRD made at the same time may take a moment to be there.
_CREATION_RETRIES = (1, 2, 4)
# Attempts to take fields over; each fails where a controller writes the object at the same time.
_ADOPTIONS = 10
# Of these, an object that is not to be waited for is not waited for on deletion either.
_SKIPS_DELETION_AWAIT = {
    "DaemonSet",
    "Deployment",
    "Job",
    "Namespace",
    "Pod",
    "ReplicationController",
    "StatefulSet",
}
_CHANGE_KINDS = {
    ("ADD", False): provider_pb2.PropertyDiff.ADD,
    ("ADD", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("DELETE", False): provider_pb2.PropertyDiff.DELETE,
    ("DELETE", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("UPDATE", False): provider_pb2.PropertyDiff.UPDATE,
    ("UPDATE", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class ProviderError(Exception):
    """A request cannot be served; the message is for the person who runs Pulumi."""


class _InitError(Exception):
    """The object is in the cluster but not ready: the engine is to keep this state of it."""

    def __init__(self, error: NotReadyError, state: Object, inputs: Object | None = None) -> None:
        super().__init__(error.reasons[0])
        self.detail = provider_pb2.ErrorResourceInitFailed(
            id=identity(error.live),
            properties=encode(state),
            reasons=error.reasons,
            inputs=None if inputs is None else encode(inputs),
        )


_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Method = Callable[["KubernetesProvider", _Request], Awaitable[_Response]]
_Call = Callable[["KubernetesProvider", _Request, Any], Awaitable[_Response]]


def _call(method: _Method[_Request, _Response]) -> _Call[_Request, _Response]:
    """A method as the service's call: what goes wrong reaches the engine as one message."""

    @functools.wraps(method)
    async def call(self: "KubernetesProvider", request: _Request, context: Any) -> _Response:
        details: tuple[tuple[str, bytes], ...] = ()
        try:
            return await method(self, request)
        except _InitError as error:
            message = str(error)
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
            status.details.add().Pack(error.detail)
            details = (("grpc-status-details-bin", status.SerializeToString()),)
        except (ProviderError, NotReadyError, httpx2.HTTPStatusError) as error:
            message = str(error)
        except KindMissingError as error:
            message = f"{error}: install the CRDs that define it first"
        except httpx2.TransportError as error:
            message = f"the Kubernetes API server did not answer: {_said(error)}"
        await context.abort(grpc.StatusCode.UNKNOWN, message, details)
        raise AssertionError("abort always raises")

    return call


async def serve(engine: str) -> None:
    """Serve the engine at this address, and tell it the port on standard output."""
    async with grpc.aio.insecure_channel(engine) as channel:
        server = grpc.aio.server(options=_GRPC_OPTIONS)
        # The stubs have a type for the asynchronous client; at run time one class is both.
        stub = cast("engine_pb2_grpc.EngineAsyncStub", engine_pb2_grpc.EngineStub(channel))
        service = KubernetesProvider(stub)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        # Pulumi ends its plugins, unless it is killed itself; nothing else tells of a parent's end.
        parent = os.getppid()
        while os.getppid() == parent:  # noqa: ASYNC110
            await sleep(1)


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The calls of the engine's provider protocol that resources of the Kubernetes API need.

    It implements the protocol itself, as the SDK's server for providers in Python cannot report a
    resource as created but not ready, and puts a stack trace into every message.
    """

    def __init__(self, engine: "engine_pb2_grpc.EngineAsyncStub") -> None:
        """Answer this engine."""
        self._engine = engine
        self._config: Object = {}
        self._connected: Cluster | None = None
        self._unreachable = ""

    async def GetPluginInfo(self, request: Empty, context: Any) -> plugin_pb2.PluginInfo:
        """The version, which the engine compares with the one that the SDK asks for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    async def Cancel(self, request: Empty, context: Any) -> Empty:
        """End all waits, so that their objects are kept as not ready."""
        if self._connected is not None:
            self._waiter.stop()
        return Empty()

    @_call
    async def CheckConfig(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Refuse the options that this plugin does not have."""
        config = plain(decode(request.news))
        failures: list[provider_pb2.CheckFailure] = []
        if config.get("renderYamlToDirectory"):
            failures.append(_failure("renderYamlToDirectory", "the stand-in provider cannot do it"))
        if _text(config.get("enableServerSideApply", "true")) != "true":
            failures.append(_failure("enableServerSideApply", "the stand-in provider needs it"))
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @_call
    async def DiffConfig(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Another cluster replaces all resources; other options change in place."""
        old, new = plain(decode(request.olds)), plain(decode(request.news))
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        replaces: list[str] = []
        if old.get("clusterIdentifier") and new.get("clusterIdentifier"):
            replaces = [key for key in changed if key == "clusterIdentifier"]
        elif _server(old) != _server(new):
            replaces = [key for key in changed if key in ("kubeconfig", "context")]
        return provider_pb2.DiffResponse(
            changes=_some(changed=bool(changed)), diffs=changed, replaces=replaces
        )

    @_call
    async def Configure(
        self, request: provider_pb2.ConfigureRequest
    ) -> provider_pb2.ConfigureResponse:
        """Connect to the cluster, and say that this is not the official plugin."""
        await self._log(engine_pb2.INFO, _ANNOUNCEMENT)
        self._config = plain(decode(request.args))
        try:
            self._connected = await _connect(self._config)
        except (ConfigError, OSError) as error:
            self._unreachable = f"configured Kubernetes cluster is unreachable: {error}"
            await self._log(engine_pb2.WARNING, self._unreachable)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_call
    async def Check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        """Complete the inputs: kind, name, namespace."""
        urn = Urn(request.urn)
        given = decode(request.news)
        inputs: Object = {"apiVersion": urn.api_version, "kind": urn.kind} | diff.canonical(
            plain(given)
        )
        failures: list[provider_pb2.CheckFailure] = []
        if inputs.setdefault("metadata", {}) != UNKNOWN:
            if not inputs["metadata"].get("name"):
                if urn.patches(inputs):
                    failures.append(_failure("metadata.name", "a Patch resource needs it"))
                self._autoname(inputs, plain(decode(request.olds)), urn, request.randomSeed)
            await self._set_namespace(inputs)
        wait_for = annotation(inputs, "waitFor")
        try:
            if wait_for not in ("", UNKNOWN):
                parse(wait_for)
        except ValueError as error:
            failures.append(_failure('metadata.annotations["pulumi.com/waitFor"]', str(error)))
        return provider_pb2.CheckResponse(
            inputs=encode(with_secrets(inputs, given)), failures=failures
        )

    @_call
    async def Diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        """Compare what the state keeps of the object with the new inputs.

        That is the object as the cluster last had it, as far as the old inputs say anything of
        it: the next update repairs what an update left undone, or a refresh has found.
        """
        urn = Urn(request.urn)
        old, new = plain(decode(request.olds)), plain(decode(request.news))
        mutable = [kind for kind in ("ConfigMap", "Secret") if self._flag(f"enable{kind}Mutable")]
        immutable = diff.immutable(new, patch=urn.patches(new), mutable=mutable)
        changes = diff.changes(diff.prune(old, old.get("__inputs", {})), new, immutable)
        replaces = [change.property_path for change in changes if change.replaces]
        if await self._is_unready(old, new):
            replaces.append('.metadata.annotations["pulumi.com/replaceUnready"]')
        same_name = annotation(new, "autonamed") != "true" and new["metadata"] != UNKNOWN
        same_name = same_name and identity(new) == identity(old)
        return provider_pb2.DiffResponse(
            changes=_some(changed=bool(changes or replaces)),
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and same_name,
            detailedDiff={
                change.property_path: provider_pb2.PropertyDiff(
                    kind=_CHANGE_KINDS[change.kind, change.replaces], inputDiff=True
                )
                for change in changes
            },
            hasDetailedDiff=True,
        )

    @_call
    async def Create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        """Create the object, or show what the API server would make of it."""
        urn = Urn(request.urn)
        given = decode(request.properties)
        inputs = plain(given)
        patch = urn.patches(inputs)
        unseen = provider_pb2.CreateResponse(properties=request.properties)
        if request.preview and (patch or not await self._previewable(inputs)):
            return unseen
        manager = _new_manager()
        keep = functools.partial(kept, inputs=inputs, given=given, manager=manager)
        try:
            if request.preview:
                live = await self._create(inputs, manager, patch=patch, dry_run=True)
            else:
                live = await self._create_patiently(inputs, manager, request.urn, patch=patch)
        except ApiError as error:
            if request.preview and _cannot_preview(error):
                return unseen
            if error.status.reason == "AlreadyExists":
                raise ProviderError(_exists(error)) from error
            raise
        if request.preview:
            # It would be the status of an object that nothing has worked on yet.
            live.pop("status", None)
            return provider_pb2.CreateResponse(properties=encode(keep(live)))
        live = await self._ready(live, inputs, request, keep)
        return provider_pb2.CreateResponse(id=identity(live), properties=encode(keep(live)))

    @_call
    async def Update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        """Apply the new inputs, or show what the API server would make of them."""
        given = decode(request.news)
        inputs, old = plain(given), plain(decode(request.olds))
        unseen = provider_pb2.UpdateResponse(properties=request.news)
        if request.preview and not await self._previewable(inputs):
            return unseen
        manager = old.get("__fieldManager") or _new_manager()
        initial = old.get("__initialApiVersion")
        keep = functools.partial(kept, inputs=inputs, given=given, manager=manager, initial=initial)
        patch = Urn(request.urn).patches(inputs)
        try:
            live = await self._apply(inputs, manager, patch=patch, dry_run=request.preview)
        except ApiError as error:
            if request.preview and error.status.reason == "Forbidden":
                return unseen
            raise
        if not request.preview:
            live = await self._ready(live, inputs, request, keep)
        return provider_pb2.UpdateResponse(properties=encode(keep(live)))

    @_call
    async def Read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        """The object as it is now, for a refresh, an import or a lookup by id."""
        if self._unreachable and self._flag("deleteUnreachable"):
            return provider_pb2.ReadResponse()
        old, given = decode(request.properties), decode(request.inputs)
        inputs = plain(given) or reference(Urn(request.urn), request.id)
        live = await self._cluster.find(inputs)
        if live is None:
            return provider_pb2.ReadResponse()
        live_inputs = diff.prune(live, inputs) if given else as_inputs(live)
        manager = old.get("__fieldManager") or _new_manager()
        state = kept(live, live_inputs, given, manager, old.get("__initialApiVersion"))
        checked = with_secrets(live_inputs, given)
        if given:
            try:
                await self._waiter.check(live, inputs)
            except NotReadyError as error:
                raise _InitError(error, state, checked) from error
        return provider_pb2.ReadResponse(
            id=request.id, properties=encode(state), inputs=encode(checked)
        )

    @_call
    async def Delete(self, request: provider_pb2.DeleteRequest) -> Empty:
        """Delete the object and wait until it is gone, or give up the fields of a patch."""
        if self._unreachable and self._flag("deleteUnreachable"):
            return Empty()
        old = plain(decode(request.properties))
        inputs = old.get("__inputs", {})
        live = await self._cluster.find(old)
        if live is None:
            return Empty()
        if Urn(request.urn).patches(old):
            await self._relinquish(live, old["__fieldManager"])
            return Empty()
        policy = annotation(inputs, "deletionPropagationPolicy").capitalize()
        if policy not in ("Orphan", "Background"):
            policy = "Foreground"
        try:
            await self._cluster.delete(live, propagation=policy)
        except ApiError as error:
            if error.status.code != HTTPStatus.NOT_FOUND:
                raise
        if annotation(inputs, "skipAwait") != "true" or live["kind"] not in _SKIPS_DELETION_AWAIT:
            say = functools.partial(self._say, request.urn)
            await self._waiter.until_gone(live, limit(request.timeout, inputs), say)
        return Empty()

    @property
    def _cluster(self) -> Cluster:
        if self._connected is None:
            raise ProviderError(
                f"{self._unreachable}. Start the cluster, or correct the kubeconfig or context. If "
                "the cluster no longer exists, PULUMI_K8S_DELETE_UNREACHABLE=true lets Pulumi "
                "forget its resources."
            )
        return self._connected

    @functools.cached_property
    def _waiter(self) -> Waiter:
        return Waiter(self._cluster)

    def _flag(self, option: str) -> bool:
        """A boolean option of the provider; what is not set may be set in the environment."""
        name = re.sub("(?=[A-Z])", "_", option).upper()
        given = self._config.get(option, os.environ.get(f"PULUMI_K8S_{name}", ""))
        return _text(given) == "true"

    async def _log(self, severity: Any, message: str) -> None:
        await self._engine.Log(engine_pb2.LogRequest(severity=severity, message=message))

    async def _say(self, urn: str, message: str) -> None:
        """Show a message beside the resource for as long as the operation takes."""
        await self._engine.Log(
            engine_pb2.LogRequest(
                severity=engine_pb2.INFO, urn=urn, message=message, ephemeral=True
            )
        )

    def _autoname(self, inputs: Object, old: Object, urn: Urn, seed: bytes) -> None:
        """Give the inputs the name they had, or one that is the same in preview and update."""
        metadata = inputs["metadata"]
        if annotation(old, "autonamed") == "true":
            metadata["name"] = old["metadata"]["name"]
        else:
            metadata["name"] = f"{urn.name}-{hashlib.sha256(seed).hexdigest()[:8]}"
        if metadata.setdefault("annotations", {}) != UNKNOWN:
            metadata["annotations"]["pulumi.com/autonamed"] = "true"

    async def _set_namespace(self, inputs: Object) -> None:
        """Give a namespaced object a namespace, and no other object one."""
        metadata = inputs["metadata"]
        if await self._namespaced(inputs):
            if not metadata.get("namespace"):
                kubeconfig = self._connected.namespace if self._connected else "default"
                metadata["namespace"] = self._config.get("namespace") or kubeconfig
        else:
            metadata.pop("namespace", None)

    async def _namespaced(self, inputs: Object) -> bool:
        if self._connected is None:
            return True
        try:
            return (await self._connected.resource(inputs["apiVersion"], inputs["kind"])).namespaced
        except KindMissingError:
            # Most kinds whose CRD is still to come are namespaced.
            return True

    async def _is_unready(self, old: Object, new: Object) -> bool:
        """Whether the object is a Job that is to be replaced because it has not completed."""
        if new["kind"] != "Job" or annotation(new, "replaceUnready") != "true":
            return False
        live = await self._connected.find(old) if self._connected else None
        return live is not None and not job_completed(live)

    async def _previewable(self, inputs: Object) -> bool:
        """Whether the API server can be asked what it would make of these inputs."""
        if self._connected is None or has_unknown(inputs):
            return False
        try:
            await self._connected.resource(inputs["apiVersion"], inputs["kind"])
        except KindMissingError:
            return False
        return True

    async def _create_patiently(
        self, inputs: Object, manager: str, urn: str, *, patch: bool
    ) -> Object:
        for delay in _CREATION_RETRIES:
            try:
                return await self._create(inputs, manager, patch=patch, dry_run=False)
            except KindMissingError as error:
                reason = str(error)
            except ApiError as error:
                if error.status.code != HTTPStatus.NOT_FOUND:
                    raise
                reason = str(error)
            await self._say(urn, f"trying again in {delay} s: {reason}")
            await sleep(delay)
        return await self._create(inputs, manager, patch=patch, dry_run=False)

    async def _create(self, inputs: Object, manager: str, *, patch: bool, dry_run: bool) -> Object:
        if patch or self._flag("upsertExistingObjects"):
            force = dry_run or self._forces(inputs)
            return await self._write(inputs, manager, force=force, dry_run=dry_run)
        return await self._cluster.create(inputs, dry_run=dry_run)

    async def _apply(self, inputs: Object, manager: str, *, patch: bool, dry_run: bool) -> Object:
        live = await self._cluster.find(inputs)
        if live is None:
            raise ProviderError(
                f"{inputs['kind']} {identity(inputs)} is no longer in the cluster: "
                "run `pulumi refresh`, then Pulumi will create it again"
            )
        force = self._forces(inputs)
        if not patch and dry_run:
            # The real update first takes the fields over from their first manager.
            force = force or has_first_manager(live)
        elif not patch:
            await self._take_over(live, manager)
        return await self._write(inputs, manager, force=force, dry_run=dry_run)

    async def _take_over(self, live: Object, manager: str) -> None:
        """Give `manager` what earlier managers own, also when controllers come in between."""
        for attempt in range(1, _ADOPTIONS + 1):
            operations = adopt(live, manager)
            if not operations:
                return
            try:
                await self._cluster.patch(live, operations)
            except ApiError as error:
                if error.status.reason != "Conflict" or attempt == _ADOPTIONS:
                    raise
                live = await self._cluster.get(live)
            else:
                return

    async def _write(self, inputs: Object, manager: str, *, force: bool, dry_run: bool) -> Object:
        """Server-side apply, with its conflicts explained."""
        try:
            return await self._cluster.apply(inputs, manager=manager, force=force, dry_run=dry_run)
        except ApiError as error:
            if error.status.reason == "Conflict":
                raise ProviderError(_conflict(error, manager)) from error
            raise

    def _forces(self, inputs: Object) -> bool:
        return annotation(inputs, "patchForce") == "true" or self._flag("enablePatchForce")

    async def _ready(
        self,
        live: Object,
        inputs: Object,
        request: provider_pb2.CreateRequest | provider_pb2.UpdateRequest,
        keep: Callable[[Object], Object],
    ) -> Object:
        """Wait for the object; one that does not become ready is kept in the state as such.

        `keep` makes the state of a live object.
        """
        say = functools.partial(self._say, request.urn)
        try:
            return await self._waiter.until_ready(live, inputs, limit(request.timeout, inputs), say)
        except NotReadyError as error:
            raise _InitError(error, keep(error.live)) from error

    async def _relinquish(self, live: Object, manager: str) -> None:
        """Leave every field of the object to its other managers."""
        metadata = {
            key: live["metadata"][key]
            for key in ("name", "namespace", "uid")
            if key in live["metadata"]
        }
        nothing = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
        await self._cluster.apply(nothing, manager=manager, force=False, dry_run=False)


def _failure(name: str, reason: str) -> provider_pb2.CheckFailure:
    return provider_pb2.CheckFailure(property=name, reason=reason)


def _new_manager() -> str:
    """A field manager's name that no other resource has."""
    return f"{MANAGER}-{secrets.token_hex(4)}"


def _some(*, changed: bool) -> Any:
    response = provider_pb2.DiffResponse
    return response.DIFF_SOME if changed else response.DIFF_NONE


def _text(option: Any) -> str:
    """An option of the provider as text: the SDK writes booleans as `true` or as `"true"`."""
    return str(option).lower()


def _connection(config: Object) -> SingleConfig:
    return load_config(config.get("kubeconfig") or "", config.get("context") or "")


async def _connect(config: Object) -> Cluster:
    cluster = Cluster(_connection(config))
    try:
        await cluster.reach()
    except httpx2.HTTPError as error:
        raise ConfigError(f"{cluster.server}: {_said(error)}") from error
    return cluster


def _said(error: Exception) -> str:
    """The error's text; some errors of the HTTP client, such as timeouts, have none."""
    return str(error) or type(error).__name__


def _server(config: Object) -> str | None:
    """The API server that a provider's configuration leads to, None where it leads to none."""
    try:
        return _connection(config).cluster.server
    except (ConfigError, OSError):
        return None


def _cannot_preview(error: ApiError) -> bool:
    """Whether a refused dry run says nothing about the creation that will follow.

    The object may be deleted first, and its namespace may be created first.
    """
    status = error.status
    of = status.details.kind if status.details else None
    return (
        status.reason in ("AlreadyExists", "Forbidden")
        or (status.code == HTTPStatus.NOT_FOUND and of == "namespaces")
        or (status.code == HTTPStatus.BAD_REQUEST and "dry run" in (status.message or ""))
    )


def _exists(error: ApiError) -> str:
    return (
        f"{error}\nThe resource already exists in the cluster and is not of this stack. Give this "
        "one another name, bring the existing one into the stack with `pulumi import`, manage some "
        "of its fields with a Patch resource, or set upsertExistingObjects on the provider to take "
        "it over."
    )


def _conflict(error: ApiError, manager: str) -> str:
    return (
        "server-side apply field conflict: the resource managed by field manager "
        f'"{manager}" had an apply conflict: {error}\nLeave the fields to their manager, or take '
        'them over with the annotation `pulumi.com/patchForce: "true"`.'
    )
