"""The story of one person and one sendout: in the audience or not, decided how and when, tried how often, and what came of it.

Read as far as the viewer may: the sendout, and the person or the delivery. Nothing is guessed: what is not known is said so.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from crm.db import Entity, db
from crm.engine import picklists, search
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from crm.mail.sending.deliveries import Delivery
from crm.modules.people import PERSONS
from crm.words import _
from ecp.personal.people import objection
from ecp.pipeline import actions, audience, checks
from ecp.why import delivered
from ecp.why.evidence import Case, steps_of
from ecp.why.steps import Got, Step, Story

ANSWERS: dict[str, Got] = {
    "sent": "yes",
    "uncertain": "unknown",
    "waiting": "not_yet",
    "leased": "not_yet",
    "retry": "not_yet",
}


def story(viewer: Viewer, sendout_id: int, person_id: int) -> Story:
    """Why this person got this sendout or did not. Raises Missing when the viewer may see neither person nor delivery."""
    seen = search.one(viewer, "sendouts", sendout_id)
    table = modules["sendouts"].table
    sendout = db.session.execute(select(table).where(table.c.id == sendout_id)).mappings().one()
    module, name = _person(viewer, sendout_id, person_id)
    d = Delivery.__table__
    delivery = (
        db.session.execute(select(d).where(d.c.sendout_id == sendout_id, d.c.person_id == person_id)).mappings().first()
    )
    if delivery is None:
        got, answer, reason, steps = _outside(viewer, sendout, module, person_id)
    else:
        got, answer, reason, steps = _inside(viewer, sendout, delivery)
    return Story(got, answer, reason, name, seen.label, tuple(steps))


def person_by(viewer: Viewer, said: str) -> int:
    """The person with an id or an e-mail address. Raises Missing."""
    if said.isdecimal():
        return int(said)
    for module in PERSONS:
        found = search.find(viewer, module, where={"$eq": ["email", said.strip()]}, limit=1, count="none").rows
        if found:
            return found[0].id
    raise Missing


def _person(viewer: Viewer, sendout_id: int, person_id: int) -> tuple[str, str]:
    """The kind of person and the name that the viewer may read."""
    said = select(Entity.module).where(Entity.id == person_id, Entity.module.in_(PERSONS))
    module = db.session.execute(said).scalar()
    if module is None:
        raise Missing
    mine = {"$and": [{"$eq": ["sendout_id", sendout_id]}, {"$eq": ["person_id", person_id]}]}
    if not search.exists(viewer, module, person_id):
        rows = search.find(viewer, "deliveries", where=mine, columns=("email",), limit=1, count="none").rows
        if not rows:
            raise Missing
        return str(module), labels_of(viewer, [person_id]).get(person_id) or rows[0]["email"] or _("(hidden)")
    return str(module), labels_of(viewer, [person_id]).get(person_id) or _("(hidden)")


# without a delivery


def _outside(viewer: Viewer, sendout: Any, module: str, person_id: int) -> tuple[Got, str, str, list[Step]]:
    steps = list(_membership(viewer, sendout, person_id))
    if not _key_of(module, person_id):
        steps.append(
            Step(
                "no_email",
                _("Has no e-mail address; people without one do not come into e-mail campaigns."),
                mood="bad",
            )
        )
    is_member = any(step.code in ("member", "group_member") for step in steps)
    if not checks.is_prepared(sendout["id"]):
        why = objection_now(sendout, module, person_id)
        if not is_member:
            return "not_yet", _("Not among the people of this sendout as it is now."), "not_member", steps
        if why:
            case = Case(viewer, sendout, module, person_id, _key_of(module, person_id), None)
            steps += steps_of(case, why)
            return (
                "not_yet",
                _("Would be left out now: %(why)s.", why=_(picklists.label("skip_reason", why))),
                why,
                steps,
            )
        return "not_yet", _("Would get it: the sendout has not begun."), "", steps
    at = _prepared_at(sendout["id"])
    late = [step for step in steps if step.code in ("member", "group_member") and step.at and at and step.at > at]
    answer = _("Was not among the people of this sendout when it began.")
    if late:
        answer = _("Joined after the sendout had begun, so it was too late for this one.")
    steps.append(Step("prepared", _("The people of the sendout were found, this one not among them."), at, "", "bad"))
    return (
        "no",
        answer,
        "joined_later" if late else "not_member",
        sorted(steps, key=lambda one: (one.at is not None, one.at)),
    )


def objection_now(sendout: Any, module: str, person_id: int) -> str | None:
    """The skip reason that the rules of a sendout give for one person now; None when nothing speaks against the mail."""
    rules = checks.audience_of(actions.of_row(sendout)).rules
    return objection(module, person_id, rules)


def _membership(viewer: Viewer, sendout: Any, person_id: int) -> Iterator[Step]:
    """How the person belongs to the campaign or the target groups of a sendout."""
    groups = list(audience.group_ids_of(sendout["id"]))
    if groups:
        m, g = modules["portal_target_group_members"].table.c, modules["portal_target_groups"].table.c
        rows = db.session.execute(
            select(g.id, g.imported_at, g.refreshed_at)
            .join_from(modules["portal_target_group_members"].table, modules["portal_target_groups"].table, g.id == m.portal_target_group_id)
            .where(g.id.in_(groups), m.person_id == person_id)
        ).all()  # fmt: skip
        names = labels_of(viewer, [row.id for row in rows])
        for row in rows:
            name, at = names.get(row.id, _("(hidden)")), row.refreshed_at or row.imported_at
            yield Step(
                "group_member",
                _("Is in the target group “%(name)s”, as it was brought from its campaign.", name=name),
                at,
            )
        if not rows:
            yield Step("not_in_groups", _("Is in none of the target groups of this sendout."), mood="bad")
        return
    if sendout["campaign_id"] is None:
        return
    m = modules["campaign_members"].table.c
    found = db.session.execute(
        select(m.state, m.added_at, m.added_by, m.left_at).where(m.campaign_id == sendout["campaign_id"], m.person_id == person_id)
    ).first()  # fmt: skip
    name = labels_of(viewer, [sendout["campaign_id"]]).get(sendout["campaign_id"], _("(hidden)"))
    if found is None:
        yield Step("not_in_campaign", _("Is not in the campaign “%(name)s”.", name=name), mood="bad")
        return
    how = _(picklists.label("member_way", found.added_by))
    yield Step("member", _("Came into the campaign “%(name)s” (%(how)s).", name=name, how=how), found.added_at)
    if found.state != "member":
        said = _(picklists.label("member_state", found.state))
        yield Step("member_left", _("State in the campaign: %(state)s.", state=said), found.left_at, "", "bad")


def _prepared_at(sendout_id: int) -> Any:
    from ecp.pipeline.frozen import SendoutContent

    said = select(SendoutContent.prepared_at).where(SendoutContent.sendout_id == sendout_id)
    return db.session.execute(said).scalar()


def _key_of(module: str, person_id: int) -> str:
    table = modules[module].table
    return db.session.execute(select(table.c.email_key).where(table.c.id == person_id)).scalar() or ""


# with a delivery


def _inside(viewer: Viewer, sendout: Any, row: Any) -> tuple[Got, str, str, list[Step]]:
    steps = [
        step for step in _membership(viewer, sendout, row["person_id"]) if not (step.at and step.at > row["created_at"])
    ]
    steps.append(
        Step(
            "prepared",
            _("Was among the people when the sendout began, with the address %(email)s.", email=row["email"] or "–"),
            row["created_at"],
        )
    )
    if row["state"] == "skipped":
        return _left_out(viewer, sendout, row, steps)
    steps += delivered.tries(sendout, row)
    steps += delivered.afterwards(row)
    steps.sort(key=lambda one: (one.at is not None, one.at))
    reason = row["failed_reason"] or ""
    return ANSWERS.get(row["state"], "no"), delivered.answer(sendout, row), reason, steps


def _left_out(viewer: Viewer, sendout: Any, row: Any, steps: list[Step]) -> tuple[Got, str, str, list[Step]]:
    why = row["skip_reason"] or ""
    words = _(picklists.label("skip_reason", why))
    case = Case(viewer, sendout, row["person_module"], row["person_id"], row["email_key"], row["created_at"])
    steps += steps_of(case, why)
    sentence = _("Left out: %(why)s. It is asked when the sendout begins, and again right before each mail.", why=words)
    steps.append(Step("skipped", sentence, None, "", "bad"))
    return (
        "no",
        _("Did not get it: %(why)s.", why=words),
        why,
        sorted(steps[:-1], key=lambda one: (one.at is not None, one.at)) + steps[-1:],
    )
