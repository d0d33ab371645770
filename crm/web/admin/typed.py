"""What settings pages read from a form: whole numbers, hours, office hours, holidays; what is wrong stands at its field."""

from datetime import date, time

from flask import request
from flask_babel import gettext as _

from crm.engine.refusals import Fault
from crm.modules.tickets.settings import DAYS
from crm.words import N_

Faults = dict[str, list[Fault]]
MOST_MINUTES = 60 * 24 * 365
DAY_NAMES = {
    "mon": N_("Monday"), "tue": N_("Tuesday"), "wed": N_("Wednesday"), "thu": N_("Thursday"), "fri": N_("Friday"), "sat": N_("Saturday"), "sun": N_("Sunday"),
}  # fmt: skip


def number(name: str, most: int, faults: Faults) -> int:
    """A whole number from 0 to `most`; 0 with a fault for anything else."""
    raw = request.form.get(name, "").strip()
    if not raw.isdecimal() or int(raw) > most:
        faults[name] = [Fault("not_a_number", _("This takes a whole number up to %(most)s.", most=most))]
        return 0
    return int(raw)


def hours(name: str, faults: Faults) -> int:
    """Hours as typed (1.5) in minutes; empty: no promise."""
    raw = request.form.get(name, "").strip().replace(",", ".")
    if not raw:
        return 0
    try:
        minutes = round(float(raw) * 60)
        if not 0 < minutes <= MOST_MINUTES:
            raise ValueError
    except (ValueError, OverflowError):
        faults[name] = [Fault("not_a_number", _("This takes hours, such as 4 or 1.5."))]
        return 0
    return minutes


def office(faults: Faults) -> dict[str, list[str]]:
    """day → [from, until] of the inputs `mon.from` … `sun.until`; closed days are left out."""
    found: dict[str, list[str]] = {}
    for day in DAYS:
        begins, ends = (request.form.get(f"{day}.{side}", "").strip() for side in ("from", "until"))
        if not begins and not ends:
            continue
        try:
            if time.fromisoformat(begins) >= time.fromisoformat(ends):
                raise ValueError
        except ValueError:
            faults[f"{day}.from"] = [
                Fault("bad_time", _("Office hours begin before they end, such as 08:00 and 16:00."))
            ]
            continue
        found[day] = [begins[:5], ends[:5]]
    return found


def holidays(faults: Faults) -> list[str]:
    """The days of `holidays`, in order."""
    found = []
    for one in request.form.get("holidays", "").replace(",", " ").split():
        try:
            found.append(date.fromisoformat(one).isoformat())
        except ValueError:
            faults["holidays"] = [Fault("bad_date", _("“%(day)s” is no date, such as 2027-01-06.", day=one[:20]))]
    return sorted(set(found))[:400]
