"""Every table with a link to persons says what becomes of it: given out, or not with a reason."""

from flask import Flask
from sqlalchemy import Column, Table

from crm.db import Base
from crm.modules.privacy import holdings

NAMES = {"person_id", "contact_id", "portal_user_id", "subject_id", "delivery_id", "email", "email_key"}
OURS = {"contacts.id", "leads.id", "entities.id", "portal_users.id"}
STAFF = {"owner_id", "creator_id", "updater_id", "created_by_id"}


def looks_like_a_person(table: Table, column: Column[object]) -> bool:
    is_identity = column.primary_key and len(table.primary_key.columns) == 1
    targets = {key.target_fullname for key in column.foreign_keys}
    return column.name not in STAFF and not is_identity and bool(targets & OURS or column.name in NAMES)


def test_every_table_with_a_link_to_persons_is_in_the_export_or_says_why_not(app: Flask) -> None:
    declared = {(one.table, one.person) for one in holdings.all_holdings()} | set(holdings.excused())
    found = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if looks_like_a_person(table, column)
    }
    assert sorted(found - declared) == [], "declare these in a privacy.py of their room, or excuse them with a reason"


def test_what_is_declared_is_there_and_is_given_out_or_explained(app: Flask) -> None:
    for one in holdings.all_holdings():
        names = set(one.of.columns.keys())
        assert set(one.columns) | set(one.blank) <= names, one.table
        assert bool(one.title) != bool(one.reason), f"{one.table}.{one.person}"
        assert not one.title or one.columns or one.rows
