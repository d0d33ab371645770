"""What is kept of addresses and titles: no queries but those that are named, no tokens, no mail addresses, no controls."""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

MOST_PATH, MOST_TITLE, MOST_NAME = 300, 200, 100
UTM = ("source", "medium", "campaign", "term", "content")
HIDDEN = "…"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_MAIL = re.compile(r"[^\s/?&=<>]{1,64}(?:@|%40)[^\s/?&=<>]{1,255}\.[^\s/?&=<>]{2,}", re.I)
# Long runs of letters and figures together are keys, not words; so are figures alone from twelve on (phone, card, identity).
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])(?=[A-Za-z_~-]*\d)(?=[\d_~-]*[A-Za-z])[A-Za-z0-9_~]{20,}|[A-Za-z0-9_-]{40,}|\d{12,}"
)

_HOST = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?")
_UNSAFE = re.compile(r"""[\s<>"'`{}|\\^%?#]""")  # letters of all languages stay readable


@lru_cache(maxsize=4096)  # titles of a site are few
def plain(text: str, most: int = MOST_NAME) -> str:
    """A text of a stranger as it may be kept: one line, without mail addresses and keys."""
    said = _CONTROLS.sub(" ", text[: most * 4]).strip()
    return _TOKEN.sub(HIDDEN, _MAIL.sub(HIDDEN, said))[:most]


@lru_cache(maxsize=2048)
def address(url: str) -> SplitResult | None:
    """The parts of an http address; None for anything else."""
    try:
        found = urlsplit(url)
        _port = found.port
    except ValueError:
        return None
    if found.scheme not in {"http", "https"} or not found.netloc or "@" in found.netloc or _CONTROLS.search(url):
        return None
    return found


def host(found: SplitResult) -> str:
    """Host and port as they are declared: lower case, the usual ports unsaid."""
    said = found.netloc.lower()
    usual = ":443" if found.scheme == "https" else ":80"
    return said.removesuffix(usual).removesuffix(".")


@lru_cache(maxsize=2048)
def host_of(url: str) -> str:
    """The host of an http address; "" for anything else."""
    found = address(url)
    return host(found) if found is not None else ""


@lru_cache(maxsize=2048)
def path(url: str, kept: frozenset[str] = frozenset()) -> str:
    """The path of an address, with the parameters named in `kept` and the place of a one-page site; nothing else of it."""
    found = address(url)
    if found is None:
        return "/"
    said = _piece(found.path or "/")
    if kept and found.query:
        some = [(name, plain(value)) for name, value in _query(found.query) if name in kept]
        said += f"?{urlencode(some)}" if some else ""
    if found.fragment.startswith(("/", "!/")):
        said += f"#{_piece(found.fragment.partition('?')[0])}"
    return said[:MOST_PATH]


def _piece(said: str) -> str:
    return _UNSAFE.sub(lambda found: quote(found[0]), plain(unquote(said), MOST_PATH))


def _query(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query[:2000], max_num_fields=50)
    except ValueError:
        return []


@lru_cache(maxsize=2048)
def campaign(url: str) -> tuple[tuple[str, str], ...]:
    """The UTM parameters of an address: (source, …) names without the prefix, and their values."""
    found = address(url)
    if found is None or "utm_" not in found.query:
        return ()
    said = {name.removeprefix("utm_"): plain(value) for name, value in _query(found.query) if name.startswith("utm_")}
    return tuple((name, said[name]) for name in UTM if said.get(name))


@lru_cache(maxsize=2048)
def referrer(url: str, own: frozenset[str]) -> str:
    """The host that led here; "" for the site itself, or what is no address."""
    said = host_of(url)
    return "" if said in own or not _HOST.fullmatch(said) else said[:MOST_TITLE]
