"""What is made: services of one namespace, exposed, and a client that sends requests."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
"""A Kubernetes object."""

URL = "http://httpbin-gateway-istio.httpbin.svc.cluster.local"
"""The gateway of every case."""

_SAMPLE = Path(__file__).parents[1] / "Pulumi.dev.yaml"
_PREFIX = "ambient-exposure:"
_OURS = ("pulumi.com/", "ambient-exposure/")
"""Begins the annotations that nobody else would write."""


@dataclass(frozen=True)
class Case:
    """Exposures: that of the sample, or several like it that share a gateway and a waypoint."""

    exposures: int = 1
    shared: bool = False
    """Whether gateway and waypoint are entries of their own."""
    pods: bool = True
    """Whether there is anything behind the Services, and a client that proves it."""

    @property
    def names(self) -> list[str]:
        """The names of exposures and Services."""
        return [f"httpbin-{n}" for n in range(self.exposures)] if self.shared else ["httpbin"]

    def requests(self, *, other: bool = False) -> list[tuple[str, str, int]]:
        """Host, path and status of the requests that prove it, or another rule of the first one."""
        return [
            (f"{name}.example.com", path, status)
            for name in (self.names[:1] if other else self.names)
            for path, status in (("/headers", 200), ("/get", 200 if other else 404))
        ]

    def settings(self, *, other: bool = False) -> dict[str, Any]:
        """The configuration of a stack, perhaps with another rule of the first exposure."""
        config = yaml.safe_load(_SAMPLE.read_text(encoding="utf-8"))["config"]
        (sample,) = config[f"{_PREFIX}exposures"].values()
        exposures = {name: self._exposure(name, sample) for name in self.names}
        if other:
            first = exposures[self.names[0]]
            first["rules"][0]["paths"].append("/get")
            first["verification"]["checks"][1]["status"] = 200
        config[f"{_PREFIX}exposures"] = exposures
        config[f"{_PREFIX}cluster"] = {"context": "lab"}
        if self.shared:
            place = {"namespace": {"existing": {"entry": "httpbin"}}}
            config[f"{_PREFIX}namespaces"] = {"httpbin": {}}
            gateway = {**place, **sample["gateway"], "hostnames": ["*.example.com"]}
            config[f"{_PREFIX}gateways"] = {"httpbin-gateway": gateway}
            config[f"{_PREFIX}waypoints"] = {"httpbin-waypoint": place}
        if not self.pods:
            del config[f"{_PREFIX}client"]
        return dict(config)

    def _exposure(self, name: str, sample: Mapping[str, Any]) -> dict[str, Any]:
        exposure = copy.deepcopy({**sample})
        exposure["service"]["name"] = name
        exposure["hostnames"] = [f"{name}.example.com"]
        if self.shared:
            exposure["namespace"] = {"existing": {"entry": "httpbin"}}
            exposure["gateway"] = {"existing": {"entry": "httpbin-gateway"}}
            exposure["waypoint"] = {"existing": {"entry": "httpbin-waypoint"}}
        if not self.pods:
            exposure["service"]["replicas"] = 0
            del exposure["verification"]
        return exposure


def objects(resources: Iterable[Mapping[str, Any]]) -> list[Object]:
    """The objects of a stack of ours as everybody else writes them, by the resources in its state.

    The Jobs that prove it are left out, and labels of namespaces stand in these.
    """
    found: dict[tuple[str, str], Object] = {}
    for resource in resources:
        kind = resource["type"].rpartition(":")[2]
        if not resource["type"].startswith("kubernetes:") or kind == "Job":
            continue
        one = copy.deepcopy(resource["inputs"])
        metadata = one["metadata"]
        given = metadata.pop("annotations", {}).items()
        kept = {name: value for name, value in given if not name.startswith(_OURS)}
        if kind.endswith("Patch"):
            patched = found[kind.removesuffix("Patch"), metadata["name"]]["metadata"]
            patched["labels"] = {**patched.get("labels", {}), **metadata.get("labels", {})}
        else:
            found[kind, metadata["name"]] = one
            metadata.update({"annotations": kept} if kept else {})
    return [*found.values()]


def changed(made: Iterable[Object], case: Case) -> list[Object]:
    """The objects with another rule of the first exposure."""
    copies = copy.deepcopy([*made])
    name = f"{case.names[0]}-waypoint-route"
    (route,) = (one for one in copies if one["metadata"]["name"] == name)
    match = {"path": {"type": "PathPrefix", "value": "/get"}}
    route["spec"]["rules"][0]["matches"].append(match)
    return copies
