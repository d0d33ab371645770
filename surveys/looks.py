"""How a survey looks: its theme and its own CSS, filtered and held below `.survey`, as one sheet."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.ui.style_sheets import cleaned

SCOPE = ".survey"
FONTS = {
    "sans": 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif',
    "serif": 'Georgia, "Noto Serif", "Times New Roman", serif',
    "mono": 'ui-monospace, "DejaVu Sans Mono", Consolas, monospace',
}


def plain(css: str | None) -> str:
    """Styles as they may be kept: without imports, foreign addresses and what runs."""
    return cleaned(css)[0] if css else ""


def left_out(css: str | None) -> list[str]:
    """A sentence for each rule of `css` that is not taken."""
    return cleaned(css)[1] if css else []


def sheet_of(survey: Mapping[str, Any], theme: Mapping[str, Any] | None = None) -> str:
    """The sheet of a survey (a row of its table): theme first, own styles last. "" when it has neither.

    `theme`: one that is being made, in place of the survey's."""
    theme = theme or theme_of(survey.get("theme_id"))
    parts = [_variables(theme)] if theme else []
    parts += [cleaned(css, SCOPE)[0] for css in ((theme or {}).get("css"), survey.get("css")) if css]
    return "\n".join(part for part in parts if part)


def theme_of(id: int | None) -> Mapping[str, Any] | None:
    """The values of a theme; None when there is none."""
    from surveys.modules.survey_themes import SurveyTheme

    if id is None:
        return None
    table = SurveyTheme.__table__
    row = db.session.execute(select(table).where(table.c.id == id, table.c.deleted_at.is_(None))).mappings().first()
    return dict(row) if row is not None else None


def _variables(theme: Mapping[str, Any]) -> str:
    """The theme as values of the public sheet's variables. Colours are checked when they are saved."""
    said = [f"--{name}: {theme[name]};" for name in ("accent", "ground", "paper", "ink") if theme[name]]
    if theme["paper"] or theme["ground"]:
        said.append("color-scheme: light;")
    root = f":root {{ {' '.join(said)} }}" if said else ""
    body = f"body {{ font-family: {FONTS[theme['font']]}; }}" if theme["font"] in FONTS else ""
    main = f"main {{ max-width: {int(theme['width'])}px; }}" if theme["width"] else ""
    corners = f".card {{ border-radius: {int(theme['corners'])}px; }}" if theme["corners"] is not None else ""
    return "\n".join(part for part in (root, body, main, corners) if part)
