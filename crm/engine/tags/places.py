"""Where in an HTML text a tag stands: in text, in an attribute, in an address, in a style. One linear scan."""

from __future__ import annotations

import re
from bisect import bisect_right

from crm.engine.tags.encode import Context

# Conditional comments ([if mso]) hold HTML that some clients show: only their brackets are skipped.
_PIECES = re.compile(
    r"<!--\[if[^\]]*\]>(?:<!-->)?|<!\[endif\]-->|<!--(?!\[if).*?-->"
    r"|<(?P<element>[A-Za-z\x01][\w:\x01-]*)(?P<attributes>(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
_RAW_END = re.compile(r"</(?:style|script)\s*>", re.IGNORECASE)
RAW: dict[str, Context] = {"style": "style", "script": "bare"}
ADDRESSES = frozenset({"href", "src", "action", "background", "cite", "poster", "background-url"})


MASK = "\x01"


def contexts(masked: str, offsets: list[int]) -> list[Context]:
    """The context at every offset. `masked` is HTML whose tags are blanked out with MASK to the same length,
    so that quotes inside a tag do not end the attribute that holds it."""
    starts, kinds = _regions(masked)
    found: list[Context] = []
    for offset in offsets:
        kind, begin = kinds[bisect_right(starts, offset) - 1]
        if kind == "address" and masked[begin:offset].strip(MASK + " \t\r\n"):
            kind = "url"
        if kind == "html" and masked[:offset].rstrip(MASK).endswith(("<", "</", "<!")):
            kind = "bare"  # the value would become the name of an element
        found.append(kind)
    return found


def _regions(masked: str) -> tuple[list[int], list[tuple[Context, int]]]:
    """Where each context begins, in order: start offsets, and (context, start) beside them."""
    starts: list[int] = [0]
    kinds: list[tuple[Context, int]] = [("html", 0)]

    def add(start: int, kind: Context) -> None:
        starts.append(start)
        kinds.append((kind, start))

    position = 0
    while match := _PIECES.search(masked, position):
        position = match.end()
        element = match["element"]
        if element is None:
            continue
        add(match.start(), "bare")
        base = match.start("attributes")
        for attribute in _ATTRIBUTE.finditer(match["attributes"]):
            if attribute[2][0] not in "\"'":
                continue
            name = attribute[1].lower()
            add(base + attribute.start(2) + 1, _context_of(name))
            add(base + attribute.end(2) - 1, "bare")
        if element.lower() in RAW:
            add(position, RAW[element.lower()])
            closing = _RAW_END.search(masked, position)
            position = closing.start() if closing else len(masked)
        add(position, "html")
    return starts, kinds


def _context_of(attribute: str) -> Context:
    if attribute in ADDRESSES:
        return "address"
    if attribute.startswith("on"):
        return "bare"
    return "style" if attribute == "style" else "html"
