"""Every setting once: its name, type, default and meaning. The environment wins over customerhub.toml."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "CUSTOMERHUB_"
ENGINES = ("embedded", "dramatiq", "celery")
BROKERS = ("redis", "rediss", "amqp", "amqps")


class BadSetting(Exception):
    """A setting has a value that cannot be used; the message names it and says what it takes."""


@dataclass(frozen=True)
class Setting:
    """One setting: `key` (its name without the prefix, in lower case), type, default, meaning."""

    key: str
    type: type
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return PREFIX + self.key.upper()

    def read(self, raw: Any) -> Any:
        """The value `raw` stands for. Raises BadSetting."""
        if isinstance(raw, self.type) and not self.choices and not self.key.endswith(("_networks", "name_servers")):
            return raw
        text = str(raw).strip()
        try:
            value = text.lower() in {"1", "true", "yes", "on"} if self.type is bool else self.type(text)
        except ValueError:
            raise BadSetting(f"{self.name} is “{text}”, but it takes a {self.type.__name__}") from None
        if self.key.endswith("_networks"):
            for one in filter(None, (part.strip() for part in text.split(","))):
                try:
                    ip_network(one, strict=False)
                except ValueError:
                    raise BadSetting(f"{self.name} names “{one}”, which is no address or network") from None
        if self.key == "name_servers":
            try:
                name_servers(text)
            except ValueError as problem:
                raise BadSetting(f"{self.name} names “{problem}”, which is no IP address (and port)") from None
        if self.choices and value not in self.choices:
            raise BadSetting(f"{self.name} is “{text}”, but it takes one of: {', '.join(self.choices)}")
        return value


def name_servers(said: str) -> list[tuple[str, int]]:
    """Addresses and ports of a comma-separated list such as `192.0.2.1, [2001:db8::1]:5353`; the port is 53 where none is said.

    Raises ValueError with the entry that is none."""
    found = []
    for one in filter(None, (part.strip() for part in said.split(","))):
        try:
            parts = urlsplit(f"//{one}")
            found.append((str(ip_address(parts.hostname or "")), parts.port or 53))
        except ValueError:
            raise ValueError(one) from None
    return found


SETTINGS = (
    Setting("data_dir", str, "./instance", "Folder of the database, uploads, local mail folder and secret key"),
    Setting("database_url", str, "", "postgresql+psycopg://…; empty: SQLite in the data folder"),
    Setting("queue_engine", str, "embedded", "Who carries jobs", ENGINES),
    Setting("queue_url", str, "", "redis://… or amqp://… for dramatiq and celery; ?prefix= keeps houses apart"),
    Setting("smtp_url", str, "", "smtp://user:pw@host:port, smtps://…, ?starttls=required; empty: local mail folder"),
    Setting("base_url", str, "http://127.0.0.1:8000", "The address put in mails"),
    Setting(
        "secret_key", str, "", "Signs sessions, wraps keys; a comma-separated list rotates it; made on first start"
    ),
    Setting("crm_url", str, "", "A host name of its own for the CRM"),
    Setting("ecp_url", str, "", "A host name of its own for the Email Contact Portal"),
    Setting("portal_url", str, "", "A host name of its own for the Self-Service Portal"),
    Setting("public_url", str, "", "A host name of its own for the public addresses"),
    Setting("send_rate", float, 10.0, "Mails a second in all; 0: no limit"),
    Setting("domain_rate", float, 2.0, "Mails a second to one recipient domain; 0: no limit"),
    Setting("lease_seconds", int, 60, "A worker silent for that long is dead"),
    Setting("first_retry_seconds", int, 300, "First retry after a soft failure; the others keep their ratio"),
    Setting("ledger_sync", str, "power", "What the sending ledger survives", ("power", "process")),
    Setting(
        "measure", str, "with_consent", "Whose opens and clicks are measured", ("none", "totals", "with_consent", "all")
    ),
    Setting("trusted_proxies", str, "", "Addresses or networks whose forwarded address counts, comma-separated"),
    Setting(
        "scanner_networks",
        str,
        "",
        "Networks of mail scanners, whose openings and clicks no person made, comma-separated",
    ),
    Setting(
        "proxy_networks", str, "", "Networks that load the pictures of all mails for their people, comma-separated"
    ),
    Setting("name_servers", str, "", "Name servers to ask about domains, comma-separated; empty: those of the system"),
    Setting("outgoing_networks", str, "", "Private networks that may be called over the web, comma-separated"),
    Setting("hit_rate", float, 50.0, "Limit of the beacon, hits a second an address"),
    Setting("locale", str, "en", "Language of the site", ("en", "fi")),
    Setting("timezone", str, "Europe/Helsinki", "Time zone of the site"),
    Setting("log_level", str, "info", "How much is logged", ("debug", "info", "warning", "error")),
)


class Config:
    """The settings in force, read as attributes: `config.base_url`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, key: str) -> Any:
        try:
            return self._values[key]
        except KeyError:
            raise AttributeError(key) from None

    def __repr__(self) -> str:
        return "Config(…)"  # values may hold passwords

    @property
    def data_path(self) -> Path:
        return Path(self._values["data_dir"]).resolve()

    @property
    def url_of_database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self._values["database_url"] or f"sqlite:///{self.data_path / 'customerhub.sqlite3'}"

    @property
    def is_sqlite(self) -> bool:
        return self.url_of_database.startswith("sqlite")

    @property
    def secret_keys(self) -> list[str]:
        """Newest first. Made and kept (mode 600) in the data folder when none is set."""
        if self._values["secret_key"]:
            return [key.strip() for key in self._values["secret_key"].split(",") if key.strip()]
        return [_kept_secret(self.data_path)]

    def with_(self, **changes: Any) -> "Config":
        """A copy in which the named settings have other values."""
        return Config(self._values | changes)

    def with_engine(self, engine: str) -> "Config":
        """A copy in which `engine` carries jobs. Raises BadSetting when it needs a broker and none is set."""
        scheme = str(self._values["queue_url"]).partition("://")[0]
        if engine != "embedded" and scheme not in BROKERS:
            raise BadSetting(
                f"The queue engine {engine} needs a broker: set {PREFIX}QUEUE_URL to redis://… or amqp://…"
            )
        return self.with_(queue_engine=engine)


