"""Demo customers: accounts, contacts, leads, potentials, products, activities, all through the writing door."""

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from crm import clock
from crm.db import db
from crm.engine import records, relations
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.rules import BUSINESS_ID_WEIGHTS
from hub.demo import words

ACCOUNTS, CONTACTS, LEADS, POTENTIALS, ACTIVITIES = 400, 2_000, 160, 320, 300


@dataclass
class Customers:
    """What was made, by id."""

    accounts: list[int] = field(default_factory=list)
    contacts: list[int] = field(default_factory=list)
    contact_accounts: dict[int, int] = field(default_factory=dict)
    leads: list[int] = field(default_factory=list)
    potentials: list[int] = field(default_factory=list)


def make(dice: random.Random, owners: Sequence[int]) -> Customers:
    """Make them all; commits after each kind."""
    made = Customers()
    accounts = [_account(dice, owners, seen) for seen in [set[str]()] for _ in range(ACCOUNTS)]
    made.accounts = _put("accounts", accounts, days=540, batches=12)
    people = _people(dice, made.accounts, accounts)
    made.contacts = _put("contacts", people, days=500, batches=12)
    made.contact_accounts = {id: person["account_id"] for id, person in zip(made.contacts, people, strict=True)}
    made.leads = _put("leads", [_lead(dice, owners, number) for number in range(LEADS)], days=84, batches=28)
    _put("products", [_product(*said) for said in words.PRODUCTS], days=600)
    made.potentials = _put(
        "potentials", [_potential(dice, made, accounts, owners) for _ in range(POTENTIALS)], days=160, batches=20
    )
    _activities(dice, made, owners)
    return made


