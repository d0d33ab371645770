"""How Word and Excel (OOXML), Writer and Calc (ODF) and rich text write the same things: paragraphs, rows, pieces of text, breaks."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from lxml import etree

from crm.documents.cell_values import put_in_calc, put_in_excel
from crm.documents.namespaces import DRAW, OFFICE, SPACE, TABLE, TEXT, W14, XML_ID, S, W
from crm.documents.tokens import BLOCK_MARK, BadTag, only_tags
from crm.words import _

Element: TypeAlias = etree._Element
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Text that XML may hold, with one kind of line break."""
    return _NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))


class Slot(ABC):
    """A piece of a paragraph: text that can be changed, or something fixed such as a tab."""

    is_fixed = False

    def __init__(self, element: Element) -> None:
        self.element: Any = element

    @property
    def text(self) -> str:
        return self.element.text or ""

    @abstractmethod
    def put(self, text: str) -> None:
        """Change the text; a fixed one is dropped when the text is empty."""


class Fixed(Slot):
    """A tab, break or run of spaces."""

    is_fixed = True

    def __init__(self, element: Element, text: str) -> None:
        super().__init__(element)
        self._text = text

    @property
    def text(self) -> str:
        return self._text

    def put(self, text: str) -> None:
        if text:
            return
        parent = self.element.getparent()
        if parent is None:
            return
        if self.element.tail:  # of Writer: what follows stays
            before = self.element.getprevious()
            if before is not None:
                before.tail = (before.tail or "") + self.element.tail
            else:
                parent.text = (parent.text or "") + self.element.tail
        parent.remove(self.element)


class WordText(Slot):
    """One `w:t`."""

    def put(self, text: str) -> None:
        first, *more = clean(text).split("\n")
        self.element.text = first
        self.element.set(SPACE, "preserve")
        last = self.element
        for line in more:
            made = [etree.Element(f"{W}br"), etree.Element(f"{W}t", {SPACE: "preserve"})]
            made[1].text = line
            for one in made:
                last.addnext(one)
                last = one


class WriterText(Slot):
    """The text of an element, or what follows an element."""

    def __init__(self, element: Element, is_tail: bool) -> None:
        super().__init__(element)
        self._is_tail = is_tail

    @property
    def text(self) -> str:
        return (self.element.tail if self._is_tail else self.element.text) or ""

    def put(self, text: str) -> None:
        """Line breaks, tabs and double spaces become elements, as plain ones mean nothing in OpenDocument."""
        found = re.split(r"(\n|\t| {2,})", clean(text))
        self._set(found[0])
        last = self.element if self._is_tail else None
        for mark, after in zip(found[1::2], found[2::2], strict=True):
            made = etree.Element({"\n": f"{TEXT}line-break", "\t": f"{TEXT}tab"}.get(mark, f"{TEXT}s"))
            if made.tag == f"{TEXT}s":
                made.set(f"{TEXT}c", str(len(mark)))
            if last is None:
                self.element.insert(0, made)
            else:
                tail, last.tail = last.tail, None  # addnext would carry it along
                last.addnext(made)
                last.tail = tail
            made.tail = after
            last = made

    def _set(self, text: str) -> None:
        if self._is_tail:
            self.element.tail = text
        else:
            self.element.text = text


class RawText(Slot):
    """The text of an element that holds nothing else: line breaks stay as they are."""

    def put(self, text: str) -> None:
        self.element.text = clean(text)
        self.element.set(SPACE, "preserve")


