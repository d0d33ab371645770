"""One WSGI callable for the whole house: each request goes to the app that its path, or its host name, belongs to."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from crm import config as settings
from crm.config import Config

SOAP = "CrmIntegrationWebservice"  # an address that older connectors know
PUBLIC_OF_PORTAL = ("/portal/public/", "/portal/embed/")

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class House:
    """Sends a request to the staff app of its first path segment, everything else to the public face.

    Where an app has a host name of its own (CUSTOMERHUB_CRM_URL …), its paths lead nowhere on the other hosts.
    """

    def __init__(self, config: Config) -> None:
        from crm import create_app
        from ecp import create_app as create_ecp_app
        from hub.public import create_public_app
        from self_service_portal import create_app as create_portal_app
        from web_tracking.collect import Beacon
        from web_tracking.sites import Knowing
        from web_tracking.stores import store_of

        self.crm = create_app(config)
        self.ecp = create_ecp_app(config)
        self.public = create_public_app(config)
        self.portal = create_portal_app(config)
        self.beacon: Wsgi = Beacon(config, Knowing(self.public), store_of(config))
        self.apps: dict[str, Wsgi] = {
            "crm": self.crm,
            "api": self.crm,
            SOAP: self.crm,
            "ecp": self.ecp,
            "portal": self.portal,
        }
        own = {
            "crm": config.crm_url,
            "api": config.crm_url,
            SOAP: config.crm_url,
            "ecp": config.ecp_url,
            "portal": config.portal_url,
        }
        self.hosts = {name: urlsplit(url).netloc.lower() for name, url in own.items() if url}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/t/"):
            return self.beacon(environ, start_response)  # before all else: it comes in bursts
        if path.startswith(PUBLIC_OF_PORTAL):
            return self.public(environ, start_response)  # for everybody, without a cookie
        first = path.lstrip("/").partition("/")[0]
        app = self.apps.get(first)
        host = self.hosts.get(first)
        if app is None or (host and environ.get("HTTP_HOST", "").lower() != host):
            return self.public(environ, start_response)
        return app(environ, start_response)


def application(config: Config | None = None) -> House:
    """The whole house on the given settings, or those of the environment; what a WSGI server is pointed at."""
    return House(config or settings.load())
