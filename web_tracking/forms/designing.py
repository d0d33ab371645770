"""The one writer of fields, translations, variants and keys of website forms. All take the viewer first; the caller commits.

Raises Missing, Forbidden, Refused.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from crm import clock
from crm.db import db, id_inserted
from crm.engine import history, search
from crm.engine.channels import Channel
from crm.engine.permissions import demand, scope
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _
from web_tracking.forms.design import FIELDS, FORMS, LANGUAGES, OLD_KEYS, TEXTS, VARIANTS, load, may_be_asked

MOST_FIELDS, MOST_VARIANTS = 40, 5
LONGEST = {"label": 200, "help": 300, "title": 200, "intro": 2000, "button": 60, "thanks": 2000, "consent_text": 2000}
USUAL = {
    "leads": (("first_name", False), ("last_name", True), ("email", True), ("company", False), ("phone", False), ("description", False)),
    "contacts": (("first_name", False), ("last_name", True), ("email", True), ("phone", False), ("description", False)),
    "accounts": (("name", True), ("email", True), ("phone", False), ("website", False), ("description", False)),
}  # fmt: skip


def open_for(viewer: Viewer, form_id: int) -> Mapping[str, Any]:
    """The form's row. Raises Missing, Forbidden when the viewer may not edit it."""
    module = modules["website_forms"]
    demand(viewer, "edit", module)
    said = select(FORMS).where(FORMS.c.id == form_id, FORMS.c.deleted_at.is_(None))
    narrowing = scope(viewer, module, "edit")
    row = db.session.execute(said if narrowing is None else said.where(narrowing)).mappings().first()
    if row is None:
        search.one(viewer, module, form_id, columns=("name",))
        demand(viewer, "edit", module)
        raise Missing
    return dict(row)


def add_usual(viewer: Viewer, form_id: int) -> None:
    """The fields that most forms begin with, where the form has none."""
    row = open_for(viewer, form_id)
    if not _ids(form_id):
        for name, required in USUAL[row["entity"]]:
            add_field(viewer, form_id, name, required=required)


def add_field(viewer: Viewer, form_id: int, name: str, required: bool = False) -> int:
    """A field at the end."""
    row = open_for(viewer, form_id)
    if may_be_asked(row["entity"], name) is None:
        raise Refused.because("unknown", _("Choose a field of the list."), "name")
    held = list(db.session.execute(select(FIELDS.c.name).where(FIELDS.c.form_id == form_id)).scalars())
    if name in held:
        raise Refused.because("not_unique", _("The form asks for this already."), "name")
    if len(held) >= MOST_FIELDS:
        raise Refused.because("too_many", _("A form has at most %(most)s fields.", most=MOST_FIELDS), "name")
    values = {"form_id": form_id, "name": name, "place": len(held) + 1, "required": required, "translations": {}}
    made = id_inserted(insert(FIELDS).values(values))
    _note(viewer, form_id)
    return made


def change_field(viewer: Viewer, form_id: int, field_id: int, values: Mapping[str, Any]) -> None:
    """Change `label`, `help`, `required`, `translations` ({language: {"label", "help"}})."""
    open_for(viewer, form_id)
    fresh: dict[str, Any] = {}
    for name in ("label", "help"):
        if name in values:
            fresh[name] = _checked(str(values[name] or ""), name)
    if "required" in values:
        fresh["required"] = bool(values["required"])
    if "translations" in values:
        fresh["translations"] = _translations(values["translations"], ("label", "help"))
    said = update(FIELDS).where(FIELDS.c.id == field_id, FIELDS.c.form_id == form_id)
    if not fresh or not db.session.execute(said.values(fresh)).rowcount:  # type: ignore[attr-defined]
        raise Missing
    _note(viewer, form_id)


def remove_field(viewer: Viewer, form_id: int, field_id: int) -> None:
    """Take a field off the form; what was sent in it before stays in the submissions."""
    open_for(viewer, form_id)
    said = delete(FIELDS).where(FIELDS.c.id == field_id, FIELDS.c.form_id == form_id)
    if not db.session.execute(said).rowcount:  # type: ignore[attr-defined]
        raise Missing
    _place(_ids(form_id))
    _note(viewer, form_id)


def arrange(viewer: Viewer, form_id: int, order: Sequence[int]) -> None:
    """Put the fields into this order; those that are not named come after."""
    open_for(viewer, form_id)
    held = _ids(form_id)
    wanted = [one for one in dict.fromkeys(order) if one in held]
    _place([*wanted, *(one for one in held if one not in wanted)])
    _note(viewer, form_id)


