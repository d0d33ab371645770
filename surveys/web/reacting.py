"""The page of what follows an answer: told by mail, a ticket, a campaign; each with its condition."""

from typing import Any

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.engine.rows import labels_of
from crm.ui.page import go, tell
from crm.ui.session import commit, viewer
from surveys import reactions
from surveys.design import Design
from surveys.web import conditions
from surveys.web.building import home, opened


def show(id: int) -> AnyResponse:
    """What follows an answer to this survey, and a form for more."""
    row, design = opened(id)
    return _draw(row, design, conditions.Spelled(), {}, {})


def add(id: int) -> AnyResponse:
    row, _design = opened(id)
    said = request.form
    try:
        condition = conditions.read(said, "when")
        reactions.add(
            viewer(), id, said.get("deed", ""), condition, said.get("campaign_id", type=int), said.get("words", "")
        )
        commit()
    except Refused as refused:
        db.session.rollback()
        return _draw(row, opened(id)[1], conditions.typed(said, "when"), said, refused.by_field)
    tell(_("Saved."))
    return go(f"{home(id)}/reactions")


def remove(id: int, reaction_id: int) -> AnyResponse:
    reactions.remove(viewer(), id, reaction_id)
    commit()
    tell(_("It was taken away."))
    return go(f"{home(id)}/reactions")


def _draw(row: Any, design: Design, spelled: conditions.Spelled, values: Any, faults: dict[str, str]) -> AnyResponse:
    held = reactions.of(row.id)
    labels = labels_of(viewer(), [one["campaign_id"] for one in held if one["campaign_id"] is not None])
    campaigns = (
        search.find(viewer(), "campaigns", columns=("name",), limit=200).rows
        if may(viewer(), "view", "campaigns")
        else []
    )
    drawn = render_template(
        "surveys/reactions.html", row=row, design=design, home=home(row.id), here="surveys", faults=faults, values=values,
        deeds=[(key, _(label)) for key, label in reactions.DEEDS.items()], campaigns=[(one.id, one["name"]) for one in campaigns],
        held=[(one["id"], _(reactions.DEEDS[one["deed"]]), conditions.sentence(one["condition"], design),
               labels.get(one["campaign_id"], "") if one["campaign_id"] else one["words"] or "") for one in held],
        spelled=spelled, operators=conditions.operators(), matches=conditions.matches(),
        may_edit=may(viewer(), "edit", modules["surveys"]),
    )  # fmt: skip
    return make_response(drawn, 422 if faults else 200)
