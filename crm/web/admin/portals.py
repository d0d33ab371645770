"""Portals: which there are, their profiles, and for each profile the table of modules and fields (spec/portal.md 1.2, 1.3)."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm.catalog import named
from crm.db import db
from crm.engine import portal_rights, records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Missing, Refused
from crm.engine.registry import modules
from crm.engine.search import find, one
from crm.modules.portals import access, letters, matrix, opening
from crm.modules.portals.portal_users import PortalUser
from crm.modules.portals.profiles import PortalProfile
from crm.ui.i18n import LANGUAGES
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp
from crm.web.admin.parties import sentences

BOXES = "self_service_portal.pages:boxes"  # an outer room: asked by name
SPARE_LINKS = 3
TICKS = {
    "can_create": _l("may make new ones"), "can_edit": _l("may change them"), "can_comment": _l("may comment"),
    "can_attach": _l("may add files"),
}  # fmt: skip


@bp.get("/portals")
def portals() -> str:
    """The portals of this house, how many log in, their profiles."""
    rows = find(viewer(), "portals", columns=("name", "code", "kind", "active", "base_url"), limit=100).rows
    users, profiles = PortalUser.__table__, PortalProfile.__table__
    count = (
        select(users.c.portal_id, func.count())
        .where(users.c.active, users.c.deleted_at.is_(None))
        .group_by(users.c.portal_id)
    )
    counts = {row[0]: row[1] for row in db.session.execute(count)}
    said = db.session.execute(select(profiles).where(profiles.c.deleted_at.is_(None)).order_by(profiles.c.name)).all()
    return render_template(
        "admin/portals.html", here="admin", page="portals", rows=rows, counts=counts,
        profiles={row.id: [profile for profile in said if profile.portal_id == row.id] for row in rows},
    )  # fmt: skip


@bp.post("/portals/<int:id>/switch")
def switch_portal(id: int) -> AnyResponse:
    """Open or close a portal; closing ends every session."""
    row = one(viewer(), "portals", id)
    records.update(viewer(), "portals", id, {"active": not row["active"]}, Channel.FORM)
    if row["active"]:
        opening.end_sessions(id)
    commit()
    tell(_("The portal is closed. Everybody was logged out.") if row["active"] else _("The portal is open."))
    return redirect("/crm/admin/portals", 303)


@bp.post("/portals/<int:id>/test-mail")
def send_test_mail(id: int) -> AnyResponse:
    """The welcome mail of a portal to oneself, with a link that leads to the log-in only."""
    portal = access.portal_row(id)
    letters.test_welcome(portal, viewer(), access.address_of_portal(portal, "/login"))
    commit()
    tell(_("The mail is on its way to you. Its link leads to the log-in only."))
    return redirect("/crm/admin/portals", 303)


@bp.post("/portals/<int:id>/profiles")
def add_profile(id: int) -> AnyResponse:
    """A new profile: as another one, or as a usual one begins."""
    base = request.form.get("base", type=int)
    try:
        made = records.create(
            viewer(), "portal_profiles", {"portal_id": id, "name": request.form.get("name", "")}, Channel.FORM
        )
        if base:
            matrix.change(viewer(), made, Channel.FORM, **matrix.read(base))
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(" ".join(sentences(refused).values()), "wrong")
        return redirect("/crm/admin/portals", 303)
    return redirect(f"/crm/admin/portal-profiles/{made}", 303)


@bp.get("/portal-profiles/<int:id>")
def portal_profile(id: int) -> Any:
    return _draw(one(viewer(), "portal_profiles", id), matrix.read(id))


@bp.post("/portal-profiles/<int:id>")
def save_portal_profile(id: int) -> AnyResponse:
    """The whole page at once; what was ticked stays ticked when something is refused."""
    row = one(viewer(), "portal_profiles", id)
    said = {"modules": _modules(), "links": _links(), "boxes": request.form.getlist("box")}
    values: dict[str, Any] = {"name": request.form.get("name", ""), "description": request.form.get("description", "")}
    if request.form.get("is_default"):
        values["is_default"] = True
    try:
        records.update(viewer(), "portal_profiles", id, values, Channel.FORM)
        if values.get("is_default"):
            access.keep_one_default(row["portal_id"], id)
        matrix.change(viewer(), id, Channel.FORM, **said)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(row, said, sentences(refused), values, 422)  # type: ignore[no-any-return]
    tell(_("The profile is saved. It holds from the next page of each customer on."))
    return redirect(f"/crm/admin/portal-profiles/{id}", 303)


@bp.post("/portal-profiles/<int:id>/delete")
def delete_portal_profile(id: int) -> AnyResponse:
    try:
        records.delete(viewer(), "portal_profiles", id, Channel.FORM)
        commit()
    except Refused as refused:
        raise Conflict(" ".join(sentences(refused).values()), "in_use") from None
    tell(_("The profile is deleted."))
    return redirect("/crm/admin/portals", 303)


@bp.get("/portal-profiles/<int:id>/preview/<key>")
def preview_portal_profile(id: int, key: str) -> str:
    """What customers of the profile see of a module: its words and fields, in order, and which they may change."""
    row = one(viewer(), "portal_profiles", id)
    shown = matrix.shown_of(matrix.read(id)["modules"]).get(key)
    if shown is None:
        raise Missing
    return render_template(
        "admin/portal_preview.html", here="admin", page="portals", profile=row, module=modules[key], shown=shown
    )


def _modules() -> dict[str, Any]:
    form, said = request.form, {}
    for module in matrix.exposable():
        key = module.key
        fields = {
            name: {
                "visible": bool(form.get(f"{key}.{name}.visible")), "editable": bool(form.get(f"{key}.{name}.editable")),
                "required": bool(form.get(f"{key}.{name}.required")), "order": _number(form.get(f"{key}.{name}.order")),
                "default": form.get(f"{key}.{name}.default", "").strip() or None,
            }
            for name in module.fields
            if any(form.get(f"{key}.{name}.{what}") for what in ("visible", "editable", "required", "default"))
        }  # fmt: skip
        said[key] = {
            "enabled": bool(form.get(f"{key}.enabled")), "scope": form.get(f"{key}.scope", "own"), "fields": fields,
            "order": _number(form.get(f"{key}.order")),
            "label": {language: form.get(f"{key}.label.{language}", "").strip() for language in LANGUAGES},
            **{tick: bool(form.get(f"{key}.{tick}")) for tick in matrix.TICKS},
        }  # fmt: skip
    return said


def _number(said: str | None) -> int:
    text = (said or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def _links() -> list[dict[str, Any]]:
    urls = request.form.getlist("link.url")
    labels = {language: request.form.getlist(f"link.label.{language}") for language in LANGUAGES}
    return [
        {"url": url, "label": {key: said[place] for key, said in labels.items() if place < len(said)}}
        for place, url in enumerate(urls)
    ]


def _draw(row: Any, held: Any, faults: dict[str, str] | None = None, typed: Any = None, status: int = 200) -> Any:
    users = PortalUser.__table__
    count = select(func.count()).where(users.c.profile_id == row.id, users.c.deleted_at.is_(None))
    page = render_template(
        "admin/portal_profile.html", here="admin", page="portals", profile=row, typed=typed or row, held=held, faults=faults or {},
        modules=matrix.exposable(), ticks=TICKS, languages=LANGUAGES, boxes=named(BOXES)(),
        links=[*held["links"], *({"url": "", "label": {}} for _n in range(SPARE_LINKS))],
        log_ins=db.session.execute(count).scalar(), is_open=portal_rights.is_open_to_customers,
    )  # fmt: skip
    return make_response(page, status)
