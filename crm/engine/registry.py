"""All modules of the house by key, and what follows from them together: relations and what shows on whose card."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from crm.db import db
from crm.engine.fields import PicklistSeed
from crm.engine.module import BadDeclaration, ManyLink, Module, Related
from crm.engine.refusals import Fault, UnknownName
from crm.words import _, in_sentence


@dataclass(frozen=True)
class Shown:
    """Rows of `module` that belong to a record: a related list, a tab, a part of the timeline."""

    module: Module
    related: Related


@dataclass(frozen=True)
class Relation:
    """One relation as seen from a module: by a link of its own, by a child's link, or by a many-link."""

    name: str
    kind: str  # "one" (own link), "children" (their link to me), "many" (entity_links)
    target: str  # module key; "" for a link with several targets
    field: str = ""  # own link field, or the children's
    link: ManyLink | None = None
    is_forward: bool = True  # of a many-link: declared on this side


class Registry:
    """`modules["contacts"]`. Filled once by the catalog; `close()` checks that all names lead somewhere."""

    def __init__(self) -> None:
        self._modules: dict[str, Module] = {}
        self._also: dict[str, str] = {}
        self._is_closed = False
        self._relations: dict[str, dict[str, Relation]] = {}

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def add(self, module: Module) -> None:
        self._modules[module.key] = module
        self._also.update(dict.fromkeys(module.also, module.key))

    def __getitem__(self, key: str) -> Module:
        try:
            return self._modules[self._also.get(key, key)]
        except KeyError:
            raise UnknownName("module", key, self._modules) from None

    def __contains__(self, key: str) -> bool:
        return self._also.get(key, key) in self._modules

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def close(self) -> None:
        """Raises BadDeclaration when a link, a related list or a picklist leads nowhere."""
        lists = self.picklists()
        for module in self:
            for said in module.declared.values():
                for target in said.to:
                    if target not in self._modules and target != "files":
                        raise BadDeclaration(
                            f"Module {module.key}: {said.name} links to “{target}”, which is no module."
                        )
                if said.picklist and said.picklist not in lists:
                    raise BadDeclaration(
                        f"Module {module.key}: {said.name} uses a picklist “{said.picklist}” that nobody declares."
                    )
            for key in [*module.shows_on, *module.keeps, *(link.to for link in module.links)]:
                if key not in self._modules:
                    raise BadDeclaration(f"Module {module.key} shows on “{key}”, which is no module.")
        if not self._is_closed:
            for module in self:
                for key, name in module.keeps.items():
                    self[key].before_delete += (_kept_by(module, name),)
        self._is_closed = True

    def picklists(self) -> dict[str, PicklistSeed]:
        return {seed.name: seed for module in self for seed in module.picklists}

    def shown_on(self, key: str) -> list[Shown]:
        """What other modules show on cards of `key`, in catalog order."""
        found: list[Shown] = []
        for module in self:
            said = module.shows_on.get(key, ())
            found += [Shown(module, one) for one in ((said,) if isinstance(said, Related) else said)]
        return found

    def relations(self, key: str) -> dict[str, Relation]:
        """Every relation of a module by name: own links, children (by their module's key), many-links."""
        if key not in self._relations:
            found = self._find_relations(key)
            if not self._is_closed:
                return found
            self._relations[key] = found
        return self._relations[key]

    def _find_relations(self, key: str) -> dict[str, Relation]:
        module = self[key]
        found: dict[str, Relation] = {}
        for other in self:
            for said in other.declared.values():
                if said.kind.name == "link" and key in said.to and said.name not in {"creator_id", "updater_id"}:
                    name = other.key if other.key not in found else f"{other.key}_by_{said.relation}"
                    if other.key == key:
                        name = "children" if said.relation == "parent" else f"{other.key}_by_{said.relation}"
                    found.setdefault(name, Relation(name, "children", other.key, said.name))
            for link in other.links:
                if other.key == key:
                    found[link.name] = Relation(link.name, "many", link.to, link=link)
                if link.to == key:
                    found[link.back] = Relation(link.back, "many", other.key, link=link, is_forward=False)
        for name, said in module.relations.items():
            if said.kind.name == "file":
                continue  # a file is no record: nothing can be asked of it, nobody follows it
            target = said.to[0] if len(said.to) == 1 else ""
            found[name] = Relation(name, "one", target, said.name)
        return found


def _kept_by(module: Module, name: str) -> Callable[[list[int]], dict[int, Fault]]:
    """A check of deletions: records at which live rows of `module` point by the field `name` stay."""

    def check(ids: list[int]) -> dict[int, Fault]:
        column = module.table.c[name]
        said = select(column).where(column.in_(ids)).distinct()
        if module.is_record:
            said = said.where(module.table.c.deleted_at.is_(None))
        message = _(
            "This is used by %(plural)s. Make it inactive instead, or delete those first.",
            plural=in_sentence(_(module.plural)),
        )
        return {id: Fault("in_use", message) for id in db.session.execute(said).scalars()}

    return check


modules = Registry()
