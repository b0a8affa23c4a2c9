"""Rewrites a stack file of release 2: `python -m components rewrite Pulumi.STACK.yaml`."""
# ruff: noqa: T201  (what it did is for people to read)

import argparse
import math
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..checks.faults import InvalidInput
from ..stack.release2 import is_new, is_release_2, rewrite


def main() -> None:
    """Rewrite a file; end with status 1 and every fault where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m components rewrite",
        description="Rewrites a stack file of release 2 in the form of this release, with every"
        " default that release 2 had. The old file is kept as FILE.release-2.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="Pulumi.STACK.yaml")
    parser.add_argument(
        "--project", help="name of the project (default: that in the Pulumi.yaml beside FILE)"
    )
    parser.add_argument(
        "--output", metavar="FILE|-", help="write there, or to stdout, and leave FILE as it is"
    )
    arguments = parser.parse_args()
    file: Path = arguments.file
    try:
        project = arguments.project or project_name(file.with_name("Pulumi.yaml"))
        rewritten = rewrite_text(str(file), file.read_text(encoding="utf-8"), project)
        if rewritten is None:
            print(f"{file} is in the form of this release already", file=sys.stderr)
            return
        text, unused = rewritten
        if arguments.output == "-":
            print(text, end="")
        else:
            _write(file, arguments.output and Path(arguments.output), text)
    except (InvalidInput, OSError, yaml.YAMLError) as error:
        sys.exit(str(error))
    if unused:
        print(f"left out, as they had no effect: {', '.join(unused)}", file=sys.stderr)


def rewrite_text(file: str, text: str, project: str) -> tuple[str, list[str]] | None:
    """The text of a stack file with the keys of `project` in their new form, and the keys of
    release 2 that had no effect and are left out; None where the form is the new one already.

    Lines about anything else stay as they are. Raises `InvalidInput` with every fault of `file`.
    """
    loader = _Loader(text)
    root = loader.get_single_node()
    document = loader.construct_document(root) if root else {}
    config = (document.get("config") or {}) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise InvalidInput(f"{file}: found no mapping `config`, expected a Pulumi.STACK.yaml")
    prefix = f"{project}:"
    own = {
        str(key).removeprefix(prefix): value
        for key, value in config.items()
        if str(key).startswith(prefix)
    }
    if is_new(own) and not is_release_2(own):
        return None
    new, unused = rewrite(file, own)
    block = dump({f"{prefix}{key}": value for key, value in new.items()})
    if text and not text.endswith("\n"):
        text += "\n"
    return _replace(file, text, root, prefix, block), unused


def dump(content: Mapping[str, Any], *, flow: bool | None = False) -> str:
    """`content` as a stack file has it; with None as `flow` the innermost values in a line."""
    return yaml.dump(
        content,
        Dumper=_Dumper,
        allow_unicode=True,
        default_flow_style=flow,
        sort_keys=False,
        width=math.inf,
    )


class _Loader(yaml.SafeLoader):
    """Reads plain scalars as Pulumi does, to which `on`, `1:30` and dates are text."""


class _Dumper(yaml.SafeDumper):
    """Quotes text that plain would be anything else, to Pulumi or to PyYAML."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the library's signature
        """Whether to write a value anew wherever it stands."""
        return True


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", "|~|null|Null|NULL", ["", "~", "n", "N"]),
    ("bool", "true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", "[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0o?[0-7_]+|0b[01_]+)", [*"-+0123456789"]),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
    ("merge", "<<", ["<"]),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"({_pattern})$"), _first
        )


def _replace(file: str, text: str, root: yaml.Node | None, prefix: str, block: str) -> str:
    """`text` with `block` in place of the keys of `config` that begin with `prefix`."""
    lines = text.splitlines(keepends=True)
    keys = {key.value: (key.start_mark.line, value) for key, value in _pairs(root)}
    start, config = keys.get("config", (len(lines), None))
    stop = min((line for line, _ in keys.values() if line > start), default=len(lines))
    # Lines behind it that say nothing of it.
    while stop > start and re.match(r"#|\s*$", lines[stop - 1]):
        stop -= 1
    inside = [key for key, _ in _pairs(config)]
    if inside and "{" in (text[node.start_mark.index] for node in (root, config) if node):
        raise InvalidInput(f"{file}: found {{}} around keys, expected a line for each of `config`")
    if not inside:
        lines[start:stop] = ["config:\n"]
        stop = start + 1
    starts = [*(key.start_mark.line for key in inside), stop]
    own = {
        line
        for key, first, end in zip(inside, starts, starts[1:], strict=False)
        if key.value.startswith(prefix)
        for line in range(first, end)
    }
    place = min(own, default=stop)
    indent = " " * (inside[0].start_mark.column if inside else 2)
    others = (line for index, line in enumerate(lines) if index >= place and index not in own)
    return "".join((*lines[:place], textwrap.indent(block, indent), *others))


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def project_name(file: Path) -> str:
    """The name of the project that a Pulumi.yaml describes."""
    if not file.exists():
        raise InvalidInput(f"{file}: found no such file, expected the project's; or set --project")
    project = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise InvalidInput(f"{file}: found no name, expected the project's; or set --project")
    return str(project["name"])


def _write(file: Path, output: Path | None, text: str) -> None:
    """Write to `output`, or to `file` once its old text is kept."""
    target = output or file.with_name(f"{file.name}.release-2")
    if target.exists():
        raise InvalidInput(f"{target}: found such a file, expected none. Move it away")
    if output is None:
        shutil.copy2(file, target)
    (output or file).write_text(text, encoding="utf-8")
    print(
        f"{output or file} has the new form, {file if output else target} the old one;"
        " `pulumi preview --diff` shows what changes"
    )
