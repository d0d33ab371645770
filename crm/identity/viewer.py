"""Who asks: every read and every write is done by a viewer, and its rights are data it carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crm.identity.customer import Customer
from crm.words import N_

Verb = Literal["view", "create", "edit", "delete", "import", "export", "mass_edit", "merge", "convert"]
FLAGS = ("crm_access", "crm_admin", "ecp_access", "ecp_admin")  # of a user, independent of each other (decisions.md 5)
AREAS = {  # named rights beyond modules, given by profiles: key → what the profile editor calls it
    "send": N_("Send mass mails"),
    "suppressions": N_("Change addresses that get no mail"),
    "portal_access": N_("Give and take access to the customer portal"),
    "erase": N_("Erase persons for good"),
    "sr_priority": N_("Set priorities of service requests by hand"),
}
ECP_AREAS = frozenset({"send", "suppressions"})  # an administrator of the portal has these without a profile
VERBS: tuple[Verb, ...] = ("view", "create", "edit", "delete", "import", "export", "mass_edit", "merge", "convert")


@dataclass(frozen=True)
class ModuleRights:
    """What a profile says of one module: the verbs, and fields that are hidden or may only be read."""

    verbs: frozenset[str] = frozenset(VERBS)
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rights:
    """The union of a person's profiles. A module that is not named has `otherwise`."""

    modules: Mapping[str, ModuleRights] = field(default_factory=dict)
    otherwise: ModuleRights = ModuleRights()
    view_all: bool = False
    edit_all: bool = False
    areas: frozenset[str] = frozenset()  # of AREAS

    def of(self, module: str) -> ModuleRights:
        return self.modules.get(module, self.otherwise)


NOTHING = ModuleRights(verbs=frozenset())


@dataclass(frozen=True)
class Viewer:
    """Somebody who reads and writes.

    `principals`: entity ids that count as oneself as an owner: the user and the user's groups (nested ones too).
    `subordinates`: user ids lower on the same branch of the role tree.
    `shared_read`, `shared_write`: module key → owner ids (users, groups) whose records sharing rules open to it.
    `defaults`: module key → sharing level: "private", "read", "write", "delete"; not named: "delete" (all see all).
    """

    kind: Literal["staff", "api_key", "customer", "link", "system"]
    id: int | None = None  # users.id (an entity id); None for the system
    name: str = ""
    is_admin: bool = False  # CRM administrator: no record is hidden
    flags: frozenset[str] = frozenset()  # crm_access, crm_admin, ecp_access, ecp_admin
    rights: Rights = Rights()
    principals: frozenset[int] = frozenset()
    subordinates: frozenset[int] = frozenset()
    shared_read: Mapping[str, frozenset[int]] = field(default_factory=dict)
    shared_write: Mapping[str, frozenset[int]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, frozenset[str]] | None = None  # an API key's: module or "*" → verbs; None: no narrowing
    api_key_id: int | None = None
    customer: Customer | None = None  # of the kind "customer": who it is and what the portal profile shows
    locale: str = "en"
    timezone: str = "Europe/Helsinki"
    found: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What engine.permissions found out about it, which holds as long as it does."""

    @property
    def is_system(self) -> bool:
        return self.kind == "system"


SYSTEM = Viewer(kind="system", name="System", is_admin=True, rights=Rights(view_all=True, edit_all=True))
