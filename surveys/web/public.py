"""/s/<code>: surveys for those who answer, by a personal link or a public address, page by page, without scripts.

Nothing is kept between pages: what was typed travels with the form, and all of it is checked when the last page is sent.
"""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _

from crm import catalog, limits
from crm.agents import is_loading_ahead, kind_of
from crm.db import db, only_reading
from crm.engine.refusals import Conflict, Refused
from crm.limits import Limiter, Rate
from crm.ui.i18n import LANGUAGES
from crm.ui.public_face import TooOften, Unknown, guard, source, writing
from crm.ui.public_forms import form_token, receive, sent_token
from crm.ui.public_gesture import script_for
from crm.ui.public_page import choose_language, page, speaking
from surveys import forms, looks, publishing, visits
from surveys.design import Design, languages_of
from surveys.forms import Form, Typed
from surveys.kinds.file import MOST_FILES, MOST_MEGABYTES
from surveys.modules.survey_rules import open_page
from surveys.visits import Visit

bp = Blueprint("surveys_public", __name__, template_folder="../templates")
MOST_TEXT = 1024 * 1024
MOST_BYTES = MOST_FILES * MOST_MEGABYTES * 1024 * 1024 + MOST_TEXT
guard(bp, MOST_BYTES)

POSTS_OF_LINK = Limiter(Rate(60, 600))
FILES_OF_SOURCE = Limiter(Rate(60, 600))
FORM = "survey"


@bp.get("/s/<code>")
def show(code: str) -> Response:
    """The first page of a survey. Changes nothing that anybody answered."""
    visit = _enter(code)
    if visit.closed or visit.is_answered:
        return _ended(visit, code)
    form = Form(visit.design, visits.begin(visit), sealer=forms.sealer())
    form.place = next(iter(form.stops), 1)
    answer = _draw(visit, code, form)
    if visits.is_worth_noting(visit) and not _is_machine(visit):
        db.session.rollback()  # what was read so far; the note is a transaction of its own
        only_reading(False)
        visits.note(visit)
        db.session.commit()
    return answer


@bp.post("/s/<code>")
@writing
def send(code: str) -> Response:
    """One page was filled in: on to the next, back, saved for later, or all of it sent."""
    request.max_form_memory_size, request.max_form_parts = MOST_TEXT, 6_000
    visit = _enter(code, request.args.get("language"))
    if not _has_files(visit.design):
        request.max_content_length = MOST_TEXT
    if visit.is_personal and (wait := POSTS_OF_LINK.take(code)):
        raise TooOften(wait)
    if visit.closed or visit.is_answered:
        return _ended(visit, code, 409)
    form = Form(visit.design, sealer=forms.sealer())
    if visit.opened.way == "public" and sent_token(FORM, str(visit.design.id)) != request.form.get("form"):
        return _expired(visit, code, form)
    if request.files and (wait := FILES_OF_SOURCE.take(limits.key_of(source()))):
        raise TooOften(wait)
    place = _place(visit.design)
    answers = forms.read(form, request.form, request.files, [place] if place else None)
    walked = Form(visit.design, answers.typed, answers.faults, sealer=form.sealer)
    stops = walked.stops
    place = place or (stops[-1] if stops else 1)
    go = request.form.get("go", "")
    if answers.unknown:
        said = _("There is no question “%(name)s” here.", name=answers.unknown[0].split(".")[1][:60])
        return _again(visit, code, walked, place, 422, said)
    if go == "back":
        return _again(
            visit, code, _without_faults(walked), max((one for one in stops if one < place), default=place), 200
        )
    if go == "save" and visit.may_save:
        return _saved(visit, code, answers.typed)
    if answers.faults:
        first = min(visit.design.by_name[name].page for name in answers.faults)
        return _again(visit, code, walked, first, 413 if answers.is_too_large else 422)
    if _has_unseen(walked, place):
        return _again(
            visit, code, walked, place, 200, _("Your answers brought more questions. Please look at them too.")
        )
    following = min((one for one in stops if one > place), default=0)
    if following and request.form.get("page"):
        visits.note(visit, started=True)
        return _again(visit, code, walked, following, 200)
    return _finish(visit, code, form, answers.typed)


