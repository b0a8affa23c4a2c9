"""Rewrites a stack file of release 2: `python -m components.stack.rewrite Pulumi.STACK.yaml`."""
# ruff: noqa: T201  (what it did is for people to read)

import argparse
import math
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import yaml

from ..checks.faults import InvalidInput
from .release2 import is_new, is_release_2, rewrite


def main() -> None:
    """Rewrite a file; end with status 1 and every fault where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m components.stack.rewrite",
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
    block = yaml.dump(
        {f"{prefix}{key}": value for key, value in new.items()},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=math.inf,
    )
    if text and not text.endswith("\n"):
        text += "\n"
    return _replace(file, text, root, prefix, block), unused


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


class _Section(NamedTuple):
    """A key of a mapping in a text, and the lines from it to the next."""

    key: str
    value: yaml.Node | None
    start: int
    stop: int


def _sections(node: yaml.Node | None, stop: int) -> list[_Section]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    starts = [key.start_mark.index - key.start_mark.column for key, _ in pairs]
    return [
        _Section(key.value, value, start, end)
        for (key, value), start, end in zip(pairs, starts, [*starts[1:], stop], strict=False)
    ]


def _replace(file: str, text: str, root: yaml.Node | None, prefix: str, block: str) -> str:
    """`text` with `block` in place of the keys of `config` that begin with `prefix`."""
    absent = _Section("config", None, len(text), len(text))
    config = next((one for one in _sections(root, len(text)) if one.key == "config"), absent)
    # Lines behind it that say nothing of it.
    trailing = re.search(r"(?m)(?:^(?:#.*|[ \t]*)\n)*\Z", text[config.start : config.stop])
    stop = config.start + trailing.start() if trailing else config.stop
    inside = _sections(config.value, stop)
    nodes = [node for node in (root, config.value) if isinstance(node, yaml.CollectionNode)]
    if inside and any(node.flow_style for node in nodes):
        raise InvalidInput(f"{file}: found {{}} around keys, expected a line for each of `config`")
    head = text[config.start : inside[0].start] if inside else "config:\n"
    first = text[inside[0].start : inside[0].stop] if inside else "  "
    indent = first[: len(first) - len(first.lstrip(" "))]
    place = next((one.start for one in inside if one.key.startswith(prefix)), stop)
    others = [one for one in inside if not one.key.startswith(prefix)]
    return "".join(
        (
            text[: config.start],
            head,
            *(text[one.start : one.stop] for one in others if one.start < place),
            textwrap.indent(block, indent),
            *(text[one.start : one.stop] for one in others if one.start > place),
            text[stop:],
        )
    )


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


if __name__ == "__main__":
    main()
