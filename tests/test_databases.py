"""The ground the other tests stand on: isolation between tests, real commits where asked for, no network."""

import socket

import pytest
from sqlalchemy import func, select

from crm.db import Entity, db
from tests.no_network import NetworkForbidden


def entities() -> int:
    return db.session.scalar(select(func.count()).select_from(Entity).where(Entity.module == "tested"))


@pytest.mark.parametrize("round", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(session, round):
    assert entities() == 0
    session.add(Entity(module="tested", label=str(round)))
    session.commit()
    session.rollback()
    assert entities() == 1


def test_a_rollback_undoes_only_what_was_not_committed(session):
    session.add(Entity(module="tested", label="kept"))
    session.commit()
    session.add(Entity(module="tested", label="dropped"))
    session.flush()
    session.rollback()
    assert entities() == 1


def test_own_app_commits_for_other_connections(own_app):
    db.session.add(Entity(module="tested", label="seen"))
    db.session.commit()
    with db.engine.connect() as other:
        assert other.scalar(select(func.count()).select_from(Entity).where(Entity.module == "tested")) == 1


def test_text_is_folded_alike_in_both_databases(session):
    from crm.db import fold

    assert session.scalar(select(fold("ÄITI ＡＢＣ Straße"))) == "äiti abc straße"


def test_other_machines_cannot_be_reached():
    with pytest.raises(NetworkForbidden):
        socket.create_connection(("198.51.100.1", 80), timeout=1)
    with pytest.raises(NetworkForbidden):
        socket.getaddrinfo("example.com", 80)
