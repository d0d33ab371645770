"""What rooms add to the tags of a module's documents beyond its fields and relations: rows of an invoice, its taxes, a number.

Tags find it by name: a source “doc” gives `{$doc.total}`, a source “rows” with `is_list` repeats the row that holds `{$rows.qty}`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm import clock, config
from crm.engine.fields import Field, make
from crm.engine.rows import Row
from crm.identity.viewer import Viewer
from crm.modules.organisation import organisation

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """Values of one name: `read(viewer, row)` gives a mapping of `fields`, or with `is_list` one for each row."""

    name: str
    fields: Mapping[str, Field]
    read: Callable[[Viewer, Row], Given | Sequence[Given]]
    is_list: bool = False


_sources: dict[str, dict[str, Source]] = {}


def add_source(module: str, source: Source) -> None:
    """Let templates for `module` use `source`."""
    _sources.setdefault(module, {})[source.name] = source


def sources_of(module: str) -> Mapping[str, Source]:
    return _sources.get(module, {})


_common: dict[str, Source] = {}


def add_common(source: Source) -> None:
    """Let every template use `source`."""
    _common[source.name] = source


def common_of() -> Mapping[str, Source]:
    return _common


def _organisation(_viewer: Viewer, _row: Row) -> Given:
    said = organisation()
    return {"name": said.name, "address": said.address, "contact": said.contact}


add_common(
    Source(
        "organisation", {name: make("text", label) for name, label in (("name", "Name"), ("address", "Address"), ("contact", "Contact"))},
        _organisation,
    )
)  # fmt: skip
add_common(
    Source("now", {"date": make("day", "Date"), "time": make("moment", "Time")}, lambda viewer, row: {"date": clock.today(config.current().timezone), "time": clock.now()})
)  # fmt: skip
