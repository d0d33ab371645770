"""A CSV file of contacts as a spreadsheet program saves it, with rows that must be refused, each for a known reason."""

import csv
import io
from pathlib import Path

COLUMNS = ["First name", "Last name", "E-mail", "Account", "City", "Job title", "Mobile", "Opens may be measured"]
NAMES = ["Äijälä", "Öhman", "Núñez", "Müller", "O’Brien", "Šoltésová", "Straße", "Çelik", "Virtanen"]
CITIES = ["Helsinki", "Turku", "Oulu", "Pori"]
ROWS = 1_000
EVERY = 50  # one row in so many is wrong


def accounts() -> list[dict[str, str]]:
    """Forty accounts, every second one a customer."""
    return [
        {"account_name": f"Kaski & Pojat {n} Oy", "account_type": "Customer" if n % 2 == 0 else "Prospect", "billing_city": CITIES[n % 4]}
        for n in range(40)
    ]  # fmt: skip


def _row(n: int, domain: str, names: list[str]) -> list[str]:
    return [
        f"Élan{n}", names[n % len(names)], f"p{n}@{domain}", f"Kaski & Pojat {n % 40} Oy", CITIES[n % 7 % 4],
        "Päällikkö; myynti" if n % 3 else '"Johtaja"', "+358 40 123 4567", "Yes",
    ]  # fmt: skip


def _spoil(n: int, row: list[str]) -> str:
    """Make one row wrong; gives words of the reason."""
    kind = n // EVERY % 3
    if kind == 0:
        row[1] = ""
        return "Last name"
    if kind == 1:
        row[2] = f"p{n} at example"
        return "E-mail"
    row[3] = "Nobody’s Ltd" if row[3].isascii() else "Niemandsland GmbH"
    return "Account"


def contacts_file(path: Path, domain: str, encoding: str) -> tuple[dict[int, str], list[list[str]]]:
    """Write the file (semicolons, CRLF). Gives line → word of the reason of each bad row, and the good rows."""
    names = [*NAMES, "Łoś", "Яна"] if encoding.startswith("utf") else NAMES
    bad: dict[int, str] = {}
    good: list[list[str]] = []
    rows = []
    for n in range(ROWS):
        row = _row(n, domain, names)
        if n % EVERY == EVERY - 1:
            bad[n + 2] = _spoil(n, row)  # line 1 holds the names
        else:
            good.append(row)
        rows.append(row)
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows([COLUMNS, *rows])
    path.write_bytes(out.getvalue().encode(encoding))
    return bad, good
