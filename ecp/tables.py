"""The tables of this room that no module declares; imported so that the metadata is whole (hub/tables.py)."""

from crm.mail.sending.deliveries import Delivery
from ecp.modules.plans import MailMonth
from ecp.organisation import SiteSetting
from ecp.pictures import PublicPicture
from ecp.pipeline.frozen import SendoutContent, SendoutFile, TrackedLink

TABLES = (Delivery, MailMonth, PublicPicture, SendoutContent, SendoutFile, SiteSetting, TrackedLink)
