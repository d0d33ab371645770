"""Our fields and picklists in the words of the SOAP interface."""

import json

from sqlalchemy import select

from crm.api.soap.envelope import CrmField, Fault, PicklistValue
from crm.db import db
from crm.engine import picklists
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.permissions import writable
from crm.engine.picklists import Picklist
from crm.identity.viewer import Viewer
from crm.modules.intakes.offering import is_required
from crm.ui.i18n import LANGUAGES
from crm.words import _, speaking

_KINDS = {  # our kind → (what connectors call it, the number they know it by)
    "text": ("Text", 1), "long_text": ("Text", 21), "html": ("Text", 21), "source": ("Text", 21), "whole": ("Number", 7),
    "number": ("Number", 7), "money": ("Number", 7), "percent": ("Number", 9), "day": ("Date", 5), "moment": ("DateTime", 5),
    "time": ("Time", 2), "phone": ("Text", 11), "email": ("Text", 13), "website": ("Text", 17), "checkbox": ("Checkbox", 56),
    "picklist": ("Select", 15), "multi": ("MultiSelect", 33), "owner": ("User", 53), "user": ("User", 101), "link": ("Link", 10),
}  # fmt: skip
_COUNTRIES = {"en": "us"}  # the rest are called after themselves: fi_fi


def fields_of(viewer: Viewer, module: Module) -> list[CrmField]:
    """The fields that may be set in a new record, by label."""
    allowed, lists = writable(viewer, module), _numbers()
    found = [
        _field(said, lists) for name, said in module.fields.items() if name in allowed and said.kind.name in _KINDS
    ]
    return sorted(found, key=lambda one: one.label.casefold())


def _field(said: Field, lists: dict[str, int]) -> CrmField:
    datatype, uitype = _KINDS[said.kind.name]
    label = str(said.label)
    return CrmField(
        active=True, custom=said.custom, datatype=datatype, label=label, lenght=said.max or 0, name=said.name,
        picklist_id=lists.get(said.picklist or "", 0), readonly=False, required=is_required(said),
        translations=json.dumps(_in_languages(label)), uitype=uitype,
    )  # fmt: skip


def values_of(number: int, locale: str) -> list[PicklistValue]:
    """The choices of a list, labelled in `locale` ("fi_fi"). Raises Fault."""
    name = next((name for name, id in _numbers().items() if id == number), None)
    if name is None:
        raise Fault("Client.NotFound", f"There is no picklist {number}.")
    with speaking(language_of(locale)):
        return [
            PicklistValue(at, _(one.label or one.key), one.key) for at, one in enumerate(picklists.choices(name), 1)
        ]


def language_of(locale: str) -> str:
    """Our language of a locale; English for one that we do not speak."""
    said = locale[:2].lower()
    return said if said in LANGUAGES else "en"


def _numbers() -> dict[str, int]:
    table = Picklist.__table__
    return {row.name: row.id for row in db.session.execute(select(table.c.name, table.c.id))}


def _in_languages(label: str) -> dict[str, str]:
    """Clients compare the names of locales letter by letter, and write them in two ways."""
    made: dict[str, str] = {}
    for language in LANGUAGES:
        with speaking(language):
            said = _(label)
        country = _COUNTRIES.get(language, language)
        made |= {f"{language}_{country}": said, f"{language}_{country.upper()}": said}
    return made
