"""The way to a sendout in numbered steps: what, to whom, from whom, when, and one sentence that says what will happen.

A draft is kept from the first step on; nothing leaves before the last one (spec/marketing.md 6.3, 6.11; M15, M54-M58).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm import clock
from crm.db import db
from crm.engine import picklists, records, relations, search
from crm.engine.channels import Channel
from crm.engine.conditions import where
from crm.engine.permissions import demand, has_area
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused
from crm.engine.rows import Row, labels_of
from crm.mail.servers import leaves_the_house
from crm.modules import language_versions
from crm.modules.sender_addresses import USABLE
from crm.ui.face import face
from crm.ui.page import is_part
from crm.ui.places import place_of
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp import quick
from ecp.content.check import check_content
from ecp.modules.mail_rules import content_of, is_known_tag
from ecp.pipeline import actions, audience, bulk_rules, prepare
from ecp.senders import find_findings
from ecp.web.sendout_outlook import Outlook, clock_is_late, look, people_left_out, warmed, words_of
from ecp.web.writing_versions import label_of

ROWS = 50


@dataclass(frozen=True)
class Step:
    key: str
    name: str


def _is_listed(row: Row | None) -> bool:
    return row is not None and row["source"] in {actions.QUICK, actions.MERGE}


def steps(row: Row | None = None) -> list[Step]:
    """The steps of this app: the portal sends to target groups, the CRM to a campaign that is named at once; the people of a
    quick mailing and of a mail merge are chosen already."""
    last = [Step("sender", _("Sender")), Step("time", _("Time")), Step("send", _("Send"))]
    if _is_listed(row):
        is_merge = row is not None and row["source"] == actions.MERGE
        return [Step("mail", _("Mail merge") if is_merge else _("Quick mailing")), *last]
    if face().key == "ecp":
        return [Step("mail", _("E-mail")), Step("people", _("Target groups")), *last]
    return [Step("mail", _("Mass mailing")), *last]


def address_of(id: int, step: str = "") -> str:
    """The address of a sendout's card, or of one of its steps."""
    base = f"{face().prefix}/sendouts/{id}"
    return f"{base}/steps/{step}" if step else base


def _draw(step: str, status: int = 200, faults: dict[str, str] | None = None, **values: Any) -> Response:
    known = steps(values.get("row"))
    place = [one.key for one in known].index(step)
    page = render_template(
        f"ecp_step_{step}.html", steps=known, step=place, here="sendouts", faults=faults or {}, home=f"{face().prefix}/sendouts",
        is_portal=face().key == "ecp", is_quick=_is_listed(values.get("row")), back=known[place - 1].key if place else "", **values,
    )  # fmt: skip
    return make_response(page, status)


# what


def begin() -> Response:
    """A new sendout; what is named in the address stands in it."""
    demand(viewer(), "create", "sendouts")
    typed = {name: request.args.get(name, "") for name in ("name", "email_template_id", "campaign_id")}
    if request.args.get("email_template_id", type=int) and not typed["name"]:
        typed["name"] = labels_of(viewer(), [int(typed["email_template_id"])]).get(int(typed["email_template_id"]), "")
    groups = [int(one) for one in request.args.getlist("group") if one.isdecimal()]
    return _draw_mail(None, typed, groups=groups)


def edit(id: int) -> Response:
    """A draft is changed where it was made; what was sent is not changed any more."""
    row = search.one(viewer(), "sendouts", id)
    if row["state"] != "draft":
        what = _("Unschedule it first.") if row["state"] == "scheduled" else _("Make a copy and change that.")
        raise Conflict(_("This sendout cannot be changed any more.") + " " + what, "locked")
    return redirect(address_of(id, "mail"))


def _draw_mail(
    row: Row | None, typed: dict[str, Any], status: int = 200, faults: Any = None, groups: Any = ()
) -> Response:
    said = {"$and": [{"kind": "email"}, {"status": "active"}]}
    columns = ("name", "subject", "sender_name", "updated_at")
    mails = search.find(
        viewer(), "email_templates", where=said, columns=columns, sort=("-updated_at",), limit=200, count="none"
    ).rows
    campaigns: list[Row] = []
    if face().key != "ecp":
        campaigns = _mail_campaigns()
    return _draw(
        "mail", status, faults, row=row, typed=typed, mails=mails, campaigns=campaigns, groups=groups,
        writes=f"{face().prefix}/email_templates/write",
    )  # fmt: skip


def _mail_campaigns() -> list[Row]:
    """Only active campaigns for e-mail may be mailed (M55)."""
    said = {"$and": [where("type", "is", "Email"), where("active", "is", True)]}
    return search.find(
        viewer(), "campaigns", where=said, columns=("name",), sort=("-created_at",), limit=500, count="none"
    ).rows


def build() -> Response:
    """Keep the draft. Nothing is sent."""
    return _keep_mail(None)


