"""What a mail looks like for one person: subject, HTML for a sandboxed frame, plain text. Nothing is measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crm.engine.tags import compile as compile_tags
from ecp.content import links
from ecp.content.compile import Compiled, untracked_html
from ecp.content.markup import tokens

WIDTHS = {"desktop": 640, "phone": 375}  # CSS pixels of the frame

# For the response that carries the HTML: no script, no form, nothing but pictures and the mail's own styles. The frame
# needs no more than `sandbox="allow-popups allow-popups-to-escape-sandbox"`.
PREVIEW_CSP = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True, slots=True)
class Preview:
    """A filled mail. `html` is "" for a mail of text alone."""

    subject: str
    html: str
    text: str


def preview(compiled: Compiled, values: Mapping[str, str], raw: Mapping[str, str] | None = None) -> Preview:
    """The mail as the person with these values gets it; links lead to their targets in a new window, special links
    that have no value (a preview has no delivery) are words without a target."""
    html = ""
    if compiled.html:
        filled = compile_tags(untracked_html(compiled), "html").fill(values, raw)
        html = open_outside(filled)
    text = compile_tags(links.plain_links(compiled.text, compiled.links), "text").fill(values, raw)
    return Preview(compile_tags(compiled.subject, "subject").fill(values, raw), html, text)


_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")


def as_dark(html: str) -> str:
    """A filled mail as programs in dark mode show it: its own dark styles hold, those for the light do not."""
    html = _DARK.sub(lambda match: "(min-width:0)" if match[1] == "dark" else "(max-width:0)", html)
    return html.replace("</head>", "<style>:root{color-scheme:dark}</style></head>", 1)


def open_outside(html: str) -> str:
    """Every link opens a new window that knows nothing of this one; empty ones lose their target."""
    pieces: list[str] = []
    done = 0
    for token in tokens(html):
        if token.kind != "open" or token.name not in ("a", "area"):
            continue
        for attribute in token.attributes:
            empty = attribute.name == "href" and not attribute.value.strip()
            if empty or attribute.name in ("target", "rel"):
                pieces.append(html[done : attribute.start].rstrip())
                done = attribute.end
        end = token.end - (2 if token.self_closing else 1)
        if end > done:
            pieces.append(html[done:end])
        pieces.append(' target="_blank" rel="noopener noreferrer"')
        done = max(end, done)
    pieces.append(html[done:])
    return re.sub(r"<meta http-equiv=\"X-UA-Compatible\"[^>]*>", "", "".join(pieces))
