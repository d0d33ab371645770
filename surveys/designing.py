"""The one writer of pages, questions and translations of surveys: each change is checked whole, noted in the survey's history.

All take the viewer first and ask whether he may edit the survey; the caller commits. Raises Missing, Forbidden, Refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from crm import clock
from crm.db import db, id_inserted
from crm.engine import history, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _, ngettext
from surveys import logic
from surveys.design import TEXTS, Design, load
from surveys.kinds import KINDS, OTHER, Question
from surveys.mapping import SUBSCRIPTIONS, problem_of
from surveys.modules.survey_answers import SurveyAnswer
from surveys.modules.survey_pages import SurveyPage
from surveys.modules.survey_questions import SurveyQuestion
from surveys.modules.surveys import Survey

PAGES, QUESTIONS, ANSWERS = SurveyPage.__table__, SurveyQuestion.__table__, SurveyAnswer.__table__
SURVEYS = Survey.__table__
MOST_PAGES, MOST_QUESTIONS, MOST_OPTIONS = 100, 500, 200
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}").fullmatch
QUESTION_FIELDS = (
    "name", "kind", "title", "description", "required", "visible", "visible_if", "enable_if", "required_if", "options",
    "settings", "mapping", "translations",
)  # fmt: skip


def open_for(viewer: Viewer, survey_id: int) -> None:
    """Raises Missing, Forbidden when the viewer may not edit the survey."""
    module = modules["surveys"]
    demand(viewer, "edit", module)
    said = select(SURVEYS.c.id).where(SURVEYS.c.id == survey_id, SURVEYS.c.deleted_at.is_(None))
    narrowing = scope(viewer, module, "edit")
    if db.session.execute(said if narrowing is None else said.where(narrowing)).first() is None:
        search.one(viewer, module, survey_id, columns=("name",))
        demand(viewer, "edit", module)
        raise Missing


def add_page(viewer: Viewer, survey_id: int, title: str = "", description: str = "") -> int:
    """A new page at the end."""
    open_for(viewer, survey_id)
    count = _count(PAGES, survey_id)
    if count >= MOST_PAGES:
        raise Refused.because("too_many", _("A survey has at most %(most)s pages.", most=MOST_PAGES))
    values = {
        "survey_id": survey_id,
        "place": count + 1,
        "title": title[:200] or None,
        "description": description or None,
    }
    made = id_inserted(insert(PAGES).values(values))
    _note(viewer, survey_id)
    return made


def change_page(viewer: Viewer, survey_id: int, page_id: int, values: Mapping[str, Any]) -> None:
    """Change texts, condition (`visible_if`) and jumps ([{"when", "to"}]) of a page."""
    open_for(viewer, survey_id)
    page = page_row(survey_id, page_id)
    fresh = {
        name: values[name] for name in ("title", "description", "visible_if", "jumps", "translations") if name in values
    }
    if len(fresh.get("title") or "") > 200:
        raise Refused.because("too_long", _("At most %(most)s characters; there are %(count)s.",
                                            most=200, count=len(fresh["title"])), "title")  # fmt: skip
    design = load(survey_id)
    logic.check(fresh.get("visible_if"), design.by_name, "visible_if")
    for jump in fresh.get("jumps") or ():
        _check_jump(jump, design, _place_of(design, page["id"]))
    db.session.execute(update(PAGES).where(PAGES.c.id == page_id).values(fresh))
    _demand_no_circles(survey_id)
    _note(viewer, survey_id)


def _check_jump(jump: Any, design: Design, place: int) -> None:
    if not isinstance(jump, dict) or set(jump) != {"when", "to"} or not jump["when"]:
        raise Refused.because("bad_conditions", _("A jump has a condition and a page to go on with."), "jumps")
    logic.check(jump["when"], design.by_name, "jumps")
    to = jump["to"]
    if to != logic.END and (not isinstance(to, int) or not place < to <= len(design.pages)):
        raise Refused.because("bad_jump", _("A jump leads forward, to a later page or to the end."), "jumps")


def delete_page(viewer: Viewer, survey_id: int, page_id: int) -> None:
    """Delete a page that has no question any more."""
    open_for(viewer, survey_id)
    page_row(survey_id, page_id)
    if db.session.execute(select(QUESTIONS.c.id).where(QUESTIONS.c.page_id == page_id).limit(1)).first():
        raise Refused.because("not_empty", _("Move or delete the questions of this page first."))
    db.session.execute(delete(PAGES).where(PAGES.c.id == page_id))
    _renumber(PAGES, _ids(PAGES, PAGES.c.survey_id == survey_id))
    _note(viewer, survey_id)


def add_question(
    viewer: Viewer, survey_id: int, page_id: int, values: Mapping[str, Any], index: int | None = None
) -> int:
    """A new question at the end of a page, or `index` (from 0) in it. Without a name it is called q1, q2 …"""
    open_for(viewer, survey_id)
    page_row(survey_id, page_id)
    design = load(survey_id)
    if len(design.by_name) >= MOST_QUESTIONS:
        raise Refused.because("too_many", _("A survey has at most %(most)s questions.", most=MOST_QUESTIONS))
    said = {name: values[name] for name in QUESTION_FIELDS if name in values}
    said.setdefault("visible", True)
    said["name"] = said.get("name") or _free_name(design)
    _check_question(design, said, None)
    place = _count(QUESTIONS, survey_id) + 1
    made = id_inserted(
        insert(QUESTIONS).values(as_stored(said) | {"survey_id": survey_id, "page_id": page_id, "place": place})
    )
    _demand_no_circles(survey_id)
    _note(viewer, survey_id)
    on_page = [id for id in _ids(QUESTIONS, QUESTIONS.c.page_id == page_id) if id != made]
    if index is not None and 0 <= index < len(on_page):
        arrange(viewer, survey_id, {page_id: [*on_page[:index], made, *on_page[index:]]})
    return made


def change_question(viewer: Viewer, survey_id: int, question_id: int, values: Mapping[str, Any]) -> None:
    """Change a question. Another type or name of one with answers begins a new edition of the survey."""
    open_for(viewer, survey_id)
    row = question_row(survey_id, question_id)
    said = {name: values.get(name, row[name]) for name in QUESTION_FIELDS}
    _check_question(load(survey_id), said, row)
    db.session.execute(update(QUESTIONS).where(QUESTIONS.c.id == question_id).values(as_stored(said)))
    if said["kind"] != row["kind"] and count_answers(question_id):
        db.session.execute(update(SURVEYS).where(SURVEYS.c.id == survey_id).values(edition=SURVEYS.c.edition + 1))
    if said["name"] != row["name"]:
        db.session.execute(update(ANSWERS).where(ANSWERS.c.question_id == question_id).values(name=said["name"]))
    _demand_no_circles(survey_id)
    _note(viewer, survey_id)


def copy_question(viewer: Viewer, survey_id: int, question_id: int) -> int:
    """The question once more, with its settings, right behind it."""
    open_for(viewer, survey_id)
    row = question_row(survey_id, question_id)
    values = {name: row[name] for name in QUESTION_FIELDS} | {"name": ""}
    order = _ids(QUESTIONS, QUESTIONS.c.page_id == row["page_id"])
    return add_question(viewer, survey_id, row["page_id"], values, order.index(question_id) + 1)


def delete_question(viewer: Viewer, survey_id: int, question_id: int, typed: str = "") -> None:
    """Delete a question and all its answers. With answers there, the survey's name must be typed; hiding keeps them."""
    open_for(viewer, survey_id)
    row = question_row(survey_id, question_id)
    asking = _who_asks(load(survey_id), row["name"])
    if asking:
        raise Refused.because(
            "in_use", _("Conditions of these ask it: %(names)s. Change them first.", names=", ".join(asking))
        )
    count = count_answers(question_id)
    name = db.session.execute(select(SURVEYS.c.name).where(SURVEYS.c.id == survey_id)).scalar_one()
    if count and typed.strip() != name:
        message = ngettext(
            "This deletes %(num)s answer. Type the survey's name to do so, or hide the question.",
            "This deletes %(num)s answers. Type the survey's name to do so, or hide the question.",
            count,
        )
        raise Refused.because("confirm", message, "typed")
    db.session.execute(delete(ANSWERS).where(ANSWERS.c.question_id == question_id))
    db.session.execute(delete(QUESTIONS).where(QUESTIONS.c.id == question_id))
    _note(viewer, survey_id)