@dataclass(frozen=True)
class Flavour:
    """The names of one format. `rows` repeat as a whole, `lone` lose their meaning without any row."""

    paragraphs: frozenset[str]
    rows: frozenset[str]
    lone: frozenset[str]
    cells: frozenset[str]  # must hold a paragraph
    fixed: dict[str, str]
    nested: frozenset[str]
    walk: Literal["word", "writer", "excel", "rtf"]
    has_numbers: bool = False  # a cell that is nothing but a number or a date holds it as one

    def slots(self, paragraph: Element) -> list[Slot]:
        """The pieces of a paragraph in order, those of paragraphs inside of it left out."""
        walks = {"word": self._word, "writer": self._writer, "excel": self._excel, "rtf": self._rtf}
        return list(walks[self.walk](paragraph))

    def _word(self, element: Element) -> Iterator[Slot]:
        for child in element:
            if child.tag == f"{W}t":
                yield WordText(child)
            elif child.tag in self.fixed:
                yield Fixed(child, self.fixed[child.tag])
            elif child.tag not in self.paragraphs and child.tag != f"{W}pPr":
                yield from self._word(child)

    def _writer(self, element: Element) -> Iterator[Slot]:
        yield WriterText(element, is_tail=False)
        for child in element:
            if child.tag in self.fixed:
                count = int(child.get(f"{TEXT}c") or 1) if child.tag == f"{TEXT}s" else 1
                yield Fixed(child, self.fixed[child.tag] * min(count, 1000))
            elif isinstance(child.tag, str) and child.tag not in self.nested:
                yield from self._writer(child)
            yield WriterText(child, is_tail=True)

    def _excel(self, cell: Element) -> Iterator[Slot]:
        for child in cell:
            if child.tag == f"{S}v":
                yield Fixed(child, child.text or "")
            elif child.tag == f"{S}is":
                yield from (RawText(one) for one in child.iter(f"{S}t"))

    def _rtf(self, paragraph: Element) -> Iterator[Slot]:
        yield from (RawText(child) for child in paragraph if child.tag == "t")

    def put_value(self, paragraph: Element, value: Any, said: str) -> bool:
        """Make a number or a date what a cell holds, shown as `said`; whether it is one."""
        if not self.has_numbers or isinstance(value, bool) or not isinstance(value, int | Decimal | date):
            return False
        put = put_in_excel if self.walk == "excel" else put_in_calc
        return put(paragraph, value, said)

    def text_of(self, paragraph: Element) -> str:
        return "".join(slot.text for slot in self.slots(paragraph))

    def paragraphs_of(self, element: Element) -> Iterator[Element]:
        """The paragraphs of an element, those of rows inside of it left out."""
        if element.tag in self.paragraphs:
            yield element
        for child in element:
            if isinstance(child.tag, str) and child.tag not in self.rows:
                yield from self.paragraphs_of(child)

    def forget_identity(self, element: Element) -> None:
        """A copy must not carry the ids of the original. Raises BadTag where it cannot be copied."""
        self.demand_whole(element)
        for one in list(element.iter()):
            for name in (XML_ID, f"{W14}paraId", f"{W14}textId"):
                one.attrib.pop(name, None)
            parent = one.getparent()
            if one.tag in {f"{W}bookmarkStart", f"{W}bookmarkEnd"} and parent is not None:
                parent.remove(one)

    def place_of(self, element: Element) -> str:
        """A sentence that says where an element stands: its cell, its words, or those before it."""
        if element.tag == f"{S}c":
            return _("It stands in cell %(cell)s.", cell=element.get("r") or "")
        if element.tag == f"{S}row":
            return _("It stands in row %(row)s.", row=element.get("r") or "")
        here = self._words_of(element)
        if only_tags(here):
            before = next((said for one in element.itersiblings(preceding=True) if (said := self._words_of(one))), "")
            return _("It stands after “%(words)s”.", words=before[-60:]) if before else _("It stands at the beginning.")
        return _("It stands in “%(words)s”.", words=here[:60])

    def _words_of(self, element: Element) -> str:
        if not isinstance(element.tag, str):
            return ""
        return " ".join(self.text_of(one).strip() for one in self.paragraphs_of(element)).strip()

    def demand_row(self, paragraph: Element, text: str) -> None:
        """Raises BadTag for a mark of older templates that says “this row repeats” and stands in no row."""
        found = BLOCK_MARK.search(text)
        if found and self.walk != "excel" and not any(one.tag in self.rows for one in paragraph.iterancestors()):
            raise BadTag(_("%(tag)s must stand in a table row.", tag=found[0]))

    def demand_whole(self, element: Element) -> None:
        """Raises BadTag for rich text whose formatting begins or ends elsewhere: it cannot be repeated or left out by itself."""
        if self.walk == "rtf" and element.get("open"):
            said = "".join(self.text_of(one) for one in element.iter("p"))[:60]
            raise BadTag(
                _("The formatting around “%(words)s” begins or ends in another paragraph. Format it anew.", words=said)
            )

    def empty_paragraph(self) -> Element:
        return etree.Element(f"{W}p" if self.walk == "word" else f"{TEXT}p")


WORD = Flavour(
    paragraphs=frozenset({f"{W}p"}), rows=frozenset({f"{W}tr"}), lone=frozenset({f"{W}tbl"}),
    cells=frozenset({f"{W}tc", f"{W}txbxContent", f"{W}hdr", f"{W}ftr", f"{W}footnote", f"{W}endnote"}),
    fixed={f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}, nested=frozenset(), walk="word",
)  # fmt: skip
WRITER = Flavour(
    paragraphs=frozenset({f"{TEXT}p", f"{TEXT}h"}), rows=frozenset({f"{TABLE}table-row", f"{TEXT}list-item"}),
    lone=frozenset({f"{TABLE}table", f"{TEXT}list"}), cells=frozenset({f"{TABLE}table-cell", f"{DRAW}text-box"}),
    fixed={f"{TEXT}s": " ", f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n", f"{TEXT}soft-page-break": ""},
    nested=frozenset({f"{DRAW}frame", f"{DRAW}custom-shape", f"{TEXT}note", f"{OFFICE}annotation", f"{TEXT}p", f"{TEXT}h"}), walk="writer",
)  # fmt: skip
CALC = replace(WRITER, lone=frozenset({f"{TEXT}list"}), cells=frozenset({f"{DRAW}text-box"}), has_numbers=True)
EXCEL = Flavour(
    paragraphs=frozenset({f"{S}c"}), rows=frozenset({f"{S}row"}), lone=frozenset(), cells=frozenset(), fixed={}, nested=frozenset(),
    walk="excel", has_numbers=True,
)  # fmt: skip
RICH_TEXT = Flavour(
    paragraphs=frozenset({"p"}), rows=frozenset({"row"}), lone=frozenset(), cells=frozenset(), fixed={}, nested=frozenset(), walk="rtf"
)  # fmt: skip
FLAVOURS: Mapping[str, Flavour] = {"docx": WORD, "odt": WRITER, "xlsx": EXCEL, "ods": CALC, "rtf": RICH_TEXT}
