"""What an address has refused and agreed to: lists, campaigns, all mail, being measured. For public pages and the portal.

A list is left by the address: all who share it are left out (decisions.md 21). All writes go through the door as the holder
of a link, who may change this and no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import or_, select

from crm import clock, config
from crm.db import db, fold
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import NOTHING, ModuleRights, Rights, Viewer
from crm.modules.people import PERSONS
from crm.words import _

BY_LINK = "Link in a mail"
CAME_BACK = "The recipient subscribed again"

# What somebody may change who proves nothing but that a mail of ours reached him.
HOLDER = Viewer(
    kind="link",
    name="Recipient",
    rights=Rights(
        modules={
            "contacts": ModuleRights(verbs=frozenset({"view", "edit"})),
            "leads": ModuleRights(verbs=frozenset({"view", "edit"})),
            "suppressions": ModuleRights(verbs=frozenset({"view", "create", "edit"})),
            "list_types": ModuleRights(verbs=frozenset({"view"})),  # what a refusal points at
            "campaigns": ModuleRights(verbs=frozenset({"view"})),
        },
        otherwise=NOTHING,
        view_all=True,
        edit_all=True,
        areas=frozenset({"suppressions"}),
    ),
)


class Addressee(Protocol):
    """An address, and whose it is; `person_id` is None when nobody has it (any more)."""

    @property
    def email(self) -> str: ...
    @property
    def email_key(self) -> str: ...
    @property
    def person_module(self) -> str | None: ...
    @property
    def person_id(self) -> int | None: ...


@dataclass(frozen=True)
class Known:
    """An addressee as the portal and the personal page know one."""

    email: str
    email_key: str
    person_module: str | None
    person_id: int | None


@dataclass(frozen=True)
class Refusals:
    """What an address has refused: `lists` are ids of list types; `no_mail`: everything."""

    lists: frozenset[int]
    campaigns: frozenset[int]
    no_mail: bool


def offered() -> list[Any]:
    """The lists that can be chosen: rows with id, name, kind."""
    table = modules["list_types"].table
    query = select(table.c.id, table.c.name, table.c.kind).where(table.c.active, table.c.deleted_at.is_(None))
    return list(db.session.execute(query.order_by(table.c.name)).all())


def kind_in_words(kind: str) -> str:
    """What sort of mail a list brings."""
    words = {"marketing": _("Offers and news"), "informational": _("Information"), "essential": _("Important notices")}
    return words.get(kind, "")


def asks_measuring() -> bool:
    """Whether this house asks people if their opens may be measured."""
    return config.current().measure in {"with_consent", "all"}


def measuring_question() -> str:
    """The question, in the language of the page: kept with the answer."""
    return _("You may see which of your mails I open and which links I follow, to write what interests me.")


def choose(who: Addressee, wanted: Iterable[int], no_mail: bool, may_measure: bool | None, source: str) -> None:
    """All choices of a page at once: the lists wanted, no mail at all, and (None: not asked) measuring. The caller commits."""
    keep, before = set(wanted), refusals(who)
    if no_mail != before.no_mail:
        (want_no_mail if no_mail else want_mail)(who, source)
    for row in offered():
        if row.id in keep and row.id in before.lists:
            accept(who, "list_type", row.id)
        elif row.id not in keep and row.id not in before.lists:
            refuse(who, "list_type", row.id, "recipient")
    if may_measure is not None:
        answer_measuring(who, may_measure, measuring_question(), source)


def refusals(recipient: Addressee) -> Refusals:
    """What the recipient's address has refused by now."""
    table = modules["suppressions"].table
    rows = db.session.execute(
        select(table.c.scope, table.c.scope_id).where(
            table.c.email_key == recipient.email_key, table.c.active, table.c.deleted_at.is_(None)
        )
    ).all()
    return Refusals(
        frozenset(row.scope_id for row in rows if row.scope == "list_type"),
        frozenset(row.scope_id for row in rows if row.scope == "campaign"),
        any(row.scope == "global" for row in rows) or bool(_opted_out(recipient.email_key)),
    )


