"""Mass mail, one file a stage: schedule → audience (allow) → render (values, track, envelope) → crm/mail/sending → finish.

`worker.py` names the stages in order. The post office (crm/mail/sending) claims the delivery rows and asks the kind
“sendout”, registered there, for the mails of a batch and, in the statement that begins a text, whether it may still go.
"""
