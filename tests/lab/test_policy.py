"""The policy pack, applied by the real engine."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policy.rules import POLICIES
from tests.lab.conftest import ROOT, NewStack, plain, run, sample

pytestmark = plain

PACK = "ambient-exposure@v0.3.0"
PREVIEW = ("preview", "--diff", "--policy-pack")
STRICT: dict[str, dict[str, Any]] = {
    "source-ranges": {"required": True},
    "missing-labels": {"labels": ["team"]},
}

BROKEN = """\
import runpy

import pulumi_kubernetes as kubernetes

runpy.run_path("program.py")
PRODUCTION = {"environment": "production"}


def custom(name, api_version, kind, spec, **labels):
    metadata = {"name": name, "namespace": "httpbin", "labels": labels}
    kubernetes.apiextensions.CustomResource(
        name, api_version=api_version, kind=kind, metadata=metadata, spec=spec
    )


ISTIO, GATEWAY = "networking.istio.io/v1", "gateway.networking.k8s.io/v1"
custom("virtual", ISTIO, "VirtualService", {"hosts": ["httpbin.example.com"]})
custom("balanced", ISTIO, "DestinationRule", {"host": "httpbin"})
custom("orphan", GATEWAY, "HTTPRoute", {"hostnames": ["a.example.com"]})
open_to_all = {"name": "all", "protocol": "HTTP", "port": 80}
ingress = {"gatewayClassName": "istio", "listeners": [open_to_all]}
custom("open", GATEWAY, "Gateway", ingress, **PRODUCTION)
mesh = {"name": "mesh", "protocol": "HBONE", "port": 15008}
custom("idle", GATEWAY, "Gateway", {"gatewayClassName": "istio-waypoint", "listeners": [mesh]})
kubernetes.core.v1.Service(
    "balancer",
    metadata={"name": "balancer", "namespace": "httpbin"},
    spec={"type": "LoadBalancer", "ports": [{"port": 80}]},
)
container = {"name": "root", "image": "shop:latest", "securityContext": {"privileged": True}}
labels = {"app": "root"}
kubernetes.apps.v1.Deployment(
    "root",
    metadata={"name": "root", "namespace": "httpbin"},
    spec={
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    },
)
"""

FOUND = {
    "mixed-apis": {
        "virtual": "VirtualService httpbin/virtual: is for httpbin.example.com, which a route",
        "balanced": "DestinationRule httpbin/balanced: is for httpbin, which a route",
    },
    "waypoint-unused": {"idle": "Gateway httpbin/idle: no namespace and no Service"},
    "route-without-parent": {"orphan": "HTTPRoute httpbin/orphan: has no parentRefs"},
    "wildcard-host": {"open": "Gateway httpbin/open: listener all is for every host name"},
    "plain-http": {"open": "Gateway httpbin/open: listener all serves plain HTTP"},
    "source-ranges": {
        "open": "Gateway httpbin/open: has a LoadBalancer for everybody",
        "balancer": "Service httpbin/balancer: is a LoadBalancer for everybody",
    },
    "privileged-pod": {"root": "Deployment httpbin/root: container root has privileged"},
    "unpinned-image": {"root": "Deployment httpbin/root: image shop:latest may be another one"},
    "missing-labels": {
        name: f"httpbin/{name}: lacks team"
        for name in ("virtual", "balanced", "orphan", "open", "idle", "balancer", "root")
    },
}
"""What each policy says of each resource that the broken program adds."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the pack with its packages."""
    folder = tmp_path_factory.mktemp("pack") / "policy"
    shutil.copytree(ROOT / "policy", folder, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    run(sys.executable, "-m", "venv", folder / ".venv")
    install = ("install", "--quiet", "--require-hashes", "-r", folder / "requirements.txt")
    run(folder / ".venv" / "bin" / "pip", *install)
    return folder


@pytest.fixture
def path(pack: Path) -> Path:
    """A folder to be first on PATH."""
    return pack / "lab"


Configured = Callable[..., Path]


@pytest.fixture
def config(tmp_path: Path) -> Configured:
    """Writes the settings of policies, those of `STRICT` and others."""

    def write(**settings: dict[str, Any]) -> Path:
        file = tmp_path / "policies.json"
        policies = {**STRICT, **{name.replace("_", "-"): one for name, one in settings.items()}}
        file.write_text(json.dumps(policies))
        return file

    return write


def test_a_stack_as_it_should_be_passes_every_policy(
    new_stack: NewStack, pack: Path, path: Path, config: Configured
) -> None:
    stack = new_stack(path=path)
    ranges = {"loadBalancerSourceRanges": ["0.0.0.0/0"]}
    gateway = {
        "serviceType": "LoadBalancer",
        "tls": {"issuer": "self-signed", "redirect": True},
        "customization": {"service": {"spec": ranges}},
    }
    stack.configure(
        labels={"environment": "production", "team": "shop"}, exposures=sample(gateway=gateway)
    )
    options = (pack, "--policy-pack-config", config())
    # In the preview, in which much is not known yet, and in the update, in which it is.
    update = ("up", "--yes", "--skip-preview", "--policy-pack")
    for words, ran in ((PREVIEW, "ambient-exposure|local|"), (update, f"✅ {PACK}")):
        printed = stack.pulumi(*words, *map(str, options))
        assert ran in printed, printed
        for policy in POLICIES:
            assert policy.description not in printed, printed
            assert f"can't run policy '{policy.name}'" not in printed


def test_each_policy_finds_what_it_is_for_and_may_be_waived(
    new_stack: NewStack, pack: Path, path: Path, config: Configured
) -> None:
    stack = new_stack(program=BROKEN, path=path)
    printed = stack.pulumi(*PREVIEW, str(pack), "--policy-pack-config", str(config()), ends="badly")
    for policy in POLICIES:
        level = "mandatory" if policy.mandatory else "advisory"
        found = f"{PACK} [{level}] [severity: {policy.severity}]  {policy.name}  ("
        assert found in printed, printed
        for said in FOUND[policy.name].values():
            assert said in printed, printed

    waived = {
        name.replace("-", "_"): {
            **STRICT.get(name, {}),
            "waivers": dict.fromkeys(found, "shown to the security team on 12 May"),
        }
        for name, found in FOUND.items()
    }
    # The objects of the exposure get the label, and all of them have it.
    stack.configure(labels={"team": "shop"})
    printed = stack.pulumi(*PREVIEW, str(pack), "--policy-pack-config", str(config(**waived)))
    assert f"{PACK} [mandatory]" not in printed
    for policy in POLICIES:
        for said in FOUND[policy.name].values():
            assert said not in printed

    # Without settings, what depends on them is not looked at.
    printed = stack.pulumi(*PREVIEW, str(pack), ends="badly")
    assert "lacks team" not in printed
    assert "for everybody" not in printed
