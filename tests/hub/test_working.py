"""A worker process knows the tasks of all rooms."""

import re

from crm.engine.outbox import TASKS
from hub import working
from tests.rules.checkout import python_of_rooms


def test_every_task_that_a_room_registers_is_known(app):
    working.load_tasks()
    said = set()
    for path in python_of_rooms():
        said |= set(re.findall(r"^@(?:outbox\.)?task\(\s*\"([\w.]+)\"", path.read_text(), re.MULTILINE))
    assert said
    assert said <= set(TASKS)
