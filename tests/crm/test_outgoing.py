"""The one door to other people's web servers: what it speaks to, what it refuses, and how much it believes."""

import _socket
import contextlib
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crm import outgoing
from crm.outgoing import OutgoingError
from tests.mail.certificates import write_certificate


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        with contextlib.suppress(OSError):  # who asked is gone
            self.answer()

    def answer(self):
        self.server.hosts.append(self.headers["Host"])
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/secret")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        if self.path == "/endless":
            for _n in range(400):
                self.wfile.write(b"x" * 1024)
        elif self.path == "/slow":
            for _n in range(100):
                self.wfile.write(b"x")
                time.sleep(0.05)
        else:
            self.wfile.write(f"{self.command} {self.path}".encode())

    def log_message(self, *_rest): ...


@contextlib.contextmanager
def serving(context=None):
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as made:
        made.hosts, made.daemon_threads, made.block_on_close = [], True, False
        if context is not None:
            made.socket = context.wrap_socket(made.socket, server_side=True)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def server():
    with serving() as made:
        yield made


@pytest.fixture
def loopback(app, monkeypatch):
    allowed = app.config["CUSTOMERHUB"].with_(outgoing_networks="10.9.0.0/16, 127.0.0.0/8")
    monkeypatch.setitem(app.config, "CUSTOMERHUB", allowed)


def refused(address):
    with pytest.raises(OutgoingError) as problem:
        outgoing.call("GET", address)
    return problem.value.code


OURS = (
    "127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "2130706433",
    "0x7f.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00::1]", "255.255.255.255",
)  # fmt: skip


def test_networks_of_our_own_are_not_spoken_to_in_any_spelling(app, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_rest, **_named: pytest.fail("it was spoken to"))
    monkeypatch.setattr(socket, "getaddrinfo", read_number)
    assert {host: refused(f"https://{host}/") for host in OURS} == dict.fromkeys(OURS, "forbidden")


def read_number(host, port, **_named):
    """As the system reads numbers; no name server is asked."""
    if host == "localhost":
        host = "127.0.0.1"
    return _socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)


def test_a_name_with_one_private_address_among_public_ones_is_refused_and_the_checked_one_is_spoken_to(
    app, monkeypatch
):
    def say(*numbers):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in numbers]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_rest, **_named: found)

    spoken = []

    def connect(address, *_rest):
        spoken.append(address)
        raise OSError("enough seen")

    monkeypatch.setattr(socket, "create_connection", connect)
    say("93.184.216.34", "10.0.0.1")
    assert refused("https://both.example/") == "forbidden"
    say("93.184.216.34")
    assert refused("https://public.example:8443/") == "connect"
    assert spoken == [("93.184.216.34", 8443)]  # the number that was checked, not the name once more


def test_addresses_that_are_none_are_refused(app):
    for address in (
        "ftp://example.com/",
        "https://",
        "//example.com",
        "https://u:p@example.com/",
        "https://example.com:99999/",
        "",
    ):
        assert refused(address) == "address", address


def test_the_operators_networks_are_called_redirects_are_not_followed_and_long_answers_cut_off(
    loopback, server, monkeypatch
):
    base = f"http://127.0.0.1:{server.server_port}"
    answer = outgoing.call("GET", f"{base}/hello?a=1")
    assert (answer.status, answer.body) == (200, b"GET /hello?a=1")
    assert server.hosts == [f"127.0.0.1:{server.server_port}"]
    assert outgoing.call("GET", f"{base}/away").status == 302
    assert refused(f"{base}/endless") == "answer"
    monkeypatch.setattr(outgoing, "WHOLE_SECONDS", 0.4)
    began = time.monotonic()
    assert refused(f"{base}/slow") == "connect"
    assert time.monotonic() - began < 3


def test_a_certificate_must_hold(loopback, tmp_path):
    write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with serving(context) as server:
        assert refused(f"https://127.0.0.1:{server.server_port}/") == "certificate"
