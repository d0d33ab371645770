"""What is wrong with an MJML text, with line and column: the compiler itself lets unknown components pass in silence and
says of an unclosed one only that the text ended."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from crm.words import _
from ecp.content.markup import VOID, Attribute, Token, tokens
from ecp.content.placeholders import Protected
from ecp.content.problems import ContentProblem

_BODY = frozenset({"mj-body"})
_ROWS = frozenset({"mj-body", "mj-wrapper"})
_COLUMNS = frozenset({"mj-section", "mj-group"})
_CONTENT = frozenset({"mj-column", "mj-hero"})
_HEAD = frozenset({"mj-head"})

# component → where it may stand (empty: anywhere in the body)
PARENTS: dict[str, frozenset[str]] = {
    "mjml": frozenset({""}),
    "mj-head": frozenset({"mjml"}),
    "mj-body": frozenset({"mjml"}),
    **dict.fromkeys(
        ("mj-attributes", "mj-breakpoint", "mj-font", "mj-html-attributes", "mj-preview", "mj-style", "mj-title"), _HEAD
    ),
    "mj-all": frozenset({"mj-attributes"}),
    "mj-class": frozenset({"mj-attributes"}),
    "mj-selector": frozenset({"mj-html-attributes"}),
    "mj-html-attribute": frozenset({"mj-selector"}),
    "mj-wrapper": _BODY,
    "mj-section": _ROWS,
    "mj-hero": _ROWS,
    "mj-group": frozenset({"mj-section"}),
    "mj-column": _COLUMNS,
    "mj-raw": frozenset(),
    **dict.fromkeys(
        (
            "mj-accordion", "mj-button", "mj-carousel", "mj-divider", "mj-image", "mj-navbar", "mj-social", "mj-spacer",
            "mj-table", "mj-text",
        ),
        _CONTENT,
    ),
    "mj-accordion-element": frozenset({"mj-accordion"}),
    "mj-accordion-title": frozenset({"mj-accordion-element"}),
    "mj-accordion-text": frozenset({"mj-accordion-element"}),
    "mj-carousel-image": frozenset({"mj-carousel"}),
    "mj-navbar-link": frozenset({"mj-navbar"}),
    "mj-social-element": frozenset({"mj-social"}),
}  # fmt: skip

# What stands inside these is HTML, not components.
ENDING = frozenset(
    {
        "mj-text", "mj-button", "mj-table", "mj-raw", "mj-accordion-title", "mj-accordion-text", "mj-navbar-link",
        "mj-social-element",
    }
)  # fmt: skip
_PLAIN = frozenset({"mj-title", "mj-preview", "mj-style"})
_EMPTY = frozenset(
    {"mj-image", "mj-divider", "mj-spacer", "mj-carousel-image", "mj-all", "mj-class", "mj-font", "mj-breakpoint"}
)


@dataclass(frozen=True, slots=True)
class Inside:
    """What the compiler must not read: text[start:end] is the inside of `name`, or a comment (`name` "")."""

    name: str
    start: int
    end: int


def check_mjml(protected: Protected) -> tuple[list[ContentProblem], list[Inside]]:
    """Problems of a protected MJML text (places are those of its source), and where its HTML is."""
    reader = _Reader(protected)
    reader.read()
    return reader.problems, reader.insides


class _Reader:
    def __init__(self, protected: Protected) -> None:
        self.protected = protected
        self.problems: list[ContentProblem] = []
        self.insides: list[Inside] = []
        self.open: list[Token] = []
        self.roots: set[str] = set()

    def say(self, message: str, token: Token | Attribute) -> None:
        line, column = self.protected.place(token.start)
        self.problems.append(ContentProblem(message, "source", line, column))

    def read(self) -> None:
        stream = tokens(self.protected.text)
        for token in stream:
            if token.kind == "open":
                self._opened(token, stream)
            elif token.kind == "close":
                self._closed(token)
            elif token.kind == "condition":
                self._condition(token, stream)
            elif token.kind == "comment" and not self._is_kept(token):
                self.insides.append(Inside("", token.start, token.end))
            elif token.kind == "text" and token.name in _PLAIN:
                self.insides.append(Inside(token.name, token.start, token.end))
            elif token.kind == "text":
                self._text(token)
        for token in reversed(self.open):
            self.say(_("<%(name)s> is never closed with </%(name)s>", name=token.name), token)
        if "mjml" not in self.roots:
            self.problems.append(ContentProblem(_("This is not MJML: it must begin with <mjml>"), "source", 1, 1))

    def _opened(self, token: Token, stream: Iterator[Token]) -> None:
        name, parent = token.name, self.open[-1].name if self.open else ""
        if not self.open:
            self.roots.add(name)
        if name == "mj-include":
            self.say(_("<mj-include> is not possible here: paste its content, or use an HTML snippet"), token)
            return
        if name not in PARENTS:
            self._unknown(token, parent, stream)
            return
        if self.protected.text[token.start + 1 : token.start + 1 + len(name)] != name:
            self.say(_("Write <%(name)s> in small letters", name=name), token)
        parents = PARENTS[name]
        if parents and parent not in parents and parent != "mj-attributes":
            if parent == "":
                self.say(_("<%(name)s> must stand inside <mjml>", name=name), token)
            else:
                self.say(
                    _(
                        "<%(name)s> cannot stand in <%(parent)s>; it belongs into %(places)s",
                        name=name,
                        parent=parent,
                        places=_either(parents),
                    ),
                    token,
                )
        for attribute in token.attributes:
            if attribute.value and not attribute.quoted:
                self.say(
                    _(
                        'Put the value of %(name)s into quotes: %(name)s="%(value)s"',
                        name=attribute.name,
                        value=attribute.value,
                    ),
                    attribute,
                )
        if token.self_closing:
            return
        if name in ENDING and parent != "mj-attributes":
            self._read_html(token, stream)
        else:
            self.open.append(token)

    def _unknown(self, token: Token, parent: str, stream: Iterator[Token]) -> None:
        if parent == "mj-attributes" and token.self_closing:
            self.say(_("<%(name)s> is not a component of MJML", name=token.name) + _near(token.name), token)
            return
        if token.name.startswith("mj"):
            self.say(_("<%(name)s> is not a component of MJML", name=token.name) + _near(token.name), token)
        else:
            where = _("in <%(name)s>", name=parent) if parent else _("outside <mjml>")
            self.say(
                _(
                    "<%(name)s> is HTML and cannot stand %(where)s; put it into <mj-text> or <mj-raw>",
                    name=token.name,
                    where=where,
                ),
                token,
            )
        if not token.self_closing and token.name not in VOID:
            self.open.append(token)

    def _read_html(self, opening: Token, stream: Iterator[Token]) -> None:
        """Up to the closing tag; components inside HTML are refused, unclosed HTML is left to the reader of HTML."""
        depth = 0
        for token in stream:
            if token.name == opening.name and token.kind == "open" and not token.self_closing:
                depth += 1
            if token.kind == "close" and token.name == opening.name:
                if not depth:
                    self.insides.append(Inside(opening.name, opening.end, token.start))
                    return
                depth -= 1
            elif token.name.startswith("mj-") and token.kind == "open":
                self.say(
                    _(
                        "<%(name)s> cannot stand in <%(outer)s>: is </%(outer)s> missing before it?",
                        name=token.name,
                        outer=opening.name,
                    ),
                    token,
                )
            elif token.kind == "close" and token.name in PARENTS:
                self.say(_("<%(name)s> is never closed with </%(name)s>", name=opening.name), opening)
                self._closed(token)
                return
        self.say(_("<%(name)s> is never closed with </%(name)s>", name=opening.name), opening)

    def _is_kept(self, token: Token) -> bool:
        """Whether a comment stands for an {if}: the compiler takes it along."""
        return self.protected.text[token.start + len("<!--") : token.end - len("-->")] in self.protected.kept

    def _condition(self, token: Token, stream: Iterator[Token]) -> None:
        """A conditional comment between components: kept away from the compiler, which cannot read it."""
        end = token.end
        if token.name == "if":
            end = next((one.end for one in stream if one.kind == "condition" and one.name == "endif"), token.end)
        self.insides.append(Inside("", token.start, end))

    def _closed(self, token: Token) -> None:
        names = [one.name for one in self.open]
        if token.name in _EMPTY and token.name not in names:
            return  # <mj-image …></mj-image> was written with a self-closing start
        if token.name not in names:
            self.say(_("</%(name)s> closes nothing: there is no <%(name)s> before it", name=token.name), token)
            return
        while self.open[-1].name != token.name:
            lost = self.open.pop()
            self.say(_("<%(name)s> is never closed with </%(name)s>", name=lost.name), lost)
        self.open.pop()

    def _text(self, token: Token) -> None:
        text = self.protected.text[token.start : token.end]
        words = self.protected.restore(text).strip()
        if words and self.open and self.open[-1].name not in _PLAIN:
            start = token.start + len(text) - len(text.lstrip())
            line, column = self.protected.place(start)
            message = _(
                'Text cannot stand in <%(name)s>; put it into <mj-text>: "%(said)s"',
                name=self.open[-1].name,
                said=words[:30],
            )
            self.problems.append(ContentProblem(message, "source", line, column))


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, PARENTS, n=1)
    return _("; did you mean <%(name)s>?", name=near[0]) if near else ""


def _either(names: frozenset[str]) -> str:
    return _(" or ").join(f"<{name}>" for name in sorted(names))
