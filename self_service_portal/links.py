"""The link to the personal page: `{$links.me}` in mails, sealed for the delivery that carries it (decisions.md 20)."""

from crm.identity.sealing import Sealer

PURPOSE = "me"


def me_link(delivery_id: int, _about: str, *, sealer: Sealer, base_url: str) -> str:
    """The address of the recipient's own page (catalog.LINK_KINDS)."""
    return f"{base_url.rstrip('/')}/me/{sealer.seal(PURPOSE, delivery_id)}"
