"""Regular expressions in conditions: one subset with linear time, said the same to RE2 and to PostgreSQL.

A pattern is read with Python's own parser and written anew, folded, for text that is folded. Look-around, back-references, atomic groups, possessive and
lazy repeats are refused: they cost exponential time or mean something else elsewhere. Classes (\\d \\w \\s) are ASCII.
"""

import re
import warnings
from functools import lru_cache
from re import _constants as codes
from re import _parser as parser
from typing import Any

import re2

from crm.db import compile_pattern, fold_text
from crm.engine.kinds import BadValue
from crm.words import _

CLASSES = {
    codes.CATEGORY_DIGIT: "0-9",
    codes.CATEGORY_WORD: "0-9A-Za-z_",
    codes.CATEGORY_SPACE: r" \t\n\r\f\v",
}
OPPOSITES = {
    codes.CATEGORY_NOT_DIGIT: codes.CATEGORY_DIGIT,
    codes.CATEGORY_NOT_WORD: codes.CATEGORY_WORD,
    codes.CATEGORY_NOT_SPACE: codes.CATEGORY_SPACE,
}
LONGEST, MOST_REPEATS = 300, 255  # PostgreSQL repeats at most 255 times


@lru_cache(maxsize=500)
def read_pattern(text: str) -> tuple[str, str]:
    """(the pattern for RE2, the pattern for PostgreSQL) of `text`. Raises BadValue, saying what cannot be used."""
    if len(text) > LONGEST:
        raise _bad(_("it has more than %(most)s characters", most=LONGEST))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(text)
    except (re.error, OverflowError, RecursionError) as fault:
        raise _bad(str(fault)) from None
    if tree.state.flags & ~(re.UNICODE | re.IGNORECASE):
        raise _bad(_("it switches options on"))
    for_re2, for_postgresql = "(?s)" + _say(tree, False), _say(tree, True)
    try:
        compile_pattern(for_re2)
    except re2.error:
        raise _bad(_("it grows too large")) from None
    return for_re2, for_postgresql


def _bad(why: str) -> BadValue:
    return BadValue("bad_pattern", _("This regular expression cannot be used: %(why)s.", why=why))


def _escaped(code: int, pg: bool) -> str:
    if code == 0:
        raise _bad(_("it holds a character that cannot be stored (NUL)"))
    char = chr(code)
    if char.isalnum() or code > 127 or char in " _":
        return char
    if code < 32 or code == 127:
        return f"\\u{code:04x}" if pg else f"\\x{code:02x}"
    return "\\" + char


def _folded(code: int) -> str:
    return fold_text(chr(code)) or ""


def _say(tree: Any, pg: bool) -> str:
    return "".join(_say_one(op, argument, pg) for op, argument in tree)


def _say_one(op: Any, argument: Any, pg: bool) -> str:
    if op is codes.LITERAL:
        return "".join(_escaped(ord(char), pg) for char in _folded(argument))
    if op is codes.NOT_LITERAL:
        return f"[^{_in_class(argument, argument, pg)}]"
    if op is codes.ANY:
        return "."
    if op is codes.IN:
        return _say_class(argument, pg)
    if op is codes.BRANCH:
        return "(?:" + "|".join(_say(branch, pg) for branch in argument[1]) + ")"
    if op is codes.SUBPATTERN:
        if argument[1] or argument[2]:
            raise _bad(_("it switches options on"))
        return f"(?:{_say(argument[3], pg)})"
    if op is codes.MAX_REPEAT:
        least, most, body = argument
        if least > MOST_REPEATS or (most is not codes.MAXREPEAT and most > MOST_REPEATS):
            raise _bad(_("it repeats more than %(most)s times", most=MOST_REPEATS))
        end = "" if most is codes.MAXREPEAT else str(most)
        said = _say(body, pg)
        return f"(?:{said}){{{least},{end}}}" if said else ""
    if op is codes.AT:
        return _say_place(argument, pg)
    names = {
        codes.ASSERT: _("look-ahead and look-behind are not taken"),
        codes.ASSERT_NOT: _("look-ahead and look-behind are not taken"),
        codes.GROUPREF: _("back-references are not taken"),
        codes.GROUPREF_EXISTS: _("back-references are not taken"),
        codes.MIN_REPEAT: _("lazy repeats (*?) are not taken"),
    }
    raise _bad(names.get(op, _("it uses a form that is not taken")))


def _say_place(place: Any, pg: bool) -> str:
    if place in {codes.AT_BEGINNING, codes.AT_BEGINNING_STRING}:
        return r"\A"
    if place in {codes.AT_END, codes.AT_END_STRING}:
        return r"\Z" if pg else r"\z"
    raise _bad(_("word boundaries (\\b) are not taken; write the characters around it"))


def _in_class(first: int, last: int, pg: bool) -> str:
    """A range of a class: as written, and as it is in folded text."""
    said = _escaped(first, pg) if first == last else f"{_escaped(first, pg)}-{_escaped(last, pg)}"
    if first == last:
        lower = _folded(first)
        return said + (_escaped(ord(lower), pg) if len(lower) == 1 and lower != chr(first) else "")
    low, high = max(first, ord("A")), min(last, ord("Z"))
    return said + (f"{chr(low).lower()}-{chr(high).lower()}" if low <= high else "")


def _say_class(items: Any, pg: bool) -> str:
    parts, is_negative = [], False
    for op, argument in items:
        if op is codes.NEGATE:
            is_negative = True
        elif op is codes.LITERAL:
            parts.append(_in_class(argument, argument, pg))
        elif op is codes.RANGE:
            parts.append(_in_class(argument[0], argument[1], pg))
        elif op is codes.CATEGORY and argument in CLASSES:
            parts.append(CLASSES[argument])
        elif op is codes.CATEGORY and argument in OPPOSITES and len(items) == 1:
            return f"[^{CLASSES[OPPOSITES[argument]]}]"
        else:
            raise _bad(_("a class in brackets mixes opposites"))
    return f"[{'^' if is_negative else ''}{''.join(parts)}]"
