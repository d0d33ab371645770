"""Statements that were composed for a viewer, kept for the next page: to compose one takes longer than to run it.

A viewer is one object as long as rights stand (identity.viewers), so what was made for it holds as long. What an
administrator adds to modules, and the kind of database, are part of the key. Values come in when a statement runs.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from crm.db import db
from crm.engine import overlay
from crm.identity.viewer import Viewer

T = TypeVar("T")
KEPT = {"staff", "system"}  # whose viewers are the same from page to page; others are made for each request
MOST = 150  # statements of each sort a process keeps, each some 10 to 200 kB

_kept: dict[str, OrderedDict[tuple[Any, ...], tuple[Viewer, Any]]] = {}  # by sort: filters of lists are of many kinds
_lock = Lock()


def composed(
    viewer: Viewer, key: tuple[Any, ...], make: Callable[[], T], lasts: Callable[[T], bool] = lambda _made: True
) -> T:
    """What `make()` gave for this viewer under `key` (hashable; the sort first), or gives now.

    It must not hold what changes with time; where that shows only once it is made, `lasts` says so of it.
    """
    if viewer.kind not in KEPT:
        return make()
    where = (id(viewer), overlay.version(), db.engine.dialect.name, *key)
    with _lock:
        shelf = _kept.setdefault(key[0], OrderedDict())
        held = shelf.get(where)
        if held is not None and held[0] is viewer:  # kept with it, so that its id is of no other
            shelf.move_to_end(where)
            found: T = held[1]
            return found
    made = make()
    if lasts(made):
        with _lock:
            shelf[where] = (viewer, made)
            while len(shelf) > MOST:
                shelf.popitem(last=False)
    return made
