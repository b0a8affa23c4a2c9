"""A verification as a page of HTML: `python -m components verify --report FILE`.

One file without scripts, in the colours that the reader's system has. Of a request it shows what
its check is named by: never its headers and its body.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import NotRequired, TypedDict

SCRIPT = Path(__file__).with_suffix(".sh").read_text(encoding="utf-8")
"""What stands before the script of a proof that is to be measured."""

_ANSWERED = re.compile(r"answered\t(\d+)\t([^\t]*)\t([\d.]+)\t([^\t]*)\t(\d*)")
"""A line that it prints."""

_GATEWAY = "istio-envoy"
"""What proxies that istiod configures call themselves in the header `server`."""

_STYLE = """\
:root { color-scheme: light dark; --line: #d0d7de; --good: #1a7f37; --bad: #cf222e;
  --dim: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --good: #3fb950; --bad: #f85149; --dim: #9198a1; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .5rem .75rem; text-align: left;
  vertical-align: top; }
th { font-weight: 600; }
td:first-child { min-width: 12rem; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.dim { color: var(--dim); }
code { font: .9em ui-monospace, monospace; }
"""


class Answer(TypedDict):
    """How a request was answered when it was sent once more, after the verdict."""

    status: str
    """HTTP status, of a gRPC service the gRPC status; with what went wrong where something did."""
    seconds: float
    """From the begin of the connection to the end of the answer."""
    server: NotRequired[str]
    """The header `server`."""
    upstream: NotRequired[int]
    """The header `x-envoy-upstream-service-time`: milliseconds until what is behind the gateway had
    answered it."""


class Request(TypedDict):
    """A request of a proof."""

    name: str
    """`METHOD URL (Host: NAME)`."""
    expected: Sequence[str]
    """Status, headers and text of the answer that are expected."""
    answer: NotRequired[Answer]
    """None where it was not sent once more, as a connection of TCP never is."""


class Result(TypedDict):
    """What became of the requests of an exposure."""

    passed: bool
    """Whether all were answered as expected."""
    requests: list[str]
    """Each request, with the status that is expected."""
    faults: list[str]
    """What was not as expected, or why nothing was sent."""
    measured: NotRequired[list[Request]]
    """The same requests one by one, where a report was asked for."""


def parted(
    printed: Iterable[str], known: Iterable[tuple[str, list[str]]]
) -> tuple[list[str], list[Request]]:
    """What a proof printed, as faults and as the requests that are `known` with their answers."""
    faults: list[str] = []
    answers: dict[int, Answer] = {}
    for line in filter(None, printed):
        if found := _ANSWERED.fullmatch(line):
            number, status, seconds, server, upstream = found.groups()
            answer: Answer = {"status": status.strip(), "seconds": float(seconds)}
            if server:
                answer["server"] = server
            if upstream:
                answer["upstream"] = int(upstream)
            answers[int(number)] = answer
        else:
            faults.append(line)
    requests: list[Request] = []
    for number, (name, expected) in enumerate(known, 1):
        request: Request = {"name": name, "expected": expected}
        if number in answers:
            request["answer"] = answers[number]
        requests.append(request)
    return faults, requests


def page(stack: str, at: datetime, exposures: Mapping[str, Result]) -> str:
    """The page, of exposures by name and the time of the verification, each one `measured`."""
    failed = [name for name, one in exposures.items() if not one["passed"]]
    verdict = f"{len(failed)} of {len(exposures)} failed" if failed else "passed"
    title = f"Verification of stack {escape(stack)}"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}: {verdict}</title>",
        f"<style>\n{_STYLE}</style>",
        f"<h1>{title}</h1>",
        f'<p><strong class="{"bad" if failed else "good"}">{verdict}</strong>,'
        f' <time datetime="{at.isoformat(timespec="seconds")}">'
        f"{at.strftime('%Y-%m-%d %H:%M:%S %Z')}</time></p>",
        *(line for name, one in exposures.items() for line in _exposure(name, one)),
        "<p class=dim>The requests were sent until all were answered as expected three times in a"
        " row, or the time was over. Then each was sent once more, from the same pod: of that are"
        " what was answered, the time and who answered.</p>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _exposure(name: str, one: Result) -> Iterator[str]:
    word, kind = ("passed", "good") if one["passed"] else ("failed", "bad")
    yield f'<h2>{escape(name)} <span class="{kind}">{word}</span></h2>'
    requests = one.get("measured", [])
    for fault in one["faults"]:
        if not any(f"{request['name']}: " in fault for request in requests):
            yield f"<p class=bad>{escape(fault)}</p>"
    yield "<div class=table><table>"
    yield (
        "<tr><th>request<th>expected<th>answered<th class=number>ms<th class=number>ms behind the"
        " gateway<th>answered by</tr>"
    )
    yield from (_row(request, one["faults"]) for request in requests)
    yield "</table></div>"


def _row(request: Request, faults: Sequence[str]) -> str:
    answer = request.get("answer")
    own = (fault.partition(f"{request['name']}: ")[2].strip() for fault in faults)
    said = "".join(f"<br><span class=bad>{escape(fault)}</span>" for fault in own if fault)
    upstream = answer.get("upstream") if answer else None
    cells = (
        f"<td><code>{escape(request['name'])}</code>{said}",
        f"<td>{'<br>'.join(map(escape, request['expected']))}",
        f"<td>{escape(answer['status']) if answer else _NONE}",
        f"<td class=number>{_milliseconds(answer) if answer else _NONE}",
        f"<td class=number>{_NONE if upstream is None else upstream}",
        f"<td>{escape(_by(answer)) if answer else _NONE}",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _milliseconds(answer: Answer) -> str:
    return f"{answer['seconds'] * 1000:.1f}"


_NONE = "<span class=dim>not known</span>"


def _by(answer: Answer) -> str:
    """Who answered, as far as its headers tell."""
    if re.match("(HTTP )?000", answer["status"]):
        return "nobody"
    server = answer.get("server")
    if server is None:
        return "not said"
    if server != _GATEWAY:
        return f"{server}, no proxy of Istio"
    if "upstream" in answer:
        return "what is behind the gateway"
    return "the gateway itself"
