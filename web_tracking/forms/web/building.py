"""Staff pages that put a form together: its fields with a preview, its texts in the other language, how it is embedded.

Every change answers a plain form with a redirect, and htmx with the list of fields drawn anew.
"""

from typing import Any

from flask import Blueprint, g, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.identity.sealing import public_base
from crm.ui import cards
from crm.ui.cards import Deed
from crm.ui.face import face
from crm.ui.i18n import LANGUAGES
from crm.ui.page import go, is_part, tell
from crm.ui.public_page import page as public_page
from crm.ui.session import commit, viewer
from web_tracking.forms import designing, reading, tickets
from web_tracking.forms.design import FIRST, TEXTS, Design, load, missing_for, offered, spoken
from web_tracking.forms.reading import Typed
from web_tracking.forms.website_forms import lines


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    from web_tracking.forms.web import looking, numbers

    made = Blueprint(
        "website_forms", __name__, url_prefix=f"{prefix}/website_forms/<int:id>", template_folder="../../templates"
    )

    def page(rule: str, name: str, view: Any, *methods: str) -> None:
        made.add_url_rule(rule, name, view, methods=list(methods) or ["GET"])

    page("/build", "build", build)
    page("/usual", "usual", usual, "POST")
    page("/fields", "add_field", add_field, "POST")
    page("/order", "order", order, "POST")
    page("/fields/<int:field_id>", "change_field", change_field, "POST")
    page("/fields/<int:field_id>/move", "move_field", move_field, "POST")
    page("/fields/<int:field_id>/remove", "remove_field", remove_field, "POST")
    page("/frame", "frame", frame)
    page("/texts/<language>", "texts", texts)
    page("/texts/<language>", "save_texts", save_texts, "POST")
    page("/embed", "embed", embed)
    page("/key", "renew_key", renew_key, "POST")
    page("/submissions", "submissions", looking.listing)
    page("/submissions", "do_many", looking.do_many, "POST")
    page("/submissions/<int:submission_id>", "submission", looking.show)
    page("/submissions/<int:submission_id>/<deed>", "do_one", looking.do_one, "POST")
    page("/submissions/<int:submission_id>/files/<int:file_id>", "file", looking.file)
    page("/report", "report", numbers.report)
    page("/report.csv", "report_csv", numbers.report_csv)
    page("/variants", "add_variant", numbers.add_variant, "POST")
    page("/variants/<letter>", "switch_variant", numbers.switch_variant, "POST")
    return made


def home(id: int) -> str:
    """Where the pages of a form begin."""
    return f"{face().prefix}/website_forms/{id}"


def values_of(id: int, place: str, **more: Any) -> dict[str, Any]:
    """What every page of a form is drawn with. Raises Missing."""
    row = search.one(viewer(), "website_forms", id)
    design = load(id)
    others = [(key, label) for key, label in LANGUAGES.items() if key != (design.row["language"] or "en")]
    return {
        "row": row, "design": design, "home": home(id), "here": "website_forms", "place": place, "others": others,
        "address": f"{public_base()}/form/{design.row['key']}", "may_edit": may(viewer(), "edit", "website_forms"), **more,
    }  # fmt: skip


def build(id: int) -> str:
    """The fields of a form."""
    return render_template("website_forms/build.html", **_values(id))


def _values(id: int, faults: dict[str, str] | None = None, opened: int = 0) -> dict[str, Any]:
    found = values_of(id, "build")
    design: Design = found["design"]
    held = {one.name for one in design.asked}
    free = [(said.name, _(said.label)) for said in offered(design.row["entity"]) if said.name not in held]
    return found | {
        "free": free, "faults": faults or {}, "opened": opened, "missing": missing_for(design),
        "entity": _(modules[design.row["entity"]].label),
    }  # fmt: skip


def changed(id: int, said: str = "", faults: dict[str, str] | None = None, opened: int = 0) -> AnyResponse:
    """What a change answers: the list of fields to htmx, else the builder."""
    if not is_part():
        if faults:
            return make_response(render_template("website_forms/build.html", **_values(id, faults, opened)), 422)
        if said:
            tell(said)
        return go(f"{home(id)}/build")
    return make_response(render_template("website_forms/_fields_list.html", **_values(id, faults, opened)))


def usual(id: int) -> AnyResponse:
    designing.add_usual(viewer(), id)
    commit()
    return changed(id, _("The usual fields were added."))


