"""The part of a story that a delivery tells: its tries, what came back, who opened and clicked."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from crm import config
from crm.db import db
from crm.engine import picklists, search
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.mail.sending.pace_rows import ProviderPace
from crm.mail.sending.providers import provider_of
from crm.words import _, ngettext, say_moment
from ecp.bounces import overview
from ecp.bounces.tables import ReturnedMail
from ecp.domains.warming import HELD
from ecp.outgoing import say_failure
from ecp.pipeline.track import tracking
from ecp.why.steps import Mood, Step

MOST_EVENTS = 20


def answer(sendout: Any, row: Any) -> str:
    """What became of a mail that was not left out, in one sentence."""
    state = row["state"]
    if state == "sent":
        if row["bounced_at"] and row["bounce_type"] == "hard":
            return _("It was sent and came back: %(why)s", why=row["bounce_text"] or "")
        return (
            _("Got it: the receiver's server took the mail on %(at)s.", at=say_moment(row["sent_at"]))
            if row["sent_at"]
            else _("Got it.")
        )
    if state == "failed":
        return _("Did not get it. %(why)s", why=say_failure(state, row["failed_reason"]))
    if state == "uncertain":
        return _("Nobody knows: the connection broke while the mail was handed over. It may have arrived.")
    if state == "cancelled":
        return _("Did not get it: the sendout was cancelled, or this mail was stopped.")
    if sendout["state"] == "paused":
        return _("Not yet: the sendout is paused.")
    if state == "retry":
        return _("Not yet: the receiver asked to come back later.")
    return _("Not yet: the mail waits for its turn.")


def tries(sendout: Any, row: Any) -> Iterator[Step]:
    """How often it was tried, what the server said, and what holds it up."""
    count, reply = row["attempts"], row["reply"] or ""
    said = _("The server said: %(reply)s", reply=reply) if reply else ""
    if row["state"] == "sent":
        sentence = ngettext(
            "The server took the mail at the first try.",
            "The server took the mail after %(num)s tries.",
            max(1, count),
        )
        yield Step("sent", sentence, row["sent_at"], said, "good")
    elif row["state"] == "failed":
        yield Step(
            "failed",
            f"{say_failure('failed', row['failed_reason'])} {_tried(count)}".strip(),
            row["text_begun_at"],
            said,
            "bad",
        )
    elif row["state"] == "uncertain":
        yield Step("uncertain", say_failure("uncertain", None), row["text_begun_at"], said, "bad")
    elif row["state"] == "cancelled":
        yield Step("cancelled", _("It was cancelled before its text began."), None, "", "bad")
    elif row["state"] == "retry":
        more = f"{said} {_('Next try: %(at)s.', at=say_moment(row['due_at']))}" if row["due_at"] else said
        yield Step("retry", f"{say_failure('retry', None)} {_tried(count)}", None, more.strip())
    if row["state"] == "waiting" and row["due_at"] == HELD:
        domain = (sendout["sender_address"] or "").rpartition("@")[2]
        yield Step(
            "warm_up",
            _("Waits for a later day: %(domain)s is being warmed up, and today's mails are used.", domain=domain),
        )
    if row["state"] in ("waiting", "leased", "retry"):
        if sendout["state"] == "paused":
            yield Step("paused", _("The sendout is paused."), None, sendout["state_note"] or "", "bad")
        yield from _provider(row["email"])


def _tried(count: int) -> str:
    return ngettext("Tried %(num)s time.", "Tried %(num)s times.", count) if count else ""


def _provider(email: str) -> Iterator[Step]:
    """That a provider asked all mails to it to slow down."""
    provider = provider_of(email.rpartition("@")[2])
    pace = db.session.execute(select(ProviderPace).where(ProviderPace.provider == provider)).scalar()
    if pace is not None and (pace.share < 1 or pace.rate):
        yield Step(
            "slowed",
            _("%(provider)s gets fewer mails at a time just now.", provider=provider),
            pace.deferred_at,
            pace.reply or "",
        )


def afterwards(row: Any) -> Iterator[Step]:
    """What came back, who opened and clicked, what was decided from the mail."""
    t = ReturnedMail
    for back in db.session.execute(
        select(t.__table__).where(t.delivery_id == row["id"]).order_by(t.at).limit(MOST_EVENTS)
    ):
        mood: Mood = "bad" if back.kind in ("bounce", "complaint") else "plain"
        yield Step(
            f"back_{back.kind}", overview.say(back.kind, back.verdict) + ".", back.at, overview.say_why(back), mood
        )
    yield from _measured(row)
    for name, words in (
        ("unsubscribed_at", _("Left by a link of this mail.")),
        ("survey_answered_at", _("Answered the survey of this mail.")),
    ):
        if row[name]:
            yield Step(name.removesuffix("_at"), words, row[name])


def _measured(row: Any) -> Iterator[Step]:
    for key, words in (("opens", _("The mail was opened.")), ("clicks", _("A link was followed."))):
        c = modules[key].table.c
        found = db.session.execute(
            select(modules[key].table).where(c.delivery_id == row["id"]).order_by(c.at).limit(MOST_EVENTS)
        ).all()
        for one in found:
            made_by, why = (
                _(picklists.label("made_by", one.made_by)),
                one.why and _(picklists.label("why_made_by", one.why)),
            )
            more = [f"{made_by}{f': {why}' if why else ''}", getattr(one, "url", None) or ""]
            yield Step(
                key,
                words,
                one.at,
                " · ".join(part for part in more if part),
                "good" if one.made_by == "human" else "plain",
            )
    if row["state"] in ("sent", "uncertain") and not row["first_read_at"]:
        said = search.find(
            SYSTEM,
            row["person_module"],
            where={"$eq": ["id", row["person_id"]]},
            columns=("may_measure_opens",),
            limit=1,
        ).rows
        how = tracking(config.current().measure, said[0]["may_measure_opens"] if said else "unknown")
        if how.links != "personal":
            yield Step(
                "unmeasured", _("Whether this person reads our mails is not measured: there is no consent to that.")
            )
