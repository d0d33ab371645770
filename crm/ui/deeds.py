"""What can be done with several chosen records of a list, beyond edit, delete and export: one row a deed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm.engine.module import Module
from crm.identity.viewer import Viewer


@dataclass(frozen=True)
class MassDeed:
    """A button over chosen rows. It leads to `href(module key, ids)`, a page that asks for what else is needed."""

    key: str
    label: str
    icon: str
    is_offered: Callable[[Viewer, Module], bool]
    href: Callable[[str, Sequence[int]], str]


_deeds: list[MassDeed] = []
_limits: dict[str, Callable[[], bool]] = {}


def add_limit(module: str, is_full: Callable[[], bool]) -> None:
    """Records of `module` are not offered to be made while `is_full()`; the writing door refuses them by itself."""
    _limits[module] = is_full


def has_room(module: str) -> bool:
    """Whether another record of `module` may be offered to be made."""
    return module not in _limits or not _limits[module]()


def add_mass_deed(deed: MassDeed) -> None:
    """Offer `deed` over the chosen rows of lists."""
    if deed.key not in {one.key for one in _deeds}:
        _deeds.append(deed)


def mass_deeds(viewer: Viewer, module: Module) -> list[MassDeed]:
    """The deeds that `viewer` may do with records of `module`."""
    return [deed for deed in _deeds if deed.is_offered(viewer, module)]


def mass_deed(key: str) -> MassDeed | None:
    return next((deed for deed in _deeds if deed.key == key), None)
