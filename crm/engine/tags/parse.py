"""Text → tree: one lark grammar, two dialects, errors with line and column and a reason a person understands."""

from __future__ import annotations

import functools
import html
import re
from decimal import Decimal
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError
from lark.tree import Meta

from crm.engine.tags.tree import (
    Assign,
    Binary,
    Call,
    Constant,
    Dialect,
    Expression,
    Filtered,
    If,
    Joined,
    Loop,
    Math,
    Node,
    Operand,
    Print,
    Show,
    Tag,
    TagError,
    Test,
    Text,
    Tree,
    Unary,
    Variable,
)
from crm.words import _, say_number

MAX_FORMULA_BYTES = 16 * 1024
WORDS = {"eq": "==", "ne": "!=", "neq": "!=", "lt": "<", "lte": "<=", "le": "<=", "gt": ">", "gte": ">=", "ge": ">="}
_INSIDE = re.compile(r"\$([A-Za-z_]\w*(?:\.\w+)*)")
_BLOCKS = re.compile(r"\{(if|foreach)(?=[\s(!$\"'])|\{/(if|foreach)\}")


def parse(text: str, dialect: Dialect = "mail") -> Tree:
    """The tree of `text`. Raises TagError (line, column, reason) when it cannot be read."""
    if dialect == "formula" and len(text.encode()) > MAX_FORMULA_BYTES:
        raise TagError(_("A formula may have at most %(most)s bytes", most=say_number(MAX_FORMULA_BYTES)), 1, 1)
    if "{" not in text:
        return Tree(dialect, (Text(text, 0, len(text)),) if text else (), text)
    try:
        parsed = _parser(dialect).parse(text)
        nodes: tuple[Node, ...] = _Build(text).transform(parsed)
    except UnexpectedInput as error:
        raise _explain(error, text, dialect) from None
    except VisitError as error:
        if isinstance(error.orig_exc, TagError):
            raise error.orig_exc from None
        raise
    except RecursionError:
        raise TagError(_("Blocks are nested too deeply"), 1, 1) from None
    return Tree(dialect, nodes, text)


@functools.cache
def _parser(start: str) -> Lark:
    grammar = resources.files("crm.engine.tags").joinpath("tags.lark").read_text("utf-8")
    return Lark(
        grammar, start=start, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=True
    )


@functools.lru_cache(maxsize=512)
def parse_equation(text: str, line: int, column: int) -> Expression:
    """What {math equation="…"} computes. Raises TagError at the place of the {math} tag."""
    try:
        expression: Expression = _Build(text).transform(_parser("equation").parse(text))
    except UnexpectedInput:
        raise TagError(_('The equation "%(name)s" cannot be read', name=text[:80]), line, column) from None
    return expression


