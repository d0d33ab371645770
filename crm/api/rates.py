"""Who calls the API, by whatever interface, and how often that may be."""

from flask import request

from crm import config
from crm.limits import Limiter, Rate, source_of

CALLS = Limiter(Rate(count=600, seconds=60))  # of one key
WRONG = Limiter(Rate(count=20, seconds=60))  # wrong keys from one address


def caller_address() -> str:
    """The address that the present call comes from."""
    return source_of(request.remote_addr, request.headers.get("X-Forwarded-For"), config.current().trusted_proxies)
