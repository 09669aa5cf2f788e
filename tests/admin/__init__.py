"""The desk: who sees what, what may be done, and what it costs."""
