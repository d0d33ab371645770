"""What a portal profile begins with, whichever door makes it: what most houses show to their customers (spec/portal.md 1.3).

Cards and lists of the usual modules, the customer's own way to be reached open for writing, requests and service requests to
make and to talk about, all boxes of the home page. An administrator takes away or adds.
"""

from collections.abc import Mapping
from typing import Any

from crm.engine.module import Module
from crm.engine.portal_rights import is_open_to_customers
from crm.engine.registry import modules

MODULES = ("contacts", "accounts", "tickets", "service_requests", "attendees", "faqs")
"""The modules of a new profile, in the order of the menu."""

BOXES = ("events", "faqs", "links", "service_requests", "surveys", "tickets")
"""The boxes of the home page of a new profile: keys of the boxes that self_service_portal/pages.py offers."""

SHOWN: Mapping[str, tuple[str, ...]] = {
    "contacts": (
        "first_name", "last_name", "title", "email", "phone", "mobile", "language", "mailing_street", "mailing_postal_code",
        "mailing_city", "mailing_country",
    ),
    "potentials": ("name", "stage", "closes_on", "amount", "contact_id"),
    "tickets": (
        "number", "title", "status", "priority", "category", "product_id", "description", "contact_id", "created_at", "updated_at",
    ),
    "service_requests": (
        "number", "title", "status", "category_id", "description", "impact", "urgency", "due_at", "created_at", "updated_at",
    ),
    "faqs": ("question", "answer", "category", "product_id", "updated_at"),
    "accounts": ("name", "business_id", "phone", "website", "email", "billing_street", "billing_postal_code", "billing_city"),
}  # fmt: skip

EDITABLE: Mapping[str, frozenset[str]] = {
    "contacts": frozenset({
        "first_name", "last_name", "title", "email", "phone", "mobile", "language", "mailing_street", "mailing_postal_code",
        "mailing_city", "mailing_country",
    }),
    "tickets": frozenset({"title", "description", "priority", "category", "product_id"}),
    "service_requests": frozenset({"title", "description", "category_id", "impact", "urgency"}),
}  # fmt: skip

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "contacts": ("can_create", "can_edit"),
    "tickets": ("can_create", "can_edit", "can_comment", "can_attach"),
    "service_requests": ("can_create", "can_comment", "can_attach"),
}


def matrix_of(*keys: str) -> dict[str, Any]:
    """The matrix of a profile (portals/matrix.py) that shows the modules `keys` in the usual way; without keys the usual ones."""
    made = {}
    for place, key in enumerate(keys or MODULES):
        module = modules[key]
        names = dict.fromkeys((*module.titles, *SHOWN.get(key, module.columns)))
        made[key] = {
            "enabled": True, "scope": "account" if key == "accounts" else "own", "order": place, "label": {},
            **{tick: tick in ALLOWED.get(key, ()) for tick in ("can_create", "can_edit", "can_comment", "can_attach")},
            "fields": {
                name: {"visible": True, "editable": _is_editable(module, name), "required": False, "order": 0, "default": None}
                for name in names if name in module.fields and name != "owner_id"
            },
        }  # fmt: skip
    return made


def _is_editable(module: Module, name: str) -> bool:
    return name in EDITABLE.get(module.key, ()) and is_open_to_customers(module, name)
