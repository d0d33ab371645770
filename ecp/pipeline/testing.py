"""Test sends: the mail as it is now, to one to five addresses, outside of all counting. No quota, no links that do anything."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import search
from crm.engine.permissions import demand, has_area
from crm.engine.refusals import Fault, Forbidden, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.mail.message import Address, Attachment, BadAddress
from crm.mail.sending import singles
from crm.mail.sending.kinds import Claimed, Rendered
from crm.modules import language_versions
from crm.modules.sender_addresses import USABLE
from crm.words import _
from ecp.domains.selectors import signers_of
from ecp.modules import sendout_documents
from ecp.pipeline import actions, frozen
from ecp.pipeline.frozen import Frozen
from ecp.pipeline.render import Renderer
from ecp.pipeline.sender import as_sent

MOST = 5


def send_tests(viewer: Viewer, sendout_id: int, addresses: Sequence[str], contact_id: int | None = None) -> int:
    """Send the mail of a sendout as a test, filled with the data of a contact when one is given; how many mails.

    The caller commits. Raises Missing, Forbidden, Refused."""
    sendout = actions.load(viewer, sendout_id)
    return send_tests_of_mail(viewer, sendout.email_template_id, addresses, contact_id, sendout_id)


def send_tests_of_mail(
    viewer: Viewer,
    email_template_id: int,
    addresses: Sequence[str],
    contact_id: int | None = None,
    sendout_id: int | None = None,
) -> int:
    """The same for a mail that is in no sendout yet."""
    demand(viewer, "view", "email_templates")
    if not has_area(viewer, "send"):
        raise Forbidden(_("You have no right to send mails."), "forbidden_action")
    mail = search.one(viewer, "email_templates", email_template_id)
    version_id = None
    if mail["kind"] == language_versions.KIND:  # its sender and files are those of its mail
        version_id, mail = mail.id, search.one(viewer, "email_templates", mail["version_of_id"])
    chosen = _addresses(addresses)
    person = None
    if contact_id is not None:
        person = search.one(viewer, "contacts", contact_id, columns=("last_name",)).id
    _demand_sender(mail["sender_address_id"])
    frozen.compile_mail(email_template_id, True)  # so that what is wrong is said now
    payload = {
        "email_template_id": mail.id, "sendout_id": sendout_id, "contact_id": person, "version_id": version_id,
    }  # fmt: skip
    for address in chosen:
        key = f"{tests_of(viewer)}{email_template_id}:{uuid.uuid4().hex}"
        singles.put_mail(db.session, "sendout_test", address, payload, dedupe_key=key)
    return len(chosen)


def tests_of(viewer: Viewer) -> str:
    """How the keys of test mails begin that this viewer asked for."""
    return f"test:{viewer.id or 0}:"


def render(row: Claimed) -> Rendered:
    """A test mail, from what is written now."""
    said = row.payload or {}
    sendout = _row("sendouts", said["sendout_id"]) if said["sendout_id"] else {}
    mail = _row("email_templates", said["email_template_id"])
    about = {
        "id": said["sendout_id"] or 0, "campaign_id": None, "creator_id": mail["creator_id"], "list_type_id": None, "source": "ecp",
        **sendout, **as_sent(mail),
    }  # fmt: skip
    written = said.get("version_id") or language_versions.choose_for(mail["id"], "contacts", said["contact_id"])
    compiled, _language = frozen.compile_mail(written, frozen.needs_unsubscribe(about["list_type_id"]))
    content = Frozen(about["id"], compiled, tuple(frozen.files_of(mail["id"])))
    renderer = Renderer(about, content, signers_of(Address(about["sender_address"]).domain))
    values = (
        renderer.reader.read([("contacts", said["contact_id"])]).get(said["contact_id"]) if said["contact_id"] else None
    )
    own: list[Attachment] = []
    if about["source"] == actions.MERGE:
        of_anybody = sendout_documents.of_person(about["id"], None)
        own = sendout_documents.of_person(about["id"], said["contact_id"]) or of_anybody
    made = renderer.test_mail(Address(row.email), values, row.id, own)
    return Rendered(made.mail.envelope, made.mail.data, made.message_id)


def _addresses(said: Sequence[str]) -> list[Address]:
    if not said or len(said) > MOST:
        raise Refused(addresses=Fault("out_of_range", _("Give 1 to %(most)s addresses for a test.", most=MOST)))
    found: dict[str, Address] = {}
    for address in said:
        try:
            made = Address(str(address))
        except BadAddress as bad:
            raise Refused(addresses=Fault("bad_email", str(bad))) from None
        found[made.addr.lower()] = made
    return list(found.values())


def _demand_sender(sender_address_id: int | None) -> None:
    table = modules["sender_addresses"].table
    state = db.session.execute(
        select(table.c.state).where(table.c.id == sender_address_id, table.c.deleted_at.is_(None))
    ).scalar()
    if state not in USABLE:
        raise Refused(sender_address_id=Fault("not_confirmed", _("The sender address of this mail is not confirmed.")))


def _row(module: str, id: int) -> Mapping[str, Any]:
    table = modules[module].table
    return dict(db.session.execute(select(table).where(table.c.id == id)).mappings().one())
