"""A tokenizer of HTML and MJML text that never rebuilds it: every token keeps its offsets, so that the written source can
be looked at and cut without a serialiser changing the rest (rules of WHATWG HTML 13.2.5, as far as they decide where an
element, an attribute or a comment begins and ends)."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "open", "close", "comment", "condition", "declaration", "broken"]

RAW_TEXT = frozenset(
    {
        "script",
        "style",
        "textarea",
        "title",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
        "mj-style",
        "mj-title",
        "mj-preview",
    }
)
VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "mj-include",
        "mj-class",
        "mj-breakpoint",
        "mj-font",
    ]
)

_SPACE = " \\t\\n\\f\\r"  # what HTML calls white space; Python's \\s is wider
_OPEN = re.compile(rf"<([A-Za-z][^{_SPACE}/>]*)")
_ATTRIBUTE = re.compile(
    rf"[{_SPACE}/]*([^{_SPACE}/>=][^{_SPACE}/>=]*|=[^{_SPACE}/>=]*)"
    rf"(?:[{_SPACE}]*=[{_SPACE}]*(?:\"([^\"]*+)\"|'([^']*+)'|([^{_SPACE}\"'>][^{_SPACE}>]*)))?"
)
MAX_ATTRIBUTES = 80  # an element with more is taken for text: no mail has one, and looking at it would take long
_CLOSE = re.compile(rf"</([A-Za-z][^{_SPACE}/>]*)")
_OPEN_QUOTE = re.compile(rf"[{_SPACE}]*=[{_SPACE}]*[\"']")
_END = re.compile(rf"[{_SPACE}/]*>")
_COMMENT = re.compile(r"<!--(?:>|->|.*?(?:-->|--!>))", re.DOTALL)
_CONDITION = re.compile(r"<!--\[if([^\]]*)\]>")
_REVEALED = re.compile(r"<!--\[if[^\]]*\]><!-->|<!--\[if[^\]]*\]>-->|<!--<!\[endif\]-->")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`start`:`end` is the whole attribute; `value_start`:`value_end` its value without quotes (equal when it has none)."""

    name: str
    value: str
    start: int
    end: int
    value_start: int
    value_end: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Token:
    """`name` is in lower case; `hidden` tells that it stands inside a conditional comment."""

    kind: Kind
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()
    self_closing: bool = False
    hidden: bool = False

    def value(self, attribute: str) -> str | None:
        """The value of an attribute, None when it is missing (the first one counts)."""
        return next((one.value for one in self.attributes if one.name == attribute), None)


def tokens(text: str) -> Iterator[Token]:
    """Every token of `text`, in order, without gaps."""
    yield from _tokens(text, 0, len(text), hidden=False)


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _tokens(text: str, position: int, end: int, hidden: bool) -> Iterator[Token]:
    while position < end:
        opening = text.find("<", position, end)
        if opening < 0:
            yield Token("text", position, end, hidden=hidden)
            return
        if opening > position:
            yield Token("text", position, opening, hidden=hidden)
        position = opening
        if text.startswith("<!--", position, end):
            position = yield from _comment(text, position, end, hidden)
            continue
        token = _element(text, position, end, hidden)
        yield token
        position = token.end
        if token.kind == "open" and token.name in RAW_TEXT and not token.self_closing:
            closing = re.compile(rf"</{re.escape(token.name)}(?=[{_SPACE}/>])", re.IGNORECASE).search(
                text, position, end
            )
            stop = closing.start() if closing else end
            if stop > position:
                yield Token("text", position, stop, name=token.name, hidden=hidden)
            position = stop


def _comment(text: str, position: int, end: int, hidden: bool) -> Generator[Token, None, int]:
    """Yields the tokens of a comment and gives where it ends. A well-formed conditional comment is looked into."""
    revealed = _REVEALED.match(text, position, end)
    if revealed:
        yield Token("condition", position, revealed.end(), hidden=hidden)
        return revealed.end()
    comment = _COMMENT.match(text, position, end)
    if comment is None:
        yield Token("broken", position, end, name="comment", hidden=hidden)
        return end
    condition = _CONDITION.match(text, position, comment.end())
    closing = "<![endif]-->"
    if condition and comment[0].endswith(closing) and not hidden:
        inner_end = comment.end() - len(closing)
        if inner_end >= condition.end():
            yield Token("condition", position, condition.end(), name="if", hidden=hidden)
            yield from _tokens(text, condition.end(), inner_end, hidden=True)
            yield Token("condition", inner_end, comment.end(), name="endif", hidden=hidden)
            return comment.end()
    yield Token("comment", position, comment.end(), hidden=hidden)
    return comment.end()


def _element(text: str, position: int, end: int, hidden: bool) -> Token:
    following = text[position + 1 : position + 2]
    if following == "/":
        name = _CLOSE.match(text, position, end)
        close = text.find(">", position, end)
        if close < 0:
            return Token("broken", position, position + 1, name="element", hidden=hidden)
        if name is None:
            return Token("declaration", position, close + 1, hidden=hidden)
        return Token("close", position, close + 1, name[1].lower(), hidden=hidden)
    if following in ("!", "?"):
        close = text.find(">", position, end)
        if close < 0:
            return Token("broken", position, position + 1, name="element", hidden=hidden)
        return Token("declaration", position, close + 1, hidden=hidden)
    opening = _OPEN.match(text, position, end)
    if opening and text.find(">", position, end) < 0:
        return Token("broken", position, position + 1, name=opening[1].lower(), hidden=hidden)
    if opening is None:
        return Token("text", position, position + 1, hidden=hidden)
    attributes: list[Attribute] = []
    at = opening.end()
    while True:
        done = _END.match(text, at, end)
        if done:
            closed = "/" in done[0]
            return Token("open", position, done.end(), opening[1].lower(), tuple(attributes), closed, hidden)
        match = _ATTRIBUTE.match(text, at, end)
        if (
            match is None
            or match.end() == at
            or len(attributes) == MAX_ATTRIBUTES
            or (match.lastindex == 1 and _OPEN_QUOTE.match(text, match.end(), end))
        ):
            # an unclosed quote, or the end of the text inside the element: no browser makes an element of it
            return Token("broken", position, position + 1, name=opening[1].lower(), hidden=hidden)
        attributes.append(_attribute(match))
        at = match.end()


def _attribute(match: re.Match[str]) -> Attribute:
    group = next((number for number in (2, 3, 4) if match[number] is not None), 0)
    start, stop = (match.start(group), match.end(group)) if group else (match.end(), match.end())
    value = match[group] if group else ""
    return Attribute(match[1].lower(), value, match.start(1), match.end(), start, stop, group in (2, 3))
