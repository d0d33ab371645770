"""A prepared sendout to one person, and a browser without cookies on the public addresses."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from crm import clock
from crm.db import db
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from ecp.pipeline import actions, prepare
from ecp.pipeline.track import sealer
from ecp.web import public
from hub.public import create_public_app
from tests.apps import Browser
from tests.pipeline.conftest import House, build_house

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass
class Sent:
    """A mail that went to Anna Äyräväinen <anna@example.com>, an hour ago."""

    house: House
    contact: int
    campaign: int
    sendout: int
    delivery: int

    def token(self, purpose: str, delivery: int | None = None) -> str:
        return sealer().seal(purpose, delivery or self.delivery)

    def total(self, purpose: str) -> str:
        return sealer().seal(purpose, self.sendout)

    def row(self) -> Any:
        db.session.expire_all()
        return db.session.execute(select(Delivery).where(Delivery.id == self.delivery)).scalar_one()


@pytest.fixture
def sent(session: Any) -> Sent:
    house = build_house()
    contact = house.contact("anna@example.com", first_name="Anna", last_name="Äyräväinen")
    campaign = house.campaign([contact])
    sendout = house.sendout(campaign)
    actions.start(SYSTEM, sendout)
    prepare.prepare(sendout)
    before = clock.now().replace(microsecond=0) - timedelta(hours=1)
    db.session.execute(
        Delivery.__table__.update().where(Delivery.sendout_id == sendout).values(state="sent", sent_at=before)
    )
    db.session.commit()
    delivery = db.session.execute(text("SELECT id FROM deliveries WHERE sendout_id = :s"), {"s": sendout}).scalar()
    return Sent(house, contact, campaign, sendout, delivery)


@pytest.fixture
def visitor(app: Any) -> Any:
    """A client of the public addresses; `visitor.measure = …` sets CUSTOMERHUB_MEASURE."""
    for limiter in (public.READS, public.READS_OF_TOKEN, public.WRITES, public.WRITES_OF_TOKEN, public.MISSES):
        limiter.forget()
    made = create_public_app(app.config["CUSTOMERHUB"])
    made.testing = True
    made.test_client_class = Browser
    client = made.test_client()
    client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    return client
