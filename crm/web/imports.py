"""The import wizard: a file, its columns, a dry run that says what would happen, the run with its bar, the report, undo."""

import csv
import io
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import outbox
from crm.engine.imports import checking, jobs, plans, reading, running
from crm.engine.imports.plans import Import
from crm.engine.imports.reading import DELIMITERS, ENCODINGS, Dialect
from crm.engine.module import Module
from crm.engine.permissions import demand, writable
from crm.engine.refusals import Missing, Refused
from crm.engine.rows import labels_of
from crm.ui.downloads import csv_download
from crm.ui.face import face
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.lists import module_of
from crm.words import in_sentence, say_number

bp = Blueprint("imports", __name__, url_prefix="/crm")
MODES = {
    "create": (_l("Make new records"), _l("Every row becomes a new record.")),
    "update": (_l("Change records that are there"), _l("Rows that find no record are reported.")),
    "both": (_l("Change what is there, make the rest"), _l("Rows that find no record become new ones.")),
}
STEPS = (_l("File"), _l("Columns"), _l("Check"), _l("Result"))


def _page(template: str, step: int, module: Module, status: int = 200, **values: Any) -> Response:
    shown = render_template(
        template, steps=STEPS, step=step, module=module, here=module.key, **({"faults": {}} | values)
    )
    return make_response(shown, status)


# 1: the file


@bp.get("/<key>/import")
def begin(key: str) -> Response:
    module = module_of(key)
    demand(viewer(), "import", module)
    mine = select(Import).where(Import.module == key, Import.user_id == viewer().id).order_by(Import.id.desc()).limit(5)
    return _page("import_file.html", 0, module, earlier=db.session.execute(mine).scalars().all())


@bp.post("/<key>/import")
def take(key: str) -> AnyResponse:
    module = module_of(key)
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Refused.because("required", _("Choose a file first."), "file")
        plan = plans.begin(viewer(), key, file.filename, file.stream)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _page("import_file.html", 0, module, 422, faults=refused.by_field, earlier=[])
    return redirect(f"{face().prefix}/imports/{plan.id}", 303)


# 2: how it is written and where its columns go


def _load(id: int, *states: str) -> tuple[Import, Module]:
    plan = plans.load(viewer(), id)
    module = module_of(plan.module)
    demand(viewer(), "import", module)
    if states and plan.state not in states:
        raise Missing
    return plan, module


@bp.get("/imports/<int:id>")
def show(id: int) -> Any:
    """Where the import stands."""
    plan, module = _load(id)
    if plan.state in {"new", "ready"}:
        return _columns(plan, module)
    return _report(plan, module)


def _columns(
    plan: Import, module: Module, status: int = 200, faults: dict[str, str] | None = None, typed: Any = None
) -> Response:
    faults = dict(faults or {})
    names: list[str] = []
    rows: list[Any] = []
    try:
        names = reading.header(Path(plan.path), plan.how)
        rows = reading.preview(Path(plan.path), plan.how, 8)
    except Refused as refused:
        faults |= refused.by_field
        status = 422
    columns = [
        (
            place,
            name,
            [row.cells[place] for row in rows[:3] if place < len(row.cells)],
            (typed or plan.mapping).get(str(place), ""),
        )
        for place, name in enumerate(names)
    ]
    open_fields = writable(viewer(), module)
    fields = [("number", _("Number"))] + [
        (name, _(said.label)) for name, said in module.fields.items() if name in open_fields
    ]
    owner = (plan.for_all or {}).get("owner_id")
    return _page(
        "import_columns.html", 1, module, status, plan=plan, columns=columns, rows=rows, names=names, fields=fields, faults=faults,
        encodings=ENCODINGS, delimiters=DELIMITERS, modes=MODES, owner=owner,
        owner_name=labels_of(viewer(), [owner]).get(owner, "") if owner else "", form=request.form,
    )  # fmt: skip


@bp.post("/imports/<int:id>/file")
def set_file(id: int) -> AnyResponse:
    """Read the file in another way: encoding, delimiter, header."""
    plan, module = _load(id, "new", "ready")
    dialect = Dialect(
        request.form.get("encoding", ""), {"tab": "\t", "space": " "}.get(request.form.get("delimiter", ""), request.form.get("delimiter", "")),
        has_header=request.form.get("has_header") == "1",
    )  # fmt: skip
    try:
        plans.configure(viewer(), plan, dialect=dialect)
    except Refused as refused:
        if set(refused.faults) - {"mapping", "match"}:
            db.session.rollback()
            return _columns(plans.load(viewer(), id), module, 422, refused.by_field)
    plan.state = "new"
    commit()
    return redirect(f"{face().prefix}/imports/{id}", 303)


