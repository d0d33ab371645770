"""Formulas: values computed when a record is saved from the form (spec/platform.md 2.5)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """One formula of a module. `trigger`: create, save, validation, field, detail. `target`: the field it fills."""

    trigger: str
    target: str
    text: str
    source: str = ""
