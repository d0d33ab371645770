"""What documents hold about persons: certificates; and the form in exports. (A made document is a file of its record, and goes with it.)"""

from collections.abc import Mapping

from crm.documents import personal_form, verifying
from crm.modules.privacy import exporting
from crm.modules.privacy.holdings import Holding, excuse, register, register_eraser
from crm.modules.privacy.person import Person
from crm.words import N_


def erase(person: Person) -> Mapping[str, int]:
    """Certificates go with their files."""
    return {"certificates": verifying.forget(list(person.ids))}


register(
    Holding("certificates", "contact_id", N_("Certificates"), ("number", "event_id", "issued_at", "sent_at", "revoked_at")),
)  # fmt: skip
excuse(
    "links to events, attendees and templates: no persons, or those of contact_id",
    "certificates.event_id", "certificates.attendee_id", "certificates.template_id", "document_templates.event_id",
)  # fmt: skip
register_eraser(erase)
exporting.add_form(personal_form.form_of)
