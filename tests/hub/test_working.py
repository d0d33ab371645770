"""A worker process knows the tasks of all rooms."""

import re

import pytest

from crm import config
from crm.engine.outbox import TASKS
from crm.jobs.engines.embedded import QUEUES
from hub import working
from tests.rules.checkout import python_of_rooms


def test_every_task_that_a_room_registers_is_known(app):
    working.load_tasks()
    said = set()
    for path in python_of_rooms():
        said |= set(re.findall(r"^@(?:outbox\.)?task\(\s*\"([\w.]+)\"", path.read_text(), re.MULTILINE))
    assert said
    assert said <= set(TASKS)


def test_every_queue_that_a_task_of_the_house_names_has_workers(app):
    working.load_tasks()
    named = {task.queue for name, task in TASKS.items() if not name.startswith("tests.")}
    assert named == set(QUEUES)


def test_with_a_broker_each_queue_has_a_process_and_mail_and_the_clock_share_one():
    brokered = config.load({"CUSTOMERHUB_QUEUE_ENGINE": "celery", "CUSTOMERHUB_QUEUE_URL": "redis://127.0.0.1/0"})
    assert working.shares_of(brokered, None, True) == [(["default"], False), (["files"], False), (["mail"], True)]
    assert working.shares_of(brokered, ["files"], False) == [(["files"], False)]
    assert working.shares_of(config.load({}), ["files", "mail"], False) == [(["files", "mail"], False)]
    assert working.shares_of(config.load({}), None, True) == [(None, True)]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1", "127.0.0.1:6379"])
def test_an_engine_that_needs_a_broker_is_refused_without_one(url):
    with pytest.raises(config.BadSetting, match="set CUSTOMERHUB_QUEUE_URL to redis"):
        config.load({"CUSTOMERHUB_QUEUE_ENGINE": "dramatiq", "CUSTOMERHUB_QUEUE_URL": url})
