"""A form as it is shown: its fields that still exist in the CRM, its texts in a language, the changes of a variant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import or_, select

from crm.db import db
from crm.engine import picklists
from crm.engine.fields import Field
from crm.engine.refusals import Missing, UnknownName
from crm.engine.registry import modules
from crm.words import _, speaking
from web_tracking.forms.tables import FormOldKey, FormVariant
from web_tracking.forms.website_form_fields import WebsiteFormField
from web_tracking.forms.website_forms import WebsiteForm

FORMS, FIELDS = WebsiteForm.__table__, WebsiteFormField.__table__
VARIANTS, OLD_KEYS = FormVariant.__table__, FormOldKey.__table__
TEXTS = ("title", "intro", "button", "thanks", "consent_text")
LANGUAGES = ("en", "fi")
FIRST = "A"  # the form as it is
BESIDE = "-"  # the same, for visitors whom variants are not tried on: they speak another language than their texts
PLAIN = "+"  # sent from plain HTML, whose views nobody counts
NOT_ASKED_KINDS = frozenset({"owner", "user", "link", "file", "conditions", "html", "source"})
# What people do not say of themselves: consent has a box of its own, the rest is what the house thinks or keeps.
NOT_ASKED = frozenset({
    "number", "email_key", "email_status", "email_opt_out", "email_opt_out_source", "email_opt_in", "email_opt_in_source",
    "may_measure_opens", "may_measure_opens_source", "may_measure_opens_wording", "lead_status", "lead_source", "rating",
    "temperature", "contact_type", "account_type", "passive", "reference", "reference_customer", "notify_owner", "archived",
    "payment_term_days", "currency",
})  # fmt: skip
FILLS_IN = {  # what browsers fill in by themselves
    "first_name": "given-name", "last_name": "family-name", "email": "email", "phone": "tel", "mobile": "tel",
    "company": "organization", "name": "organization", "title": "organization-title", "website": "url",
    "street": "street-address", "mailing_street": "street-address", "postal_code": "postal-code",
    "mailing_postal_code": "postal-code", "city": "address-level2", "mailing_city": "address-level2",
    "country": "country-name", "mailing_country": "country-name", "salutation": "honorific-prefix",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One field of a form. `field`: of the CRM; None when it does not exist there any more."""

    id: int
    name: str
    required: bool
    row: Mapping[str, Any]
    field: Field | None
    language: str = ""

    @property
    def label(self) -> str:
        """The words beside the box: those of the form, else those of the CRM in the language that is spoken."""
        own = _said(self.row, "label", self.language)
        return own or (_(self.field.label) if self.field is not None else self.name)

    @property
    def help(self) -> str:
        return _said(self.row, "help", self.language) or ""

    @property
    def kind(self) -> str:
        return self.field.kind.name if self.field is not None else ""

    @property
    def fills_in(self) -> str:
        return FILLS_IN.get(self.name, "off")

    @property
    def most(self) -> int:
        """The most characters that fit; 0: it is no text."""
        if self.field is None or self.kind not in {"text", "long_text", "email", "phone", "website"}:
            return 0
        return self.field.max or 5000

    @property
    def options(self) -> list[tuple[str, str]]:
        """(key, label) of a picklist's values."""
        if self.field is None or not self.field.picklist:
            return []
        return [(one.key, _(one.label or one.key)) for one in picklists.choices(self.field.picklist)]


@dataclass(frozen=True)
class Design:
    """A form in a language and a variant. `asked`: its fields; `shown`: those that can be shown."""

    row: Mapping[str, Any]
    asked: tuple[Asked, ...]
    language: str
    variants: tuple[Mapping[str, Any], ...] = ()
    letter: str = FIRST
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @cached_property
    def shown(self) -> list[Asked]:
        left_out = set(self.changes.get("left_out") or ())
        return [one for one in self.asked if one.field is not None and one.name not in left_out]

    @cached_property
    def labels(self) -> dict[str, str]:
        """The words of each field, by its name."""
        return {one.name: one.label for one in self.asked}

    def text(self, name: str) -> str:
        """A text of the form in the language; a variant may have another one."""
        return str(self.changes.get(name) or _said(self.row, name, self.language) or "")

    @property
    def wording(self) -> str:
        return self.text("consent_text").strip()


