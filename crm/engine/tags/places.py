"""Where in an HTML text a tag stands: in text, in an attribute, in an address, in a style. One linear scan."""

from __future__ import annotations

import re
from bisect import bisect_right

from crm.engine.tags.encode import Context

# Conditional comments ([if mso]) hold HTML that some clients show: only their brackets are skipped.
_PIECES = re.compile(
    r"<!--\[if[^\]]*\]>(?:<!-->)?|<!\[endif\]-->|<!--(?!\[if).*?-->"
    r"|<(?P<element>[A-Za-z][\w:-]*)(?P<attributes>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
_RAW_END = re.compile(r"</(?:style|script)\s*>", re.IGNORECASE)
ADDRESSES = frozenset({"href", "src", "action", "background", "cite", "poster", "background-url"})


def contexts(masked: str, offsets: list[int]) -> list[Context]:
    """The context at every offset. `masked` is HTML whose tags are blanked out with letters of the same length,
    so that quotes inside a tag do not end the attribute that holds it."""
    starts, kinds = _regions(masked)
    found: list[Context] = []
    for offset in offsets:
        kind, begin = kinds[bisect_right(starts, offset) - 1]
        if kind != "address":
            found.append(kind)
        else:
            found.append("address" if not masked[begin:offset].strip() else "url")
    return found


def _regions(masked: str) -> tuple[list[int], list[tuple[Context, int]]]:
    starts: list[int] = [0]
    kinds: list[tuple[Context, int]] = [("html", 0)]

    def add(start: int, end: int, kind: Context) -> None:
        starts.append(start)
        kinds.append((kind, start))
        starts.append(end)
        kinds.append(("html", end))

    position = 0
    while match := _PIECES.search(masked, position):
        position = match.end()
        element = match["element"]
        if element is None:
            continue
        base = match.start("attributes")
        for attribute in _ATTRIBUTE.finditer(match["attributes"]):
            name = attribute[1].lower()
            quoted = attribute[2][0] in "\"'"
            start, end = base + attribute.start(2) + quoted, base + attribute.end(2) - quoted
            if name in ADDRESSES:
                add(start, end, "address")
            elif name == "style":
                add(start, end, "style")
        if element.lower() in ("style", "script"):
            closing = _RAW_END.search(masked, position)
            end = closing.start() if closing else len(masked)
            add(position, end, "style")
            position = end
    return starts, kinds
