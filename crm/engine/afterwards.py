"""What must happen after a change: rooms say what they listen to, and a job row is written in the same transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.db import db
from crm.engine import outbox
from crm.engine.channels import RULES, Channel
from crm.engine.module import Module
from crm.identity.viewer import Viewer


@dataclass(frozen=True)
class Listener:
    """A task that is put into the outbox when records of `module` ("*": any) are written."""

    module: str
    task: str
    events: frozenset[str]
    fields: frozenset[str] = frozenset()  # of updates: only when one of these changed; empty: any
    when: Callable[[], bool] | None = (
        None  # asked once a change, so that no job is written that would find nothing to do
    )
    concerns: Callable[[str, str, frozenset[str]], bool] | None = None  # likewise, of module, event and changed fields


_listeners: list[Listener] = []


def listen(
    module: str,
    task: str,
    *events: str,
    fields: Sequence[str] = (),
    when: Callable[[], bool] | None = None,
    concerns: Callable[[str, str, frozenset[str]], bool] | None = None,
) -> None:
    """Let `task` run after `events` (created, updated, deleted, restored) of `module`: task(module, event, ids, channel, actor_id);
    with `concerns` also `fields`, the names of those that an update changed in any of them.
    """
    said = Listener(module, task, frozenset(events), frozenset(fields), when, concerns)
    if said not in _listeners:
        _listeners.append(said)


def tell(
    module: Module,
    event: str,
    ids: Sequence[int],
    channel: Channel,
    viewer: Viewer,
    changed: Mapping[int, Sequence[str]] | None = None,
) -> None:
    """Write the job rows of everybody who listens to this change."""
    for one in _listeners:
        if one.module not in {"*", module.key} or event not in one.events or not ids:
            continue
        wanted = list(ids)
        if one.fields and changed is not None:
            wanted = [id for id in ids if one.fields & set(changed.get(id, ()))]
        if not wanted or (one.when is not None and not one.when()):
            continue
        more: dict[str, Any] = {}
        if one.concerns is not None:
            names = frozenset().union(*(changed or {}).values())
            if not one.concerns(module.key, event, names):
                continue
            more["fields"] = sorted(names)
        outbox.put(
            db.session, one.task, module=module.key, event=event, ids=wanted, channel=channel.value,
            actor_id=None if RULES[channel].is_robot else viewer.id, **more,
        )  # fmt: skip
