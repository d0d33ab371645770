"""Groups as staff see them: they may own records. Written by `writing.py`, since who sees what is at stake."""

from crm.engine.fields import make
from crm.engine.module import Block, Module
from crm.identity.tables import Group

FIELDS = {
    "name": make("text", "Name", max=120, required=True, unique=True),
    "description": make("long_text", "Description", max=2_000),
    "created_at": make("moment", "Created at", read_only=True),
    "updated_at": make("moment", "Changed at", read_only=True),
}

MODULE = Module(
    Group,
    label="Group",
    plural="Groups",
    title="name",
    icon="users-group",
    fields_of_table=FIELDS,
    columns=("name", "description"),
    form=(Block("Group", ("name", "description")),),
    search=("name",),
    sort=("name",),
    creatable=False,  # not by the general door: see writing.py
    editable=False,
    deletable=False,
    importable=False,
    in_ecp=True,
)
