"""Language versions in a sendout: compiled once each beside the mail itself, and who of the audience gets which (M115).

Who gets a version is settled when the sendout is prepared, like the audience; a delivery without a row here gets the mail itself.
A sendout without versions costs one look a batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ForeignKey, String, Text, bindparam, delete, exists, func, insert, literal, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, db
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.mail.sending.deliveries import Delivery
from crm.modules.language_versions import versions_of
from crm.words import _
from ecp.content.compile import Compiled
from ecp.content.links import CLICK
from ecp.pipeline import frozen
from ecp.pipeline.frozen import Frozen, TrackedLink

_NUMBERED = re.compile(re.escape(CLICK) + r"(\d+)")
PERSONS = ("contacts", "leads")


class SendoutVersion(db.Model):  # type: ignore[name-defined]
    """The compiled text of a sendout in one more language."""

    __tablename__ = "sendout_versions"
    sendout_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("sendouts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    language: Mapped[str] = mapped_column(String(40), primary_key=True)
    compiled: Mapped[str] = mapped_column(Text)


class DeliveryVersion(db.Model):  # type: ignore[name-defined]
    """That a delivery is in another language than the mail itself."""

    __tablename__ = "delivery_versions"
    delivery_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    language: Mapped[str] = mapped_column(String(40))


_V, _G = SendoutVersion.__table__, DeliveryVersion.__table__
_HAS_ANY = select(_V.c.language).where(_V.c.sendout_id == bindparam("id")).limit(1)  # asked a batch: built once
_OF_DELIVERIES = select(_G.c.delivery_id, _G.c.language).where(_G.c.delivery_id.in_(bindparam("ids", expanding=True)))


def compile_versions(email_template_id: int, needs_unsubscribe: bool) -> dict[str, Compiled]:
    """Language → text of each active version. Raises Refused, which names the language."""
    found: dict[str, Compiled] = {}
    for one in versions_of(email_template_id):
        try:
            found[one.language], _language = frozen.compile_mail(one.id, needs_unsubscribe)
        except Refused as refused:
            said = [fault.message for faults in refused.faults.values() for fault in faults]
            message = _("The version in %(language)s: %(why)s", language=one.language, why=" ".join(said))
            raise Refused.because("bad_content", message, "email_template_id") from None
    return found


def freeze(sendout_id: int, email_template_id: int, needs_unsubscribe: bool, main: Compiled) -> list[Compiled]:
    """Keep the versions as they are now, their links numbered after those of the mail. Raises Refused. The caller commits."""
    db.session.execute(delete(_V).where(_V.c.sendout_id == sendout_id))
    last = max((link.number for link in main.links), default=0)
    kept = []
    for language, compiled in compile_versions(email_template_id, needs_unsubscribe).items():
        moved = renumbered(compiled, last)
        last = max((link.number for link in moved.links), default=last)
        db.session.execute(insert(_V).values(sendout_id=sendout_id, language=language, compiled=moved.dump()))
        rows = [
            {"sendout_id": sendout_id, "number": link.number, "url": link.url, "label": link.label[:255], "part": link.part}
            for link in moved.links
        ]  # fmt: skip
        if rows:
            db.session.execute(insert(TrackedLink), rows)
        kept.append(moved)
    return kept


def renumbered(compiled: Compiled, by: int) -> Compiled:
    """The same text with every link's number raised, so that a click tells which version it was made in."""
    if not by:
        return compiled

    def move(text: str) -> str:
        return _NUMBERED.sub(lambda found: f"{CLICK}{int(found[1]) + by}", text)

    links = tuple(replace(link, number=link.number + by) for link in compiled.links)
    return replace(
        compiled, key=f"{compiled.key}+{by}", html=move(compiled.html), text=move(compiled.text), links=links
    )


def assign(sendout_id: int) -> None:
    """Write down who of the audience gets which version, by the language of the person: one statement a kind of person.

    The caller commits."""
    d = Delivery.__table__
    for module in PERSONS:
        person = modules[module].table
        spoken = exists(select(literal(1)).where(_V.c.sendout_id == sendout_id, _V.c.language == person.c.language))
        chosen = (
            select(d.c.id, person.c.language)
            .join(person, person.c.id == d.c.person_id)
            .where(d.c.sendout_id == sendout_id, d.c.state == "waiting", d.c.person_module == module, spoken)
        )
        db.session.execute(insert(_G).from_select(("delivery_id", "language"), chosen))


def of_deliveries(sendout_id: int, delivery_ids: Iterable[int]) -> Mapping[int, str]:
    """Delivery → language, of those that do not get the mail itself."""
    if db.session.execute(_HAS_ANY, {"id": sendout_id}).first() is None:
        return {}
    return {row.delivery_id: row.language for row in db.session.execute(_OF_DELIVERIES, {"ids": list(delivery_ids)})}


def load(sendout_id: int, language: str) -> Frozen | None:
    """What a sendout sends to people of `language`; "" is the mail itself. None when nothing was frozen (yet)."""
    content = frozen.load(sendout_id)
    if not language or content is None:
        return content
    said = select(_V.c.compiled).where(_V.c.sendout_id == sendout_id, _V.c.language == language)
    dumped = db.session.execute(said).scalar()
    return content if dumped is None else replace(content, compiled=frozen.loaded(dumped))


def load_for(sendout_id: int, delivery_id: int) -> Frozen | None:
    """What one delivery of a sendout was sent, or will be."""
    return load(sendout_id, of_deliveries(sendout_id, [delivery_id]).get(delivery_id, ""))


def languages_of(sendout_id: int) -> Sequence[str]:
    """The languages of a sendout beside that of the mail itself."""
    return list(
        db.session.execute(select(_V.c.language).where(_V.c.sendout_id == sendout_id).order_by(_V.c.language)).scalars()
    )


def report(sendout_id: int) -> list[dict[str, Any]]:
    """What came of each language: [{"language", "audience", "sent", "read", "clicked", "unsubscribed"}] in people, the mail
    itself first; empty for a sendout without versions. Who was left out is in no language, and not counted."""
    if not languages_of(sendout_id):
        return []
    content = frozen.SendoutContent
    own = db.session.execute(select(content.language).where(content.sendout_id == sendout_id)).scalar() or ""
    d = Delivery.__table__
    language = func.coalesce(_G.c.language, literal(own))
    rows = db.session.execute(
        select(
            language.label("language"), func.count().label("audience"), func.count(d.c.sent_at).label("sent"),
            func.count(d.c.first_read_at).label("read"), func.count(d.c.first_click_at).label("clicked"),
            func.count(d.c.unsubscribed_at).label("unsubscribed"),
        )
        .select_from(d.outerjoin(_G, _G.c.delivery_id == d.c.id))
        .where(d.c.sendout_id == sendout_id, d.c.state != "skipped")
        .group_by(language)
    ).mappings()  # fmt: skip
    return sorted((dict(row) for row in rows), key=lambda row: (row["language"] != own, row["language"]))
