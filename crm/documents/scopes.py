"""What tags mean when a document is made: values of a record, rows of its lists."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm import clock, config
from crm.documents.merging import Path
from crm.documents.reading import Inside, Seen
from crm.documents.showing import Words
from crm.documents.tokens import BadTag
from crm.engine.tags.evaluate import worth
from crm.engine.tags.meaning import FormulaError, rows_of, truthy
from crm.engine.tags.tree import Assign, Constant, Expression, Filtered, Loop, Math, Show, Variable
from crm.words import _


class Filling:
    """The scope of a document or of one row. `empty` collects the tags that printed nothing."""

    def __init__(self, values: Seen, words: Words, empty: list[str] | None = None) -> None:
        self._values, self._words = values, words
        self._own: dict[str, Any] = {}
        self.empty = [] if empty is None else empty

    def show(self, node: Show | Assign | Math, source: str) -> str:
        if isinstance(node, Assign):
            self._own[node.name] = self._worth(node.value, source)
            return ""
        if isinstance(node, Math):
            result = self._worth(node, source)
            if node.assign:
                self._own[node.assign] = result
                return ""
            return self._words.say(None, result)
        value = node.value
        said = self._text(value, source)
        if not said and not isinstance(value, Constant) and not _has_fallback(value):
            self.empty.append(source)
        return said

    def value(self, node: Show | Assign | Math, source: str) -> Any:
        """The number or date that a tag means; moments as the site's clock shows them. None for whatever is shown as words."""
        found = self._worth(node.value, source) if isinstance(node, Show) else None
        if isinstance(found, datetime):
            return found.astimezone(ZoneInfo(config.current().timezone)).replace(tzinfo=None)
        if isinstance(found, bool) or not isinstance(found, int | Decimal | date):
            return None
        said = self.show(node, source)  # a link is a number too, but shown as a name
        return found if isinstance(found, date) or said.lstrip("-−–")[:1].isdigit() else None

    def _text(self, value: Expression, source: str) -> str:
        if isinstance(value, Filtered) and value.modifier == "default" and isinstance(value.value, Variable):
            said = self._text(value.value, source)
            return said or self._words.say(None, self._worth(value.arguments[0], source) if value.arguments else "")
        if not isinstance(value, Variable):
            return self._words.say(None, self._worth(value, source))
        holder: Any = self._all()
        for name in value.path[:-1]:
            holder = holder.get(name) if isinstance(holder, Mapping) else None
        return holder.text(value.path[-1], self._words) if isinstance(holder, Seen) else ""

    def chosen(self, tests: Sequence[Expression | None]) -> list[int]:
        for place, test in enumerate(tests):
            if test is None or truthy(self._worth(test, "{if}")):
                return [place]
        return []

    def each(self, loop: Loop) -> Iterator["Filling"]:
        return self._inner(rows_of(self._worth(loop.source, "{foreach}")), (loop.item,))

    def rows(self, path: Path) -> Iterator["Filling"]:
        return self._inner(rows_of(self._at(path)), path)

    def list_of(self, path: Path) -> Path | None:
        return next((path[:n] for n in range(1, len(path)) if isinstance(self._at(path[:n]), list)), None)

    def _inner(self, rows: Iterable[Mapping[str, Any]], path: Path) -> Iterator["Filling"]:
        outer = self._all()
        for number, row in enumerate(rows, 1):
            item: Seen = row if "no" in row else Inside(row, {"no": number})  # type: ignore[assignment]  # lists hold Seen
            inner = Filling(_put(outer, path, item), self._words, self.empty)
            yield inner
            self._own |= inner._own  # a sum that rows assign is known after them

    def _at(self, path: Path) -> Any:
        value: Any = self._all()
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _all(self) -> Seen:
        return Inside(self._values, self._own)

    def _worth(self, what: Expression | Math, source: str) -> Any:
        try:
            return worth(what, self._all(), clock.now(), ZoneInfo(config.current().timezone))
        except FormulaError as error:
            raise BadTag(_("%(tag)s cannot be computed: %(reason)s.", tag=source, reason=str(error))) from None


def _put(outer: Seen, path: Path, item: Any) -> Seen:
    """`outer`, in which `path` is `item`."""
    if len(path) == 1:
        return Inside(outer, {path[0]: item})
    return Inside(outer, {path[0]: _put(outer[path[0]], path[1:], item)})


def _has_fallback(value: Expression) -> bool:
    return isinstance(value, Filtered) and value.modifier == "default"
