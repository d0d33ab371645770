"""The knowledge base: questions and answers. Staff write them, customers read those that are published."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, db
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, ManyLink, Module, PortalExposure, Related
from crm.engine.record import Record

STATUSES = PicklistSeed.of(
    "faq_status", "Status of a FAQ",
    Choice("Draft", colour="secondary"), Choice("Reviewed", colour="azure"), Choice("Published", colour="green"),
    Choice("Obsolete", colour="yellow"),
)  # fmt: skip
CATEGORIES = PicklistSeed.of("faq_category", "FAQ category", "General")


class Faq(Record):
    """One question with its answer."""

    __tablename__ = "faqs"
    question: Mapped[str] = f.text("Question", max=255)
    answer: Mapped[str] = f.long_text("Answer")
    category: Mapped[str | None] = f.picklist("Category", "faq_category", default="General")
    product_id: Mapped[int | None] = f.link("Product", to="products")
    status: Mapped[str] = f.picklist("Status", "faq_status", default="Draft", audited=True, indexed=True)
    language: Mapped[str | None] = f.picklist("Language", "language")
    source_ticket_id: Mapped[int | None] = f.link("Made from", to="tickets")
    views: Mapped[int | None] = f.whole("Times read", read_only=True)
    helpful_yes: Mapped[int | None] = f.whole("Was of help", read_only=True)
    helpful_no: Mapped[int | None] = f.whole("Was of no help", read_only=True)


class FaqVote(db.Model):  # type: ignore[name-defined, misc]
    """That a contact said whether an answer was of help; one word each, the last one counts."""

    __tablename__ = "faq_votes"
    faq_id: Mapped[int] = mapped_column(BigId, ForeignKey("faqs.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_helpful: Mapped[bool] = mapped_column()


MODULE = Module(
    Faq,
    label="FAQ",
    plural="FAQs",
    menu="Service",
    prefix="FAQ",
    icon="help-circle",
    title="question",
    columns=("question", "category", "product_id", "status", "language", "updated_at"),
    facts=("status", "category", "product_id", "language", "helpful_yes", "helpful_no"),
    form=(
        Block("FAQ", ("question", "answer", "category", "product_id", "status", "language", "owner_id")),
        Block("More", ("source_ticket_id", "views", "helpful_yes", "helpful_no")),
    ),
    search=("question", "answer", "number"),
    sort=("question",),
    filters=(
        Filter("published", "Published", where("status", "is", "Published")),
        Filter("drafts", "To be checked", where("status", "one of", ["Draft", "Reviewed"])),
    ),
    actions=(
        Action("publish", "Publish", lambda faq: {"status": "Published"}, when=where("status", "one of", ["Draft", "Reviewed"]), icon="world"),
        Action("withdraw", "Withdraw", lambda faq: {"status": "Obsolete"}, when=where("status", "is", "Published"), icon="ban"),
    ),
    links=(ManyLink("related", "faqs", "related_from", "Related FAQs", "Related from"),),
    shows_on={
        "products": Related(by="product_id", columns=("question", "status", "category")),
        "tickets": Related(by="source_ticket_id", columns=("question", "status", "category")),
    },
    portal=PortalExposure(where=where("status", "is", "Published"), is_split=False),
    picklists=(STATUSES, CATEGORIES),
)  # fmt: skip
