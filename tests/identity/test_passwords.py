"""Which passwords are good enough, and how they are kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.identity import passwords


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "too_short"),
        ("elevenchars", "too_short"),
        ("x" * 257, "too_long"),
        ("password1234", "too_common"),
        ("P@ssw0rd1234", "too_common"),
        ("passwordpassword", "too_common"),
        ("liverpool2024!", "too_common"),
        ("qwertyuiopasdfghjkl", "too_common"),
        ("1q2w3e4r5t6y", "too_common"),
        ("aaaaaaaaaaaaaa", "too_common"),
        ("abcabcabcabcabc", "too_common"),
        ("abcdefghijklmnop", "too_common"),
        ("zyxwvutsrqponmlk", "too_common"),
        ("12345678901234", "too_common"),
        ("98765432109876", "too_common"),
        ("correcthorsebatterystaple", "too_common"),
        ("customerhub2026", "too_common"),
        ("alice.tester1", "too_personal"),
        ("Alice.Tester@example.com", "too_personal"),
    ],
)
def test_bad_passwords_are_refused_with_a_reason(password, code):
    found = passwords.faults(password, "alice.tester@example.com", "Alice", "Tester")
    assert [said[0] for said in found] == [code]


@pytest.mark.parametrize(
    "password",
    [
        "green teapot under the stairs",
        "gräsmattan är blå",
        "kolme norsua juoksi",
        "vK3-q9!mZp2L",
        "only lower case",
        "ключ под ковриком",
    ],
)
def test_good_passwords_need_no_digits_or_signs(password):
    assert passwords.faults(password, "alice.tester@example.com", "Alice", "Tester") == []


def test_the_right_password_is_right_and_no_other(real_hashes):
    kept = passwords.hash_of("green teapot under the stairs")
    assert kept.startswith("$argon2id$")
    assert "teapot" not in kept
    assert passwords.is_right("green teapot under the stairs", kept)
    assert not passwords.is_right("green teapot under the stair", kept)
    assert not passwords.is_right("", kept)
    assert not passwords.is_outdated(kept)
    assert "m=65536" in kept


def test_nobody_signs_in_without_a_password():
    assert not passwords.is_right("the password of nobody", None)
    assert not passwords.is_right("", None)
    assert not passwords.is_right("whatever", "")
    assert not passwords.is_right("whatever", "not a hash")


def test_the_list_holds_a_thousand_and_fits_in_memory():
    known = passwords._known()
    assert 1000 < len(known) < 5000
    assert all(word == word.casefold() for word in known)


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_is_judged_without_a_fault_of_ours(text):
    for code, sentence in passwords.faults(text, text, None, ""):
        assert code
        assert sentence.endswith(".")