def _kept_secret(data_path: Path) -> str:
    import secrets

    path = data_path / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        data_path.mkdir(parents=True, exist_ok=True)
        fresh = data_path / f".secret_key.{os.getpid()}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # of two processes that start at once, one wins and both read the same
        except FileExistsError:
            pass
        fresh.unlink()
        return path.read_text().strip()


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Config:
    """The settings from the environment, `customerhub.toml` in `folder` (default: here) and the defaults.

    Raises BadSetting for an unusable value or an unknown name in the file.
    """
    environ = os.environ if environ is None else environ
    path = (folder or Path.cwd()) / "customerhub.toml"
    written = tomllib.loads(path.read_text()) if path.exists() else {}
    known = {setting.key: setting for setting in SETTINGS}
    for key in written:
        if key.lower().removeprefix(PREFIX.lower()) not in known:
            raise BadSetting(f"customerhub.toml: there is no setting “{key}”")
    written = {key.lower().removeprefix(PREFIX.lower()): value for key, value in written.items()}
    values = {}
    for setting in SETTINGS:
        raw = environ.get(setting.name, written.get(setting.key))
        values[setting.key] = setting.default if raw is None or raw == "" else setting.read(raw)
    return Config(values).with_engine(values["queue_engine"])


def current() -> Config:
    """The settings of the app at work, put into `app.config["CUSTOMERHUB"]` by create_app."""
    from flask import current_app  # the only place below the web rooms that asks Flask, so that they need not

    settings: Config = current_app.config["CUSTOMERHUB"]
    return settings
