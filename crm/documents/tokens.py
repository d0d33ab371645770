"""Text of a document → literal pieces and tags of the one tag language, as the formula dialect has them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from crm.documents.spellings import OLD, modernise
from crm.engine.tags import TagError, parse, straighten
from crm.engine.tags.tree import Assign, Expression, If, Loop, Math, Show
from crm.words import _

# A tag has no brace inside but in quotes; a brace before a space is text, as in formulas.
_OURS = r"\{(?=[^\s{}])(?:[^{}\"'“”„‘’]|[\"“”„][^\"“”„]*[\"“”„]|['‘’][^'‘’]*['‘’])*\}"
_TAG = re.compile(f"{OLD}|{_OURS}")
_OPEN = re.compile(r"\{\$\S{0,40}")
BLOCK_MARK = re.compile(r"\[\w+;block=[^\[\]]*\]")
_WORD = re.compile(r"\{\s*(/?\w+)")


class BadTag(Exception):
    """A tag that cannot be read, or a block without its end; the sentence names it."""

    is_placed = False

    def at(self, place: str) -> "BadTag":
        """The same with the sentence that says where; the innermost place is kept."""
        if place and not self.is_placed:
            self.args, self.is_placed = (f"{self} {place}",), True
        return self


@dataclass(frozen=True)
class Literal:
    """Text from `start` to `end` of a paragraph that stays as it is."""

    start: int
    end: int


@dataclass(frozen=True)
class Said:
    """`{expression}`, `{assign}` or `{math}`: what stands at `start` is replaced by what the node prints."""

    node: Show | Assign | Math
    start: int
    source: str


@dataclass(frozen=True)
class Either:
    """`{if}…{elseif}…{else}…{/if}` inside one paragraph."""

    arms: tuple[tuple[Expression | None, tuple["Piece", ...]], ...]


@dataclass(frozen=True)
class Every:
    """`{foreach}…{/foreach}` inside one paragraph."""

    loop: Loop
    start: int
    body: tuple["Piece", ...]


Piece = Literal | Said | Either | Every


@dataclass(frozen=True)
class Mark:
    """A tag that opens, parts or closes a block: `word` is if, elseif, else, /if, foreach, /foreach."""

    word: str
    source: str
    test: Expression | None = None
    loop: Loop | None = None


@dataclass(frozen=True)
class Token:
    """One tag of a text with its place."""

    start: int
    end: int
    what: Mark | Show | Assign | Math


def tokens(text: str) -> list[Token]:
    """The tags of a text in order. Raises BadTag."""
    unclosed = _OPEN.search(_TAG.sub("", text))
    if unclosed:
        raise BadTag(_("%(tag)s is not closed.", tag=unclosed[0]))
    return [Token(found.start(), found.end(), read_tag(found[0])) for found in _TAG.finditer(text)]


@lru_cache(maxsize=2048)
def read_tag(source: str) -> Mark | Show | Assign | Math:
    """One tag. Raises BadTag with the reason."""
    said = straighten(modernise(source))
    begins = _WORD.match(said)
    word = begins[1] if begins else ""
    try:
        if word in {"if", "elseif"}:
            opening = "{if" + said[said.index(word) + len(word) :]
            nodes = parse(f"{opening}x{{/if}}", "formula").nodes
            if len(nodes) == 1 and isinstance(nodes[0], If):
                return Mark(word, source, test=cast(Expression, nodes[0].arms[0][0]))
        elif word == "foreach":
            nodes = parse(f"{said}x{{/foreach}}", "formula").nodes
            if len(nodes) == 1 and isinstance(nodes[0], Loop):
                return Mark(word, source, loop=nodes[0])
        elif said.replace(" ", "") in {"{else}", "{/if}", "{/foreach}"}:
            return Mark(said.replace(" ", "")[1:-1], source)
        else:
            nodes = parse(said, "formula").nodes
            if len(nodes) == 1 and isinstance(nodes[0], Show | Assign | Math):
                return nodes[0]
    except TagError as error:
        raise BadTag(_("%(tag)s cannot be read: %(reason)s", tag=source[:80], reason=error.reason)) from None
    raise BadTag(_("%(tag)s cannot be read.", tag=source[:80]))


def pieces(text: str) -> tuple[Piece, ...]:
    """A paragraph as literals, tags and blocks that end in it. Raises BadTag."""
    found = tokens(text)
    made, rest = _pieces(text, found, 0, 0, ())
    if rest < len(found):
        mark = found[rest].what
        raise BadTag(_("%(tag)s closes nothing that was opened before it.", tag=getattr(mark, "source", "")))
    return made


def _pieces(
    text: str, found: list[Token], index: int, begin: int, until: tuple[str, ...]
) -> tuple[tuple[Piece, ...], int]:
    """The pieces from `begin` on until a mark of `until` or the end; and the index of the token that stopped it."""
    out: list[Piece] = []
    while index < len(found):
        token = found[index]
        mark = token.what
        if isinstance(mark, Mark) and (mark.word in until or mark.word not in {"if", "foreach"}):
            if mark.word not in until:
                raise BadTag(_("%(tag)s closes nothing that was opened before it.", tag=mark.source))
            out.append(Literal(begin, token.start))
            return tuple(out), index
        out.append(Literal(begin, token.start))
        if not isinstance(mark, Mark):
            out.append(Said(mark, token.start, text[token.start : token.end]))
            begin, index = token.end, index + 1
            continue
        if mark.loop is not None:
            body, index = _pieces(text, found, index + 1, token.end, ("/foreach",))
            _demand_end(found, index, mark)
            out.append(Every(mark.loop, token.start, body))
        else:
            arms: list[tuple[Expression | None, tuple[Piece, ...]]] = []
            test, opening = mark.test, token
            while True:
                body, index = _pieces(text, found, index + 1, opening.end, ("elseif", "else", "/if"))
                _demand_end(found, index, mark)
                arms.append((test, body))
                opening = found[index]
                here = cast(Mark, opening.what)  # one of those that were waited for
                if here.word == "/if":
                    break
                test = here.test
            out.append(Either(tuple(arms)))
        begin, index = found[index].end, index + 1
    if until:
        return tuple(out), index
    out.append(Literal(begin, len(text)))
    return tuple(out), index


def _demand_end(found: list[Token], index: int, mark: Mark) -> None:
    if index >= len(found):
        raise BadTag(_("%(tag)s has no {/%(word)s}.", tag=mark.source, word=mark.word))


def only_mark(text: str) -> Mark | None:
    """The mark that a paragraph or row consists of, and nothing else. Raises BadTag."""
    said = text.strip()
    if not said.startswith(("{", "[")) or not _TAG.fullmatch(said):
        return None
    found = read_tag(said)
    return found if isinstance(found, Mark) else None


def only_tags(text: str) -> bool:
    """Whether a text holds nothing beside tags."""
    return not _TAG.sub("", text).strip()
