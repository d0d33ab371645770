"""A page that somebody reached by a mail tells us once that a person is there: a pointer, a finger or a key moved on it.

Link checkers open pages and go. The script is ours, stands in the page, is allowed by its hash and sends nothing but that it
happened; who runs no scripts loses nothing. It is put only into pages of people who may be measured.
"""

from crm.identity.sealing import sealer

PURPOSE = "seen"  # of the token; `ecp.web.public_measuring` takes it
_SCRIPT = """(function () {
  "use strict";
  var kinds = ["pointerdown", "pointermove", "touchstart", "keydown", "wheel"];
  function tell(event) {
    if (!event.isTrusted) return;
    kinds.forEach(function (kind) { removeEventListener(kind, tell); });
    if (navigator.sendBeacon) navigator.sendBeacon("/seen/TOKEN");
  }
  kinds.forEach(function (kind) { addEventListener(kind, tell, { passive: true }); });
})();"""


def script_for(delivery_id: int) -> str:
    """The script of a page that the holder of a mail has opened; it goes with `page(…, tells=True)`."""
    return _SCRIPT.replace("TOKEN", sealer().seal(PURPOSE, delivery_id))
