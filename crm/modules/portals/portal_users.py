"""Portal users: contacts with access to a portal (spec/portal.md 1.4). The contact's e-mail address is the user name."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import db, fold_text
from crm.engine import afterwards
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module, Related
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after, key_of_email
from crm.words import _

STATUS = PicklistSeed.of(
    "portal_user_status", "Status of access",
    Choice("invited", "Invited", "azure"), Choice("active", "Active", "green"), Choice("disabled", "Switched off", "secondary"),
    Choice("locked", "Locked", "red"), Choice("expired", "Expired", "orange"),
)  # fmt: skip
ACCESS = ("active", "profile_id", "is_admin", "valid_from", "valid_to")


class PortalUser(Record):
    """One log-in. `login_key` is unique, so an address has access to a portal once; it is empty while access is off."""

    __tablename__ = "portal_users"
    contact_id: Mapped[int] = f.link("Contact", to="contacts", on_delete="CASCADE")
    portal_id: Mapped[int | None] = f.link("Portal", to="portals", on_delete="CASCADE")
    profile_id: Mapped[int | None] = f.link("Profile", to="portal_profiles", on_delete="RESTRICT")
    email: Mapped[str | None] = f.email("User name", read_only=True, indexed=True, audited=True)
    active: Mapped[bool] = f.checkbox("Has access", default=True, audited=True)
    is_admin: Mapped[bool] = f.checkbox("Portal administrator of the company", audited=True)
    status: Mapped[str] = f.picklist("Status", "portal_user_status", default="invited", read_only=True, mass_edit=False)
    valid_from: Mapped[date | None] = f.day("Access begins")
    valid_to: Mapped[date | None] = f.day("Access ends")
    language: Mapped[str | None] = f.picklist("Language", "portal_language")
    second_step: Mapped[bool] = f.checkbox(
        "Code by mail at log-in", audited=True, help="Where the portal leaves it to its users"
    )
    invited_at: Mapped[datetime | None] = f.moment("Invited at", read_only=True)
    confirmed_at: Mapped[datetime | None] = f.moment("Address confirmed at", read_only=True)
    last_login_at: Mapped[datetime | None] = f.moment("Last log-in", read_only=True)
    locked_until: Mapped[datetime | None] = f.moment("Locked until", read_only=True, audited=True)
    login_key: Mapped[str | None] = f.text(
        "User name as it is compared", max=340, unique=True, read_only=True, in_lists=False
    )
    place_key: Mapped[str | None] = f.text("Contact in the portal", max=60, unique=True, read_only=True, in_lists=False)
    note: Mapped[str | None] = f.long_text("Note", max=2000)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    failed_count: Mapped[int | None] = mapped_column()  # wrong passwords and codes in a row


def follow_the_contact(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The user name comes from the contact, portal and profile from the defaults, the status from what is known."""
    made: dict[str, Any] = {}
    then = after(values, old)
    if not then.get("portal_id"):
        made["portal_id"] = then["portal_id"] = _of_profile(then.get("profile_id")) or first_portal()
    if not then.get("profile_id") and then.get("portal_id"):
        made["profile_id"] = then["profile_id"] = default_profile(then["portal_id"])
    if then.get("contact_id"):
        made["email"] = then["email"] = address_of(then["contact_id"])
        made["place_key"] = f"{then.get('portal_id')}:{then['contact_id']}"
    key = key_of_email(then.get("email"))
    made["login_key"] = login_key(then.get("portal_id"), key) if key and then.get("active", True) else None
    made["status"] = status_of(then)
    return made


def status_of(row: Mapping[str, Any]) -> str:
    """What the status of a log-in is now."""
    if not row.get("active", True):
        return "disabled"
    if row.get("valid_to") and row["valid_to"] < clock.today(clock.site_zone()):
        return "expired"
    if row.get("locked_until") and row["locked_until"] > clock.now():
        return "locked"
    return "active" if row.get("password_hash") else "invited"


