"""What stands beside the editor: the mail as it will look, as text, as a given person, and what is to be said of it."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Response, make_response, render_template, request

from crm.engine import search
from crm.engine.permissions import demand
from crm.engine.registry import modules
from crm.ui.session import viewer
from ecp.content.check import check_content
from ecp.content.compile import Compiled, Content, compile, prepare
from ecp.content.limits import MAX_SOURCE
from ecp.content.preview import PREVIEW_CSP, Preview, as_dark, preview
from ecp.content.problems import ContentProblem, ContentRefused
from ecp.content.sanitize import sanitize
from ecp.modules.mail_rules import content_of, is_known_tag
from ecp.pipeline.values import Reader
from ecp.web import writing_versions

KEY = "email_templates"
WRITTEN = ("mjml", "html", "text")


@dataclass(frozen=True)
class Seen:
    """What the panes beside the editor show of the content that was posted."""

    problems: list[ContentProblem]
    removed: list[str]
    preview: Preview | None
    size: int  # bytes of the compiled HTML
    characters: int
    footer_was_added: bool = False
    text_is_generated: bool = False
    instead: str = ""  # the language that the chosen contact gets, where it is another one than is open


def _posted() -> dict[str, Any]:
    said: dict[str, Any] = {
        name: request.form.get(name, "") for name in ("subject", "preheader", "language", "sender_name", *WRITTEN)
    }
    said["mjml" if request.form.get("source") == "html" else "html"] = ""
    said |= {name: request.form.get(name, type=int) for name in ("sender_address_id", "survey_id")}
    return whole(said, request.form.get("version_of", type=int))


def whole(said: dict[str, Any], version_of: int | None) -> dict[str, Any]:
    """The mail as it is judged: the sender and survey of a language version (`version_of`: of which mail) are its mail's."""
    if not version_of or not search.exists(viewer(), KEY, version_of):
        return said
    main = search.one(viewer(), KEY, version_of)
    return said | {name: main[name] for name in ("sender_name", "sender_address_id", "survey_id")}


def _of_person(said: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What the chosen contact gets: another language version as it is kept, or what is being written; and which language."""
    other = writing_versions.instead(request.form.get("mail", type=int), request.form.get("person", type=int))
    if other is None:
        return said, ""
    shown = {name: other[name] or "" for name in ("subject", "preheader", "language", *WRITTEN)}
    return said | shown, writing_versions.label_of(other["language"])


def _problems(said: dict[str, Any], content: Content) -> list[ContentProblem]:
    return check_content(
        content,
        is_known_tag,
        sender_name=said.get("sender_name") or "",
        has_sender_address=bool(said.get("sender_address_id")),
    )


def seen_of(said: dict[str, Any], person: int | None = None) -> Seen:
    """What the panes show of a mail with the fields `said`, as the contact `person` gets it; without one, as anybody."""
    content = content_of(said)
    problems = _problems(said, content)
    characters, removed = len(content.source), []
    try:
        removed = [str(one) for one in sanitize(content.source)[1]]
        compiled = compile(content)
    except ContentRefused:
        return Seen(problems, removed, None, 0, characters)
    shown = _preview(compiled, content, person)
    return Seen(
        problems,
        removed,
        shown,
        len(compiled.html.encode()),
        characters,
        compiled.footer_was_added,
        compiled.text_is_generated,
    )


def _preview(compiled: Compiled, content: Content, person: int | None) -> Preview:
    """The mail as one contact gets it; without one, tags stand as their fallbacks."""
    if person is None or not search.exists(viewer(), "contacts", person):
        return preview(compiled, {})
    mail = prepare(compiled, False)
    names = frozenset(name for name in mail.printed | mail.asked if not name.startswith("links."))
    reader = Reader(names, {"id": None, "campaign_id": None, "creator_id": viewer().id})
    filled = reader.read([("contacts", person)]).get(person)
    return preview(compiled, filled.shown, filled.raw) if filled else preview(compiled, {})


def frame() -> Response:
    """The posted mail as a document for the sandboxed frame: only compiled; what is to be said of it, `facts` finds."""
    demand(viewer(), "view", modules[KEY])
    said, _language = _of_person(_posted())
    content = content_of(said)
    try:
        shown = _preview(compile(content), content, request.form.get("person", type=int))
    except ContentRefused:
        problems = [one for one in _problems(said, content) if one.severity == "error"]
        document = render_template("ecp_no_preview.html", problems=problems)
    else:
        if request.form.get("as") in {"text", "generated"} or not shown.html:
            document = render_template("ecp_text_preview.html", text=shown.text)
        else:
            document = as_dark(shown.html) if request.form.get("scheme") == "dark" else shown.html
    return framed(document)


def framed(document: str) -> Response:
    """A mail as an answer for a sandboxed frame of our own pages: nothing of it runs."""
    answer = make_response(document)
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def facts() -> str:
    """What is to be said of the posted mail: mistakes with their places, size, subject as it will be read."""
    demand(viewer(), "view", modules[KEY])
    said, language = _of_person(_posted())
    seen = replace(seen_of(said, request.form.get("person", type=int)), instead=language)
    return render_template("ecp_facts.html", seen=seen, most=MAX_SOURCE)
