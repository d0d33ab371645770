"""Which names the tags of a text ask for."""

from collections.abc import Iterable, Sequence

from crm.documents.tokens import Either, Every, Piece, Said
from crm.engine.tags.tree import Assign, Math, Show, Variable, expressions

Path = tuple[str, ...]


def variables(found: Sequence[Piece], own: frozenset[str]) -> Iterable[Path]:
    """The names with a dot that pieces ask for, but those of loops inside."""
    for piece in found:
        match piece:
            case Said(node):
                yield from _of((node,), own)
            case Either(arms):
                for test, body in arms:
                    if test is not None:
                        yield from _of((Show(test),), own)
                    yield from variables(body, own)
            case Every(loop, _start, body):
                yield from _of((Show(loop.source),), own)
                yield from variables(body, own | {loop.item})


def _of(nodes: tuple[Show | Assign | Math, ...], own: frozenset[str]) -> Iterable[Path]:
    for expression in expressions(nodes):
        if isinstance(expression, Variable) and len(expression.path) > 1 and expression.path[0] not in own:
            yield expression.path
