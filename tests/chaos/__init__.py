"""A running instance whose processes are killed at random moments while clients write: nothing may be lost, or done twice."""
