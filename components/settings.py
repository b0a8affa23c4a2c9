"""The stack's configuration, typed and checked.

`Pulumi.yaml` declares every key with its type, meaning and default; nothing here repeats them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pulumi
from pulumi.runtime import config as runtime_config

from components import validation as valid
from components.cluster import ClusterArgs, NamespaceExpectation, PreflightArgs
from components.exposure import AmbientExposureArgs
from components.gateway import ServiceType

_Kind = type[str] | type[int] | type[bool] | type[list[Any]] | type[dict[str, Any]]


def _each(check: valid.Check) -> valid.Check:
    def checked(value: Any) -> str | None:
        if not isinstance(value, list):
            return "a list"
        if not value:
            return "at least one"
        for item in value:
            if expected := check(item):
                return f"a list of which each is {expected}; {item!r} is not"
        return None

    return checked


def _request_check(value: Any) -> str | None:
    if not isinstance(value, dict) or value.keys() != {"path", "status"}:
        return "a mapping {path: /headers, status: 200}"
    return valid.request_path(value["path"]) or valid.http_status(value["status"])


KEYS: dict[str, tuple[_Kind, valid.Check]] = {
    "context": (str, valid.text),
    "kubeconfig": (str, valid.text),
    "preflight": (bool, valid.boolean),
    "namespace": (str, valid.dns_label),
    "createNamespace": (bool, valid.boolean),
    "discoveryLabels": (dict, valid.labels),
    "service": (str, valid.service_name),
    "servicePort": (int, valid.port),
    "image": (str, valid.image),
    "containerPort": (int, valid.unprivileged_port),
    "hostnames": (list, _each(valid.hostname)),
    "paths": (list, _each(valid.path_prefix)),
    "serviceType": (str, valid.one_of(*get_args(ServiceType))),
    "port": (int, valid.port),
    "gatewayClass": (str, valid.dns_label),
    "waypointClass": (str, valid.dns_label),
    "clusterDomain": (str, valid.hostname),
    "verify": (bool, valid.boolean),
    "checks": (list, _each(_request_check)),
    "clientNamespace": (str, valid.dns_label),
    "clientImage": (str, valid.image),
    "readyTimeout": (int, valid.seconds),
    "verifyTimeout": (int, valid.seconds),
}


@dataclass(frozen=True)
class Settings:
    """The configuration of a stack, in the terms of the components."""

    cluster: ClusterArgs
    """The cluster."""
    preflight: PreflightArgs | None
    """What the cluster must have; None where the check is switched off."""
    exposure: AmbientExposureArgs
    """The exposure."""

    @classmethod
    def load(cls) -> "Settings":
        """The settings of the running stack; raises `InvalidInput` with every fault at once."""
        values = read(runtime_config.CONFIG.get(), pulumi.get_project())
        namespaces: list[NamespaceExpectation] = [
            {"name": values["namespace"], "create": values["createNamespace"]}
        ]
        exposure: AmbientExposureArgs = {
            "namespace": {
                "name": values["namespace"],
                "create": values["createNamespace"],
                "discovery_labels": values["discoveryLabels"],
            },
            "service": {
                "name": values["service"],
                "port": values["servicePort"],
                "image": values["image"],
                "container_port": values["containerPort"],
            },
            "hostnames": values["hostnames"],
            "rules": [{"paths": values["paths"]}],
            "gateway": {
                "service_type": values["serviceType"],
                "port": values["port"],
                "gateway_class": values["gatewayClass"],
                "cluster_domain": values["clusterDomain"],
            },
            "waypoint": {"gateway_class": values["waypointClass"]},
            "ready_timeout": values["readyTimeout"],
        }
        if values["verify"]:
            namespaces.append({"name": values["clientNamespace"], "create": True})
            exposure["verification"] = {
                "namespace": values["clientNamespace"],
                "image": values["clientImage"],
                "checks": values["checks"],
                "timeout": values["verifyTimeout"],
            }
        return cls(
            cluster={"context": values["context"], "kubeconfig": values["kubeconfig"]},
            preflight={
                "namespaces": namespaces,
                "gateway_classes": [values["gatewayClass"], values["waypointClass"]],
            }
            if values["preflight"]
            else None,
            exposure=exposure,
        )


def read(config: Mapping[str, str], project: str) -> dict[str, Any]:
    """Every key of `project` in `config`, parsed and checked.

    Raises `InvalidInput` naming each key that is unknown, missing or wrong.
    """
    faults = valid.Faults(f"configuration of stack {pulumi.get_stack()}")
    prefix = f"{project}:"
    given = {k.removeprefix(prefix): v for k, v in config.items() if k.startswith(prefix)}
    for key in sorted(given.keys() - KEYS.keys()):
        faults.add(
            key,
            f"unknown key{valid.did_you_mean(key, KEYS)}; Pulumi.yaml lists them all."
            f" `pulumi config rm {key}` removes it",
        )
    values: dict[str, Any] = {}
    for key, (kind, check) in KEYS.items():
        if key not in given:
            faults.add(key, "missing; its default stands in Pulumi.yaml, is that file complete?")
            continue
        if runtime_config.is_config_secret(f"{prefix}{key}"):
            faults.add(key, "is a secret, and would get into the state as plain text; set it anew")
        values[key] = _parse(given[key], kind)
        faults.check(key, values[key], check)
    faults.raise_any()
    _check_together(values, faults)
    faults.raise_any()
    return values


def _check_together(values: Mapping[str, Any], faults: valid.Faults) -> None:
    """Record what is right by itself, but not beside the rest."""
    if not values["verify"]:
        return
    if values["clientNamespace"] == values["namespace"]:
        faults.add("clientNamespace", "found the service's namespace, expected one of its own")
    for index, check in enumerate(values["checks"]):
        path = f"{check['path'].partition('?')[0]}/"
        let_through = any(path.startswith(f"{prefix.rstrip('/')}/") for prefix in values["paths"])
        if check["status"] // 100 == 2 and not let_through:
            faults.add(
                f"checks[{index}]",
                f"found {check['path']} to be answered {check['status']}, but the waypoint lets"
                f" through only paths: {', '.join(values['paths'])}. Change one of the two keys",
            )


def _parse(raw: str, kind: _Kind) -> Any:
    """`raw` as a `kind`; unchanged where it is none, for the check to refuse."""
    if kind is str:
        return raw
    try:
        value = json.loads(raw.lower() if kind is bool else raw)
    except ValueError:
        return raw
    return value if isinstance(value, kind) else raw
