"""Fills a template: walks its paragraphs and rows, repeats rows of lists, keeps or drops blocks, puts values where tags stand.

The same walk checks a file when it is uploaded: then the scope knows names instead of values (names.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Protocol

from lxml import etree

from crm.documents.asked import Path, variables
from crm.documents.flavours import FLAVOURS, Element, Flavour
from crm.documents.package import Package, written
from crm.documents.tokens import BadTag, Either, Every, Literal, Mark, Piece, Said, only_mark, pieces, tokens
from crm.engine.tags.tree import Assign, Expression, Loop, Math, Show
from crm.words import _


class Scope(Protocol):
    """What tags mean at one place of the document."""

    def show(self, node: Show | Assign | Math, source: str) -> str:
        """What a tag prints."""

    def value(self, node: Show | Assign | Math, source: str) -> Any:
        """What a tag prints as a number or a date, for cells that compute; None for a text."""

    def chosen(self, tests: Sequence[Expression | None]) -> list[int]:
        """Which arms of an {if} stay."""

    def each(self, loop: Loop) -> "Iterable[Scope]":
        """One scope a row of a {foreach}."""

    def list_of(self, path: Path) -> Path | None:
        """The list that a name goes through: ("rows",) of ("rows", "total"); None when it goes through none."""

    def rows(self, path: Path) -> "Iterable[Scope]":
        """One scope a row of the list at `path`, in which that name is the row."""


def fill_parts(package: Package, scope: Scope) -> bytes:
    """The filled file of Word or Writer. Raises BadTag."""
    changed = {}
    merger = Merger(FLAVOURS[package.format])
    for name, root in package.filled_parts():
        merger.fill(root, scope)
        changed[name] = written(root)
    return package.with_parts(changed)


def fill_text(text: str, scope: Scope) -> str:
    """One line with tags, filled. Raises BadTag."""
    return "".join(_said(pieces(text), text, scope))


def _said(found: Sequence[Piece], text: str, scope: Scope) -> Iterator[str]:
    for piece in found:
        match piece:
            case Literal(begin, end):
                yield text[begin:end]
            case Said(node, _start, source):
                yield scope.show(node, source)
            case Either(arms):
                for place in scope.chosen([test for test, _body in arms]):
                    yield from _said(arms[place][1], text, scope)
            case Every(loop, _start, body):
                for row in scope.each(loop):
                    yield from _said(body, text, row)


class Merger:
    """Fills elements of one format in place."""

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour

    def fill(self, parent: Element, scope: Scope) -> None:
        """Fill everything below `parent`."""
        children = [child for child in parent if isinstance(child.tag, str)]
        self._fill_all(children, scope)
        flavour = self._flavour
        if parent.tag in flavour.cells and not any(child.tag in flavour.paragraphs | flavour.lone for child in parent):
            parent.append(flavour.empty_paragraph())
        for child in children:
            if child.tag in flavour.lone and child.getparent() is not None and not _has(child, flavour.rows):
                parent.remove(child)

    def _fill_all(self, children: list[Element], scope: Scope) -> None:
        index = 0
        while index < len(children):
            try:
                index = self._fill_next(children, index, scope)
            except BadTag as wrong:
                raise wrong.at(self._flavour.place_of(children[index])) from None

    def _fill_next(self, children: list[Element], index: int, scope: Scope) -> int:
        """Fill a child, or the block that it opens; the index of the next one."""
        mark = self._mark(children[index])
        if mark is None:
            self._fill_one(children[index], scope)
            return index + 1
        if mark.word not in {"if", "foreach"}:
            raise BadTag(_("%(tag)s closes nothing that was opened before it.", tag=mark.source))
        return self._fill_block(children, index, mark, scope)

    def _mark(self, element: Element) -> Mark | None:
        """The mark of a block that a paragraph or row is, and nothing else."""
        if element.tag not in self._flavour.paragraphs and element.tag not in self._flavour.rows:
            return None
        found = only_mark("".join(self._flavour.text_of(one) for one in self._flavour.paragraphs_of(element)))
        if found is not None:
            self._flavour.demand_whole(element)
        return found

    # blocks of paragraphs or rows

    def _fill_block(self, children: list[Element], begin: int, mark: Mark, scope: Scope) -> int:
        """Fill the block that child `begin` opens; the index after its end."""
        arms: list[tuple[Expression | None, list[Element]]] = [(mark.test, [])]
        marks, depth, index = [children[begin]], 0, begin
        while True:
            index += 1
            if index >= len(children):
                raise BadTag(_("%(tag)s has no {/%(word)s}.", tag=mark.source, word=mark.word))
            found = self._mark(children[index])
            if found is not None:
                if depth == 0 and found.word == f"/{mark.word}":
                    marks.append(children[index])
                    break
                if depth == 0 and mark.word == "if" and found.word in {"elseif", "else"}:
                    marks.append(children[index])
                    arms.append((found.test, []))
                    continue
                depth += {"if": 1, "foreach": 1, "/if": -1, "/foreach": -1}.get(found.word, 0)
            arms[-1][1].append(children[index])
        if mark.loop is not None:
            self._repeat(arms[0][1], scope.each(mark.loop))
        else:
            kept = scope.chosen([test for test, _body in arms])
            for place, (_test, body) in enumerate(arms):
                if place in kept:
                    self._fill_all(body, scope)
                else:
                    _remove(body)
        _remove(marks)
        return index + 1

    def _repeat(self, body: list[Element], scopes: Iterable[Scope]) -> None:
        """A filled copy of `body` for each scope in its place."""
        if not body:
            return
        for scope in scopes:
            copies = []
            for one in body:
                copied = deepcopy(one)
                copied.tail = None
                self._flavour.forget_identity(copied)
                body[0].addprevious(copied)
                copies.append(copied)
            self._fill_all(copies, scope)
        _remove(body)

    # rows and paragraphs

    def _fill_one(self, element: Element, scope: Scope) -> None:
        flavour = self._flavour
        if element.tag in flavour.rows:
            opening = self._opening(element)
            if opening is not None:
                return self._fill_opened(element, opening, scope)
        if element.tag in flavour.rows or element.tag in flavour.paragraphs:
            path = self._list_in(element, scope)
            if path is not None:
                return self._repeat_row(element, path, scope)
        if element.tag in flavour.paragraphs:
            self._fill_paragraph(element, scope)
        self.fill(element, scope)
        return None

    def _opening(self, row: Element) -> Mark | None:
        """The {foreach} or {if} at the very beginning of a row whose end stands at the end of the row."""
        texts = [self._flavour.text_of(one) for one in self._flavour.paragraphs_of(row)]
        said = "\n".join(texts).strip()
        found = tokens(said) if said.startswith(("{", "[")) else []
        if len(found) < 2 or found[0].start or found[-1].end != len(said):
            return None
        first, last = found[0].what, found[-1].what
        if not (isinstance(first, Mark) and isinstance(last, Mark) and last.word == f"/{first.word}"):
            return None
        depth = 0
        for place, token in enumerate(found):
            word = token.what.word if isinstance(token.what, Mark) else ""
            depth += {"if": 1, "foreach": 1, "/if": -1, "/foreach": -1}.get(word, 0)
            if depth == 0 and place < len(found) - 1:
                return None
            if depth == 1 and word in {"else", "elseif"}:
                return None
        return first

    def _fill_opened(self, row: Element, mark: Mark, scope: Scope) -> None:
        paragraphs = [one for one in self._flavour.paragraphs_of(row) if self._flavour.text_of(one).strip()]
        first, last = tokens(self._flavour.text_of(paragraphs[0]))[0], tokens(self._flavour.text_of(paragraphs[-1]))[-1]
        self._cut(paragraphs[-1], last.start, last.end)
        self._cut(paragraphs[0], first.start, first.end)
        if mark.loop is not None:
            self._repeat([row], scope.each(mark.loop))
        elif scope.chosen([mark.test]):
            self._fill_one(row, scope)
        else:
            _remove([row])

    def _cut(self, paragraph: Element, begin: int, end: int) -> None:
        at = 0
        for slot in self._flavour.slots(paragraph):
            text = slot.text
            if not slot.is_fixed and at < end and at + len(text) > begin:
                slot.put(text[: max(begin - at, 0)] + text[max(min(end - at, len(text)), 0) :])
            at += len(text)

    def _list_in(self, element: Element, scope: Scope) -> Path | None:
        """The one list whose rows an element shows. Raises BadTag when there are several."""
        found: list[Path] = []
        for paragraph in self._flavour.paragraphs_of(element):
            for name in variables(pieces(self._flavour.text_of(paragraph)), frozenset()):
                path = scope.list_of(name)
                if path is not None and path not in found:
                    found.append(path)
        if len(found) > 1:
            names = ", ".join(".".join(path) for path in found)
            raise BadTag(_("One row shows rows of several lists: %(names)s. Give each its own row.", names=names))
        return found[0] if found else None

    def _repeat_row(self, row: Element, path: Path, scope: Scope) -> None:
        for inner in scope.rows(path):
            copied = deepcopy(row)
            copied.tail = None
            self._flavour.forget_identity(copied)
            row.addprevious(copied)
            self._fill_one(copied, inner)
        _remove([row])

    # one paragraph

    def _fill_paragraph(self, paragraph: Element, scope: Scope) -> None:
        slots = self._flavour.slots(paragraph)
        text = "".join(slot.text for slot in slots)
        self._flavour.demand_row(paragraph, text)
        found = pieces(text)
        if all(isinstance(piece, Literal) for piece in found):
            return
        if self._flavour.has_numbers and self._put_value(paragraph, found, text, scope):
            return
        starts, at = [], 0
        for slot in slots:
            starts.append(at)
            at += len(slot.text)
        out = [""] * len(slots)

        def slot_at(place: int) -> int:
            return next(i for i, slot in enumerate(slots) if starts[i] <= place < starts[i] + len(slot.text))

        def emit(piece: Piece, inside: Scope, into: int | None) -> None:
            match piece:
                case Literal(begin, end):
                    for i, slot in enumerate(slots):
                        part = text[max(begin, starts[i]) : min(end, starts[i] + len(slot.text))]
                        out[i if into is None else into] += part if max(begin, starts[i]) < end else ""
                case Said(node, start, source):
                    out[slot_at(start) if into is None else into] += inside.show(node, source)
                case Either(arms):
                    for place in inside.chosen([test for test, _body in arms]):
                        for one in arms[place][1]:
                            emit(one, inside, into)
                case Every(loop, start, body):
                    where = slot_at(start) if into is None else into
                    for row in inside.each(loop):
                        for one in body:
                            emit(one, row, where)

        for piece in found:
            emit(piece, scope, None)
        for slot, said in reversed(list(zip(slots, out, strict=True))):  # what is put adds elements behind
            if said != slot.text:
                slot.put(said)

    def _put_value(self, paragraph: Element, found: Sequence[Piece], text: str, scope: Scope) -> bool:
        """Put a number into a cell that is one tag and nothing else; whether that was done."""
        tags = [one for one in found if not isinstance(one, Literal) or text[one.start : one.end].strip()]
        if len(tags) != 1 or not isinstance(tags[0], Said):
            return False
        value = scope.value(tags[0].node, tags[0].source)
        if value is None:
            return False
        return self._flavour.put_value(paragraph, value, scope.show(tags[0].node, tags[0].source))


def _has(element: Element, tags: frozenset[str]) -> bool:
    return any(one.tag in tags for one in element.iter(etree.Element))


def _remove(elements: Iterable[Element]) -> None:
    for one in elements:
        parent = one.getparent()
        if parent is not None:
            parent.remove(one)
