"""Every module has its line in docs/modules.md."""

import re
from pathlib import Path

from crm.engine.registry import modules
from tests.every_module import values

PAGE = (Path(__file__).parents[2] / "docs" / "modules.md").read_text()
NAMED = {name.strip() for line in re.findall(r"^\| ([a-z_, ]+) \|", PAGE, re.M) for name in line.split(",")}


def test_every_module_is_explained():
    assert values.RECORDS
    missing = [module.key for module in modules if module.key not in NAMED]
    assert not missing, f"docs/modules.md does not explain {missing}"
