"""The house writing for somebody: states and queue numbers are no fields of forms, yet the log says who was behind them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM, Viewer


def acting(viewer: Viewer) -> Viewer:
    """The system, under the name of `viewer`. Only after the caller has asked what the viewer may do."""
    is_staff = viewer.kind in {"staff", "api_key"}
    return replace(
        SYSTEM, id=viewer.id if is_staff else None, name=viewer.name, locale=viewer.locale, timezone=viewer.timezone
    )


def is_staff(viewer: Viewer) -> bool:
    """Whether somebody of the house asks, for whom deadlines of customers do not hold."""
    return viewer.kind in {"staff", "api_key", "system"}


def change_attendees(viewer: Viewer, changes: Mapping[int, Mapping[str, Any]], channel: Channel) -> None:
    """Write new values of attendees, id → values, under the name of `viewer`. Raises what the writing door does."""
    records.update_many(acting(viewer), "attendees", changes, channel)
