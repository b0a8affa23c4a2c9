"""What all objects of a stack have in common: labels, annotations, the registry of images."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import common_metadata, mirrored_images
from tests.unit.conftest import Run

LABELS = {"team": "shop", "app": "all"}

WORKLOADS = ["kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job"]


def transformed(
    type_: str, props: dict[str, Any], annotations: dict[str, str] | None = None
) -> Any:
    """The inputs of an object with common labels; None where it is left alone."""
    return after(common_metadata(LABELS, annotations), type_, props)


def after(
    transform: pulumi.ResourceTransform, type_: str, props: dict[str, Any], *, custom: bool = True
) -> Any:
    """The inputs of an object after a transform; None where it is left alone."""
    opts = pulumi.ResourceOptions()
    args = pulumi.ResourceTransformArgs(custom, type_, "shop", props, opts)
    result = transform(args)
    if result is None:
        return None
    assert isinstance(result, pulumi.ResourceTransformResult)
    assert result.opts is opts
    return result.props


def test_an_object_gets_them_and_keeps_its_own() -> None:
    props = {"metadata": {"name": "shop", "labels": {"app": "shop"}}, "spec": {"a": 1}}
    assert transformed("kubernetes:core/v1:Service", props, {"cost": "7"}) == {
        "metadata": {
            "name": "shop",
            "labels": {"team": "shop", "app": "shop"},
            "annotations": {"cost": "7"},
        },
        "spec": {"a": 1},
    }
    assert props == {"metadata": {"name": "shop", "labels": {"app": "shop"}}, "spec": {"a": 1}}


def test_an_object_without_metadata_gets_them() -> None:
    assert transformed("kubernetes:core/v1:Namespace", {}) == {"metadata": {"labels": LABELS}}


@pytest.mark.parametrize("type_", WORKLOADS)
def test_pods_of_workloads_get_them_too(type_: str) -> None:
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": []}}
    found = transformed(type_, {"metadata": {}, "spec": {"template": template, "selector": {}}})
    assert found["spec"] == {
        "selector": {},
        "template": {**template, "metadata": {"labels": {"team": "shop", "app": "shop"}}},
    }


@pytest.mark.parametrize(
    "type_",
    [
        "kubernetes:core/v1:NamespacePatch",
        "kubernetes:core/v1:ServicePatch",
        "kubernetes:helm.sh/v3:Release",
        "pulumi:providers:kubernetes",
        "ambient:index:Workload",
    ],
)
def test_patches_and_what_is_no_object_are_left_alone(type_: str) -> None:
    assert transformed(type_, {"metadata": {"name": "shop"}}) is None


@pytest.mark.parametrize("type_", ["helm.sh/v4:Chart", "yaml/v2:ConfigGroup"])
def test_components_that_make_objects_of_files_are_left_alone(type_: str) -> None:
    props = {"name": "shop"}
    assert after(common_metadata(LABELS), f"kubernetes:{type_}", props, custom=False) is None


def workload(*images: pulumi.Input[str]) -> dict[str, Any]:
    containers = [{"name": str(index), "image": image} for index, image in enumerate(images)]
    pod = {"containers": containers, "restartPolicy": "Never"}
    return {"metadata": {"name": "shop"}, "spec": {"template": {"spec": pod}, "replicas": 2}}


@pytest.mark.parametrize("type_", WORKLOADS)
@pytest.mark.parametrize("wrap", [str, pulumi.Output.from_input])
@pytest.mark.parametrize(
    ("image", "mirrored"),
    [
        ("docker.io/mccutchen/go-httpbin:v2.15.0", "mccutchen/go-httpbin:v2.15.0"),
        ("registry:5000/shop/app:1", "shop/app:1"),
        ("localhost/app@sha256:abc", "app@sha256:abc"),
        ("shop/app:1", "shop/app:1"),
        ("app:1", "app:1"),
    ],
)
def test_images_are_taken_from_the_mirror(
    run: Run, type_: str, wrap: Callable[[str], Any], image: str, mirrored: str
) -> None:
    found: list[dict[str, Any]] = []

    def program() -> None:
        images = (wrap(image), "registry.example.com/other:2")
        props = workload(*images)
        changed = after(mirrored_images("mirror.example.com/all"), type_, props)
        assert props == workload(*images)
        pulumi.Output.from_input(changed).apply(found.append)

    run(program)
    assert found == [
        workload(f"mirror.example.com/all/{mirrored}", "mirror.example.com/all/other:2")
    ]


@pytest.mark.parametrize(
    "type_",
    [
        "kubernetes:core/v1:Service",
        "kubernetes:core/v1:ServicePatch",
        "kubernetes:helm.sh/v3:Release",
        "ambient:index:Workload",
    ],
)
def test_what_has_no_containers_is_left_alone(type_: str) -> None:
    assert after(mirrored_images("registry.example.com"), type_, {"spec": {"image": "a"}}) is None
