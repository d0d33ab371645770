"""The clock of automatic mails: what is due of target groups and autoresponders, and joiners whose job was lost."""

from crm.engine.outbox import Progress, task
from ecp.automatic import answering, groups, joining

EVERY_SECONDS = 60


@task("automatic.tick", every=EVERY_SECONDS)
def tick(_progress: Progress) -> str | None:
    """Send what is due; what was done before is not done again, however often this runs."""
    sent = sum(len(joining.send_owed(id)) for id in joining.waiting_campaigns())
    sent += len(groups.send_due())
    sent += len(answering.send_due())
    return f"{sent} sendouts" if sent else None
