"""The mark of a stack on what it created."""

import pulumi

OWNER = "ambient-exposure/stack"
"""Annotation of a namespace that a stack created: `organization/project/stack`."""


def owner() -> str:
    """The value of the annotation `OWNER` for the running stack."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
