"""Personal links of a mail: a delivery and one purpose, sealed. Nothing is stored, a retry gives the same links.

A token is AES-SIV (RFC 5297) over the id, with the purpose as associated data: it tells nothing, cannot be made or changed
without the links key, and one made to see pictures cannot unsubscribe anybody. It dies with its delivery (decisions.md 20).
Whose opens and clicks carry a person is decided here, by CUSTOMERHUB_MEASURE and the person's consent (decisions.md 23).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from crm.identity.sealing import TOKEN_LENGTH, Sealer, public_base, sealer

Purpose = Literal[
    "open", "click", "view", "leave", "one_click", "preferences", "page", "bounce", "total_open", "total_click", "seen"
]
Measure = Literal["none", "totals", "with_consent", "all"]

CANARY = 0  # the number of the link that no person sees

PATHS: dict[Purpose, str] = {  # what a token of each purpose stands behind in an address
    "open": "o", "click": "c", "view": "v", "leave": "u", "one_click": "u1", "preferences": "pref", "page": "p", "seen": "seen",
    "total_open": "o", "total_click": "c",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tracking:
    """What may be measured of one person's mail."""

    pixel: bool
    links: Literal["personal", "total", "plain"]


@cache
def tracking(measure: Measure, answer: str) -> Tracking:
    """Whether the mail of somebody carries a pixel, and whether its links name the delivery, the sendout or nothing.

    `answer`: what the person said to being measured: unknown, yes or no. A no holds also where the site measures all.
    """
    if measure == "none":
        return Tracking(pixel=False, links="plain")
    if measure == "totals":
        return Tracking(pixel=True, links="total")
    if answer == "yes" or (measure == "all" and answer != "no"):
        return Tracking(pixel=True, links="personal")
    return Tracking(pixel=False, links="total")


class LinkMaker:
    """The addresses in the mails of one sendout."""

    def __init__(self, sealer: Sealer, base_url: str, sendout_id: int) -> None:
        self._sealer, self._base = sealer, base_url.rstrip("/")
        self._total_click = f"{self._base}/c/{sealer.seal('total_click', sendout_id)}/"
        self._total_open = f"{self._base}/o/{sealer.seal('total_open', sendout_id)}.gif"

    def address(self, purpose: Purpose, delivery_id: int) -> str:
        """The personal address of a page: `https://…/u/<token>`."""
        return f"{self._base}/{PATHS[purpose]}/{self._sealer.seal(purpose, delivery_id)}"

    def page(self, slug: str, delivery_id: int) -> str:
        """The address of a landing page that is filled with the recipient's data."""
        return f"{self._base}/p/{slug}?d={self._sealer.seal('page', delivery_id)}"

    def click_base(self, delivery_id: int, how: Tracking) -> str:
        """What stands in front of a tracked link's number, "" when links lead straight to their targets."""
        if how.links == "plain":
            return ""
        if how.links == "total":
            return self._total_click
        return f"{self._base}/c/{self._sealer.seal('click', delivery_id)}/"

    def pixel(self, delivery_id: int, how: Tracking) -> str:
        """The address of the 1x1 picture, "" when there is none."""
        if not how.pixel:
            return ""
        if how.links == "total":
            return self._total_open
        return f"{self._base}/o/{self._sealer.seal('open', delivery_id)}.gif"


__all__ = [
    "CANARY", "PATHS", "TOKEN_LENGTH", "LinkMaker", "Measure", "Purpose", "Sealer", "Tracking", "public_base", "sealer", "tracking",
]  # fmt: skip
