"""A preview as a comment for a pull request: `python -m components comment`."""
# ruff: noqa: T201  (the comment is for people to read)

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from .cli import whole_preview
from .difference import difference
from .effects import code, effects

_LIMIT = 65536
"""Bytes of a comment: GitHub takes as many characters."""
_LINES = 40
"""Lines that an object's difference may have."""

_INTERNAL = ("ambient-exposure/subject", "pulumi.com/")
"""Annotations that say of a change only that there is one."""

_SERVING = {
    "AuthorizationPolicy",
    "BackendTLSPolicy",
    "Deployment",
    "DestinationRule",
    "EnvoyFilter",
    "GRPCRoute",
    "Gateway",
    "HTTPRoute",
    "ListenerSet",
    "Namespace",
    "NamespacePatch",
    "ReferenceGrant",
    "RequestAuthentication",
    "Secret",
    "Service",
    "ServiceAccount",
    "ServiceEntry",
    "ServicePatch",
    "TCPRoute",
    "TLSRoute",
}
"""The kinds of objects that requests pass or that decide on them."""

_OPERATIONS = {
    "replace": "replace",
    "delete": "delete",
    "update": "update",
    "import": "take over",
    "create": "create",
}
"""What an update does, in the order in which it is shown; else it only looks."""


def main() -> None:
    """`python -m components comment`."""
    parser = argparse.ArgumentParser(
        prog="python -m components comment",
        description="Prints what a preview says as Markdown for a pull request. Ends with status 1"
        " where the preview failed, which the comment says as well.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE|-",
        help="what `pulumi preview --json` printed (default: runs it)",
    )
    parser.add_argument("--stack", help="the stack (default the selected one)")
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="BYTES", help="longest comment (default 65536)"
    )
    args = parser.parse_args()
    text, status = (_read(args.file), 0) if args.file else _preview(args.stack)
    try:
        preview = json.loads(text)
    except ValueError as error:
        sys.exit(
            f"{args.file or 'pulumi preview --json'}: found no JSON document ({error}), expected"
            " what `pulumi preview --json` prints without PULUMI_ENABLE_STREAMING_JSON_PREVIEW"
        )
    print(render(preview, args.stack, args.limit), end="")
    # What the program wrote, which nobody has looked at, is for the log alone.
    for message in _messages(preview, "info#err"):
        print(message, file=sys.stderr)
    sys.exit(status or any(_messages(preview, "error")))


def _read(file: str) -> str:
    return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")


