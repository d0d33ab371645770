"""Who is told of what happens to tickets: groups of new ones, assignees, watchers, the customer; never the one who did it."""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update

from crm import clock, config
from crm.db import db, fold_text
from crm.engine import relations
from crm.engine.outbox import Progress, task
from crm.engine.permissions import may
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity import viewers
from crm.identity.tables import Group, User
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress, one_line
from crm.mail.sending import singles
from crm.modules.sender_addresses import default_row
from crm.modules.tickets import closing, mails, statuses, templates
from crm.modules.tickets.answering import recipients, rows_of
from crm.modules.tickets.assigning import members_of
from crm.modules.tickets.commenting import of_id
from crm.words import N_, _, speaking

ONE_BY_ONE = 20  # tickets of one change; more are told in one letter
BATCH = 500


@task("tickets.tell")
def tell(progress: Progress, module: str, event: str, ids: list[int], channel: str, actor_id: int | None) -> str:
    """After tickets were made, given to somebody else or got another status: tell who must know."""
    table = modules["tickets"].table
    rows = [dict(row) for start in range(0, len(ids), BATCH) for row in db.session.execute(
        select(table).where(table.c.id.in_(ids[start : start + BATCH]), table.c.deleted_at.is_(None))
    ).mappings()]  # fmt: skip
    key = f"tickets:{event}:{progress.job_id}"
    by_owner: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        if row["owner_id"] is not None and _is_news_to_owner(row, event):
            by_owner.setdefault(row["owner_id"], []).append(row)
    for owner_id, theirs in by_owner.items():
        people = staff(readers_of(owner_id), but=actor_id)
        if len(theirs) > ONE_BY_ONE:
            values = {"count": len(theirs)}
            _letters(people, N_("%(count)s tickets are yours now"), values, _link(""), f"{key}:{owner_id}")
            continue
        for row in theirs:
            sentence = N_("New ticket %(number)s: %(title)s")
            if event != "created":
                sentence = N_("Ticket %(number)s is yours: %(title)s")
            _letters(people, sentence, _named(row), _link(row["id"]), f"{key}:{row['id']}")
    for row in rows:
        _tell_customer(row, event, key)
    return f"{len(rows)} tickets"


def _is_news_to_owner(row: dict[str, Any], event: str) -> bool:
    """Whether the owner is told: of a new ticket, and of one that he had not when somebody was told last."""
    return event == "created" or row["told_owner_id"] != row["owner_id"]


def _tell_customer(row: dict[str, Any], event: str, key: str) -> None:
    table = modules["tickets"].table
    now = {"told_owner_id": row["owner_id"], "told_status": row["status"]}
    db.session.execute(update(table).where(table.c.id == row["id"]).values(now))
    if event == "created" or row["told_status"] == row["status"]:
        return
    if row["state"] == "closed":
        closing.ask_for_opinion(row)
    if not statuses.tells_customer(row["status"]) or row["closed_by_customer"] or row["merged_into_id"]:
        return
    with speaking(mails.language_of(row)):
        text = _("Your request “%(title)s” has the status: %(status)s.", title=row["title"], status=_(row["status"]))
    if row["state"] == "closed" and row["solution"]:
        text += "\n\n" + row["solution"]
    content = mails.Content(row["title"], text + "\n", templates.as_html(text))
    for person in recipients(row)[:1]:
        mails.send(row, person, content, dedupe_key=f"{key}:{row['id']}:customer", automatic="auto-generated")


@task("tickets.tell_comment")
def tell_comment(progress: Progress, comment_id: int) -> str:
    """After a comment, whoever may read it: watchers; of a customer's word and of a note also the assignee; of a note also
    those who wrote on the ticket and those whom it names with @."""
    comment, ticket = rows_of(comment_id)
    if comment is None or ticket is None:
        return "nothing to tell"
    people = set(_ids(relations.linked("tickets", ticket["id"], "watchers")))
    if comment["author"] == "customer" or comment["flag"] or comment["visibility"] == "internal":
        people |= set(readers_of(ticket["owner_id"])) if ticket["owner_id"] else set()
    if comment["visibility"] == "internal" and comment["author"] == "staff":
        people |= _writers_of(ticket["id"]) | mentioned(comment["text"] or "")
    readers = [id for id in sorted(people) if _may_read(id, comment_id)]
    values = {"who": comment["author_name"] or "–"} | _named(ticket)
    text = (comment["text"] or "")[:2000] + "\n\n" + _link(ticket["id"])
    told = staff(readers, but=comment["user_id"])
    _letters(told, N_("%(who)s wrote on %(number)s: %(title)s"), values, text, f"tickets:comment:{comment_id}")
    return f"{len(told)} people"


