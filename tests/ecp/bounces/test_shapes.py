"""What comes back is told apart by shape, status and words; what is no bounce is never one."""

import pytest

from ecp.bounces.reading import read
from ecp.bounces.verdicts import REASONS
from tests.ecp.bounces.shapes import SHAPES, TOKEN


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_read_as_what_it_is(name):
    data, kind, verdict, reason = SHAPES[name]
    found = read(data)
    said = (found.verdict.kind, found.verdict.reason) if found.verdict else (None, None)
    assert (found.kind, *said) == (kind, verdict, reason), found
    if kind in {"bounce", "delayed", "complaint", "unsubscribe"}:
        assert bytes.fromhex(TOKEN) in found.tokens or name == "cut in the middle"
    if found.verdict:
        assert found.verdict.sentence == REASONS[reason]
