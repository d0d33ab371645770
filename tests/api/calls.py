"""A caller of the API in tests: a key of a person, JSON in and out."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity import api_keys
from crm.identity.viewer import SYSTEM


@dataclass
class Caller:
    """Calls `/api/v1` with a key of `user_id`."""

    app: Flask
    key: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        said = {"Authorization": f"Bearer {self.key}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/vnd.api+json"}
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=said, **sent)


def caller(app: Flask, user_id: int, scopes: Any = None) -> Caller:
    """A caller with a fresh key."""
    key = api_keys.add("Test", user_id, scopes=scopes)[1]
    db.session.commit()
    return Caller(app, key)


def made(module: str, **values: Any) -> int:
    """A record that callers find: made by the system and committed; its id."""
    id = records.create(SYSTEM, module, values, Channel.SYSTEM)
    db.session.commit()
    return id
