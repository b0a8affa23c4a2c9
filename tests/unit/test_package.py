"""The components as a Python distribution, and as a Pulumi package."""
# pyright: reportPrivateUsage=false

import inspect
import json
import keyword
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast, is_typeddict

import pulumi
import pytest
from pulumi.errors import InputPropertiesError
from pulumi.provider.experimental.util import camel_case

import components
from ambient_exposure import InvalidInput
from package.__main__ import ARGS, NAME, Provider, whole
from tests.unit.conftest import ROOT


@pytest.fixture(scope="module")
def provider() -> Provider:
    """The package, which takes seconds to read its own arguments."""
    return Provider()


@pytest.fixture(scope="module")
def schema(provider: Provider) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(provider.schema or "")
    return content


def test_the_version_is_the_distributions(schema: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (schema["name"], schema["version"]) == (NAME, project["version"])


def test_it_serves_the_installed_package(tmp_path: Path) -> None:
    program = (
        "import runpy, sys\n"
        "served = runpy.run_path(sys.argv[1])['COMPONENTS']\n"
        "print({component.__module__.partition('.')[0] for component in served})\n"
        "assert 'components' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "package" / "__main__.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("{'ambient_exposure'}\n", "")


def test_every_public_component_is_in_the_package(schema: dict[str, Any]) -> None:
    public = {name for name in components.__all__ if is_component(getattr(components, name))}
    assert {f"{NAME}:index:{name}" for name in public - {"Cluster"}} == set(schema["resources"])


def is_component(found: object) -> bool:
    return inspect.isclass(found) and issubclass(found, pulumi.ComponentResource)


@pytest.mark.parametrize("name", ARGS)
def test_inputs_are_those_of_the_typed_dict(schema: dict[str, Any], name: str) -> None:
    resource = schema["resources"][f"{NAME}:index:{name}"]
    args = ARGS[name]
    assert is_typeddict(args)
    assert set(resource["inputProperties"]) == {camel_case(key) for key in args.__annotations__}
    assert set(resource["requiredInputs"]) == {camel_case(key) for key in args.__required_keys__}


def test_everything_is_described(schema: dict[str, Any]) -> None:
    found = dict(descriptions(schema))
    assert [name for name, description in found.items() if not description] == []
    # Of a field that a TypedDict has from another, and without the source's indentation.
    assert not any("\n    " in description for description in found.values())


def descriptions(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The description of each component, type and property."""
    for token, described in (schema["resources"] | schema["types"]).items():
        # A field with the name of a keyword makes a TypedDict a functional one, whose fields have
        # no place for descriptions that a program could read.
        if any(keyword.iskeyword(name) for name in described.get("properties", ())):
            continue
        yield token, described.get("description", "")
        for kind in ("inputProperties", "properties"):
            for name, spec in described.get(kind, {}).items():
                yield f"{token} {kind} {name}", spec.get("description", "")


def test_choices_are_enums(schema: dict[str, Any]) -> None:
    gateway = schema["resources"][f"{NAME}:index:IngressGateway"]["inputProperties"]
    token = f"{NAME}:index:IngressGatewayServiceType"
    assert gateway["serviceType"]["$ref"] == f"#/types/{token}"
    values = [one["value"] for one in schema["types"][token]["enum"]]
    assert values == ["ClusterIP", "LoadBalancer", "NodePort"]
    redirect = schema["types"][f"{NAME}:index:HTTPRequestRedirectFilter"]["properties"]
    assert redirect["statusCode"]["type"] == "integer"


def test_every_type_is_there_and_none_has_the_ending_that_sdks_give(schema: dict[str, Any]) -> None:
    assert {token for token in schema["types"] if token.endswith("Args")} == set()
    referred = set(re.findall(r'"#/types/([^"]+)"', json.dumps(schema)))
    assert referred <= set(schema["types"])


def test_descriptions_speak_no_python(schema: dict[str, Any]) -> None:
    found = " ".join(description or "" for _, description in descriptions(schema))
    names = {camel_case(field): field for args in ARGS.values() for field in args.__annotations__}
    assert {f"`{field}`" for field in names.values() if "_" in field and f"`{field}`" in found} == (
        set()
    )
    assert "`grpcRules`" in found
    assert "InvalidInput" not in found
    assert "LIMITS" not in found


class TestConstruct:
    """What becomes of the arguments that another language sends."""

    @pytest.fixture
    def construct(self, monkeypatch: pytest.MonkeyPatch, provider: Provider) -> Callable[..., Any]:
        def construct(**inputs: Any) -> Any:
            made: list[Any] = []

            def component(name: str, args: Any, _: Any) -> Any:
                made.append(args)
                raise InvalidInput(f"Waypoint {name!r}:\n  ready_timeout: found 'a_b'")

            known = provider._components  # pyright: ignore[reportPrivateUsage]
            monkeypatch.setitem(known, "Waypoint", cast("Any", component))
            with pytest.raises(InputPropertiesError) as caught:
                provider.construct("shop", f"{NAME}:index:Waypoint", inputs)
            return (*made, str(caught.value))

        return construct

    def test_names_are_those_of_python_and_none_is_left_out(
        self, construct: Callable[..., Any]
    ) -> None:
        given = {"readyTimeout": 5.0, "namespace": {"discoveryLabels": {"a_b": "c"}, "nmae": "x"}}
        args, _ = construct(**given)
        namespace = {"discovery_labels": {"a_b": "c"}, "nmae": "x"}
        assert args == {"ready_timeout": 5, "namespace": namespace}

    def test_faults_are_named_as_they_were_written(self, construct: Callable[..., Any]) -> None:
        _, said = construct(namespace={"name": "shop"})
        assert said == "Waypoint 'shop':\n  readyTimeout: found 'a_b'"

    def test_names_of_python_are_refused(self, construct: Callable[..., Any]) -> None:
        (said,) = construct(ready_timeout=5, namespace={"discovery_labels": {}})
        assert said == (
            "Waypoint:\n"
            "  ['ready_timeout']: found an unknown key, expected readyTimeout\n"
            "  namespace['discovery_labels']: found an unknown key, expected discoveryLabels"
        )


def test_whole_numbers_are_integers_again() -> None:
    found = whole({"port": 80.0, "ports": [1.0, {"weight": 2.0}], "share": 0.5, "on": True})
    assert repr(found) == "{'port': 80, 'ports': [1, {'weight': 2}], 'share': 0.5, 'on': True}"