@bp.get("/s/<code>/thanks")
def thanks(code: str) -> Response:
    """What is shown after the last page, when there is no thank-you page."""
    visit = _enter(code)
    with speaking(visit.design.language):
        heading, text = _("Thank you"), visit.design.text("completion_message") or _("Your answers have reached us.")
        if visit.opened.way == "public" and visit.design.row["double_opt_in"]:
            text = _("We have sent you a mail. Open the link in it to confirm your answers.")
    return _page(visit.design, "words", heading=heading, text=text)


@bp.get("/s/confirm/<token>")
def ask_confirmation(token: str) -> Response:
    """Whether an answer shall count: the page asks, because machines open links too."""
    design = publishing.waiting(token)
    if design is None:
        raise Unknown
    with speaking(design.language):
        text = _("Confirm that the answers to “%(title)s” are yours.", title=design.title)
        return _page(
            design, "words", heading=_("Confirm your answers"), text=text, button=_("Confirm"), action="confirm"
        )


@bp.post("/s/confirm/<token>")
@writing
def confirm(token: str) -> Response:
    """Count an answer, once."""
    design = publishing.confirm(token)
    if design is None:
        raise Unknown
    with speaking(design.language):
        text = design.text("completion_message") or _("Your answers have reached us.")
        return _page(design, "words", heading=_("Thank you"), text=text)


# the parts


def _enter(code: str, language: str | None = None) -> Visit:
    wanted = language or request.args.get("language")
    if wanted not in LANGUAGES:
        wanted = visits.language_of(code) or choose_language(None)
    visit = visits.enter(code, wanted)
    if visit is None:
        raise Unknown
    return visit


def _is_machine(visit: Visit) -> bool:
    """Whether a machine opened the link, as far as one request shows: it is not noted as opened then."""
    said = request.headers
    by_name = kind_of(said.get("User-Agent", "")) != "reader"
    return request.method == "HEAD" or by_name or is_loading_ahead(said) or visits.is_too_soon(visit)


def _place(design: Design) -> int:
    """The page that was sent, 0 when it does not say."""
    said = request.form.get("page", "")
    return (
        int(said) if said.isascii() and said.isdigit() and len(said) < 4 and 1 <= int(said) <= len(design.pages) else 0
    )


def _has_unseen(form: Form, place: int) -> bool:
    """Whether the answers of a page brought questions to it that were not drawn before."""
    if not request.form.get("page"):
        return False
    form.place = place
    seen = set(request.form.getlist("seen"))
    return any(
        one.question.kind.has_answer and one.is_open and not one.is_hidden and one.question.name not in seen
        for one in form.shown(form.design.page(place))
    )


def _finish(visit: Visit, code: str, form: Form, typed: Typed) -> Response:
    """All pages were sent: check everything once more, and keep it."""
    answers = forms.read(form, typed)
    walked = Form(visit.design, answers.typed, answers.faults, sealer=form.sealer)
    if not answers.is_good:
        first = min(visit.design.by_name[name].page for name in answers.faults)
        return _again(visit, code, walked, first, 422)
    try:
        if visit.opened.way == "public":
            sent = receive(
                FORM, str(visit.design.id), publishing.email_of(visit.design, answers.values), is_for_crowds=True
            )
            if not sent.is_trap and sent.first is None:
                publishing.take(visit.design, answers)
                sent.keep({})
        else:
            visits.take(visit, answers)
    except Refused as refused:
        db.session.rollback()
        message = next(iter(refused.faults.values()))[0].message
        return _again(visit, code, walked, walked.stops[-1] if walked.stops else 1, 422, message)
    except Conflict as conflict:
        db.session.rollback()
        with speaking(visit.design.language):
            return _page(visit.design, "words", 409, heading=_heading(conflict.code), text=str(conflict))
    return redirect(_after(visit, code), 303)  # type: ignore[return-value]


def _again(visit: Visit, code: str, form: Form, place: int, status: int, said: str = "") -> Response:
    form.place = place
    return _draw(visit, code, form, status, said)


