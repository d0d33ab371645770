"""The `customerhub` command: sets up, serves, works, and does by the shell what the screens do."""

import os
import sys
from importlib import import_module

import click

from crm.config import BadSetting

# Command or group → where it stands. Loaded when it is called, so that `customerhub serve` reads no import wizard.
COMMANDS = {
    "init": "hub.commands.installing:init",
    "serve": "hub.commands.running:serve",
    "worker": "hub.commands.running:worker",
    "clock": "hub.commands.running:clock",
    "doctor": "hub.commands.checking:doctor",
    "backup": "hub.commands.keeping:backup",
    "restore": "hub.commands.keeping:restore",
    "erasures": "hub.commands.keeping:erasures",
    "user": "hub.commands.people:user",
    "apikey": "hub.commands.people:apikey",
    "field": "hub.commands.records:field",
    "import": "hub.commands.records:import_",
    "export": "hub.commands.records:export",
    "sender": "hub.commands.mailing:sender",
    "dkim": "hub.commands.mailing:dkim",
    "sendout": "hub.commands.mailing:sendout",
    "engagement": "hub.commands.mailing:engagement",
}


class Commands(click.Group):
    """The table above as a click group."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="customerhub")
def main_group() -> None:
    """A self-hosted customer hub: CRM and Email Contact Portal."""


def main() -> None:
    """Run a command; what a person can mend is told in one sentence, without a traceback."""
    os.umask(0o077)  # what the house writes is for its own user only
    try:
        main_group(prog_name="customerhub")
    except BadSetting as wrong:
        click.echo(f"Error: {wrong}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