def arrange(viewer: Viewer, survey_id: int, order: Mapping[int, Sequence[int]]) -> None:
    """Put pages and questions in order: page id → its question ids, pages in the order of the mapping. Those not named stay."""
    open_for(viewer, survey_id)
    pages = _ids(PAGES, PAGES.c.survey_id == survey_id)
    questions = _ids(QUESTIONS, QUESTIONS.c.survey_id == survey_id)
    moved = [id for ids in order.values() for id in ids]
    if not set(order) <= set(pages) or not set(moved) <= set(questions) or len(set(moved)) < len(moved):
        raise Missing
    if list(order) != [id for id in pages if id in order]:
        if set(order) != set(pages):
            raise Refused.because("incomplete", _("Name all pages to put them in another order."))
        pages = list(order)
        _renumber(PAGES, pages)
    for page_id, ids in order.items():
        if ids:
            db.session.execute(update(QUESTIONS).where(QUESTIONS.c.id.in_(list(ids))).values(page_id=page_id))
    rest = [id for id in questions if id not in set(moved)]
    _renumber(QUESTIONS, moved + rest)
    _demand_jumps_lead_on(load(survey_id))
    _demand_no_circles(survey_id)
    _note(viewer, survey_id)


def translate(viewer: Viewer, survey_id: int, language: str, texts: Mapping[str, str]) -> None:
    """Write the texts of the survey itself (surveys.design.TEXTS) in another language."""
    open_for(viewer, survey_id)
    kept = {name: _clean_text(name, text) for name, text in texts.items() if name in TEXTS and text.strip()}
    too_long = [name for name, text in kept.items() if len(text) > 20_000]
    if too_long:
        raise Refused({name: [Fault("too_long", _("This text is too long."))] for name in too_long})
    held = db.session.execute(select(SURVEYS.c.translations).where(SURVEYS.c.id == survey_id)).scalar() or {}
    db.session.execute(update(SURVEYS).where(SURVEYS.c.id == survey_id).values(translations={**held, language: kept}))
    _note(viewer, survey_id)