def move(viewer: Viewer, form_id: int, field_id: int, step: int) -> None:
    """One place up (-1) or down (1)."""
    ids = _ids(form_id)
    if field_id not in ids:
        raise Missing
    at = ids.index(field_id)
    to = max(0, min(len(ids) - 1, at + step))
    ids.insert(to, ids.pop(at))
    arrange(viewer, form_id, ids)


def translate(
    viewer: Viewer, form_id: int, language: str, texts: Mapping[str, str], labels: Mapping[int, Mapping[str, str]]
) -> None:
    """Texts of the form (`texts`) and of its fields (`labels`: id → label, help) in another language."""
    row = open_for(viewer, form_id)
    if language not in LANGUAGES:
        raise Missing
    said = {**(row["translations"] or {}), language: {name: texts.get(name, "") for name in TEXTS}}
    fresh = _translations(said, TEXTS)
    db.session.execute(update(FORMS).where(FORMS.c.id == form_id).values(translations=fresh))
    for one in load(form_id).asked:
        mine = {**(one.row["translations"] or {}), language: dict(labels.get(one.id, {}))}
        values = _translations(mine, ("label", "help"))
        db.session.execute(update(FIELDS).where(FIELDS.c.id == one.id).values(translations=values))
    _note(viewer, form_id)


def add_variant(viewer: Viewer, form_id: int, values: Mapping[str, Any]) -> str:
    """Another way to show the form; gives its letter."""
    open_for(viewer, form_id)
    letters = set(db.session.execute(select(VARIANTS.c.letter).where(VARIANTS.c.form_id == form_id)).scalars())
    free = [one for one in "BCDEFGHIJKLMNOPQRSTUVWXYZ" if one not in letters]
    running = db.session.execute(
        select(func.count()).where(VARIANTS.c.form_id == form_id, VARIANTS.c.active)
    ).scalar_one()
    if not free or running >= MOST_VARIANTS:
        raise Refused.because("too_many", _("At most %(most)s variants run at once.", most=MOST_VARIANTS))
    names = {one.name for one in load(form_id).asked if not one.required}
    fresh: dict[str, Any] = {name: _checked(str(values.get(name) or ""), name) for name in ("title", "intro", "button")}
    fresh["left_out"] = sorted(names & set(values.get("left_out") or ()))
    if not any(fresh.values()):
        raise Refused.because("required", _("Say what is different: a text, or a field that is left out."))
    letter = free[0]
    db.session.execute(insert(VARIANTS).values(form_id=form_id, letter=letter, active=True, **fresh))
    _note(viewer, form_id)
    return letter


def switch_variant(viewer: Viewer, form_id: int, letter: str, active: bool) -> None:
    """Let a variant run or rest; its numbers stay."""
    open_for(viewer, form_id)
    said = update(VARIANTS).where(VARIANTS.c.form_id == form_id, VARIANTS.c.letter == letter)
    if not db.session.execute(said.values(active=active)).rowcount:  # type: ignore[attr-defined]
        raise Missing
    _note(viewer, form_id)


def renew_key(viewer: Viewer, form_id: int) -> str:
    """Another key: pages and scripts with the one before say that they are closed."""
    row = open_for(viewer, form_id)
    key = secrets.token_hex(8)
    db.session.execute(insert(OLD_KEYS).values(key=row["key"], form_id=form_id, revoked_at=clock.now()))
    db.session.execute(update(FORMS).where(FORMS.c.id == form_id).values(key=key))
    _note(viewer, form_id, "key revoked")
    return key


def _ids(form_id: int) -> list[int]:
    said = select(FIELDS.c.id).where(FIELDS.c.form_id == form_id).order_by(FIELDS.c.place, FIELDS.c.id)
    return list(db.session.execute(said).scalars())


def _place(ids: Sequence[int]) -> None:
    for place, id in enumerate(ids, 1):
        db.session.execute(update(FIELDS).where(FIELDS.c.id == id).values(place=place))


def _checked(text: str, name: str) -> str | None:
    text = text.strip()
    if len(text) > LONGEST[name]:
        message = _("This takes at most %(most)s characters; there are %(count)s.", most=LONGEST[name], count=len(text))
        raise Refused.because("too_long", message, name)
    return text or None


def _translations(said: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[str, str]]:
    found = {
        language: {
            name: text for name in names if (text := _checked(str((said[language] or {}).get(name) or ""), name))
        }
        for language in said
        if language in LANGUAGES
    }
    return {language: texts for language, texts in found.items() if texts}


def _note(viewer: Viewer, form_id: int, event: str = "form changed") -> None:
    history.note_events(viewer, modules["website_forms"], [form_id], event, Channel.FORM, clock.now())
