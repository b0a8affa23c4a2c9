"""Labels and annotations that all objects of a stack have in common."""

from typing import Any

import pulumi
import pytest

from components import common_metadata

LABELS = {"team": "shop", "app": "all"}


def transformed(
    type_: str, props: dict[str, Any], annotations: dict[str, str] | None = None
) -> Any:
    """The inputs of an object with common labels; None where it is left alone."""
    transform = common_metadata(LABELS, annotations)
    opts = pulumi.ResourceOptions()
    args = pulumi.ResourceTransformArgs(True, type_, "shop", props, opts)  # noqa: FBT003
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


@pytest.mark.parametrize("type_", ["kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job"])
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
        "pulumi:providers:kubernetes",
        "ambient:index:Workload",
    ],
)
def test_patches_and_what_is_no_object_are_left_alone(type_: str) -> None:
    assert transformed(type_, {"metadata": {"name": "shop"}}) is None
