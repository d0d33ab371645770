"""The built browser files: `asset("app.css")` gives the fingerprinted address, `icon("plus")` an icon of the sprite."""

import json
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, send_from_directory
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from crm.ui.face import Face

FOLDER = Path(__file__).parent.parent / "static" / "build"
A_YEAR = 31_536_000
LOOK_EVERY = 1.0  # seconds
LOOK_EVERY = 1.0  # seconds
_kept: dict[str, str] | None = None
_looked_at = 0.0


_last: dict[str, str] = {}
_looked_at = 0.0


class NotBuilt(Exception):
    """The browser files are missing; the sentence says how to make them."""


def manifest() -> dict[str, str]:
    """Name of the source file → name of the built one. Raises NotBuilt."""
    global _looked_at
    if (
        _last and time.monotonic() - _looked_at < LOOK_EVERY
    ):  # a page names dozens of icons; one look at the disk will do
        return _last
    path = FOLDER / "manifest.json"
    try:
        _last.update(_read(path, path.stat().st_mtime_ns))
        _looked_at = time.monotonic()
        return _last
    except FileNotFoundError:
        if _last:  # they are being built anew just now
            return _last
        raise NotBuilt("The browser files are not built yet. Run `make setup`.") from None


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text())
    return found


def install(app: Flask, face: "Face") -> None:
    """Serve the built files under the app's own prefix, for ever, because a changed file has another name."""
    base = f"{face.prefix}/static"

    def asset(name: str) -> str:
        return f"{base}/{manifest()[name]}"

    def icon(name: str, label: str = "", small: bool = False) -> Markup:
        told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
        size = " icon-small" if small else ""
        return Markup(f'<svg class="icon{size}" {told}><use href="{asset("icons.svg")}#{escape(name)}"/></svg>')  # noqa: S704 — every part is escaped or ours

    @app.get(f"{base}/<path:name>", endpoint="asset")
    def serve(name: str) -> Response:
        if name not in manifest().values() and not name.endswith((".woff2", ".woff")):
            abort(404)
        answer = send_from_directory(FOLDER, name, max_age=A_YEAR)
        answer.cache_control.public, answer.cache_control.immutable = True, True
        return answer

    app.jinja_env.globals.update(asset=asset, icon=icon)
