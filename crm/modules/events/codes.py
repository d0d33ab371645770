"""The code of a registration: typed or read by a camera at the door, and its picture."""

import io
import secrets

import segno

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without what is read for something else
LENGTH = 8


def fresh() -> str:
    """A new code; 32**8 of them, so that nobody guesses one at the door."""
    return "".join(secrets.choice(ALPHABET) for _place in range(LENGTH))


def as_typed(text: str) -> str:
    """What somebody typed or a camera read, as codes are kept."""
    plain = text.strip().rpartition("/")[2].upper()
    return "".join(letter for letter in plain if letter in ALPHABET)[:LENGTH]


def as_png(code: str) -> bytes:
    """The code as a QR picture, to go with a mail."""
    file = io.BytesIO()
    segno.make(code, error="m", micro=False).save(file, kind="png", scale=8, border=4)
    return file.getvalue()


def as_svg(code: str) -> str:
    """The code as an SVG to stand in a page; dark on light in every theme, as readers need it."""
    file = io.BytesIO()
    segno.make(code, error="m", micro=False).save(
        file, kind="svg", scale=5, border=4, xmldecl=False, svgns=True, dark="#000", light="#fff", nl=False
    )
    return file.getvalue().decode("utf-8")
