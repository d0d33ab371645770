"""/dns: what a sender's domain has to publish, on one printable page for whoever looks after its DNS. Read only."""

from zoneinfo import ZoneInfo

from flask import Response
from flask_babel import format_datetime

from crm import config
from crm.ui.public_page import page
from ecp.domains.sheet import domain_behind, sheet_of
from ecp.web.public import Unknown, bp

CSS = """
main { max-width: 52rem; } .record { border-top: 1px solid var(--line); padding: 1rem 0 0; margin: 1rem 0 0; break-inside: avoid; }
.record dl { margin: 0; } .record dt { color: var(--quiet); font-size: .92rem; margin-top: .5rem; } .record dd { margin: 0; }
.record code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .92rem; background: var(--ground); display: block; padding: .5rem .7rem; border: 1px solid var(--line); border-radius: .3rem; overflow-wrap: anywhere; }
.record h2 { margin-bottom: .25rem; } .state { font-weight: 600; } .state.is-done { color: var(--right); } .state.is-open { color: var(--wrong); }
@media print { body { background: #fff; } .card { border: 0; padding: 0; } main { max-width: none; } }
"""


@bp.get("/dns/<token>")
def dns(token: str) -> Response:
    """The records of one domain in plain words. The address is random; it opens this page and nothing else."""
    domain = domain_behind(token)
    if domain is None:
        raise Unknown
    said = sheet_of(domain)
    at = said.checked_at.astimezone(ZoneInfo(config.current().timezone)) if said.checked_at else None
    checked = (
        (lambda: format_datetime(at, "medium", rebase=False)) if at else None
    )  # called in the language of the page
    return page("public/domain", css=CSS, said=said, checked=checked)
