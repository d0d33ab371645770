"""What it costs everybody else that one provider says 421: the rate of the others, without that provider and beside it.

Small mails of a real office to the test server in a process of its own. Beside each of the others stands one of the provider that
asks for less, so that half of all rows belong to it. The two ways take turns; the figure is the median of their ratios.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.world import Figure, pin, unpin
from crm.mail.sending.kinds import KINDS
from crm.mail.sending.office import PostOffice
from crm.mail.smtp import SmtpServer
from tests import databases
from tests.apps import build_template
from tests.mail.ledgers import a_kind, a_sendout, an_office, open_engine

MAILS, TURNS = 6_000, 5
BUSY = "refuse:rcpt:421 4.7.28 rate limited:@gmail.com"


def measure(kind: str, mails: int = MAILS) -> list[Figure]:
    ratios, rates = [], []
    for _turn in range(TURNS):
        alone, beside = _rate(kind, mails, is_beside=False), _rate(kind, mails, is_beside=True)
        ratios.append(beside / alone)
        rates.append(alone)
    note = f"{statistics.median(rates):,.0f} mails/s of the others alone; ratios {', '.join(f'{one:.2f}' for one in sorted(ratios))}"
    lost = (1 - statistics.median(ratios)) * 100
    return [Figure("what a provider's 421 costs the others", kind, lost, "% of their rate", "< 5", note)]


def _rate(kind: str, mails: int, is_beside: bool) -> float:
    """Mails a second to those whose servers take them."""
    url = databases.create(kind, build_template)
    held = KINDS["sendout"]
    a_kind()  # mails that cost nothing to make
    engine = open_engine(url)
    log = Path(tempfile.mkdtemp()) / "taken.jsonl"
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.mail.smtp_server", "--port", "0", "--log", str(log), "--mode", BUSY],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().split()[-1])
        emails = [f"p{n}@d{n % 50}.example" for n in range(mails)]
        if is_beside:
            emails = [one for n, email in enumerate(emails) for one in (f"g{n}@gmail.com", email)]
        a_sendout(engine, emails)
        office, stop = an_office(engine, SmtpServer(f"smtp://127.0.0.1:{port}")), threading.Event()
        return _measured(office, stop, log, mails)
    finally:
        server.terminate()
        server.wait()
        KINDS["sendout"] = held
        engine.dispose()
        databases.drop(url)


def _measured(office: PostOffice, stop: threading.Event, log: Path, mails: int) -> float:
    thread = threading.Thread(target=office.run, args=(stop,))
    pin()
    try:
        began = time.perf_counter()
        thread.start()
        while _lines(log) < mails:
            time.sleep(0.01)
        return mails / (time.perf_counter() - began)
    finally:
        stop.set()
        thread.join()
        unpin()


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0
