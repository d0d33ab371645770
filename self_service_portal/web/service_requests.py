"""Service requests of the customer: the list, a new one, and the page of one: its answers to accept or refuse, messages, feedback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import attachments, picklists, search
from crm.engine.attachments import StoredFile
from crm.engine.permissions import may
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.modules.service_requests import accepting, feedback, note_files, notes, steps, types
from crm.modules.service_requests import asking as requests
from crm.modules.service_requests.lists import ENDED, STEP_WORDS
from crm.ui.downloads import as_download
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from self_service_portal.face import label_of
from self_service_portal.web import asking, drawing, request_list
from self_service_portal.web.current import customer, shown
from self_service_portal.web.public_requests import thanks

KEY = "service_requests"
bp = Blueprint(KEY, __name__, url_prefix=f"/portal/{KEY}")
COLUMNS = ("number", "title", "status", "due_at", "updated_at")


def _module() -> Any:
    """The module, when the profile shows it. Raises Missing."""
    if shown(KEY) is None or not may(viewer(), "view", KEY):
        raise Missing
    return modules[KEY]


@bp.get("")
def listing() -> str:
    module = _module()
    return request_list.draw(module, COLUMNS, module.table.c.state.in_(ENDED), _may_make())


def _may_make() -> bool:
    said = shown(KEY)
    return said is not None and said.can_create


@bp.get("/new")
def new() -> Any:
    return _draw_new({})


@bp.post("/new")
def create() -> Any:
    """Make it, with its files. What was typed stays where something is wrong."""
    _module()
    sent = _sent_files()
    try:
        id = requests.ask(viewer(), request.form)
        if sent:
            kept = asking.keep(viewer(), sent)
            notes.say(viewer(), id, _named(kept), file_ids=[one.id for one in kept])
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw_new(refused.by_field, status_of(refused))
    tell(_("Thank you. We have your request."))
    return redirect(f"/portal/{KEY}/{id}", 303)


def _sent_files() -> list[FileStorage]:
    """The files of this form. Raises Missing where the profile does not let the customer add any."""
    sent, said = asking.sent_files(), shown(KEY)
    if sent and (said is None or not said.can_attach):
        raise Missing
    return sent


def _named(kept: Sequence[StoredFile]) -> str:
    """What a message of files alone says."""
    return _("Files: %(names)s", names=", ".join(one.name for one in kept))


def status_of(refused: Refused) -> int:
    """422, and 413 for files that are too large (spec/portal.md 0.5)."""
    codes = {fault.code for found in refused.faults.values() for fault in found}
    return 413 if codes == {"file_too_large"} else 422


def _draw_new(faults: dict[str, str], status: int = 200) -> Any:
    module, names = _module(), requests.fields_for(viewer())
    said = shown(KEY)
    fields = [
        {
            "name": name, "label": _(module.fields[name].label), "is_must": name in requests.MUST or (said and name in said.required),
            "choices": None if name in requests.MUST else requests.choices_of(name),
        }
        for name in names
    ]  # fmt: skip
    page = render_template(
        "requests/new.html",
        here=KEY,
        title=label_of(viewer(), module),
        fields=fields,
        faults=faults,
        typed=request.form,
        can_attach=said is not None and said.can_attach,
        most_files=asking.MOST_FILES,
    )
    return make_response(page, status)


# one request


@bp.get("/<int:id>")
def card(id: int) -> Any:
    return _draw(id)


def _draw(id: int, faults: Mapping[str, str] | None = None, status: int = 200) -> Any:
    module, said = _module(), shown(KEY)
    row = search.one(viewer(), module, id)
    taken = steps.of_request(id)
    stored = _stored(id)
    newest = taken[-1] if taken else None
    waits = newest is not None and not steps.is_settled(newest) and newest["rejected_at"] is None
    written = notes.of_request(id, True)
    talk = [("step", one["at"], one) for one in taken] + [("note", one["at"], one) for one in written]
    given = feedback.of_request(id)
    page = render_template(
        "requests/card.html", here=KEY, row=row, talk=sorted(talk, key=lambda one: one[1]), words=STEP_WORDS, newest=newest,
        facts=_facts(row, stored),
        opening=row.get("description"), list_title=label_of(viewer(), module), me=customer().contact_id, faults=faults or {},
        typed=request.form, is_ended=stored["state"] in ENDED, waits=waits and stored["state"] not in ENDED,
        can_comment=said is not None and said.can_comment and stored["state"] not in ENDED, given=given,
        can_attach=said is not None and said.can_attach and stored["state"] not in ENDED, most_files=asking.MOST_FILES,
        files=note_files.files_of([int(str(one["id"])) for one in written]),
        may_rate=stored["state"] == "completed" and given is None, kinds=picklists.choices("sr_feedback_class"),
    )  # fmt: skip
    return make_response(page, status)


def _facts(row: Any, stored: Any) -> list[tuple[str, str, Any, bool]]:
    """What the profile shows, with the words for category and type: customers do not see those records themselves."""
    type = types.one(stored["type_id"])
    said = {"category_id": stored["category_path"], "type_id": type["name"] if type else None}
    return [
        (name, label, said.get(name, value), is_long)
        for name, label, value, is_long in drawing.facts(viewer(), modules[KEY], row)
        if name not in {"title", "description", "number"}
    ]


def _stored(id: int) -> Any:
    table = modules[KEY].table
    return db.session.execute(select(table).where(table.c.id == id)).mappings().one()


@bp.post("/<int:id>/decision")
def decide(id: int) -> Any:
    """Accept the newest answer, or say that it does not help. The form says which answer and edition was on the page."""
    form = request.form
    step_id, edition = form.get("step_id", 0, type=int), form.get("edition", 1, type=int)

    def deed() -> str:
        found = steps.newest(id)
        if found is None or all(one["id"] != step_id for one in steps.of_request(id)):
            raise Missing
        return thanks(accepting.decide(step_id, edition, customer().contact_id, "portal", form))

    return _do(id, deed)


@bp.post("/<int:id>/notes")
def note(id: int) -> Any:
    """Words for who holds the request, files, or both; the profile says which."""
    said, sent, text = shown(KEY), _sent_files(), request.form.get("text", "").strip()
    if said is None or not (said.can_comment or said.can_attach) or (text and not said.can_comment):
        raise Missing

    def deed() -> str:
        kept = asking.keep(viewer(), sent)
        notes.say(viewer(), id, text or (_named(kept) if kept else ""), file_ids=[one.id for one in kept])
        return _("Thank you. We have your message.")

    return _do(id, deed)


@bp.get("/<int:id>/files/<int:file_id>")
def file(id: int, file_id: int) -> AnyResponse:
    """A file of a message that the customer sees; always a download, never opened as a page."""
    _module()
    search.one(viewer(), KEY, id, ("title",))
    found = note_files.file_of(viewer(), id, file_id)
    return as_download(attachments.path_of(found.sha256), found.name)


@bp.post("/<int:id>/feedback")
def rate(id: int) -> Any:
    """How it went, once, when it is completed."""

    def deed() -> str:
        feedback.give(id, customer().contact_id, request.form)
        return _("Your feedback has reached us.")

    return _do(id, deed)


def _do(id: int, deed: Callable[[], str]) -> Any:
    """Do it for a request that the customer sees; what is refused is said on its page, with its status."""
    _module()
    search.one(viewer(), KEY, id, ("title",))
    try:
        sentence = deed()
        commit()
    except Conflict as conflict:
        db.session.rollback()
        return _draw(id, {"": str(conflict)}, 409)
    except Refused as refused:
        db.session.rollback()
        return _draw(id, refused.by_field, status_of(refused))
    tell(sentence)
    return redirect(f"/portal/{KEY}/{id}", 303)
