"""The search of the portal: only modules that the profile shows, only records in reach, only fields that are shown; events."""

from flask import Blueprint, render_template, request

from crm.engine import text_index
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.ui.session import viewer
from self_service_portal.face import label_of
from self_service_portal.web import attending
from self_service_portal.web.current import customer

bp = Blueprint("finding", __name__, url_prefix="/portal")
HITS = 10


@bp.get("/search")
def search() -> str:
    said = " ".join(request.args.get("q", "").split())[:100]
    found: list[tuple[str, list[tuple[str, str]]]] = []
    fault = ""
    if said:
        try:
            for key in customer().modules:
                hits = _events(said) if key == attending.KEY else _records(said, key)
                if hits:
                    found.append((label_of(viewer(), modules[key]), hits))
        except Refused as refused:
            fault = refused.sentences
    return render_template("portal_search.html", here="search", text=said, found=found, fault=fault)


def _records(text: str, key: str) -> list[tuple[str, str]]:
    hits = text_index.search(viewer(), text, key, HITS).get(key, [])
    return [(f"/portal/{key}/{hit.id}", hit.label or hit.number or str(hit.id)) for hit in hits]


def _events(text: str) -> list[tuple[str, str]]:
    """A registration is found as its event; so are events that one may still register for."""
    return [(f"/portal/events/{event.id}", event.name) for event in attending.about(text, HITS)]
