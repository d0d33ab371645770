"""Users as staff see them: names and how to reach them. Written by `writing.py`, since what users may is at stake."""

from crm.engine.fields import make
from crm.engine.module import Block, Filter, Module
from crm.identity.tables import User

FIELDS = {
    "first_name": make("text", "First name", max=80),
    "last_name": make("text", "Last name", max=80, required=True),
    "email": make("email", "E-mail (user name)", max=320, required=True, unique=True),
    "title": make("text", "Job title", max=80),
    "phone": make("phone", "Phone", max=60),
    "mobile": make("phone", "Mobile", max=60),
    "role_id": make("whole", "Role", required=True, in_lists=False),
    "reports_to_id": make("user", "Reports to", to=("users",)),
    "crm_access": make("checkbox", "May use the CRM", default=True),
    "crm_admin": make("checkbox", "Administrator of the CRM", default=False),
    "ecp_access": make("checkbox", "May use the Email Contact Portal", default=False),
    "ecp_admin": make("checkbox", "Administrator of the Email Contact Portal", default=False),
    "signature": make("html", "Signature", max=10_000, in_lists=False),
    "locale": make("text", "Language", max=10, in_lists=False),
    "timezone": make("text", "Time zone", max=60, in_lists=False),
    "date_format": make("text", "Date format", max=20, in_lists=False),
    "number_format": make("text", "Number format", max=20, in_lists=False),
    "works_from": make("time", "Works from", in_lists=False),
    "works_until": make("time", "Works until", in_lists=False),
    "archived": make("checkbox", "Archived", read_only=True),
    "last_login_at": make("moment", "Last signed in at", read_only=True),
    "created_at": make("moment", "Created at", read_only=True),
    "updated_at": make("moment", "Changed at", read_only=True),
}

MODULE = Module(
    User,
    label="User",
    plural="Users",
    title=("first_name", "last_name"),
    icon="user",
    fields_of_table=FIELDS,
    columns=("last_name", "first_name", "email", "title", "phone", "crm_access", "ecp_access", "archived"),
    form=(
        Block("User", ("first_name", "last_name", "email", "title", "phone", "mobile", "reports_to_id")),
        Block("Access", ("role_id", "crm_access", "crm_admin", "ecp_access", "ecp_admin", "archived")),
        Block(
            "Preferences",
            ("locale", "timezone", "date_format", "number_format", "works_from", "works_until", "signature"),
        ),
    ),
    search=("first_name", "last_name", "email"),
    sort=("last_name", "first_name"),
    filters=(Filter("active", "Active", {"archived": False}),),
    facts=("email", "phone", "title"),
    creatable=False,  # not by the general door: see writing.py
    editable=False,
    deletable=False,
    importable=False,
    in_ecp=True,
)
