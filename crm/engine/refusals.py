"""What a lower room says when it will not do a thing; ui/errors.py and api/errors.py turn these into answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm.words import _


@dataclass(frozen=True)
class Fault:
    """What is wrong with one value: a code of spec/sales.md section 0 and a sentence that names the limit or the fix."""

    code: str
    message: str


class Refused(Exception):
    """Input that cannot be taken. `faults`: field name ("" for the whole) → its faults. Nothing was written."""

    def __init__(self, faults: Mapping[str, Iterable[Fault]] | None = None, **more: Fault) -> None:
        merged: dict[str, list[Fault]] = {name: list(found) for name, found in (faults or {}).items()}
        for name, fault in more.items():
            merged.setdefault(name, []).append(fault)
        self.faults = merged
        super().__init__("; ".join(f"{name}: {fault.message}" for name, found in merged.items() for fault in found))

    @classmethod
    def because(cls, code: str, message: str, field: str = "") -> "Refused":
        return cls({field: [Fault(code, message)]})

    @property
    def sentences(self) -> str:
        """What was refused, as one text for people."""
        return " ".join(fault.message for found in self.faults.values() for fault in found)

    @property
    def by_field(self) -> dict[str, str]:
        """The same for a form: field name ("" for the whole) → what is wrong with it."""
        return {name: " ".join(fault.message for fault in found) for name, found in self.faults.items()}

    @property
    def is_too_large(self) -> bool:
        """Whether nothing but the size of files is wrong: answered with 413."""
        return {fault.code for found in self.faults.values() for fault in found} == {"file_too_large"}


class Forbidden(Exception):
    """The viewer may not do that, and may know that it exists."""

    def __init__(self, message: str = "", code: str = "forbidden") -> None:
        super().__init__(message or _("You may not do that."))
        self.code = code


class Missing(Exception):
    """There is no such record, or the viewer may not know that there is."""


class Stale(Exception):
    """Somebody else saved the record since it was opened. `current` is its version now."""

    def __init__(self, current: int) -> None:
        super().__init__(
            _("Somebody else changed this record since you opened it. Reload it and make your change again.")
        )
        self.current = current


class Conflict(Exception):
    """It cannot be done in the present state of the record (409); the sentence says what to do first."""

    def __init__(self, message: str, code: str = "conflict") -> None:
        super().__init__(message)
        self.code = code


class UnknownName(Exception):
    """A module, field, relation or operator that does not exist; `nearest` may be what was meant."""

    def __init__(self, what: str, name: str, known: Iterable[str] = ()) -> None:
        from difflib import get_close_matches

        self.what, self.name = what, name
        near = get_close_matches(name, list(known), n=1, cutoff=0.5)
        self.nearest = near[0] if near else None
        said = _("There is no %(what)s “%(name)s”.", what=_(what), name=name)
        if self.nearest:
            said += " " + _("Did you mean “%(name)s”?", name=self.nearest)
        super().__init__(said)
