"""A mail text compiled once into flat segments, filled for every person by joining strings: nothing is parsed again."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from crm.engine.tags.encode import ENCODERS, Context
from crm.engine.tags.parse import parse
from crm.engine.tags.places import MASK, contexts
from crm.engine.tags.tree import If, Node, Print, Tag, Test, Text, Tree, names

MARKUP: frozenset[Context] = frozenset({"html", "url", "address", "style", "bare"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one value: `fallback` is already encoded for `context`."""

    name: str
    context: Context
    fallback: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An {if}: the first arm whose test holds is filled in."""

    arms: tuple[tuple[Test | None, Segments], ...]

    def chosen(self, values: Mapping[str, str], raw: Mapping[str, str] | None) -> Segments | None:
        """The arm to fill, or None. Stored values are compared; links have none, what is shown counts."""
        for test, body in self.arms:
            if test is None:
                return body
            if raw is None or test.left.name.startswith("links."):
                if holds(test, values):
                    return body
            elif holds(test, raw):
                return body
        return None


Part = str | Slot | Choice


@dataclass(frozen=True)
class Segments:
    """Literals, slots and choices in order. `names`: everything asked for; `printed`: what is shown."""

    parts: tuple[Part, ...]
    _template: list[str] = field(init=False, repr=False, compare=False)
    _slots: tuple[tuple[str, Callable[[str], str], str, tuple[int, ...]], ...] = field(
        init=False, repr=False, compare=False
    )
    _choices: tuple[tuple[int, Choice], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: dict[Slot, list[int]] = {}
        for index, part in enumerate(self.parts):
            if isinstance(part, Slot):
                places.setdefault(part, []).append(index)
        object.__setattr__(self, "_template", [part if isinstance(part, str) else "" for part in self.parts])
        slots = [(slot.name, ENCODERS[slot.context], slot.fallback, tuple(where)) for slot, where in places.items()]
        object.__setattr__(self, "_slots", tuple(slots))
        choices = [(index, part) for index, part in enumerate(self.parts) if isinstance(part, Choice)]
        object.__setattr__(self, "_choices", tuple(choices))

    def fill(self, values: Mapping[str, str], raw: Mapping[str, str] | None = None) -> str:
        """The text for one person. `values`: name → what is shown (not yet encoded); `raw`: name → what is stored,
        asked by {if} (`values` when left out). A missing or empty value gives the fallback or nothing."""
        out = self._template.copy()
        for name, encode, fallback, places in self._slots:
            value = values.get(name)
            text = encode(value) if value else fallback
            for place in places:
                out[place] = text
        for place, choice in self._choices:
            body = choice.chosen(values, raw)
            if body is not None:
                out[place] = body.fill(values, raw)
        return "".join(out)

    @property
    def names(self) -> frozenset[str]:
        """Every name that is printed or asked, so that only those values are read."""
        return self.printed | self.asked

    @property
    def printed(self) -> frozenset[str]:
        return frozenset(slot.name for slot in self.slots())

    @property
    def asked(self) -> frozenset[str]:
        """Names that an {if} compares: their stored values are wanted."""
        found: set[str] = set()
        for _, choice in self._choices:
            for test, body in choice.arms:
                if test is not None:
                    found.update(side.name for side in (test.left, test.right) if isinstance(side, Tag))
                found |= body.asked
        return frozenset(found)

    def slots(self) -> Iterator[Slot]:
        """Every slot, those inside choices too."""
        for part in self.parts:
            if isinstance(part, Slot):
                yield part
            elif isinstance(part, Choice):
                for _, body in part.arms:
                    yield from body.slots()


class Encoded:
    """Segments whose literals were encoded once (quoted-printable for mails): per person only values are encoded."""

    def __init__(self, segments: Segments, encode: Callable[[str], bytes]) -> None:
        """`encode` turns any piece of text into bytes that may be joined with any other piece."""
        self.segments = segments
        self._template = [encode(part) if isinstance(part, str) else b"" for part in segments.parts]
        self._choices = tuple(
            (place, choice, {id(body): Encoded(body, encode) for _, body in choice.arms})
            for place, choice in segments._choices
        )
        made = {make: _remembering(make, encode) for _, make, _, _ in segments._slots}
        self._slots = tuple(
            (name, made[make], encode(fallback), places) for name, make, fallback, places in segments._slots
        )

    def fill(self, values: Mapping[str, str], raw: Mapping[str, str] | None = None) -> list[bytes]:
        """The encoded pieces for one person, to be joined; `values` and `raw` as in Segments.fill."""
        out = self._template.copy()
        for name, make, fallback, places in self._slots:
            value = values.get(name)
            piece = make(value) if value else fallback
            for place in places:
                out[place] = piece
        for place, choice, bodies in self._choices:
            body = choice.chosen(values, raw)
            if body is not None:
                out[place] = b"".join(bodies[id(body)].fill(values, raw))
        return out


def _remembering(make: Callable[[str], str], encode: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Both in one; many people have the same city, and all of a sendout the name of its campaign."""
    return lru_cache(maxsize=256)(lambda value: encode(make(value)))


