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
    "crm.modules.campaigns",
    "crm.modules.campaign_members",
    "crm.modules.target_groups",
    "crm.modules.target_group_members",
    "ecp.modules.sendouts",
    "crm.modules.deliveries",
    "crm.modules.opens",
    "crm.modules.clicks",
    "ecp.modules.portal_target_groups",
    "ecp.modules.portal_target_group_members",
    "crm.modules.email_templates",
    "crm.modules.html_snippets",
    "crm.modules.landing_pages",
    "crm.modules.emails",
    "crm.modules.list_types",
    "crm.modules.suppressions",
    "crm.modules.sender_addresses",
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
    "crm.web.lists:bp",
    "crm.web.cards:bp",
    "crm.web.forms:bp",
    "crm.web.imports:bp",
    "crm.web.mass:bp",
    "crm.web.bin:bp",
    "crm.web.exports:bp",
    "crm.web.files:bp",
    "crm.web.people:bp",
    "crm.web.admin:bp",
    "crm.api.rest:bp",
    "ecp.web.api:bp",
    "crm.api.docs_page:bp",
)
"""Staff pages of the CRM beyond those that every module has: "crm.web.home:bp". Later ones win nothing: names are unique."""

RULES = ("ecp.modules.mail_rules:attach",)
"""Rules that outer rooms lay on modules declared in crm: each is called with the registry before it is closed."""

TASKS: tuple[str, ...] = ("ecp.pipeline.worker", "ecp.senders")
"""Files of outer rooms whose tasks workers must know by name (those of inner rooms are imported by their callers)."""

LINK_KINDS: dict[str, str] = {}
"""Kinds of personal links in mails that outer rooms make: "me" → "self_service_portal.links:me_url"; written `{$links.me}`
or `{$links.survey:<id>}`. Called with the delivery id and what stands after the colon ("" when nothing)."""


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
        for name in TASKS:
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
