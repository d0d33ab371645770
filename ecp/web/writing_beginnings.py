"""What a new mail begins with: a template, a design of our own, or nothing; each shown small as it looks."""

from functools import cache

from flask import Response, make_response, render_template
from flask_babel import gettext as _

from crm.engine import search
from crm.engine.permissions import demand
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.ui.face import face
from crm.ui.session import viewer
from crm.words import N_
from ecp.content.compile import Content, compile
from ecp.content.designs import DESIGNS
from ecp.content.preview import PREVIEW_CSP, preview
from ecp.content.problems import ContentRefused
from ecp.modules.mail_rules import content_of

KEY = "email_templates"
PURPOSES = (
    ("newsletter", N_("Newsletters")), ("invitation", N_("Invitations")), ("announcement", N_("Announcements")),
    ("transactional", N_("Transactional mail")),
)  # fmt: skip


def begin() -> str:
    """Choose what to begin with: an active template, a design, or nothing."""
    demand(viewer(), "create", modules[KEY])
    said = {"$and": [{"kind": "template"}, {"status": "active"}]}
    columns = ("name", "subject", "folder", "updated_at")
    templates = search.find(viewer(), KEY, where=said, columns=columns, sort=("name",), limit=100, count="none").rows
    designs = [(_(label), [one for one in DESIGNS if one.purpose == purpose]) for purpose, label in PURPOSES]
    home = f"{face().prefix}/{KEY}"
    return render_template("ecp_begin.html", templates=templates, designs=designs, here=KEY, home=home)


def look_of_design(key: str) -> Response:
    """A design as a document for a small sandboxed frame. Raises Missing, Forbidden."""
    demand(viewer(), "create", modules[KEY])
    if key not in {one.key for one in DESIGNS}:
        raise Missing
    return _answer(_of_design(key))


@cache
def _of_design(key: str) -> str:
    design = next(one for one in DESIGNS if one.key == key)
    return preview(compile(Content("mjml", design.mjml, design.subject, language=design.language)), {}).html


def look_of_template(id: int) -> Response:
    """A template as such a document. Raises Missing, Forbidden."""
    demand(viewer(), "create", modules[KEY])
    try:
        shown = preview(compile(content_of(search.one(viewer(), KEY, id))), {})
        document = shown.html or render_template("ecp_text_preview.html", text=shown.text)
    except ContentRefused:
        document = ""  # an unfinished template: an empty sheet
    return _answer(document)


def _answer(document: str) -> Response:
    answer = make_response(document)
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer
