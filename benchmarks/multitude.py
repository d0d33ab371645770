"""A house of a million people, made in a few statements a table: accounts, contacts with twenty fields of their own, what they
were sent, clicked and looked at. All of it comes from the number of the row, so each database holds the same.

Indexes are made afterwards, as nobody waits for what is here.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text, update

from benchmarks.world import CITIES, SYLLABLES, TITLES
from crm import clock
from crm.db import Entity, db, is_sqlite
from crm.engine import custom_fields, numbering, records, text_index
from crm.engine.channels import Channel
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from ecp.domains import selectors

SENDOUTS, PER_ACCOUNT, VIEWS = 5, 10, 5  # sendouts that everybody got; people of an account; pages that everybody saw
DICE = tuple(2654435761 * 48271**place % 4294967291 for place in range(30))
YEAR = 365 * 86_400
KINDS = ("text",) * 8 + ("whole",) * 4 + ("number",) * 2 + ("day",) * 2 + ("checkbox",) * 2 + ("picklist",) * 2
INDEXED = (0, 8)  # of those: a text and a number


class Silent:
    """Progress of a job that nobody watches."""

    def step(self, done: int, total: int | None = None) -> None:
        pass


@dataclass(frozen=True)
class Multitude:
    """What was made: ids follow each other from the first on."""

    count: int
    first_account: int
    first_contact: int
    campaign: int
    mail: int
    sendouts: list[int]
    fields: list[str]  # names of the custom fields


def make(count: int, owners: list[int]) -> Multitude:
    """All of it, for `count` contacts. Commits."""
    campaign = records.create(SYSTEM, "campaigns", {"name": "Everybody", "type": "Email"}, Channel.SYSTEM)
    template = mail()
    said = [{"name": f"News {n}", "email_template_id": template, "campaign_id": campaign} for n in range(SENDOUTS)]
    sendouts = [id for id in records.create_many(SYSTEM, "sendouts", said, Channel.SYSTEM).ids if id]
    site = records.create(SYSTEM, "tracked_sites", {"name": "Shop", "domain": "shop.example"}, Channel.SYSTEM)
    fields = _fields()
    db.session.commit()
    first = db.session.execute(select(func.max(Entity.__table__.c.id))).scalar_one() + 1
    accounts = max(count // PER_ACCOUNT, 1)
    made = Multitude(count, first, first + accounts, campaign, template, sendouts, fields)
    owner = (
        f"CASE n / {PER_ACCOUNT} % {len(owners)} {' '.join(f'WHEN {at} THEN {id}' for at, id in enumerate(owners))} END"
    )
    with _bare("entities", "accounts", "contacts", "change_log", "campaign_members", "deliveries", "clicks", "opens",
               "visitors", "visits", "page_views"):  # fmt: skip
        _records(made, accounts, owner)
        _mails(made)
        _pages(made, site)
    for place in INDEXED:
        custom_fields.index_custom_field(Silent(), "contacts", fields[place])
        db.session.commit()
    _settle(made, accounts)
    return made


def _records(made: Multitude, accounts: int, owner: str) -> None:
    name, now = _word("n", 4), _moment(f"1760000000 - {_dice(0, YEAR)}")
    fill(
        "entities",
        accounts,
        id=f"{made.first_account - 1} + n",
        module="'accounts'",
        number="'ACC' || n",
        label=f"{name} || ' Oy'",
    )
    fill(
        "accounts", accounts, id=f"{made.first_account - 1} + n", number="'ACC' || n", name=f"{name} || ' Oy'",
        owner_id=owner, created_at=now, updated_at=now, billing_city=_one_of(CITIES, 1),
        account_type=_one_of(("Customer", "Prospect"), 2), extra="'{}'",
    )  # fmt: skip
    first, last, email = _word(_dice(5, 997), 2), _word("n", 4), "'person' || n || '@d' || (n % 50) || '.example'"
    title, phone = _one_of(TITLES, 3), f"'+358 40 ' || (100 + {_dice(4, 900)}) || ' ' || (1000 + (n % 9000))"
    fill(
        "entities", made.count, id=f"{made.first_contact - 1} + n", module="'contacts'", number="'CON' || n",
        label=f"{first} || ' ' || {last}",
    )  # fmt: skip
    fill(
        "contacts", made.count, id=f"{made.first_contact - 1} + n", number="'CON' || n", first_name=first, last_name=last,
        email=email, email_key=email, owner_id=owner, created_at=now, updated_at=_moment(f"1761000000 - {_dice(29, YEAR)}"),
        account_id=f"{made.first_account} + n % {accounts}", mailing_city=_one_of(CITIES, 1), title=title, phone=phone,
        temperature=_one_of(("Cold", "Warm", "Hot"), 2), lead_source=_one_of(("Web", "Fair", "Call", "Partner", "Other"), 6),
        email_opt_out=f"{_dice(4, 100)} < 15", email_status="'ok'", email_opt_in="'none'", may_measure_opens="'yes'",
        born_on=_day(f"{_dice(5, 20_000)} * 86400"), extra=_extra(made.fields), score=f"n * 100 / {made.count}",
    )  # fmt: skip
    fill(
        "change_log", made.count, entity_id=f"{made.first_contact - 1} + n", module="'contacts'", field="''",
        new="'created'", at=now, channel="'import'",
    )  # fmt: skip
    _words("accounts", accounts, made.first_account, f"{name} || ' oy acc' || n")
    _words(
        "contacts", made.count, made.first_contact,
        f"{first} || ' ' || {last} || ' con' || n || ' person' || n || ' d' || (n % 50) || ' example ' || {title} || ' ' || "
        f"replace({phone}, '+', '')",
    )  # fmt: skip


def _mails(made: Multitude) -> None:
    """A campaign of all, five sendouts to all; two clicks and an opening a person."""
    person = f"{made.first_contact - 1} + n"
    fill(
        "campaign_members", made.count, campaign_id=made.campaign, person_module="'contacts'", person_id=person,
        contact_id=person, state="'member'", added_at=_moment("1750000000"), added_by="'user'",
    )  # fmt: skip
    for place, sendout in enumerate(made.sendouts):
        start = 1_750_000_000 + place * 604_800
        read, click = f"{_dice(place, 100)} < 40", f"{_dice(place, 100)} < 12"
        at = f"{start} + n / 1000"
        fill(
            "deliveries", made.count, id=f"{place * made.count} + n", kind="'sendout'", sendout_id=sendout,
            person_module="'contacts'", person_id=person, contact_id=person, email="'person' || n || '@d' || (n % 50) || '.example'",
            email_key="'person' || n || '@d' || (n % 50) || '.example'",
            state=f"CASE WHEN {_dice(6, 100)} < 2 THEN 'failed' WHEN {_dice(6, 100)} < 5 THEN 'skipped' ELSE 'sent' END",
            skip_reason=f"CASE WHEN {_dice(6, 100)} >= 2 AND {_dice(6, 100)} < 5 THEN 'opt_out' END", attempts="1",
            message_id="'<' || n || '@saarni.example>'", created_at=_moment(str(start)), sent_at=_moment(at),
            first_read_at=f"CASE WHEN {read} THEN {_moment(f'{at} + {_dice(3, 300_000)}')} END",
            first_click_at=f"CASE WHEN {click} THEN {_moment(f'{at} + {_dice(3, 300_000)} + 60')} END",
            read_count=f"CASE WHEN {read} THEN 1 ELSE 0 END", click_count=f"CASE WHEN {click} THEN 2 ELSE 0 END",
        )  # fmt: skip
        for name, many in (("clicks", 2 * made.count), ("opens", made.count)):
            who = _dice(place, made.count)
            more: dict[str, Any] = {}
            if name == "clicks":
                more = {"link_number": _dice(1, 20), "url": f"'https://shop.example/' || {_dice(1, 20)}"}
            fill(
                name, many // SENDOUTS, sendout_id=sendout, delivery_id=f"{place * made.count + 1} + {who}",
                person_id=f"{made.first_contact} + {who}", at=_moment(f"{start} + {_dice(3, 300_000)}"),
                agent_family="'Firefox'", made_by=f"CASE WHEN {_dice(2, 20)} = 0 THEN 'machine' ELSE 'human' END", **more,
            )  # fmt: skip
    values = {"state": "sent", "sent_count": made.count, "audience_count": made.count}
    table = modules["sendouts"].table
    began = clock.now().replace(year=2025, month=6, day=15)
    db.session.execute(update(table).where(table.c.id.in_(made.sendouts)).values(**values, started_at=began))
    db.session.commit()


def _pages(made: Multitude, site: int) -> None:
    """A browser for every second person, half of them known; two visits each with five pages."""
    browsers = max(made.count // 2, 1)
    who = f"CASE WHEN n % 2 = 0 THEN {made.first_contact - 1} + n END"
    fill("visitors", browsers, id="n", site_id=site, cookie="'c' || n", person_id=who, first_seen_at=_moment("1750000000"),
         last_seen_at=_moment(f"1750000000 + {_dice(1, YEAR)}"), visit_count="2")  # fmt: skip
    browser = f"(1 + n % {browsers})"
    known = f"CASE WHEN {browser} % 2 = 0 THEN {made.first_contact - 1} + {browser} END"
    fill("visits", made.count, id="n", site_id=site, visitor_id=browser, person_id=known, entry="'/'", exit="'/buy'",
         started_at=_moment(f"1750000000 + {_dice(1, YEAR)}"), ended_at=_moment(f"1750000600 + {_dice(1, YEAR)}"),
         page_count=str(VIEWS), agent_family="'Firefox'")  # fmt: skip
    visit = f"(1 + n % {made.count})"
    browser = f"(1 + {visit} % {browsers})"
    known = f"CASE WHEN {browser} % 2 = 0 THEN {made.first_contact - 1} + {browser} END"
    fill("page_views", VIEWS * made.count, site_id=site, visit_id=visit, visitor_id=browser, person_id=known, nonce="n",
         kind="'view'", path=f"'/page/' || {_dice(4, 200)}", title="'A page'", seconds=_dice(3, 300),
         at=_moment(f"1750000000 + {_dice(1, YEAR)} + n / {made.count} * 30"))  # fmt: skip


def mail() -> int:
    """An active e-mail with a confirmed sender; its number."""
    said = {"address": "news@saarni.example", "display_name": "Saarni", "state": "confirmed"}
    sender = records.create(SYSTEM, "sender_addresses", said, Channel.SYSTEM)
    selectors.make("saarni.example")
    html = '<p>News for {$contact.first_name}</p><a href="{$links.unsubscribe}">Leave</a>'
    return records.create(SYSTEM, "email_templates", {
        "name": "News", "kind": "email", "status": "active", "subject": "News", "sender_name": "Saarni",
        "sender_address_id": sender, "html": html,
    }, Channel.SYSTEM)  # fmt: skip


# expressions of the number n of a row


def _dice(which: int, sides: int) -> str:
    """A number from 0 to `sides` - 1 that looks thrown; `which` of the dice."""
    return f"(n * {DICE[which]} % 1000003 * {sides} / 1000003)"


def _word(number: str, syllables: int) -> str:
    said = " || ".join(
        f"substr('{''.join(one[:2] for one in SYLLABLES)}', CAST(1 + 2 * (({number}) * 7919 / {12**place} % 12) AS integer), 2)"
        for place in range(syllables)
    )
    return f"(upper(substr({said.split(' || ')[0]}, 1, 1)) || substr({said}, 2))"


def _one_of(values: tuple[str, ...], which: int) -> str:
    cases = " ".join(f"WHEN {place} THEN '{value}'" for place, value in enumerate(values))
    return f"(CASE {_dice(which, len(values))} {cases} END)"


def _moment(seconds: str) -> str:
    return f"(datetime({seconds}, 'unixepoch') || '.000000')" if is_sqlite() else f"to_timestamp({seconds})"


def _day(seconds: str) -> str:
    return f"date({seconds}, 'unixepoch')" if is_sqlite() else f"CAST(to_timestamp({seconds}) AS date)"


def _extra(names: list[str]) -> str:
    """The custom fields of a contact as they are kept (decisions.md 7)."""
    worth = {
        "text": lambda at: f"'word ' || {_dice(at + 7, 5_000)}", "whole": lambda at: _dice(at + 7, 1_000),
        "number": lambda at: f"{_dice(at + 7, 100_000)} * 100", "checkbox": lambda at: _dice(at + 7, 2),
        "day": lambda at: f"'2025-0' || (1 + {_dice(at + 7, 9)}) || '-1' || {_dice(at + 7, 9)}",
        "picklist": lambda at: _one_of(("Cold", "Warm", "Hot"), at + 7),
    }  # fmt: skip
    said = ", ".join(
        f"'{name}', {worth[kind](place)}" for place, (name, kind) in enumerate(zip(names, KINDS, strict=True))
    )
    return f"json_object({said})" if is_sqlite() else f"jsonb_build_object({said})"


def _fields() -> list[str]:
    found = []
    for place, kind in enumerate(KINDS):
        more = {"picklist": "temperature"} if kind == "picklist" else {}
        found.append(
            custom_fields.add(modules["contacts"], kind, f"Own {kind} {place}", indexed=place in INDEXED, **more)
        )
    return found


# into tables


def fill(name: str, count: int, /, **said: Any) -> None:
    """Rows 1 to `count` of the table `name`: each column as the SQL that `said` has for it, or its default. Commits."""
    began = time.perf_counter()
    table = db.metadata.tables[name]
    for column in table.c:
        default: Any = column.default
        plain = default is not None and default.is_scalar
        if column.name not in said and not column.nullable and plain:
            said[column.name] = repr(default.arg).upper() if isinstance(default.arg, bool) else repr(default.arg)
    step = 500_000
    for low in range(1, count + 1, step):
        high = min(low + step - 1, count)
        db.session.execute(
            text(f"INSERT INTO {name} ({', '.join(said)}) {series(', '.join(map(str, said.values())), low, high)}")
        )
        db.session.commit()
    sys.stderr.write(f"  {name}: {count:,} in {time.perf_counter() - began:.1f} s\n")


def series(what: str, low: int, high: int) -> str:
    """A SELECT of `what` for each n from `low` to `high`."""
    if is_sqlite():
        numbers = f"WITH RECURSIVE numbers (n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM numbers WHERE n < {high})"
        return f"{numbers} SELECT {what} FROM numbers"
    return f"SELECT {what} FROM generate_series(CAST({low} AS bigint), {high}) AS numbers (n)"


def _words(module: str, count: int, first: int, said: str) -> None:
    """What the search index holds of records (engine/text_index)."""
    code = text_index.code_of(module)
    words = f"'{code}' || replace(lower({said}), ' ', ' {code}')"
    began = time.perf_counter()
    if is_sqlite():
        statement = f"INSERT INTO text_index (rowid, words) {series(f'{first - 1} + n, {words}', 1, count)}"
    else:
        made = f"array_to_tsvector(string_to_array({words}, ' '))"
        db.session.execute(text("DROP INDEX IF EXISTS ix_text_index_words"))
        statement = f"INSERT INTO text_index (entity_id, words) {series(f'{first - 1} + n, {made}', 1, count)}"
    db.session.execute(text(statement))
    db.session.commit()
    sys.stderr.write(f"  text_index: {count:,} in {time.perf_counter() - began:.1f} s\n")


@contextmanager
def _bare(*names: str) -> Iterator[None]:
    """The tables without their indexes and without looking up keys; the indexes are made at the end."""
    indexes = [index for name in names for index in db.metadata.tables[name].indexes]
    db.session.commit()
    connection = db.session.connection()
    if is_sqlite():
        db.session.rollback()
        raw: Any = db.engine.raw_connection()
        raw.driver_connection.execute("PRAGMA foreign_keys = OFF")
        raw.driver_connection.execute("PRAGMA synchronous = OFF")
        raw.close()  # goes back to the pool, and is the one that the session takes next
    else:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
    for index in indexes:
        index.drop(db.session.connection())
    db.session.commit()
    yield
    began = time.perf_counter()
    for index in indexes:
        index.create(db.session.connection())
        db.session.commit()
    if not is_sqlite():
        db.session.execute(text(text_index.CREATE["postgresql"][1]))
    db.session.commit()
    sys.stderr.write(f"  {len(indexes)} indexes in {time.perf_counter() - began:.1f} s\n")


def _settle(made: Multitude, accounts: int) -> None:
    """Counters stand behind what is there, PostgreSQL has looked at its tables (as it does by itself), settings are back."""
    for key, count in (("accounts", accounts), ("contacts", made.count)):
        numbering.settings(modules[key]).next_number = count + 1
    db.session.commit()
    db.session.remove()
    if not is_sqlite():
        for name in ("entities", "deliveries", "visitors", "visits"):
            db.session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")
            )
        db.session.commit()
        db.session.remove()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    db.engine.dispose()
