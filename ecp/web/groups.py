"""Target groups of the portal: a campaign of the CRM is imported, and refreshed with a word on who came and went."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.db import db
from crm.engine import search
from crm.engine.channels import Channel
from crm.engine.permissions import demand, has_area, may
from crm.engine.refusals import Refused
from crm.engine.rows import Row, labels_of
from crm.identity.viewer import Viewer
from crm.ui.cards import Part, add_part
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp import groups

KEY = "portal_target_groups"
bp = Blueprint("groups", __name__, url_prefix=f"/ecp/{KEY}")


@bp.get("/new")
def choose() -> Response:
    """The active campaigns of the CRM, to choose one from."""
    demand(viewer(), "create", KEY)
    return _draw({"campaign_id": request.args.get("campaign_id", ""), "name": "", "list_type_id": ""})


def _draw(typed: dict[str, Any], status: int = 200, faults: dict[str, str] | None = None) -> Response:
    campaigns = groups.importable_campaigns(viewer())
    owners = labels_of(viewer(), [one.owner_id for one in campaigns if one.owner_id])
    lists = search.find(
        viewer(),
        "list_types",
        where={"active": True},
        columns=("name", "kind"),
        sort=("name",),
        limit=200,
        count="none",
    )
    page = render_template(
        "ecp_import_group.html", campaigns=campaigns, owners=owners, lists=lists.rows, typed=typed, faults=faults or {}, here=KEY,
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/new")
def take_in() -> Response:
    """Import the chosen campaign; the result stands on the group's card."""
    typed = {name: request.form.get(name, "").strip() for name in ("campaign_id", "list_type_id", "name")}
    faults = {}
    if not typed["campaign_id"].isdecimal():
        faults["campaign_id"] = _("Choose a campaign.")
    if not typed["list_type_id"].isdecimal():
        faults["list_type_id"] = _("Choose the list type that mails to this group belong to.")
    if not typed["name"]:
        faults["name"] = _("Give the group a name.")
    if faults:
        return _draw(typed, 422, faults)
    try:
        campaign_id, list_type_id = int(typed["campaign_id"]), int(typed["list_type_id"])
        id, taken = groups.take_in(viewer(), campaign_id, list_type_id, typed["name"], Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(typed, 422, {name: found[0].message for name, found in refused.faults.items()})
    tell(ngettext("%(num)s person was imported.", "%(num)s people were imported.", taken.contact_count))
    return redirect(f"/ecp/{KEY}/{id}", 303)


@bp.post("/<int:id>/refresh")
def refresh(id: int) -> Response:
    """Bring the group up to date with its campaign."""
    taken = groups.refresh(viewer(), id, Channel.FORM)
    commit()
    if taken.added or taken.removed:
        tell(
            _(
                "Refreshed: %(added)s came, %(gone)s went, %(all)s people now.",
                added=taken.added,
                gone=taken.removed,
                all=taken.contact_count,
            )
        )
    else:
        tell(_("Refreshed. Nothing has changed since the last time."))
    return go(f"/ecp/{KEY}/{id}")


def _of_card(asks: Viewer, row: Row) -> dict[str, Any]:
    counts = [
        (_("People"), row["contact_count"]), (_("Without address"), row["skipped_no_email_count"]),
        (_("With an unusable address"), row["invalid_count"]), (_("Same address twice"), row["duplicate_count"]),
        (_("Have left the list"), row["unsubscribed_count"]),
    ]  # fmt: skip
    return {
        "row": row, "counts": counts, "may_refresh": may(asks, "edit", KEY),
        "may_send": has_area(asks, "send") and may(asks, "create", "sendouts"),
    }  # fmt: skip


add_part(KEY, Part("ecp_group_part.html", _of_card, "top"))
