"""Return paths and Message-IDs carry only opaque text and come back whatever the way did to them."""

import pytest

from crm.mail.message import Address, BadAddress
from crm.mail.senders import message_id, read_return_path, return_path

BOUNCES = "bounces@mail.example.com"
TOKEN = "abcdefgh234567ij"


def test_a_return_path_is_read_back_in_any_case() -> None:
    path = return_path(BOUNCES, TOKEN)
    assert path == f"bounces+{TOKEN}@mail.example.com"
    assert Address(path).addr == path
    for spelling in (path, path.upper(), path.replace("+", "="), f" {path}"):
        assert read_return_path(spelling, BOUNCES) == TOKEN


@pytest.mark.parametrize(
    "other",
    [BOUNCES, f"bounces+{TOKEN}@example.com", f"other+{TOKEN}@mail.example.com", "nonsense", "bounces+x@mail.example.com", "",
     f"bounces+{TOKEN}\r\n@mail.example.com", f"bounces+{'a' * 60}@mail.example.com"],
)  # fmt: skip
def test_other_addresses_are_not_ours(other: str) -> None:
    assert read_return_path(other, BOUNCES) is None


@pytest.mark.parametrize("token", ["", "short", "UPPER234567", "with+plus1", "a" * 57])
def test_tokens_that_would_not_come_back_are_refused(token: str) -> None:
    with pytest.raises(BadAddress):
        return_path(BOUNCES, token)


def test_a_message_id_is_stable_and_tells_nothing() -> None:
    first = message_id(b"secret", "delivery", 42, "Example.COM")
    assert first == message_id(b"secret", "delivery", 42, "example.com")
    assert first.endswith("@example.com>")
    assert len({first, *(message_id(*each, "example.com") for each in (
        (b"other", "delivery", 42), (b"secret", "letter", 42), (b"secret", "delivery", 43)))}) == 4  # fmt: skip
