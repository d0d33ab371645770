"""Groups: named sets of users, roles and groups that may own records."""

from typing import Any

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db, fold
from crm.engine.refusals import Forbidden, Missing, Refused
from crm.identity.tables import Group, GroupMember
from crm.modules.groups import writing
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from crm.web.admin import bp, parties
from crm.words import say_number


@bp.get("/groups")
def groups() -> str:
    c = Group.__table__.c
    size = select(func.count()).where(GroupMember.group_id == c.id).scalar_subquery()
    rows = db.session.execute(
        select(Group.__table__, size.label("size")).where(c.deleted_at.is_(None)).order_by(fold(c.name))
    ).all()
    return render_template("admin/groups.html", here="admin", page="groups", rows=rows)


def _form(group: Any, members: list[str], faults: dict[str, str] | None = None, status: int = 200) -> Any:
    page = render_template(
        "admin/group.html", here="admin", page="groups", group=group, members=members, parties=parties.options(), faults=faults or {}
    )  # fmt: skip
    return make_response(page, status)


@bp.get("/groups/new")
def new_group() -> Any:
    return _form({}, [])


@bp.get("/groups/<int:id>")
def group(id: int) -> Any:
    return _form(_load(id), [f"{one.kind}:{one.member_id}" for one in writing.members(id)])


def _load(id: int) -> dict[str, Any]:
    row = (
        db.session.execute(select(Group.__table__).where(Group.id == id, Group.deleted_at.is_(None))).mappings().first()
    )
    if row is None:
        raise Missing
    return dict(row)


@bp.post("/groups/new")
@bp.post("/groups/<int:id>")
def save_group(id: int | None = None) -> AnyResponse:
    values = {"name": request.form.get("name", ""), "description": request.form.get("description", "")}
    chosen = request.form.getlist("member")
    try:
        members = [parties.read(one) for one in chosen if one]
        if id is None:
            writing.create_group(viewer(), values, members)
        else:
            writing.change_group(viewer(), id, values)
            writing.set_members(viewer(), id, members)
        commit()
    except (Refused, Forbidden) as refused:
        db.session.rollback()
        return _form(values | ({"id": id} if id else {}), chosen, parties.sentences(refused), 422)  # type: ignore[no-any-return]
    tell(_("The group is saved."))
    return redirect("/crm/admin/groups", 303)


@bp.post("/groups/<int:id>/delete")
def delete_group(id: int) -> AnyResponse:
    try:
        count = writing.delete_group(viewer(), id, request.form.get("heir", 0, type=int))
        commit()
        tell(_("The group is deleted; %(count)s records have a new owner.", count=say_number(count)))
    except Refused as refused:
        db.session.rollback()
        tell(" ".join(parties.sentences(refused).values()), "wrong")
        return redirect(f"/crm/admin/groups/{id}", 303)
    return redirect("/crm/admin/groups", 303)