def _without_faults(form: Form) -> Form:
    return Form(form.design, form.typed, sealer=form.sealer)


def _expired(visit: Visit, code: str, form: Form) -> Response:
    answers = forms.read(form, request.form, None, [])
    walked = Form(visit.design, answers.typed, sealer=form.sealer)
    message = _("This page was open too long. Look at what you typed and send it again.")
    return _again(visit, code, walked, _place(visit.design) or next(iter(walked.stops), 1), 422, message)


def _saved(visit: Visit, code: str, typed: Typed) -> Response:
    visits.save(visit, typed)
    with speaking(visit.design.language):
        text = _("Open the same link within 30 days to go on where you stopped.")
        return _page(visit.design, "words", heading=_("Saved for later"), text=text)


def _ended(visit: Visit, code: str, status: int = 0) -> Response:
    """Why nothing can be answered here now."""
    design = visit.design
    with speaking(design.language):
        if visit.closed:
            text = design.text("message_closed") or _("This survey takes no answers now.")
            return _page(design, "words", status or 410, heading=_heading("survey_closed"), text=text)
        text = design.text("message_answered") or _("You have answered already. Thank you.")
        return _page(design, "words", status or 200, heading=_heading("already_answered"), text=text)


def _heading(code: str) -> str:
    return _("Answered already") if code == "already_answered" else _("This survey is closed")


def _after(visit: Visit, code: str) -> str:
    """Where somebody goes who has answered."""
    page_id = visit.design.row["thank_you_page_id"]
    if page_id is not None and visit.opened.way != "preview":
        slug = open_page(page_id)
        if slug:
            known = _visit_parameter(visit)
            return f"/p/{slug}?ch_visit={known}" if known else f"/p/{slug}"
    return url_for("surveys_public.thanks", code=code, language=visit.design.language)


def _visit_parameter(visit: Visit) -> str:
    """What makes the browser of whoever answered by a personal link known on followed sites; "" where nobody shall be."""
    if visit.person is None or not visit.is_personal or visit.design.row["anonymous"]:
        return ""
    return str(catalog.named(catalog.VISITS)("survey", visit.person))


def _draw(visit: Visit, code: str, form: Form, status: int = 200, said: str = "") -> Response:
    design = visit.design
    stops = form.stops or [form.place or 1]
    place = form.place or 1
    at = sum(1 for one in stops if one <= place) or 1
    by_mail = visit.opened.way == "delivery" and not design.row["anonymous"]
    gesture = script_for(visit.opened.id) if by_mail and visits.may_measure(visit.person) else ""
    with speaking(design.language):
        buttons = {
            "next": design.text("button_next") or _("Next"), "back": design.text("button_back") or _("Back"),
            "save": design.text("button_save") or _("Save for later"), "send": design.text("button_send") or _("Send"),
        }  # fmt: skip
        invalid = said or (
            design.text("message_invalid") or _("Please look at the marked questions.") if form.faults else ""
        )
    return _page(
        design, "surveys/answer", status, script="\n".join(filter(None, (script(), gesture))), tells=bool(gesture), form=form, visit=visit, place=place, stops=stops, at=at,
        is_first=place == stops[0], is_last=place == stops[-1], buttons=buttons, said=invalid, design=design,
        token=_token(visit), languages=[(key, LANGUAGES[key]) for key in languages_of(design.row) if key in LANGUAGES], has_files=_has_files(design),
    )  # fmt: skip


def _token(visit: Visit) -> str:
    """The guard of a form that everybody may send; links of persons are their own guard."""
    if visit.opened.way != "public":
        return ""
    subject = str(visit.design.id)
    return sent_token(FORM, subject) if request.method == "POST" else form_token(FORM, subject)


def _has_files(design: Design) -> bool:
    return any(question.kind.counts == "files" for question in design.questions)


def _page(design: Design, template: str, status: int = 200, /, **values: Any) -> Response:
    return page(template, status, design.language, css=looks.sheet_of(design.row), **values)


@cache
def script() -> str:
    """The comfort of browsers that run scripts: questions come and go as answers change."""
    return (Path(__file__).parent.parent / "templates/surveys/answer.js").read_text()
