"""Themes: colours, letters and corners that surveys share, so that they look like the organisation."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Mapped

from crm.engine import fields as f
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Block, Module
from crm.engine.record import Record
from crm.engine.refusals import Fault
from crm.words import _
from surveys.modules.survey_rules import keep_plain_css

FONTS = PicklistSeed.of(
    "survey_font", "Letters of a survey",
    Choice("sans", "Sans serif"), Choice("serif", "Serif"), Choice("mono", "Typewriter"),
)  # fmt: skip
COLOURS = ("accent", "ground", "paper", "ink")


class SurveyTheme(Record):
    """How surveys look. Empty colours are those of the organisation."""

    __tablename__ = "survey_themes"
    name: Mapped[str] = f.text("Name", max=80)
    accent: Mapped[str | None] = f.text("Buttons and links", max=7, help="#rrggbb")
    ground: Mapped[str | None] = f.text("Background", max=7, help="#rrggbb")
    paper: Mapped[str | None] = f.text("Form", max=7, help="#rrggbb")
    ink: Mapped[str | None] = f.text("Text", max=7, help="#rrggbb")
    font: Mapped[str | None] = f.picklist("Letters", "survey_font")
    corners: Mapped[int | None] = f.whole("Rounded corners, pixels", least=0, most=40)
    width: Mapped[int | None] = f.whole("Width, pixels", least=320, most=1200)
    description: Mapped[str | None] = f.long_text("Description")
    css: Mapped[str | None] = f.source("Own styles (CSS)", max=20_000, in_lists=False)


def has_colours(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """Colours are six hexadecimal digits, nothing that a sheet could trip over."""
    message = _("A colour is written as #rrggbb, such as #0054a6.")
    return {
        name: Fault("bad_colour", message)
        for name in COLOURS
        if values.get(name) and not re.fullmatch(r"#[0-9a-fA-F]{6}", values[name])
    }


MODULE = Module(
    SurveyTheme,
    label="Survey theme",
    plural="Survey themes",
    menu="Settings",
    icon="palette",
    columns=("name", "accent", "font", "owner_id"),
    form=(
        Block("Theme", ("name", "owner_id", "description")),
        Block("Look", ("accent", "ground", "paper", "ink", "font", "corners", "width", "css")),
    ),
    search=("name",),
    sort=("name",),
    picklists=(FONTS,),
    derives=(keep_plain_css,),
    checks=(has_colours,),
    in_ecp=True,
)