def _preview(stack: str | None) -> tuple[str, int]:
    """What `pulumi preview --json` prints, and its status; ends so where it prints nothing."""
    command = ["pulumi", "preview", "--json", "--non-interactive"]
    done = subprocess.run(
        [*command, *(["--stack", stack] if stack else [])],
        stdout=subprocess.PIPE,
        env=whole_preview(),
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        sys.exit(done.returncode)
    return done.stdout, done.returncode


class _Change(NamedTuple):
    """What is done with a resource."""

    operation: str
    urn: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    step: Mapping[str, Any]

    @classmethod
    def of(cls, step: Mapping[str, Any]) -> "_Change":
        name = step["urn"].rpartition("::")[2]
        old, new = (_inputs(step.get(state), name) for state in ("oldState", "newState"))
        operation = step["op"]
        return cls(operation, step["urn"], {} if operation == "create" else old, new, step)

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    @property
    def serves(self) -> bool:
        """Whether requests pass the object; the client's only send them."""
        return self.kind in _SERVING and "ambient:index:Client$" not in self.urn

    @property
    def breaks(self) -> bool:
        """Whether requests may fail because of it."""
        return self.serves and self.operation in ("replace", "delete")

    @property
    def subject(self) -> str:
        """Kind, namespace and name of the object; type and name of a resource that is none."""
        if not self.type.startswith("kubernetes:"):
            return f"{self.type} {self.urn.rpartition('::')[2]}"
        return f"{self.kind} {self.place(self.new or self.old)}"

    def place(self, inputs: Mapping[str, Any]) -> str:
        metadata = inputs.get("metadata")
        named = metadata if isinstance(metadata, Mapping) else {}
        name = named.get("name") or self.urn.rpartition("::")[2]
        return f"{named['namespace']}/{name}" if named.get("namespace") else name

    def effects(self) -> Iterator[str]:
        """What it means for requests."""
        if not self.serves:
            return
        if self.operation == "replace":
            kind, former, place = self.kind, self.place(self.old), self.place(self.new)
            if former != place:
                yield f"{kind} {code(place)} takes the place of {code(former)}"
            elif _autonamed(self.new.get("metadata")):
                yield f"{kind} {code(place)} is made anew before the old one goes"
            else:
                yield f"{kind} {code(place)} is made anew: what needs it fails meanwhile"
        elif self.operation == "delete" and self.kind != "NamespacePatch":
            yield f"{self.kind} {code(self.place(self.old))} goes"
        yield from effects(self.kind, self.old, self.new)

    def lines(self, *, operation: bool) -> list[str]:
        """The change in lines of a difference, with the operation where it has to be said."""
        done = f"{_OPERATIONS[self.operation]} " if operation else ""
        if sign := {"delete": "-", "create": "+", "import": "+"}.get(self.operation):
            return [f"{sign} {done}{self.subject}"]
        reasons = ", ".join(
            path
            for path, found in (self.step.get("detailedDiff") or {}).items()
            if self.breaks and found["kind"].endswith("-replace")
        )
        head = f"@@ {done}{self.subject}{f', because of {reasons}' if reasons else ''} @@"
        lines = self._difference()
        left = len(lines) - _LINES
        return [head, *lines[:_LINES], *([f"! {left} more lines"] if left > 0 else [])]

    def _difference(self) -> list[str]:
        hidden = {"data", "stringData"} if self.kind.startswith("Secret") else set[str]()
        if not self.type.startswith("kubernetes:"):  # what is in it, nobody here knows
            hidden = {*self.old, *self.new}
        closed = [f"! {key}" for key in sorted(hidden) if self.old.get(key) != self.new.get(key)]
        old, new = (
            {k: v for k, v in one.items() if k not in hidden} for one in (self.old, self.new)
        )
        # Where there is no difference, only the cluster has something else.
        paths = [f"! {path}" for path in sorted(self.step.get("detailedDiff") or {})]
        return [
            line
            for line in difference(old, new) + closed or paths
            if not any(one in line.partition(": ")[0] for one in _INTERNAL)
        ]


def _inputs(state: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """The inputs of a resource `name`, by which its object goes where Pulumi makes up a name."""
    given = (state or {}).get("inputs") or {}
    inputs = {key: value for key, value in given.items() if not key.startswith("__")}
    if _autonamed(metadata := inputs.get("metadata")):
        inputs["metadata"] = {**metadata, "name": name}
    return inputs


def _autonamed(metadata: Any) -> TypeGuard[Mapping[str, Any]]:
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and "pulumi.com/autonamed" in annotations


def render(preview: Mapping[str, Any], stack: str | None = None, limit: int = _LIMIT) -> str:
    """The comment on what `pulumi preview --json` printed, at most `limit` bytes of Markdown.

    Its first line is the same for all previews of a stack, for that which updates the comment.
    """
    steps = preview.get("steps") or []
    name = steps[0]["urn"].split(":")[2] if steps else (stack or "").rpartition("/")[2]
    changes = [_Change.of(step) for step in steps if step["op"] in _OPERATIONS]
    changes.sort(key=lambda one: (not one.breaks, [*_OPERATIONS].index(one.operation)))
    sections = [
        *_text("⚠️ The preview failed", "error", preview),
        *_requests(changes),
        *_groups(changes),
    ]
    if sections:
        sections += _text("Warnings", "warning", preview)
    title = f"Preview of {f'stack {code(name)}' if name else 'a stack'}: {_counts(preview)}"
    head = f"<!-- preview of stack {name} -->\n{'### ' if sections else ''}{title}\n"
    return _fitted(head, sections, limit)


def _counts(preview: Mapping[str, Any]) -> str:
    """How many resources there are, by what is done with them."""
    summary = preview.get("changeSummary") or {}
    counts = [f"{summary[op]} to {word}" for op, word in _OPERATIONS.items() if summary.get(op)]
    if any(_messages(preview, "error")):
        return "failed"
    return ", ".join([*(counts or ["no change"]), f"{summary.get('same', 0)} unchanged"])


class _Section(NamedTuple):
    """A part of the comment; entries that do not fit are left out whole."""

    title: str
    entries: list[str]
    fence: str = ""
    """The language of the block that holds them."""


def _messages(preview: Mapping[str, Any], severity: str) -> Iterator[str]:
    for one in preview.get("diagnostics") or []:
        if one.get("severity") == severity and (message := one.get("message", "").strip()):
            yield message.removeprefix(f"{severity}: ").replace("```", "'''")


def _text(title: str, severity: str, preview: Mapping[str, Any]) -> Iterator[_Section]:
    if messages := [*dict.fromkeys(_messages(preview, severity))]:
        yield _Section(title, messages, "text")


def _requests(changes: list[_Change]) -> Iterator[_Section]:
    sentences = {
        f"- {'⚠️ ' if one.breaks else ''}{sentence}": None
        for one in changes
        for sentence in one.effects()
    }
    if sentences:
        yield _Section("What changes for requests", [*sentences])


def _groups(changes: list[_Change]) -> Iterator[_Section]:
    breaking = [one for one in changes if one.breaks]
    if breaking:
        title = "⚠️ Replaced or deleted, though requests need it"
        yield _Section(title, ["\n".join(one.lines(operation=True)) for one in breaking], "diff")
    for operation, word in _OPERATIONS.items():
        group = [one for one in changes if one.operation == operation and not one.breaks]
        if group:
            entries = ["\n".join(one.lines(operation=False)) for one in group]
            yield _Section(word.capitalize(), entries, "diff")


def _fitted(head: str, sections: list[_Section], limit: int) -> str:
    """All that `limit` has room for, and how much was left out."""
    said = "\n{} more left out: a comment may have {} bytes.\n"
    room = limit - len(said.format(10**6, limit).encode()) - len(head.encode())
    text, left = head, 0
    for section in sections:
        start = f"\n#### {section.title}\n\n"
        end = "```\n" if section.fence else ""
        start += f"```{section.fence}\n" if end else ""
        room -= len((start + end).encode())
        kept = []
        for entry in section.entries:
            if left == 0 and (size := len(entry.encode()) + 1) <= room:
                room -= size
                kept.append(f"{entry}\n")
            else:
                left += 1
        if kept:
            text += start + "".join(kept) + end
    return text + (said.format(left, limit) if left else "")