def _said(row: Mapping[str, Any], name: str, language: str) -> str:
    said = (row.get("translations") or {}).get(language) or {}
    return str(said.get(name) or row.get(name) or "")


def may_be_asked(entity: str, name: str) -> Field | None:
    """The field of `entity` called `name` when a form may ask for it; None for any other."""
    if entity not in modules:
        return None
    try:
        said = modules[entity].field(name)
    except UnknownName:
        return None
    return said if said.name == name and is_asked(said) else None


def is_asked(said: Field) -> bool:
    """Whether strangers may fill in this field."""
    return not said.read_only and said.kind.name not in NOT_ASKED_KINDS and said.name not in NOT_ASKED


def offered(entity: str) -> list[Field]:
    """The fields that forms of `entity` can have, in the order of its card."""
    module = modules[entity]
    inside = [name for block in module.form for name in block.fields]
    known = module.fields
    ordered = [known[name] for name in inside if name in known]
    ordered += [said for name, said in known.items() if name not in inside]
    return [said for said in ordered if is_asked(said)]


def load(form_id: int, language: str | None = None, letter: str = FIRST) -> Design:
    """The form with this id, whatever its state. Raises Missing."""
    said = select(FORMS).where(FORMS.c.id == form_id, FORMS.c.deleted_at.is_(None))
    row = db.session.execute(said).mappings().first()
    if row is None:
        raise Missing
    spoken = language if language in LANGUAGES else str(row["language"] or "en")
    fields = db.session.execute(select(FIELDS).where(FIELDS.c.form_id == form_id).order_by(FIELDS.c.place, FIELDS.c.id))
    asked = tuple(
        Asked(one["id"], one["name"], one["required"], dict(one), may_be_asked(row["entity"], one["name"]), spoken)
        for one in fields.mappings()
    )
    rows = db.session.execute(select(VARIANTS).where(VARIANTS.c.form_id == form_id).order_by(VARIANTS.c.letter))
    variants = tuple(dict(one) for one in rows.mappings())
    changes = next((one for one in variants if one["letter"] == letter), None)
    return Design(dict(row), asked, spoken, variants, letter if changes else FIRST, changes or {})


def find(key: str) -> tuple[int, bool] | None:
    """(form, is it open) by a key, one that was replaced included; None for a key that never was."""
    said = select(FORMS.c.id, FORMS.c.key, FORMS.c.state, FORMS.c.deleted_at)
    old = select(OLD_KEYS.c.form_id).where(OLD_KEYS.c.key == key).scalar_subquery()
    row = db.session.execute(said.where(or_(FORMS.c.key == key, FORMS.c.id == old)).limit(1)).first()
    if row is None:
        return None
    return row.id, row.key == key and row.state == "open" and row.deleted_at is None


def missing_for(design: Design) -> list[str]:
    """Sentences for who builds: what the form does not ask although records need it, and what is gone from the CRM."""
    entity = design.row["entity"]
    module = modules[entity]
    names = {one.name for one in design.asked if one.field is not None}
    said = [
        _("The CRM has no field “%(name)s” for forms any more; visitors do not see it.", name=one.name)
        for one in design.asked
        if one.field is None
    ]
    if entity in {"contacts", "leads"} and "email" not in names:
        said.append(_("Without an e-mail address nobody is recognised: every submission makes a new record."))
    for one in module.fields.values():
        if not one.required or one.name in names or one.default is not None:
            continue
        if one.name == "last_name" and "email" in names:
            said.append(_("Without a last name the first part of the e-mail address stands in its place."))
        elif one.name == "company" and "email" in names:
            said.append(_("Without a company the domain of the e-mail address stands in its place."))
        elif is_asked(one):
            said.append(_("Records need “%(label)s”; submissions without it fail.", label=_(one.label)))
    return said


def spoken(language: str) -> Any:
    """A context in which the house's own words are in the language of the form."""
    return speaking(language)
