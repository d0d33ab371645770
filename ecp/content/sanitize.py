"""Takes out of a written mail what no mail may hold (scripts, frames, forms, handlers, style sheets of other hosts) and
says what and where. It cuts the source; everything else stays byte for byte: MJML, tags, conditional comments."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crm.words import _
from ecp.content.markup import VOID, Attribute, Token, tokens
from ecp.content.placeholders import Protected, protect
from ecp.content.problems import ContentProblem, ContentRefused, Removed

# Taken out with everything inside; the others of UNWRAPPED lose only their own brackets.
DROPPED = frozenset(
    [
        "script",
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "applet",
        "noembed",
        "noframes",
        "svg",
        "math",
        "template",
        "select",
        "textarea",
        "xmp",
        "plaintext",
        "dialog",
        "portal",
        "canvas",
    ]
)
UNWRAPPED = frozenset(
    [
        "form",
        "button",
        "input",
        "option",
        "optgroup",
        "label",
        "fieldset",
        "legend",
        "base",
        "link",
        "noscript",
        "mj-font",
    ]
)
ADDRESSES = frozenset(
    [
        "href",
        "src",
        "action",
        "formaction",
        "background",
        "background-url",
        "poster",
        "cite",
        "data",
        "xlink:href",
        "longdesc",
        "dynsrc",
        "lowsrc",
        "srcset",
        "icon",
        "src-url",
    ]
)
REFUSED_ATTRIBUTES = frozenset({"srcdoc", "formaction", "ping", "is", "xmlns:xlink"})
_NAME = re.compile(r"[a-z@:][\w:.@-]*", re.IGNORECASE)
_HANDLER = re.compile(r"on[a-z]", re.IGNORECASE)
_SAFE_SCHEMES = ("http:", "https:", "mailto:", "tel:", "sms:", "cid:")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[a-z0-9+/=\s]*\Z", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_HALF = re.compile("[\ud800-\udfff]")
_IMPORT = re.compile(r"@\s*import\b[^;{}]*;?", re.IGNORECASE)
_FONT_FACE = re.compile(r"@\s*font-face\s*\{[^{}]*\}", re.IGNORECASE)
_ACTIVE_STYLE = re.compile(r"expression\s*\(|javascript\s*:|vbscript\s*:|behaviou?r\s*:|-moz-binding|</", re.IGNORECASE)
_STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STYLE_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?|\\(.)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Cut:
    """One change: source[start:end] becomes `put`."""

    start: int
    end: int
    put: str
    what: str


class _Marks:
    """The words that stand for tags. They may be empty when the mail is filled, so a text is looked at without them."""

    def __init__(self, protected: Protected) -> None:
        self._word = re.compile(rf"{protected.mark}\d{{5}}z")
        blocks = [word for word, tag in protected.kept.items() if not tag[1:].lstrip().startswith("$")]
        self._edges = re.compile(rf"(?:{'|'.join(blocks)})*([^{{}}]+?)(?:{'|'.join(blocks)})*") if blocks else None

        prints = "|".join(word for word in protected.kept if word not in blocks) or "(?!)"
        self._blocks = re.compile("|".join(blocks) or "(?!)")
        self._early_end = re.compile(rf"(?:--|-?(?:{prints}))(?:-|{prints})*!?>")

    def may_end(self, comment: str) -> bool:
        """Whether a comment could end early when its tags are filled: a value may be nothing, or hyphens."""
        inside = comment[len("<!--") : -len("-->")]
        return bool(self._early_end.search(self._blocks.sub("", inside))) if self.in_(inside) else False

    def name_in(self, text: str) -> str:
        """The name of an attribute without {if} and the like around it (`{if $a}class` → `class`)."""
        match = self._edges.fullmatch(text) if self._edges else None
        return match[1] if match else text

    def without(self, text: str) -> str:
        return self._word.sub("", text)

    def is_one(self, text: str) -> bool:
        return bool(self._word.fullmatch(text))

    def in_(self, text: str) -> bool:
        return bool(self._word.search(text))


def sanitize(source: str) -> tuple[str, list[Removed]]:
    """The source without what is not allowed, and what was taken out with its place in the source as written.
    What is clean comes back unchanged; cleaning twice changes nothing more. Raises ContentRefused when it finds no end."""
    removed: list[Removed] = []
    for _turn in range(5):  # what was cut out may have hidden something behind it
        source = whole_characters(source)
        protected = protect(source, comments=False)
        cuts = list(_cuts(protected.text, _Marks(protected)))
        if not cuts:
            break
        removed += [Removed(cut.what, *protected.place(cut.start)) for cut in cuts if cut.what]
        source = protected.restore(_apply(protected, cuts))
    else:
        raise ContentRefused([ContentProblem(_("This markup is too tangled to be made safe; please simplify it"))])
    return source, removed


def whole_characters(text: str) -> str:
    """The text without NUL and without halves of characters (lone surrogates), which no mail can carry."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if _HALF.search(text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def is_safe_address(value: str) -> bool:
    """Whether an address may stand in a mail: http, https, mailto, tel, sms, cid, a picture as data, or without scheme."""
    text = _INVISIBLE.sub("", html.unescape(value))
    scheme = _SCHEME.match(text)
    if scheme is None:
        return True
    return text.lower().startswith(_SAFE_SCHEMES) or bool(_PICTURE.match(text))