def add_field(id: int) -> AnyResponse:
    try:
        designing.add_field(viewer(), id, request.form.get("name", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        return changed(id, faults=refused.by_field)
    return changed(id, _("The field was added."))


def change_field(id: int, field_id: int) -> AnyResponse:
    """Label, hint and whether it must be filled in."""
    said = request.form
    values = {"label": said.get("label", ""), "help": said.get("help", ""), "required": bool(said.get("required"))}
    try:
        designing.change_field(viewer(), id, field_id, values)
        commit()
    except Refused as refused:
        db.session.rollback()
        return changed(id, faults=refused.by_field, opened=field_id)
    return changed(id, _("Saved."))


def move_field(id: int, field_id: int) -> AnyResponse:
    designing.move(viewer(), id, field_id, -1 if request.form.get("way") == "up" else 1)
    commit()
    return changed(id)


def remove_field(id: int, field_id: int) -> AnyResponse:
    designing.remove_field(viewer(), id, field_id)
    commit()
    return changed(id, _("The field was taken off the form."))


def order(id: int) -> AnyResponse:
    """Fields were dragged: `field` once for each, in their order."""
    designing.arrange(
        viewer(), id, [int(one) for one in request.form.getlist("field") if one.isdecimal() and len(one) < 19]
    )
    commit()
    return changed(id)


def frame(id: int) -> AnyResponse:
    """The form as visitors see it; nothing can be sent. `language`, `variant`."""
    search.one(viewer(), "website_forms", id, columns=("name",))
    design = load(id, request.args.get("language"), request.args.get("variant", FIRST)[:2])
    g.may_be_framed = True
    with spoken(design.language):
        token = "preview"  # noqa: S105 - opens nothing: the page cannot be sent
        answer = public_page(
            "website_forms/page", 200, design.language, framed_by="'self'", design=design, token=token, typed=Typed(), said="",
            action="#", numbers=tickets.numbers_of(token) if design.row["asks_sum"] else None, page_url="", languages=[],
            endings=lines(design.row["file_types"]), names=reading, trap=tickets.TRAP, is_preview=True,
        )  # fmt: skip
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Content-Security-Policy"] += "; sandbox"
    return answer


# texts in another language


def texts(id: int, language: str) -> AnyResponse:
    return _draw_texts(id, language, {})


def _draw_texts(id: int, language: str, faults: dict[str, str]) -> AnyResponse:
    found = values_of(id, "texts")
    if language not in dict(found["others"]):
        raise Missing
    design: Design = found["design"]
    said = (design.row["translations"] or {}).get(language, {})
    typed = request.form if request.method == "POST" else {}
    kinds = {
        "title": _("Heading"),
        "intro": _("Text above the fields"),
        "button": _("Button"),
        "thanks": _("Thanks"),
        "consent_text": _("Consent"),
    }
    drawn = render_template(
        "website_forms/texts.html", **found, language_key=language, language_label=LANGUAGES[language], said=said, typed=typed,
        faults=faults, texts=[(name, kinds[name], design.row[name] or "", name in {"intro", "thanks", "consent_text"}) for name in TEXTS],
    )  # fmt: skip
    return make_response(drawn, 422 if faults else 200)


def save_texts(id: int, language: str) -> AnyResponse:
    said = request.form
    labels = {
        one.id: {"label": said.get(f"label-{one.id}", ""), "help": said.get(f"help-{one.id}", "")}
        for one in load(id).asked
    }
    try:
        designing.translate(viewer(), id, language, {name: said.get(name, "") for name in TEXTS}, labels)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw_texts(id, language, refused.by_field)
    tell(_("Saved."))
    return go(f"{home(id)}/texts/{language}")


# where it is shown


def embed(id: int) -> str:
    """The address of the page, the line for the script, the form as plain HTML."""
    found = values_of(id, "embed")
    design: Design = found["design"]
    with spoken(design.language):
        plain = render_template(
            "website_forms/_form.html", design=design, token="", typed=Typed(), said="", action=found["address"], numbers=None,
            page_url="", endings=lines(design.row["file_types"]), names=reading, trap=tickets.TRAP, is_embedded=True,
        )  # fmt: skip
    plain = "\n".join(line.strip() for line in plain.replace(" novalidate", "").splitlines() if line.strip())
    return render_template("website_forms/embed.html", **found, plain=plain)


def renew_key(id: int) -> AnyResponse:
    designing.renew_key(viewer(), id)
    commit()
    tell(_("The form has a new key. What was embedded with the old one says that it is closed."))
    return go(f"{home(id)}/embed")


def _deed(key: str, label: str, icon: str) -> Deed:
    def href(_seer: Any, row: Row) -> str:
        return f"{home(row.id)}/{key}"

    return Deed(key, label, icon, href)


cards.add_deed("website_forms", _deed("build", "Fields", "list-check"))
cards.add_deed("website_forms", _deed("embed", "Embed", "code"))
cards.add_deed("website_forms", _deed("submissions", "Submissions", "inbox"))
cards.add_deed("website_forms", _deed("report", "Report", "chart-bar"))
bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
