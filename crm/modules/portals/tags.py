"""Tags of mails about access to a portal, beside those of the contact. The tag of a password is the link to choose one."""

from crm.words import N_

TAGS = {
    "portal.name": N_("Portal: name"),
    "portal.login": N_("Portal: where to log in"),
    "portal.link": N_("Portal: link to choose a password"),
    "portal.password": N_("Portal: link to choose a password"),
    "portal.user_name": N_("Portal: user name"),
}