def _apply(protected: Protected, cuts: list[_Cut]) -> str:
    pieces: list[str] = []
    done = 0
    for cut in sorted(cuts, key=lambda cut: (cut.start, -cut.end)):
        if cut.start < done:
            continue
        pieces += [protected.text[done : cut.start], cut.put]
        done = cut.end
    pieces.append(protected.text[done:])
    return "".join(pieces)


def _cuts(text: str, marks: _Marks) -> Iterator[_Cut]:
    dropping: Token | None = None
    depth = 0
    for token in tokens(text):
        if dropping is not None:
            if token.name == dropping.name and token.kind == "open" and not token.self_closing:
                depth += 1
            elif token.name == dropping.name and token.kind == "close":
                depth -= 1
            if depth:
                continue
            yield _Cut(dropping.start, token.end, "", f"<{dropping.name}>")
            dropping = None
            continue
        name = token.name.rpartition(":")[2] if ":" in token.name and not token.hidden else token.name
        if token.kind == "open" and name in DROPPED:
            if token.self_closing or name in VOID or name in ("frame", "embed"):
                yield _Cut(token.start, token.end, "", f"<{name}>")
            else:
                dropping, depth = token, 1
        else:
            yield from _look(text, token, name, marks)
    if dropping is not None:
        yield _Cut(dropping.start, len(text), "", _("<%(name)s> that is never closed", name=dropping.name))


def _look(text: str, token: Token, name: str, marks: _Marks) -> Iterator[_Cut]:
    """The changes that one token outside of dropped elements needs."""
    if token.kind == "broken":
        if token.name == "comment":
            yield _Cut(token.start, token.end, "", _("a comment that is never closed"))
        else:
            yield _Cut(token.start, token.start + 1, "&lt;", _("an element that is never closed with >"))
    elif token.kind == "comment":
        if marks.may_end(text[token.start : token.end]):
            yield _Cut(token.start, token.end, "", _("a comment that a tag in it could end"))
    elif token.kind == "declaration":
        if not text[token.start : token.end].lower().startswith(("<!doctype", "<?xml")):
            yield _Cut(token.start, token.end, "", "a declaration")
    elif token.kind in ("open", "close") and (name in UNWRAPPED or name in DROPPED):
        if not (name == "noscript" and token.hidden):
            yield _Cut(token.start, token.end, "", f"<{name}>" if token.kind == "open" else "")
    elif token.kind in ("open", "close") and (marks.in_(name) or not _NAME.fullmatch(name)):
        yield _Cut(token.start, token.end, "", f"<{marks.without(name)[:40]}>" if token.kind == "open" else "")
    elif token.kind == "open":
        if name == "meta" and (token.value("http-equiv") or "").lower() not in ("", "content-type", "x-ua-compatible"):
            yield _Cut(token.start, token.end, "", "<meta http-equiv>")
            return
        for attribute in token.attributes:
            yield from _attribute(token, attribute, marks)
    elif token.kind == "text" and token.name in ("style", "mj-style"):
        yield from _style(text, token.start, token.end, marks)


def _attribute(token: Token, attribute: Attribute, marks: _Marks) -> Iterator[_Cut]:
    name, value = marks.name_in(attribute.name), html.unescape(marks.without(attribute.value))
    whole = (attribute.start, attribute.end, "")
    if marks.in_(name):
        if not marks.is_one(name) or attribute.value_start != attribute.value_end or attribute.quoted:
            yield _Cut(*whole, _("a tag in the name of an attribute of <%(name)s>", name=token.name))
    elif _HANDLER.match(name) or name in REFUSED_ATTRIBUTES or not _NAME.fullmatch(name):
        yield _Cut(*whole, f"{name[:40]} in <{token.name}>")
    elif name in ADDRESSES and not is_safe_address(value):
        scheme = _INVISIBLE.sub("", value).partition(":")[0][:20].lower()
        yield _Cut(*whole, f"{name}={scheme}: in <{token.name}>")
    elif name == "style" and _is_active(value):
        yield _Cut(*whole, _("style in <%(name)s>", name=token.name))


def _style(text: str, start: int, end: int, marks: _Marks) -> Iterator[_Cut]:
    css = text[start:end]
    for pattern, what in ((_IMPORT, "@import"), (_FONT_FACE, "@font-face")):
        for match in pattern.finditer(css):
            yield _Cut(start + match.start(), start + match.end(), "", what)
    rest = marks.without(_FONT_FACE.sub("", _IMPORT.sub("", css)))
    if _is_active(rest) or _IMPORT.search(rest):
        yield _Cut(start, end, "", _("an active style"))


def _is_active(css: str) -> bool:
    """Whether a style could run something, also when it is spelt with escapes or comments."""
    if _ACTIVE_STYLE.search(css):
        return True
    plain = _STYLE_COMMENT.sub("", _STYLE_ESCAPE.sub(_unescape, css))
    return bool(_ACTIVE_STYLE.search(plain) or (("\\" in css or "/*" in css) and _IMPORT.search(plain)))


def _unescape(match: re.Match[str]) -> str:
    if not match[1]:
        return match[2]
    code = int(match[1], 16)
    return chr(code) if 0 < code < 0x110000 else ""
