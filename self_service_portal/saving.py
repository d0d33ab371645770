"""What customers write: through the door, with the portal's channel, and the person who looks after them is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.engine import portal_rights, records
from crm.engine.channels import Channel
from crm.engine.module import Module
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.engine.search import one
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.contacts.resolve import people_of
from crm.modules.portals import access, colleagues, letters, requests
from crm.modules.rules import key_of_email
from crm.words import _

TOLD = ("contacts", "accounts")  # whose changes are told to the owner; other modules have their own ways


@dataclass(frozen=True)
class Made:
    """What became of a new record: its id (None when it was not made), and the sentence for the customer."""

    id: int | None
    sentence: str


def create(viewer: Viewer, module: Module, values: Mapping[str, Any]) -> Made:
    """Make a record for the customer. Raises Refused, Forbidden. The caller commits."""
    if module.key == "contacts":
        known = _known_elsewhere(viewer, values)
        if known is not None:
            return known
    id = records.create(viewer, module, values, Channel.PORTAL)
    return Made(id, _("%(label)s is saved.", label=_(module.label)))


def update(viewer: Viewer, module: Module, id: int, values: Mapping[str, Any], version: int | None) -> records.Change:
    """Change a record of the customer's. Raises Missing, Refused, Stale, Forbidden. The caller commits."""
    given = dict(values)
    if module.key == "contacts" and "email" in given and "email" in portal_rights.writable(viewer, module):
        _ask_address(viewer, id, given)
    change = records.update(viewer, module, id, given, Channel.PORTAL, version)
    if change.changed and module.key in TOLD:
        _tell(viewer, module, change)
    return change


def _known_elsewhere(viewer: Viewer, values: Mapping[str, Any]) -> Made | None:
    """A colleague whose address is known: opened when it is the same company's, else for an agent to look at."""
    who = viewer.customer
    key = key_of_email(str(values.get("email") or ""))
    known = [one.id for one in people_of(str(values.get("email") or "")) if one.module == "contacts"] if key else []
    if not known or who is None:
        return None
    table = modules["contacts"].table
    own = select(table.c.id).where(table.c.id.in_(known), table.c.account_id == who.account_id)
    found = db.session.execute(own).scalar()
    if found is not None:
        return Made(found, _("This colleague is here already."))
    portal = access.portal_row(who.portal_id)
    said = {name: str(values.get(name) or "") or None for name in ("first_name", "last_name", "email")}
    made = requests.ask("contact", portal, asked_by_id=who.contact_id, **said)
    if made:
        letters.tell_of_request(portal, made, str(values["email"]))
    return Made(None, _("Thank you. We look at it and add your colleague."))


def _ask_address(viewer: Viewer, id: int, given: dict[str, Any]) -> None:
    """A new e-mail address is not written but confirmed by its owner first: it is a user name."""
    old = one(viewer, "contacts", id, ("email",))["email"]
    new = str(given.pop("email") or "").strip()
    if not new or key_of_email(new) == key_of_email(old):
        return
    if key_of_email(new) is None:
        raise Refused.because("bad_email", _("Type an e-mail address such as name@example.com."), "email")
    colleagues.ask_new_address(viewer, id, new)


def _tell(viewer: Viewer, module: Module, change: records.Change) -> None:
    """A mail to the owner: what was, what is now."""
    row = one(SYSTEM, module, change.id)
    lines = []
    for name, (old, new) in change.changed.items():
        said = module.fields[name]
        if not said.read_only:
            lines.append(f"{_(said.label)}: {_shown(said, old)} → {_shown(said, new)}")
    if not lines:
        return
    subject = _("%(who)s changed %(what)s in the portal", who=viewer.name, what=row.label)
    text = "\n".join(
        [_("Changed in the customer portal:"), "", *lines, "", f"{letters.crm_base()}/crm/{module.key}/{row.id}"]
    )
    letters.tell_owner(row.get("owner_id"), subject, text, f"portal_change:{row.id}:{change.version}")


def _shown(said: Any, value: Any) -> str:
    if value is None or value in ("", ()):
        return "–"
    return str(said.kind.text(value))
