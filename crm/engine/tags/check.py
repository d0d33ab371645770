"""What is wrong with the tags of a text, each with its place, before anybody gets it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from crm.engine.tags.modifiers import FUNCTIONS, MODIFIERS
from crm.engine.tags.parse import parse
from crm.engine.tags.spellings import LINKS, LINKS_TO_ONE, NAMESPACES
from crm.engine.tags.tree import Call, Dialect, Filtered, Tag, TagError, expressions, names
from crm.words import _

_FORGOTTEN = re.compile(
    r"\{\s*((?:"
    + "|".join(NAMESPACES)
    + r")\.\w[\w.:-]*)\s*(?:\|[^{}]*)?\}|\{(assign|math|foreach|section|include|php)\s[^{}]*\}"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: `message` is a sentence without the place, `line` and `column` count from 1."""

    message: str
    line: int
    column: int
    tag: str = ""

    def __str__(self) -> str:
        return _(
            "Line %(line)s, column %(column)s: %(message)s", line=self.line, column=self.column, message=self.message
        )


def check(
    text: str, known: Callable[[str], bool], dialect: Dialect = "mail", suggestions: Iterable[str] = ()
) -> list[Problem]:
    """Every problem of a text: what cannot be read, names that `known` refuses (canonical: `contact.first_name`,
    `record.name`, `links.survey:3`; in formulas as written), tags without their $. `suggestions` are names to offer
    when one is misspelt."""
    problems = [_forgotten(match, text) for match in _FORGOTTEN.finditer(text)] if dialect == "mail" else []
    try:
        tags = names(parse(text, dialect))
    except TagError as error:
        problems.append(Problem(error.reason, error.line, error.column))
        tags = []
    offered = list(suggestions)
    problems.extend(_unknown(tag, offered) for tag in tags if not known(tag.name))
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def unknown_modifiers(text: str) -> list[Problem]:
    """Modifiers and functions of a formula that do not exist. A text that cannot be read gives none (check says it)."""
    try:
        tree = parse(text, "formula")
    except TagError:
        return []
    problems: list[Problem] = []
    for expression in expressions(tree.nodes):
        if isinstance(expression, Filtered) and expression.modifier not in MODIFIERS:
            near = difflib.get_close_matches(expression.modifier, MODIFIERS, n=1)
            hint = _("; did you mean |%(name)s?", name=near[0]) if near else ""
            problems.append(
                Problem(
                    _("Unknown modifier |%(modifier)s%(hint)s", modifier=expression.modifier, hint=hint),
                    expression.line,
                    expression.column,
                )
            )
        elif isinstance(expression, Call) and expression.function not in FUNCTIONS:
            problems.append(
                Problem(_("%(function)s() is not a function of {math}", function=expression.function), 1, 1)
            )
    return problems


def is_known_link(name: str) -> bool:
    """Whether `links.survey:3` and the like is one of the special links (the thing behind it is not looked up)."""
    kind, colon, argument = name.removeprefix("links.").partition(":")
    if kind not in LINKS:
        return False
    return bool(argument) if kind in LINKS_TO_ONE else not colon


def _unknown(tag: Tag, offered: list[str]) -> Problem:
    near = difflib.get_close_matches(tag.name, offered, n=1)
    shown = tag.name.removeprefix("record.")
    hint = _("; did you mean {$%(name)s}?", name=near[0].removeprefix("record.")) if near else ""
    return Problem(_("Unknown tag {$%(shown)s}%(hint)s", shown=shown, hint=hint), tag.line, tag.column, tag.name)


def _forgotten(match: re.Match[str], text: str) -> Problem:
    line = text.count("\n", 0, match.start()) + 1
    column = match.start() - text.rfind("\n", 0, match.start())
    if match[1]:
        return Problem(
            _("%(said)s is not a tag; write {$%(name)s}", said=match[0], name=match[1]), line, column, match[1]
        )
    return Problem(_("{%(name)s} is not allowed in mails: only names, |fallback and {if}", name=match[2]), line, column)