def compile(text: str | Tree, context: Context = "text") -> Segments:
    """Segments of a mail text. With `html` the place of every tag is found (text, attribute, address, style) and its
    encoder chosen by it. Raises TagError."""
    tree = parse(text, "mail") if isinstance(text, str) else text
    found: dict[int, Context] = {}
    if context == "html":
        prints = list(_prints(tree.nodes))
        offsets = [node.start for node in prints]
        found = dict(zip(offsets, contexts(_masked(tree), offsets), strict=True))
    return _segments(tree.nodes, context, found)


def holds(test: Test, raw: Mapping[str, str]) -> bool:
    """Whether a test of {if} is true for the stored values. Nothing, `0` and a missing value are empty."""
    left = raw.get(test.left.name) or ""
    if test.right is None:
        return (left in ("", "0")) is not test.negative
    right = test.right if isinstance(test.right, str) else raw.get(test.right.name) or ""
    return (left == right) is not test.negative


def _segments(nodes: tuple[Node, ...], context: Context, found: dict[int, Context]) -> Segments:
    parts: list[Part] = []
    for node in nodes:
        if isinstance(node, Text):
            if parts and isinstance(parts[-1], str):
                parts[-1] += node.value
            else:
                parts.append(node.value)
        elif isinstance(node, Print):
            place = found.get(node.start, context)
            fallback = node.fallback or ""
            if place in MARKUP:
                fallback = html.unescape(fallback)
            parts.append(Slot(node.tag.name, place, ENCODERS[place](fallback) if fallback else ""))
        elif isinstance(node, If):
            arms = [(test, _segments(body, context, found)) for test, body in node.arms]
            parts.append(Choice(tuple(arms)))  # type: ignore[arg-type]  # a mail tree holds tests, never expressions
    return Segments(tuple(parts))


def _prints(nodes: tuple[Node, ...]) -> Iterator[Print]:
    for node in nodes:
        if isinstance(node, Print):
            yield node
        elif isinstance(node, If):
            for _, body in node.arms:
                yield from _prints(body)


def _texts(nodes: tuple[Node, ...]) -> Iterator[Text]:
    for node in nodes:
        if isinstance(node, Text):
            yield node
        elif isinstance(node, If):
            for _, body in node.arms:
                yield from _texts(body)


def _masked(tree: Tree) -> str:
    """The source with every tag blanked out to the same length."""
    pieces: list[str] = []
    done = 0
    for text in _texts(tree.nodes):
        pieces.append(MASK * (text.start - done))
        pieces.append(tree.source[text.start : text.end])
        done = text.end
    pieces.append(MASK * (len(tree.source) - done))
    return "".join(pieces)


__all__ = ["Choice", "Encoded", "Part", "Segments", "Slot", "compile", "holds", "names"]
