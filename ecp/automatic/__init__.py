"""Mails that go by themselves: to who joins a campaign, to a target group at a time, to who read or did not read a mail."""
