"""Durable work: workers that claim job rows, the timetable, and the engines that carry “look at job 42”."""
