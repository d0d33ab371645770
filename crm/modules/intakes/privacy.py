"""What intakes hold about persons: that a form of theirs was taken. After an erasure its name stays, so that it makes nobody anew."""

from crm.modules.intakes.tables import Intake
from crm.modules.privacy.holdings import Holding, register
from crm.words import N_

register(
    Holding(
        Intake.__tablename__, "record_id", N_("Forms filled in on other sites"), ("module", "created_at"), fate="unlink"
    )
)