def _keep_mail(row: Row | None) -> Response:
    has_campaign = face().key != "ecp" and not _is_listed(row)
    names = ["name", "email_template_id"] + (["campaign_id"] if has_campaign else [])
    values: dict[str, Any] = {name: request.form.get(name, "").strip() for name in names}
    values["skip_earlier"] = request.form.get("skip_earlier") == "1"
    faults = {}
    if "campaign_id" in values and not values["campaign_id"]:
        faults["campaign_id"] = _("Choose a campaign.")
    if not values["email_template_id"]:
        faults["email_template_id"] = _("Choose an e-mail.")
    groups = [int(one) for one in request.form.getlist("group") if one.isdecimal()]
    try:
        if faults:
            raise Refused({name: [] for name in faults})
        if row is None:
            values["source"] = "ecp" if face().key == "ecp" else "mass_mailing"
            id = records.create(viewer(), "sendouts", values, Channel.FORM)
            if groups:
                _set_groups(id, groups)
        else:
            id = row.id
            records.update(viewer(), "sendouts", id, values, Channel.FORM)
        prepare.make_keys()
        commit()
    except Refused as refused:
        db.session.rollback()
        faults |= {name: found[0].message for name, found in refused.faults.items() if found}
        if not values["name"]:
            faults.setdefault("name", _("Give the sendout a name; only you and your colleagues see it."))
        return _draw_mail(row, values, 422, faults, groups)
    if face().key == "ecp" and not _is_listed(row):
        return redirect(address_of(id, "people"), 303)
    return redirect(address_of(id, "sender") if request.form.get("on") else address_of(id), 303)


# to whom


def _groups() -> list[Row]:
    columns = ("name", "list_type_id", "contact_count", "imported_at", "refreshed_at", "campaign_id")
    return search.find(
        viewer(), "portal_target_groups", columns=columns, sort=("-created_at",), limit=200, count="none"
    ).rows


def _set_groups(id: int, chosen: list[int]) -> None:
    now = set(audience.group_ids_of(id))
    if gone := now - set(chosen):
        relations.unlink(viewer(), "sendouts", id, "portal_target_groups", sorted(gone), Channel.FORM)
    if fresh := set(chosen) - now:
        relations.link(viewer(), "sendouts", id, "portal_target_groups", sorted(fresh), Channel.FORM)


def _keep_people(row: Row) -> Response:
    chosen = [int(one) for one in request.form.getlist("group") if one.isdecimal()]
    found = {group.id: group for group in _groups()}
    if not chosen or not set(chosen) <= set(found):
        return _draw_people(row, chosen, 422, {"group": _("Choose at least one target group.")})
    if len({found[id]["list_type_id"] for id in chosen}) > 1:
        said = _("The target groups belong to different list types. Choose groups of one list type.")
        return _draw_people(row, chosen, 422, {"group": said})
    try:
        _set_groups(row.id, chosen)
        values = {
            "list_type_id": found[chosen[0]]["list_type_id"],
            "skip_earlier": request.form.get("skip_earlier") == "1",
        }
        records.update(viewer(), "sendouts", row.id, values, Channel.FORM)
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw_people(row, chosen, 422, {name: said[0].message for name, said in refused.faults.items()})
    return redirect(address_of(row.id, "sender"), 303)


def _draw_people(row: Row, chosen: Any, status: int = 200, faults: Any = None) -> Response:
    return _draw("people", status, faults, row=row, groups=_groups(), chosen=set(chosen))


# from whom


def _draw_sender(row: Row) -> Response:
    mail = search.one(viewer(), "email_templates", row["email_template_id"])
    content = content_of(mail)
    hints = check_content(
        content, is_known_tag, sender_name=mail["sender_name"] or "", has_sender_address=bool(mail["sender_address_id"])
    )
    sender = None
    if mail["sender_address_id"] and search.exists(viewer(), "sender_addresses", mail["sender_address_id"]):
        sender = search.one(viewer(), "sender_addresses", mail["sender_address_id"])
    return _draw(
        "sender", row=row, mail=mail, sender=sender, is_usable=sender is not None and sender["state"] in USABLE,
        hints=hints, has_smtp=leaves_the_house(), findings=find_findings(sender["address"] if sender else None),
    )  # fmt: skip


# when


def typed_moment(raw: str) -> datetime | None:
    """A moment as a field of the page holds it, in the viewer's time zone; None when it cannot be read."""
    try:
        return datetime.fromisoformat(raw).replace(tzinfo=ZoneInfo(viewer().timezone))
    except ValueError:
        return None


def _draw_time(
    row: Row, typed: str = "", status: int = 200, faults: Any = None, said: dict[str, Any] | None = None
) -> Response:
    said = said or {"recurrence": row["recurrence"] or "none", "recurs_until": row["recurs_until"]}
    options = [(choice.key, _(choice.label)) for choice in picklists.choices("recurrence")]
    return _draw(
        "time", status, faults, row=row, typed=typed, zone=viewer().timezone, late=clock_is_late(), said=said, options=options,
        site_zone=clock.site_zone(),
    )  # fmt: skip


