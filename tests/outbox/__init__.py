"""Calls out: the wire, the timetable, and what is owed to whom."""
