"""“Why did or didn't this person get it”: from the report of a sendout, by picking a person; and the story itself."""

from typing import Any

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from crm.engine import search
from crm.engine.permissions import may
from crm.engine.rows import Row
from crm.modules.people import PERSONS
from crm.ui.face import face
from crm.ui.places import place_of
from crm.ui.session import viewer
from ecp.why import story

MOST = 20


def pick(id: int) -> AnyResponse | str:
    """Who is meant, found by name or address among recipients and people."""
    row, text = search.one(viewer(), "sendouts", id, columns=("name",)), " ".join(request.args.get("q", "").split())
    people = _found(id, text) if len(text) > 1 else []
    if len(people) == 1:
        return redirect(f"{face().prefix}/sendouts/{id}/why/{people[0][0]}", 303)
    return render_template(
        "ecp_why_pick.html", row=row, here="sendouts", home=f"{face().prefix}/sendouts", text=text, people=people
    )


def show(id: int, person_id: int) -> str:
    """The story of one person."""
    row = search.one(viewer(), "sendouts", id, columns=("name",))
    told = story.story(viewer(), id, person_id)
    return render_template(
        "ecp_why.html", row=row, here="sendouts", home=f"{face().prefix}/sendouts", told=told, person_href=_card(person_id), person_id=person_id,
    )  # fmt: skip


def _found(sendout_id: int, text: str) -> list[tuple[int, str, str]]:
    """(id, name, address) of recipients first, then of other people whom the viewer may see."""
    found: dict[int, tuple[int, str, str]] = {}
    mine: dict[str, Any] = {"$eq": ["sendout_id", sendout_id]}
    rows: list[Row] = search.find(
        viewer(), "deliveries", where=mine, columns=("person_id", "email"), text=text, limit=MOST, count="none"
    ).rows
    for row in rows:
        if row["person_id"]:
            found[row["person_id"]] = (row["person_id"], row.label_of("person_id") or row["email"], row["email"])
    for module in PERSONS:
        if may(viewer(), "view", module):
            for row in search.find(viewer(), module, columns=("email",), text=text, limit=MOST, count="none").rows:
                found.setdefault(row.id, (row.id, row.label, row["email"] or ""))
    return list(found.values())[:MOST]


def _card(person_id: int) -> str:
    """The card of the person, where the viewer can open it."""
    for module in PERSONS:
        if may(viewer(), "view", module) and search.exists(viewer(), module, person_id):
            return place_of(module, person_id, viewer())
    return ""
