"""What tests of documents start from: people, records, and templates made of small files."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from crm.db import db
from crm.documents import uploads
from crm.engine import records, search
from crm.engine.channels import Channel
from tests.modules.conftest import make, people
from tests.web.conftest import browse, quick_hashes

__all__ = ["browse", "make", "people", "quick_hashes"]


@pytest.fixture
def template(people: Any) -> Callable[..., int]:
    """`template(data, "docx", module="contacts")`: an active template with this file."""

    def template(data: bytes, ending: str = "docx", **values: Any) -> int:
        said = {"name": "Letter", "module": "contacts", "output": "same"} | values
        id = records.create(people["ada"], "document_templates", said, Channel.FORM)
        uploads.keep(people["ada"], id, f"letter.{ending}", io.BytesIO(data))
        records.update(people["ada"], "document_templates", id, {"active": True}, Channel.FORM)
        db.session.commit()
        return id

    return template


@pytest.fixture
def row(app: Any) -> Callable[..., Any]:
    from crm.identity.viewer import SYSTEM

    return lambda module, id: search.one(SYSTEM, module, id)