def _put(module: str, rows: list[dict[str, Any]], days: int = 0, batches: int = 1) -> list[int]:
    """Make records as if they had come in `batches` spread over the last `days`."""
    ids: list[int] = []
    size = -(-len(rows) // batches)
    present = clock.now()
    for number in range(batches):
        ago = timedelta(days=days * (batches - number) / batches, hours=number % 9)
        with clock.standing_at(present - ago):
            outcome = records.create_many(SYSTEM, module, rows[number * size : (number + 1) * size], Channel.SYSTEM)
        ids += [id for id in outcome.ids if id is not None]
        db.session.commit()
    return ids


def plain(text: str) -> str:
    """Letters and digits only, for the parts of addresses: "Mäkelä" → "makela"."""
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(character for character in flat if character.isalnum())


def _city(dice: random.Random) -> str:
    return dice.choices(list(words.CITIES), [weight for _, _, weight in words.CITIES.values()])[0]


def _address(dice: random.Random, city: str, prefix: str) -> dict[str, str]:
    code, country, _ = words.CITIES[city]
    street = dice.choice(words.STREETS[country])
    number = dice.randint(1, 90)
    line = f"{number} {street}" if country == "United Kingdom" else f"{street} {number}"
    named = {"street": line, "postal_code": code, "city": city, "country": country}
    return {f"{prefix}{name}": value for name, value in named.items()}


def _phone(dice: random.Random, country: str, is_mobile: bool = False) -> str:
    tail = f"{dice.randint(100, 999)} {dice.randint(1000, 9999)}"
    if country == "Finland":
        return f"+358 {dice.choice((40, 44, 50)) if is_mobile else dice.choice((9, 3, 8, 2))} {tail}"
    return f"+46 {dice.choice((70, 73)) if is_mobile else 8} {tail}" if country == "Sweden" else f"+44 20 7{tail}"


def _business_id(dice: random.Random) -> str:
    while True:
        digits = f"{dice.randint(1_000_000, 3_499_999):07}"
        rest = sum(weight * int(digit) for weight, digit in zip(BUSINESS_ID_WEIGHTS, digits, strict=True)) % 11
        if rest != 1:
            return f"{digits}-{(11 - rest) % 11}"


def _account(dice: random.Random, owners: Sequence[int], seen: set[str]) -> dict[str, Any]:
    city = _city(dice)
    country = words.CITIES[city][1]
    while True:
        first, trade = dice.choice(words.FIRST_WORDS), dice.choice(list(words.TRADES))
        if f"{first} {trade}" not in seen:
            break
    seen.add(f"{first} {trade}")
    industry, does = words.TRADES[trade]
    size = int(dice.lognormvariate(3.6, 1.3)) + 3
    kind = dice.choices(("Customer", "Prospect", "Partner", "Supplier", "Competitor"), (52, 34, 6, 5, 3))[0]
    site = f"{plain(first)}-{plain(trade)}.example"
    row = {
        "name": f"{first} {trade} {dice.choice(words.LEGAL_FORM[country])}", "account_type": kind, "industry": industry,
        "employees": size, "annual_revenue": size * dice.randint(60, 240) * 1_000, "phone": _phone(dice, country),
        "website": f"https://www.{site}", "email": f"info@{site}", "owner_id": dice.choice(owners),
        "language": words.COUNTRY_LANGUAGE[country], "rating": dice.choice(("Hot", "Warm", "Cold", None)),
        "description": f"{does.capitalize()}, about {size} people.", "payment_term_days": dice.choice((14, 21, 30)),
        **_address(dice, city, "billing_"),
    }  # fmt: skip
    if country == "Finland":
        row["business_id"] = _business_id(dice)
    return row


def _name(dice: random.Random, country: str) -> tuple[str, str, str]:
    language = words.COUNTRY_LANGUAGE[country]
    spoken = "sv" if language == "fi" and dice.random() < 0.07 else language
    return dice.choice(words.FIRST_NAMES[spoken]), dice.choice(words.LAST_NAMES[spoken]), spoken


def _people(dice: random.Random, account_ids: list[int], accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """About five a company; three in a hundred without an address, some who share one, a few who left."""
    weights = [min(60, account["employees"]) ** 0.5 for account in accounts]
    chosen = list(range(len(accounts))) + dice.choices(range(len(accounts)), weights, k=CONTACTS - len(accounts))
    used: set[str] = set()
    people = []
    for index in chosen:
        account = accounts[index]
        country = account["billing_country"]
        first, last, language = _name(dice, country)
        title, department, _ = dice.choices(words.TITLES, [said[2] for said in words.TITLES])[0]
        site = account["website"].removeprefix("https://www.")
        email: str | None = f"{plain(first)}.{plain(last)}@{site}"
        if email in used:
            email = f"{plain(first)}.{plain(last)}{dice.randint(2, 99)}@{site}"
        if dice.random() < 0.03:
            email = None
        elif dice.random() < 0.012:
            email = f"info@{site}"
        used.add(email or "")
        person = {
            "first_name": first, "last_name": last, "account_id": account_ids[index], "title": title, "department": department,
            "email": email, "mobile": _phone(dice, country, is_mobile=True), "language": language, "owner_id": account["owner_id"],
            "lead_source": dice.choice(("Web Site", "Trade Show", "Existing Customer", "Word of mouth", "Conference", "Cold Call")),
            "contact_type": "Client" if account["account_type"] == "Customer" else None,
            "may_measure_opens": dice.choices(("yes", "unknown", "no"), (60, 30, 10))[0],
            "email_opt_in": dice.choices(("single_webform", "double", "single_user", "none"), (35, 25, 15, 25))[0],
            **{name.replace("billing_", "mailing_"): value for name, value in account.items() if name.startswith("billing_")},
        }  # fmt: skip
        if person["may_measure_opens"] != "unknown":
            person["may_measure_opens_source"] = "Newsletter form on the website"
            person["may_measure_opens_wording"] = "May we see whether you open our mails, to write less and better?"
        if dice.random() < 0.025:
            person |= {"email_opt_out": True, "email_opt_out_source": "Phone call"}
        people.append(person)
    return people


def _lead(dice: random.Random, owners: Sequence[int], number: int) -> dict[str, Any]:
    city = _city(dice)
    country = words.CITIES[city][1]
    first, last, language = _name(dice, country)
    company = f"{dice.choice(words.FIRST_WORDS)} & {dice.choice(words.LAST_NAMES[words.COUNTRY_LANGUAGE[country]])}"
    code, _, _ = words.CITIES[city]
    status = (
        "Not Contacted",
        "Attempted to Contact",
        "Contacted",
        "Warm",
        "Hot",
        "Pre Qualified",
        "Junk Lead",
        "Lost Lead",
    )
    return {
        "first_name": first, "last_name": last, "company": company, "title": dice.choice(words.TITLES)[0],
        "email": f"{plain(first)}.{plain(last)}@{plain(company)}{number}.example", "phone": _phone(dice, country, is_mobile=True),
        "lead_status": dice.choices(status, (30, 14, 16, 12, 8, 8, 6, 6))[0], "rating": dice.choice(("Hot", "Warm", "Cold", None)),
        "lead_source": dice.choice(("Web Site", "Trade Show", "Conference", "Direct Mail", "Partner")),
        "city": city, "postal_code": code, "country": country, "language": language, "owner_id": dice.choice(owners),
    }  # fmt: skip


def _product(code: str, name: str, kind: str, price: str, unit: str) -> dict[str, Any]:
    said = {"code": code, "name": name, "product_type": kind, "unit_price": price, "usage_unit": unit}
    return said | {"tax_percent": "25.5"}


def _potential(
    dice: random.Random, made: Customers, accounts: list[dict[str, Any]], owners: Sequence[int]
) -> dict[str, Any]:
    contact = dice.choice(made.contacts)
    account = made.contact_accounts[contact]
    known = accounts[made.accounts.index(account)]
    stages = ("Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers", "Perception Analysis",
              "Proposal or Price Quote", "Negotiation or Review", "Closed Won", "Closed Lost")  # fmt: skip
    stage = dice.choices(stages, (18, 15, 12, 9, 7, 6, 10, 6, 24, 16))[0]
    is_over = stage.startswith("Closed")
    today = clock.now().date()
    closes = today + timedelta(days=dice.randint(-180, -3) if is_over else dice.randint(-10, 150))
    name = dice.choice(words.DEALS).format(place=known["billing_city"], year=closes.year)
    row = {
        "name": name, "account_id": account, "contact_id": contact, "stage": stage, "closes_on": closes.isoformat(),
        "amount": round(dice.lognormvariate(9.2, 0.9), -2), "owner_id": known["owner_id"] or dice.choice(owners),
        "lead_source": dice.choice(("Existing Customer", "Web Site", "Trade Show", "Word of mouth")),
        "potential_type": dice.choice(("New Business", "Existing Business")),
        "business_area": dice.choice(("Products", "Services", "Support")),
    }  # fmt: skip
    if stage == "Closed Lost":
        row["lost_reason"] = dice.choice(("Price", "Competitor", "No budget", "Timing"))
    return row


def _activities(dice: random.Random, made: Customers, owners: Sequence[int]) -> None:
    rows, whom = [], []
    for _ in range(ACTIVITIES):
        kind = dice.choices(("Call", "Meeting", "Task"), (45, 25, 30))[0]
        contact = dice.choice(made.contacts)
        day = clock.now().date() + timedelta(days=dice.randint(-120, 21))
        is_past = day < clock.now().date()
        row: dict[str, Any] = {
            "subject": dice.choice(words.SUBJECTS[kind]),
            "activity_type": kind,
            "owner_id": dice.choice(owners),
        }
        if kind == "Task":
            status = ("Completed", "Completed", "In Progress") if is_past else ("Not Started", "In Progress")
            row |= {"kind": "task", "due_on": day.isoformat(), "status": dice.choice(status)}
        else:
            start = datetime.combine(day, time(dice.randint(6, 14), dice.choice((0, 30))), UTC)
            length = timedelta(minutes=60 if kind == "Meeting" else 15)
            row |= {"kind": "event", "starts_at": start, "ends_at": start + length,
                    "status": dice.choice(("Held", "Held", "Held", "Not Held")) if is_past else "Planned"}  # fmt: skip
        rows.append(row)
        whom.append(contact)
    for id, contact in zip(_put("activities", rows, days=120, batches=8), whom, strict=True):
        relations.link(SYSTEM, "activities", id, "contacts", [contact], Channel.SYSTEM)
        relations.link(SYSTEM, "activities", id, "accounts", [made.contact_accounts[contact]], Channel.SYSTEM)
    db.session.commit()
