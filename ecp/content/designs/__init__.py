"""Mail templates of our own: three each for newsletters, invitations, announcements and transactional mail, the first ones
also in Finnish. MJML with tags, no picture and no font from any other host; readable on phones and in the dark."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Design:
    """One template. `key` is the name of its file; `list_kind`: marketing or essential (spec/marketing.md 4.3);
    `purpose`: newsletter, invitation, announcement or transactional."""

    key: str
    name: str
    subject: str
    language: str = "en"
    list_kind: str = "marketing"
    purpose: str = "newsletter"

    @property
    def mjml(self) -> str:
        """Its source."""
        return resources.files(__name__).joinpath(f"{self.key}.mjml").read_text("utf-8")


DESIGNS: tuple[Design, ...] = (
    Design("newsletter", "Newsletter", "{$contact.first_name|Dear reader}, a quieter kind of busy"),
    Design("digest", "Digest", "Three short reads on calmer workplaces"),
    Design("product_news", "Product news", "Three improvements you asked for"),
    Design("invitation", "Invitation", "{$contact.first_name|Dear guest}, an evening of good sound on 12 November", purpose="invitation"),
    Design("webinar", "Webinar", "How to hear each other in an open office: join us on 26 November", purpose="invitation"),
    Design("open_doors", "Open doors", "{$contact.first_name|Dear guest}, open doors at the workshop on 5 December", purpose="invitation"),
    Design("notice", "Notice", "Our deliveries move to a new warehouse on 1 December", "en", "essential", "announcement"),
    Design("launch", "Launch", "Reed Light: half the weight, the same quiet", purpose="announcement"),
    Design("opening_hours", "Opening hours", "Our hours over the holidays", "en", "essential", "announcement"),
    Design("order_confirmation", "Order confirmation", "Your order 20481 is confirmed", "en", "essential", "transactional"),
    Design("appointment", "Appointment", "Your visit is tomorrow at ten", "en", "essential", "transactional"),
    Design("welcome", "Welcome", "{$contact.first_name|Hello}, your account is ready", "en", "essential", "transactional"),
    Design("newsletter_fi", "Uutiskirje", "{$contact.first_name|Hyvä lukija}, kiirettä hiljaa", "fi"),
    Design("invitation_fi", "Kutsu", "{$contact.first_name|Hyvä vieras}, hyvän äänen ilta 12. marraskuuta", "fi", purpose="invitation"),
    Design("notice_fi", "Tiedote", "Toimituksemme siirtyvät uuteen varastoon 1. joulukuuta", "fi", "essential", "announcement"),
)  # fmt: skip
