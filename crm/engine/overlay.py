"""What an administrator lays over the declarations. Now: fields of his own (`cf_<n>`, kept in a record's `extra`)."""

import secrets

from sqlalchemy import Boolean, Integer, String, UniqueConstraint, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import BigId, Json, db
from crm.engine import fields as f
from crm.engine.fields import Field
from crm.engine.kinds import KINDS
from crm.engine.refusals import Fault, Refused
from crm.words import _

CUSTOM_KINDS = (
    "text", "long_text", "html", "whole", "number", "money", "percent", "day", "moment", "time", "phone", "email", "website",
    "checkbox", "picklist", "multi",
)  # fmt: skip
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


class OverlayVersion(db.Model):  # type: ignore[name-defined]
    """One row: which state the overlay is in, so that every process knows when to read it again."""

    __tablename__ = "overlay_version"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, default=0)


_kept: dict[str, tuple[int, dict[str, dict[str, Field]]]] = {}


def custom_fields(module: str) -> dict[str, Field]:
    """The active custom fields of `module` by name. Read once per session; empty outside of an app."""
    try:
        session = db.session()
    except RuntimeError:
        return {}
    known = session.info.get("custom_fields")
    if known is None:
        known = session.info["custom_fields"] = _read()
    return known.get(module, {})


def _read() -> dict[str, dict[str, Field]]:
    url = str(db.engine.engine.url)  # also where a connection stands in for the engine
    with db.session.no_autoflush:
        version = db.session.execute(select(OverlayVersion.version)).scalar() or 0
        if url in _kept and _kept[url][0] == version and version:
            return _kept[url][1]
        found: dict[str, dict[str, Field]] = {}
        if version:
            table = CustomField.__table__
            for row in db.session.execute(select(table).where(table.c.is_active).order_by(table.c.id)):
                options = dict(row.options or {})
                required = bool(options.pop("required", False))
                made = f.make(row.kind, row.label, custom=True, indexed=row.is_indexed, **options).named(
                    row.name, required
                )
                found.setdefault(row.module, {})[row.name] = made
    _kept[url] = (version, found)
    return found


def add_field(module: str, kind: str, label: str, name: str = "", indexed: bool = False, **options: object) -> str:
    """Add a custom field to `module`; gives its technical name (`cf_<n>`). Raises Refused. The caller commits."""
    faults: dict[str, list[Fault]] = {}
    if kind not in CUSTOM_KINDS:
        faults["kind"] = [Fault("not_in_list", _("The kind is one of: %(known)s.", known=", ".join(CUSTOM_KINDS)))]
    if not label.strip() or len(label) > 120:
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


def touch() -> None:
    """Tell every process that the overlay has changed (with the caller's commit). A version is never used twice, so
    that one which was rolled back is not taken for its successor."""
    version = secrets.randbits(31)
    changed = db.session.execute(update(OverlayVersion).values(version=version))
    if not changed.rowcount:  # type: ignore[attr-defined]
        db.session.execute(insert(OverlayVersion).values(id=1, version=version))
    db.session().info.pop("custom_fields", None)


__all__ = ["CUSTOM_KINDS", "KINDS", "CustomField", "add_field", "custom_fields", "touch"]