def may_be_let_in(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A log-in needs an address that nobody else logs in with, and a profile of its own portal."""
    then = after(values, old)
    faults: dict[str, Fault] = {}
    if not then.get("portal_id"):
        return {"portal_id": Fault("required", _("There is no portal yet. Make one first."))}
    if not then.get("profile_id"):
        return {"profile_id": Fault("required", _("The portal has no profile yet. Make one first."))}
    if then.get("active", True) and then.get("contact_id") and not key_of_email(then.get("email")):
        faults["contact_id"] = Fault("needs_email", _("The contact needs an e-mail address; it is the user name."))
    elif then.get("login_key") and then["login_key"] != (old or {}).get("login_key"):
        rival = rival_of(then["login_key"], then.get("id"))
        if rival is not None:
            name, _contact = rival
            faults["contact_id"] = Fault("not_unique", _("%(name)s logs in with this address already.", name=name))
    if (
        then.get("profile_id")
        and then.get("portal_id")
        and _of_profile(then["profile_id"]) not in {None, then["portal_id"]}
    ):
        faults["profile_id"] = Fault("other_portal", _("This profile belongs to another portal."))
    if then.get("valid_from") and then.get("valid_to") and then["valid_to"] < then["valid_from"]:
        faults["valid_to"] = Fault("bad_period", _("Access cannot end before it begins."))
    if old and "contact_id" in values and values["contact_id"] != old["contact_id"]:
        faults["contact_id"] = Fault("fixed", _("A log-in stays with its contact. Make a new one for somebody else."))
    return faults


def address_of(contact: int) -> str | None:
    """The e-mail address of a contact, as it is written there."""
    table = modules["contacts"].table
    said: str | None = db.session.execute(
        select(table.c.email).where(table.c.id == contact, table.c.deleted_at.is_(None))
    ).scalar()
    return said


def first_portal() -> int | None:
    """The portal that answers at /portal/: the oldest self-service one, else the oldest."""
    table = modules["portals"].table
    query = select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.kind, table.c.id)
    found: int | None = db.session.execute(query.limit(1)).scalar()
    return found


def default_profile(portal: int) -> int | None:
    """The profile of new log-ins."""
    table = modules["portal_profiles"].table
    query = select(table.c.id).where(table.c.portal_id == portal, table.c.deleted_at.is_(None))
    found: int | None = db.session.execute(
        query.order_by(table.c.is_default.desc(), table.c.updated_at.desc(), table.c.id).limit(1)
    ).scalar()
    return found


def _of_profile(profile: int | None) -> int | None:
    if profile is None:
        return None
    table = modules["portal_profiles"].table
    found: int | None = db.session.execute(select(table.c.portal_id).where(table.c.id == profile)).scalar()
    return found


def login_key(portal_id: int | None, key: str) -> str:
    """What is unique of a log-in: the portal, and the address as addresses are compared."""
    return f"{portal_id}:{fold_text(key)}"


def rival_of(key: str, own: int | None = None) -> tuple[str, int] | None:
    """Who else logs in with the address that is compared as `key`: name and id of the contact."""
    users, contacts = PortalUser.__table__, modules["contacts"].table
    query = (
        select(contacts.c.first_name, contacts.c.last_name, contacts.c.id)
        .join(users, users.c.contact_id == contacts.c.id)
        .where(users.c.login_key == key, users.c.id != (own or 0), users.c.deleted_at.is_(None))
    )
    row = db.session.execute(query).first()
    return (f"{row.first_name or ''} {row.last_name}".strip(), row.id) if row else None


MODULE = Module(
    PortalUser,
    label="Portal user",
    plural="Portal users",
    menu="Service",
    icon="user-key",
    title="email",
    columns=("email", "contact_id", "portal_id", "profile_id", "status", "is_admin", "valid_to", "last_login_at"),
    facts=("contact_id", "portal_id", "profile_id", "status", "is_admin"),
    form=(
        Block("Portal user", ("contact_id", "portal_id", "profile_id", "active", "is_admin", "owner_id")),
        Block("Period", ("valid_from", "valid_to", "language", "second_step", "note")),
        Block("Log-in", ("email", "status", "locked_until", "invited_at", "confirmed_at", "last_login_at")),
    ),
    search=("email",),
    sort=("email",),
    filters=(
        Filter("active", "With access", where("active", "is", True)),
        Filter("disabled", "Switched off", where("active", "is", False)),
        Filter("locked", "Locked", where("status", "is", "locked")),
    ),
    actions=(
        Action("activate", "Give access", lambda it: {"active": True}, when=where("active", "is", False), icon="user-check"),
        Action("deactivate", "Switch access off", lambda it: {"active": False}, when=where("active", "is", True), icon="user-off"),
    ),
    shows_on={"contacts": Related(by="contact_id", label="Portals", tab=False)},
    follows="contact_id",
    picklists=(STATUS,),
    derives=(follow_the_contact,),
    checks=(may_be_let_in,),
    areas={"create": "portal_access", "edit": "portal_access", "delete": "portal_access", "mass_edit": "portal_access"},
)  # fmt: skip

afterwards.listen(
    "portal_users", "portals.access_changed", "created", "updated", "deleted", "restored", fields=(*ACCESS, "email")
)
afterwards.listen("contacts", "portals.contacts_changed", "updated", "deleted", fields=("email",))
