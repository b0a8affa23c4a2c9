"""The components as a package, in the hands of the real engine.

The lab's language host is older than its engine and cannot start a plugin from the plugin's folder,
so an executable does here what the host of the same release does: run the folder with Python.
"""

import json
import sys
from pathlib import Path

import pytest

from tests.lab.conftest import HOST, ROOT, Lab, NewStack, plain, run

pytestmark = plain

# A component of another process, as the SDKs of other languages make it.
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes


class AmbientExposure(pulumi.ComponentResource):
    verified: pulumi.Output[list[str]]


provider = kubernetes.Provider("provider", context="lab", kubeconfig="")
exposure = AmbientExposure(
    "ambient:index:AmbientExposure",
    "httpbin",
    {
        "namespace": {"name": "httpbin", "discoveryLabels": {"istio-discovery": "enabled"}},
        "service": {
            "name": "httpbin",
            "port": 8000,
            "image": "docker.io/mccutchen/go-httpbin:v2.15.0",
            "containerPort": 8080,
        },
        "hostnames": ["httpbin.example.com"],
        "rules": [{"paths": ["/headers"]}],
        "verification": {
            "checks": [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
        },
        "verified": None,
    },
    pulumi.ResourceOptions(providers=[provider]),
    remote=True,
)
pulumi.export("verified", exposure.verified)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The package as an executable, in a folder of its own."""
    program = tmp_path / "plugin" / "pulumi-resource-ambient"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "package"} "$@"\n')
    program.chmod(0o755)
    return program


def test_the_engine_accepts_the_schema(lab: Lab, plugin: Path) -> None:
    schema = json.loads(run("pulumi", "package", "get-schema", plugin, env=lab.env))
    assert "ambient:index:AmbientExposure" in schema["resources"]


def test_a_component_of_the_package_exposes_a_service(new_stack: NewStack, plugin: Path) -> None:
    stack = new_stack(PROGRAM, path=plugin.parent)
    assert stack.up()["verified"] == [
        f"GET http://{HOST}:80/headers (Host: httpbin.example.com): 200",
        f"GET http://{HOST}:80/get (Host: httpbin.example.com): 404",
    ]
    stack.pulumi("preview", "--expect-no-changes")
