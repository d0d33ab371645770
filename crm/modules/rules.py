"""What the rules of several modules need: the record as it will be, and the tests that numbers of organisations pass."""

import re
from collections.abc import Mapping
from typing import Any

from crm.mail.message import BadAddress, email_key

BUSINESS_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)


def after(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The record as it will be when `values` are written over `old`."""
    return {**(old or {}), **values}


def is_business_id(text: str) -> bool:
    """Whether `text` is a Finnish business ID (1234567-8) whose check digit is right: weights 7 9 10 5 8 4 2, modulo 11."""
    found = re.fullmatch(r"(\d{6,7})-?(\d)", text)
    if not found:
        return False
    digits, check = found[1].zfill(7), int(found[2])
    rest = sum(weight * int(digit) for weight, digit in zip(BUSINESS_ID_WEIGHTS, digits, strict=True)) % 11
    return rest != 1 and check == (11 - rest) % 11


def key_of_email(email: str | None) -> str | None:
    """The address as it is compared and made unique (spec/marketing.md 2.5); None for none and for one nobody can write to."""
    if not email:
        return None
    try:
        return email_key(email)
    except BadAddress:
        return None
