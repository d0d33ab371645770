"""Mail templates of our own: a newsletter, an invitation, a notice, each in English and Finnish. MJML with tags, no picture
and no font from any other host; readable on phones and in the dark."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Design:
    """One template. `key` is the name of its file; `list_kind`: marketing or essential (spec/marketing.md 4.3)."""

    key: str
    name: str
    subject: str
    language: str = "en"
    list_kind: str = "marketing"

    @property
    def mjml(self) -> str:
        """Its source."""
        return resources.files(__name__).joinpath(f"{self.key}.mjml").read_text("utf-8")


DESIGNS: tuple[Design, ...] = (
    Design("newsletter", "Newsletter", "{$contact.first_name|Dear reader}, a quieter kind of busy"),
    Design("invitation", "Invitation", "{$contact.first_name|Dear guest}, an evening of good sound on 12 November"),
    Design("notice", "Notice", "Our deliveries move to a new warehouse on 1 December", list_kind="essential"),
    Design("newsletter_fi", "Uutiskirje", "{$contact.first_name|Hyvä lukija}, kiirettä hiljaa", "fi"),
    Design("invitation_fi", "Kutsu", "{$contact.first_name|Hyvä vieras}, hyvän äänen ilta 12. marraskuuta", "fi"),
    Design("notice_fi", "Tiedote", "Toimituksemme siirtyvät uuteen varastoon 1. joulukuuta", "fi", "essential"),
)