def _clean_text(name: str, text: str) -> str:
    """A text as its field keeps it: formatted ones without what runs."""
    said = modules["surveys"].fields[name]
    return str(said.kind.clean(text, said) or "") if said.kind.name == "html" else text.strip()


# what rules ask


def count_answers(question_id: int) -> int:
    """In how many responses a question was answered."""
    said = select(func.count(ANSWERS.c.response_id.distinct())).where(ANSWERS.c.question_id == question_id)
    return int(db.session.execute(said).scalar_one())


def names_that_tell(survey_id: int) -> list[str]:
    """Questions that would tell who answered: files, and those tied to fields."""
    return [one.name for one in load(survey_id).questions if one.mapping or one.kind.counts == "files"]


def writes_subscription(survey_id: int) -> bool:
    """Whether an answer starts or ends mails."""
    return any(
        (one.mapping or {}).get("field") in SUBSCRIPTIONS and (one.mapping or {}).get("direction") != "prefill"
        for one in load(survey_id).questions
    )


# the parts


def _check_question(design: Design, said: dict[str, Any], row: Any) -> None:
    faults: dict[str, list[Fault]] = {}

    def blame(field: str, code: str, message: str) -> None:
        faults.setdefault(field, []).append(Fault(code, message))

    name = str(said["name"] or "")
    if not NAME(name):
        blame("name", "bad_name", _("A name is small letters a to z, digits and _, and begins with a letter."))
    elif name in design.by_name and (row is None or name != row["name"]):
        blame("name", "not_unique", _("Another question has this name."))
    kind = KINDS.get(str(said.get("kind") or ""))
    if kind is None:
        blame("kind", "not_in_list", _("Choose a type of question."))
        raise Refused(faults)
    if not str(said.get("title") or "").strip() and kind.has_answer:
        blame("title", "required", _("Write the question."))
    if len(said.get("title") or "") > 500:
        blame(
            "title",
            "too_long",
            _("At most %(most)s characters; there are %(count)s.", most=500, count=len(said["title"])),
        )
    if len(said.get("options") or ()) > MOST_OPTIONS:
        blame("options", "too_many", _("A question has at most %(most)s options.", most=MOST_OPTIONS))
    if row is not None and row["name"] != name and (asking := _who_asks(design, row["name"])):
        blame("name", "in_use", _("Conditions of these ask it: %(names)s. Change them first.", names=", ".join(asking)))
    made = _made(said)
    for message in wrong_settings(made) or kind.problems(made):
        blame("settings", "bad_settings", message)
    if problem := problem_of(made):
        blame("mapping", "bad_mapping", problem)
    if design.row["anonymous"] and (made.mapping or kind.counts == "files"):
        blame(
            "mapping" if made.mapping else "kind",
            "anonymous",
            _("An anonymous survey does not know whose answer is whose."),
        )
    if _starts_mails(made) and design.row["public"] and not design.row["double_opt_in"]:
        message = _("In a public survey this needs “Ask to confirm by mail”.")
        blame("mapping", "needs_confirming", message)
    known = dict(design.by_name) | {name: made}
    for field in ("visible_if", "enable_if", "required_if"):
        try:
            logic.check(said.get(field), known, field)
        except Refused as refused:
            faults.update({key: list(found) for key, found in refused.faults.items()})
    if faults:
        raise Refused(faults)


