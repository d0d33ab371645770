"""The portal's own colours and style sheet, as a file of its own: pages hold no style."""

import re

from flask import Blueprint, Response, g

from crm.modules.organisation import organisation
from crm.ui.session import open_to_all

bp = Blueprint("look", __name__, url_prefix="/portal")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}").fullmatch


@bp.get("/look.css")
@open_to_all
def sheet() -> Response:
    """The accent colour of the portal, else of the organisation, on light screens; then what an administrator wrote."""
    here = g.get("portal")
    colour = (here.colour if here is not None else "") or organisation().colour
    own = (here.custom_css if here is not None else "") or ""
    lines = []
    if colour and COLOUR(colour):
        ink = "#fff" if is_dark(colour) else "#111"
        lines.append(
            f"@media (prefers-color-scheme: light) {{ :root {{ --accent: {colour}; --on-accent: {ink}; "
            f"--accent-ink: {colour if is_dark(colour) else 'var(--ink)'}; }} }}"
        )
    lines.append(own)
    answer = Response("\n".join(lines), mimetype="text/css")
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


def is_dark(colour: str) -> bool:
    """Whether text in this colour is readable on white: a contrast of 4.5 at least (WCAG 2.2 AA)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5
