"""All that people read, gathered for translation: marked strings of Python and templates, and the words of declarations.

`python scripts/messages.py` brings crm/translations/fi/LC_MESSAGES/messages.po up to date: new strings come in empty, old ones
leave. The tests fail while a string has no translation, or one whose %(names)s differ.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

TOP = Path(__file__).parent.parent
ROOMS = ("crm", "ecp", "hub", "surveys", "web_tracking", "self_service_portal")
LANGUAGES = ("fi",)
HEADER = "# What people read in customerhub. Brought up to date by scripts/messages.py; terms are in docs/words.md."
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "_l": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "UnknownName": (1,),  # what there is none of
    "Widget": (2,),
    "MassDeed": (2,),
}


def po_of(language: str) -> Path:
    """Where the translations of a language lie; one file for all rooms."""
    return TOP / "crm" / "translations" / language / "LC_MESSAGES" / "messages.po"


def messages() -> Catalog:
    """Every string that is shown to people, in English."""
    found = Catalog(project="customerhub", charset="utf-8")
    for room in ROOMS:
        folder = TOP / room
        if not folder.is_dir():
            continue
        for place, line, text, comments, context in extract_from_dir(
            folder, method_map=METHODS, keywords=KEYWORDS, comment_tags=("translators:",)
        ):
            if text and text != ("", ""):
                found.add(text, None, [(f"{room}/{place}", line)], auto_comments=comments, context=context)
    for place, text in declared():
        found.add(text, None, [(place, 1)])
    return found


def declared() -> Iterator[tuple[str, str]]:
    """(place, text) of what modules declare: labels, helps, blocks, filters, actions, picklists, timelines."""
    from crm import catalog
    from crm.engine import conditions
    from crm.engine.module import Related

    loaded = catalog.load()
    yield from (("crm/engine/conditions/operators.py", text) for text in conditions.words_to_translate())
    for module in loaded:
        place = module.record.__module__.replace(".", "/")
        place += "/__init__.py" if (TOP / place).is_dir() else ".py"
        texts = [module.label, module.plural, module.menu, module.untitled]
        for said in module.declared.values():
            texts += [said.label, said.help]
        texts += [block.label for block in module.form] + [one.label for one in module.filters]
        for action in module.actions:
            texts += [action.label, action.confirm]
        for link in module.links:
            texts += [link.label, link.back_label]
        for seed in module.picklists:
            texts += [seed.label, *(choice.label or choice.key for choice in seed.choices)]
        for shown in module.shows_on.values():
            for related in (shown,) if isinstance(shown, Related) else shown:
                texts += [related.label, related.timeline.sentence if related.timeline else ""]
        for text in texts:
            if text and re.search(r"[A-Za-z]{2}", text):
                yield place, text


def kept(language: str) -> Catalog:
    """The translations as they stand."""
    path = po_of(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with open(path, "rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> tuple[int, int]:
    """Bring a language's file up to date; gives how many strings there are and how many lack a translation."""
    template, old = messages(), kept(language)
    begun = datetime(2026, 11, 22, tzinfo=UTC)  # one date, so that a run that finds nothing new changes nothing
    fresh = Catalog(
        language, header_comment=HEADER, project="customerhub", version="1", copyright_holder="the authors of customerhub",
        msgid_bugs_address="the issues of the project", creation_date=begun, revision_date=begun,
        last_translator="the authors of customerhub", language_team="the authors of customerhub", fuzzy=False,
    )  # fmt: skip
    for message in template:
        if not message.id:
            continue
        known = old.get(message.id, message.context)
        said = known.string if known is not None else (("", "") if message.pluralizable else "")
        fresh.add(message.id, said, message.locations, auto_comments=message.auto_comments, context=message.context)
    path = po_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        write_po(file, fresh, sort_output=True, omit_header=False, include_lineno=False, width=120)
    return len(fresh), sum(1 for one in fresh if one.id and not is_translated(one))


def is_translated(message: Message) -> bool:
    """Whether every form of a message has a text."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def names_in(text: str) -> set[str]:
    """The %(names)s and {names} that a text is filled with."""
    return set(re.findall(r"%\((\w+)\)", text)) | set(re.findall(r"(?<!\$)\{(\w+)\}", text))


def main() -> int:
    for language in LANGUAGES:
        count, lacking = update(language)
        sys.stdout.write(f"{language}: {count} strings, {lacking} without a translation\n")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(TOP))
    sys.exit(main())
