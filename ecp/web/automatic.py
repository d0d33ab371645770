"""Pages of mails that go by themselves, under both staff apps: all of them with their switches, and that of one campaign."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import picklists, records, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand, has_area, may
from crm.engine.refusals import Missing, Refused
from crm.engine.rows import Row, labels_of
from crm.identity.viewer import Viewer
from crm.ui.cards import Deed, Part, add_deed, add_part
from crm.ui.face import face
from crm.ui.menu import Link, add_links
from crm.ui.page import go, local_path, tell
from crm.ui.places import place_of
from crm.ui.session import commit, viewer
from crm.words import ngettext
from ecp.automatic import joining, standing
from ecp.automatic.standing import SWITCHES

ROWS = 50


def make_blueprint(prefix: str) -> Blueprint:
    """The pages under `prefix` ("/crm" or "/ecp")."""
    made = Blueprint("automatic", __name__, url_prefix=prefix, template_folder="../templates")
    made.add_url_rule("/automatic", "show", show)
    made.add_url_rule("/automatic/<key>/<int:id>/switch", "switch", switch, methods=["POST"])
    if prefix == "/crm":  # campaigns have their pages there
        made.add_url_rule("/campaigns/<int:id>/automatic", "campaign", campaign)
        made.add_url_rule("/campaigns/<int:id>/automatic/owed", "send_owed", send_owed, methods=["POST"])
        made.add_url_rule("/campaigns/<int:id>/automatic/again", "send_again", send_again, methods=["POST"])
    return made


def may_look(asks: Viewer) -> bool:
    """Who sees sendouts and mails sees what goes by itself."""
    return may(asks, "view", "sendouts") and may(asks, "view", "email_templates")


def show() -> str:
    """All of them, those that are on first."""
    demand(viewer(), "view", "sendouts")
    rows = standing.all_of(viewer())
    return render_template(
        "automatic.html", here="automatic", rows=rows, names=_names(), places={one: place_of(one.module, one.id, viewer()) for one in rows},
        mails={one: place_of("email_templates", one.mail_id, viewer()) for one in rows},
    )  # fmt: skip


def _names() -> dict[str, str]:
    return {
        "campaigns": _("To who joins a campaign"), "target_groups": _("To a target group at a time"),
        "autoresponders": _("After an earlier mail"), "sendouts": _("Again and again"),
    }  # fmt: skip


def switch(key: str, id: int) -> AnyResponse:
    """On or off."""
    if key not in SWITCHES:
        raise Missing
    is_on = request.form.get("on") == "1"
    try:
        records.update(viewer(), key, id, {SWITCHES[key]: is_on}, Channel.FORM)
        commit()
        tell(_("Switched on. What was due before is not sent.") if is_on else _("Switched off. Nothing more is sent."))
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return go(local_path(request.form.get("next"), f"{face().prefix}/automatic"))


# one campaign


def campaign(id: int) -> str:
    """To whom the campaign's mail went, to whom not and why, and sending it again."""
    row = search.one(viewer(), "campaigns", id)
    people = standing.people_of(id, ROWS + 1, request.args.get("before", type=int))
    names = labels_of(viewer(), [one["person_id"] for one in people])
    template_id = row["auto_template_id"]
    return render_template(
        "automatic_campaign.html", here="campaigns", row=row, one=standing.of_record(viewer(), row), people=people[:ROWS],
        names=names, places={one["person_id"]: place_of(one["person_module"], one["person_id"], viewer()) for one in people},
        before=people[ROWS - 1]["id"] if len(people) > ROWS else None, may_send=_may_send(id),
        times=joining.times_sent_anew(id, template_id) if template_id else 0, became=standing.became_of(id, [one["person_id"] for one in people]),
        say=lambda name, key: _(picklists.label(name, key)),
    )  # fmt: skip


def _may_send(id: int) -> bool:
    return has_area(viewer(), "send") and may(viewer(), "edit", "campaigns")


def send_owed(id: int) -> AnyResponse:
    """Send to those to whom the mail could not be sent when they joined."""
    sent = joining.send_left_out(viewer(), id)
    commit()
    said = search.one(viewer(), "campaigns", id, columns=("auto_mail_problem",))["auto_mail_problem"]
    if said and not sent:
        tell(said, "wrong")
    else:
        tell(_("The mail is on its way.") if sent else _("Nobody is left to send it to."))
    return go(f"/crm/campaigns/{id}/automatic")


def send_again(id: int) -> AnyResponse:
    """Send it once more to the chosen people, by hand."""
    chosen = [int(one) for one in request.form.getlist("id") if one.isdecimal()][:1000]
    try:
        if not chosen:
            raise Refused.because("required", _("Choose the people first."))
        made = joining.resend(viewer(), id, chosen, request.form.get("times", 0, type=int))
        commit()
        if made is None:
            tell(_("That was done already."), "warn")
        else:
            tell(
                ngettext(
                    "It is sent once more to %(num)s person.", "It is sent once more to %(num)s people.", len(chosen)
                )
            )
    except Refused as refused:
        db.session.rollback()
        tell(refused.sentences, "wrong")
    return go(f"/crm/campaigns/{id}/automatic")


# on cards and in menus


def _part(asks: Viewer, row: Row) -> Mapping[str, Any] | None:
    found = standing.of_record(asks, row)
    return None if found is None else {"one": found, "mail": place_of("email_templates", found.mail_id, asks)}


def _page_of_campaign(asks: Viewer, row: Row) -> str:
    has_pages = face().key == "crm" and row.get("auto_template_id")
    return f"/crm/campaigns/{row.id}/automatic" if has_pages else ""


def links(asks: Viewer) -> list[Link]:
    """The page in the menu of an app."""
    return [Link(_("Automatic mails"), f"{face().prefix}/automatic", "mail-cog", "automatic")] if may_look(asks) else []


for _key in ("campaigns", "target_groups", "autoresponders"):
    add_part(_key, Part("_automatic_part.html", _part, "top"))
add_deed("campaigns", Deed("automatic", "Automatic mail", "mail-cog", _page_of_campaign))
add_links("Marketing", links)
bp = make_blueprint("/ecp")
crm_bp = make_blueprint("/crm")
