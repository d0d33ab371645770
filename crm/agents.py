"""What a User-Agent header tells: its family, which is all that is kept, and whether a machine says so of itself."""

import re
from typing import Literal

Kind = Literal["scanner", "proxy", "library", "reader"]

# Link checkers of mail gateways, previewers and crawlers; they name themselves.
_SCANNER = re.compile(
    r"bot\b|crawl|spider|slurp|preview|scan|monitor|check(?:er|ing)|safe ?links|mimecast|proofpoint|barracuda|ironport|"
    r"forcepoint|trendmicro|trend micro|symantec|messagelabs|sophos|fireeye|trellix|mcafee|cloudmark|vade|zscaler|"
    r"facebookexternalhit|skypeuripreview|slack-imgproxy|whatsapp|telegram|bingpreview|phantomjs|lighthouse",
    re.I,
)
# They fetch pictures in the name of a reader, some long before he reads.
_PROXY = re.compile(r"googleimageproxy|yahoomailproxy|ggpht|via ggpht|mailru|yandeximages|imageproxy|image proxy", re.I)
_LIBRARY = re.compile(
    r"^(?:python|curl|wget|java|okhttp|go-http|libwww|lwp|ruby|php|guzzle|axios|node|perl|httpx|aiohttp|apache-httpclient|"
    r"dart|reqwest|rust|postman)",
    re.I,
)
_FAMILIES = (
    ("Outlook", r"outlook|microsoft office|ms-?office"),
    ("Thunderbird", r"thunderbird"),
    ("Apple Mail", r"applemail|apple ?mail|mail/\d"),
    ("Gmail", r"googleimageproxy|ggpht"),
    ("Yahoo", r"yahoo"),
    ("Edge", r"edg(?:e|a|ios)?/"),
    ("Opera", r"opr/|opera"),
    ("Samsung Internet", r"samsungbrowser"),
    ("Firefox", r"firefox|fxios"),
    ("Chrome", r"chrome|crios|chromium"),
    ("Safari", r"safari"),
    ("Apple Mail", r"^mozilla/5\.0$|applewebkit.*\(khtml, like gecko\)$"),
)
_COMPILED = tuple((name, re.compile(pattern, re.I)) for name, pattern in _FAMILIES)


def kind_of(agent: str) -> Kind:
    """Who it says it is: a scanner, a picture proxy, a program library (an empty one too), or a person's reader."""
    agent = agent[:500]
    if _PROXY.search(agent):
        return "proxy"
    if _SCANNER.search(agent):
        return "scanner"
    if not agent.strip() or _LIBRARY.search(agent):
        return "library"
    return "reader"


def family(agent: str) -> str:
    """The name of the program without version, system or anything else that tells people apart; at most 20 characters."""
    agent = agent[:500]
    for name, pattern in _COMPILED:
        if pattern.search(agent):
            return name
    kind = kind_of(agent)
    return {"scanner": "Scanner", "proxy": "Image proxy", "library": "Program"}.get(kind, "Other")
