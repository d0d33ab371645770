"""A refusal by the person himself ends with new evidence only, whoever of the house writes it."""

import pytest

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.viewer import SYSTEM, Viewer

STAFF = Viewer(kind="staff", name="Ada", is_admin=True, rights=SYSTEM.rights)


@pytest.mark.parametrize("module", ["contacts", "leads"])
def test_who_opted_out_is_brought_back_with_evidence_only(session, module):
    more = {"company": "Co"} if module == "leads" else {}
    said = {"last_name": "No", "email_opt_in_source": "Fair of 2025", **more}
    id = records.create(SYSTEM, module, said, Channel.SYSTEM)
    records.update(SYSTEM, module, id, {"email_opt_in": "out_contact", "email_opt_out": True}, Channel.SYSTEM)
    for change in (
        {"email_opt_in": "single_user"},
        {"email_opt_out": False},
        {"email_opt_in": "double", "email_opt_in_source": "Fair of 2025"},
    ):
        with db.session.begin_nested(), pytest.raises(Refused) as refused:
            records.update(STAFF, module, id, change, Channel.FORM)
        assert list(refused.value.faults) == ["email_opt_in_source"]
    records.update(STAFF, module, id, {"email_opt_in": "out_user"}, Channel.FORM)
    records.update(SYSTEM, module, id, {"email_opt_in": "out_contact"}, Channel.SYSTEM)
    back = {"email_opt_in": "single_user", "email_opt_out": False, "email_opt_in_source": "Called us on 3 May"}
    records.update(STAFF, module, id, back, Channel.FORM)
