"""Merging two records chosen in a list: both side by side, one value chosen for each field that differs."""

from collections.abc import Sequence

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import merging
from crm.engine.fields import Field
from crm.engine.module import Module
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.engine.rows import Row
from crm.ui.cards import value_of
from crm.ui.deeds import MassDeed, add_mass_deed
from crm.ui.page import address, tell
from crm.ui.session import commit, viewer

bp = Blueprint("merging", __name__, url_prefix="/crm")


@bp.get("/<key>/merge")
def ask(key: str) -> AnyResponse:
    """The two records, which one stays, and which value of each field."""
    return _page(_module(key))


@bp.post("/<key>/merge")
def merge(key: str) -> AnyResponse:
    """Do it, with the values that were chosen."""
    module = _module(key)
    ids = _ids()
    kept = request.form.get("kept", type=int)
    if kept not in ids:
        return _page(module, _("Choose the record that stays."), 422)
    gone = next(id for id in ids if id != kept)
    chosen = [name for name in module.fields if request.form.get(f"take.{name}", type=int) == gone]
    try:
        merging.merge(viewer(), key, kept, gone, chosen)
        commit()
    except Refused as refused:
        db.session.rollback()
        said = refused.sentences
        return _page(module, said, 422)
    tell(_("The two records are one now. The other one lies in the recycle bin."))
    return redirect(f"/crm/{key}/{kept}", 303)


def _module(key: str) -> Module:
    if key not in modules or not merging.may_merge(viewer(), modules[key]):
        raise Missing
    return modules[key]


def _ids() -> list[int]:
    said = request.values.getlist("id")
    ids = list(dict.fromkeys(int(one) for one in said if one.isdecimal() and len(one) < 19))
    if len(ids) != 2:
        raise Refused.because("required", _("Choose two records to merge."))
    return ids


def _page(module: Module, fault: str = "", status: int = 200) -> AnyResponse:
    first, second = merging.pair(viewer(), module, *_ids())
    differ = [said for said in merging.fields_of(viewer(), module) if first.get(said.name) != second.get(said.name)]
    kept = request.values.get("kept", type=int) or min(first.id, second.id)  # the older one
    rows = [
        (said, [(row.id, value_of(said, row), _is_taken(said, row, first, second, kept)) for row in (first, second)])
        for said in differ
    ]
    page = render_template(
        "merge.html", here=module.key, module=module, both=(first, second), rows=rows, kept=kept, fault=fault
    )
    return make_response(page, status)


def _is_taken(said: Field, row: Row, first: Row, second: Row, kept: int) -> bool:
    """Which of the two is ticked at first: what was chosen, else the value of the record that stays, unless it is empty."""
    typed = request.form.get(f"take.{said.name}", type=int)
    if typed is not None:
        return typed == row.id
    stays, goes = (first, second) if first.id == kept else (second, first)
    taken = goes if stays.get(said.name) in (None, "", (), False) and goes.get(said.name) else stays
    return bool(taken.id == row.id)


def _href(key: str, ids: Sequence[int]) -> str:
    return address(f"/crm/{key}/merge", id=[str(id) for id in ids])


add_mass_deed(MassDeed("merge", "Merge", "git-merge", lambda who, module: merging.may_merge(who, module), _href))
