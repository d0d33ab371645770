"""Categories of requests, responses and resolutions: four trees. A request's has one of six classifications."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Mapped

from crm.db import db
from crm.engine import afterwards
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.module import Block, Filter, Module, Related
from crm.engine.outbox import Progress, task
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.modules.rules import after, makes_circle
from crm.modules.service_requests.lists import CLASSIFICATIONS, TREES
from crm.words import N_, _

SEEDS = (  # (name, tree, classification, asks for acceptance)
    (N_("Question"), "request", "Information", False), (N_("Fault"), "request", "Report an incident", False),
    (N_("Change"), "request", "Request for change", False), (N_("Acknowledged"), "response", None, False),
    (N_("Proposal"), "response", None, True), (N_("Workaround"), "temporary", None, True),
    (N_("Repaired"), "final", None, True), (N_("Answered"), "final", None, False),
)  # fmt: skip


class SrCategory(Record):
    """A node of one of the trees. `path`: the names from the root, as requests keep it."""

    __tablename__ = "sr_categories"
    name: Mapped[str] = f.text("Name", max=120)
    tree: Mapped[str] = f.picklist("For", "sr_tree", mass_edit=False)
    parent_id: Mapped[int | None] = f.link("Below", to="sr_categories")
    path: Mapped[str | None] = f.text("Path", max=500, read_only=True)
    classification: Mapped[str | None] = f.picklist(
        "Classification", "sr_classification", help="Of requests; empty: that of the node above"
    )
    requires_acceptance: Mapped[bool] = f.checkbox("Must be accepted by the customer")
    selectable: Mapped[bool] = f.checkbox("May be chosen although there are nodes below it")
    hidden: Mapped[bool] = f.checkbox("Hidden: not offered any more", mass_edit=True)


TABLE = SrCategory.__table__


def what_follows(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The path, and the classification of the node above where none is said."""
    then = after(values, old)
    parent = one(then.get("parent_id"))
    made: dict[str, Any] = {}
    if parent is not None and then.get("tree") == "request" and not then.get("classification"):
        made["classification"] = parent.classification
    path = f"{parent.path or parent.name} › {then.get('name')}" if parent is not None else then.get("name")
    return made | {"path": str(path or "")[:500]}


def is_a_tree(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """No circles, one tree below one root, a classification for requests and for nothing else."""
    then, faults = after(values, old), dict[str, Fault]()
    parent = one(then.get("parent_id"))
    if makes_circle(TABLE.c.parent_id, values, old):
        faults["parent_id"] = Fault("cycle", _("A category cannot be below itself."))
    elif parent is not None and parent.tree != then.get("tree"):
        faults["parent_id"] = Fault("other_tree", _("This node is of another tree."))
    if old is not None and values.get("tree", old["tree"]) != old["tree"]:
        faults["tree"] = Fault("fixed", _("A category stays in its tree. Make a new one."))
    if then.get("tree") == "request" and not then.get("classification"):
        faults["classification"] = Fault("required", _("Choose what kind of request this is."))
    if then.get("tree") != "request" and then.get("classification"):
        faults["classification"] = Fault("not_here", _("Only categories of requests have a classification."))
    return faults


@task("service_requests.paths")
def follow_paths(
    progress: Progress, module: str, event: str, ids: list[int], channel: str, actor_id: int | None
) -> str:
    """Nodes below one that was renamed or moved get its new path; requests keep the one they were given."""
    above, count = list(ids), 0
    while above:
        path = select(TABLE.c.id, TABLE.c.path).where(TABLE.c.id.in_(above))
        paths = {row.id: row.path for row in db.session.execute(path)}
        below = db.session.execute(
            select(TABLE.c.id, TABLE.c.name, TABLE.c.parent_id).where(TABLE.c.parent_id.in_(above))
        ).all()
        for row in below:
            said = f"{paths[row.parent_id] or ''} › {row.name}"[:500]
            db.session.execute(update(TABLE).where(TABLE.c.id == row.id).values(path=said))
        above, count = [row.id for row in below], count + len(below)
    return f"{count} paths"


def is_free(ids: list[int]) -> dict[int, Fault]:
    """Why a category cannot be deleted: it is used, or has nodes below it."""
    requests, steps = modules["service_requests"].table, modules["sr_steps"].table
    found: dict[int, Fault] = {}
    for column, said in (
        (requests.c.category_id, _("Requests have this category. Hide it instead.")),
        (steps.c.category_id, _("Responses or resolutions have this category. Hide it instead.")),
    ):
        for id in db.session.scalars(select(column).where(column.in_(ids)).distinct()):
            found.setdefault(id, Fault("in_use", said))
    below = select(TABLE.c.parent_id).where(
        TABLE.c.parent_id.in_(ids), TABLE.c.deleted_at.is_(None), TABLE.c.id.not_in(ids)
    )
    for id in db.session.scalars(below.distinct()):
        found.setdefault(id, Fault("has_nodes", _("There are categories below it.")))
    return found


def one(id: int | None) -> Any:
    """The stored row of a category; None when there is none."""
    return db.session.execute(select(TABLE).where(TABLE.c.id == (id or 0))).first()


def choosable(tree: str) -> list[Any]:
    """The categories that may be chosen, by path: leaves, and nodes that say so; none that is hidden."""
    below = select(TABLE.c.parent_id).where(TABLE.c.parent_id.is_not(None), TABLE.c.deleted_at.is_(None))
    said = select(TABLE).where(
        TABLE.c.tree == tree,
        TABLE.c.deleted_at.is_(None),
        ~TABLE.c.hidden,
        TABLE.c.selectable | TABLE.c.id.not_in(below),
    )
    return list(db.session.execute(said.order_by(TABLE.c.path, TABLE.c.id)))


def fault_of(id: int | None, tree: str) -> Fault | None:
    """Why a category cannot be chosen for this; None when it can."""
    if id is None or any(row.id == id for row in choosable(tree)):
        return None
    return Fault("not_in_list", _("Choose a category that has none below it and is not hidden."))


MODULE = Module(
    SrCategory,
    label="Category of service requests",
    plural="Categories of service requests",
    icon="category",
    columns=("path", "tree", "classification", "requires_acceptance", "hidden"),
    form=(Block("Category", (
        "name", "tree", "parent_id", "classification", "requires_acceptance", "selectable", "hidden", "path",
    )),),
    in_search=False,
    search=("name",),
    sort=("tree", "path"),
    filters=tuple(Filter(one.key, one.label, where("tree", "is", one.key)) for one in TREES.choices),
    shows_on={"sr_categories": Related(by="parent_id", label="Categories below", columns=("name", "classification", "hidden"))},
    picklists=(TREES, CLASSIFICATIONS),
    derives=(what_follows,),
    checks=(is_a_tree,),
    before_delete=(is_free,),
    areas={"create": "crm_admin", "edit": "crm_admin", "delete": "crm_admin"},
)  # fmt: skip

afterwards.listen("sr_categories", "service_requests.paths", "updated", fields=("name", "parent_id"))
