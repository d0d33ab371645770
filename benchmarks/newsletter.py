"""The newsletter that the measurements use: about 60 kB of compiled HTML, 12 tags, 96 tracked links, repeatable.

from benchmarks.newsletter import SUBJECT, TAGS, mjml
python -m benchmarks.newsletter > newsletter.mjml
"""

from __future__ import annotations

import random

SUBJECT = "{$contact.first_name|Dear reader}, the autumn at Saarni & Sons"
TAGS = (
    "contact.first_name",
    "contact.last_name",
    "contact.salutation",
    "contact.city",
    "account.name",
    "account.industry",
    "owner.first_name",
    "owner.phone",
    "campaign.name",
    "sendout.name",
)
LINKS = 96

_WORDS = [
    "oak",
    "grain",
    "workshop",
    "bench",
    "winter",
    "light",
    "harbour",
    "letter",
    "table",
    "window",
    "quiet",
    "board",
    "plane",
    "saw",
    "morning",
    "coffee",
    "drawing",
    "order",
    "visit",
    "timber",
    "glue",
    "joint",
    "drawer",
    "shelf",
    "chair",
    "frame",
    "linen",
    "paper",
    "colour",
    "season",
    "market",
    "opening",
    "garden",
    "path",
    "stone",
    "lamp",
]


def mjml(seed: int = 7) -> str:
    """The MJML source, under 65,000 characters: 10 of the 12 tags; the other two are the links at its foot."""
    dice = random.Random(seed)
    tags = [f"{{${name}|reader}}" for name in TAGS]
    sections = "".join(_section(number, dice, tags) for number in range(LINKS // 8))
    return f"""<mjml lang="en"><mj-head><mj-title>Saarni newsletter</mj-title>
<mj-attributes><mj-all font-family="Georgia, 'Times New Roman', serif"/><mj-text font-size="16px" line-height="24px" color="#222222"/></mj-attributes>
<mj-style>.note {{ color: #666666; font-size: 14px }} .lead {{ font-weight: bold }} a {{ color: #0b5d4b }}
@media (max-width:480px) {{ .note {{ font-size: 15px !important }} }}</mj-style></mj-head>
<mj-body background-color="#f4f1ea">{sections}
<mj-section><mj-column><mj-text css-class="note">You get this because you asked for it.
<a href="{{$links.online}}">Read it in the browser</a> or <a href="{{$links.unsubscribe}}">unsubscribe</a>.</mj-text></mj-column></mj-section>
</mj-body></mjml>"""


def _section(number: int, dice: random.Random, tags: list[str]) -> str:
    links = "".join(
        f'<li><a href="https://shop.example/{number}/{item}?ref=news&amp;item={dice.randrange(10**8)}">'
        f"{_sentence(dice, 5)}</a> {_sentence(dice, 21)}</li>"
        for item in range(8)
    )
    greeting = f"{tags[number]}, {_sentence(dice, 6)}" if number < len(tags) else _sentence(dice, 7)
    return (
        f'<mj-section background-color="#ffffff" padding="12px 0"><mj-column><mj-text><h2>{greeting}</h2>'
        f'<p class="lead">{_sentence(dice, 58)}</p><ul>{links}</ul><p class="note">{_sentence(dice, 40)}</p>'
        "</mj-text></mj-column></mj-section>\n"
    )


def _sentence(dice: random.Random, words: int) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(words)).capitalize() + "."


if __name__ == "__main__":
    print(mjml())
