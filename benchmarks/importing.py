"""CSV import of 9 columns with validation, duplicates by e-mail, numbering, history and search index."""

import io
import time

from benchmarks.world import CITIES, Figure, pin, unpin, word, world
from crm.db import db
from crm.engine.imports import plans, running
from crm.identity.viewer import Viewer

ADMIN = Viewer(kind="staff", name="Bench", is_admin=True)
HEADER = "Last name;First name;E-mail;Title;Phone;City;Postal code;Country;Department"


def measure(kind: str, rows: int = 100_000) -> list[Figure]:
    found = []
    with world(kind):
        for title, target, name in (
            ("Manager", "≥ 8,000", "import, new rows"),
            ("Director", "≥ 5,000", "import, updating rows"),
        ):
            lines = [HEADER] + [
                f"{word(n)};{word(n % 997)};p{n}@d{n % 50}.example;{title};+358 40 {n % 900 + 100} {n % 9000 + 1000};"
                f"{CITIES[n % 10]};90100;Finland;Sales"
                for n in range(rows)
            ]
            plan = plans.begin(ADMIN, "contacts", "bench.csv", io.BytesIO("\n".join(lines).encode()))
            plans.configure(ADMIN, plan, mode="both", match="email")
            db.session.commit()
            place, began, worked = pin(), time.perf_counter(), time.process_time()
            report = running.run(ADMIN, plan)
            rate = rows / (time.perf_counter() - began)
            worked = (time.process_time() - worked) / rows * 1e6
            unpin()
            note = f"{report.created:,} created, {report.updated:,} updated, {report.refused} refused; {worked:.0f} us of CPU a row here; {place}"
            found.append(Figure(name, kind, rate, "rows/s", target, note))
    return found
