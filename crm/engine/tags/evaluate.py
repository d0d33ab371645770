"""Runs the formula dialect: our own evaluator over our own tree, with a step counter, a clock and bounded numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal, DecimalException
from typing import Any

from crm.engine.tags import modifiers
from crm.engine.tags.meaning import (
    ARITHMETIC,
    MAX_LOOP_STEPS,
    MAX_OUTPUT,
    MAX_SECONDS,
    FormulaError,
    Run,
    arithmetic,
    equal,
    number,
    ordered,
    rows_of,
    shown,
    truthy,
)
from crm.engine.tags.moments import Phrase
from crm.engine.tags.tree import (
    Assign,
    Binary,
    Call,
    Constant,
    Expression,
    Filtered,
    If,
    Joined,
    Loop,
    Math,
    Node,
    Operand,
    Show,
    Test,
    Text,
    Tree,
    Unary,
    Variable,
)
from crm.words import _, say_number


def evaluate(tree: Tree, values: Mapping[str, Any], now: datetime, zone: tzinfo) -> str:
    """What a formula prints. `values`: field → stored value (text, number, Decimal, bool, date, None), `rows` → list of
    mappings, `account` → mapping of a linked record, `rel_…`, static variables. `now` is aware. Raises FormulaError."""
    run = Run(values, now, zone, deadline=time.monotonic() + MAX_SECONDS)
    try:
        return "".join(_run(tree.nodes, run))
    except Phrase as error:
        raise FormulaError(str(error)) from None
    except RecursionError:
        raise FormulaError(_("the formula is nested too deeply")) from None


def worth(what: Expression | Math, values: Mapping[str, Any], now: datetime, zone: tzinfo) -> Any:
    """The value of one expression, not yet text; `values` as for evaluate. Raises FormulaError."""
    run = Run(values, now, zone, deadline=time.monotonic() + MAX_SECONDS)
    try:
        return _math(what, run) if isinstance(what, Math) else _value(what, run)
    except Phrase as error:
        raise FormulaError(str(error)) from None
    except RecursionError:
        raise FormulaError(_("the formula is nested too deeply")) from None


def _run(nodes: tuple[Node, ...], run: Run) -> list[str]:
    out: list[str] = []
    for node in nodes:
        run.step()
        match node:
            case Text():
                _add(out, node.value, run)
            case Show():
                _add(out, shown(_value(node.value, run)), run)
            case If():
                for test, body in node.arms:
                    if test is None or (not isinstance(test, Test) and truthy(_value(test, run))):
                        out.extend(_run(body, run))
                        break
            case Assign():
                run.own[node.name] = _value(node.value, run)
            case Math():
                result = _math(node, run)
                if node.assign:
                    run.own[node.assign] = result
                else:
                    _add(out, shown(result), run)
            case Loop():
                for row in rows_of(_value(node.source, run)):
                    run.loop_steps += 1
                    if run.loop_steps > MAX_LOOP_STEPS:
                        raise FormulaError(_("more than %(most)s rows", most=say_number(MAX_LOOP_STEPS)))
                    run.own[node.item] = row
                    out.extend(_run(node.body, run))
    return out


def _add(out: list[str], text: str, run: Run) -> None:
    run.length += len(text)
    if run.length > MAX_OUTPUT:
        raise FormulaError(_("the result is longer than %(most)s characters", most=say_number(MAX_OUTPUT)))
    out.append(text)


def _value(expression: Expression, run: Run) -> Any:
    run.step()
    match expression:
        case Constant():
            return expression.value
        case Variable():
            return _look_up(expression.path, run)
        case Joined():
            return "".join(shown(_value(part, run)) for part in expression.parts)
        case Filtered():
            return _filter(expression, run)
        case Unary(operator="!"):
            return not truthy(_value(expression.value, run))
        case Unary():
            return ARITHMETIC.minus(number(_value(expression.value, run)))
        case Binary():
            return _binary(expression, run)
        case _:
            raise FormulaError(_("an equation belongs into {math}"))


def _look_up(path: tuple[str, ...], run: Run) -> Any:
    value: Any = run.own.get(path[0]) if path[0] in run.own else run.values.get(path[0])
    for part in path[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _filter(expression: Filtered, run: Run) -> Any:
    modifier = modifiers.MODIFIERS.get(expression.modifier)
    if modifier is None:
        raise FormulaError(_("unknown modifier |%(modifier)s", modifier=expression.modifier))
    value = _value(expression.value, run)
    arguments = [_value(argument, run) for argument in expression.arguments]
    least, most = modifier.arguments
    if not least <= len(arguments) <= most:
        raise FormulaError(
            _(
                "|%(modifier)s takes %(value)s arguments",
                modifier=expression.modifier,
                value=least if least == most else f"{least} to {most}",
            )
        )
    try:
        return modifier.apply(run, value, *arguments)
    except (DecimalException, OverflowError):
        raise FormulaError(_("the number is too large")) from None


def _binary(expression: Binary, run: Run) -> Any:
    left = _value(expression.left, run)
    if expression.operator == "&&":
        return truthy(left) and truthy(_value(expression.right, run))
    if expression.operator == "||":
        return truthy(left) or truthy(_value(expression.right, run))
    right = _value(expression.right, run)
    if expression.operator in ("==", "!="):
        return equal(left, right) is (expression.operator == "==")
    if expression.operator in ("<", ">", "<=", ">="):
        return ordered(expression.operator, left, right)
    return arithmetic(expression.operator, number(left), number(right))


def _math(node: Math, run: Run) -> Decimal | str:
    operands = {name: _value(value, run) for name, value in node.operands}
    pattern = operands.pop("format", None)
    result = _equation(node.equation, operands, run)
    return result if pattern is None else modifiers.string_format(run, result, pattern)


def _equation(expression: Expression, operands: Mapping[str, Any], run: Run) -> Decimal:
    run.step()
    match expression:
        case Operand():
            if expression.name not in operands:
                raise FormulaError(_("%(name)s of the equation was given no value", name=expression.name))
            return number(operands[expression.name], expression.name)
        case Call():
            arguments = [_equation(argument, operands, run) for argument in expression.arguments]
            return modifiers.compute(expression.function, arguments)
        case Unary():
            return ARITHMETIC.minus(_equation(expression.value, operands, run))
        case Binary():
            left = _equation(expression.left, operands, run)
            return arithmetic(expression.operator, left, _equation(expression.right, operands, run))
        case Variable():
            return number(_look_up(expression.path, run), ".".join(expression.path))
        case _:
            return number(_value(expression, run))
