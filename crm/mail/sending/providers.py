"""Which provider a recipient's domain belongs to: the large ones have many domains, and count what comes to all of them together."""

from __future__ import annotations

from functools import lru_cache

_DOMAINS = {
    "gmail": ("gmail.com", "googlemail.com"),
    "outlook": ("msn.com", "passport.com", "windowslive.com"),
    "yahoo": ("ymail.com", "rocketmail.com", "aol.com", "aim.com", "verizon.net"),
    "icloud": ("icloud.com", "me.com", "mac.com"),
    "gmx": ("gmx.net", "web.de", "mail.com"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "mail.ru": ("mail.ru", "bk.ru", "list.ru", "inbox.ru"),
    "yandex": ("ya.ru",),
}
_NAMES = {  # with any ending: hotmail.fi, yahoo.co.uk
    "outlook": "outlook", "hotmail": "outlook", "live": "outlook", "yahoo": "yahoo", "gmx": "gmx", "yandex": "yandex",
}  # fmt: skip
_BY_DOMAIN = {domain: provider for provider, domains in _DOMAINS.items() for domain in domains}
_ENDINGS = {"com", "co", "net", "org"}


@lru_cache(maxsize=4096)
def provider_of(domain: str) -> str:
    """The provider of a domain; a domain of nobody known is its own."""
    domain = domain.lower()
    if domain in _BY_DOMAIN:
        return _BY_DOMAIN[domain]
    name, _dot, ending = domain.partition(".")
    last = ending.split(".")
    is_country = (
        len(last) <= 2 and (len(last[-1]) == 2 or ending in _ENDINGS) and (len(last) == 1 or last[0] in _ENDINGS)
    )
    return _NAMES[name] if name in _NAMES and is_country else domain
