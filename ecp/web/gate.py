"""Log in and out of the portal; its users are apart from those of the CRM by their flags (spec/marketing.md 6.8)."""

from crm.web.login import make_blueprint

bp = make_blueprint("/ecp")
