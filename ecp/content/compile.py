"""What is written → what is sent: MJML, inlining, links, plain text, done once per content version and never per person.

compiled = compile(Content(kind="mjml", source=…, subject=…))       # cached by the hash of the content
mail = prepare(compiled)                                            # segments, literals quoted-printable already
pieces = mail.html.fill(values, raw)                                # bytes for crm/mail/assemble.py
"""

from __future__ import annotations

import hashlib
import html as entities
import json
import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import mjml
from lxml import etree

from crm.engine.tags import Encoded, Segments, Tree, modernise
from crm.engine.tags import compile as compile_tags
from crm.engine.tags import parse as parse_tags
from crm.engine.tags.tree import TagError, names
from crm.mail.quoted_printable import encode_piece
from crm.words import _
from ecp.content import footer, limits, links
from ecp.content.links import Link
from ecp.content.markup import tokens
from ecp.content.mjml_check import check_mjml
from ecp.content.placeholders import TAG, Protected, protect
from ecp.content.plaintext import to_text
from ecp.content.problems import ContentProblem, ContentRefused, Removed
from ecp.content.sanitize import sanitize, whole_characters

VERSION = 1  # of this chain: a change of what it gives is a new number, so that nothing old is taken from a cache

PIXEL = (
    '{if $links.pixel}<img src="{$links.pixel}" width="1" height="1" alt="" '
    'style="display:block;border:0;width:1px;height:1px">{/if}'
)
CANARY = (
    '{if $links.click}<a href="{$links.click}0" tabindex="-1" aria-hidden="true" '
    'style="display:none;font-size:0;line-height:0;max-height:0;overflow:hidden;mso-hide:all"></a>{/if}'
)
_SKELETON = (
    '<!doctype html><html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>{}</body></html>'
)
_PREHEADER = (
    '<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;'
    'mso-hide:all">{}{}</div>'
)
_FOREIGN_ICON = re.compile(r"<img\b[^>]*\bsrc=\"https://www\.mailjet\.com/[^>]*>")
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_IS_KEPT = re.compile(r"q[a-z]{7}q\d{5}z")
_POSITION = re.compile(r"position (\d+):\d+")


