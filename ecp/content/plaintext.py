"""Readable plain text from the finished HTML: headings, lists, tables, links with their address, pictures by their alt."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree
from lxml import html as parser

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ]
)
_SKIPPED = frozenset(["head", "style", "script", "title", "noscript", "template"])
_SPACE = re.compile(r"[ \t\n\r\f\xa0\u200b\u200c\u034f]+")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_PARAGRAPHS = frozenset(["p", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr"])


@dataclass
class _Writer:
    """Collects lines. `room` is how many blank lines are wanted before the next words."""

    lines: list[str] = field(default_factory=list)
    line: str = ""
    room: int = 0
    indent: str = ""
    bullet: str = ""
    waiting: str = (
        ""  # {if} and its kin at the start of a line: they join the next words, so that none leaves a blank line
    )

    def mark(self, word: str) -> None:
        if self.line.strip():
            self.line += word
        else:
            self.waiting += word

    def words(self, text: str) -> None:
        text = _SPACE.sub(" ", text)
        if self.waiting and text.strip():
            self.line, self.waiting = self.waiting, ""
            text = text.lstrip(" ")
        if not self.line or self.line.endswith(" "):
            text = text.lstrip(" ")
        self.line += text

    def end_line(self) -> None:
        if self.line.strip():
            if self.lines and self.room:
                self.lines += [""] * self.room
            self.room = 0
            self.lines.append(self.indent + self.bullet + self.line.strip())
            self.bullet = " " * len(self.bullet)
        self.line = ""

    def block(self, gap: bool) -> None:
        self.end_line()
        if gap and self.lines:
            self.room = 1

    def finish(self) -> list[str]:
        """All lines."""
        self.end_line()
        if self.waiting:
            self.lines = [*self.lines[:-1], (self.lines[-1] if self.lines else "") + self.waiting]
            self.waiting = ""
        return self.lines


def to_text(html: str) -> str:
    """The plain text of an HTML mail. Words that stand for tags (comments too) pass through."""
    if not html.strip():
        return ""
    document = parser.document_fromstring(
        html.encode("utf-8"), parser=parser.HTMLParser(encoding="utf-8", remove_pis=True)
    )
    writer = _Writer()
    _walk(document, writer, [])
    return "\n".join(line.rstrip() for line in writer.finish()).strip() + "\n"


def _walk(element: etree._Element, writer: _Writer, lists: list[int | None]) -> None:
    if element.tag is etree.Comment:
        text = (element.text or "").strip()
        if re.fullmatch(r"q[a-z]{7}q\d{5}z", text):
            writer.mark(text)
        _tail(element, writer, lists)
        return
    name = element.tag if isinstance(element.tag, str) else ""
    if not name or name in _SKIPPED or _HIDDEN.search(element.get("style", "")):
        _tail(element, writer, lists)
        return
    _OPENERS.get(name, _inside)(element, writer, lists, name)
    _tail(element, writer, lists)


def _tail(element: etree._Element, writer: _Writer, lists: list[int | None]) -> None:
    if element.tail:
        writer.words(element.tail)


def _inside(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    block = name in _BLOCKS
    if block:
        writer.block(gap=name in _PARAGRAPHS and element.get("role") != "presentation")
    if element.text:
        writer.words(element.text)
    for child in element:
        _walk(child, writer, lists)
    if block:
        writer.block(gap=name in _PARAGRAPHS and element.get("role") != "presentation")


def _heading(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    writer.block(gap=True)
    before = len(writer.lines)
    _inside(element, writer, lists, name)
    written = writer.lines[before:]
    if name in ("h1", "h2") and written:
        width = min(max(len(_without_words(line)) for line in written), 72)
        if width:
            writer.lines.append(("=" if name == "h1" else "-") * width)
    writer.room = 1


def _without_words(line: str) -> str:
    return re.sub(r"q[a-z]{7}q\d{5}z", "xxxxxxx", line)


def _link(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    before = writer.line
    count = len(writer.lines)
    _inside(element, writer, lists, name)
    href = (element.get("href") or "").strip()
    if not href or href.startswith("#"):
        return
    own = writer.line[len(before) :].strip() if count == len(writer.lines) else writer.line.strip()
    shown = href.removeprefix("mailto:").removeprefix("tel:").replace(" ", "")
    if own.replace(" ", "") in (shown, href, re.sub(r"^https?://", "", href).rstrip("/")):
        if href.startswith("http") and not own.startswith("http"):
            writer.line = before + href
        return
    if not own:
        return
    writer.line = writer.line.rstrip() + (f": {href}" if _is_alone(element, before) else f" <{href}>")


def _is_alone(element: etree._Element, before: str) -> bool:
    """Whether a link is all that its block holds: a button, a line of its own."""
    parent = element.getparent()
    if parent is None or before.strip():
        return False
    beside = [parent.text or "", *(child.tail or "" for child in parent)]
    beside += ["".join(child.itertext()) for child in parent if child is not element and isinstance(child.tag, str)]
    return not "".join(beside).strip()


def _picture(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    alt = _SPACE.sub(" ", element.get("alt", "")).strip()
    if alt:
        writer.words(f" [{alt}] ")


def _break(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    if writer.line.strip():
        writer.end_line()
    elif writer.lines:
        writer.room = 1


def _rule(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    writer.block(gap=True)
    writer.line = "-" * 40
    writer.block(gap=True)


def _list(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    nested = bool(lists)
    writer.block(gap=not nested)
    _inside_list = [*lists, 1 if name == "ol" else None]
    for child in element:
        _walk(child, writer, _inside_list)
    writer.block(gap=not nested)


def _item(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    writer.end_line()
    writer.room = min(writer.room, 1) if not writer.lines or not lists else writer.room
    indent, bullet = writer.indent, writer.bullet
    writer.indent = indent + " " * len(bullet)
    number = lists[-1] if lists else None
    writer.bullet = "* " if number is None else f"{number}. "
    if lists and number is not None:
        lists[-1] = number + 1
    if element.text:
        writer.words(element.text)
    for child in element:
        _walk(child, writer, lists)
    writer.end_line()
    writer.indent, writer.bullet = indent, bullet


def _quote(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    writer.block(gap=True)
    indent = writer.indent
    writer.indent = indent + "> "
    _inside(element, writer, lists, "div")
    writer.indent = indent
    writer.block(gap=True)


def _cell(element: etree._Element, writer: _Writer, lists: list[int | None], name: str) -> None:
    """A cell of a data table stays in the line of its row; a cell of a layout table is a block."""
    if not _is_data(element):
        roomy = element.find(".//table") is None and len("".join(element.itertext()).strip()) > 60
        writer.block(gap=roomy)
        _inside(element, writer, lists, "div")
        writer.block(gap=roomy)
        return
    if writer.line.strip():
        writer.line = writer.line.rstrip() + " | "
    inner = _Writer()
    if element.text:
        inner.words(element.text)
    for child in element:
        _walk(child, inner, lists)
    writer.words(" ".join(line.strip() for line in inner.finish() if line.strip()))


def _is_data(element: etree._Element) -> bool:
    table = next(element.iterancestors("table"), None)
    if table is None or table.get("role") in ("presentation", "none"):
        return False
    row = element.getparent()
    cells = [child for child in row if child.tag in ("td", "th")] if row is not None else []
    if len(cells) < 2 or any(
        inner.tag in ("table", "img") for cell in cells for inner in cell.iter() if inner is not cell
    ):
        return False
    return table.find(".//th") is not None or all(len("".join(cell.itertext()).strip()) <= 60 for cell in cells)


_OPENERS = {
    "a": _link, "img": _picture, "br": _break, "hr": _rule, "ul": _list, "ol": _list, "li": _item, "blockquote": _quote,
    "td": _cell, "th": _cell, **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
}  # fmt: skip
