"""Where a reply ends and what it quotes begins. Lines only, each looked at once."""

from __future__ import annotations

import re

_ATTRIBUTION = re.compile(
    r"^(?:On .{5,200} wrote:|.{0,200}kirjoitti:|Le .{5,200} a écrit ?:|Am .{5,200} schrieb.{0,100}:|Den .{5,200} skrev.{0,100}:)\s*$"
)
_DIVIDER = re.compile(
    r"^-{2,}\s*(?:Original Message|Alkuperäinen viesti|Ursprüngliche Nachricht|Forwarded message)\s*-{2,}\s*$", re.I
)
_OUTLOOK = re.compile(r"^(?:From|Lähettäjä|Von|Från): .{1,300}$")
_OUTLOOK_NEXT = re.compile(r"^(?:Sent|Lähetetty|Gesendet|Skickat|Date|Päiväys|To|Vastaanottaja): ")
MOST_LINES = 20_000
MOST_LOOKED_AT = 2_000


def folded(text: str) -> tuple[str, str]:
    """What was written, and what it quotes ("" when nothing): cut at the first sign that the rest is an older mail."""
    lines = text.split("\n", MOST_LINES)
    own_end = max(
        (place for place, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(">")), default=-1
    )
    for place, line in enumerate(lines[:MOST_LOOKED_AT]):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if (place > own_end and line.lstrip().startswith(">")) or _begins_quote(
            line.strip()[:400], following.strip()[:400]
        ):
            own = "\n".join(lines[:place]).strip()
            return (own, "\n".join(lines[place:]).strip()) if own else (text.strip(), "")
    return text.strip(), ""


def _begins_quote(line: str, following: str) -> bool:
    if _ATTRIBUTION.match(line) or _DIVIDER.match(line):
        return True
    if _OUTLOOK.match(line) and _OUTLOOK_NEXT.match(following):
        return True
    # Some programs break the attribution over two lines.
    return line.startswith(("On ", "Am ", "Le ", "Den ")) and bool(_ATTRIBUTION.match(f"{line} {following}"))
