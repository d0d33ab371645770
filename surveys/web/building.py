"""Staff pages that put a survey together: the builder, its pages and the order of questions; for the CRM and the portal alike.

Every change answers a plain form with a redirect, and htmx with the list of pages drawn anew.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.ui import cards
from crm.ui.cards import Deed
from crm.ui.face import face
from crm.ui.i18n import LANGUAGES
from crm.ui.menu import Link, add_links
from crm.ui.page import go, is_part, tell
from crm.ui.session import commit, viewer
from surveys import copying, designing, links, logic, visits
from surveys.design import Design, languages_of, load
from surveys.kinds import ALL
from surveys.web import conditions


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    from surveys.web import asking, crossings, looking, reacting, reading, texts

    made = Blueprint("surveys", __name__, url_prefix=f"{prefix}/surveys/<int:id>", template_folder="../templates")

    def page(rule: str, name: str, view: Any, *methods: str) -> None:
        made.add_url_rule(rule, name, view, methods=list(methods) or ["GET"])

    page("/build", "build", build)
    page("/copy", "copy", copy, "POST")
    page("/order", "order", order, "POST")
    page("/pages", "add_page", add_page, "POST")
    page("/pages/<int:page_id>", "edit_page", edit_page)
    page("/pages/<int:page_id>", "save_page", save_page, "POST")
    page("/pages/<int:page_id>/move", "move_page", move_page, "POST")
    page("/pages/<int:page_id>/remove", "remove_page", remove_page, "POST")
    page("/questions/new", "new_question", asking.new)
    page("/questions", "add_question", asking.add, "POST")
    page("/questions/<int:question_id>", "edit_question", asking.edit)
    page("/questions/<int:question_id>", "save_question", asking.save, "POST")
    page("/questions/<int:question_id>/copy", "copy_question", copy_question, "POST")
    page("/questions/<int:question_id>/move", "move_question", move_question, "POST")
    page("/questions/<int:question_id>/switch", "switch_question", switch_question, "POST")
    page("/questions/<int:question_id>/remove", "remove_question", asking.remove, "POST")
    page("/frame", "frame", looking.frame)
    page("/frame", "frame_of_draft", looking.frame_of_draft, "POST")
    page("/look", "look", looking.look)
    page("/look", "save_look", looking.save_look, "POST")
    page("/texts/<language>", "texts", texts.show)
    page("/texts/<language>", "save_texts", texts.save, "POST")
    page("/reactions", "reactions", reacting.show)
    page("/reactions", "add_reaction", reacting.add, "POST")
    page("/reactions/<int:reaction_id>/remove", "remove_reaction", reacting.remove, "POST")
    page("/results", "results", reading.show)
    page("/results.csv", "results_csv", reading.csv)
    page("/results.xlsx", "results_xlsx", reading.xlsx)
    page("/results/crossing", "crossing", crossings.show)
    page("/responses", "responses", reading.responses)
    page("/responses/<int:response_id>", "response", reading.response)
    page("/files/<int:file_id>", "file", reading.file)
    return made


def settings(viewer: Viewer) -> list[Link]:
    """Q&A templates are surveys of their own kind; administrators look for them among the settings."""
    if not viewer.is_admin:
        return []
    return [Link(_("Q&A templates"), "/crm/surveys?view=qa", "mail-question")]


add_links("Settings", settings)


def home(id: int) -> str:
    """Where the pages of a survey begin."""
    return f"{face().prefix}/surveys/{id}"


def opened(id: int) -> tuple[Any, Design]:
    """The survey as the viewer may see it. Raises Missing."""
    row = search.one(viewer(), "surveys", id)
    return row, load(id)


def other_languages(design: Design) -> list[tuple[str, str]]:
    """The languages that a survey is translated into: key and name."""
    return [(key, LANGUAGES[key]) for key in languages_of(design.row)[1:] if key in LANGUAGES]


def build(id: int) -> str:
    """The pages and questions of a survey."""
    return render_template("surveys/build.html", **_values(id))


def _values(id: int) -> dict[str, Any]:
    row, design = opened(id)
    addresses = {
        "preview": links.preview_address(id),
        "public": links.public_address(id) if design.row["public"] else "",
        "closed": _why_not_open(design.row) if design.row["public"] else "",
    }
    spoken = [(key, LANGUAGES[key]) for key in languages_of(design.row) if key in LANGUAGES]
    return {
        "row": row, "design": design, "home": home(id), "here": "surveys", "spoken": spoken, "addresses": addresses,
        "kinds": ALL, "may_edit": may(viewer(), "edit", modules["surveys"]),
    }  # fmt: skip


def _why_not_open(row: Any) -> str:
    """Why nobody can open the public address now; "" when it is open."""
    if row["status"] != "active":
        return _("It opens when the survey is active.")
    if not visits.is_for_everybody(row):
        return _(
            "It leads nowhere yet: no active portal shows this survey. An administrator changes that under Settings, Portals."
        )
    return ""


def changed(id: int, said: str = "", place: str = "") -> AnyResponse:
    """What a change answers: the list of pages to htmx, else the builder, at `place`."""
    if not is_part():
        if said:
            tell(said)
        return go(f"{home(id)}/build{place}")
    answer = make_response(render_template("surveys/_pages.html", **_values(id)))
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#builder-pages", "outerHTML"
    return answer


def copy(id: int) -> AnyResponse:
    """The survey once more, as a draft."""
    made = copying.copy(viewer(), id)
    commit()
    tell(_("The survey was copied, without its answers."))
    return go(f"{home(made)}/build")


def order(id: int) -> AnyResponse:
    """Questions were dragged: `page` once for each page, `page-<id>` its questions, in their order."""
    opened(id)
    said = request.form
    arranged = {int(page): [int(one) for one in said.getlist(f"page-{page}") if one.isdecimal()]
                for page in said.getlist("page") if page.isdecimal() and len(page) < 19}  # fmt: skip
    designing.arrange(viewer(), id, arranged)
    commit()
    return changed(id)


# pages


def add_page(id: int) -> AnyResponse:
    designing.add_page(viewer(), id, request.form.get("title", ""))
    commit()
    return changed(id, _("The page was added."))


def edit_page(id: int, page_id: int) -> AnyResponse:
    row, design = opened(id)
    page = next((one for one in design.pages if one.id == page_id), None)
    if page is None:
        raise Missing
    values = {
        "title": page.title,
        "description": page.description,
        "translations": designing.page_row(id, page_id)["translations"],
    }
    jumps = [(conditions.spell(when), str(to)) for when, to in page.jumps]
    return _draw_page(row, design, page_id, values, conditions.spell(page.visible_if), jumps)


def _draw_page(
    row: Any, design: Design, page_id: int, values: Any, spelled: Any, jumps: list[Any],
    faults: Mapping[str, str] | None = None,
) -> AnyResponse:  # fmt: skip
    place = next(page.place for page in design.pages if page.id == page_id)
    targets = [(str(page.place), page.title or _("Page %(place)s", place=page.place)) for page in design.pages[place:]]
    drawn = render_template(
        "surveys/build_page.html", row=row, design=design, page_id=page_id, place=place, values=values, faults=faults or {},
        home=home(row.id), here="surveys", operators=conditions.operators(), matches=conditions.matches(), spelled=spelled,
        jumps=[*jumps, (conditions.Spelled(), "")], targets=[*targets, (logic.END, _("the end"))],
        others=other_languages(design),
    )  # fmt: skip
    return make_response(drawn, 422 if faults else 200)


def save_page(id: int, page_id: int) -> AnyResponse:
    row, design = opened(id)
    said = request.form
    values: dict[str, Any] = {
        "title": said.get("title", ""), "description": said.get("description", ""),
        "translations": {key: {name: text for name in ("title", "description") if (text := said.get(f"{name}-{key}", "").strip())}
                         for key, _label in other_languages(design)},
    }  # fmt: skip
    names = [f"jump{n}" for n in range(1, 21) if f"jump{n}.to" in said]
    try:
        values["visible_if"] = conditions.read(said, "visible_if")
        found = [(conditions.read(said, name), said.get(f"{name}.to", "")) for name in names]
        values["jumps"] = [{"when": when, "to": int(to) if to.isdecimal() else to} for when, to in found if when]
        designing.change_page(viewer(), id, page_id, values)
        commit()
    except Refused as refused:
        db.session.rollback()
        jumps = [(conditions.typed(said, name), said.get(f"{name}.to", "")) for name in names]
        spelled = conditions.typed(said, "visible_if")
        return _draw_page(
            row, load(id), page_id, values, spelled, [one for one in jumps if not one[0].is_empty], refused.by_field
        )
    tell(_("Saved."))
    return go(f"{home(id)}/build#page-{page_id}")


def move_page(id: int, page_id: int) -> AnyResponse:
    """One place up or down, with all its questions."""
    _row, design = opened(id)
    ids = [page.id for page in design.pages]
    if page_id not in ids:
        raise Missing
    at = ids.index(page_id)
    to = at + (-1 if request.form.get("way") == "up" else 1)
    if 0 <= to < len(ids):
        ids.insert(to, ids.pop(at))
        held = {page.id: [one.id for one in page.questions] for page in design.pages}
        designing.arrange(viewer(), id, {page: held[page] for page in ids})
        commit()
    return changed(id)


def remove_page(id: int, page_id: int) -> AnyResponse:
    designing.delete_page(viewer(), id, page_id)
    commit()
    return changed(id, _("The page was deleted."))


# questions as rows of the list


def copy_question(id: int, question_id: int) -> AnyResponse:
    designing.copy_question(viewer(), id, question_id)
    commit()
    return changed(id, _("The question was copied."))


def switch_question(id: int, question_id: int) -> AnyResponse:
    """Required or not, shown or hidden: a hidden question keeps its answers."""
    what = request.form.get("what", "")
    if what not in {"required", "visible"}:
        raise Missing
    row = designing.question_row(id, question_id)
    designing.change_question(viewer(), id, question_id, {what: not row[what]})
    commit()
    return changed(id)


def move_question(id: int, question_id: int) -> AnyResponse:
    """One place up or down, over the border of a page too."""
    _row, design = opened(id)
    step = -1 if request.form.get("way") == "up" else 1
    arranged = [(page.id, [one.id for one in page.questions]) for page in design.pages]
    at = next((n for n, (_page, ids) in enumerate(arranged) if question_id in ids), None)
    if at is None:
        raise Missing
    ids = arranged[at][1]
    place = ids.index(question_id)
    ids.remove(question_id)
    if 0 <= place + step <= len(ids):
        ids.insert(place + step, question_id)
    elif 0 <= at + step < len(arranged):
        target = arranged[at + step][1]
        target.insert(len(target) if step < 0 else 0, question_id)
    else:
        ids.insert(place, question_id)
    designing.arrange(viewer(), id, dict(arranged))
    commit()
    return changed(id)


def _build_href(seer: Any, row: Any) -> str:
    return f"{face().prefix}/surveys/{row.id}/build" if may(seer, "edit", modules["surveys"]) else ""


cards.add_deed("surveys", Deed("build", "Questions", "list-check", _build_href))
cards.add_deed(
    "surveys", Deed("results", "Results", "chart-bar", lambda _viewer, row: f"{face().prefix}/surveys/{row.id}/results")
)
bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
