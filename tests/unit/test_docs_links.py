"""Every link of the documents leads somewhere: to a file, a heading, a page of others."""

import re
import shlex
import socket
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.conftest import ROOT
from tests.unit.test_docs import PAGES

OTHERS = ("http://", "https://")


def prose(text: str) -> str:
    """A page without its code."""
    blocks = re.sub(r"^(```+).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", blocks)


def links() -> Iterator[tuple[Path, str]]:
    """Page and target of each link and picture."""
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^()\s]+(?:\([^()\s]*\))?)\)", prose(text)):
            yield page, target


def headings(page: Path) -> list[str]:
    """The names of a page's headings, as forges make them."""
    blocks = re.sub(r"^(```+).*?^\1$", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)
    names: list[str] = []
    for title in re.findall(r"^#+ (.*)", blocks, re.MULTILINE):
        shown = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", title).lower()
        name = re.sub(r"[^\w\- ]", "", shown).strip().replace(" ", "-")
        names.append(f"{name}-{names.count(name)}" if name in names else name)
    return names


def published() -> list[str]:
    """What `make docs` takes: folders and files."""
    line = re.search(r"^PAGES := (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line
    return [one for one in shlex.split(line[1]) if one != "*.md"]


OWN = [(page, target) for page, target in links() if not target.startswith(OTHERS)]


@pytest.mark.parametrize(
    ("page", "target"), [pytest.param(*one, id=f"{one[0]}: {one[1]}") for one in OWN]
)
def test_a_link_leads_to_what_is_there(page: Path, target: str) -> None:
    file, _, heading = target.partition("#")
    path = (ROOT / page).parent.joinpath(file).resolve() if file else ROOT / page
    assert path.is_file(), "expected a file: on the site a folder is no page"
    name = path.relative_to(ROOT)
    if heading:
        assert heading in headings(name)
    assert name in PAGES or any(name.is_relative_to(one) for one in published()), (
        "it is not on the site: PAGES in the Makefile says what is"
    )


def test_the_site_leads_to_every_page() -> None:
    def pages(entries: list[Any]) -> Iterator[str]:
        for entry in entries:
            for one in entry.values() if isinstance(entry, dict) else [entry]:
                yield from pages(one) if isinstance(one, list) else [one]

    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    assert sorted(pages(nav)) == sorted(map(str, PAGES))


def test_pages_of_others_answer() -> None:
    given = sorted({target.partition("#")[0] for _, target in links() if target.startswith(OTHERS)})
    assert given
    try:
        socket.create_connection(("github.com", 443), timeout=3).close()
    except OSError as error:
        pytest.skip(f"not opened, as github.com is not reached ({error}): {' '.join(given)}")

    def gone(url: str) -> bool:
        try:
            status = client.get(url).status_code
        except httpx2.TransportError:
            # Theirs to repair, and not for good.
            return False
        return status in (404, 410)

    with httpx2.Client(follow_redirects=True, timeout=20) as client, ThreadPoolExecutor(8) as pool:
        assert [url for url, left in zip(given, pool.map(gone, given), strict=True) if left] == []
