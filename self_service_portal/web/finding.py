"""The search of the portal: only modules that the profile shows, only records in reach, only fields that are shown."""

from typing import Any

from flask import Blueprint, render_template, request

from crm.engine import text_index
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.ui.session import viewer
from self_service_portal.face import label_of
from self_service_portal.web.current import customer

bp = Blueprint("finding", __name__, url_prefix="/portal")
HITS = 10


@bp.get("/search")
def search() -> str:
    said = " ".join(request.args.get("q", "").split())[:100]
    found: list[tuple[str, str, Any]] = []
    fault = ""
    if said:
        try:
            for key in customer().modules:
                hits = text_index.search(viewer(), said, key, HITS).get(key, [])
                if hits:
                    found.append((key, label_of(viewer(), modules[key]), hits))
        except Refused as refused:
            fault = " ".join(one.message for many in refused.faults.values() for one in many)
    return render_template("portal_search.html", here="search", text=said, found=found, fault=fault)
