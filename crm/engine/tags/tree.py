"""What a parsed text is made of: our own tree, so that nothing else is ever compiled or run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from crm.words import _

Dialect = Literal["mail", "formula"]


class TagError(ValueError):
    """A text that cannot be read as tags. `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(_("Line %(line)s, column %(column)s: %(reason)s", line=line, column=column, reason=reason))
        self.reason, self.line, self.column = reason, line, column


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that a text asks for: `contact.first_name`, `links.survey:3`, with its place (from 1)."""

    name: str
    line: int
    column: int

    @property
    def namespace(self) -> str:
        """`contact` of `contact.first_name`."""
        return self.name.partition(".")[0]


# ---- both dialects ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Text:
    """Literal text, with its place in the source (offsets)."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class If:
    """`arms` are (test, body) in order; the body of {else} has no test."""

    arms: tuple[tuple[Test | Expression | None, tuple[Node, ...]], ...]
    line: int
    column: int


# ---- mail ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Print:
    """`{$name|fallback}`; `start` and `end` are offsets of the whole tag."""

    tag: Tag
    fallback: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Test:
    """`left == right`, or `left empty` when `right` is None; `negative` turns it round."""

    left: Tag
    right: Tag | str | None
    negative: bool


# ---- formula ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Constant:
    value: str | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Variable:
    """`$account.industry` as ("account", "industry")."""

    path: tuple[str, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A double-quoted text with variables inside."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    """`value|modifier:argument`."""

    value: Expression
    modifier: str
    arguments: tuple[Expression, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison, `&&`, `||`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Unary:
    operator: Literal["!", "-"]
    value: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function inside an equation."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Operand:
    """A bare name inside an equation: what {math} was given under that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Show:
    """`{expression}`."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Assign:
    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Math:
    equation: Expression
    operands: tuple[tuple[str, Expression], ...]
    assign: str | None
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Loop:
    source: Expression
    item: str
    body: tuple[Node, ...]


Expression: TypeAlias = Constant | Variable | Joined | Filtered | Binary | Unary | Call | Operand
Node: TypeAlias = Text | If | Print | Show | Assign | Math | Loop


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed text; `source` is kept so that places can be found again."""

    dialect: Dialect
    nodes: tuple[Node, ...]
    source: str


def names(tree: Tree) -> list[Tag]:
    """Every name the text asks for, in order, repeats included; names set by {assign} or a loop are left out."""
    found: list[Tag] = []
    _collect(tree.nodes, found, set())
    return found


def _collect(nodes: tuple[Node, ...], found: list[Tag], own: set[str]) -> None:
    for node in nodes:
        for expression in _of(node):
            for part in _within(expression):
                if isinstance(part, Variable) and part.path[0] not in own:
                    found.append(Tag(".".join(part.path), part.line, part.column))
        match node:
            case Print():
                found.append(node.tag)
            case If():
                for test, body in node.arms:
                    if isinstance(test, Test):
                        found.extend(side for side in (test.left, test.right) if isinstance(side, Tag))
                    elif test is not None:
                        _collect((Show(test),), found, own)
                    _collect(body, found, own)
            case Assign():
                own.add(node.name)
            case Math():
                if node.assign:
                    own.add(node.assign)
            case Loop():
                _collect(node.body, found, own | {node.item})


def expressions(nodes: tuple[Node, ...]) -> Iterator[Expression]:
    """Every expression of a formula, those inside others too."""
    for node in nodes:
        for expression in _of(node):
            yield from _within(expression)
        if isinstance(node, If):
            for test, body in node.arms:
                if test is not None and not isinstance(test, Test):
                    yield from _within(test)
                yield from expressions(body)
        elif isinstance(node, Loop):
            yield from expressions(node.body)


def _of(node: Node) -> tuple[Expression, ...]:
    match node:
        case Show() | Assign():
            return (node.value,)
        case Math():
            return (node.equation, *(operand for _, operand in node.operands))
        case Loop():
            return (node.source,)
        case _:
            return ()


def _within(expression: Expression) -> Iterator[Expression]:
    yield expression
    inner: tuple[Expression, ...] = ()
    match expression:
        case Joined():
            inner = expression.parts
        case Filtered():
            inner = (expression.value, *expression.arguments)
        case Binary():
            inner = (expression.left, expression.right)
        case Unary():
            inner = (expression.value,)
        case Call():
            inner = expression.arguments
    for part in inner:
        yield from _within(part)
