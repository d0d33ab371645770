"""The picture of an event: given on its card, seen by everybody under an address of its own, gone when another takes its place."""

import io

from sqlalchemy import select

from crm.db import db
from crm.engine import pictures, records
from crm.engine.channels import Channel
from crm.engine.public_pictures import PublicPicture, find
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from crm.modules.events import changing, pictured
from tests.self_service_portal.event_world import START
from tests.web.test_pictures import png


def give(event, data):
    pictures.give(SYSTEM, "mass_events", event, "stage.png", io.BytesIO(data), Channel.FORM)
    db.session.commit()


def path_of(event):
    table = modules["mass_events"].table
    db.session.expire_all()
    return db.session.execute(select(table.c.picture_path).where(table.c.id == event)).scalar()


def seen(path):
    return find(path.removeprefix("/i/")).path.read_bytes()


def test_the_picture_stands_on_the_public_page_the_list_the_feed_and_in_the_portal(world):
    event = world.mass_event()
    give(event, png(1))
    first = path_of(event)
    assert first.startswith("/i/")
    with world.visitor.get(first) as answer:
        assert (answer.data, answer.mimetype) == (png(1), "image/png")
    world.change("portals", world.shop.portal, events_listing_enabled=True)
    for path in (world.path(event), "/portal/public/events", "/portal/embed/events"):
        assert f'src="{first}" alt=""' in world.visitor.get(path).text, path
    (told,) = world.visitor.get("/portal/public/events.json").json["events"]
    assert told["picture"].endswith(first)
    assert first in world.shop.browse("dora").get(f"/events/{event}").text


def test_another_picture_ends_the_address_of_the_one_before_and_a_copy_has_its_own(world):
    event = world.mass_event()
    give(event, png(1))
    first = path_of(event)
    give(event, png(2))
    second = path_of(event)
    assert find(first.removeprefix("/i/")) is None
    assert seen(second) == png(2)
    copy = changing.duplicate(SYSTEM, event, START.date(), Channel.FORM)
    db.session.commit()
    assert path_of(copy) not in {None, second}
    assert seen(path_of(copy)) == png(2)
    pictures.take_away(SYSTEM, "mass_events", event, Channel.FORM)
    db.session.commit()
    assert path_of(event) is None
    assert find(second.removeprefix("/i/")) is None
    assert seen(path_of(copy)) == png(2)


def test_nobody_sees_the_picture_of_an_event_that_is_in_the_bin(world):
    event = world.mass_event()
    give(event, png(1))
    first = path_of(event)
    records.delete(SYSTEM, "mass_events", event, Channel.FORM)
    db.session.commit()
    assert find(first.removeprefix("/i/")) is None
    records.restore(SYSTEM, "mass_events", [event], Channel.FORM)
    pictured.show(None, [event])
    db.session.commit()
    assert seen(path_of(event)) == png(1)


def test_what_is_no_picture_is_refused_and_nothing_becomes_public(world):
    event = world.mass_event()
    for data in (b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\n" + b"0" * (5 * 1024 * 1024)):
        try:
            give(event, data)
        except Refused:
            db.session.rollback()
        else:
            raise AssertionError(data[:20])
    assert path_of(event) is None
    assert db.session.execute(select(PublicPicture.__table__)).all() == []