def _starts_mails(question: Question) -> bool:
    mapping = question.mapping or {}
    return mapping.get("field") in SUBSCRIPTIONS and mapping.get("direction") != "prefill"


def wrong_settings(question: Question) -> list[str]:
    """What is wrong with the settings as such: whole numbers within their bounds, keys of lists."""
    found = []
    for one in question.kind.settings:
        value = question.settings.get(one.name)
        if value in (None, ""):
            continue
        if one.input == "whole":
            text = str(value).strip()
            if not (text.isascii() and text.isdigit() and len(text) < 7):
                found.append(_("“%(label)s” takes a whole number.", label=_(one.label)))
            elif (one.least is not None and int(text) < one.least) or (one.most is not None and int(text) > one.most):
                found.append(
                    _(
                        "“%(label)s” goes from %(least)s to %(most)s.",
                        label=_(one.label),
                        least=one.least,
                        most=one.most,
                    )
                )
        elif one.input == "number" and not re.fullmatch(r"-?\d{1,12}([.,]\d{1,4})?", str(value).strip()):
            found.append(_("“%(label)s” takes a number.", label=_(one.label)))
        elif one.input == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
            found.append(_("“%(label)s” takes a date.", label=_(one.label)))
        elif one.input == "choice" and value not in dict(one.choices):
            found.append(_("“%(label)s” takes one of its choices.", label=_(one.label)))
        elif len(str(value)) > 5_000:
            found.append(_("“%(label)s” is too long.", label=_(one.label)))
    return found


def _made(said: Mapping[str, Any]) -> Question:
    """The question that these values make."""
    from surveys.kinds import Option

    options = tuple(
        Option(str(one.get("value") or ""), str(one.get("label") or one.get("value") or ""))
        for one in said.get("options") or ()
    )
    return Question(
        0, str(said["name"]), KINDS[said["kind"]], title=said.get("title") or "", options=options,
        settings=said.get("settings") or {}, mapping=said.get("mapping") or None,
    )  # fmt: skip


