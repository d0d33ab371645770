"""The links of a mail, found once: a table of targets in a stable order, and an HTML and a text that hold numbers instead.

A tracked link becomes `{$links.click}7`; the value of `links.click` is the address up to the number (ecp/pipeline/track.py).
Not tracked: our own special links, mailto and tel, anchors, and addresses whose host a tag decides."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm.engine.tags import compile, modernise
from ecp.content.markup import Token, tokens
from ecp.content.placeholders import TAG, Protected

_TEXT_LINK = re.compile(r"https?://(?:[^\s<>\"'\[\](){}]|\([^\s<>\"'(){}]*\)|\{\s*\$[^{}]*\})+", re.IGNORECASE)
_TAGS = re.compile(f"({TAG.pattern})")
_TRAILING = ".,;:!?'\""
_ALT = re.compile(r"\s+")
CLICK = "{$links.click}"


@dataclass(frozen=True, slots=True)
class Link:
    """One tracked link. `number` from 1 in the order of the mail; `url` may hold tags behind its host; `label` is what
    the reader sees; `part` is html or text."""

    number: int
    url: str
    label: str
    part: str = "html"


@dataclass(frozen=True, slots=True)
class Anchor:
    """An <a> in the finished HTML: where its address and its words are."""

    start: int
    end: int
    url: str
    label: str


def address_of(link: Link, values: Mapping[str, str], raw: Mapping[str, str] | None = None) -> str:
    """Where a click of this link leads for the person with these values: the stored target, its tags filled and
    percent-encoded. Its host is never decided by a value (is_tracked)."""
    if "{" not in link.url:
        return link.url
    return compile(link.url, "url").fill(values, raw)


def in_attribute(url: str) -> str:
    """A target as it is written into an href: escaped, its tags untouched."""
    return "".join(part if part.startswith("{") else entities.escape(part) for part in _TAGS.split(url))


def is_tracked(url: str) -> bool:
    """Whether clicks of this address (as written, tags included) are counted."""
    match = re.match(r"(?i)\s*https?://([^/?#]*)", url)
    return bool(match and match[1] and "{" not in match[1])


def split_html(protected: Protected, html: str) -> tuple[str, list[Link]]:
    """HTML whose tracked addresses are numbers, and their table. Tags are still kept in `protected`."""
    links: list[Link] = []
    pieces: list[str] = []
    done = 0
    for anchor in anchors(html):
        written = modernise(protected.restore(entities.unescape(anchor.url))).strip()
        if not is_tracked(written):
            continue
        label = _plain(protected.restore(anchor.label)) or written
        links.append(Link(len(links) + 1, written, label[:200]))
        pieces += [html[done : anchor.start], protected.keep(CLICK, as_comment=False), str(len(links))]
        done = anchor.end
    pieces.append(html[done:])
    return "".join(pieces), links


def split_text(text: str, first: int) -> tuple[str, list[Link]]:
    """The same for a written plain text, numbered from `first`."""
    links: list[Link] = []

    def one(match: re.Match[str]) -> str:
        url = match[0].rstrip(_TRAILING)
        if not is_tracked(url):
            return match[0]
        links.append(Link(first + len(links), url, url[:200], "text"))
        return f"{CLICK}{links[-1].number}{match[0][len(url) :]}"

    return _TEXT_LINK.sub(one, text), links


def plain_links(text: str, links: list[Link] | tuple[Link, ...], encode: Callable[[str], str] = str) -> str:
    """The same text with the targets themselves, for mails that are not measured. `encode` fits the part (HTML escapes)."""
    by_number = {str(link.number): link.url for link in links}
    return re.sub(re.escape(CLICK) + r"(\d+)", lambda match: encode(by_number.get(match[1], "")), text)


def anchors(html: str) -> list[Anchor]:
    """Every <a href> and <area href> of an HTML text, with the words or picture inside it."""
    found: list[Anchor] = []
    current: tuple[Token, list[str]] | None = None
    for token in tokens(html):
        if token.kind == "open" and token.name in ("a", "area"):
            if current:
                found += _anchor(*current)
            current = (token, [])
            if token.name == "area":
                found += _anchor(token, [token.value("alt") or ""])
                current = None
        elif token.kind == "close" and token.name == "a" and current:
            found += _anchor(*current)
            current = None
        elif current and token.kind == "text":
            current[1].append(html[token.start : token.end])
        elif current and token.kind == "open" and token.name == "img":
            current[1].append(token.value("alt") or "")
    if current:
        found += _anchor(*current)
    return found


def _anchor(token: Token, words: list[str]) -> list[Anchor]:
    href = next((one for one in token.attributes if one.name == "href"), None)
    if href is None or not href.quoted:
        return []
    return [Anchor(href.value_start, href.value_end, href.value, " ".join(words))]


def _plain(text: str) -> str:
    return _ALT.sub(" ", entities.unescape(text)).strip()
