"""The script as a site loads it: the built file, with the key and the rules of the site before it; packed once."""

import gzip
import json
from functools import lru_cache

from crm.ui.assets import FOLDER, manifest
from web_tracking.sites import Site

AN_HOUR = 3600
Headers = list[tuple[str, str]]


class Script:
    """Gives the script of a site, packed when the browser takes that."""

    def of(self, site: Site, accepted: str) -> tuple[Headers, bytes]:
        """Headers and body. Raises assets.NotBuilt when the browser files are missing."""
        plain, packed = _made(manifest()["track.js"], site.key, site.needs_consent, site.counts_all, site.kept)
        body = packed if "gzip" in accepted else plain
        headers = [
            ("Content-Type", "text/javascript; charset=utf-8"),
            ("Cache-Control", f"public, max-age={AN_HOUR}"),
            ("Content-Length", str(len(body))),
            ("Vary", "Accept-Encoding"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("Access-Control-Allow-Origin", "*"),
        ]
        return [*headers, ("Content-Encoding", "gzip")] if body is packed else headers, body


@lru_cache(maxsize=256)
def _made(name: str, key: str, needs_consent: bool, counts_all: bool, kept: frozenset[str]) -> tuple[bytes, bytes]:
    rules = {"key": key, "consent": needs_consent, "counts": counts_all, "kept": sorted(kept)}
    plain = f"window.crmSite={json.dumps(rules, separators=(',', ':'))};".encode() + (FOLDER / name).read_bytes()
    return plain, gzip.compress(plain, 9)
