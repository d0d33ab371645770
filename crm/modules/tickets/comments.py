"""Comments of tickets: the thread between agents and customer (public), and what agents say among themselves (internal)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, UtcDateTime, db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Module, PortalExposure, Related, Timeline
from crm.engine.record import Ledger

VISIBILITIES = PicklistSeed.of(
    "comment_visibility", "Who sees a comment",
    Choice("public", "The customer too", "green"), Choice("internal", "Staff only", "yellow"),
)  # fmt: skip
AUTHORS = PicklistSeed.of(
    "comment_author", "Who wrote a comment",
    Choice("staff", "Staff", "blue"), Choice("customer", "The customer", "green"), Choice("house", "The house", "secondary"),
)  # fmt: skip
FLAGS = PicklistSeed.of(
    "comment_flag", "Mark of a comment",
    Choice("unverified", "Sender not verified", "red"), Choice("automatic", "Automatic mail", "secondary"),
    Choice("bounce", "Not delivered", "red"), Choice("refers", "Refers to another ticket", "yellow"),
    Choice("dropped", "Attachments dropped", "yellow"), Choice("unsent", "Not mailed", "red"),
)  # fmt: skip


class TicketComment(Ledger):
    """One comment. What was removed keeps its row as a mark, without text. Its files are in ticket_comment_files only."""

    __tablename__ = "ticket_comments"
    __table_args__ = (Index("ix_ticket_comments_thread", "ticket_id", "at", "id"),)
    ticket_id: Mapped[int] = f.link("Ticket", to="tickets", on_delete="CASCADE")
    at: Mapped[datetime] = f.moment("When")
    visibility: Mapped[str] = f.picklist("Who sees it", "comment_visibility", default="internal")
    author: Mapped[str] = f.picklist("Written by", "comment_author", default="staff")
    user_id: Mapped[int | None] = f.user("User")
    contact_id: Mapped[int | None] = f.link("Contact", to="contacts")
    author_name: Mapped[str | None] = f.text("Name", max=160)
    text: Mapped[str | None] = f.long_text("Text", in_lists=False)
    quoted: Mapped[str | None] = f.long_text("What it quotes", in_lists=False)
    html: Mapped[str | None] = f.html("Formatted text", in_lists=False, max=1_200_000)
    source: Mapped[str] = f.picklist("Came by", "ticket_source", default="crm")
    flag: Mapped[str | None] = f.picklist("Mark", "comment_flag")
    note: Mapped[str | None] = f.text("Note of the house", max=500)
    edited_at: Mapped[datetime | None] = f.moment("Changed at")
    removed_at: Mapped[datetime | None] = f.moment("Removed at")


class CommentFile(db.Model):  # type: ignore[name-defined, misc]
    """That a file came with a comment; who sees the comment may have the file, nobody else."""

    __tablename__ = "ticket_comment_files"
    comment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("ticket_comments.id", ondelete="CASCADE"), primary_key=True
    )
    file_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class TicketMail(db.Model):  # type: ignore[name-defined, misc]
    """A mail about a ticket that we wrote: by its Message-ID answers find home, by its times loops are noticed."""

    __tablename__ = "ticket_mails"
    __table_args__ = (
        Index("ix_ticket_mails_to", "email_key", "at"),
        Index("ix_ticket_mails_ticket", "ticket_id", "at"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id", ondelete="CASCADE"))
    comment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("ticket_comments.id", ondelete="SET NULL"))
    delivery_id: Mapped[int] = mapped_column(BigId, index=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    email_key: Mapped[str] = mapped_column()
    is_automatic: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


MODULE = Module(
    TicketComment,
    label="Ticket comment",
    plural="Ticket comments",
    icon="message",
    title="author_name",
    parent="ticket_id",
    columns=("ticket_id", "at", "visibility", "author", "author_name", "source", "flag"),
    sort=("-at",),
    shows_on={
        "tickets": Related(
            by="ticket_id", tab=False,
            timeline=Timeline("at", "Comment of {author_name}", icon="message", category="comment", columns=("author_name",)),
        ),
    },
    picklists=(VISIBILITIES, AUTHORS, FLAGS),
    portal=PortalExposure(
        through="ticket_id", through_module="tickets", where=where("visibility", "is", "public"),
        fields=("ticket_id", "at", "author", "author_name", "contact_id", "text", "source"),
    ),
    importable=False,
)  # fmt: skip
