"""Networks whose requests are no reading: of mail scanners, and of services that load the pictures of all mails.

The site names them (CUSTOMERHUB_SCANNER_NETWORKS, CUSTOMERHUB_PROXY_NETWORKS). We deliver no list: such lists grow old, and
a network that was a scanner's yesterday makes its next owner's people invisible.
"""

from typing import Literal, cast

from crm import config, limits


def kind_of(address: str) -> Literal["scanner", "proxy", ""]:
    """Whose network `address` (not shortened) is in; "" for any other, and for what is no address.

    Of a scanner within a service's network the scanner holds, as the more exact word.
    """
    settings = config.current()
    if limits.is_within(address, settings.scanner_networks):
        return "scanner"
    return "proxy" if limits.is_within(address, settings.proxy_networks) else ""


def kind_of_shortened(address: str) -> Literal["scanner", "proxy", ""] | None:
    """The same for an address that was shortened (crm.limits); None when only a part of what it stands for is named."""
    settings = config.current()
    for kind, said in (("scanner", settings.scanner_networks), ("proxy", settings.proxy_networks)):
        how = limits.covers(said, address)
        if how != "none":
            return cast(Literal["scanner", "proxy"], kind) if how == "whole" else None
    return ""
