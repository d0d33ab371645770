"""Security headers on every answer, and the rule that the Host must be one of ours (invariants.md 3)."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest

from crm.config import Config

POLICY = (
    "default-src 'none'; script-src 'self'; style-src {style}; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors {ancestors}; base-uri 'none'; manifest-src 'self'"
)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def _is_loopback(host: str) -> bool:
    """Whether `host` is this machine by name or number; `127.0.0.1.example` is a name of somebody else."""
    try:
        return host in LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False


def install(app: Flask, config: Config, more_hosts: Callable[[], set[str]] = set) -> None:
    """Check the Host before, set the headers after every request of `app`. `more_hosts`: names known from elsewhere."""
    urls = [config.base_url, config.crm_url, config.ecp_url, config.portal_url, config.public_url]
    hosts = {urlsplit(url if "//" in url else f"//{url}").hostname or "" for url in urls if url}
    is_local = bool(hosts & LOOPBACK)
    is_https = config.base_url.startswith("https:")

    @app.before_request
    def check_host() -> None:
        host = (urlsplit(f"//{request.host}").hostname or "").lower()
        if host in hosts or (is_local and _is_loopback(host)) or host in more_hosts():
            return
        raise BadRequest("This address is not one that this site is set up for (CUSTOMERHUB_BASE_URL).")

    @app.after_request
    def add_headers(answer: Response) -> Response:
        said = answer.headers
        style = "'self' 'unsafe-inline'" if g.get("inline_styles") else "'self'"
        policy = POLICY.format(style=style, ancestors="'self'" if g.get("may_be_framed") else "'none'")
        said.setdefault("Content-Security-Policy", policy)
        said.setdefault("X-Content-Type-Options", "nosniff")
        said.setdefault("Referrer-Policy", "same-origin")
        said.setdefault("X-Frame-Options", "SAMEORIGIN" if g.get("may_be_framed") else "DENY")
        said.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        said.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if is_https:
            said.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if "Cache-Control" not in said:
            said["Cache-Control"] = "no-store"  # pages hold people's data
        return answer
