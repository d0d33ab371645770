"""May this mail be activated? Every reason against it at once, each with its place, and what is worth a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crm.engine.tags import check as check_tags
from crm.engine.tags import is_known_link, modernise
from crm.words import N_, _
from ecp.content.compile import Compiled, Content, compile
from ecp.content.markup import tokens
from ecp.content.placeholders import protect
from ecp.content.problems import ContentProblem, ContentRefused
from ecp.content.sanitize import sanitize

_REQUIRED = {"subject": N_("The subject is missing"), "sender_name": N_("The sender's name is missing")}


def check_content(
    content: Content,
    known: Callable[[str], bool],
    *,
    sender_name: str = "",
    has_sender_address: bool = False,
    suggestions: Iterable[str] = (),
) -> list[ContentProblem]:
    """Errors first, then warnings. `known` is asked for every name that is no special link (`contact.first_name`)."""
    problems = [
        ContentProblem(_(message), field)
        for field, message in _REQUIRED.items()
        if not {"subject": content.subject, "sender_name": sender_name}[field].strip()
    ]
    if not has_sender_address:
        problems.append(ContentProblem(_("A confirmed sender address is missing"), "sender_address_id"))
    if not content.source.strip() and not content.text.strip():
        problems.append(ContentProblem(_("The mail has no content")))
    problems += check_names(content, known, suggestions)
    compiled: Compiled | None = None
    try:
        compiled = compile(content)
    except ContentRefused as refused:
        problems += refused.problems
    if compiled is not None:
        problems += compiled.warnings
        problems += _warnings(content, compiled)
    return _sorted(problems)


def check_names(
    content: Content, known: Callable[[str], bool], suggestions: Iterable[str] = ()
) -> list[ContentProblem]:
    """Tags that cannot be read or that nobody knows, in every part of the content."""
    offered = list(suggestions)
    parts = {"subject": content.subject, "preheader": content.preheader, "source": content.source, "text": content.text}
    return [
        ContentProblem(problem.message, part, problem.line, problem.column)
        for part, text in parts.items()
        for problem in check_tags(modernise(text), lambda name: _is_known(name, known), suggestions=offered)
    ]


def _is_known(name: str, known: Callable[[str], bool]) -> bool:
    return is_known_link(name) if name.startswith("links.") else known(name)


def _warnings(content: Content, compiled: Compiled) -> list[ContentProblem]:
    """What does not hinder sending: removed markup, pictures without words, links to nowhere, a footer that is added."""
    found = [
        ContentProblem(
            _("Not allowed in a mail and left out: %(what)s", what=one.what), "source", one.line, one.column, "warning"
        )
        for one in compiled.removed
    ]
    if compiled.footer_was_added:
        message = _("The unsubscribe link is missing; a standard footer with it is added")
        found.append(ContentProblem(message, severity="warning"))
    if compiled.text_is_generated and content.source.strip():
        found.append(ContentProblem(_("The plain text is made from the HTML"), "text", severity="warning"))
    source, _removed = sanitize(modernise(content.source))
    protected = protect(source)
    in_defaults = False
    for token in tokens(protected.text):
        if token.name == "mj-attributes":
            in_defaults = token.kind == "open"
        if token.kind != "open" or in_defaults:
            continue
        line, column = protected.place(token.start)
        if token.name in ("img", "mj-image", "mj-carousel-image") and token.value("alt") is None:
            message = _('<%(name)s> has no alt text; write alt="" when the picture says nothing', name=token.name)
            found.append(ContentProblem(message, "source", line, column, "warning"))
        elif token.name in ("a", "mj-button") and (token.value("href") or "").strip() in ("", "#"):
            if token.name == "a" and (token.value("name") or token.value("id")):
                continue
            found.append(
                ContentProblem(
                    _("<%(name)s> leads nowhere: its href is empty", name=token.name), "source", line, column, "warning"
                )
            )
    return found


def _sorted(problems: list[ContentProblem]) -> list[ContentProblem]:
    """Errors first, each place and sentence once."""
    unique = {(one.field, one.line, one.column, one.message): one for one in problems}
    order = ["subject", "sender_name", "sender_address_id", "preheader", "source", "text"]

    def rank(one: ContentProblem) -> tuple[bool, int, int, int]:
        return (one.severity != "error", order.index(one.field) if one.field in order else 9, one.line, one.column)

    return sorted(unique.values(), key=rank)
