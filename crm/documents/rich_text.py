r"""Rich text (RTF) as a tree that templates can be filled in: paragraphs `p` and table rows `row`, in them `t` (text) and `raw` (everything else).

Written back as it was, but for texts that were changed: those are escaped anew (`\u` with a substitute, RTF 1.9.1).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lxml import etree

from crm.documents.flavours import Element, clean
from crm.words import _

BEGINS = b"{\\rtf"
MOST_TOKENS = 2_000_000
MOST_DEEP = 500
MOST_OF_FONTS = 200_000
OPEN = "open"  # of a paragraph whose formatting begins or ends in another one
_TOKEN = re.compile(
    rb"\\bin(?P<bin>\d+) ?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|\\(?P<sign>[^a-zA-Z])|(?P<brace>[{}])|(?P<line>[\r\n]+)|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
# Groups that hold no text of the document, beside those that begin with \*.
_ASIDE = frozenset(
    [b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"listtable", b"listoverridetable", b"revtbl", b"rsidtbl", b"generator",
     b"fldinst", b"themedata", b"datastore", b"xmlnstbl", b"latentstyles", b"filetbl", b"bkmkstart", b"bkmkend"]
)  # fmt: skip
_FOREIGN = frozenset([b"object", b"objdata", b"objemb", b"objlink", b"objocx", b"objupdate", b"subdoc"])
_SIGNS = {b"{": "{", b"}": "}", b"\\": "\\", b"~": "\u00a0", b"_": "\u2011"}
_WORDS = {
    b"tab": "\t", b"line": "\n", b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•",
}  # fmt: skip
_ENDS = {b"par": "p", b"cell": "p", b"sect": "p", b"row": "row"}
_BODY = frozenset({*_ENDS, b"pard", b"trowd"})
_ESCAPED = {"{": "\\{", "}": "\\}", "\\": "\\\\", "\n": "\\line ", "\t": "\\tab "}
_QUOTED = re.compile(rb"\\bin\d+.*|\\[^a-zA-Z]", re.DOTALL)
_FONT = re.compile(rb"\{\\f(\d+)(?:\\[a-z]+-?\d* ?|\{[^{}]*\})*([^\\;{}]{1,60});?")
_USES_FONT = re.compile(rb"\\f(\d+)")
_STANDARD_FONT = re.compile(rb"\\deff(\d+)")
_CHARSETS = {0: 1252, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250}  # fmt: skip


class Unreadable(Exception):
    """What is no rich text, or holds what a template must not; the sentence says it."""


@dataclass
class _State:
    """What holds inside one pair of braces."""

    skip: int = 1  # characters that stand in for one \u
    codepage: int = 1252
    is_aside: bool = False
    is_instruction: bool = False  # of a field


class _Reader:
    """Goes through a file once. `depth`: how many braces are open."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._stack = [_State()]
        self._fonts: dict[int, int] = {}
        self._font, self._default, self._skipping, self._high, self._is_first = 0, 1252, 0, "", False
        self.instructions: list[str] = []
        self.in_table = False

    @property
    def depth(self) -> int:
        return len(self._stack) - 1

    def pieces(self) -> Iterator[tuple[bytes, str | None, bytes]]:
        """(bytes, what a reader sees of them or None, the word of the language that it is)."""
        at, count = 0, 0
        while at < len(self._data):
            found, count = _TOKEN.match(self._data, at), count + 1
            if found is None or count > MOST_TOKENS or len(self._stack) > MOST_DEEP:
                raise _damaged()
            at = found.end() + int(found["bin"] or 0)
            raw = self._data[found.start() : at]
            if found["brace"]:
                self._brace(raw)
                yield raw, None, raw
            else:
                was_first, self._is_first = self._is_first, False
                text = self._seen(found, was_first)
                yield raw, text, b"" if self._stack[-1].is_aside else found["word"] or b""
        if self.depth:
            raise _damaged()

    def _brace(self, brace: bytes) -> None:
        self._skipping, self._is_first = 0, brace == b"{"
        if brace == b"{":
            self._stack.append(replace(self._stack[-1]))
            return
        self._stack.pop()
        if not self._stack:
            raise _damaged()

    def _seen(self, found: re.Match[bytes], is_first: bool) -> str | None:
        word, number, state = found["word"], int(found["number"] or 0), self._stack[-1]
        if word in _FOREIGN:
            raise Unreadable(_("The file holds a part of another program. Save it without embedded objects."))
        state.is_aside = state.is_aside or (is_first and (word in _ASIDE or found["sign"] == b"*"))
        self._note(word, number, state)
        if state.is_aside:
            if found["text"] and state.is_instruction:
                self.instructions.append(found["text"].decode("latin-1"))
            return None
        if word == b"u" and found["number"]:
            self._skipping = state.skip
            return self._letter(number % 65_536)
        text = self._plain(found, state)
        if text is not None and self._skipping:
            text, self._skipping = text[self._skipping :], max(0, self._skipping - len(text))
        return text

    def _note(self, word: bytes | None, number: int, state: _State) -> None:
        if word == b"uc":
            state.skip = min(max(number, 0), 10)
        elif word == b"ansicpg" and number in _CHARSETS.values():
            self._default = state.codepage = number
        elif word == b"fcharset":
            self._fonts[self._font] = _CHARSETS.get(number, self._default)
        elif word == b"fldinst":
            state.is_instruction = True
        elif word == b"f":
            self._font = number
            state.codepage = self._fonts.get(number, self._default)
        elif word in {b"trowd", b"intbl"}:
            self.in_table = True
        elif word == b"pard":
            self.in_table = False

    def _letter(self, code: int) -> str:
        if 0xD800 <= code < 0xDC00:
            self._high = chr(code)
            return ""
        pair, self._high = (self._high + chr(code) if 0xDC00 <= code < 0xE000 else chr(code)), ""
        return pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    @staticmethod
    def _plain(found: re.Match[bytes], state: _State) -> str | None:
        said = found["text"] or (bytes.fromhex(found["hex"].decode()) if found["hex"] else None)
        if said is not None:
            return clean(said.decode(f"cp{state.codepage}", "replace"))
        return _SIGNS.get(found["sign"]) if found["sign"] else _WORDS.get(found["word"])


