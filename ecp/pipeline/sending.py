"""The kind “sendout” of the post office: how it gets the mails of our deliveries, and what it tells us of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.sql import ColumnElement

from crm.db import db
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity import keys
from crm.identity.viewer import SYSTEM
from crm.mail.message import Address, Attachment
from crm.mail.outcome import Outcome
from crm.mail.sending import kinds, singles
from crm.mail.sending.kinds import Claimed, Kind, Rendered
from crm.modules import written_mails
from crm.words import _
from ecp.bounces.mailboxes import personal_path
from ecp.domains.selectors import signers_of
from ecp.modules import sendout_documents
from ecp.pipeline import actions, allow, checks, versions, written
from ecp.pipeline.render import Person, Renderer, Unmade
from ecp.pipeline.values import Filled

PERSONAL, OVERRULED = "personal", "personal_overruled"
"""Single mails that people write from a card; and those to somebody who has opted out, which the sender confirmed."""
KEPT_SECONDS = 60.0  # a renderer is made anew then, so that new keys and settings come in


class CannotRender(Exception):
    """The mail of one person cannot be made."""


@dataclass(frozen=True)
class Loaded:
    """What a batch needs: the renderer of each sendout, and the values of its people."""

    renderers: Mapping[tuple[int, str], Renderer]  # (sendout, language of a version; "" for the mail itself)
    values: Mapping[tuple[int, int], Filled]  # (sendout, person)
    languages: Mapping[int, str]  # of the deliveries that are a version


_renderers: dict[tuple[str, int, str], tuple[float, Renderer]] = {}


def load(rows: Sequence[Claimed]) -> Loaded:
    """Read what the mails of a batch need: a few queries a sendout, none a person."""
    by_sendout: dict[int, list[Claimed]] = {}
    for row in rows:
        if row.sendout_id is not None:
            by_sendout.setdefault(row.sendout_id, []).append(row)
    renderers: dict[tuple[int, str], Renderer] = {}
    values: dict[tuple[int, int], Filled] = {}
    languages: dict[int, str] = {}
    for sendout_id, mine in by_sendout.items():
        spoken = versions.of_deliveries(sendout_id, [row.id for row in mine])
        languages |= spoken
        for language in {spoken.get(row.id, "") for row in mine}:
            renderer = renderers[sendout_id, language] = renderer_of(sendout_id, language)
            people = [
                (row.person_module or "", row.person_id)
                for row in mine
                if row.person_id is not None and spoken.get(row.id, "") == language
            ]
            values |= {(sendout_id, id): filled for id, filled in renderer.reader.read(people).items()}
    return Loaded(renderers, values, languages)


def render_merged(row: Claimed, loaded: Loaded) -> Rendered:
    """The mail of one delivery of a mail merge, with its documents: read one by one, for they may be large."""
    own = sendout_documents.of_person(row.sendout_id or 0, row.person_id or 0)
    if not own:
        raise CannotRender(_("The document of this person is not there any more."))
    return render(row, loaded, own)


def render(row: Claimed, loaded: Loaded, own: Sequence[Attachment] = ()) -> Rendered:
    """The mail of one delivery. Raises CannotRender, and whatever is wrong with one address."""
    if row.sendout_id is None or row.person_id is None:
        raise CannotRender(_("The person was deleted."))
    found = loaded.values.get((row.sendout_id, row.person_id))
    if found is None:
        raise CannotRender(_("The person was deleted."))
    person = Person(row.id, row.person_module or "", row.person_id, row.email)
    made = loaded.renderers[row.sendout_id, loaded.languages.get(row.id, "")].make_one(person, found, own)
    if isinstance(made, Unmade):
        raise CannotRender(made.why)
    return Rendered(made.mail.envelope, made.mail.data, made.message_id)


def renderer_of(sendout_id: int, language: str = "") -> Renderer:
    """The renderer of a sendout, or of one of its versions, kept for a minute. Raises CannotRender without content."""
    place = (str(db.engine.engine.url), sendout_id, language)
    kept = _renderers.get(place)
    now = time.monotonic()
    if kept and now - kept[0] < KEPT_SECONDS:
        return kept[1]
    table = modules["sendouts"].table
    sendout = db.session.execute(select(table).where(table.c.id == sendout_id)).mappings().first()
    content = versions.load(sendout_id, language)
    if sendout is None or content is None:
        raise CannotRender(_("The content of sendout %(sendout_id)s is not there.", sendout_id=sendout_id))
    made = Renderer(dict(sendout), content, signers_of(Address(sendout["sender_address"]).domain))
    for old in [key for key, (then, _renderer) in _renderers.items() if now - then >= KEPT_SECONDS]:
        del _renderers[old]
    _renderers[place] = (now, made)
    return made


def refusal(sendout_id: int | None) -> ColumnElement[str | None] | None:
    """The rules of a sendout, for the statement that begins a text."""
    if sendout_id is None:
        return None
    table = modules["sendouts"].table
    row = db.session.execute(select(table).where(table.c.id == sendout_id)).mappings().first()
    if row is None:
        return None
    return allow.refusal(checks.audience_of(actions.of_row(row)).rules)


def settled(connection: Connection, row: Claimed, state: str, outcome: Outcome | None) -> None:
    """Nothing at once: refused addresses are written down set-wise by `bounces.evidence`."""


def trouble(sendout_id: int | None, code: str, sentence: str) -> None:
    """The post office paused a run, or cannot reach the server: the sendout says so."""
    table = modules["sendouts"].table
    if sendout_id is None:
        return
    note = sentence[:500]
    if code == "policy":
        actions.move(SYSTEM, sendout_id, ("sending",), "paused", Channel.SYSTEM, state_note=note)
    else:
        db.session.execute(
            update(table).where(table.c.id == sendout_id, table.c.state == "sending").values(state_note=note)
        )
    db.session.commit()


def load_tests(rows: Sequence[Claimed]) -> None:
    """Tests are few: each is read when it is rendered."""


def render_test(row: Claimed, _loaded: Any) -> Rendered:
    """A test mail of a sendout or of a mail, as it is now."""
    from ecp.pipeline import testing

    return testing.render(row)


def register() -> None:
    """Make our kinds known to the post office; letters are signed with the same keys."""
    kinds.register(Kind("sendout", render, load, refusal, settled, trouble))
    kinds.register(Kind(actions.MERGE, render_merged, load, refusal, settled, trouble, render_reads=True))
    kinds.register(Kind("sendout_test", render_test, load_tests, render_reads=True))
    kinds.register(Kind(written_mails.KIND, written.render, written.load, render_reads=True))
    written_mails.add_subject(written.subject_of)
    secret = partial(keys.of, "message_id")
    if "letter" not in kinds.KINDS:
        singles.register_letters(secret, signers_of, personal_path)
    singles.register_letters(
        secret, signers_of, personal_path, PERSONAL, lambda sendout_id: allow.refusal(allow.Rules(None))
    )
    singles.register_letters(secret, signers_of, personal_path, OVERRULED)
