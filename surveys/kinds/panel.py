"""Panels: several fields that belong together, once (panel) or as often as people need (dynamic panel).

The fields are lines of a setting: `name: Words [type] *`. The type is one of those of a line of text, or choices with | between
them; a star at the end: must be filled in. A value is a list of groups: [{field: text}].
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

from crm.words import _
from surveys.kinds.base import Kind, Part, Question, Read, Setting, Wrong, named_lines
from surveys.kinds.text import INPUTS, LONGEST, Text, one_line

LINE = re.compile(
    r"(?P<name>[a-z][a-z0-9_]{0,29})\s*:\s*(?P<label>[^\[\]]+?)\s*(?:\[(?P<type>[^\[\]]*)\])?\s*(?P<must>\*)?"
).fullmatch
TYPES = tuple(key for key, _label in INPUTS)
MOST_FIELDS, MOST_GROUPS = 20, 20
FIELDS = Setting(
    "fields", "Fields, one a line", "lines", is_spoken=True,
    help="name: Words [type] *. Types: number, email, phone, date, time, url, or choices such as [small | large]; a star: must be filled in",
)  # fmt: skip
TEXT = Text()


@dataclass(frozen=True, slots=True)
class PanelField:
    """One field of a panel. `input`: a type of line, or "choice"."""

    name: str
    label: str
    input: str = "plain"
    choices: tuple[str, ...] = ()
    is_required: bool = False


@lru_cache(maxsize=256)
def fields_of(text: str) -> tuple[PanelField, ...]:
    """The fields that lines declare; lines that cannot be read are left out (Panel.problems names them)."""
    found = []
    for line in text.splitlines():
        said = LINE(line.strip())
        kind = (said["type"] or "plain").strip() if said else ""
        if said and "|" in kind:
            choices = tuple(one.strip() for one in kind.split("|") if one.strip())
            found.append(PanelField(said["name"], said["label"], "choice", choices, bool(said["must"])))
        elif said and kind in TYPES:
            found.append(PanelField(said["name"], said["label"], kind, (), bool(said["must"])))
    return tuple(found)


class Panel(Kind):
    name, label, icon, counts = "panel", "Group of fields", "layout-list", "texts"
    settings: ClassVar[tuple[Setting, ...]] = (FIELDS,)
    fits = frozenset({"long_text"})

    def bounds(self, question: Question) -> tuple[int, int]:
        """The least and the most groups."""
        return 0, 1

    def fields(self, question: Question) -> tuple[PanelField, ...]:
        return fields_of(str(question.set("fields") or ""))

    def spoken(self, name: str, own: str, text: str) -> str:
        """Names and types stay, whatever a translation says."""
        if name != "fields":
            return text
        words = [line.partition(":")[2].partition("[")[0].strip(" *") for line in named_lines(own, text).splitlines()]
        found = []
        for line, label in zip((one for one in own.splitlines() if one.strip()), words, strict=False):
            said = LINE(line.strip())
            found.append(line if said is None or not label else line.replace(said["label"], label, 1))
        return "\n".join(found)

    def problems(self, question: Question) -> list[str]:
        lines = [line.strip() for line in str(question.set("fields") or "").splitlines() if line.strip()]
        known = [one.name for one in self.fields(question)]
        found = [_("This line is no field: %(line)s", line=line[:80]) for line in lines if not fields_of(line)]
        if not lines:
            found.append(_("Add at least one field."))
        if len(lines) > MOST_FIELDS:
            found.append(_("At most %(most)s fields.", most=MOST_FIELDS))
        if len(set(known)) < len(known):
            found.append(_("Two fields have the same name."))
        least, most = self.bounds(question)
        return [*found, _("There are more groups at least than at most.")] if least > most else found

    def read(self, question: Question, typed: Read) -> Any:
        groups = [
            {
                one.name: said
                for one in self.fields(question)
                if (said := next(iter(typed(f"{n}.{one.name}")), "").strip())
            }
            for n in range(self.bounds(question)[1])
        ]
        return [one for one in groups if one] or None

    def clean(self, question: Question, raw: Any) -> Any:
        if raw in (None, []):
            return None
        least, most = self.bounds(question)
        fields = {one.name: one for one in self.fields(question)}
        if not isinstance(raw, list) or not all(isinstance(one, dict) and set(one) <= set(fields) for one in raw):
            raise Wrong(_("This takes groups of its fields."))
        if len(raw) > most:
            raise Wrong(_("At most %(most)s groups; there are %(count)s.", most=most, count=len(raw)))
        if len(raw) < least:
            raise Wrong(_("At least %(least)s groups; there are %(count)s.", least=least, count=len(raw)))
        return [self._group(question, n, one, fields) for n, one in enumerate(raw, 1)]

    def _group(
        self, question: Question, place: int, group: dict[str, Any], fields: dict[str, PanelField]
    ) -> dict[str, str]:
        kept = {}
        for name, one in fields.items():
            where = one.label if self.bounds(question)[1] == 1 else f"{one.label} ({place})"
            said = group.get(name)
            if not said:
                if one.is_required:
                    raise Wrong(_("Fill in “%(field)s”.", field=where))
                continue
            if one.input == "choice":
                if said not in one.choices:
                    raise Wrong(_("“%(field)s”: choose one of the options.", field=where))
                kept[name] = said
                continue
            plain = replace(question, kind=TEXT, settings={"input": one.input, "max_length": LONGEST})
            try:
                kept[name] = TEXT.clean(plain, one_line(said))
            except Wrong as wrong:
                raise Wrong(f"{where}: {wrong}") from None
        return kept

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        return {f"{n}.{name}": [said] for n, group in enumerate(value or ()) for name, said in group.items()}

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(part=f"{n}.{name}", text=said) for n, group in enumerate(value) for name, said in group.items()]

    def value_of(self, parts: Sequence[Part]) -> Any:
        groups: dict[int, dict[str, str]] = {}
        for one in parts:
            place, _dot, name = one.part.partition(".")
            groups.setdefault(int(place), {})[name] = one.text or ""
        return [groups[place] for place in sorted(groups)] or None

    def plain(self, value: Any) -> Any:
        return [said for group in value for said in group.values()] if value else None

    def words(self, question: Question, value: Any) -> str:
        labels = {one.name: one.label for one in self.fields(question)}
        return "; ".join(
            ", ".join(f"{labels.get(name, name)}: {said}" for name, said in group.items()) for group in value or ()
        )

    def written(self, question: Question, value: Any) -> Any:
        return self.words(question, value)

    def from_field(self, question: Question, value: Any) -> Any:
        return None


class DynamicPanel(Panel):
    name, label, icon = "dynamic_panel", "Groups of fields, as many as needed", "layout-rows"
    settings: ClassVar[tuple[Setting, ...]] = (
        FIELDS,
        Setting("least", "Groups at least", "whole", 0, MOST_GROUPS, default=0),
        Setting("most", "Groups at most", "whole", 1, MOST_GROUPS, default=5),
        Setting("group_label", "What one group is called", is_spoken=True),
    )

    def bounds(self, question: Question) -> tuple[int, int]:
        return int(question.set("least")), min(int(question.set("most")), MOST_GROUPS)
