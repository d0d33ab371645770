"""List types in the portal: their subscription page as people see it, and the addresses that have left, with search and reasons."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from markupsafe import escape
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import history, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.permissions import demand, has_area, may
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.identity.viewer import Viewer
from crm.modules.list_types import DEFAULT_PAGE
from crm.ui.cards import Part, add_part
from crm.ui.deeds import add_limit
from crm.ui.face import face
from crm.ui.page import tell
from crm.ui.session import commit, viewer
from ecp import list_addresses
from ecp.content.preview import PREVIEW_CSP
from ecp.content.sanitize import sanitize
from ecp.modules.plans import Plan

KEY = "list_types"
ROWS, MOST_BYTES = 50, 5 * 1024 * 1024
COLUMNS = ("email", "source", "at", "active", "ended_at", "note", "contact_id")
bp = Blueprint("list_types", __name__, url_prefix=f"/ecp/{KEY}")


def is_full() -> bool:
    """Whether the plan in force has no room for another list type."""
    limit = db.session.execute(select(Plan.list_type_limit).where(Plan.current, Plan.deleted_at.is_(None))).scalar()
    if limit is None:
        return False
    table = modules[KEY].table
    count = db.session.execute(select(func.count()).select_from(table).where(table.c.deleted_at.is_(None))).scalar()
    return (count or 0) >= limit


@bp.get("/<int:id>/addresses")
def addresses(id: int, outcome: Any = None, status: int = 200, typed: str = "", faults: Any = None) -> Response:
    """Who has left this list, and who came back."""
    row = search.one(viewer(), KEY, id)
    demand(viewer(), "view", "suppressions")
    show = request.args.get("show", "active")
    said: dict[str, Any] = {
        "$and": [where("scope", "is", "list_type"), {"$eq": ["scope_id", id]}, where("active", "is", show != "ended")]
    }
    text = " ".join(request.args.get("q", "").split())
    if text:
        said["$and"].append(where("email", "contains", text))
    page = search.find(
        viewer(),
        "suppressions",
        where=said,
        columns=COLUMNS,
        sort=("-at",),
        limit=ROWS,
        after=request.args.get("after"),
    )
    changes = _changes(page.rows)
    drawn = render_template(
        "ecp_list_addresses.html", row=row, page=page, show=show, text=text, here=KEY, outcome=outcome, typed=typed,
        faults=faults or {}, may_add=may(viewer(), "create", "suppressions"), may_remove=may(viewer(), "edit", "suppressions"),
        source=modules["suppressions"].fields["source"], changes=changes,
    )  # fmt: skip
    return make_response(drawn, status)


def _changes(rows: list[Row]) -> dict[int, list[tuple[Any, str, str]]]:
    """What was done with each refusal by people and programs: (when, who, what), oldest first; of those with more than one event."""
    module = modules["suppressions"]
    found: dict[int, list[tuple[Any, str, str]]] = {}
    for row in rows:
        events = [
            one for one in reversed(history.of_record(viewer(), module, row.id, 20)) if one.field in {"", "active"}
        ]
        names = labels_of(viewer(), [one.actor_id for one in events if one.actor_id])
        words = {"created": _("left the list"), "true": _("left again"), "false": _("came back")}
        found[row.id] = [
            (one.at, names.get(one.actor_id or 0, ""), words.get(str(one.new).lower(), str(one.new))) for one in events
        ]
    return found


@bp.post("/<int:id>/addresses")
def add(id: int) -> Response:
    """Take in addresses typed or from a file; bad lines are told by number, the good ones hold."""
    demand(viewer(), "create", "suppressions")
    part = request.files.get("file")
    text, channel = request.form.get("addresses", ""), Channel.FORM
    if part is not None and part.filename:
        data = part.stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            return addresses(id, status=413, faults={"file": _("A file of addresses may have 5 MB.")})
        text, channel = data.decode("utf-8-sig", "replace"), Channel.IMPORT
    lines = list_addresses.lines_of(text)
    if not lines:
        return addresses(
            id, status=422, faults={"addresses": _("Give at least one address, each on a line of its own.")}
        )
    try:
        outcome = list_addresses.add(viewer(), id, lines, request.form.get("note", "").strip(), channel)
        commit()
    except Refused as refused:
        db.session.rollback()
        return addresses(id, status=422, typed=text, faults={n: f[0].message for n, f in refused.faults.items()})
    return addresses(id, outcome, status=200 if not outcome.bad else 207)


@bp.post("/<int:id>/addresses/<int:suppression_id>/remove")
def remove(id: int, suppression_id: int) -> AnyResponse:
    """Let an address be mailed again; the reason is kept."""
    row = search.one(viewer(), "suppressions", suppression_id, columns=("scope", "scope_id", "email"))
    if row["scope_id"] != id:
        raise Missing
    try:
        list_addresses.take_out(viewer(), suppression_id, request.form.get("reason", ""))
        commit()
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
        return redirect(f"/ecp/{KEY}/{id}/addresses", 303)
    tell(_("%(address)s may be mailed on this list again.", address=row["email"]))
    return redirect(f"/ecp/{KEY}/{id}/addresses", 303)


@bp.get("/<int:id>/page")
def subscription_page(id: int) -> Response:
    """The subscription page as a subscriber sees it, for a sandboxed frame; its buttons do nothing here."""
    row = search.one(viewer(), KEY, id)
    html = sanitize(row["page_html"] or DEFAULT_PAGE)[0]
    state = row["text_subscribed"]
    words = {
        "{$list.name}": str(escape(row["name"])), "{$list.state}": str(escape(_(state) if state else "")),
        "{$button.unsubscribe}": _button(_("End the subscription")), "{$button.subscribe}": _button(_("Start the subscription again")),
        "{$button.all_mail}": _button(_("Send me no mail at all")),
    }  # fmt: skip
    for place, drawn in words.items():
        html = html.replace(place, drawn)
    answer = make_response(render_template("ecp_subscription_seen.html", html=html))
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _button(label: str) -> str:
    return f'<button type="button" disabled>{escape(label)}</button>'


def _of_card(asks: Viewer, row: Row) -> dict[str, Any] | None:
    if face().key != "ecp":
        return None
    said = {"$and": [where("scope", "is", "list_type"), {"$eq": ["scope_id", row.id]}, where("active", "is", True)]}
    may_see = may(asks, "view", "suppressions")
    return {
        "row": row,
        "left": search.count(asks, "suppressions", said) if may_see else None,
        "may_change": has_area(asks, "ecp_admin"),
    }


add_part(KEY, Part("ecp_list_part.html", _of_card, "top"))
add_limit(KEY, is_full)