@v_args(inline=True, meta=True)
class _Build(Transformer[Token, Any]):
    """One method a rule of tags.lark."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source

    @v_args(inline=True, meta=False)
    def _all(self, *nodes: Node) -> tuple[Node, ...]:
        return nodes

    mail = mail_block = formula = block = _all

    # ---- mail
    def mail_text(self, meta: Meta, token: Token) -> Text:
        return Text(str(token), meta.start_pos, meta.end_pos)

    text = mail_text

    def mail_print(self, meta: Meta, opening: Token, name: Token, fallback: Token | None) -> Print:
        return Print(_tag(name), None if fallback is None else _fallback(fallback[1:]), meta.start_pos, meta.end_pos)

    def mail_if(self, meta: Meta, *parts: Any) -> If:
        rest = [part for part in parts if part is not None and not isinstance(part, Token)]
        return If(((rest[0], rest[1]), *rest[2:]), meta.line, meta.column)

    def mail_elseif(self, meta: Meta, opening: Token, test: Test, body: tuple[Node, ...]) -> Any:
        return (test, body)

    def mail_else(self, meta: Meta, opening: Token, body: tuple[Node, ...]) -> Any:
        return (None, body)

    def mail_equal(self, meta: Meta, left: Token, operator: Token, right: Token) -> Test:
        return Test(_tag(left), _mail_value(right), negative=False)

    def mail_unequal(self, meta: Meta, left: Token, operator: Token, right: Token) -> Test:
        return Test(_tag(left), _mail_value(right), negative=True)

    def mail_filled(self, meta: Meta, *tokens: Token) -> Test:
        return Test(_tag(tokens[-1]), None, negative=True)

    def mail_empty(self, meta: Meta, *tokens: Token) -> Test:
        return Test(_tag(tokens[-1]), None, negative=False)

    # ---- formula
    def literal(self, meta: Meta, token: Token) -> Text:
        return Text(str(token)[len("{literal}") : -len("{/literal}")], meta.start_pos, meta.end_pos)

    def print(self, meta: Meta, opening: Token, value: Expression) -> Show:
        return Show(value)

    def if_block(self, meta: Meta, *parts: Any) -> If:
        return self.mail_if(meta, *parts)

    elseif = mail_elseif
    else_block = mail_else

    def assign(self, meta: Meta, opening: Token, *arguments: Any) -> Assign:
        given = _given("assign", arguments, ("var", "value"), meta)
        return Assign(_word(given["var"], "var", meta), given["value"])

    def math(self, meta: Meta, opening: Token, *arguments: Any) -> Math:
        given = dict(arguments)
        if "equation" not in given:
            raise TagError(_('{math} needs equation="…"'), meta.line, meta.column)
        equation = parse_equation(_spell(given.pop("equation")), meta.line, meta.column)
        target = _word(given.pop("assign"), "assign", meta) if "assign" in given else None
        return Math(equation, tuple(given.items()), target, meta.line, meta.column)

    def foreach(self, meta: Meta, opening: Token, *parts: Any) -> Loop:
        *arguments, body, _end = parts
        given = _given("foreach", arguments, ("from", "item"), meta)
        return Loop(given["from"], _word(given["item"], "item", meta), body)

    def foreach_as(
        self, meta: Meta, opening: Token, source: Expression, item: Token, body: tuple[Node, ...], end: Token
    ) -> Loop:
        return Loop(source, str(item)[1:], body)

    def argument(self, meta: Meta, name: Token, value: Expression) -> tuple[str, Expression]:
        return (str(name), value)

    def word(self, meta: Meta, name: Token) -> Constant:
        return Constant(str(name))

    def either(self, meta: Meta, left: Expression, right: Expression) -> Binary:
        return Binary("||", left, right)

    def both(self, meta: Meta, left: Expression, right: Expression) -> Binary:
        return Binary("&&", left, right)

    def negated(self, meta: Meta, operator: Token, value: Expression) -> Unary:
        return Unary("!", value)

    def comparison(self, meta: Meta, left: Expression, operator: Token, right: Expression) -> Binary:
        return Binary(WORDS.get(str(operator), str(operator)), left, right)

    sum = product = esum = eproduct = comparison

    def minus(self, meta: Meta, operator: Token, value: Expression) -> Unary:
        return Unary("-", value)

    eminus = minus

    def filtered(self, meta: Meta, value: Expression, modifier: Token, *arguments: Expression) -> Filtered:
        return Filtered(value, str(modifier), arguments, modifier.line or 1, modifier.column or 1)

    def variable(self, meta: Meta, token: Token) -> Variable:
        return Variable(tuple(str(token)[1:].split(".")), token.line or 1, token.column or 1)

    def number(self, meta: Meta, token: Token) -> Constant:
        return Constant(Decimal(str(token)))

    def opposite(self, meta: Meta, operator: Token, token: Token) -> Constant:
        return Constant(-Decimal(str(token)))

    def single(self, meta: Meta, token: Token) -> Constant:
        return Constant(_unescape(str(token)[1:-1]))

    def double(self, meta: Meta, token: Token) -> Expression:
        text, done = str(token)[1:-1], 0
        parts: list[Expression] = []
        for match in _INSIDE.finditer(text):
            before = text[done : match.start()]
            done = match.end()
            braced = before.endswith("{") and text[done : done + 1] == "}"
            if braced:
                before, done = before[:-1], done + 1
            if before:
                parts.append(Constant(_unescape(before)))
            place = (token.line or 1, (token.column or 1) + 1 + match.start())
            parts.append(Variable(tuple(match[1].split(".")), *place))
        if text[done:] or not parts:
            parts.append(Constant(_unescape(text[done:])))
        return parts[0] if len(parts) == 1 and isinstance(parts[0], Constant) else Joined(tuple(parts))

    def truth(self, meta: Meta, token: Token) -> Constant:
        return Constant({"true": True, "false": False, "null": None}[str(token)])

    # ---- equation
    @v_args(inline=True, meta=False)
    def equation(self, value: Expression) -> Expression:
        return value

    def ename(self, meta: Meta, token: Token) -> Expression:
        return self.variable(meta, token) if token.startswith("$") else Operand(str(token))

    def call(self, meta: Meta, name: Token, *arguments: Expression | None) -> Call:
        return Call(str(name), tuple(argument for argument in arguments if argument is not None))


def canonical(name: str) -> str:
    """`$First_Name` → `record.first_name`, `$links.survey:3` → `links.survey:3`: short names mean the record."""
    path, colon, argument = name.removeprefix("$").partition(":")
    path = path.lower()
    return (path if "." in path else f"record.{path}") + colon + argument


def _tag(token: Token) -> Tag:
    return Tag(canonical(str(token)), token.line or 1, token.column or 1)


def _fallback(written: str) -> str:
    text = written.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _mail_value(token: Token) -> Tag | str:
    if token.type == "TAG_NAME":
        return _tag(token)
    return str(token) if token.type == "NUMBER" else html.unescape(_strip_quotes(str(token)))


def _strip_quotes(text: str) -> str:
    for opening, closing in (('"', '"'), ("'", "'"), ("“", "”"), ("&quot;", "&quot;"), ("&#34;", "&#34;")):
        if text.startswith(opening):
            return text[len(opening) : -len(closing)]
    return text[len("&#39;") : -len("&#39;")]


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text


def _given(tag: str, arguments: Any, wanted: tuple[str, ...], meta: Meta) -> dict[str, Expression]:
    given: dict[str, Expression] = dict(arguments)
    if set(given) != set(wanted):
        raise TagError(
            _("{%(tag)s} needs exactly %(known)s", tag=tag, known=" and ".join(name + "=" for name in wanted)),
            meta.line,
            meta.column,
        )
    return given


def _word(value: Expression, argument: str, meta: Meta) -> str:
    if isinstance(value, Constant) and isinstance(value.value, str) and value.value.isidentifier():
        return value.value
    if isinstance(value, Variable) and len(value.path) == 1:
        return value.path[0]
    raise TagError(_("%(argument)s= takes a plain name", argument=argument), meta.line, meta.column)


def _spell(value: Expression) -> str:
    """An equation as it was written (its variables are filled in by name, never as text)."""
    parts = value.parts if isinstance(value, Joined) else (value,)
    spelled = [
        f"${'.'.join(part.path)}" if isinstance(part, Variable) else str(getattr(part, "value", "")) for part in parts
    ]
    return "".join(spelled)


def _explain(error: UnexpectedInput, text: str, dialect: Dialect) -> TagError:
    """A reason in the words of the person who wrote the text, at the place where the mistake is."""
    line, column = max(error.line, 1), max(error.column, 1)
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            opener = _unclosed(text)
            if opener:
                kind, line, column = opener
                return TagError(_("{%(kind)s} is never closed with {/%(kind)s}", kind=kind), line, column)
            line, column = _place(text, text.rfind("{"))
            return TagError(_("A tag is opened here and never closed with }"), line, column)
        if token.type in ("MAIL_END", "END_IF", "END_FOREACH"):
            return TagError(
                _("%(token)s without {%(name)s} before it", token=token, name=str(token)[2:-1]), line, column
            )
        if token.type in ("MAIL_ELSE", "ELSE", "MAIL_ELSEIF", "ELSEIF"):
            return TagError(
                _("%(value)s} has no {if} before it", value=str(token).split()[0].rstrip("}")), line, column
            )
        return TagError(_('"%(said)s" is not expected here', said=str(token)[:40]) + _advice(dialect), line, column)
    if isinstance(error, UnexpectedCharacters):
        offset = error.pos_in_stream or 0
        return TagError(
            _('"%(said)s" is not expected here', said=text[offset : offset + 20]) + _advice(dialect),
            line,
            column,
        )
    return TagError(_("This tag cannot be read"), line, column)


def _advice(dialect: Dialect) -> str:
    if dialect == "mail":
        return _('; a tag is {$name}, {$name|fallback} or {if $name == "value"}…{else}…{/if} (==, != and empty only)')
    return ""


def _unclosed(text: str) -> tuple[str, int, int] | None:
    stack: list[tuple[str, int]] = []
    for match in _BLOCKS.finditer(text):
        if match[1]:
            stack.append((match[1], match.start()))
        elif stack:
            stack.pop()
    return (stack[-1][0], *_place(text, stack[-1][1])) if stack else None


def _place(text: str, offset: int) -> tuple[int, int]:
    offset = max(offset, 0)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
