"""Table of contents of the house: its modules and staff pages in menu order, by dotted name, and its kinds of links.

Rooms outside of crm are named here and never imported: `load()` fetches them by name.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from flask import Blueprint

from crm.engine.registry import Registry, modules

MODULES = (
    "crm.modules.accounts",
    "crm.modules.contacts",
    "crm.modules.leads",
    "crm.modules.activities",
    "crm.modules.potentials",
    "crm.modules.products",
    "crm.modules.tickets",
    "crm.modules.tickets.comments",
    "crm.modules.faqs",
    "crm.modules.service_requests",
    "crm.modules.service_requests.steps",
    "crm.modules.service_requests.notes",
    "crm.modules.service_requests.feedback",
    "crm.modules.service_requests.statuses",
    "crm.modules.service_requests.categories",
    "crm.modules.service_requests.types",
    "crm.modules.service_requests.transitions",
    "crm.modules.service_requests.areas",
    "crm.modules.service_requests.absences",
    "crm.modules.cases",
    "crm.modules.campaigns",
    "crm.modules.campaign_members",
    "crm.modules.target_groups",
    "crm.modules.target_group_members",
    "crm.modules.events.invitation_events",
    "crm.modules.events.mass_events",
    "crm.modules.events.attendees",
    "crm.modules.events.event_personnel",
    "crm.modules.events.event_times",
    "crm.modules.events.event_triggers",
    "crm.documents.templates",
    "crm.documents.certificates",
    "ecp.modules.sendouts",
    "ecp.modules.autoresponders",
    "crm.modules.deliveries",
    "crm.modules.opens",
    "crm.modules.clicks",
    "crm.modules.opt_ins",
    "ecp.modules.portal_target_groups",
    "ecp.modules.portal_target_group_members",
    "crm.modules.email_templates",
    "crm.modules.html_snippets",
    "crm.modules.landing_pages",
    "surveys.modules.surveys",
    "surveys.modules.survey_themes",
    "surveys.modules.survey_pages",
    "surveys.modules.survey_questions",
    "surveys.modules.survey_invitations",
    "surveys.modules.survey_responses",
    "surveys.modules.survey_answers",
    "web_tracking.modules.tracked_sites",
    "web_tracking.modules.tracked_pages",
    "web_tracking.modules.visitors",
    "web_tracking.modules.visits",
    "web_tracking.modules.page_views",
    "web_tracking.forms.website_forms",
    "web_tracking.forms.website_form_fields",
    "web_tracking.forms.form_submissions",
    "web_tracking.scoring.score_rules",
    "web_tracking.scoring.touches",
    "crm.modules.emails",
    "crm.modules.list_types",
    "crm.modules.suppressions",
    "crm.modules.sender_addresses",
    "crm.modules.portals",
    "crm.modules.portals.profiles",
    "crm.modules.portals.portal_users",
    "crm.modules.portals.requests",
    "crm.modules.users",
    "crm.modules.groups",
    "ecp.modules.plans",
)

BLUEPRINTS: tuple[str, ...] = (
    "crm.web.login:bp",
    "crm.web.home:bp",
    "crm.web.own:bp",
    "ecp.web.writing:crm_bp",
    "ecp.web.sendouts:crm_bp",
    "ecp.web.automatic:crm_bp",
    "ecp.web.quick_mailing:bp",
    "ecp.web.mailed_documents:bp",
    "ecp.web.personal_mail:bp",
    "ecp.web.outgoing:crm_bp",
    "ecp.web.person_mails:bp",
    "surveys.web.building:crm_bp",
    "surveys.web.event_answers:bp",
    "web_tracking.web.pages:crm_bp",
    "web_tracking.forms.web.building:crm_bp",
    "web_tracking.scoring.web.pages:crm_bp",
    "crm.web.events:bp",
    "crm.web.event_people:bp",
    "crm.web.event_plans:bp",
    "crm.web.event_sheets:bp",
    "crm.web.tickets:bp",
    "crm.web.service_requests:bp",
    "crm.web.request_numbers:bp",
    "crm.web.cases:bp",
    "crm.web.merging:bp",
    "crm.web.erasing:bp",
    "crm.web.documents:bp",
    "crm.web.mail_merge:bp",
    "crm.web.document_templates:bp",
    "crm.web.certificates:bp",
    "crm.web.lists:bp",
    "crm.web.cards:bp",
    "crm.web.forms:bp",
    "crm.web.imports:bp",
    "crm.web.mass:bp",
    "crm.web.bin:bp",
    "crm.web.exports:bp",
    "crm.web.files:bp",
    "crm.web.pictures:bp",
    "crm.web.people:bp",
    "crm.web.portal_access:bp",
    "crm.web.admin:bp",
    "crm.api.rest:bp",
    "crm.api.soap:bp",
    "ecp.web.api:bp",
    "ecp.web.quick_api:bp",
    "ecp.web.mailed_documents_api:bp",
    "ecp.web.personal_api:bp",
    "ecp.web.warm_up_api:bp",
    "self_service_portal.web.registration_api:bp",
    "crm.api.docs_page:bp",
)
"""Staff pages of the CRM beyond those that every module has: "crm.web.home:bp". Later ones win nothing: names are unique."""

RULES = ("crm.modules.language_versions:attach", "ecp.modules.mail_rules:attach", "surveys.mails:attach")
"""Rules that outer rooms lay on modules declared in crm: each is called with the registry before it is closed."""

TASKS: tuple[str, ...] = ("ecp.pipeline.worker", "ecp.merged", "ecp.settling", "ecp.personal.sending", "ecp.automatic.run", "crm.modules.opt_ins.asking", "ecp.bounces.run", "surveys.mails", "surveys.reactions", "ecp.domains.checking", "crm.engine.form_posts", "crm.modules.portals.access", "crm.modules.portals.opening", "crm.modules.portals.registering",
    "crm.documents.making", "crm.documents.mail_merge", "crm.documents.certifying", "crm.documents.sign_in", "crm.documents.conversation", "crm.modules.events.row_places", "crm.modules.tickets.answering", "crm.modules.tickets.telling", "crm.modules.tickets.receipts", "crm.modules.service_requests.telling", "crm.modules.cases.telling", "crm.modules.tickets.scanning.run",
    "web_tracking.rolling_up", "web_tracking.keeping", "web_tracking.letting_go", "web_tracking.introducing", "web_tracking.forms.making", "web_tracking.forms.touching", "web_tracking.forms.keeping", "web_tracking.scoring.tasks", "crm.modules.intakes.tables", "crm.modules.target_groups.keeping_fresh",
)  # fmt: skip
"""Files of outer rooms whose tasks workers must know by name (those of inner rooms are imported by their callers)."""

PRIVACY: tuple[str, ...] = (
    "crm.modules.contacts.merging",
    "crm.modules.privacy.own",
    "crm.modules.opt_ins.privacy",
    "crm.modules.intakes.privacy",
    "crm.modules.privacy.erasing",
    "crm.modules.privacy.coming_back",
    "crm.modules.privacy.exporting",
    "crm.modules.privacy.codes",
    "crm.documents.privacy",
    "crm.modules.service_requests.privacy",
    "crm.modules.tickets.privacy",
    "surveys.privacy",
    "ecp.privacy",
    "web_tracking.privacy",
    "web_tracking.forms.privacy",
    "web_tracking.scoring.privacy",
)
"""Files in which rooms say what they hold about persons (crm/modules/privacy/holdings.py): a table with a link to contacts or
leads is declared in one of them."""

LINK_KINDS: dict[str, str] = {
    "me": "self_service_portal.links:me_link",
    "survey": "surveys.links:of_delivery",
    "event_join": "crm.modules.events.links:join_link",
    "event_decline": "crm.modules.events.links:decline_link",
}
"""Kinds of personal links in mails that outer rooms make: "me" → "self_service_portal.links:me_url"; written `{$links.me}`
or `{$links.survey:<id>}`. Called with the delivery id and what stands after the colon ("" when nothing), and by name
`sealer` (crm.identity.sealing) and `base_url`: mails are rendered without an app context and touch no database."""

VISITS = "web_tracking.recognising:of_person"
"""What makes the browser of somebody who is known here known on followed sites: (way, person id) → the value of the parameter
"ch_visit" in an address, "" where no site is followed. For rooms that do not know web tracking."""


def load() -> Registry:
    """Fill the registry with every module, once a process, and check that all names lead somewhere.

    Raises BadDeclaration with a sentence that names the module and what is wrong with it.
    """
    if not modules.is_closed:
        for name in MODULES:
            modules.add(import_module(name).MODULE)
        for name in RULES:
            named(name)(modules)
        modules.close()
        for name in (*TASKS, *PRIVACY):
            import_module(name)
    return modules


def blueprints() -> Iterator[Blueprint]:
    """The staff pages of the CRM, in menu order."""
    for name in BLUEPRINTS:
        yield named(name)


def link_maker(kind: str) -> Callable[..., str] | None:
    """The function that makes links of `kind`, or None when no room of this house makes them."""
    return named(LINK_KINDS[kind]) if kind in LINK_KINDS else None


def named(place: str) -> Any:
    """What stands at a dotted place, "package.module:name"."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
