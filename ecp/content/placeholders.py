"""Tags become inert words (or comments) before MJML and the inliner, and come back after: serialisers would escape them
in addresses, and a table may not hold text between its rows (decisions.md 24)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from crm.engine.tags import TagError, parse
from ecp.content.markup import RAW_TEXT, place, tokens

TAG = re.compile(r"\{\s*\$[^{}]*\}|\{(?:if(?=[\s!])[^{}]*|else\s?if\s[^{}]*|else|/if)\}")


@dataclass
class Protected:
    """Text whose tags were replaced. `pieces`: (start in `text`, end in `text`, start in the source, end there)."""

    text: str
    source: str
    mark: str
    kept: dict[str, str] = field(default_factory=dict)
    pieces: list[tuple[int, int, int, int]] = field(default_factory=list)

    def origin(self, offset: int) -> int:
        """Where in the source something at `offset` of the protected text stands."""
        shift = 0
        for start, end, source_start, source_end in self.pieces:
            if offset < start:
                break
            if offset < end:
                return source_start
            shift = source_end - end
        return offset + shift

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column in the source."""
        return place(self.source, self.origin(offset))

    def keep(self, text: str, as_comment: bool = True) -> str:
        """Puts any piece of text aside and gives what stands for it."""
        word = f"{self.mark}{len(self.kept):05d}z"
        self.kept[word] = text
        return f"<!--{word}-->" if as_comment else word

    def restore(self, text: str) -> str:
        """Everything that was put aside comes back, also from inside other kept pieces."""
        pattern = re.compile(rf"<!--({self.mark}\d{{5}}z)-->|({self.mark}\d{{5}}z)")
        while self.mark in text:
            changed = pattern.sub(lambda match: self.kept.get(match[1] or match[2], ""), text)
            if changed == text:
                break
            text = changed
        return text


def protect(source: str, comments: bool = True) -> Protected:
    """Replaces every tag of `source`. {if}, {else} and {/if} between elements become comments (unless `comments` is
    off): they may stand where text may not, such as between the rows of a table."""
    mark = _mark(source)
    protected = Protected("", source, mark)
    found = [match for match in TAG.finditer(source) if "<" not in match[0] or _is_tag(match[0])]
    words: list[str] = []
    for match in found:
        words.append(protected.keep(match[0], as_comment=False))
    plain = _joined(source, found, words)
    if comments and any(not _is_print(match[0]) for match in found):
        between = _between_elements(plain, set(words))
        words = [
            f"<!--{word}-->" if word in between and not _is_print(match[0]) else word
            for word, match in zip(words, found, strict=True)
        ]
        plain = _joined(source, found, words)
    protected.text = plain
    shift = 0
    for match, word in zip(found, words, strict=True):
        start = match.start() + shift
        protected.pieces.append((start, start + len(word), match.start(), match.end()))
        shift += len(word) - len(match[0])
    return protected


def _is_tag(text: str) -> bool:
    """Whether something between braces that holds markup is a tag at all; otherwise its markup counts as markup."""
    whole = text if _is_print(text) else f"{text}{{/if}}" if text.startswith("{if") else f"{{if $a}}{text}{{/if}}"
    try:
        parse(whole)
    except TagError:
        return False
    return True


def _is_print(tag: str) -> bool:
    return tag[1:].lstrip().startswith("$")


def _joined(source: str, found: list[re.Match[str]], words: list[str]) -> str:
    pieces: list[str] = []
    done = 0
    for match, word in zip(found, words, strict=True):
        pieces += [source[done : match.start()], word]
        done = match.end()
    pieces.append(source[done:])
    return "".join(pieces)


def _between_elements(plain: str, words: set[str]) -> set[str]:
    """The words that stand in ordinary text: not in an element, a comment, a style or a title."""
    first = next(iter(words))
    pattern = re.compile(rf"{first[:-6]}\d{{5}}z")
    found: set[str] = set()
    for token in tokens(plain):
        if token.kind == "text" and not token.hidden and token.name not in RAW_TEXT:
            found.update(pattern.findall(plain, token.start, token.end))
    return found


def _mark(source: str) -> str:
    """Letters that the source does not hold: small letters only, so that no serialiser has a reason to touch them."""
    while True:
        mark = "q" + "".join(secrets.choice("abcdefghjkmnpqrstuvwxy") for _ in range(7)) + "q"
        if mark not in source.lower():
            return mark
