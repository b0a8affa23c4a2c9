"""docs/reference.md has every argument, as the docstrings say it."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi
import pytest

import components
from components.api.gateway_types import HTTPRouteRule
from components.checks.faults import camel
from components.stack.arguments import StackArgs
from generate import reference


class Common(TypedDict):
    """What others extend."""

    ready_timeout: NotRequired[int]
    """Seconds that it may take, at most
    3600 (default 300)."""


class Inner(TypedDict):
    """What is in a part."""

    port: bool
    """Whether."""


class PartArgs(Common):
    """A part.

    https://example.com/part
    """

    kind: pulumi.Input[Literal["a", "b"]]
    """One of both."""
    inner: NotRequired[Inner]
    """What is in it."""


class WholeArgs(TypedDict):
    """The whole; see `ready_timeout`, and `other_thing` that is no argument."""

    parts_by_name: Mapping[str, PartArgs]
    """Parts."""
    lists: NotRequired[Sequence[PartArgs]]
    """Lists | more (default: as `parts_by_name`).

    https://example.com/lists"""
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Labels."""


class Undocumented(TypedDict):
    """It lacks a docstring."""

    name: str


def sections(root: type) -> list[str]:
    return list(reference.sections(reference.places({root: ""})))


def test_the_page_is_what_the_docstrings_say() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    assert text == reference.page(), "out of date: `make generate` makes it anew"


def test_every_argument_of_a_stack_and_of_a_component_has_its_row() -> None:
    page = reference.page()
    shapes = [getattr(components, name) for name in components.__all__ if name.endswith("Args")]
    for shape in (StackArgs, *shapes):
        for field in shape.__annotations__.keys() - HTTPRouteRule.__annotations__.keys():
            assert f"\n| `{camel(field)}` | " in page, f"{shape.__name__}.{field}"


def test_every_link_to_a_section_is_to_the_right_one() -> None:
    headings = [line for line in reference.page().splitlines() if line.startswith("### ")]
    assert len(headings) == len(set(headings))


def test_a_section_tells_where_its_arguments_stand_and_what_they_are() -> None:
    whole, part, common, inner = sections(WholeArgs)
    assert whole == (
        "### WholeArgs\n"
        "\n"
        "The whole; see `readyTimeout`, and `other_thing` that is no argument.\n"
        "\n"
        "| argument | type | default | meaning |\n"
        "|---|---|---|---|\n"
        "| `partsByName` | mapping of [PartArgs](#partargs) | required | Parts. |\n"
        "| `lists` | list of [PartArgs](#partargs) | as `partsByName`"
        " | Lists \\| more.<br>https://example.com/lists |\n"
        "| `labels` | mapping of strings |  | Labels. |\n"
    )
    assert part == (
        "### PartArgs\n"
        "\n"
        "At `partsByName.NAME`, `lists[N]`.\n"
        "\n"
        "A part.\n"
        "\n"
        "https://example.com/part\n"
        "\n"
        "| argument | type | default | meaning |\n"
        "|---|---|---|---|\n"
        "| `kind` | `a`, `b` | required | One of both. |\n"
        "| `inner` | [Inner](#inner) |  | What is in it. |\n"
        "\n"
        "And all of [Common](#common).\n"
    )
    assert common.endswith(
        "| `readyTimeout` | integer | 300 | Seconds that it may take, at most 3600. |\n"
    )
    # The other path to it is that of the part.
    assert "\nAt `partsByName.NAME.inner`.\n" in inner
    assert inner.endswith("| `port` | true or false | required | Whether. |\n")


def test_an_argument_without_a_docstring_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Undocumented\.name: found no docstring, expected one"):
        sections(Undocumented)
