"""What an administrator lays over the declarations: fields of his own (`cf_<n>`, kept in a record's `extra`), and words of his
own for labels in each language."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Boolean, Integer, String, UniqueConstraint, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, db
from crm.engine import fields as f
from crm.engine.fields import Field
from crm.engine.kinds import KINDS
from crm.engine.labels import Label, of_field
from crm.engine.refusals import Fault, Refused
from crm.words import _

CUSTOM_KINDS = (
    "text", "long_text", "html", "whole", "number", "money", "percent", "day", "moment", "time", "phone", "email", "website",
    "checkbox", "picklist", "multi",
)  # fmt: skip
MOST_LABEL = 120  # characters of a label
OPTIONS = {"max", "scale", "least", "most", "picklist", "help", "default", "required", "mass_edit"}


class CustomField(db.Model):  # type: ignore[name-defined]
    """One field that an administrator added to a module."""

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("module", "name"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(120))
    options: Mapped[dict[str, object]] = mapped_column(Json, default=dict)
    is_indexed: Mapped[bool] = mapped_column(Boolean, default=False)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)


class LabelText(db.Model):  # type: ignore[name-defined]
    """What a label is called in a language. `place`: see engine/labels.py."""

    __tablename__ = "label_texts"
    place: Mapped[str] = mapped_column(String(200), primary_key=True)
    language: Mapped[str] = mapped_column(String(10), primary_key=True)
    text: Mapped[str] = mapped_column(String(MOST_LABEL))


class OverlayVersion(db.Model):  # type: ignore[name-defined]
    """One row: which state the overlay is in, so that every process knows when to read it again."""

    __tablename__ = "overlay_version"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, default=0)


@dataclass(frozen=True)
class Laid:
    """The whole overlay. `fields`: module → name → field; `texts`: place → language → text."""

    version: int = 0
    fields: dict[str, dict[str, Field]] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)


NOTHING = Laid()
VERSION = select(OverlayVersion.__table__.c.version)  # asked by every request: built once
PRESENT = VERSION.scalar_subquery().label("overlay_version")  # for a statement that reads something else too
_kept: dict[str, tuple[int, Laid]] = {}


def custom_fields(module: str) -> dict[str, Field]:
    """The active custom fields of `module` by name."""
    return _laid().fields.get(module, {})


def texts_of(label: Label) -> Mapping[str, str]:
    """Language → what an administrator calls it; empty for most."""
    return _laid().texts.get(label.place, {})


def version() -> int:
    """Which overlay the session at hand reads by; another one after every change."""
    return _laid().version


def _laid() -> Laid:
    """Read once per session; nothing outside of an app."""
    try:
        session = db.session()
    except RuntimeError:
        return NOTHING
    known: Laid | None = session.info.get("overlay")
    if known is None:
        known = session.info["overlay"] = _read()
    return known


def know(version: int | None) -> None:
    """What PRESENT gave in this session, so that it need not be asked again."""
    db.session().info["overlay_version"] = version or 0


def _read() -> Laid:
    url = str(db.engine.engine.url)  # also where a connection stands in for the engine
    with db.session.no_autoflush:
        version = db.session().info.pop("overlay_version", None)
        if version is None:
            version = db.session.execute(VERSION).scalar() or 0
        if url in _kept and _kept[url][0] == version and version:
            return _kept[url][1]
        found = Laid(version)
        if version:
            table = CustomField.__table__
            for row in db.session.execute(select(table).where(table.c.is_active).order_by(table.c.id)):
                options = dict(row.options or {})
                required = bool(options.pop("required", False))
                label = of_field(row.module, row.name, row.label)
                made = f.make(row.kind, label, custom=True, indexed=row.is_indexed, **options).named(row.name, required)
                found.fields.setdefault(row.module, {})[row.name] = made
            for row in db.session.execute(select(LabelText.__table__)):
                found.texts.setdefault(row.place, {})[row.language] = row.text
    _kept[url] = (version, found)
    return found


def add_field(module: str, kind: str, label: str, name: str = "", indexed: bool = False, **options: object) -> str:
    """Add a custom field to `module`; gives its technical name (`cf_<n>`). Raises Refused. The caller commits."""
    faults: dict[str, list[Fault]] = {}
    if kind not in CUSTOM_KINDS:
        faults["kind"] = [Fault("not_in_list", _("The kind is one of: %(known)s.", known=", ".join(CUSTOM_KINDS)))]
    if not label.strip() or len(label) > MOST_LABEL:
        faults["label"] = [Fault("required", _("A field needs a label of 1 to 120 characters."))]
    if unknown := set(options) - OPTIONS:
        faults["options"] = [Fault("unknown", _("There is no option “%(name)s”.", name=sorted(unknown)[0]))]
    limit = options.get("max")
    if limit is not None and not (isinstance(limit, int) and 1 <= limit <= (255 if kind == "text" else 65_000)):
        faults["max"] = [Fault("out_of_range", _("The length of a text is 1 to 255 characters."))]
    table = CustomField.__table__
    taken = db.session.execute(select(table.c.label).where(table.c.module == module)).scalars().all()
    if label.strip().lower() in {one.lower() for one in taken}:
        faults["label"] = [Fault("not_unique", _("The module has a field “%(name)s” already.", name=label.strip()))]
    if faults:
        raise Refused(faults)
    if not name:
        last = db.session.execute(select(func.max(table.c.id))).scalar() or 0
        name = f"cf_{last + 1}"
    db.session.execute(
        insert(CustomField).values(
            module=module,
            name=name,
            kind=kind,
            label=label.strip(),
            options=options,
            is_indexed=indexed,
            is_active=True,
        )
    )
    touch()
    return name


def word(said: Mapping[tuple[Label, str], str]) -> int:
    """Word labels: (label, language) → text, "" to go back to the words of the declaration; gives how many texts changed.

    Raises Refused with faults by "<place> <language>". The caller commits; it holds from the next request of everybody on.
    """
    clean = {(label.place, language): " ".join(text.split()) for (label, language), text in said.items()}
    faults = {
        f"{place} {language}": [Fault("too_long", _("At most %(most)s characters.", most=MOST_LABEL))]
        for (place, language), text in clean.items() if len(text) > MOST_LABEL
    }  # fmt: skip
    if faults:
        raise Refused(faults)
    known = _laid().texts
    changed = {at: text for at, text in clean.items() if text != known.get(at[0], {}).get(at[1], "")}
    table = LabelText.__table__
    for place, language in changed:
        db.session.execute(delete(table).where(table.c.place == place, table.c.language == language))
    rows = [{"place": place, "language": language, "text": text} for (place, language), text in changed.items() if text]
    if rows:
        db.session.execute(insert(table), rows)
    if changed:
        touch()
    return len(changed)


def touch() -> None:
    """Tell every process that the overlay has changed (with the caller's commit). A version is never used twice, so
    that one which was rolled back is not taken for its successor."""
    version = secrets.randbits(31)
    changed = db.session.execute(update(OverlayVersion).values(version=version))
    if not changed.rowcount:  # type: ignore[attr-defined]
        db.session.execute(insert(OverlayVersion).values(id=1, version=version))
    for known in ("overlay", "overlay_version"):
        db.session().info.pop(known, None)


__all__ = [
    "CUSTOM_KINDS",
    "KINDS",
    "CustomField",
    "LabelText",
    "add_field",
    "custom_fields",
    "texts_of",
    "touch",
    "word",
]
