"""Tables of website forms that are no modules: variants, counts a day, keys that were replaced, files of submissions."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, UtcDateTime, db


class FormVariant(db.Model):  # type: ignore[name-defined, misc]
    """Another way to show a form, beside the form as it is (A). Empty texts: those of the form. `left_out`: names of fields."""

    __tablename__ = "form_variants"
    __table_args__ = (UniqueConstraint("form_id", "letter"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    form_id: Mapped[int] = mapped_column(BigId, ForeignKey("website_forms.id", ondelete="CASCADE"))
    letter: Mapped[str] = mapped_column(String(2))
    title: Mapped[str | None] = mapped_column(String(200))
    intro: Mapped[str | None] = mapped_column(Text)
    button: Mapped[str | None] = mapped_column(String(60))
    left_out: Mapped[list[str]] = mapped_column(Json, default=list)
    active: Mapped[bool] = mapped_column(default=True)


class FormCount(db.Model):  # type: ignore[name-defined, misc]
    """How often a variant was seen and sent on a day; `what`: views, sent, suspected. Tells of nobody."""

    __tablename__ = "form_counts"
    form_id: Mapped[int] = mapped_column(BigId, ForeignKey("website_forms.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    variant: Mapped[str] = mapped_column(String(2), primary_key=True)
    what: Mapped[str] = mapped_column(String(10), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class FormOldKey(db.Model):  # type: ignore[name-defined, misc]
    """A key that was replaced by another: its address says that it is closed."""

    __tablename__ = "form_old_keys"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    form_id: Mapped[int] = mapped_column(BigId, ForeignKey("website_forms.id", ondelete="CASCADE"), index=True)
    revoked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FormFile(db.Model):  # type: ignore[name-defined, misc]
    """A file that came with a submission."""

    __tablename__ = "form_files"
    file_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    submission_id: Mapped[int] = mapped_column(BigId, ForeignKey("form_submissions.id", ondelete="CASCADE"), index=True)
