"""The demo: its day, its keys, and the walkthrough."""