def _keep_time(row: Row) -> Response:
    raw, is_later = request.form.get("at", ""), request.form.get("when") == "later"
    said = {
        "recurrence": request.form.get("recurrence") or "none",
        "recurs_until": request.form.get("recurs_until", ""),
    }
    if said["recurrence"] == "none":
        said["recurs_until"] = ""
    elif not is_later:
        return _draw_time(row, raw, 422, {"at": _("Say when it goes for the first time.")}, said)
    try:
        if said["recurrence"] != (row["recurrence"] or "none") or said["recurs_until"] != str(
            row["recurs_until"] or ""
        ):
            records.update(viewer(), "sendouts", row.id, said, Channel.FORM)
            commit()
    except Refused as refused:
        db.session.rollback()
        return _draw_time(row, raw, 422, {name: found[0].message for name, found in refused.faults.items()}, said)
    if not is_later:
        return redirect(address_of(row.id, "send"), 303)
    at = typed_moment(raw)
    if at is None:
        return _draw_time(row, raw, 422, {"at": _("Say the day and the time.")}, said)
    try:
        actions.demand_moment(at)
    except Refused as refused:
        return _draw_time(row, raw, 422, {"at": refused.faults["scheduled_at"][0].message}, said)
    return redirect(f"{address_of(row.id, 'send')}?at={raw}", 303)


# send


def draw_send(row: Row, raw: str = "", status: int = 200, faults: Any = None, seen: Outlook | None = None) -> Response:
    """The last page: one sentence, the numbers behind it, and the button that says what it does."""
    sendout = actions.load(viewer(), row.id)
    groups = audience.group_ids_of(row.id)
    names = labels_of(viewer(), [*groups, *filter(None, (row["campaign_id"],))])
    mail = search.one(viewer(), "email_templates", row["email_template_id"], columns=("name", "subject", "sender_name"))
    at = typed_moment(raw) if raw else None
    outlook = seen or look(viewer(), sendout)
    return _draw(
        "send", status, faults, row=row, mail=mail, at=at, raw=raw, outlook=outlook, warm=warmed(sendout, outlook.count.sendable, at),
        tongues=_tongues(row["email_template_id"]), sources=[_chosen(row)] if _is_listed(row) else list(names.values()), has_smtp=leaves_the_house(), late=clock_is_late() if raw else None, rules=bulk_rules.look(sendout),
        recurs=_(picklists.label("recurrence", row["recurrence"])) if sendout.recurs else "",
    )  # fmt: skip


def _tongues(email_template_id: int) -> list[tuple[str, bool]]:
    """The languages that a mail has versions in, and whether each leaves."""
    found = language_versions.versions_of(email_template_id, only_active=False)
    return [(label_of(one.language), one.status == "active") for one in found]


def _chosen(row: Row) -> str:
    count = quick.count_of(row.id)
    if row["source"] == actions.MERGE:
        return ngettext("%(num)s person with an own document", "%(num)s people, each with an own document", count)
    return ngettext("%(num)s chosen person", "%(num)s chosen people", count)


def show(id: int, step: str) -> Response:
    """One step of a draft."""
    row = _draft(id, step)
    if step == "mail":
        typed = {name: row[name] for name in ("name", "email_template_id", "campaign_id")}
        return _draw_mail(row, typed)
    if step == "people":
        return _draw_people(row, audience.group_ids_of(id))
    if step == "sender":
        return _draw_sender(row)
    if step == "time":
        return _draw_time(row)
    return draw_send(row, request.args.get("at", ""))


def save(id: int, step: str) -> Response:
    """Keep what was said in a step, and go on to the next one."""
    row = _draft(id, step)
    if step == "mail":
        return _keep_mail(row)
    if step == "people":
        return _keep_people(row)
    if step == "time":
        return _keep_time(row)
    raise Missing


def _draft(id: int, step: str) -> Row:
    row = search.one(viewer(), "sendouts", id)
    if step not in {one.key for one in steps(row)}:
        raise Missing
    demand(viewer(), "edit", "sendouts")
    if not has_area(viewer(), "send"):
        raise Forbidden(_("You have no right to send mass mails."))
    if row["state"] == "scheduled":
        raise Conflict(_("This sendout is scheduled. Unschedule it first."), "locked")
    if row["state"] != "draft":
        raise Conflict(_("This sendout was started and can no longer be changed."), "locked")
    return row


def left_out(id: int, reason: str) -> str:
    """The people whom a start would leave out for one reason, those of them that the viewer may see by name."""
    sendout = actions.load(viewer(), id)
    page = max(request.args.get("page", 1, type=int), 1)
    people = people_left_out(sendout, reason, ROWS + 1, (page - 1) * ROWS)
    names = labels_of(viewer(), [one.person_id for one in people if one.person_id])
    row = search.one(viewer(), "sendouts", id, columns=("name",))
    shown = [
        (one, names.get(one.person_id), place_of(one.person_module, one.person_id, viewer())) for one in people[:ROWS]
    ]
    template = "_ecp_left_out.html" if is_part() else "ecp_left_out.html"
    return render_template(
        template, row=row, here="sendouts", people=shown, reason=reason, words=words_of(reason), page=page,
        has_more=len(people) > ROWS, home=f"{face().prefix}/sendouts",
    )  # fmt: skip
