"""Pictures of the way of requests: text, Mermaid and SVG."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from ..cluster.chain import Link

Chains = Mapping[str, Sequence[Link]]
"""The stations of each exposure, by its name."""

_LINE = 16
_WIDTH = 460
_COLUMN = _WIDTH + 40
_LETTERS = 58
"""Characters that a line of a box has room for."""

_STYLE = """\
text{font:13px sans-serif;fill:#1f2328}
.title{font-weight:bold}
.fault{fill:#b42318}
.page{fill:#fff}
.whole{fill:#f6f8fa;stroke:#57606a}
.broken{fill:#fff1f0;stroke:#b42318;stroke-width:2}
path{fill:none;stroke:#57606a;marker-end:url(#end)}
#end path{fill:#57606a;stroke:none;marker-end:none}
.tunnel{stroke-width:4}
.tunnel,.cut{marker-end:none}
.cut{stroke:#b42318;stroke-dasharray:4}"""

_PAGE = """\
<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">\
<path d="M0 0 L8 4 L0 8 z"/></marker></defs>
<rect class="page" width="100%" height="100%"/>"""


def text(chains: Chains) -> str:
    """For a terminal, whatever its width."""
    return "\n".join(line for name, links in chains.items() for line in (name, *_lines(links)))


def _lines(links: Sequence[Link]) -> Iterator[str]:
    for index, link in enumerate(links):
        if index:
            yield "  ║ HBONE" if link.tunnel else "  │"
        yield f"  {'✗' if link.faults else '●'} {link.title}"
        bar = " " if index == len(links) - 1 else "│"
        yield from (f"  {bar}   {detail}" for detail in link.details)
        yield from (f"  {bar} → {fault}" for fault in link.faults)


def mermaid(chains: Chains) -> str:
    """A flowchart, which forges draw in Markdown."""
    lines = ["flowchart TD", "  classDef broken fill:#fff1f0,stroke:#b42318,stroke-width:2px"]
    for number, (name, links) in enumerate(chains.items()):
        lines.append(f'  subgraph e{number}["{_quoted(name)}"]')
        for index, link in enumerate(links):
            words = (f"<b>{_quoted(link.title)}</b>", *map(_quoted, link.details))
            faults = (f"→ {_quoted(fault)}" for fault in link.faults)
            node = f'e{number}n{index}["{"<br/>".join((*words, *faults))}"]'
            lines.append(f"    {node}{':::broken' if link.faults else ''}")
            if index:
                arrow = "==>|HBONE|" if link.tunnel else "-->"
                lines.append(f"    e{number}n{index - 1} {arrow} e{number}n{index}")
        lines.append("  end")
    return "\n".join(lines)


def _quoted(word: str) -> str:
    return escape(word).replace("&quot;", "#quot;").replace("&#x27;", "'")


def svg(chains: Chains) -> str:
    """A picture for a page; exposures stand side by side."""
    parts: list[str] = []
    height = 0
    for column, (name, links) in enumerate(chains.items()):
        drawn, bottom = _column(name, links, column * _COLUMN + 20)
        parts += drawn
        height = max(height, bottom)
    width = len(chains) * _COLUMN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="{escape(", ".join(chains))}">'
    )
    return "\n".join((head, f"<style>{_STYLE}</style>", _PAGE, *parts, "</svg>"))


def _column(name: str, links: Sequence[Link], left: int) -> tuple[list[str], int]:
    """What is drawn of an exposure, and where it ends."""
    parts = [_words("title", left, 24, name)]
    top = 40
    for index, link in enumerate(links):
        if index:
            class_ = "cut" if link.faults else "tunnel" if link.tunnel else "way"
            middle = left + _WIDTH // 2
            parts.append(f'<path class="{class_}" d="M{middle} {top} v24"/>')
            if link.tunnel:
                parts.append(_words("tunnel-name", middle + 8, top + 17, "HBONE"))
            top += 24
        lines = [
            *(("title", line) for line in _wrapped(link.title, _LETTERS - 8)),
            *(("detail", line) for one in link.details for line in _wrapped(one)),
            *(("fault", line) for one in link.faults for line in _wrapped(one)),
        ]
        height = _LINE * len(lines) + 14
        class_ = "broken" if link.faults else "whole"
        box = f'x="{left}" y="{top}" width="{_WIDTH}" height="{height}" rx="6"'
        parts.append(f'<rect class="{class_}" {box}/>')
        for number, (kind, line) in enumerate(lines):
            parts.append(_words(kind, left + 12, top + 20 + number * _LINE, line))
        top += height
    return parts, top + 20


def _wrapped(words: str, width: int = _LETTERS) -> list[str]:
    return textwrap.wrap(words, width, break_on_hyphens=False)


def _words(class_: str, left: int, top: int, words: str) -> str:
    return f'<text class="{class_}" x="{left}" y="{top}">{escape(words)}</text>'
