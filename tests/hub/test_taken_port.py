"""Two houses on one port are refused."""

import socket

import click
import pytest

from hub.commands.running import demand_port


def test_a_port_that_somebody_listens_on_is_refused_also_when_he_shares_it():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(click.ClickException, match=f"port {port}.*in use.*--port {port + 1}"):
            demand_port("127.0.0.1", port)
    demand_port("127.0.0.1", port)
