"""The words in which a module's fields are declared: `f.text("Name", max=120)`, `f.link("Account", to="accounts")`, …"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import MappedColumn, mapped_column

from crm.engine.kinds import KINDS, Kind


@dataclass(frozen=True)
class Field:
    """What is known of one field. `name` and `required` are filled in when the module is declared."""

    kind: Kind
    label: str
    name: str = ""
    required: bool = False
    max: int | None = None
    scale: int = 2
    least: Any = None
    most: Any = None
    picklist: str = ""
    to: tuple[str, ...] = ()  # target modules of a link
    default: Any = None
    help: str = ""
    unique: bool = False
    indexed: bool = False
    aliases: tuple[str, ...] = ()
    only: Any = (
        None  # of a link with one target: conditions that records meet which boxes offer; rules refuse, this spares
    )
    about: str = ""  # of conditions: the module whose records they are about, where it is always the same other one
    read_only: bool = False  # written by the system only; refused from every outside channel
    mass_edit: bool = False
    in_lists: bool = True  # offered as a column, filter and sort
    sensitive: bool = False  # never prefilled on public pages
    personal: bool = False  # tells of the person whose record it is: shown to that person, taken away by an erasure
    custom: bool = False
    names: str = (
        ""  # of a text that repeats names of records of this module: an administrator words them in each language
    )
    audited: bool = False  # shown in the change log of the card by default

    @property
    def relation(self) -> str:
        """The relation's name of a link: `account_id` → `account`."""
        return self.name.removesuffix("_id")

    @property
    def is_link(self) -> bool:
        return self.kind.name in {"link", "owner", "user", "file"}

    def named(self, name: str, required: bool) -> "Field":
        return replace(self, name=name, required=required)


def make(kind: str, label: str, **said: Any) -> Field:
    """A Field of the kind named `kind`, outside of a mapped class (custom fields, plain tables)."""
    return Field(KINDS[kind], label, **said)


def _column(made: Field, *constraints: Any, **column: Any) -> MappedColumn[Any]:
    if made.default is not None and not callable(made.default):
        column.setdefault("default", made.default)
    return mapped_column(made.kind.column(made), *constraints, info={"field": made}, **column)


def text(label: str, max: int = 255, **said: Any) -> MappedColumn[Any]:
    return _column(make("text", label, max=max, **said))


def long_text(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("long_text", label, **said))


def html(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("html", label, **said))


def source(label: str, max: int = 65_000, **said: Any) -> MappedColumn[Any]:
    return _column(make("source", label, max=max, **said))


def whole(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("whole", label, **said))


def number(label: str, scale: int = 2, **said: Any) -> MappedColumn[Any]:
    return _column(make("number", label, scale=scale, **said))


def money(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("money", label, scale=2, **said))


def price(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("money", label, scale=4, **said))


def percent(label: str, **said: Any) -> MappedColumn[Any]:
    said.setdefault("least", 0)
    said.setdefault("most", 100)
    return _column(make("percent", label, **said))


def day(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("day", label, **said))


def moment(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("moment", label, **said))


def time(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("time", label, **said))


def phone(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("phone", label, max=60, **said))


def email(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("email", label, max=320, **said))


def website(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("website", label, max=500, **said))


def checkbox(label: str, default: bool = False, **said: Any) -> MappedColumn[Any]:
    return _column(make("checkbox", label, default=default, **said))


def picklist(label: str, picklist: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("picklist", label, picklist=picklist, mass_edit=said.pop("mass_edit", True), **said))


def multi(label: str, picklist: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("multi", label, picklist=picklist, mass_edit=said.pop("mass_edit", True), **said))


def link(
    label: str, to: str | tuple[str, ...], on_delete: str = "SET NULL", by_identity: bool = False, **said: Any
) -> MappedColumn[Any]:
    """A key to another record: to `to`'s table, or to `entities` when there are several targets.

    `by_identity`: to `entities` all the same, where tables would else point at each other in a circle."""
    targets = (to,) if isinstance(to, str) else to
    table = targets[0] if len(targets) == 1 and not by_identity else "entities"
    made = make("link", label, to=targets, **said)
    return _column(made, ForeignKey(f"{table}.id", ondelete=on_delete), index=True)


def owner(label: str = "Assigned to", sort_order: int = 0, **said: Any) -> MappedColumn[Any]:
    made = make("owner", label, to=("users", "groups"), **said)
    return _column(made, ForeignKey("entities.id"), index=True, sort_order=sort_order)


def user(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("user", label, to=("users",), **said), ForeignKey("users.id", ondelete="SET NULL"))


def file(label: str, **said: Any) -> MappedColumn[Any]:
    return _column(make("file", label, to=("files",), **said), ForeignKey("files.id", ondelete="SET NULL"), index=True)


def conditions(label: str, **said: Any) -> MappedColumn[Any]:
    """A condition tree about records of some module; JSON null is written as SQL NULL."""
    return _column(make("conditions", label, in_lists=False, **said))


@dataclass(frozen=True)
class Choice:
    """One value of a picklist: its fixed key, its English label, a Tabler colour name, and numbers it carries."""

    key: str
    label: str = ""
    colour: str = ""
    carries: dict[str, Any] = field(default_factory=dict)  # e.g. {"probability": 10, "kind": "Open"}


@dataclass(frozen=True)
class PicklistSeed:
    """A picklist as it is delivered; an administrator may add to it."""

    name: str
    label: str
    choices: tuple[Choice, ...]

    @classmethod
    def of(cls, name: str, label: str, *keys: "str | Choice") -> "PicklistSeed":
        return cls(name, label, tuple(key if isinstance(key, Choice) else Choice(key) for key in keys))
