"""Several mail servers as one way out: shares, limits, one that fails, and never a second copy of a mail in doubt."""

import random
import socket
from collections import Counter

import pytest

from crm.db import db
from crm.mail.memory import Memory
from crm.mail.message import Envelope
from crm.mail.pool import FULL, Pool
from crm.mail.servers import MailServer, take
from tests.mail.smtp_server import running

MAIL = b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def house(make_own_app):
    """`house(name=(port, weight, per_hour), …)`: a pool that finds these servers."""
    app = make_own_app(outgoing_networks="127.0.0.0/8")
    random.seed(7)
    with app.app_context():

        def build(**said):
            db.session.query(MailServer).delete()
            for name, (port, weight, per_hour) in said.items():
                row = MailServer(
                    name=name, host="127.0.0.1", port=port, security="none", weight=weight, per_hour=per_hour
                )
                db.session.add(row)
            db.session.commit()
            return Pool(Memory(), db.engine, app.app_context)

        yield build


def test_a_server_is_for_mails_of_its_domains_alone(house):
    with running() as one, running() as two:
        pool = house(one=(one.port, 1, 60), two=(two.port, 1, None))
        for name, domains in (("one", "firm.example other.example"), ("two", "shop.example")):
            db.session.query(MailServer).filter_by(name=name).update({"from_domains": domains})
        db.session.commit()
        way = pool.connection()
        for said, kind, server in (
            ("a@firm.example", "accepted", one), ('"x@shop.example" <a@NEWS.firm.example>', "accepted", one), ("Shop\r\n <a@shop.example>", "accepted", two),
            ("a@notfirm.example", "refused", None), ("nobody", "refused", None),
        ):  # fmt: skip
            before = len(one.taken), len(two.taken)
            outcome = way.open() or way.send(
                Envelope("bounces@mail.example", "r@example.org"),
                b"To: a@shop.example\r\nFrom: " + said.encode() + b"\r\n" + MAIL,
            )
            assert outcome.kind == kind, said
            assert (len(one.taken) - before[0], len(two.taken) - before[1]) == (
                int(server is one),
                int(server is two),
            ), said
        assert outcome.is_permanent
        assert outcome.blame == "sender"
        way.close()


def send(way, count):
    """What became of so many mails."""
    found = Counter()
    for number in range(count):
        problem = way.open()
        outcome = problem or way.send(Envelope("a@example.com", f"r{number}@example.org"), MAIL)
        found[outcome.kind] += 1
    way.close()
    return found


def test_mails_are_shared_by_weight_kept_within_limits_passed_on_and_never_doubled(house):
    with socket.socket() as closed, running() as one, running() as two, running("close:mail") as rude:
        closed.bind(("127.0.0.1", 0))
        dead = closed.getsockname()[1]
        # none: the base takes them
        empty = house()
        assert not empty.is_throttled
        assert send(empty.connection(), 3) == {"accepted": 3}
        assert len(empty.base.mails) == 3
        way = empty.connection()
        assert way.open() is None
        assert way.is_open
        db.session.add(MailServer(name="new", host="127.0.0.1", port=one.port, security="none"))
        db.session.commit()
        empty._read_at = float("-inf")  # half a minute later
        assert not way.is_open
        assert send(way, 1) == {"accepted": 1}
        assert (len(empty.base.mails), len(one.log)) == (3, 1)
        one.log.clear()
        # by weight
        assert send(house(one=(one.port, 3, None), two=(two.port, 1, None)).connection(), 80) == {"accepted": 80}
        assert 50 <= len(one.log) <= 70
        assert len(one.log) + len(two.log) == 80
        # one does not answer, one sends us away before the text: every mail goes by the third
        pool = house(dead=(dead, 1, None), rude=(rude.port, 1, None), two=(two.port, 1, None))
        before = len(two.log)
        assert send(pool.connection(), 12) == {"accepted": 12}
        assert len(two.log) - before == 12
        assert len({line["recipient"] for line in two.log[before:]}) == 12
        # all are away: nothing is said of any person
        assert send(house(dead=(dead, 1, None)).connection(), 2) == {"unreachable": 2}
        # a limit holds for all who share it, and what is over it waits
        limited = house(one=(one.port, 1, 5))
        before = len(one.log)
        first, second = limited.connection(), Pool(Memory(), db.engine, limited.context).connection()
        assert send(first, 3) == {"accepted": 3}
        found = send(second, 4)
        assert found["unreachable"] >= 2
        assert len(one.log) - before <= 5
        problem = second.open()
        assert problem is not None
        assert problem.text == FULL
    # in doubt: no other server gets it
    with running("close:dot") as lost, running() as two:
        found = send(house(lost=(lost.port, 100, None), two=(two.port, 1, None)).connection(), 6)
        assert found["in_doubt"] >= 1
        assert len(two.log) == found["accepted"] == 6 - found["in_doubt"]
    # an hour's limit is given out once, a minute's worth at a time
    house(one=(25, 1, 130))
    id = db.session.query(MailServer.id).scalar()
    db.session.rollback()
    taken = []
    while count := take(db.engine, id, 130):
        taken.append(count)
    assert (sum(taken), taken[0]) == (130, 2)
