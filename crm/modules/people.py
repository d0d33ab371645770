"""Choosing people set-wise: contacts and leads as one Select, by ids, by a filter, or from a target group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, String, cast, literal, null, select, union_all

from crm.db import BigId
from crm.engine import search
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import Viewer
from crm.words import _

PERSONS = ("contacts", "leads")
AT_ONCE = 5_000  # ids in one statement: both databases take that many values


@dataclass(frozen=True)
class Choice:
    """Who is meant: ids, the people of a target group, or those of `module` who meet `where` and `text`."""

    contact_ids: Sequence[int] = ()
    lead_ids: Sequence[int] = ()
    target_group_id: int | None = None
    module: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def way(self) -> str:
        """How members chosen so are marked (picklist member_way)."""
        return "target_group" if self.target_group_id is not None else "filter" if self.module else "user"


def select_people(viewer: Viewer, choice: Choice) -> Iterator[Select[Any]]:
    """Selects of (person_id, person_module, contact_id, email_key) of the live people chosen that `viewer` may see.

    Several, when there are many ids. Raises Refused, Missing, Forbidden, BadCondition.
    """
    if choice.target_group_id is not None:
        yield _of_group(viewer, choice.target_group_id)
    elif choice.module:
        if choice.module not in PERSONS:
            raise Refused.because("not_in_list", _("People are contacts or leads."), "module")
        yield _people(choice.module, search.ids(viewer, choice.module, dict(choice.where) or None, choice.text or None))
    else:
        for module, wanted in (("contacts", choice.contact_ids), ("leads", choice.lead_ids)):
            for ids in _portions(wanted):
                seen = search.ids(viewer, module).where(modules[module].table.c.id.in_(ids))
                yield _people(module, seen)


def _people(module: str, ids: Select[tuple[int]]) -> Select[Any]:
    table = modules[module].table
    contact: Any = table.c.id if module == "contacts" else cast(null(), BigId)
    return select(
        table.c.id.label("person_id"),
        literal(module, String(80)).label("person_module"),
        contact.label("contact_id"),
        table.c.email_key.label("email_key"),
    ).where(table.c.id.in_(ids))


def _of_group(viewer: Viewer, id: int) -> Select[Any]:
    """The people of a target group that the viewer may see; the group must be one that he may use, and be active."""
    group = search.one(viewer, "target_groups", id, columns=("name", "active"))
    if not group["active"]:
        raise Refused.because(
            "inactive", _("The target group “%(name)s” is not active.", name=group["name"]), "target_group_id"
        )
    members = modules["target_group_members"].table
    parts = []
    for module in PERSONS:
        inside = select(members.c.person_id).where(
            members.c.target_group_id == id, members.c.person_module == module, members.c.excluded.is_(False)
        )
        parts.append(_people(module, search.ids(viewer, module).where(modules[module].table.c.id.in_(inside))))
    together = union_all(*parts).subquery()
    return select(together.c.person_id, together.c.person_module, together.c.contact_id, together.c.email_key)


def _portions(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = sorted(set(ids))
    if not all(isinstance(id, int) and not isinstance(id, bool) and 0 < id < 2**63 for id in wanted):
        raise Refused.because("no_such_record", _("Ids are whole numbers."))
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]
