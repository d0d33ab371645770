"""What comes back after sending. Now: evidence of what became of a mail; the mailbox of bounces comes later."""
