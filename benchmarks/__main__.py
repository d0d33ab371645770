"""`python -m benchmarks [NAME …] [--database sqlite|postgresql] [--small]`: measure, print a table, write results.json."""

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.world import Figure
from crm.db import db  # noqa: F401 — the house is loaded before the clock runs
from tests import databases

NAMES = (
    "backing_off",
    "compiling",
    "engagement",
    "events",
    "importing",
    "jobs",
    "lists",
    "portal_list",
    "scanning",
    "scoring",
    "sending",
    "surveys",
    "tracking",
    "whole",
    "writing",
)
ASKED = ("large",)  # takes its time: only when it is named
SMALL = {
    "backing_off": {"mails": 500},
    "engagement": {"events": 10_000},
    "importing": {"rows": 10_000},
    "jobs": {"jobs": 1_000},
    "large": {"count": 100_000},
    "lists": {"count": 10_000},
    "scanning": {"mails": 60},
    "scoring": {"persons": 10_000},
    "tracking": {"hits": 50_000, "collected": 5_000},
    "sending": {"mails": 3_000, "prepared": 5_000},
    "surveys": {"responses": 1_000},
    "whole": {"people": 3_000, "fewer": 3_000},
    "writing": {"keys": 5},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, *ASKED, []])
    parser.add_argument("--database", choices=databases.KINDS)
    parser.add_argument("--small", action="store_true", help="a tenth of the data, to see that it works")
    said = parser.parse_args()
    databases.open_run_folder()
    found: list[Figure] = []
    try:
        for name in said.names or NAMES:
            room = import_module(f"benchmarks.{name}")
            for kind in [said.database] if said.database else databases.KINDS:
                for one in room.measure(kind, **(SMALL.get(name, {}) if said.small else {})):
                    found.append(one)
                    sys.stderr.write(f"{one.name} ({one.database}): {one.value:,.1f} {one.unit}\n")
    finally:
        databases.close_run_folder()
    _print(found)
    place = Path(__file__).parent / "results.json"
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "at": time.strftime("%Y-%m-%d %H:%M"),
    }
    place.write_text(
        json.dumps(
            {"machine": machine, "small": said.small, "figures": [asdict(one) for one in found]},
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )
    return 0


def _print(found: list[Figure]) -> None:
    write = sys.stdout.write
    write(f"\n{'what':44} {'database':11} {'figure':>12} {'unit':15} {'target':20} note\n")
    for one in found:
        write(f"{one.name:44} {one.database:11} {one.value:12,.1f} {one.unit:15} {one.target:20} {one.note}\n")


if __name__ == "__main__":
    sys.exit(main())
