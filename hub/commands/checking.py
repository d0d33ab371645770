"""`doctor`: what of the set-up needs a hand, in sentences; exit 1 when something does."""

import click

from crm import config as settings
from hub.commands import house


@click.command()
@click.option("--no-dns", is_flag=True, help="Look up no DNS records of sender domains.")
def doctor(no_dns: bool) -> None:
    """Check settings, database, queue, clock, mail server and the DNS of every sender domain."""
    from hub import health

    config = settings.load()
    troubles = 0
    with house():
        for finding in health.examine(config, with_dns=not no_dns):
            mark = {"ok": "ok     ", "notice": "notice ", "problem": "PROBLEM"}[finding.level]
            click.echo(f"{mark}  {finding.subject}: {finding.sentence}")
            troubles += finding.level == "problem"
    if troubles:
        raise click.ClickException(f"{troubles} of these need a hand.")
