"""Keys of buttons are written as crm/static_src/_keys.js listens to them: one character, or `mod+` and one."""

import re

from tests.rules.checkout import files, relative

KEY = re.compile(r'data-key="([^"{]+)"')
HEARD = re.compile(r"(mod\+)?\S").fullmatch


def test_every_key_of_a_template_is_one_that_is_listened_to():
    pages = [path for path in files() if path.suffix == ".html"]
    found = [(relative(path), key) for path in pages for key in KEY.findall(path.read_text())]
    assert len(found) > 20
    assert [one for one in found if not HEARD(one[1])] == []