def mentioned(text: str) -> set[int]:
    """The users whom a text names: @ and the part of their address before its @, or their first and last name."""
    if "@" not in text:
        return set()
    said = select(User.id, User.email, User.first_name, User.last_name)
    said = said.where(User.crm_access, ~User.archived, User.deleted_at.is_(None))
    folded, found = fold_text(text) or "", set[int]()
    for row in db.session.execute(said):
        for name in (row.email.rpartition("@")[0], f"{row.first_name or ''} {row.last_name}".strip()):
            if re.search(rf"(?<![\w.+\-])@{re.escape(fold_text(name) or '?')}(?![\w@]|[.+\-]\w)", folded):
                found.add(row.id)
    return found


def _writers_of(ticket_id: int) -> set[int]:
    table = modules["ticket_comments"].table
    said = select(table.c.user_id).where(table.c.ticket_id == ticket_id, table.c.user_id.is_not(None))
    return set(db.session.scalars(said.distinct()))


def _may_read(user_id: int, comment_id: int) -> bool:
    """Whether the user may see the comment: its words are in the letter."""
    viewer = viewers.of_user(user_id, "crm")
    if viewer is None or not may(viewer, "view", "ticket_comments"):
        return False
    try:
        return bool(of_id(viewer, comment_id))
    except Missing:
        return False


def _named(row: Any) -> dict[str, Any]:
    return {"number": row["number"], "title": row["title"]}


def _ids(said: Any) -> list[int]:
    return [row[0] for row in db.session.execute(said)]


def readers_of(owner_id: int) -> list[int]:
    """The users that an owner stands for: himself, or the members of the group."""
    is_group = db.session.execute(select(Group.id).where(Group.id == owner_id)).first() is not None
    return members_of(owner_id) if is_group else [owner_id]


def staff(ids: Iterable[int], but: int | None = None) -> list[Any]:
    """The users to whom a letter can go."""
    wanted = [id for id in ids if id != but]
    said = select(User.id, User.email, User.locale).where(
        User.id.in_(wanted), ~User.archived, User.deleted_at.is_(None)
    )
    return list(db.session.execute(said)) if wanted else []


def _letters(people: list[Any], sentence: str, values: dict[str, Any], text: str, key: str) -> None:
    """A letter to each; its subject is the sentence in the reader's language, filled with `values`."""
    row = default_row()
    if row is None:
        return
    sender = Address(row.address, row.display_name or "")
    for person in people:
        with speaking(person.locale or config.current().locale):
            subject = one_line(_(sentence, **values))[:300]
        try:
            letter = Letter(Address(person.email), subject, text + "\n")
        except BadAddress:
            continue
        singles.put_letter(db.session, letter, sender, dedupe_key=f"{key}:{person.id}")


def _link(id: int | str) -> str:
    return f"{config.current().base_url.rstrip('/')}/crm/tickets/{id}".rstrip("/")


@task("tickets.clock", every=60)
def run_clock(progress: Progress) -> str:
    """Mark and tell what has become overdue: one statement finds it, each ticket is told once."""
    table, now = modules["tickets"].table, clock.now()
    count = 0
    for column, mark, sentence in (
        (table.c.due_at, "overdue", N_("Ticket %(number)s is overdue: %(title)s")),
        (table.c.respond_by_at, "answer_overdue", N_("Ticket %(number)s waits for its first answer: %(title)s")),
    ):
        late: tuple[Any, ...] = (table.c.state == "open", column < now, ~table.c[mark], table.c.deleted_at.is_(None))
        if mark == "answer_overdue":
            late = (*late, table.c.first_answer_at.is_(None))
        said = update(table).where(*late).values({mark: True}).returning(
            table.c.id, table.c.number, table.c.title, table.c.owner_id, column.label("due")
        )  # fmt: skip
        for row in db.session.execute(said).all():
            count += 1
            if row.owner_id is not None:
                named = {"number": row.number, "title": row.title}
                key = f"tickets:{mark}:{row.id}:{row.due.isoformat()}"
                _letters(staff(readers_of(row.owner_id)), sentence, named, _link(row.id), key)
    return f"{count} tickets overdue"