def want_no_mail(recipient: Addressee, source: str = BY_LINK) -> None:
    """No mail at all: the opt-out of the person, or of the address when nobody has it (any more)."""
    changes = {"email_opt_out": True, "email_opt_out_source": source, "email_opt_in": "out_contact"}
    if recipient.person_module and recipient.person_id is not None:
        write(recipient.person_module, [recipient.person_id], changes)
    else:
        refuse(recipient, "global", None, "recipient")


def want_mail(recipient: Addressee, source: str = BY_LINK) -> None:
    """The holder of the address wants mail again: every opt-out of that address ends."""
    accept(recipient, "global", None)
    for module, rows in _opted_out(recipient.email_key).items():
        back = {"email_opt_out": False}
        asked = [id for id, opt_in in rows.items() if opt_in in {"out_contact", "out_user"}]
        write(module, asked, back | {"email_opt_in": "single_webform", "email_opt_in_source": source})
        write(module, [id for id in rows if id not in asked], back)


def answer_measuring(recipient: Addressee, agrees: bool, wording: str, source: str = BY_LINK) -> None:
    """Store the answer to the question whether opens may be measured, with the words of the question."""
    if recipient.person_module and recipient.person_id is not None:
        said = "yes" if agrees else "no"
        evidence = {"may_measure_opens_source": source, "may_measure_opens_wording": wording}
        write(recipient.person_module, [recipient.person_id], {"may_measure_opens": said, **evidence})


def refuse(recipient: Addressee, scope: str, scope_id: int | None, source: str) -> None:
    """One refusal of the address in force; nothing happens when it is already."""
    found = _refusal(recipient, scope, scope_id)
    if found is None:
        values = {
            "email": recipient.email, "scope": scope, "scope_id": scope_id, "source": source, "active": True,
            "person_id": recipient.person_id,
            "contact_id": recipient.person_id if recipient.person_module == "contacts" else None,
        }  # fmt: skip
        records.create(HOLDER, "suppressions", values, Channel.PORTAL)
    elif not found.active:
        changes = {"active": True, "source": source, "at": clock.now(), "note": None}
        records.update(HOLDER, "suppressions", found.id, changes, Channel.PORTAL)


def accept(recipient: Addressee, scope: str, scope_id: int | None) -> None:
    """End the refusals of the address for one thing; nothing happens when there is none."""
    while (found := _refusal(recipient, scope, scope_id)) is not None and found.active:
        records.update(HOLDER, "suppressions", found.id, {"active": False, "note": CAME_BACK}, Channel.PORTAL)


def _refusal(recipient: Addressee, scope: str, scope_id: int | None) -> Any:
    table = modules["suppressions"].table
    return db.session.execute(
        select(table.c.id, table.c.active)
        .where(
            table.c.email_key == recipient.email_key,
            table.c.scope == scope,
            table.c.scope_id.is_(None) if scope_id is None else table.c.scope_id == scope_id,
            table.c.deleted_at.is_(None),
        )
        .order_by(table.c.active.desc(), table.c.id.desc())
        .limit(1)
    ).first()


def _opted_out(key: str) -> dict[str, dict[int, str | None]]:
    """Live persons with this address who opted out: module → id → opt-in state."""
    found: dict[str, dict[int, str | None]] = {}
    for module in PERSONS:
        table = modules[module].table
        same = fold(table.c.email_key) == key
        if module == "contacts":
            same = or_(same, fold(table.c.secondary_email) == key)
        rows = db.session.execute(
            select(table.c.id, table.c.email_opt_in).where(same, table.c.email_opt_out, table.c.deleted_at.is_(None))
        )
        if ids := {row.id: row.email_opt_in for row in rows}:
            found[module] = ids
    return found


def write(module: str, ids: Iterable[int], changes: Mapping[str, Any]) -> None:
    """Write to persons as the holder of a link of theirs."""
    records.update_many(HOLDER, module, dict.fromkeys(ids, changes), Channel.PORTAL)
