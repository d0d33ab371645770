"""Old and foreign spellings of tags, translated once when content is loaded; typographic quotes made straight."""

from __future__ import annotations

import re

NAMESPACES = (
    "contact",
    "account",
    "lead",
    "user",
    "owner",
    "campaign",
    "sendout",
    "survey",
    "event",
    "attendee",
    "record",
    "links",
)
LINKS = (
    "unsubscribe",
    "online",
    "preferences",
    "me",
    "survey",
    "page",
    "event",
    "cancel",
    "confirm",
    "event_join",
    "event_decline",
)
LINKS_TO_ONE = ("survey", "page", "event_join", "event_decline")  # those that say after a colon to which

OLD_WORDS = {
    "cancel_link": "links.unsubscribe",
    "unsubscribe_link": "links.unsubscribe",
    "unsubscribe": "links.unsubscribe",
    "online_link": "links.online",
    "online_version": "links.online",
    "web_version": "links.online",
    "preferences_link": "links.preferences",
    "ENTITY": "record.label",
}
_BRACED = re.compile(r"\{\$?(" + "|".join(OLD_WORDS) + r")\}")
_HASHED = re.compile(r"(?<![\w&/\"'#=])#((?:" + "|".join(NAMESPACES[:-1]) + r")\.[A-Za-z_]\w*)")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'"})


def modernise(text: str) -> str:
    """`#contact.first_name` → `{$contact.first_name}`, `{cancel_link}` → `{$links.unsubscribe}`; the rest unchanged.
    A # in an address, a colour or an entity is left alone. Doing it twice changes nothing."""
    text = _BRACED.sub(lambda match: f"{{${OLD_WORDS[match[1]]}}}", text)
    return _HASHED.sub(r"{$\1}", text)


def straighten(text: str) -> str:
    """Curly quotes of word processors become plain ones (formulas, on save: spec/platform.md 2.5)."""
    return text.translate(_QUOTES)
