"""The way in: what there is (/), who calls (/user), and any record by its id alone (/entities/<id>)."""

from flask import Response, redirect
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from crm import config
from crm.api.auth import viewer
from crm.api.rest import bp
from crm.api.rest.answers import answer, resource
from crm.db import Entity, db
from crm.engine import search
from crm.engine.permissions import may
from crm.engine.refusals import Missing
from crm.engine.registry import modules
from crm.identity.tables import User


@bp.get("/")
def index() -> Response:
    """Links to all modules that the caller may see."""
    shown = [module for module in modules if module.in_api and may(viewer(), "view", module)]
    links = {"self": "/api/v1/"} | {module.key: f"/api/v1/{module.key}" for module in shown}
    return answer({"data": None, "links": links, "meta": {"modules": {one.key: one.plural for one in shown}}})


@bp.get("/docs")
def docs() -> AnyResponse:
    """The documentation for people lies behind the CRM's log-in."""
    return redirect(f"{config.current().crm_url.rstrip('/')}/crm/api-docs")


@bp.get("/user")
def user() -> Response:
    """The user that the caller acts for."""
    found = db.session.get(User, viewer().id)
    if found is None:
        raise Missing
    attributes = {
        "name": viewer().name, "email": found.email, "is_admin": viewer().is_admin,
        "first_name": found.first_name, "last_name": found.last_name,
    }  # fmt: skip
    return answer({"data": {"type": "users", "id": str(found.id), "attributes": attributes}})


@bp.get("/entities/<int:id>")
def entity(id: int) -> Response:
    """Any record by its id: one id space over all modules."""
    card = db.session.execute(select(Entity.module).where(Entity.id == id, Entity.deleted_at.is_(None))).scalar()
    if card is None or card not in modules or not modules[card].in_api or not may(viewer(), "view", modules[card]):
        raise Missing
    return answer({"data": resource(modules[card], search.one(viewer(), card, id))})
