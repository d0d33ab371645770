"""Who a customer is to the doors: a contact with access to a portal, and what the profile shows of each module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Scope = Literal["own", "account"]


@dataclass(frozen=True)
class Shown:
    """What a portal profile says of one module that it shows. `visible`, `editable`, `required`: names of fields."""

    scope: Scope = "own"
    can_create: bool = False
    can_edit: bool = False
    can_comment: bool = False
    can_attach: bool = False
    visible: frozenset[str] = frozenset()
    editable: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()  # of `visible`, in the order of the profile
    labels: Mapping[str, str] = field(default_factory=dict)  # language → what the menu calls the module
    order: int = 0


@dataclass(frozen=True)
class Customer:
    """The contact who is signed in, and the modules of the profile. `owner_id`: who looks after the contact.
    `assignee_id`: whom the portal gives new tickets to, when it says so."""

    portal_user_id: int
    portal_id: int
    contact_id: int
    account_id: int | None = None
    owner_id: int | None = None
    is_admin: bool = False
    modules: Mapping[str, Shown] = field(default_factory=dict)
    assignee_id: int | None = None
