"""People in target groups and campaigns: refresh, add with a preview of its effect, take out; and leads that become contacts."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.permissions import may
from crm.engine.refusals import Refused
from crm.engine.rows import Row, labels_of
from crm.engine.search import find, one
from crm.identity.viewer import Viewer
from crm.modules.campaigns import members
from crm.modules.leads.convert import Wanted, convert, match_account, match_contact
from crm.modules.people import PERSONS, Choice
from crm.modules.target_groups import refresh as groups
from crm.ui.cards import Deed, Part, add_deed, add_part
from crm.ui.deeds import MassDeed, add_mass_deed
from crm.ui.page import address, tell
from crm.ui.session import commit, viewer

bp = Blueprint("people", __name__, url_prefix="/crm")


# target groups


def group_part(_viewer: Viewer, row: Row) -> Mapping[str, Any] | None:
    return {"row": row}


@bp.post("/target_groups/<int:id>/refresh")
def refresh(id: int) -> AnyResponse:
    """Evaluate the conditions now."""
    try:
        done = groups.refresh(viewer(), id, Channel.FORM)
        commit()
        tell(
            _(
                "%(count)s people are in the group: %(added)s came, %(removed)s went.",
                count=done.member_count,
                added=done.added,
                removed=done.removed,
            )
        )
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return redirect(f"/crm/target_groups/{id}", 303)


# campaigns


def campaign_part(viewer: Viewer, row: Row) -> Mapping[str, Any] | None:
    """How many members a campaign has, and the way to more."""
    if not may(viewer, "view", "campaign_members"):
        return None
    page = find(
        viewer,
        "campaign_members",
        where={"$and": [{"$eq": ["campaign_id", row.id]}, {"$eq": ["state", "member"]}]},
        columns=("state",),
        limit=1,
    )
    return {"row": row, "count": page.total, "at_least": page.at_least, "may_edit": may(viewer, "edit", "campaigns")}


def _choice(source: Mapping[str, str], ids: Sequence[int]) -> Choice:
    """Who is meant by a form: a target group, or chosen contacts or leads."""
    if source.get("target_group_id", "").isdecimal():
        return Choice(target_group_id=int(source["target_group_id"]))
    if source.get("of") == "leads":
        return Choice(lead_ids=ids)
    return Choice(contact_ids=ids)


def _ids() -> list[int]:
    return [int(one_id) for one_id in request.values.getlist("id") if one_id.isdecimal()][:1000]


@bp.get("/campaigns/<int:id>/add")
@bp.get("/add-to-campaign")
def ask(id: int | None = None) -> str:
    """Which people, into which campaign."""
    return _page(id or request.args.get("campaign_id", type=int))


def _page(id: int | None, preview: Any = None, fault: str = "", status: int = 200) -> Any:
    group = request.values.get("target_group_id", "")
    labels = labels_of(viewer(), [int(one_id) for one_id in (group, str(id or "")) if one_id.isdecimal()])
    page = render_template(
        "campaign_add.html", here="campaigns", campaign_id=id, campaign=labels.get(id or 0, ""), ids=_ids(), of=request.values.get("of", "contacts"),
        group=group, group_name=labels.get(int(group), "") if group.isdecimal() else "", preview=preview, fault=fault,
        mode=request.values.get("mode", "add"),
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/add-to-campaign")
def add() -> AnyResponse:
    """First what would happen; then, with `sure`, do it."""
    id = request.form.get("campaign_id", 0, type=int)
    choice, mode = _choice(request.form, _ids()), request.form.get("mode", "add")
    try:
        if not id:
            raise Refused.because("required", _("Choose a campaign."))
        if choice.target_group_id is None and not _ids():
            raise Refused.because("required", _("Choose a target group."))
        if mode not in {"add", "replace", "remove"}:
            raise Refused.because("not_in_list", _("Choose what is to be done."))
        if request.form.get("sure") != "1":
            return _page(id, members.preview(viewer(), id, choice, mode))  # type: ignore[no-any-return, arg-type]
        members.change(viewer(), id, choice, Channel.FORM, mode)  # type: ignore[arg-type]
        commit()
    except Refused as refused:
        db.session.rollback()
        return _page(id or None, fault=refused.sentences, status=422)  # type: ignore[no-any-return]
    tell(_("The members of the campaign are changed."))
    return redirect(f"/crm/campaigns/{id}?tab=campaign_members.campaign_id", 303)


def _people_only(viewer: Viewer, module: Module) -> bool:
    return module.key in PERSONS and may(viewer, "edit", "campaigns")


def _to_campaign(key: str, ids: Sequence[int]) -> str:
    return address("/crm/add-to-campaign", of=key, id=[str(one_id) for one_id in ids])


# leads


@bp.get("/leads/<int:id>/convert")
def ask_convert(id: int) -> str:
    return _convert_page(id)


def _convert_page(id: int, fault: str = "", status: int = 200) -> Any:
    lead = one(viewer(), "leads", id)
    account = match_account(viewer(), {"name": lead.get("company"), "business_id": lead.get("business_id")})
    contact = match_contact(viewer(), lead, account)
    labels = labels_of(viewer(), [found for found in (account, contact) if found])
    page = render_template(
        "lead_convert.html", here="leads", lead=lead, account=account, contact=contact, labels=labels, fault=fault, form=request.form,
    )  # fmt: skip
    return make_response(page, status)


@bp.post("/leads/<int:id>/convert")
def convert_lead(id: int) -> AnyResponse:
    form = request.form
    potential = {
        name: form[f"potential.{name}"] for name in ("name", "amount", "closes_on") if form.get(f"potential.{name}")
    }
    wanted = Wanted(
        make_account=form.get("account") == "1", make_contact=form.get("contact") == "1", make_potential=form.get("potential") == "1",
        potential=potential,
    )  # fmt: skip
    try:
        done = convert(viewer(), id, wanted, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _convert_page(id, refused.sentences, 422)  # type: ignore[no-any-return]
    tell(_("The lead is converted."))
    for key, made in (("contacts", done.contact_id), ("accounts", done.account_id), ("potentials", done.potential_id)):
        if made:
            return redirect(f"/crm/{key}/{made}", 303)
    return redirect(f"/crm/leads/{id}", 303)


def _convert_href(viewer: Viewer, row: Row) -> str:
    is_open = may(viewer, "convert", "leads") and not row.get("converted_at")
    return f"/crm/leads/{row.id}/convert" if is_open else ""


add_part("target_groups", Part("_group_part.html", group_part, "top"))
add_part("campaigns", Part("_campaign_part.html", campaign_part, "top"))
add_deed("leads", Deed("convert", "Convert", "transform", _convert_href))
add_deed(
    "target_groups",
    Deed(
        "campaign",
        "Add to a campaign",
        "speakerphone",
        lambda viewer, row: f"/crm/add-to-campaign?target_group_id={row.id}",
    ),
)
add_mass_deed(MassDeed("campaign", "Add to a campaign", "speakerphone", _people_only, _to_campaign))
