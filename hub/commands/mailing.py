"""`sender add`, `dkim add`, `sendout …`: mass mail by the shell."""

import click
from sqlalchemy import select

from crm import clock
from crm.db import db, fold, fold_text
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Conflict, Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from hub.commands import house


@click.group()
def sender() -> None:
    """Addresses that mails come from."""


@sender.command("add")
@click.argument("address")
@click.option("--name", help="The name shown beside the address.")
@click.option("--confirmed", is_flag=True, help="You vouch that the address is yours; no confirmation mail is sent.")
def add_sender(address: str, name: str | None, confirmed: bool) -> None:
    """Add a sender address, or confirm one that is there."""
    from ecp import senders

    state = {"state": "confirmed", "confirmed_at": clock.now()} if confirmed else {}
    with house():
        table = modules["sender_addresses"].table
        known = db.session.execute(
            select(table.c.id, table.c.state).where(
                fold(table.c.address) == fold_text(address), table.c.deleted_at.is_(None)
            )
        ).one_or_none()
        if known is None:
            values = {"address": address, "display_name": name} | state
            made = records.create(SYSTEM, "sender_addresses", values, Channel.SYSTEM)
            if not confirmed:
                senders.ask(SYSTEM, made)
        elif confirmed and known.state == "pending":
            records.update(SYSTEM, "sender_addresses", known.id, state, Channel.SYSTEM)
            made = known.id
        else:
            raise click.ClickException(f"{address} is a sender address already (number {known.id}, {known.state}).")
        db.session.commit()
    click.echo(
        f"Sender address {address} is number {made}"
        + (", confirmed." if confirmed else "; a confirmation mail is on its way.")
    )


@click.group()
def dkim() -> None:
    """Keys that sign mails."""


@dkim.command("add")
@click.argument("domain")
@click.option("--selector", default=None, help="Name of the key in DNS; default: made from today's date.")
@click.option("--kind", type=click.Choice(["rsa", "ed25519"]), default="rsa", show_default=True, help="Kind of key.")
def add_key(domain: str, selector: str | None, kind: str) -> None:
    """Make a signing key for DOMAIN and print the DNS record to publish."""
    from ecp.domains import selectors

    with house():
        try:
            made = selectors.make(domain, selector or "", kind)
        except Refused as refused:
            raise click.ClickException(refused.sentences) from None
        db.session.commit()
    if made.state == "active":
        click.echo("Publish this record; mails are signed with the key from now on:\n")
    else:
        click.echo(f"Publish this record; when it is seen, `customerhub dkim switch {domain}` signs with it:\n")
    click.echo(made.signer.zone_line)


@dkim.command("switch")
@click.argument("domain")
def switch_key(domain: str) -> None:
    """Sign with the next key of DOMAIN, once DNS shows it."""
    from crm.mail.message import BadAddress
    from ecp.domains import checking, selectors

    with house():
        try:
            said = checking.question_of(domain)
            db.session.rollback()
            checking.keep(checking.ask(said))
            made = selectors.switch(domain)
        except (Conflict, BadAddress) as wrong:
            raise click.ClickException(str(wrong)) from None
        db.session.commit()
    click.echo(f"Mails are signed with {made.selector} from now on; leave the old record for a week.")


@click.group()
def sendout() -> None:
    """Mass mails: the same actions as the screens."""


def _act(action: str, id: int) -> None:
    from ecp.pipeline import actions

    with house():
        state = getattr(actions, action)(SYSTEM, id, Channel.SYSTEM)
        db.session.commit()
    click.echo(f"Sendout {id} is {state}.")


@sendout.command()
@click.argument("id", type=int)
def start(id: int) -> None:
    """Send now."""
    _act("start", id)


@sendout.command()
@click.argument("id", type=int)
def pause(id: int) -> None:
    """Stop for now."""
    _act("pause", id)


@sendout.command()
@click.argument("id", type=int)
def resume(id: int) -> None:
    """Go on after a pause."""
    _act("resume", id)


@sendout.command()
@click.argument("id", type=int)
def cancel(id: int) -> None:
    """End it; what was sent stays sent."""
    _act("cancel", id)


@sendout.command()
@click.argument("id", type=int)
def show(id: int) -> None:
    """Print state and numbers."""
    from ecp import statistics

    with house():
        table = modules["sendouts"].table
        row = db.session.execute(
            select(table.c.name, table.c.state).where(table.c.id == id, table.c.deleted_at.is_(None))
        ).one_or_none()
        if row is None:
            raise click.ClickException(f"There is no sendout {id}.")
        report = statistics.report(SYSTEM, id)
    click.echo(f"{row.name}: {row.state}")
    for name, value in report.items():
        if isinstance(value, int):
            click.echo(f"  {name:<16}{value:>10}")
        elif isinstance(value, dict):
            for reason, count in sorted(value.items()):
                click.echo(f"    {reason:<14}{count:>10}")


@sendout.command()
@click.argument("id", type=int)
@click.argument("whom")
def why(id: int, whom: str) -> None:
    """Say why WHOM (an id or an address) got the sendout or did not."""
    from crm.engine.refusals import Missing
    from ecp.why import story

    with house():
        try:
            told = story.story(SYSTEM, id, story.person_by(SYSTEM, whom))
        except Missing:
            raise click.ClickException("There is no such sendout, or nobody with this id or address.") from None
    click.echo(f"{told.person}, “{told.sendout}”: {told.answer}")
    for step in told.steps:
        at = f"{step.at:%Y-%m-%d %H:%M}" if step.at else "-"
        click.echo(f"  {at:<16}  {step.sentence}{f' ({step.more})' if step.more else ''}")


@click.group()
def engagement() -> None:
    """Who opened and clicked: people, machines, or nobody can tell."""


@engagement.command()
@click.option(
    "--sendout", "sendouts", type=int, multiple=True, help="Number of a sendout; may be repeated. Default: all."
)
def judge(sendouts: tuple[int, ...]) -> None:
    """Judge openings and clicks again, by the rules and networks of today."""
    from ecp import judging

    with house():
        table = modules["sendouts"].table
        known = set(
            db.session.scalars(select(table.c.id).where(table.c.id.in_(sendouts), table.c.deleted_at.is_(None)))
        )
        if missing := sorted(set(sendouts) - known):
            raise click.ClickException(f"There is no sendout {missing[0]}.")
        chosen = sorted(known) or None
        total = judging.count_events(chosen)
        db.session.rollback()
        with click.progressbar(length=total, label="Judging") as bar:

            def step(done: int) -> bool:
                bar.update(done - bar.pos)
                return True

            done, changed = judging.judge_again(chosen, step)
    click.echo(f"{done} openings and clicks judged, {changed} otherwise than before.")
