"""The commands themselves, one per module."""
