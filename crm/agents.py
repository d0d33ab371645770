"""What the headers of a request tell: the family of the program, which is all that is kept of its name, and signs of machines."""

import re
from typing import Any, Literal

Kind = Literal["scanner", "proxy", "ahead", "library", "reader"]
MOST = 500  # characters of a header that are looked at

# Link checkers of mail gateways, previewers and crawlers; they name themselves.
_SCANNER = re.compile(
    r"bot\b|crawl|spider|slurp|preview|scan|monitor|check(?:er|ing)|safe ?links|mimecast|proofpoint|barracuda|ironport|"
    r"forcepoint|trendmicro|trend micro|symantec|messagelabs|sophos|fireeye|trellix|mcafee|cloudmark|vade|zscaler|"
    r"facebookexternalhit|skypeuripreview|slack-imgproxy|whatsapp|telegram|bingpreview|phantomjs|lighthouse|headlesschrome|"
    r"urlscan|virustotal|checkpoint|avanan|ironscales|abnormal ?security|egress|libredtail|censys|spamhaus|spamassassin",
    re.I,
)
# They fetch a picture in the name of a reader when he opens the mail.
_PROXY = re.compile(r"googleimageproxy|yahoomailproxy|ggpht|via ggpht|mailru|yandeximages|imageproxy|image proxy", re.I)
# They fetch the pictures of all mails ahead, read or not: Apple's privacy protection sends this name and no more; what
# Google loads ahead comes with a browser of 2015.
_AHEAD = re.compile(r"^mozilla/5\.0$|chrome/42\.0\.2311\.135 safari/537\.36 edge/12\.246", re.I)
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
    """Who it says it is: a scanner, a picture proxy, a service that loads all pictures ahead, a program library (an empty
    name too), or a person's reader."""
    agent = agent[:MOST].strip()
    if _AHEAD.search(agent):
        return "ahead"
    if _PROXY.search(agent):
        return "proxy"
    if _SCANNER.search(agent):
        return "scanner"
    if not agent or _LIBRARY.search(agent):
        return "library"
    return "reader"


def family(agent: str) -> str:
    """The name of the program without version, system or anything else that tells people apart; at most 20 characters."""
    agent = agent[:MOST]
    for name, pattern in _COMPILED:
        if pattern.search(agent):
            return name
    kind = kind_of(agent)
    return {"scanner": "Scanner", "proxy": "Image proxy", "ahead": "Image proxy", "library": "Program"}.get(
        kind, "Other"
    )


def is_loading_ahead(headers: Any) -> bool:
    """Whether a browser fetches the page before anybody asked for it (Sec-Purpose of Fetch; Purpose and X-Moz of old ones).

    `headers`: a mapping of names to texts."""
    said = " ".join(headers.get(name, "")[:MOST] for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")).lower()
    return "prefetch" in said or "preview" in said or "prerender" in said