def as_stored(said: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are kept: known settings only, numbers as plain text, options with their words."""
    kind = KINDS[said["kind"]]
    settings = {}
    for one in kind.settings:
        value = (said.get("settings") or {}).get(one.name)
        if value not in (None, ""):
            settings[one.name] = str(value).replace(",", ".") if one.input == "number" else value
    options = [
        {"value": str(one["value"]).strip(), "label": str(one.get("label") or one["value"]).strip()[:300]}
        | ({"exclusive": True} if one.get("exclusive") else {})
        | ({"labels": dict(one["labels"])} if one.get("labels") else {})
        for one in said.get("options") or ()
        if str(one.get("value") or "").strip() != OTHER
    ]
    return {
        **{name: said.get(name) for name in ("name", "kind")},
        "title": (said.get("title") or "").strip() or None, "description": (said.get("description") or "").strip() or None,
        "required": bool(said.get("required")) and kind.has_answer, "visible": bool(said.get("visible")),
        "visible_if": said.get("visible_if") or None, "enable_if": said.get("enable_if") or None,
        "required_if": said.get("required_if") or None, "options": options if kind.takes_options else [],
        "settings": settings, "mapping": said.get("mapping") or None, "translations": said.get("translations") or {},
    }  # fmt: skip


def _demand_no_circles(survey_id: int) -> None:
    found = logic.circles(load(survey_id))
    if found:
        message = _("These depend on themselves, by a detour perhaps: %(names)s.", names=", ".join(found))
        raise Refused.because("circle", message, "visible_if")


def _demand_jumps_lead_on(design: Design) -> None:
    for page in design.pages:
        for _when, to in page.jumps:
            if to != logic.END and not page.place < int(to) <= len(design.pages):
                raise Refused.because("bad_jump", _("A jump leads forward, to a later page or to the end."), "jumps")


def _who_asks(design: Design, name: str) -> list[str]:
    """What asks a question in its conditions: questions by name, pages by number."""
    found = [
        one.name for one in design.questions
        if one.name != name and name in {*logic.names(one.visible_if), *logic.names(one.enable_if), *logic.names(one.required_if)}
    ]  # fmt: skip
    for page in design.pages:
        asked = {*logic.names(page.visible_if), *(one for when, _to in page.jumps for one in logic.names(when))}
        if name in asked:
            found.append(_("page %(place)s", place=page.place))
    from surveys import reactions

    return [*found, _("what follows an answer")] if reactions.asks(design.id, name) else found


def _free_name(design: Design) -> str:
    return next(name for name in (f"q{n}" for n in range(1, MOST_QUESTIONS + 2)) if name not in design.by_name)


def page_row(survey_id: int, page_id: int) -> Any:
    """One page as it is kept. Raises Missing."""
    row = (
        db.session.execute(select(PAGES).where(PAGES.c.id == page_id, PAGES.c.survey_id == survey_id))
        .mappings()
        .first()
    )
    if row is None:
        raise Missing
    return row


def question_row(survey_id: int, question_id: int) -> Any:
    """One question as it is kept. Raises Missing."""
    said = select(QUESTIONS).where(QUESTIONS.c.id == question_id, QUESTIONS.c.survey_id == survey_id)
    row = db.session.execute(said).mappings().first()
    if row is None:
        raise Missing
    return row


def _place_of(design: Design, page_id: int) -> int:
    return next(page.place for page in design.pages if page.id == page_id)


def _count(table: Any, survey_id: int) -> int:
    return int(db.session.execute(select(func.max(table.c.place)).where(table.c.survey_id == survey_id)).scalar() or 0)


def _ids(table: Any, where: Any) -> list[int]:
    return list(db.session.execute(select(table.c.id).where(where).order_by(table.c.place, table.c.id)).scalars())


def _renumber(table: Any, ids: Sequence[int]) -> None:
    """Places 1, 2, … in this order; by a detour over negative ones, because places are unique."""
    if table is PAGES and ids:
        db.session.execute(update(table).where(table.c.id.in_(list(ids))).values(place=-table.c.place))
    for place, id in enumerate(ids, 1):
        db.session.execute(update(table).where(table.c.id == id).values(place=place))


def _note(viewer: Viewer, survey_id: int) -> None:
    history.note_events(viewer, modules["surveys"], [survey_id], "questions changed", Channel.FORM, clock.now())
