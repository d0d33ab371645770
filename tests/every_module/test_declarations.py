"""What is declared holds together, and can be run on both databases."""

from crm.engine import conditions, picklists, search
from crm.engine.fields import Field
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM, Viewer

ADMIN = Viewer(kind="staff", name="Admin", is_admin=True)


def test_every_filter_and_action_speaks_of_fields_it_has(app, key):
    module = modules[key]
    for one in module.filters:
        conditions.check(one.where, module)
        assert conditions.sentence(one.where, module)
        search.find(ADMIN, module, where=one.where, sort=one.sort, columns=one.columns or None)
    for action in module.actions:
        if action.when:
            conditions.check(action.when, module)
    for said in module.declared.values():
        if said.only:
            (target,) = said.to
            conditions.check(said.only, target)


def test_every_record_has_a_form_with_all_that_is_required(app, key):
    module = modules[key]
    shown = {name for block in module.form for name in block.fields}
    wanting = {said.name for said in module.declared.values() if said.required and said.default is None} - shown
    assert not wanting, f"the form of {key} lacks {sorted(wanting)}"
    assert module.columns
    assert module.icon != "file", f"{key} has no icon of its own"


def test_every_picklist_has_choices_and_every_default_is_one(app, key):
    for said in modules[key].fields.values():
        if said.picklist:
            assert picklists.choices(said.picklist)
            if isinstance(said.default, str):
                assert picklists.is_key(said.picklist, said.default)


def test_no_two_fields_of_a_module_have_the_same_label_or_alias(key):
    module = modules[key]

    def names(said: Field) -> set[str]:
        return {said.name, *said.aliases}

    seen: dict[str, str] = {}
    labels: dict[str, str] = {}
    for said in module.declared.values():
        for name in names(said):
            assert name not in seen, f"{key}: “{name}” is {seen[name]} and {said.name}"
            seen[name] = said.name
        assert said.label not in labels, f"{key}: “{said.label}” is {labels[said.label]} and {said.name}"
        labels[said.label] = said.name


def test_every_relation_of_every_module_leads_somewhere(app):
    for module in modules:
        for relation in modules.relations(module.key).values():
            assert not relation.target or relation.target in modules
        for shown in modules.shown_on(module.key):
            related = shown.related
            assert bool(related.by) != bool(related.through), f"{shown.module.key} on {module.key}"
            for name in (related.by, *related.columns):
                assert not name or shown.module.resolve(name.split(".")[0])
            if related.timeline:
                for name in (related.timeline.at, *related.timeline.columns):
                    assert shown.module.resolve(name)
                assert search.count(SYSTEM, shown.module, related.timeline.where or None) >= 0