@dataclass(frozen=True, slots=True)
class Content:
    """What is written. `kind`: mjml or html; an empty `text` is generated; `language` is that of the mail (en, fi);
    `needs_unsubscribe`: the list is a marketing one, so a footer is added where the link is missing."""

    kind: str
    source: str
    subject: str = ""
    text: str = ""
    preheader: str = ""
    language: str = "en"
    needs_unsubscribe: bool = False

    @property
    def key(self) -> str:
        """The hash that names this version."""
        return hashlib.sha256(json.dumps([VERSION, *asdict(self).values()]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Compiled:
    """The immutable artefact of a content version. `html` and `text` hold tags and `{$links.click}<number>`; all of it
    can be stored as JSON (`dump`, `load`)."""

    key: str
    subject: str
    html: str
    text: str
    links: tuple[Link, ...] = ()
    warnings: tuple[ContentProblem, ...] = ()
    removed: tuple[Removed, ...] = ()
    text_is_generated: bool = False
    footer_was_added: bool = False

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def load(cls, dumped: str | bytes) -> Compiled:
        """From what `dump` gave."""
        said: dict[str, Any] = json.loads(dumped)
        said["links"] = tuple(Link(**one) for one in said["links"])
        said["warnings"] = tuple(ContentProblem(**one) for one in said["warnings"])
        said["removed"] = tuple(Removed(**one) for one in said["removed"])
        return cls(**said)


@dataclass(frozen=True)
class Mail:
    """A compiled version ready to be filled: `subject.fill(values, raw)` → str, `html.fill` and `text.fill` → pieces for
    crm/mail/assemble.py. `html` is None for a mail of text alone."""

    subject: Segments
    text: Encoded
    html: Encoded | None
    printed: frozenset[str] = field(default=frozenset())
    asked: frozenset[str] = field(default=frozenset())


def compile(content: Content) -> Compiled:
    """The artefact of `content`, made once: the second call with the same content takes it from a cache.

    Raises ContentRefused with every problem and its place (line, column of the source as written)."""
    return _compile(content)


@lru_cache(maxsize=64)
def _compile(content: Content) -> Compiled:
    problems = [*limits.check_source(content.source), *limits.check_subject(content.subject)]
    if problems:
        raise ContentRefused(problems)
    source, removed = sanitize(modernise(content.source))
    subject, preheader, written = (
        modernise(whole_characters(text)) for text in (content.subject, content.preheader, content.text)
    )
    asked = [
        *_tags("source", source, problems),
        *_tags("subject", subject, problems),
        *_tags("text", written, problems),
        *_tags("preheader", preheader, problems),
    ]
    protected = protect(source)
    html = _to_html(content.kind, protected, problems) if source.strip() else ""
    if problems:
        raise ContentRefused(problems)
    warnings: list[ContentProblem] = []
    adds_footer = content.needs_unsubscribe and "links.unsubscribe" not in asked
    if html:
        html = _complete(html, content, protected, preheader, adds_footer)
        html, foreign = _FOREIGN_ICON.subn("", html)
        if foreign:
            message = _("Pictures of social networks were left out: give each <mj-social-element> a src of your own")
            warnings.append(ContentProblem(message, severity="warning"))
        html = inline(_without_tagged_comments(html, protected.mark))
    text_is_generated = not written.strip()
    html, table, text = _split(html, protected, "" if text_is_generated else written)
    if content.needs_unsubscribe and "links.unsubscribe" not in text:
        text = text.rstrip("\n") + "\n\n" + footer.as_text(content.language)
        adds_footer = adds_footer or not html
    for made in (html, text):
        _demand_whole(made)
    warnings += limits.check_compiled(html)
    if any(problem.severity == "error" for problem in warnings):
        raise ContentRefused(warnings)
    return Compiled(
        key=content.key, subject=subject, html=html, text=text, links=table, warnings=tuple(warnings),
        removed=tuple(removed), text_is_generated=text_is_generated, footer_was_added=adds_footer,
    )  # fmt: skip


@lru_cache(maxsize=32)
def prepare(compiled: Compiled, tracked: bool = True, is_online: bool = False) -> Mail:
    """Segments of an artefact. With `tracked` off, links lead to their targets and there is no pixel.

    `is_online`: for a browser, with neither pixel nor hidden link; both are no part of what is written, counted or checked."""
    html, text = compiled.html, compiled.text
    if tracked:
        html = _before_end(html, PIXEL + CANARY) if html and not is_online else html
    else:
        html = untracked_html(compiled)
        text = links.plain_links(text, compiled.links)
    subject = compile_tags(compiled.subject, "subject")
    text_segments = compile_tags(text, "text")
    all_segments = [subject, text_segments]
    html_segments = compile_tags(html, "html") if html else None
    if html_segments:
        all_segments.append(html_segments)
    return Mail(
        subject=subject,
        text=Encoded(text_segments, encode_piece),
        html=Encoded(html_segments, encode_piece) if html_segments else None,
        printed=frozenset().union(*(one.printed for one in all_segments)),
        asked=frozenset().union(*(one.asked for one in all_segments)),
    )


def untracked_html(compiled: Compiled) -> str:
    """The HTML with the targets of its links in place of their numbers (tags still in it)."""
    return links.plain_links(compiled.html, compiled.links, links.in_attribute)


def inline(html: str) -> str:
    """Styles put into the elements, media queries and conditional comments kept; nothing is fetched.

    Raises ContentRefused for elements nested so deeply that the parser would lose what is inside them."""
    reader = etree.HTMLParser()
    etree.fromstring(html.encode(), reader)
    if any("depth" in entry.message for entry in reader.error_log):
        raise ContentRefused([ContentProblem(_("Elements are nested more than 250 deep; are closing tags missing?"))])
    from premailer import Premailer  # here, as it brings 15 MB that processes which only send do without

    inlined: str = Premailer(
        html, allow_network=False, disable_validation=True, keep_style_tags=True, strip_important=False,
        remove_classes=False, cssutils_logging_level=50,
    ).transform()  # fmt: skip
    clean, _removed = sanitize(inlined)  # what a parser made of odd markup is looked at once more
    return clean if clean.lstrip()[:9].lower() == "<!doctype" else f"<!doctype html>\n{clean}"


def _to_html(kind: str, protected: Protected, problems: list[ContentProblem]) -> str:
    if kind == "html":
        return (
            protected.text
            if re.search(r"<html[\s>]", protected.text, re.IGNORECASE)
            else _SKELETON.format(protected.text)
        )
    found, insides = check_mjml(protected)
    problems += found
    return "" if problems else _from_mjml(protected, insides, problems)


def _from_mjml(protected: Protected, insides: list[Any], problems: list[ContentProblem]) -> str:
    """HTML of a checked MJML text. The HTML inside components is kept away from the compiler, which reads XML only."""
    folded = Protected("", protected.text, f"{protected.mark[:-1]}kq")
    pieces: list[str] = []
    done = 0
    for inside in insides:
        pieces.append(protected.text[done : inside.start])
        start = sum(map(len, pieces))
        word = folded.keep(
            protected.text[inside.start : inside.end],
            as_comment=not inside.name.startswith(("mj-title", "mj-style", "mj-preview")),
        )
        folded.pieces.append((start, start + len(word), inside.start, inside.end))
        pieces.append(word)
        done = inside.end
    pieces.append(protected.text[done:])
    folded.text = "".join(pieces)
    try:
        html: str = mjml.mjml2html(folded.text, fonts={})
    except ValueError as error:
        problems.append(_explain(str(error), folded, protected))
        return ""
    return folded.restore(html).replace("Ubuntu, Helvetica, Arial, sans-serif", "Helvetica, Arial, sans-serif")


def _explain(reason: str, folded: Protected, protected: Protected) -> ContentProblem:
    message = _("MJML cannot be compiled: %(why)s", why=reason.partition(" in root")[0])
    match = _POSITION.search(reason)
    if match is None:
        return ContentProblem(message)
    offset = len(folded.text.encode()[: int(match[1])].decode(errors="ignore"))
    line, column = protected.place(folded.origin(offset))
    return ContentProblem(message, "source", line, column)


def _complete(html: str, content: Content, protected: Protected, preheader: str, adds_footer: bool) -> str:
    """Language, preheader and footer put in."""
    html = html.replace('lang="und"', f'lang="{entities.escape(content.language)}"')
    if preheader.strip() and "<mj-preview" not in protected.text:
        filler = "&#847;&zwnj;&nbsp;" * 40  # keeps the first words of the body out of the preview line
        hidden = _PREHEADER.format(_keep_tags(preheader, protected), filler)
        html = re.sub(r"<body\b[^>]*>", lambda match: match[0] + hidden, html, count=1)
    if adds_footer:
        html = _before_end(html, _keep_tags(footer.as_html(content.language), protected, escape=False))
    return html


def _without_tagged_comments(html: str, mark: str) -> str:
    """Comments that hold tags (parts that an author has put out of use) are not sent: a value could end them."""
    if not any(mark in found[1] for found in _COMMENT.finditer(html) if not _IS_KEPT.fullmatch(found[1])):
        return html  # nearly always; the reader of markup is slower
    pieces: list[str] = []
    done = 0
    for token in tokens(html):
        if token.kind == "comment" and mark in (inside := html[token.start : token.end]):
            if re.fullmatch(rf"<!--{mark}\d{{5}}z-->", inside):
                continue  # stands for an {if}
            pieces.append(html[done : token.start])
            done = token.end
    pieces.append(html[done:])
    return "".join(pieces)


def _keep_tags(text: str, protected: Protected, escape: bool = True) -> str:
    """A further text for the HTML: its tags are kept like those of the source, the rest is escaped."""
    other = protect(text, comments=False)
    shown = entities.escape(other.text, quote=False) if escape else other.text
    for word, tag in other.kept.items():
        shown = shown.replace(word, protected.keep(tag, as_comment=False))
    return shown


def _split(html: str, protected: Protected, written: str) -> tuple[str, tuple[Link, ...], str]:
    """HTML and text with numbered links and their table. A generated text shares the numbers of the HTML."""
    table: list[Link] = []
    if html:
        html, table = links.split_html(protected, html)
    if written:
        text, more = links.split_text(written.replace("\r\n", "\n").rstrip() + "\n", len(table) + 1)
        table += more
    else:
        text = TAG.sub(lambda tag: entities.unescape(tag[0]), protected.restore(to_text(html))) if html else ""
    return protected.restore(html), tuple(table), text


def _before_end(html: str, more: str) -> str:
    position = html.lower().rfind("</body>")
    return html + more if position < 0 else html[:position] + more + html[position:]


def _demand_whole(made: str) -> None:
    """The tags of what was made can still be read. They cannot when {if} and {/if} stood in places that were parted."""
    try:
        parse_tags(made)
    except TagError:
        message = _(
            "An {if} and its {/if} must stand in the same part: both in the text, or both in one title or attribute"
        )
        raise ContentRefused([ContentProblem(message)]) from None


def _tags(where: str, text: str, problems: list[ContentProblem]) -> list[str]:
    """The names a text asks for; a tag that cannot be read is a problem."""
    try:
        tree: Tree = parse_tags(text)
    except TagError as error:
        problems.append(ContentProblem(error.reason, where, error.line, error.column))
        return []
    return [tag.name for tag in names(tree)]
