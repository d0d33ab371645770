"""The footer that a marketing mail gets when its author left the unsubscribe link out (spec/marketing.md 6.1)."""

from __future__ import annotations

# In the language of the mail, not of whoever works here, hence not gettext.
_WORDS = {
    "en": ("You receive this message because you are on our mailing list.", "Unsubscribe"),
    "fi": ("Saat tämän viestin, koska olet postituslistallamme.", "Peruuta tilaus"),
    "sv": ("Du får detta meddelande eftersom du finns på vår e-postlista.", "Avsluta prenumerationen"),
    "de": ("Sie erhalten diese Nachricht, weil Sie auf unserer Mailingliste stehen.", "Abmelden"),
}


def as_html(language: str) -> str:
    """A line with the link, for the end of the body."""
    why, word = _WORDS.get(language, _WORDS["en"])
    return (
        '<div style="padding:16px 24px;text-align:center;font-family:Helvetica,Arial,sans-serif;font-size:12px;'
        f'line-height:18px;color:#6b7280">{why} '
        f'<a href="{{$links.unsubscribe}}" style="color:#6b7280;text-decoration:underline">{word}</a></div>'
    )


def as_text(language: str) -> str:
    """The same for the plain text."""
    why, word = _WORDS.get(language, _WORDS["en"])
    return f"-- \n{why}\n{word}: {{$links.unsubscribe}}\n"
