"""Bringing records in from CSV files: read, map, check, run in batches, report, undo (spec/platform.md 4.9, decisions.md 28)."""