def _damaged() -> Unreadable:
    return Unreadable(_("The file is damaged: it cannot be opened."))


@dataclass
class _Tree:
    """Puts pieces into paragraphs, and paragraphs of a table into its rows."""

    root: Element = field(default_factory=lambda: etree.Element("rtf"))
    now: Element = field(default_factory=lambda: etree.Element("p"))
    row: list[Element] = field(default_factory=list)
    row_begun: int = 0
    raw: bytearray = field(default_factory=bytearray)
    said: list[str] = field(default_factory=list)
    is_raw: bool = True

    def add(self, raw: bytes, text: str | None) -> None:
        if (text is None) is not self.is_raw:
            self.flush()
            self.is_raw = text is None
        self.raw += raw
        self.said.append(text or "")

    def flush(self) -> None:
        """Write what came since the last change between text and everything else."""
        if self.raw:
            said = {"bytes": self.raw.hex()}
            if not self.is_raw:
                said["was"] = "".join(self.said)
            etree.SubElement(self.now, "raw" if self.is_raw else "t", said).text = said.get("was")
        self.raw, self.said = bytearray(), []

    def begin(self, head: Sequence[tuple[bytes, str | None]], cut: int) -> None:
        """The file's head as a paragraph of its own, that nobody repeats; then what begins the first one."""
        for raw, text in head[:cut]:
            self.add(raw, text)
        self.close("p", False, 0, 1)
        for raw, text in head[cut:]:
            self.add(raw, text)

    def close(self, ends: str, in_table: bool, begun: int, depth: int) -> None:
        """End the paragraph that is being put together. `begun`, `depth`: open braces before and after it."""
        self.flush()
        if begun != depth:
            self.now.set(OPEN, "1")
        if in_table:
            self.row_begun = self.row_begun if self.row else begun
            self.row.append(self.now)
            if ends == "row":
                made = etree.SubElement(self.root, "row")
                made.extend(self.row)
                if self.row_begun != depth:
                    made.set(OPEN, "1")
                self.row = []
        else:
            self.root.extend([*self.row, self.now])
            self.row = []
        self.now = etree.Element("p")


def read(data: bytes) -> Element:
    """The tree of a file. Raises Unreadable."""
    reader, tree = _Reader(data), _Tree()
    head: list[tuple[bytes, str | None]] | None = []  # what comes before the first paragraph
    begun, ended, in_table, depth, cut = 1, "", False, 0, 0
    for raw, text, word in reader.pieces():
        is_closing = word == b"}" and reader.depth >= 1
        if ended and not is_closing and not raw.isspace():
            tree.close(ended, in_table, begun, depth)
            begun, ended = depth, ""
        if head is not None:
            cut = len(head) if depth == 1 else cut
            head.append((raw, text))
            if word in _BODY or (text or "").strip():
                tree.begin(head, cut)
                head = None
        else:
            tree.add(raw, text)
        depth = reader.depth
        if word in _ENDS:
            ended, in_table = _ENDS[word], reader.in_table or word in {b"cell", b"row"}
            reader.in_table = reader.in_table and word != b"row"
    if head is not None:
        tree.begin(head, len(head))
    tree.close(ended or "p", in_table and ended == "row", begun, depth)
    tree.root.extend(tree.row)
    tree.root.set("instructions", clean(" ".join(reader.instructions)))
    return tree.root


def instructions(root: Element) -> str:
    """What stands in groups that are no text: instructions of fields among it."""
    return root.get("instructions") or ""


def fonts(data: bytes) -> list[str]:
    """The fonts that are used, by the table of fonts."""
    known = {number: name.decode("latin-1").strip() for number, name in _FONT.findall(data[:MOST_OF_FONTS])}
    used = Counter(_USES_FONT.findall(data))
    standard = _STANDARD_FONT.search(data[:1_000])
    return [name for number, name in known.items() if used[number] > 1 or (standard and standard[1] == number)]


def written(root: Element) -> bytes:
    """The file again. Raises ValueError when braces do not match any more."""
    out, depth = bytearray(), 0
    for one in root.iter("raw", "t"):
        if one.tag == "raw" or one.text == one.get("was"):
            raw = bytes.fromhex(one.get("bytes") or "")
            depth += _opened(raw)
            out += raw
        else:
            out += _escaped(one.text or "")
    if depth:
        raise ValueError("braces")
    return bytes(out)


def _opened(raw: bytes) -> int:
    plain = _QUOTED.sub(b"", raw)
    return plain.count(b"{") - plain.count(b"}")


def _escaped(text: str) -> bytes:
    r"""Text as RTF. The group keeps what it says of substitutes to itself."""
    said = "".join(_ESCAPED.get(letter) or (letter if " " <= letter <= "~" else _unicode(letter)) for letter in text)
    return (f"{{\\uc1 {said}}}" if said else "").encode("ascii")


def _unicode(letter: str) -> str:
    units = letter.encode("utf-16-le")
    codes = [int.from_bytes(units[place : place + 2], "little", signed=True) for place in range(0, len(units), 2)]
    return "".join(f"\\u{code}?" for code in codes)
