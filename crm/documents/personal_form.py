"""The form about a person in the file of own data: from the house's personal-data template, else the page; as PDF (spec/portal.md 1.10 b)."""

import logging

from crm.documents import converting, making, templates
from crm.engine import search
from crm.engine.refusals import Missing, Refused
from crm.identity.viewer import SYSTEM
from crm.modules.privacy.person import Person

log = logging.getLogger(__name__)
NAME = "personal-data"


def form_of(found: Person, language: str, page: str) -> tuple[str, bytes] | None:
    """(name of the file, its bytes) for an export; `page`: the same data as HTML.

    What is wrong with a template, and a missing LibreOffice, keep no export from its person: the filled template comes as it
    is, the page is in the export anyway.
    """
    for contact_id in found.contact_ids[:1]:
        try:
            made = _from_template(contact_id, language)
        except (Missing, Refused) as wrong:
            log.warning("The personal-data template cannot be filled: %s", wrong)
            continue
        if made is None:
            continue
        try:
            made = making.as_pdf(made)
        except converting.NoEngine as wrong:
            log.warning("The form with personal data is no PDF: %s", wrong)
        return f"{NAME}.{made.format}", made.data
    try:
        return f"{NAME}.pdf", converting.to_pdf([("html", page.encode())])[0]
    except converting.NoEngine as wrong:
        log.warning("The page with personal data is no PDF: %s", wrong)
        return None


def _from_template(contact_id: int, language: str) -> making.Made | None:
    """The filled template: the first active one in the person's language, else the first; None when there is none."""
    row = search.one(SYSTEM, "contacts", contact_id)
    offered = templates.offered(row, ("personal_data",))
    offered.sort(key=lambda one: one["language"] != language)
    return making.filled(SYSTEM, offered[0], contact_id, language) if offered else None
