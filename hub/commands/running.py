"""`serve`, `worker`, `clock`: the processes of a running house."""

import ipaddress
import os
import signal
import socket
import threading
from pathlib import Path
from types import FrameType

import click

from crm import config as settings
from crm.config import Config


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--no-worker", is_flag=True, help="Serve pages only; run `customerhub worker` elsewhere.")
@click.option(
    "--processes", default=0, type=click.IntRange(0, 64), help="Processes for pages; 0: as many as cores, at most 4."
)
def serve(host: str, port: int, no_worker: bool, processes: int) -> None:
    """Serve all apps, with a worker and the clock beside them, until Ctrl C."""
    from hub import logs, supervisor

    config = settings.load()
    logins = config.data_path / "demo-logins.txt"
    if logins.exists() and not is_loopback(host):
        raise click.ClickException(
            f"{logins} holds demo log-ins that anybody could use. Remove them and the file before listening on {host}."
        )
    demand_database(config)
    demand_port(host, port)
    logs.begin(config.log_level)
    click.echo(addresses(config, host, port))
    if logins.exists():
        click.echo(f"\nDemo log-ins (kept in {logins}):\n\n{logins.read_text()}")
    count = processes or min(4, os.cpu_count() or 1)
    raise SystemExit(supervisor.serve(config, host, port, with_worker=not no_worker, processes=count))


def demand_port(host: str, port: int) -> None:
    """Refuse a port that somebody listens on. The server shares its port among processes, so that a second house on the same
    port would start without a word, and each of them answer some of the requests."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise click.ClickException(f"{host} is no address to listen on: {error}.") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are closing do not matter
        try:
            probe.bind(address)
        except OSError as error:
            raise click.ClickException(
                f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another: `customerhub serve --port {port + 1}`, or "
                f"`PORT={port + 1} make run`."
            ) from None


def demand_database(config: Config) -> None:
    """Refuse to run on a database that is not there or not up to date."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from crm.db import prepare_engine
    from crm.engine.refusals import Conflict
    from crm.migrations import pending
    from hub.backup.restoring import is_unfinished

    if is_unfinished(config):
        raise click.ClickException(
            f"A restore into {config.data_path} was cut off. Empty that folder and the database, and restore again."
        )
    place = make_url(config.url_of_database).database if config.is_sqlite else None
    if place and not Path(place).exists():  # asked, SQLite would make an empty one
        raise click.ClickException("There is no database yet. Run `customerhub init` first.")
    engine = create_engine(config.url_of_database)
    prepare_engine(engine)
    try:
        late = pending(engine)
    except Conflict as reason:
        raise click.ClickException(str(reason)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database does not answer: {error.__cause__ or error}") from None
    finally:
        engine.dispose()
    if late:
        raise click.ClickException(f"The database is not ready: {late}. Run `customerhub init` first.")
    make_data_folder(config)


def make_data_folder(config: Config) -> None:
    """On a machine that only works or shows pages nothing else makes it, and SQLite opens its file in no other folder."""
    try:
        config.data_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise click.ClickException(f"The data folder {config.data_path} cannot be made: {error.strerror}.") from None


def addresses(config: Config, host: str, port: int) -> str:
    """What a person opens in the browser."""
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    rows = [
        ("All apps", "/"),
        ("CRM", "/crm/"),
        ("Email Contact Portal", "/ecp/"),
        ("Self-Service Portal", "/portal/"),
        ("Sent mails", "/ecp/outbox"),
        ("API", "/api/v1/docs"),
    ]
    if config.smtp_url:
        rows = [row for row in rows if row[1] != "/ecp/outbox"]
    return "\n".join(f"  {name:<22}{base}{path}" for name, path in rows)


@click.command()
@click.option("--engine", type=click.Choice(settings.ENGINES), help="Who carries jobs; default: as the settings say.")
@click.option(
    "--queues", default="", help="Only these queues, comma-separated, mail among them for sending; default: all."
)
def worker(engine: str | None, queues: str) -> None:
    """Work on jobs until Ctrl C, without the clock."""
    from hub import logs, supervisor

    config = settings.load()
    config = config.with_engine(engine or config.queue_engine)
    demand_database(config)
    logs.begin(config.log_level)
    named = [one.strip() for one in queues.split(",") if one.strip()]
    raise SystemExit(supervisor.work(config, named or None))


@click.command()
def clock() -> None:
    """Keep the timetable until Ctrl C: periodic tasks, and jobs that an engine lost."""
    from crm import create_worker_app
    from crm.jobs.worker import name_of_worker
    from hub import logs, working

    config = settings.load()
    demand_database(config)
    logs.begin(config.log_level)
    working.work(create_worker_app(config), config, _until_signal(), name_of_worker(), queues=())


def _until_signal() -> threading.Event:
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return stop