@bp.post("/imports/<int:id>/columns")
def set_columns(id: int) -> AnyResponse:
    """Say where the columns go and what the rows are for; then the dry run."""
    plan, module = _load(id, "new", "ready")
    typed = {name[4:]: value for name, value in request.form.items() if name.startswith("col.")}
    mapping = {int(place): name for place, name in typed.items() if place.isdecimal() and name}
    owner = request.form.get("owner_id", "")
    mode = request.form.get("mode", "create")
    try:
        plans.configure(
            viewer(), plan, mapping=mapping, mode=mode, match=request.form.get("match", "") if mode != "create" else "",
            for_all={"owner_id": int(owner)} if owner.isdecimal() else None,
        )  # fmt: skip
        checking.give_up(plan)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _columns(plans.load(viewer(), id), module, 422, refused.by_field, typed)
    if checking.is_large(plan):
        checking.put(viewer(), plan)
        commit()
        return redirect(f"{face().prefix}/imports/{id}/check", 303)
    return check(id)


# 3: the dry run


def check(id: int) -> Response:
    """What would happen: everything is done and taken back."""
    plan, module = _load(id, "ready")
    try:
        report = running.check(viewer(), plan)
    except Refused as refused:
        db.session.rollback()
        return _columns(plans.load(viewer(), id), module, 422, refused.by_field)
    db.session.rollback()
    return _page("import_check.html", 2, module, plan=plans.load(viewer(), id), report=report)


@bp.get("/imports/<int:id>/check")
def checked(id: int) -> AnyResponse:
    """What the job found that checks a large file; its bar as long as it is under way."""
    plan, module = _load(id)
    if plan.state != "ready" or (plan.job_id is None and not plan.checked):
        return redirect(f"{face().prefix}/imports/{id}", 303)
    if plan.checked is None:
        job = outbox.standing(db.session, plan.job_id or 0)
        if job is not None and job.is_open:
            return _page("import_checking.html", 2, module, plan=plan, job=job)
        why = (job.error if job else None) or _("It was stopped.")
        return _columns(plan, module, 422, {"": _("The check did not come to its end: %(why)s", why=why)})
    if "fault" in plan.checked:
        return _columns(plan, module, 422, {"": plan.checked["fault"]})
    return _page("import_check.html", 2, module, plan=plan, report=plan.checked)


@bp.post("/imports/<int:id>/start")
def start(id: int) -> AnyResponse:
    plan, _module = _load(id, "ready")
    checking.give_up(plan)
    jobs.put(viewer(), plan)
    commit()
    return redirect(f"{face().prefix}/imports/{id}", 303)


# 4: the run and its report


def _report(plan: Import, module: Module) -> Response:
    job = outbox.standing(db.session, plan.job_id) if plan.job_id else None
    return _page(
        "import_report.html", 3, module, plan=plan, job=job, remarks=running.faults_of(plan, 100), count=running.count_of_faults(plan),
        is_failed=plan.state == "failed" or (job is not None and job.state == "failed"),
    )  # fmt: skip


@bp.get("/imports/<int:id>/progress")
def progress(id: int) -> Response:
    """The bar; when the run is over the browser is told to load the report."""
    plan, _module = _load(id)
    job = outbox.standing(db.session, plan.job_id) if plan.job_id else None
    answer = make_response(render_template("_import_progress.html", plan=plan, job=job))
    is_checking = plan.state == "ready" and plan.checked is None
    if not (plan.state == "running" or is_checking) or (job is not None and not job.is_open):
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.post("/imports/<int:id>/cancel")
def cancel(id: int) -> AnyResponse:
    plan, _module = _load(id, "running")
    if plan.job_id:
        outbox.cancel(db.session, plan.job_id)
        commit()
    return redirect(f"{face().prefix}/imports/{id}", 303)


@bp.get("/imports/<int:id>/refused.csv")
def refused_rows(id: int) -> Response:
    """The rows that were refused, with line and reason, to be mended and imported again."""
    plan, _module = _load(id)
    file = io.StringIO()
    written = csv.writer(file, delimiter=plan.how.delimiter)
    for row in running.refused_rows(plan):
        written.writerow(
            [
                f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_plain(cell) else cell
                for cell in row
            ]
        )
    return csv_download(file.getvalue(), f"refused-{plan.id}.csv")


def _is_plain(cell: str) -> bool:
    """Telephone numbers and negative numbers may begin with a sign; no formula does so with digits and spaces alone."""
    return cell[1:].replace(" ", "").replace(".", "").replace(",", "").replace("-", "").isdecimal()


@bp.post("/imports/<int:id>/undo")
def undo(id: int) -> AnyResponse:
    plan, module = _load(id)
    count = running.undo(viewer(), plan)
    commit()
    tell(
        _("%(count)s %(plural)s are in the recycle bin.", count=say_number(count), plural=in_sentence(_(module.plural)))
    )
    return redirect(f"{face().prefix}/imports/{id}", 303)
