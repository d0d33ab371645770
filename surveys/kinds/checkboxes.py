"""Checkboxes: any number of options, between a least and a most; an exclusive one stands alone."""

from collections.abc import Sequence
from typing import Any

from crm.words import _
from surveys.kinds.base import OTHER, Kind, Part, Question, Read, Setting, Wrong
from surveys.kinds.radio import OTHER_SETTINGS, other_words, read_other


class Checkboxes(Kind):
    name, label, icon, takes_options, counts = "checkboxes", "Several of several", "checkbox", True, "choices"
    settings = (
        Setting("least", "At least", "whole", 1, 100),
        Setting("most", "At most", "whole", 1, 100),
        *OTHER_SETTINGS,
    )
    fits = frozenset({"multi", "checkbox", "text", "long_text"})

    def problems(self, question: Question) -> list[str]:
        found = super().problems(question)
        least, most = question.set("least"), question.set("most")
        if least and most and int(least) > int(most):
            found.append(_("At least is more than at most."))
        if least and int(least) > len(question.options) + bool(question.set("other")):
            found.append(_("There are fewer options than must be chosen."))
        return found

    def read(self, question: Question, typed: Read) -> Any:
        chosen = list(dict.fromkeys(one for one in typed("") if one))
        return {"choices": chosen, "text": next(iter(typed(OTHER)), "")} if chosen else None

    def clean(self, question: Question, raw: Any) -> Any:
        if raw is None:
            return None
        said = raw.get("choices") if isinstance(raw, dict) else raw
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            raise Wrong(_("Choose from the options."))
        if not said:
            return None
        known = {one.value for one in question.options} | ({OTHER} if question.set("other") else set())
        if not set(said) <= known:
            raise Wrong(_("Choose from the options."))
        alone = [one.label for one in question.options if one.exclusive and one.value in said]
        if alone and len(said) > 1:
            raise Wrong(
                _("“%(label)s” goes with nothing else. Take the tick from it or from the others.", label=alone[0])
            )
        least, most = question.set("least"), question.set("most")
        if least and len(said) < int(least) and not alone:
            raise Wrong(_("Choose at least %(least)s.", least=least))
        if most and len(said) > int(most):
            raise Wrong(_("Choose at most %(most)s; there are %(count)s.", most=most, count=len(said)))
        chosen = [one.value for one in question.options if one.value in said]
        if OTHER in said:
            return {"choices": [*chosen, OTHER], "text": read_other(raw.get("text") if isinstance(raw, dict) else "")}
        return {"choices": chosen}

    def typed(self, question: Question, value: Any) -> dict[str, list[str]]:
        if value is None:
            return {}
        return {"": list(value["choices"])} | ({OTHER: [value["text"]]} if "text" in value else {})

    def parts(self, question: Question, value: Any) -> list[Part]:
        return [Part(choice=one, text=value.get("text") if one == OTHER else None) for one in value["choices"]]

    def value_of(self, parts: Sequence[Part]) -> Any:
        if not parts:
            return None
        text = next((one.text for one in parts if one.text), None)
        return {"choices": [one.choice for one in parts]} | ({"text": text} if text else {})

    def plain(self, value: Any) -> Any:
        return list(value["choices"]) if value else None

    def words(self, question: Question, value: Any) -> str:
        said = []
        for one in (value or {}).get("choices", ()):
            option = question.option(one)
            said.append(
                f"{other_words(question)}: {value.get('text', '')}" if one == OTHER else option.label if option else one
            )
        return ", ".join(said)

    def from_field(self, question: Question, value: Any) -> Any:
        said = [value] if isinstance(value, str) else list(value or ()) if isinstance(value, (tuple, list)) else []
        chosen = [one for one in said if isinstance(one, str) and question.option(one)]
        return {"choices": chosen} if chosen else None
